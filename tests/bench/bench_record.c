/* SPDX-License-Identifier: MIT
 *
 * bench_record.c - what a webhook costs the store alone, without HTTP.
 *
 *	bench_record FOLDER [WEBHOOKS [AT_ONCE [OFFERS]]]
 *
 * Records WEBHOOKS deliveries, AT_ONCE of which are handed in before one waits,
 * each with one `create` of OFFERS offers (0: an event that is only stored), as
 * the server does: its handlers apply the events.  Prints the rate, the CPU time
 * of all threads, and the bytes on disk for each webhook.  Under callgrind or
 * perf it shows where the time goes.
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "centra/event.h"
#include "handlers/event.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "store/store.h"

#define AT_ONCE_MAX 4096

struct webhook {
	struct store_done done;
	struct delivery delivery;
	struct event event;
	struct recorded recorded;
};

static sem_t told;

static void derive(void *arg, struct order *o)
{
	(void)arg;
	offer_derive(NULL, o);
}

static void count(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)d;
	if (rc) {
		fprintf(stderr, "bench_record: %s\n", e->text);
		exit(1);
	}
	sem_post(&told);
}

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL +
	       u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* Makes the delivery of a new order; its event is freed when it is made anew. */
static void make(struct webhook *w, int64_t number, int offers)
{
	static uint64_t noise = 1;
	struct event *ev = &w->event;
	struct check_first *read;

	event_release(ev);
	*ev = (struct event){.id = number, .received = time_now()};
	snprintf(ev->type, sizeof(ev->type),
		 offers ? "check_first" : "customer");
	snprintf(ev->action, sizeof(ev->action), offers ? "create" : "update");
	snprintf(ev->date, sizeof(ev->date), "2026-01-11 16:21:00.%06d",
		 (int)(number % 1000000));
	for (size_t i = 0; i < sizeof(ev->digest); i++) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		ev->digest[i] = (unsigned char)(noise >> 56);
	}
	if (offers) {
		ev->task = TASK_CHECK_FIRST;
		ev->data = xstrdup("{\"warehouses\":[{\"expirationAt\":"
				   "\"2036-01-12T16:21:00+01:00\","
				   "\"warehouseId\":3}]}");
		read = xcalloc(1, sizeof(*read) +
				     (size_t)offers * sizeof(*read->offers));
		read->n_offers = (size_t)offers;
		for (int i = 0; i < offers; i++)
			read->offers[i] = (struct check_first_offer){
				.warehouse = 3 + i,
				.expires = 2083936860000,
				.offset_min = 60,
			};
		ev->decoded = read;
	}
	w->delivery = (struct delivery){
		.instance = "se",
		.received = ev->received,
		.now = ev->received,
		.events = ev,
		.n_events = 1,
	};
	w->done.fn = count;
}

static void run(struct store *s, long webhooks, long at_once, int offers)
{
	struct webhook *w = xcalloc((size_t)at_once, sizeof(*w));
	int64_t number = 1;
	struct err e;

	for (long done = 0; done < webhooks; done += at_once) {
		for (long i = 0; i < at_once; i++)
			make(&w[i], number++, offers);
		for (long i = 0; i < at_once; i++)
			if (store_record(s, &w[i].delivery, &w[i].recorded,
					 &w[i].done, &e)) {
				fprintf(stderr, "bench_record: %s\n", e.text);
				exit(1);
			}
		for (long i = 0; i < at_once; i++)
			while (sem_wait(&told))
				; /* a signal came */
	}
	for (long i = 0; i < at_once; i++)
		event_release(&w[i].event);
	free(w);
}

int main(int argc, char **argv)
{
	long webhooks = argc > 2 ? strtol(argv[2], NULL, 10) : 100000;
	long at_once = argc > 3 ? strtol(argv[3], NULL, 10) : 32;
	int offers = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1;
	struct store_options o = {
		.max_bytes = (uint64_t)16 << 30,
		.serve = true,
		.derive = derive,
		.apply = event_apply,
		.event_kinds = event_kinds,
		.place = handler_place,
		.fetch_kind = TASK_FETCH_ORDER,
	};
	struct store_stats before, after;
	int64_t began, wall, cpu;
	struct store *s;
	struct err e;
	char url[512];

	if (argc < 2 || webhooks < 1 || at_once < 1 || at_once > AT_ONCE_MAX ||
	    offers < 0 || offers > 100) {
		fprintf(stderr, "usage: bench_record FOLDER [WEBHOOKS "
				"[AT_ONCE [OFFERS]]]\n");
		return 64;
	}
	snprintf(url, sizeof(url), "lmdb:%s", argv[1]);
	o.url = url;
	sem_init(&told, 0, 0);
	if (store_open(&s, &o, &e) || store_stats(s, &before, &e)) {
		fprintf(stderr, "bench_record: %s\n", e.text);
		return 1;
	}
	began = time_mono();
	cpu = cpu_us();
	run(s, webhooks, at_once, offers);
	cpu = cpu_us() - cpu;
	wall = time_mono() - began;
	if (store_stats(s, &after, &e))
		return 1;
	printf("%d offers, %ld at once: %.0f/s, %.1f us of CPU and %.0f bytes "
	       "each, %.1f in a commit\n",
	       offers, at_once, (double)webhooks * 1000 / (double)(wall + 1),
	       (double)cpu / (double)webhooks,
	       (double)(after.used_bytes - before.used_bytes) /
		       (double)webhooks,
	       (double)webhooks / (double)(after.commits - before.commits));
	store_close(s);
	return 0;
}
