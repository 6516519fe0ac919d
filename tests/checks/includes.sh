#!/bin/sh
# SPDX-License-Identifier: MIT
#
# includes.sh [ROOT] - who may include whom.
#
# The tables below are the rules; includes_can_fail.sh shows that each can
# fail.  A room is a folder.  Every room may include its own files and base/.
# In the tables a word is a room, or a single header of one.
#
# What breaks a rule today and is to be mended stands in includes.known as
# "FILE HEADER".  That list only shrinks: a row that breaks no rule any more
# fails too.
set -u
cd "${1:-.}" || exit 1

tables() {
	cat <<'TABLES'
# room            may include
MAY base
MAY centra
MAY store             store/model
MAY store/model
MAY store/rules       store store/model
MAY store/lmdb        store store/model store/rules
MAY store/pg          store store/model store/rules
MAY store/engines     store store/model store/rules store/lmdb store/pg
MAY handlers          centra store/model
MAY server/http
MAY server/config
MAY server/metrics
MAY server/storage    server/config server/metrics store store/model handlers
MAY server/pending    server/http store store/model
MAY server/lookup     server/pending server/http server/config server/metrics centra
MAY server/access     server/pending server/http server/config server/metrics store store/model
MAY server/webhook    server/pending server/http server/config server/metrics store store/model centra handlers/handlers.h
MAY server/shop       server/pending server/http server/config server/metrics server/access server/lookup store store/model handlers centra
MAY server/live       server/http server/config server/metrics server/access server/lookup server/shop store store/model
MAY server/face        server/pending server/http server/config server/metrics server/access server/shop/shop.h server/shop/stocktake.h server/lookup store store/model handlers centra
MAY server/page       server/http server/access/token.h
MAY server/worker     server/config server/metrics store store/model centra handlers
MAY server/admin      server/http server/config server/metrics store store/model centra server/webhook server/worker server/live server/lookup
MAY server/cli        server/config server/storage store store/model centra handlers server/access server/webhook server/shop
MAY server            server/http server/config server/metrics server/storage server/access server/webhook server/shop server/face server/live server/lookup server/page server/worker server/admin server/cli store store/model centra handlers

MAY tests/unit        EVERYTHING
MAY tests/fuzz        EVERYTHING
MAY tests/store       store store/model
MAY tests/spike       store store/model store/rules
MAY tests/sim
MAY tests/harness
MAY tests/e2e         tests/harness
MAY tests/wms         tests/harness
MAY tests/bench         tests/bench/growth
MAY tests/bench/growth  store store/model handlers
MAY tests/faults
MAY tests/checks

# These share no code with the product, not even base/: they would repeat its
# mistakes.
APART tests/sim tests/harness tests/e2e tests/wms tests/bench tests/faults

# Headers that only their own room may include; so is every *_private.h.  No
# room may include `server`: app.h and routes.h are for server/*.c alone.
PRIVATE server/config server/config/read.h
PRIVATE server/http   server/http/socket.h server/http/fair_queue.h
PRIVATE server/access server/access/login_limit.h
PRIVATE server/webhook server/webhook/record.h
PRIVATE server/webhook server/webhook/verifiers.h
PRIVATE server/shop   server/shop/shipment_json.h
PRIVATE server/live   server/live/unwatched.h
PRIVATE centra        centra/transport.h centra/limits.h
PRIVATE store/lmdb    store/lmdb/due.h store/lmdb/keys.h store/lmdb/room.h
PRIVATE store/lmdb    store/lmdb/rows.h store/lmdb/schema.h store/lmdb/txn.h
PRIVATE store/lmdb    store/lmdb/writer.h

# No chain of includes that begins in the first room may reach the second: a
# command does not speak HTTP.
NEVER server/cli      server/http

# library         the rooms that may use it
HOME lmdb.h           store/lmdb
HOME libpq-fe.h       store/pg tests/spike
HOME microhttpd.h     server/http tests/sim
HOME qrencode.h       server/cli
HOME expat.h          centra
HOME curl/            centra tests/harness tests/sim
HOME openssl/         centra server/access server/webhook tests/sim tests/harness tests/bench
HOME cjson/           base tests/sim tests/harness tests/wms
HOME cmocka.h         tests/unit tests/e2e tests/wms tests/harness tests/store tests/spike
TABLES
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tables | grep -v '^#' >"$work/tables"
[ -f tests/checks/includes.known ] && cat tests/checks/includes.known >"$work/known"
touch "$work/known"
find base store centra handlers server tests \
	-path '*/node_modules' -prune -o -path tests/api -prune -o \
	-name '*.[ch]' -print -o -name '*.def' -print | sort >"$work/files"
[ -s "$work/files" ] || { echo "no source found"; exit 1; }

# shellcheck disable=SC2046 # a list of names without blanks
awk -v edges="$work/edges" '
function room(path) { sub(/\/[^\/]*$/, "", path); return path }
function among(word, list) { return index(" " list " ", " " word " ") }
function wrong(why, what) {
	if (what != "" && (FILENAME " " what) in known) {
		used[FILENAME " " what] = 1
		return
	}
	printf "%s:%d: %s\n", FILENAME, FNR, why
	bad++
}
function hidden(header, its,   i, n, list) {
	if (header ~ /_private\.h$/)
		return 1
	n = split(private[its], list, " ")
	for (i = 1; i <= n; i++)
		if (list[i] == header || list[i] == its)
			return 1
	return 0
}
function check_room(header, its) {
	if (its == here || may[here] == "EVERYTHING")
		return
	if (its == "base" && !among(here, apart))
		return
	if (!among(its, may[here]) && !among(header, may[here]))
		wrong(here " may not include " header, header)
	else if (hidden(header, its))
		wrong(header " is private to " its, header)
}
function check_library(name,   lib) {
	if (may[here] == "EVERYTHING")
		return
	for (lib in home)
		if (index(name, lib) == 1 && !among(here, home[lib]))
			wrong("<" name "> belongs to " home[lib], "<" name ">")
}
# True if the header, or what it includes, is of that room.
function leads(header, target,   i, n, list) {
	if (room(header) == target)
		return 1
	if (header in looked)
		return 0
	looked[header] = 1
	n = split(includes[header], list, " ")
	for (i = 1; i <= n; i++)
		if (leads(list[i], target))
			return 1
	return 0
}
function check_never(file, target,   i, n, list) {
	n = split(includes[file], list, " ")
	for (i = 1; i <= n; i++) {
		split("", looked)
		if (!leads(list[i], target))
			continue
		if ((file " " list[i]) in known) {
			used[file " " list[i]] = 1
			continue
		}
		printf "%s: %s leads to %s\n", file, list[i], target
		bad++
	}
}
FILENAME ~ /\/tables$/ {
	what = $1; key = $2; rest = $0
	sub(/^[^ ]+ +[^ ]+ */, "", rest)
	if (what == "MAY") may[key] = rest
	if (what == "APART") apart = key " " rest
	if (what == "PRIVATE") private[key] = private[key] " " rest
	if (what == "NEVER") never[key] = rest
	if (what == "HOME") home[key] = rest
	next
}
FILENAME ~ /\/known$/ { if (NF && $1 !~ /^#/) known[$1 " " $2] = 1; next }
FNR == 1 {
	files++
	here = room(FILENAME)
	if (!(here in may)) wrong("no row for the room " here, "")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, q, "\"")
	if (q[2] !~ /\//) {
		wrong("\"" q[2] "\": say the folder too", "")
		next
	}
	includes[FILENAME] = includes[FILENAME] " " q[2]
	check_room(q[2], room(q[2]))
	if (room(q[2]) != here && !((FILENAME " " q[2]) in known))
		edge[here " " room(q[2])] = 1
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	name = $0
	sub(/^[^<]*</, "", name)
	sub(/>.*/, "", name)
	check_library(name)
}
END {
	for (from in never)
		for (file in includes)
			if (room(file) == from)
				check_never(file, never[from])
	for (row in known)
		if (!(row in used)) {
			printf "includes.known: \"%s\" breaks no rule: remove the row\n", row
			bad++
		}
	for (e in edge) print e >edges
	n = 0
	for (row in known) n++
	printf "%d files looked at, %d known to be mended\n", files, n
	exit bad || !files
}' "$work/tables" "$work/known" $(cat "$work/files")
code=$?

touch "$work/edges"
if ! tsort "$work/edges" >"$work/sorted" 2>"$work/cycle"; then
	echo "folders include each other in a circle:"
	sed 's/^tsort: [^ ]*: input contains a loop:/one circle:/; s/^tsort: /  /' "$work/cycle"
	code=1
fi
[ "${SHOW:-}" ] && sort "$work/edges" && echo "from the roof down:" && cat "$work/sorted"
exit $code
