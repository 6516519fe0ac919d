#!/bin/sh
# SPDX-License-Identifier: MIT
#
# source.sh - what may not be written, anywhere in our C.
#
#   names that have a safe counterpart; memory not from base/mem.h; a log line
#   below server/; work left undone; a file without its licence; a function
#   too long to be read at once; a merge that was not finished.
set -u

product=$(find base store centra handlers server -name '*.[ch]')
tests=$(find tests -path tests/api -prune -o -name '*.[ch]' -print)
[ -n "$product" ] || { echo "no source found"; exit 1; }

# A merge that was not finished, in any text of ours.
if grep -rnE --exclude-dir=build --exclude-dir=.git --exclude-dir=node_modules \
	'^(<<<<<<<|>>>>>>>) ' .; then
	echo "a merge was not finished"
	exit 1
fi

# shellcheck disable=SC2086 # lists of names without blanks
awk '
BEGIN {
	n = split("strcpy strcat sprintf vsprintf strtok atoi atol gets gmtime " \
		  "localtime asctime ctime alloca", banned, " ")
	m = split("malloc calloc realloc strdup strndup asprintf " \
		  "vasprintf", memory, " ")
}
# Takes comments and the insides of strings out of a line.
function code(s,   out, c, i, d) {
	out = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		d = substr(s, i, 2)
		if (in_comment) {
			if (d == "*/") { in_comment = 0; i++ }
		} else if (in_string) {
			if (c == "\\") i++
			else if (c == quote) { in_string = 0; out = out c }
		} else if (d == "/*") { in_comment = 1; i++ }
		else if (d == "//") break
		else {
			if (c == "\"" || c == "\047") { in_string = 1; quote = c }
			out = out c
		}
	}
	in_string = 0
	return out
}
function calls(s, name) { return s ~ ("(^|[^A-Za-z0-9_>.])" name "[ \t]*\\(") }
function wrong(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why
	bad++
}
FNR == 1 {
	files++
	in_comment = 0
	begun = 0
	split(FILENAME, part, "/")
	here = part[1]
	if ($0 !~ /SPDX-License-Identifier: MIT/)
		wrong("the first line names no licence")
}
/(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)/ { wrong("work left undone") }
{
	text = code($0)
	for (i = 1; i <= n; i++)
		if (calls(text, banned[i]))
			wrong(banned[i] "() is banned")
	if (here != "tests" && FILENAME !~ /^base\/mem\./)
		for (i = 1; i <= m; i++)
			if (calls(text, memory[i]))
				wrong(memory[i] "(): use base/mem.h")
	if (here != "tests" && here != "server" && FILENAME !~ /^base\/log\./ && \
	    (text ~ /(^|[^a-z_])log_(line|limited|write)[ \t]*\(/ || \
	     calls(text, "printf") || calls(text, "fprintf") || \
	     calls(text, "perror")))
		wrong("below server/ nothing is logged: return it")
	if (text ~ /^\{/)
		begun = FNR
	if (text ~ /^\}/ && begun) {
		if (FNR - begun > 100)
			wrong("a function of " FNR - begun " lines; at most 100")
		begun = 0
	}
}
END {
	printf "%d files looked at\n", files
	exit bad || !files
}' $product $tests
