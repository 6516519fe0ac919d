#!/bin/sh
# SPDX-License-Identifier: MIT
#
# promises.sh - every test that docs/promises.md names is there.
#
# Names of tests in C have three underscores or more, so that no other word is
# taken for one.  Programs are named as unit/test_X, store/test_X,
# e2e/test_X or X.test.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
page=docs/promises.md
bad=0
wrong() { echo "$page: $1"; bad=1; }

grep -ohE '[a-z0-9]+(_[a-z0-9]+){2,}' -r tests --include='*.c' \
	--exclude-dir=node_modules | sort -u >"$work/known"

# The last cell of each row.
sed -n 's/^|.*| \(.*\) |$/\1/p' "$page" >"$work/tests"
# "..." behind a name, or a "/" for a row of them, leaves out the rest of it.
sed 's/[a-z0-9_]*\.\.\.//g; s/[a-z0-9_]*_\///g' "$work/tests" |
	grep -oE '[a-z][a-z0-9]*(_[a-z0-9]+){3,}' | sort -u >"$work/named"
[ "$(wc -l <"$work/named")" -gt 100 ] || wrong "names too few tests"
for name in $(comm -23 "$work/named" "$work/known"); do
	wrong "there is no test $name"
done

grep -oE '(unit|store|e2e)/test_[a-z0-9_]+' "$work/tests" | sort -u >"$work/programs"
[ -s "$work/programs" ] || wrong "names no program"
while read -r program; do
	[ -f "tests/$program.c" ] || wrong "there is no tests/$program.c"
done <"$work/programs"
grep -oE '[a-z]+\.test' "$work/tests" | sort -u >"$work/files"
while read -r file; do
	[ -f "tests/browser/$file.mjs" ] ||
		wrong "there is no tests/browser/$file.mjs"
done <"$work/files"
[ "$bad" -eq 0 ] || exit 1
echo "$(wc -l <"$work/named") tests looked at"
