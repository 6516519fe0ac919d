/* SPDX-License-Identifier: MIT
 *
 * outgoing.c - see outgoing.h.
 */
#include "handlers/outgoing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "handlers/notify.h"
#include "handlers/offer.h"

#define NAME_MOST  50	/* bytes of a shop's name that keys hold */
#define NAME_KEPT  33	/* of a longer one */
#define NTH_MOST   999	/* webhooks of one change to one shop */
#define DATA_MOST  (DOC_TEXT_MAX - 1024) /* bytes of an event's data */

/* ---- names ---- */

void outgoing_shop(char ret[OUTGOING_SHOP_SIZE], const char *shop)
{
	if (strlen(shop) <= NAME_MOST)
		(void)!copy_text(ret, OUTGOING_SHOP_SIZE, shop);
	else
		snprintf(ret, OUTGOING_SHOP_SIZE, "%.*s~%016" PRIx64,
			 NAME_KEPT, shop, (uint64_t)notify_sub(shop));
}

int64_t outgoing_sub(const char *stands_for)
{
	return strlen(stands_for) == NAME_MOST &&
			       stands_for[NAME_KEPT] == '~'
		       ? (int64_t)strtoull(stands_for + NAME_KEPT + 1, NULL, 16)
		       : notify_sub(stands_for);
}

void outgoing_of_order(char ret[DOC_KEY_SIZE], const char *shop,
		       int64_t number)
{
	char name[OUTGOING_SHOP_SIZE];

	outgoing_shop(name, shop);
	snprintf(ret, DOC_KEY_SIZE, "%s/%019" PRId64 "/", name, number);
}

int64_t outgoing_number(const char *key)
{
	size_t len = strlen(key);

	/* The digits end with a slash, which ends the number. */
	return len > OUTGOING_KEY_TAIL
		       ? strtoll(key + len - OUTGOING_KEY_TAIL + 1, NULL, 10)
		       : 0;
}

void outgoing_list(char ret[DOC_LIST_SIZE], const char *shop,
		   enum outgoing_list which)
{
	static const char *const names[] = {[OUTGOING_WAITING] = "waiting",
					    [OUTGOING_DEAD] = "dead",
					    [OUTGOING_DONE] = "done"};
	char name[OUTGOING_SHOP_SIZE];

	outgoing_shop(name, shop);
	snprintf(ret, DOC_LIST_SIZE, "%s/%s", name, names[which]);
}

/* ---- one webhook ---- */

/* What is told to one shop of one change. */
struct telling {
	const struct follow_shop *shop;
	const struct followed *f;
	const struct zone *zone; /* or NULL */
	struct changes *ret;
	unsigned n;
};

/* Writes the date of the n-th event of a change, local as Centra's are.  Of one
 * order the dates ascend, unless the zone's clocks are set back. */
static void date_of(const struct telling *t, char ret[STAMP_SIZE])
{
	int64_t at = t->f->after->updated;
	char iso[TIME_ISO_SIZE];

	time_iso(iso, at, zone_offset(t->zone, at), true);
	/* 2021-01-11T16:21:00.552+01:00 */
	snprintf(ret, STAMP_SIZE, "%.10s %.12s%03u", iso, iso + 11,
		 t->n % 1000);
}

/* Adds an event; `data` is JSON, or NULL. */
static void tell(struct telling *t, const char *type, const char *action,
		 int64_t id, const char *data)
{
	const struct order *o = t->f->after;
	char key[DOC_KEY_SIZE], date[STAMP_SIZE];
	size_t len;
	struct doc d;
	struct buf b;
	struct err e;

	if (t->n > NTH_MOST)
		return;
	outgoing_of_order(key, t->shop->name, o->number);
	len = strlen(key);
	snprintf(key + len, sizeof(key) - len, "%014" PRId64 "/%03u",
		 o->updated, t->n);
	if (doc_name(&d, KIND_OUTGOING, o->instance, key, &e))
		return;
	outgoing_list(d.list, t->shop->name, OUTGOING_WAITING);
	d.at = t->f->now;
	date_of(t, date);
	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put(&b, "type", type);
	json_put(&b, "action", action);
	json_put(&b, "date", date);
	json_put_int(&b, "id", id);
	if (data)
		json_put_raw(&b, "data", data);
	json_end(&b);
	d.text = buf_detach(&b, NULL);
	changes_doc(t->ret, &d, false);
	doc_release(&d);
	t->n++;
}

/* ---- offers ---- */

/* What is told of an offer. */
enum told {
	TOLD_NOTHING,
	TOLD_CREATE,
	TOLD_ACCEPTED,
	TOLD_REJECTED,
	TOLD_TIMEOUT,
};

static bool has_ended(const struct offer *f)
{
	return f->state > STATE_ACCEPTED;
}

static bool has_another_deadline(const struct offer *was,
				 const struct offer *is)
{
	const struct opening *a = offer_opened(was), *b = offer_opened(is);

	return b && (!a || a->expires != b->expires || a->kind != b->kind);
}

/* `was` is NULL if the offer is new: an end is told then too, since the store may
 * be a restored one, which does not know what was told before. */
static enum told told_of(const struct offer *was, const struct offer *is)
{
	bool won = was && was->state == STATE_ACCEPTED;
	bool open = !was || !has_ended(was);

	switch (is->state) {
	case STATE_ACCEPTED:
		return won ? TOLD_NOTHING : TOLD_ACCEPTED;
	case STATE_PENDING:
		return was && was->state == STATE_PENDING &&
				       !has_another_deadline(was, is)
			       ? TOLD_NOTHING
			       : TOLD_CREATE;
	case STATE_TIMED_OUT:
		return open ? TOLD_TIMEOUT : TOLD_NOTHING;
	case STATE_REJECTED:
	case STATE_TAKEN:
	case STATE_CANCELLED:
		return open ? TOLD_REJECTED : TOLD_NOTHING;
	case STATE_ACCEPTING:
	case STATE_REJECTING:
	case STATE_REFUSED:
	case STATES:
	default:
		/* What the shop was told is its own no longer is for certain. */
		return won ? TOLD_REJECTED : TOLD_NOTHING;
	}
}

static void write_deadline(struct buf *b, const struct opening *p)
{
	if (p && p->expires != TIME_NONE)
		json_put_time(b, "expirationAt", p->expires, p->offset_min,
			      false);
}

static void tell_check_first(struct telling *t, const struct offer *f,
			     enum told what)
{
	static const char *const actions[] = {[TOLD_CREATE] = "create",
					      [TOLD_ACCEPTED] = "accepted",
					      [TOLD_REJECTED] = "rejected",
					      [TOLD_TIMEOUT] = "timeout"};
	struct buf b;

	buf_init(&b, 512);
	json_begin(&b, NULL);
	if (what == TOLD_CREATE) {
		json_begin_list(&b, "warehouses");
		json_begin(&b, NULL);
	}
	json_put_int(&b, "warehouseId", f->warehouse);
	if (what == TOLD_CREATE) {
		write_deadline(&b, offer_opened(f));
		json_end(&b);
		json_end_list(&b);
	}
	json_end(&b);
	tell(t, "check_first", actions[what], t->f->after->number, b.data);
	buf_release(&b);
}

/* ---- allocation requests ---- */

static const struct alloc_request *newest_request(const struct offer *f)
{
	const struct alloc_request *ret = NULL;

	for (size_t i = 0; i < f->n_requests; i++)
		if (!ret || f->requests[i].nth > ret->nth)
			ret = &f->requests[i];
	return ret;
}

static void write_request_lines(struct buf *b, const struct alloc_request *r)
{
	char name[32];

	json_begin(b, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		snprintf(name, sizeof(name), "%" PRId64, r->lines[i].line);
		json_begin(b, name);
		json_put_int(b, "lineId", r->lines[i].line);
		json_put_int(b, "quantity", r->lines[i].quantity);
		json_end(b);
	}
	json_end(b);
}

/* Writes the deadline as PHP prints a time: local, and the zone apart. */
static void write_request_deadline(struct buf *b, const struct opening *p)
{
	char iso[TIME_ISO_SIZE], text[STAMP_SIZE];

	if (!p || p->expires == TIME_NONE)
		return;
	time_iso(iso, p->expires, p->offset_min, true);
	snprintf(text, sizeof(text), "%.10s %.12s000", iso, iso + 11);
	json_begin(b, "expirationDate");
	json_put(b, "date", text);
	json_put_int(b, "timezone_type", 1);
	json_put(b, "timezone", p->offset_min ? iso + 23 : "+00:00");
	json_end(b);
}

/* Adds the data of an event; `lines` NULL: without them. */
static void write_request(struct buf *b, const struct telling *t,
			  const struct offer *f, enum request_status status,
			  const struct alloc_request *lines)
{
	json_begin(b, NULL);
	json_put(b, "status", request_status_name(status));
	json_put_int(b, "warehouseId", f->warehouse);
	write_request_deadline(b, offer_opened(f));
	json_begin(b, "order");
	json_put_int(b, "number", t->f->after->number);
	json_end(b);
	if (lines)
		write_request_lines(b, lines);
	json_end(b);
}

static void tell_request(struct telling *t, const struct offer *f,
			 enum told what)
{
	static const enum request_status of[] = {
		[TOLD_CREATE] = REQUEST_SENT,
		[TOLD_ACCEPTED] = REQUEST_CONFIRMED,
		[TOLD_TIMEOUT] = REQUEST_TIMED_OUT};
	enum request_status status =
		what != TOLD_REJECTED	      ? of[what]
		: f->state == STATE_REJECTED ? REQUEST_REJECTED
					      : REQUEST_OUTDATED;
	struct buf b;

	buf_init(&b, DATA_MOST);
	write_request(&b, t, f, status, newest_request(f));
	if (buf_full(&b)) {
		buf_release(&b);
		buf_init(&b, DATA_MOST);
		write_request(&b, t, f, status, NULL);
	}
	tell(t, "allocation_request",
	     what == TOLD_CREATE ? "create" : "update", t->f->after->number,
	     b.data);
	buf_release(&b);
}

static void tell_offer(struct telling *t, const struct offer *f,
		       enum told what)
{
	const struct opening *p = offer_opened(f);

	if (what == TOLD_NOTHING)
		return;
	if (p && p->kind == KIND_ALLOCATION_REQUEST)
		tell_request(t, f, what);
	else
		tell_check_first(t, f, what);
}

/* ---- the order ---- */

/* True if the order, as the shop can fetch it, differs. */
static bool order_differs(const struct followed *f)
{
	const struct order *a = f->before, *b = f->after;

	if (a->cancelled != b->cancelled)
		return true;
	/* The first fetch is a part of the offer. */
	return a->fetched_at &&
	       (f->texts || a->told_at != b->told_at ||
		a->on_hold != b->on_hold || strcmp(a->status, b->status) != 0 ||
		strcmp(a->hold_reason, b->hold_reason) != 0);
}

/* ---- shipments ---- */

static void tell_shipment(struct telling *t, const struct shipment *was,
			  const struct shipment *is)
{
	bool made = is->came.id && !(was && was->came.id == is->came.id);
	bool sent = is->came.id && is->came.stage == SHIP_SHIPPED &&
		    !(was && was->came.stage == SHIP_SHIPPED);

	if (made)
		tell(t, "shipment", "create", is->came.id, NULL);
	if (t->shop->by_system ? made : sent)
		tell(t, "shipment", "good_to_go", is->came.id, NULL);
}

static void tell_shipments(struct telling *t, const struct offer *was,
			   const struct offer *is)
{
	for (size_t i = 0; i < is->n_shipments; i++)
		tell_shipment(t,
			      was && i < was->n_shipments ? &was->shipments[i]
							  : NULL,
			      &is->shipments[i]);
}

/* ---- a shop ---- */

static bool is_of(const struct follow_shop *shop, int64_t warehouse)
{
	for (size_t i = 0; i < shop->n_warehouses; i++)
		if (shop->warehouses[i] == warehouse)
			return true;
	return false;
}

static void tell_shop(struct telling *t)
{
	const struct order *before = t->f->before, *after = t->f->after;
	bool changed = false, concerned = false;
	const struct offer *was, *is;

	for (size_t i = 0; i < after->n_offers; i++) {
		is = &after->offers[i];
		if (!is_of(t->shop, is->warehouse))
			continue;
		was = order_offer(before, is->warehouse);
		tell_offer(t, is, told_of(was, is));
		changed |= was && was->state == STATE_ACCEPTED &&
			   (is->state != STATE_ACCEPTED ||
			    is->doubt != was->doubt);
		concerned |= is->list != LIST_DONE ||
			     (was && was->list != LIST_DONE);
	}
	if (changed || (concerned && order_differs(t->f)))
		tell(t, "order", "update", after->number, NULL);
	for (size_t i = 0; i < after->n_offers; i++) {
		is = &after->offers[i];
		if (is_of(t->shop, is->warehouse))
			tell_shipments(t, order_offer(before, is->warehouse),
				       is);
	}
	if (t->n)
		changes_task(t->ret, TASK_NOTIFY, notify_sub(t->shop->name),
			     t->f->now);
}

/* True if an offer before the i-th is of the same shop. */
static bool is_told_already(const struct followed *f, size_t i,
			    const struct follow_shop *shop)
{
	for (size_t k = 0; k < i; k++)
		if (is_of(shop, f->after->offers[k].warehouse))
			return true;
	return false;
}

void outgoing_follow(const struct follow_config *c, const struct followed *f,
		     struct changes *ret)
{
	const char *instance = f->after->instance;
	struct follow_shop shop;

	for (size_t i = 0; i < f->after->n_offers; i++) {
		struct telling t = {.shop = &shop, .f = f, .ret = ret};

		if (!c->shop_of(c->arg, instance,
				f->after->offers[i].warehouse, &shop) ||
		    !shop.notify || is_told_already(f, i, &shop))
			continue;
		t.zone = c->zone(c->arg, instance);
		tell_shop(&t);
	}
}
