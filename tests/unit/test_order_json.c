/* SPDX-License-Identifier: MIT
 *
 * test_order_json.c - an order as a shop may see it: all it needs, and nothing
 * that is another shop's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "server/shop/order_json.h"
#include "tests/unit/fixture.h"

/* Last: its fail() is not ours. */
#include <cmocka.h>

#define OPENED	"2021-01-11 16:21:00.000000"
#define LATER	"2021-01-11 17:00:00.000000"
#define EXPIRES INT64_C(1610464860000) /* 2021-01-12T16:21:00+01:00 */

#define DETAILS                                                               \
	"{\"placed_at\":\"2021-01-11T16:20:41+01:00\",\"city\":\"Delft\","   \
	"\"country\":\"NL\",\"lines\":[{\"line_id\":9007199254740991,"       \
	"\"product\":\"Wool coat\",\"variant\":\"Navy\",\"size\":\"M\","     \
	"\"sku\":\"1001-01-M\",\"ean\":null,\"quantity\":2,"                 \
	"\"allocations\":[{\"warehouse\":5,\"quantity\":2}]},"               \
	"{\"line_id\":7,\"quantity\":0},"                                   \
	"{\"line_id\":8,\"stockless\":true,\"quantity\":1,"                 \
	"\"allocations\":[]}]}"
#define ADDRESS "{\"firstName\":\"Anna\",\"zipCode\":\"1012 AB\"}"

static int start(void **state)
{
	*state = fixture_start("");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static enum rc write_order(struct fixture *f, const char *shop, int64_t number,
			   int64_t now, bool timeline, struct buf *out)
{
	const struct config_shop *s = config_shop(f->started, shop);
	struct order o = {0};
	struct err e;
	enum rc rc;

	buf_init(out, 1 << 20);
	assert_int_equal(store_order(f->app.store, "se", number, &o, &e), OK);
	rc = order_json(out, f->app.store, NULL, s, &o, now, timeline, &e);
	order_release(&o);
	return rc;
}

static cJSON *json_of(struct fixture *f, const char *shop, int64_t number,
		      int64_t now, bool timeline)
{
	struct buf out;
	cJSON *json;

	assert_int_equal(write_order(f, shop, number, now, timeline, &out),
			 OK);
	json = cJSON_Parse(out.data);
	assert_non_null(json);
	buf_release(&out);
	return json;
}

/* The member as JSON text; NULL: there is none.  Good until the next call. */
static const char *member(const cJSON *json, const char *name)
{
	static char text[4096];
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	if (!item ||
	    !cJSON_PrintPreallocated((cJSON *)(uintptr_t)item, text,
				     sizeof(text), false))
		return NULL;
	return text;
}

static void a_fresh_offer_has_every_field_and_no_lines_yet(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	o = json_of(*state, "amsterdam", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "number"), "19");
	assert_string_equal(member(o, "instance"), "\"se\"");
	assert_string_equal(member(o, "state"), "\"pending\"");
	assert_string_equal(member(o, "expired"), "false");
	assert_string_equal(member(o, "warehouse"), "3");
	assert_string_equal(member(o, "expires_at"),
			    "\"2021-01-12T16:21:00+01:00\"");
	assert_string_equal(member(o, "answer"), "null");
	assert_string_equal(member(o, "refusal"), "null");
	assert_string_equal(member(o, "placed_at"), "null");
	assert_string_equal(member(o, "city"), "null");
	assert_string_equal(member(o, "country"), "null");
	assert_string_equal(member(o, "lines"), "[]");
	assert_string_equal(member(o, "lines_known"), "false");
	assert_string_equal(member(o, "ship_to"), "null");
	assert_string_equal(member(o, "shipment"), "null");
	assert_non_null(member(o, "updated_at"));
	assert_null(member(o, "timeline"));
	cJSON_Delete(o);
}

static void an_offer_made_anew_was_offered_when_the_one_before_ended(
	void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, FAR);
	o = json_of(*state, "amsterdam", 19, 0, false);
	assert_int_equal(strncmp(member(o, "offered_at"), "\"20", 3), 0);
	cJSON_Delete(o);
	offered(*state, 19, 3, LATER, FAR + 60000);
	o = json_of(*state, "amsterdam", 19, 0, false);
	assert_string_equal(member(o, "offered_at"),
			    "\"2100-01-01T00:00:00Z\"");
	cJSON_Delete(o);
}

/* A further request is made while the first one is open: its deadline, which is
 * yet to come, is not when the second was offered. */
static void a_request_was_not_offered_at_a_time_to_come(void **state)
{
	cJSON *o;

	requested(*state, 19, 3, OPENED, FAR);
	requested(*state, 19, 3, LATER, FAR + 1000);
	o = json_of(*state, "amsterdam", 19, FAR - 1, false);
	assert_string_equal(member(o, "kind"), "\"allocation_request\"");
	assert_int_equal(strncmp(member(o, "offered_at"), "\"20", 3), 0);
	cJSON_Delete(o);
}

static void past_its_deadline_it_is_expired_and_still_pending(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	o = json_of(*state, "amsterdam", 19, EXPIRES + 1, false);
	assert_string_equal(member(o, "state"), "\"pending\"");
	assert_string_equal(member(o, "expired"), "true");
	cJSON_Delete(o);
}

static void without_a_deadline_it_never_expires(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, TIME_NONE);
	o = json_of(*state, "amsterdam", 19, FAR, false);
	assert_string_equal(member(o, "expires_at"), "null");
	assert_string_equal(member(o, "expired"), "false");
	cJSON_Delete(o);
}

static void lines_are_shown_before_the_answer_the_address_after(void **state)
{
	struct buf out;
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	detailed(*state, 19, DETAILS, ADDRESS);
	o = json_of(*state, "amsterdam", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "city"), "\"Delft\"");
	assert_string_equal(member(o, "country"), "\"NL\"");
	assert_string_equal(member(o, "placed_at"),
			    "\"2021-01-11T16:20:41+01:00\"");
	/* Cancelled lines, and whose the stock is, are left out; ids are exact,
	 * which cJSON's own printing is not. */
	assert_int_equal(write_order(*state, "amsterdam", 19, 0, false, &out),
			 OK);
	assert_non_null(strstr(out.data,
			       "\"lines\":[{\"line_id\":9007199254740991,"
			       "\"product\":\"Wool coat\","
			       "\"variant\":\"Navy\",\"size\":\"M\","
			       "\"sku\":\"1001-01-M\",\"ean\":null,"
			       "\"upc\":null,\"quantity\":2}]"));
	buf_release(&out);
	assert_string_equal(member(o, "lines_known"), "true");
	assert_string_equal(member(o, "ship_to"), "null");
	cJSON_Delete(o);

	marked(*state, 19, 3, MARK_ACCEPTED, LATER);
	o = json_of(*state, "amsterdam", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "state"), "\"accepted\"");
	assert_string_equal(member(o, "ship_to"), ADDRESS);
	cJSON_Delete(o);
}

static void the_address_goes_when_the_order_is_cancelled(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	detailed(*state, 19, DETAILS, ADDRESS);
	marked(*state, 19, 3, MARK_ACCEPTED, LATER);
	cancelled(*state, 19);
	o = json_of(*state, "amsterdam", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "state"), "\"cancelled\"");
	assert_string_equal(member(o, "ship_to"), "null");
	cJSON_Delete(o);
}

static void who_did_not_win_it_sees_no_address(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	offered(*state, 19, 5, OPENED, EXPIRES);
	detailed(*state, 19, DETAILS, ADDRESS);
	marked(*state, 19, 5, MARK_ACCEPTED, LATER);
	o = json_of(*state, "amsterdam", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "state"), "\"taken\"");
	assert_string_equal(member(o, "ship_to"), "null");
	cJSON_Delete(o);
	o = json_of(*state, "berlin", 19, EXPIRES - 1, false);
	assert_string_equal(member(o, "state"), "\"accepted\"");
	assert_string_equal(member(o, "ship_to"), ADDRESS);
	cJSON_Delete(o);
}

static void a_shop_it_was_not_offered_to_gets_nothing(void **state)
{
	struct buf out;

	offered(*state, 19, 3, OPENED, EXPIRES);
	assert_int_equal(write_order(*state, "berlin", 19, 0, true, &out),
			 RC_NOTFOUND);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void the_warehouse_that_speaks_for_the_shop_is_shown(void **state)
{
	cJSON *o;

	offered(*state, 19, 4, OPENED, EXPIRES);
	offered(*state, 19, 3, OPENED, EXPIRES);
	o = json_of(*state, "amsterdam", 19, 0, false);
	assert_string_equal(member(o, "warehouse"), "3"); /* config order */
	cJSON_Delete(o);
	marked(*state, 19, 4, MARK_ACCEPTED, LATER);
	o = json_of(*state, "amsterdam", 19, 0, false);
	assert_string_equal(member(o, "warehouse"), "4");
	assert_string_equal(member(o, "state"), "\"accepted\"");
	cJSON_Delete(o);
}

static void damaged_details_show_no_lines_instead_of_breaking(void **state)
{
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	detailed(*state, 19, "{\"lines\":[{\"line_id\":", NULL);
	o = json_of(*state, "amsterdam", 19, 0, false);
	assert_string_equal(member(o, "lines"), "[]");
	assert_string_equal(member(o, "lines_known"), "false");
	cJSON_Delete(o);
}

/* The first entry of a timeline of that kind, about that warehouse. */
static const cJSON *told(const cJSON *o, const char *kind, int64_t warehouse)
{
	const cJSON *e;

	cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(o, "timeline"))
	{
		const cJSON *w = cJSON_GetObjectItemCaseSensitive(e,
								  "warehouse");

		if (!strcmp(cJSON_GetStringValue(
				    cJSON_GetObjectItemCaseSensitive(e,
								     "kind")),
			    kind) &&
		    (w ? cJSON_GetNumberValue(w) : 0) == (double)warehouse)
			return e;
	}
	return NULL;
}

static const char *field(const cJSON *e, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, name));
}

/* Each fact, about a warehouse of this shop, of another, and the order. */
static void a_shop_is_shown_no_entry_of_another(void **state)
{
	cJSON *o;
	char *text;

	offered(*state, 19, 3, OPENED, EXPIRES);
	for (int i = 0; i < FACTS; i++)
		for (int64_t w = 0; w <= 5; w += w ? 2 : 3)
			noted(*state, 19,
			      &(struct entry){.warehouse = w,
					      .fact = (enum fact)i,
					      .result = w == 5 ? "Berlin" : "x",
					      .to = "pending",
					      .by = w == 5 ? "Berlin" : "Ann",
					      .text = w == 5 ? "Berlin"
							     : "a text"});
	o = json_of(*state, "amsterdam", 19, 0, true);
	for (int i = 0; i < FACTS; i++) {
		const char *kind = fact_name((enum fact)i);

		assert_non_null(told(o, kind, 0));
		assert_non_null(told(o, kind, 3));
		assert_null(told(o, kind, 5));
	}
	text = cJSON_PrintUnformatted(o);
	assert_null(strstr(text, "Berlin"));
	cJSON_free(text);
	cJSON_Delete(o);
}

static void the_timeline_has_words_and_fields(void **state)
{
	const cJSON *e;
	cJSON *o;

	offered(*state, 19, 3, OPENED, EXPIRES);
	noted(*state, 19, &(struct entry){.warehouse = 3,
					  .device = 7,
					  .fact = FACT_ANSWERED,
					  .result = "reject",
					  .by = "Till 1",
					  .reason = "damaged"});
	noted(*state, 19, &(struct entry){.warehouse = 3,
					  .fact = FACT_OFFERED,
					  .result = "until",
					  .until = 1610464860000,
					  .offset_min = 60});
	marked(*state, 19, 5, MARK_ACCEPTED, LATER);
	o = json_of(*state, "amsterdam", 19, 0, true);
	e = told(o, "answered", 3);
	assert_string_equal(field(e, "what"), "rejected by Till 1: damaged");
	assert_string_equal(field(e, "result"), "reject");
	assert_string_equal(field(e, "by"), "Till 1");
	assert_string_equal(field(e, "reason"), "damaged");
	assert_string_equal(member(e, "device"), "7");
	assert_string_equal(field(told(o, "offered", 3), "until"),
			    "2021-01-12T16:21:00+01:00");
	e = told(o, "state", 3);
	assert_string_equal(field(e, "to"), "pending");
	assert_string_equal(field(e, "what"), "offered to this shop");
	cJSON_Delete(o);
}

/* Of a call that failed the shop learns that it did, not how. */
static void a_shop_is_not_shown_what_is_for_operators(void **state)
{
	const cJSON *e;
	cJSON *o;
	char *text;

	offered(*state, 19, 3, OPENED, EXPIRES);
	noted(*state, 19, &(struct entry){.warehouse = 3,
					  .fact = FACT_NO_REPLY,
					  .result = "unknown",
					  .status = 504,
					  .latency_ms = 23,
					  .text = "at 10.0.0.1"});
	noted(*state, 19, &(struct entry){.fact = FACT_LOOK_FAILED,
					  .text = "no route to 10.0.0.1"});
	noted(*state, 19, &(struct entry){.warehouse = 3,
					  .fact = FACT_REPLY,
					  .result = "no",
					  .text = "warehouse 55 has it"});
	noted(*state, 19, &(struct entry){.warehouse = 3,
					  .fact = FACT_SHIP_FAILED,
					  .text = "warehouse 3 is closed"});
	o = json_of(*state, "amsterdam", 19, 0, true);
	e = told(o, "no_reply", 3);
	assert_string_equal(field(e, "what"), "Centra may have acted, or not");
	assert_null(member(e, "status"));
	assert_null(member(e, "latency_ms"));
	assert_non_null(told(o, "look_failed", 0));
	assert_non_null(told(o, "reply", 3));
	assert_string_equal(field(told(o, "ship_failed", 3), "text"),
			    "warehouse 3 is closed");
	text = cJSON_PrintUnformatted(o);
	assert_null(strstr(text, "10.0.0.1"));
	/* As a number or a word: a time may hold such digits. */
	assert_null(strstr(text, ":504"));
	assert_null(strstr(text, " 504"));
	assert_null(strstr(text, "warehouse 55"));
	cJSON_free(text);
	cJSON_Delete(o);
}

static void of_a_long_timeline_the_newest_lines_are_shown(void **state)
{
	cJSON *o, *lines, *last;

	offered(*state, 19, 3, OPENED, EXPIRES);
	for (int i = 0; i < 230; i++)
		noted(*state, 19, &(struct entry){.warehouse = 3,
						  .fact = FACT_TRY,
						  .n = i + 1});

	o = json_of(*state, "amsterdam", 19, 0, true);
	lines = cJSON_GetObjectItemCaseSensitive(o, "timeline");
	assert_int_equal(cJSON_GetArraySize(lines), 200);
	last = cJSON_GetArrayItem(lines, 199);
	assert_string_equal(member(last, "n"), "230");
	assert_string_equal(member(cJSON_GetArrayItem(lines, 0), "n"), "31");
	cJSON_Delete(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_offer_has_every_field_and_no_lines_yet),
		TEST(an_offer_made_anew_was_offered_when_the_one_before_ended),
		TEST(a_request_was_not_offered_at_a_time_to_come),
		TEST(past_its_deadline_it_is_expired_and_still_pending),
		TEST(without_a_deadline_it_never_expires),
		TEST(lines_are_shown_before_the_answer_the_address_after),
		TEST(the_address_goes_when_the_order_is_cancelled),
		TEST(who_did_not_win_it_sees_no_address),
		TEST(a_shop_it_was_not_offered_to_gets_nothing),
		TEST(the_warehouse_that_speaks_for_the_shop_is_shown),
		TEST(damaged_details_show_no_lines_instead_of_breaking),
		TEST(a_shop_is_shown_no_entry_of_another),
		TEST(the_timeline_has_words_and_fields),
		TEST(a_shop_is_not_shown_what_is_for_operators),
		TEST(of_a_long_timeline_the_newest_lines_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
