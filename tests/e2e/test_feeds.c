/* SPDX-License-Identifier: MIT
 *
 * The feeds of events, by GraphQL and by SOAP: each change is seen without a
 * webhook, and no event is confirmed before what it means is durable.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/sweep.h"
#include "tests/harness/wait.h"

#define QUICK "missed_after = 400ms\nlook_again = 500ms\n"
#define OURS  "queue_is_ours = yes\npoll_feeds = 200ms\n"

static int setup_graphql(void **state)
{
	return sweeping_with(state, QUICK,
			     "source = webhooks, graphql_events\n" OURS MANY);
}

static int setup_soap(void **state)
{
	return sweeping_with(state, QUICK, "source = webhooks, soap\n" OURS MANY);
}

static int setup_both(void **state)
{
	return sweeping_with(state, QUICK,
			     "source = graphql_events soap\n" OURS MANY);
}

/* ---- what the stand-in says of its feeds ---- */

static struct answer feed_state(struct shipfrom *s)
{
	char url[256];

	snprintf(url, sizeof(url), "%s/control/feed", s->sim.url);
	return http_get(url, NULL);
}

/* A number of one feed, or (feed NULL) of both. */
static int64_t feed_number(struct shipfrom *s, const char *feed,
			   const char *member)
{
	struct answer a = feed_state(s);
	int64_t ret = number_of(feed ? cJSON_GetObjectItem(a.json, feed)
				     : a.json,
				member);

	answer_release(&a);
	return ret;
}

struct reached {
	struct shipfrom *s;
	const char *feed, *member;
	int64_t least;
};

static bool is_reached(void *arg)
{
	struct reached *r = arg;

	return feed_number(r->s, r->feed, r->member) >= r->least;
}

static void wait_feed(struct shipfrom *s, const char *feed, const char *member,
		      int64_t least, int ms)
{
	struct reached r = {s, feed, member, least};

	if (!wait_until(is_reached, &r, ms))
		fail_msg("%s.%s is %lld, not %lld", feed ? feed : "", member,
			 (long long)feed_number(s, feed, member),
			 (long long)least);
}

static bool is_drained(void *arg)
{
	struct reached *r = arg;

	return feed_number(r->s, r->feed, "waiting") == 0;
}

static bool is_down_to(void *arg)
{
	struct reached *r = arg;

	return feed_number(r->s, r->feed, "waiting") <= r->least;
}

static void wait_drained(struct shipfrom *s, const char *feed, int ms)
{
	struct reached r = {.s = s, .feed = feed};

	if (!wait_until(is_drained, &r, ms))
		fail_msg("%s: %lld events wait still", feed,
			 (long long)feed_number(s, feed, "waiting"));
}

/* Until the server listens: events before that are in no feed. */
static void wait_listening(struct shipfrom *s)
{
	wait_feed(s, NULL, "listens", 1, 10000);
}

/* ---- a cancel without a webhook ---- */

static void a_cancel_is_seen_without_a_webhook(struct shipfrom *s,
					       const char *feed)
{
	int64_t number = order_offered_for(s, 600);
	int64_t began;

	lose_webhooks(s);
	order_ended(s, number, "cancel");
	began = now_mono();
	/* 90 s less the 60 s of the default poll_feeds. */
	wait_state(s, AMSTERDAM, number, "cancelled", 30000);
	assert_true(now_mono() - began < 30000);
	wait_drained(s, feed, 10000);
	wait_missed(s, "cancel", 1);
	wait_judged(s);
	EXPECT_MISSED(s, 0, 0, 0, 0, 1);
}

static void a_cancel_is_seen_by_graphql_events(void **state)
{
	struct shipfrom *s = *state;

	wait_listening(s);
	a_cancel_is_seen_without_a_webhook(s, "graphql");
	shipfrom_passed(s);
}

static void a_cancel_is_seen_by_soap(void **state)
{
	struct shipfrom *s = *state;

	a_cancel_is_seen_without_a_webhook(s, "soap");
	shipfrom_passed(s);
}

/* Two feeds tell of it, many times: it counts once. */
static void a_missed_webhook_counts_once_by_both_feeds(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	wait_listening(s);
	number = order_offered_for(s, 600);
	lose_webhooks(s);
	order_ended(s, number, "cancel");
	wait_missed(s, "cancel", 1);
	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"order\":%lld}],\"count\":50}",
		 (long long)number);
	wait_drained(s, "graphql", 10000);
	wait_drained(s, "soap", 10000);
	sweep(s);
	wait_judged(s);
	EXPECT_MISSED(s, 0, 0, 0, 0, 1);
	shipfrom_passed(s);
}

/* The webhook of a change usually comes before the feed tells of it. */
static void a_change_that_a_webhook_told_is_not_missed(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	wait_listening(s);
	number = order_offered_for(s, 600);
	order_ended(s, number, "cancel");
	wait_state(s, AMSTERDAM, number, "cancelled", 10000);
	wait_drained(s, "graphql", 10000);
	wait_judged(s);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

/* ---- creates, and orders that are nobody's ---- */

static void a_lost_create_is_found_by_a_feed(void **state)
{
	struct shipfrom *s = *state;

	wait_listening(s);
	lose_webhooks(s);
	order_placed(s, "\"warehouses\":[3]");
	wait_missed(s, "create", 1);
	wait_drained(s, "graphql", 10000);
	wait_judged(s);
	EXPECT_MISSED(s, 1, 0, 0, 0, 0);
	shipfrom_passed(s);
}

/* How many of Centra's calls name the order, but for `what`. */
static int calls_about(struct shipfrom *s, int64_t number)
{
	return sim_calls_of(&s->sim, number, "orders");
}

static void an_order_that_was_never_offered_is_not_fetched(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	wait_listening(s);
	number = order_placed(s, "\"warehouses\":[]");
	wait_feed(s, "graphql", "confirmed", 1, 10000);
	wait_drained(s, "graphql", 10000);
	/* One question, for all orders of the page: which of them wait. */
	assert_true(calls_about(s, number) <= 1);
	assert_int_equal(metric(s, "feed_looks_total"), 0);
	shipfrom_passed(s);
}

/* ---- shipments and returns ---- */

static void events_of_shipments_and_returns_lead_to_a_look(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, looks;

	wait_listening(s);
	number = order_offered_for(s, 600);
	wait_drained(s, "graphql", 10000);
	for (int i = 0; i < 2; i++) {
		looks = metric(s, "feed_looks_total");
		sim_tell(&s->sim, "/feed",
			 "{\"events\":[{\"object\":\"%s\",\"reference\":%d,"
			 "\"order\":%lld}]}",
			 i ? "Return" : "Shipment", 7700 + i,
			 (long long)number);
		wait_metric(s, "feed_looks_total", looks + 1, 10000);
	}
	assert_int_equal(metric(s, "feed_unresolved_total"), 0);
	shipfrom_passed(s);
}

static void an_event_of_an_unknown_shipment_is_kept(void **state)
{
	const char *words[] = {"records", "--json", NULL};
	struct shipfrom *s = *state;
	char *out = NULL;

	wait_listening(s);
	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"object\":\"Shipment\",\"change\":\"DELETED\","
		 "\"reference\":4711}]}");
	wait_metric(s, "feed_unresolved_total", 1, 10000);
	wait_drained(s, "graphql", 10000);
	shipfrom_kill_9(s);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "feed_event"));
	free(out);
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* A token without the permission: the events are kept, and the feed goes on. */
static void a_missing_permission_of_shipments_stops_no_feed(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	wait_listening(s);
	number = order_offered_for(s, 600);
	sim_tell(&s->sim, "/settings", "{\"denied\":[\"Return:read\"]}");
	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"object\":\"Return\",\"reference\":81,"
		 "\"order\":%lld}]}", (long long)number);
	wait_metric(s, "feed_unresolved_total", 1, 10000);
	wait_drained(s, "graphql", 10000);
	shipfrom_passed(s);
}

/* ---- durable before it is confirmed ---- */

static bool is_confirmed(void *arg)
{
	struct reached *r = arg;

	return feed_number(r->s, r->feed, "confirmed") >= r->least;
}

/* The confirmation has acted at Centra, its reply is under way, and the server
 * is killed.  The looks fail, so only what is on disk tells of the change. */
static void killed_while_it_confirms(struct shipfrom *s, const char *feed,
				     const char *api, const char *what)
{
	const char *words[] = {"tasks", "--json", NULL};
	int64_t number = order_offered_for(s, 600), confirmed;
	char *out = NULL, name[48];
	struct reached r;

	wait_drained(s, feed, 10000);
	confirmed = feed_number(s, feed, "confirmed");
	lose_webhooks(s);
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"what\":\"orders\",\"kind\":\"500\","
		 "\"percent\":100},{\"api\":\"%s\",\"what\":\"%s\","
		 "\"kind\":\"slow\",\"when\":\"after\",\"ms\":10000}]",
		 api, what);
	order_ended(s, number, "cancel");
	r = (struct reached){s, feed, "confirmed", confirmed + 1};
	assert_true(wait_until(is_confirmed, &r, 10000));
	shipfrom_kill_9(s);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	snprintf(name, sizeof(name), "\"order\":%lld", (long long)number);
	if (!strstr(out, "\"fetch_order\"") || !strstr(out, name))
		fail_msg("no look is asked for on disk: %s", out);
	free(out);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	shipfrom_again(s);
	wait_state(s, AMSTERDAM, number, "cancelled", 15000);
}

static void no_graphql_event_is_confirmed_before_it_is_durable(void **state)
{
	struct shipfrom *s = *state;

	wait_listening(s);
	killed_while_it_confirms(s, "graphql", "graphql", "confirmEvents");
	shipfrom_passed(s);
}

static void no_soap_event_is_done_before_it_is_durable(void **state)
{
	struct shipfrom *s = *state;

	killed_while_it_confirms(s, "soap", "soap", "Events_Done");
	shipfrom_passed(s);
}

static void a_lost_reply_to_the_confirmation_is_repeated(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	wait_listening(s);
	number = order_offered_for(s, 600);
	wait_drained(s, "graphql", 10000);
	lose_webhooks(s);
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"what\":\"confirmEvents\","
		 "\"kind\":\"drop\",\"when\":\"after\"},"
		 "{\"api\":\"graphql\",\"what\":\"confirmEvents\","
		 "\"kind\":\"drop\",\"when\":\"before\"}]");
	order_ended(s, number, "cancel");
	wait_state(s, AMSTERDAM, number, "cancelled", 15000);
	wait_drained(s, "graphql", 15000);
	wait_metric(s, "feed_events_total",
		    feed_number(s, "graphql", "confirmed"), 15000);
	assert_int_equal(metric(s, "feed_events_total"),
			 feed_number(s, "graphql", "confirmed"));
	shipfrom_passed(s);
}

/* Centra refuses each call that names one event, which stays at the head: those
 * behind it are confirmed, and the next change is seen. */
static void an_event_that_is_never_confirmed(struct shipfrom *s,
					     const char *feed)
{
	struct reached r = {.s = s, .feed = feed, .least = 1};
	int64_t number = order_offered_for(s, 600);

	wait_drained(s, feed, 10000);
	lose_webhooks(s);
	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"order\":%lld,\"stuck\":true}]}",
		 (long long)number);
	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"order\":%lld}],\"count\":300}",
		 (long long)number);
	if (!wait_until(is_down_to, &r, 30000))
		fail_msg("%lld wait", (long long)feed_number(s, feed, "waiting"));
	order_ended(s, number, "cancel");
	wait_state(s, AMSTERDAM, number, "cancelled", 15000);
	if (!wait_until(is_down_to, &r, 30000))
		fail_msg("%lld wait", (long long)feed_number(s, feed, "waiting"));
}

static void a_stuck_graphql_event_keeps_no_other(void **state)
{
	struct shipfrom *s = *state;

	wait_listening(s);
	an_event_that_is_never_confirmed(s, "graphql");
	shipfrom_passed(s);
}

static void a_stuck_soap_event_keeps_no_other(void **state)
{
	struct shipfrom *s = *state;

	an_event_that_is_never_confirmed(s, "soap");
	shipfrom_passed(s);
}

/* ---- 3,000 events, and kills ---- */

#define ORDERS	   30
#define EVENTS	   3000
#define KILL_EVERY 250 /* ms */
#define KILLS	   12  /* at most */

static void add_events(struct shipfrom *s, const int64_t *numbers)
{
	char list[8192];
	int n = 0;

	for (int i = 0; i < ORDERS; i++)
		n += snprintf(list + n, sizeof(list) - (size_t)n,
			      "%s{\"object\":\"%s\",\"reference\":%lld,"
			      "\"order\":%lld}",
			      i ? "," : "",
			      i % 3 == 1   ? "Shipment"
			      : i % 3 == 2 ? "Return"
					   : "Order",
			      i % 3 ? 900000LL + i : (long long)numbers[i],
			      (long long)numbers[i]);
	sim_tell(&s->sim, "/feed", "{\"events\":[%s],\"count\":%d}", list,
		 EVENTS / ORDERS);
}

static void many_events_and_kills(struct shipfrom *s, const char *feed)
{
	int64_t numbers[ORDERS], began = now_mono();
	struct reached r = {.s = s, .feed = feed};
	int kills = 0;

	for (int i = 0; i < ORDERS; i++)
		numbers[i] = order_placed(s, "\"warehouses\":[3]");
	for (int i = 0; i < ORDERS; i++)
		wait_state(s, AMSTERDAM, numbers[i], "pending", 10000);
	lose_webhooks(s);
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"kind\":\"drop\",\"percent\":5},"
		 "{\"api\":\"graphql\",\"kind\":\"drop\",\"when\":\"after\","
		 "\"percent\":5},"
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"percent\":30,"
		 "\"ms\":150},"
		 "{\"api\":\"soap\",\"kind\":\"half\",\"percent\":5},"
		 "{\"api\":\"soap\",\"kind\":\"slow\",\"percent\":20,"
		 "\"ms\":200}]");
	add_events(s, numbers);
	for (int i = 0; i < ORDERS; i++)
		order_ended(s, numbers[i], "cancel");
	while (!wait_until(is_drained, &r, KILL_EVERY) &&
	       now_mono() - began < 120000) {
		if (kills == KILLS)
			continue;
		kills++;
		shipfrom_kill_9(s);
		shipfrom_again(s);
	}
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_drained(s, feed, 60000);
	assert_true(kills >= 2);
	assert_true(feed_number(s, feed, "events") >= EVENTS);
	assert_int_equal(feed_number(s, feed, "unseen"), 0);
	for (int i = 0; i < ORDERS; i++)
		wait_state(s, AMSTERDAM, numbers[i], "cancelled", 30000);
	print_message("%d kills, %lld ms\n", kills,
		      (long long)(now_mono() - began));
}

static void of_3000_graphql_events_none_is_lost(void **state)
{
	struct shipfrom *s = *state;

	wait_listening(s);
	many_events_and_kills(s, "graphql");
	shipfrom_passed(s);
}

static void of_3000_soap_events_none_is_lost(void **state)
{
	struct shipfrom *s = *state;

	many_events_and_kills(s, "soap");
	shipfrom_passed(s);
}

/* ---- SOAP that goes wrong ---- */

static bool has_failed(void *arg)
{
	struct reached *r = arg;

	return metric(r->s, "feed_failures_total") >= r->least;
}

/* The feed shows an event all the while: none of these replies may lead to its
 * being done, and afterwards it is. */
static void wrong_soap_does_nothing(void **state)
{
	static const char *const replies[] = {
		"<!DOCTYPE x [<!ENTITY a \\\"lol\\\"><!ENTITY b \\\"&a;&a;\\\">]>"
		"<x>&b;</x>",
		"<!DOCTYPE x [<!ENTITY f SYSTEM \\\"file:///etc/passwd\\\">]>"
		"<x>&f;</x>",
		"<a><b></a></b>",
		"<html><body>Bad gateway</body></html>",
		"",
		"{\\\"status\\\":\\\"ok\\\"}",
	};
	struct shipfrom *s = *state;
	struct reached r = {.s = s};
	int64_t number, before;

	wait_metric(s, "ready", 1, 5000);
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		r.least = metric(s, "feed_failures_total") + 1;
		sim_tell(&s->sim, "/settings", "{\"soap_next\":\"%s\"}",
			 replies[i]);
		if (!wait_until(has_failed, &r, 15000))
			fail_msg("reply %zu is no failure", i);
	}
	r.least = metric(s, "feed_failures_total") + 2;
	sim_tell(&s->sim, "/settings", "{\"soap_password\":\"another\"}");
	assert_true(wait_until(has_failed, &r, 30000));
	before = feed_number(s, "soap", "confirmed");
	number = order_offered_for(s, 600);
	assert_int_equal(feed_number(s, "soap", "confirmed"), before);
	lose_webhooks(s);
	order_ended(s, number, "cancel");
	sim_tell(&s->sim, "/settings", "{\"soap_password\":\"soap-password\"}");
	wait_state(s, AMSTERDAM, number, "cancelled", 60000);
	wait_drained(s, "soap", 10000);
	shipfrom_passed(s);
}

/* Customers, warehouses and the like are marked done, or the queue would end
 * there. */
static void soap_events_of_all_types_are_marked_done(void **state)
{
	struct shipfrom *s = *state;
	int64_t events = metric(s, "feed_events_total");

	sim_tell(&s->sim, "/feed",
		 "{\"events\":[{\"object\":\"Customer\",\"reference\":4},"
		 "{\"object\":\"Warehouse\",\"reference\":3},"
		 "{\"object\":\"Product\",\"reference\":9}],\"count\":100}");
	wait_drained(s, "soap", 20000);
	wait_metric(s, "feed_events_total", events + 300, 10000);
	assert_int_equal(metric(s, "feed_looks_total"), 0);
	shipfrom_passed(s);
}

/* Each call hangs for longer than a shop would wait. */
static void a_soap_api_that_hangs_delays_no_shop(void **state)
{
	struct shipfrom *s = *state;
	int64_t began;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"soap\",\"kind\":\"slow\",\"percent\":100,"
		 "\"ms\":8000}");
	for (int i = 0; i < 5; i++) {
		began = now_mono();
		order_accepted(s, NULL);
		assert_true(now_mono() - began < 5000);
	}
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	shipfrom_passed(s);
}

/* ---- the setting ---- */

static void a_feed_needs_a_queue_of_its_own(void **state)
{
	const char *words[] = {"check", NULL};
	struct shipfrom *s = *state;
	char *out = NULL;
	FILE *f;

	f = fopen(s->config, "a");
	assert_non_null(f);
	fprintf(f, "[centra two]\nwebhook_secret = another-secret-1\n"
		   "order_api_url = http://127.0.0.1:1/api\n"
		   "order_api_key = key\n"
		   "graphql_url = http://127.0.0.1:1/graphql\n"
		   "graphql_token = token\nsource = graphql_events\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(shipfrom_run(s, &out, true, words), 78);
	assert_non_null(strstr(out, "queue_is_ours = yes"));
	assert_non_null(strstr(out, ".ini:"));
	free(out);
	shipfrom_passed(s);
}

#define WITH(setup, test)                                                     \
	cmocka_unit_test_setup_teardown(test, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(setup_graphql, a_cancel_is_seen_by_graphql_events),
		WITH(setup_soap, a_cancel_is_seen_by_soap),
		WITH(setup_both, a_missed_webhook_counts_once_by_both_feeds),
		WITH(setup_graphql, a_change_that_a_webhook_told_is_not_missed),
		WITH(setup_graphql, a_lost_create_is_found_by_a_feed),
		WITH(setup_graphql,
		     an_order_that_was_never_offered_is_not_fetched),
		WITH(setup_graphql,
		     events_of_shipments_and_returns_lead_to_a_look),
		WITH(setup_graphql, an_event_of_an_unknown_shipment_is_kept),
		WITH(setup_graphql,
		     a_missing_permission_of_shipments_stops_no_feed),
		WITH(setup_graphql,
		     no_graphql_event_is_confirmed_before_it_is_durable),
		WITH(setup_soap, no_soap_event_is_done_before_it_is_durable),
		WITH(setup_graphql,
		     a_lost_reply_to_the_confirmation_is_repeated),
		WITH(setup_graphql, a_stuck_graphql_event_keeps_no_other),
		WITH(setup_soap, a_stuck_soap_event_keeps_no_other),
		WITH(setup_graphql, of_3000_graphql_events_none_is_lost),
		WITH(setup_soap, of_3000_soap_events_none_is_lost),
		WITH(setup_soap, wrong_soap_does_nothing),
		WITH(setup_soap, soap_events_of_all_types_are_marked_done),
		WITH(setup_soap, a_soap_api_that_hangs_delays_no_shop),
		WITH(setup_graphql, a_feed_needs_a_queue_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
