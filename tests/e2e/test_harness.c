/* SPDX-License-Identifier: MIT
 *
 * What the tests themselves stand on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/address.h"
#include "tests/harness/receiver.h"
#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"
#include "tests/harness/webhook.h"

static void is_given_to_nobody(const char *url)
{
	struct sockaddr_in at;
	int port, first, last;

	address_of(url, &at);
	port = ntohs(at.sin_port);
	given_ports(&first, &last);
	if (port >= first && port <= last)
		fail_msg("%s: the system may give this port to another", url);
	if (at.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		fail_msg("%s: other test programs use this address", url);
}

/* Else one that is started again may find its port in use. */
static void programs_listen_where_nobody_else_does(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);

	is_given_to_nobody(s->url);
	is_given_to_nobody(s->admin);
	is_given_to_nobody(s->sim.url);
	shipfrom_passed(s);
}

/* ---- the receiver of webhooks ---- */

#define EVENT                                                                  \
	"{\"events\":[{\"type\":\"order\",\"action\":\"update\",\"date\":"        \
	"\"2021-01-11 16:21:00.552288\",\"id\":19}]}"

/* The status of a body that is posted with a signature of its own. */
static long post(struct receiver *r, const char *header, const char *body)
{
	struct answer a = webhook_post(receiver_url(r), header, body,
				       strlen(body));
	long status = a.status;

	answer_release(&a);
	return status;
}

/* Signs `ago` seconds ago. */
static long post_json(struct receiver *r, const char *secret, int64_t ago,
		      const char *json)
{
	char *body = webhook_body(json, SPACE_PERCENT);
	char *header = webhook_header(secret, now_unix() - ago, body);
	long status = post(r, header, body);

	free(header);
	free(body);
	return status;
}

static void a_receiver_takes_what_is_signed_and_formed_as_by_centra(void **state)
{
	struct receiver *r = receiver_start("known");
	struct received c;
	cJSON *events;

	(void)state;
	assert_int_equal(post_json(r, "known", 0, EVENT), 200);
	assert_int_equal(post_json(r, "unknown", 0, EVENT), 401);
	assert_int_equal(post_json(r, "known", 400, EVENT), 401);
	assert_int_equal(post(r, NULL, "payload=%7B%7D"), 401);
	c = receiver_counts(r);
	assert_int_equal(c.tries, 4);
	assert_int_equal(c.taken, 1);
	assert_int_equal(c.unsigned_, 3);
	assert_string_equal(c.wrong, "");
	assert_int_equal(post_json(r, "known", 0, "{\"products\":[\"52\"]}"), 400);
	assert_string_not_equal(receiver_counts(r).wrong, "");
	events = receiver_events(r);
	assert_int_equal(cJSON_GetArraySize(events), 1);
	assert_int_equal(number_of(cJSON_GetArrayItem(events, 0), "id"), 19);
	cJSON_Delete(events);
	receiver_stop(r);
}

/* The vector that Centra publishes (CONTRACT 1.4) is signed right, and is no
 * event. */
static void a_receiver_verifies_the_published_vector(void **state)
{
	struct receiver *r = receiver_start("test123");

	(void)state;
	receiver_clock(r, 12345678 - now_unix());
	assert_int_equal(post(r,
			      "X-Centra-Signature: t=12345678,v1="
			      "0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff8580"
			      "8d6b75bdac356c549",
			      "payload=%7B%22x%22%3A%22test%22%7D"),
			 400);
	assert_int_equal(post(r,
			      "X-Centra-Signature: v1="
			      "0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff8580"
			      "8d6b75bdac356c549 , v2=x ,\t t=12345678",
			      "payload=%7B%22x%22%3A%22test%22%7D"),
			 400);
	assert_int_equal(post(r,
			      "X-Centra-Signature: t=12345678,v1="
			      "0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff8580"
			      "8d6b75bdac356c549",
			      "payload=%7B%22x%22%3A%22Test%22%7D"),
			 401);
	receiver_stop(r);
}

static void a_receiver_fails_as_it_is_told(void **state)
{
	static const struct {
		enum receiver_way way;
		long status;
		int taken;
	} rows[] = {
		{RECEIVER_FAILS, 500, 0}, {RECEIVER_CLOSES, 0, 0},
		{RECEIVER_AWAY, 0, 0},	  {RECEIVER_LOSES, 0, 1},
		{RECEIVER_TAKES, 200, 2},
	};
	struct receiver *r = receiver_start("known");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		receiver_does(r, rows[i].way);
		assert_int_equal(post_json(r, "known", 0, EVENT),
				 rows[i].status);
		assert_int_equal(receiver_counts(r).taken, rows[i].taken);
	}
	receiver_redirects(r, "http://127.0.0.1:9/");
	assert_int_equal(post_json(r, "known", 0, EVENT), 307);
	receiver_stop(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			programs_listen_where_nobody_else_does, shipfrom_end),
		cmocka_unit_test(
			a_receiver_takes_what_is_signed_and_formed_as_by_centra),
		cmocka_unit_test(a_receiver_verifies_the_published_vector),
		cmocka_unit_test(a_receiver_fails_as_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
