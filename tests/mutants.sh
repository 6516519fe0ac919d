#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutants.sh [NAME...] - plants each fault of tests/mutants/ in a copy of the
# source, and shows that a test finds it.  SOME=n: n of them that need no
# sanitizer, others at each commit.
#
# A fault is a patch.  Its first lines say, each after "# ":
#
#   what would happen to a shop or to Centra
#   found by: unit/test_X      the test program that must fail with it
#   with: tsan                 where only a sanitizer sees it: asan or tsan
#
# The program must pass without the patch, and must find the fault within
# MUTANT_SECONDS (60; more where much else runs).  A program that is stopped after
# that time has not found it.  A patch that no longer fits is a failure too: renew
# it, so that it plants the same fault in the code as it is.
set -u

BUILD=${BUILD:-build}
FOLDER=${MUTANTS:-tests/mutants}
TREE=$BUILD/mutants
SECONDS_EACH=${MUTANT_SECONDS:-60}

# What is built already need not be built again: the copy begins with it, and
# with the times of the files.
keep=''
if [ ! -d "$TREE/build" ]; then
	keep=-p
	mkdir -p "$TREE/build"
	for part in base store centra handlers server tests shipfrom centra-sim; do
		[ ! -e "$BUILD/$part" ] || cp -pR "$BUILD/$part" "$TREE/build/"
	done
fi
# Copies the files that git knows, as they are now.  An equal file stays
# untouched, so that only what changed is built again.
# shellcheck disable=SC2016 # the shell that xargs runs expands it
git ls-files -z -- base store centra handlers server tests Makefile \
	openapi.yaml | xargs -0 sh -c 'tree=$0 keep=$1
	shift
	for f; do
		[ -f "$f" ] || continue
		cmp -s "$f" "$tree/$f" && continue
		mkdir -p "$tree/$(dirname "$f")" && cp $keep "$f" "$tree/$f" || exit 1
	done' "$TREE" "$keep" || exit 1

passed=0 failed=0 healthy=' '
say() { printf '%-8s%-56s %s\n' "$1" "$2" "$3"; }
wrong() {
	say FAILED "$1" "$2"
	failed=$((failed + 1))
}

# build PROGRAM [SANITIZER]: in the copy, with what it runs.
build() {
	if [ -n "${2:-}" ]; then
		make -C "$TREE" --no-print-directory -j"${JOBS:-2}" \
			"$2/tests/$1" >"$TREE/log" 2>&1
		return
	fi
	program=build/tests/$1
	case $1 in
	e2e/*)
		set -- build/shipfrom build/centra-sim
		for fault in tests/faults/*.c; do
			set -- "$@" "build/${fault%.c}.so"
		done
		;;
	*)
		set --
		;;
	esac
	make -C "$TREE" --no-print-directory -j"${JOBS:-2}" BUILD=build \
		"$program" "$@" >"$TREE/log" 2>&1
}
# runs PROGRAM [SANITIZER]: 0 when it passes.  Sets `took`, in seconds.
runs() {
	began=$(date +%s)
	(cd "$TREE" && at=build${2:+/$2} && BUILD=$at \
		TSAN_OPTIONS=halt_on_error=1 timeout -k 5 "$SECONDS_EACH" \
		"$at/tests/$1") >"$TREE/log" 2>&1
	status=$?
	took=$(($(date +%s) - began))
	return $status
}

# is_healthy PROGRAM [SANITIZER]: it passes without a fault.  Each is asked once.
is_healthy() {
	case $healthy in
	*" ${2:-}$1 "*) return 0 ;;
	esac
	build "$@" && runs "$@" && healthy="$healthy${2:-}$1 "
}

# shellcheck disable=SC2086 # no sanitizer is no argument
plant() {
	name=$(basename "$1" .patch)
	by=$(sed -n 's/^# found by: //p' "$1")
	[ -n "$by" ] || { wrong "$name" "its patch has no line '# found by:'"; return; }
	with=$(sed -n 's/^# with: //p' "$1")
	if ! is_healthy "$by" $with; then
		wrong "$name" "$by does not pass without it (see $TREE/log)"
		return
	fi
	if ! patch -d "$TREE" -p1 -s -f --dry-run <"$1" >"$TREE/log" 2>&1; then
		wrong "$name" "the patch does not fit the source: renew it"
		return
	fi
	patch -d "$TREE" -p1 -s -f <"$1"
	if ! build "$by" $with; then
		wrong "$name" "does not build with it (see $TREE/log)"
	elif runs "$by" $with; then
		wrong "$name" "$by does not find it"
	elif [ $status -eq 124 ] || [ $status -eq 137 ]; then
		wrong "$name" "$by does not end in $SECONDS_EACH s with it"
	else
		say ok "$name" "found by $by, $took s"
		passed=$((passed + 1))
	fi
	patch -d "$TREE" -p1 -s -f -R <"$1"
}

# Names $1 of the faults that need no sanitizer: the next ones at each commit.
some() {
	grep -L '^# with: ' "$FOLDER"/*.patch | awk -v most="$1" \
		-v turn="$(git rev-list --count HEAD 2>/dev/null || echo 0)" '
		{ list[NR] = $0 }
		END { for (i = 0; i < most && i < NR; i++)
			print list[(turn * most + i) % NR + 1] }' |
		sed 's|.*/||; s|\.patch$||'
}

# shellcheck disable=SC2046 # names hold no blanks
[ -z "${SOME:-}" ] || set -- $(some "$SOME")
for patch in "$FOLDER"/*.patch; do
	name=$(basename "$patch" .patch)
	case " $* " in
	'  ' | *" $name "*) plant "$patch" ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
