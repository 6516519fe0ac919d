#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hardening.sh - what the compiler and linker were asked for is in the binary.
set -u
bin=${BUILD:-build}/shipfrom
bad=0
wrong() { echo "$bin: $1"; bad=1; }

head=$(readelf -hW "$bin") && parts=$(readelf -lW "$bin") &&
	dynamic=$(readelf -dW "$bin") && symbols=$(readelf -sW "$bin") || exit 1

echo "$head" | grep -q 'Type:.*DYN' || wrong "not position independent"
echo "$parts" | grep 'GNU_STACK' | grep -q 'RW ' || wrong "no plain stack"
echo "$parts" | grep 'GNU_STACK' | grep -q 'RWE' && wrong "the stack is executable"
echo "$parts" | grep -q 'GNU_RELRO' || wrong "no read-only relocations"
echo "$parts" | grep 'LOAD' | grep -q 'RWE' && wrong "writable code"
echo "$dynamic" | grep -q 'BIND_NOW\|FLAGS.*NOW' || wrong "symbols bound late"
echo "$dynamic" | grep -q 'RPATH\|RUNPATH' && wrong "has a search path"
echo "$symbols" | grep -q '__stack_chk_fail' || wrong "no stack protector"
echo "$symbols" | grep -q '_chk@' || wrong "not fortified"
for name in strcpy strcat sprintf gets strtok; do
	echo "$symbols" | grep -q " $name@" && wrong "calls $name"
done
exit $bad
