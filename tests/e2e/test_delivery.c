/* SPDX-License-Identifier: MIT
 *
 * Deliveries of suppliers that a shop receives: once in Centra, whatever is
 * lost; a short receipt leaves the rest.
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

#include "tests/harness/counts.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define PATH "/api/v1/deliveries"
#define LONG 30000 /* ms */
#define EAN  "7350000000012"
#define EAN2 "7350000000029"

static struct shipfrom *start(void **state, const char *centra)
{
	struct shipfrom *s = shipfrom_start(&(struct shipfrom_options){
		.server = "answer_wait = 300ms\ndevice_presses = 10000",
		.centra = centra,
		.counter = true});

	*state = s;
	sim_tell(&s->sim, "/plugins",
		 "[{\"name\":\"stockholm\",\"key\":\"key-of-stockholm\","
		 "\"warehouse\":2},{\"name\":\"amsterdam\","
		 "\"key\":\"key-of-amsterdam\",\"warehouse\":3},"
		 "{\"name\":\"berlin\",\"key\":\"key-of-berlin\","
		 "\"warehouse\":4}]");
	return s;
}

/* A delivery to Amsterdam: 5 of one thing, 3 of another.  Its id. */
static int64_t announced(struct shipfrom *s)
{
	struct answer a = sim_do(
		&s->sim, "/deliveries",
		"[{\"warehouse\":3,\"products\":[{\"ean\":\"" EAN
		"\",\"sku\":\"COAT\",\"quantity\":5},{\"ean\":\"" EAN2
		"\",\"sku\":\"SCARF\",\"quantity\":3}]}]");
	int64_t id = (int64_t)cJSON_GetArrayItem(
			     cJSON_GetObjectItem(a.json, "ids"), 0)
			     ->valuedouble;

	answer_release(&a);
	return id;
}

static struct answer receives(struct shipfrom *s, enum shop shop, int64_t id,
			      int first, int second)
{
	char path[64], body[200];

	snprintf(path, sizeof(path), PATH "/%lld/receive", (long long)id);
	if (second)
		snprintf(body, sizeof(body),
			 "{\"items\":[{\"ean\":\"" EAN "\",\"quantity\":%d},"
			 "{\"ean\":\"" EAN2 "\",\"quantity\":%d}]}",
			 first, second);
	else
		snprintf(body, sizeof(body),
			 "{\"items\":[{\"ean\":\"" EAN "\",\"quantity\":%d}]}",
			 first);
	return shop_post(s, shop, path, body);
}

struct pressed {
	struct shipfrom *s;
	int64_t id;
	int first, second;
	long last;
};

static bool is_received(void *arg)
{
	struct pressed *p = arg;
	struct answer a = receives(p->s, AMSTERDAM, p->id, p->first, p->second);

	p->last = a.status;
	answer_release(&a);
	return p->last == 200 || p->last == 409; /* 409: it ends so */
}

static bool is_received_200(void *arg)
{
	return is_received(arg) && ((struct pressed *)arg)->last == 200;
}

static void wait_received(struct shipfrom *s, int64_t id, int first, int second)
{
	struct pressed p = {s, id, first, second, 0};

	if (!wait_until(is_received, &p, LONG) || p.last != 200)
		fail_msg("told %ld", p.last);
}

/* What Centra has of a delivery. */
struct sim_delivery {
	int accepts, asked;
	int64_t came; /* units of EAN */
};

static struct sim_delivery sim_delivery(struct shipfrom *s, int64_t id)
{
	struct sim_delivery ret = {-1, -1, -1};
	char url[256], text[32];
	struct answer a;
	const cJSON *d;

	snprintf(url, sizeof(url), "%s/control/deliveries", s->sim.url);
	snprintf(text, sizeof(text), "%lld", (long long)id);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(d, cJSON_GetObjectItem(a.json, "deliveries"))
		if (!strcmp(text_of(d, "id"), text)) {
			ret.accepts = (int)number_of(d, "accepts");
			ret.asked = (int)number_of(d, "asked");
			ret.came = number_of(cJSON_GetObjectItem(d, "came"),
					     EAN);
		}
	answer_release(&a);
	return ret;
}

static int waiting(struct shipfrom *s, enum shop shop)
{
	struct answer a = shop_get(s, shop, PATH);
	int n = cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "deliveries"));

	assert_int_equal(a.status, 200);
	answer_release(&a);
	return n;
}

static void fault(struct shipfrom *s, int64_t id, const char *what,
		  const char *how)
{
	char order[48] = "";

	if (strcmp(what, "deliveries") != 0)
		snprintf(order, sizeof(order), "\"order\":%lld,",
			 (long long)id);
	sim_tell(&s->sim, "/faults", "{\"api\":\"order\",%s\"what\":\"%s\",%s}",
		 order, what, how);
}

/* ---- tests ---- */

static void a_shop_sees_its_own_deliveries_with_their_items(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);
	struct answer a;
	char path[64];

	assert_int_equal(waiting(s, AMSTERDAM), 1);
	assert_int_equal(waiting(s, BERLIN), 0);
	snprintf(path, sizeof(path), PATH "/%lld", (long long)id);
	a = shop_get(s, AMSTERDAM, path);
	assert_int_equal(a.status, 200);
	assert_int_equal(number_of(a.json, "units"), 8);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "items")), 2);
	answer_release(&a);
	a = shop_get(s, BERLIN, path);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	shipfrom_passed(s);
}

static void a_delivery_is_received_once_and_leaves_the_list(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);
	struct sim_delivery d;
	struct answer a;

	wait_received(s, id, 5, 3);
	a = receives(s, AMSTERDAM, id, 5, 3); /* the same again */
	assert_int_equal(a.status, 200);
	answer_release(&a);
	a = receives(s, AMSTERDAM, id, 4, 3); /* other counts */
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "received");
	answer_release(&a);
	d = sim_delivery(s, id);
	assert_int_equal(d.accepts, 1);
	assert_int_equal(d.asked, 1);
	assert_int_equal(d.came, 5);
	assert_int_equal(waiting(s, AMSTERDAM), 0);
	shipfrom_passed(s);
}

static void a_short_receipt_leaves_the_rest_to_be_received(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s), rest;
	struct answer a;

	wait_received(s, id, 2, 0);
	a = receives(s, AMSTERDAM, id, 2, 0);
	rest = number_of(cJSON_GetObjectItem(a.json, "rest"), "id");
	assert_int_equal(number_of(cJSON_GetObjectItem(a.json, "rest"),
				   "units"),
			 6);
	answer_release(&a);
	assert_int_equal(waiting(s, AMSTERDAM), 1);
	wait_received(s, rest, 3, 3);
	assert_int_equal(waiting(s, AMSTERDAM), 0);
	assert_int_equal(sim_delivery(s, id).accepts, 1);
	assert_int_equal(sim_delivery(s, rest).accepts, 1);
	shipfrom_passed(s);
}

static void more_than_was_announced_is_received(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);

	wait_received(s, id, 7, 3);
	assert_int_equal(sim_delivery(s, id).came, 7);
	shipfrom_passed(s);
}

static void what_is_not_in_the_delivery_is_refused(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);
	struct answer a;
	char path[64];

	snprintf(path, sizeof(path), PATH "/%lld/receive", (long long)id);
	a = shop_post(s, AMSTERDAM, path,
		      "{\"items\":[{\"ean\":\"1111111111111\","
		      "\"quantity\":1}]}");
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "unknown_item");
	assert_string_equal(text_of(a.json, "detail"),
			    "the delivery has no item with the EAN "
			    "1111111111111");
	answer_release(&a);
	wait_received(s, id, 5, 3); /* it may be asked for anew */
	a = receives(s, AMSTERDAM, id + 50, 1, 0);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "gone");
	answer_release(&a);
	assert_int_equal(sim_delivery(s, id).asked, 1);
	shipfrom_passed(s);
}

static void another_shop_cannot_receive_it(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);
	struct answer a = receives(s, BERLIN, id, 5, 3);

	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "gone");
	answer_release(&a);
	assert_int_equal(sim_delivery(s, id).asked, 0);
	shipfrom_passed(s);
}

/* A reply, or the call itself, is lost at each call. */
static void with_fault(void **state, const char *how)
{
	static const char *const calls[] = {"deliveries", "delivery",
					    "receive"};
	struct shipfrom *s = start(state, MANY "call_timeout = 1s\n");
	int64_t ids[3];
	struct answer a;

	for (int i = 0; i < 3; i++) {
		ids[i] = announced(s);
		fault(s, ids[i], calls[i], how);
	}
	for (int i = 0; i < 3; i++) {
		a = receives(s, AMSTERDAM, ids[i], 5, 2);
		assert_int_equal(a.status / 100, 2);
		answer_release(&a);
	}
	for (int i = 0; i < 3; i++) {
		wait_received(s, ids[i], 5, 2);
		assert_int_equal(sim_delivery(s, ids[i]).accepts, 1);
		assert_int_equal(sim_delivery(s, ids[i]).asked, 1);
	}
	assert_int_equal(sim_spoilt(&s->sim), 3); /* else nothing failed */
	assert_int_equal(waiting(s, AMSTERDAM), 3); /* the rests */
	shipfrom_passed(s);
}

static void a_reply_lost_at_any_call_receives_it_once(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"");
}

static void a_call_lost_at_any_step_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"");
}

static void half_a_reply_receives_it_once(void **state)
{
	with_fault(state, "\"kind\":\"half\"");
}

/* Centra acts after the call was given up. */
static void a_call_that_centra_acts_on_too_late_receives_it_once(void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"");
}

/* The call is lost, and Centra refuses the next one: its list tells whether the
 * first was acted on, and the receipt ends. */
static void what_centra_refuses_after_a_lost_call_ends(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 1s\n");
	int64_t id = announced(s);
	struct pressed p = {s, id, 5, 3, 0};
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"refuse_delivery\":\"Not you.\"}");
	fault(s, id, "receive", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_true(wait_until(is_received, &p, 15000));
	assert_int_equal(p.last, 409);
	assert_int_equal(sim_delivery(s, id).accepts, 0);
	sim_tell(&s->sim, "/settings", "{\"refuse_delivery\":\"\"}");
	a = receives(s, AMSTERDAM, id, 5, 3);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	assert_int_equal(sim_delivery(s, id).accepts, 1);
	shipfrom_passed(s);
}

/* The call is lost, and Amsterdam has another plugin when the server starts
 * again. */
static int64_t lost_by_another_plugin(struct shipfrom *s)
{
	int64_t id = announced(s);
	struct answer a;

	fault(s, id, "receive", "\"kind\":\"slow\",\"ms\":1500,"
				"\"when\":\"before\"");
	fault(s, id, "receive", "\"kind\":\"drop\",\"when\":\"before\"");
	a = receives(s, AMSTERDAM, id, 5, 3);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	shipfrom_kill_9(s);
	config_edit(s, "/api/amsterdam\norder_api_key = key-of-amsterdam",
	     "/api/berlin\norder_api_key = key-of-berlin");
	shipfrom_again(s);
	return id;
}

/* Its list is another plugin's and does not have the delivery. */
static void a_plugin_that_was_not_called_proves_nothing(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 1s\n");
	int64_t id = lost_by_another_plugin(s);
	struct pressed p = {s, id, 5, 3, 0};
	struct answer a;

	assert_true(wait_until(is_received, &p, LONG));
	assert_int_equal(p.last, 409);
	wait_metric(s, "tasks_dead", 1, 5000);
	a = receives(s, AMSTERDAM, id, 5, 2); /* nor is it forgotten */
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "unsure");
	answer_release(&a);
	wait_metric(s, "tasks_dead", 1, 0);
	shipfrom_passed(s);
}

/* The office puts the address right, and the redrive settles it. */
static void where_the_called_plugin_is_back_a_redrive_receives_it(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 1s\n");
	int64_t id = lost_by_another_plugin(s);
	const char *words[] = {"redrive", "--all", NULL};
	char *out = NULL;

	wait_metric(s, "tasks_dead", 1, LONG);
	assert_int_equal(shipfrom_stop(s), 0);
	config_edit(s, "/api/berlin\norder_api_key = key-of-berlin",
	     "/api/amsterdam\norder_api_key = key-of-amsterdam");
	shipfrom_again(s);
	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
	assert_true(wait_until(is_received_200,
			       &(struct pressed){s, id, 5, 3, 0}, LONG));
	assert_int_equal(sim_delivery(s, id).accepts, 1);
	shipfrom_passed(s);
}

/* A reload takes a plugin's address over no more than it drops one. */
static void an_address_that_needs_a_restart_is_told(void **state)
{
	struct shipfrom *s = start(state, MANY);

	config_edit(s, "/api/amsterdam\n", "/api/berlin\n");
	kill(s->process.pid, SIGHUP);
	wait_said(s, "config reloaded", 1);
	wait_said(s,
		  "\"msg\":\"restart to change a setting\",\"instance\":\"se\","
		  "\"shop\":\"amsterdam\",\"setting\":\"order_api_url\"",
		  1);
	shipfrom_passed(s);
}

static void doctor_names_the_shop_whose_plugin_is_not_there(void **state)
{
	struct shipfrom *s = start(state, MANY);
	const char *words[] = {"doctor", NULL};
	char *out = NULL;

	config_edit(s, "/api/amsterdam\n", "/api/nowhere\n");
	assert_int_equal(shipfrom_run(s, &out, true, words), 1);
	if (!strstr(out, "is order_api_url of [shop amsterdam] the right"))
		fail_msg("%s", out);
	free(out);
	shipfrom_passed(s);
}

/* ---- counts of stock ---- */

static void a_count_from_before_a_delivery_came_is_not_sent(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t id = announced(s);

	wait_received(s, id, 5, 3);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 5000);
	count_item(s, EAN, 51, -1); /* within what clocks may differ */
	wait_counted(s, EAN, "unknown", 5000); /* to this stand-in */
	shipfrom_passed(s);
}

static long receives_again(struct shipfrom *s, int64_t id)
{
	struct answer a = receives(s, AMSTERDAM, id, 5, 3);
	long ret = a.status;

	answer_release(&a);
	return ret;
}

/* Centra may have received it: the count is from before that. */
static void a_count_is_not_sent_while_nobody_knows_what_came(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 5s\n");
	int64_t id = announced(s);
	struct answer a;

	fault(s, id, "receive", "\"kind\":\"drop\",\"when\":\"after\"");
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"what\":\"deliveries\","
		 "\"kind\":\"slow\",\"ms\":1},"
		 "{\"api\":\"order\",\"what\":\"deliveries\","
		 "\"kind\":\"500\",\"count\":50}]");
	a = receives(s, AMSTERDAM, id, 5, 3);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	assert_int_equal(sim_delivery(s, id).accepts, 1);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 5000);
	assert_int_equal(receives_again(s, id), 202); /* still */
	shipfrom_passed(s);
}

static void killed(void **state, const char *what, const char *when)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 2s\n");
	int64_t id = announced(s);
	struct answer a;
	char how[100];

	snprintf(how, sizeof(how), "\"kind\":\"slow\",\"ms\":1500,\"when\":\"%s\"",
		 when);
	fault(s, id, what, how);
	a = receives(s, AMSTERDAM, id, 5, 3);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_received(s, id, 5, 3);
	assert_int_equal(sim_delivery(s, id).accepts, 1);
	assert_int_equal(sim_delivery(s, id).came, 5);
	shipfrom_passed(s);
}

static void killed_during_the_looks_it_is_received_once(void **state)
{
	killed(state, "deliveries", "before");
}

static void killed_while_the_items_are_read_it_is_received_once(void **state)
{
	killed(state, "delivery", "after");
}

static void killed_before_centra_acts_it_is_received_once(void **state)
{
	killed(state, "receive", "before");
}

static void killed_after_centra_acted_it_is_received_once(void **state)
{
	killed(state, "receive", "after");
}

/* The plugin of one shop hangs: shipping, and the other shops, go on. */
static void a_plugin_that_hangs_holds_up_nobody_else(void **state)
{
	struct shipfrom *s = start(state, MANY "call_timeout = 5s\n");
	int64_t id, number;
	char code[STATE_ROOM];
	struct answer a;

	number = order_accepted(s, TWO_LINES);
	for (int i = 0; i < 20; i++) {
		id = announced(s);
		fault(s, id, "deliveries",
		      "\"kind\":\"slow\",\"ms\":4500,\"when\":\"before\"");
		a = receives(s, AMSTERDAM, id, 5, 3);
		assert_int_equal(a.status, 202);
		answer_release(&a);
	}
	(void)order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 4000);
	shipfrom_passed(s);
}

static void a_shop_without_a_plugin_has_no_deliveries(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	struct answer a;

	*state = s;
	a = shop_get(s, AMSTERDAM, PATH);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	a = receives(s, AMSTERDAM, 364, 1, 0);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(a_shop_sees_its_own_deliveries_with_their_items),
		OWN(a_delivery_is_received_once_and_leaves_the_list),
		OWN(a_short_receipt_leaves_the_rest_to_be_received),
		OWN(more_than_was_announced_is_received),
		OWN(what_is_not_in_the_delivery_is_refused),
		OWN(another_shop_cannot_receive_it),
		OWN(a_reply_lost_at_any_call_receives_it_once),
		OWN(a_call_lost_at_any_step_is_made_again),
		OWN(half_a_reply_receives_it_once),
		OWN(a_call_that_centra_acts_on_too_late_receives_it_once),
		OWN(what_centra_refuses_after_a_lost_call_ends),
		OWN(a_plugin_that_was_not_called_proves_nothing),
		OWN(where_the_called_plugin_is_back_a_redrive_receives_it),
		OWN(an_address_that_needs_a_restart_is_told),
		OWN(doctor_names_the_shop_whose_plugin_is_not_there),
		OWN(a_count_from_before_a_delivery_came_is_not_sent),
		OWN(a_count_is_not_sent_while_nobody_knows_what_came),
		OWN(killed_during_the_looks_it_is_received_once),
		OWN(killed_while_the_items_are_read_it_is_received_once),
		OWN(killed_before_centra_acts_it_is_received_once),
		OWN(killed_after_centra_acted_it_is_received_once),
		OWN(a_plugin_that_hangs_holds_up_nobody_else),
		OWN(a_shop_without_a_plugin_has_no_deliveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
