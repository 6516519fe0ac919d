/* SPDX-License-Identifier: MIT
 *
 * why.c - `why NUMBER`: prints how an order came to its state.
 *
 * First the order's state in Centra and at each shop, then its journal, its
 * returns, and what the shops' own systems are told of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/offer.h"
#include "handlers/outgoing.h"
#include "server/cli/cli.h"
#include "server/cli/why_returns.h"

struct why {
	struct cli_session *s;
	struct order order;
};

/* ---- words ---- */

static void add_words(struct why *st, struct buf *out, const struct entry *e)
{
	const char *name = cli_shop_name(st->s->config, st->order.instance,
					 e->warehouse);

	entry_words(out, e, OFFICE, name);
}

/* Adds "warehouse 3 (NAME): ", unless the entry's words name the warehouse
 * themselves. */
static void add_warehouse(struct why *st, struct buf *out,
			  const struct entry *e)
{
	const char *name = cli_shop_name(st->s->config, st->order.instance,
					 e->warehouse);

	if (!e->warehouse || entry_names_warehouse(e))
		return;
	buf_fmt(out, "warehouse %" PRId64, e->warehouse);
	if (name)
		buf_fmt(out, " (%s)", name);
	buf_str(out, ": ");
}

/* Adds who did it: the device's name, Centra for its events, else shipfrom. */
static void add_who(struct why *st, struct buf *out, const struct entry *n)
{
	if (n->device)
		cli_device_name(st->s, out, n->device);
	else
		buf_str(out, !strcmp(entry_about(n), "event")
				     ? "centra"
				     : "shipfrom");
}

/* ---- text ---- */

static void tell_offer(struct why *st, const struct offer *f)
{
	const struct config *c = st->s->config;
	const char *instance = st->order.instance;
	const char *name = cli_shop_name(c, instance, f->warehouse);
	struct buf *out = &st->s->out;

	buf_fmt(out, "  warehouse %" PRId64 " (", f->warehouse);
	cli_text(out, name ? name : "no shop of ours");
	buf_fmt(out, "): %s", offer_state_name(f->state));
	if (f->doubt)
		buf_str(out, ", in doubt: the newest look does not show it as "
			     "this shop's");
	if (f->shipped && f->list != LIST_OPEN)
		buf_str(out, ", shipped");
	if (f->list == LIST_OPEN && f->expires != TIME_NONE) {
		buf_str(out, offer_expired(f, st->s->now)
				     ? ", was to answer by "
				     : ", until ");
		cli_time(out, c, instance, f->expires, false);
	} else if (f->list == LIST_OPEN) {
		buf_str(out, ", no deadline");
	}
	if (f->answer.refusal) {
		buf_str(out, "; Centra said: ");
		cli_text(out, f->answer.refusal);
	}
	buf_char(out, '\n');
}

static void tell_shipments(struct why *st, const struct offer *f)
{
	struct buf *out = &st->s->out;

	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct shipment *s = &f->shipments[i];

		buf_str(out, "    shipment ");
		cli_text(out, s->came.number[0] ? s->came.number
						: "(not made yet)");
		buf_fmt(out, ": %s", ship_stage_name(s->came.stage));
		if (s->came.capture != CAPTURE_NONE)
			buf_fmt(out, ", payment %s",
				ship_capture_name(s->came.capture));
		buf_str(out, ", ");
		cli_text(out, s->ask.carrier ? s->ask.carrier : "no carrier");
		if (s->ask.tracking) {
			buf_char(out, ' ');
			cli_text(out, s->ask.tracking);
		}
		if (s->came.error) {
			buf_str(out, "; ");
			cli_text(out, s->came.error);
		}
		buf_char(out, '\n');
	}
}

static void tell_order(struct why *st)
{
	const struct config_instance *in =
		config_instance(st->s->config, st->order.instance);
	const struct order *o = &st->order;
	struct buf *out = &st->s->out;
	size_t i;

	buf_fmt(out, "Order %" PRId64 " of %s: ", o->number, o->instance);
	if (!*o->status)
		buf_str(out, o->cancelled ? "cancelled"
					  : "not fetched from Centra yet");
	else
		cli_text(out, o->status);
	if (*o->status && o->cancelled)
		buf_str(out, ", cancelled");
	if (o->on_hold)
		buf_fmt(out, ", on hold%s", *o->hold_reason ? ": " : "");
	if (o->on_hold)
		cli_text(out, o->hold_reason);
	buf_fmt(out, " (times are those of %s)\n",
		in ? in->time_zone : "UTC");
	if (!o->n_offers)
		buf_str(out, "  It was never offered to a shop.\n");
	for (i = 0; i < o->n_offers; i++) {
		tell_offer(st, &o->offers[i]);
		tell_shipments(st, &o->offers[i]);
	}
	buf_char(out, '\n');
}

static void pad(struct buf *out, size_t from, size_t width)
{
	while (out->len - from < width && !buf_full(out))
		buf_char(out, ' ');
}

static bool tell_entry(void *arg, const struct entry *n)
{
	struct why *st = arg;
	struct buf *out = &st->s->out, words;
	size_t begin;

	cli_time(out, st->s->config, st->order.instance, n->at, true);
	buf_str(out, "  ");
	begin = out->len;
	add_who(st, out, n);
	pad(out, begin, 9);
	buf_str(out, "  ");
	buf_init(&words, 3 * ORDER_TEXT_MAX);
	add_warehouse(st, &words, n);
	add_words(st, &words, n);
	cli_text(out, words.data ? words.data : "");
	buf_release(&words);
	buf_char(out, '\n');
	return true;
}

/* ---- JSON ---- */

static void json_shipments(struct buf *out, const struct offer *f)
{
	json_begin_list(out, "shipments");
	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct shipment *s = &f->shipments[i];

		json_begin(out, NULL);
		json_put(out, "number",
			 s->came.number[0] ? s->came.number : NULL);
		json_put(out, "stage", ship_stage_name(s->came.stage));
		json_put(out, "capture", ship_capture_name(s->came.capture));
		json_put(out, "error", s->came.error);
		json_end(out);
	}
	json_end_list(out);
}

static void json_offer(struct why *st, const struct offer *f)
{
	const struct config_shop *shop = config_shop_of(
		st->s->config, st->order.instance, f->warehouse);
	struct buf *out = &st->s->out;

	json_begin(out, NULL);
	json_put_int(out, "warehouse", f->warehouse);
	json_put(out, "shop", shop ? shop->id : NULL);
	json_put(out, "state", offer_state_name(f->state));
	json_put_bool(out, "doubt", f->doubt);
	json_put_bool(out, "shipped", f->shipped);
	json_put_bool(out, "expired", offer_expired(f, st->s->now));
	json_put(out, "refusal", f->answer.refusal);
	json_put_time(out, "expires_at", f->expires, 0, true);
	json_shipments(out, f);
	json_end(out);
}

static void json_order(struct why *st)
{
	const struct order *o = &st->order;
	struct buf *out = &st->s->out;
	size_t i;

	json_begin(out, NULL);
	json_put_int(out, "order", o->number);
	json_put(out, "instance", o->instance);
	json_put(out, "status", *o->status ? o->status : NULL);
	json_put_bool(out, "cancelled", o->cancelled);
	json_put_bool(out, "on_hold", o->on_hold);
	json_put(out, "hold_reason", *o->hold_reason ? o->hold_reason : NULL);
	json_begin_list(out, "offers");
	for (i = 0; i < o->n_offers; i++)
		json_offer(st, &o->offers[i]);
	json_end_list(out);
	cli_json_end(out);
}

static void json_word(struct buf *out, const char *name, const char *word)
{
	if (word)
		json_put(out, name, word);
}

/* Adds the fields of an entry.  `text` is all of its words; what somebody
 * outside wrote is `said`. */
static void json_fields(struct buf *out, const struct entry *e)
{
	struct entry rest = *e; /* borrows */

	rest.text = NULL;
	json_word(out, "said", e->fact == FACT_TEXT ? NULL : e->text);
#define WORD(name) json_word(out, #name, rest.name);
#include "store/model/journal.def"
	if (e->status)
		json_put_int(out, "status", e->status);
	if (e->latency_ms)
		json_put_int(out, "latency_ms", e->latency_ms);
	if (e->n)
		json_put_int(out, "n", e->n);
	if (e->device)
		json_put_uint(out, "device", e->device);
	if (e->until)
		json_put_time(out, "until", e->until, (int)e->offset_min, true);
	if (e->received)
		json_put_time(out, "received", e->received, 0, true);
}

static bool json_entry(void *arg, const struct entry *n)
{
	struct why *st = arg;
	struct buf *out = &st->s->out, who, words;

	buf_init(&who, 1000);
	buf_init(&words, 3 * ORDER_TEXT_MAX);
	add_who(st, &who, n);
	add_words(st, &words, n);
	json_begin(out, NULL);
	json_put_time(out, "at", n->at, 0, true);
	json_put(out, "who", who.data);
	json_put(out, "what", entry_about(n));
	json_put(out, "kind", fact_name(n->fact));
	if (n->warehouse)
		json_put_int(out, "warehouse", n->warehouse);
	else
		json_put_null(out, "warehouse");
	json_put(out, "text", words.data ? words.data : "");
	json_fields(out, n);
	cli_json_end(out);
	buf_release(&words);
	buf_release(&who);
	return true;
}

/* ---- webhooks to the shops' own systems ---- */

/* The webhooks of the order to one shop. */
struct told {
	struct why *st;
	const struct config_shop *shop;
	char prefix[DOC_KEY_SIZE];
};

/* Says what became of a webhook, by the list in which it stands. */
static const char *end_of(const struct doc *d)
{
	const char *list = strrchr(d->list, '/');

	if (list && !strcmp(list, "/done"))
		return "taken";
	return list && !strcmp(list, "/dead") ? "given up" : "waits";
}

static void tell_webhook(const struct told *t, const struct doc *d,
			 const char *type, const char *action)
{
	struct buf *out = &t->st->s->out;

	cli_time(out, t->st->s->config, d->instance, d->at, true);
	buf_str(out, "  shipfrom   told [shop ");
	cli_text(out, t->shop->id);
	buf_fmt(out, "] %s %s: %s\n", type, action, end_of(d));
}

static void json_webhook(const struct told *t, const struct doc *d,
			 const char *type, const char *action)
{
	struct buf *out = &t->st->s->out, words;

	buf_init(&words, 1000);
	buf_fmt(&words, "told [shop %s] %s %s: %s", t->shop->id, type, action,
		end_of(d));
	json_begin(out, NULL);
	json_put_time(out, "at", d->at, 0, true);
	json_put(out, "who", "shipfrom");
	json_put(out, "what", "webhook");
	json_put(out, "kind", "webhook");
	json_put_null(out, "warehouse");
	json_put(out, "text", words.data ? words.data : "");
	json_put(out, "shop", t->shop->id);
	json_put(out, "event", type);
	json_put(out, "action", action);
	json_put(out, "result", end_of(d));
	cli_json_end(out);
	buf_release(&words);
}

static bool show_webhook(void *arg, const struct doc *d)
{
	const struct told *t = arg;
	const char *type, *action;
	struct json *v = NULL;
	struct err e;

	if (strncmp(d->key, t->prefix, strlen(t->prefix)) != 0)
		return false;
	if (json_parse(d->text, strlen(d->text), JSON_STRICT, &v, &e))
		return true;
	type = json_text(json_get(v, "type"));
	action = json_text(json_get(v, "action"));
	if (type && action)
		(t->st->s->json ? json_webhook : tell_webhook)(t, d, type,
							       action);
	json_free(v);
	return true;
}

static enum rc show_webhooks(struct why *st, struct err *e)
{
	const struct config *c = st->s->config;
	struct told t = {.st = st};
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < c->n_shops; i++) {
		t.shop = &c->shops[i];
		if (strcmp(t.shop->centra, st->order.instance) != 0)
			continue;
		outgoing_of_order(t.prefix, t.shop->id, st->order.number);
		rc = store_docs(st->s->store, KIND_OUTGOING, st->order.instance,
				t.prefix, show_webhook, &t, e);
	}
	return rc;
}

/* ---- finding it ---- */

static int not_found(const struct why *st, const char *instance,
		     int64_t number)
{
	bool known = !*instance || config_instance(st->s->config, instance);

	cli_say("shipfrom why: order %s%s%" PRId64 " is not known: no event "
		"named it, or it was removed by its age (keep_orders, "
		"keep_events)%s",
		instance, *instance ? "/" : "", number,
		known ? "" : "; and there is no such instance");
	return EXIT_NOTHING;
}

/* Finds the instances that know the number; the last one's order goes to
 * st->order.  RC_INVALID: the only one that knows it has a damaged row. */
static enum rc look_everywhere(struct why *st, int64_t number, size_t *ret_n,
			       struct buf *ret_names, struct err *e)
{
	const struct config *c = st->s->config;
	struct order found;
	struct err damage = {""};
	size_t i;
	enum rc rc;

	*ret_n = 0;
	for (i = 0; i < c->n_instances; i++) {
		rc = store_order(st->s->store, c->instances[i].id, number,
				 &found, e);
		if (rc == RC_INVALID)
			damage = *e;
		if (rc == RC_NOTFOUND || rc == RC_INVALID)
			continue;
		if (rc)
			return rc;
		order_release(&st->order);
		st->order = found;
		++*ret_n;
		buf_fmt(ret_names, "  shipfrom why %s/%" PRId64 "\n",
			c->instances[i].id, number);
	}
	if (!*damage.text)
		return *ret_n ? OK : RC_NOTFOUND;
	*e = damage;
	return *ret_n ? cli_left_out(st->s, RC_INVALID, e) : RC_INVALID;
}

/* Tells the returns of an order that is not known otherwise, such as one that
 * the central warehouse shipped. */
static int tell_unknown(struct why *st, const char *instance, int64_t number)
{
	const struct config *c = st->s->config;
	struct err e;
	bool any = false;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < c->n_instances; i++)
		if (!*instance || !strcmp(instance, c->instances[i].id))
			rc = why_returns(st->s, c->instances[i].id, number,
					 &any, &e);
	if (rc)
		return cli_failed(st->s, rc, &e);
	return any ? 0 : not_found(st, instance, number);
}

static int find_order(struct why *st, const char *instance, int64_t number)
{
	struct buf names;
	struct err e;
	size_t n = 1;
	enum rc rc;
	int code = 0;

	buf_init(&names, 100000);
	if (*instance)
		rc = store_order(st->s->store, instance, number, &st->order,
				 &e);
	else
		rc = look_everywhere(st, number, &n, &names, &e);
	if (rc == RC_NOTFOUND)
		code = tell_unknown(st, instance, number);
	else if (rc)
		code = cli_failed(st->s, rc, &e);
	if (!rc && n > 1) {
		fprintf(stderr,
			"shipfrom why: %zu instances have an order %" PRId64
			"; ask for one of them:\n%s",
			n, number, names.data);
		code = EXIT_NOTHING;
	}
	buf_release(&names);
	return code;
}

static int tell_story(struct why *st)
{
	bool any = false;
	struct err e;
	enum rc rc;

	cli_know_devices(st->s);
	if (st->s->json)
		json_order(st);
	else
		tell_order(st);
	rc = store_journal(st->s->store, st->order.instance, st->order.number,
			   st->s->json ? json_entry : tell_entry, st, &e);
	rc = cli_left_out(st->s, rc, &e);
	if (!rc)
		rc = why_returns(st->s, st->order.instance, st->order.number,
				 &any, &e);
	if (!rc)
		rc = cli_left_out(st->s, show_webhooks(st, &e), &e);
	return rc ? cli_failed(st->s, rc, &e) : 0;
}

int cli_why(struct cli_args *a)
{
	char instance[INSTANCE_SIZE];
	struct cli_session s;
	struct why st = {.s = &s};
	int64_t number;
	int code;

	if (a->n_words != 1)
		return cli_usage(a, "of which order? one NUMBER, or "
				    "INSTANCE/NUMBER");
	if (!cli_order_name(a->words[0], instance, &number))
		return cli_usage(a, "'%s' is neither NUMBER nor "
				    "INSTANCE/NUMBER",
				 a->words[0]);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = find_order(&st, instance, number);
	if (!code && st.order.number)
		code = tell_story(&st);
	order_release(&st.order);
	return cli_close(&s, code);
}
