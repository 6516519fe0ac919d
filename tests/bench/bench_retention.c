/* SPDX-License-Identifier: MIT
 *
 * bench_retention.c - what webhooks feel of the removal of old data.
 *
 *	bench_retention FOLDER [EVENTS [SECONDS]]
 *
 * Fills a store in FOLDER, a new folder, with EVENTS old events (200,000), half of
 * them of orders that have ended, all older than their ages.  Then webhooks come,
 * 500 a second whether or not those before are stored (open loop), for SECONDS
 * (10): first with nothing else going on, then while retention works as in the
 * server.  A webhook's time counts from when it was due until it was on disk;
 * HTTP is left out.  BENCH_ROUNDS: how often (3).
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "handlers/event.h"
#include "handlers/handlers.h"
#include "server/storage/storage.h"
#include "server/worker/retention.h"
#include "server/worker/worker.h"
#include "tests/bench/rows.h"

#define RATE	 500
#define AT_ONCE	 256 /* deliveries that are handed in together, while filling */
#define OLD	 INT64_C(43200000000) /* ms: 500 days */
#define CREATED                                                               \
	"{\"warehouses\":[{\"expirationAt\":\"2020-01-12T16:21:00+01:00\","   \
	"\"warehouseId\":3}]}"
#define TIMED_OUT "{\"warehouseId\":3}"

struct webhook {
	struct store_done done;
	struct delivery delivery;
	struct event event;
	int64_t due, stored; /* us, steady clock */
};

struct bench {
	const char *folder;
	struct store *store;
	struct config_holder *config;
	struct counters counters;
	struct worker_parts parts;
	int64_t number; /* the first that no order has */
	atomic_bool stop;
	int64_t removing; /* us for which retention was at work */
};

static sem_t told;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static _Noreturn void die(const struct err *e)
{
	fprintf(stderr, "bench_retention: %s\n", e->text);
	exit(1);
}

static void is_stored(struct store_done *d, enum rc rc, const struct err *e)
{
	struct webhook *w = (struct webhook *)d;

	if (rc)
		die(e);
	w->stored = now_us();
	sem_post(&told);
}

/* Makes a webhook about an order; `nth` makes its event unlike others. */
static void make(struct webhook *w, int64_t number, int64_t nth, int64_t at,
		 const char *action, const char *data)
{
	struct event *ev = &w->event;

	*ev = (struct event){.id = number, .received = at, .data = xstrdup(data)};
	snprintf(ev->type, sizeof(ev->type),
		 action ? "check_first" : "customer");
	snprintf(ev->action, sizeof(ev->action), "%s",
		 action ? action : "update");
	snprintf(ev->date, sizeof(ev->date), "2020-01-11 16:%02d:%02d.%06d",
		 (int)(nth / 60000000 % 60), (int)(nth / 1000000 % 60),
		 (int)(nth % 1000000));
	memcpy(ev->digest, &nth, sizeof(nth));
	ev->task = action ? TASK_CHECK_FIRST : NULL;
	w->delivery = (struct delivery){.instance = "se",
					.received = at,
					.now = at,
					.events = ev,
					.n_events = 1};
	w->done.fn = is_stored;
}

static void hand_in(struct bench *b, struct webhook *w)
{
	struct err e;

	if (store_record(b->store, &w->delivery, NULL, &w->done, &e))
		die(&e);
}

static void await(size_t n)
{
	while (n)
		n -= !sem_wait(&told);
}

/* ---- filling ---- */

/* Of four events two are of one order, which has ended with the second. */
static void make_old(struct bench *b, struct webhook *w, long i, int64_t at)
{
	if (i % 4 == 0)
		make(w, b->number, b->number * 4, at, "create", CREATED);
	else if (i % 4 == 1)
		make(w, b->number, b->number * 4 + 1, at, "timeout",
		     TIMED_OUT);
	else
		make(w, b->number + 1000000000, b->number * 4 + i % 4, at,
		     NULL, "{}");
	b->number += i % 4 == 3;
}

static void fill(struct bench *b, long events)
{
	static struct webhook w[AT_ONCE];
	int64_t at = time_now() - OLD;

	for (long i = 0; i < events; i += AT_ONCE) {
		for (long k = 0; k < AT_ONCE; k++)
			make_old(b, &w[k], i + k, at + i);
		for (long k = 0; k < AT_ONCE; k++)
			hand_in(b, &w[k]);
		await(AT_ONCE);
		for (long k = 0; k < AT_ONCE; k++)
			event_release(&w[k].event);
	}
}

/* ---- webhooks at a rate ---- */

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void sleep_until(int64_t us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		; /* a signal came */
}

/* Returns the p99 and the worst time of a webhook, ms. */
static double webhooks(struct bench *b, long seconds, double *ret_worst)
{
	size_t n = (size_t)seconds * RATE;
	struct webhook *w = xcalloc(n, sizeof(*w));
	int64_t *took = xcalloc(n, sizeof(*took));
	int64_t began = now_us() + 1000;
	double p99;

	for (size_t i = 0; i < n; i++) {
		w[i].due = began + (int64_t)i * 1000000 / RATE;
		make(&w[i], b->number, b->number * 4, time_now(), "create",
		     CREATED);
		b->number++;
		sleep_until(w[i].due);
		hand_in(b, &w[i]);
	}
	await(n);
	for (size_t i = 0; i < n; i++) {
		took[i] = w[i].stored - w[i].due;
		event_release(&w[i].event);
	}
	qsort(took, n, sizeof(*took), by_time);
	p99 = (double)took[n * 99 / 100] / 1e3;
	*ret_worst = (double)took[n - 1] / 1e3;
	free(took);
	free(w);
	return p99;
}

/* ---- retention ---- */

static void *retain(void *arg)
{
	struct bench *b = arg;
	struct retention r = {0};
	int64_t began = now_us(), wait = 0;

	while (!atomic_load(&b->stop)) {
		wait = retention_step(&r, &b->parts, time_mono());
		if (r.running)
			b->removing = now_us() - began;
		else
			break; /* all is removed */
		sleep_until(now_us() + wait * 1000);
	}
	return NULL;
}

static unsigned long long removed(const struct bench *b)
{
	return atomic_load(&b->counters.removed_events_total) +
	       atomic_load(&b->counters.removed_orders_total) +
	       atomic_load(&b->counters.removed_changes_total);
}

static void measure(struct bench *b, long seconds)
{
	double alone, beside, worst, worst_beside, rate;
	pthread_t t;

	webhooks(b, 2, &worst); /* the disk still writes what was filled in */
	alone = webhooks(b, seconds, &worst);
	if (pthread_create(&t, NULL, retain, b))
		exit(1);
	beside = webhooks(b, seconds, &worst_beside);
	atomic_store(&b->stop, true);
	pthread_join(t, NULL);
	rate = b->removing ? (double)removed(b) * 1e6 / (double)b->removing : 0;
	printf("p99 %.2f ms alone, %.2f ms while %.0f rows/s are removed "
	       "(%.2f times); worst %.1f and %.1f ms; %llu rows in %.1f s\n",
	       alone, beside, rate, beside / alone, worst, worst_beside,
	       removed(b), (double)b->removing / 1e6);
	row(SHIPFROM, "500 webhooks/s, p99", "ms", alone);
	row(SHIPFROM, "500 webhooks/s during retention, p99", "ms", beside);
	row(SHIPFROM, "500 webhooks/s during retention, worst", "ms",
	    worst_beside);
	row(SHIPFROM, "rows removed during 500 webhooks/s", "/s", rate);
}

/* ---- a round ---- */

static struct config *make_config(const struct bench *b, int round)
{
	struct config *c = NULL;
	struct buf report;
	struct err e;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/shipfrom.ini", b->folder);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fprintf(f,
		"[server]\nstore = lmdb:%s/data%d\n"
		"[centra se]\nwebhook_secret = s\n"
		"order_api_url = http://127.0.0.1:9/o\norder_api_key = k\n"
		"[shop a]\ncentra = se\nname = A\nwarehouses = 3\n",
		b->folder, round);
	fclose(f);
	buf_init(&report, 10000);
	if (config_load(&c, path, &report, &e))
		die(&e);
	buf_release(&report);
	return c;
}

static void round_of(const char *folder, int round, long events, long seconds)
{
	struct bench b = {.folder = folder, .number = 1};
	static const atomic_bool fine = false;
	struct config *c = make_config(&b, round);
	struct storage storage = {.started = c};
	struct err e;

	b.config = config_holder_open(c);
	storage.present = b.config;
	if (storage_serve(&b.store, &storage, NULL, NULL, NULL, &e))
		die(&e);
	b.parts = (struct worker_parts){.store = b.store,
					.config = b.config,
					.counters = &b.counters,
					.failed = &fine};
	fill(&b, events);
	measure(&b, seconds);
	store_close(b.store);
	config_holder_close(b.config);
}

int main(int argc, char **argv)
{
	long events = argc > 2 ? strtol(argv[2], NULL, 10) : 200000;
	long seconds = argc > 3 ? strtol(argv[3], NULL, 10) : 10;
	const char *rounds = getenv("BENCH_ROUNDS");
	long n = rounds ? strtol(rounds, NULL, 10) : 3;

	if (argc < 2 || events < AT_ONCE || seconds < 1 || seconds > 60) {
		fprintf(stderr, "usage: bench_retention FOLDER [EVENTS "
				"[SECONDS]]\n");
		return 64;
	}
	log_set_level(LOG_WARN);
	sem_init(&told, 0, 0);
	for (int i = 0; i < (int)n; i++)
		round_of(argv[1], i, events, seconds);
	return 0;
}
