/* SPDX-License-Identifier: MIT
 *
 * admin.h - HTTP requests of the command line to the running server, for its
 * health, and for what only its memory holds.
 */
#ifndef SERVER_CLI_ADMIN_H
#define SERVER_CLI_ADMIN_H

#include "base/buf.h"
#include "base/err.h"
#include "server/config/config.h"

struct admin_answer {
	int status;
	struct buf body; /* owned by the caller, who calls buf_release() */
};

/* Each sends one request: cli_admin() to the admin listener of the config,
 * cli_public() to the public one.  Time and size are bounded.  RC_AGAIN: no
 * server answers there; RC_INVALID: the config has no usable address.  The
 * caller releases ret->body only after OK. */
enum rc cli_admin(const struct config *c, const char *method, const char *path,
		  struct admin_answer *ret, struct err *e);
enum rc cli_public(const struct config *c, const char *method,
		   const char *path, struct admin_answer *ret, struct err *e);

#endif
