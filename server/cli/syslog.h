/* SPDX-License-Identifier: MIT
 *
 * syslog.h - one line to the system's log.  Apart from cli_log.c, since
 * <syslog.h> and base/log.h give one name to two things.
 */
#ifndef SERVER_CLI_SYSLOG_H
#define SERVER_CLI_SYSLOG_H

/* Nothing happens where there is no /dev/log, as in most containers. */
void cli_syslog(const char *line);

#endif
