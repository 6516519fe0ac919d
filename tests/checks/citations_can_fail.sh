#!/bin/sh
# SPDX-License-Identifier: MIT
#
# citations_can_fail.sh - plants each kind of mistake that citations.sh is to
# find, one at a time in a copy of the source, and expects it to be named.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
find Makefile openapi.yaml ./*.md base store centra handlers server deploy \
	docs tests -path '*/node_modules' -prune -o -type f -print |
	tar -cf - -T - | tar -xf - -C "$tree" || exit 1
bad=0
planted=0

# plant FILE LINE MESSAGE: with LINE at the end of FILE, MESSAGE appears.
plant() {
	planted=$((planted + 1))
	cp "$tree/$1" "$work/before"
	printf '%b\n' "$2" >>"$tree/$1"
	if sh tests/checks/citations.sh "$tree" >"$work/out" 2>&1; then
		echo "not found: $1: $2"
		bad=1
	elif ! grep -qF -- "$1: cites $3" "$work/out"; then
		echo "found, but not named as \"$3\": $1: $2"
		sed 's/^/	/' "$work/out"
		bad=1
	fi
	mv "$work/before" "$tree/$1"
}

sh tests/checks/citations.sh "$tree" >"$work/out" 2>&1 || {
	echo "something is cited that is not there, before anything is planted:"
	cat "$work/out"
	exit 1
}

plant base/err.c '/* As it says (OFFERS 77.1). */' 'OFFERS 77.1'
plant base/err.c '/* As it says (OFFERS\n * 77). */' 'OFFERS 77'
plant base/err.c '/* As they say (CONTRACT 6.4 to 6.66). */' 'CONTRACT 6.66'
plant base/err.c '/* As they say (CONTRACT 1.5, 1.66). */' 'CONTRACT 1.66'
plant base/err.c '/* As it says (MANIFESTO 3). */' 'MANIFESTO 3'
plant base/err.c '/* Where it says so (STYLE). */' 'STYLE'
plant base/err.c '/* See docs/none.md. */' 'docs/none.md'
plant base/err.c '/* As none.c does. */' 'none.c'
plant base/err.c '/* See store/codec.h. */' 'store/codec.h'
plant base/err.c '/* See\n * lmdb/none.h, and err.h. */' 'lmdb/none.h'
plant Makefile '# CONTRACT 99' 'CONTRACT 99'
plant server/page/main.js '// OFFERS 99' 'OFFERS 99'
plant docs/states.md 'As OFFERS 99 says.' 'OFFERS 99'
[ "$bad" -eq 0 ] && echo "$planted mistakes planted, all found"
exit $bad
