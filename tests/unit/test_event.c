/* SPDX-License-Identifier: MIT
 *
 * test_event.c - a webhook's payload, read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/buf.h"
#include "centra/event.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

#define DATE "\"date\":\"2021-01-11 16:21:00.552288\""

static struct centra_batch read_batch(const char *json)
{
	struct centra_batch b;
	struct err e;
	size_t len = strlen(json);
	char *copy = malloc(len ? len : 1); /* without a NUL */
	enum rc rc;

	memcpy(copy, json, len);
	rc = centra_batch_parse(copy, len, &b, &e);
	free(copy);
	if (rc)
		print_error("%s: %s\n", json, e.text);
	assert_int_equal(rc, OK);
	return b;
}

static void expect_invalid(const char *json)
{
	struct centra_batch b = {0};
	struct err e = {{0}};

	assert_int_equal(centra_batch_parse(json, strlen(json), &b, &e),
			 RC_INVALID);
	assert_true(e.text[0]);
	centra_batch_release(&b);
}

/* The only event of a batch, made of these members. */
static struct centra_batch one(const char *members)
{
	char json[4096];
	struct centra_batch b;

	snprintf(json, sizeof(json), "{\"events\":[{%s}]}", members);
	b = read_batch(json);
	assert_int_equal(b.version, WEBHOOK_INTEGRATION);
	assert_int_equal(b.n, 1);
	return b;
}

/* bad is a part of the reason; NULL: the event is good. */
static void expect(const char *members, const char *bad)
{
	struct centra_batch b = one(members);

	if (!!bad != !!b.events[0].bad)
		print_error("%s: %s\n", members, b.events[0].bad);
	assert_true(!!bad == !!b.events[0].bad);
	if (bad)
		assert_non_null(strstr(b.events[0].bad, bad));
	assert_int_equal(!!b.events[0].raw, !!bad);
	centra_batch_release(&b);
}

static void expect_data(const char *data, const char *want)
{
	char members[4096];
	struct centra_batch b;

	snprintf(members, sizeof(members),
		 "\"type\":\"t\",\"action\":\"a\"," DATE ",\"id\":1%s%s",
		 data ? ",\"data\":" : "", data ? data : "");
	b = one(members);
	assert_null(b.events[0].bad);
	if (want)
		assert_string_equal(b.events[0].data, want);
	else
		assert_null(b.events[0].data);
	centra_batch_release(&b);
}

/* ---- Centra's own examples, in both encodings of a space ---- */

static char *file_text(const char *name)
{
	char path[200], text[8192];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "tests/data/payloads/%s.json", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_true(n > 0);
	return strdup(text);
}

/* As PHP's urlencode() and rawurlencode(). */
static void encode(struct buf *b, const char *s, const char *space)
{
	for (; *s; s++) {
		if (*s == ' ')
			buf_str(b, space);
		else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')
			buf_char(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
	}
}

static struct centra_batch from_file(const char *name, const char *space)
{
	char *text = file_text(name), *payload = NULL;
	struct centra_batch b;
	struct buf body;
	size_t len;
	struct err e;

	buf_init(&body, 1 << 20);
	buf_str(&body, "payload=");
	encode(&body, text, space);
	assert_int_equal(form_payload(body.data, body.len, &payload, &len, &e),
			 OK);
	assert_string_equal(payload, text);
	assert_int_equal(centra_batch_parse(payload, len, &b, &e), OK);
	buf_release(&body);
	free(payload);
	free(text);
	return b;
}

struct example {
	const char *type, *action, *date;
	int64_t id;
	const char *data;
};

static void an_example(const char *name, enum webhook_version version,
		       const struct example *want, size_t n)
{
	static const char *const spaces[] = {"+", "%20"};

	for (size_t s = 0; s < 2; s++) {
		struct centra_batch b = from_file(name, spaces[s]);

		assert_int_equal(b.version, version);
		assert_int_equal(b.n, n);
		for (size_t i = 0; i < n; i++) {
			assert_null(b.events[i].bad);
			assert_string_equal(b.events[i].type, want[i].type);
			assert_string_equal(b.events[i].action, want[i].action);
			assert_string_equal(b.events[i].date, want[i].date);
			assert_true(b.events[i].id == want[i].id);
			if (want[i].data)
				assert_string_equal(b.events[i].data,
						    want[i].data);
			else
				assert_null(b.events[i].data);
		}
		centra_batch_release(&b);
	}
}

#define EVENT(t, a, d, i, x)                                                  \
	{                                                                     \
		.type = t, .action = a, .date = d, .id = (i), .data = x       \
	}

static void the_examples_of_check_first_are_read(void **state)
{
	static const struct example create[] = {EVENT(
		"check_first", "create", "2021-01-11 16:21:00.552288", 19,
		"{\"warehouses\":["
		"{\"expirationAt\":\"2021-01-11T15:21:00+01:00\","
		"\"warehouseId\":2},"
		"{\"expirationAt\":\"2021-01-12T16:21:00+01:00\","
		"\"warehouseId\":3},"
		"{\"expirationAt\":\"2021-01-12T16:21:00+01:00\","
		"\"warehouseId\":4}]}")};
	static const struct example accepted[] = {
		EVENT("check_first", "accepted", "2021-01-11 16:20:17.752285",
		      18, "{\"warehouseId\":4}")};
	static const struct example rejected[] = {
		EVENT("check_first", "rejected", "2021-01-11 16:21:08.356543",
		      20, "{\"warehouseId\":3}"),
		EVENT("check_first", "rejected", "2021-01-11 16:21:08.773921",
		      20, "{\"warehouseId\":4}")};
	static const struct example timeout[] = {
		EVENT("check_first", "timeout", "2021-01-11 16:20:00.757946",
		      18, "{\"warehouseId\":2}")};

	(void)state;
	an_example("check_first_create", WEBHOOK_INTEGRATION, create, 1);
	an_example("check_first_accepted", WEBHOOK_INTEGRATION, accepted, 1);
	an_example("check_first_rejected", WEBHOOK_INTEGRATION, rejected, 2);
	an_example("check_first_timeout", WEBHOOK_INTEGRATION, timeout, 1);
}

static void the_examples_of_orders_and_shipments_are_read(void **state)
{
	static const struct example order[] = {
		EVENT("order", "update", "2021-01-29 14:40:58.628033", 2735,
		      NULL),
		EVENT("shipment", "create", "2021-01-29 14:40:58.628119", 1902,
		      NULL),
		EVENT("shipment", "good_to_go", "2021-01-29 14:40:58.628239",
		      1902, NULL)};
	static const struct example cancel[] = {
		EVENT("order", "insert", "2021-01-29 14:40:58.628033", 14,
		      NULL),
		EVENT("order", "cancel", "2021-01-29 15:02:11.104552", 14,
		      NULL)};

	(void)state;
	an_example("order_and_shipment", WEBHOOK_INTEGRATION, order, 3);
	an_example("order_insert_cancel", WEBHOOK_INTEGRATION, cancel, 2);
}

/* In place of its id, which may be anything, it has the order's number. */
static void the_example_of_an_allocation_request_is_kept_whole(void **state)
{
	static const struct example want[] = {EVENT(
		"allocation_request", "create", "2023-12-29 09:44:11.505407", 67,
		"{\"$id\":2131231241249,"
		"\"expirationDate\":{\"date\":\"2023-12-29 10:44:11.384563\","
		"\"timezone\":\"Europe/Stockholm\",\"timezone_type\":3},"
		"\"lines\":{\"102\":{\"lineId\":102,\"quantity\":1,"
		"\"stockItemId\":19},\"103\":{\"lineId\":103,\"quantity\":1,"
		"\"stockItemId\":19}},"
		"\"order\":{\"id\":\"367482b8c68dd399db65637ce0208940\","
		"\"number\":67},\"status\":\"allocated\",\"warehouseId\":9}")};

	(void)state;
	an_example("allocation_request_create", WEBHOOK_INTEGRATION, want, 1);
}

#define REQUEST(status, lines, expiry)                                         \
	"{\"status\":\"" status "\",\"warehouseId\":9,\"expirationDate\":"      \
	expiry ",\"order\":{\"number\":67},\"lines\":" lines "}"
#define PHP(type, zone)                                                        \
	"{\"date\":\"2023-12-29 10:44:11.384563\",\"timezone_type\":" type       \
	",\"timezone\":\"" zone "\"}"
#define EXPIRES INT64_C(1703843051000) /* 2023-12-29 09:44:11 UTC */

static void each_form_of_an_expiry_is_one_moment(void **state)
{
	static const char *const forms[] = {
		PHP("3", "Europe/Stockholm"),
		PHP("2", "CET"),
		PHP("1", "+01:00"),
		"\"2023-12-29T10:44:11+01:00\"",
		"\"2023-12-29T09:44:11Z\"",
	};
	struct zone *zone = NULL;

	(void)state;
	assert_int_equal(zone_open(&zone, "Europe/Stockholm", NULL), OK);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct centra_request *r = NULL;
		char *data = xasprintf(REQUEST("sent", "[]", "%s"), forms[i]);
		struct err e;

		assert_int_equal(centra_request_read(data, &r, &e), OK);
		assert_true(r->expires == EXPIRES);
		free(r);
		free(data);
	}
	zone_close(zone);
}

/* As the clocks go back, a local time is two moments: which of them is meant,
 * the list of the Order API says. */
static void an_expiry_in_the_hour_that_comes_twice_is_not_known(void **state)
{
	static const struct {
		const char *date;
		bool known;
	} cases[] = {
		{"2023-10-29 01:59:59.9", true},
		{"2023-10-29 02:00:00.0", false},
		{"2023-10-29 02:59:59.9", false},
		{"2023-10-29 03:00:00.0", true},
	};
	struct zone *zone = NULL;

	(void)state;
	assert_int_equal(zone_open(&zone, "Europe/Stockholm", NULL), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct centra_request *r = NULL;
		char *expiry = xasprintf("{\"date\":\"%s\",\"timezone_type\":3,"
					 "\"timezone\":\"Europe/Stockholm\"}",
					 cases[i].date);
		char *data = xasprintf(REQUEST("sent", "[]", "%s"), expiry);
		struct err e;

		assert_int_equal(centra_request_read(data, &r, &e), OK);
		assert_int_equal(r->expires != TIME_NONE, cases[i].known);
		free(r);
		free(data);
		free(expiry);
	}
	zone_close(zone);
}

static void lines_are_an_object_or_a_list_or_nothing(void **state)
{
	static const struct {
		const char *lines;
		size_t n;
	} cases[] = {
		{"{\"102\":{\"lineId\":102,\"quantity\":1},"
		 "\"103\":{\"lineId\":103,\"quantity\":2}}", 2},
		{"[{\"lineId\":102,\"quantity\":1},"
		 "{\"lineId\":\"103\",\"quantity\":2}]", 2},
		{"[]", 0},
		{"null", 0},
		{"[{\"lineId\":-1},{\"quantity\":1},7,\"x\"]", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct centra_request *r = NULL;
		char *data = xasprintf(REQUEST("sent", "%s", "null"),
				       cases[i].lines);
		struct err e;

		assert_int_equal(centra_request_read(data, &r, &e), OK);
		assert_int_equal(r->n_lines, cases[i].n);
		assert_true(r->expires == TIME_NONE);
		if (r->n_lines == 2)
			assert_true(r->lines[1].line == 103 &&
				    r->lines[1].quantity == 2);
		free(r);
		free(data);
	}
}

static void a_request_without_order_warehouse_or_status_is_bad(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"status\":\"sent\",\"warehouseId\":9}",
		"{\"status\":\"sent\",\"order\":{\"number\":67}}",
		"{\"warehouseId\":9,\"order\":{\"number\":67}}",
		("{\"status\":\"sent\",\"warehouseId\":9,"
		 "\"order\":{\"number\":0}}"),
		"[]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *json = xasprintf(
			"{\"events\":[{\"type\":\"allocation_request\","
			"\"action\":\"create\",\"id\":5,"
			"\"date\":\"2023-12-29 09:44:11.505407\","
			"\"data\":%s}]}",
			bad[i]);
		struct centra_batch b;
		struct err e;

		assert_int_equal(centra_batch_parse(json, strlen(json), &b, &e),
				 OK);
		assert_int_equal(b.n, 1);
		assert_non_null(b.events[0].bad);
		assert_non_null(b.events[0].raw);
		centra_batch_release(&b);
		free(json);
	}
}

static void the_other_versions_are_told_apart(void **state)
{
	static const struct {
		const char *json;
		enum webhook_version version;
	} cases[] = {
		{"{\"products\":[19]}", WEBHOOK_CHECKOUT},
		{"{\"new\":[],\"mapsLocations\":[\"1\"]}", WEBHOOK_CHECKOUT},
		{"{\"mapsRegion\":[\"1\"]}", WEBHOOK_CHECKOUT},
		{"{\"mapsRegions\":[\"1\"]}", WEBHOOK_CHECKOUT},
		{"{\"DisplayItems\":[\"52\"]}", WEBHOOK_STOREFRONT},
		{"{\"BrickAndMortars\":[\"5\"]}", WEBHOOK_STOREFRONT},
		{"{\"products\":[\"1\"],\"events\":[]}", WEBHOOK_INTEGRATION},
		{"{\"events\":[]}", WEBHOOK_INTEGRATION},
		{"{\"events\":{}}", WEBHOOK_INTEGRATION},
		{" \r\n\t{\"events\":[]} \n", WEBHOOK_INTEGRATION},
	};

	(void)state;
	an_example("checkout_api_products", WEBHOOK_CHECKOUT, NULL, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct centra_batch b = read_batch(cases[i].json);

		assert_int_equal(b.version, cases[i].version);
		assert_int_equal(b.n, 0);
		centra_batch_release(&b);
	}
}

static void what_is_of_no_version_is_invalid(void **state)
{
	static const char *const cases[] = {
		"", " ", "x", "[]", "{}", "null", "1", "\"events\"",
		"{\"events\":null}", "{\"events\":\"x\"}", "{\"events\":1}",
		"{\"events\":true}", "{\"Events\":[]}", "{\"foo\":[1]}",
		"{\"x\":\"test\"}",
		/* An event instead of a list of them. */
		"{\"events\":{\"type\":\"order\"}}", "{\"events\":{\"\":{}}}",
		"[{\"events\":[]}]",
		/* A key is not cut at a NUL. */
		"{\"events\\u0000x\":[]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_invalid(cases[i]);
}

static void what_is_not_json_is_invalid(void **state)
{
	static const char *const cases[] = {
		"{\"events\":[]", "{\"events\":[}", "{\"events\":[]}x",
		"{\"events\":[]}{}", "{\"events\":[],}", "{'events':[]}",
		"{\"events\":[nul]}", "{\"events\":[\"x]}",
		"{\"events\":[\"\\", "{\"events\":[\"\\u12\"]}",
		"{\"events\":[\"\\u12g4\"]}", "{\"events\":[\"\\q\"]}",
		"{\"events\":[NaN]}", "{\"events\":[],1:2}",
		"{\"events\":[],1.5:2}"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_invalid(cases[i]);
}

static void a_list_keyed_by_number_is_a_list(void **state)
{
	struct centra_batch b = read_batch(
		"{\"events\":{\"0\":{\"type\":\"order\",\"action\":\"update\","
		DATE ",\"id\":5},\"2\":{\"type\":\"order\","
		"\"action\":\"update\"," DATE ",\"id\":6}}}");

	(void)state;
	assert_int_equal(b.n, 2);
	assert_null(b.events[0].bad);
	assert_int_equal(b.events[0].id, 5);
	assert_int_equal(b.events[1].id, 6);
	centra_batch_release(&b);
}

/* ---- one event ---- */

#define TA "\"type\":\"order\",\"action\":\"update\","

static void an_event_needs_a_type(void **state)
{
	(void)state;
	expect("\"action\":\"a\"," DATE ",\"id\":1", "'type'");
	expect("\"type\":\"\",\"action\":\"a\"," DATE ",\"id\":1", "'type'");
	expect("\"type\":5,\"action\":\"a\"," DATE ",\"id\":1", "'type'");
	expect("\"type\":null,\"action\":\"a\"," DATE ",\"id\":1", "'type'");
	expect("\"type\":[\"x\"],\"action\":\"a\"," DATE ",\"id\":1",
	       "'type'");
	expect("\"type\":\"a\\u0000b\",\"action\":\"a\"," DATE ",\"id\":1",
	       "'type'");
	expect("\"type\":\"a\\u0001b\",\"action\":\"a\"," DATE ",\"id\":1",
	       "'type'");
	expect("\"type\":\"a\\nb\",\"action\":\"a\"," DATE ",\"id\":1",
	       "'type'");
}

static void an_event_needs_an_action(void **state)
{
	(void)state;
	expect("\"type\":\"order\"," DATE ",\"id\":1", "'action'");
	expect("\"type\":\"order\",\"action\":\"\"," DATE ",\"id\":1",
	       "'action'");
	expect("\"type\":\"order\",\"action\":1.5," DATE ",\"id\":1",
	       "'action'");
	expect("\"type\":\"order\",\"action\":\"a\\u0000\"," DATE ",\"id\":1",
	       "'action'");
}

static void a_word_has_at_most_64_bytes(void **state)
{
	char members[400], w[66];

	(void)state;
	memset(w, 'a', 65);
	w[65] = '\0';
	snprintf(members, sizeof(members),
		 "\"type\":\"%s\",\"action\":\"x\"," DATE ",\"id\":1", w);
	expect(members, "'type'");
	snprintf(members, sizeof(members),
		 "\"type\":\"x\",\"action\":\"%s\"," DATE ",\"id\":1", w);
	expect(members, "'action'");
	snprintf(members, sizeof(members),
		 "\"type\":\"%s\",\"action\":\"%s\"," DATE ",\"id\":1", w + 1,
		 w + 1);
	expect(members, NULL);
}

static void an_event_needs_a_date(void **state)
{
	static const char *const bad[] = {
		"", "\"date\":null,", "\"date\":\"\",", "\"date\":5,",
		"\"date\":\"2021-01-11\",",
		"\"date\":\"2021-01-11T16:21:00.552288\",",
		"\"date\":\"2021-02-31 16:21:00\",",
		"\"date\":\"0000-00-00 00:00:00\",",
		"\"date\":\"2021-01-11 16:21:00.5522881\",",
		"\"date\":\"2021-01-11 16:21:00.552288\\u0000\","};
	char members[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(members, sizeof(members), TA "%s\"id\":1", bad[i]);
		expect(members, "'date'");
	}
}

static void a_date_is_padded_to_six_digits(void **state)
{
	struct centra_batch b =
		one(TA "\"date\":\"2021-01-11 16:21:00.5\",\"id\":1");

	(void)state;
	assert_null(b.events[0].bad);
	assert_string_equal(b.events[0].date, "2021-01-11 16:21:00.500000");
	centra_batch_release(&b);
}

static void an_id_is_exact_to_64_bits_as_number_or_text(void **state)
{
	static const struct {
		const char *text;
		int64_t id;
	} cases[] = {
		{"1", 1},
		{"999999999999999", 999999999999999},
		{"1000000000000000", 1000000000000000},
		{"9007199254740993", 9007199254740993},
		{"9223372036854775807", INT64_MAX},
	};
	char members[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int quoted = 0; quoted < 2; quoted++) {
			struct centra_batch b;
			const char *q = quoted ? "\"" : "";

			snprintf(members, sizeof(members),
				 TA DATE ",\"id\":%s%s%s", q, cases[i].text,
				 q);
			b = one(members);
			assert_null(b.events[0].bad);
			assert_true(b.events[0].id == cases[i].id);
			centra_batch_release(&b);
		}
	}
}

static void what_is_no_integer_is_no_id(void **state)
{
	static const char *const bad[] = {
		"1.0", "1.5", "1e3", "1E0", "-0", "-1", "0", "007", "01",
		"9223372036854775808", "99999999999999999999999999", "1.",
		"1-2", "1e", "-"};
	static const char *const others[] = {
		"null", "true", "[]", "{}", "[1]", "\"\"", "\" 1\"", "\"1 \"",
		"\"0x10\"", "\"+1\"", "\"1\\u0000\"", "\"\\u00011\"",
		"\"\\u0001n1\""};
	char members[200];

	(void)state;
	expect(TA DATE, "'id'");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(members, sizeof(members), TA DATE ",\"id\":%s",
			 bad[i]);
		expect(members, "'id'");
		snprintf(members, sizeof(members), TA DATE ",\"id\":\"%s\"",
			 bad[i]);
		expect(members, "'id'");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(members, sizeof(members), TA DATE ",\"id\":%s",
			 others[i]);
		expect(members, "'id'");
	}
}

static void an_unknown_type_may_have_the_id_0(void **state)
{
	(void)state;
	expect("\"type\":\"new\",\"action\":\"x\"," DATE ",\"id\":0", NULL);
	expect("\"type\":\"new\",\"action\":\"x\"," DATE ",\"id\":-1", "'id'");
}

static void unknown_types_and_actions_are_fine(void **state)
{
	(void)state;
	expect("\"type\":\"moon\",\"action\":\"rise\"," DATE
	       ",\"id\":1,\"data\":{\"a\":[1]},\"more\":true", NULL);
	expect("\"type\":\"order\",\"action\":\"fly\"," DATE ",\"id\":1",
	       NULL);
	expect("\"type\":\"check_first\",\"action\":\"fly\"," DATE ",\"id\":1",
	       NULL);
}

static void what_is_no_object_is_a_bad_event(void **state)
{
	struct centra_batch b = read_batch(
		"{\"events\":[null,1,\"x\",[],{},true,1.5]}");

	(void)state;
	assert_int_equal(b.n, 7);
	for (size_t i = 0; i < b.n; i++)
		assert_non_null(b.events[i].bad);
	assert_string_equal(b.events[0].raw, "null");
	assert_string_equal(b.events[2].raw, "\"x\"");
	assert_string_equal(b.events[6].raw, "1.5");
	centra_batch_release(&b);
}

static void one_bad_event_does_not_cost_the_others(void **state)
{
	struct centra_batch b = read_batch(
		"{\"events\":["
		"{" TA DATE ",\"id\":1},"
		"{" TA DATE ",\"id\":01},"
		"{\"type\":\"\xff\",\"action\":\"x\"," DATE ",\"id\":3},"
		"{\"type\":\"\\ud800\",\"action\":\"x\"," DATE ",\"id\":4},"
		"{" TA DATE ",\"id\":5,\"data\":\"\\u0000\\ud800\"}]}");

	(void)state;
	assert_int_equal(b.n, 5);
	assert_null(b.events[0].bad);
	assert_non_null(b.events[1].bad);
	assert_string_equal(b.events[1].raw,
			    "{\"action\":\"update\","
			    "\"date\":\"2021-01-11 16:21:00.552288\","
			    "\"id\":\"01\",\"type\":\"order\"}");
	assert_non_null(strstr(b.events[2].bad, "'type'"));
	assert_non_null(strstr(b.events[3].bad, "'type'"));
	assert_null(b.events[4].bad);
	assert_string_equal(b.events[4].data, "\"\\u0000\\ud800\"");
	centra_batch_release(&b);
}

/* What it costs is told by test_graphql: nothing of `data` but ids and dates is
 * read of an event. */
static void an_odd_character_does_not_cost_the_event(void **state)
{
	static const struct {
		const char *data, *kept;
	} rows[] = {
		{"{\"name\":\"L\\u0007\xc3\xb6v\"}",
		 "{\"name\":\"L\\u0007\xc3\xb6v\"}"},
		{"{\"name\":\"L\x07\xc3\xb6v\"}",
		 "{\"name\":\"L\\u0007\xc3\xb6v\"}"},
		{"{\"name\":\"Rain\\u0000coat \\ud83c\"}",
		 "{\"name\":\"Rain\\u0000coat \\ud83c\"}"},
		/* a lone surrogate, and a byte of another encoding, as they
		 * are */
		{"{\"name\":\"a\xed\xa0\xbd" "b\"}",
		 "{\"name\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" "b\"}"},
		{"{\"na\xf6me\":\"L\xf6v\"}",
		 "{\"na\xef\xbf\xbdme\":\"L\xef\xbf\xbdv\"}"},
		{"{\"name\":\"cut \xc3\"}", "{\"name\":\"cut \xef\xbf\xbd\"}"},
	};
	struct centra_batch b;
	char members[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(members, sizeof(members),
			 TA DATE ",\"id\":1,\"data\":%s", rows[i].data);
		b = one(members);
		assert_null(b.events[0].bad);
		assert_string_equal(b.events[0].data, rows[i].kept);
		centra_batch_release(&b);
	}
}

static void a_nul_in_the_payload_does_not_cost_the_events(void **state)
{
	static const char bytes[] =
		"{\"events\":[\0{" TA DATE ",\"id\":1,"
		"\"data\":{\"name\":\"Rain\0coat\"}}]}\0";
	struct centra_batch b;
	struct err e;

	(void)state;
	assert_int_equal(
		centra_batch_parse(bytes, sizeof(bytes) - 1, &b, &e), OK);
	assert_int_equal(b.n, 1);
	assert_null(b.events[0].bad);
	assert_string_equal(b.events[0].data, "{\"name\":\"Rain\\u0000coat\"}");
	centra_batch_release(&b);
}

static void a_nul_joins_no_two_numbers(void **state)
{
	static const char bytes[] = "{\"events\":[1\0" "2]}";
	struct centra_batch b;
	struct err e;

	(void)state;
	assert_int_equal(
		centra_batch_parse(bytes, sizeof(bytes) - 1, &b, &e),
		RC_INVALID);
}

static void of_a_repeated_key_the_first_counts(void **state)
{
	struct centra_batch b =
		one(TA DATE ",\"id\":7,\"id\":8,\"type\":\"shipment\"");

	(void)state;
	assert_null(b.events[0].bad);
	assert_int_equal(b.events[0].id, 7);
	assert_string_equal(b.events[0].type, "order");
	centra_batch_release(&b);
}

/* ---- data, as it is compared ---- */

static void no_data_is_always_the_same(void **state)
{
	(void)state;
	expect_data(NULL, NULL);
	expect_data("null", NULL);
	expect_data("[]", NULL);
	expect_data("{}", NULL);
	expect_data(" [ ] ", NULL);
	expect_data("0", "0");
	expect_data("\"\"", "\"\"");
	expect_data("false", "false");
	expect_data("[[]]", "[[]]");
}

static void equal_data_has_one_form(void **state)
{
	(void)state;
	expect_data("{\"b\":1,\"a\":{\"d\":[1, 2 ],\"c\":null}}",
		    "{\"a\":{\"c\":null,\"d\":[1,2]},\"b\":1}");
	expect_data("{ \"a\" : {\"c\":null , \"d\":[1,2]},\"b\":1 }",
		    "{\"a\":{\"c\":null,\"d\":[1,2]},\"b\":1}");
	expect_data("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"b\":2}");
	expect_data("{\"aa\":1,\"a\":2,\"B\":3,\"\":4}",
		    "{\"\":4,\"B\":3,\"a\":2,\"aa\":1}");
	expect_data("\"Europe\\/Stockholm \\u00e5\\u0041\\t\\u000B\"",
		    "\"Europe/Stockholm \xc3\xa5" "A\\t\\u000b\"");
	expect_data("\"\\ud83d\\ude00\\\"\\\\\"",
		    "\"\xf0\x9f\x98\x80\\\"\\\\\"");
	expect_data("[true,false,null]", "[true,false,null]");
}

static void numbers_in_data_stay_as_written(void **state)
{
	(void)state;
	expect_data("[1,-5,0,1.50,1e3,1E+3,-0,9007199254740993,"
		    "123456789012345678901234567890,1e999]",
		    "[1,-5,0,1.50,1e3,1E+3,-0,9007199254740993,"
		    "123456789012345678901234567890,1e999]");
	expect_data("[01,1.,-]", "[\"01\",\"1.\",\"-\"]");
}

static void marks_cannot_be_forged(void **state)
{
	(void)state;
	/* A text that looks like our mark of a number stays a text. */
	expect_data("\"\\u0001n5\"", "\"\\u0001n5\"");
	expect_data("\"\x01n5\"", "\"\\u0001n5\"");
	expect_data("\"\\u00010\\u0000\\u0001s1234\"",
		    "\"\\u00010\\u0000\\u0001s1234\"");
	expect_data("\"\\ud800x\\udc00\\ud800\\u0041\"",
		    "\"\\ud800x\\udc00\\ud800A\"");
	expect_data("{\"a\\u0000b\":1,\"a\":2,\"\\u0001\":3}",
		    "{\"\\u0001\":3,\"a\":2,\"a\\u0000b\":1}");
}

/* ---- limits ---- */

static char *nested(int depth)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"events\":[{" TA DATE ",\"id\":1,\"data\":");
	for (int i = 0; i < depth; i++)
		buf_char(&b, '[');
	buf_char(&b, '1');
	for (int i = 0; i < depth; i++)
		buf_char(&b, ']');
	buf_str(&b, "}]}");
	return buf_detach(&b, NULL);
}

static void nesting_ends_at_32(void **state)
{
	struct centra_batch b;
	char *text = nested(29); /* and 3 around it */

	(void)state;
	b = read_batch(text);
	assert_null(b.events[0].bad);
	centra_batch_release(&b);
	free(text);
	text = nested(30);
	expect_invalid(text);
	free(text);
	text = nested(100000);
	expect_invalid(text);
	free(text);
}

static void brackets_in_a_text_do_not_nest(void **state)
{
	(void)state;
	expect_data("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"",
		    "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"");
}

static char *many(const char *value, size_t n)
{
	struct buf b;

	buf_init(&b, 64 << 20);
	buf_str(&b, "{\"events\":[");
	for (size_t i = 0; i < n; i++) {
		buf_str(&b, i ? "," : "");
		buf_str(&b, value);
	}
	buf_str(&b, "]}");
	return buf_detach(&b, NULL);
}

static void events_and_values_are_counted(void **state)
{
	struct centra_batch b;
	char *text = many("{}", BATCH_EVENTS_MAX);

	(void)state;
	b = read_batch(text);
	assert_int_equal(b.n, BATCH_EVENTS_MAX);
	centra_batch_release(&b);
	free(text);
	text = many("{}", BATCH_EVENTS_MAX + 1);
	expect_invalid(text);
	free(text);
	text = many("0", 600000);
	expect_invalid(text);
	free(text);
}

/* ---- check_first ---- */

#define CREATE(data)                                                          \
	"\"type\":\"check_first\",\"action\":\"create\"," DATE ",\"id\":19,"  \
	"\"data\":" data

static void a_create_without_a_usable_warehouse_is_bad(void **state)
{
	(void)state;
	expect(CREATE("null"), "'data.warehouses'");
	expect(CREATE("{}"), "'data.warehouses'");
	expect(CREATE("[]"), "'data.warehouses'");
	expect(CREATE("{\"warehouses\":[]}"), "'data.warehouses'");
	expect(CREATE("{\"warehouses\":5}"), "'data.warehouses'");
	expect(CREATE("{\"warehouses\":[5,null,\"x\"]}"), "'data.warehouses'");
	expect(CREATE("{\"warehouses\":[{\"warehouseId\":0}]}"),
	       "'data.warehouses'");
	expect(CREATE("{\"warehouses\":[{\"warehouseId\":1.5}]}"),
	       "'data.warehouses'");
	expect(CREATE("{\"warehouseId\":5}"), "'data.warehouses'");
	expect(CREATE("{\"warehouses\":[{\"warehouseId\":1}]}"), NULL);
}

/* What can be read is an event, and the rest one that cannot. */
static void a_create_read_in_part_is_two(void **state)
{
	struct centra_batch b = read_batch(
		"{\"events\":[{\"type\":\"check_first\",\"action\":"
		"\"create\"," DATE ",\"id\":9007199254740993,\"data\":"
		"{\"warehouses\":[{\"warehouseId\":1},{\"warehouseId\":"
		"1.5},{\"warehouseId\":2},null]}},{" TA DATE ",\"id\":1}]}");

	(void)state;
	assert_int_equal(b.n, 3);
	assert_null(b.events[0].bad);
	assert_int_equal(b.events[0].check_first->n_offers, 2);
	assert_non_null(strstr(b.events[1].bad, "'data.warehouses'"));
	assert_string_equal(b.events[1].raw,
			    "{\"action\":\"create\",\"data\":{\"warehouses\":"
			    "[{\"warehouseId\":1.5},null]},"
			    "\"date\":\"2021-01-11 16:21:00.552288\","
			    "\"id\":9007199254740993,"
			    "\"type\":\"check_first\"}");
	assert_null(b.events[2].bad);
	assert_int_equal(b.events[2].id, 1);
	centra_batch_release(&b);
}

static void so_is_one_whose_warehouses_are_keyed(void **state)
{
	struct centra_batch b = read_batch(
		"{\"events\":[{\"type\":\"check_first\",\"action\":"
		"\"create\"," DATE ",\"id\":19,\"data\":{\"warehouses\":"
		"{\"0\":{\"warehouseId\":0},\"2\":{\"warehouseId\":3}}}}"
		"]}");

	(void)state;
	assert_int_equal(b.n, 2);
	assert_null(b.events[0].bad);
	assert_non_null(strstr(b.events[1].raw,
			       "{\"warehouses\":{\"0\":{\"warehouseId\":0}}}"));
	centra_batch_release(&b);
}

static void the_others_need_a_warehouse(void **state)
{
	static const char *const actions[] = {"accepted", "rejected",
					      "timeout"};
	static const char *const bad[] = {
		"null", "{}", "[]", "{\"warehouseId\":0}",
		"{\"warehouseId\":-3}", "{\"warehouseId\":null}",
		"{\"warehouseId\":\"x\"}", "{\"warehouseId\":3.0}",
		"{\"warehouses\":[{\"warehouseId\":3}]}"};
	char members[300];

	(void)state;
	for (size_t a = 0; a < 3; a++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			snprintf(members, sizeof(members),
				 "\"type\":\"check_first\",\"action\":\"%s\","
				 DATE ",\"id\":19,\"data\":%s",
				 actions[a], bad[i]);
			expect(members, "'data.warehouseId'");
		}
		snprintf(members, sizeof(members),
			 "\"type\":\"check_first\",\"action\":\"%s\"," DATE
			 ",\"id\":19,\"data\":{\"warehouseId\":\"3\"}",
			 actions[a]);
		expect(members, NULL);
	}
}

/* Decodes the data of a create that has usable offers. */
static struct check_first *create_of(const char *data)
{
	struct check_first *ret = NULL;
	struct err e;

	assert_int_equal(check_first_read("create", data, &ret, &e), OK);
	assert_int_equal(ret->warehouse, 0);
	return ret;
}

static void offers_are_read_with_their_expiry(void **state)
{
	struct check_first *got = create_of(
			"{\"warehouses\":["
			"{\"warehouseId\":2,"
			"\"expirationAt\":\"2021-01-11T15:21:00+01:00\"},"
			"{\"warehouseId\":\"9007199254740993\","
			"\"expirationAt\":\"2021-01-11T14:21:00Z\"},"
			"{\"warehouseId\":2}]}");
	const struct check_first_offer *o = got->offers;

	(void)state;
	assert_int_equal(got->n_offers, 3);
	assert_int_equal(o[0].warehouse, 2);
	assert_true(o[0].expires == 1610374860000);
	assert_int_equal(o[0].offset_min, 60);
	assert_true(o[1].warehouse == 9007199254740993);
	assert_true(o[1].expires == 1610374860000);
	assert_int_equal(o[1].offset_min, 0);
	assert_int_equal(o[2].warehouse, 2); /* again: both are kept */
	assert_true(o[2].expires == TIME_NONE);
	free(got);
}

static void an_unreadable_expiry_is_none(void **state)
{
	static const char *const cases[] = {
		"\"\"", "null", "5", "\"soon\"", "\"2021-02-31T10:00:00Z\"",
		"\"2021-01-11 15:21:00\"", "{\"date\":\"2021-01-11 15:21:00\"}",
		"\"2021-01-11T15:21:00+01:00\\u0000\""};
	struct check_first *got;
	char data[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(data, sizeof(data),
			 "{\"warehouses\":[{\"warehouseId\":2,"
			 "\"expirationAt\":%s}]}",
			 cases[i]);
		got = create_of(data);
		assert_int_equal(got->n_offers, 1);
		assert_true(got->offers[0].expires == TIME_NONE);
		assert_int_equal(got->offers[0].offset_min, 0);
		free(got);
	}
}

static void a_bad_warehouse_does_not_cost_the_good_ones(void **state)
{
	struct check_first *got = create_of(
		"{\"warehouses\":{\"1\":{\"warehouseId\":3},"
		"\"2\":null,\"5\":{\"warehouseId\":\"x\"},"
		"\"7\":{\"warehouseId\":4}}}");

	(void)state;
	assert_int_equal(got->n_offers, 2);
	assert_int_equal(got->offers[0].warehouse, 3);
	assert_int_equal(got->offers[1].warehouse, 4);
	free(got);
}

static void data_without_offers_is_invalid(void **state)
{
	static const char *const cases[] = {
		NULL, "", "x", "5", "[]", "{}", "{\"warehouses\":null}",
		"{\"warehouses\":[{}]}", "{\"warehouses\":[{\"warehouseId\":"};
	struct check_first *got = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = {{0}};

		assert_int_equal(check_first_read("create", cases[i], &got, &e),
				 RC_INVALID);
		assert_true(e.text[0]);
		assert_null(got);
		assert_int_equal(check_first_read("timeout", cases[i], &got,
						  &e),
				 RC_INVALID);
		assert_null(got);
	}
}

static void a_warehouse_is_read(void **state)
{
	static const struct {
		const char *data;
		int64_t warehouse;
	} rows[] = {
		{"{\"warehouseId\":4}", 4},
		{"{\"warehouseId\":9223372036854775807}", INT64_MAX},
	};
	struct check_first *got = NULL;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(check_first_read("accepted", rows[i].data,
						  &got, &e),
				 OK);
		assert_true(got->warehouse == rows[i].warehouse);
		assert_int_equal(got->n_offers, 0);
		free(got);
	}
}

static void releasing_nothing_is_fine(void **state)
{
	struct centra_batch b = {0};

	(void)state;
	centra_batch_release(&b);
	centra_batch_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_check_first_are_read),
		cmocka_unit_test(the_examples_of_orders_and_shipments_are_read),
		cmocka_unit_test(
			the_example_of_an_allocation_request_is_kept_whole),
		cmocka_unit_test(each_form_of_an_expiry_is_one_moment),
		cmocka_unit_test(
			an_expiry_in_the_hour_that_comes_twice_is_not_known),
		cmocka_unit_test(lines_are_an_object_or_a_list_or_nothing),
		cmocka_unit_test(
			a_request_without_order_warehouse_or_status_is_bad),
		cmocka_unit_test(the_other_versions_are_told_apart),
		cmocka_unit_test(what_is_of_no_version_is_invalid),
		cmocka_unit_test(what_is_not_json_is_invalid),
		cmocka_unit_test(a_list_keyed_by_number_is_a_list),
		cmocka_unit_test(an_event_needs_a_type),
		cmocka_unit_test(an_event_needs_an_action),
		cmocka_unit_test(a_word_has_at_most_64_bytes),
		cmocka_unit_test(an_event_needs_a_date),
		cmocka_unit_test(a_date_is_padded_to_six_digits),
		cmocka_unit_test(an_id_is_exact_to_64_bits_as_number_or_text),
		cmocka_unit_test(what_is_no_integer_is_no_id),
		cmocka_unit_test(an_unknown_type_may_have_the_id_0),
		cmocka_unit_test(unknown_types_and_actions_are_fine),
		cmocka_unit_test(what_is_no_object_is_a_bad_event),
		cmocka_unit_test(one_bad_event_does_not_cost_the_others),
		cmocka_unit_test(an_odd_character_does_not_cost_the_event),
		cmocka_unit_test(a_nul_in_the_payload_does_not_cost_the_events),
		cmocka_unit_test(a_nul_joins_no_two_numbers),
		cmocka_unit_test(of_a_repeated_key_the_first_counts),
		cmocka_unit_test(no_data_is_always_the_same),
		cmocka_unit_test(equal_data_has_one_form),
		cmocka_unit_test(numbers_in_data_stay_as_written),
		cmocka_unit_test(marks_cannot_be_forged),
		cmocka_unit_test(nesting_ends_at_32),
		cmocka_unit_test(brackets_in_a_text_do_not_nest),
		cmocka_unit_test(events_and_values_are_counted),
		cmocka_unit_test(a_create_without_a_usable_warehouse_is_bad),
		cmocka_unit_test(a_create_read_in_part_is_two),
		cmocka_unit_test(so_is_one_whose_warehouses_are_keyed),
		cmocka_unit_test(the_others_need_a_warehouse),
		cmocka_unit_test(offers_are_read_with_their_expiry),
		cmocka_unit_test(an_unreadable_expiry_is_none),
		cmocka_unit_test(a_bad_warehouse_does_not_cost_the_good_ones),
		cmocka_unit_test(data_without_offers_is_invalid),
		cmocka_unit_test(a_warehouse_is_read),
		cmocka_unit_test(releasing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
