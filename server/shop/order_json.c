/* SPDX-License-Identifier: MIT
 *
 * order_json.c - see order_json.h.
 */
#include "server/shop/order_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "handlers/offer.h"
#include "handlers/problem.h"
#include "server/shop/shipment_json.h"
#include "server/access/token.h"

#define TIMELINE_MAX 200 /* lines; of more, the newest */

static void time_or_null(struct buf *out, int64_t t, int offset_min)
{
	char iso[TIME_ISO_SIZE];

	buf_json(out, t == TIME_NONE ? NULL :
				       time_iso(iso, t, offset_min, false));
}

/* ---- what was fetched ---- */

#define EXACT_MAX 9007199254740992.0 /* 2^53: cJSON's numbers are doubles */

/* Adds a value as JSON; null for none.  cJSON itself would write a large id as
 * 9.00719925474099e+15; one that a double cannot hold is null, not another. */
static void value(struct buf *out, const cJSON *item)
{
	double n = cJSON_IsNumber(item) ? cJSON_GetNumberValue(item) : 0.5;
	char *text = NULL;

	if (n >= EXACT_MAX || n <= -EXACT_MAX) {
		buf_str(out, "null");
		return;
	}
	if (n == (double)(int64_t)n) {
		buf_fmt(out, "%" PRId64, (int64_t)n);
		return;
	}
	if (item)
		text = cJSON_PrintUnformatted(item);
	buf_str(out, text ? text : "null");
	cJSON_free(text);
}

static void member(struct buf *out, const char *name, const cJSON *of)
{
	buf_char(out, ',');
	buf_json(out, name);
	buf_char(out, ':');
	value(out, cJSON_GetObjectItemCaseSensitive(of, name));
}

/* Nobody picks a line without units, which is cancelled, nor one without stock
 * of its own: the parent of a bundle, whose items are lines too, or a gift
 * card. */
static bool to_pick(const cJSON *l)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(l, "quantity");

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(l, "stockless")))
		return false;
	return !cJSON_IsNumber(n) || cJSON_GetNumberValue(n) > 0;
}

/* left: units that remain to be shipped; below 0: all of the line's.  All of it
 * is in the order's version: nothing that changes while the goods do not. */
static void line(struct buf *out, const cJSON *l, int64_t left)
{
	static const char *const names[] = {"product", "variant", "size",
					    "sku", "ean", "upc"};

	buf_str(out, "{\"line_id\":");
	value(out, cJSON_GetObjectItemCaseSensitive(l, "line_id"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		member(out, names[i], l);
	if (left < 0)
		member(out, "quantity", l);
	else
		buf_fmt(out, ",\"quantity\":%" PRId64, left);
	buf_char(out, '}');
}

/* What is left to ship of the line; -1: that is not known, or nobody ships. */
static int64_t left_of(const struct offer *f, const cJSON *l,
		       const struct ship_stock *stock, size_t n)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(l, "line_id");

	if (f->state != STATE_ACCEPTED || !n)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (cJSON_GetNumberValue(id) == (double)stock[i].line)
			return ship_left(f, &stock[i]);
	return -1;
}

static void fetched(struct buf *out, const struct offer *f,
		    const cJSON *details)
{
	const cJSON *lines, *l;
	struct ship_stock *stock;
	const char *comma = "";
	size_t n = stock_read(details, f, &stock);

	member(out, "placed_at", details);
	member(out, "city", details);
	member(out, "country", details);
	buf_str(out, ",\"lines\":[");
	lines = cJSON_GetObjectItemCaseSensitive(details, "lines");
	cJSON_ArrayForEach(l, lines)
	{
		int64_t left = left_of(f, l, stock, n);

		if (!to_pick(l) || !left)
			continue;
		buf_str(out, comma);
		line(out, l, left);
		comma = ",";
	}
	buf_fmt(out, "],\"lines_known\":%s",
		cJSON_IsArray(lines) ? "true" : "false");
	free(stock);
}

/* Personal data: for the shop that has to ship, and only while it has to. */
static void ship_to(struct buf *out, const struct offer *f,
		    const char *address)
{
	cJSON *a = NULL;

	if (f->state == STATE_ACCEPTED && address)
		a = cJSON_Parse(address);
	buf_str(out, ",\"ship_to\":");
	/* Empty: it was removed, having been kept long enough. */
	value(out, a && cJSON_IsObject(a) && a->child ? a : NULL);
	cJSON_Delete(a);
}

/* ---- the offer ---- */

/* About when the present offer was made: when we first heard of the order or,
 * of one that was offered before, when that ended.  Centra's dates cannot say:
 * they have no zone. */
static int64_t offered_at(const struct order *o, const struct offer *f)
{
	int64_t at = o->first_seen ? o->first_seen : TIME_NONE;

	for (size_t i = 0; i < f->n_openings; i++) {
		int64_t ended = f->openings[i].expires;

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
		[VERB_NONE] = "null",
		[VERB_ACCEPT] = "\"accept\"",
		[VERB_REJECT] = "\"reject\"",
	};
	const struct opening *opened = offer_opened(f);
	bool no = f->state == STATE_REFUSED;

	buf_fmt(out, "{\"number\":%" PRId64 ",\"instance\":", o->number);
	buf_json(out, o->instance);
	buf_fmt(out, ",\"state\":\"%s\",\"expired\":%s,\"warehouse\":%" PRId64,
		offer_state_name(f->state),
		offer_expired(f, now) ? "true" : "false", f->warehouse);
	buf_str(out, ",\"expires_at\":");
	time_or_null(out, f->expires, opened ? opened->offset_min : 0);
	buf_str(out, ",\"offered_at\":");
	time_or_null(out, offered_at(o, f), 0);
	buf_fmt(out, ",\"answer\":%s", verbs[offer_answered(f) ?
							f->answer.verb :
							VERB_NONE]);
	buf_str(out, ",\"refusal\":");
	buf_json(out, no ? f->answer.refusal : NULL);
	buf_fmt(out, ",\"on_hold\":%s,\"doubt\":%s",
		o->on_hold ? "true" : "false", f->doubt ? "true" : "false");
}

/* The problem of an order that is to be shipped. */
static void problem(struct buf *out, const struct offer *f)
{
	const struct problem *p = &f->problem;

	buf_str(out, ",\"problem\":");
	if (!p->at || f->state != STATE_ACCEPTED || f->shipped) {
		buf_str(out, "null");
		return;
	}
	buf_str(out, "{\"reason\":");
	buf_json(out, p->reason);
	buf_str(out, ",\"note\":");
	buf_json(out, p->note);
	buf_str(out, ",\"at\":");
	time_or_null(out, p->at, 0);
	buf_str(out, ",\"by\":");
	buf_json(out, p->by);
	buf_str(out, ",\"solved\":");
	if (p->solved_at) {
		buf_str(out, "{\"by\":");
		buf_json(out, p->solved_by);
		buf_str(out, ",\"at\":");
		time_or_null(out, p->solved_at, 0);
		buf_char(out, '}');
	} else {
		buf_str(out, "null");
	}
	buf_char(out, '}');
}

/* What a shop said after its answer, and what it must be told. */
static void history(struct buf *out, const struct order *o,
		    const struct offer *f, const struct config_shop *shop)
{
	problem(out, f);
	buf_fmt(out, ",\"stop\":%s",
		offer_stop(o, shop->warehouses.ids, shop->warehouses.n) ?
			"true" :
			"false");
	/* All of it: what remains of a part is in the lines. */
	buf_fmt(out, ",\"shipped\":%s", f->shipped ? "true" : "false");
}

/* ---- the timeline ---- */

static void word_json(struct buf *out, const char *name, const char *word)
{
	if (!word)
		return;
	buf_fmt(out, ",\"%s\":", name);
	buf_json(out, word);
}

/* {"at","what","kind"} and the fields that the entry has. */
static void entry_json(struct buf *out, const struct entry *e)
{
	char iso[TIME_ISO_SIZE];
	struct buf words;

	buf_init(&words, 3 * ORDER_TEXT_MAX);
	entry_words(&words, e, SHOP, NULL);
	buf_str(out, "{\"at\":");
	buf_json(out, time_iso(iso, e->at, 0, false));
	buf_str(out, ",\"what\":");
	buf_json(out, words.data ? words.data : "");
	buf_fmt(out, ",\"kind\":\"%s\"", fact_name(e->fact));
	if (e->warehouse)
		buf_fmt(out, ",\"warehouse\":%" PRId64, e->warehouse);
	if (e->device)
		buf_fmt(out, ",\"device\":%" PRIu64, e->device);
#define WORD(name) word_json(out, #name, e->name);
#include "store/model/journal.def"
	if (e->n)
		buf_fmt(out, ",\"n\":%" PRId64, e->n);
	if (e->until)
		word_json(out, "until",
			  time_iso(iso, e->until, (int)e->offset_min, false));
	buf_char(out, '}');
	buf_release(&words);
}

struct timeline {
	struct buf *out;
	const struct config_shop *shop;
	size_t lines; /* that the shop may see */
	size_t skip;  /* of those */
	bool writing; /* else counting */
};

/* A `fn` of store_journal(). */
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
	buf_str(t->out, t->lines > t->skip + 1 ? "," : "");
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
	if (rc && rc != RC_NOTFOUND)
		return rc;
	t.skip = t.lines > TIMELINE_MAX ? t.lines - TIMELINE_MAX : 0;
	t.lines = 0;
	t.writing = true;
	buf_str(out, ",\"timeline\":[");
	rc = store_journal(store, o->instance, o->number, timeline_entry, &t,
			   e);
	buf_char(out, ']');
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- the version ---- */

/* The parts of the JSON that a person acts on.  Times that pass, tries and
 * fetches are not among them. */
static void acted_on(struct buf *out, const struct order *o,
		     const struct offer *f, const struct config_shop *shop,
		     const cJSON *details, const char *address)
{
	bool mine = f->state == STATE_ACCEPTED;

	buf_fmt(out, "%s %" PRId64 " %" PRId64 "%s%s",
		offer_state_name(f->state), f->warehouse,
		mine ? TIME_NONE : f->expires, mine && o->on_hold ? "h" : "",
		offer_stop(o, shop->warehouses.ids, shop->warehouses.n) ?
			"s" :
			"");
	fetched(out, f, details);
	ship_to(out, f, address);
	problem(out, f);
}

#define ACTED_ON_MAX ((size_t)4 * ORDER_JSON_MAX)

/* False: it cannot be made, for want of SHA-256. */
static bool version_of(char ret[ORDER_VERSION_SIZE], const struct order *o,
		       const struct offer *f, const struct config_shop *shop,
		       const cJSON *details, const char *address)
{
	unsigned char digest[TOKEN_HASH_SIZE];
	struct buf b;
	bool ok;

	buf_init(&b, ACTED_ON_MAX);
	acted_on(&b, o, f, shop, details, address);
	ok = !buf_full(&b) && !token_digest(digest, b.data, b.len);
	for (int i = 0; ok && i < (ORDER_VERSION_SIZE - 1) / 2; i++)
		snprintf(ret + (size_t)2 * i, 3, "%02x", digest[i]);
	buf_release(&b);
	return ok;
}

enum rc order_version(char ret[ORDER_VERSION_SIZE],
		      const struct config_shop *shop, const struct order *o,
		      const char *details, const char *address)
{
	const struct offer *f = offer_of_shop(o, shop->warehouses.ids,
					      shop->warehouses.n);
	cJSON *known;
	bool ok;

	if (!f)
		return RC_NOTFOUND;
	known = details ? cJSON_Parse(details) : NULL;
	ok = version_of(ret, o, f, shop, known, address);
	cJSON_Delete(known);
	return ok ? OK : RC_INVALID;
}

/* ---- all of it ---- */

enum rc order_json(struct buf *out, struct store *store,
		   const struct config_shop *shop, const struct order *o,
		   int64_t now, bool timeline, struct err *e)
{
	const struct offer *f = offer_of_shop(o, shop->warehouses.ids,
					      shop->warehouses.n);
	char *details = NULL, *address = NULL;
	char iso[TIME_ISO_SIZE], version[ORDER_VERSION_SIZE];
	cJSON *known = NULL;
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
	known = details ? cJSON_Parse(details) : NULL;
	offer(out, o, f, now);
	fetched(out, f, known);
	ship_to(out, f, address);
	shipments_json(out, f);
	buf_fmt(out, ",\"unclear\":%" PRId64, unclear_pieces(known, f));
	history(out, o, f, shop);
	buf_str(out, ",\"version\":");
	buf_json(out, version_of(version, o, f, shop, known, address) ?
			      version :
			      NULL);
	buf_str(out, ",\"updated_at\":");
	buf_json(out, time_iso(iso, o->updated, 0, true));
	if (timeline)
		rc = timeline_json(out, store, shop, o, e);
	buf_char(out, '}');
out:
	cJSON_Delete(known);
	free(details);
	free(address);
	return rc;
}
