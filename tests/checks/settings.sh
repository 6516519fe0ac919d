#!/bin/sh
# SPDX-License-Identifier: MIT
#
# settings.sh - every setting is in deploy/shipfrom.ini, in the table of
# docs/settings.md with its default, and in `shipfrom settings`; and none of
# them names another.
set -u
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"${BUILD:-build}"/shipfrom settings >"$out" || exit 1

awk '
function wrong(why) { print why; bad++ }
# SETTING(section, TYPE, name, default, flags, "help")
FILENAME == "server/config/config.def" && /^SETTING\(/ {
	line = $0
	sub(/^SETTING\(/, "", line)
	n = split(line, f, ",")
	for (i = 1; i <= 4; i++)
		gsub(/^[ \t]+|[ \t]+$/, "", f[i])
	gsub(/"/, "", f[4])
	key = f[1] "." f[3]
	known[key] = 1
	names[f[3]] = 1
	dflt[key] = f[4]
	if (line ~ /[^_A-Z]SECRET/)
		secret[key] = 1
	count++
}
FILENAME == "deploy/shipfrom.ini" {
	line = $0
	sub(/^[#;][ ]?/, "", line)
	if (line ~ /^\[[a-z]+( [^]]*)?\][ \t]*$/) {
		section = line
		sub(/^\[/, "", section)
		sub(/[ \]].*/, "", section)
	} else if (line ~ /^[a-z_]+[ \t]*=/) {
		name = line
		sub(/[ \t]*=.*/, "", name)
		plain = name
		sub(/_file$/, "", plain)
		if ((section "." plain) in secret)
			name = plain
		key = section "." name
		if (key in known)
			ini[key] = 1
		else
			wrong("deploy/shipfrom.ini:" FNR ": there is no setting \"" name "\" in [" section "]")
	}
}
# | `name` | default | ... under a heading "### [section"
FILENAME == "docs/settings.md" {
	if ($0 ~ /^#+ /) {
		section = ""
		if ($0 ~ /^#+ `\[[a-z]+/) {
			section = $0
			sub(/^#+ `\[/, "", section)
			sub(/[ \]].*/, "", section)
		}
	}
	if (section && $0 ~ /^\| `[a-z_]+` \|/) {
		split($0, cell, "|")
		name = cell[2]
		value = cell[3]
		gsub(/[ `]/, "", name)
		gsub(/^[ \t]+|[ \t]+$|`/, "", value)
		key = section "." name
		if (!(key in known))
			wrong(FILENAME ":" FNR ": there is no setting \"" name "\" in [" section "]")
		table[key] = 1
		want = dflt[key] == "NULL" ? "" : dflt[key]
		if (key in known && value != want && !(want == "" && value ~ /^(must be set|none)$/))
			wrong(FILENAME ":" FNR ": the default of " name " is \"" want "\", not \"" value "\"")
	}
}
FILENAME == ARGV[4] {
	for (name in names)
		if (index($0, name))
			told[name] = 1
}
END {
	for (key in known) {
		name = key
		sub(/.*\./, "", name)
		if (!(key in ini)) wrong(key " is not in deploy/shipfrom.ini")
		if (!(key in table)) wrong(key " is not in docs/settings.md")
		if (!(name in told)) wrong(name " is not told by shipfrom settings")
	}
	print count + 0 " settings looked at"
	exit bad || !count
}' server/config/config.def deploy/shipfrom.ini docs/settings.md "$out"
