/* SPDX-License-Identifier: MIT
 *
 * receive.c - the task `receive` (of -WAREHOUSE, sub: the delivery's id): tells
 * Centra that a delivery was received; see receipts.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/deliveries.h"
#include "handlers/docs.h"
#include "handlers/receipts.h"
#include "handlers/run.h"
#include "handlers/stock_item.h"

/* A run under way. */
struct run {
	struct work *w;
	struct doc doc; /* owned: as it was read, for its rev */
	struct receipt r;
	bool changed;
	bool again; /* the outcome of an earlier call is not known */
};

static bool read_doc(struct run *x)
{
	struct work *w = x->w;
	struct err e = {""};
	char key[DOC_KEY_SIZE];
	enum rc rc;

	doc_release(&x->doc);
	receipt_release(&x->r);
	receipt_key(key, -w->task->number, w->task->sub);
	rc = w->docs->one(w, RECEIPT_KIND, key, &x->doc, &e);
	if (rc)
		run_retry(w, run_why(WHY_NOT_SHOWN, 0), run_wait_long(w, NULL),
			  "%s", e.text);
	else if (x->doc.rev && receipt_read(x->doc.text, &x->r, &e))
		run_dead(w, "%s", e.text);
	return !rc && x->r.shop;
}

static enum rc add_doc(const struct run *x, struct changes *ret, struct err *e)
{
	struct doc d = {0};
	enum rc rc = receipt_doc(&x->r, x->w->task->instance, &d, e);

	if (rc)
		return rc;
	d.rev = x->doc.rev;
	changes_doc(ret, &d, true);
	doc_release(&d);
	return OK;
}

static void set_text(char **field, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*field);
	*field = copy;
}

/* Notes that the items come into the warehouse, for counts of its stock. */
static void add_movement(const struct run *x, struct changes *ret)
{
	for (size_t i = 0; i < x->r.n_items; i++)
		stock_moved(ret, x->w->task->instance, x->r.warehouse,
			    x->r.items[i].ean, x->r.items[i].sku, x->w->now);
}

static void end(struct run *x, enum receipt_state state, const char *code,
		const char *error)
{
	x->r.state = state;
	x->r.ended = x->w->now;
	x->r.trying = x->r.said_no = false;
	set_text(&x->r.code, code);
	set_text(&x->r.error, error);
	x->changed = true;
	if (state == RECEIPT_DONE)
		add_movement(x, &x->w->result.changes);
}

static void put_off(struct run *x, uint32_t number, int64_t wait,
		    const char *why)
{
	if (!run_repeats(x->w, number) && !x->r.said_no) {
		set_text(&x->r.error, why);
		x->changed = true;
	}
	run_retry(x->w, number, wait, "%s", why);
}

static void put_off_call(struct run *x, const struct call *call)
{
	put_off(x, run_why_call(call), run_wait(x->w, call), call->why.text);
}

/* ---- looking ---- */

/* Sets *ret to whether the delivery waits to be received, and notes what takes
 * its place.  False: the run has ended. */
static bool look(struct run *x, bool *ret)
{
	struct centra_deliveries all;
	bool ok;

	order_api_deliveries(x->w->centra, &all);
	run_called(x->w, CENTRA_ORDER_API, "deliveries", &all.call);
	ok = all.call.end == CALL_OK;
	*ret = false;
	for (size_t i = 0; ok && i < all.n; i++)
		if (all.list[i].id == x->r.delivery) {
			*ret = true;
			set_text(&x->r.number, all.list[i].number);
			x->changed = true;
		}
	if (!ok)
		put_off_call(x, &all.call);
	centra_deliveries_release(&all);
	return ok;
}

/* The item of this EAN; NULL: the delivery has none. */
static const struct centra_delivered *item_of(const struct centra_delivery *d,
					      const char *ean)
{
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].ean && !strcmp(d->items[i].ean, ean))
			return &d->items[i];
	return NULL;
}

/* Checks that the delivery has all the items, and notes their SKUs.  Returns the
 * first that it has not; NULL: it has all. */
static const char *check(struct run *x, const struct centra_delivery *d)
{
	for (size_t i = 0; i < x->r.n_items; i++) {
		const struct centra_delivered *l =
			item_of(d, x->r.items[i].ean);

		if (!l)
			return x->r.items[i].ean;
		set_text(&x->r.items[i].sku, l->sku);
	}
	return NULL;
}

/* Checks that the delivery has all the items.  False: the run has ended. */
static bool check_items(struct run *x)
{
	struct centra_deliveries one;
	const char *unknown;
	char *text;
	bool ret = false;

	order_api_delivery(x->w->centra, x->r.delivery, &one);
	run_called(x->w, CENTRA_ORDER_API, "delivery", &one.call);
	if (one.call.end != CALL_OK) {
		put_off_call(x, &one.call);
	} else if (!one.n) {
		end(x, RECEIPT_REFUSED, "gone", one.msg);
	} else {
		unknown = check(x, &one.list[0]);
		if (unknown) {
			text = xasprintf("the delivery has no item with the "
					 "EAN %s", unknown);
			end(x, RECEIPT_REFUSED, "unknown_item", text);
			free(text);
		}
		ret = !unknown;
	}
	centra_deliveries_release(&one);
	return ret;
}

/* ---- the call ---- */

/* A begin_fn. */
static enum rc add_try(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	const struct run *x = arg;

	(void)o;
	add_movement(x, ret);
	return add_doc(x, ret, e);
}

/* Makes durable that the delivery is to be received.  False: the run has
 * ended. */
static bool begin(struct run *x)
{
	struct work *w = x->w;
	struct err e = {""};
	struct call call;
	enum rc rc;

	if (!centra_take(w->centra, CENTRA_ORDER_API, &call)) {
		put_off_call(x, &call);
		return false;
	}
	x->r.trying = true;
	set_text(&x->r.address, centra_address(w->centra, CENTRA_ORDER_API));
	rc = w->begin(w, add_try, x, &e);
	x->changed = false;
	if (!rc && read_doc(x))
		return true;
	centra_give_back(w->centra, CENTRA_ORDER_API);
	if (rc) {
		changes_release(&w->result.changes);
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0), run_wait(w, NULL),
			  "%s", e.text);
	}
	return false;
}

static void took(struct run *x, const struct centra_received *got)
{
	if (got->call.end == CALL_OK && got->ok) {
		x->r.rest = got->rest;
		x->r.rest_units = got->rest_units;
		set_text(&x->r.rest_number, got->rest_number);
		end(x, RECEIPT_DONE, NULL, NULL);
	} else if (got->call.end == CALL_OK && !x->again) {
		end(x, RECEIPT_REFUSED, "refused", got->msg);
	} else if (got->call.end == CALL_OK) {
		/* The call before may be why.  The list will show that. */
		x->r.said_no = true;
		set_text(&x->r.error, got->msg);
		x->changed = true;
		run_retry(x->w, run_why(WHY_DISAGREE, 0),
			  run_wait(x->w, NULL), "Centra says no: %s",
			  got->msg ? got->msg : "without a reason");
	} else {
		if (got->call.end == CALL_NOT_DONE) {
			x->r.trying = false;
			x->changed = true;
		}
		put_off_call(x, &got->call);
	}
}

static void receive(struct run *x)
{
	struct centra_received_item *items;
	struct centra_received got;
	size_t n = 0;

	if (!begin(x))
		return;
	items = xcalloc(x->r.n_items, sizeof(*items));
	for (size_t i = 0; i < x->r.n_items; i++)
		items[n++] = (struct centra_received_item){
			x->r.items[i].ean, x->r.items[i].quantity};
	order_api_receive(x->w->centra, x->r.delivery, items, n, &got);
	run_called(x->w, CENTRA_ORDER_API, "receive", &got.call);
	took(x, &got);
	centra_received_release(&got);
	free(items);
}

/* ---- another plugin ---- */

/* True if the call under way was made to the plugin that is called now; an older
 * receipt does not know. */
static bool same_plugin(const struct run *x)
{
	const char *now = centra_address(x->w->centra, CENTRA_ORDER_API);

	return !x->r.address || (now && !strcmp(x->r.address, now));
}

/* The office decides.  If the address is put right, a redrive looks again: so the
 * call stays under way. */
static void end_unsure(struct run *x)
{
	end(x, RECEIPT_REFUSED, RECEIPT_UNSURE, NULL);
	x->r.trying = true;
	run_dead(x->w,
		 "delivery %" PRId64 " of shop %s may be received: "
		 "order_api_url has changed since the call to %s",
		 x->r.delivery, x->r.shop, x->r.address);
}

static void look_again(struct run *x)
{
	if (!receipt_unsure(&x->r) || !x->w->centra || !same_plugin(x))
		return;
	x->r.state = RECEIPT_ASKED;
	x->r.ended = 0;
	set_text(&x->r.code, NULL);
	x->changed = true;
}

/* ---- a run ---- */

/* It is still there after Centra has refused it: no call has received it. */
static void end_refused(struct run *x)
{
	char *why = x->r.error ? xstrdup(x->r.error) : NULL;

	end(x, RECEIPT_REFUSED, "refused", why);
	free(why);
}

static void run_one(struct run *x)
{
	struct work *w = x->w;
	bool waits;

	if (!w->centra) {
		put_off(x, run_why(WHY_NOT_CONFIGURED, 0),
			run_wait_long(w, NULL),
			"the shop has no order_api_url");
		return;
	}
	if (!look(x, &waits))
		return;
	if (!waits) {
		if (x->r.trying && !same_plugin(x)) {
			end_unsure(x);
			return;
		}
		x->r.found = x->r.trying;
		if (x->r.trying)
			end(x, RECEIPT_DONE, NULL, NULL);
		else
			end(x, RECEIPT_REFUSED, "gone", NULL);
		return;
	}
	if (x->r.said_no) {
		end_refused(x);
		return;
	}
	x->again = x->r.trying;
	if (x->again && w->since_try < w->settle) {
		put_off(x, run_why(WHY_SETTLING, 0), w->settle - w->since_try,
			"Centra may still be receiving it");
		return;
	}
	if (check_items(x))
		receive(x);
}

void handle_receive(struct work *w, size_t n)
{
	struct run x = {.w = w};
	struct err e = {""};

	(void)n; /* one a run */
	if (read_doc(&x)) {
		look_again(&x);
		if (x.r.state == RECEIPT_ASKED)
			run_one(&x);
	}
	if (x.changed && add_doc(&x, &w->result.changes, &e))
		run_dead(w, "%s", e.text);
	receipt_release(&x.r);
	doc_release(&x.doc);
}
