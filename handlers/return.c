/* SPDX-License-Identifier: MIT
 *
 * return.c - the task `return` (of the order, sub 0): books the returns of an
 * order in Centra; see returns.h.
 *
 * One run books one return: it looks at the order, settles a call whose reply
 * was lost, and then makes one call for each shipment.  Before each call the
 * document says what is asked, and what Centra showed as returned.
 */
#include "handlers/returns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/returns.h"
#include "handlers/docs.h"
#include "handlers/return_fate.h"
#include "handlers/run.h"
#include "handlers/stock_item.h"

#define REASONS_MAX 400 /* bytes of a comment's reasons, at most */

/* A run under way. */
struct run {
	struct work *w;
	struct doc doc; /* owned: as it was read, for its rev */
	struct returns all;
	struct goods_return *r;
	struct centra_sold sold; /* owned: the look of this run */
	bool changed; /* `all` differs from the stored document */
};

/* ---- the document ---- */

static bool read_doc(struct run *x)
{
	struct work *w = x->w;
	struct err e = {""};
	char key[24];
	enum rc rc;

	doc_release(&x->doc);
	returns_release(&x->all);
	snprintf(key, sizeof(key), "%" PRId64, w->task->number);
	rc = w->docs->one(w, RETURN_KIND, key, &x->doc, &e);
	if (!rc)
		rc = returns_read(x->doc.text, &x->all, &e);
	if (rc == RC_INVALID)
		run_dead(w, "%s", e.text);
	else if (rc)
		run_retry(w, run_why(WHY_NOT_SHOWN, 0), run_wait_long(w, NULL),
			  "%s", e.text);
	return !rc;
}

/* Adds the document, as the run has changed it, to the changes. */
static enum rc add_doc(const struct run *x, struct changes *ret, struct err *e)
{
	struct doc d = {0};
	enum rc rc = returns_doc(&x->all, x->w->task->instance,
				 x->w->task->number, x->w->now, &d, e);

	if (rc)
		return rc;
	d.rev = x->doc.rev;
	changes_doc(ret, &d, true);
	doc_release(&d);
	return OK;
}

static struct return_part *under_way(const struct goods_return *r)
{
	return &r->parts[r->n_parts - 1];
}

/* ---- how a return ends ---- */

static void set_text(char **field, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*field);
	*field = copy;
}

static void end(struct run *x, enum return_state state, const char *code,
		const char *error)
{
	x->r->state = state;
	x->r->ended = x->w->now;
	set_text(&x->r->code, code);
	set_text(&x->r->error, error);
	x->changed = true;
}

/* Nobody knows what is booked. */
static void unsure(struct run *x, const char *why)
{
	end(x, RETURN_UNSURE, "unsure", why);
}

/* Nothing of it is booked. */
static void refused(struct run *x, const char *code, const char *error)
{
	x->r->untold = x->w->now - x->r->at > x->w->answer_wait;
	end(x, RETURN_REFUSED, code, error);
}

/* Notes that goods of the part under way go into the warehouse, for counts of
 * its stock. */
static void add_movement(const struct run *x, struct changes *ret)
{
	const struct goods_return *r = x->r;
	const struct return_part *p = under_way(r);

	for (size_t i = 0; r->restock && i < p->n_lines; i++) {
		const struct centra_bought *l =
			centra_bought_of(&x->sold, p->lines[i].line);

		if (l)
			stock_moved(ret, x->w->task->instance, r->warehouse,
				    l->ean, l->sku, x->w->now);
	}
}

static void put_off(struct run *x, uint32_t number, int64_t wait,
		    const char *why)
{
	if (!run_repeats(x->w, number)) {
		set_text(&x->r->error, why);
		x->changed = true;
	}
	run_retry(x->w, number, wait, "%s", why);
}

/* ---- a call whose reply was lost ---- */

static void drop_try(struct run *x)
{
	free(under_way(x->r)->lines);
	x->r->n_parts--;
	x->r->trying = false;
	x->changed = true;
}

static void keep_try(struct run *x, int64_t made)
{
	add_movement(x, &x->w->result.changes);
	under_way(x->r)->made = made;
	x->r->trying = false;
	x->changed = true;
}

/* Settles it by what Centra shows.  False: the run has ended. */
static bool settle_try(struct run *x)
{
	int64_t made;
	enum return_fate fate = return_fate(&x->all, x->r, &x->sold, &made);

	if (fate == FATE_BOOKED) {
		keep_try(x, made);
		return true;
	}
	if (x->w->since_try < x->w->settle) {
		put_off(x, run_why(WHY_SETTLING, 0),
			x->w->settle - x->w->since_try,
			"Centra may still be booking it");
		return false;
	}
	if (fate == FATE_UNKNOWN) {
		unsure(x, "a reply was lost, and what Centra shows does not "
			  "tell whether it is booked");
		return false;
	}
	drop_try(x);
	return true;
}

/* ---- what is next ---- */

/* Units of the i-th line that are not booked yet. */
static int64_t left_of(const struct goods_return *r, size_t i)
{
	int64_t left = r->lines[i].quantity;

	for (size_t p = 0; p < r->n_parts; p++)
		for (size_t k = 0; k < r->parts[p].n_lines; k++)
			if (r->parts[p].lines[k].line == r->lines[i].line)
				left -= r->parts[p].lines[k].quantity;
	return left;
}

static bool is_refused(const struct goods_return *r, int64_t shipment)
{
	for (size_t i = 0; i < r->n_refused; i++)
		if (r->refused[i] == shipment)
			return true;
	return false;
}

/* Units of an order's line that returns of ours have booked of a shipment; of
 * one of them, or, with NULL, of all. */
static int64_t booked_of(const struct run *x, const struct goods_return *only,
			 int64_t shipment, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < x->all.n; i++) {
		const struct goods_return *r = &x->all.list[i];

		for (size_t p = 0; p < r->n_parts; p++)
			if (r->parts[p].shipment == shipment &&
			    (!only || only == r))
				n += return_part_units(&r->parts[p], line);
	}
	return n;
}

/* Units of an order's line that are given back of a shipment.  A list that is
 * behind may lack what this return has booked. */
static int64_t given_of(const struct run *x, int64_t shipment, int64_t line)
{
	int64_t mine = booked_of(x, x->sold.listed ? x->r : NULL, shipment,
				 line);
	int64_t n = 0;

	for (size_t i = 0; i < x->sold.n_given; i++)
		if (x->sold.given[i].shipment == shipment)
			n += centra_given_units(&x->sold.given[i], line);
	return n > mine ? n : mine;
}

/* Adds to the part what a shipment has of a line of the return. */
static void add_from(const struct run *x, const struct centra_sent *s,
		     size_t line, struct return_part *p)
{
	const struct return_line *want = &x->r->lines[line];
	int64_t left = left_of(x->r, line);
	int64_t given = given_of(x, s->id, want->line);

	for (size_t i = 0; i < s->n_lines && left > 0 &&
			   p->n_lines < RETURN_LINES_MAX;
	     i++) {
		const struct centra_sent_line *l = &s->lines[i];
		int64_t n = l->quantity - given;

		if (l->line != want->line)
			continue;
		given = n < 0 ? -n : 0;
		n = n < left ? n : left;
		if (n <= 0)
			continue;
		left -= n;
		p->lines[p->n_lines++] = (struct return_part_line){
			.id = l->id, .line = l->line, .quantity = n};
	}
}

/* Sets *ret to the next part.  False: no shipment has more of it. */
static bool next_part(const struct run *x, struct return_part *ret)
{
	const struct goods_return *r = x->r;

	for (size_t i = 0; i < x->sold.n_shipments; i++) {
		const struct centra_sent *s = &x->sold.shipments[i];

		if (!s->shipped || is_refused(r, s->id))
			continue;
		*ret = (struct return_part){.shipment = s->id};
		ret->lines = xcalloc(s->n_lines + 1, sizeof(*ret->lines));
		for (size_t k = 0; k < r->n_lines; k++)
			add_from(x, s, k, ret);
		return_note(&x->sold, ret);
		if (ret->n_lines)
			return true;
		free(ret->lines);
	}
	return false;
}

/* NULL: Centra shows as shipped and not returned what is left of the return;
 * else the code that says why not. */
static const char *not_returnable(const struct run *x)
{
	const struct goods_return *r = x->r;

	for (size_t i = 0; i < r->n_lines; i++) {
		const struct centra_bought *b =
			centra_bought_of(&x->sold, r->lines[i].line);
		int64_t shipped =
			b ? centra_shipped_units(&x->sold, b->id) : 0;

		if (left_of(r, i) <= 0)
			continue;
		if (!shipped)
			return "not_shipped";
		if (left_of(r, i) >
		    shipped - centra_returned_units(&x->sold, b->id))
			return "too_many";
	}
	return NULL;
}

static bool nothing_left(const struct goods_return *r)
{
	for (size_t i = 0; i < r->n_lines; i++)
		if (left_of(r, i) > 0)
			return false;
	return true;
}

/* ---- a call ---- */

static char *comment_of(const struct goods_return *r)
{
	char mark[RETURN_MARK_SIZE];
	struct buf b;
	char *ret;

	buf_init(&b, REASONS_MAX);
	for (size_t i = 0; i < r->n_lines; i++)
		buf_fmt(&b, "%s%" PRId64 " x line %" PRId64 ": %s",
			i ? ", " : "", r->lines[i].quantity, r->lines[i].line,
			r->lines[i].reason);
	ret = xasprintf("returned in shop %s %s: %s", r->shop,
			return_mark(mark, r), b.data ? b.data : "");
	buf_release(&b);
	return ret;
}

/* A begin_fn. */
static enum rc add_try(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	const struct run *x = arg;

	(void)o;
	add_movement(x, ret);
	return add_doc(x, ret, e);
}

/* Makes durable that the part is to be booked.  False: the run has ended. */
static bool begin_part(struct run *x, struct return_part *p)
{
	struct goods_return *r = x->r;
	struct err e = {""};
	int64_t id = r->id;
	struct call call;
	enum rc rc;

	if (!centra_take_change(x->w->centra, &call)) {
		free(p->lines);
		put_off(x, run_why_call(&call), run_wait(x->w, &call),
			call.why.text);
		return false;
	}
	r->parts = xrealloc(r->parts, r->n_parts + 1, sizeof(*r->parts));
	r->parts[r->n_parts++] = *p;
	r->trying = true;
	rc = x->w->begin(x->w, add_try, x, &e);
	if (rc) {
		centra_give_back(x->w->centra, CENTRA_GRAPHQL);
		x->changed = false; /* what is stored stays */
		changes_release(&x->w->result.changes);
		run_retry(x->w, run_why(WHY_TRY_NOT_STORED, 0),
			  run_wait(x->w, NULL), "%s", e.text);
		return false;
	}
	x->changed = false;
	if (!read_doc(x)) {
		centra_give_back(x->w->centra, CENTRA_GRAPHQL);
		return false;
	}
	x->r = returns_find(&x->all, id);
	return true;
}

static void refuse_part(struct run *x, const char *words)
{
	struct goods_return *r = x->r;
	int64_t shipment = under_way(r)->shipment;

	drop_try(x);
	r->refused = xrealloc(r->refused, r->n_refused + 1,
			      sizeof(*r->refused));
	r->refused[r->n_refused++] = shipment;
	set_text(&r->error, words);
}

/* Takes over how the call ended.  False: the run has ended. */
static bool took(struct run *x, const struct centra_done *d, int64_t made)
{
	if (d->call.end == CALL_OK && !d->error) {
		keep_try(x, made);
		return true;
	}
	if (d->call.end == CALL_OK || d->misread) {
		refuse_part(x, d->error ? d->error : d->call.why.text);
		if (d->misread)
			run_alarm(x->w, CENTRA_GRAPHQL, d->call.why.text);
		return true;
	}
	if (d->call.end == CALL_NOT_DONE)
		drop_try(x);
	put_off(x, run_why_call(&d->call), run_wait(x->w, &d->call),
		d->call.why.text);
	return false;
}

static bool book_part(struct run *x, struct return_part *p)
{
	struct centra_sent_line lines[RETURN_LINES_MAX] = {0};
	struct centra_return ask = {.lines = lines};
	const struct return_part *now;
	struct centra_done d;
	int64_t made;
	bool ret;

	if (!begin_part(x, p))
		return false;
	now = under_way(x->r);
	for (size_t i = 0; i < now->n_lines && i < RETURN_LINES_MAX; i++)
		lines[ask.n_lines++] = (struct centra_sent_line){
			now->lines[i].id, now->lines[i].line,
			now->lines[i].quantity};
	ask.shipment = now->shipment;
	ask.warehouse = x->r->restock ? x->r->warehouse : 0;
	ask.comment = comment_of(x->r);
	graphql_create_return(x->w->centra, &ask, &made, &d);
	run_called(x->w, CENTRA_GRAPHQL, "createReturn", &d.call);
	ret = took(x, &d, made);
	centra_done_release(&d);
	free((char *)(uintptr_t)ask.comment);
	return ret;
}

/* ---- a run ---- */

static bool looked(struct run *x, const struct call *call)
{
	if (call->end == CALL_OK)
		return true;
	put_off(x, run_why_call(call), run_wait(x->w, call), call->why.text);
	return false;
}

/* Reads what was shipped and given back, by both APIs.  Where the plugin does
 * not allow its list of returns, returnedQuantity alone is compared. */
static bool look(struct run *x)
{
	struct work *w = x->w;
	struct call call;
	bool unticked;

	graphql_sold(w->centra, w->task->number, &x->sold);
	run_called(w, CENTRA_GRAPHQL, "returnable", &x->sold.call);
	if (!looked(x, &x->sold.call) || !x->sold.found)
		return x->sold.call.end == CALL_OK;
	order_api_returned(w->centra, w->task->number, &x->sold, &call,
			   &unticked);
	run_called(w, CENTRA_ORDER_API, "returns", &call);
	return unticked || looked(x, &call);
}

/* Nothing more can be booked: all is refused, or a part of it is.  code: why it
 * cannot be given back; NULL: Centra refuses it. */
static void end_short(struct run *x, const char *code)
{
	char *why = x->r->error && !code ? xstrdup(x->r->error) : NULL;

	if (x->r->n_parts)
		unsure(x, "a part of it is booked, and Centra refuses the "
			  "rest");
	else
		refused(x, code ? code : "refused", why);
	free(why);
}

/* The office has looked at a return that was unsure: what is left is to be
 * booked, of any shipment. */
static void take_up(struct run *x)
{
	x->r->n_refused = 0;
	end(x, RETURN_ASKED, NULL, NULL);
	x->r->ended = 0;
}

/* True if Centra shows that no unit of the return's lines was ever given back. */
static bool none_is_shown(const struct run *x)
{
	for (size_t i = 0; i < x->r->n_lines; i++)
		if (centra_returned_units(&x->sold, x->r->lines[i].line))
			return false;
	return x->sold.listed;
}

/* True if the return may have been booked by the store that was lost: this one is a
 * backup from before. */
static bool may_be_booked(const struct run *x)
{
	return x->w->renewed != TIME_NONE && x->r->at <= x->w->renewed &&
	       !none_is_shown(x);
}

static void book(struct run *x)
{
	bool was_unsure = x->r->state == RETURN_UNSURE;
	struct return_part p;
	const char *code;

	if (x->r->trying && !settle_try(x))
		return;
	if (was_unsure)
		take_up(x);
	else if (!nothing_left(x->r) && may_be_booked(x)) {
		unsure(x, "the store was restored from a backup: Centra may "
			  "have booked this return before");
		return;
	}
	while (!nothing_left(x->r)) {
		code = not_returnable(x);
		if (code && was_unsure && x->r->n_parts)
			break; /* the office has booked the rest by hand */
		if (code || x->r->n_parts >= RETURN_PARTS_MAX ||
		    !next_part(x, &p)) {
			end_short(x, code);
			return;
		}
		if (!book_part(x, &p))
			return;
		if (!is_refused(x->r, p.shipment) && !nothing_left(x->r))
			return; /* the next run looks before it goes on */
	}
	end(x, RETURN_DONE, NULL, NULL);
}

/* Takes up the return that is the task's next: the oldest that is to be booked;
 * in a redrive, one that the office has heard of. */
static struct goods_return *next_return(const struct run *x)
{
	struct goods_return *ret = returns_oldest(&x->all, RETURN_ASKED);

	return ret ? ret : returns_for_office(&x->all);
}

static void run_one(struct run *x)
{
	struct work *w = x->w;

	if (!w->centra) {
		put_off(x, run_why(WHY_NOT_CONFIGURED, 0),
			run_wait_long(w, NULL), "no graphql_url is configured");
		return;
	}
	if (!look(x))
		return;
	if (!x->sold.found && !x->r->n_parts)
		refused(x, "not_found", NULL);
	else if (!x->sold.found)
		put_off(x, run_why(WHY_NOT_SHOWN, 0), run_wait_long(w, NULL),
			"Centra does not show the order to us");
	else
		book(x);
}

/* The task runs again for what is to be booked.  Then, while the office has to
 * hear of a return, it is given up, so that somebody is alerted. */
static void go_on(const struct run *x)
{
	const struct goods_return *r = returns_for_office(&x->all);
	struct work *w = x->w;

	if (w->result.how != OUTCOME_DONE)
		return;
	if (returns_open(&x->all))
		changes_task(&w->result.changes, TASK_RETURN, 0, w->now);
	else if (r)
		run_dead(w, "return %" PRId64 " of shop %s%s: %s", r->id,
			 r->shop, r->untold ? ", which waits for it" : "",
			 r->error ? r->error : r->code);
}

void handle_return(struct work *w, size_t n)
{
	struct run x = {.w = w};
	struct err e = {""};

	(void)n; /* one a run */
	if (!read_doc(&x))
		goto out;
	x.r = next_return(&x);
	if (!x.r)
		goto out;
	if (x.r->untold) {
		x.r->untold = false;
		x.changed = true;
		goto keep;
	}
	/* Shipping goes first. */
	if (w->centra)
		centra_conn_lane(w->centra, CENTRA_FETCH);
	run_one(&x);
	if (w->centra)
		centra_conn_lane(w->centra, CENTRA_LIVE);
keep:
	if (x.changed && add_doc(&x, &w->result.changes, &e))
		run_dead(w, "%s", e.text);
	go_on(&x);
out:
	centra_sold_release(&x.sold);
	returns_release(&x.all);
	doc_release(&x.doc);
}
