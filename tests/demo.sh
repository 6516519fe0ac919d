#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh - shipfrom and a stand-in for Centra, with three shops.
#
# The stand-in places an order now and then and offers it to all three.  Ctrl-C
# ends both; DEMO_SECONDS=N ends them by itself.  DEMO_PORT (8080) is the first
# of the ports tried.  What it keeps is in build/demo, fresh at each start.
set -eu

BUILD=${BUILD:-build}
dir=$BUILD/demo
server='' sim=''

end() {
	trap - EXIT INT TERM
	for pid in $server $sim; do
		kill "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
}
trap end EXIT
trap 'exit 0' INT TERM

fail() {
	echo "demo: $1" >&2
	exit 1
}

# wait_line FILE WORD PID: waits for a line that begins with it.
wait_line() {
	tries=0
	until grep -q "^$2 " "$1" 2>/dev/null; do
		kill -0 "$3" 2>/dev/null || return 1
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

write_config() {
	cat >"$dir/shipfrom.ini" <<EOF
[server]
listen = 127.0.0.1:$1
admin_listen = 127.0.0.1:$(($1 + 1))
public_url = http://127.0.0.1:$1
store = lmdb:$(cd "$dir" && pwd)/data
store_max = 1G
drain = 0s

[centra se]
webhook_secret = test123
order_api_url = http://127.0.0.1:$(($1 + 2))/api/order-api
order_api_key = order-api-key
graphql_url = http://127.0.0.1:$(($1 + 2))/graphql
graphql_token = graphql-token

[shop stockholm]
centra = se
name = Stockholm, Biblioteksgatan
warehouses = 2

[shop amsterdam]
centra = se
name = Amsterdam, Kalverstraat
warehouses = 3

[shop berlin]
centra = se
name = Berlin, Mitte
warehouses = 4
EOF
}

start_server() {
	write_config "$1"
	"$BUILD/shipfrom" serve --config "$dir/shipfrom.ini" \
		>"$dir/server.out" 2>"$dir/server.log" &
	server=$!
	wait_line "$dir/server.out" admin "$server"
}

rm -rf "$dir"
mkdir -p "$dir"
chmod 700 "$dir"

# The first port that is free, and the two after it.
port=${DEMO_PORT:-8080}
last=$((port + 900))
until start_server "$port"; do
	code=0
	kill "$server" 2>/dev/null || :
	wait "$server" || code=$?
	# 69: a port is in use by somebody else
	if [ "$code" -ne 69 ] || [ "$port" -ge "$last" ]; then
		cat "$dir/server.log" >&2
		fail "the server did not start"
	fi
	port=$((port + 100))
done
url=http://127.0.0.1:$port

"$BUILD/centra-sim" --demo --listen 127.0.0.1:$((port + 2)) --secret test123 \
	--hook-url "$url/webhooks/centra/se" \
	>"$dir/centra.out" 2>"$dir/centra.log" &
sim=$!
wait_line "$dir/centra.out" ready "$sim" ||
	fail "the stand-in for Centra did not start: see $dir/centra.log"

for shop in stockholm amsterdam berlin; do
	"$BUILD/shipfrom" device add --config "$dir/shipfrom.ini" \
		--shop $shop --name "$shop demo" >"$dir/$shop.device" \
		2>>"$dir/devices.log"
	sed -n 1p "$dir/$shop.device" >"$dir/$shop.token"
done

# Wait for the first order, so that there is something to see.
token=$(cat "$dir/amsterdam.token")
number='' tries=0
while [ -z "$number" ] && [ $tries -lt 100 ]; do
	number=$(curl -s -H "Authorization: Bearer $token" \
		"$url/api/v1/orders?state=open" |
		sed -n 's/.*"number":\([0-9]*\).*/\1/p')
	tries=$((tries + 1))
	[ -n "$number" ] || sleep 0.1
done
[ -n "$number" ] || fail "no order came: see $dir/server.log"

cat <<EOF

shipfrom runs at $url; a stand-in for Centra offers an order to three shops
now and then.  In a browser, each of these links signs one shop in, once:

  Amsterdam   $(sed -n 2p "$dir/amsterdam.device")
  Stockholm   $(sed -n 2p "$dir/stockholm.device")
  Berlin      $(sed -n 2p "$dir/berlin.device")

(Two shops side by side want two browsers, or a private window.)  Or in another
terminal, as the shop in Amsterdam:

  T=\$(cat $dir/amsterdam.token)      # or stockholm, berlin
  curl -s -H "Authorization: Bearer \$T" "$url/api/v1/orders?state=open"
  curl -s -H "Authorization: Bearer \$T" -X POST $url/api/v1/orders/$number/accept

The same order as another shop is now taken.  The whole story of it:

  $BUILD/shipfrom why $number --config $dir/shipfrom.ini

To try another setting, write it into the file and reload the server:

  $dir/shipfrom.ini
  $BUILD/shipfrom check --config $dir/shipfrom.ini && kill -HUP $server

The stand-in: http://127.0.0.1:$((port + 2))   What it can be told: docs/sandbox.md
Metrics: http://127.0.0.1:$((port + 1))/metrics   Log: $dir/server.log   API: $url/openapi.yaml
Ctrl-C ends it.

EOF
echo "ready: open $(sed -n 2p "$dir/amsterdam.device")"

if [ -n "${DEMO_SECONDS:-}" ]; then
	left=$DEMO_SECONDS
else
	left=-1
fi
# A loop of short sleeps, so that Ctrl-C and the end of either are noticed.
while [ "$left" -ne 0 ]; do
	kill -0 "$server" 2>/dev/null || fail "the server ended: see $dir/server.log"
	kill -0 "$sim" 2>/dev/null || fail "the stand-in for Centra ended: see $dir/centra.log"
	sleep 1
	left=$((left - 1))
done
echo "demo: ended after $DEMO_SECONDS s"
