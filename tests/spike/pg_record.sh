#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pg_record.sh BINARY - runs it against a PostgreSQL of its own, which listens
# on a socket in a temporary folder and is gone afterwards.
set -u

for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null); do
	[ -x "$dir/initdb" ] && PATH=$dir:$PATH
done
command -v initdb >/dev/null && command -v pg_ctl >/dev/null || {
	echo "PostgreSQL is not here: apt-get install postgresql libpq-dev" >&2
	exit 1
}
work=$(mktemp -d) || exit 1
# A database refuses to run as root.
as() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
	chown postgres "$work" || exit 1
	as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
fi
trap 'as pg_ctl -D "$work/data" -m immediate -w stop >/dev/null 2>&1
	rm -rf "$work"' EXIT
cd "$work" || exit 1
as initdb -D "$work/data" -U spike -A trust --no-sync >"$work/log" 2>&1 &&
	as pg_ctl -D "$work/data" -w -l "$work/server.log" \
		-o "-k $work -c listen_addresses=" start >>"$work/log" 2>&1 || {
	cat "$work/log" >&2
	exit 1
}
cd - >/dev/null || exit 1
SPIKE_URL="postgresql:///postgres?host=$work&user=spike" "$1"
