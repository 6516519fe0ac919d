/* SPDX-License-Identifier: MIT
 *
 * syslog.c - see syslog.h.
 */
#include "server/cli/syslog.h"

#include <syslog.h>

void cli_syslog(const char *line)
{
	openlog("shipfrom", LOG_PID, LOG_DAEMON);
	syslog(LOG_INFO, "%s", line);
	closelog();
}
