/* SPDX-License-Identifier: MIT
 *
 * receipts.c - the document of a delivery that a shop receives; see receipts.h.
 */
#include "handlers/receipts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"

const char *const receipt_states[] = {
	[RECEIPT_ASKED] = "asked",
	[RECEIPT_DONE] = "done",
	[RECEIPT_REFUSED] = "refused",
	NULL,
};

void receipt_release(struct receipt *r)
{
	for (size_t i = 0; i < r->n_items; i++) {
		free(r->items[i].ean);
		free(r->items[i].sku);
	}
	free(r->items);
	free(r->number);
	free(r->shop);
	free(r->code);
	free(r->error);
	free(r->by);
	free(r->rest_number);
	free(r->address);
	*r = (struct receipt){0};
}

static char *text_of(const struct json *v, const char *key)
{
	const char *text = json_text(json_get(v, key));

	return text ? xstrdup(text) : NULL;
}

static bool whole(const struct json *v, const char *key, int64_t least,
		  int64_t *ret)
{
	return json_whole(json_get(v, key), least, JSON_WHOLE_MAX, ret);
}

static bool read_state(const struct json *v, enum receipt_state *ret)
{
	for (int i = 0; receipt_states[i]; i++)
		if (json_is(v, receipt_states[i])) {
			*ret = (enum receipt_state)i;
			return true;
		}
	return false;
}

static bool read_items(const struct json *list, struct receipt *r)
{
	const struct json *v;

	r->items = xcalloc(json_length(list) + 1, sizeof(*r->items));
	json_each(v, list)
	{
		struct receipt_item *i = &r->items[r->n_items++];

		i->ean = text_of(v, "ean");
		i->sku = text_of(v, "sku");
		if (!i->ean || !whole(v, "quantity", 0, &i->quantity))
			return false;
	}
	return r->n_items > 0;
}

static bool read_all(const struct json *v, struct receipt *r)
{
	int64_t device = 0;

	r->number = text_of(v, "number");
	r->shop = text_of(v, "shop");
	r->code = text_of(v, "code");
	r->error = text_of(v, "error");
	r->by = text_of(v, "by");
	r->rest_number = text_of(v, "rest_number");
	r->address = text_of(v, "address");
	r->trying = json_is_true(json_get(v, "trying"));
	r->said_no = json_is_true(json_get(v, "said_no"));
	r->found = json_is_true(json_get(v, "found"));
	if (!r->shop || !r->by || !whole(v, "warehouse", 1, &r->warehouse) ||
	    !whole(v, "delivery", 1, &r->delivery) ||
	    !whole(v, "device", 0, &device) || !whole(v, "asked", 0, &r->at) ||
	    !whole(v, "at", 0, &r->ended) || !whole(v, "rest", 0, &r->rest) ||
	    !whole(v, "rest_units", 0, &r->rest_units) ||
	    !read_state(json_get(v, "state"), &r->state))
		return false;
	r->device = (uint64_t)device;
	return read_items(json_get(v, "items"), r);
}

enum rc receipt_read(const char *text, struct receipt *ret, struct err *e)
{
	struct json *v = NULL;
	bool fine;

	*ret = (struct receipt){0};
	fine = !json_parse(text, strlen(text), JSON_STRICT, &v, e) &&
	       read_all(v, ret);
	json_free(v);
	if (fine)
		return OK;
	receipt_release(ret);
	return fail(e, RC_INVALID, "the receipt of a delivery is damaged");
}

static void put_all(struct buf *b, const struct receipt *r)
{
	json_begin(b, NULL);
	json_put_int(b, "warehouse", r->warehouse);
	json_put_int(b, "delivery", r->delivery);
	json_put(b, "number", r->number);
	json_put(b, "shop", r->shop);
	json_put(b, "state", receipt_states[r->state]);
	json_put(b, "code", r->code);
	json_put(b, "error", r->error);
	json_put(b, "by", r->by);
	json_put_uint(b, "device", r->device);
	json_put_int(b, "asked", r->at);
	json_put_int(b, "at", r->ended);
	json_put_bool(b, "trying", r->trying);
	json_put_bool(b, "said_no", r->said_no);
	json_put_bool(b, "found", r->found);
	json_put_int(b, "rest", r->rest);
	json_put(b, "rest_number", r->rest_number);
	json_put_int(b, "rest_units", r->rest_units);
	json_begin_list(b, "items");
	for (size_t i = 0; i < r->n_items; i++) {
		json_begin(b, NULL);
		json_put(b, "ean", r->items[i].ean);
		json_put(b, "sku", r->items[i].sku);
		json_put_int(b, "quantity", r->items[i].quantity);
		json_end(b);
	}
	json_end_list(b);
	json_put(b, "address", r->address);
	json_end(b);
}

void receipt_key(char ret_key[DOC_KEY_SIZE], int64_t warehouse,
		 int64_t delivery)
{
	snprintf(ret_key, DOC_KEY_SIZE, "%" PRId64 "/%" PRId64, warehouse,
		 delivery);
}

/* The lists of a warehouse.  What was refused is no movement. */
static const char *const lists[] = {
	[RECEIPT_ASKED] = "open",
	[RECEIPT_DONE] = "done",
	[RECEIPT_REFUSED] = "refused/done",
};

enum rc receipt_doc(const struct receipt *r, const char *instance,
		    struct doc *ret, struct err *e)
{
	char key[DOC_KEY_SIZE];
	struct buf b;
	enum rc rc;

	receipt_key(key, r->warehouse, r->delivery);
	rc = doc_name(ret, RECEIPT_KIND, instance, key, e);
	if (rc)
		return rc;
	snprintf(ret->list, sizeof(ret->list), "%" PRId64 "/%s", r->warehouse,
		 lists[r->state]);
	ret->at = r->state == RECEIPT_ASKED ? r->at : r->ended;
	buf_init(&b, DOC_TEXT_MAX);
	put_all(&b, r);
	if (buf_full(&b)) {
		buf_release(&b);
		return fail(e, RC_FULL, "too many items in one delivery");
	}
	ret->text = buf_detach(&b, NULL);
	return OK;
}

bool receipt_unsure(const struct receipt *r)
{
	return r->state == RECEIPT_REFUSED && r->code &&
	       !strcmp(r->code, RECEIPT_UNSURE);
}

bool receipt_same(const struct receipt *a, const struct receipt *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (strcmp(a->items[i].ean, b->items[i].ean) != 0 ||
		    a->items[i].quantity != b->items[i].quantity)
			return false;
	return true;
}
