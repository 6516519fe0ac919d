#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh - `make install` puts everything under its PREFIX, names no other
# path, and builds nothing.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
wrong() { echo "$1"; bad=1; }

# As somebody would from a shell, not as a part of the make that runs us.
# install_to FOLDER [PREFIX=...]
install_to() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory \
		BUILD="${BUILD:-build}" DESTDIR="$1" ${2+"$2"} install \
		>"$work/log" 2>&1
}

install_to "$work/usr" PREFIX=/usr || { cat "$work/log"; exit 1; }
outside=$(find "$work/usr" ! -type d ! -path "$work/usr/usr/*")
[ -z "$outside" ] || wrong "outside PREFIX: $outside"
named=$(grep -rl /usr/local "$work/usr")
[ -z "$named" ] || wrong "PREFIX=/usr, and these name /usr/local: $named"

# What an installed document links to or shows is installed too.
doc=$work/usr/usr/share/doc/shipfrom
for page in "$doc"/*.md "$doc"/*/*.md; do
	links=$(grep -oE '\]\([^)#: ]+' "$page" | sed 's/](//')
	for link in $links; do
		[ -e "$(dirname "$page")/$link" ] ||
			wrong "the installed ${page#"$doc"/} links to $link"
	done
done

install_to "$work/own" PREFIX=/opt/shop || { cat "$work/log"; exit 1; }
unit=$work/own/opt/shop/lib/systemd/system/shipfrom.service
for key in ExecStart Documentation; do
	path=$(sed -n "s/^$key=\(file:\)*\([^ ]*\).*/\2/p" "$unit")
	[ -n "$path" ] || wrong "the unit has no $key"
	[ -e "$work/own$path" ] || wrong "$key names '$path', which is not installed"
done
for file in bin/shipfrom share/doc/shipfrom/deploy/shipfrom.ini \
	share/doc/shipfrom/docs/exit-codes.md lib/sysusers.d/shipfrom.conf; do
	[ -e "$work/own/opt/shop/$file" ] || wrong "no $file"
done

# Without a build it says what to do, and makes nothing.
BUILD=$work/none install_to "$work/nothing" && wrong "installed without a build"
grep -q 'make deps' "$work/log" || { cat "$work/log"; wrong "does not say how to build"; }
[ ! -e "$work/none" ] || wrong "install built something"
[ ! -e "$work/nothing" ] || wrong "half of it was installed"
exit $bad
