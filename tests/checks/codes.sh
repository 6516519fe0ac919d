#!/bin/sh
# SPDX-License-Identifier: MIT
#
# codes.sh - the codes of server/http/codes.def are those that openapi.yaml names and
# those that the source answers.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

sed -n 's/^CODE(\([a-z_]*\),.*/\1/p' server/http/codes.def | sort >"$work/table"

# The enum of `code` in the schema Problem.
awk '
/^    Problem:$/ { inside = 1; next }
inside && /^    [A-Za-z]/ { inside = 0 }
inside && /^            - [a-z_]+$/ { print $2 }' openapi.yaml |
	sort >"$work/openapi"

diff "$work/table" "$work/openapi" >"$work/diff" || {
	sed -n 's/^</not in openapi.yaml:/p; s/^>/not in codes.def:/p' \
		"$work/diff"
	bad=1
}

# Each text that a code is made from in the source.
find server handlers store -name '*.c' -exec grep -ohE '"[a-z_]+"' {} + |
	tr -d '"' | sort -u >"$work/texts"
comm -23 "$work/table" "$work/texts" >"$work/idle"
if [ -s "$work/idle" ]; then
	sed 's/^/answered by nobody: /' "$work/idle"
	bad=1
fi

# respond_problem(res, 404, "code"; respond_conflict(..., 409, "code";
# conflict(d, f, "code"; code = "code".
find server handlers -name '*.c' -exec cat {} + | tr -s '\n\t ' ' ' |
	grep -oE '(respond_problem|respond_conflict|conflict)\([^;"{}]*"[a-z_]+"|code = "[a-z_]+"' |
	sed 's/^[^"]*"//; s/"$//' | sort -u >"$work/answered"
comm -13 "$work/table" "$work/answered" >"$work/strange"
if [ -s "$work/strange" ]; then
	sed 's/^/answered, but not in codes.def: /' "$work/strange"
	bad=1
fi
[ -s "$work/table" ] && [ -s "$work/answered" ] || bad=1
echo "$(wc -l <"$work/table") codes looked at, $(wc -l <"$work/answered") by name"
exit $bad
