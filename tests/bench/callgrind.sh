#!/bin/sh
# SPDX-License-Identifier: MIT
#
# callgrind.sh ARGUMENT... - shipfrom, whose instructions are counted into the
# file CALLGRIND_OUT.
exec valgrind --tool=callgrind --callgrind-out-file="${CALLGRIND_OUT:?}" \
	--log-file="$CALLGRIND_OUT.log" "${BUILD:-build}/shipfrom" "$@"
