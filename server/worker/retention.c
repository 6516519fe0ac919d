/* SPDX-License-Identifier: MIT
 *
 * retention.c - see retention.h.
 */
#include "server/worker/retention.h"

#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "handlers/finished.h"
#include "server/worker/worker.h"

#define EVERY INT64_C(3600000) /* ms from the beginning of a run to the next */

/* ---- the kinds ---- */

static int64_t keep_journal(const struct config_server *c)
{
	/* Entries go with their order anyway. */
	return c->keep_orders && c->keep_journal >= c->keep_orders
		       ? 0
		       : c->keep_journal;
}

/* Returns how long rows of a kind are kept, ms; 0: for good. */
static int64_t keep(const struct config_server *c, enum aged what)
{
	switch (what) {
	case AGED_CHANGES:
		return c->keep_changes;
	case AGED_EVENTS:
		return c->keep_events;
	case AGED_QUARANTINE:
		return c->keep_quarantine;
	case AGED_ADDRESSES:
		return c->keep_addresses;
	case AGED_JOURNAL:
		return keep_journal(c);
	case AGED_ORDERS:
		return c->keep_orders;
	case AGED_STOCK:
		return c->keep_stock;
	case AGED_OUTGOING:
		return c->keep_outgoing;
	case AGED_RETURNS:
		return c->keep_returns;
	case AGED_FEEDS:
		return c->keep_quarantine;
	case AGED_KINDS:
	default:
		return 0;
	}
}

static void count(struct counters *c, enum aged what, size_t n)
{
	switch (what) {
	case AGED_CHANGES:
		COUNT_BY(c, removed_changes_total, n);
		break;
	case AGED_EVENTS:
		COUNT_BY(c, removed_events_total, n);
		break;
	case AGED_QUARANTINE:
		COUNT_BY(c, removed_quarantined_total, n);
		break;
	case AGED_ADDRESSES:
		COUNT_BY(c, removed_addresses_total, n);
		break;
	case AGED_JOURNAL:
		COUNT_BY(c, removed_entries_total, n);
		break;
	case AGED_ORDERS:
		COUNT_BY(c, removed_orders_total, n);
		break;
	case AGED_STOCK:
	case AGED_OUTGOING:
	case AGED_RETURNS:
	case AGED_FEEDS:
		COUNT_BY(c, removed_documents_total, n);
		break;
	case AGED_KINDS:
	default:
		break;
	}
}

/* ---- which orders are finished ---- */

struct whose {
	const struct config *config;
	const char *instance;
};

static bool is_ours(const void *arg, int64_t warehouse)
{
	const struct whose *w = arg;

	return config_shop_of(w->config, w->instance, warehouse);
}

/* A store_finished_fn; its arg is a struct config. */
static bool finished(void *arg, const struct order *o)
{
	struct whose w = {.config = arg, .instance = o->instance};

	return order_finished(o, is_ours, &w);
}

/* ---- sessions ---- */

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

/* ---- a run ---- */

static void begin_run(struct retention *r, const struct worker_parts *parts,
		      const struct config_server *c, int64_t mono)
{
	r->running = true;
	r->began = mono;
	r->now = (struct removal){0};
	memset(r->removed, 0, sizeof(r->removed));
	r->unread.text[0] = '\0';
	if (c->session_age)
		end_sessions(parts, c->session_age);
}

/* Ends the run; returns how many ms there are to the next. */
static int64_t end_run(struct retention *r, int64_t mono)
{
	int64_t wait = r->began + EVERY - mono;
	const uint64_t *n = r->removed;
	uint64_t all = 0;

	for (int i = 0; i < AGED_KINDS; i++)
		all += n[i];
	if (all)
		log_line(LOG_INFO, "old data removed",
			 LOG_N("events", (int64_t)n[AGED_EVENTS]),
			 LOG_N("orders", (int64_t)n[AGED_ORDERS]),
			 LOG_N("entries", (int64_t)n[AGED_JOURNAL]),
			 LOG_N("quarantined", (int64_t)n[AGED_QUARANTINE]),
			 LOG_N("changes", (int64_t)n[AGED_CHANGES]),
			 LOG_N("addresses", (int64_t)n[AGED_ADDRESSES]),
			 LOG_N("stock", (int64_t)n[AGED_STOCK]),
			 LOG_N("outgoing", (int64_t)n[AGED_OUTGOING]),
			 LOG_N("returns", (int64_t)n[AGED_RETURNS]),
			 LOG_N("feeds", (int64_t)n[AGED_FEEDS]),
			 LOG_N("ms", mono - r->began));
	if (n[AGED_QUARANTINE])
		log_line(LOG_WARN, "entries of the quarantine removed by age",
			 LOG_N("entries", (int64_t)n[AGED_QUARANTINE]));
	if (*r->unread.text)
		log_line(LOG_WARN, "old data that cannot be read is kept",
			 LOG_S("why", r->unread.text));
	r->running = false;
	return wait > 0 ? wait : 0;
}

/* Goes on to the next kind that has an age.  False: there is no more. */
static bool next_kind(struct retention *r, const struct config_server *c)
{
	enum aged what = r->now.what;

	while (what < AGED_KINDS && !keep(c, what))
		what++;
	if (what != r->now.what)
		r->now = (struct removal){.what = what};
	return what < AGED_KINDS;
}

static void note(struct retention *r, const struct worker_parts *parts)
{
	const struct removal *now = &r->now;

	r->removed[now->what] += now->removed;
	count(parts->counters, now->what, now->removed);
	if (*now->why.text)
		r->unread = now->why;
	if (now->more)
		return;
	if (now->what == AGED_JOURNAL)
		r->journals_until = now->before;
	r->now = (struct removal){.what = now->what + 1};
}

static enum rc remove_some(struct retention *r,
			   const struct worker_parts *parts,
			   struct config *c, struct err *e)
{
	struct removal *now = &r->now;
	enum rc rc;

	now->now = time_now();
	now->before = now->now - keep(&c->server, now->what);
	now->since = r->journals_until;
	now->finished = finished;
	now->finished_arg = c;
	rc = store_remove_some(parts->store, now, e);
	if (!rc)
		note(r, parts);
	return rc;
}

int64_t retention_step(struct retention *r, const struct worker_parts *parts,
		       int64_t mono)
{
	struct config *c = config_now(parts->config);
	int64_t wait;
	struct err e;

	if (!r->running)
		begin_run(r, parts, &c->server, mono);
	if (!next_kind(r, &c->server)) {
		wait = end_run(r, mono);
	} else if (remove_some(r, parts, c, &e)) {
		log_line(LOG_WARN, "old data cannot be removed",
			 LOG_S("why", e.text));
		wait = end_run(r, mono);
	} else {
		wait = retention_pause(time_mono() - mono);
	}
	config_drop(c);
	return wait;
}
