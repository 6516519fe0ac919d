/* SPDX-License-Identifier: MIT
 *
 * What Centra posts: whom we believe, what is kept, and what each mistake is
 * answered.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

static const char *const payloads[] = {
	"allocation_request_create", "check_first_accepted",
	"check_first_create",	     "check_first_rejected",
	"check_first_timeout",	     "order_and_shipment",
	"order_insert_cancel",
};

static int setup(void **state)
{
	static const struct shipfrom_options o = {
		.server = "webhook_max_body = 64K\n"};

	*state = shipfrom_start(&o);
	return 0;
}

static char *read_payload(const char *name)
{
	char path[256], *text = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/data/payloads/%s.json", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = getdelim(&text, &room, 0, f);
	assert_true(n > 0);
	fclose(f);
	text[strcspn(text, "\r\n")] = 0;
	return text;
}

/* Status and the four numbers of the answer, which is used up. */
static void expect(struct answer a, int events, int fresh, int duplicates,
		   int quarantined)
{
	if (a.status != 200)
		fail_msg("answered %ld %s", a.status, a.body);
	assert_int_equal(number_of(a.json, "events"), events);
	assert_int_equal(number_of(a.json, "new"), fresh);
	assert_int_equal(number_of(a.json, "duplicates"), duplicates);
	assert_int_equal(number_of(a.json, "quarantined"), quarantined);
	answer_release(&a);
}

/* The status of a body with this header line, NULL for none. */
static long status_of(struct shipfrom *s, const char *header, const char *body)
{
	struct answer a = webhook_post(s->hook, header, body, strlen(body));
	long status = a.status;

	answer_release(&a);
	return status;
}

/* The status of a body signed now. */
static long signed_status(struct shipfrom *s, const char *secret, int64_t t,
			  const char *body)
{
	char *header = webhook_header(secret, t, body);
	long status = status_of(s, header, body);

	free(header);
	return status;
}

static int lines_with(struct shipfrom *s, const char *verb, const char *what)
{
	const char *words[] = {verb, "--json", NULL};
	char *out = NULL, *line, *rest;
	int n = 0;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);

		if (!v)
			fail_msg("%s --json: not JSON: %s", verb, line);
		cJSON_Delete(v);
		n += strstr(line, what) != NULL;
	}
	free(out);
	return n;
}

/* ---- tests ---- */

static void every_payload_is_stored_once_in_either_encoding(void **state)
{
	struct shipfrom *s = *state;
	int total = 0;

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		char *json = read_payload(payloads[i]);
		cJSON *v = cJSON_Parse(json);
		int n = cJSON_GetArraySize(cJSON_GetObjectItem(v, "events"));

		expect(webhook_send(s->hook, json, SPACE_PLUS), n, n, 0, 0);
		expect(webhook_send(s->hook, json, SPACE_PERCENT), n, 0, n, 0);
		total += n;
		cJSON_Delete(v);
		free(json);
	}
	assert_int_equal(lines_with(s, "events", "{"), total);
	shipfrom_passed(s);
}

static void a_wrong_signature_is_answered_401(void **state)
{
	struct shipfrom *s = *state;
	char *json = read_payload("check_first_create");
	char *body = webhook_body(json, SPACE_PLUS);
	char *other = webhook_body(json, SPACE_PERCENT);
	char *good = webhook_header(SECRET, now_unix(), body);
	char *spoilt = strdup(good), *tampered = strdup(body);
	char line[200];

	spoilt[strlen(spoilt) - 1] ^= 1;
	*strstr(tampered, "19") = '2';
	assert_int_equal(status_of(s, NULL, body), 401);
	assert_int_equal(status_of(s, "X-Centra-Signature;", body), 401);
	assert_int_equal(status_of(s, "X-Centra-Signature: nonsense", body),
			 401);
	assert_int_equal(status_of(s, spoilt, body), 401);
	assert_int_equal(status_of(s, good, tampered), 401);
	assert_int_equal(status_of(s, good, other), 401);
	snprintf(line, sizeof(line), "X-Centra-Signature: t=%lld",
		 (long long)now_unix());
	assert_int_equal(status_of(s, line, body), 401);
	snprintf(line, sizeof(line), "X-Centra-Signature: %s",
		 strstr(good, "v1="));
	assert_int_equal(status_of(s, line, body), 401);
	assert_int_equal(signed_status(s, "test124", now_unix(), body), 401);
	assert_int_equal(signed_status(s, "", now_unix(), body), 401);
	assert_int_equal(lines_with(s, "events", "{"), 0);
	assert_int_equal(lines_with(s, "quarantine", "{"), 0);
	assert_int_equal(status_of(s, good, body), 200);
	free(tampered);
	free(spoilt);
	free(good);
	free(other);
	free(body);
	free(json);
	shipfrom_passed(s);
}

static void a_signature_too_old_or_from_the_future_is_answered_401(void **state)
{
	struct shipfrom *s = *state;
	char *json = read_payload("check_first_create");
	char *body = webhook_body(json, SPACE_PLUS);

	assert_int_equal(signed_status(s, SECRET, now_unix() - 310, body), 401);
	assert_int_equal(signed_status(s, SECRET, now_unix() + 310, body), 401);
	assert_int_equal(signed_status(s, SECRET, 12345678, body), 401);
	assert_int_equal(lines_with(s, "events", "{"), 0);
	assert_int_equal(signed_status(s, SECRET, now_unix() - 290, body), 200);
	assert_int_equal(signed_status(s, SECRET, now_unix() + 290, body), 200);
	free(body);
	free(json);
	shipfrom_passed(s);
}

static void blanks_order_and_unknown_parts_of_the_header_do_not_matter(
	void **state)
{
	struct shipfrom *s = *state;
	char *json = read_payload("check_first_create");
	char *body = webhook_body(json, SPACE_PLUS);
	int64_t t = now_unix();
	char *header = webhook_header(SECRET, t, body);
	const char *v1 = strstr(header, "v1=");
	char line[300];

	snprintf(line, sizeof(line), "X-Centra-Signature: t=%lld,   %s",
		 (long long)t, v1);
	assert_int_equal(status_of(s, line, body), 200);
	snprintf(line, sizeof(line),
		 "X-Centra-Signature: %s ,\tv2=abc , t=%lld", v1,
		 (long long)t);
	assert_int_equal(status_of(s, line, body), 200);
	free(header);
	free(body);
	free(json);
	shipfrom_passed(s);
}

static void mistakes_are_named_in_their_order_404_413_401(void **state)
{
	struct shipfrom *s = *state;
	char *big = malloc(70000), url[256];
	struct answer a;

	assert_non_null(big);
	memset(big, 'x', 70000);
	memcpy(big, "payload=", 8);
	snprintf(url, sizeof(url), "%s/webhooks/centra/nobody", s->url);
	a = webhook_post(url, NULL, big, 70000);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	a = webhook_post(s->hook, NULL, big, 70000);
	assert_int_equal(a.status, 413);
	answer_release(&a);
	a = webhook_post(s->hook, NULL, big, 1000);
	assert_int_equal(a.status, 401);
	assert_non_null(a.json);
	assert_int_equal(number_of(a.json, "status"), 401);
	answer_release(&a);
	free(big);
	shipfrom_passed(s);
}

static void the_wrong_webhook_version_is_kept_aside_and_answered_200(
	void **state)
{
	struct shipfrom *s = *state;
	char *json = read_payload("checkout_api_products");
	struct answer a = webhook_send(s->hook, json, SPACE_PLUS);

	assert_int_equal(a.status, 200);
	assert_int_equal(number_of(a.json, "new"), 0);
	answer_release(&a);
	assert_int_equal(lines_with(s, "quarantine", "{"), 1);
	free(json);
	shipfrom_passed(s);
}

static void a_signed_body_that_does_not_parse_is_kept_aside_and_answered_200(
	void **state)
{
	static const char *const bodies[] = {
		"payload=%7B%22events%22%3A", "payload=", "", "x=1",
		"payload=%7B%22events%22%3A%5B%5D%7", "payload=%00%01",
		"payload=null"};
	struct shipfrom *s = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(signed_status(s, SECRET, now_unix(),
					       bodies[i]),
				 200);
	assert_true(lines_with(s, "quarantine", "{") >= 5);
	shipfrom_passed(s);
}

static void one_bad_event_does_not_cost_the_others(void **state)
{
	struct shipfrom *s = *state;

	expect(webhook_send(
		       s->hook,
		       "{\"events\":["
		       "{\"type\":\"order\",\"action\":\"update\",\"date\":"
		       "\"2021-01-29 14:40:58.628033\",\"id\":1},"
		       "{\"type\":5,\"action\":\"update\",\"date\":"
		       "\"2021-01-29 14:40:58.628033\",\"id\":2},"
		       "{\"type\":\"order\",\"action\":\"update\",\"date\":"
		       "\"2021-02-31 14:40:58.628033\",\"id\":3},"
		       "{\"type\":\"order\",\"action\":\"update\",\"date\":"
		       "\"2021-01-29 14:40:58.628034\",\"id\":1.5},"
		       "{\"type\":\"order\",\"action\":\"update\",\"date\":"
		       "\"2021-01-29 14:40:58.628035\",\"id\":\"4\"}]}",
		       SPACE_PLUS),
	       5, 2, 0, 3);
	assert_int_equal(lines_with(s, "quarantine", "{"), 3);
	shipfrom_passed(s);
}

static void events_of_unknown_types_are_kept(void **state)
{
	struct shipfrom *s = *state;

	expect(webhook_send(s->hook,
			    "{\"events\":["
			    "{\"type\":\"spaceship\",\"action\":\"launch\","
			    "\"date\":\"2021-01-29 14:40:58.628033\","
			    "\"id\":7,\"data\":[]},"
			    "{\"type\":\"check_first\",\"action\":\"thawed\","
			    "\"date\":\"2021-01-29 14:40:58.628033\","
			    "\"id\":2131231241249,\"data\":{}}]}",
			    SPACE_PLUS),
	       2, 2, 0, 0);
	assert_int_equal(lines_with(s, "events", "spaceship"), 1);
	assert_int_equal(lines_with(s, "events", "2131231241249"), 1);
	shipfrom_passed(s);
}

static void the_same_event_twice_in_one_delivery_is_new_once(void **state)
{
	struct shipfrom *s = *state;

	expect(webhook_send(s->hook,
			    "{\"events\":["
			    "{\"type\":\"order\",\"action\":\"update\","
			    "\"date\":\"2021-01-29 14:40:58.62\",\"id\":1},"
			    "{\"id\":1,\"date\":\"2021-01-29 14:40:58.620000\","
			    "\"action\":\"update\",\"type\":\"order\"}]}",
			    SPACE_PLUS),
	       2, 1, 1, 0);
	shipfrom_passed(s);
}

static void only_post_is_taken(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = http_get(s->hook, NULL);

	assert_true(a.status == 405 || a.status == 404);
	answer_release(&a);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_payload_is_stored_once_in_either_encoding),
		T(a_wrong_signature_is_answered_401),
		T(a_signature_too_old_or_from_the_future_is_answered_401),
		T(blanks_order_and_unknown_parts_of_the_header_do_not_matter),
		T(mistakes_are_named_in_their_order_404_413_401),
		T(the_wrong_webhook_version_is_kept_aside_and_answered_200),
		T(a_signed_body_that_does_not_parse_is_kept_aside_and_answered_200),
		T(one_bad_event_does_not_cost_the_others),
		T(events_of_unknown_types_are_kept),
		T(the_same_event_twice_in_one_delivery_is_new_once),
		T(only_post_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
