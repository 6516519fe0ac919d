/* SPDX-License-Identifier: MIT
 *
 * The server's wall clock is wrong, or is set while it runs: nothing is lost
 * or given up for good, and nothing is done twice.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/browser.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"
#include "tests/harness/webhook.h"

#define DAY    INT64_C(86400000)
/* An order of one line. */
#define TWO ORDER_LINES("{\"quantity\":2}")

/* ---- the clock ---- */

static char clock_file[128];

/* The server's wall clock is ahead of ours by so much from now on. */
static void clock_is_ahead(int64_t ms)
{
	int fd = open(clock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &ms, sizeof(ms), 0), sizeof(ms));
	close(fd);
}

static struct shipfrom *start(void **state, const char *server,
			      const char *centra)
{
	static struct under_fault fault;
	static char wallclock[256];
	static const char *const under[] = {"env", fault.preload, wallclock,
					    fault.asan, NULL};
	const struct shipfrom_options o = {
		.server = server, .centra = centra, .under = under};

	snprintf(clock_file, sizeof(clock_file), "/tmp/shipfrom-clock.%d",
		 (int)getpid());
	snprintf(wallclock, sizeof(wallclock), "WALLCLOCK=%s", clock_file);
	under_fault(&fault, "wallclock", "");
	clock_is_ahead(0);
	*state = shipfrom_start(&o);
	return *state;
}

static int end(void **state)
{
	unlink(clock_file);
	return shipfrom_end(state);
}

static void again_with_clock(struct shipfrom *s, int64_t ahead)
{
	assert_int_equal(shipfrom_stop(s), 0);
	clock_is_ahead(ahead);
	shipfrom_again(s);
}

/* ---- what the server says ---- */

struct sample {
	struct shipfrom *s;
	const char *name;
	double least, most;
};

static bool is_between(void *arg)
{
	struct sample *m = arg;
	char url[256], line[96];
	struct answer a;
	const char *at;
	bool is = false;

	snprintf(url, sizeof(url), "%s/metrics", m->s->admin);
	snprintf(line, sizeof(line), "\nshipfrom_%s ", m->name);
	a = http_get(url, NULL);
	at = a.body ? strstr(a.body, line) : NULL;
	if (at) {
		double v = strtod(at + strlen(line), NULL);

		is = v >= m->least && v <= m->most;
	}
	answer_release(&a);
	return is;
}

static void wait_sample(struct shipfrom *s, const char *name, double least,
			double most)
{
	struct sample m = {s, name, least, most};

	if (!wait_until(is_between, &m, 10000))
		fail_msg("%s is not between %f and %f", name, least, most);
}

static void ship(struct shipfrom *s, int64_t number)
{
	struct answer a = shop_does(s, AMSTERDAM, number, "ship", PARCEL);

	assert_true(a.status == 200 || a.status == 202);
	answer_release(&a);
}

static void fault_create(struct shipfrom *s, int64_t number, const char *fault)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"createShipment\","
		 "\"order\":%lld,\"count\":1,%s}",
		 (long long)number, fault);
}

/* ---- shipping ---- */

static bool unknown_yet(void *arg)
{
	struct order_of *o = arg;
	char text[32], *out = NULL;
	const char *why[] = {"why", text, "--json", NULL};
	bool is;

	snprintf(text, sizeof(text), "%lld", (long long)o->number);
	(void)shipfrom_run(o->s, &out, true, why);
	is = out && strstr(out, "\"kind\":\"no_reply\"") &&
	     strstr(out, "\"result\":\"unknown\"");
	free(out);
	return is;
}

/* The slow call is over at Centra too. */
static bool is_over(void *arg)
{
	return sim_spoilt(arg) == 1;
}

/* Centra makes the shipment long after we have given the call up.  A clock that
 * jumps forward meanwhile must not make us think that it is over. */
static void a_shipment_is_made_once_though_the_clock_jumps_a_minute(
	void **state)
{
	struct shipfrom *s = start(state, "answer_wait = 100ms",
				   MANY "call_timeout = 3s\n");
	struct order_of o = {s, order_accepted(s, TWO), NULL};

	fault_create(s, o.number,
		     "\"kind\":\"slow\",\"ms\":5000,\"when\":\"before\"");
	ship(s, o.number);
	assert_true(wait_until(unknown_yet, &o, 10000));
	clock_is_ahead(60000);
	wait_stage(s, o.number, "shipped", 30000);
	assert_true(wait_until(is_over, &s->sim, 10000));
	assert_int_equal(sim_calls_of(&s->sim, o.number, "createShipment"), 1);
	shipfrom_passed(s);
}

static void a_clock_set_back_does_not_hold_a_shipment_for_a_day(void **state)
{
	struct shipfrom *s = start(state, "answer_wait = 100ms",
				   MANY "call_timeout = 1s\n");
	struct order_of o = {s, order_accepted(s, TWO), NULL};

	fault_create(s, o.number, "\"kind\":\"drop\",\"when\":\"before\"");
	ship(s, o.number);
	assert_true(wait_until(unknown_yet, &o, 10000));
	clock_is_ahead(-DAY);
	wait_stage(s, o.number, "shipped", 20000);
	assert_int_equal(sim_calls_of(&s->sim, o.number, "createShipment"), 2);
	shipfrom_passed(s);
}

/* ---- a wrong clock at one start ---- */

/* A browser that is signed in for the shop in amsterdam. */
static struct browser sign_in(struct shipfrom *s)
{
	struct browser b;

	browser_link(&b, s, "amsterdam");
	assert_int_equal(browser_signs_in(&b), 200);
	return b;
}

static long me(struct browser *b)
{
	struct answer a = browser_does(b, "GET", "/api/v1/me", NULL);
	long status = a.status;

	answer_release(&a);
	return status;
}

/* A reject with an Idempotency-Key. */
static long reject_keyed(struct shipfrom *s, int64_t number, const char *body)
{
	char url[256], bearer[128];
	const char *headers[] = {"Content-Type: application/json",
				 "Idempotency-Key: one", bearer, NULL};
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/reject", s->url,
		 (long long)number);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	a = http_send("POST", url, headers, body, strlen(body));
	status = a.status;
	answer_release(&a);
	return status;
}

static void assert_nothing_removed(struct shipfrom *s)
{
	static const char *const kinds[] = {"events",	   "orders",
					    "entries",	   "quarantined",
					    "changes",	   "addresses"};
	char name[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(name, sizeof(name), "removed_%s_total", kinds[i]);
		wait_sample(s, name, 0, 0);
	}
}

/* All that a clock must not take away, seen from outside. */
struct kept {
	int64_t to_ship, shipped, keyed, unanswered;
	struct browser browser;
};

static void assert_kept(struct shipfrom *s, struct kept *k)
{
	struct order_of to_ship = {s, k->to_ship, NULL},
			shipped = {s, k->shipped, NULL};
	char state[STATE_ROOM];

	assert_true(order_has_address(&to_ship));
	assert_true(order_has_address(&shipped));
	assert_int_equal(me(&k->browser), 200);
	assert_int_equal(reject_keyed(s, k->keyed, "{\"reason\":\"damaged\"}"),
			 422);
	assert_string_equal(shop_sees(s, AMSTERDAM, k->unanswered, state),
			    "accepting");
}

static void a_clock_100_days_ahead_at_one_start_changes_nothing_for_good(
	void **state)
{
	struct shipfrom *s = start(state,
				   "answer_wait = 100ms\nkeep_addresses = 30d\n"
				   "keep_events = 30d\nkeep_journal = 30d\n"
				   "keep_orders = 30d\nkeep_quarantine = 30d\n"
				   "session_age = 30d\nsweep_every = 1s",
				   MANY);
	struct kept k = {0};
	struct answer a;

	wait_sample(s, "clock_confirmed", 1, 1);
	k.browser = sign_in(s);
	k.to_ship = order_accepted(s, TWO);
	k.shipped = order_accepted(s, TWO);
	ship(s, k.shipped);
	wait_stage(s, k.shipped, "shipped", 20000);
	k.keyed = order_offered(s, TWO);
	assert_true(reject_keyed(s, k.keyed, "{}") < 300);
	/* An accept that never reaches Centra: its tries are not done. */
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"429\",\"when\":\"before\","
		 "\"percent\":100}");
	k.unanswered = order_offered(s, TWO);
	a = shop_does(s, AMSTERDAM, k.unanswered, "accept", "{}");
	answer_release(&a);
	assert_kept(s, &k);

	again_with_clock(s, 100 * DAY);
	wait_sample(s, "clock_ahead_seconds", 8639000, 8641000);
	wait_sample(s, "clock_confirmed", 0, 0);
	wait_sample(s, "sweeps_total", 3, 1e9);
	assert_kept(s, &k);
	assert_nothing_removed(s);

	again_with_clock(s, 0);
	wait_sample(s, "clock_confirmed", 1, 1);
	wait_sample(s, "sweeps_total", 2, 1e9);
	assert_kept(s, &k);
	assert_nothing_removed(s);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_state(s, AMSTERDAM, k.unanswered, "accepted", 40000);
	ship(s, k.to_ship);
	wait_stage(s, k.to_ship, "shipped", 20000);
	shipfrom_passed(s);
}

static void once_the_clock_is_right_what_is_too_old_goes(void **state)
{
	struct shipfrom *s = start(state,
				   "keep_addresses = 1s\nsession_age = 1s\n"
				   "sweep_every = 1s",
				   MANY);
	struct order_of shipped = {s, 0, NULL}, to_ship = {s, 0, NULL};
	struct browser browser = sign_in(s);

	shipped.number = order_accepted(s, TWO);
	to_ship.number = order_accepted(s, TWO);
	ship(s, shipped.number);
	wait_stage(s, shipped.number, "shipped", 20000);
	assert_int_equal(me(&browser), 200);
	again_with_clock(s, 60000); /* off by less than the tolerance */
	wait_sample(s, "clock_confirmed", 1, 1);
	wait_sample(s, "removed_addresses_total", 1, 1);
	assert_false(order_has_address(&shipped));
	assert_true(order_has_address(&to_ship));
	assert_int_equal(me(&browser), 401);
	shipfrom_passed(s);
}

/* Sends events that are signed `ago` days ago; returns the status. */
static long post_dated(struct shipfrom *s, int64_t ago, const char *json)
{
	char *body = webhook_body(json, SPACE_PLUS);
	char *header = webhook_header(SECRET,
				      (int64_t)time(NULL) - ago * 86400, body);
	struct answer a = webhook_post(s->hook, header, body, strlen(body));
	long status = a.status;

	answer_release(&a);
	free(header);
	free(body);
	return status;
}

static void send_dated(struct shipfrom *s, int64_t ago, const char *json)
{
	assert_int_equal(post_dated(s, ago, json), 200);
}

#define EVENT(type, action, id, data)                                         \
	"{\"type\":\"" type "\",\"action\":\"" action "\",\"date\":"           \
	"\"2021-01-11 16:21:00.552288\",\"id\":" id ",\"data\":" data "}"

/* What the shop and an operator are told of an order of 100 days ago, and of one
 * that never was, is the same. */
static void assert_told_nothing(struct shipfrom *s, const char *gone)
{
	const char *why[] = {"why", gone, NULL};
	const char *events[] = {"events", "--since", "1", NULL};
	char path[64], *out = NULL;
	struct answer a, other = shop_get(s, AMSTERDAM, "/api/v1/orders/889999");

	snprintf(path, sizeof(path), "/api/v1/orders/%s", gone);
	a = shop_get(s, AMSTERDAM, path);
	assert_int_equal(a.status, 404);
	assert_string_equal(a.body, other.body);
	answer_release(&a);
	answer_release(&other);
	assert_int_equal(shipfrom_run(s, &out, true, why), 1);
	assert_non_null(strstr(out, "removed by its age (keep_orders"));
	free(out);
	assert_int_equal(shipfrom_run(s, &out, true, events), 0);
	assert_non_null(strstr(out, "were removed by their age (keep_events)"));
	free(out);
}

/* 100 days ago an order ended, one was offered and never ended, and a body could
 * not be read. */
static void what_is_too_old_goes_and_what_is_open_stays(void **state)
{
	struct shipfrom *s = start(state,
				   "keep_events = 30d\nkeep_orders = 60d\n"
				   "keep_quarantine = 30d\nsweep_every = 1s",
				   MANY);
	char seen[STATE_ROOM];

	again_with_clock(s, -100 * DAY);
	send_dated(s, 100,
		   "{\"events\":[" EVENT(
			   "check_first", "create", "880001",
			   "{\"warehouses\":[{\"warehouseId\":3}]}") ","
		   EVENT("check_first", "timeout", "880001",
			 "{\"warehouseId\":3}") ","
		   EVENT("check_first", "create", "880002",
			 "{\"warehouses\":[{\"warehouseId\":3}]}") ","
		   EVENT("customer", "update", "7", "{}") ",5]}");
	wait_sample(s, "orders", 2, 2);
	wait_sample(s, "quarantined", 1, 1);
	assert_string_not_equal(shop_sees(s, AMSTERDAM, 880001, seen), "404");
	again_with_clock(s, 0);
	send_dated(s, 0,
		   "{\"events\":[" EVENT("customer", "update", "8", "{}") "]}");
	wait_sample(s, "clock_confirmed", 1, 1);
	wait_sample(s, "removed_orders_total", 1, 1);
	wait_sample(s, "removed_quarantined_total", 1, 1);
	wait_sample(s, "orders", 1, 1);
	wait_sample(s, "quarantined", 0, 0);
	/* The open order's event stays while a task of it waits; the newest
	 * stays. */
	wait_sample(s, "events", 1, 2);
	wait_sample(s, "removed_events_total", 3, 4);
	assert_told_nothing(s, "880001");
	shipfrom_passed(s);
}

#define OLD_ORDER                                                              \
	"{\"events\":[" EVENT("check_first", "create", "880001",                \
			      "{\"warehouses\":[{\"warehouseId\":3}]}") ","     \
	EVENT("check_first", "timeout", "880001", "{\"warehouseId\":3}") "]}"

/* Retries all that is in quarantine; returns what the command prints. */
static char *retry_quarantined(struct shipfrom *s)
{
	char *out = NULL;
	const char *const retry[] = {"quarantine", "retry", "--all", NULL};

	(void)shipfrom_run(s, &out, true, retry);
	return out;
}

/* The time in its signature says when Centra sent it. */
static void a_webhook_that_came_while_the_clock_was_far_behind_is_kept(
	void **state)
{
	struct shipfrom *s = start(state,
				   "keep_events = 30d\nkeep_orders = 30d\n"
				   "keep_quarantine = 30d\nsweep_every = 1s",
				   MANY);
	char *out;

	again_with_clock(s, -100 * DAY);
	send_dated(s, 100, OLD_ORDER);
	assert_int_equal(
		post_dated(s, 0,
			   "{\"events\":[" EVENT(
				   "check_first", "create", "880002",
				   "{\"warehouses\":[{\"warehouseId\":3}]}") "]}"),
		401);
	wait_sample(s, "quarantined", 1, 1);
	again_with_clock(s, 0);
	send_dated(s, 0,
		   "{\"events\":[" EVENT("customer", "update", "8", "{}") "]}");
	wait_sample(s, "removed_orders_total", 1, 1);
	wait_sample(s, "removed_quarantined_total", 0, 0);
	wait_sample(s, "quarantined", 1, 1);
	out = retry_quarantined(s);
	assert_non_null(strstr(out, "1 new"));
	free(out);
	wait_sample(s, "orders", 1, 1);
	shipfrom_passed(s);
}

/* Somebody sends again what was recorded long ago: its signature is right, and
 * too old. */
static void an_old_webhook_sent_again_brings_no_part_of_a_removed_order_back(
	void **state)
{
	struct shipfrom *s = start(state,
				   "keep_events = 30d\nkeep_orders = 30d\n"
				   "keep_quarantine = 30d\nsweep_every = 1s",
				   MANY);

	again_with_clock(s, -100 * DAY);
	send_dated(s, 100, OLD_ORDER);
	again_with_clock(s, 0);
	send_dated(s, 0,
		   "{\"events\":[" EVENT("customer", "update", "8", "{}") "]}");
	wait_sample(s, "removed_orders_total", 1, 1);
	assert_int_equal(post_dated(s, 100, OLD_ORDER), 401);
	wait_sample(s, "quarantined", 1, 1);
	free(retry_quarantined(s));
	wait_sample(s, "orders", 0, 0);
	wait_sample(s, "quarantined", 1, 1);
	shipfrom_passed(s);
}

/* Somebody resumes the order in Centra while our clock says that its deadline is
 * long over: it was not, and the shop did not let it run out. */
static void an_offer_that_ends_under_a_wrong_clock_has_not_timed_out(
	void **state)
{
	struct shipfrom *s = start(state,
				   "sweep_every = 200ms\nlook_again = 500ms",
				   MANY);
	int64_t number = order_offered(s, TWO);
	char path[64];

	again_with_clock(s, 100 * DAY);
	wait_sample(s, "clock_ahead_seconds", 8639000, 8641000);
	snprintf(path, sizeof(path), "/orders/%lld/resume", (long long)number);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, AMSTERDAM, number, "rejected", 15000);
	shipfrom_passed(s);
}

/* ---- counts of stock ---- */

/* Sends a count of now, and returns its result at once: "waiting" or "older". */
static void count(struct shipfrom *s, const char *ean, int quantity,
		  char ret[STATE_ROOM])
{
	char url[256], bearer[128], json[200];
	const char *headers[] = {bearer, NULL};
	struct answer a;

	snprintf(url, sizeof(url), "%s/api/v1/stock", s->url);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	snprintf(json, sizeof(json),
		 "{\"items\":[{\"ean\":\"%s\",\"quantity\":%d}]}", ean,
		 quantity);
	a = http_send("PUT", url, headers, json, strlen(json));
	assert_int_equal(a.status, 202);
	snprintf(ret, STATE_ROOM, "%s",
		 text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(a.json,
								"items"),
					    0),
			 "result"));
	answer_release(&a);
}

struct counted {
	struct shipfrom *s;
	const char *ean, *result;
};

static bool has_result(void *arg)
{
	const struct counted *c = arg;
	char path[200];
	struct answer a;
	bool is;

	snprintf(path, sizeof(path), "/api/v1/stock/results?ean=%s", c->ean);
	a = shop_get(c->s, AMSTERDAM, path);
	is = !strcmp(text_of(a.json, "result"), c->result);
	answer_release(&a);
	return is;
}

/* Counts an item until it is no longer too old, and Centra has the count. */
static void count_again(struct shipfrom *s, const char *ean)
{
	struct counted done = {s, ean, "done"}, old = {s, ean, "too_old"};
	char taken[STATE_ROOM];

	count(s, ean, 8, taken);
	if (wait_until(has_result, &old, 1000))
		count(s, ean, 9, taken);
	assert_string_equal(taken, "waiting");
	assert_true(wait_until(has_result, &done, 5000));
}

/* Counts and movements that were noted under a clock a day ahead are not newer
 * than those of the next 24 hours. */
static void counts_go_on_when_a_clock_that_ran_ahead_is_right(void **state)
{
	struct shipfrom *s = start(state, NULL, MANY);
	int64_t number = order_accepted(s, TWO);
	struct answer o = order_get(s, number);
	char ean[40], taken[STATE_ROOM];

	snprintf(ean, sizeof(ean), "%s",
		 text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(o.json,
								"lines"),
					    0),
			 "ean"));
	answer_release(&o);
	sim_tell(&s->sim, "/stock", "{\"ean\":\"1001\"}");
	again_with_clock(s, DAY);
	count(s, "1001", 7, taken);
	assert_string_equal(taken, "waiting");
	assert_true(wait_until(has_result,
			       &(struct counted){s, "1001", "done"}, 5000));
	ship(s, number);
	wait_stage(s, number, "shipped", 10000);
	again_with_clock(s, 0);
	/* Whether the clock is right is known from Centra's first reply. */
	count(s, "1002", 1, taken);
	wait_sample(s, "clock_confirmed", 1, 1);
	count_again(s, "1001");
	count_again(s, ean);
	shipfrom_passed(s);
}

/* It waits until a time that a clock a day ahead has set. */
static void a_count_that_waits_goes_on_when_the_clock_is_set_back(void **state)
{
	struct shipfrom *s = start(state, NULL, MANY "call_timeout = 1s\n");
	char taken[STATE_ROOM];

	sim_tell(&s->sim, "/stock", "{\"ean\":\"1001\"}");
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setStock\","
		 "\"kind\":\"500\",\"count\":1}");
	clock_is_ahead(DAY);
	count(s, "1001", 7, taken);
	assert_true(wait_until(is_over, &s->sim, 5000));
	again_with_clock(s, 0);
	assert_true(wait_until(has_result,
			       &(struct counted){s, "1001", "done"}, 15000));
	shipfrom_passed(s);
}

/* Imports a count of the item; returns the exit status, and what was printed in
 * *ret_out (owned). */
static int import_count(struct shipfrom *s, const char *ean, char **ret_out)
{
	char file[200];
	const char *words[] = {"stock", "import", file, "--shop", "amsterdam",
			       NULL};
	FILE *f;

	snprintf(file, sizeof(file), "%s/counts.csv", s->dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fprintf(f, "ean,quantity\n%s,8\n", ean);
	assert_int_equal(fclose(f), 0);
	return shipfrom_run(s, ret_out, true, words);
}

/* The command does not know whether the clock is confirmed, and says so instead of
 * telling that the count is older. */
static void an_import_over_a_count_of_a_clock_that_ran_ahead_is_refused(
	void **state)
{
	struct shipfrom *s = start(state, NULL, MANY);
	char taken[STATE_ROOM], *out = NULL;

	sim_tell(&s->sim, "/stock", "{\"ean\":\"1001\"}");
	again_with_clock(s, DAY);
	count(s, "1001", 7, taken);
	assert_true(wait_until(has_result,
			       &(struct counted){s, "1001", "done"}, 5000));
	again_with_clock(s, 0);
	assert_int_not_equal(import_count(s, "1001", &out), 0);
	assert_non_null(strstr(out, "'1001' is dated "));
	assert_non_null(strstr(out, "clock"));
	free(out);
	/* By the server, which asks Centra, it is counted. */
	count(s, "1002", 1, taken);
	wait_sample(s, "clock_confirmed", 1, 1);
	count(s, "1001", 9, taken);
	assert_string_equal(taken, "waiting");
	assert_true(wait_until(has_result,
			       &(struct counted){s, "1001", "done"}, 10000));
	assert_int_equal(import_count(s, "1001", &out), 0);
	free(out);
	shipfrom_passed(s);
}

static bool was_tried(void *arg)
{
	return sim_calls_of(arg, 0, "setStock") > 0;
}

/* What moved after it may have been removed by age (keep_stock) meanwhile. */
static void a_count_that_has_waited_for_a_week_is_not_sent(void **state)
{
	struct shipfrom *s = start(state, NULL, MANY "call_timeout = 1s\n");
	char taken[STATE_ROOM];

	sim_tell(&s->sim, "/stock", "{\"ean\":\"1001\"}");
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setStock\","
		 "\"kind\":\"500\",\"percent\":100}");
	again_with_clock(s, -8 * DAY);
	count(s, "1001", 7, taken);
	assert_true(wait_until(was_tried, &s->sim, 10000));
	assert_int_equal(shipfrom_stop(s), 0);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	clock_is_ahead(0);
	shipfrom_again(s);
	/* Whether the clock is right is known from Centra's first reply. */
	count(s, "1002", 1, taken);
	if (!wait_until(has_result,
			&(struct counted){s, "1001", "too_old"}, 15000))
		fail_msg("a count of 8 days ago is not too_old");
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_shipment_is_made_once_though_the_clock_jumps_a_minute),
		T(a_clock_set_back_does_not_hold_a_shipment_for_a_day),
		T(a_clock_100_days_ahead_at_one_start_changes_nothing_for_good),
		T(once_the_clock_is_right_what_is_too_old_goes),
		T(what_is_too_old_goes_and_what_is_open_stays),
		T(a_webhook_that_came_while_the_clock_was_far_behind_is_kept),
		T(an_old_webhook_sent_again_brings_no_part_of_a_removed_order_back),
		T(an_offer_that_ends_under_a_wrong_clock_has_not_timed_out),
		T(counts_go_on_when_a_clock_that_ran_ahead_is_right),
		T(a_count_that_waits_goes_on_when_the_clock_is_set_back),
		T(a_count_that_has_waited_for_a_week_is_not_sent),
		T(an_import_over_a_count_of_a_clock_that_ran_ahead_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
