#!/bin/sh
# SPDX-License-Identifier: MIT
#
# supervisor.sh - the unit starts a server again for as long as its disk fails:
# by systemd's default five ends in ten seconds would be the last.  It does not
# start it again where that cannot help.
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
never=" $(section Service | sed -n 's/^RestartPreventExitStatus=//p' | tr '\n' ' ')"
for code in 65 73 78; do
	case $never in
	*" $code "*) ;;
	*)
		echo "$unit: $code is not in RestartPreventExitStatus"
		bad=1
		;;
	esac
done
# The disk may be mended, a port given back, another server may end.
for code in 69 71 74 75; do
	case $never in
	*" $code "*)
		echo "$unit: $code is in RestartPreventExitStatus"
		bad=1
		;;
	esac
done
exit $bad
