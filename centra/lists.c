/* SPDX-License-Identifier: MIT
 *
 * lists.c - the lists that Centra shows page by page; see graphql.h.
 *
 * A page holds 200 rows at most.  The order of a list without `sort` is not
 * published, so that a row could be on no page.  `number_ASC` and `id_ASC` are
 * values that Centra's own examples use.
 */
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/graphql_private.h"
#include "centra/transport.h"

#define QUERY_MAX	1024
#define PAGE_MOST	200 /* rows of a page, at most: Centra's own limit */
#define WAREHOUSE_PAGES 50

static void unreadable(struct call *call, const char *what)
{
	call->end = CALL_UNKNOWN;
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: cannot read the %s", what);
}

/* ---- what waits ---- */

static void read_numbers(const struct json *list, struct centra_numbers *ret)
{
	const struct json *v;

	ret->list = xcalloc(json_length(list), sizeof(*ret->list));
	json_each(v, list)
	{
		if (json_int(json_get(v, "number"), &ret->list[ret->n]) &&
		    ret->list[ret->n] > 0)
			ret->n++;
		else
			ret->unread++;
	}
}

void gql_ask_numbers(struct centra_conn *n, struct buf *body,
		     struct centra_numbers *ret)
{
	struct gql_reply r;

	*ret = (struct centra_numbers){0};
	gql_ask(n, body, false, &ret->call, &r);
	buf_release(body);
	if (ret->call.end == CALL_OK) {
		if (json_is_list(json_get(r.data, "orders")))
			read_numbers(json_get(r.data, "orders"), ret);
		if (!ret->list || (ret->unread && !ret->n)) {
			centra_numbers_release(ret);
			unreadable(&ret->call, "numbers of the orders");
		}
	}
	gql_reply_end(&r);
}

void graphql_waiting(struct centra_conn *n, unsigned max, unsigned page,
		     struct centra_numbers *ret)
{
	struct buf body;

	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query Open { "
		  "orders(where:{isWaitingForCheckFirstAllocation:true}, "
		  "sort:[number_ASC], limit:%u, page:%u) { number } }",
		  max < 1	    ? 1
		  : max > PAGE_MOST ? PAGE_MOST
				    : max,
		  page < 1 ? 1 : page);
	json_end(&body);
	gql_ask_numbers(n, &body, ret);
}

void centra_numbers_release(struct centra_numbers *r)
{
	free(r->list);
	r->list = NULL;
	r->n = 0;
}

/* ---- warehouses ---- */

static bool is_known(const struct centra_warehouses *all, int64_t id)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].id == id)
			return true;
	return false;
}

/* Adds a warehouse, unless it was listed before: a row is listed twice if a row
 * before it left the list between two pages. */
static bool read_warehouse(const struct json *v, struct centra_warehouses *ret)
{
	struct centra_warehouse *w;
	int64_t id;

	if (!gql_read_id(v, &id))
		return false;
	if (is_known(ret, id))
		return true;
	w = &ret->list[ret->n++];
	w->id = id;
	w->name = json_words(json_get(v, "name"));
	w->status = gql_word(v, "status");
	w->policy = gql_word(v, "allocationPolicy");
	w->shop = json_words(
		json_get(json_get(v, "brickAndMortar"), "name"));
	return true;
}

/* Adds a page of warehouses; returns the page's number of rows. -1: the page
 * cannot be read. */
static int read_page(const struct json *data, struct centra_warehouses *ret)
{
	const struct json *list = json_get(data, "warehouses"), *v;
	size_t n = json_length(list);

	if (!json_is_list(list) || n > PAGE_MOST)
		return -1;
	ret->list = xrealloc(ret->list, ret->n + n + 1, sizeof(*ret->list));
	json_each(v, list)
		if (!read_warehouse(v, ret))
			return -1;
	return (int)n;
}

static int ask_page(struct centra_conn *n, unsigned page,
		    struct centra_warehouses *ret)
{
	struct gql_reply r;
	struct buf body;
	int rows = -1;

	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query W { warehouses(sort:[id_ASC], limit:%d, "
		  "page:%u) { id name status allocationPolicy "
		  "brickAndMortar { id name } } }",
		  PAGE_MOST, page);
	json_end(&body);
	gql_ask(n, &body, false, &ret->call, &r);
	buf_release(&body);
	if (ret->call.end == CALL_OK) {
		rows = read_page(r.data, ret);
		if (rows < 0)
			unreadable(&ret->call, "warehouses");
	}
	gql_reply_end(&r);
	return rows;
}

void graphql_warehouses(struct centra_conn *n, struct centra_warehouses *ret)
{
	int64_t latency = 0;
	unsigned page = 0;
	int rows;

	*ret = (struct centra_warehouses){0};
	do {
		rows = ask_page(n, ++page, ret);
		latency += ret->call.latency;
	} while (rows == PAGE_MOST && page < WAREHOUSE_PAGES);
	ret->call.latency = latency;
	if (rows == PAGE_MOST) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "GraphQL: the list of warehouses does not end");
	}
	if (ret->call.end != CALL_OK)
		centra_warehouses_release(ret);
}

void centra_warehouses_release(struct centra_warehouses *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->list[i].name);
		free(w->list[i].status);
		free(w->list[i].policy);
		free(w->list[i].shop);
	}
	free(w->list);
	w->list = NULL;
	w->n = 0;
}
