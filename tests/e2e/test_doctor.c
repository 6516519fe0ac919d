/* SPDX-License-Identifier: MIT
 *
 * `shipfrom doctor`: what is wrong at a Centra is named, each thing by itself,
 * and nothing is changed there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/orders.h"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* Runs it; what it printed (owned), and its exit status. */
static char *doctor(struct shipfrom *s, int *ret_status)
{
	const char *words[] = {"doctor", NULL};
	char *out = NULL;

	*ret_status = shipfrom_run(s, &out, true, words);
	return out;
}

/* Exactly one line is WRONG, and has both texts. */
static void expect_wrong(struct shipfrom *s, const char *check,
			 const char *text)
{
	int status, wrong = 0;
	char *out = doctor(s, &status), *copy = strdup(out), *rest = copy;
	char *line;
	bool named = false;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "WRONG", 5) != 0)
			continue;
		wrong++;
		named |= strstr(line, check) && strstr(line, text);
	}
	if (status != 1 || wrong != 1 || !named)
		fail_msg("exit %d, %d wrong; '%s' ... '%s' should be: %s",
			 status, wrong, check, text, out);
	free(copy);
	free(out);
}

/* How often a text occurs in another. */
static int occurrences(const char *in, const char *text)
{
	int n = 0;

	while ((in = strstr(in, text))) {
		in += strlen(text);
		n++;
	}
	return n;
}

/* A line that has all three texts. */
static void expect_line(struct shipfrom *s, const char *verdict,
			const char *check, const char *text)
{
	int status;
	char *out = doctor(s, &status), *copy = strdup(out), *rest = copy;
	char *line;
	bool found = false;

	while ((line = strsep(&rest, "\n")))
		found |= strstr(line, verdict) && strstr(line, check) &&
			 strstr(line, text);
	if (!found)
		fail_msg("no line '%s' '%s' '%s': %s", verdict, check, text,
			 out);
	free(copy);
	free(out);
}

/* Nothing is wrong.  What writes is never tried; the rest if it can be. */
static void expect_well(struct shipfrom *s, bool all_tried)
{
	int status;
	char *out = doctor(s, &status);

	if (status || strstr(out, "WRONG") || strstr(out, "no answer") ||
	    occurrences(out, "  Order:write, ") != 1 ||
	    occurrences(out, "  Shipment:write, ") != 1 ||
	    (all_tried && occurrences(out, "untried  ") != 3))
		fail_msg("exit %d: %s", status, out);
	free(out);
}

static void a_good_centra_has_nothing_wrong(void **state)
{
	struct shipfrom *s = *state;

	expect_well(s, false);
	sim_place(&s->sim, 600);
	expect_well(s, true);
	shipfrom_passed(s);
}

static char *sim_state(struct shipfrom *s)
{
	char url[200];
	struct answer a;
	char *text;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	assert_int_equal(a.status, 200);
	text = cJSON_PrintUnformatted(a.json);
	answer_release(&a);
	return text;
}

static void doctor_changes_nothing_at_centra(void **state)
{
	struct shipfrom *s = *state;
	char *before, *after;

	sim_place(&s->sim, 600);
	sim_quiet(&s->sim);
	before = sim_state(s);
	expect_well(s, true);
	after = sim_state(s);
	assert_string_equal(after, before);
	free(before);
	free(after);
	shipfrom_passed(s);
}

static void a_refused_key_is_named(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/settings", "{\"api_key\":\"another\"}");
	expect_wrong(s, "order-api", "the key is refused (HTTP 401)");
	shipfrom_passed(s);
}

static void a_refused_token_is_named_once(void **state)
{
	struct shipfrom *s = *state;
	int status;
	char *out;

	sim_tell(&s->sim, "/settings", "{\"token\":\"another\"}");
	expect_wrong(s, "token", "the token is refused");
	out = doctor(s, &status);
	if (!strstr(out, "untried    se  warehouse    not tried: the token"))
		fail_msg("what was left out is not named: %s", out);
	free(out);
	shipfrom_passed(s);
}

static void each_kind_of_name_that_is_missing_is_named(void **state)
{
	static const char *const names[][2] = {
		{"ProductSize.UPC", "no field ProductSize.UPC"},
		{"orders.sort", "no argument orders.sort"},
		{"OrderFilter.isWaitingForCheckFirstAllocation",
		 "no input OrderFilter.isWaitingForCheckFirstAllocation"},
		{"ShipmentInfoInput.service",
		 "no input ShipmentInfoInput.service"},
		{"OrderSort.number_ASC", "no value OrderSort.number_ASC"},
		{"OrderStatus.CANCELLED", "no value OrderStatus.CANCELLED"},
		{"BundleOrderLine", "no type BundleOrderLine"},
		{"Mutation.completeShipment",
		 "no field Mutation.completeShipment"},
	};
	struct shipfrom *s = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sim_tell(&s->sim, "/settings", "{\"hidden\":[\"%s\"]}",
			 names[i][0]);
		expect_wrong(s, "schema", names[i][1]);
	}
	shipfrom_passed(s);
}

static void each_permission_that_is_missing_is_named(void **state)
{
	static const char *const names[] = {
		"Order:read",	    "Order.shippingAddress:read",
		"ProductSize:read", "Warehouse:read",
		"Shipment:read",    "BrickAndMortar:read",
		"PaymentHistory:read",
	};
	struct shipfrom *s = *state;
	char text[80];

	sim_place(&s->sim, 600);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sim_tell(&s->sim, "/settings", "{\"denied\":[\"%s\"]}",
			 names[i]);
		snprintf(text, sizeof(text), "%s is missing", names[i]);
		/* What cannot be tried without it (the list of warehouses,
		 * the fields of an order) is `untried`. */
		expect_wrong(s, "permission", text);
	}
	shipfrom_passed(s);
}

static int setup_goods(void **state)
{
	*state = shipfrom_with(
		NULL, "pictures_from = https://brand.centracdn.net\n");
	return 0;
}

static void an_endpoint_that_pictures_need_is_named(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/settings", "{\"unticked\":[\"products\"]}");
	expect_wrong(s, "products", "does not allow GET /products");
	sim_tell(&s->sim, "/settings", "{\"unticked\":[]}");
	expect_well(s, false);
	shipfrom_passed(s);
}

static int setup_returns(void **state)
{
	*state = shipfrom_start(
		&(struct shipfrom_options){.amsterdam = "returns = yes\n"});
	return 0;
}

static void the_list_that_settles_lost_returns_is_named(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/settings", "{\"unticked\":[\"returns\"]}");
	expect_wrong(s, "returns", "GET /returns is not ticked");
	sim_tell(&s->sim, "/settings", "{\"unticked\":[]}");
	expect_well(s, false);
	shipfrom_passed(s);
}

static int setup_system(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, "[shop antwerp]\ncentra = se\n"
						 "name = Antwerp\n"
						 "warehouses = 5\n"
						 "ship_with = order_api\n");
	char list[600];
	size_t n = 0;

	for (int w = 2; w <= 5; w++)
		n += (size_t)snprintf(list + n, sizeof(list) - n,
				      "%s{\"id\":%d,\"name\":\"W\","
				      "\"shop\":\"S\","
				      "\"policy\":\"CHECK_FIRST\"}",
				      w > 2 ? "," : "", w);
	sim_tell(&s->sim, "/warehouses", "[%s]", list);
	*state = s;
	return 0;
}

static void each_endpoint_that_a_shops_system_needs_is_named(void **state)
{
	static const char *const names[][2] = {
		{"shipments", "does not allow GET /shipments"},
		{"orders", "does not allow GET /orders"},
		{"products", "does not allow GET /products"},
		{"update", "does not allow PUT /shipments"},
		{"delete", "does not allow DELETE /shipments"},
	};
	struct shipfrom *s = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sim_tell(&s->sim, "/settings", "{\"unticked\":[\"%s\"]}",
			 names[i][0]);
		expect_wrong(s, "ship-with", names[i][1]);
	}
	shipfrom_passed(s);
}

/* Else it would have tried them with a change. */
static void what_writes_is_said_to_be_untried(void **state)
{
	struct shipfrom *s = *state;

	sim_place(&s->sim, 600);
	sim_tell(&s->sim, "/settings",
		 "{\"denied\":[\"Order:write\",\"Shipment:write\"]}");
	expect_well(s, true);
	shipfrom_passed(s);
}

static void each_warehouse_that_is_wrong_is_named(void **state)
{
	/* Of 2, 3 and 4, the shops' own. */
	static const char *const lists[][2] = {
		{"{\"id\":3,\"name\":\"A\",\"shop\":\"A\"},"
		 "{\"id\":4,\"name\":\"B\",\"shop\":\"B\"}",
		 "2 of [shop stockholm]: Centra knows no such warehouse"},
		{"{\"id\":2,\"name\":\"S\",\"shop\":\"S\","
		 "\"policy\":\"DIRECT\"},"
		 "{\"id\":3,\"name\":\"A\",\"shop\":\"A\"},"
		 "{\"id\":4,\"name\":\"B\",\"shop\":\"B\"}",
		 "2 (S) of [shop stockholm] has the allocation policy DIRECT"},
		{"{\"id\":2,\"name\":\"S\",\"shop\":\"S\"},"
		 "{\"id\":3,\"name\":\"A\",\"shop\":\"A\",\"inactive\":true},"
		 "{\"id\":4,\"name\":\"B\",\"shop\":\"B\"}",
		 "3 (A) of [shop amsterdam] is INACTIVE"},
		{"{\"id\":2,\"name\":\"S\",\"shop\":\"S\"},"
		 "{\"id\":3,\"name\":\"A\"},"
		 "{\"id\":4,\"name\":\"B\",\"shop\":\"B\"}",
		 "3 (A) of [shop amsterdam] belongs to no brick and mortar"},
		{"{\"id\":2,\"name\":\"S\",\"shop\":\"S\"},"
		 "{\"id\":3,\"name\":\"A\",\"shop\":\"A\"},"
		 "{\"id\":4,\"name\":\"B\",\"shop\":\"B\"},"
		 "{\"id\":5,\"name\":\"O\",\"shop\":\"O\"}",
		 "5 (O) is check first, but no [shop] has it, and nobody can "
		 "answer its offers: add it to the `warehouses` of a [shop]"},
	};
	struct shipfrom *s = *state;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		sim_tell(&s->sim, "/warehouses", "[%s]", lists[i][0]);
		expect_wrong(s, "warehouse", lists[i][1]);
	}
	shipfrom_passed(s);
}

static void a_centra_that_does_not_answer_ends_with_69(void **state)
{
	struct shipfrom *s = *state;
	int status;
	char *out;

	sim_stop(&s->sim);
	out = doctor(s, &status);
	if (status != 69 || !strstr(out, "no answer  se  order-api") ||
	    !strstr(out, "no answer  se  token"))
		fail_msg("exit %d: %s", status, out);
	free(out);
	sim_again(&s->sim);
	shipfrom_passed(s);
}

/* Nothing is known to be wrong then. */
static void a_centra_that_is_busy_or_down_is_not_called_wrong(void **state)
{
	static const char *const kinds[] = {
		"\"kind\":\"500\"", "\"kind\":\"429\"",
		"\"kind\":\"status\",\"status\":503",
		"\"kind\":\"status\",\"status\":408"};
	struct shipfrom *s = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int status;
		char *out;

		sim_tell(&s->sim, "/faults",
			 "[{\"api\":\"order\",%s,\"percent\":100}]", kinds[i]);
		out = doctor(s, &status);
		if (status != 69 || strstr(out, "WRONG") ||
		    !strstr(out, "try again later"))
			fail_msg("%s: exit %d: %s", kinds[i], status, out);
		free(out);
		sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	}
	shipfrom_passed(s);
}

static void in_json_each_line_is_an_object(void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"doctor", "--json", NULL};
	char *out = NULL, *rest, *line;
	int n = 0;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	rest = out;
	while ((line = strsep(&rest, "\n")) && *line) {
		cJSON *v = cJSON_Parse(line);

		assert_string_equal(text_of(v, "instance"), "se");
		assert_true(*text_of(v, "check"));
		assert_true(!strcmp(text_of(v, "result"), "ok") ||
			    !strcmp(text_of(v, "result"), "untried"));
		assert_true(*text_of(v, "text"));
		cJSON_Delete(v);
		n++;
	}
	assert_true(n > 10);
	free(out);
	shipfrom_passed(s);
}

static void the_list_of_allocation_requests_has_to_be_ticked(void **state)
{
	static const struct shipfrom_options o = {.centra =
							  "poll_requests = 1m\n"};
	struct shipfrom *s = *state = shipfrom_start(&o);

	expect_line(s, "ok", "requests", "GET /allocation-requests is allowed");
	sim_tell(&s->sim, "/settings",
		 "{\"unticked\":[\"allocation-requests\"]}");
	expect_line(s, "untried", "requests", "no warehouse needs it");
	sim_tell(&s->sim, "/warehouses",
		 "[{\"id\":2,\"name\":\"A\",\"shop\":\"A\"},"
		 "{\"id\":3,\"name\":\"B\",\"shop\":\"B\","
		 "\"policy\":\"DIRECT_THEN_CONFIRM\"},"
		 "{\"id\":4,\"name\":\"C\",\"shop\":\"C\"}]");
	expect_wrong(s, "requests", "is not ticked");
	sim_tell(&s->sim, "/settings", "{\"unticked\":[]}");
	expect_line(s, "ok", "warehouse", "3 (B)");
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

/* ---- feeds and locks ---- */

static int setup_feeds(void **state)
{
	*state = shipfrom_with(NULL, "source = graphql_events, soap\n"
				     "queue_is_ours = yes\n"
				     "poll_feeds = 10m\nlock_orders = yes\n");
	return 0;
}

/* It reads the feeds, confirms nothing, and says why they must be ours. */
static void the_feeds_are_tried_and_not_confirmed(void **state)
{
	struct shipfrom *s = *state;
	int status;
	char *out = doctor(s, &status);

	assert_int_equal(status, 0);
	assert_non_null(strstr(out, "graphql_events: 0 events wait"));
	assert_int_equal(occurrences(out, "(queue_is_ours)"), 2);
	/* What only reads is tried. */
	assert_int_equal(occurrences(out, ":read: GraphQL"), 0);
	assert_int_equal(occurrences(out, "  Event:write, "), 1);
	assert_int_equal(occurrences(out, "  Order.isLocked:write, "), 1);
	assert_int_equal(sim_calls_of(&s->sim, 0, "confirmEvents"), 0);
	assert_int_equal(sim_calls_of(&s->sim, 0, "Events_Done"), 0);
	free(out);
	shipfrom_passed(s);
}

static void a_missing_permission_for_events_is_named(void **state)
{
	struct shipfrom *s = *state;
	int status;
	char *out;

	sim_tell(&s->sim, "/settings", "{\"denied\":[\"Event:read\"]}");
	out = doctor(s, &status);
	assert_int_equal(status, 1);
	assert_non_null(strstr(out, "Event:read is missing, for the feed"));
	free(out);
	shipfrom_passed(s);
}

static void a_wrong_soap_login_is_named(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/settings", "{\"soap_password\":\"another\"}");
	expect_wrong(s, "soap", "Login failed: are soap_user and");
	shipfrom_passed(s);
}

static void a_schema_without_the_feed_is_named_only_if_it_is_used(void **state)
{
	struct shipfrom *s = *state;
	int status;
	char *out;

	sim_tell(&s->sim, "/settings", "{\"hidden\":[\"Mutation.confirmEvents\"]}");
	out = doctor(s, &status);
	assert_int_equal(status, s->options.centra ? 1 : 0);
	free(out);
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_centra_has_nothing_wrong),
		T(doctor_changes_nothing_at_centra),
		T(a_refused_key_is_named),
		T(a_refused_token_is_named_once),
		T(each_kind_of_name_that_is_missing_is_named),
		T(each_permission_that_is_missing_is_named),
		cmocka_unit_test_setup_teardown(
			the_list_that_settles_lost_returns_is_named,
			setup_returns, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			an_endpoint_that_pictures_need_is_named, setup_goods,
			shipfrom_end),
		cmocka_unit_test_teardown(
			the_list_of_allocation_requests_has_to_be_ticked,
			shipfrom_end),
		cmocka_unit_test_setup_teardown(
			each_endpoint_that_a_shops_system_needs_is_named,
			setup_system, shipfrom_end),
		T(what_writes_is_said_to_be_untried),
		T(each_warehouse_that_is_wrong_is_named),
		T(a_centra_that_does_not_answer_ends_with_69),
		T(a_centra_that_is_busy_or_down_is_not_called_wrong),
		T(in_json_each_line_is_an_object),
		cmocka_unit_test_setup_teardown(
			the_feeds_are_tried_and_not_confirmed, setup_feeds,
			shipfrom_end),
		cmocka_unit_test_setup_teardown(
			a_missing_permission_for_events_is_named, setup_feeds,
			shipfrom_end),
		cmocka_unit_test_setup_teardown(a_wrong_soap_login_is_named,
						setup_feeds, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			a_schema_without_the_feed_is_named_only_if_it_is_used,
			setup_feeds, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			a_schema_without_the_feed_is_named_only_if_it_is_used,
			setup, shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
