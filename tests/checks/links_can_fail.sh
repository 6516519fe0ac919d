#!/bin/sh
# SPDX-License-Identifier: MIT
#
# links_can_fail.sh - builds a few files that make each mistake that links.sh is
# to find, and expects it to be named.
set -u
check=$PWD/tests/checks/links.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
BUILD=build
export BUILD
bad=0
planted=0

# file PATH CODE: a file of the source, and its object.
file() {
	mkdir -p "$(dirname "$1")" "build/$(dirname "$1")"
	printf '%s\n' "$2" >"$1"
	${CC:-cc} -c -o "build/${1%.c}.o" "$1" || exit 1
}
# A product without a mistake: main uses one function of each room.
begin() {
	rm -rf base store centra handlers server tests build
	mkdir -p store centra handlers tests/unit
	file base/a.c 'int a(void); int a(void) { return 1; }'
	file server/main.c 'int a(void); int main(void) { return a(); }'
	echo 'int none;' >tests/unit/test_a.c
	echo 'int none;' >tests/unit/a.h
}
expect() {
	planted=$((planted + 1))
	if sh "$check" >"$work/out" 2>&1; then
		echo "not found: $1"
		bad=1
	elif ! grep -qF -- "$2" "$work/out"; then
		echo "found, but not named as \"$2\": $1"
		sed 's/^/	/' "$work/out"
		bad=1
	fi
}

begin
sh "$check" >"$work/out" 2>&1 || {
	echo "something is wrong before anything is planted:"
	cat "$work/out"
	exit 1
}

file base/b.c 'int b(void); int b(void) { return 1; }'
expect "a function that nobody uses" "no other file uses b:"
echo 'int x = b();' >>tests/unit/test_a.c
sh "$check" >/dev/null 2>&1 || { echo "a test's function is refused"; bad=1; }

begin
file base/b.c 'int b = 1; int c(void); int c(void) { return b; }'
echo 'int x = c();' >>tests/unit/test_a.c
expect "a variable of one file" "no other file uses b:"

begin
file base/a.c 'int s(void); int a(void); int a(void) { return s(); }'
file store/s.c 'int a(void); int s(void); int s(void) { return a(); }'
expect "a circle over two rooms" "a circle of 2 files in several rooms:"

begin
for i in 0 1 2 3 4 5 6 7 8; do
	next=$(((i + 1) % 9))
	file "centra/c$i.c" "int c$next(void); int c$i(void); int c$i(void) { return c$next(); }"
done
expect "a large circle" "a circle of 9 files:"

begin
rm build/base/a.o
expect "an object that is not there" "build/base/a.o is not built"
[ "$bad" -eq 0 ] && echo "$planted mistakes planted, all found"
exit $bad
