/* SPDX-License-Identifier: MIT
 *
 * Goods that a customer gives back in a shop: booked once in Centra, whatever
 * is lost; never more than was shipped; nothing of the customer is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/counts.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define PATH "/api/v1/returns"
#define LONG 30000 /* ms */
#define SOON MANY "call_timeout = 1s\n"
#define NAME "Bertha Undisclosed"

static struct shipfrom *start(void **state, const char *centra)
{
	struct shipfrom *s = shipfrom_start(
		&(struct shipfrom_options){.server = "answer_wait = 300ms\ndevice_presses = 10000",
					   .centra = centra,
					   .counter = true});

	*state = s;
	return s;
}

/* ---- the order ---- */

/* An order that the central warehouse has shipped, and that shipfrom never
 * heard of. */
static int64_t shipped(struct shipfrom *s, const char *lines)
{
	struct answer a;
	char path[64];
	int64_t number;

	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	a = sim_do(&s->sim, "/orders",
		   "{\"warehouses\":[],\"lines\":[%s],"
		   "\"shippingAddress\":{\"firstName\":\"" NAME "\"}}",
		   lines);
	number = number_of(a.json, "number");
	answer_release(&a);
	snprintf(path, sizeof(path), "/orders/%lld/shipped", (long long)number);
	sim_tell(&s->sim, path, "{}");
	return number;
}

static int64_t first_shipment(struct shipfrom *s, int64_t number)
{
	char url[256];
	struct answer a;
	const cJSON *o;
	int64_t ret = 0;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
		if (number_of(o, "number") == number)
			ret = number_of(cJSON_GetArrayItem(
						cJSON_GetObjectItem(
							o, "shipments"),
						0),
					"id");
	answer_release(&a);
	return ret;
}

#define COAT  71001 /* ids of lines */
#define SCARF 71002

/* An order of two coats and a scarf: a coat and the scarf are in one shipment,
 * the other coat is in a second one.  Its number, and the first shipment's id. */
static int64_t shipped_twice(struct shipfrom *s, int64_t *ret_first)
{
	struct answer a;
	char path[64];
	int64_t number;

	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	a = sim_do(&s->sim, "/orders",
		   "{\"warehouses\":[],\"lines\":[{\"id\":%d,\"quantity\":2},"
		   "{\"id\":%d,\"quantity\":1}]}",
		   COAT, SCARF);
	number = number_of(a.json, "number");
	answer_release(&a);
	snprintf(path, sizeof(path), "/orders/%lld/shipment", (long long)number);
	sim_tell(&s->sim, path,
		 "{\"lines\":[{\"orderLine\":{\"id\":%d},\"quantity\":1},"
		 "{\"orderLine\":{\"id\":%d},\"quantity\":1}]}",
		 COAT, SCARF);
	snprintf(path, sizeof(path), "/orders/%lld/shipped", (long long)number);
	sim_tell(&s->sim, path, "{}");
	*ret_first = first_shipment(s, number);
	return number;
}

static struct answer returnable(struct shipfrom *s, enum shop shop,
				int64_t number)
{
	char path[64];

	snprintf(path, sizeof(path), PATH "?order=%lld", (long long)number);
	return shop_get(s, shop, path);
}

/* The id of an order's i-th line. */
static int64_t line_of(struct shipfrom *s, int64_t number, int i)
{
	struct answer a = returnable(s, AMSTERDAM, number);
	int64_t ret;

	assert_int_equal(a.status, 200);
	ret = number_of(cJSON_GetArrayItem(
				cJSON_GetObjectItem(a.json, "lines"), i),
			"line_id");
	answer_release(&a);
	return ret;
}

/* ---- asking ---- */

struct wish {
	int64_t order, line;
	int units;
	int64_t also; /* the id of another line, of which 1 unit is given
		       * back; 0: none */
	const char *key; /* or NULL */
	bool removed;	 /* it cannot be sold again */
};

static struct answer give_back(struct shipfrom *s, enum shop shop,
			       const struct wish *w)
{
	char auth[200], key[100], url[256], body[300], also[100] = "";
	const char *headers[] = {auth, "Content-Type: application/json",
				 w->key ? key : NULL, NULL};

	snprintf(auth, sizeof(auth), "Authorization: Bearer %s",
		 s->tokens[shop]);
	snprintf(key, sizeof(key), "Idempotency-Key: %s", w->key ? w->key : "");
	snprintf(url, sizeof(url), "%s" PATH, s->url);
	if (w->also)
		snprintf(also, sizeof(also),
			 ",{\"line_id\":%lld,\"quantity\":1,"
			 "\"reason\":\"damaged\"}",
			 (long long)w->also);
	snprintf(body, sizeof(body),
		 "{\"order\":%lld,\"restock\":%s,\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":%d,\"reason\":\"too_small\"}%s]}",
		 (long long)w->order, w->removed ? "false" : "true",
		 (long long)w->line, w->units, also);
	return http_send("POST", url, headers, body, strlen(body));
}

static long asks(struct shipfrom *s, enum shop shop, const struct wish *w)
{
	struct answer a = give_back(s, shop, w);
	long status = a.status;

	answer_release(&a);
	return status;
}

/* Asks until the return is booked. */
struct pressed {
	struct shipfrom *s;
	const struct wish *w;
	long last;
};

static bool is_booked(void *arg)
{
	struct pressed *p = arg;

	p->last = asks(p->s, AMSTERDAM, p->w);
	return p->last == 200 || p->last == 409; /* 409: it ends so */
}

static void wait_booked(struct shipfrom *s, const struct wish *w)
{
	struct pressed p = {s, w, 0};

	if (!wait_until(is_booked, &p, LONG) || p.last != 200)
		fail_msg("told %ld", p.last);
}

static bool is_told_200(void *arg)
{
	struct pressed *p = arg;

	return asks(p->s, AMSTERDAM, p->w) == 200;
}

/* ---- what Centra has ---- */

struct sim_returns {
	int n;	       /* returns */
	int64_t units; /* in all of them */
	int64_t warehouse; /* of the last */
	char comment[256];
};

static struct sim_returns sim_returns(struct shipfrom *s, int64_t number)
{
	struct sim_returns ret = {0};
	char url[256];
	struct answer a;
	const cJSON *r, *l;

	snprintf(url, sizeof(url), "%s/control/returns", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(r, cJSON_GetObjectItem(a.json, "returns"))
	{
		if (number_of(r, "order") != number)
			continue;
		ret.n++;
		ret.warehouse = number_of(r, "warehouse");
		snprintf(ret.comment, sizeof(ret.comment), "%s",
			 text_of(r, "comment"));
		cJSON_ArrayForEach(l, cJSON_GetObjectItem(r, "lines"))
			ret.units += number_of(l, "quantity");
	}
	answer_release(&a);
	return ret;
}

static void fault(struct shipfrom *s, int64_t order, const char *what,
		  const char *how)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,\"what\":\"%s\",%s}",
		 (long long)order, what, how);
}

/* ---- tests ---- */

static void any_shop_takes_back_what_another_shipped_into_its_own_warehouse(
	void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = shipped(s, "{\"quantity\":2},{\"quantity\":1}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1};
	struct sim_returns r;
	struct answer a;

	wait_booked(s, &w);
	r = sim_returns(s, n);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.units, 1);
	assert_int_equal(r.warehouse, 3);
	assert_non_null(strstr(r.comment, "amsterdam"));
	assert_non_null(strstr(r.comment, "too_small"));
	a = returnable(s, BERLIN, n);
	assert_int_equal(number_of(cJSON_GetArrayItem(
					   cJSON_GetObjectItem(a.json, "lines"),
					   0),
				   "returnable"),
			 1);
	answer_release(&a);
	shipfrom_passed(s);
}

static void goods_that_cannot_be_sold_again_are_removed_from_stock(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .removed = true};

	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).warehouse, 0);
	shipfrom_passed(s);
}

static void nothing_of_the_customer_is_shown_or_kept(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = shipped(s, "{\"quantity\":1}");
	const char *words[] = {"records", "return", "--json", NULL};
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1};
	struct answer a = returnable(s, BERLIN, n);
	char *out = NULL;

	assert_int_equal(a.status, 200);
	assert_null(strstr(a.body, "Undisclosed"));
	assert_null(strstr(a.body, "city"));
	assert_null(strstr(a.body, "first_name"));
	answer_release(&a);
	wait_booked(s, &w);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "till"));
	assert_null(strstr(out, "Undisclosed"));
	free(out);
	shipfrom_passed(s);
}

static void never_more_than_was_shipped_and_not_given_back(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 3};
	struct answer a = give_back(s, AMSTERDAM, &w);

	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	w.units = 2;
	w.key = "the-first";
	wait_booked(s, &w);
	w.units = 1;
	w.key = "the-second";
	a = give_back(s, BERLIN, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	assert_int_equal(sim_returns(s, n).units, 2);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

static void a_line_that_was_not_shipped_is_refused(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = 999999, .units = 1};
	struct answer a = give_back(s, AMSTERDAM, &w);

	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "not_shipped");
	answer_release(&a);
	w.order = 424242;
	a = give_back(s, AMSTERDAM, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "not_found");
	answer_release(&a);
	shipfrom_passed(s);
}

/* Asks until the shop is told that nobody knows. */
static void wait_unsure(struct shipfrom *s, const struct wish *w)
{
	struct answer a;

	for (int64_t end = now_mono() + LONG;;) {
		a = give_back(s, AMSTERDAM, w);
		if (a.status == 409 || now_mono() > end)
			break;
		answer_release(&a);
	}
	assert_string_equal(text_of(a.json, "code"), "unsure");
	answer_release(&a);
}

static bool is_given_up(void *arg)
{
	struct shipfrom *s = arg;
	const char *words[] = {"tasks", "--dead", "--json", NULL};
	char *out = NULL;
	bool ret;

	(void)shipfrom_run(s, &out, false, words);
	ret = strstr(out, "\"return\"");
	free(out);
	return ret;
}

/* ---- does returnedQuantity count what is not completed? ---- */

/* The reply to createReturn is lost, with these settings of the stand-in; one
 * return is booked all the same. */
static void booked_once_with(void **state, const char *settings)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "%s", settings);
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

static void a_return_that_only_the_list_of_returns_shows_is_booked_once(
	void **state)
{
	booked_once_with(state, "{\"returned_hidden\":true}");
}

static void without_the_list_of_returns_the_order_tells(void **state)
{
	booked_once_with(state, "{\"unticked\":[\"returns\"]}");
}

/* Nothing shows whether the call was acted on: it is not made again. */
static void what_neither_the_order_nor_a_list_shows_is_not_booked_again(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings",
		 "{\"returned_hidden\":true,\"unticked\":[\"returns\"]}");
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	wait_unsure(s, &w);
	assert_true(wait_until(is_given_up, s, 5000));
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* An older return is completed while the call is lost: its units are not taken
 * for those of the call. */
static void an_older_return_that_is_completed_meanwhile_is_not_taken_for_ours(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":3}");
	struct wish old = {.order = n, .line = line_of(s, n, 0), .units = 1,
			   .key = "old"}, w = old;

	w.key = "new";
	sim_tell(&s->sim, "/settings", "{\"returned_hidden\":true}");
	wait_booked(s, &old);
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(asks(s, AMSTERDAM, &w), 202);
	sim_tell(&s->sim, "/returns", "{\"order\":%lld,\"complete\":true}",
		 (long long)n);
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 2);
	shipfrom_passed(s);
}

/* Our call is lost, and a person books as much with other words, after we have
 * booked a return if `had`. */
static int64_t booked_with_other_words(struct shipfrom *s, bool had,
				       struct wish *ret)
{
	int64_t n = shipped(s, "{\"quantity\":3}");
	struct wish first = {.order = n, .line = line_of(s, n, 0), .units = 1,
			     .key = "first"};

	*ret = first;
	ret->key = "one-key";
	sim_tell(&s->sim, "/settings",
		 "{\"return_comments\":true,\"returned_hidden\":true}");
	if (had)
		wait_booked(s, &first);
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(asks(s, AMSTERDAM, ret), 202);
	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":1,\"comment\":\"by AMS\"}",
		 (long long)n);
	return n;
}

/* Where Centra shows our comments, what a person books is theirs. */
static void a_comment_tells_our_return_from_another(void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;
	int64_t n = booked_with_other_words(s, true, &w);

	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 3);
	shipfrom_passed(s);
}

static void where_no_comment_of_ours_was_seen_other_words_prove_nothing(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;
	int64_t n = booked_with_other_words(s, false, &w);

	wait_unsure(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

/* Both are booked: which one is ours is known. */
static void our_return_is_found_beside_another(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":3}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 2,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"return_comments\":true}");
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	assert_int_equal(asks(s, AMSTERDAM, &w), 202);
	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":1,\"comment\":\"by AMS\"}",
		 (long long)n);
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 3);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* The list was there before the call; while it is away nothing is decided. */
static void while_the_list_of_returns_is_away_nothing_is_booked_again(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"returned_hidden\":true}");
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"what\":\"returns\",\"kind\":\"slow\","
		 "\"ms\":1},"
		 "{\"api\":\"order\",\"what\":\"returns\",\"kind\":\"500\","
		 "\"count\":3}]");
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* A reply, or the call itself, is lost at each call. */
static void with_fault(void **state, const char *how)
{
	static const char *const calls[] = {"orders", "createReturn"};
	struct shipfrom *s = start(state, SOON);
	int64_t n[2];
	static const char *const keys[] = {"one-key", "two-key"};
	struct wish w[2];

	for (int i = 0; i < 2; i++) {
		n[i] = shipped(s, "{\"quantity\":2}");
		w[i] = (struct wish){.order = n[i],
				     .line = line_of(s, n[i], 0),
				     .units = 1,
				     .key = keys[i]};
		fault(s, n[i], calls[i], how);
	}
	for (int i = 0; i < 2; i++)
		(void)asks(s, AMSTERDAM, &w[i]);
	for (int i = 0; i < 2; i++) {
		wait_booked(s, &w[i]);
		assert_int_equal(sim_returns(s, n[i]).n, 1);
		assert_int_equal(sim_returns(s, n[i]).units, 1);
	}
	assert_int_equal(sim_spoilt(&s->sim), 2); /* else nothing failed */
	shipfrom_passed(s);
}

static void a_reply_lost_at_any_call_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"");
}

static void a_call_lost_at_any_step_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"");
}

static void half_a_reply_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"half\"");
}

/* Centra acts after the call was given up. */
static void a_call_that_centra_acts_on_too_late_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"");
}

/* Killed while the look or the call is under way: before Centra acts, and after
 * it has. */
static void killed(void **state, const char *what, const char *when)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 2s\n");
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "a-key"};
	char how[100];

	snprintf(how, sizeof(how), "\"kind\":\"slow\",\"ms\":1500,\"when\":\"%s\"",
		 when);
	fault(s, n, what, how);
	assert_int_equal(asks(s, AMSTERDAM, &w), 202);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).n, 1);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

static void killed_during_the_look_it_is_booked_once(void **state)
{
	killed(state, "orders", "before");
}

static void killed_before_centra_acts_it_is_booked_once(void **state)
{
	killed(state, "createReturn", "before");
}

static void killed_after_centra_acted_it_is_booked_once(void **state)
{
	killed(state, "createReturn", "after");
}

/* Two shops take the same piece at once: there was one. */
static void of_two_shops_that_take_the_last_piece_one_is_booked(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "a-key"};
	struct answer a;

	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	(void)asks(s, AMSTERDAM, &w);
	(void)asks(s, BERLIN, &w);
	wait_booked(s, &w);
	for (int64_t end = now_mono() + LONG;;) {
		a = give_back(s, BERLIN, &w);
		if (a.status == 409 || now_mono() > end)
			break;
		assert_true(a.status == 202 || a.status == 503);
		answer_release(&a);
	}
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	assert_int_equal(sim_returns(s, n).n, 1);
	shipfrom_passed(s);
}

/* Somebody else books a return of the same line while our reply is lost: what
 * Centra shows fits neither. */
static int64_t unsure_order(struct shipfrom *s, struct wish *ret)
{
	int64_t n = shipped(s, "{\"quantity\":3},{\"quantity\":1}");

	*ret = (struct wish){.order = n, .line = line_of(s, n, 0), .units = 2,
			     .key = "a-key"};
	/* Ours never arrives, and one unit is given back elsewhere. */
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(asks(s, AMSTERDAM, ret), 202);
	sim_tell(&s->sim, "/returns", "{\"order\":%lld,\"quantity\":1}",
		 (long long)n);
	wait_unsure(s, ret);
	return n;
}

static void what_nobody_can_know_goes_to_the_office(void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;
	int64_t n = unsure_order(s, &w);

	assert_int_equal(sim_returns(s, n).units, 1);
	assert_true(wait_until(is_given_up, s, 5000));
	shipfrom_passed(s);
}

/* Another return of the order is booked; the first one still waits for the
 * office, and what the other one booked is not taken for it. */
static void what_nobody_knows_is_not_forgotten_for_another_return(void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w, other;
	int64_t n = unsure_order(s, &w);

	other = (struct wish){.order = n, .line = w.line, .units = 1,
			      .key = "another", .also = line_of(s, n, 1)};
	wait_booked(s, &other);
	assert_true(wait_until(is_given_up, s, 5000));
	wait_unsure(s, &w);
	shipfrom_passed(s);
}

static bool is_not_given_up(void *arg)
{
	return !is_given_up(arg);
}

/* Runs all that was given up once more. */
static void redrive(struct shipfrom *s)
{
	const char *words[] = {"redrive", "--all", NULL};
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
}

/* The shop was told 202, and the goods lie there. */
static void what_is_refused_after_the_shop_was_told_202_goes_to_the_office(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "a-key"};
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"refuse_return\":\"Not this.\"}");
	fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(asks(s, AMSTERDAM, &w), 202);
	assert_true(wait_until(is_given_up, s, LONG));
	a = give_back(s, AMSTERDAM, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "refused");
	answer_release(&a);
	redrive(s); /* the office knows */
	assert_true(wait_until(is_not_given_up, s, 5000));
	shipfrom_passed(s);
}

/* A person books it in AMS; the redrive finds that. */
static void what_the_office_booked_by_hand_is_not_booked_again(void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;
	int64_t n = unsure_order(s, &w);

	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":2,\"comment\":\"by hand\"}",
		 (long long)n);
	assert_true(wait_until(is_given_up, s, 5000));
	redrive(s);
	assert_true(wait_until(is_told_200, &(struct pressed){s, &w, 0}, 5000));
	assert_int_equal(sim_returns(s, n).units, 3);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* ---- counts of stock ---- */

#define EAN "7350000000012"

static int64_t with_ean(struct shipfrom *s, struct wish *ret)
{
	int64_t n = shipped(s, "{\"quantity\":2,\"ean\":\"" EAN "\"}");

	*ret = (struct wish){.order = n, .line = line_of(s, n, 0), .units = 1,
			     .key = "one-key"};
	return n;
}

static void a_count_from_before_a_return_came_is_not_sent(void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;

	(void)with_ean(s, &w);
	wait_booked(s, &w);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 5000);
	count_item(s, EAN, 51, -1); /* within what clocks may differ */
	wait_counted(s, EAN, "done", 5000);
	shipfrom_passed(s);
}

/* Centra may have booked it: the count is from before that. */
static void a_count_is_not_sent_while_nobody_knows_what_came(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 5s\n");
	struct wish w;
	int64_t n = with_ean(s, &w);

	fault(s, n, "createReturn",
	      "\"kind\":\"slow\",\"ms\":4000,\"when\":\"after\"");
	assert_int_equal(asks(s, AMSTERDAM, &w), 202);
	assert_int_equal(sim_returns(s, n).units, 1);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 2000);
	shipfrom_passed(s);
}

/* Goods that are removed from stock move nothing. */
static void a_return_that_cannot_be_sold_again_makes_no_count_too_old(
	void **state)
{
	struct shipfrom *s = start(state, SOON);
	struct wish w;

	(void)with_ean(s, &w);
	w.removed = true;
	wait_booked(s, &w);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "done", 5000);
	shipfrom_passed(s);
}

/* The order is known by its return alone. */
static void why_tells_the_returns_of_an_order(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "one-key"};
	char number[24];
	const char *words[] = {"why", number, NULL};
	char *out = NULL;

	snprintf(number, sizeof(number), "%lld", (long long)n);
	wait_booked(s, &w);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "return 1 by "));
	assert_non_null(strstr(out, "(too_small): done, Centra's return "));
	free(out);
	shipfrom_passed(s);
}

/* ---- what is not allowed ---- */

/* Without the permission nothing is booked, and nothing is lost: it is booked
 * when the token has it. */
static void a_missing_permission_books_nothing_and_loses_nothing(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"denied\":[\"Return:write\"]}");
	(void)asks(s, AMSTERDAM, &w);
	(void)asks(s, AMSTERDAM, &w);
	assert_int_equal(sim_returns(s, n).n, 0);
	sim_tell(&s->sim, "/settings", "{\"denied\":[]}");
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

static void hostile_requests_are_refused_and_book_nothing(void **state)
{
	static const char *const bodies[] = {
		"", "null", "[]", "{}", "{\"order\":1001}",
		"{\"order\":0,\"restock\":true,\"lines\":[]}",
		"{\"order\":-1,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1e300,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":1,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":{\"line_id\":1}}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":0,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":-1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1.5,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"<script>\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"},{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
	};
	static const char *const numbers[] = {
		"",	   "0",		"-1", "abc", "1e3", "1001,1002",
		"99999999999999999999", "1001%22%7D",
	};
	struct shipfrom *s = start(state, SOON);
	char path[100];

	(void)shipped(s, "{\"quantity\":2}");
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct answer a = shop_post(s, AMSTERDAM, PATH, bodies[i]);

		if (a.status != 400)
			fail_msg("%s: %ld", bodies[i], a.status);
		answer_release(&a);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct answer a;

		snprintf(path, sizeof(path), PATH "?order=%s", numbers[i]);
		a = shop_get(s, AMSTERDAM, path);
		if (a.status != 400)
			fail_msg("%s: %ld", path, a.status);
		answer_release(&a);
	}
	assert_int_equal(sim_calls_of(&s->sim, 0, "createReturn"), 0);
	shipfrom_passed(s);
}

/* ---- several shipments ---- */

/* The second of two calls never arrives: what the first one booked is not taken
 * for it. */
static void of_two_calls_the_second_is_made_again_if_it_was_lost(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t first, n = shipped_twice(s, &first);
	struct wish w = {.order = n, .line = COAT, .units = 2,
			 .key = "two-coats"};

	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createReturn\",\"kind\":\"slow\",\"ms\":1},"
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createReturn\",\"kind\":\"drop\","
		 "\"when\":\"before\"}]",
		 (long long)n, (long long)n);
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).n, 2);
	assert_int_equal(sim_returns(s, n).units, 2);
	shipfrom_passed(s);
}

/* One coat is given back; then the other one with the scarf, which is in the
 * first coat's shipment. */
static void what_a_shipment_has_given_back_is_taken_from_the_other(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t first, n = shipped_twice(s, &first);
	struct wish one = {.order = n, .line = COAT, .units = 1,
			   .key = "one-coat"};
	struct wish rest = {.order = n, .line = COAT, .units = 1,
			    .also = SCARF, .key = "a-coat-and-a-scarf"};

	wait_booked(s, &one);
	wait_booked(s, &rest);
	assert_int_equal(sim_returns(s, n).units, 3);
	shipfrom_passed(s);
}

static void a_shop_without_returns_takes_none(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	struct wish w = {.order = 1, .line = 1, .units = 1};
	struct answer a;

	*state = s;
	assert_int_equal(asks(s, AMSTERDAM, &w), 404);
	a = returnable(s, AMSTERDAM, 1);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

/* Asks for a return of one of two units while Centra shows no order, and makes a
 * backup in which it waits. */
static void back_up_waiting(struct shipfrom *s, const struct wish *w,
			    char ret_file[160])
{
	const char *backup[] = {"backup", ret_file, NULL};
	char *out = NULL;

	snprintf(ret_file, 160, "%s/copy.mdb", s->dir);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"orders\","
		 "\"kind\":\"500\",\"percent\":100}");
	assert_int_equal(asks(s, AMSTERDAM, w), 202);
	assert_int_equal(shipfrom_run(s, &out, true, backup), 0);
	free(out);
}

static void start_on(struct shipfrom *s, const char *file)
{
	const char *readmit[] = {"device", "readmit", "--all", NULL};
	char *out = NULL;

	shipfrom_restore(s, file);
	assert_int_equal(shipfrom_run(s, &out, true, readmit), 0);
	free(out);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	shipfrom_again(s);
}

/* It was booked after the backup was made: the second unit must not be booked for
 * it. */
static void a_return_that_waits_in_a_backup_is_not_booked_again(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "a"};
	char file[160];

	back_up_waiting(s, &w, file);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_booked(s, &w);
	assert_int_equal(shipfrom_stop(s), 0);
	start_on(s, file);
	wait_metric(s, "tasks_dead", 1, LONG);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

/* Centra shows that nothing of the order was given back. */
static void a_return_that_waits_in_a_backup_is_not_lost(void **state)
{
	struct shipfrom *s = start(state, SOON);
	int64_t n = shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = line_of(s, n, 0), .units = 1,
			 .key = "a"};
	char file[160];

	back_up_waiting(s, &w, file);
	assert_int_equal(shipfrom_stop(s), 0);
	start_on(s, file);
	wait_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(any_shop_takes_back_what_another_shipped_into_its_own_warehouse),
		OWN(goods_that_cannot_be_sold_again_are_removed_from_stock),
		OWN(nothing_of_the_customer_is_shown_or_kept),
		OWN(never_more_than_was_shipped_and_not_given_back),
		OWN(a_line_that_was_not_shipped_is_refused),
		OWN(a_reply_lost_at_any_call_books_it_once),
		OWN(a_return_that_only_the_list_of_returns_shows_is_booked_once),
		OWN(without_the_list_of_returns_the_order_tells),
		OWN(what_neither_the_order_nor_a_list_shows_is_not_booked_again),
		OWN(an_older_return_that_is_completed_meanwhile_is_not_taken_for_ours),
		OWN(a_comment_tells_our_return_from_another),
		OWN(where_no_comment_of_ours_was_seen_other_words_prove_nothing),
		OWN(our_return_is_found_beside_another),
		OWN(while_the_list_of_returns_is_away_nothing_is_booked_again),
		OWN(a_call_lost_at_any_step_is_made_again),
		OWN(half_a_reply_books_it_once),
		OWN(a_call_that_centra_acts_on_too_late_books_it_once),
		OWN(killed_during_the_look_it_is_booked_once),
		OWN(killed_before_centra_acts_it_is_booked_once),
		OWN(killed_after_centra_acted_it_is_booked_once),
		OWN(of_two_shops_that_take_the_last_piece_one_is_booked),
		OWN(what_nobody_can_know_goes_to_the_office),
		OWN(what_nobody_knows_is_not_forgotten_for_another_return),
		OWN(what_is_refused_after_the_shop_was_told_202_goes_to_the_office),
		OWN(what_the_office_booked_by_hand_is_not_booked_again),
		OWN(a_count_from_before_a_return_came_is_not_sent),
		OWN(a_count_is_not_sent_while_nobody_knows_what_came),
		OWN(a_return_that_cannot_be_sold_again_makes_no_count_too_old),
		OWN(a_missing_permission_books_nothing_and_loses_nothing),
		OWN(hostile_requests_are_refused_and_book_nothing),
		OWN(why_tells_the_returns_of_an_order),
		OWN(of_two_calls_the_second_is_made_again_if_it_was_lost),
		OWN(what_a_shipment_has_given_back_is_taken_from_the_other),
		OWN(a_return_that_waits_in_a_backup_is_not_booked_again),
		OWN(a_return_that_waits_in_a_backup_is_not_lost),
		OWN(a_shop_without_returns_takes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
