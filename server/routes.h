/* SPDX-License-Identifier: MIT
 *
 * routes.h - every route is one row, and the row says who may ask.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/http/http.h"

enum auth {
	AUTH_UNSET,  /* a forgotten column: the server will not start */
	AUTH_NONE,
	AUTH_SIGNED, /* Centra's signature over the body */
	AUTH_DEVICE, /* a device's token or session */
};

enum listener { LISTEN_PUBLIC, LISTEN_ADMIN };

/* Called once the header is complete and before a byte of body is read: may
 * answer at once (res->status set), so that nothing is read in vain.  False
 * without an answer is a 404. */
typedef bool early_fn(struct request *req, struct response *res);

struct route {
	const char *method;
	const char *path; /* one * stands for one segment */
	enum auth auth;
	enum listener listener;
	size_t body_max;  /* bytes; 0 = no body; BODY_WEBHOOK = the setting */
	answer_fn *answer;
	early_fn *early; /* or NULL */
	const char *help;
};

#define BODY_WEBHOOK ((size_t)-1)

/* Ends with a row whose method is NULL. */
extern const struct route routes[];

/* Refuses a table with a column left out or two rows alike. */
enum rc routes_check(const struct route *table, struct err *e);

/* The row for a method and path; *ret_param gets what * matched.  NULL: none;
 * *ret_allow is then the methods this path has ("GET, POST"), or NULL. */
const struct route *routes_find(enum listener l, const char *method,
				const char *path, char *ret_param,
				size_t param_size, const char **ret_allow);

void routes_describe(struct buf *out, bool json);

#endif
