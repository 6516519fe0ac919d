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
#include "centra/products.h"
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
	bool left_out; /* a count was ended that is not to be sent */
	bool unsure;   /* a count was passed over that is too old, unless the
			* clock is wrong */
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

/* True if a clock that ran ahead has noted the time. */
static bool not_yet(const struct work *w, int64_t at)
{
	return !w->clock_unsure && at > w->now + STOCK_NOT_YET;
}

/* Raises *ret to the time when units moved by this code; what a clock that ran
 * ahead has dated later than now moved before now. */
static enum rc moved_by(struct work *w, const char *key, int64_t *ret,
			struct err *e)
{
	struct doc d;
	enum rc rc = w->docs->one(w, STOCK_MOVE_KIND, key, &d, e);

	if (!rc && d.rev && not_yet(w, d.at)) {
		stock_move_write(&d, w->now);
		changes_doc(&w->result.changes, &d, true);
	}
	if (!rc && d.rev && (*ret == TIME_NONE || d.at > *ret))
		*ret = d.at;
	doc_release(&d);
	return rc == RC_INVALID ? OK : rc;
}

/* Finds out when units of the item moved last, by whichever of its codes;
 * TIME_NONE: it is not known.  What moved before the store was restored from a
 * backup is not known. */
static enum rc moved_at(struct work *w, const struct stock_item *item,
			int64_t *ret, struct err *e)
{
	const char *codes[] = {item->by_sku ? NULL : item->code,
			       item->by_sku ? item->code : NULL,
			       item->size_ean, item->size_sku};
	char key[DOC_KEY_SIZE];
	enum rc rc = OK;

	*ret = w->renewed != TIME_NONE && !not_yet(w, w->renewed) ? w->renewed
								  : TIME_NONE;
	for (size_t i = 0; !rc && i < sizeof(codes) / sizeof(*codes); i++) {
		if (!codes[i] || !*codes[i])
			continue;
		stock_key(key, item->warehouse, i % 2, codes[i]);
		rc = moved_by(w, key, ret, e);
	}
	return rc;
}

/* True if units of the item moved since the count was taken. */
static bool is_too_old(const struct stock_item *item, int64_t moved)
{
	return moved != TIME_NONE && item->counted_at <= moved;
}

/* True if the count is so old that a movement after it may have been removed. */
static bool has_waited(const struct work *w, const struct stock_item *item)
{
	int64_t now = w->now - (w->clock_ahead > 0 ? w->clock_ahead : 0);

	return item->counted_at + STOCK_SENDABLE < now;
}

/* Ends a count that is not sent. */
static void leave_out(struct batch *b, struct stock_item *item,
		      const struct doc *d, enum stock_state state,
		      const char *words)
{
	stock_item_end(item, item->n, item->quantity, item->counted_at, state,
		       words, b->w->now);
	keep(b->w, item, d);
	b->left_out = true;
}

/* Reads the newest count that was sent for the item's size; what a clock that ran
 * ahead has dated later than now was counted before now. */
static enum rc sent_before(struct work *w, const struct stock_item *item,
			   struct stock_sent *ret, struct err *e)
{
	char key[DOC_KEY_SIZE];
	struct doc d;
	enum rc rc;

	stock_size_key(key, item->warehouse, item->size);
	rc = w->docs->one(w, STOCK_SIZE_KIND, key, &d, e);
	*ret = (struct stock_sent){.counted_at = TIME_NONE};
	if (!rc)
		stock_sent_read(ret, &d);
	if (ret->counted_at != TIME_NONE && not_yet(w, ret->counted_at)) {
		ret->counted_at = w->now;
		stock_sent_write(ret, &d);
		changes_doc(&w->result.changes, &d, true);
	}
	doc_release(&d);
	return rc == RC_INVALID ? OK : rc;
}

/* Ends a count if a newer one of the same size was sent by another code.  *ret:
 * none was. */
static enum rc supersede(struct batch *b, struct stock_item *item,
			 const struct doc *d, bool *ret, struct err *e)
{
	struct stock_sent sent;
	enum rc rc = OK;
	char *words;

	*ret = true;
	if (item->size > 0)
		rc = sent_before(b->w, item, &sent, e);
	if (rc || item->size <= 0 ||
	    !stock_is_superseded(item, d->key, &sent))
		return rc;
	words = xasprintf("a newer count of the same size was sent: %s",
			  strchr(sent.item, '/') ? strchr(sent.item, '/') + 1
						 : sent.item);
	leave_out(b, item, d, STOCK_SUPERSEDED, words);
	free(words);
	*ret = false;
	return OK;
}

/* True if the batch has a count of the same size, by another code: of two, the
 * other waits for the next call. */
static bool has_size(const struct batch *b, int64_t size)
{
	for (size_t i = 0; size > 0 && i < b->n; i++)
		if (b->list[i].item.size == size)
			return true;
	return false;
}

/* Finds out whether a count whose size was looked up is to be sent; if not, ends
 * it, or passes it over. */
static enum rc may_go(struct batch *b, struct stock_item *item,
		      const struct doc *d, bool *ret, struct err *e)
{
	bool waited = has_waited(b->w, item);
	int64_t moved;
	enum rc rc;

	*ret = false;
	if (waited && b->w->clock_unsure && !b->w->clock_ahead) {
		b->unsure = true;
		return OK;
	}
	rc = moved_at(b->w, item, &moved, e);
	if (rc)
		return rc;
	if (waited || is_too_old(item, moved)) {
		leave_out(b, item, d, STOCK_TOO_OLD, NULL);
		return OK;
	}
	return supersede(b, item, d, ret, e);
}

/* Takes a document into the batch, unless its count is too old, or a newer one of
 * the same size was sent or is about to be.  That is judged by all codes of its
 * size, once they are known. */
static enum rc choose(struct batch *b, struct doc *d, struct err *e)
{
	struct chosen *c = &b->list[b->n];
	const char *code;
	bool by_sku, go = true;
	enum rc rc;

	if (!split_key(d->key, &by_sku, &code))
		return fail(e, RC_INVALID, "the count '%s' has no name that "
					   "can be read", d->key);
	rc = stock_item_read(&c->item, d, -b->w->task->number, by_sku, code,
			     e);
	if (!rc && c->item.size)
		rc = may_go(b, &c->item, d, &go, e);
	if (rc || !go || has_size(b, c->item.size)) {
		stock_item_release(&c->item);
		return rc;
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

/* Notes that the newest count of a size is about to be sent. */
static enum rc note_sent(const struct batch *b, const struct chosen *c,
			 struct changes *ret, struct err *e)
{
	struct stock_sent sent = {.counted_at = c->item.counted_at,
				  .received = c->item.received};
	char key[DOC_KEY_SIZE];
	struct doc d;
	enum rc rc;

	if (c->item.size <= 0)
		return OK;
	memcpy(sent.item, c->doc.key, sizeof(sent.item));
	stock_size_key(key, c->item.warehouse, c->item.size);
	rc = doc_name(&d, STOCK_SIZE_KIND, b->w->task->instance, key, e);
	if (rc)
		return rc;
	stock_sent_write(&sent, &d);
	changes_doc(ret, &d, false);
	doc_release(&d);
	return OK;
}

/* A begin_fn: the call is about to be made. */
static enum rc begun(void *arg, const struct order *o, struct changes *ret,
		     struct err *e)
{
	const struct batch *b = arg;
	enum rc rc = OK;

	(void)o;
	changes_doc(ret, &b->trial.doc, false);
	for (size_t i = 0; !rc && i < b->n; i++)
		rc = note_sent(b, &b->list[i], ret, e);
	return rc;
}

static enum rc begin(struct batch *b, struct err *e)
{
	const char *keys[STOCK_SET_MAX];

	for (size_t i = 0; i < b->n; i++)
		keys[i] = b->list[i].doc.key;
	b->trial.open = true;
	b->trial.n++;
	write_trial(&b->trial, keys, b->n);
	return b->w->begin(b->w, begun, b, e);
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

	if (moved_at(b->w, &c->item, &moved, &e))
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
static void send_alone(struct batch *b, struct chosen *c, int64_t wait)
{
	c->item.alone = true;
	c->item.after = b->w->now + wait;
	c->item.tries++;
	keep(b->w, &c->item, &c->doc);
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

static void halve(struct batch *b, size_t n)
{
	b->trial.most = n > 1 ? (int64_t)n / 2 : 1;
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
		halve(b, b->n);
}

/* The outcome of a call about n counts is unknown, or Centra did not understand
 * it.  They wait still; a single one, c, which may be the cause, waits for longer
 * and behind the others. */
static void put_off(struct batch *b, struct chosen *c, size_t n)
{
	unsigned doublings = c->item.tries < ALONE_DOUBLINGS ? c->item.tries
							     : ALONE_DOUBLINGS;

	halve(b, n);
	if (n == 1)
		send_alone(b, c, (int64_t)ALONE_FIRST << doublings);
}

static void keep_trial(struct batch *b)
{
	write_trial(&b->trial, NULL, 0);
	changes_doc(&b->w->result.changes, &b->trial.doc, false);
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
		put_off(b, &b->list[0], b->n);
	if (s->done.misread)
		run_alarm(w, CENTRA_GRAPHQL, c->why.text);
	if (c->end != CALL_OK)
		run_retry(w, run_why_call(c),
			  c->end == CALL_UNKNOWN && w->settle > 0
				  ? w->settle
				  : run_wait_long(w, c),
			  "%s", c->why.text);
	keep_trial(b);
	return c->end == CALL_OK;
}

/* Runs again at `next`; TIME_NONE: nothing waits. */
static void go_on(struct work *w, int64_t next)
{
	if (next != TIME_NONE)
		changes_task(&w->result.changes, TASK_SET_STOCK, 0, next);
}

/* ---- which sizes they are ---- */

/* A lookup of sizes. */
struct sizing {
	struct chosen *of[SIZES_MAX]; /* counts of the batch */
	struct centra_wanted wanted[SIZES_MAX];
	size_t n;
};

static bool is_wanted(const struct centra_size *s,
		      const struct centra_wanted *wanted)
{
	const char *code = wanted->by == CODE_SKU ? s->sku : s->ean;

	return code && !strcmp(code, wanted->code);
}

/* Returns the size that was found by the i-th code; NULL: none.  *several: it is
 * one of several.  A size whose code is exactly that one hides those that Centra
 * takes for alike. */
static const struct centra_size *found(const struct centra_sizes *got,
				       const struct sizing *x, size_t i,
				       bool *several)
{
	const struct centra_size *ret = NULL;
	bool exact = false;

	*several = false;
	for (size_t k = 0; k < got->n; k++) {
		const struct centra_size *s = &got->list[k];

		if (s->wanted != i || (exact && !is_wanted(s, &x->wanted[i])))
			continue;
		*several = ret && ret->id != s->id &&
			   exact == is_wanted(s, &x->wanted[i]);
		exact = is_wanted(s, &x->wanted[i]);
		ret = s;
	}
	return ret;
}

static void note_size(struct batch *b, const struct sizing *x, size_t i,
		      const struct centra_sizes *got)
{
	struct chosen *c = x->of[i];
	bool several;
	const struct centra_size *s = found(got, x, i, &several);

	if (several) {
		leave_out(b, &c->item, &c->doc, STOCK_REFUSED,
			  "Centra has several sizes with this code");
		return;
	}
	stock_item_sized(&c->item, s ? s->id : STOCK_NO_SIZE,
			 s ? s->ean : NULL, s ? s->sku : NULL);
	keep(b->w, &c->item, &c->doc);
}

/* Chooses counts of the batch whose sizes are not known. */
static void choose_unsized(struct batch *b, struct sizing *ret)
{
	size_t most = b->trial.most < SIZES_MAX ? (size_t)b->trial.most
						: SIZES_MAX;

	for (size_t i = 0; i < b->n && ret->n < most; i++) {
		struct chosen *c = &b->list[i];

		if (c->item.size)
			continue;
		ret->of[ret->n] = c;
		ret->wanted[ret->n++] = (struct centra_wanted){
			c->item.by_sku ? CODE_SKU : CODE_EAN, c->item.code};
	}
}

/* Looks up which sizes some counts are of, and keeps that.  True: the run has done
 * so, or failed, and goes on in the next one.  False: all are known. */
static bool look_up(struct batch *b)
{
	struct centra_sizes got;
	struct work *w = b->w;
	struct sizing x = {.n = 0};
	bool ok;

	choose_unsized(b, &x);
	if (!x.n)
		return false;
	graphql_sizes(w->centra, x.wanted, x.n, 0, &got);
	run_called(w, CENTRA_GRAPHQL, "productSizes", &got.call);
	ok = got.call.end == CALL_OK || got.never;
	for (size_t i = 0; ok && i < x.n; i++)
		note_size(b, &x, i, &got);
	if (got.never)
		run_alarm(w, CENTRA_GRAPHQL, got.call.why.text);
	if (ok) {
		go_on(w, w->now);
	} else {
		if (got.call.end == CALL_UNKNOWN) {
			put_off(b, x.of[0], x.n);
			keep_trial(b);
		}
		run_retry(w, run_why_call(&got.call),
			  run_wait_long(w, &got.call), "%s",
			  got.call.why.text);
	}
	centra_sizes_release(&got);
	return true;
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
	else if (!b->n && b->unsure && !b->left_out)
		run_retry(w, run_why(WHY_CLOCK_UNSURE, 0),
			  run_wait_long(w, NULL),
			  "whether a count is too old is known once Centra has "
			  "confirmed the clock");
	else if (!b->n)
		go_on(w, b->left_out ? w->now : next);
	else if (!look_up(b) && send(b))
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
