/* SPDX-License-Identifier: MIT
 *
 * order.c - `orders`: lists the orders that were offered, and their states.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "handlers/offer.h"
#include "server/cli/cli.h"

#define PAGE	    500 /* the most orders in one read of the store */
#define PAGE_BYTES  (1 << 20)
#define LIMIT	    100 /* orders that are printed unless --limit is given */
#define LIMIT_MOST  1000000
#define LINES_MAX   (1 << 20) /* the most bytes that one order prints */

/* The printed lines of the last orders that match, in a ring.  Without a limit
 * they are printed as they are read. */
struct listing {
	struct cli_session *s;
	const char *shop;  /* NULL: any */
	int list;	   /* -1: any */
	char **texts;	   /* owned, each */
	size_t limit, matched; /* limit 0: none */
	int64_t next;	   /* the number at which the next read begins; 0: there
			    * are no more */
	unsigned seen;	   /* in this page */
};

static const char *const list_names[LISTS] = {"open", "mine", "done"};

static bool offer_matches(const struct listing *l, const struct order *o,
			  const struct offer *f)
{
	const struct config_shop *shop;

	if (l->list >= 0 && (int)f->list != l->list)
		return false;
	shop = config_shop_of(l->s->config, o->instance, f->warehouse);
	return !l->shop || (shop && !strcmp(shop->id, l->shop));
}

static void offer_as_text(struct listing *l, struct buf *b,
			  const struct order *o, const struct offer *f)
{
	const struct config *c = l->s->config;
	const char *shop = cli_shop_name(c, o->instance, f->warehouse);
	const char *state = offer_state_name(f->state);

	buf_fmt(b, "%10" PRId64 "  %-10s  %-9s  ", o->number, o->instance,
		f->shipped && f->list != LIST_OPEN ? "shipped" : state);
	if (f->expires == TIME_NONE)
		buf_fmt(b, "%-19s", "-");
	else
		cli_time(b, c, o->instance, f->expires, false);
	buf_fmt(b, "  %-7s  %6" PRId64 "  ",
		f->list == LIST_OPEN && offer_expired(f, l->s->now) ? "expired"
								    : "",
		f->warehouse);
	cli_text(b, shop ? shop : "(no shop of ours)");
	buf_char(b, '\n');
}

static void offer_as_json(struct listing *l, struct buf *b,
			  const struct order *o, const struct offer *f)
{
	const struct config_shop *shop =
		config_shop_of(l->s->config, o->instance, f->warehouse);
	const struct opening *opened = offer_opened(f);

	json_begin(b, NULL);
	json_put_int(b, "warehouse", f->warehouse);
	json_put(b, "shop", shop ? shop->id : NULL);
	json_put(b, "state", offer_state_name(f->state));
	json_put(b, "list", list_names[f->list]);
	json_put_bool(b, "shipped", f->shipped);
	json_put_bool(b, "expired", offer_expired(f, l->s->now));
	json_put_time(b, "expires_at", f->expires,
		      opened ? opened->offset_min : 0, true);
	json_end(b);
}

static void order_as_json(struct listing *l, struct buf *b,
			  const struct order *o)
{
	size_t i;

	json_begin(b, NULL);
	json_put_int(b, "number", o->number);
	json_put(b, "instance", o->instance);
	json_put(b, "status", *o->status ? o->status : NULL);
	json_put_bool(b, "cancelled", o->cancelled);
	json_put_bool(b, "on_hold", o->on_hold);
	json_begin_list(b, "offers");
	for (i = 0; i < o->n_offers; i++)
		if (offer_matches(l, o, &o->offers[i]))
			offer_as_json(l, b, o, &o->offers[i]);
	json_end_list(b);
	json_put_time(b, "updated_at", o->updated, 0, true);
	cli_json_end(b);
}

static void never_offered(struct buf *b, const struct order *o)
{
	buf_fmt(b, "%10" PRId64 "  %-10s  %-9s  never offered%s", o->number,
		o->instance, "-", *o->status ? ", " : "");
	cli_text(b, o->status);
	buf_char(b, '\n');
}

static void order_as_text(struct listing *l, struct buf *b,
			  const struct order *o)
{
	size_t i;

	if (!o->n_offers)
		never_offered(b, o);
	for (i = 0; i < o->n_offers; i++)
		if (offer_matches(l, o, &o->offers[i]))
			offer_as_text(l, b, o, &o->offers[i]);
}

static bool order_matches(const struct listing *l, const struct order *o)
{
	size_t i;

	for (i = 0; i < o->n_offers; i++)
		if (offer_matches(l, o, &o->offers[i]))
			return true;
	return !o->n_offers && l->s->args->value[OPT_ALL] && !l->shop &&
	       l->list < 0;
}

static void print_order(struct listing *l, struct buf *b,
			const struct order *o)
{
	if (l->s->json)
		order_as_json(l, b, o);
	else
		order_as_text(l, b, o);
}

static bool take_order(void *arg, const struct order *o)
{
	struct listing *l = arg;
	struct buf b;
	char **place;

	if (l->seen++ >= PAGE || l->s->out.len > PAGE_BYTES) {
		l->next = o->number;
		return false;
	}
	if (!order_matches(l, o))
		return true;
	l->matched++;
	if (!l->limit) {
		print_order(l, &l->s->out, o);
		return true;
	}
	buf_init(&b, LINES_MAX);
	print_order(l, &b, o);
	place = &l->texts[(l->matched - 1) % l->limit];
	free(*place);
	*place = buf_detach(&b, NULL);
	return true;
}

/* Lists one instance page by page, so that no read of the store is long. */
static enum rc take_instance(struct listing *l, const char *instance,
			     struct err *e)
{
	int64_t from = 0;
	enum rc rc;

	do {
		l->next = 0;
		l->seen = 0;
		rc = store_orders(l->s->store, instance, from, take_order, l,
				  e);
		rc = cli_left_out(l->s, rc, e);
		cli_flush(l->s);
		from = l->next;
	} while (!rc && l->next);
	return rc;
}

static void print_ring(struct listing *l)
{
	size_t kept = l->matched < l->limit ? l->matched : l->limit, i;

	if (!l->s->json)
		buf_str(&l->s->out, "     ORDER  INSTANCE    STATE      "
				    "UNTIL                        WAREHOUSE "
				    "AND SHOP\n");
	for (i = l->matched - kept; i < l->matched; i++) {
		buf_str(&l->s->out, l->texts[i % l->limit]);
		if (l->s->out.len > PAGE_BYTES)
			cli_flush(l->s);
	}
	cli_flush(l->s);
	if (l->limit && kept < l->matched)
		fprintf(stderr,
			"The last %zu of %zu orders; --limit N shows more.\n",
			kept, l->matched);
	else if (!l->matched)
		fprintf(stderr, "No such orders.\n");
}

static int list_orders(struct listing *l)
{
	const struct config *c = l->s->config;
	enum rc rc = OK;
	struct err e;
	size_t i;

	if (l->shop && !config_shop(c, l->shop)) {
		cli_say("shipfrom orders: there is no [shop %s] in the config",
			l->shop);
		return EXIT_NOTHING;
	}
	l->texts = xcalloc(l->limit, sizeof(*l->texts));
	for (i = 0; !rc && i < c->n_instances; i++)
		rc = take_instance(l, c->instances[i].id, &e);
	if (!rc)
		print_ring(l);
	for (i = 0; i < l->limit; i++)
		free(l->texts[i]);
	free(l->texts);
	return rc ? cli_failed(l->s, rc, &e) : 0;
}

int cli_orders(struct cli_args *a)
{
	struct listing l = {.list = -1, .shop = a->value[OPT_SHOP]};
	const char *state = a->value[OPT_STATE];
	struct cli_session s;
	int64_t limit = LIMIT;
	int code, i;

	for (i = 0; state && i < LISTS; i++)
		if (!strcmp(state, list_names[i]))
			l.list = i;
	if (state && l.list < 0)
		return cli_usage(a, "--state is open, mine or done, not '%s'",
				 state);
	if (a->value[OPT_LIMIT] &&
	    !number_read(a->value[OPT_LIMIT], 1, LIMIT_MOST, &limit))
		return cli_usage(a, "--limit is a number from 1 to %d",
				 LIMIT_MOST);
	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many; "
				    "`shipfrom why %s` tells of one order",
				 a->words[0], a->words[0]);
	l.s = &s;
	code = cli_open(&s, a, CLI_NO_SECRETS);
	/* A program that reads the JSON gets all orders, unless --limit is
	 * given. */
	l.limit = s.json && !a->value[OPT_LIMIT] ? 0 : (size_t)limit;
	if (!code)
		code = list_orders(&l);
	return cli_close(&s, code);
}
