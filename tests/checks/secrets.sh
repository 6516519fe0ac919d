#!/bin/sh
# SPDX-License-Identifier: MIT
#
# secrets.sh - files of secrets have one naming: INSTANCE-SETTING, with dashes.
# The unit loads each name that the example uses, so that an example which is
# followed in one place works in the other.
set -u
bad=0
wrong() { echo "$1"; bad=1; }

# FILE:NAME of every *_file setting in the example and in the documents.
uses() {
	grep -noE '^;?(previous_)?(webhook_secret|order_api_key|graphql_token|notify_secret)_file = [^ ;]+' \
		deploy/shipfrom.ini README.md docs/*.md
}

for use in $(uses | sed 's/:;/:/; s/ = /=/'); do
	place=${use%%:*}
	setting=${use##*:}
	setting=${setting%%_file=*}
	name=${use##*=}
	ending=$(echo "$setting" | tr _ -)
	case $name in
	*"-$ending") ;;
	*) wrong "$place: $setting in '$name', not INSTANCE-$ending" ;;
	esac
done
[ "$(uses | wc -l)" -gt 3 ] || wrong "no uses found"

loads=$(sed -nE 's/^;?[a-z_]+_file = //p' deploy/shipfrom.ini)
for name in $loads; do
	grep -qx "LoadCredential=$name" deploy/shipfrom.service ||
		wrong "deploy/shipfrom.service does not load $name"
done
# Wherever a document speaks of a credential, it is one of these.
named=$(grep -ohE '(credstore/|LoadCredential=)[a-z][a-z-]*' README.md \
	docs/*.md deploy/shipfrom.service | sed 's|.*[/=]||')
for name in $named; do
	case $name in
	*-webhook-secret | *-order-api-key | *-graphql-token | *-soap-password | \
		*-notify-secret) ;;
	*) wrong "'$name' is no name of a secret" ;;
	esac
done
exit $bad
