#!/bin/sh
# SPDX-License-Identifier: MIT
#
# torture.sh - each scenario of tests/e2e/torture.c in each of its ways, JOBS of
# them side by side: most of their time is waiting.
#
# "N passed, N failed" counts points: calls that failed, or were the last.
set -u
BUILD=${BUILD:-build}
export BUILD
scenarios="accept ship sweep reject retention first-start backup compact device-add migrate"
ways="EIO ENOSPC short before after torn"
logs=$BUILD/log/torture
out=$logs/all.txt
one=$BUILD/tests/e2e/torture

if [ "${1:-}" = --one ]; then
	log=$logs/$2-$3.txt
	TORTURE_SCENARIO=$2 TORTURE_HOW=$3 "$one" >"$log" 2>&1
	status=$?
	line=$(grep "^$2 .* points, .* failures" "$log")
	if [ "$status" -ne 0 ] || [ -z "$line" ]; then
		echo "FAILED  $2 $3: $log"
		grep -v '^\[' "$log" | tail -n 40 | sed 's/^/        /'
	fi
	[ -z "$line" ] || echo "$line"
	exit 0
fi
rm -rf "$logs"
mkdir -p "$logs"
for scenario in ${TORTURE_SCENARIO:-$scenarios}; do
	for way in ${TORTURE_HOW:-$ways}; do
		echo "$scenario $way"
	done
done | xargs -n 2 -P "${JOBS:-6}" sh "$0" --one | tee "$out"
points=$(awk '/^[a-z-]+ +[A-Za-z]+ +[0-9]+ points, / { n += $3 } END { print n + 0 }' "$out")
failed=$(awk '/^[a-z-]+ +[A-Za-z]+ +[0-9]+ points, / { n += $5 } END { print n + 0 }' "$out")
broken=$(grep -c '^FAILED' "$out")
[ "$failed" -ge "$broken" ] || failed=$broken
echo "$points points, $failed failures"
echo "$((points - failed)) passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$points" -gt 0 ]
