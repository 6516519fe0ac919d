/* SPDX-License-Identifier: MIT
 *
 * test_session.c - signing a browser in and out: once, by nobody else, and only
 * our own page may act with it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/browser.h"
#include "tests/harness/listener.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define OURS "http://shop.example.com:8080"

static int setup(void **state)
{
	static const struct shipfrom_options o = {
		.server = "public_url = " OURS "/",
	};

	*state = shipfrom_start(&o);
	return 0;
}

static int setup_https(void **state)
{
	static const struct shipfrom_options o = {
		.server = "public_url = https://Shop.example.com",
	};

	*state = shipfrom_start(&o);
	return 0;
}

static struct browser signed_in(struct shipfrom *s, const char *shop)
{
	struct browser b;

	browser_link(&b, s, shop);
	assert_int_equal(browser_signs_in(&b), 200);
	assert_int_equal(strlen(b.csrf), 43);
	return b;
}

static void expect(struct answer a, long status, const char *code)
{
	assert_int_equal(a.status, status);
	if (code)
		assert_string_equal(text_of(a.json, "code"), code);
	answer_release(&a);
}

static const char *path_of(char ret[96], int64_t number, const char *verb)
{
	snprintf(ret, 96, "/api/v1/orders/%lld%s%s", (long long)number,
		 *verb ? "/" : "", verb);
	return ret;
}

/* ---- in ---- */

static void a_link_signs_in_once_and_a_stolen_one_not_at_all(void **state)
{
	struct shipfrom *s = *state;
	struct browser b = signed_in(s, "amsterdam"), thief = b;
	struct answer a;

	assert_int_equal(browser_signs_in(&thief), 401);
	a = browser_does(&b, "GET", "/api/v1/me", NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(cJSON_GetObjectItem(a.json, "shop"), "id"),
			    "amsterdam");
	assert_string_equal(text_of(a.json, "csrf"), b.csrf);
	answer_release(&a);
	shipfrom_passed(s);
}

struct racer {
	struct browser b;
	pthread_barrier_t *together;
	pthread_t thread;
	long status;
};

static void *sign_in(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(r->together);
	r->status = browser_signs_in(&r->b);
	return NULL;
}

static void of_two_with_the_same_link_at_once_one_is_signed_in(void **state)
{
	struct shipfrom *s = *state;
	pthread_barrier_t together;
	struct racer r[4];
	int in = 0;

	for (int round = 0; round < 5; round++) {
		pthread_barrier_init(&together, NULL, 4);
		browser_link(&r[0].b, s, "berlin");
		for (int i = 0; i < 4; i++) {
			r[i].b = r[0].b;
			r[i].together = &together;
			assert_int_equal(pthread_create(&r[i].thread, NULL,
							sign_in, &r[i]),
					 0);
		}
		for (int i = 0; i < 4; i++)
			pthread_join(r[i].thread, NULL);
		pthread_barrier_destroy(&together);
		for (int i = 0; i < 4; i++) {
			in += r[i].status == 200;
			assert_true(r[i].status == 200 || r[i].status == 401);
		}
	}
	assert_int_equal(in, 5);
	shipfrom_passed(s);
}

static void what_is_no_code_is_401_and_soon_told_slowly(void **state)
{
	struct shipfrom *s = *state;
	struct browser b;
	struct answer a;
	char url[256];
	int64_t slowest = 0;

	snprintf(url, sizeof(url), "%s/api/v1/session", s->url);
	for (int i = 0; i < 12; i++) {
		a = http_post(url, NULL,
			      i % 2 ? "{\"code\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA"
				      "AAAAAAAAAAAAAAAA\"}"
				    : "not JSON");
		if (a.took > slowest)
			slowest = a.took;
		expect(a, 401, "code_invalid");
	}
	assert_true(slowest >= 900);
	/* Who has a good one waits for nobody. */
	browser_link(&b, s, "amsterdam");
	slowest = now_mono();
	assert_int_equal(browser_signs_in(&b), 200);
	assert_true(now_mono() - slowest < 900);
	shipfrom_passed(s);
}

static void the_cookie_is_for_our_server_alone(void **state)
{
	struct shipfrom *s = *state;
	struct browser b;
	char url[256], body[128], cookie[512];
	struct answer a;

	browser_link(&b, s, "amsterdam");
	snprintf(url, sizeof(url), "%s/api/v1/session", s->url);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", b.code);
	a = http_post(url, NULL, body);
	assert_int_equal(a.status, 200);
	header_of(&a, "Set-Cookie", cookie, sizeof(cookie));
	assert_non_null(strstr(cookie, "; HttpOnly"));
	assert_non_null(strstr(cookie, "; SameSite=Strict"));
	assert_non_null(strstr(cookie, "; Path=/;"));
	assert_null(strstr(cookie, "Domain"));
	if (strstr(s->options.server, "https:")) {
		assert_ptr_equal(strstr(cookie, "__Host-shipfrom_session="),
				 cookie);
		assert_non_null(strstr(cookie, "; Secure"));
		/* Its twin of the name before goes. */
		assert_non_null(strstr(a.head, "shipfrom_session=; Path=/; "
					       "Max-Age=0"));
	} else {
		assert_ptr_equal(strstr(cookie, "shipfrom_session="), cookie);
		assert_null(strstr(cookie, "Secure"));
	}
	answer_release(&a);
	shipfrom_passed(s);
}

static void with_https_a_browser_is_known_by_either_name(void **state)
{
	struct shipfrom *s = *state;
	struct browser b = signed_in(s, "amsterdam"), old = b;
	struct answer a;

	expect(browser_does(&b, "GET", "/api/v1/me", NULL), 200, NULL);
	snprintf(old.cookie, sizeof(old.cookie), "shipfrom_session=%s",
		 strchr(b.cookie, '=') + 1);
	expect(browser_does(&old, "GET", "/api/v1/me", NULL), 200, NULL);
	a = browser_does(&b, "DELETE", "/api/v1/session", NULL);
	assert_int_equal(a.status, 204);
	assert_non_null(strstr(a.head, "__Host-shipfrom_session=; Path=/; "
				       "Max-Age=0"));
	assert_non_null(strstr(a.head, ": shipfrom_session=; Path=/; "
				       "Max-Age=0"));
	answer_release(&a);
	expect(browser_does(&old, "GET", "/api/v1/me", NULL), 401,
	       "unauthorized");
	shipfrom_passed(s);
}

/* ---- only our page ---- */

static void another_page_cannot_act_with_the_cookie(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	struct browser b = signed_in(s, "amsterdam"), stranger = b;
	char path[96];

	path_of(path, number, "accept");
	stranger.csrf[0] = '\0';
	expect(browser_does(&stranger, "POST", path, "{}"), 403, "csrf");
	memset(stranger.csrf, 'A', 43);
	expect(browser_does(&stranger, "POST", path, "{}"), 403, "csrf");
	expect(browser_does(&stranger, "DELETE", "/api/v1/session", NULL), 403,
	       "csrf");
	stranger = b;
	stranger.origin = "http://evil.example.com";
	expect(browser_does(&stranger, "POST", path, "{}"), 403, "origin");
	stranger.origin = "null";
	expect(browser_does(&stranger, "POST", path, "{}"), 403, "origin");
	assert_int_equal(sim_accepts(&s->sim, number), 0);

	b.origin = OURS;
	expect(browser_does(&b, "POST", path, "{}"), 200, NULL);
	assert_int_equal(sim_accepts(&s->sim, number), 1);
	shipfrom_passed(s);
}

static void another_page_cannot_sign_a_browser_in(void **state)
{
	struct shipfrom *s = *state;
	struct browser b;

	browser_link(&b, s, "amsterdam");
	b.origin = "https://evil.example.com";
	assert_int_equal(browser_signs_in(&b), 403);
	b.origin = OURS; /* the code was not used up */
	assert_int_equal(browser_signs_in(&b), 200);
	shipfrom_passed(s);
}

static void a_token_needs_no_proof_and_a_session_is_none(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	struct browser b = signed_in(s, "amsterdam");
	char url[256], bearer[128];
	const char *headers[] = {bearer, NULL};

	snprintf(url, sizeof(url), "%s/api/v1/me", s->url);
	expect(http_get(url, strchr(b.cookie, '=') + 1), 401, "unauthorized");
	snprintf(url, sizeof(url), "%s/api/v1/session", s->url);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	expect(http_send("DELETE", url, headers, NULL, 0), 409, "no_session");
	expect(shop_does(s, AMSTERDAM, number, "accept", "{}"), 200, NULL);
	shipfrom_passed(s);
}

/* ---- out ---- */

static void signing_out_ends_this_session_and_its_stream(void **state)
{
	struct shipfrom *s = *state;
	struct browser b = signed_in(s, "amsterdam");
	struct listener l;
	char lines[256], cookie[512];
	struct answer a;

	assert_true(listener_open(&l, s->url, "/api/v1/stream",
				  browser_lines(&b, lines)));
	assert_int_equal(l.status, 200);
	a = browser_does(&b, "DELETE", "/api/v1/session", NULL);
	assert_int_equal(a.status, 204);
	header_of(&a, "Set-Cookie", cookie, sizeof(cookie));
	assert_non_null(strstr(cookie, "shipfrom_session=;"));
	assert_non_null(strstr(cookie, "Max-Age=0"));
	answer_release(&a);
	assert_true(listener_ends(&l, 1000));
	listener_close(&l);
	expect(browser_does(&b, "GET", "/api/v1/me", NULL), 401,
	       "unauthorized");
	shipfrom_passed(s);
}

static void a_removed_device_is_out_within_a_second(void **state)
{
	struct shipfrom *s = *state;
	struct browser b = signed_in(s, "amsterdam"),
		       other = signed_in(s, "amsterdam");
	const char *words[] = {"device", "remove", b.device, NULL};
	struct listener l, others;
	char lines[256], *out = NULL;
	struct heard h;

	assert_true(listener_open(&l, s->url, "/api/v1/stream?screen=1",
				  browser_lines(&b, lines)));
	assert_true(listener_open(&others, s->url, "/api/v1/stream?screen=1",
				  browser_lines(&other, lines)));
	assert_true(listener_hears(&l, "hello", &h, 1000));
	heard_release(&h);
	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
	expect(browser_does(&b, "GET", "/api/v1/me", NULL), 401, NULL);
	expect(browser_does(&b, "GET", "/api/v1/orders", NULL), 401, NULL);
	assert_true(listener_ends(&l, 1000));
	assert_false(listener_ends(&others, 300));
	listener_close(&l);
	listener_close(&others);
	expect(browser_does(&other, "GET", "/api/v1/me", NULL), 200, NULL);
	shipfrom_passed(s);
}

static void a_session_outlives_the_server(void **state)
{
	struct shipfrom *s = *state;
	struct browser b = signed_in(s, "berlin");

	shipfrom_kill_9(s);
	shipfrom_again(s);
	expect(browser_does(&b, "GET", "/api/v1/me", NULL), 200, NULL);
	shipfrom_passed(s);
}

/* ---- who acts, and the office's side ---- */

static void who_pressed_is_one_of_the_shops_names_and_is_kept(void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"why", "", "--json", NULL};
	FILE *f = fopen(s->config, "a"); /* ends with [shop berlin] */
	char *out = NULL, number_word[24], path[96];
	int64_t number = offered_to_all(s, 600);
	struct browser b;
	struct answer a;

	fprintf(f, "staff = Anna, Ben\n");
	fclose(f);
	assert_int_equal(kill(s->process.pid, SIGHUP), 0);
	b = signed_in(s, "berlin");
	for (int i = 0; i < 100; i++) { /* until the config is read */
		a = browser_does(&b, "GET", "/api/v1/me", NULL);
		if (cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "staff")))
			break;
		answer_release(&a);
		usleep(20000);
	}
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(
				    cJSON_GetObjectItem(a.json, "staff"), 1)),
			    "Ben");
	answer_release(&a);
	path_of(path, number, "accept");
	a = browser_does(&b, "POST", path, "{\"staff\":\"Carl\"}");
	assert_string_equal(text_of(a.json, "field"), "staff");
	expect(a, 400, "staff_unknown");
	expect(browser_does(&b, "POST", path, "{}"), 400, "staff_required");
	expect(browser_does(&b, "POST", path, "{\"staff\":\"Anna\"}"), 200,
	       NULL);
	snprintf(number_word, sizeof(number_word), "%lld", (long long)number);
	words[1] = number_word;
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "\"by\":\"Anna on tablet\""));
	free(out);
	shipfrom_passed(s);
}

static void a_link_is_also_shown_as_a_qr_code(void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"device", "add",	 "--shop", "berlin",
			       "--name", "till", "--qr",   NULL};
	char *out = NULL;

	/* stdout is for scripts: two lines, as without. */
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_null(strstr(out, "\u2580"));
	assert_ptr_equal(strrchr(out, '\n'), out + strlen(out) - 1);
	free(out);
	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	assert_non_null(strstr(out, "\u2580"));
	free(out);
	shipfrom_passed(s);
}

static void the_report_tells_how_each_shop_has_done(void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"report", "--since", "24h", "--json", NULL};
	int64_t number = offered_to_all(s, 600);
	char *out = NULL, path[96];
	struct browser b = signed_in(s, "amsterdam");

	path_of(path, number, "accept");
	expect(browser_does(&b, "POST", path, "{}"), 200, NULL);
	wait_state(s, BERLIN, number, "taken", 5000);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "{\"shop\":\"amsterdam\","));
	assert_non_null(strstr(out, "\"offered\":1,\"accepted\":1,"));
	assert_non_null(strstr(out, "\"missed\":0,\"taken\":1,"));
	free(out);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_link_signs_in_once_and_a_stolen_one_not_at_all),
		T(of_two_with_the_same_link_at_once_one_is_signed_in),
		T(what_is_no_code_is_401_and_soon_told_slowly),
		T(the_cookie_is_for_our_server_alone),
		cmocka_unit_test_setup_teardown(
			the_cookie_is_for_our_server_alone, setup_https,
			shipfrom_end),
		cmocka_unit_test_setup_teardown(
			with_https_a_browser_is_known_by_either_name,
			setup_https, shipfrom_end),
		T(another_page_cannot_act_with_the_cookie),
		T(another_page_cannot_sign_a_browser_in),
		T(a_token_needs_no_proof_and_a_session_is_none),
		T(signing_out_ends_this_session_and_its_stream),
		T(a_removed_device_is_out_within_a_second),
		T(a_session_outlives_the_server),
		T(who_pressed_is_one_of_the_shops_names_and_is_kept),
		T(a_link_is_also_shown_as_a_qr_code),
		T(the_report_tells_how_each_shop_has_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
