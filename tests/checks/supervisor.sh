#!/bin/sh
# SPDX-License-Identifier: MIT
#
# supervisor.sh - the unit starts a server again for as long as its disk fails:
# by systemd's default five ends in ten seconds would be the last.
set -u
unit=deploy/shipfrom.service

section() {
	sed -n "/^\[$1\]/,/^\[/p" "$unit"
}

bad=0
section Unit | grep -qx 'StartLimitIntervalSec=0' || {
	echo "$unit: [Unit] needs StartLimitIntervalSec=0"
	bad=1
}
section Service | grep -qx 'Restart=always' || {
	echo "$unit: [Service] needs Restart=always"
	bad=1
}
exit $bad
