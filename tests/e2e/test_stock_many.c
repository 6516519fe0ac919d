/* SPDX-License-Identifier: MIT
 *
 * A till counts 5,000 times in a minute, while Centra refuses some, is away for
 * a time, and the server is killed twice: in the end Centra has each newest
 * count or has refused it, none older lies on top, and shops were not slowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define ITEMS	  2500
#define BATCH	  100
#define ROUNDS	  2  /* counts of each item */
#define AT	  3  /* Amsterdam's warehouse */
#define MUTATIONS 60 /* the budget of 10 s */
/* Twice so many parcels, of four calls each, and the half that counts may have fit
 * into SHIP_MUTATIONS: else parcels would wait for parcels. */
#define ORDERS	       7
#define SHIP_MUTATIONS "120"

/* What Centra refuses: 50 of the items. */
static const char *refusal_of(int i)
{
	return i % 50 == 7 ? i % 100 == 7 ? "unknown" : "bundle" : NULL;
}

static char *text;
static size_t used;

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	used += (size_t)vsnprintf(text + used, (1 << 20) - used, fmt, ap);
	va_end(ap);
	assert_true(used < 1 << 20);
}

static void begin(void)
{
	if (!text)
		text = calloc(1, 1 << 20);
	used = 0;
}

static void know_items(struct shipfrom *s)
{
	for (int first = 0; first < ITEMS; first += 20) {
		begin();
		for (int i = first; i < first + 20; i++)
			if (!refusal_of(i) || *refusal_of(i) == 'b')
				add("%c{\"ean\":\"%d\",\"bundle\":%s}",
				    used ? ',' : '[', 100000 + i,
				    refusal_of(i) ? "true" : "false");
		add("]");
		sim_tell(&s->sim, "/stock", "%s", text);
	}
}

/* Counts a batch of items for the n-th time, each time one piece more. */
static void count_batch(struct shipfrom *s, int n, int first)
{
	char url[200], auth[200], at[STAMP_ROOM];
	const char *headers[] = {auth, "Content-Type: application/json", NULL};
	struct answer a;

	snprintf(url, sizeof(url), "%s/api/v1/stock", s->url);
	snprintf(auth, sizeof(auth), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	begin();
	add("{\"counted_at\":\"%s\",\"items\":[", iso(at, 10 * n - 100));
	for (int i = first; i < first + BATCH; i++)
		add("%s{\"ean\":\"%d\",\"quantity\":%d}", i > first ? "," : "",
		    100000 + i, 30 + n);
	add("]}");
	a = http_send("PUT", url, headers, text, used);
	if (a.status != 202)
		fail_msg("told %ld %s", a.status, a.body);
	answer_release(&a);
}

static void count_all(struct shipfrom *s, int n)
{
	for (int i = 0; i < ITEMS; i += BATCH)
		count_batch(s, n, i);
}

#define WAITING "documents{kind=\"stock_item\",ended=\"no\"}"

/* ---- shops are not slowed ---- */

static int64_t slowest(const int64_t *list, int n)
{
	int64_t most = 0;

	for (int i = 0; i < n; i++)
		most = list[i] > most ? list[i] : most;
	return most;
}

struct shop_times {
	int64_t accepts[ORDERS], ships[ORDERS];
};

/* Accepts and ships some orders, and notes how long each took. */
static void measure(struct shipfrom *s, struct shop_times *ret)
{
	char code[STATE_ROOM];
	int64_t number, began;
	struct answer a;

	for (int i = 0; i < ORDERS; i++) {
		number = order_offered(s, TWO_LINES);
		began = now_mono();
		a = shop_does(s, AMSTERDAM, number, "accept", "{}");
		assert_int_equal(a.status, 200);
		answer_release(&a);
		ret->accepts[i] = now_mono() - began;
		wait_until(order_has_address,
			   &(struct order_of){s, number, NULL}, 10000);
		began = now_mono();
		(void)order_ship(s, number, PARCEL, code);
		wait_stage(s, number, "shipped", 10000);
		ret->ships[i] = now_mono() - began;
	}
}

/* The slowest of each, since so few have no other p99; the half second is for
 * a machine that does something else. */
static void compare(const struct shop_times *before,
		    const struct shop_times *during)
{
	int64_t a = slowest(before->accepts, ORDERS);
	int64_t b = slowest(during->accepts, ORDERS);
	int64_t c = slowest(before->ships, ORDERS);
	int64_t d = slowest(during->ships, ORDERS);

	print_message("accepts: %lld ms, with counts %lld; shipments: %lld ms, "
		      "with counts %lld\n",
		      (long long)a, (long long)b, (long long)c, (long long)d);
	assert_true(b <= 2 * a + 500);
	assert_true(d <= 2 * c + 500);
}

static void counts_slow_no_accept_and_no_shipment(void **state)
{
	struct shipfrom *s = shipfrom_with(
		"device_presses = 1000\n",
		"graphql_requests = 1000\n"
		"graphql_mutations = " SHIP_MUTATIONS "\n");
	struct shop_times before, during;

	*state = s;
	know_items(s);
	measure(s, &before);
	count_all(s, 0);
	measure(s, &during);
	assert_true(metric(s, WAITING) > 0); /* else there was nothing to slow
					      * them */
	compare(&before, &during);
	shipfrom_passed(s);
}

/* ---- whatever fails ---- */

/* Fails unless Centra has the newest count of each item that it does not
 * refuse, and never had an older one on top. */
static void expect_newest(struct shipfrom *s)
{
	char url[200];
	struct answer a;
	const cJSON *item, *p;
	int seen = 0;

	snprintf(url, sizeof(url), "%s/control/stock", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(a.json, "items"))
		cJSON_ArrayForEach(p, cJSON_GetObjectItem(item, "places")) {
			if (number_of(p, "physical") != 29 + ROUNDS ||
			    number_of(p, "lowered"))
				fail_msg("%s: %s", text_of(item, "ean"),
					 cJSON_PrintUnformatted(p));
			seen++;
		}
	assert_int_equal(seen, ITEMS - ITEMS / 50);
	answer_release(&a);
}

static void expect_refusals(struct shipfrom *s)
{
	char path[100];
	struct answer a;

	for (int i = 0; i < ITEMS; i++) {
		if (!refusal_of(i))
			continue;
		snprintf(path, sizeof(path), "/api/v1/stock/results?ean=%d",
			 100000 + i);
		a = shop_get(s, AMSTERDAM, path);
		assert_string_equal(text_of(a.json, "result"), refusal_of(i));
		answer_release(&a);
	}
}

/* Fails if more calls that change something were made in any 10 s than the
 * budget has; a restart, which forgets what was spent, may double them. */
static void expect_budget_kept(struct shipfrom *s)
{
	int64_t at[5000];
	char url[200];
	struct answer a;
	const cJSON *c;
	int n = 0, most = 0, from = 0;

	snprintf(url, sizeof(url), "%s/control/calls", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
		if (!strcmp(text_of(c, "what"), "setStock") && n < 5000)
			at[n++] = number_of(c, "at_ms");
	answer_release(&a);
	for (int i = 0; i < n; i++) {
		while (at[i] - at[from] >= 10000)
			from++;
		most = i - from + 1 > most ? i - from + 1 : most;
	}
	print_message("%d calls of setStock, at most %d in 10 s\n", n, most);
	assert_true(n > 0);
	assert_true(most <= MUTATIONS);
}

static void faults(struct shipfrom *s, const char *spec)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setStock\",%s}", spec);
}

static bool is_past(void *arg)
{
	return now_mono() >= *(int64_t *)arg;
}

static void for_a_while(int ms)
{
	int64_t until = now_mono() + ms;

	(void)wait_until(is_past, &until, ms + 1000);
}

static void every_newest_count_is_there_or_told_as_refused(void **state)
{
	struct shipfrom *s = shipfrom_with(
		NULL, "call_timeout = 1s\ngraphql_requests = 1000\n"
		      "graphql_mutations = 60\n");

	*state = s;
	know_items(s);
	/* Some calls are lost, some replies, some are acted on late. */
	faults(s, "\"kind\":\"drop\",\"when\":\"after\",\"percent\":5");
	faults(s, "\"kind\":\"drop\",\"when\":\"before\",\"percent\":5");
	faults(s, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\",\"percent\":5");
	count_all(s, 0);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	/* Centra is away. */
	faults(s, "\"kind\":\"500\",\"percent\":100");
	count_all(s, 1);
	for_a_while(6000);
	shipfrom_kill_9(s);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	shipfrom_again(s);
	metric_becomes(s, WAITING, 0, 150000);
	expect_newest(s);
	expect_refusals(s);
	expect_budget_kept(s);
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(counts_slow_no_accept_and_no_shipment,
					  shipfrom_end),
		cmocka_unit_test_teardown(
			every_newest_count_is_there_or_told_as_refused,
			shipfrom_end),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(text);
	return failed;
}
