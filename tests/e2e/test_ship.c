/* SPDX-License-Identifier: MIT
 *
 * Shipping what was accepted: one shipment, one capture, one completion,
 * whatever fails between.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define MANY "graphql_requests = 1000\ngraphql_mutations = 1000\n"
#define PARCEL                                                                \
	"{\"carrier\":\"PostNord\",\"service\":\"Parcel\","                   \
	"\"tracking\":\"SE123\",\"packages\":2}"

static struct shipfrom *start(const char *server, const char *centra)
{
	const struct shipfrom_options o = {.server = server, .centra = centra};

	return shipfrom_start(&o);
}

static int setup(void **state)
{
	*state = start(NULL, MANY);
	return 0;
}

/* ---- the order, as the shop and as Centra see it ---- */

static struct answer show(struct shipfrom *s, int64_t number)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	return shop_get(s, AMSTERDAM, path);
}

struct wanted {
	struct shipfrom *s;
	int64_t number;
	const char *stage;
};

static bool has_address(void *arg)
{
	struct wanted *w = arg;
	struct answer a = show(w->s, w->number);
	bool has = cJSON_IsObject(cJSON_GetObjectItem(a.json, "ship_to"));

	answer_release(&a);
	return has;
}

/* An order of these lines that Amsterdam has accepted. */
static int64_t accepted_of(struct shipfrom *s, const char *lines)
{
	struct answer a = sim_do(&s->sim, "/orders",
				 "{\"warehouses\":[2,3],\"lines\":%s}", lines);
	struct wanted w = {s, number_of(a.json, "number"), NULL};

	answer_release(&a);
	wait_state(s, AMSTERDAM, w.number, "pending", 5000);
	a = shop_does(s, AMSTERDAM, w.number, "accept", "{}");
	answer_release(&a);
	wait_state(s, AMSTERDAM, w.number, "accepted", 5000);
	if (!wait_until(has_address, &w, 5000))
		fail_msg("order %lld never got its address",
			 (long long)w.number);
	return w.number;
}

/* Of two lines, 2 units and 1. */
static int64_t accepted(struct shipfrom *s)
{
	return accepted_of(s, "[{\"quantity\":2},{\"quantity\":1}]");
}

static struct answer ship(struct shipfrom *s, int64_t number,
			  const char *parcel)
{
	return shop_does(s, AMSTERDAM, number, "ship", parcel);
}

/* The status, and the code of a problem in `code`. */
static long ships(struct shipfrom *s, int64_t number, const char *parcel,
		  char code[STATE_ROOM])
{
	struct answer a = ship(s, number, parcel);
	long status = a.status;

	snprintf(code, STATE_ROOM, "%s", text_of(a.json, "code"));
	answer_release(&a);
	return status;
}

static const char *stage_of(const struct answer *a)
{
	return text_of(cJSON_GetObjectItem(a->json, "shipment"), "stage");
}

static bool is_at_stage(void *arg)
{
	struct wanted *w = arg;
	struct answer a = show(w->s, w->number);
	bool is = !strcmp(stage_of(&a), w->stage);

	answer_release(&a);
	return is;
}

static void wait_stage(struct shipfrom *s, int64_t number, const char *stage,
		       int ms)
{
	struct wanted w = {s, number, stage};
	struct answer a;

	if (wait_until(is_at_stage, &w, ms))
		return;
	a = show(s, number);
	fail_msg("order %lld is not %s: %s", (long long)number, stage, a.body);
}

/* What Centra has of an order's shipments. */
struct seen {
	int shipments, captures, completions, units;
	int early; /* good-to-go before it was paid */
	char carrier[32], tracking[32];
};

static struct seen seen(struct shipfrom *s, int64_t number)
{
	struct seen ret = {0};
	char url[256];
	struct answer a;
	const cJSON *o, *c, *l;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		if (number_of(o, "number") != number)
			continue;
		cJSON_ArrayForEach(c, cJSON_GetObjectItem(o, "shipments"))
		{
			ret.shipments++;
			ret.captures += (int)number_of(c, "captures");
			ret.completions += (int)number_of(c, "completions");
			ret.early += cJSON_IsTrue(
				cJSON_GetObjectItem(c, "early"));
			cJSON_ArrayForEach(l, cJSON_GetObjectItem(c, "lines"))
				ret.units += (int)number_of(l, "quantity");
			snprintf(ret.tracking, sizeof(ret.tracking), "%s",
				 text_of(c, "trackingNumber"));
			snprintf(ret.carrier, sizeof(ret.carrier), "%s",
				 text_of(cJSON_GetObjectItem(
						 c, "carrierInformation"),
					 "carrierName"));
		}
	}
	answer_release(&a);
	return ret;
}

static void assert_once(struct shipfrom *s, int64_t number)
{
	struct seen c = seen(s, number);

	if (c.shipments != 1 || c.captures != 1 || c.completions != 1 ||
	    c.units != 3 || c.early)
		fail_msg("order %lld: %d shipments of %d units, %d captures, "
			 "%d completions, %d good to go too early",
			 (long long)number, c.shipments, c.units, c.captures,
			 c.completions, c.early);
}

static int lines_shown(struct shipfrom *s, int64_t number)
{
	struct answer a = show(s, number);
	int n = 0;
	const cJSON *l;

	cJSON_ArrayForEach(l, cJSON_GetObjectItem(a.json, "lines"))
		n += (int)number_of(l, "quantity");
	answer_release(&a);
	return n;
}

/* ---- as it should be ---- */

static void what_is_shipped_is_made_captured_and_completed_once(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	struct answer a = ship(s, number, PARCEL);
	char code[STATE_ROOM];
	const cJSON *one;

	assert_int_equal(a.status, 200);
	one = cJSON_GetObjectItem(a.json, "shipment");
	assert_string_equal(text_of(one, "stage"), "shipped");
	assert_string_equal(text_of(one, "capture"), "done");
	assert_string_equal(text_of(one, "tracking"), "SE123");
	assert_true(*text_of(one, "shipped_at") != '\0');
	assert_int_equal(number_of(one, "packages"), 2);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(a.json,
								"lines")),
			 0);
	answer_release(&a);
	assert_once(s, number);
	assert_string_equal(seen(s, number).carrier, "PostNord");
	assert_string_equal(seen(s, number).tracking, "SE123");

	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_int_equal(ships(s, number, "{\"carrier\":\"DHL\"}", code), 409);
	assert_string_equal(code, "shipped");
	assert_once(s, number);
	journal_has(s, number, "step", "create");
	journal_has(s, number, "step_done", "capture");
	journal_has(s, number, "shipped", "all");
	why_says(s, number, "shipped, payment done, PostNord SE123");
	shipfrom_passed(s);
}

static void a_body_that_can_not_be_is_refused_with_its_field(void **state)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		{"{}", "carrier"},
		{"{\"carrier\":\"\"}", "carrier"},
		{"{\"carrier\":7}", "carrier"},
		{"{\"carrier\":\"A\",\"packages\":0}", "packages"},
		{"{\"carrier\":\"A\",\"packages\":100}", "packages"},
		{"{\"carrier\":\"A\",\"packages\":1.5}", "packages"},
		{"{\"carrier\":\"A\",\"tracking\":[]}", "tracking"},
		{"{\"carrier\":\"A\",\"lines\":[]}", "lines"},
		{"{\"carrier\":\"A\",\"lines\":[{\"line_id\":1,"
		 "\"quantity\":1}]}",
		 "lines"},
		{"{\"carrier\":\"A\",\"lines\":[{\"line_id\":1}]}", "lines"},
	};
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char body[256], code[STATE_ROOM];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer a = ship(s, number, rows[i].body);

		if (a.status != 400 ||
		    strcmp(text_of(a.json, "field"), rows[i].field) != 0)
			fail_msg("%s: %ld %s", rows[i].body, a.status,
				 a.body);
		answer_release(&a);
	}
	snprintf(body, sizeof(body),
		 "{\"carrier\":\"A\",\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":3}]}",
		 (long long)number * 10);
	assert_int_equal(ships(s, number, body, code), 400);
	assert_int_equal(seen(s, number).shipments, 0);
	shipfrom_passed(s);
}

static void only_what_is_accepted_can_be_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600), ours = accepted(s);
	char path[64], code[STATE_ROOM];

	wait_state(s, AMSTERDAM, number, "pending", 5000);
	assert_int_equal(ships(s, number, PARCEL, code), 409);
	assert_string_equal(code, "not_accepted");
	assert_int_equal(ships(s, 999999, PARCEL, code), 404);
	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)ours);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, AMSTERDAM, ours, "cancelled", 5000);
	assert_int_equal(ships(s, ours, PARCEL, code), 409);
	assert_string_equal(code, "cancelled");
	assert_int_equal(seen(s, ours).shipments, 0);
	shipfrom_passed(s);
}

static void an_order_that_waits_to_be_confirmed_is_confirmed_first(
	void **state)
{
	struct shipfrom *s = *state;
	char code[STATE_ROOM];
	int64_t number;

	sim_tell(&s->sim, "/settings", "{\"autoconfirm\":false}");
	number = accepted(s);
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_once(s, number);
	journal_has(s, number, "step_done", "confirm");
	shipfrom_passed(s);
}

static void a_shipment_that_centra_made_is_used_and_no_second_made(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/shipment",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_once(s, number);
	assert_string_equal(seen(s, number).tracking, "SE123");
	shipfrom_passed(s);
}

static void some_is_shipped_and_then_the_rest(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char body[256], code[STATE_ROOM];
	struct answer a;

	assert_int_equal(lines_shown(s, number), 3);
	snprintf(body, sizeof(body),
		 "{\"carrier\":\"A\",\"tracking\":\"1\",\"lines\":"
		 "[{\"line_id\":%lld,\"quantity\":1}]}",
		 (long long)number * 10);
	assert_int_equal(ships(s, number, body, code), 200);
	assert_int_equal(seen(s, number).units, 1);
	assert_int_equal(lines_shown(s, number), 2);
	wait_state(s, AMSTERDAM, number, "accepted", 1000);
	/* The same press again is the same shipment. */
	assert_int_equal(ships(s, number, body, code), 200);
	assert_int_equal(seen(s, number).shipments, 1);

	a = ship(s, number, "{\"carrier\":\"A\",\"tracking\":\"2\"}");
	assert_int_equal(a.status, 200);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(a.json,
								"shipments")),
			 2);
	answer_release(&a);
	assert_int_equal(seen(s, number).shipments, 2);
	assert_int_equal(seen(s, number).captures, 2);
	assert_int_equal(seen(s, number).completions, 2);
	assert_int_equal(seen(s, number).units, 3);
	assert_int_equal(lines_shown(s, number), 0);
	assert_int_equal(ships(s, number, PARCEL, code), 409);
	assert_string_equal(code, "shipped");
	shipfrom_passed(s);
}

/* ---- parcels ---- */

/* Ships with an Idempotency-Key; the status. */
static long ships_with_key(struct shipfrom *s, int64_t number,
			   const char *key, const char *parcel)
{
	char url[256], bearer[128], header[64];
	const char *headers[] = {"Content-Type: application/json", bearer,
				 header, NULL};
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/ship", s->url,
		 (long long)number);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
	a = http_send("POST", url, headers, parcel, strlen(parcel));
	status = a.status;
	answer_release(&a);
	return status;
}

/* One unit of the first line. */
static const char *one_of(int64_t number, char ret[128])
{
	snprintf(ret, 128,
		 "{\"carrier\":\"A\",\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":1}]}",
		 (long long)number * 10);
	return ret;
}

static void assert_parcels(struct shipfrom *s, int64_t number, int n)
{
	struct seen c = seen(s, number);

	if (c.shipments != n || c.captures != n || c.completions != n ||
	    c.units != n || c.early)
		fail_msg("order %lld: %d shipments of %d units, %d captures, "
			 "%d completions, %d good to go too early",
			 (long long)number, c.shipments, c.units, c.captures,
			 c.completions, c.early);
}

/* Three equal parcels with a key each, in a Centra as it is set. */
static void three_equal_parcels(struct shipfrom *s, const char *const keys[4])
{
	int64_t number = accepted_of(s, "[{\"quantity\":3}]");
	char parcel[128];

	one_of(number, parcel);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ships_with_key(s, number, keys[i], parcel),
				 200);
		assert_parcels(s, number, i + 1);
		assert_int_equal(lines_shown(s, number), 2 - i);
	}
	shipfrom_kill_9(s);
	shipfrom_again(s);
	for (int i = 0; i < 3; i++) /* each is known for what it was */
		assert_int_equal(ships_with_key(s, number, keys[i], parcel),
				 200);
	assert_int_equal(ships_with_key(s, number, keys[3], parcel), 409);
	assert_parcels(s, number, 3);
}

static void three_equal_parcels_with_three_keys_are_three(void **state)
{
	static const char *const keys[] = {"1", "2", "3", "4"};
	static const char *const more[] = {"5", "6", "7", "8"};
	struct shipfrom *s = *state;

	three_equal_parcels(s, keys);
	sim_tell(&s->sim, "/settings", "{\"allocations_leave\":true}");
	three_equal_parcels(s, more);
	shipfrom_passed(s);
}

/* Of two, what is left can only be told by what our own shipment did. */
static void two_equal_parcels_are_two_where_allocations_leave(void **state)
{
	struct shipfrom *s = *state;
	char parcel[128];
	int64_t number;

	sim_tell(&s->sim, "/settings", "{\"allocations_leave\":true}");
	number = accepted_of(s, "[{\"quantity\":2}]");
	one_of(number, parcel);
	assert_int_equal(ships_with_key(s, number, "a", parcel), 200);
	assert_int_equal(lines_shown(s, number), 1);
	assert_int_equal(ships_with_key(s, number, "b", parcel), 200);
	assert_parcels(s, number, 2);
	shipfrom_passed(s);
}

/* A unit was taken from us when one was shipped, and Centra shows no more than
 * it would show if it had not been. */
static void what_the_readings_disagree_on_is_told_and_not_shipped(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted_of(s, "[{\"quantity\":2}]");
	char path[64], parcel[128];
	struct answer a;

	one_of(number, parcel);
	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	assert_int_equal(ships_with_key(s, number, "a", parcel), 200);
	sim_tell(&s->sim, path, "{\"allocated\":1}");
	assert_int_equal(ships_with_key(s, number, "b", parcel), 409);
	assert_parcels(s, number, 1);
	a = show(s, number);
	assert_int_equal(number_of(a.json, "unclear"), 1);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(a.json,
								"lines")),
			 0);
	assert_string_equal(text_of(cJSON_GetObjectItem(a.json, "problem"),
				    "by"),
			    "shipfrom");
	answer_release(&a);
	journal_has(s, number, "for_office", NULL);
	shipfrom_passed(s);
}

/* A bundle and a gift card beside the goods: shipped whole, and done. */
static void lines_without_stock_are_not_shipped_and_not_missed(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted_of(
		s, "[{\"kind\":\"bundle\",\"quantity\":1},"
		   "{\"kind\":\"bundle_item\",\"quantity\":2},"
		   "{\"quantity\":1},"
		   "{\"kind\":\"gift_card\",\"quantity\":1}]");
	struct answer a = ship(s, number, PARCEL);

	assert_int_equal(a.status, 200);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(a.json, "shipped")));
	answer_release(&a);
	assert_once(s, number);
	shipfrom_passed(s);
}

/* Between our look and our call Centra makes the shipment itself. */
static void where_somebody_was_first_a_look_finds_it(void **state)
{
	struct shipfrom *s = start("answer_wait = 100ms", MANY);
	char path[64], code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = accepted(s);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,\"kind\":\"slow\","
		 "\"what\":\"createShipment\",\"when\":\"before\","
		 "\"ms\":1500}",
		 (long long)number);
	assert_int_equal(ships(s, number, PARCEL, code), 202);
	snprintf(path, sizeof(path), "/orders/%lld/shipment",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"good_to_go\":false}");
	wait_stage(s, number, "shipped", 10000);
	assert_once(s, number);
	why_says(s, number, "already fully shipped");
	shipfrom_passed(s);
}

/* ---- payment ---- */

static void what_is_paid_and_refused_goes_on_until_centra_takes_it(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s), other = accepted(s);
	char code[STATE_ROOM];
	struct answer a;

	sim_tell(&s->sim, "/settings",
		 "{\"refuse_complete\":\"The carrier is unknown.\"}");
	a = ship(s, number, PARCEL);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "ship_failed");
	assert_non_null(strstr(text_of(a.json, "detail"),
			       "The carrier is unknown."));
	answer_release(&a);
	assert_int_equal(ships(s, other, PARCEL, code), 409);
	sim_tell(&s->sim, "/settings", "{\"refuse_complete\":\"\"}");
	/* Nobody presses again. */
	wait_stage(s, number, "shipped", 20000);
	assert_once(s, number);
	/* Or somebody does, in other words. */
	(void)ships(s, other, "{\"carrier\":\"DHL\"}", code);
	wait_stage(s, other, "shipped", 20000);
	assert_once(s, other);
	shipfrom_passed(s);
}

static void a_capture_without_an_entry_in_the_history_is_one(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char code[STATE_ROOM];

	sim_tell(&s->sim, "/settings", "{\"capture_entry_null\":true}");
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_once(s, number);
	journal_has(s, number, "step_done", "capture");
	shipfrom_passed(s);
}

static void a_payment_that_fails_is_402_and_can_be_tried_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char code[STATE_ROOM];
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"capture\":\"fail\"}");
	for (int i = 0; i < 2; i++) {
		a = ship(s, number, PARCEL);
		assert_int_equal(a.status, 402);
		assert_string_equal(text_of(a.json, "code"),
				    "capture_failed");
		assert_non_null(strstr(text_of(a.json, "detail"),
				       "do not hand the parcel over"));
		answer_release(&a);
	}
	a = show(s, number);
	assert_string_equal(stage_of(&a), "capture_failed");
	assert_string_equal(text_of(a.json, "state"), "accepted");
	answer_release(&a);
	assert_int_equal(seen(s, number).completions, 0);
	sim_tell(&s->sim, "/settings", "{\"capture\":\"ok\"}");
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_once(s, number);
	shipfrom_passed(s);
}

static void a_payment_that_is_being_confirmed_is_202_and_goes_on_by_itself(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s), refused = accepted(s);
	struct answer a;

	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"capture_ms\":1000}");
	a = ship(s, number, PARCEL);
	assert_int_equal(a.status, 202);
	assert_string_equal(
		text_of(cJSON_GetObjectItem(a.json, "shipment"), "capture"),
		"pending");
	assert_true(a.took < 5000); /* nobody waits for a payment */
	answer_release(&a);
	sim_tell(&s->sim, "/settings", "{\"capture_fails\":true}");
	a = ship(s, refused, PARCEL);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	assert_int_equal(seen(s, number).completions, 0);
	wait_stage(s, number, "shipped", 15000);
	wait_stage(s, refused, "capture_failed", 15000);
	assert_once(s, number);
	assert_int_equal(seen(s, refused).completions, 0);
	shipfrom_passed(s);
}

static void what_is_being_confirmed_is_looked_at_when_pressed_again(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s), began = now_mono();
	char code[STATE_ROOM];

	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"capture_ms\":1}");
	assert_int_equal(ships(s, number, PARCEL, code), 202);
	(void)ships(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 8000);
	assert_true(now_mono() - began < 9000); /* else it came by itself */
	assert_once(s, number);
	shipfrom_passed(s);
}

static void with_ship_on_pending_capture_it_goes_on_at_once(void **state)
{
	struct shipfrom *s = start("answer_wait = 2s",
				   MANY "ship_on_pending_capture = yes\n");
	char code[STATE_ROOM];
	int64_t number, refused;

	*state = s;
	number = accepted(s);
	refused = accepted(s);
	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"ship_unpaid\":true}");
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_int_equal(seen(s, number).completions, 1);
	/* Where Centra will not, it waits after all. */
	sim_tell(&s->sim, "/settings", "{\"ship_unpaid\":false}");
	assert_int_equal(ships(s, refused, PARCEL, code), 202);
	assert_int_equal(seen(s, refused).completions, 0);
	shipfrom_passed(s);
}

/* ---- what comes between ---- */

static void a_cancel_while_it_is_shipped_stops_it(void **state)
{
	struct shipfrom *s = start("answer_wait = 300ms", MANY);
	char path[64], code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = accepted(s);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"ms\":1500,"
		 "\"when\":\"after\",\"what\":\"createShipment\"}");
	assert_int_equal(ships(s, number, PARCEL, code), 202);
	snprintf(path, sizeof(path), "/orders/%lld/cancel",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	wait_stage(s, number, "failed", 8000);
	assert_int_equal(ships(s, number, PARCEL, code), 409);
	assert_string_equal(code, "cancelled");
	assert_int_equal(seen(s, number).captures, 0);
	assert_int_equal(seen(s, number).completions, 0);
	shipfrom_passed(s);
}

static void what_centra_holds_is_not_shipped_until_it_is_let_go(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"hold\":\"WAITING_FOR_PAYMENT\"}");
	assert_int_equal(ships(s, number, PARCEL, code), 409);
	assert_string_equal(code, "on_hold");
	assert_int_equal(seen(s, number).shipments, 0);
	sim_tell(&s->sim, path, "{\"hold\":\"\"}");
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_once(s, number);
	shipfrom_passed(s);
}

static void what_was_allocated_elsewhere_since_is_not_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = accepted(s);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"warehouse\":2}");
	assert_int_equal(ships(s, number, PARCEL, code), 409);
	assert_string_equal(code, "not_accepted");
	assert_int_equal(seen(s, number).shipments, 0);
	shipfrom_passed(s);
}

static void where_another_system_ships_it_is_only_written_down(void **state)
{
	struct shipfrom *s = start(NULL, MANY "ship_with = none\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = accepted(s);
	assert_int_equal(ships(s, number, PARCEL, code), 200);
	assert_int_equal(seen(s, number).shipments, 0);
	assert_int_equal(lines_shown(s, number), 0);
	wait_stage(s, number, "shipped", 1000);
	journal_has(s, number, "shipped_here", NULL);
	shipfrom_passed(s);
}

/* ---- whatever fails ---- */

static const char *const steps[] = {"confirmOrder", "createShipment",
				    "captureShipment", "updateShipment",
				    "completeShipment"};
#define STEPS 5
/* A call of unknown outcome is over 2 s after it began. */
#define SHORT "answer_wait = 100ms\n"
#define SOON  MANY "call_timeout = 1s\n"

/* The lines of an order of three pieces: with a bundle's parent beside its
 * items and a gift card, which have no stock. */
#define PLAIN "[{\"quantity\":2},{\"quantity\":1}]"
#define BUNDLE                                                                 \
	"[{\"kind\":\"bundle\",\"quantity\":1},"                              \
	"{\"kind\":\"bundle_item\",\"quantity\":2},{\"quantity\":1},"          \
	"{\"kind\":\"gift_card\",\"quantity\":1}]"

/* Orders that each meet the fault at another step. */
static void ship_with_faults(struct shipfrom *s, const char *fault,
			     const char *lines, int64_t numbers[STEPS])
{
	char code[STATE_ROOM];
	long status;

	sim_tell(&s->sim, "/settings", "{\"autoconfirm\":false}");
	for (int i = 0; i < STEPS; i++) {
		numbers[i] = accepted_of(s, lines);
		sim_tell(&s->sim, "/faults",
			 "{\"api\":\"graphql\",\"order\":%lld,\"what\":\"%s\","
			 "%s}",
			 (long long)numbers[i], steps[i], fault);
	}
	for (int i = 0; i < STEPS; i++) {
		status = ships(s, numbers[i], PARCEL, code);
		if (status != 202 && status != 200)
			fail_msg("%s: told %ld %s", steps[i], status, code);
	}
}

static void assert_all_once(struct shipfrom *s, const int64_t numbers[STEPS])
{
	for (int i = 0; i < STEPS; i++)
		wait_stage(s, numbers[i], "shipped", 20000);
	for (int i = 0; i < STEPS; i++)
		assert_once(s, numbers[i]);
}

static void with_fault(void **state, const char *fault, const char *lines)
{
	struct shipfrom *s = start(SHORT, SOON);
	int64_t numbers[STEPS];

	*state = s;
	ship_with_faults(s, fault, lines, numbers);
	assert_all_once(s, numbers);
	assert_int_equal(sim_spoilt(&s->sim), STEPS); /* else nothing failed */
	shipfrom_passed(s);
}

static void a_reply_lost_at_any_step_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"", PLAIN);
}

static void with_lines_without_stock_a_lost_reply_does_nothing_twice(
	void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"", BUNDLE);
}

static void a_call_lost_at_any_step_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"", PLAIN);
}

static void half_a_reply_at_any_step_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"half\"", PLAIN);
}

/* Centra acts after we have given the call up. */
static void a_call_that_centra_acts_on_too_late_does_nothing_twice(
	void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"",
		   PLAIN);
}

static void killed_at_any_step_it_does_nothing_twice(void **state)
{
	struct shipfrom *s = start(SHORT, MANY "call_timeout = 2s\n");
	int64_t numbers[STEPS];

	*state = s;
	ship_with_faults(s,
			 "\"kind\":\"slow\",\"ms\":1800,\"when\":\"before\"",
			 PLAIN, numbers);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_all_once(s, numbers);
	for (int i = 0; i < STEPS; i++)
		journal_has(s, numbers[i], "try_lost", NULL);
	shipfrom_passed(s);
}

/* Of the lines of `why --json`: each step was tried once. */
static void assert_no_second_try(const char *lines)
{
	char *copy = strdup(lines), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		cJSON *json = cJSON_Parse(line);
		const cJSON *n = cJSON_GetObjectItem(json, "n");

		if (!strcmp(text_of(json, "kind"), "step") &&
		    cJSON_GetNumberValue(n) != 1)
			fail_msg("it tells of calls that were not made:\n%s",
				 lines);
		cJSON_Delete(json);
	}
	free(copy);
}

/* `why` holds no line of a call that was held. */
static void a_call_that_the_budget_holds_is_not_told_as_one(void **state)
{
	struct shipfrom *s = start(
		SHORT, "graphql_requests = 1000\ngraphql_mutations = 3\n");
	int64_t numbers[2];
	char text[32], code[STATE_ROOM], *out = NULL;
	const char *why[] = {"why", text, "--json", NULL};

	*state = s;
	for (int i = 0; i < 2; i++)
		numbers[i] = accepted(s);
	for (int i = 0; i < 2; i++)
		ships(s, numbers[i], PARCEL, code);
	for (int i = 0; i < 2; i++) {
		wait_stage(s, numbers[i], "shipped", 60000);
		assert_once(s, numbers[i]);
		snprintf(text, sizeof(text), "%lld", (long long)numbers[i]);
		assert_int_equal(shipfrom_run(s, &out, true, why), 0);
		assert_no_second_try(out);
		free(out);
	}
	shipfrom_passed(s);
}

/* Calls of this kind about an order that have ended, at Centra. */
static int calls_of(struct shipfrom *s, int64_t number, const char *what)
{
	char url[256];
	struct answer a;
	const cJSON *c;
	int n = 0;

	snprintf(url, sizeof(url), "%s/control/calls?order=%lld", s->sim.url,
		 (long long)number);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
		n += !strcmp(text_of(c, "what"), what);
	answer_release(&a);
	return n;
}

/* The call that met the fault is over at Centra too. */
static bool was_spoilt(void *arg)
{
	return sim_spoilt(arg) == 1;
}

/* Has the server read another call_timeout. */
static void reload_timeout(struct shipfrom *s, const char *from,
			   const char *to)
{
	char *text = NULL, *at;
	size_t room = 0;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&text, &room, 0, f) > 0);
	fclose(f);
	at = strstr(text, from);
	assert_non_null(at);
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_equal(fclose(f), 0);
	free(text);
	kill(s->process.pid, SIGHUP);
}

/* Calls take as long as they did when the server started, so what is lost may
 * still be acted on for as long. */
static void a_shorter_call_timeout_makes_no_call_twice_before_a_restart(
	void **state)
{
	struct shipfrom *s = start(SHORT, MANY "call_timeout = 2s\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = accepted(s);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createShipment\",\"kind\":\"slow\",\"ms\":3000,"
		 "\"when\":\"before\"}",
		 (long long)number);
	assert_int_equal(ships(s, number, PARCEL, code), 202);
	reload_timeout(s, "call_timeout = 2s", "call_timeout = 100ms");
	wait_stage(s, number, "shipped", 20000);
	assert_true(wait_until(was_spoilt, &s->sim, 5000));
	assert_int_equal(calls_of(s, number, "createShipment"), 1);
	assert_once(s, number);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)
#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

/* Shipping is a row of calls, and each may take long. */
static void no_call_is_begun_once_the_server_stops(void **state)
{
	struct shipfrom *s = start(SHORT, MANY "call_timeout = 3s\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = accepted(s);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createShipment\",\"kind\":\"slow\",\"ms\":1500,"
		 "\"when\":\"before\"}",
		 (long long)number);
	assert_int_equal(ships(s, number, PARCEL, code), 202);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(calls_of(s, number, "createShipment"), 1);
	assert_int_equal(calls_of(s, number, "captureShipment"), 0);
	shipfrom_again(s);
	wait_stage(s, number, "shipped", 20000);
	assert_once(s, number);
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_shipped_is_made_captured_and_completed_once),
		T(a_body_that_can_not_be_is_refused_with_its_field),
		T(only_what_is_accepted_can_be_shipped),
		T(an_order_that_waits_to_be_confirmed_is_confirmed_first),
		T(a_shipment_that_centra_made_is_used_and_no_second_made),
		T(some_is_shipped_and_then_the_rest),
		T(three_equal_parcels_with_three_keys_are_three),
		T(two_equal_parcels_are_two_where_allocations_leave),
		T(what_the_readings_disagree_on_is_told_and_not_shipped),
		T(lines_without_stock_are_not_shipped_and_not_missed),
		OWN(where_somebody_was_first_a_look_finds_it),
		T(what_is_paid_and_refused_goes_on_until_centra_takes_it),
		T(a_capture_without_an_entry_in_the_history_is_one),
		T(a_payment_that_fails_is_402_and_can_be_tried_again),
		T(a_payment_that_is_being_confirmed_is_202_and_goes_on_by_itself),
		T(what_is_being_confirmed_is_looked_at_when_pressed_again),
		OWN(with_ship_on_pending_capture_it_goes_on_at_once),
		OWN(a_cancel_while_it_is_shipped_stops_it),
		T(what_centra_holds_is_not_shipped_until_it_is_let_go),
		T(what_was_allocated_elsewhere_since_is_not_shipped),
		OWN(where_another_system_ships_it_is_only_written_down),
		OWN(a_reply_lost_at_any_step_does_nothing_twice),
		OWN(with_lines_without_stock_a_lost_reply_does_nothing_twice),
		OWN(a_call_lost_at_any_step_is_made_again),
		OWN(half_a_reply_at_any_step_does_nothing_twice),
		OWN(a_call_that_centra_acts_on_too_late_does_nothing_twice),
		OWN(killed_at_any_step_it_does_nothing_twice),
		OWN(a_call_that_the_budget_holds_is_not_told_as_one),
		OWN(no_call_is_begun_once_the_server_stops),
		OWN(a_shorter_call_timeout_makes_no_call_twice_before_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
