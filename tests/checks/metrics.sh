#!/bin/sh
# SPDX-License-Identifier: MIT
#
# metrics.sh - every metric that deploy/alerts.yml and the documents name is
# exported: an alert on another never fires.  And every metric that is exported
# has its row in docs/metrics.md.
set -u
# shellcheck disable=SC2046 # a list of names without blanks
awk '
FILENAME ~ /\.def$/ && /^(METRIC|METRIC_HTTP|GAUGE|STORE)\(/ {
	name = $0
	sub(/^[A-Z_]+\(/, "", name)
	sub(/,.*/, "", name)
	exported["shipfrom_" name] = 1
	count[FILENAME]++
	all++
}
FILENAME ~ /\.(yml|md)$/ {
	if (FILENAME == "docs/metrics.md" && match($0, /^\| `shipfrom_[a-z_]+`/))
		row[substr($0, RSTART + 3, RLENGTH - 4)] = 1
	line = $0
	while (match(line, /shipfrom_[a-z_]*[a-z]/)) {
		name = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		seen++
		used[name] = FILENAME ":" FNR
	}
}
END {
	for (name in used)
		if (!(name in exported)) {
			print used[name] ": no such metric: " name
			bad++
		}
	for (name in exported)
		if (!(name in row)) {
			print name " has no row in docs/metrics.md"
			bad++
		}
	print seen + 0 " uses of " all " metrics looked at"
	exit bad || length(count) != 2 || !seen
}' server/metrics/metrics.def server/admin/gauges.def deploy/alerts.yml README.md \
	$(find docs -name '*.md')
