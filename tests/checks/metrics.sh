#!/bin/sh
# SPDX-License-Identifier: MIT
#
# metrics.sh - every metric that deploy/alerts.yml and the documents name is
# exported: an alert on another never fires.  And every metric that is exported
# has its row in docs/metrics.md.
set -u
# shellcheck disable=SC2046 # a list of names without blanks
awk '
FILENAME ~ /\.def$/ && /^METRIC(_HTTP)?\(/ {
	name = $0
	sub(/^METRIC(_HTTP)?\(/, "", name)
	sub(/,.*/, "", name)
	exported["shipfrom_" name] = 1
	count++
}
# Gauges are written out by name in metrics.c: head(out, "name", ...).
FILENAME ~ /\.c$/ { text = text " " $0 }
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
	while (match(text, /(head|gauge|number|each_[a-z]+)\([a-z]+,[ \t]*([a-z]+,[ \t]*)?"[a-z_]+"/)) {
		name = substr(text, RSTART, RLENGTH - 1)
		sub(/.*"/, "", name)
		if (name == "counter" || name == "gauge")
			name = "" # the type, of a name that is not written here
		if (name) exported["shipfrom_" name] = 1
		gauges += name != ""
		text = substr(text, RSTART + RLENGTH)
	}
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
	print seen + 0 " uses of " count + gauges " metrics looked at"
	exit bad || !count || !gauges || !seen
}' server/metrics/metrics.def server/admin/metrics.c deploy/alerts.yml README.md \
	$(find docs -name '*.md')
