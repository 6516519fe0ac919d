#!/bin/sh
# SPDX-License-Identifier: MIT
#
# chaos.sh - the storm of tests/e2e/test_chaos.c, with other dice each time:
# CHAOS_SEEDS (1 to 10), 200 orders, about half a minute of kills each.
set -u
BUILD=${BUILD:-build}
export BUILD
mkdir -p "$BUILD/log"
passed=0 failed=0
for seed in ${CHAOS_SEEDS:-1 2 3 4 5 6 7 8 9 10}; do
	log=$BUILD/log/chaos-$seed.txt
	if CHAOS_SEED=$seed CHAOS_ORDERS=${CHAOS_ORDERS:-200} \
		CHAOS_KILLS=${CHAOS_KILLS:-15} \
		"$BUILD/tests/e2e/test_chaos" >"$log" 2>&1; then
		passed=$((passed + 1))
		grep '^seed' "$log"
	else
		failed=$((failed + 1))
		echo "FAILED  seed $seed: $log"
		tail -n 20 "$log" | sed 's/^/        /'
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
