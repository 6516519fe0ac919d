#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutants.sh - each planted fault of tests/mutants/ fits the source as it is, and
# names a test program that is there.  `make mutants` shows that it is found.
set -u
bad=0 n=0
wrong() { echo "tests/mutants/$1: $2"; bad=1; }

for patch in tests/mutants/*.patch; do
	name=$(basename "$patch")
	by=$(sed -n 's/^# found by: //p' "$patch")
	n=$((n + 1))
	[ -f "tests/$by.c" ] || wrong "$name" "no line '# found by: PROGRAM', or no such program: '$by'"
	patch -p1 -s -f --dry-run <"$patch" >/dev/null 2>&1 ||
		wrong "$name" "does not fit the source: renew it"
done
[ "$n" -ge 30 ] || wrong "" "fewer than thirty"
[ "$bad" -eq 0 ] && echo "$n planted faults fit"
exit "$bad"
