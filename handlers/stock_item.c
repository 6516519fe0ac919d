/* SPDX-License-Identifier: MIT
 *
 * stock_item.c - see stock_item.h.
 */
#include "handlers/stock_item.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"

#define WORDS_MAX 500 /* bytes of Centra's words that are kept */

static const char *const names[STOCK_STATES] = {
	[STOCK_WAITING] = "waiting",
	[STOCK_DONE] = "done",
	[STOCK_BELOW_ALLOCATED] = "below_allocated",
	[STOCK_UNKNOWN] = "unknown",
	[STOCK_BUNDLE] = "bundle",
	[STOCK_REFUSED] = "refused",
	[STOCK_TOO_OLD] = "too_old",
	[STOCK_SUPERSEDED] = "older",
};

const char *stock_state_name(enum stock_state s)
{
	return (unsigned)s < STOCK_STATES ? names[s] : "refused";
}

bool stock_state_read(const char *name, enum stock_state *ret)
{
	for (int s = 0; name && s < STOCK_STATES; s++)
		if (!strcmp(name, names[s])) {
			*ret = (enum stock_state)s;
			return true;
		}
	return false;
}

enum stock_state stock_refusal(const char *words)
{
	static const struct {
		const char *word;
		enum stock_state means;
	} known[] = {
		{"bundle", STOCK_BUNDLE},
		{"allocat", STOCK_BELOW_ALLOCATED},
		{"warehouse", STOCK_REFUSED},
		{"not found", STOCK_UNKNOWN},
		{"not exist", STOCK_UNKNOWN},
		{"could not find", STOCK_UNKNOWN},
		{"cannot find", STOCK_UNKNOWN},
		{"unknown", STOCK_UNKNOWN},
		{"no product", STOCK_UNKNOWN},
	};

	for (size_t i = 0; words && i < sizeof(known) / sizeof(*known); i++)
		if (strcasestr(words, known[i].word))
			return known[i].means;
	return STOCK_REFUSED;
}

void stock_key(char ret[DOC_KEY_SIZE], int64_t warehouse, bool by_sku,
	       const char *code)
{
	_Static_assert(20 + 5 + STOCK_CODE_MAX < DOC_KEY_SIZE,
		       "a key holds a warehouse and a code");

	snprintf(ret, DOC_KEY_SIZE, "%" PRId64 "/%s/%.*s", warehouse,
		 by_sku ? "sku" : "ean", STOCK_CODE_MAX, code);
}

void stock_item_release(struct stock_item *i)
{
	for (size_t k = 0; k < i->n_history; k++) {
		free(i->history[k].by);
		free(i->history[k].text);
	}
	free(i->history);
	free(i->text);
	i->history = NULL;
	i->n_history = 0;
	i->text = NULL;
}

/* ---- reading ---- */

static bool number(const struct json *v, const char *name, int64_t *ret)
{
	return json_whole(json_get(v, name), INT64_MIN + 1, INT64_MAX - 1,
			  ret);
}

static void copy(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "");
}

static void read_history(struct stock_item *i, const struct json *list)
{
	const struct json *v;
	struct stock_entry *e;

	i->history = xcalloc(STOCK_HISTORY_MAX + 1, sizeof(*i->history));
	json_each(v, list)
	{
		if (i->n_history == STOCK_HISTORY_MAX)
			return;
		e = &i->history[i->n_history++];
		(void)number(v, "at", &e->at);
		(void)number(v, "quantity", &e->quantity);
		(void)number(v, "counted_at", &e->counted_at);
		copy(e->what, sizeof(e->what), json_text(json_get(v, "what")));
		e->by = xstrdup(json_text(json_get(v, "by")));
		e->text = xstrdup(json_text(json_get(v, "text")));
	}
}

static bool read_item(struct stock_item *i, const struct json *v)
{
	int64_t n = 0, tries = 0;
	bool ok = number(v, "n", &n) && n > 0 &&
		  number(v, "quantity", &i->quantity) &&
		  number(v, "counted_at", &i->counted_at) &&
		  stock_state_read(json_text(json_get(v, "state")),
				   &i->state);

	i->n = (uint64_t)n;
	(void)number(v, "received", &i->received);
	(void)number(v, "ended", &i->ended);
	(void)number(v, "after", &i->after);
	(void)number(v, "tries", &tries);
	i->tries = (unsigned)tries;
	i->quiet = json_is_true(json_get(v, "quiet"));
	i->alone = json_is_true(json_get(v, "alone"));
	copy(i->by, sizeof(i->by), json_text(json_get(v, "by")));
	i->text = xstrdup(json_text(json_get(v, "text")));
	(void)number(v, "size", &i->size);
	copy(i->size_ean, sizeof(i->size_ean),
	     json_text(json_get(v, "size_ean")));
	copy(i->size_sku, sizeof(i->size_sku),
	     json_text(json_get(v, "size_sku")));
	read_history(i, json_get(v, "history"));
	return ok;
}

enum rc stock_item_read(struct stock_item *ret, const struct doc *d,
			int64_t warehouse, bool by_sku, const char *code,
			struct err *e)
{
	struct json *v = NULL;
	enum rc rc = OK;

	*ret = (struct stock_item){.warehouse = warehouse, .by_sku = by_sku};
	copy(ret->code, sizeof(ret->code), code);
	if (!d->rev)
		return OK;
	rc = json_parse(d->text, strlen(d->text), JSON_STRICT, &v, e);
	if (!rc && !read_item(ret, v))
		rc = fail(e, RC_INVALID, "the count '%s' cannot be read",
			  d->key);
	json_free(v);
	return rc;
}

/* ---- writing ---- */

static void put_entry(struct buf *b, const struct stock_entry *e, bool iso)
{
	json_begin(b, NULL);
	if (iso)
		json_put_time(b, "at", e->at, 0, true);
	else
		json_put_int(b, "at", e->at);
	json_put(b, "what", e->what);
	json_put_int(b, "quantity", e->quantity);
	if (iso)
		json_put_time(b, "counted_at", e->counted_at, 0, true);
	else
		json_put_int(b, "counted_at", e->counted_at);
	json_put(b, "by", e->by);
	json_put(b, "text", e->text);
	json_end(b);
}

static void put_history(struct buf *b, const struct stock_item *i, bool iso)
{
	json_begin_list(b, "history");
	for (size_t k = 0; k < i->n_history; k++)
		put_entry(b, &i->history[k], iso);
	json_end_list(b);
}

static void place(const struct stock_item *i, struct doc *d)
{
	if (i->state != STOCK_WAITING) {
		copy(d->list, sizeof(d->list), "done");
		d->at = i->ended;
		return;
	}
	snprintf(d->list, sizeof(d->list), "%" PRId64 "/%s", i->warehouse,
		 i->alone ? "alone" : i->quiet ? "quiet" : "waiting");
	d->at = i->alone ? i->after : i->counted_at;
}

void stock_item_write(const struct stock_item *i, struct doc *d)
{
	struct buf b;

	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put_uint(&b, "n", i->n);
	json_put_int(&b, "quantity", i->quantity);
	json_put_int(&b, "counted_at", i->counted_at);
	json_put_int(&b, "received", i->received);
	json_put(&b, "by", i->by);
	json_put(&b, "state", stock_state_name(i->state));
	json_put_int(&b, "ended", i->ended);
	json_put_bool(&b, "quiet", i->quiet);
	json_put_bool(&b, "alone", i->alone);
	json_put_int(&b, "after", i->after);
	json_put_uint(&b, "tries", i->tries);
	json_put(&b, "text", i->text);
	if (i->size) {
		json_put_int(&b, "size", i->size);
		json_put(&b, "size_ean", i->size_ean);
		json_put(&b, "size_sku", i->size_sku);
	}
	put_history(&b, i, false);
	json_end(&b);
	free(d->text);
	d->text = buf_detach(&b, NULL);
	place(i, d);
}

void stock_item_json(struct buf *b, const struct stock_item *i, bool history)
{
	json_begin(b, NULL);
	json_put_int(b, "warehouse", i->warehouse);
	json_put(b, i->by_sku ? "sku" : "ean", i->code);
	json_put_int(b, "quantity", i->quantity);
	json_put_time(b, "counted_at", i->counted_at, 0, true);
	json_put(b, "by", i->by);
	json_put(b, "result", stock_state_name(i->state));
	json_put_time(b, "ended_at", i->ended ? i->ended : TIME_NONE, 0, true);
	json_put(b, "text", i->text);
	if (history)
		put_history(b, i, true);
	json_end(b);
}

/* ---- what happens to a count ---- */

/* Adds an entry; the oldest goes when there are too many. */
static void note(struct stock_item *i, int64_t now, const char *what,
		 int64_t quantity, int64_t counted_at, const char *by,
		 const char *text)
{
	struct stock_entry *e;

	if (!i->history)
		i->history = xcalloc(STOCK_HISTORY_MAX + 1,
				     sizeof(*i->history));
	if (i->n_history == STOCK_HISTORY_MAX) {
		free(i->history[0].by);
		free(i->history[0].text);
		memmove(i->history, i->history + 1,
			(STOCK_HISTORY_MAX - 1) * sizeof(*i->history));
		i->n_history--;
	}
	e = &i->history[i->n_history++];
	*e = (struct stock_entry){
		.at = now,
		.quantity = quantity,
		.counted_at = counted_at,
		.by = by && *by ? xstrdup(by) : NULL,
		.text = text && *text ? xstrndup(text, WORDS_MAX) : NULL,
	};
	copy(e->what, sizeof(e->what), what);
}

enum stock_taken stock_item_count(struct stock_item *i,
				  const struct stock_count *c, const char *by,
				  bool quiet, int64_t now)
{
	if (i->n && c->counted_at == i->counted_at &&
	    c->quantity == i->quantity)
		return STOCK_AGAIN;
	if (!i->n && c->counted_at + STOCK_OLDEST < now)
		return STOCK_OLDER;
	if (i->n && c->counted_at < i->counted_at) {
		note(i, now, "older", c->quantity, c->counted_at, by, NULL);
		return STOCK_OLDER;
	}
	i->n++;
	i->quantity = c->quantity;
	i->counted_at = c->counted_at;
	i->received = now;
	copy(i->by, sizeof(i->by), by);
	i->quiet = quiet;
	i->alone = false;
	i->after = 0;
	i->tries = 0;
	i->state = STOCK_WAITING;
	i->ended = 0;
	stock_item_sized(i, 0, NULL, NULL);
	free(i->text);
	i->text = NULL;
	note(i, now, "counted", c->quantity, c->counted_at, by, NULL);
	return STOCK_TAKEN;
}

void stock_item_redate(struct stock_item *i, int64_t now)
{
	if (i->n && i->counted_at > now + STOCK_NOT_YET)
		i->counted_at = now;
}

void stock_item_end(struct stock_item *i, uint64_t n, int64_t quantity,
		    int64_t counted_at, enum stock_state state,
		    const char *words, int64_t now)
{
	note(i, now, stock_state_name(state), quantity, counted_at, NULL,
	     words);
	if (i->n != n)
		return;
	i->state = state;
	i->ended = now;
	free(i->text);
	i->text = words ? xstrndup(words, WORDS_MAX) : NULL;
}

/* ---- movements ---- */

void stock_move_write(struct doc *d, int64_t at)
{
	free(d->text);
	d->text = xasprintf("{\"at\":%" PRId64 "}", at);
	copy(d->list, sizeof(d->list), "done");
	d->at = at;
}

/* A list of changes writes a document once: of equal items, the first notes it. */
static bool is_noted(const struct changes *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].kind == CHANGE_DOC &&
		    !strcmp(c->list[i].doc.doc.kind, STOCK_MOVE_KIND) &&
		    !strcmp(c->list[i].doc.doc.key, key))
			return true;
	return false;
}

static void moved(struct changes *ret, const char *instance, int64_t warehouse,
		  bool by_sku, const char *code, int64_t at)
{
	char key[DOC_KEY_SIZE];
	struct doc d;
	struct err e;

	if (!code || !*code || strlen(code) > STOCK_CODE_MAX)
		return; /* no count can name it either */
	stock_key(key, warehouse, by_sku, code);
	if (is_noted(ret, key) ||
	    doc_name(&d, STOCK_MOVE_KIND, instance, key, &e))
		return;
	stock_move_write(&d, at);
	changes_doc(ret, &d, false);
	doc_release(&d);
}

void stock_moved(struct changes *ret, const char *instance, int64_t warehouse,
		 const char *ean, const char *sku, int64_t at)
{
	moved(ret, instance, warehouse, false, ean, at);
	moved(ret, instance, warehouse, true, sku, at);
}

/* ---- of one size ---- */

void stock_item_sized(struct stock_item *i, int64_t size, const char *ean,
		      const char *sku)
{
	i->size = size;
	copy(i->size_ean, sizeof(i->size_ean), ean);
	copy(i->size_sku, sizeof(i->size_sku), sku);
}

void stock_size_key(char ret[DOC_KEY_SIZE], int64_t warehouse, int64_t size)
{
	snprintf(ret, DOC_KEY_SIZE, "%" PRId64 "/%" PRId64, warehouse, size);
}

void stock_sent_read(struct stock_sent *ret, const struct doc *d)
{
	struct json *v = NULL;
	struct err e;

	*ret = (struct stock_sent){.counted_at = TIME_NONE};
	if (!d->rev ||
	    json_parse(d->text, strlen(d->text), JSON_STRICT, &v, &e))
		return;
	(void)number(v, "counted_at", &ret->counted_at);
	(void)number(v, "received", &ret->received);
	copy(ret->item, sizeof(ret->item), json_text(json_get(v, "item")));
	json_free(v);
}

void stock_sent_write(const struct stock_sent *s, struct doc *d)
{
	struct buf b;

	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put_int(&b, "counted_at", s->counted_at);
	json_put_int(&b, "received", s->received);
	json_put(&b, "item", s->item);
	json_end(&b);
	free(d->text);
	d->text = buf_detach(&b, NULL);
	copy(d->list, sizeof(d->list), "done");
	d->at = s->counted_at;
}

bool stock_is_superseded(const struct stock_item *i, const char *key,
			 const struct stock_sent *s)
{
	if (s->counted_at == TIME_NONE || !strcmp(s->item, key))
		return false;
	return s->counted_at != i->counted_at ? s->counted_at > i->counted_at
					      : s->received > i->received;
}
