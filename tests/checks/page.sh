#!/bin/sh
# SPDX-License-Identifier: MIT
#
# page.sh - the modules of the staff page import each other without a cycle:
# none imports one that comes after it in the lists of the service worker (sw.js).
# Each file of server/page/ is embedded (page.c) and kept by the service worker.
# The modules of EXTRAS are loaded by extras.js alone, so that a shop that does not
# need them does not get them.
set -u
dir=server/page
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# fail MESSAGE
fail() {
	echo "$1" >&2
	bad=1
}

# MODULE IMPORTED, one pair a line.
for f in "$dir"/*.js; do
	sed -n 's/^import .*"\.\/\([a-z_]*\.js\)";$/\1/p' "$f" |
		sed "s/^/$(basename "$f") /"
	# An import in another form would go unseen.
	grep -nE '(^|[^a-z])import[ (]|^export .* from ' "$f" |
		grep -vE '^[0-9]+:(import ([^"]* from )?"\./[a-z_]+\.js";$|//)' |
		if [ "$f" = "$dir/extras.js" ]; then grep -vF ' = import('; else cat; fi |
		grep . >&2 &&
		fail "$f: an import that this check cannot read"
done >"$work/imports"
if [ ! -s "$work/imports" ]; then
	echo "no imports found"
	exit 1
fi
sed -n '/^const \(SHELL\|EXTRAS\)/,/;$/p' "$dir/sw.js" | grep -oE '[a-z]+' |
	awk -v modules="$(cd "$dir" && ls ./*.js)" '
	NR == FNR { if (index(modules, "./" $1 ".js")) place[$1 ".js"] = ++n; next }
	place[$2] >= place[$1] { print "  " $1 " imports " $2; bad = 1 }
	END { exit bad }' - "$work/imports" ||
	fail "$dir: an import of what comes later in the list of sw.js"

# A module of EXTRAS is imported by none of SHELL.
# shellcheck disable=SC2016 # a backquote, and the end of a line
extras=$(sed -n '/^const EXTRAS/,/;$/s/.*`\([a-z ]*\)`.*/\1/p' "$dir/sw.js")
[ -n "$extras" ] || fail "$dir/sw.js: EXTRAS cannot be read"
for name in $extras; do
	while read -r by what; do
		[ "$what" = "$name.js" ] || continue
		case " $extras " in
		*" ${by%.js} "*) ;;
		*) fail "$dir/$by imports $what, which extras.js is to load" ;;
		esac
	done <"$work/imports"
done

for path in "$dir"/*; do
	case $path in *.[ch]) continue ;; esac
	f=$(basename "$path")
	grep -qF "\"$f\"" server/page/page.c || fail "$path is not in server/page/page.c"
	case $f in
	sw.js) continue ;;
	index.html) kept='"/"' ;;
	*.js) kept=${f%.js} ;;
	*) kept=$f ;;
	esac
	sed -n '/^const \(SHELL\|EXTRAS\)/,/;$/p' "$dir/sw.js" |
		grep -qE "(^|[^a-z.])${kept}([^a-z]|\$)" ||
		fail "$path is not kept by $dir/sw.js"
done
echo "$(wc -l <"$work/imports") imports looked at"
exit $bad
