/* SPDX-License-Identifier: MIT
 *
 * A Centra that does not show everything, or not in the form that we asked for:
 * permissions that a token lacks, fields with errors, replies that a proxy has
 * compressed, odd characters in names, bundles and gift cards.
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

#define COAT                                                                  \
	"{\"id\":501,\"quantity\":1,\"product\":\"Raincoat\",\"sku\":\"RC-1\"," \
	"\"ean\":\"7350000000012\",\"upc\":\"012345678905\"}"

static int setup(void **state)
{
	const struct shipfrom_options o = {
		.server = "answer_wait = 3s\nlook_again = 1s\n",
		.centra = "graphql_requests = 1000\n"
			  "graphql_mutations = 1000\ncall_timeout = 2s\n"};

	*state = shipfrom_start(&o);
	return 0;
}

/* ---- what a shop sees ---- */

struct wanted {
	struct shipfrom *s;
	int64_t number;
	const char *part; /* of the order's JSON */
};

static bool shows_part(void *arg)
{
	struct wanted *w = arg;
	struct answer a = order_get(w->s, w->number);
	bool has = a.status == 200 && strstr(a.body, w->part);

	answer_release(&a);
	return has;
}

static void wait_part(struct shipfrom *s, int64_t number, const char *part)
{
	struct wanted w = {s, number, part};
	struct answer a;

	if (wait_until(shows_part, &w, 20000))
		return;
	a = order_get(s, number);
	fail_msg("no %s in order %lld: %s", part, (long long)number, a.body);
}

static bool has_part(struct shipfrom *s, int64_t number, const char *part)
{
	struct wanted w = {s, number, part};

	return shows_part(&w);
}

/* ---- what is done ---- */

static void accept(struct shipfrom *s, int64_t number)
{
	struct answer a = shop_does(s, AMSTERDAM, number, "accept", "{}");

	answer_release(&a);
	wait_state(s, AMSTERDAM, number, "accepted", 20000);
}

static void ship(struct shipfrom *s, int64_t number)
{
	struct answer a = shop_does(s, AMSTERDAM, number, "ship", PARCEL);

	if (a.status != 200 && a.status != 202)
		fail_msg("ship: %ld %s", a.status, a.body);
	answer_release(&a);
	wait_part(s, number, "\"stage\":\"shipped\"");
}

static void deny(struct shipfrom *s, const char *permissions)
{
	sim_tell(&s->sim, "/settings", "{\"denied\":[%s]}", permissions);
}

static void spoil(struct shipfrom *s, const char *fault)
{
	sim_tell(&s->sim, "/faults", "{\"api\":\"graphql\",%s}", fault);
}

/* The order as Centra has it, as text; the caller frees it. */
static char *in_centra(struct shipfrom *s, int64_t number)
{
	char url[256], *ret = NULL;
	struct answer a;
	cJSON *o;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
		if (number_of(o, "number") == number)
			ret = cJSON_PrintUnformatted(o);
	answer_release(&a);
	assert_non_null(ret);
	return ret;
}

static void assert_in_centra(struct shipfrom *s, int64_t number,
			     const char *part)
{
	char *text = in_centra(s, number);

	if (!strstr(text, part))
		fail_msg("no %s in Centra: %s", part, text);
	free(text);
}

/* Returns how often a text stands in the order as Centra has it. */
static int count_in_centra(struct shipfrom *s, int64_t number, const char *part)
{
	char *text = in_centra(s, number);
	int n = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	free(text);
	return n;
}

/* ---- permissions ---- */

static void it_ships_with_no_other_permissions_than_the_docs_ask_for(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	deny(s, "\"Customer:read\",\"Product:read\",\"PaymentHistoryEntry:read\"");
	number = order_offered(s, ORDER_LINES(COAT));
	wait_part(s, number, "\"product\":\"Raincoat\"");
	accept(s, number);
	wait_part(s, number, "\"ship_to\":{");
	ship(s, number);
	assert_in_centra(s, number, "\"status\":\"SHIPPED\"");
	shipfrom_passed(s);
}

/* The capture runs, and its reply is lost: the look that settles it may not
 * ask for the payment history. */
static void a_lost_capture_settles_without_the_payment_history(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, ORDER_LINES(COAT));

	deny(s, "\"PaymentHistory:read\"");
	accept(s, number);
	spoil(s, "\"what\":\"captureShipment\",\"kind\":\"drop\","
		 "\"when\":\"after\"");
	ship(s, number);
	assert_in_centra(s, number, "\"captures\":1,\"completions\":1");
	shipfrom_passed(s);
}

static void without_product_sizes_an_order_is_shown_and_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	deny(s, "\"ProductSize:read\"");
	number = order_offered(s, ORDER_LINES(COAT));
	wait_part(s, number, "\"product\":\"Raincoat\"");
	assert_true(has_part(s, number, "\"sku\":null"));
	accept(s, number);
	ship(s, number);
	shipfrom_passed(s);
}

static void an_address_comes_once_its_permission_is_given(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	deny(s, "\"Order.shippingAddress:read\"");
	number = order_offered(s, ORDER_LINES(COAT));
	wait_part(s, number, "\"product\":\"Raincoat\"");
	accept(s, number);
	assert_true(has_part(s, number, "\"ship_to\":null"));
	deny(s, "");
	wait_part(s, number, "\"ship_to\":{\"first_name\":");
	shipfrom_passed(s);
}

/* It is not done, so it is done once when it may be. */
static void a_mutation_that_is_refused_is_made_once_it_may_be(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, ORDER_LINES(COAT));
	struct answer a;

	accept(s, number);
	deny(s, "\"Shipment:write\"");
	a = shop_does(s, AMSTERDAM, number, "ship", PARCEL);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	deny(s, "");
	wait_part(s, number, "\"stage\":\"shipped\"");
	assert_in_centra(s, number, "\"captures\":1,\"completions\":1");
	shipfrom_passed(s);
}

/* ---- one field ---- */

static void an_error_at_the_address_hides_nothing_else(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	spoil(s, "\"kind\":\"field\",\"field\":\"shippingAddress\",\"percent\":100");
	number = order_offered(s, ORDER_LINES(COAT));
	wait_part(s, number, "\"product\":\"Raincoat\"");
	accept(s, number);
	assert_true(has_part(s, number, "\"ship_to\":null"));
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_part(s, number, "\"ship_to\":{\"first_name\":");
	shipfrom_passed(s);
}

static void an_error_at_the_allocations_proves_nothing(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, ORDER_LINES(COAT));

	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"kind\":\"drop\",\"when\":\"after\"},"
		 "{\"api\":\"graphql\",\"kind\":\"field\",\"field\":\"allocations\","
		 "\"count\":3}]");
	accept(s, number);
	shipfrom_passed(s);
}

/* ---- another form ---- */

static void replies_that_are_compressed_unasked_are_read(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"kind\":\"gzip\",\"percent\":100},"
		 "{\"api\":\"graphql\",\"kind\":\"gzip\",\"percent\":100}]");
	number = order_offered(s, ORDER_LINES(COAT));
	accept(s, number);
	wait_part(s, number, "\"ship_to\":{");
	ship(s, number);
	assert_in_centra(s, number, "\"captures\":1,\"completions\":1");
	assert_int_equal(sim_accepts(&s->sim, number), 1);
	shipfrom_passed(s);
}

static void odd_characters_cost_themselves_alone(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = sim_do(
		&s->sim, "/orders",
		"{\"warehouses\":[3],\"webhook\":true,\"lines\":[" COAT "],"
		"\"shippingAddress\":{\"firstName\":\"Bj\\u00f6rn\","
		"\"lastName\":\"L\\u00f6v\",\"address1\":\"Storgatan 12\","
		"\"city\":\"G\\u00f6teborg\",\"country\":{\"code\":\"SE\","
		"\"name\":\"Sweden\"}}}");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"kind\":\"odd\",\"percent\":100},"
		 "{\"api\":\"graphql\",\"kind\":\"odd\",\"percent\":100}]");
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	accept(s, number);
	wait_part(s, number, "\"product\":\"Raincoat\"");
	wait_part(s, number,
		  "{\"first_name\":\"Bj\xc3\xb6rn\",\"last_name\":\"L\xc3\xb6v\","
		  "\"address1\":\"Storgatan 12\",\"city\":\"G\xc3\xb6teborg\","
		  "\"country\":\"Sweden\",\"country_code\":\"SE\"}");
	shipfrom_passed(s);
}

static void a_payload_with_odd_characters_costs_no_event(void **state)
{
	static const char json[] =
		"{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		"\"date\":\"2021-01-29 14:40:58.628033\",\"id\":7,"
		"\"data\":{\"name\":\"L\\u0000\\ud83d\x07\xed\xa0\xbd\"}}]}";
	struct shipfrom *s = *state;
	struct answer a = webhook_send(s->hook, json, SPACE_PLUS);

	assert_int_equal(a.status, 200);
	assert_int_equal(number_of(a.json, "new"), 1);
	assert_int_equal(number_of(a.json, "quarantined"), 0);
	answer_release(&a);
	shipfrom_passed(s);
}

/* ---- lines without stock of their own ---- */

#define GIFT_BOX                                                                \
	"{\"id\":601,\"kind\":\"bundle\",\"quantity\":1,\"product\":\"Gift box\"}," \
	"{\"id\":602,\"kind\":\"bundle_item\",\"quantity\":1,"                \
	"\"product\":\"Mug\"},"                                               \
	"{\"id\":603,\"kind\":\"bundle_item\",\"quantity\":2,"                \
	"\"product\":\"Spoon\"},"                                             \
	"{\"id\":604,\"kind\":\"gift_card\",\"quantity\":1,"                  \
	"\"product\":\"Gift card\"}"

static void a_bundle_and_a_gift_card_are_found_ours_and_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, ORDER_LINES(GIFT_BOX));

	/* Centra acts, and a look has to find out. */
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"kind\":\"drop\",\"when\":\"after\"},"
		 "{\"api\":\"graphql\",\"what\":\"createShipment\","
		 "\"kind\":\"drop\",\"when\":\"after\"}]");
	/* Its webhooks come too late to help. */
	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	accept(s, number);
	wait_part(s, number, "\"product\":\"Mug\"");
	assert_true(has_part(s, number, "\"product\":\"Spoon\""));
	assert_false(has_part(s, number, "\"product\":\"Gift box\""));
	assert_false(has_part(s, number, "\"product\":\"Gift card\""));
	ship(s, number);
	assert_in_centra(s, number, "\"status\":\"SHIPPED\"");
	assert_in_centra(s, number, "\"captures\":1,\"completions\":1");
	assert_in_centra(s, number,
			 "\"quantity\":1,\"orderLine\":{\"id\":602}},{");
	assert_in_centra(s, number,
			 "\"quantity\":2,\"orderLine\":{\"id\":603}}]");
	assert_int_equal(2, count_in_centra(s, number, "\"orderLine\":"));
	shipfrom_passed(s);
}

static void without_product_sizes_an_order_with_a_gift_card_says_what_it_lacks(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	deny(s, "\"ProductSize:read\"");
	number = order_offered(s, ORDER_LINES(GIFT_BOX));
	accept(s, number);
	wait_part(s, number, "\"doubt\":true");
	journal_has(s, number, "sizes_hidden", NULL);
	deny(s, "");
	wait_part(s, number, "\"doubt\":false");
	ship(s, number);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_ships_with_no_other_permissions_than_the_docs_ask_for),
		T(a_lost_capture_settles_without_the_payment_history),
		T(without_product_sizes_an_order_is_shown_and_shipped),
		T(an_address_comes_once_its_permission_is_given),
		T(a_mutation_that_is_refused_is_made_once_it_may_be),
		T(an_error_at_the_address_hides_nothing_else),
		T(an_error_at_the_allocations_proves_nothing),
		T(replies_that_are_compressed_unasked_are_read),
		T(odd_characters_cost_themselves_alone),
		T(a_payload_with_odd_characters_costs_no_event),
		T(a_bundle_and_a_gift_card_are_found_ours_and_shipped),
		T(without_product_sizes_an_order_with_a_gift_card_says_what_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
