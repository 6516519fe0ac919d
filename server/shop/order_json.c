/* SPDX-License-Identifier: MIT
 *
 * order_json.c - see order_json.h.
 */
#include "server/shop/order_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/offer.h"
#include "handlers/problem.h"
#include "handlers/requests.h"
#include "server/shop/shipment_json.h"
#include "server/access/token.h"

#define TIMELINE_MAX 200 /* entries of a timeline; of a longer one the newest */

/* ---- what was fetched ---- */

/* Adds a text, or null if it is absent. */
static void text(struct buf *out, const char *name, const struct json *of)
{
	json_put(out, name, json_text(json_get(of, name)));
}

/* Adds a whole number.  One that a client may not be able to hold exactly is
 * null. */
static void number(struct buf *out, const char *name, const struct json *of)
{
	int64_t n;

	if (json_whole(json_get(of, name), -JSON_WHOLE_MAX, JSON_WHOLE_MAX, &n))
		json_put_int(out, name, n);
	else
		json_put_null(out, name);
}

/* True if somebody has to pick the line: not one that is cancelled (no units
 * left), and not one without stock of its own, such as a gift card or the
 * parent of a bundle, whose items are lines too. */
static bool to_pick(const struct json *l)
{
	int64_t n;

	return !json_is_true(json_get(l, "stockless")) &&
	       !json_whole(json_get(l, "quantity"), INT64_MIN, 0, &n);
}

/* Adds what is known of a line's goods.  It is no part of the order's
 * version. */
static void good_json(struct buf *out, const struct good *g)
{
	if (*g->picture)
		json_put(out, "picture", g->picture);
	if (!g->counted)
		return;
	json_put_int(out, "on_hand", g->on_hand);
	json_put_time(out, "on_hand_at", g->counted_at, 0, false);
}

/* Adds a line.  `left`: units that remain to be shipped; below 0: all units of
 * the line.  `good`, or NULL: what is known of its goods.  Everything else that
 * is written here is part of the order's version, so it must not change while the
 * goods stay the same. */
static void line(struct buf *out, const struct json *l, int64_t left,
		 const struct good *good)
{
	static const char *const names[] = {"product", "variant", "size",
					    "sku", "ean", "upc"};

	json_begin(out, NULL);
	number(out, "line_id", l);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		text(out, names[i], l);
	if (left < 0)
		number(out, "quantity", l);
	else
		json_put_int(out, "quantity", left);
	if (good)
		good_json(out, good);
	json_end(out);
}

/* Returns how many units of the line are left to ship; -1: not known, or the
 * shop does not ship it. */
static int64_t left_of(const struct offer *f, const struct json *l,
		       const struct ship_stock *stock, size_t n)
{
	int64_t id;

	if (f->state != STATE_ACCEPTED ||
	    !json_whole(json_get(l, "line_id"), 1, JSON_WHOLE_MAX, &id))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (id == stock[i].line)
			return ship_left(f, &stock[i]);
	return -1;
}

/* True if the shop is asked for the line.  *left: of a line that is not being
 * shipped yet the units that an allocation request names. */
static bool is_asked_for(const struct offer *f, const struct json *l,
			 int64_t *left)
{
	int64_t id, units = 0;

	if (!json_whole(json_get(l, "line_id"), 1, JSON_WHOLE_MAX, &id))
		return true;
	if (!requests_have_line(f, id, &units))
		return false;
	if (*left < 0 && units > 0)
		*left = units;
	return true;
}

/* What is known of the goods of an order's first lines. */
struct goods_known {
	struct good list[GOODS_LINES];
	size_t n;
};

/* Asks what is known of the lines' goods; of an order that is done nothing new
 * is asked for. */
static void known_goods(struct goods *goods, const struct order *o,
			const struct offer *f, const struct json *details,
			int64_t now, struct goods_known *ret)
{
	const struct goods_at at = {.instance = o->instance,
				    .order = o->number,
				    .warehouse = f->warehouse,
				    .ask = f->list != LIST_DONE,
				    .wall = now,
				    .mono = time_mono()};
	const char *eans[GOODS_LINES];
	const struct json *l;

	ret->n = 0;
	json_each(l, json_get(details, "lines"))
	{
		if (ret->n == GOODS_LINES)
			break;
		eans[ret->n++] =
			to_pick(l) ? json_text(json_get(l, "ean")) : NULL;
	}
	goods_find(goods, &at, eans, ret->n, ret->list);
}

/* `goods`: NULL, or what is known of the lines' goods. */
static void fetched(struct buf *out, const struct offer *f,
		    const struct json *details, const struct goods_known *goods)
{
	size_t i = 0;
	const struct json *lines = json_get(details, "lines"), *l;
	struct ship_stock *stock;
	size_t n = stock_read(details, f, &stock);

	text(out, "placed_at", details);
	text(out, "city", details);
	text(out, "country", details);
	json_begin_list(out, "lines");
	json_each(l, lines)
	{
		int64_t left = left_of(f, l, stock, n);

		if (is_asked_for(f, l, &left) && to_pick(l) && left)
			line(out, l, left,
			     goods && i < goods->n ? &goods->list[i] : NULL);
		i++;
	}
	json_end_list(out);
	json_put_bool(out, "lines_known", json_is_list(lines));
	free(stock);
}

/* Adds the address.  It is personal data: only for the shop that has to ship,
 * and only as long as it has to. */
static void ship_to(struct buf *out, const struct offer *f,
		    const char *address)
{
	struct json *a = NULL;

	if (f->state == STATE_ACCEPTED)
		a = stored_read(address);
	json_key(out, "ship_to");
	/* An empty object means that the address was removed after its time. */
	if (json_is_object(a) && !json_empty(a))
		buf_json_value(out, address);
	else
		buf_str(out, "null");
	json_free(a);
}

/* ---- the offer ---- */

/* Returns about when the present offer was made: when we first heard of the
 * order, or, if it had been offered before, when that offer ended.  The dates
 * in Centra's events cannot be used: they have no zone.  Of several allocation
 * requests one may be made while another is open. */
static int64_t offered_at(const struct order *o, const struct offer *f,
			  int64_t now)
{
	bool request = offer_kind(f) == KIND_ALLOCATION_REQUEST;
	int64_t at = o->first_seen ? o->first_seen : TIME_NONE;

	for (size_t i = 0; i < f->n_openings; i++) {
		int64_t ended = f->openings[i].expires;

		if (request && ended > now)
			continue;
		if (ended != TIME_NONE && ended < f->expires &&
		    (at == TIME_NONE || ended > at))
			at = ended;
	}
	return at;
}

static void offer(struct buf *out, const struct order *o,
		  const struct offer *f, int64_t now)
{
	static const char *const verbs[] = {
		[VERB_ACCEPT] = "accept",
		[VERB_REJECT] = "reject",
	};
	const struct opening *opened = offer_opened(f);
	bool no = f->state == STATE_REFUSED;

	json_begin(out, NULL);
	json_put_int(out, "number", o->number);
	json_put(out, "instance", o->instance);
	json_put(out, "state", offer_state_name(f->state));
	json_put(out, "kind", offer_kind_name(offer_kind(f)));
	json_put_bool(out, "expired", offer_expired(f, now));
	json_put_bool(out, "late", f->list == LIST_OPEN && requests_late(f));
	json_put_int(out, "warehouse", f->warehouse);
	json_put_time(out, "expires_at", f->expires,
		      opened ? opened->offset_min : 0, false);
	json_put_time(out, "offered_at", offered_at(o, f, now), 0, false);
	json_put(out, "answer",
		 offer_answered(f) ? verbs[f->answer.verb] : NULL);
	json_put(out, "refusal", no ? f->answer.refusal : NULL);
	json_put_bool(out, "on_hold", o->on_hold);
	json_put_bool(out, "doubt", f->doubt);
}

/* Adds the problem of an order that is to be shipped. */
static void problem(struct buf *out, const struct offer *f)
{
	const struct problem *p = &f->problem;

	if (!p->at || f->state != STATE_ACCEPTED || f->shipped) {
		json_put_null(out, "problem");
		return;
	}
	json_begin(out, "problem");
	json_put(out, "reason", p->reason);
	json_put(out, "note", p->note);
	json_put_time(out, "at", p->at, 0, false);
	json_put(out, "by", p->by);
	if (p->solved_at) {
		json_begin(out, "solved");
		json_put(out, "by", p->solved_by);
		json_put_time(out, "at", p->solved_at, 0, false);
		json_end(out);
	} else {
		json_put_null(out, "solved");
	}
	json_end(out);
}

/* Adds what a shop said after its answer, and what the shop must be told. */
static void after_answer(struct buf *out, const struct order *o,
			 const struct offer *f, const struct config_shop *shop)
{
	problem(out, f);
	json_put_bool(out, "stop",
		      offer_stop(o, shop->warehouses.ids, shop->warehouses.n));
	/* True only when all of it is shipped; after a part, the lines show
	 * what remains. */
	json_put_bool(out, "shipped", f->shipped && f->list != LIST_OPEN);
}

/* ---- the timeline ---- */

static void word_json(struct buf *out, const char *name, const char *word)
{
	if (word)
		json_put(out, name, word);
}

/* Adds one entry: {"at","what","kind"} and the fields that it has. */
static void entry_json(struct buf *out, const struct entry *e)
{
	struct buf words;

	buf_init(&words, 3 * ORDER_TEXT_MAX);
	entry_words(&words, e, SHOP, NULL);
	json_begin(out, NULL);
	json_put_time(out, "at", e->at, 0, false);
	json_put(out, "what", words.data ? words.data : "");
	json_put(out, "kind", fact_name(e->fact));
	if (e->warehouse)
		json_put_int(out, "warehouse", e->warehouse);
	if (e->device)
		json_put_uint(out, "device", e->device);
#define WORD(name) word_json(out, #name, e->name);
#include "store/model/journal.def"
	if (e->n)
		json_put_int(out, "n", e->n);
	if (e->until)
		json_put_time(out, "until", e->until, (int)e->offset_min,
			      false);
	json_end(out);
	buf_release(&words);
}

struct timeline {
	struct buf *out;
	const struct config_shop *shop;
	size_t lines; /* entries that the shop may see */
	size_t skip;  /* of those */
	bool writing; /* else counting */
};

/* Adds an entry to the timeline.  A `fn` of store_journal(). */
static bool timeline_entry(void *arg, const struct entry *e)
{
	struct timeline *t = arg;
	const int64_t *ours = t->shop->warehouses.ids;
	size_t n = t->shop->warehouses.n;
	struct entry seen;

	if (!entry_visible(e, ours, n))
		return true;
	t->lines++;
	if (!t->writing || t->lines <= t->skip)
		return true;
	seen = entry_copy(e);
	entry_for_shop(&seen, ours, n);
	entry_json(t->out, &seen);
	entry_release(&seen);
	return true;
}

static enum rc timeline_json(struct buf *out, struct store *store,
			     const struct config_shop *shop,
			     const struct order *o, struct err *e)
{
	struct timeline t = {.out = out, .shop = shop};
	enum rc rc;

	rc = store_journal(store, o->instance, o->number, timeline_entry, &t,
			   e);
	if (rc == RC_INVALID) /* the entries that can be read are shown */
		log_limited(6, LOG_ERROR, "damaged entries left out of a timeline",
			    LOG_S("instance", o->instance),
			    LOG_N("order", o->number), LOG_S("error", e->text));
	else if (rc && rc != RC_NOTFOUND)
		return rc;
	t.skip = t.lines > TIMELINE_MAX ? t.lines - TIMELINE_MAX : 0;
	t.lines = 0;
	t.writing = true;
	json_begin_list(out, "timeline");
	rc = store_journal(store, o->instance, o->number, timeline_entry, &t,
			   e);
	json_end_list(out);
	return rc == RC_NOTFOUND || rc == RC_INVALID ? OK : rc;
}

/* ---- the version ---- */

/* Adds the parts of the JSON that a person acts on.  Times that pass, tries and
 * fetches are left out. */
static void acted_on(struct buf *out, const struct order *o,
		     const struct offer *f, const struct config_shop *shop,
		     const struct json *details, const char *address)
{
	bool mine = f->state == STATE_ACCEPTED;

	buf_fmt(out, "%s %" PRId64 " %" PRId64 "%s%s",
		offer_state_name(f->state), f->warehouse,
		mine ? TIME_NONE : f->expires, mine && o->on_hold ? "h" : "",
		offer_stop(o, shop->warehouses.ids, shop->warehouses.n) ?
			"s" :
			"");
	fetched(out, f, details, NULL);
	ship_to(out, f, address);
	problem(out, f);
}

#define ACTED_ON_MAX ((size_t)4 * ORDER_JSON_MAX)

/* Makes the version.  False: there is no SHA-256. */
static bool version_of(char ret[ORDER_VERSION_SIZE], const struct order *o,
		       const struct offer *f, const struct config_shop *shop,
		       const struct json *details, const char *address)
{
	unsigned char digest[TOKEN_HASH_SIZE];
	struct buf b;
	bool ok;

	buf_init(&b, ACTED_ON_MAX);
	acted_on(&b, o, f, shop, details, address);
	ok = !buf_full(&b) && !token_digest(digest, b.data, b.len);
	if (ok)
		hex_write(ret, digest, (ORDER_VERSION_SIZE - 1) / 2);
	buf_release(&b);
	return ok;
}

enum rc order_version(char ret[ORDER_VERSION_SIZE],
		      const struct config_shop *shop, const struct order *o,
		      const char *details, const char *address)
{
	const struct offer *f = offer_of_shop(o, shop->warehouses.ids,
					      shop->warehouses.n);
	struct json *known;
	bool ok;

	if (!f)
		return RC_NOTFOUND;
	known = stored_read(details);
	ok = version_of(ret, o, f, shop, known, address);
	json_free(known);
	return ok ? OK : RC_INVALID;
}

/* ---- all of it ---- */

bool order_is_for_shop(const struct order *o, const struct config_shop *shop)
{
	return offer_of_shop(o, shop->warehouses.ids, shop->warehouses.n);
}

enum rc order_json(struct buf *out, struct store *store, struct goods *goods,
		   const struct config_shop *shop, const struct order *o,
		   int64_t now, bool timeline, struct err *e)
{
	const struct offer *f = offer_of_shop(o, shop->warehouses.ids,
					      shop->warehouses.n);
	char *details = NULL, *address = NULL;
	char version[ORDER_VERSION_SIZE];
	struct goods_known in_stock;
	struct json *known = NULL;
	enum rc rc;

	if (!f)
		return fail(e, RC_NOTFOUND,
			    "order %" PRId64 " was not offered to shop '%s'",
			    o->number, shop->id);
	rc = store_details(store, o->instance, o->number, &details, &address,
			   e);
	if (rc && rc != RC_NOTFOUND)
		goto out;
	rc = OK;
	known = stored_read(details);
	offer(out, o, f, now);
	known_goods(goods, o, f, known, now, &in_stock);
	fetched(out, f, known, &in_stock);
	ship_to(out, f, address);
	shipments_json(out, f);
	json_put_int(out, "unclear", unclear_pieces(known, f));
	after_answer(out, o, f, shop);
	json_put(out, "version",
		 version_of(version, o, f, shop, known, address) ? version
								 : NULL);
	json_put_time(out, "updated_at", o->updated, 0, true);
	if (timeline)
		rc = timeline_json(out, store, shop, o, e);
	json_end(out);
out:
	json_free(known);
	free(details);
	free(address);
	return rc;
}
