/* SPDX-License-Identifier: MIT
 *
 * stock.c - see stock.h.
 */
#include "centra/stock.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/number.h"
#include "centra/graphql_private.h"

static void put_counts(struct buf *body, const struct centra_count *counts,
		       size_t n)
{
	json_begin_list(body, "productSizes");
	for (size_t i = 0; i < n; i++) {
		const struct centra_count *c = &counts[i];

		json_begin(body, NULL);
		json_begin(body, "productSize");
		if (c->ean)
			json_put(body, "EAN", c->ean);
		else
			json_put(body, "SKU", c->sku);
		json_end(body);
		json_put_int(body, "quantity", c->quantity);
		json_end(body);
	}
	json_end_list(body);
}

/* Returns the place of a size that the path of an error names, a number or its
 * digits; -1: it names none of the n. */
static int64_t place_of(const struct json *error, size_t n)
{
	const struct json *step;
	int64_t i;

	json_each(step, json_get(error, "path"))
		if (json_whole(step, 0, (int64_t)n - 1, &i) ||
		    (json_text(step) &&
		     number_read(json_text(step), 0, (int64_t)n - 1, &i)))
			return i;
	return -1;
}

static void read_errors(const struct json *payload, size_t n,
			struct centra_stock_set *ret)
{
	const struct json *error;
	int64_t i;

	json_each(error, json_get(payload, "userErrors"))
	{
		i = n == 1 ? 0 : place_of(error, n);
		if (i < 0)
			ret->unplaced = true;
		else if (!ret->refused[i])
			ret->refused[i] = json_words(json_get(error, "message"));
		if (i >= 0 && !ret->refused[i])
			ret->unplaced = true; /* it has no words */
	}
}

void graphql_set_stock(struct centra_conn *n, int64_t warehouse,
		       const char *description,
		       const struct centra_count *counts, size_t n_counts,
		       struct centra_stock_set *ret)
{
	const struct json *payload;
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_stock_set){0};
	/* The ids of the changes are not asked for: they need a permission of
	 * their own, without which the outcome could not be read. */
	gql_begin_mutation(&body, "mutation K($input:StockSetInput!) { "
				  "setStock(input:$input) { " GQL_REMARKS "} }");
	json_begin(&body, "input");
	json_begin(&body, "warehouse");
	json_put_int(&body, "id", warehouse);
	json_end(&body);
	json_put(&body, "description", description);
	json_put(&body, "stockQuantityType", "PHYSICAL");
	put_counts(&body, counts, n_counts);
	json_end(&body);
	gql_end_mutation(&body);
	payload = gql_tell(n, "setStock", &body, &ret->done, &r);
	if (payload && ret->done.error)
		read_errors(payload, n_counts, ret);
	gql_reply_end(&r);
	buf_release(&body);
}

void centra_stock_set_release(struct centra_stock_set *s)
{
	centra_done_release(&s->done);
	for (size_t i = 0; i < STOCK_SET_MAX; i++)
		free(s->refused[i]);
	*s = (struct centra_stock_set){0};
}

#define SETS_MANY CENTRA_VERSION(1, 59, 10)

bool centra_sets_many(struct centra_conn *n)
{
	return centra_version(n) >= SETS_MANY;
}
