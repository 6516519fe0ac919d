/* SPDX-License-Identifier: MIT
 *
 * set_stock.c - see set_stock.h.
 */
#include "handlers/set_stock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "centra/stock.h"
#include "handlers/docs.h"
#include "handlers/run.h"
#include "handlers/stock_item.h"

#define ALONE_FIRST (10 * RUN_SECOND) /* ms until a count whose call of its own
				       * had an unknown outcome is sent again;
				       * doubled */
#define ALONE_DOUBLINGS 6
#define ALONE_LONGEST (ALONE_FIRST << ALONE_DOUBLINGS)
#define NAMED 0 /* the place, among the counts that go apart, of those that Centra
		 * has named in a refusal: before the others */

/* ---- the document of the call under way ---- */

/* The newest call of a warehouse. */
struct trial {
	struct doc doc; /* owned */
	bool open;    /* it was begun, and its outcome is not known */
	int64_t n;    /* calls so far */
	int64_t most; /* counts in the next call */
};

static void write_trial(struct trial *t, const char *const *keys, size_t n)
{
	struct buf b;

	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put_bool(&b, "open", t->open);
	json_put_int(&b, "n", t->n);
	json_put_int(&b, "most", t->most);
	json_begin_list(&b, "items");
	for (size_t i = 0; i < n; i++)
		json_put(&b, NULL, keys[i]);
	json_end_list(&b);
	json_end(&b);
	free(t->doc.text);
	t->doc.text = buf_detach(&b, NULL);
}

static void read_members(struct trial *t, const struct json *v)
{
	t->open = json_is_true(json_get(v, "open"));
	(void)json_whole(json_get(v, "n"), 0, INT64_MAX - 1, &t->n);
	(void)json_whole(json_get(v, "most"), 1, STOCK_SET_MAX, &t->most);
}

static enum rc read_trial(const struct work *w, struct trial *ret,
			  struct err *e)
{
	struct json *v = NULL;
	char key[24];
	enum rc rc;

	*ret = (struct trial){.most = STOCK_SET_MAX};
	snprintf(key, sizeof(key), "%" PRId64, -w->task->number);
	rc = w->docs->one(w, STOCK_RUN_KIND, key, &ret->doc, e);
	/* One that cannot be read may have been begun. */
	ret->open = rc == RC_INVALID || (!rc && ret->doc.rev);
	if (rc || !ret->doc.rev)
		return rc == RC_INVALID ? OK : rc;
	if (!json_parse(ret->doc.text, strlen(ret->doc.text), JSON_STRICT, &v,
			e))
		read_members(ret, v);
	json_free(v);
	return OK;
}

/* ---- what is to be sent ---- */

/* A count of the batch. */
struct chosen {
	struct doc doc; /* owned: as it was read */
	struct stock_item item;
};

struct batch {
	struct work *w;
	struct trial trial;
	struct chosen list[STOCK_SET_MAX];
	size_t n, most;
	struct doc read[STOCK_SET_MAX]; /* of one list */
	size_t n_read;
	int64_t until; /* documents at a later place are not taken */
	int64_t next;  /* when the next of them may be; TIME_NONE: none */
	bool too_old;  /* a count was found too old */
};

static void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		doc_release(&b->list[i].doc);
		stock_item_release(&b->list[i].item);
	}
	doc_release(&b->trial.doc);
}

static bool take_doc(void *arg, const struct doc *d)
{
	struct batch *b = arg;

	if (d->at > b->until) {
		b->next = d->at;
		return false;
	}
	b->read[b->n_read++] = doc_copy(d);
	return b->n_read < b->most;
}

/* Splits the key of a document, "27/ean/5901144123590". */
static bool split_key(const char *key, bool *ret_sku, const char **ret_code)
{
	const char *slash = strchr(key, '/');

	*ret_sku = slash && !strncmp(slash, "/sku/", 5);
	*ret_code = slash ? slash + 5 : "";
	return *ret_sku || (slash && !strncmp(slash, "/ean/", 5));
}

/* Adds the item as it is now, to be written if nothing else wrote it. */
static void keep(struct work *w, const struct stock_item *item,
		 const struct doc *was)
{
	struct doc d = doc_copy(was);

	stock_item_write(item, &d);
	changes_doc(&w->result.changes, &d, true);
	doc_release(&d);
}

/* Finds out when units of the item moved last; TIME_NONE: it is not known.  What a
 * clock that ran ahead has dated later than now moved before now. */
static enum rc moved_at(struct work *w, const char *key, int64_t *ret,
			struct err *e)
{
	struct doc d;
	enum rc rc = w->docs->one(w, STOCK_MOVE_KIND, key, &d, e);

	if (!rc && d.rev && !w->clock_unsure &&
	    d.at > w->now + STOCK_NOT_YET) {
		stock_move_write(&d, w->now);
		changes_doc(&w->result.changes, &d, true);
	}
	*ret = !rc && d.rev ? d.at : TIME_NONE;
	doc_release(&d);
	return rc == RC_INVALID ? OK : rc;
}

/* True if units of the item moved since the count was taken. */
static bool is_too_old(const struct stock_item *item, int64_t moved)
{
	return moved != TIME_NONE && item->counted_at <= moved;
}

/* Takes a document into the batch, unless its count is too old. */
static enum rc choose(struct batch *b, struct doc *d, struct err *e)
{
	struct chosen *c = &b->list[b->n];
	const char *code;
	int64_t moved;
	bool by_sku;
	enum rc rc;

	if (!split_key(d->key, &by_sku, &code))
		return fail(e, RC_INVALID, "the count '%s' has no name that "
					   "can be read", d->key);
	rc = stock_item_read(&c->item, d, -b->w->task->number, by_sku, code,
			     e);
	if (!rc)
		rc = moved_at(b->w, d->key, &moved, e);
	if (rc) {
		stock_item_release(&c->item);
		return rc;
	}
	if (is_too_old(&c->item, moved)) {
		stock_item_end(&c->item, c->item.n, c->item.quantity,
			       c->item.counted_at, STOCK_TOO_OLD, NULL,
			       b->w->now);
		keep(b->w, &c->item, d);
		stock_item_release(&c->item);
		b->too_old = true;
		return OK;
	}
	c->doc = doc_copy(d);
	b->n++;
	return OK;
}

/* Takes counts from a list, until the batch is full. */
static enum rc take_list(struct batch *b, const char *name, int64_t until,
			 size_t most, struct err *e)
{
	char list[DOC_LIST_SIZE];
	enum rc rc;

	b->n_read = 0;
	b->most = most - b->n;
	b->until = until;
	b->next = TIME_NONE;
	if (b->n >= most)
		return OK;
	snprintf(list, sizeof(list), "%" PRId64 "/%s", -b->w->task->number,
		 name);
	rc = b->w->docs->listed(b->w, STOCK_ITEM_KIND, list, NULL, take_doc, b,
				e);
	if (rc == RC_INVALID)
		rc = OK; /* rows that cannot be read hide no others */
	for (size_t i = 0; i < b->n_read; i++) {
		if (!rc)
			rc = choose(b, &b->read[i], e);
		if (rc == RC_INVALID)
			rc = OK;
		doc_release(&b->read[i]);
	}
	return rc;
}

static void earlier(int64_t *next, int64_t at)
{
	if (at != TIME_NONE && (*next == TIME_NONE || at < *next))
		*next = at;
}

/* Takes the counts that wait for quiet hours, if it is time for them. */
static enum rc take_quiet(struct batch *b, size_t most, int64_t *next,
			  struct err *e)
{
	const struct work *w = b->w;
	int64_t wait = hours_wait(&w->quiet, zone_offset(w->zone, w->now),
					w->now);
	/* Outside of quiet hours the list is only asked whether it is empty. */
	enum rc rc = take_list(b, "quiet", wait ? INT64_MIN : INT64_MAX, most,
			       e);

	if (!rc && wait && b->next != TIME_NONE)
		earlier(next, w->now + wait);
	return rc;
}

static size_t most_of(const struct batch *b)
{
	return centra_sets_many(b->w->centra) ? (size_t)b->trial.most : 1;
}

/* Takes counts that go apart: those that Centra has named in a refusal together,
 * or else one whose call had an unknown outcome, if it is time for one.  It never
 * waits for longer than ALONE_LONGEST: else the clock was set back. */
static enum rc take_alone(struct batch *b, int64_t *next, struct err *e)
{
	enum rc rc = take_list(b, "alone", NAMED, most_of(b), e);

	if (!rc && !b->n)
		rc = take_list(b, "alone", b->w->now, 1, e);
	if (!rc && !b->n && b->next != TIME_NONE &&
	    b->next > b->w->now + ALONE_LONGEST)
		rc = take_list(b, "alone", INT64_MAX, 1, e);
	if (!rc)
		earlier(next, b->next);
	return rc;
}

static enum rc take_others(struct batch *b, int64_t *next, struct err *e)
{
	size_t most = most_of(b);
	enum rc rc = take_list(b, "waiting", INT64_MAX, most, e);

	return rc ? rc : take_quiet(b, most, next, e);
}

/* Chooses what the next call sends: counts that go apart, or others.  They take
 * turns, so that neither keeps the other.  *next: when something else
 * may be sent; TIME_NONE: nothing waits. */
static enum rc fill(struct batch *b, int64_t *next, struct err *e)
{
	bool alone = b->trial.n % 2;
	enum rc rc;

	*next = TIME_NONE;
	rc = alone ? take_alone(b, next, e) : take_others(b, next, e);
	if (rc || b->n)
		return rc;
	return alone ? take_others(b, next, e) : take_alone(b, next, e);
}

/* ---- one call ---- */

/* A begin_fn: the call is about to be made. */
static enum rc begun(void *arg, const struct order *o, struct changes *ret,
		     struct err *e)
{
	const struct trial *t = arg;

	(void)o;
	(void)e;
	changes_doc(ret, &t->doc, false);
	return OK;
}

static enum rc begin(struct batch *b, struct err *e)
{
	const char *keys[STOCK_SET_MAX];

	for (size_t i = 0; i < b->n; i++)
		keys[i] = b->list[i].doc.key;
	b->trial.open = true;
	b->trial.n++;
	write_trial(&b->trial, keys, b->n);
	return b->w->begin(b->w, begun, &b->trial, e);
}

static void call(struct batch *b, struct centra_stock_set *ret)
{
	struct centra_count counts[STOCK_SET_MAX];
	char description[120], newest[TIME_ISO_SIZE];
	int64_t at = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct stock_item *item = &b->list[i].item;

		counts[i] = (struct centra_count){
			.ean = item->by_sku ? NULL : item->code,
			.sku = item->by_sku ? item->code : NULL,
			.quantity = item->quantity,
		};
		if (item->counted_at > at)
			at = item->counted_at;
	}
	snprintf(description, sizeof(description),
		 "shipfrom %" PRId64 "-%" PRId64 ": %zu counted, newest %s",
		 -b->w->task->number, b->trial.n, b->n,
		 time_iso(newest, at, 0, false));
	graphql_set_stock(b->w->centra, -b->w->task->number, description,
			  counts, b->n, ret);
	run_called(b->w, CENTRA_GRAPHQL, "setStock", &ret->done.call);
}

/* ---- what came of it ---- */

/* Centra has the count.  If units moved while it was sent, Centra may have set it
 * after it lowered or raised its figure for them: then that figure is wrong. */
static enum stock_state set_as(const struct batch *b, size_t i)
{
	const struct chosen *c = &b->list[i];
	int64_t moved;
	struct err e;

	if (moved_at(b->w, c->doc.key, &moved, &e))
		return STOCK_DONE;
	return is_too_old(&c->item, moved) ? STOCK_TOO_OLD : STOCK_DONE;
}

/* Notes how the count that was sent ended, in the item as it is now: a newer
 * count may have come meanwhile. */
static void end_count(struct batch *b, size_t i, enum stock_state state,
		      const char *words)
{
	const struct stock_item *sent = &b->list[i].item;
	struct stock_item item;
	struct work *w = b->w;
	struct doc d = {0};
	struct err e;
	enum rc rc = w->docs->one(w, STOCK_ITEM_KIND, b->list[i].doc.key, &d,
				  &e);

	if (rc || !d.rev)
		return; /* it waits still, and is sent again */
	rc = stock_item_read(&item, &d, sent->warehouse, sent->by_sku,
			     sent->code, &e);
	if (!rc) {
		stock_item_end(&item, sent->n, sent->quantity,
			       sent->counted_at, state, words, w->now);
		keep(w, &item, &d);
	}
	stock_item_release(&item);
	doc_release(&d);
}

/* Has a count sent in a call of its own, `wait` ms from now at the earliest. */
static void send_alone(struct batch *b, int64_t wait)
{
	struct stock_item *item = &b->list[0].item;

	item->alone = true;
	item->after = b->w->now + wait;
	item->tries++;
	keep(b->w, item, &b->list[0].doc);
}

/* Has a count sent apart from those that Centra has not named, or with them. */
static void set_apart(struct batch *b, size_t i, bool apart)
{
	struct stock_item *item = &b->list[i].item;

	if (item->alone == apart && (!apart || item->after == NAMED))
		return;
	item->alone = apart;
	item->after = NAMED;
	keep(b->w, item, &b->list[i].doc);
}

static void halve(struct batch *b)
{
	b->trial.most = b->n > 1 ? (int64_t)b->n / 2 : 1;
}

static void done(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		end_count(b, i, set_as(b, i), b->list[i].item.text);
	b->trial.most = b->trial.most > STOCK_SET_MAX / 2 ? STOCK_SET_MAX
							  : 2 * b->trial.most;
}

/* Centra has set none of the counts.  Those that it names are told as refused only
 * when a call has no others: then it does not matter how it counts places. */
static void refused(struct batch *b, const struct centra_stock_set *s)
{
	const char *words;
	size_t named = 0;

	for (size_t i = 0; i < b->n; i++)
		named += s->refused[i] != NULL;
	for (size_t i = 0; i < b->n; i++) {
		words = s->refused[i] ? s->refused[i] : s->done.error;
		if (named == b->n || b->n == 1)
			end_count(b, i, stock_refusal(words), words);
		else if (named)
			set_apart(b, i, s->refused[i]);
	}
	if (!named && b->n > 1)
		halve(b);
}

/* The outcome is unknown, or Centra did not understand the call.  The counts wait
 * still; a single one, which may be the cause, waits for longer and behind the
 * others. */
static void put_off(struct batch *b)
{
	const struct stock_item *item = &b->list[0].item;
	unsigned n = item->tries < ALONE_DOUBLINGS ? item->tries
						   : ALONE_DOUBLINGS;

	halve(b);
	if (b->n == 1)
		send_alone(b, (int64_t)ALONE_FIRST << n);
}

/* Records what came of the call.  True: the next may follow. */
static bool replied(struct batch *b, const struct centra_stock_set *s)
{
	const struct call *c = &s->done.call;
	struct work *w = b->w;

	b->trial.open = c->end == CALL_UNKNOWN;
	if (c->end == CALL_OK && s->done.error)
		refused(b, s);
	else if (c->end == CALL_OK)
		done(b);
	else if (c->end == CALL_UNKNOWN || s->done.misread)
		put_off(b);
	if (s->done.misread)
		run_alarm(w, CENTRA_GRAPHQL, c->why.text);
	if (c->end != CALL_OK)
		run_retry(w, run_why_call(c),
			  c->end == CALL_UNKNOWN && w->settle > 0
				  ? w->settle
				  : run_wait_long(w, c),
			  "%s", c->why.text);
	write_trial(&b->trial, NULL, 0);
	changes_doc(&w->result.changes, &b->trial.doc, false);
	return c->end == CALL_OK;
}

/* Sends the batch.  True: the next may follow. */
static bool send(struct batch *b)
{
	struct centra_stock_set got = {0};
	struct work *w = b->w;
	struct call held = {0};
	struct err e = {""};
	bool ret;

	if (!centra_take_change(w->centra, &held)) {
		run_called(w, CENTRA_GRAPHQL, "setStock", &held);
		run_retry(w, run_why_call(&held), run_wait_long(w, &held), "%s",
			  held.why.text);
		return false;
	}
	if (begin(b, &e)) {
		centra_give_back(w->centra, CENTRA_GRAPHQL);
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0),
			  run_wait_long(w, NULL), "%s", e.text);
		return false;
	}
	call(b, &got);
	centra_give_back(w->centra, CENTRA_GRAPHQL); /* of one not sent */
	ret = replied(b, &got);
	centra_stock_set_release(&got);
	return ret;
}

/* Runs again at `next`; TIME_NONE: nothing waits. */
static void go_on(struct work *w, int64_t next)
{
	if (next != TIME_NONE)
		changes_task(&w->result.changes, TASK_SET_STOCK, 0, next);
}

static void unread(struct work *w, const struct err *e)
{
	run_retry(w, run_why(WHY_NOT_SHOWN, 0), run_wait_long(w, NULL), "%s",
		  e->text);
}

/* True while Centra may still act on a call whose outcome is unknown: then the
 * run has ended. */
static bool settling(struct batch *b)
{
	struct work *w = b->w;

	if (!b->trial.open || w->since_try >= w->settle)
		return false;
	run_retry(w, run_why(WHY_SETTLING, 0), w->settle - w->since_try,
		  "Centra may still be about to act on the call before");
	return true;
}

static void set_stock(struct work *w)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	int64_t next = TIME_NONE;
	struct err e = {""};

	b->w = w;
	if (read_trial(w, &b->trial, &e))
		unread(w, &e);
	else if (settling(b))
		;
	else if (fill(b, &next, &e))
		unread(w, &e);
	else if (!b->n)
		go_on(w, b->too_old ? w->now : next);
	else if (send(b))
		go_on(w, w->now);
	batch_release(b);
	free(b);
}

void handle_set_stock(struct work *w, size_t n)
{
	(void)n; /* one a run */
	if (!w->centra) {
		run_retry(w, run_why(WHY_NOT_CONFIGURED, 0),
			  run_wait_long(w, NULL),
			  "the instance has no GraphQL address");
		return;
	}
	centra_conn_lane(w->centra, CENTRA_RECONCILE);
	set_stock(w);
	centra_conn_lane(w->centra, CENTRA_LIVE);
}
