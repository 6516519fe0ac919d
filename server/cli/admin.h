/* SPDX-License-Identifier: MIT
 *
 * admin.h - HTTP requests of the command line to the running server, for its
 * health and for what it keeps in memory alone.
 */
#ifndef SERVER_CLI_ADMIN_H
#define SERVER_CLI_ADMIN_H

#include "base/buf.h"
#include "base/err.h"
#include "server/config/config.h"

struct admin_answer {
	int status;
	struct buf body; /* owned by the caller: buf_release() */
};

/* One request to the admin listener of the config (cli_admin) or to its public
 * one (cli_public).  Bounded in time and size.  RC_AGAIN: no server answers
 * there; RC_INVALID: the config does not say where.  The caller releases
 * ret->body after OK alone. */
enum rc cli_admin(const struct config *c, const char *method, const char *path,
		  struct admin_answer *ret, struct err *e);
enum rc cli_public(const struct config *c, const char *method,
		   const char *path, struct admin_answer *ret, struct err *e);

#endif
