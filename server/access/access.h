/* SPDX-License-Identifier: MIT
 *
 * access.h - the room that finds out who sends a request: devices, their tokens
 * and sessions, sign-ins.
 */
#ifndef SERVER_ACCESS_ACCESS_H
#define SERVER_ACCESS_ACCESS_H

#include "server/config/holder.h"
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "store/store.h"

struct access;

/* What the room needs.  All of it is borrowed and must outlive the room. */
struct access_parts {
	struct store *store;
	struct config_holder *config;
	struct counters *counters;
	struct http *const *http; /* *http is set before the first request */
	const char *page_version; /* the page's version, which /api/v1/me shows;
				   * a constant */
};

/* Opens the room; copies *parts. */
struct access *access_open(const struct access_parts *parts);
void access_close(struct access *a); /* call it after http_close(); NULL is
				      * fine */

#endif
