/* SPDX-License-Identifier: MIT
 *
 * unwatched.c - see unwatched.h.
 */
#include "server/live/unwatched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The pending orders of one warehouse. */
struct ward {
	char shop[SHOP_SIZE];
	char instance[INSTANCE_SIZE];
	int64_t warehouse;
	int64_t *numbers; /* owned: numbers of orders, in ascending order,
			   * without repeats */
	size_t n, cap;

	/* Used while the ward is counted. */
	int64_t *open; /* owned: numbers of the list "open", ascending */
	size_t n_open, open_cap;
	size_t read; /* how many orders of `open` have been read */
	bool listed; /* `open` is complete */
};

struct tally {
	struct ward *wards; /* owned */
	size_t n;
	size_t counted; /* so many wards are */
};

/* Returns the index of the number, or where it would have to be inserted. */
static size_t place(const struct ward *w, int64_t number)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void ward_add(struct ward *w, int64_t number)
{
	size_t at = place(w, number);

	if (at < w->n && w->numbers[at] == number)
		return;
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->numbers = xrealloc(w->numbers, w->cap, sizeof(*w->numbers));
	}
	memmove(w->numbers + at + 1, w->numbers + at,
		(w->n - at) * sizeof(*w->numbers));
	w->numbers[at] = number;
	w->n++;
}

static void ward_remove(struct ward *w, int64_t number)
{
	size_t at = place(w, number);

	if (at == w->n || w->numbers[at] != number)
		return;
	w->n--;
	memmove(w->numbers + at, w->numbers + at + 1,
		(w->n - at) * sizeof(*w->numbers));
}

static void ward_update(struct ward *w, const struct order *o)
{
	const struct offer *f = order_offer(o, w->warehouse);

	if (f && f->state == STATE_PENDING)
		ward_add(w, o->number);
	else
		ward_remove(w, o->number);
}

void tally_update(struct tally *p, const struct order *o)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->wards[i].instance, o->instance))
			ward_update(&p->wards[i], o);
}

/* ---- counting ---- */

/* Notes an order of the list "open"; not all of these are pending.  A `fn` of
 * store_list(). */
static bool note_open(void *arg, const struct listed *row)
{
	struct ward *w = arg;

	if (w->n_open == w->open_cap) {
		w->open_cap = w->open_cap ? 2 * w->open_cap : 64;
		w->open = xrealloc(w->open, w->open_cap, sizeof(*w->open));
	}
	w->open[w->n_open++] = row->number;
	return true;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Lists the ward's open orders by number.  The store lists them by deadline; by
 * number, each pending order is added at the end of `numbers`, so that no other has
 * to move. */
static enum rc ward_list(struct ward *w, struct store *store, struct err *e)
{
	enum rc rc = store_list(store, w->instance, w->warehouse, LIST_OPEN,
				NULL, note_open, w, e);

	if (w->n_open)
		qsort(w->open, w->n_open, sizeof(*w->open), by_number);
	w->listed = !rc;
	return rc;
}

/* Reads the next order of the ward's list. */
static enum rc ward_read(struct ward *w, struct store *store, struct err *e)
{
	int64_t number = w->open[w->read];
	struct order o = {0};
	enum rc rc = store_order(store, w->instance, number, &o, e);

	/* A damaged order is not known to be pending, and the others are
	 * counted all the same. */
	if (rc == RC_NOTFOUND || rc == RC_INVALID) {
		ward_remove(w, number);
		rc = OK;
	} else if (!rc) {
		ward_update(w, &o);
	}
	order_release(&o);
	w->read += !rc;
	return rc;
}

enum rc tally_count_on(struct tally *p, struct store *store, size_t orders,
		       bool *ret_done, struct err *e)
{
	enum rc rc = OK;

	while (!rc && p->counted < p->n) {
		struct ward *w = &p->wards[p->counted];

		if (!w->listed) {
			rc = ward_list(w, store, e);
		} else if (w->read == w->n_open) {
			free(w->open);
			w->open = NULL;
			p->counted++;
		} else if (!orders--) {
			break;
		} else {
			rc = ward_read(w, store, e);
		}
	}
	*ret_done = p->counted == p->n;
	return rc;
}

static void add_shop(struct tally *p, const struct config_shop *shop)
{
	for (size_t i = 0; i < shop->warehouses.n; i++) {
		struct ward *w = &p->wards[p->n];

		w->warehouse = shop->warehouses.ids[i];
		if (copy_text(w->shop, sizeof(w->shop), shop->id) &&
		    copy_text(w->instance, sizeof(w->instance), shop->centra))
			p->n++;
	}
}

struct tally *tally_open(const struct config *config)
{
	struct tally *p = xcalloc(1, sizeof(*p));
	size_t most = 1;

	for (size_t i = 0; i < config->n_shops; i++)
		most += config->shops[i].warehouses.n;
	p->wards = xcalloc(most, sizeof(*p->wards));
	for (size_t i = 0; i < config->n_shops; i++)
		add_shop(p, &config->shops[i]);
	return p;
}

void tally_free(struct tally *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->wards[i].numbers);
		free(p->wards[i].open);
	}
	free(p->wards);
	free(p);
}

size_t tally_count(const struct tally *p,
		     bool (*skip)(void *arg, const char *shop), void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!skip(arg, p->wards[i].shop))
			n += p->wards[i].n;
	return n;
}
