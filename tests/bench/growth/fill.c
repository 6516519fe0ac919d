/* SPDX-License-Identifier: MIT
 *
 * fill.c - see fill.h.  Many deliveries are under way at once, so that the
 * writer commits thousands of events together.
 */
#include "tests/bench/growth/fill.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "handlers/event.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "store/store.h"

#define AT_ONCE	  64  /* deliveries under way */
#define DELIVERY  200 /* events of one */
#define STORE_MAX ((size_t)64 << 30)
#define RUN	  32 /* tasks that one run takes */

static bool is_ours(const void *arg, int64_t warehouse)
{
	(void)arg;
	return warehouse == 3;
}

static void derive(void *arg, struct order *o)
{
	(void)arg;
	offer_derive_for(NULL, o, is_ours, NULL);
}

/* ---- deliveries ---- */

struct slot {
	struct filling *of;
	struct store_done done;
	struct delivery delivery;
	struct recorded recorded;
	struct event events[DELIVERY];
	bool busy;
};

struct filling {
	struct store *store;
	const struct fill *f;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct slot slots[AT_ONCE];
	int64_t serial; /* of the next event: its date follows from it */
	bool failed;
};

static void on_done(struct store_done *d, enum rc rc, const struct err *e)
{
	struct slot *s = d->arg;
	struct filling *f = s->of;

	pthread_mutex_lock(&f->lock);
	if (rc && !f->failed)
		fprintf(stderr, "bench: the store cannot be filled: %s\n",
			e->text);
	f->failed |= rc != OK;
	s->busy = false;
	pthread_cond_signal(&f->freed);
	pthread_mutex_unlock(&f->lock);
}

/* Waits for a free slot; with `all`, until all are free. */
static struct slot *slot_wait(struct filling *f, bool all)
{
	struct slot *ret = NULL;
	size_t busy;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		busy = 0;
		ret = NULL;
		for (size_t i = 0; i < AT_ONCE; i++) {
			busy += f->slots[i].busy;
			if (!f->slots[i].busy)
				ret = &f->slots[i];
		}
		if (all ? !busy : ret != NULL)
			break;
		pthread_cond_wait(&f->freed, &f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return ret;
}

static void slot_clear(struct slot *s)
{
	for (size_t i = 0; i < s->delivery.n_events; i++)
		event_release(&s->events[i]);
	s->delivery.n_events = 0;
}

/* Dates grow from event to event, as Centra's do. */
static void date_event(struct filling *f, struct event *ev)
{
	int64_t n = f->serial++;
	time_t at = 1735689600 + n / 1000; /* 2025-01-01 */
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(ev->date, sizeof(ev->date), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(ev->date + 19, sizeof(ev->date) - 19, ".%06d",
		 (int)(n % 1000) * 1000);
}

/* FNV-1a, which is enough to tell these texts apart. */
static void digest_event(struct event *ev)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (const char *p = ev->data; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	if (ev->data)
		memcpy(ev->digest, &h, sizeof(h));
}

static struct event event_of(struct filling *f, const char *type,
			     const char *action, int64_t id, const char *data)
{
	struct event ev = {.id = id};

	(void)!copy_text(ev.type, sizeof(ev.type), type);
	(void)!copy_text(ev.action, sizeof(ev.action), action);
	ev.data = data ? xstrdup(data) : NULL;
	ev.task = handler_of_event(type, action);
	date_event(f, &ev);
	digest_event(&ev);
	return ev;
}

static void hand_in(struct filling *f, struct slot *s)
{
	struct err e = {""};
	enum rc rc;

	if (!s->delivery.n_events)
		return;
	s->of = f;
	s->busy = true;
	s->done = (struct store_done){.fn = on_done, .arg = s};
	s->delivery.instance = "se";
	s->delivery.received = time_now() + f->f->ahead;
	s->delivery.events = s->events;
	rc = store_record(f->store, &s->delivery, &s->recorded, &s->done, &e);
	if (rc)
		on_done(&s->done, rc, &e);
}

#define OFFER                                                                 \
	"{\"warehouses\":["                                                   \
	"{\"expirationAt\":\"2036-01-12T16:21:00+01:00\",\"warehouseId\":2}," \
	"{\"expirationAt\":\"2036-01-12T16:21:00+01:00\",\"warehouseId\":3}," \
	"{\"expirationAt\":\"2036-01-12T16:21:00+01:00\",\"warehouseId\":4}]}"

enum what { KEPT, OFFERED, TAKEN };

/* Makes one event of each of n numbers and records them all. */
static void record_all(struct filling *f, enum what what, int64_t first,
		       long n)
{
	struct slot *s = NULL;

	for (long i = 0; i < n && !f->failed; i++) {
		struct event ev;

		if (!s) {
			s = slot_wait(f, false);
			slot_clear(s);
		}
		if (what == KEPT)
			ev = event_of(f, "customer", "update", first + i, NULL);
		else if (what == OFFERED)
			ev = event_of(f, "check_first", "create", first + i,
				      OFFER);
		else
			ev = event_of(f, "check_first", "accepted", first + i,
				      "{\"warehouseId\":2}");
		s->events[s->delivery.n_events++] = ev;
		if (s->delivery.n_events == DELIVERY) {
			hand_in(f, s);
			s = NULL;
		}
	}
	if (s)
		hand_in(f, s);
	slot_wait(f, true);
}

/* ---- tasks ---- */

#define TASKS_AT_ONCE 1000

static int add_tasks(struct store *s, int64_t first, long n)
{
	struct task *list = xcalloc(TASKS_AT_ONCE, sizeof(*list));
	int64_t now = time_now();
	struct err e = {""};
	enum rc rc = OK;

	for (long done = 0, some; done < n && !rc; done += some) {
		some = n - done < TASKS_AT_ONCE ? n - done : TASKS_AT_ONCE;
		for (long i = 0; i < some; i++) {
			list[i] = (struct task){.kind = TASK_FETCH_ORDER,
						.instance = "se",
						.number = first + done + i,
						.created = now,
						.due = now,
						.again = TIME_NONE};
		}
		rc = store_tasks_add(s, list, (size_t)some, &e);
	}
	free(list);
	if (rc)
		fprintf(stderr, "bench: no tasks can be added: %s\n", e.text);
	return rc ? -1 : 0;
}

/* ---- tasks that were tried ---- */

static unsigned batch(const char *kind)
{
	(void)kind;
	return RUN;
}

/* Ends each task that is due with that result, once. */
static int end_tasks(struct store *s, const struct result *r, int64_t now)
{
	struct task tasks[RUN];
	struct finish ends[RUN];
	int64_t next;
	struct err e = {""};
	enum rc rc = OK;
	size_t n;

	while (!rc) {
		rc = store_lease(s, now, batch, tasks, RUN, &n, &next, &e);
		for (size_t i = 0; !rc && i < n; i++)
			ends[i] = (struct finish){.task = &tasks[i],
						  .result = r};
		if (!rc)
			store_finish_all(s, ends, n, now);
		for (size_t i = 0; !rc && i < n; i++)
			task_release(&tasks[i]);
	}
	if (rc == RC_NOTFOUND)
		return 0;
	fprintf(stderr, "bench: no task can end: %s\n", e.text);
	return -1;
}

static int fail_tasks(struct store *s, int64_t put_off)
{
	struct result r = {
		.how = OUTCOME_RETRY,
		.reason = {.text = "the Order API does not answer"},
	};
	int64_t now = time_now() + 1;

	r.due = now + put_off;
	return end_tasks(s, &r, now);
}

static int finish_tasks(struct store *s, int64_t now)
{
	const struct result r = {.how = OUTCOME_DONE};

	return end_tasks(s, &r, now);
}

/* ---- all ---- */

static uint64_t used(struct store *s)
{
	struct store_stats st = {0};
	struct err e;

	(void)!store_stats(s, &st, &e);
	return st.used_bytes;
}

static int fill_all(struct filling *f, struct filled *ret)
{
	const struct fill *want = f->f;
	struct store_stats st = {0};
	uint64_t before = used(f->store);
	struct err e;

	f->serial = want->first;
	record_all(f, OFFERED, want->first, want->orders);
	record_all(f, TAKEN, want->first, want->orders);
	ret->orders = used(f->store) - before;
	record_all(f, OFFERED, want->first + want->orders, want->open);
	before = used(f->store);
	record_all(f, KEPT, want->first, want->kept);
	ret->kept = used(f->store) - before;
	if (!f->failed && add_tasks(f->store, want->first + want->orders +
						      want->open, want->tasks))
		f->failed = true;
	if (!f->failed && want->put_off &&
	    fail_tasks(f->store, want->put_off + want->ahead) != 0)
		f->failed = true;
	if (!f->failed && want->ended &&
	    finish_tasks(f->store, time_now() + want->ahead) != 0)
		f->failed = true;
	if (!f->failed && store_stats(f->store, &st, &e))
		f->failed = true;
	ret->used = st.used_bytes;
	ret->waiting = st.tasks_waiting;
	return f->failed ? -1 : 0;
}

int fill_store(const char *url, const struct fill *want, struct filled *ret)
{
	const struct store_options o = {
		.url = url,
		.max_bytes = STORE_MAX,
		.serve = true,
		.derive = derive,
		.apply = event_apply,
		.event_kinds = event_kinds,
		.place = handler_place,
		.fetch_kind = TASK_FETCH_ORDER,
	};
	struct filling *f = xcalloc(1, sizeof(*f));
	int64_t began = time_mono();
	struct err e = {""};
	int rc = -1;

	*ret = (struct filled){0};
	f->f = want;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->freed, NULL);
	if (store_open(&f->store, &o, &e)) {
		fprintf(stderr, "bench: no store to fill: %s\n", e.text);
		goto out;
	}
	rc = fill_all(f, ret);
	store_close(f->store);
out:
	for (size_t i = 0; i < AT_ONCE; i++)
		slot_clear(&f->slots[i]);
	pthread_cond_destroy(&f->freed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	ret->seconds = (double)(time_mono() - began) / 1000;
	return rc;
}
