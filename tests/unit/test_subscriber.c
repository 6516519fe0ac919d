/* SPDX-License-Identifier: MIT
 *
 * test_subscriber.c - webhooks to a shop's own system: where they may go, how
 * they are signed, and when calls are held back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/hmac.h>

#include "base/time.h"
#include "centra/subscriber.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

#define TOOK	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define REFUSED "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
#define BROKEN	"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
#define EVENTS	"{\"events\":[{\"type\":\"order\",\"date\":\"2021-01-11 1/2\"}]}"

struct world {
	struct canned *server;
	struct subscriber *s;
	char url[80];
	struct subscriber_options o;
	struct subscriber_reply reply;
};

static void start(struct world *w, const struct canned_step *script)
{
	*w = (struct world){.server = canned_start(script)};
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/hook",
		 canned_port(w->server));
	w->o = (struct subscriber_options){
		.url = w->url,
		.secret = "new",
		.may_http = true,
		.may_private = true,
		.connect_timeout = 400,
		.timeout = 800,
	};
	w->s = subscriber_open();
	subscriber_set(w->s, &w->o);
}

static void stop(struct world *w)
{
	subscriber_close(w->s);
	canned_stop(w->server);
}

static enum subscriber_end post(struct world *w)
{
	subscriber_post(w->s, EVENTS, strlen(EVENTS), 1600000000500, NULL,
			&w->reply);
	return w->reply.end;
}

/* Centra's recipe (CONTRACT 1.4), by openssl alone: the last request is signed
 * with the secret. */
static bool is_signed_with(struct canned *c, const char *secret)
{
	const char *request = canned_last(c), *body, *header;
	unsigned char mac[32];
	char text[1024], hex[65];

	body = strstr(request, "\r\n\r\n");
	header = strstr(request, "X-Centra-Signature: t=1600000000,v1=");
	assert_non_null(body);
	assert_non_null(header);
	snprintf(text, sizeof(text), "1600000000.%s", body + 4);
	assert_non_null(HMAC(EVP_sha256(), secret, (int)strlen(secret),
			     (unsigned char *)text, strlen(text), mac, NULL));
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	return !strncmp(strstr(header, "v1=") + 3, hex, 64);
}

static void a_webhook_has_centras_form_and_signature(void **state)
{
	static const struct canned_step script[] = {{CANNED_KEEP, TOOK}, {0}};
	struct world w;

	(void)state;
	start(&w, script);
	assert_int_equal(post(&w), SUBSCRIBER_TOOK);
	assert_non_null(strstr(canned_last(w.server),
			       "Content-Type: application/"
			       "x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(canned_last(w.server),
			       "\r\n\r\npayload=%7B%22events%22%3A%5B%7B%22type"
			       "%22%3A%22order%22%2C%22date%22%3A%222021-01-11+"
			       "1%5C%2F2%22%7D%5D%7D"));
	assert_true(is_signed_with(w.server, "new"));
	stop(&w);
}

static void an_address_that_is_not_public_gets_no_byte(void **state)
{
	static const struct canned_step script[] = {{CANNED_KEEP, TOOK}, {0}};
	static const char *const hosts[] = {"127.0.0.1", "localhost",
					    "[::ffff:127.0.0.1]",
					    "2130706433"};
	struct world w;
	char url[80];
	struct err e;

	(void)state;
	start(&w, script);
	w.o.may_private = false;
	w.o.url = url;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		snprintf(url, sizeof(url), "http://%s:%u/", hosts[i],
			 canned_port(w.server));
		subscriber_set(w.s, &w.o);
		assert_int_equal(post(&w), SUBSCRIBER_AWAY);
		assert_non_null(strstr(w.reply.why.text, "not public"));
		assert_int_equal(subscriber_check(&w.o, &e), RC_DENIED);
	}
	assert_int_equal(canned_connections(w.server), 0);
	stop(&w);
}

static void without_https_nothing_is_sent_unless_allowed(void **state)
{
	static const struct canned_step script[] = {{CANNED_KEEP, TOOK}, {0}};
	struct world w;

	(void)state;
	start(&w, script);
	w.o.may_http = false;
	subscriber_set(w.s, &w.o);
	assert_int_equal(post(&w), SUBSCRIBER_AWAY);
	assert_int_equal(canned_connections(w.server), 0);
	stop(&w);
}

static void a_redirect_is_a_refusal_and_is_not_followed(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_KEEP, "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\n"
			      "Content-Length: 0\r\n\r\n"},
		{CANNED_KEEP, TOOK},
		{0}};
	struct world w;

	(void)state;
	start(&w, script);
	assert_int_equal(post(&w), SUBSCRIBER_REFUSED);
	assert_int_equal(canned_requests(w.server), 1);
	stop(&w);
}

static void while_secrets_rotate_the_one_that_is_known_is_found(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_KEEP, REFUSED}, {CANNED_KEEP, TOOK}, /* by the old */
		{CANNED_KEEP, TOOK},			     /* at once */
		{CANNED_KEEP, REFUSED}, {CANNED_KEEP, TOOK}, /* by the new */
		{0}};
	struct world w;

	(void)state;
	start(&w, script);
	w.o.previous = "old";
	subscriber_set(w.s, &w.o);
	assert_true(post(&w) == SUBSCRIBER_TOOK && w.reply.previous);
	assert_true(is_signed_with(w.server, "old"));
	assert_true(post(&w) == SUBSCRIBER_TOOK && w.reply.previous);
	assert_int_equal(canned_requests(w.server), 3);
	assert_true(post(&w) == SUBSCRIBER_TOOK && !w.reply.previous);
	assert_true(is_signed_with(w.server, "new"));
	stop(&w);
}

static void a_body_without_an_end_is_thrown_away(void **state)
{
	static const struct canned_step script[] = {{CANNED_ENDLESS, NULL},
						    {0}};
	struct world w;

	(void)state;
	start(&w, script);
	w.o.timeout = 20000;
	subscriber_set(w.s, &w.o);
	assert_int_equal(post(&w), SUBSCRIBER_TOOK);
	assert_true(w.reply.latency < 10000);
	stop(&w);
}

static void one_that_does_not_answer_is_left_alone_for_longer(void **state)
{
	struct world w;
	char url[80];
	static const struct canned_step script[] = {{0}};

	(void)state;
	start(&w, script);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
		 canned_closed_port());
	w.o.url = url;
	subscriber_set(w.s, &w.o);
	assert_int_equal(post(&w), SUBSCRIBER_AWAY);
	assert_int_equal(w.reply.turn, CALL_AWAY);
	assert_int_equal(w.reply.wait, SUBSCRIBER_WAIT_FIRST);
	assert_true(post(&w) == SUBSCRIBER_AWAY && w.reply.held);
	for (int i = 0; i < 20; i++) {
		subscriber_try_now(w.s);
		(void)post(&w);
	}
	assert_int_equal(w.reply.wait, SUBSCRIBER_WAIT_MOST);
	w.o.url = w.url;
	subscriber_set(w.s, &w.o);
	assert_int_equal(subscriber_wait(w.s, time_mono()), 0);
	stop(&w);
}

static void what_one_webhook_is_refused_for_holds_back_no_other(void **state)
{
	static const struct canned_step script[] = {{CANNED_KEEP, BROKEN},
						    {CANNED_KEEP, TOOK},
						    {0}};
	struct world w;

	(void)state;
	start(&w, script);
	assert_int_equal(post(&w), SUBSCRIBER_REFUSED);
	assert_int_equal(w.reply.wait, 0);
	assert_int_equal(post(&w), SUBSCRIBER_TOOK);
	stop(&w);
}

static void start_libcurl(void)
{
	struct err e;

	assert_int_equal(centra_init(&e), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_webhook_has_centras_form_and_signature),
		cmocka_unit_test(an_address_that_is_not_public_gets_no_byte),
		cmocka_unit_test(without_https_nothing_is_sent_unless_allowed),
		cmocka_unit_test(a_redirect_is_a_refusal_and_is_not_followed),
		cmocka_unit_test(
			while_secrets_rotate_the_one_that_is_known_is_found),
		cmocka_unit_test(a_body_without_an_end_is_thrown_away),
		cmocka_unit_test(
			one_that_does_not_answer_is_left_alone_for_longer),
		cmocka_unit_test(
			what_one_webhook_is_refused_for_holds_back_no_other),
	};

	start_libcurl();
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
