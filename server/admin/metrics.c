/* SPDX-License-Identifier: MIT
 *
 * metrics.c - see metrics.h.  The metrics are the rows of two tables:
 * server/metrics/metrics.def (counters) and gauges.def; here are the functions
 * that read the values of the second.
 */
#include "server/admin/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "base/version.h"
#include "centra/centra.h"
#include "server/admin/health.h"
#include "server/live/changes.h"
#include "server/lookup/lookup.h"
#include "server/webhook/receive.h"
#include "server/webhook/unverified.h"
#include "server/worker/feeds.h"
#include "server/worker/worker.h"

/* One reading of all metrics. */
struct scrape {
	const struct admin *admin;
	struct config *config; /* held */
	struct buf *out;
	const char *name; /* of the metric that is being written */
	struct store_stats stats;
	bool has_stats;
	uint64_t unwatched;
	bool has_unwatched;
};

/* What a metric is read from.  A part that has not started has no metrics. */
enum part {
	PART_NONE, /* always there */
	PART_STORE,
	PART_WORKERS,
	PART_LOOKUPS,
	PART_LIVE,
	PART_COUNTED, /* live has counted the offers that no screen shows */
	PART_RECEIVER,
};

static void write_head(struct scrape *s, const char *name, const char *type,
		       const char *help)
{
	s->name = name;
	buf_fmt(s->out, "# HELP shipfrom_%s %s\n# TYPE shipfrom_%s %s\n", name,
		help, name, type);
}

static void write_value(struct scrape *s, uint64_t value)
{
	buf_fmt(s->out, "shipfrom_%s %" PRIu64 "\n", s->name, value);
}

static void write_seconds(struct scrape *s, int64_t ms)
{
	buf_fmt(s->out, "shipfrom_%s %.3f\n", s->name, (double)ms / 1000);
}

static void write_counter(struct scrape *s, const char *name, const char *help,
			  const atomic_ullong *counter)
{
	write_head(s, name, "counter", help);
	write_value(s, atomic_load_explicit(counter, memory_order_relaxed));
}

/* ---- the values of gauges.def ---- */

static void write_ready(struct scrape *s)
{
	const char *why;

	write_value(s, health_ready(s->admin, s->config, &why));
}

static void write_oldest_due(struct scrape *s)
{
	int64_t due = s->stats.oldest_due;
	int64_t late = due == TIME_NONE ? 0 : time_now() - due;

	write_seconds(s, late > 0 ? late : 0);
}

/* Kinds that were never missed have a value as well, so that Prometheus can
 * compute a rate. */
static void write_missed(struct scrape *s)
{
	for (int kind = 0; kind < MISSED_KINDS; kind++)
		buf_fmt(s->out, "shipfrom_%s{kind=\"%s\"} %" PRIu64 "\n",
			s->name, missed_name((enum missed)kind),
			s->stats.missed[kind]);
}

/* How many documents of each kind have ended, and how many have not. */
struct documents {
	uint64_t n[DOC_KINDS_MAX][2];
};

static bool add_count(void *arg, const struct doc_count *c)
{
	struct documents *d = arg;

	for (size_t i = 0; i < n_doc_kinds; i++)
		if (!strcmp(doc_kinds[i].name, c->kind))
			d->n[i][doc_list_is_done(c->list)] += c->docs;
	return true;
}

static void write_documents(struct scrape *s)
{
	static const char *const ended[] = {"no", "yes"};
	struct documents d = {0};
	struct err e;

	/* Rows that cannot be read are left out. */
	(void)!store_doc_counts(s->admin->store, NULL, add_count, &d, &e);
	for (size_t i = 0; i < n_doc_kinds; i++)
		for (int k = 0; k < 2; k++)
			buf_fmt(s->out,
				"shipfrom_%s{kind=\"%s\",ended=\"%s\"} "
				"%" PRIu64 "\n",
				s->name, doc_kinds[i].name, ended[k],
				d.n[i][k]);
}

/* Writes the number of webhooks in a list of those that are not done. */
static bool write_outgoing_list(void *arg, const struct doc_count *c)
{
	const struct scrape *s = arg;
	const char *end = strrchr(c->list, '/');

	if (end && (!strcmp(end, "/waiting") || !strcmp(end, "/dead")))
		buf_fmt(s->out,
			"shipfrom_%s{instance=\"%s\",shop=\"%.*s\","
			"state=\"%s\"} %" PRIu64 "\n",
			s->name, c->instance, (int)(end - c->list), c->list,
			end + 1, c->docs);
	return true;
}

static void write_outgoing(struct scrape *s)
{
	struct err e;

	(void)!store_doc_counts(s->admin->store, "outgoing",
				write_outgoing_list, s, &e);
}

static void write_outgoing_away(struct scrape *s)
{
	struct receiver_state r;

	for (size_t i = 0; workers_receiver(s->admin->workers, i, &r); i++)
		if (r.set)
			buf_fmt(s->out,
				"shipfrom_%s{instance=\"%s\",shop=\"%s\"} "
				"%d\n",
				s->name, r.instance, r.shop, r.away);
}

static void write_confirmed(struct scrape *s)
{
	write_value(s, clock_trust(s->admin->clock, time_now(), time_mono()) ==
			       CLOCK_CONFIRMED);
}

static void write_clock_ahead(struct scrape *s)
{
	int64_t ahead;

	(void)clock_ahead(s->admin->clock, time_now(), time_mono(), &ahead);
	write_seconds(s, ahead);
}

static void write_waiting(struct scrape *s)
{
	write_value(s, atomic_load(&s->admin->http_counters->waiting));
}

/* Reads that a request waits for, and those that nobody waits for. */
static void write_lookups(struct scrape *s)
{
	struct lookups_waiting w;

	for (size_t i = 0; lookups_waiting(s->admin->lookups, i, &w); i++) {
		buf_fmt(s->out,
			"shipfrom_%s{instance=\"%s\",request=\"yes\"} %zu\n",
			s->name, w.instance, w.waited);
		buf_fmt(s->out,
			"shipfrom_%s{instance=\"%s\",request=\"no\"} %zu\n",
			s->name, w.instance, w.behind);
	}
}

/* Writes a value for each API of each instance. */
static void each_api(struct scrape *s, bool (*is)(const struct centra_state *))
{
	const struct account *a;
	struct centra_state now;

	for (size_t i = 0; (a = workers_account(s->admin->workers, i)); i++)
		for (int api = 0; api < CENTRA_APIS; api++) {
			centra_state(a->centra, (enum centra_api)api, &now);
			buf_fmt(s->out,
				"shipfrom_%s{instance=\"%s\",api=\"%s\"} %d\n",
				s->name, a->instance,
				api_name((enum centra_api)api), is(&now));
		}
}

static bool is_refused(const struct centra_state *s)
{
	return s->refused;
}

static bool is_dead(const struct centra_state *s)
{
	return s->dead;
}

static bool is_paused(const struct centra_state *s)
{
	return s->paused;
}

static void write_refused(struct scrape *s)
{
	each_api(s, is_refused);
}

static void write_dead(struct scrape *s)
{
	each_api(s, is_dead);
}

static void write_paused(struct scrape *s)
{
	each_api(s, is_paused);
}

/* ---- the feeds that the config names ---- */

/* Writes a value in seconds for each feed of each instance; `value` gets its
 * progress and the time. */
static void each_feed(struct scrape *s,
		      int64_t (*value)(const struct feed_progress *p,
				       int64_t now))
{
	const struct config_instance *in;
	const struct account *a;

	for (size_t i = 0; (a = workers_account(s->admin->workers, i)); i++) {
		in = config_instance(s->config, a->instance);
		for (int f = 0; f < FEEDS; f++) {
			if (!in || !feeds_on(in, (enum feed)f))
				continue;
			buf_fmt(s->out,
				"shipfrom_%s{instance=\"%s\",feed=\"%s\"} "
				"%" PRId64 "\n",
				s->name, a->instance, feed_name((enum feed)f),
				value(workers_feed(s->admin->workers, i,
						   (enum feed)f),
				      time_now()) /
					1000);
		}
	}
}

static int64_t age(int64_t at, int64_t now)
{
	return at && at < now ? now - at : 0;
}

static int64_t feed_silent(const struct feed_progress *p, int64_t now)
{
	return age(p->read, now);
}

static int64_t feed_lag(const struct feed_progress *p, int64_t now)
{
	return age(p->oldest, now);
}

static int64_t feed_confirmed(const struct feed_progress *p, int64_t now)
{
	(void)now;
	return p->confirmed;
}

static void write_feed_silent(struct scrape *s)
{
	each_feed(s, feed_silent);
}

static void write_feed_lag(struct scrape *s)
{
	each_feed(s, feed_lag);
}

static void write_feed_confirmed(struct scrape *s)
{
	each_feed(s, feed_confirmed);
}

static void write_parked_of(void *arg, const char *instance,
			    enum centra_api api, uint64_t tasks)
{
	const struct scrape *s = arg;

	buf_fmt(s->out, "shipfrom_%s{instance=\"%s\",api=\"%s\"} %" PRIu64 "\n",
		s->name, instance, api_name(api), tasks);
}

static void write_parked(struct scrape *s)
{
	struct err e;

	(void)!workers_parked(s->admin->workers, write_parked_of, s, &e);
}

static void write_streams(struct scrape *s)
{
	write_value(s, live_screens(s->admin->live));
}

static void write_unwatched(struct scrape *s)
{
	write_value(s, s->unwatched);
}

static void write_verified(struct scrape *s)
{
	static const char *const which[] = {"current", "previous"};
	const struct secret_watch *w;

	for (size_t i = 0; (w = receiver_secret(s->admin->receiver, i)); i++)
		for (int k = 0; k < 2; k++)
			buf_fmt(s->out,
				"shipfrom_%s{instance=\"%s\",secret=\"%s\"} "
				"%" PRIu64 "\n",
				s->name, w->instance, which[k],
				(uint64_t)atomic_load(&w->signed_by[k]));
}

static void write_kept(struct scrape *s)
{
	size_t n, bytes;

	unverified_count(receiver_unverified(s->admin->receiver), &n, &bytes);
	write_value(s, n);
}

static void write_kept_bytes(struct scrape *s)
{
	size_t n, bytes;

	unverified_count(receiver_unverified(s->admin->receiver), &n, &bytes);
	write_value(s, bytes);
}

static void write_build(struct scrape *s)
{
	buf_fmt(s->out, "shipfrom_%s{version=\"%s\"} 1\n", s->name,
		SHIPFROM_VERSION);
}

/* ---- all of them ---- */

static bool has_part(const struct scrape *s, enum part part)
{
	switch (part) {
	case PART_STORE:
		return s->has_stats;
	case PART_WORKERS:
		return s->admin->workers;
	case PART_LOOKUPS:
		return s->admin->lookups;
	case PART_LIVE:
		return s->admin->live;
	case PART_COUNTED:
		return s->has_unwatched;
	case PART_RECEIVER:
		return s->admin->receiver;
	case PART_NONE:
	default:
		return true;
	}
}

static void write_counters(struct scrape *s)
{
#define METRIC(name, help)                                                     \
	write_counter(s, #name, help, &s->admin->counters->name);
#define METRIC_HTTP(name, field, help)                                         \
	write_counter(s, #name, help, &s->admin->http_counters->field);
#include "server/metrics/metrics.def"
#undef METRIC
#undef METRIC_HTTP
}

static void write_gauges(struct scrape *s)
{
#define GAUGE(name, type, part, function, help)                                \
	if (has_part(s, PART_##part)) {                                        \
		write_head(s, #name, #type, help);                             \
		function(s);                                                   \
	}
#define STORE(name, type, field, help)                                         \
	if (s->has_stats) {                                                    \
		write_head(s, #name, #type, help);                             \
		write_value(s, s->stats.field);                                \
	}
#include "server/admin/gauges.def"
#undef GAUGE
#undef STORE
}

void metrics_write(const struct admin *a, struct buf *out)
{
	struct scrape s = {.admin = a, .out = out};
	struct err e;

	s.config = config_now(a->config);
	s.has_stats = a->store && !store_stats(a->store, &s.stats, &e);
	s.has_unwatched = a->live && live_unwatched(a->live, &s.unwatched);
	write_counters(&s);
	write_gauges(&s);
	config_drop(s.config);
}
