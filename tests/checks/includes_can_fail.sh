#!/bin/sh
# SPDX-License-Identifier: MIT
#
# includes_can_fail.sh - plants each kind of mistake that includes.sh is to
# find, one at a time in a copy of the source, and expects it to be named.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
find base store centra handlers server tests \
	-path '*/node_modules' -prune -o -path tests/api -prune -o \
	-name '*.[ch]' -print -o -name '*.def' -print -o \
	-name 'includes.known' -print |
	tar -cf - -T - | tar -xf - -C "$tree" || exit 1
bad=0
planted=0

# plant WHAT FILE LINE MESSAGE: with LINE at the end of FILE, MESSAGE appears.
plant() {
	what=$1 file=$2 line=$3 message=$4
	planted=$((planted + 1))
	mkdir -p "$tree/$(dirname "$file")"
	[ -f "$tree/$file" ] && cp "$tree/$file" "$work/before"
	printf '%s\n' "$line" >>"$tree/$file"
	if sh tests/checks/includes.sh "$tree" >"$work/out" 2>&1; then
		echo "not found: $what"
		bad=1
	elif ! grep -qF -- "$message" "$work/out"; then
		echo "found, but not named as \"$message\": $what"
		sed 's/^/	/' "$work/out"
		bad=1
	fi
	if [ -f "$work/before" ]; then
		mv "$work/before" "$tree/$file"
	else
		rm "$tree/$file"
	fi
}

sh tests/checks/includes.sh "$tree" >"$work/out" 2>&1 || {
	echo "the source breaks a rule before anything is planted:"
	cat "$work/out"
	exit 1
}

plant "http includes a feature" server/http/loop.c \
	'#include "server/page/page.h"' \
	'server/http may not include server/page/page.h'
plant "a room includes app.h" server/page/page.c \
	'#include "server/app.h"' \
	'server/page may not include server/app.h'
plant "a room includes routes.h" server/worker/worker.c \
	'#include "server/routes.h"' \
	'server/worker may not include server/routes.h'
plant "a handler moves the queue" handlers/decide.c \
	'#include "store/store.h"' \
	'handlers may not include store/store.h'
plant "the inside of the store is used outside" handlers/offer.c \
	'#include "store/lmdb/txn.h"' \
	'handlers may not include store/lmdb/txn.h'
plant "base includes something" base/buf.c \
	'#include "centra/event.h"' \
	'base may not include centra/event.h'
plant "a private header of another room" server/page/page.c \
	'#include "server/http/http_private.h"' \
	'server/http/http_private.h is private to server/http'
plant "a header that its room keeps for itself" server/admin/health.c \
	'#include "server/config/read.h"' \
	'server/config/read.h is private to server/config'
plant "the first of two headers that a room keeps for itself" server/serve.c \
	'#include "server/webhook/record.h"' \
	'server/webhook/record.h is private to server/webhook'
plant "the queue of the request threads is used outside" server/live/screens.c \
	'#include "server/http/fair_queue.h"' \
	'server/http/fair_queue.h is private to server/http'
plant "a command speaks HTTP" server/webhook/delivery.h \
	'#include "server/http/http.h"' \
	'server/webhook/delivery.h leads to server/http'
plant "the stand-in shares code with the product" tests/sim/world.c \
	'#include "base/buf.h"' \
	'tests/sim may not include base/buf.h'
plant "an end to end test looks inside" tests/e2e/test_cli.c \
	'#include "store/store.h"' \
	'tests/e2e may not include store/store.h'
plant "lmdb outside of its home" store/model/order.c \
	'#include <lmdb.h>' \
	'<lmdb.h> belongs to store/lmdb'
plant "libmicrohttpd outside of its home" server/live/screens.c \
	'#include <microhttpd.h>' \
	'<microhttpd.h> belongs to server/http tests/sim'
plant "JSON is read past its one reader" server/shop/ship.c \
	'#include <cjson/cJSON.h>' \
	'<cjson/cJSON.h> belongs to base'
plant "an include without its folder" base/buf.c \
	'#include "buf.h"' \
	'"buf.h": say the folder too'
plant "a room that no row names" server/attic/attic.c \
	'#include "base/buf.h"' \
	'no row for the room server/attic'
plant "a known row that breaks no rule" tests/checks/includes.known \
	'base/buf.c base/mem.h' \
	'"base/buf.c base/mem.h" breaks no rule'

# A table that allows a circle is found by the circle.
planted=$((planted + 1))
sed 's|^MAY server/http$|MAY server/http server/page|' \
	tests/checks/includes.sh >"$work/lenient.sh"
cp "$tree/server/http/loop.c" "$work/before"
echo '#include "server/page/page.h"' >>"$tree/server/http/loop.c"
if sh "$work/lenient.sh" "$tree" >"$work/out" 2>&1 ||
	! grep -q 'in a circle' "$work/out"; then
	echo "not found: two folders that include each other"
	bad=1
fi
mv "$work/before" "$tree/server/http/loop.c"

echo "$planted mistakes planted"
exit $bad
