#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutants.sh [NAME...] - plants each fault of tests/mutants/ in a copy of the
# source, and shows that a test finds it.
#
# A fault is a patch.  Its first lines say, each after "# ":
#
#   what would happen to a shop or to Centra
#   found by: unit/test_X      the test program that must fail with it
#
# The program must pass without the patch, and must find the fault within
# MUTANT_SECONDS (60; more where much else runs).  A patch that no longer fits
# is a failure too: renew it, so that it plants the same fault in the code as it
# is.
set -u

BUILD=${BUILD:-build}
FOLDER=${MUTANTS:-tests/mutants}
TREE=$BUILD/mutants
SECONDS_EACH=${MUTANT_SECONDS:-60}

mkdir -p "$TREE"
# Copies the files that git knows, as they are now.  An equal file stays
# untouched, so that only what changed is built again.
# shellcheck disable=SC2016 # the shell that xargs runs expands it
git ls-files -z -- base store centra handlers server tests Makefile \
	openapi.yaml | xargs -0 sh -c 'tree=$0
	for f; do
		[ -f "$f" ] || continue
		cmp -s "$f" "$tree/$f" && continue
		mkdir -p "$tree/$(dirname "$f")" && cp "$f" "$tree/$f" || exit 1
	done' "$TREE" || exit 1

passed=0 failed=0 healthy=' '
say() { printf '%-8s%-56s %s\n' "$1" "$2" "$3"; }
wrong() {
	say FAILED "$1" "$2"
	failed=$((failed + 1))
}

# build PROGRAM: in the copy, with what it runs.
build() {
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
# runs PROGRAM: 0 when it passes.  Sets `took`, in seconds.
runs() {
	began=$(date +%s)
	(cd "$TREE" && BUILD=build timeout -k 5 "$SECONDS_EACH" \
		"build/tests/$1") >"$TREE/log" 2>&1
	status=$?
	took=$(($(date +%s) - began))
	return $status
}

# is_healthy PROGRAM: it passes without a fault.  Each is asked once.
is_healthy() {
	case $healthy in
	*" $1 "*) return 0 ;;
	esac
	build "$1" && runs "$1" && healthy="$healthy$1 "
}

plant() {
	name=$(basename "$1" .patch)
	by=$(sed -n 's/^# found by: //p' "$1")
	[ -n "$by" ] || { wrong "$name" "its patch has no line '# found by:'"; return; }
	if ! is_healthy "$by"; then
		wrong "$name" "$by does not pass without it (see $TREE/log)"
		return
	fi
	if ! patch -d "$TREE" -p1 -s -f --dry-run <"$1" >"$TREE/log" 2>&1; then
		wrong "$name" "the patch does not fit the source: renew it"
		return
	fi
	patch -d "$TREE" -p1 -s -f <"$1"
	if ! build "$by"; then
		wrong "$name" "does not build with it (see $TREE/log)"
	elif runs "$by"; then
		wrong "$name" "$by does not find it"
	else
		say ok "$name" "found by $by, $took s"
		passed=$((passed + 1))
	fi
	patch -d "$TREE" -p1 -s -f -R <"$1"
}

for patch in "$FOLDER"/*.patch; do
	name=$(basename "$patch" .patch)
	case " $* " in
	'  ' | *" $name "*) plant "$patch" ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
