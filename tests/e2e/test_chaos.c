/* SPDX-License-Identifier: MIT
 *
 * Everything at once: calls that are lost, cut, refused and late, webhooks
 * lost, repeated and shuffled, looks that do not show what is so, replies packed
 * or with odd characters in them, shops that all want the same orders, and a
 * server killed again and again.  No shop is ever told that an order is its own
 * unless Centra gave it to that shop; and when the storm is over all agree.
 *
 * How looks go wrong is chosen by the seed: of any ten seeds in a row each way
 * is in some.
 *
 * CHAOS_SEED, CHAOS_ORDERS and CHAOS_KILLS say which storm and how much of it
 * (`make chaos`).  With SOAK_MINUTES it goes on for so long: new orders come
 * all the time, some are rejected, cancelled, expire or are taken off the shops
 * in Centra, and the most memory that the server had is printed (`make soak`).
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define FIRST	     5000  /* the first order */
#define ORDERS_MAX   50000
#define EVENTS_MAX   200000
#define FIRST_EVENT  900000
#define HANDS	     4	 /* that press at once in each shop */
#define WINDOW	     60	 /* orders that a shop still cares for, in a soak */
#define KILL_EVERY   2000 /* ms */
#define CALM	     90000 /* ms for all to agree once the storm is over */
#define LOOK_AGAIN   "2s" /* longer than readings are stale */

struct storm {
	struct shipfrom *s;
	unsigned seed, minutes;
	atomic_bool up, over;
	atomic_int orders, events;
	/* Per order: the shop that was told accepted, + 1; 0: none. */
	atomic_int told[ORDERS_MAX];
	/* Per order and shop: its accept was answered 200 or 202. */
	atomic_bool decided[ORDERS_MAX][SHOPS];
	/* It was told there that the order is not its own, nor can be. */
	atomic_bool told_no[ORDERS_MAX][SHOPS];
	/* Nothing more is to be said about it there. */
	atomic_bool ended[ORDERS_MAX][SHOPS];
	atomic_bool acked[EVENTS_MAX];
	atomic_int twice; /* an order that two shops were told is theirs */
	atomic_int not_http; /* answers that are none of the API's */
	int kills;
	long memory; /* KiB: the most the server had */
};

static struct storm st;

struct hand {
	enum shop shop;
	int which;
	unsigned random;
	pthread_t thread;
};

static unsigned chance(unsigned *x, unsigned below)
{
	*x = *x * 1664525u + 1013904223u;
	return (*x >> 8) % below;
}

static void nap(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}

static int number_in(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text && *text ? (int)strtol(text, NULL, 10) : otherwise;
}

/* ---- the shops ---- */

/* Remembers what an answer says, from whichever call. */
static void heard(enum shop shop, int i, const struct answer *a)
{
	int before = 0;

	if (a->status != 200 ||
	    strcmp(text_of(a->json, "state"), "accepted") != 0)
		return;
	if (!atomic_compare_exchange_strong(&st.told[i], &before,
					    (int)shop + 1) &&
	    before != (int)shop + 1)
		st.twice = FIRST + i;
}

/* Of a shop that was told how it ended: does it stay so? */
static void look_again(enum shop shop, int i)
{
	char path[64];
	struct answer a;

	snprintf(path, sizeof(path), "/api/v1/orders/%d", FIRST + i);
	a = shop_get(st.s, shop, path);
	heard(shop, i, &a);
	answer_release(&a);
}

/* In a soak orders are taken off the shops and asked again: there a no of
 * before says nothing of who wins later. */
static bool is_no(const struct answer *a)
{
	static const char *const codes[] = {"refused", "taken", "rejected",
					    "timed_out"};

	if (a->status != 409 || st.minutes)
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(text_of(a->json, "code"), codes[i]))
			return true;
	return false;
}

static void press(enum shop shop, int i, unsigned dice)
{
	bool reject = st.minutes && dice < 10;
	struct answer a;

	a = shop_does(st.s, shop, FIRST + i, reject ? "reject" : "accept",
		      "{}");
	heard(shop, i, &a);
	if (!reject && (a.status == 200 || a.status == 202))
		st.decided[i][shop] = true;
	if (is_no(&a))
		st.told_no[i][shop] = true;
	if (a.status == 409 ||
	    (a.status == 200 && !strcmp(text_of(a.json, "state"), "accepted")))
		st.ended[i][shop] = true;
	if (a.status && a.status != 200 && a.status != 202 &&
	    a.status != 404 && a.status != 409 && a.status != 429 &&
	    a.status != 503)
		st.not_http = (int)a.status;
	answer_release(&a);
}

/* Hands of the same number, in all shops, go for the same order at once. */
static void *work_the_till(void *arg)
{
	struct hand *h = arg;

	for (int turn = 0; !st.over; turn++) {
		int n = st.orders, i = turn + h->which * n / HANDS;

		if (st.minutes)
			i = n - 1 - (int)chance(&h->random, WINDOW);
		else if (n)
			i %= n;
		if (!st.up || i < 0 || i >= n || st.ended[i][h->shop]) {
			nap(2);
			if (st.up && i >= 0 && i < n &&
			    !chance(&h->random, 50))
				look_again(h->shop, i);
			continue;
		}
		press(h->shop, i, chance(&h->random, 100));
	}
	return NULL;
}

/* Events of no order: what is answered 200 must be there at the end. */
static void *send_events(void *arg)
{
	char json[256];

	(void)arg;
	while (!st.over && st.events < EVENTS_MAX) {
		int i = st.events;
		struct answer a;

		nap(st.minutes ? 100 : 20);
		if (!st.up)
			continue;
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"customer\","
			 "\"action\":\"update\","
			 "\"date\":\"2021-01-29 14:40:58.628033\","
			 "\"id\":%d}]}",
			 FIRST_EVENT + i);
		a = webhook_send(st.s->hook, json, SPACE_PLUS);
		st.acked[i] = a.status == 200;
		st.events = i + 1;
		answer_release(&a);
	}
	return NULL;
}

/* ---- Centra ---- */

/* Of all calls about 35 of 100 meet one of the first; the rest is the right
 * answer in another dress. */
static void spoil(struct sim *sim, const char *api)
{
	static const char *const faults[] = {
		"\"kind\":\"drop\",\"percent\":5",
		"\"kind\":\"drop\",\"when\":\"after\",\"percent\":7",
		"\"kind\":\"half\",\"percent\":6",
		"\"kind\":\"500\",\"percent\":3",
		"\"kind\":\"500\",\"when\":\"after\",\"percent\":5",
		"\"kind\":\"status\",\"status\":502,\"when\":\"after\","
		"\"percent\":2",
		"\"kind\":\"html\",\"percent\":3",
		"\"kind\":\"garbage\",\"when\":\"after\",\"percent\":3",
		"\"kind\":\"maybe\",\"when\":\"after\",\"percent\":2",
		"\"kind\":\"slow\",\"ms\":1500,\"when\":\"after\","
		"\"percent\":4",
		"\"kind\":\"429\",\"retry_after\":\"1\",\"percent\":2",
		"\"kind\":\"401\",\"percent\":1",
		"\"kind\":\"403\",\"percent\":1",
		"\"kind\":\"gzip\",\"percent\":15",
		"\"kind\":\"odd\",\"percent\":15"};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sim_tell(sim, "/faults", "{\"api\":\"%s\",%s}", api,
			 faults[i]);
}

/* Fields that Centra does not show, with an error of their own. */
static void hide_fields(struct sim *sim)
{
	static const char *const fields[] = {"allocations", "shipments",
					     "shippingAddress", "isOnHold",
					     "lines", "orders"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		sim_tell(sim, "/faults",
			 "{\"api\":\"graphql\",\"kind\":\"field\","
			 "\"field\":\"%s\",\"percent\":3}",
			 fields[i]);
}

static bool by_seed(unsigned nth)
{
	return (st.seed * 2654435761u >> (8 + nth)) & 1;
}

/* Whether units in a shipment leave the allocations in this storm. */
static bool allocations_leave(void)
{
	return by_seed(0);
}

/* Looks that do not show what is so.  None lasts as long as it takes until two
 * looks are believed (LOOK_AGAIN). */
static void blur(struct sim *sim)
{
	sim_tell(sim, "/settings",
		 "{\"allocations_leave\":%s,\"own_shipments\":%d,"
		 "\"other_hold\":%d,\"other_hold_ms\":8000,"
		 "\"null_reason\":%d,\"empty_allocations\":%d,"
		 "\"late_allocations\":%d,\"stale\":%d}",
		 allocations_leave() ? "true" : "false", by_seed(1) ? 15 : 0,
		 by_seed(2) ? 30 : 0, by_seed(3) ? 30 : 0, by_seed(4) ? 10 : 0,
		 by_seed(5) ? 4000 : 0, by_seed(6) ? 800 : 0);
}

/* What was shown wrong is so no more. */
static void clear_up(struct sim *sim)
{
	sim_tell(sim, "/faults", "{\"clear\":true}");
	sim_tell(sim, "/settings",
		 "{\"empty_allocations\":0,\"late_allocations\":0,"
		 "\"stale\":0}");
}

/* Replies in another form, and a token without all permissions, each in half of
 * all storms. */
static void be_odd(struct sim *sim)
{
	if (by_seed(7))
		sim_tell(sim, "/faults",
			 "[{\"api\":\"order\",\"kind\":\"gzip\",\"percent\":30},"
			 "{\"api\":\"order\",\"kind\":\"odd\",\"percent\":30},"
			 "{\"api\":\"graphql\",\"kind\":\"gzip\",\"percent\":20},"
			 "{\"api\":\"graphql\",\"kind\":\"odd\",\"percent\":20}]");
	if (by_seed(8))
		sim_tell(sim, "/settings",
			 "{\"denied\":[\"Order.shippingAddress:read\","
			 "\"PaymentHistory:read\"]}");
}

static void let_loose(struct sim *sim)
{
	spoil(sim, "order");
	spoil(sim, "graphql");
	hide_fields(sim);
	be_odd(sim);
	sim_tell(sim, "/hooks",
		 "{\"loss\":20,\"repeats\":30,\"shuffle\":true,\"delay\":400,"
		 "\"batch\":3}");
}

/* Of every four orders one is all goods as usual, one has a bundle, one a gift
 * card, one both. */
static const char *goods(int i)
{
	static const char *const lines[] = {
		"",
		",\"lines\":[{\"kind\":\"bundle\"},"
		"{\"kind\":\"bundle_item\"},{\"kind\":\"bundle_item\"}]",
		",\"lines\":[{\"kind\":\"gift_card\"},"
		"{\"kind\":\"product\",\"quantity\":2}]",
		",\"lines\":[{\"kind\":\"product\"},{\"kind\":\"bundle\"},"
		"{\"kind\":\"bundle_item\",\"quantity\":2},"
		"{\"kind\":\"gift_card\"}]",
	};

	return lines[i % 4];
}

/* Of every three orders one is offered by check-first, one by allocation
 * requests to all shops at once, and one by a request to Amsterdam and
 * check-first to the others. */
static const char *asked(int i)
{
	static const char *const kinds[] = {
		"",
		(",\"requests\":[{\"warehouse\":2},{\"warehouse\":3},"
		 "{\"warehouse\":4}]"),
		",\"warehouses\":[2,4],\"requests\":[{\"warehouse\":3}]",
	};

	return kinds[i / 4 % 3];
}

static void place(int n)
{
	if (st.orders + n > ORDERS_MAX)
		return;
	for (int i = 0; i < n; i++)
		sim_tell(&st.s->sim, "/orders",
			 "{\"number\":%d,\"expires_in\":%d%s%s}",
			 FIRST + st.orders + i, st.minutes ? 20 : 600,
			 asked(st.orders + i), goods(st.orders + i));
	st.orders += n;
}

/* Of a soak: what people do in Centra meanwhile.  What comes too late there is
 * refused. */
static void meddle(unsigned *random)
{
	static const char *const verbs[] = {"cancel", "resume", "expire"};
	int i = st.orders - 1 - (int)chance(random, WINDOW);
	struct answer a;
	char url[256];

	place(1);
	if (i < 0 || chance(random, 4))
		return;
	snprintf(url, sizeof(url), "%s/control/orders/%d/%s", st.s->sim.url,
		 FIRST + i, verbs[chance(random, 3)]);
	a = http_post(url, NULL, "{}");
	assert_true(a.status == 200 || a.status == 400);
	answer_release(&a);
}

/* ---- the server ---- */

static void note_memory(void)
{
	char path[64], line[128];
	long kib;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status",
		 (int)st.s->process.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1 && kib > st.memory)
			st.memory = kib;
	if (f)
		fclose(f);
}

static void kill_it(void)
{
	note_memory();
	st.up = false;
	shipfrom_kill_9(st.s);
	shipfrom_again(st.s);
	st.up = true;
	st.kills++;
}

/* A soak lets it live for up to a minute now and then, to see it grow. */
static void rage(int kills, unsigned *random)
{
	int64_t end = now_mono() + (int64_t)st.minutes * 60000, next;

	for (int k = 0; st.minutes ? now_mono() < end : k < kills; k++) {
		next = now_mono() + KILL_EVERY / 2 +
		       (int)chance(random, KILL_EVERY);
		if (st.minutes && k % 10 == 0)
			next += chance(random, 60000);
		while (now_mono() < next) {
			nap(200);
			if (st.minutes)
				meddle(random);
		}
		kill_it();
	}
}

static void at_work(void *(*fn)(void *), struct hand *h)
{
	assert_int_equal(pthread_create(&h->thread, NULL, fn, h), 0);
}

static void storm(int kills)
{
	struct hand hands[SHOPS * HANDS], sender = {0};
	unsigned random = st.seed * 7919 + 7;

	st.up = true;
	for (int i = 0; i < SHOPS * HANDS; i++) {
		hands[i] = (struct hand){.shop = (enum shop)(i % SHOPS),
					 .which = i / SHOPS,
					 .random = random + (unsigned)i * 99};
		at_work(work_the_till, &hands[i]);
	}
	at_work(send_events, &sender);
	rage(kills, &random);
	st.over = true;
	for (int i = 0; i < SHOPS * HANDS; i++)
		pthread_join(hands[i].thread, NULL);
	pthread_join(sender.thread, NULL);
}

/* ---- afterwards ---- */

/* What Centra says of an order at the end. */
struct truth {
	int64_t winner, accepts;
	bool cancelled;
	bool own_shipment; /* Centra has made it by itself */
};

static struct truth *the_truth(void)
{
	struct truth *ret = calloc((size_t)st.orders, sizeof(*ret));
	char url[256];
	struct answer a;
	const cJSON *o;

	assert_non_null(ret);
	snprintf(url, sizeof(url), "%s/control/state", st.s->sim.url);
	a = http_get(url, NULL);
	assert_int_equal(a.status, 200);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		int64_t i = number_of(o, "number") - FIRST;

		if (i < 0 || i >= st.orders)
			continue;
		ret[i].winner = number_of(o, "winner");
		ret[i].accepts = number_of(o, "accepts");
		ret[i].cancelled = !strcmp(text_of(o, "status"), "CANCELLED");
		ret[i].own_shipment =
			cJSON_GetArraySize(cJSON_GetObjectItem(
				o, "shipments")) > 0;
	}
	answer_release(&a);
	return ret;
}

struct wanted {
	enum shop shop;
	int i;
	const struct truth *truth;
	char state[STATE_ROOM];
};

/* Nothing in Centra shows whose the order is: its units are in a shipment that
 * Centra has made, and among the allocations no more. */
static bool nobodys(const struct truth *t)
{
	return t->own_shipment && allocations_leave();
}

/* Is nothing still to come of its answer?  Where the reply was lost, and the
 * webhook too, of an order that is nobody's, nothing ever tells. */
static bool is_settled(void *arg)
{
	struct wanted *w = arg;
	const char *s = shop_sees(st.s, w->shop, FIRST + w->i, w->state);

	return (strcmp(s, "accepting") && strcmp(s, "rejecting")) ||
	       nobodys(w->truth);
}

/* After that Centra gives none of the orders to anyone any more. */
static void settle_all(void)
{
	struct truth *truth = the_truth();

	for (int i = 0; i < st.orders * SHOPS; i++) {
		struct wanted w = {.shop = (enum shop)(i % SHOPS),
				   .i = i / SHOPS,
				   .truth = &truth[i / SHOPS]};

		if (!wait_until(is_settled, &w, CALM))
			fail_msg("order %d: shop of warehouse %d still sees %s",
				 FIRST + w.i, (int)w.shop + 2, w.state);
	}
	free(truth);
}

/* An order is in doubt where Centra shows nobody as its owner. */
static bool doubts_rightly(const struct wanted *w)
{
	char path[64];
	struct answer a;
	bool doubt;

	snprintf(path, sizeof(path), "/api/v1/orders/%d", FIRST + w->i);
	a = shop_get(st.s, w->shop, path);
	doubt = cJSON_IsTrue(cJSON_GetObjectItem(a.json, "doubt"));
	answer_release(&a);
	return doubt == nobodys(w->truth);
}

/* Does the shop see what Centra says? */
static bool agrees(void *arg)
{
	struct wanted *w = arg;
	const char *s = shop_sees(st.s, w->shop, FIRST + w->i, w->state);

	if (w->truth->cancelled)
		return strcmp(s, "accepted") && strcmp(s, "pending");
	if (nobodys(w->truth) && !strcmp(s, "accepting"))
		return true;
	if (w->truth->winner == (int)w->shop + 2)
		return !strcmp(s, "accepted") && doubts_rightly(w);
	if (!strcmp(s, "accepted"))
		return false;
	if (w->truth->winner) /* nobody hopes for what another has */
		return strcmp(s, "pending") && strcmp(s, "refused");
	return !st.decided[w->i][w->shop] || strcmp(s, "pending") != 0;
}

static void check_order(int i, const struct truth *t)
{
	if (st.told[i] && st.told[i] + 1 != t->winner)
		fail_msg("order %d: shop of warehouse %d was told accepted, "
			 "Centra gave it to %lld",
			 FIRST + i, st.told[i] + 1, (long long)t->winner);
	for (int shop = 0; shop < SHOPS; shop++)
		if (st.told_no[i][shop] && shop + 2 == t->winner)
			fail_msg("order %d: shop of warehouse %d was told no, "
				 "and Centra has given it to it",
				 FIRST + i, shop + 2);
	if (t->accepts > 1)
		fail_msg("order %d: two accepts were told ok", FIRST + i);
	for (int shop = 0; shop < SHOPS; shop++) {
		struct wanted w = {(enum shop)shop, i, t, ""};

		if (!wait_until(agrees, &w, CALM))
			fail_msg("order %d: shop of warehouse %d sees %s; "
				 "Centra gave it to %lld%s",
				 FIRST + i, shop + 2, w.state,
				 (long long)t->winner,
				 t->cancelled ? " and it is cancelled" : "");
	}
}

/* Everything answered 200 is there, once. */
static void check_events(void)
{
	const char *words[] = {"events", "--json", "--since", "1", NULL};
	unsigned char *times = calloc(EVENTS_MAX, 1);
	char *out = NULL, *at;

	assert_non_null(times);
	assert_int_equal(shipfrom_run(st.s, &out, false, words), 0);
	for (at = out; (at = strstr(at, "\"customer\"")); at++) {
		const char *id = strstr(at, "\"id\":");
		long n = id ? strtol(id + 5, NULL, 10) - FIRST_EVENT : -1;

		assert_in_range(n, 0, EVENTS_MAX - 1);
		times[n]++;
	}
	for (int i = 0; i < st.events; i++)
		if (times[i] > 1 || times[i] < st.acked[i])
			fail_msg("event %d: answered 200: %d, stored %d times",
				 i, (int)st.acked[i], times[i]);
	free(out);
	free(times);
}

static void check_store(void)
{
	const char *verify[] = {"verify", NULL};
	const char *dead[] = {"tasks", "--dead", "--json", NULL};
	char *out = NULL;

	if (shipfrom_run(st.s, &out, true, verify))
		fail_msg("verify: %s", out);
	free(out);
	assert_int_equal(shipfrom_run(st.s, &out, false, dead), 0);
	if (*out)
		fail_msg("given up: %s", out);
	free(out);
}

static void no_shop_is_told_accepted_of_what_centra_gave_to_another(
	void **state)
{
	static struct shipfrom_options o = {
		.server = "answer_wait = 200ms\nsweep_every = 2s\n"
			  "missed_after = 1s\nlook_again = " LOOK_AGAIN "\n"};
	int orders = number_in("CHAOS_ORDERS", 60), won = 0, events = 0;
	struct truth *truth;

	st.minutes = (unsigned)number_in("SOAK_MINUTES", 0);
	st.seed = (unsigned)number_in("CHAOS_SEED", 1);
	/* What a lost create leads to takes turns. */
	o.centra = st.seed % 2 ? "call_timeout = 1s\ngraphql_requests = 200\n"
				 "recover = offer\npoll_requests = 1s\n"
			       : "call_timeout = 1s\ngraphql_requests = 200\n"
				 "recover = report\npoll_requests = 1s\n";
	st.s = *state = shipfrom_start(&o);
	sim_tell(&st.s->sim, "/hooks", "{\"paused\":true}");
	blur(&st.s->sim);
	place(st.minutes ? WINDOW : orders);
	let_loose(&st.s->sim);
	sim_tell(&st.s->sim, "/hooks", "{\"paused\":false}");
	storm(number_in("CHAOS_KILLS", 4));

	clear_up(&st.s->sim);
	sim_tell(&st.s->sim, "/hooks", "{\"loss\":0,\"repeats\":0}");
	sim_quiet(&st.s->sim);
	settle_all();
	truth = the_truth();
	if (st.twice)
		fail_msg("two shops were told that order %d is theirs",
			 (int)st.twice);
	if (st.not_http)
		fail_msg("a shop was answered %d", (int)st.not_http);
	for (int i = 0; i < st.orders; i++) {
		check_order(i, &truth[i]);
		won += truth[i].winner > 0;
	}
	note_memory();
	check_events();
	check_store();
	for (int i = 0; i < st.events; i++)
		events += st.acked[i];
	printf("seed %u: %d orders, %d won, %d calls spoilt, %d kills, "
	       "%d events acknowledged, at most %ld KiB resident\n",
	       st.seed, (int)st.orders, won, sim_spoilt(&st.s->sim), st.kills,
	       events, st.memory);
	/* It was a storm: calls went wrong, and orders were won all the same. */
	assert_true(won > st.orders / 4);
	assert_true(events > 0 && sim_spoilt(&st.s->sim) > 20);
	free(truth);
	shipfrom_passed(st.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			no_shop_is_told_accepted_of_what_centra_gave_to_another,
			shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
