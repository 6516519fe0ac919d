/* SPDX-License-Identifier: MIT
 *
 * Three shops and one order: who sees what, who gets it, and how it ends.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* A shop's answer: its status, and code or state in `word`. */
static long does(struct shipfrom *s, enum shop shop, int64_t number,
		 const char *verb, char word[STATE_ROOM])
{
	struct answer a = shop_does(s, shop, number, verb, "{}");
	long status = a.status;

	snprintf(word, STATE_ROOM, "%s",
		 text_of(a.json, status == 409 ? "code" : "state"));
	answer_release(&a);
	return status;
}

/* ---- at the same moment ---- */

struct presser {
	struct shipfrom *s;
	enum shop shop;
	int64_t number;
	pthread_barrier_t *together;
	pthread_t thread;
	long status;
	char word[STATE_ROOM];
};

static void *press(void *arg)
{
	struct presser *p = arg;

	pthread_barrier_wait(p->together);
	p->status = does(p->s, p->shop, p->number, "accept", p->word);
	return NULL;
}

/* n shops press accept at once; the one that was told accepted. */
static enum shop race(struct shipfrom *s, int64_t number, unsigned n)
{
	struct presser p[SHOPS];
	pthread_barrier_t together;
	int winners = 0;
	enum shop winner = STOCKHOLM;

	pthread_barrier_init(&together, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		p[i] = (struct presser){
			.s = s, .shop = (enum shop)i, .number = number,
			.together = &together};
		assert_int_equal(pthread_create(&p[i].thread, NULL, press,
						&p[i]),
				 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(p[i].thread, NULL);
	pthread_barrier_destroy(&together);
	for (unsigned i = 0; i < n; i++) {
		if (p[i].status == 200) {
			assert_string_equal(p[i].word, "accepted");
			winner = p[i].shop;
			winners++;
		} else if (p[i].status != 409 ||
			   (strcmp(p[i].word, "refused") &&
			    strcmp(p[i].word, "taken"))) {
			fail_msg("the loser was told %ld %s", p[i].status,
				 p[i].word);
		}
	}
	assert_int_equal(winners, 1);
	return winner;
}

static void of_two_accepts_at_the_same_moment_exactly_one_wins(void **state)
{
	struct shipfrom *s = *state;

	for (int round = 0; round < 10; round++) {
		int64_t number = offered_to_all(s, 600);
		enum shop winner = race(s, number, round % 2 ? 2 : 3);

		assert_int_equal(sim_accepts(&s->sim, number), 1);
		assert_int_equal(sim_winner(&s->sim, number),
				 (int)winner + 2);
		for (int i = 0; i < SHOPS; i++)
			wait_alone(s, winner, number, "accepted", 5000);
	}
	shipfrom_passed(s);
}

static void webhooks_in_any_order_and_repeated_end_in_accepted_taken_taken(
	void **state)
{
	struct shipfrom *s = *state;

	for (int round = 0; round < 5; round++) {
		int64_t number;
		enum shop winner;

		sim_tell(&s->sim, "/hooks",
			 "{\"shuffle\":false,\"repeats\":0,\"delay\":0}");
		number = offered_to_all(s, 600);
		sim_tell(&s->sim, "/hooks",
			 "{\"shuffle\":true,\"repeats\":60,\"delay\":300,"
			 "\"batch\":1}");
		winner = race(s, number, 2);
		sim_quiet(&s->sim);
		for (int i = 0; i < SHOPS; i++)
			wait_state(s, (enum shop)i, number,
				   i == (int)winner ? "accepted" : "taken",
				   5000);
	}
	shipfrom_passed(s);
}

/* ---- one after the other ---- */

static void an_address_is_shown_to_the_shop_that_ships_and_to_no_other(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64], word[STATE_ROOM];
	struct answer a;

	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	assert_int_equal(does(s, AMSTERDAM, number, "accept", word), 200);
	wait_state(s, BERLIN, number, "taken", 5000);
	a = shop_get(s, AMSTERDAM, path);
	assert_int_equal(a.status, 200);
	assert_int_equal(number_of(a.json, "warehouse"), 3);
	assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "lines")) >
		    0);
	answer_release(&a);
	a = shop_get(s, BERLIN, path);
	assert_null(strstr(a.body, "example.com"));
	assert_null(strstr(a.body, "address1"));
	answer_release(&a);
	shipfrom_passed(s);
}

static void the_same_answer_again_gets_its_result_and_the_opposite_409(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char word[STATE_ROOM];

	assert_int_equal(does(s, AMSTERDAM, number, "accept", word), 200);
	assert_int_equal(does(s, AMSTERDAM, number, "accept", word), 200);
	assert_string_equal(word, "accepted");
	assert_int_equal(does(s, AMSTERDAM, number, "reject", word), 409);
	assert_int_equal(sim_calls(&s->sim, number, false), 1);
	shipfrom_passed(s);
}

static void a_rejected_offer_is_gone_for_that_shop_only(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char word[STATE_ROOM];
	struct answer a = shop_does(s, BERLIN, number, "reject",
				    "{\"reason\":\"out_of_stock\",\"note\":\"\"}");

	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(a.json, "state"), "rejected");
	answer_release(&a);
	assert_int_equal(does(s, BERLIN, number, "accept", word), 409);
	wait_state(s, AMSTERDAM, number, "pending", 1000);
	assert_int_equal(does(s, AMSTERDAM, number, "accept", word), 200);
	assert_int_equal(sim_winner(&s->sim, number), 3);
	shipfrom_passed(s);
}

static void an_offer_that_centra_timed_out_can_not_be_accepted(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64], word[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/expire",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, STOCKHOLM, number, "timed_out", 5000);
	assert_int_equal(does(s, STOCKHOLM, number, "accept", word), 409);
	assert_string_equal(word, "timed_out");
	assert_int_equal(sim_accepts(&s->sim, number), 0);
	shipfrom_passed(s);
}

static void a_cancelled_order_is_cancelled_for_all_also_after_an_accept(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64], word[STATE_ROOM];

	assert_int_equal(does(s, BERLIN, number, "accept", word), 200);
	snprintf(path, sizeof(path), "/orders/%lld/cancel",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	for (int i = 0; i < SHOPS; i++)
		wait_state(s, (enum shop)i, number, "cancelled", 5000);
	assert_int_equal(does(s, STOCKHOLM, number, "accept", word), 409);
	shipfrom_passed(s);
}

static void resume_in_the_back_office_ends_the_offers(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64], word[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/resume",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	for (int i = 0; i < SHOPS; i++)
		wait_state(s, (enum shop)i, number, "rejected", 5000);
	assert_int_equal(does(s, STOCKHOLM, number, "accept", word), 409);
	shipfrom_passed(s);
}

static void an_order_offered_again_can_be_accepted(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64], word[STATE_ROOM];

	assert_int_equal(does(s, BERLIN, number, "reject", word), 200);
	sim_quiet(&s->sim);
	snprintf(path, sizeof(path), "/orders/%lld/reoffer",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"warehouses\":[4],\"expires_in\":900}");
	wait_state(s, BERLIN, number, "pending", 5000);
	assert_int_equal(does(s, BERLIN, number, "accept", word), 200);
	assert_int_equal(sim_winner(&s->sim, number), 4);
	shipfrom_passed(s);
}

/* How many orders the list holds, and whether `number` is one of them. */
static int listed(struct shipfrom *s, enum shop shop, const char *list,
		  int64_t number, bool *ret_there)
{
	char path[64];
	struct answer a;
	const cJSON *o;
	int n = 0;

	snprintf(path, sizeof(path), "/api/v1/orders?state=%s", list);
	a = shop_get(s, shop, path);
	assert_int_equal(a.status, 200);
	*ret_there = false;
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		n++;
		*ret_there = *ret_there || number_of(o, "number") == number;
	}
	answer_release(&a);
	return n;
}

static void lists_show_each_shop_its_own_orders(void **state)
{
	struct shipfrom *s = *state;
	int64_t first = offered_to_all(s, 900), only;
	char word[STATE_ROOM];
	struct answer a = sim_do(&s->sim, "/orders",
				 "{\"warehouses\":[4],\"expires_in\":300}");
	bool there;

	only = number_of(a.json, "number");
	answer_release(&a);
	wait_state(s, BERLIN, only, "pending", 5000);
	assert_string_equal(shop_sees(s, AMSTERDAM, only, word), "404");
	assert_int_equal(listed(s, AMSTERDAM, "open", first, &there), 1);
	assert_true(there);
	assert_int_equal(listed(s, BERLIN, "open", only, &there), 2);
	assert_true(there);
	assert_int_equal(does(s, BERLIN, only, "accept", word), 200);
	listed(s, BERLIN, "mine", only, &there);
	assert_true(there);
	assert_int_equal(listed(s, BERLIN, "open", only, &there), 1);
	assert_false(there);
	assert_int_equal(does(s, AMSTERDAM, only, "accept", word), 404);
	shipfrom_passed(s);
}

static void nobody_without_a_device_sees_anything(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char url[256];
	struct answer a;

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld", s->url,
		 (long long)number);
	a = http_get(url, NULL);
	assert_int_equal(a.status, 401);
	answer_release(&a);
	a = http_get(url, "0123456789012345678901234567890123456789012");
	assert_int_equal(a.status, 401);
	answer_release(&a);
	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/accept", s->url,
		 (long long)number);
	a = http_post(url, NULL, "{}");
	assert_int_equal(a.status, 401);
	answer_release(&a);
	assert_int_equal(sim_accepts(&s->sim, number), 0);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(of_two_accepts_at_the_same_moment_exactly_one_wins),
		T(webhooks_in_any_order_and_repeated_end_in_accepted_taken_taken),
		T(an_address_is_shown_to_the_shop_that_ships_and_to_no_other),
		T(the_same_answer_again_gets_its_result_and_the_opposite_409),
		T(a_rejected_offer_is_gone_for_that_shop_only),
		T(an_offer_that_centra_timed_out_can_not_be_accepted),
		T(a_cancelled_order_is_cancelled_for_all_also_after_an_accept),
		T(resume_in_the_back_office_ends_the_offers),
		T(an_order_offered_again_can_be_accepted),
		T(lists_show_each_shop_its_own_orders),
		T(nobody_without_a_device_sees_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
