/* SPDX-License-Identifier: MIT
 *
 * Replies of the SOAP API's queue: those that are published, the faults that are
 * assumed, and XML that means harm.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "centra/soap.h"
#include "centra/xml.h"

#include <cmocka.h>

#define HEAD                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                           \
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "   \
	"xmlns:n=\"http://www.centra.com/webservices/\"><e:Body>"
#define TAIL "</e:Body></e:Envelope>"
#define GET(events)                                                           \
	HEAD "<n:events_Get><n:events>" events "</n:events></n:events_Get>" TAIL
#define EVENT(id, type, inner)                                                \
	"<n:event><n:id>" id "</n:id><n:type>" type "</n:type>" inner           \
	"</n:event>"

static char *payload(const char *name, size_t *ret_len)
{
	char path[200];
	FILE *f;
	struct buf b;
	char part[4096];
	size_t n;

	snprintf(path, sizeof(path), "tests/data/payloads/%s", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("no %s", path);
	buf_init(&b, 1 << 20);
	while ((n = fread(part, 1, sizeof(part), f)))
		assert_int_equal(buf_add(&b, part, n), OK);
	fclose(f);
	return buf_detach(&b, ret_len);
}

static enum rc events(const char *xml, struct soap_events *ret, struct err *e)
{
	*ret = (struct soap_events){0};
	return soap_read_events(xml, strlen(xml), ret, e);
}

/* Fails the test unless the reply is refused, for a reason with these words. */
static void refused(const char *xml, const char *words)
{
	struct soap_events got;
	struct err e = {""};

	assert_int_equal(events(xml, &got, &e), RC_INVALID);
	if (!strstr(e.text, words))
		fail_msg("'%s' does not say '%s'", e.text, words);
	assert_int_equal(got.n, 0);
	assert_null(got.list);
}

/* ---- what is published ---- */

static void the_published_reply_names_its_order(void **state)
{
	struct soap_events got = {0};
	struct err e;
	size_t len;
	char *xml = payload("soap.events_get.order.response.xml", &len);

	(void)state;
	if (soap_read_events(xml, len, &got, &e))
		fail_msg("%s", e.text);
	assert_int_equal(got.n, 1);
	assert_true(got.list[0].is_order);
	assert_int_equal(got.list[0].order, 30);
	assert_true(got.list[0].id > 0);
	soap_events_release(&got);
	free(xml);
}

static void an_empty_queue_has_no_events(void **state)
{
	struct soap_events got = {0};
	struct err e;
	size_t len;
	char *xml = payload("soap.events_get.empty.response.xml", &len);

	(void)state;
	assert_int_equal(soap_read_events(xml, len, &got, &e), OK);
	assert_int_equal(got.n, 0);
	free(xml);
}

static void the_published_done_is_done(void **state)
{
	struct err e;
	size_t len;
	char *xml = payload("soap.events_done.response.xml", &len);

	(void)state;
	assert_int_equal(soap_read_done(xml, len, &e), OK);
	free(xml);
}

static void a_result_is_no_done_and_no_list(void **state)
{
	static const char *const names[] = {"soap.update.result.failed.xml",
					    "soap.update.result.ok.xml",
					    "soap.events_get.request.xml",
					    "soap.events_done.request.xml"};
	struct soap_events got = {0};
	struct err e;
	size_t len;

	(void)state;
	for (int i = 0; i < 4; i++) {
		char *xml = payload(names[i], &len);

		assert_int_equal(soap_read_done(xml, len, &e), RC_INVALID);
		assert_int_equal(soap_read_events(xml, len, &got, &e),
				 RC_INVALID);
		free(xml);
	}
}

static void a_failure_is_told_in_centras_words(void **state)
{
	struct err e;
	size_t len;
	char *xml = payload("soap.update.result.failed.xml", &len);

	(void)state;
	assert_int_equal(soap_read_done(xml, len, &e), RC_INVALID);
	assert_string_equal(e.text, "SOAP: Example 1");
	free(xml);
	refused(HEAD "<e:Fault><faultcode>e:Client</faultcode><faultstring>"
		     "Login failed</faultstring></e:Fault>" TAIL,
		"Login failed");
}

/* ---- events ---- */

static void every_type_can_be_marked_done(void **state)
{
	struct soap_events got;
	struct err e;

	(void)state;
	assert_int_equal(
		events(GET(EVENT("7", "customer", "<n:entry>4</n:entry>")
			   EVENT("8", "order", "<n:entry>31</n:entry>")
			   EVENT("9", "something new", "")),
		       &got, &e),
		OK);
	assert_int_equal(got.n, 3);
	assert_int_equal(got.list[0].id, 7);
	assert_false(got.list[0].is_order);
	assert_int_equal(got.list[0].order, 0);
	assert_true(got.list[1].is_order);
	assert_int_equal(got.list[2].id, 9);
	soap_events_release(&got);
}

static void the_number_is_ordernumber_not_a_converted_id(void **state)
{
	struct soap_events got;
	struct err e;

	(void)state;
	assert_int_equal(
		events(GET(EVENT("8", "order",
				 "<n:entry>WEB-1</n:entry><n:data><n:order>"
				 "<n:id>WEB-1</n:id><n:ordernumber> 31\n"
				 "</n:ordernumber><n:products><n:product>"
				 "<n:ordernumber>99</n:ordernumber>"
				 "</n:product></n:products></n:order>"
				 "</n:data>")),
		       &got, &e),
		OK);
	assert_int_equal(got.list[0].order, 31);
	soap_events_release(&got);
}

/* An event whose order is not said is kept as one: its order is 0. */
static void an_order_without_a_number_is_said_to_have_none(void **state)
{
	struct soap_events got;
	struct err e;

	(void)state;
	assert_int_equal(events(GET(EVENT("8", "order",
					  "<n:entry>WEB-1</n:entry>")),
				&got, &e),
			 OK);
	assert_true(got.list[0].is_order);
	assert_int_equal(got.list[0].order, 0);
	soap_events_release(&got);
}

static void an_event_without_an_id_spoils_no_other(void **state)
{
	struct soap_events got;
	struct err e;

	(void)state;
	assert_int_equal(events(GET(EVENT("x", "order", "")
				    EVENT("8", "order", "")
				    EVENT("9", "order", "<n:id>10</n:id>")),
				&got, &e),
			 OK);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.unread, 2);
	assert_int_equal(got.list[0].id, 8);
	soap_events_release(&got);
	refused(GET(EVENT("x", "order", "")), "no event has an id");
}

static void names_of_another_space_are_not_centras(void **state)
{
	(void)state;
	refused("<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/"
		"envelope/\" xmlns:n=\"http://example.com/\"><e:Body>"
		"<n:events_Get><n:events/></n:events_Get>" TAIL,
		"not the one");
	refused("<events_Get><events/></events_Get>", "not the one");
}

static void a_done_that_is_not_ok_is_none(void **state)
{
	static const char *const replies[] = {
		HEAD "<eventsDoneResponse/>" TAIL,
		HEAD "<eventsDoneResponse>NO</eventsDoneResponse>" TAIL,
		HEAD TAIL,
		HEAD "<eventsDoneResponse>OK</eventsDoneResponse>"
		     "<eventsDoneResponse>OK</eventsDoneResponse>" TAIL,
		HEAD "<eventsDoneResponse>OK</eventsDoneResponse>"
		     "<e:Fault><faultstring>no</faultstring></e:Fault>" TAIL,
		"<html><body>OK</body></html>",
		"",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		assert_int_equal(soap_read_done(replies[i], strlen(replies[i]),
						&e),
				 RC_INVALID);
}

/* ---- what means harm ---- */

/* Every beginning of a good reply: none of them is one. */
static void half_a_reply_is_none(void **state)
{
	static const char whole[] = GET(EVENT("8", "order", ""));
	struct soap_events got = {0};
	struct err e;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		if (soap_read_events(whole, len, &got, &e) != RC_INVALID)
			fail_msg("%zu bytes are taken for all", len);
}

static void a_wrong_end_tag_is_refused(void **state)
{
	(void)state;
	refused(GET(EVENT("8", "order",
			  "<n:data><n:order><n:ordernumber>30</n:id>"
			  "</n:order></n:data>")),
		"mismatched tag");
}

static void a_billion_laughs_are_refused_at_once(void **state)
{
	struct buf b;
	int64_t began = time_mono();

	(void)state;
	buf_init(&b, 1 << 20);
	buf_str(&b, "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a0 "
		    "\"lol\">");
	for (int i = 1; i < 30; i++)
		buf_fmt(&b, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">",
			i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	buf_str(&b, "]><e>&a29;</e>");
	refused(b.data, "DOCTYPE");
	assert_true(time_mono() - began < 1000);
	buf_release(&b);
}

static void entities_of_other_places_are_not_read(void **state)
{
	(void)state;
	refused("<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
		"<x>&f;</x>", "DOCTYPE");
	refused("<!DOCTYPE x SYSTEM \"http://127.0.0.1/x.dtd\"><x/>",
		"DOCTYPE");
	refused("<!DOCTYPE x [<!ENTITY % p SYSTEM \"file:///x\"> %p;]><x/>",
		"DOCTYPE");
	refused(GET(EVENT("8", "&secret;", "")), "undefined entity");
	/* An entity cannot lend an id either. */
	refused("<!DOCTYPE e:Envelope [<!ENTITY i \"8\">]>"
		"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/"
		"envelope/\" xmlns:n=\"http://www.centra.com/webservices/\">"
		"<e:Body><n:events_Get><n:events>"
		EVENT("&i;", "order", "")
		"</n:events></n:events_Get>" TAIL, "DOCTYPE");
}

static void deep_nesting_is_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 500000; i++)
		buf_str(&b, "<a>");
	refused(b.data, "nested too deep");
	buf_release(&b);
}

static void as_many_levels_as_allowed_are_read(void **state)
{
	struct soap_events got;
	struct err e;
	struct buf b;

	(void)state;
	for (int more = 0; more < 2; more++) {
		/* Envelope, Body, events_Get, events, event and data are six. */
		int n = XML_DEPTH_MAX - 6 + more;

		buf_init(&b, 1 << 20);
		buf_str(&b, HEAD "<n:events_Get><n:events><n:event><n:id>8"
				 "</n:id><n:type>order</n:type><n:data>");
		for (int i = 0; i < n; i++)
			buf_str(&b, "<n:x>");
		for (int i = 0; i < n; i++)
			buf_str(&b, "</n:x>");
		buf_str(&b, "</n:data></n:event></n:events></n:events_Get>" TAIL);
		assert_int_equal(events(b.data, &got, &e),
				 more ? RC_INVALID : OK);
		soap_events_release(&got);
		buf_release(&b);
	}
}

static void too_many_elements_are_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	buf_str(&b, HEAD);
	for (int i = 0; i <= XML_ELEMENTS_MAX; i++)
		buf_str(&b, "<a/>");
	buf_str(&b, TAIL);
	refused(b.data, "too many elements");
	buf_release(&b);
}

static void too_many_events_are_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	buf_str(&b, HEAD "<n:events_Get><n:events>");
	for (int i = 0; i <= SOAP_EVENTS_MOST; i++)
		buf_fmt(&b, "<n:event><n:id>%d</n:id></n:event>", i + 1);
	buf_str(&b, "</n:events></n:events_Get>" TAIL);
	refused(b.data, "more than 1000 events");
	buf_release(&b);
}

/* A megabyte in an id is no id, and costs no memory. */
static void a_text_too_long_is_not_read(void **state)
{
	struct soap_events got;
	struct err e;
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	buf_str(&b, HEAD "<n:events_Get><n:events>" EVENT("8", "order", "")
			 "<n:event><n:id>");
	for (int i = 0; i < 1000000; i++)
		buf_char(&b, '1');
	buf_str(&b, "</n:id></n:event></n:events></n:events_Get>" TAIL);
	assert_int_equal(events(b.data, &got, &e), OK);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.unread, 1);
	soap_events_release(&got);
	buf_release(&b);
}

static void numbers_are_whole_and_fit(void **state)
{
	struct soap_events got;
	struct err e;

	(void)state;
	assert_int_equal(
		events(GET(EVENT("1", "order", "") EVENT("0", "order", "")
			   EVENT("-4", "order", "") EVENT("1.5", "order", "")
			   EVENT("99999999999999999999", "order", "")
			   EVENT("0x10", "order", "")),
		       &got, &e),
		OK);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.unread, 5);
	soap_events_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_reply_names_its_order),
		cmocka_unit_test(an_empty_queue_has_no_events),
		cmocka_unit_test(the_published_done_is_done),
		cmocka_unit_test(a_result_is_no_done_and_no_list),
		cmocka_unit_test(a_failure_is_told_in_centras_words),
		cmocka_unit_test(every_type_can_be_marked_done),
		cmocka_unit_test(the_number_is_ordernumber_not_a_converted_id),
		cmocka_unit_test(an_order_without_a_number_is_said_to_have_none),
		cmocka_unit_test(an_event_without_an_id_spoils_no_other),
		cmocka_unit_test(names_of_another_space_are_not_centras),
		cmocka_unit_test(a_done_that_is_not_ok_is_none),
		cmocka_unit_test(half_a_reply_is_none),
		cmocka_unit_test(a_wrong_end_tag_is_refused),
		cmocka_unit_test(a_billion_laughs_are_refused_at_once),
		cmocka_unit_test(entities_of_other_places_are_not_read),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(as_many_levels_as_allowed_are_read),
		cmocka_unit_test(too_many_elements_are_refused),
		cmocka_unit_test(too_many_events_are_refused),
		cmocka_unit_test(a_text_too_long_is_not_read),
		cmocka_unit_test(numbers_are_whole_and_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
