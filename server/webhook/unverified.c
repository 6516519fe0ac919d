/* SPDX-License-Identifier: MIT
 *
 * unverified.c - see unverified.h.
 *
 * A retry goes through the list once, in small steps, so that the loop can
 * serve other requests between them.  An item is taken out of the list while it
 * is being recorded, and put back if it was not stored.
 */
#include "server/webhook/unverified.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/webhook/delivery.h"
#include "server/webhook/receive_private.h"
#include "server/webhook/record.h"

#define AT_ONCE	      64	  /* items that are being recorded at once */
#define BYTES_A_TURN  (256 << 10) /* bytes that are judged before the loop
				   * serves others */
#define EACH_COSTS    200	  /* bytes of an item's struct and its place in
				   * memory */
#define RETRY_MS      30000 /* ms that a request waits for the end of a retry */
#define SHOWN_MOST    2000

struct item {
	TAILQ_ENTRY(item) link;
	struct unverified *of;
	uint64_t id; /* ascending */
	char instance[INSTANCE_SIZE];
	char peer[64];
	int64_t received;
	char *header; /* owned */
	char *body;   /* owned */
	size_t len, cost;
};

/* The results of one retry. */
struct counts {
	uint64_t judged, genuine, stale, fresh, duplicates, quarantined,
		not_stored;
};

struct unverified {
	struct receiver *receiver; /* borrowed */
	size_t most;
	atomic_size_t bytes, n; /* read by any thread */
	uint64_t last_id;
	TAILQ_HEAD(items, item) list; /* owned; the oldest item first */

	bool running, again;
	bool stopped; /* the loop has ended: no item is recorded any more */
	struct item *cursor; /* the next item to be judged */
	unsigned recording;
	struct counts counts;
	struct request *waits; /* the request that waits for the end of this
			        * retry; or NULL */
	struct http_call turn; /* continues the retry after the loop has served
			        * others */
};

struct unverified *unverified_open(struct receiver *receiver, size_t most)
{
	struct unverified *r = xcalloc(1, sizeof(*r));

	r->receiver = receiver;
	r->most = most;
	TAILQ_INIT(&r->list);
	return r;
}

static void item_free(struct item *i)
{
	free(i->header);
	free(i->body);
	free(i);
}

static void take_out(struct unverified *r, struct item *i)
{
	if (r->cursor == i)
		r->cursor = TAILQ_NEXT(i, link);
	TAILQ_REMOVE(&r->list, i, link);
	r->bytes -= i->cost;
	r->n--;
}

void unverified_close(struct unverified *r)
{
	struct item *i, *next;

	if (!r)
		return;
	for (i = TAILQ_FIRST(&r->list); i; i = next) {
		next = TAILQ_NEXT(i, link);
		item_free(i);
	}
	free(r);
}

/* ---- keeping ---- */

static void make_room(struct unverified *r)
{
	struct item *oldest = TAILQ_FIRST(&r->list), *next;

	for (; oldest && r->bytes > r->most; oldest = next) {
		next = TAILQ_NEXT(oldest, link);
		COUNT(r->receiver->its.counters, webhooks_refused_dropped_total);
		take_out(r, oldest);
		item_free(oldest);
	}
}

/* Inserts an item, sorted by id. */
static void put_in(struct unverified *r, struct item *i)
{
	struct item *before = TAILQ_LAST(&r->list, items);

	while (before && before->id > i->id)
		before = TAILQ_PREV(before, items, link);
	if (before)
		TAILQ_INSERT_AFTER(&r->list, before, i, link);
	else
		TAILQ_INSERT_HEAD(&r->list, i, link);
	r->bytes += i->cost;
	r->n++;
	make_room(r);
}

void unverified_keep(struct unverified *r, const char *instance, const char *peer,
		  const char *header, const void *body, size_t len, int64_t now)
{
	size_t cost = EACH_COSTS + sizeof(struct item) + strlen(header) + len;
	struct item *i;

	if (cost > r->most)
		return;
	i = xcalloc(1, sizeof(*i));
	if (!copy_text(i->instance, sizeof(i->instance), instance)) {
		free(i);
		return;
	}
	if (!copy_text(i->peer, sizeof(i->peer), peer ? peer : ""))
		i->peer[0] = '\0';
	i->of = r;
	i->id = ++r->last_id;
	i->received = now;
	i->header = xstrdup(header);
	i->body = xmemdup(len ? body : "", len);
	i->len = len;
	i->cost = cost;
	put_in(r, i);
}

void unverified_count(const struct unverified *r, size_t *ret_n, size_t *ret_bytes)
{
	*ret_n = r->n;
	*ret_bytes = r->bytes;
}

/* ---- judging again ---- */

static void go_on(struct unverified *r);

static void log_run(const struct counts *c)
{
	if (!c->genuine && !c->stale)
		return;
	log_line(LOG_INFO, "refused deliveries verified after all",
		 LOG_N("genuine", (int64_t)c->genuine),
		 LOG_N("stale", (int64_t)c->stale),
		 LOG_N("new", (int64_t)c->fresh),
		 LOG_N("duplicates", (int64_t)c->duplicates),
		 LOG_N("quarantined", (int64_t)c->quarantined),
		 LOG_N("not_stored", (int64_t)c->not_stored));
}

static void begin_run(struct unverified *r)
{
	r->running = true;
	r->again = false;
	r->counts = (struct counts){0};
	r->cursor = TAILQ_FIRST(&r->list);
	go_on(r);
}

static void end_run(struct unverified *r)
{
	log_run(&r->counts);
	r->running = false;
	if (r->again)
		begin_run(r);
	else if (r->waits)
		request_resume(r->waits);
}

/* Called when the item is on disk, or could not be stored.  A recorded_fn. */
static void item_recorded(void *arg, enum rc rc, const struct recorded *n)
{
	struct item *i = arg;
	struct unverified *r = i->of;

	r->recording--;
	if (rc) {
		r->counts.not_stored++;
		put_in(r, i);
	} else {
		COUNT(r->receiver->its.counters, webhooks_refused_recovered_total);
		r->counts.fresh += n->fresh;
		r->counts.duplicates += n->duplicates;
		r->counts.quarantined += n->quarantined;
		item_free(i);
	}
	go_on(r);
}

/* Records an item with the time at which it was received.  False: the store
 * takes no delivery now. */
static bool record_item(struct unverified *r, struct item *i, bool stale,
			int secret)
{
	struct verifiers *v = r->receiver->verifiers;
	enum webhook_version version;
	struct delivery d;

	if (stale)
		delivery_stale(&d, i->instance, i->header, i->body, i->len,
			       i->received);
	else
		delivery_read(&d, &version, i->instance, i->header, i->body,
			      i->len, i->received);
	take_out(r, i);
	r->recording++;
	if (!record(r->receiver, &d, item_recorded, i)) {
		if (!stale)
			keys_signed(v, verifiers_find(v, i->instance), secret,
				    i->received);
		return true;
	}
	r->recording--;
	r->counts.not_stored++;
	put_in(r, i);
	return false;
}

static void next_turn(struct http_call *call)
{
	go_on(call->arg);
}

/* Judges some items and returns to the loop.  It is called again when an item
 * is recorded, or in the loop's next turn. */
static void go_on(struct unverified *r)
{
	size_t left = BYTES_A_TURN;

	if (r->stopped)
		return;
	while (r->cursor && r->recording < AT_ONCE && left) {
		struct item *i = r->cursor;
		int secret;
		enum verdict v = keys_check(
			verifiers_find(r->receiver->verifiers, i->instance),
			i->header, i->body, i->len, i->received, &secret);

		r->cursor = TAILQ_NEXT(i, link);
		r->counts.judged++;
		left = i->cost < left ? left - i->cost : 0;
		if (v != VERDICT_GENUINE && v != VERDICT_STALE)
			continue;
		r->counts.genuine += v == VERDICT_GENUINE;
		r->counts.stale += v == VERDICT_STALE;
		if (!record_item(r, i, v == VERDICT_STALE, secret))
			r->cursor = NULL;
	}
	if (r->recording)
		return;
	if (!r->cursor) {
		end_run(r);
		return;
	}
	r->turn = (struct http_call){.fn = next_turn, .arg = r};
	http_call(*r->receiver->its.http, &r->turn);
}

void unverified_stop(struct unverified *r)
{
	r->stopped = true;
}

void unverified_retry(struct unverified *r)
{
	if (r->running)
		r->again = true;
	else if (r->n)
		begin_run(r);
}

/* ---- routes of the admin's listener ---- */

static struct unverified *of_request(const struct request *req)
{
	return ((struct receiver *)req->context)->unverified;
}

void show_unverified(struct request *req, struct response *res)
{
	const struct unverified *r = of_request(req);
	struct buf *b = &res->body;
	const struct item *i;
	unsigned shown = 0;

	json_begin(b, NULL);
	json_put_uint(b, "count", atomic_load(&r->n));
	json_put_uint(b, "bytes", atomic_load(&r->bytes));
	json_begin_list(b, "refused");
	TAILQ_FOREACH(i, &r->list, link) {
		if (shown++ == SHOWN_MOST)
			break;
		json_begin(b, NULL);
		json_put_uint(b, "id", i->id);
		json_put(b, "instance", i->instance);
		json_put_time(b, "received", i->received, 0, true);
		json_put(b, "peer", i->peer);
		json_put_uint(b, "length", i->len);
		json_end(b);
	}
	json_end_list(b);
	json_end(b);
	respond_json(res, 200);
}

static void stop_waiting(void *state)
{
	struct unverified *r = state;

	r->waits = NULL;
}

static void answer_retried(struct request *req, struct response *res)
{
	const struct unverified *r = of_request(req);
	const struct counts *c = &r->counts;
	struct buf *b = &res->body;

	if (req->timed_out && r->running) {
		respond_problem(res, 503, "retrying",
				"it takes long; it goes on without you");
		res->retry_after = 10;
		return;
	}
	json_begin(b, NULL);
	json_put_uint(b, "genuine", c->genuine);
	json_put_uint(b, "stale", c->stale);
	json_put_uint(b, "new", c->fresh);
	json_put_uint(b, "duplicates", c->duplicates);
	json_put_uint(b, "quarantined", c->quarantined);
	json_put_uint(b, "not_stored", c->not_stored);
	json_put_uint(b, "left", atomic_load(&r->n));
	json_end(b);
	respond_json(res, 200);
}

void retry_unverified(struct request *req, struct response *res)
{
	struct unverified *r = of_request(req);

	if (r->waits) {
		respond_problem(res, 409, "retrying",
				"somebody else has asked for it just now");
		return;
	}
	unverified_retry(r);
	if (!r->running) { /* nothing to wait for */
		if (!r->n)
			r->counts = (struct counts){0};
		answer_retried(req, res);
		return;
	}
	r->waits = req;
	req->state = r;
	req->state_free = stop_waiting;
	request_later(req, answer_retried, time_mono() + RETRY_MS);
}
