/* SPDX-License-Identifier: MIT
 *
 * test_centra_gate.c - connections and their account: what one learns of
 * Centra holds the others back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "centra/graphql.h"
#include "centra/limits.h"
#include "centra/order_api.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro called fail */

static unsigned nobody; /* a port at which nobody listens */
static struct centra *centra;
static struct centra_conn *one, *other;

static int make(void **state)
{
	struct centra_options o = {.instance = "se",
				   .order_api_key = "key",
				   .graphql_token = "token",
				   .graphql_budget = {.requests = 3,
						      .mutations = 1}};
	char url[64];

	(void)state;
	if (!nobody)
		nobody = canned_closed_port();
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", nobody);
	o.order_api_url = o.graphql_url = url;
	centra = centra_open(&o);
	one = centra_conn_open(centra);
	other = centra_conn_open(centra);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	centra_conn_close(one);
	centra_conn_close(other);
	centra_close(centra);
	return 0;
}

static struct call answer(struct centra_conn *n)
{
	struct check_first_reply r;
	struct call ret;

	order_api_check_first(n, 19, 3, true, &r);
	ret = r.call;
	check_first_reply_release(&r);
	return ret;
}

static struct call waiting(struct centra_conn *n)
{
	struct centra_numbers r;
	struct call ret;

	graphql_waiting(n, 1, 1, &r);
	ret = r.call;
	centra_numbers_release(&r);
	return ret;
}

static void what_one_connection_meets_holds_back_the_other(void **s)
{
	struct centra_state state;
	struct call c;

	(void)s;
	for (int i = 0; i < LIMITS_DEAD_AFTER; i++) {
		c = answer(one);
		assert_int_equal(c.end, CALL_NOT_DONE);
		assert_false(c.held);
	}
	assert_in_range(c.retry_after, 1, LIMITS_DEAD_FIRST);
	c = answer(other);
	assert_int_equal(c.end, CALL_NOT_DONE);
	assert_true(c.held);
	assert_false(c.refused);
	assert_true(c.why.text[0]);
	centra_state(centra, CENTRA_ORDER_API, &state);
	assert_true(state.dead);
	centra_state(centra, CENTRA_GRAPHQL, &state);
	assert_false(state.dead);
}

/* What stands before Centra says that it is closed, and says so with a 200. */
static void a_page_is_no_sign_of_life(void **s)
{
	static const char page[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"
		"<html></html>";
	static const struct canned_step pages[] = {
		{CANNED_CLOSE, page}, {CANNED_CLOSE, page},
		{CANNED_CLOSE, page}, {CANNED_CLOSE, page},
		{CANNED_CLOSE, page}, {0}};
	struct canned *server = canned_start(pages);
	struct centra_options o = {.instance = "se", .order_api_key = "key"};
	struct centra_state state;
	struct centra_conn *n;
	struct centra *c;
	char url[64];

	(void)s;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", canned_port(server));
	o.order_api_url = url;
	c = centra_open(&o);
	n = centra_conn_open(c);
	for (int i = 0; i < LIMITS_DEAD_AFTER; i++)
		assert_int_equal(answer(n).end, CALL_UNKNOWN);
	centra_state(c, CENTRA_ORDER_API, &state);
	assert_true(state.dead);
	assert_true(answer(n).held);
	centra_conn_close(n);
	centra_close(c);
	canned_stop(server);
}

static void the_budget_is_the_instances(void **s)
{
	struct call c;

	(void)s;
	for (int i = 0; i < 3; i++) {
		c = waiting(i % 2 ? one : other);
		assert_false(c.held);
	}
	c = waiting(one);
	assert_true(c.held);
	assert_in_range(c.retry_after, 1, LIMITS_WINDOW);
	centra_set_budget(
		centra, &(struct centra_budget){.requests = 4, .mutations = 1});
	assert_false(waiting(one).held);
}

static void what_was_taken_is_used_once(void **s)
{
	struct call c = {0};

	(void)s;
	centra_set_budget(
		centra, &(struct centra_budget){.requests = 1, .mutations = 1});
	assert_true(centra_take(one, CENTRA_GRAPHQL, &c));
	assert_true(centra_take(one, CENTRA_GRAPHQL, &c)); /* the same */
	assert_false(centra_take(other, CENTRA_GRAPHQL, &c));
	assert_true(c.held);
	assert_false(waiting(one).held);
	assert_true(waiting(one).held);
}

static void what_was_taken_for_a_trial_can_be_given_back(void **s)
{
	struct call c = {0};

	(void)s;
	for (int i = 0; i < LIMITS_DEAD_AFTER; i++)
		c = answer(one);
	usleep((useconds_t)(c.retry_after + 5) * 1000);
	assert_true(centra_take(one, CENTRA_ORDER_API, &c));
	assert_false(centra_take(other, CENTRA_ORDER_API, &c));
	centra_give_back(one, CENTRA_ORDER_API);
	centra_give_back(one, CENTRA_ORDER_API); /* nothing is taken */
	assert_true(centra_take(other, CENTRA_ORDER_API, &c));
	centra_give_back(other, CENTRA_ORDER_API);
}

static void without_a_key_nobody_calls_until_there_is_one(void **s)
{
	struct centra_state state;

	(void)s;
	centra_set_credentials(centra, "key", NULL);
	assert_true(waiting(one).refused);
	assert_true(waiting(other).held);
	centra_state(centra, CENTRA_GRAPHQL, &state);
	assert_true(state.refused);
	centra_set_credentials(centra, "key", "token");
	assert_false(waiting(other).held);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_one_connection_meets_holds_back_the_other),
		T(a_page_is_no_sign_of_life),
		T(the_budget_is_the_instances),
		T(what_was_taken_is_used_once),
		T(what_was_taken_for_a_trial_can_be_given_back),
		T(without_a_key_nobody_calls_until_there_is_one),
	};
	struct err e;

	if (centra_init(&e))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
