#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bench.sh - runs each benchmark, then the report on all of them.
#
# BENCH_RUNS    which, by the names below; all
# BENCH_OPEN_SECONDS  how long bench_latency offers webhooks, twice: 60
# BENCH_EVENTS  how many events bench_growth stores: 1000000
# BENCH_ROUNDS, BENCH_SECONDS, BENCH_ONLY, BENCH_FOLDER: bench_webhooks.c
set -u
BUILD=${BUILD:-build}
here=$BUILD/bench
BENCH_ROWS=$here/rows.tsv
BENCH_COMMAND=$(env | grep '^BENCH_[ERSOF]' | grep -v '^BENCH_ROWS=' | sort |
	sed "s/=\(.* .*\)/='\1'/" | tr '\n' ' ')"make bench"
export BUILD BENCH_ROWS BENCH_COMMAND
folder=${BENCH_FOLDER:-$here/data}

run() {
	case $1 in
	disk) "$BUILD/tests/bench/bench_disk" "$folder" ;;
	webhooks) "$BUILD/tests/bench/bench_webhooks" ;;
	instructions) "$BUILD/tests/bench/bench_instructions" ;;
	growth) "$BUILD/tests/bench/bench_growth" "${BENCH_EVENTS:-1000000}" ;;
	retention) "$BUILD/tests/bench/bench_retention" ;;
	screens) node tests/browser/bench.mjs ;;
	*)
		echo "bench: there is no '$1'" >&2
		return 1
		;;
	esac
}

mkdir -p "$folder" && : >"$BENCH_ROWS" &&
	sh tests/bench/machine.sh "$folder" >"$here/machine.md" || exit 1
failed=''
for name in ${BENCH_RUNS:-disk webhooks latency instructions growth retention screens}; do
	echo "== $name"
	run "$name" || failed="$failed $name"
done
"$BUILD/tests/bench/bench_report" "$here" || failed="$failed report"
[ -z "$failed" ] || {
	echo "bench: failed:$failed" >&2
	exit 1
}
