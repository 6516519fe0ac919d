/* SPDX-License-Identifier: MIT
 *
 * why_returns.h - for `why`: the returns of an order (handlers/returns.h).
 */
#ifndef SERVER_CLI_WHY_RETURNS_H
#define SERVER_CLI_WHY_RETURNS_H

#include "server/cli/cli.h"

/* Adds the returns that are kept of an order, which may be unknown otherwise,
 * the oldest first: as text, or as a line of JSON for each.  *ret_any: there are
 * some. */
enum rc why_returns(struct cli_session *s, const char *instance,
		    int64_t number, bool *ret_any, struct err *e);

#endif
