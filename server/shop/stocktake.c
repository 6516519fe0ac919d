/* SPDX-License-Identifier: MIT
 *
 * stocktake.c - see stocktake.h.
 */
#include "server/shop/stocktake.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "handlers/set_stock.h"

void stocktake_init(struct stocktake *t, size_t n)
{
	t->n = n;
	t->list = xcalloc(n + 1, sizeof(*t->list));
	t->taken = xcalloc(n + 1, sizeof(*t->taken));
	t->keys = xcalloc(n + 1, sizeof(*t->keys));
	t->names = xcalloc(n + 1, sizeof(*t->names));
}

void stocktake_release(struct stocktake *t)
{
	free(t->list);
	free(t->taken);
	free(t->keys);
	free(t->names);
	t->list = NULL;
	t->taken = NULL;
	t->keys = NULL;
	t->names = NULL;
	t->n = 0;
}

bool stock_code_ok(const char *code)
{
	size_t n = strlen(code);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)code[i] < ' ' || code[i] == 0x7f)
			return false;
	return n && n <= STOCK_CODE_MAX && text_is_utf8(code) &&
	       code[0] != ' ' && code[n - 1] != ' ';
}

static int by_code(const void *a, const void *b)
{
	const struct stock_count *x = *(const struct stock_count *const *)a;
	const struct stock_count *y = *(const struct stock_count *const *)b;

	return x->by_sku != y->by_sku ? x->by_sku - y->by_sku
				      : strcmp(x->code, y->code);
}

bool stocktake_repeats(const struct stocktake *t, size_t *ret_a, size_t *ret_b)
{
	const struct stock_count **sorted = xcalloc(t->n + 1,
						    sizeof(*sorted));
	bool found = false;

	for (size_t i = 0; i < t->n; i++)
		sorted[i] = &t->list[i];
	if (t->n)
		qsort(sorted, t->n, sizeof(*sorted), by_code);
	for (size_t i = 1; i < t->n && !found; i++) {
		found = !by_code(&sorted[i - 1], &sorted[i]);
		*ret_a = (size_t)(sorted[i - 1] - t->list);
		*ret_b = (size_t)(sorted[i] - t->list);
	}
	free(sorted);
	return found;
}

size_t stocktake_zeros(const struct stocktake *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += !t->list[i].quantity;
	return n;
}

size_t stocktake_taken(const struct stocktake *t, enum stock_taken how)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->taken[i] == how;
	return n;
}

/* RC_CONFLICT: the known count is dated later than now, so a clock is or was
 * wrong, and which of the two counts is newer cannot be told. */
static enum rc check_dates(const struct stocktake *t,
			   const struct stock_item *item, struct err *e)
{
	char at[TIME_ISO_SIZE];

	if (!t->strict || !item->n ||
	    item->counted_at <= t->now + STOCK_NOT_YET)
		return OK;
	return fail(e, RC_CONFLICT,
		    "a count of '%s' is dated %s, which is later than now: the "
		    "clock is or was wrong",
		    item->code,
		    time_iso(at, item->counted_at, 0, false));
}

/* Takes one count into its item.  What cannot be read is begun anew. */
static enum rc take(struct stocktake *t, size_t i, const struct doc *was,
		    struct doc_writes *ret, struct err *why)
{
	const struct stock_count *c = &t->list[i];
	struct stock_item item;
	struct doc d = *was;
	enum rc rc = OK;
	struct err e;

	if (stock_item_read(&item, was, t->warehouse, c->by_sku, c->code,
			    &e)) {
		stock_item_release(&item);
		d.rev = 0;
		(void)!stock_item_read(&item, &d, t->warehouse, c->by_sku,
				       c->code, &e);
	}
	if (t->clock_sure)
		stock_item_redate(&item, t->now);
	else
		rc = check_dates(t, &item, why);
	if (!rc)
		t->taken[i] = stock_item_count(&item, c, t->by, t->quiet,
					       t->now);
	if (!rc && item.n && t->taken[i] != STOCK_AGAIN) {
		d.text = NULL;
		stock_item_write(&item, &d);
		doc_writes_put(ret, &d);
		doc_release(&d);
	}
	stock_item_release(&item);
	return rc;
}

/* A store_docs_fn. */
static enum rc take_all(void *arg, const struct doc *docs, size_t n,
			struct doc_writes *ret, struct err *e)
{
	struct stocktake *t = arg;
	struct task task = {
		.kind = TASK_SET_STOCK,
		.number = -t->warehouse,
		.due = t->now,
	};
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < n; i++)
		rc = take(t, i, &docs[i], ret, e);
	if (rc)
		return rc;
	memcpy(task.instance, t->instance, sizeof(task.instance));
	if (stocktake_taken(t, STOCK_TAKEN))
		doc_writes_task(ret, &task);
	return OK;
}

enum rc stocktake_store(struct store *s, struct stocktake *t,
			struct store_done *done, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		stock_key(t->keys[i], t->warehouse, t->list[i].by_sku,
			  t->list[i].code);
		t->names[i] = (struct doc_name){STOCK_ITEM_KIND, t->instance,
						t->keys[i]};
	}
	return store_docs_update(s, t->names, t->n, take_all, t, NULL, t->now,
				 done, e);
}
