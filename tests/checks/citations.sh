#!/bin/sh
# SPDX-License-Identifier: MIT
#
# citations.sh [ROOT] - a comment cites only what is in the tree.
#
#   OFFERS 4.2, CONTRACT 6.4 to 6.6   the document, and each of these sections
#   DESIGN, STYLE, HOUSE, TRAPS       the document; no number is needed
#   docs/clocks.md                    the file, seen from the root, from the
#                                     folder of whoever cites it, or from docs/
#   model/order.h, order.c            the file of the source, by the end of its
#                                     path; <stdio.h> and *.h are none
#
# A word of five capitals or more with a number behind it is taken for a
# document.  Documents are held to the first rule alone.
set -u
cd "${1:-.}" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# NAME FILE, of each document in capitals; NAME SECTION, of each numbered
# heading in it.
find . -path ./build -prune -o -path '*/node_modules' -prune -o \
	-path ./.git -prune -o -name '*.md' -print | sed 's|^\./||' | sort >"$work/pages"
while read -r page; do
	name=$(basename "$page" .md)
	case $name in *[!A-Z]*) continue ;; esac
	echo "$name $page"
	sed -n "s/^##* \([0-9][0-9.]*[0-9]\|[0-9]\)[. ].*/$name \1/p" "$page"
done <"$work/pages" >"$work/known"
[ -s "$work/known" ] || { echo "no documents found"; exit 1; }

find base store centra handlers server tests deploy Makefile openapi.yaml \
	-path '*/node_modules' -prune -o -type f \( -name '*.[ch]' -o \
	-name '*.def' -o -name '*.sh' -o -name '*.js' -o -name '*.mjs' -o \
	-name '*.ini' -o -name '*.service' -o -name '*.socket' -o \
	-name '*.cfg' -o -name '*.yml' -o -name '*.yaml' -o -name Makefile \) \
	-print | grep -v '^tests/checks/citations' | sort >"$work/files"
[ -s "$work/files" ] || { echo "no source found"; exit 1; }

# shellcheck disable=SC2046 # lists of names without blanks
awk '
function wrong(what) { print file ": cites " what ", which is not in the tree"; bad++ }

# The comment of a line of C or JavaScript, without its frame.
function of_c(s,   ret, i) {
	ret = ""
	while (s != "") {
		if (inside) {
			i = index(s, "*/")
			ret = ret (i ? substr(s, 1, i - 1) : s)
			s = i ? substr(s, i + 2) : ""
			inside = !i
		} else if (match(s, /\/\*|\/\//)) {
			if (substr(s, RSTART, 2) == "//") {
				ret = ret substr(s, RSTART + 2)
				s = ""
			} else {
				s = substr(s, RSTART + 2)
				inside = 1
			}
		} else
			s = ""
	}
	sub(/^[ \t]*\*+ ?/, " ", ret)
	return ret
}
function of_shell(s) {
	return match(s, /(^|[ \t])[#;]/) ? substr(s, RSTART + RLENGTH) : ""
}
function there(path,   dir) {
	dir = file
	if (!sub(/\/[^\/]*$/, "", dir)) dir = "."
	sub(/^\/usr\/local\/share\/doc\/shipfrom\//, "", path)
	return (path in page) || ((dir "/" path) in page) || (("docs/" path) in page)
}
# Sections: "6.4", "6.4 to 6.6", "1.5, 1.6 and 2".
function sections(name, list,   n, part, i) {
	n = split(list, part, /, | to | and /)
	for (i = 1; i <= n; i++)
		if (!((name " " part[i]) in known))
			wrong(name " " part[i])
}
function cited(text, pages,   name, rest, before, list) {
	text = text " "
	rest = text
	while (match(rest, /[A-Z][A-Z][A-Z][A-Z][A-Z]+(-[0-9])? [A-Z]?[0-9]+(\.[0-9]+)*((, | to | and )[0-9]+(\.[0-9]+)*)*/)) {
		before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : " "
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if (before ~ /[A-Za-z0-9_\/.-]/) continue
		seen++
		list = name
		sub(/^[^ ]* /, "", list)
		sub(/ .*/, "", name)
		if (name in document) sections(name, list)
		else wrong(name " " list)
	}
	if (!pages) return
	rest = text
	while (match(rest, /[^A-Za-z0-9_"](DESIGN|STYLE|HOUSE|TRAPS)[^A-Za-z0-9_" ]/)) {
		name = substr(rest, RSTART + 1, RLENGTH - 2)
		rest = substr(rest, RSTART + RLENGTH)
		if (!(name in document)) wrong(name)
	}
	rest = text
	while (match(rest, /[A-Za-z0-9_\/.-]*[A-Za-z0-9_-]\.md[^A-Za-z0-9_]/)) {
		name = substr(rest, RSTART, RLENGTH - 1)
		rest = substr(rest, RSTART + RLENGTH)
		seen++
		if (!there(name)) wrong(name)
	}
}
# Files of the source: by each end of their path.
function ends_of(path) {
	source[path] = 1
	while (sub(/^[^\/]*\//, "", path)) source[path] = 1
}
function cited_source(rest,   name, before) {
	while (match(rest, /[A-Za-z0-9_\/.-]*[A-Za-z0-9_]\.(c|h|def|js|mjs|sh)[^A-Za-z0-9_]/)) {
		before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : " "
		name = substr(rest, RSTART, RLENGTH - 1)
		rest = substr(rest, RSTART + RLENGTH)
		if (before ~ /[*<{"$]/ || name ~ /^[_\/.-]|X\.[ch]$/) continue
		seen++
		if (!(name in source)) wrong(name)
	}
}
function finish() {
	gsub(/[ \t]+/, " ", text)
	if (file != "") cited(text, file !~ /\.md$/)
	if (file ~ /\.(c|h|def|js|mjs)$/) cited_source(text " ")
	text = ""
	inside = 0
}
FILENAME ~ /\/pages$/ { page[$1] = 1; next }
FILENAME ~ /\/files$/ { ends_of($1); next }
FILENAME ~ /\/known$/ {
	known[$1 " " $2] = 1
	document[$1] = 1
	next
}
FNR == 1 { finish(); file = FILENAME; files++ }
{
	if (file ~ /\.md$/) text = text " " $0
	else if (file ~ /\.(c|h|def|js|mjs)$/) text = text " " of_c($0)
	else text = text " " of_shell($0)
}
END {
	finish()
	printf "%d citations in %d files looked at\n", seen, files
	exit bad || !seen
}' "$work/pages" "$work/files" "$work/known" $(cat "$work/files") $(grep -v '^CHANGELOG\.md$' "$work/pages")
