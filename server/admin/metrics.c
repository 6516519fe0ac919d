/* SPDX-License-Identifier: MIT
 *
 * metrics.c - see metrics.h.
 */
#include "server/admin/metrics.h"

#include <inttypes.h>

#include "base/time.h"
#include "centra/centra.h"
#include "server/admin/health.h"
#include "server/webhook/receive.h"
#include "server/webhook/unverified.h"
#include "server/live/changes.h"
#include "base/version.h"
#include "server/worker/worker.h"

static void head(struct buf *out, const char *name, const char *type,
		 const char *help)
{
	buf_fmt(out, "# HELP shipfrom_%s %s\n# TYPE shipfrom_%s %s\n", name,
		help, name, type);
}

static void number(struct buf *out, const char *name, const char *type,
		   const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_fmt(out, "shipfrom_%s %" PRIu64 "\n", name, value);
}

static void gauge(struct buf *out, const char *name, const char *help,
		  uint64_t value)
{
	number(out, name, "gauge", help, value);
}

/* Writes one counter for each kind, also for kinds that were never missed, so
 * that Prometheus can compute a rate. */
static void missed_webhooks(struct buf *out, const struct store_stats *s)
{
	head(out, "missed_webhooks_total", "counter",
	     "Webhooks that Centra never got to us, by what they would have "
	     "told; ever");
	for (int kind = 0; kind < MISSED_KINDS; kind++)
		buf_fmt(out,
			"shipfrom_missed_webhooks_total{kind=\"%s\"} %" PRIu64
			"\n",
			missed_name((enum missed)kind), s->missed[kind]);
}

static void store_numbers(struct buf *out, const struct store_stats *s)
{
	int64_t late = s->oldest_due == TIME_NONE ? 0 :
						    time_now() - s->oldest_due;

	gauge(out, "tasks_waiting", "Tasks to be done", s->tasks_waiting);
	gauge(out, "tasks_dead", "Tasks given up and kept; someone must look",
	      s->tasks_dead);
	head(out, "oldest_due_seconds", "gauge",
	     "How long the earliest task is due; 0 when none is");
	buf_fmt(out, "shipfrom_oldest_due_seconds %.3f\n",
		late > 0 ? (double)late / 1000 : 0.0);
	gauge(out, "events", "Events kept", s->events);
	gauge(out, "orders", "Orders known", s->orders);
	gauge(out, "orders_in_doubt",
	      "Accepted orders that the newest look does not show as ours; "
	      "shops ask the office before they ship them",
	      s->in_doubt);
	gauge(out, "quarantined", "Events and bodies that could not be read",
	      s->quarantined);
	gauge(out, "devices", "Devices allowed to act", s->devices);
	gauge(out, "store_used_bytes", "Bytes of the store in use",
	      s->used_bytes);
	gauge(out, "store_max_bytes", "Most bytes the store may use",
	      s->max_bytes);
	gauge(out, "store_queue", "Writes that wait for the disk", s->queued);
	number(out, "store_commits_total", "counter",
	       "Commits made durable, each of a group of writes", s->commits);
	number(out, "store_writes_total", "counter", "Writes made durable",
	       s->writes);
	missed_webhooks(out, s);
}

/* Writes a gauge with a row for each API of each instance. */
static void each_api(struct buf *out, const struct admin *admin,
		     const char *name,
		     const char *help,
		     bool (*is)(const struct centra_state *s))
{
	const struct account *a;
	struct centra_state s;

	head(out, name, "gauge", help);
	for (size_t i = 0; (a = workers_account(admin->workers, i)); i++)
		for (int api = 0; api < CENTRA_APIS; api++) {
			centra_state(a->centra, (enum centra_api)api, &s);
			buf_fmt(out,
				"shipfrom_%s{instance=\"%s\",api=\"%s\"} "
				"%d\n",
				name, a->instance,
				api_name((enum centra_api)api), is(&s));
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

static void parked_number(void *arg, const char *instance,
			  enum centra_api api, uint64_t tasks)
{
	buf_fmt(arg,
		"shipfrom_tasks_parked{instance=\"%s\",api=\"%s\"} %" PRIu64
		"\n",
		instance, api_name(api), tasks);
}

static void parked_gauge(struct buf *out, const struct workers *w)
{
	struct err e;

	head(out, "tasks_parked", "gauge",
	     "Tasks that stay in the queue because their API is away, refuses "
	     "us, asked us to wait or is not configured; they are not late");
	(void)!workers_parked(w, parked_number, out, &e);
}

static void centra_gauges(struct buf *out, const struct admin *a)
{
	if (!a->workers)
		return;
	each_api(out, a, "credentials_refused",
		 "1 while Centra refuses our key or token: it must change",
		 is_refused);
	each_api(out, a, "centra_dead",
		 "1 while Centra does not answer and calls wait", is_dead);
	each_api(out, a, "centra_paused",
		 "1 while calls wait as Centra asked them to", is_paused);
	parked_gauge(out, a->workers);
}

/* Writes how the wall clock compares with Centra's. */
static void clock_numbers(struct buf *out, struct clock *c)
{
	int64_t wall = time_now(), mono = time_mono(), ahead;

	(void)clock_ahead(c, wall, mono, &ahead);
	gauge(out, "clock_confirmed",
	      "1 when Centra's replies have confirmed our clock; until then "
	      "nothing is removed or given up because of its age",
	      clock_trust(c, wall, mono) == CLOCK_CONFIRMED);
	head(out, "clock_ahead_seconds", "gauge",
	     "How far our clock is ahead of Centra's, behind if less than 0; "
	     "0 until Centra has replied");
	buf_fmt(out, "shipfrom_clock_ahead_seconds %.3f\n",
		(double)ahead / 1000);
}

/* Deliveries by the secret that signed them, and those kept in memory. */
static void webhook_numbers(struct buf *out, const struct receiver *r)
{
	static const char *const which[] = {"current", "previous"};
	const struct secret_watch *w;
	size_t n, bytes;

	head(out, "webhooks_verified_total", "counter",
	     "Webhook deliveries, by the secret that signed them");
	for (size_t i = 0; (w = receiver_secret(r, i)); i++)
		for (int k = 0; k < 2; k++)
			buf_fmt(out,
				"shipfrom_webhooks_verified_total{instance="
				"\"%s\",secret=\"%s\"} %" PRIu64 "\n",
				w->instance, which[k],
				(uint64_t)atomic_load(&w->signed_by[k]));
	unverified_count(receiver_unverified(r), &n, &bytes);
	gauge(out, "refused_kept", "Refused deliveries kept in memory", n);
	gauge(out, "refused_kept_bytes", "Bytes that they take", bytes);
}

/* Writes the number of the shops' screens, and of the offers that none of them
 * shows. */
static void screen_numbers(struct buf *out, struct live *c)
{
	uint64_t unwatched;

	gauge(out, "streams", "Screens connected now", live_screens(c));
	if (live_unwatched(c, &unwatched))
		gauge(out, "open_offers_unwatched",
		      "Pending offers of shops without a listening screen",
		      unwatched);
}

void metrics_write(const struct admin *a, struct buf *out)
{
	struct config *config = config_now(a->config);
	struct store_stats stats = {0};
	const char *why;
	struct err e;

#define METRIC(name, help)                                                    \
	number(out, #name, "counter", help,                                   \
	       atomic_load_explicit(&a->counters->name,                       \
				    memory_order_relaxed));
#define METRIC_HTTP(name, field, help)                                        \
	number(out, #name, "counter", help,                                   \
	       atomic_load_explicit(&a->http_counters->field,                 \
				    memory_order_relaxed));
#include "server/metrics/metrics.def"
#undef METRIC
#undef METRIC_HTTP
	gauge(out, "ready", "1 when /readyz says 200",
	      health_ready(a, config, &why));
	if (a->store && !store_stats(a->store, &stats, &e))
		store_numbers(out, &stats);
	clock_numbers(out, a->clock);
	gauge(out, "requests_waiting",
	      "Requests that wait for a request thread",
	      atomic_load(&a->http_counters->waiting));
	centra_gauges(out, a);
	if (a->live)
		screen_numbers(out, a->live);
	if (a->receiver)
		webhook_numbers(out, a->receiver);
	head(out, "build_info", "gauge", "The version, in a label");
	buf_fmt(out, "shipfrom_build_info{version=\"%s\"} 1\n",
		SHIPFROM_VERSION);
	config_drop(config);
}
