/* SPDX-License-Identifier: MIT
 *
 * log.c - logs what a command changed.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "server/cli/cli.h"
#include "server/cli/syslog.h"

void cli_log_write(const char *msg, const struct log_field *fields)
{
	struct buf b;

	if (!isatty(STDERR_FILENO))
		log_write(LOG_INFO, msg, fields);
	if (log_is_journal())
		return;
	buf_init(&b, 16384);
	log_json(&b, LOG_INFO, msg, fields);
	cli_syslog(b.data);
	buf_release(&b);
}
