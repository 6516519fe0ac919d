/* SPDX-License-Identifier: MIT
 *
 * report.c - see report.h.
 *
 * Each order of a shop is in one of its lists, so these are walked.  The
 * order's journal says when it was offered and answered.
 */
#include "server/shop/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "handlers/offer.h"

#define DAY_MS INT64_C(86400000)

const char *report_reason_name(enum report_reason r)
{
	static const char *const names[REASONS] = {
		[REASON_OUT_OF_STOCK] = "out_of_stock",
		[REASON_DAMAGED] = "damaged",
		[REASON_CANNOT_FIND] = "cannot_find",
		[REASON_TOO_BUSY] = "too_busy",
		[REASON_OTHER] = "other",
	};

	return (unsigned)r < REASONS ? names[r] : "other";
}

/* ---- which orders ---- */

struct numbers {
	int64_t *list; /* owned */
	size_t n, cap;
	bool cut;
};

/* Adds an order's number.  A `fn` of store_list() and store_done_since(). */
static bool take_number(void *arg, const struct listed *row)
{
	struct numbers *n = arg;

	if (n->n == REPORT_MOST) {
		n->cut = true;
		return false;
	}
	if (n->n == n->cap) {
		n->cap = n->cap ? 2 * n->cap : 64;
		n->list = xrealloc(n->list, n->cap, sizeof(*n->list));
	}
	n->list[n->n++] = row->number;
	return true;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Removes repeated numbers: an order may be offered to several warehouses of
 * the shop. */
static void drop_doubles(struct numbers *n)
{
	size_t kept = 0;

	if (n->n)
		qsort(n->list, n->n, sizeof(*n->list), by_number);
	for (size_t i = 0; i < n->n; i++)
		if (!kept || n->list[i] != n->list[kept - 1])
			n->list[kept++] = n->list[i];
	n->n = kept;
}

static enum rc find_numbers(struct numbers *ret, struct store *store,
			    const struct config_shop *shop, int64_t since,
			    struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < shop->warehouses.n; i++) {
		int64_t warehouse = shop->warehouses.ids[i];

		rc = store_done_since(store, shop->centra, warehouse, since, 0,
				      take_number, ret, e);
		for (int l = LIST_OPEN; !rc && l < LIST_DONE; l++)
			rc = store_list(store, shop->centra, warehouse,
					(enum list)l, NULL, take_number, ret,
					e);
	}
	drop_doubles(ret);
	return rc;
}

/* ---- one order ---- */

/* The shop's part in an order, as the journal tells it. */
struct life {
	const struct config_shop *shop;
	/* When this first happened; TIME_NONE: never. */
	int64_t offered, answered, accepted;
};

static bool is_ours(const struct config_shop *shop, int64_t warehouse)
{
	for (size_t i = 0; i < shop->warehouses.n; i++)
		if (shop->warehouses.ids[i] == warehouse)
			return true;
	return false;
}

static void first(int64_t *when, int64_t at)
{
	if (*when == TIME_NONE)
		*when = at;
}

/* Notes what an entry says.  A `fn` of store_journal(). */
static bool read_entry(void *arg, const struct entry *e)
{
	struct life *l = arg;

	if (!is_ours(l->shop, e->warehouse))
		return true;
	if (e->fact == FACT_STATE && !strcmp(e->to, "pending"))
		first(&l->offered, e->at);
	else if (e->fact == FACT_STATE && !strcmp(e->to, "accepted"))
		first(&l->accepted, e->at);
	else if (e->fact == FACT_ANSWERED && e->device)
		first(&l->answered, e->at);
	return true;
}

static void count_reject(struct report *r, const struct answer *a)
{
	int i = 0;

	while (i < REASON_OTHER &&
	       (!a->reason ||
		strcmp(a->reason, report_reason_name((enum report_reason)i))))
		i++;
	r->rejected[i]++;
}

/* Returns when the last parcel was handed over; 0: not all is shipped. */
static int64_t shipped_at(const struct offer *f)
{
	int64_t at = 0;

	for (size_t i = 0; f->shipped && i < f->n_shipments; i++)
		if (f->shipments[i].came.shipped_at > at)
			at = f->shipments[i].came.shipped_at;
	return at;
}

static void count_offer(struct report *r, const struct offer *f,
			const struct life *l)
{
	int64_t at = shipped_at(f);

	r->problems += f->problem.at != 0;
	r->shipped += f->shipped;
	if (at && l->accepted != TIME_NONE && at <= l->accepted + DAY_MS)
		r->shipped_within_a_day++;
	if (f->was_accepted)
		r->accepted++;
	else if (offer_answered(f) && f->answer.verb == VERB_REJECT)
		count_reject(r, &f->answer);
	else if (f->state == STATE_TAKEN)
		r->taken++;
	else if (f->state == STATE_TIMED_OUT && l->answered == TIME_NONE)
		r->missed++;
}

static enum rc count_order(struct report *r, struct store *store,
			   int64_t number, struct err *e)
{
	const struct config_shop *shop = r->shop;
	struct life l = {shop, TIME_NONE, TIME_NONE, TIME_NONE};
	const struct offer *f;
	struct order o = {0};
	enum rc rc;

	rc = store_order(store, shop->centra, number, &o, e);
	if (!rc)
		rc = store_journal(store, shop->centra, number, read_entry, &l,
				   e);
	f = rc ? NULL :
		 offer_of_shop(&o, shop->warehouses.ids, shop->warehouses.n);
	if (f && l.offered != TIME_NONE && l.offered >= r->since) {
		r->offered++;
		count_offer(r, f, &l);
		if (l.answered != TIME_NONE && l.answered >= l.offered)
			r->answers[r->n_answers++] = l.answered - l.offered;
	}
	order_release(&o);
	if (rc == RC_INVALID) {
		if (!r->unreadable++)
			r->first_unreadable = number;
		r->complete = false;
		return OK;
	}
	return rc == RC_NOTFOUND ? OK : rc; /* RC_NOTFOUND: the order is gone
					     * since it was listed */
}

/* ---- all ---- */

enum rc report_begin(struct report *ret, struct store *store,
		     const struct config_shop *shop, int64_t since,
		     int64_t now, struct err *e)
{
	struct numbers n = {0};
	enum rc rc = find_numbers(&n, store, shop, since, e);

	*ret = (struct report){.shop = shop,
			       .since = since,
			       .until = now,
			       .complete = !n.cut,
			       .numbers = n.list,
			       .n_numbers = n.n};
	if (n.n)
		ret->answers = xcalloc(n.n, sizeof(*ret->answers));
	if (rc)
		report_release(ret);
	return rc;
}

enum rc report_read(struct report *r, struct store *store, size_t most,
		    bool *ret_more, struct err *e)
{
	size_t left = r->n_numbers - r->n_read;
	size_t end = r->n_read + (left < most ? left : most);
	enum rc rc = OK;

	while (!rc && r->n_read < end)
		rc = count_order(r, store, r->numbers[r->n_read++], e);
	*ret_more = !rc && r->n_read < r->n_numbers;
	if (!rc && !*ret_more && r->n_answers)
		qsort(r->answers, r->n_answers, sizeof(*r->answers), by_number);
	if (rc)
		report_release(r);
	return rc;
}

enum rc report_make(struct report *ret, struct store *store,
		    const struct config_shop *shop, int64_t since,
		    int64_t now, struct err *e)
{
	enum rc rc = report_begin(ret, store, shop, since, now, e);
	bool more;

	return rc ? rc : report_read(ret, store, REPORT_MOST, &more, e);
}

void report_release(struct report *r)
{
	free(r->numbers);
	free(r->answers);
	r->numbers = r->answers = NULL;
	r->n_numbers = r->n_read = r->n_answers = 0;
}

int64_t report_percentile(const struct report *r, unsigned percent)
{
	size_t rank = (r->n_answers * percent + 99) / 100;

	if (!r->n_answers)
		return TIME_NONE;
	return r->answers[rank ? rank - 1 : 0];
}

static void seconds_json(struct buf *out, const char *name, int64_t ms)
{
	json_key(out, name);
	if (ms == TIME_NONE)
		buf_str(out, "null");
	else
		buf_fmt(out, "%.1f", (double)ms / 1000);
}

void report_json(struct buf *out, const struct report *r)
{
	json_begin(out, NULL);
	json_put(out, "shop", r->shop->id);
	json_put_time(out, "since", r->since, 0, false);
	json_put_uint(out, "offered", r->offered);
	json_put_uint(out, "accepted", r->accepted);
	json_begin(out, "rejected");
	for (int i = 0; i < REASONS; i++)
		json_put_uint(out, report_reason_name((enum report_reason)i),
			      r->rejected[i]);
	json_end(out);
	json_put_uint(out, "missed", r->missed);
	json_put_uint(out, "taken", r->taken);
	json_put_uint(out, "problems", r->problems);
	seconds_json(out, "answer_median_s", report_percentile(r, 50));
	seconds_json(out, "answer_p90_s", report_percentile(r, 90));
	json_put_uint(out, "shipped", r->shipped);
	json_put_uint(out, "shipped_within_a_day", r->shipped_within_a_day);
	json_put_bool(out, "complete", r->complete);
	json_put_uint(out, "unreadable", r->unreadable);
	json_end(out);
}
