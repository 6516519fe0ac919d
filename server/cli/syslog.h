/* SPDX-License-Identifier: MIT
 *
 * syslog.h - writes a line to the system's log.  It is a file of its own, since
 * <syslog.h> and base/log.h both define names such as LOG_DEBUG.
 */
#ifndef SERVER_CLI_SYSLOG_H
#define SERVER_CLI_SYSLOG_H

/* Writes the line.  Does nothing where there is no /dev/log, as in most
 * containers. */
void cli_syslog(const char *line);

#endif
