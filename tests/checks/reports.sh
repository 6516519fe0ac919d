#!/bin/sh
# SPDX-License-Identifier: MIT
#
# reports.sh FOLDER... - fails when a sanitizer wrote a report there.  A server
# that reports and is then killed would go unnoticed by its test.
set -u
bad=0
for folder in "$@"; do
	[ -d "$folder" ] || { echo "no folder $folder"; exit 1; }
	for report in "$folder"/*; do
		[ -s "$report" ] || continue
		echo "== $report"
		head -n 40 "$report"
		bad=1
	done
done
exit $bad
