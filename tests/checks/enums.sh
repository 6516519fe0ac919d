#!/bin/sh
# SPDX-License-Identifier: MIT
#
# enums.sh - the closed sets of words in openapi.yaml are those of the source.
# (Codes of errors: codes.sh.)
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
sets=0

# described HEADING PROPERTY: the enum of PROPERTY below HEADING in openapi.yaml,
# a word a line.
described() {
	awk -v heading="$1" -v property="$2" '
	index($0, heading) { inside = 1 }
	found && match($0, /[^ ]/) <= found { exit }
	inside && !found && $1 == property ":" { found = match($0, /[^ ]/) }
	found && /enum: \[/ {
		sub(/.*enum: \[/, ""); sub(/\].*/, "")
		n = split($0, word, /, */)
		for (i = 1; i <= n; i++) if (word[i] != "null") print word[i]
		exit
	}
	found && /enum:$/ { items = 1; next }
	items && /^ *- / { sub(/^ *- /, ""); print; next }
	items { exit }' openapi.yaml | sort
}

# names FILE FROM: the texts of the first table in FILE after a line with FROM.
names() {
	awk -v from="$2" '
	index($0, from) { inside = 1 }
	inside { print }
	inside && /};/ { exit }' "$1" | grep -oE '"[a-z_]+"' | tr -d '"' | sort
}

# same WHAT: compares $work/openapi with $work/source.
same() {
	sets=$((sets + 1))
	[ -s "$work/source" ] && cmp -s "$work/openapi" "$work/source" && return
	echo "$1:"
	diff "$work/source" "$work/openapi" |
		sed -n 's/^</  not in openapi.yaml:/p; s/^>/  only in openapi.yaml:/p'
	bad=1
}

described "    Order:" kind >"$work/openapi"
sed -n 's/^FACT *([A-Z_]*, *"\([a-z_]*\)".*/\1/p' store/model/journal.def |
	sort >"$work/source"
same "kinds of the timeline (store/model/journal.def)"

described "    State:" State >"$work/openapi"
names store/model/offer.c offer_state_name >"$work/source"
same "states (store/model/offer.c)"

described "    Shipment:" stage >"$work/openapi"
names store/model/shipment.c ship_stage_name >"$work/source"
same "stages (store/model/shipment.c)"

described "    Shipment:" capture >"$work/openapi"
names store/model/shipment.c ship_capture_name >"$work/source"
same "captures (store/model/shipment.c)"

described "operationId: rejectOrder" reason >"$work/openapi"
described "operationId: reportProblem" reason >>"$work/openapi"
described "    OrderProblem:" reason >>"$work/openapi"
names server/shop/answer.c '"out_of_stock"' >"$work/source"
names server/shop/answer.c '"lost"' >>"$work/source"
names server/shop/answer.c '"lost"' >>"$work/source"
same "reasons (server/shop/answer.c)"

described "    Ready:" why >"$work/openapi"
sed -n 's/.*\*ret_why = "\([a-z ]*\)";/\1/p' server/admin/health.c |
	sort >"$work/source"
same "why it is not ready (server/admin/health.c)"

echo "$sets sets looked at"
exit $bad
