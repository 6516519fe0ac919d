/* SPDX-License-Identifier: MIT
 *
 * returns.c - the document of an order's returns; see returns.h.
 */
#include "handlers/returns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"

const char *const return_states[] = {
	[RETURN_ASKED] = "asked",
	[RETURN_DONE] = "done",
	[RETURN_REFUSED] = "refused",
	[RETURN_UNSURE] = "unsure",
	NULL,
};

/* ---- memory ---- */

static void goods_release(struct goods_return *r)
{
	for (size_t i = 0; i < r->n_lines; i++)
		free(r->lines[i].reason);
	for (size_t i = 0; i < r->n_parts; i++)
		free(r->parts[i].lines);
	free(r->code);
	free(r->error);
	free(r->shop);
	free(r->by);
	free(r->key);
	free(r->lines);
	free(r->parts);
	free(r->refused);
	*r = (struct goods_return){0};
}

void returns_release(struct returns *all)
{
	for (size_t i = 0; i < all->n; i++)
		goods_release(&all->list[i]);
	free(all->list);
	*all = (struct returns){0};
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* ---- reading ---- */

static bool whole(const struct json *v, const char *key, int64_t least,
		  int64_t *ret)
{
	return json_whole(json_get(v, key), least, JSON_WHOLE_MAX, ret);
}

static bool read_state(const struct json *v, enum return_state *ret)
{
	for (int i = 0; return_states[i]; i++)
		if (json_is(v, return_states[i])) {
			*ret = (enum return_state)i;
			return true;
		}
	return false;
}

static bool read_lines(const struct json *list, struct goods_return *r)
{
	const struct json *v;

	r->lines = xcalloc(json_length(list) + 1, sizeof(*r->lines));
	json_each(v, list)
	{
		struct return_line *l = &r->lines[r->n_lines++];

		l->reason = copy(json_text(json_get(v, "reason")));
		if (!whole(v, "line", 1, &l->line) ||
		    !whole(v, "quantity", 1, &l->quantity) || !l->reason)
			return false;
	}
	return r->n_lines > 0;
}

static bool read_part(const struct json *v, struct return_part *p)
{
	const struct json *list = json_get(v, "lines"), *l;

	p->lines = xcalloc(json_length(list) + 1, sizeof(*p->lines));
	json_each(l, list)
	{
		struct return_part_line *to = &p->lines[p->n_lines++];

		if (!whole(l, "id", 1, &to->id) ||
		    !whole(l, "line", 1, &to->line) ||
		    !whole(l, "quantity", 1, &to->quantity) ||
		    !whole(l, "returned", 0, &to->returned))
			return false;
		if (!whole(l, "listed", 0, &to->listed))
			to->listed = -1;
		if (!whole(l, "completed", 0, &to->completed))
			to->completed = -1;
	}
	if (!whole(v, "newest", 0, &p->newest))
		p->newest = -1;
	return whole(v, "shipment", 1, &p->shipment) &&
	       whole(v, "made", 0, &p->made);
}

static bool read_parts(const struct json *v, struct goods_return *r)
{
	const struct json *list = json_get(v, "parts"), *p;
	const struct json *refused = json_get(v, "refused");

	r->parts = xcalloc(json_length(list) + 1, sizeof(*r->parts));
	json_each(p, list)
		if (!read_part(p, &r->parts[r->n_parts++]))
			return false;
	r->trying = json_is_true(json_get(v, "trying"));
	r->refused = xcalloc(json_length(refused) + 1, sizeof(*r->refused));
	json_each(p, refused)
		if (!json_whole(p, 1, JSON_WHOLE_MAX,
				&r->refused[r->n_refused++]))
			return false;
	return !r->trying || r->n_parts;
}

static bool read_one(const struct json *v, struct goods_return *r)
{
	int64_t device;

	r->code = copy(json_text(json_get(v, "code")));
	r->error = copy(json_text(json_get(v, "error")));
	r->shop = copy(json_text(json_get(v, "shop")));
	r->by = copy(json_text(json_get(v, "by")));
	r->key = copy(json_text(json_get(v, "key")));
	r->restock = json_is_true(json_get(v, "restock"));
	r->untold = json_is_true(json_get(v, "untold"));
	if (!whole(v, "id", 1, &r->id) ||
	    !read_state(json_get(v, "state"), &r->state) ||
	    !whole(v, "warehouse", 1, &r->warehouse) ||
	    !whole(v, "device", 0, &device) || !whole(v, "at", 0, &r->at) ||
	    !whole(v, "ended", 0, &r->ended) || !r->shop || !r->by || !r->key)
		return false;
	r->device = (uint64_t)device;
	return read_lines(json_get(v, "lines"), r) && read_parts(v, r);
}

enum rc returns_read(const char *text, struct returns *ret, struct err *e)
{
	const struct json *list, *v;
	struct json *document = NULL;
	bool fine = true;
	enum rc rc;

	*ret = (struct returns){0};
	if (!text)
		return OK;
	rc = json_parse(text, strlen(text), JSON_STRICT, &document, e);
	if (rc)
		return fail(e, RC_INVALID, "the document is no JSON");
	list = json_get(document, "returns");
	ret->list = xcalloc(json_length(list) + 1, sizeof(*ret->list));
	json_each(v, list)
		fine = fine && read_one(v, &ret->list[ret->n++]);
	fine = fine && json_is_list(list) &&
	       whole(document, "last", 0, &ret->last);
	json_free(document);
	if (fine)
		return OK;
	returns_release(ret);
	return fail(e, RC_INVALID, "the returns of an order are damaged");
}

/* ---- writing ---- */

static void put_part(struct buf *b, const struct return_part *p)
{
	json_begin(b, NULL);
	json_put_int(b, "shipment", p->shipment);
	json_put_int(b, "made", p->made);
	if (p->newest >= 0)
		json_put_int(b, "newest", p->newest);
	json_begin_list(b, "lines");
	for (size_t i = 0; i < p->n_lines; i++) {
		json_begin(b, NULL);
		json_put_int(b, "id", p->lines[i].id);
		json_put_int(b, "line", p->lines[i].line);
		json_put_int(b, "quantity", p->lines[i].quantity);
		json_put_int(b, "returned", p->lines[i].returned);
		if (p->lines[i].listed >= 0)
			json_put_int(b, "listed", p->lines[i].listed);
		if (p->lines[i].completed >= 0)
			json_put_int(b, "completed", p->lines[i].completed);
		json_end(b);
	}
	json_end_list(b);
	json_end(b);
}

static void put_lines(struct buf *b, const struct goods_return *r)
{
	json_begin_list(b, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		json_begin(b, NULL);
		json_put_int(b, "line", r->lines[i].line);
		json_put_int(b, "quantity", r->lines[i].quantity);
		json_put(b, "reason", r->lines[i].reason);
		json_end(b);
	}
	json_end_list(b);
}

static void put_one(struct buf *b, const struct goods_return *r)
{
	json_begin(b, NULL);
	json_put_int(b, "id", r->id);
	json_put(b, "state", return_states[r->state]);
	json_put(b, "code", r->code);
	json_put(b, "error", r->error);
	json_put(b, "shop", r->shop);
	json_put_int(b, "warehouse", r->warehouse);
	json_put_bool(b, "restock", r->restock);
	json_put(b, "by", r->by);
	json_put_uint(b, "device", r->device);
	json_put(b, "key", r->key);
	json_put_int(b, "at", r->at);
	json_put_int(b, "ended", r->ended);
	put_lines(b, r);
	json_begin_list(b, "parts");
	for (size_t i = 0; i < r->n_parts; i++)
		put_part(b, &r->parts[i]);
	json_end_list(b);
	json_put_bool(b, "trying", r->trying);
	if (r->untold)
		json_put_bool(b, "untold", true);
	json_begin_list(b, "refused");
	for (size_t i = 0; i < r->n_refused; i++)
		json_put_int(b, NULL, r->refused[i]);
	json_end_list(b);
	json_end(b);
}

static void returns_write(const struct returns *all, struct buf *b)
{
	json_begin(b, NULL);
	json_put_int(b, "last", all->last);
	json_begin_list(b, "returns");
	for (size_t i = 0; i < all->n; i++)
		put_one(b, &all->list[i]);
	json_end_list(b);
	json_end(b);
}

/* ---- the list ---- */

static bool is_for_office(const struct goods_return *r)
{
	return r->state == RETURN_UNSURE || r->untold;
}

static bool may_go(const struct goods_return *r)
{
	return r->state != RETURN_ASKED && !is_for_office(r);
}

static void drop(struct returns *all, size_t i)
{
	goods_release(&all->list[i]);
	all->n--;
	memmove(&all->list[i], &all->list[i + 1],
		(all->n - i) * sizeof(*all->list));
}

struct goods_return *returns_add(struct returns *all,
				 const struct goods_return *r)
{
	struct goods_return *to;

	for (size_t i = 0; all->n >= RETURNS_MAX && i < all->n;)
		if (may_go(&all->list[i]))
			drop(all, i);
		else
			i++;
	if (all->n >= RETURNS_MAX)
		return NULL;
	all->list = xrealloc(all->list, all->n + 1,
			     sizeof(*all->list));
	to = &all->list[all->n++];
	*to = *r;
	to->id = ++all->last;
	to->code = copy(r->code);
	to->error = copy(r->error);
	to->shop = copy(r->shop);
	to->by = copy(r->by);
	to->key = copy(r->key);
	to->lines = xcalloc(r->n_lines + 1, sizeof(*to->lines));
	for (size_t i = 0; i < r->n_lines; i++) {
		to->lines[i] = r->lines[i];
		to->lines[i].reason = copy(r->lines[i].reason);
	}
	to->parts = NULL;
	to->refused = NULL;
	to->n_parts = to->n_refused = 0;
	return to;
}

struct goods_return *returns_find(const struct returns *all, int64_t id)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].id == id)
			return &all->list[i];
	return NULL;
}

static bool same_goods(const struct goods_return *a,
		       const struct goods_return *b)
{
	if (a->n_lines != b->n_lines || a->restock != b->restock)
		return false;
	for (size_t i = 0; i < a->n_lines; i++)
		if (a->lines[i].line != b->lines[i].line ||
		    a->lines[i].quantity != b->lines[i].quantity ||
		    strcmp(a->lines[i].reason, b->lines[i].reason) != 0)
			return false;
	return true;
}

struct goods_return *returns_asked(const struct returns *all,
				   const struct goods_return *r)
{
	for (size_t i = all->n; i-- > 0;) {
		struct goods_return *had = &all->list[i];

		if (had->device != r->device)
			continue;
		if (*r->key && !strcmp(had->key, r->key))
			return had;
		if (!*r->key)
			return same_goods(had, r) &&
					       had->state != RETURN_REFUSED
				       ? had
				       : NULL;
	}
	return NULL;
}

int64_t return_part_units(const struct return_part *p, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].line == line)
			n += p->lines[i].quantity;
	return n;
}

static int64_t booked(const struct goods_return *r, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->n_parts - (r->trying ? 1 : 0); i++)
		n += return_part_units(&r->parts[i], line);
	return n;
}

int64_t returns_pending(const struct returns *all, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct goods_return *r = &all->list[i];

		for (size_t k = 0; r->state == RETURN_ASKED && k < r->n_lines;
		     k++)
			if (r->lines[k].line == line)
				n += r->lines[k].quantity - booked(r, line);
	}
	return n;
}

struct goods_return *returns_oldest(const struct returns *all,
				    enum return_state state)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].state == state)
			return &all->list[i];
	return NULL;
}

struct goods_return *returns_for_office(const struct returns *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (is_for_office(&all->list[i]))
			return &all->list[i];
	return NULL;
}

bool returns_open(const struct returns *all)
{
	return returns_oldest(all, RETURN_ASKED);
}

/* ---- documents ---- */

enum rc returns_doc(const struct returns *all, const char *instance,
		    int64_t number, int64_t now, struct doc *ret,
		    struct err *e)
{
	char key[24];
	struct buf b;
	enum rc rc;

	snprintf(key, sizeof(key), "%" PRId64, number);
	rc = doc_name(ret, RETURN_KIND, instance, key, e);
	if (rc)
		return rc;
	snprintf(ret->list, sizeof(ret->list), "%s",
		 returns_open(all) ? "open" : "done");
	ret->at = now;
	buf_init(&b, DOC_TEXT_MAX);
	returns_write(all, &b);
	if (buf_full(&b)) {
		buf_release(&b);
		return fail(e, RC_FULL, "too many returns of one order");
	}
	ret->text = buf_detach(&b, NULL);
	return OK;
}
