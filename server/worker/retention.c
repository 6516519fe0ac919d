/* SPDX-License-Identifier: MIT
 *
 * retention.c - see retention.h.
 */
#include "server/worker/retention.h"

#include "base/log.h"
#include "base/time.h"
#include "server/worker/worker.h"

static void forget_addresses(const struct worker_parts *parts, int64_t keep)
{
	int64_t now = time_now();
	struct err e;
	size_t n = 0;
	enum rc rc =
		store_forget_addresses(parts->store, now - keep, now, &n, &e);

	if (rc)
		log_line(LOG_WARN, "old addresses cannot be removed",
			 LOG_S("why", e.text));
	else if (n)
		log_line(LOG_INFO, "old addresses removed",
			 LOG_N("orders", (int64_t)n));
}

static void end_sessions(const struct worker_parts *parts, int64_t age)
{
	int64_t now = time_now();
	struct err e;
	size_t n = 0;
	enum rc rc = store_sessions_end(parts->store, now - age, now, &n, &e);

	if (rc)
		log_line(LOG_WARN, "old sessions cannot be ended",
			 LOG_S("why", e.text));
	else if (n)
		log_line(LOG_INFO, "old sessions ended",
			 LOG_N("sessions", (int64_t)n));
}

void retention_run(const struct worker_parts *parts)
{
	struct config *c = config_now(parts->config);

	if (c->server.keep_addresses)
		forget_addresses(parts, c->server.keep_addresses);
	if (c->server.session_age)
		end_sessions(parts, c->server.session_age);
	config_drop(c);
}
