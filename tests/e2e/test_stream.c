/* SPDX-License-Identifier: MIT
 *
 * test_stream.c - what screens are told as it happens, and after they were
 * away; stops and problems; and that nobody is told what is another shop's.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/listener.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

#define ID_ROOM sizeof(((struct heard *)0)->id_text)

static void listen_as(struct listener *l, struct shipfrom *s, enum shop shop,
		      const char *path, const char *more)
{
	char lines[512];

	snprintf(lines, sizeof(lines), "Authorization: Bearer %s\r\n%s",
		 s->tokens[shop], more);
	assert_true(listener_open(l, s->url, path, lines));
	assert_int_equal(l->status, 200);
}

/* Reads the hello, and its id as text unless `ret_id` is NULL; returns the
 * number that the id begins with. */
static uint64_t hello_id(struct listener *l, bool resync, char *ret_id)
{
	struct heard h;
	uint64_t id;

	assert_true(listener_next(l, &h, 2000));
	assert_string_equal(h.event, "hello");
	assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(h.json, "resync")),
			 resync);
	assert_int_equal(strlen(text_of(h.json, "now")),
			 strlen("2021-01-12T16:21:00.000Z"));
	id = h.id;
	if (ret_id)
		memcpy(ret_id, h.id_text, sizeof(h.id_text));
	heard_release(&h);
	return id;
}

static uint64_t hello(struct listener *l, bool resync)
{
	return hello_id(l, resync, NULL);
}

/* Reads `order` events until the order has that state; its JSON. */
static cJSON *sees(struct listener *l, int64_t number, const char *state)
{
	int64_t end = now_mono() + 10000;
	struct heard h;

	while (listener_hears(l, "order", &h, (int)(end - now_mono()))) {
		if (number_of(h.json, "number") == number &&
		    !strcmp(text_of(h.json, "state"), state))
			return h.json;
		heard_release(&h);
	}
	fail_msg("order %lld never showed as %s", (long long)number, state);
	return NULL;
}

static void hears_nothing(struct listener *l, int ms)
{
	struct heard h;

	if (!listener_next(l, &h, ms))
		return;
	fail_msg("a screen was told '%s' of order %lld", h.event,
		 (long long)number_of(h.json, "number"));
}

/* An order that is offered to one warehouse only. */
static int64_t offer_to(struct shipfrom *s, int warehouse)
{
	struct answer a = sim_do(&s->sim, "/orders",
				 "{\"warehouses\":[%d],\"expires_in\":600}",
				 warehouse);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	return number;
}

static void accepts(struct shipfrom *s, enum shop shop, int64_t number)
{
	struct answer a = shop_does(s, shop, number, "accept", "{}");

	assert_int_equal(a.status, 200);
	answer_release(&a);
}

static void tell_sim(struct shipfrom *s, int64_t number, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 what);
	sim_tell(&s->sim, path, "{}");
}

/* ---- as it happens ---- */

static void a_screen_is_told_its_shops_orders_and_no_others(void **state)
{
	struct shipfrom *s = *state;
	struct listener l, others;
	int64_t number;
	cJSON *o;

	listen_as(&l, s, AMSTERDAM, "/api/v1/stream?screen=1", "");
	listen_as(&others, s, BERLIN, "/api/v1/stream?screen=1", "");
	hello(&l, true);
	hello(&others, true);
	assert_non_null(strcasestr(l.head, "text/event-stream"));
	assert_non_null(strcasestr(l.head, "X-Accel-Buffering: no"));
	number = offer_to(s, 3);
	o = sees(&l, number, "pending");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "ship_to")));
	cJSON_Delete(o);
	accepts(s, AMSTERDAM, number);
	cJSON_Delete(sees(&l, number, "accepted"));
	hears_nothing(&others, 500);
	listener_close(&l);
	listener_close(&others);
	shipfrom_passed(s);
}

static void who_loses_an_order_is_told_taken_without_an_address(void **state)
{
	struct shipfrom *s = *state;
	struct listener winner, loser;
	int64_t number;
	cJSON *o;

	listen_as(&winner, s, AMSTERDAM, "/api/v1/stream", "");
	listen_as(&loser, s, BERLIN, "/api/v1/stream", "");
	number = sim_place(&s->sim, 600);
	cJSON_Delete(sees(&winner, number, "pending"));
	cJSON_Delete(sees(&loser, number, "pending"));
	accepts(s, AMSTERDAM, number);
	o = sees(&winner, number, "accepted");
	while (!cJSON_IsObject(cJSON_GetObjectItem(o, "ship_to"))) {
		cJSON_Delete(o);
		o = sees(&winner, number, "accepted");
	}
	cJSON_Delete(o);
	o = sees(&loser, number, "taken");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "ship_to")));
	cJSON_Delete(o);
	listener_close(&winner);
	listener_close(&loser);
	shipfrom_passed(s);
}

static void nobody_listens_without_a_device(void **state)
{
	struct shipfrom *s = *state;
	struct listener l;

	assert_true(listener_open(&l, s->url, "/api/v1/stream", ""));
	assert_int_equal(l.status, 401);
	listener_close(&l);
	shipfrom_passed(s);
}

/* ---- after it was away ---- */

static void a_screen_that_comes_back_is_told_what_it_missed(void **state)
{
	struct shipfrom *s = *state;
	struct listener l;
	char header[128], query[160], id[ID_ROOM];
	int64_t first, second;
	uint64_t now;
	struct heard h;
	cJSON *o;

	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	hello_id(&l, true, id);
	listener_close(&l);
	first = offer_to(s, 3);
	offer_to(s, 4);
	second = offer_to(s, 3);
	wait_state(s, AMSTERDAM, second, "pending", 5000);
	sim_quiet(&s->sim);

	snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", id);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", header);
	hello(&l, false);
	o = sees(&l, first, "pending");
	cJSON_Delete(o);
	assert_true(listener_hears(&l, "order", &h, 2000));
	now = h.id;
	memcpy(id, h.id_text, sizeof(id));
	assert_int_equal(number_of(h.json, "number"), second);
	heard_release(&h);
	listener_close(&l);

	/* From there on there is nothing new, also after a restart. */
	shipfrom_kill_9(s);
	shipfrom_again(s);
	snprintf(query, sizeof(query), "/api/v1/stream?last_event_id=%s", id);
	listen_as(&l, s, AMSTERDAM, query, "");
	assert_true(hello(&l, false) >= now);
	listener_close(&l);
	shipfrom_passed(s);
}

static void one_that_cannot_be_told_reads_its_lists_again(void **state)
{
	static const char *const ids[] = {"999999999", "x", "-1", "", "0", "1"};
	struct shipfrom *s = *state;
	struct listener l;
	char header[64];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n",
			 ids[i]);
		listen_as(&l, s, AMSTERDAM, "/api/v1/stream", header);
		hello(&l, true);
		listener_close(&l);
	}
	shipfrom_passed(s);
}

/* Gives the shop in amsterdam other warehouses, in the file. */
static void amsterdam_becomes(struct shipfrom *s, const char *warehouses)
{
	char text[4096] = "", *at;
	FILE *f = fopen(s->config, "r+");

	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	at = strstr(text, "The shop in amsterdam\nwarehouses = ");
	assert_non_null(at);
	at = strchr(at, '=') + 2;
	fseek(f, at - text, SEEK_SET);
	fprintf(f, "%s%s", warehouses, strchr(at, '\n'));
	fclose(f);
}

static void a_shop_whose_warehouses_change_reads_its_lists_again(void **state)
{
	struct shipfrom *s = *state;
	struct listener l, others;

	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	listen_as(&others, s, BERLIN, "/api/v1/stream", "");
	hello(&l, true);
	hello(&others, true);
	amsterdam_becomes(s, "3, 9");
	kill(s->process.pid, SIGHUP);
	hello(&l, true);
	hears_nothing(&others, 600);
	listener_close(&l);
	listener_close(&others);
	shipfrom_passed(s);
}

/* A screen that has seen an offer to warehouse 3, and went away; its last id. */
static int64_t was_here(struct shipfrom *s, char id[ID_ROOM])
{
	struct listener l;
	int64_t number;
	struct heard h;

	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	hello(&l, true);
	number = offer_to(s, 3);
	assert_true(listener_hears(&l, "order", &h, 5000));
	memcpy(id, h.id_text, sizeof(h.id_text));
	heard_release(&h);
	listener_close(&l);
	sim_quiet(&s->sim);
	return number;
}

static void comes_back(struct shipfrom *s, const char *id, bool resync)
{
	struct listener l;
	char header[128];

	snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", id);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", header);
	hello(&l, resync);
	listener_close(&l);
}

static void after_a_restart_with_another_warehouse_it_reads_its_lists(
	void **state)
{
	struct shipfrom *s = *state;
	char id[ID_ROOM], seen[STATE_ROOM];
	int64_t number = was_here(s, id);

	comes_back(s, id, false);
	assert_int_equal(shipfrom_stop(s), 0);
	amsterdam_becomes(s, "9");
	shipfrom_again(s);
	comes_back(s, id, true);
	assert_string_equal(shop_sees(s, AMSTERDAM, number, seen), "404");
	shipfrom_passed(s);
}

static void after_a_reload_while_it_was_away_it_reads_its_lists(void **state)
{
	struct shipfrom *s = *state;
	char id[ID_ROOM];
	struct listener l;
	struct heard h;

	was_here(s, id);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	hello(&l, true);
	amsterdam_becomes(s, "3, 9");
	kill(s->process.pid, SIGHUP);
	assert_true(listener_hears(&l, "hello", &h, 5000));
	heard_release(&h);
	listener_close(&l);
	comes_back(s, id, true);
	shipfrom_passed(s);
}

static void after_a_restore_it_reads_its_lists(void **state)
{
	struct shipfrom *s = *state;
	char id[ID_ROOM], copy[192], data[192], *out = NULL;
	const char *backup[] = {"backup", copy, NULL};
	const char *readmit[] = {"device", "readmit", "--all", NULL};
	uint64_t before;

	snprintf(copy, sizeof(copy), "%s/copy.mdb", s->dir);
	snprintf(data, sizeof(data), "%s/store/data.mdb", s->dir);
	assert_int_equal(shipfrom_run(s, &out, true, backup), 0);
	free(out);
	out = NULL;
	was_here(s, id);
	before = strtoull(id, NULL, 10);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(rename(copy, data), 0);
	shipfrom_again(s);
	assert_int_equal(shipfrom_run(s, &out, true, readmit), 0);
	free(out);
	/* The numbers that were lost are given out again, for other orders. */
	for (int i = 0; i < 4; i++)
		wait_state(s, AMSTERDAM, offer_to(s, 3), "pending", 5000);
	assert_true(before > 0);
	comes_back(s, id, true);
	shipfrom_passed(s);
}

/* ---- who watches ---- */

static void an_offer_that_no_screen_listens_for_is_counted(void **state)
{
	struct shipfrom *s = *state;
	struct listener l, quiet;

	wait_state(s, AMSTERDAM, offer_to(s, 3), "pending", 5000);
	wait_state(s, BERLIN, offer_to(s, 4), "pending", 5000);
	metric_becomes(s, "open_offers_unwatched", 2, 2000);
	listen_as(&quiet, s, AMSTERDAM, "/api/v1/stream?screen=0", "");
	metric_becomes(s, "streams", 1, 2000);
	metric_becomes(s, "open_offers_unwatched", 2, 2000);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream?screen=1", "");
	metric_becomes(s, "open_offers_unwatched", 1, 2000);
	metric_becomes(s, "streams", 2, 2000);
	listener_close(&l);
	metric_becomes(s, "open_offers_unwatched", 2, 2000);
	listener_close(&quiet);
	metric_becomes(s, "streams", 0, 2000);
	shipfrom_passed(s);
}

static void a_stop_ends_the_streams_at_once(void **state)
{
	struct shipfrom *s = *state;
	struct listener l[20];
	int64_t begun;

	for (int i = 0; i < 20; i++) {
		listen_as(&l[i], s, AMSTERDAM, "/api/v1/stream", "");
		hello(&l[i], true);
	}
	begun = now_mono();
	assert_int_equal(shipfrom_stop(s), 0);
	assert_true(now_mono() - begun < 2000);
	for (int i = 0; i < 20; i++) {
		assert_true(listener_ends(&l[i], 1000));
		listener_close(&l[i]);
	}
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* ---- stop, and problem ---- */

static bool flag(const cJSON *o, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItem(o, name));
}

static void an_accepted_order_that_is_cancelled_says_stop_until_confirmed(
	void **state)
{
	struct shipfrom *s = *state;
	struct listener one, two;
	int64_t number = sim_place(&s->sim, 600);
	struct answer a;
	cJSON *o;

	wait_state(s, AMSTERDAM, number, "pending", 5000);
	accepts(s, AMSTERDAM, number);
	wait_state(s, BERLIN, number, "taken", 5000);
	listen_as(&one, s, AMSTERDAM, "/api/v1/stream", "");
	listen_as(&two, s, AMSTERDAM, "/api/v1/stream", "");
	tell_sim(s, number, "cancel");
	o = sees(&one, number, "cancelled");
	assert_true(flag(o, "stop"));
	cJSON_Delete(o);
	o = sees(&two, number, "cancelled");
	assert_true(flag(o, "stop"));
	cJSON_Delete(o);
	/* The shop that never had it need not stop. */
	wait_state(s, BERLIN, number, "cancelled", 5000);
	a = shop_does(s, BERLIN, number, "stopped", "{}");
	assert_int_equal(a.status, 200);
	assert_false(flag(a.json, "stop"));
	answer_release(&a);
	sim_quiet(&s->sim);

	shipfrom_kill_9(s);
	listener_close(&one);
	listener_close(&two);
	shipfrom_again(s);
	listen_as(&two, s, AMSTERDAM, "/api/v1/stream", "");
	a = shop_does(s, AMSTERDAM, number, "stopped",
		      "{\"staff\":\"Anna\"}");
	assert_int_equal(a.status, 200);
	assert_false(flag(a.json, "stop"));
	answer_release(&a);
	o = sees(&two, number, "cancelled");
	assert_false(flag(o, "stop"));
	cJSON_Delete(o);
	listener_close(&two);
	a = shop_does(s, AMSTERDAM, number, "stopped", "");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

static int64_t first_of_mine(struct shipfrom *s)
{
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/orders?state=mine");
	int64_t number = number_of(
		cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "orders"), 0),
		"number");

	answer_release(&a);
	return number;
}

static void a_problem_puts_an_order_first_and_keeps_it_accepted(void **state)
{
	struct shipfrom *s = *state;
	int64_t soon = sim_place(&s->sim, 300), late = sim_place(&s->sim, 900);
	struct listener l;
	struct answer a;
	bool told = false;
	cJSON *o, *p;

	wait_state(s, AMSTERDAM, soon, "pending", 5000);
	wait_state(s, AMSTERDAM, late, "pending", 5000);
	a = shop_does(s, AMSTERDAM, late, "problem", "{\"reason\":\"lost\"}");
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "pending");
	answer_release(&a);
	accepts(s, AMSTERDAM, soon);
	accepts(s, AMSTERDAM, late);
	assert_int_equal(first_of_mine(s), soon);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	hello(&l, true);
	a = shop_does(s, AMSTERDAM, late, "problem",
		      "{\"reason\":\"lost\",\"note\":\"fell off a van\","
		      "\"staff\":\"Ben\"}");
	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(a.json, "state"), "accepted");
	answer_release(&a);
	while (!told) {
		o = sees(&l, late, "accepted");
		p = cJSON_GetObjectItem(o, "problem");
		told = cJSON_IsObject(p);
		if (told) {
			assert_string_equal(text_of(p, "reason"), "lost");
			assert_string_equal(text_of(p, "note"),
					    "fell off a van");
			assert_string_equal(text_of(p, "by"), "Ben on till");
		}
		cJSON_Delete(o);
	}
	listener_close(&l);
	assert_int_equal(first_of_mine(s), late);
	a = shop_does(s, AMSTERDAM, late, "problem", "{\"reason\":\"bored\"}");
	assert_int_equal(a.status, 400);
	answer_release(&a);
	a = shop_does(s, BERLIN, late, "problem", "{\"reason\":\"lost\"}");
	assert_int_equal(a.status, 409);
	answer_release(&a);
	assert_int_equal(metric(s, "problems_total"), 1);
	shipfrom_passed(s);
}

static void a_solved_problem_is_told_to_every_screen_and_outlives_a_restart(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t soon = sim_place(&s->sim, 300), late = sim_place(&s->sim, 900);
	struct listener l;
	struct answer a;
	bool told = false;
	cJSON *o, *p;

	wait_state(s, AMSTERDAM, soon, "pending", 5000);
	wait_state(s, AMSTERDAM, late, "pending", 5000);
	accepts(s, AMSTERDAM, soon);
	accepts(s, AMSTERDAM, late);
	a = shop_does(s, AMSTERDAM, late, "solved", "{}");
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "no_problem");
	answer_release(&a);
	a = shop_does(s, AMSTERDAM, late, "problem",
		      "{\"reason\":\"lost\",\"note\":\"fell off a van\","
		      "\"staff\":\"Ben\"}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	assert_int_equal(first_of_mine(s), late);
	listen_as(&l, s, AMSTERDAM, "/api/v1/stream", "");
	hello(&l, true);
	a = shop_does(s, AMSTERDAM, late, "solved", "{\"staff\":\"Anna\"}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	while (!told) {
		o = sees(&l, late, "accepted");
		p = cJSON_GetObjectItem(o, "problem");
		assert_string_equal(text_of(p, "note"), "fell off a van");
		assert_string_equal(text_of(p, "by"), "Ben on till");
		p = cJSON_GetObjectItem(p, "solved");
		told = cJSON_IsObject(p);
		if (told)
			assert_string_equal(text_of(p, "by"), "Anna on till");
		cJSON_Delete(o);
	}
	listener_close(&l);
	/* It is in its place again, also for who starts anew. */
	assert_int_equal(first_of_mine(s), soon);
	assert_int_equal(metric(s, "problems_solved_total"), 1);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_int_equal(first_of_mine(s), soon);
	a = shop_does(s, AMSTERDAM, late, "solved", "{\"staff\":\"Carl\"}");
	assert_int_equal(a.status, 200);
	p = cJSON_GetObjectItem(a.json, "problem");
	assert_string_equal(text_of(cJSON_GetObjectItem(p, "solved"), "by"),
			    "Anna on till");
	answer_release(&a);
	shipfrom_passed(s);
}

/* ---- many ---- */

#define SCREENS 2000

static long memory_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtol(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static void allow_descriptors(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max < SCREENS + 500 ? r.rlim_max : SCREENS + 500;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Reads what every screen has; returns how many were told of the order. */
static int all_have(struct listener *l, bool *told, int64_t number)
{
	struct heard h;
	int n = 0;

	for (int i = 0; i < SCREENS; i++) {
		while (!told[i] && listener_next(&l[i], &h, 0)) {
			told[i] = !strcmp(h.event, "order") &&
				  number_of(h.json, "number") == number;
			heard_release(&h);
		}
		n += told[i];
	}
	return n;
}

/* Places an order; returns after how many ms all screens were told of it. */
static int64_t tell_all(struct shipfrom *s, struct listener *l)
{
	bool *told = calloc(SCREENS, sizeof(*told));
	int64_t begun, number;
	int have = 0;

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	number = sim_place(&s->sim, 600);
	begun = now_mono();
	sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
	while (have < SCREENS && now_mono() - begun < 20000)
		have = all_have(l, told, number);
	assert_int_equal(have, SCREENS);
	free(told);
	return now_mono() - begun;
}

/* Of three orders the quickest counts: other programs may run beside this. */
static void two_thousand_screens_are_told_within_half_a_second(void **state)
{
	struct shipfrom *s = *state;
	struct listener *l = calloc(SCREENS, sizeof(*l));
	int64_t took = INT64_MAX, limit = 500;
	long before, after;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	limit = 5000;
#endif
	allow_descriptors();
	before = memory_kib(s->process.pid);
	for (int i = 0; i < SCREENS; i++) {
		listen_as(&l[i], s, (enum shop)(i % SHOPS),
			  "/api/v1/stream?screen=1", "");
		hello(&l[i], true);
	}
	after = memory_kib(s->process.pid);
	metric_becomes(s, "streams", SCREENS, 2000);
	for (int n = 0; n < 3 && took >= limit; n++)
		took = tell_all(s, l);
	print_message("%d screens: %ld KiB each, told within %lld ms\n", SCREENS,
		      (after - before) / SCREENS, (long long)took);
	assert_true(took < limit);
	assert_int_equal(metric(s, "streams_cut_total"), 0);
	for (int i = 0; i < SCREENS; i++)
		listener_close(&l[i]);
	free(l);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_screen_is_told_its_shops_orders_and_no_others),
		T(who_loses_an_order_is_told_taken_without_an_address),
		T(nobody_listens_without_a_device),
		T(a_screen_that_comes_back_is_told_what_it_missed),
		T(one_that_cannot_be_told_reads_its_lists_again),
		T(a_shop_whose_warehouses_change_reads_its_lists_again),
		T(after_a_restart_with_another_warehouse_it_reads_its_lists),
		T(after_a_reload_while_it_was_away_it_reads_its_lists),
		T(after_a_restore_it_reads_its_lists),
		T(an_offer_that_no_screen_listens_for_is_counted),
		T(a_stop_ends_the_streams_at_once),
		T(an_accepted_order_that_is_cancelled_says_stop_until_confirmed),
		T(a_problem_puts_an_order_first_and_keeps_it_accepted),
		T(a_solved_problem_is_told_to_every_screen_and_outlives_a_restart),
		T(two_thousand_screens_are_told_within_half_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
