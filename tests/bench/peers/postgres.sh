#!/bin/sh
# SPDX-License-Identifier: MIT
#
# postgres.sh COMMAND... - runs the command beside a PostgreSQL of its own, whose
# files lie in BENCH_DATA (an absolute path), and its socket in BENCH_PGHOST.  It is as its makers ship it (fsync and synchronous_commit are
# on), with more memory.
set -u
data=${BENCH_DATA:?}
for dir in /usr/lib/postgresql/*/bin; do
	[ -x "$dir/initdb" ] && PATH=$dir:$PATH
done
command -v initdb >/dev/null && command -v postgres >/dev/null || {
	echo "bench: PostgreSQL is not here: sh tests/deps.sh bench" >&2
	exit 1
}
BENCH_PGHOST=$(mktemp -d) && export BENCH_PGHOST || exit 1
# A database refuses to run as root.
as=''
if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid postgres --regid postgres --clear-groups'
	chown postgres "$data" "$BENCH_PGHOST" || exit 1
	$as test -w "$data" || {
		echo "bench: the user postgres cannot reach $data:" \
			"name another folder on this disk in BENCH_FOLDER" >&2
		exit 1
	}
fi
peer='' database=''
stop() {
	for one in $peer $database; do
		kill -INT "$one"
		wait "$one"
	done
	rm -rf "$BENCH_PGHOST"
}
trap stop EXIT
trap 'exit 0' TERM INT

log=$BENCH_PGHOST/log
here=$PWD
cd "$data" || exit 1
$as initdb -D "$data" -U bench -A trust >"$log" 2>&1 || {
	cat "$log" >&2
	exit 1
}
$as postgres -D "$data" -k "$BENCH_PGHOST" -c listen_addresses= \
	-c shared_buffers=256MB -c max_wal_size=4GB >>"$log" 2>&1 &
database=$!
n=0
until pg_isready -q -h "$BENCH_PGHOST" -U bench; do
	n=$((n + 1))
	if [ $n -gt 100 ]; then
		cat "$log" >&2
		exit 1
	fi
	sleep 0.1
done
cd "$here" || exit 1
"$@" &
peer=$!
wait "$peer"
