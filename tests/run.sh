#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - runs tests, keeps their logs, counts what passed.
#
#   run.sh --begin           forget what was counted
#   run.sh BINARY ...        cmocka tests: counted by their closing summary;
#                            TEST_JOBS of them at a time, their folders in memory
#   run.sh --as NAME CMD...  a command: "N passed, N failed" if it says so as
#                            its last line, else one test
#   run.sh --end STATUS      "N passed, N failed"; fails if any did, or none ran
#
# A test that ends without a summary (it crashed, or hung for TEST_SECONDS)
# counts as one that failed.  RESULTS is the file that is counted in.  How long
# each took is kept in $BUILD/times, and the next run begins with the slowest,
# so that it does not end with one that everything waits for.
set -u

BUILD=${BUILD:-build}
RESULTS=${RESULTS:-$BUILD/results}
LOGS=$BUILD/log
TIMES=$BUILD/times
export BUILD RESULTS
mkdir -p "$LOGS" "$(dirname "$RESULTS")"
[ -f "$RESULTS" ] || : >"$RESULTS"

# Adds up a log: cmocka's "[  PASSED  ] 5 test(s)." and "[  FAILED  ] group: 1
# test(s), listed below:", or a plain closing line.
count() {
	awk '
	/^\[  PASSED  \] [0-9]+ test/ { p += $4; seen = 1 }
	/^\[  FAILED  \] .*[0-9]+ test\(s\), listed below:/ {
		sub(/ test\(s\), listed below:.*/, ""); f += $NF; seen = 1 }
	/^[0-9]+ passed, [0-9]+ failed$/ { plain = 1; pp = $1; pf = $3 }
	END {
		if (plain && !seen) { p = pp; f = pf }
		print p + 0, f + 0
	}' "$1"
}

# run NAME COMMAND...
run() {
	name=$1
	shift
	log=$LOGS/$(echo "${name#"$BUILD"/}" | tr / -).txt
	start=$(date +%s)
	timeout -k 10 "${TEST_SECONDS:-600}" "$@" >"$log" 2>&1
	status=$?
	took=$(($(date +%s) - start))
	# shellcheck disable=SC2046 # two numbers
	set -- $(count "$log")
	passed=$1 failed=$2
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	elif [ "$status" -eq 0 ] && [ $((passed + failed)) -eq 0 ]; then
		if [ "$kind" = cmocka ]; then
			echo "run.sh: no test ran" >>"$log"
			failed=1
		else
			passed=1
		fi
	fi
	echo "$passed $failed $name $log $took" >>"$RESULTS"
	echo "$name $took" >>"$TIMES"
	if [ "$failed" -eq 0 ]; then
		grep '^SKIPPED' "$log" # by a command that could not try it
		printf 'ok      %-40s %4d passed  %3d s\n' \
			"$name" "$passed" "$took"
		return 0
	fi
	printf 'FAILED  %-40s exit %d; all of it is in %s\n' \
		"$name" "$status" "$log"
	faults <"$log" | tail -n 60 | sed 's/^/        /'
	return 1
}

# A log without the lines of the tests that passed.
faults() {
	grep -v -e '^\[ *\(RUN\|OK\) *\]' -e '^ok  '
}

# slowest_first NAME...: by the last time of each; those that have none yet, which
# may be slow, are first.
slowest_first() {
	printf '%s\n' "$@" | awk -v times="$TIMES" '
	BEGIN { while ((getline line < times) > 0) {
		split(line, word, " "); took[word[1]] = word[2] } }
	{ print ($0 in took ? took[$0] : 99999), $0 }' |
		sort -s -n -r -k 1,1 | cut -d ' ' -f 2-
}

# Keeps the last time of each test alone.
forget_old_times() {
	[ -f "$TIMES" ] || return 0
	awk '{ took[$1] = $2 } END { for (name in took) print name, took[name] }' \
		"$TIMES" | sort >"$TIMES.new" && mv "$TIMES.new" "$TIMES"
}

# Names what failed, each test of a log that names its tests.
failed() {
	while read -r _ wrong name log _; do
		[ "$wrong" -gt 0 ] || continue
		echo "failed: $name"
		sed -n -e 's/^FAILED  \(.*\)/        \1/p' \
			-e 's/^\[  FAILED  \] \([a-z_0-9]*\)$/        \1/p' \
			"$log" | sort -u
	done <"$RESULTS"
}

# Prints where tests make their folders: TMPDIR if it is set, else a file system
# in memory that has a GB left, else /tmp.  A store in memory is synced as one on
# a disk is, with the same calls, and costs no time: thousands of commits on a
# disk that others use took longer than all that the tests do.  What needs a disk
# that is slow, full or gone has one in tests/faults/.
folder_of_tests() {
	for place in "${TMPDIR:-}" /dev/shm; do
		[ -w "$place" ] || continue
		[ -n "${TMPDIR:-}" ] ||
			df -Pk "$place" | awk 'NR == 2 && $1 == "tmpfs" && $4 >= 1048576 { ok = 1 }
				END { exit !ok }' || continue
		echo "$place"
		return
	done
	echo /tmp
}

case ${1:-} in
--begin)
	: >"$RESULTS"
	;;
--as)
	kind="command"
	shift
	run "$@"
	;;
--end)
	passed=$(awk '{ n += $1 } END { print n + 0 }' "$RESULTS")
	failed=$(awk '{ n += $2 } END { print n + 0 }' "$RESULTS")
	# make stopped for another reason than a test: that is a failure too
	[ "${2:-0}" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
	failed
	sort -n -r -k 5,5 "$RESULTS" | head -n 3 |
		awk '{ printf "slowest: %s, %d s\n", $3, $5 }'
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	;;
'')
	;;
--one)
	kind="cmocka"
	run "$2" "$2"
	;;
*)
	# Most of a test's time is waiting, so many run side by side: what they
	# do themselves keeps two cores busy.
	forget_old_times
	TMPDIR=$(folder_of_tests)
	export TMPDIR
	slowest_first "$@" | tr '\n' '\0' |
		xargs -0 -n 1 -P "${TEST_JOBS:-12}" sh "$0" --one
	;;
esac
