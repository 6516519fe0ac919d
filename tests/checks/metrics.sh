#!/bin/sh
# SPDX-License-Identifier: MIT
#
# metrics.sh - what deploy/alerts.yml and README.md watch exists.  A name that
# nobody exports makes an alert that never fires.
set -u
awk '
FILENAME == "server/metrics/metrics.def" && /^METRIC\(/ {
	name = $0
	sub(/^METRIC\(/, "", name)
	sub(/,.*/, "", name)
	known["shipfrom_" name] = 1
	count++
}
# Gauges are written out by name in metrics.c.
FILENAME == "server/admin/metrics.c" {
	line = $0
	while (match(line, /"[a-z][a-z_]+/)) {
		gauge["shipfrom_" substr(line, RSTART + 1, RLENGTH - 1)] = 1
		line = substr(line, RSTART + RLENGTH)
	}
	line = $0
	while (match(line, /shipfrom_[a-z_]+/)) {
		gauge[substr(line, RSTART, RLENGTH)] = 1
		line = substr(line, RSTART + RLENGTH)
	}
}
FILENAME == "deploy/alerts.yml" || FILENAME == "README.md" {
	line = $0
	while (match(line, /shipfrom_[a-z_]*[a-z]/)) {
		name = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		seen++
		if (!known[name] && !gauge[name]) {
			printf "%s:%d: no such metric: %s\n", FILENAME, FNR, name
			bad++
		}
	}
}
END {
	print seen + 0 " uses of " count + 0 " counters looked at"
	exit bad || !count || !seen
}' server/metrics/metrics.def server/admin/metrics.c deploy/alerts.yml README.md
