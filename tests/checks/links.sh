#!/bin/sh
# SPDX-License-Identifier: MIT
#
# links.sh - what the linker sees of the product's objects.
#
#   A function or table that only its own file uses is static; one that nobody
#   uses is removed.  A test counts as a user.
#   Files that use each other in a circle cannot be read, or tested, one by one:
#   such a circle stays within a room, and has at most MOST files.
#
# links_can_fail.sh shows that each of these can fail.
set -u
MOST=8
objects=${BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

find base store centra handlers server -name '*.c' | sort >"$work/files"
while read -r file; do
	object=$objects/${file%.c}.o
	[ -f "$object" ] || echo "$object is not built" >>"$work/missing"
	echo "$object"
done <"$work/files" >"$work/objects"
# FILE KIND NAME.  A line of nm: OBJECT:[ADDRESS] KIND NAME.
[ -f "$work/missing" ] || xargs nm -A <"$work/objects" |
	awk -v objects="$objects/" '{
		file = $1
		sub(/:.*/, "", file)
		sub(/\.o$/, ".c", file)
		print substr(file, length(objects) + 1), $(NF - 1), $NF
	}' >"$work/symbols"
if ! [ -s "$work/symbols" ]; then
	cat "$work/missing"
	echo "build it first"
	exit 1
fi

# Names in the tests' code.  What a file includes with .incbin is a symbol that
# the assembler makes, which cannot be static.
cat tests/*/*.c tests/*/*.h 2>/dev/null | tr -cs 'A-Za-z0-9_' '\n' | sort -u >"$work/tests"
grep -lr '\.incbin' base store centra handlers server --include='*.c' >"$work/assembled"

awk -v most="$MOST" '
function room(path) { sub(/\/[^\/]*$/, "", path); return path }
# Every file that `at` leads to, in reached.
function walk(at,   i, n, list) {
	n = split(uses[at], list, " ")
	for (i = 1; i <= n; i++)
		if (!(list[i] in reached)) {
			reached[list[i]] = 1
			walk(list[i])
		}
}
FILENAME ~ /\/tests$/ { tested[$1] = 1; next }
FILENAME ~ /\/assembled$/ { assembled[$1] = 1; next }
{ files[$1] = 1 }
$2 == "U" { wants[$1] = wants[$1] " " $3; wanted[$3] = 1; next }
$2 ~ /^[TDBRVWC]$/ { home[$3] = $1; kind[$3] = $2 }
END {
	for (name in home) {
		if (name in wanted || name in tested || name == "main")
			continue
		if (kind[name] != "T" && home[name] in assembled)
			continue
		printf "%s: no other file uses %s: it is static, or removed\n", \
			home[name], name
		bad++
	}
	for (file in wants) {
		n = split(wants[file], list, " ")
		for (i = 1; i <= n; i++)
			if (list[i] in home && home[list[i]] != file)
				uses[file] = uses[file] " " home[list[i]]
	}
	for (file in files) {
		split("", reached)
		walk(file)
		for (other in reached) leads[file, other] = 1
	}
	for (file in files) {
		n = 0; text = ""; away = 0
		for (other in files)
			if (leads[file, other] && leads[other, file]) {
				n++
				text = text " " other
				away += room(other) != room(file)
			}
		if (n > largest) largest = n
		if (!n || told[file]) continue
		k = split(text, list, " ")
		for (i = 1; i <= k; i++) told[list[i]] = 1
		if (n > most || away) {
			printf "a circle of %d files%s:%s\n", n, \
				(away ? " in several rooms" : ""), text
			bad++
		}
	}
	n = 0
	for (file in files) n++
	printf "%d files looked at, the largest circle has %d\n", n, largest
	exit bad || !n
}' "$work/tests" "$work/assembled" "$work/symbols"
