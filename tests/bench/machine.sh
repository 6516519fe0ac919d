#!/bin/sh
# SPDX-License-Identifier: MIT
#
# machine.sh FOLDER - what a benchmark is measured on, as a list in Markdown.
# The stores lie in the folder.
set -u
BUILD=${BUILD:-build}
first() { "$@" 2>/dev/null | head -n 1; }
row() { [ -z "$2" ] || echo "- $1: $2"; }
of() { sed -n "s/^$1[[:space:]]*[:=][[:space:]]*//p" "$2" | head -n 1 | tr -d '"'; }

database=
for one in /usr/lib/postgresql/*/bin/postgres; do
	[ ! -x "$one" ] || database=$one
done
row date "$(date -u '+%Y-%m-%d %H:%M UTC')"
row command "${BENCH_COMMAND:-make bench}"
row source "$(first git describe --always --dirty)"
row machine "$(nproc) x $(of 'model name' /proc/cpuinfo), $(($(of MemTotal /proc/meminfo | cut -d' ' -f1) / 1024)) MiB of memory"
row system "$(of PRETTY_NAME /etc/os-release), Linux $(uname -r)"
row "file system of the stores" "$(df -PT "$1" | awk 'NR == 2 { print $2 " on " $1 }')"
row compiler "$(first gcc --version)"
row shipfrom "$("$BUILD/shipfrom" --version | cut -d' ' -f2-)"
row node "$(first node --version)"
row SQLite "$(cd "$BUILD/bench/peers" 2>/dev/null && first node -e 'console.log(new (require("better-sqlite3"))(":memory:").prepare("SELECT sqlite_version()").pluck().get())')"
row PostgreSQL "$([ -z "$database" ] || "$database" --version | sed 's/^[^0-9]*//')"
