/* SPDX-License-Identifier: MIT
 *
 * Outgoing webhooks: what happens to a shop's orders reaches the shop's own
 * system in Centra's form, and nothing else does; and no receiver costs anybody
 * else anything.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/tills.h"
#include "tests/harness/wait.h"

/* Centra's id of the order's one shipment. */
static int64_t shipment_of(struct shipfrom *s, int64_t number)
{
	char url[192];
	struct answer a;
	const cJSON *o;
	int64_t ret = -1;

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
	assert_true(ret > 0);
	return ret;
}

/* ---- what is told, and what is not ---- */

/* `why` shows what was told, and that it was taken. */
static void assert_why_tells(struct shipfrom *s, int64_t number)
{
	char line[40];

	snprintf(line, sizeof(line), "why %lld", (long long)number);
	wait_printed(s, line, "told [shop amsterdam] check_first accepted: taken",
		     "told [shop amsterdam] shipment good_to_go: taken", 5000);
	snprintf(line, sizeof(line), "why --json %lld", (long long)number);
	wait_printed(s, line, "\"event\":\"check_first\"",
		     "\"result\":\"taken\"", 5000);
}

static void an_order_is_told_from_its_offer_to_its_shipment(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES), shipment;
	char code[STATE_ROOM];
	int accepted, made, good;

	order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 20000);
	shipment = shipment_of(s, number);
	good = wait_event(till, "shipment", "good_to_go", shipment);
	made = event_place(till, "shipment", "create", shipment);
	accepted = event_place(till, "check_first", "accepted", number);
	wait_told(till, number, "create accepted", 10000);
	assert_true(accepted >= 0 && accepted < made && made < good);
	wait_event(till, "order", "update", number);
	assert_sound(till);
	assert_why_tells(s, number);
	shipfrom_passed(s);
}

static void each_end_of_an_offer_is_told(void **state)
{
	struct shipfrom *s = *state;
	int64_t rejected = order_offered(s, NULL), late, cancelled;
	struct answer a = shop_does(s, AMSTERDAM, rejected, "reject", "{}");

	answer_release(&a);
	late = order_offered_for(s, 600);
	order_control(s, late, "expire", "{}");
	cancelled = order_accepted(s, NULL);
	order_control(s, cancelled, "cancel", "{}");
	wait_told(till, rejected, "create rejected", 10000);
	wait_told(till, late, "create timeout", 10000);
	wait_event(till, "order", "update", cancelled);
	assert_sound(till);
	shipfrom_passed(s);
}

static void an_order_that_is_offered_anew_is_told_anew(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);

	order_control(s, number, "expire", "{}");
	wait_told(till, number, "create timeout", 10000);
	/* With the same deadline it would be the same offer. */
	order_control(s, number, "reoffer", "{\"warehouses\":[3],\"expires_in\":900}");
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create timeout create accepted", 10000);
	assert_sound(till);
	shipfrom_passed(s);
}

/* Fails the test if an event names a warehouse that is not amsterdam's. */
static void assert_own_warehouse(struct receiver *r)
{
	cJSON *events = receiver_events(r);
	const cJSON *v, *data, *w;

	cJSON_ArrayForEach(v, events)
	{
		data = cJSON_GetObjectItem(v, "data");
		if (number_of(data, "warehouseId") >= 0)
			assert_int_equal(number_of(data, "warehouseId"), 3);
		cJSON_ArrayForEach(w, cJSON_GetObjectItem(data, "warehouses"))
			assert_int_equal(number_of(w, "warehouseId"), 3);
		if (!strcmp(text_of(v, "type"), "check_first"))
			assert_non_null(data);
	}
	cJSON_Delete(events);
}

static void nothing_of_another_shop_is_told(void **state)
{
	struct shipfrom *s;
	int64_t taken, theirs, last, shipment;
	struct answer a;
	char now[STORY_ROOM];

	stockholm = receiver_start(TILL_KNOWS);
	s = tills_start(state, (struct shipfrom_options){0});
	a = sim_do(&s->sim, "/orders", "{\"warehouses\":[2,4]}");
	theirs = number_of(a.json, "number");
	answer_release(&a);
	wait_state(s, STOCKHOLM, theirs, "pending", 5000);
	taken = offered_to_all(s, 600);
	accept_order(s, STOCKHOLM, theirs);
	accept_order(s, STOCKHOLM, taken);
	a = shop_does(s, STOCKHOLM, taken, "ship", PARCEL);
	answer_release(&a);
	wait_event(stockholm, "check_first", "accepted", taken);
	wait_told(till, taken, "create rejected", 10000);
	wait_told(stockholm, theirs, "create accepted", 10000);
	last = order_accepted(s, NULL);
	wait_told(till, last, "create accepted", 10000);
	shipment = shipment_of(s, taken);
	wait_event(stockholm, "shipment", "create", shipment);
	assert_string_equal(check_first_story(till, theirs, now), "");
	assert_int_equal(event_place(till, "order", "update", theirs), -1);
	assert_int_equal(event_place(till, "shipment", "create", shipment), -1);
	assert_int_equal(event_place(till, "shipment", "good_to_go", shipment), -1);
	assert_own_warehouse(till);
	assert_sound(till);
	assert_sound(stockholm);
	shipfrom_passed(s);
}

static void no_name_and_no_address_is_told(void **state)
{
	static const char *const hidden[] = {
		"Xenia",   "Quillfeather", "Umbra Street", "98765", "Zanzibar",
		"070-999", "xenia@",	   "goods co",	   NULL};
	struct shipfrom *s = *state;
	int64_t number;
	char *told, code[STATE_ROOM];

	number = order_accepted(
		s, "\"warehouses\":[3],\"shippingAddress\":{"
		   "\"firstName\":\"Xenia\",\"lastName\":\"Quillfeather\","
		   "\"companyName\":\"Xenia goods co\",\"attention\":null,"
		   "\"address1\":\"Umbra Street 7\",\"address2\":null,"
		   "\"zipCode\":\"98765\",\"city\":\"Zanzibar\","
		   "\"stateOrProvince\":null,\"cellPhoneNumber\":\"070-999\","
		   "\"phoneNumber\":null,\"email\":\"xenia@example.com\","
		   "\"country\":{\"code\":\"SE\",\"name\":\"Sweden\"}}");
	order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 20000);
	wait_event(till, "shipment", "good_to_go", shipment_of(s, number));
	told = receiver_payloads(till);
	for (size_t i = 0; hidden[i]; i++)
		if (strcasestr(told, hidden[i]))
			fail_msg("'%s' was told", hidden[i]);
	free(told);
	shipfrom_passed(s);
}

/* ---- what it costs others ---- */

#define ACCEPTS 12

/* The middle one of so many accepts of amsterdam's, in ms. */
static int64_t accepts_take(struct shipfrom *s, int64_t last[1])
{
	int64_t took[ACCEPTS], number;

	for (int i = 0; i < ACCEPTS; i++) {
		struct answer a;
		int at = i;

		number = offered_to_all(s, 600);
		a = shop_does(s, AMSTERDAM, number, "accept", "{}");
		assert_int_equal(a.status, 200);
		assert_string_equal(text_of(a.json, "state"), "accepted");
		for (; at > 0 && took[at - 1] > a.took; at--)
			took[at] = took[at - 1];
		took[at] = a.took;
		answer_release(&a);
	}
	*last = number;
	return took[ACCEPTS / 2];
}

/* There are as many workers as receivers that hang. */
static void receivers_that_hang_slow_nobody(void **state)
{
	struct shipfrom *s;
	int64_t before, meanwhile, number;

	stockholm = receiver_start(TILL_KNOWS);
	berlin = receiver_start(TILL_KNOWS);
	s = tills_start(state, (struct shipfrom_options){
				 .server = TILL_NEAR "workers = 2\n"});
	before = accepts_take(s, &number);
	wait_told(till, number, "create accepted", 10000);
	receiver_does(stockholm, RECEIVER_HANGS);
	receiver_does(berlin, RECEIVER_HANGS);
	offered_to_all(s, 600);
	wait_calls(stockholm, 0, 1, TILL_SOON);
	wait_calls(berlin, 0, 1, TILL_SOON);
	meanwhile = accepts_take(s, &number);
	print_message("accepts: %lld ms, with two that hang %lld ms\n",
		      (long long)before, (long long)meanwhile);
	/* 50 ms: what a machine with other tests on it may differ by. */
	assert_true(meanwhile <= 2 * before + 50);
	wait_told(till, number, "create accepted", 2000);
	receiver_does(stockholm, RECEIVER_TAKES);
	receiver_does(berlin, RECEIVER_TAKES);
	wait_told(stockholm, number, "create rejected", TILL_SOON);
	wait_told(berlin, number, "create rejected", TILL_SOON);
	shipfrom_passed(s);
}

/* ---- where it may call ---- */

/* As tests/faults/resolver.c counts them. */
struct looked {
	_Atomic int looks, to_public, to_private;
};

static struct looked *looked;
static char looked_file[128];

/* For a test whose receiver has a name that turns private at the second look.
 * `more`: a further setting of the environment, or NULL. */
static struct shipfrom *start_with_name(void **state, const char *more)
{
	static struct under_fault fault;
	static char counts[192], then[96];
	static const char *under[] = {"env",
				      fault.preload,
				      fault.asan,
				      counts,
				      "RESOLVER_NAME=till.example",
				      then,
				      NULL,
				      NULL};
	char lines[256];
	int fd;

	under[6] = more;
	till = receiver_start(TILL_KNOWS);
	snprintf(looked_file, sizeof(looked_file), "/tmp/shipfrom-looked.%d",
		 (int)getpid());
	fd = open(looked_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*looked)), 0);
	looked = mmap(NULL, sizeof(*looked), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(looked != MAP_FAILED);
	under_fault(&fault, "resolver", "");
	snprintf(counts, sizeof(counts), "RESOLVER=%s", looked_file);
	snprintf(then, sizeof(then), "RESOLVER_THEN=%s",
		 receiver_address(till));
	snprintf(lines, sizeof(lines),
		 "notify_url = http://till.example%s/hook\n"
		 "notify_secret = " TILL_KNOWS "\n",
		 strchr(receiver_address(till), ':'));
	return tills_start(state,
		     (struct shipfrom_options){
			     .server = "notify_http = yes\n",
			     .amsterdam = lines,
			     .under = under,
		     });
}

static int end_with_name(void **state)
{
	if (looked)
		munmap(looked, sizeof(*looked));
	looked = NULL;
	unlink(looked_file);
	return tills_end(state);
}

static bool was_looked_up(void *arg)
{
	return looked->looks >= *(const int *)arg;
}

static void an_address_that_turns_private_at_the_second_look_is_refused(
	void **state)
{
	struct shipfrom *s = start_with_name(state, NULL);
	int64_t number = order_offered(s, NULL);
	int looks = 1;

	/* The first look is followed, or the test would prove nothing. */
	assert_true(wait_until(was_looked_up, &looks, TILL_SOON));
	/* A name is kept for a minute; a start looks anew. */
	assert_int_equal(shipfrom_stop(s), 0);
	assert_true(looked->to_public > 0);
	looks = looked->looks + 1;
	shipfrom_again(s);
	assert_true(wait_until(was_looked_up, &looks, TILL_SOON));
	wait_printed(s, "tasks", "notify", "not public", TILL_SOON);
	assert_int_equal(looked->to_private, 0);
	assert_int_equal(receiver_counts(till).connections, 0);

	/* The same address, with the setting that allows it. */
	assert_int_equal(shipfrom_stop(s), 0);
	config_edit(s, "notify_http = yes\n", TILL_NEAR);
	shipfrom_again(s);
	wait_told(till, number, "create", TILL_SOON);
	assert_true(looked->to_private > 0);
	shipfrom_passed(s);
}

/* The DNS server does not answer, and the C library asks it for minutes. */
static void a_name_that_is_not_resolved_holds_up_no_stop(void **state)
{
	struct shipfrom *s = start_with_name(state, "RESOLVER_HANGS=60");
	int looks = 1;

	order_offered(s, NULL);
	assert_true(wait_until(was_looked_up, &looks, TILL_SOON));
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_passed(s);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
	struct shipfrom *s =
		tills_start(state, (struct shipfrom_options){
				     .server = "notify_http = yes\n"});

	order_offered(s, NULL);
	wait_printed(s, "tasks", "notify", "not public", TILL_SOON);
	assert_int_equal(receiver_counts(till).connections, 0);
	shipfrom_passed(s);
}

static void without_https_the_config_is_refused_unless_allowed(void **state)
{
	const char *words[] = {"check", NULL};
	struct shipfrom *s = *state;
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
	config_edit(s, "notify_http = yes\n", "");
	assert_int_not_equal(shipfrom_run(s, &out, true, words), 0);
	if (!strstr(out, "notify_http"))
		fail_msg("check does not say what to set: %s", out);
	free(out);
	shipfrom_passed(s);
}

static void doctor_tries_the_shops_system_and_sends_nothing(void **state)
{
	const char *words[] = {"doctor", NULL};
	struct shipfrom *s = *state;
	char *out = verb_prints(s, "doctor");

	assert_non_null(strstr(out, "its system can be reached"));
	free(out);
	assert_int_equal(receiver_counts(till).connections, 1);
	assert_int_equal(receiver_counts(till).tries, 0);
	config_edit(s, TILL_NEAR, "notify_http = yes\n");
	assert_int_not_equal(shipfrom_run(s, &out, true, words), 0);
	assert_non_null(strstr(out, "is not public"));
	free(out);
	assert_int_equal(receiver_counts(till).connections, 1);
	shipfrom_passed(s);
}

/* ---- secrets ---- */

static void while_secrets_rotate_all_arrive(void **state)
{
	struct shipfrom *s = *state;
	int64_t one = order_accepted(s, NULL), two, three;

	wait_told(till, one, "create accepted", 10000);
	config_edit(s, "notify_secret = " TILL_KNOWS "\n",
	     "notify_secret = the-new-one\n"
	     "previous_notify_secret = " TILL_KNOWS "\n");
	kill(s->process.pid, SIGHUP);
	wait_said(s, "config reloaded", 1);
	two = order_accepted(s, NULL); /* the receiver knows the old one */
	wait_told(till, two, "create accepted", TILL_SOON);
	receiver_knows(till, "the-new-one");
	three = order_accepted(s, NULL);
	wait_told(till, three, "create accepted", TILL_SOON);
	config_edit(s, "previous_notify_secret = " TILL_KNOWS "\n", "");
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_again(s);
	order_control(s, three, "cancel", "{}");
	wait_told(till, three, "create accepted rejected", TILL_SOON);
	shipfrom_passed(s);
}

static void one_that_knows_neither_secret_gets_all_once_it_does(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_knows(till, "mistyped");
	number = order_accepted(s, NULL);
	wait_calls(till, 0, 1, TILL_SOON);
	assert_int_equal(receiver_counts(till).taken, 0);
	receiver_knows(till, TILL_KNOWS);
	wait_told(till, number, "create accepted", TILL_SOON);
	shipfrom_passed(s);
}

/* ---- our own verifier ---- */

static struct shipfrom *second;

static int setup_second(void **state)
{
	char lines[512];

	second = shipfrom_start(NULL);
	snprintf(lines, sizeof(lines),
		 "notify_url = %s\nnotify_secret = " SECRET "\n", second->hook);
	return !tills_start(state, (struct shipfrom_options){.amsterdam = lines});
}

static int end_second(void **state)
{
	void *two = second;
	int bad = tills_end(state);

	second = NULL;
	return shipfrom_end(&two) | bad;
}

/* A second shipfrom takes what the first sends for Centra's. */
static void a_second_server_verifies_and_takes_each(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);
	char id[32];

	snprintf(id, sizeof(id), "\"id\":%lld", (long long)number);
	wait_printed(second, "events --json", "\"accepted\"", id, 10000);
	assert_true(metric(second, "webhooks_verified_total{instance=\"se\","
				   "secret=\"current\"}") > 0);
	assert_int_equal(metric(second, "webhooks_refused_signature_total"), 0);
	assert_int_equal(metric(second, "webhooks_refused_stale_total"), 0);
	assert_int_equal(metric(second, "webhooks_wrong_version_total"), 0);
	assert_int_equal(metric(second, "events_quarantined_total"), 0);
	shipfrom_passed(second);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tills_setup, tills_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_order_is_told_from_its_offer_to_its_shipment),
		T(each_end_of_an_offer_is_told),
		T(an_order_that_is_offered_anew_is_told_anew),
		cmocka_unit_test_teardown(nothing_of_another_shop_is_told, tills_end),
		T(no_name_and_no_address_is_told),
		cmocka_unit_test_teardown(receivers_that_hang_slow_nobody, tills_end),
		cmocka_unit_test_teardown(
			an_address_that_turns_private_at_the_second_look_is_refused,
			end_with_name),
		cmocka_unit_test_teardown(
			a_name_that_is_not_resolved_holds_up_no_stop,
			end_with_name),
		cmocka_unit_test_teardown(
			a_private_address_is_refused_unless_allowed, tills_end),
		T(without_https_the_config_is_refused_unless_allowed),
		T(doctor_tries_the_shops_system_and_sends_nothing),
		T(while_secrets_rotate_all_arrive),
		T(one_that_knows_neither_secret_gets_all_once_it_does),
		cmocka_unit_test_setup_teardown(
			a_second_server_verifies_and_takes_each, setup_second,
			end_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
