#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - runs each fuzzer for FUZZ_SECONDS from its stored corpus, FUZZ_JOBS
# of them at a time.
#
# What it learns goes to build/fuzz/corpus; an input that fails is kept as
# build/fuzz/FUZZER-crash-..., and goes to tests/fuzz/corpus once mended.
set -u
BUILD=${BUILD:-build/fuzz}
export BUILD
seconds=${FUZZ_SECONDS:-600}

# One fuzzer: 0 when it found nothing.
one() {
	name=$(basename "$1")
	learnt=$BUILD/corpus/$name
	stored=tests/fuzz/corpus/$name
	log=$BUILD/log/$name.txt
	mkdir -p "$learnt" "$BUILD/log"
	if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$BUILD/$name-" "$learnt" "$stored" \
		>"$log" 2>&1; then
		echo "ok      $name: $(grep -o 'Done.*' "$log")"
		return 0
	fi
	echo "FAILED  $name: $log"
	tail -n 30 "$log" | sed 's/^/        /'
	return 1
}

if [ "${1:-}" = --one ]; then
	one "$2"
	exit
fi
out=$BUILD/fuzz.txt
for fuzzer in "$BUILD"/tests/fuzz/fuzz_*; do
	[ -x "$fuzzer" ] && echo "$fuzzer"
done | xargs -n 1 -P "${FUZZ_JOBS:-1}" sh "$0" --one | tee "$out"
passed=$(grep -c '^ok ' "$out")
failed=$(grep -c '^FAILED ' "$out")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
