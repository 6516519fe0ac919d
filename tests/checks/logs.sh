#!/bin/sh
# SPDX-License-Identifier: MIT
#
# logs.sh - docs/logs.md lists every message that the source logs at info or
# above, with its levels and fields, and no other.
#
# A message is written in the call that logs it, or marked LOG_MSG("...") where
# the call takes it from elsewhere: then the file has one such call, and its
# fields are those of each marked message.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# One line a call, its white space and line breaks made one space.
find base server -name '*.c' | while IFS= read -r f; do
	[ "$f" = base/log.c ] && continue
	awk -v file="$f" '
	function ends(s,    i, c, depth, in_text) {
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (in_text) {
				if (c == "\\") i++
				else if (c == "\"") in_text = 0
			} else if (c == "\"") in_text = 1
			else if (c == "(") depth++
			else if (c == ")" && --depth == 0)
				return i
		}
		return 0
	}
	{ text = text $0 " " }
	END {
		gsub(/[ \t]+/, " ", text)
		gsub(/" "/, "", text) # two texts in a row are one
		while (match(text, /[^a-z_](log_line|log_limited|cli_log) ?\(/)) {
			text = substr(text, RSTART + 1)
			n = ends(text)
			print "call " file " " substr(text, 1, n)
			text = substr(text, 10)
			marks = 1
		}
	}' "$f"
	awk -v file="$f" '{ text = text $0 " " }
	END {
		gsub(/[ \t]+/, " ", text)
		gsub(/" "/, "", text)
		while (match(text, /LOG_MSG\("[^"]*"\)/)) {
			print "mark " file " " \
				substr(text, RSTART + 9, RLENGTH - 11)
			text = substr(text, RSTART + RLENGTH)
		}
	}' "$f"
done >"$work/calls"

# message | levels | fields
awk '
function sorted(list,    n, i, k, t, a, ret) {
	n = split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && a[k - 1] > a[k]; k--) {
			t = a[k]; a[k] = a[k - 1]; a[k - 1] = t
		}
	for (i = 1; i <= n; i++)
		if (i == 1 || a[i] != a[i - 1])
			ret = ret (ret == "" ? "" : " ") a[i]
	return ret
}
function fields_of(s,    ret) {
	if (s ~ /LOG_REQUEST\(/)
		ret = "request trace"
	if (s ~ /^cli_log/)
		ret = ret " uid"
	while (match(s, /LOG_[SN]\( ?"[a-z_]+"/)) {
		ret = ret " " substr(s, RSTART + 7, RLENGTH - 8)
		sub(/LOG_[SN]\( ?"[a-z_]+"/, "", s)
	}
	gsub(/"/, "", ret)
	return sorted(ret)
}
function levels_of(s,    ret) {
	if (s ~ /^cli_log/)
		return "info"
	sub(/LOG_(S|N|REQUEST|MSG)\(.*/, "", s)
	if (s ~ /\.level/)
		return "any" # from a table
	if (s ~ /LOG_INFO/) ret = ret " info"
	if (s ~ /LOG_WARN/) ret = ret " warn"
	if (s ~ /LOG_ERROR/) ret = ret " error"
	return sorted(ret)
}
$1 == "call" {
	file = $2
	s = $0
	sub(/^call [^ ]+ /, "", s)
	head = s
	sub(/LOG_(S|N|REQUEST|MSG)\(.*/, "", head)
	levels = levels_of(s)
	if (head ~ /".*".*"/) {
		print file ": mark the messages of one call with LOG_MSG: " \
			head >"/dev/stderr"
		bad = 1
	} else if (match(head, /"[^"]*"/)) {
		if (levels != "")
			print substr(head, RSTART + 1, RLENGTH - 2) "|" levels \
				"|" fields_of(s)
	} else if (file in call) {
		print file ": two calls take their message from elsewhere" \
			>"/dev/stderr"
		bad = 1
	} else {
		call[file] = s
	}
}
$1 == "mark" {
	file = $2
	s = $0
	sub(/^mark [^ ]+ /, "", s)
	marks[++n] = file "|" s
}
END {
	for (i = 1; i <= n; i++) {
		split(marks[i], m, "|")
		c = m[1] in call ? call[m[1]] : \
			call["server/shop/action.c"] # the kinds of a press
		print m[2] "|" levels_of(c) "|" fields_of(c)
	}
	exit bad
}' "$work/calls" >"$work/source" || exit 1

# | `message` | level, level | `field` `field` | meaning |
awk -F '|' '
function sorted(list,    n, i, k, t, a, ret) {
	n = split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && a[k - 1] > a[k]; k--) {
			t = a[k]; a[k] = a[k - 1]; a[k - 1] = t
		}
	for (i = 1; i <= n; i++)
		ret = ret (ret == "" ? "" : " ") a[i]
	return ret
}
/^## / { listed = 1 }
listed && /^\| `/ {
	# A message with a ` in it stands between two of them.
	if (!sub(/^ *`` /, "", $2)) sub(/^ *`/, "", $2)
	if (!sub(/ `` *$/, "", $2)) sub(/` *$/, "", $2)
	gsub(/,/, "", $3)
	gsub(/`/, "", $4)
	print $2 "|" sorted($3) "|" sorted($4)
}' docs/logs.md | sort >"$work/docs"

# A call that chooses among levels names them all, of which the page says those
# that a message has; a task that is done is logged at debug alone.
grep -v '^task done|' "$work/source" | sort -u >"$work/all"
awk -F '|' -v bad=0 '
FILENAME ~ /docs$/ { levels[$1] = $2; fields[$1] = $3; docs++; next }
{
	count++
	seen[$1] = 1
	if (!($1 in fields)) {
		print "not in docs/logs.md: " $1 " | " $2 " | " $3
		bad = 1
		next
	}
	n = split(levels[$1], l, " ")
	for (i = 1; i <= n; i++)
		if ($2 != "any" && index(" " $2 " ", " " l[i] " ") == 0) {
			print "docs/logs.md: " $1 ": the level is " $2
			bad = 1
		}
	if (!n) {
		print "docs/logs.md: " $1 ": no level"
		bad = 1
	}
	if ($3 != fields[$1]) {
		print "docs/logs.md: " $1 ": the fields are " $3
		bad = 1
	}
}
END {
	for (m in fields)
		if (!(m in seen)) {
			print "logged by nobody: " m
			bad = 1
		}
	print count + 0 " messages looked at"
	exit bad || !count || !docs
}' "$work/docs" "$work/all"
