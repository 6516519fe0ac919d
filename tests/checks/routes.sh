#!/bin/sh
# SPDX-License-Identifier: MIT
#
# routes.sh - `shipfrom routes` and openapi.yaml name the same routes.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# {"method":"GET","path":"/api/v1/orders/*",...} -> GET /api/v1/orders/*
"${BUILD:-build}"/shipfrom routes --json >"$work/json" || exit 1
sed -n 's/.*"method":"\([A-Z]*\)".*"path":"\([^"]*\)".*/\1 \2/p' \
	"$work/json" | sort >"$work/routes"

awk '
/^paths:/ { inside = 1; next }
/^[a-z]/ { inside = 0 }
inside && /^  \/.*:$/ {
	path = $1
	sub(/:$/, "", path)
	gsub(/\{[a-z]+\}/, "*", path)
}
inside && /^    (get|put|post|patch|delete|head|options):$/ {
	method = $1
	sub(/:$/, "", method)
	print toupper(method), path
}' openapi.yaml | sort >"$work/openapi"

if [ ! -s "$work/routes" ] || [ ! -s "$work/openapi" ]; then
	echo "no routes found in one of the two"
	exit 1
fi
diff "$work/routes" "$work/openapi" >"$work/diff" || {
	sed -n 's/^</not in openapi.yaml:/p; s/^>/not in shipfrom routes:/p' \
		"$work/diff"
	exit 1
}
echo "$(wc -l <"$work/routes") routes looked at"
