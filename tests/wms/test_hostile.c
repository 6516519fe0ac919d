/* SPDX-License-Identifier: MIT
 *
 * A warehouse system that is clumsy, or hostile: it sends the same things from
 * many places at once, in a loop, while the customer cancels, while calls to
 * Centra lose their answers, and while the server is killed.  What it is told ok
 * is so, and nothing is taken, sent or deleted twice.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/harness/wait.h"
#include "tests/wms/stage.h"

#define WITHIN	20000
#define CLIENTS 8

/* ---- clients side by side ---- */

/* What all of them share. */
struct crowd {
	const struct wms *wms;
	int64_t order;
	const struct wms_shipment *shipment;
	int times; /* how often each does all of it */
};

/* One of them; what it was told. */
struct client {
	const struct crowd *crowd;
	int place; /* 0: the first */
	int captured, completed, deleted; /* how often it was told ok */
	int odd; /* answers that are neither ok, no, nor "come again" */
};

static bool is_ok(struct client *c, struct answer a)
{
	bool ok = a.status == 200 && !strcmp(text_of(a.json, "status"), "ok");

	if (!ok && a.status != 503 && a.status != 429 &&
	    (a.status != 200 || strcmp(text_of(a.json, "status"), "no"))) {
		fprintf(stderr, "answered %ld %s\n", a.status, a.body);
		c->odd++;
	}
	answer_release(&a);
	return ok;
}

static void *ships(void *arg)
{
	struct client *c = arg;
	const struct crowd *k = c->crowd;
	char lines[64];

	snprintf(lines, sizeof(lines), "{\"%s\":1}", k->shipment->lines[0].id);
	for (int i = 0; i < k->times; i++) {
		if (c->place % 2)
			(void)is_ok(c, wms_pick(k->wms, k->shipment->number,
						lines));
		c->captured += is_ok(c, wms_capture(k->wms,
						    k->shipment->number));
		c->completed += is_ok(
			c, wms_complete(k->wms, k->order, k->shipment->number,
					"SE1"));
	}
	return NULL;
}

static void *deletes(void *arg)
{
	struct client *c = arg;
	const struct crowd *k = c->crowd;

	for (int i = 0; i < k->times; i++)
		c->deleted += is_ok(c, wms_delete(k->wms,
						  k->shipment->number));
	return NULL;
}

/* Runs them until all are over; their sums. */
static struct client run_crowd(const struct crowd *k, void *(*even)(void *),
			       void *(*odd)(void *))
{
	struct client clients[CLIENTS], sum = {0};
	pthread_t threads[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){.crowd = k, .place = i};
		assert_int_equal(pthread_create(&threads[i], NULL,
						i % 2 ? odd : even,
						&clients[i]),
				 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		sum.captured += clients[i].captured;
		sum.completed += clients[i].completed;
		sum.deleted += clients[i].deleted;
		sum.odd += clients[i].odd;
	}
	assert_int_equal(sum.odd, 0);
	return sum;
}

/* ---- what must be ---- */

static void once_each(const struct ends *e)
{
	assert_int_equal(e->shipments, 1);
	assert_int_equal(e->captures, 1);
	assert_int_equal(e->completions, 1);
}

static struct stage begin(void **state, struct shapes *shapes)
{
	struct stage t = stage_shipfrom(shapes, false);

	*state = t.s;
	return t;
}

static void end(struct stage *t)
{
	shapes_release(t->shapes);
	shipfrom_passed(t->s);
}

/* ---- the tests ---- */

static void many_at_once_ship_it_once(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	int64_t number;
	struct wms_shipment s = stage_accepted(&t, NULL, &number);
	struct crowd k = {&t.wms, number, &s, 2};
	struct client sum = run_crowd(&k, ships, ships);
	struct ends e = stage_completed(&t, number, 1, WITHIN);

	assert_true(sum.completed > 0);
	once_each(&e);
	/* The short pick was before the capture, or came too late. */
	assert_true(e.units == 2 || e.units == 3);
	end(&t);
}

static void completes_in_a_loop_ship_it_once(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	int64_t number;
	struct wms_shipment s = stage_accepted(&t, NULL, &number);
	struct answer a;
	struct ends e;

	for (int i = 0; i < 40; i++) {
		a = wms_complete(&t.wms, number, s.number, "SE1");
		assert_true(a.status == 200 || a.status == 503);
		answer_release(&a);
	}
	e = stage_completed(&t, number, 1, WITHIN);
	once_each(&e);
	end(&t);
}

/* Deleted, or sent; never both, and not taken twice. */
static void some_delete_what_others_send(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);

	for (int i = 0; i < 4; i++) {
		int64_t number;
		struct wms_shipment s = stage_accepted(&t, NULL, &number);
		struct crowd k = {&t.wms, number, &s, 1};
		struct client sum = run_crowd(&k, ships, deletes);
		struct ends e;

		wms_wait_gone(&t.wms, number, WITHIN);
		e = stage_ends(&t, number);
		if (sum.completed) {
			assert_int_equal(sum.deleted, 0);
			e = stage_completed(&t, number, 1, WITHIN);
			once_each(&e);
		} else {
			assert_true(sum.deleted > 0);
			assert_int_equal(sum.captured, 0);
			assert_int_equal(e.shipments, 0);
		}
	}
	end(&t);
}

struct cancelling {
	struct sim *centra;
	int64_t number;
};

static void *cancels(void *arg)
{
	struct cancelling *c = arg;
	char url[160];
	struct answer a;

	snprintf(url, sizeof(url), "%s/control/orders/%lld/cancel",
		 c->centra->url, (long long)c->number);
	a = http_post(url, NULL, "{}");
	answer_release(&a);
	return NULL;
}

/* Whichever is first: what was told ok is so at Centra. */
static void a_cancel_and_a_capture_meet(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);

	for (int i = 0; i < 6; i++) {
		int64_t number;
		struct wms_shipment s = stage_accepted(&t, NULL, &number);
		struct crowd k = {&t.wms, number, &s, 1};
		struct client one = {.crowd = &k};
		struct cancelling c = {t.centra, number};
		pthread_t thread;
		struct ends e;

		assert_int_equal(
			pthread_create(&thread, NULL, cancels, &c), 0);
		ships(&one);
		pthread_join(thread, NULL);
		wms_wait_gone(&t.wms, number, WITHIN);
		e = stage_ends(&t, number);
		assert_int_equal(one.odd, 0);
		assert_true(e.captures <= 1 && e.completions <= 1);
		if (one.completed)
			assert_int_equal(e.completions, 1);
		if (one.captured)
			assert_int_equal(e.captures, 1);
	}
	end(&t);
}

/* ---- answers of Centra that are lost ---- */

struct trying {
	struct stage *t;
	struct answer (*call)(const struct trying *k);
	int64_t number;
	const struct wms_shipment *s;
};

static struct answer edit(const struct trying *k)
{
	char lines[64];

	snprintf(lines, sizeof(lines), "{\"%s\":1}", k->s->lines[0].id);
	return wms_pick(&k->t->wms, k->s->number, lines);
}

static struct answer capture(const struct trying *k)
{
	return wms_capture(&k->t->wms, k->s->number);
}

static struct answer complete(const struct trying *k)
{
	return wms_complete(&k->t->wms, k->number, k->s->number, "SE1");
}

static struct answer delete_it(const struct trying *k)
{
	return wms_delete(&k->t->wms, k->s->number);
}

/* A client repeats what it got no answer to, or was told to send again. */
static bool was_ok(void *arg)
{
	struct trying *k = arg;
	struct answer a = k->call(k);
	bool ok = a.status == 200 && !strcmp(text_of(a.json, "status"), "ok");

	answer_release(&a);
	return ok;
}

static void until_ok(struct trying *k,
		     struct answer (*call)(const struct trying *k))
{
	k->call = call;
	if (!wait_until(was_ok, k, 60000))
		fail_msg("never told ok");
}

/* The next call to either API loses its answer, or is lost on its way. */
static void spoil(struct stage *t, const char *when)
{
	for (int i = 0; i < 2; i++)
		sim_tell(t->centra, "/faults",
			 "{\"api\":\"%s\",\"kind\":\"drop\",\"when\":\"%s\","
			 "\"count\":1}",
			 i ? "graphql" : "order", when);
}

static void lost_answers(void **state, const char *when)
{
	struct answer (*const steps[])(const struct trying *) = {
		edit, capture, complete};
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	struct trying k = {.t = &t};
	struct wms_shipment s = stage_accepted(&t, NULL, &k.number);
	struct ends e;

	k.s = &s;
	for (size_t i = 0; i < 3; i++) {
		spoil(&t, when);
		until_ok(&k, steps[i]);
		sim_tell(t.centra, "/faults", "{\"clear\":true}");
	}
	e = stage_completed(&t, k.number, 1, 60000);
	once_each(&e);
	assert_int_equal(e.units, 2);
	end(&t);
}

static void calls_that_centra_never_got_ship_once(void **state)
{
	lost_answers(state, "before");
}

static void answers_that_are_lost_ship_once(void **state)
{
	lost_answers(state, "after");
}

static bool has_no_shipment(void *arg)
{
	struct trying *k = arg;

	return stage_ends(k->t, k->number).shipments == 0;
}

/* The rest is not made anew while the answer is lost. */
static void a_delete_whose_answer_is_lost_deletes_once(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	struct trying k = {.t = &t};
	struct wms_shipment s = stage_accepted(&t, NULL, &k.number);
	struct answer a;

	k.s = &s;
	sim_tell(t.centra, "/faults",
		 "{\"api\":\"order\",\"kind\":\"drop\",\"when\":\"after\","
		 "\"what\":\"delete\",\"count\":2}");
	a = delete_it(&k);
	assert_true(a.status == 200 || a.status == 503);
	answer_release(&a);
	wms_wait_gone(&t.wms, k.number, WITHIN);
	if (!wait_until(has_no_shipment, &k, WITHIN))
		fail_msg("the shipment is at Centra still");
	end(&t);
}

/* ---- kills ---- */

static void *tries_once(void *arg)
{
	(void)was_ok(arg);
	return NULL;
}

/* The server dies a moment after it got the call, while Centra is slow to
 * answer. */
static void killed_meanwhile(struct trying *k)
{
	const struct timespec moment = {.tv_nsec = 300000000};
	pthread_t thread;

	for (int i = 0; i < 2; i++)
		sim_tell(k->t->centra, "/faults",
			 "{\"api\":\"%s\",\"kind\":\"slow\",\"when\":"
			 "\"after\",\"ms\":700,\"count\":2}",
			 i ? "graphql" : "order");
	assert_int_equal(pthread_create(&thread, NULL, tries_once, k), 0);
	nanosleep(&moment, NULL);
	shipfrom_kill_9(k->t->s);
	pthread_join(thread, NULL);
	sim_tell(k->t->centra, "/faults", "{\"clear\":true}");
	shipfrom_again(k->t->s);
}

static void kills_between_every_step_ship_once(void **state)
{
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	struct answer (*const steps[])(const struct trying *) = {
		edit, capture, complete};
	struct trying k = {.t = &t};
	struct wms_shipment s = stage_accepted(&t, NULL, &k.number);
	struct ends e;

	k.s = &s;
	for (size_t i = 0; i < 3; i++) {
		k.call = steps[i];
		killed_meanwhile(&k);
		until_ok(&k, steps[i]);
	}
	e = stage_completed(&t, k.number, 1, 60000);
	once_each(&e);
	assert_int_equal(e.units, 2);
	end(&t);
}

/* ---- bodies that make no sense ---- */

static void odd_bodies_change_nothing(void **state)
{
	static const char *const bodies[] = {
		"", "{", "[]", "null", "1", "\"x\"", "{}", "{\"shipment\":1}",
		"{\"shipment\":null}", "{\"shipment\":[]}",
		"{\"shipment\":{\"shipment\":\"x\"}}", "{\"shipment\":\"\"}",
		"{\"products\":[]}", "{\"products\":{}}",
		"{\"products\":{\"\":1}}", "{\"products\":{\"x\":1}}",
		"{\"products\":{\"1\":1e300}}", "{\"products\":{\"1\":-1}}",
		"{\"products\":{\"1\":0.5}}",
		"{\"products\":{\"1\":\"99999999999999999999\"}}",
		"{\"products\":{\"9223372036854775808\":1}}",
		"{\"products\":{\"1\":{\"qty\":{}}}}",
		"{\"shipment\":\"1\\u0000\"}", "{\"gtg\":{}}",
		"{\"order\":1e999}", "{\"orderNumber\":1.5}",
		"{\"orderNumber\":true,\"warehouseId\":[],\"accepted\":1}",
		"{\"products\":[1,2]}", "{\"products\":[{}]}",
		"{\"products\":[{\"product\":1,\"quantity\":1}]}",
		"{\"products\":[{\"product\":\"x\",\"quantity\":-1}]}",
		"{\"products\":[{\"product\":\"x\",\"quantity\":1.5}]}",
		"{\"products\":[{\"product\":\"x\"}]}",
		"{\"id\":-1,\"status\":\"confirmed\"}",
		"{\"id\":\"67\",\"status\":[]}",
	};
	static const struct {
		const char *method, *path;
	} calls[] = {
		{"PUT", "/capture"},	{"PUT", "/shipment"},
		{"POST", "/shipments"}, {"POST", "/check-first"},
		{"POST", "/stock"},	{"PUT", "/allocation-request"},
		{"PUT", NULL},		{"DELETE", NULL},
	};
	struct shapes shapes = {0};
	struct stage t = begin(state, &shapes);
	int64_t number;
	struct wms_shipment s = stage_accepted(&t, NULL, &number);
	char own[80];
	struct ends e;

	snprintf(own, sizeof(own), "/shipments/%s-", s.number);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (size_t k = 0; k < sizeof(bodies) / sizeof(bodies[0]);
		     k++) {
			struct answer a = wms_call(
				&t.wms, calls[i].method,
				calls[i].path ? calls[i].path : own, "%s",
				bodies[k]);

			if (a.status < 200 || a.status >= 500)
				fail_msg("%s %s with %s: %ld %s",
					 calls[i].method,
					 calls[i].path ? calls[i].path : own,
					 bodies[k], a.status, a.body);
			answer_release(&a);
		}
	e = stage_ends(&t, number);
	assert_int_equal(e.shipments, 1);
	assert_int_equal(e.captures, 0);
	assert_int_equal(e.completions, 0);
	assert_int_equal(e.units, 3);
	end(&t);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, shipfrom_end)
	const struct CMUnitTest tests[] = {
		TEST(many_at_once_ship_it_once),
		TEST(completes_in_a_loop_ship_it_once),
		TEST(some_delete_what_others_send),
		TEST(a_cancel_and_a_capture_meet),
		TEST(calls_that_centra_never_got_ship_once),
		TEST(answers_that_are_lost_ship_once),
		TEST(a_delete_whose_answer_is_lost_deletes_once),
		TEST(kills_between_every_step_ship_once),
		TEST(odd_bodies_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
