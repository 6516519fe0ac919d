#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh JOBS - every analyser at hand, each of which must find nothing.
#
# gcc and clang see different things: in a trial clang's found a swallowed
# cursor error that all tests had passed.  (cppcheck 2.10 cannot parse
# [[nodiscard]] enums and __VA_OPT__, and so finds only what is not there.)
# shellcheck disable=SC2317 # the functions are called through step
set -u
jobs=${1:-2}
bad=0
# From nothing: an object that is there already would not be looked at again.
rm -rf build/lint-*
mkdir -p build/log

step() {
	name=$1
	shift
	log=build/log/lint-$name.txt
	if "$@" >"$log" 2>&1; then
		echo "ok      $name"
	else
		echo "FAILED  $name; all of it is in $log"
		grep -E 'warning:|error:|style:|note:|bugs? found' "$log" |
			sort -u | head -n 40 | sed 's/^/        /'
		bad=1
	fi
}

# A build of everything in a folder of its own.
build() {
	dir=$1
	shift
	make --no-print-directory -k -j"$jobs" BUILD="build/$dir" "$@" built
}

# Of the product and the stand-in.  Tests free nothing after a failed
# assertion, which longjmps out; no analyser knows that.
analyse() {
	dir=$1
	shift
	# err.c itself is built without analysis.h, which renames what it defines.
	"$@" make --no-print-directory BUILD="build/$dir" HARDEN=-fno-common \
		OPT="-O1 -g" CFLAGS="$flags" "build/$dir/base/err.o" \
		"build/$dir/centra-sim" &&
	"$@" make --no-print-directory -k -j"$jobs" BUILD="build/$dir" \
		HARDEN=-fno-common OPT="-O1 -g" \
		CFLAGS="$flags -include tests/checks/analysis.h" \
		"build/$dir/shipfrom"
}

gcc_analyzer() {
	flags=-fanalyzer
	analyse lint-gcc env
}

clang_analyzer() {
	flags=''
	analyse lint-scan scan-build --status-bugs --use-cc=clang \
		-o build/lint-scan/report
}

scripts() {
	shellcheck tests/*.sh tests/checks/*.sh .ci/run
}

strict_gcc() {
	build lint-warnings WERROR=-Werror CFLAGS="-Wnull-dereference \
		-Wduplicated-cond -Wduplicated-branches -Wlogical-op \
		-Wimplicit-fallthrough=5"
}

strict_clang() {
	build lint-clang CC=clang WERROR=-Werror CFLAGS="-Wcomma \
		-Wunreachable-code-aggressive -Wimplicit-fallthrough"
}

step gcc-warnings strict_gcc
step clang-warnings strict_clang
step gcc-analyzer gcc_analyzer
step clang-analyzer clang_analyzer
step shellcheck scripts
[ "$bad" -eq 0 ] && echo "nothing found"
exit $bad
