/* SPDX-License-Identifier: MIT
 *
 * cli_syslog.c - see cli_syslog.h.
 */
#include "server/cli_syslog.h"

#include <syslog.h>

void cli_syslog(const char *line)
{
	openlog("shipfrom", LOG_PID, LOG_DAEMON);
	syslog(LOG_INFO, "%s", line);
	closelog();
}
