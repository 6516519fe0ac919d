/* SPDX-License-Identifier: MIT
 *
 * Outgoing webhooks: what happens to a shop's orders reaches the shop's own
 * system in Centra's form, at least once and in order, whatever becomes of either
 * end; and no receiver costs anybody else anything.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/receiver.h"
#include "tests/harness/wait.h"

#define HOUR	INT64_C(3600000) /* ms */
#define DAY	(24 * HOUR)
#define KNOWN	"the+till-knows=this" /* the secret that receivers begin with */
#define LOOPBACK "notify_private = yes\nnotify_http = yes\n"
/* A receiver that was away is tried again within so many ms. */
#define SOON 20000
#define STORY_ROOM 512

/* ---- the server, and the shops' systems ---- */

/* Of amsterdam, and of the other shops where a test has one for them. */
static struct receiver *till, *stockholm, *berlin;

static const char *lines_for(struct receiver *r, char ret[512])
{
	snprintf(ret, 512, "notify_url = %s\nnotify_secret = " KNOWN "\n",
		 receiver_url(r));
	return ret;
}

static struct shipfrom *start(void **state, struct shipfrom_options o)
{
	char a[512], b[512], c[512];

	if (!till)
		till = receiver_start(KNOWN);
	if (!o.amsterdam)
		o.amsterdam = lines_for(till, a);
	if (stockholm)
		o.stockholm = lines_for(stockholm, b);
	if (berlin)
		o.berlin = lines_for(berlin, c);
	if (!o.server)
		o.server = LOOPBACK;
	if (!o.centra)
		o.centra = MANY;
	*state = shipfrom_start(&o);
	/* The texts are of this frame; the config is written. */
	((struct shipfrom *)*state)->options.amsterdam = NULL;
	((struct shipfrom *)*state)->options.stockholm = NULL;
	((struct shipfrom *)*state)->options.berlin = NULL;
	return *state;
}

static int setup(void **state)
{
	return !start(state, (struct shipfrom_options){0});
}

static int end(void **state)
{
	int bad = shipfrom_end(state);

	receiver_stop(till);
	receiver_stop(stockholm);
	receiver_stop(berlin);
	till = stockholm = berlin = NULL;
	return bad;
}

/* Replaces what follows `from` in the config by `to`. */
static void edit(struct shipfrom *s, const char *from, const char *to)
{
	char *was = NULL, *at;
	size_t room = 0;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&was, &room, 0, f) > 0);
	fclose(f);
	at = strstr(was, from);
	assert_non_null(at);
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - was), was, to, at + strlen(from));
	assert_int_equal(fclose(f), 0);
	free(was);
}

/* What a verb of words with blanks between prints (owned). */
static char *run(struct shipfrom *s, const char *line)
{
	char copy[200], *rest, *out = NULL;
	const char *words[12] = {0};
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &rest); w && n < 11;
	     w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	if (shipfrom_run(s, &out, true, words))
		fail_msg("%s: %s", line, out);
	return out;
}

struct print {
	struct shipfrom *s;
	const char *line, *has, *too;
};

static bool is_printed(void *arg)
{
	const struct print *p = arg;
	char *out = run(p->s, p->line);
	bool is = strstr(out, p->has) && (!p->too || strstr(out, p->too));

	free(out);
	return is;
}

static void wait_printed(struct shipfrom *s, const char *line, const char *has,
			 const char *too, int ms)
{
	struct print p = {s, line, has, too};
	char *out;

	if (wait_until(is_printed, &p, ms))
		return;
	out = run(s, line);
	fail_msg("%s has no %s %s: %.600s", line, has, too ? too : "", out);
	free(out);
}

/* ---- what arrived ---- */

static bool is_same(const cJSON *a, const cJSON *b)
{
	return !strcmp(text_of(a, "type"), text_of(b, "type")) &&
	       !strcmp(text_of(a, "action"), text_of(b, "action")) &&
	       !strcmp(text_of(a, "date"), text_of(b, "date")) &&
	       number_of(a, "id") == number_of(b, "id");
}

/* The check-first events of an order as they came first, "create accepted":
 * one that is repeated is told once. */
static const char *story(struct receiver *r, int64_t number,
			 char ret[STORY_ROOM])
{
	cJSON *events = receiver_events(r);
	const cJSON *v, *before;
	size_t n = 0;

	*ret = '\0';
	cJSON_ArrayForEach(v, events)
	{
		if (strcmp(text_of(v, "type"), "check_first") ||
		    number_of(v, "id") != number)
			continue;
		for (before = events->child; before != v; before = before->next)
			if (is_same(before, v))
				break;
		if (before == v && n < STORY_ROOM)
			n += (size_t)snprintf(ret + n, STORY_ROOM - n, "%s%s",
					      n ? " " : "",
					      text_of(v, "action"));
	}
	cJSON_Delete(events);
	return ret;
}

struct told {
	struct receiver *r;
	int64_t number;
	const char *story;
};

static bool is_told(void *arg)
{
	const struct told *t = arg;
	char now[STORY_ROOM];

	return !strcmp(story(t->r, t->number, now), t->story);
}

static void wait_told(struct receiver *r, int64_t number, const char *expect,
		      int ms)
{
	struct told t = {r, number, expect};
	struct received c;
	char now[STORY_ROOM];

	if (wait_until(is_told, &t, ms))
		return;
	c = receiver_counts(r);
	fail_msg("of order %lld came '%s', not '%s' (%d connections, %d "
		 "requests, %d taken, %d with a wrong signature) %s",
		 (long long)number, story(r, number, now), expect,
		 c.connections, c.tries, c.taken, c.unsigned_, c.wrong);
}

/* The place of the first event of that kind about that id; -1: none came. */
static int place(struct receiver *r, const char *type, const char *action,
		 int64_t id)
{
	cJSON *events = receiver_events(r);
	const cJSON *v;
	int n = 0, ret = -1;

	cJSON_ArrayForEach(v, events)
	{
		if (ret < 0 && !strcmp(text_of(v, "type"), type) &&
		    !strcmp(text_of(v, "action"), action) &&
		    number_of(v, "id") == id)
			ret = n;
		n++;
	}
	cJSON_Delete(events);
	return ret;
}

struct awaited {
	struct receiver *r;
	const char *type, *action;
	int64_t id;
};

static bool has_come(void *arg)
{
	const struct awaited *a = arg;

	return place(a->r, a->type, a->action, a->id) >= 0;
}

static int wait_event(struct receiver *r, const char *type, const char *action,
		      int64_t id)
{
	struct awaited a = {r, type, action, id};

	if (!wait_until(has_come, &a, 10000))
		fail_msg("no %s %s of %lld came", type, action, (long long)id);
	return place(r, type, action, id);
}

/* All that came has Centra's form and a right signature. */
static void assert_sound(struct receiver *r)
{
	struct received c = receiver_counts(r);

	if (*c.wrong)
		fail_msg("one is not in Centra's form: %s", c.wrong);
	assert_int_equal(c.unsigned_, 0);
}

struct tried {
	struct receiver *r;
	int connections, tries;
};

static bool is_tried(void *arg)
{
	const struct tried *t = arg;
	struct received c = receiver_counts(t->r);

	return c.connections >= t->connections && c.tries >= t->tries;
}

/* Until the receiver was called so many times more (read whole, or not). */
static void wait_calls(struct receiver *r, int connections, int tries, int ms)
{
	struct received c = receiver_counts(r);
	struct tried t = {r, c.connections + connections, c.tries + tries};

	if (!wait_until(is_tried, &t, ms))
		fail_msg("the receiver was not called %d times more",
			 connections + tries);
}

/* ---- orders ---- */

static void accept_order(struct shipfrom *s, enum shop shop, int64_t number)
{
	struct answer a = shop_does(s, shop, number, "accept", "{}");

	answer_release(&a);
	wait_state(s, shop, number, "accepted", 10000);
}

static void control(struct shipfrom *s, int64_t number, const char *verb,
		    const char *json)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 verb);
	sim_tell(&s->sim, path, "%s", json);
}

/* Centra's id of the order's one shipment. */
static int64_t shipment_of(struct shipfrom *s, int64_t number)
{
	char url[192];
	struct answer a;
	const cJSON *o;
	int64_t ret = -1;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
		if (number_of(o, "number") == number)
			ret = number_of(cJSON_GetArrayItem(
						cJSON_GetObjectItem(
							o, "shipments"),
						0),
					"id");
	answer_release(&a);
	assert_true(ret > 0);
	return ret;
}

/* ---- what is told, and what is not ---- */

/* `why` shows what was told, and that it was taken. */
static void assert_why_tells(struct shipfrom *s, int64_t number)
{
	char line[40];

	snprintf(line, sizeof(line), "why %lld", (long long)number);
	wait_printed(s, line, "told [shop amsterdam] check_first accepted: taken",
		     "told [shop amsterdam] shipment good_to_go: taken", 5000);
	snprintf(line, sizeof(line), "why --json %lld", (long long)number);
	wait_printed(s, line, "\"event\":\"check_first\"",
		     "\"result\":\"taken\"", 5000);
}

static void an_order_is_told_from_its_offer_to_its_shipment(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES), shipment;
	char code[STATE_ROOM];
	int accepted, made, good;

	order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 20000);
	shipment = shipment_of(s, number);
	good = wait_event(till, "shipment", "good_to_go", shipment);
	made = place(till, "shipment", "create", shipment);
	accepted = place(till, "check_first", "accepted", number);
	wait_told(till, number, "create accepted", 10000);
	assert_true(accepted >= 0 && accepted < made && made < good);
	wait_event(till, "order", "update", number);
	assert_sound(till);
	assert_why_tells(s, number);
	shipfrom_passed(s);
}

static void each_end_of_an_offer_is_told(void **state)
{
	struct shipfrom *s = *state;
	int64_t rejected = order_offered(s, NULL), late, cancelled;
	struct answer a = shop_does(s, AMSTERDAM, rejected, "reject", "{}");

	answer_release(&a);
	late = order_offered_for(s, 600);
	control(s, late, "expire", "{}");
	cancelled = order_accepted(s, NULL);
	control(s, cancelled, "cancel", "{}");
	wait_told(till, rejected, "create rejected", 10000);
	wait_told(till, late, "create timeout", 10000);
	wait_event(till, "order", "update", cancelled);
	assert_sound(till);
	shipfrom_passed(s);
}

static void an_order_that_is_offered_anew_is_told_anew(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);

	control(s, number, "expire", "{}");
	wait_told(till, number, "create timeout", 10000);
	/* With the same deadline it would be the same offer. */
	control(s, number, "reoffer", "{\"warehouses\":[3],\"expires_in\":900}");
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create timeout create accepted", 10000);
	assert_sound(till);
	shipfrom_passed(s);
}

/* Fails the test if an event names a warehouse that is not amsterdam's. */
static void assert_own_warehouse(struct receiver *r)
{
	cJSON *events = receiver_events(r);
	const cJSON *v, *data, *w;

	cJSON_ArrayForEach(v, events)
	{
		data = cJSON_GetObjectItem(v, "data");
		if (number_of(data, "warehouseId") >= 0)
			assert_int_equal(number_of(data, "warehouseId"), 3);
		cJSON_ArrayForEach(w, cJSON_GetObjectItem(data, "warehouses"))
			assert_int_equal(number_of(w, "warehouseId"), 3);
		if (!strcmp(text_of(v, "type"), "check_first"))
			assert_non_null(data);
	}
	cJSON_Delete(events);
}

static void nothing_of_another_shop_is_told(void **state)
{
	struct shipfrom *s;
	int64_t taken, theirs, last, shipment;
	struct answer a;
	char now[STORY_ROOM];

	stockholm = receiver_start(KNOWN);
	s = start(state, (struct shipfrom_options){0});
	a = sim_do(&s->sim, "/orders", "{\"warehouses\":[2,4]}");
	theirs = number_of(a.json, "number");
	answer_release(&a);
	wait_state(s, STOCKHOLM, theirs, "pending", 5000);
	taken = offered_to_all(s, 600);
	accept_order(s, STOCKHOLM, theirs);
	accept_order(s, STOCKHOLM, taken);
	a = shop_does(s, STOCKHOLM, taken, "ship", PARCEL);
	answer_release(&a);
	wait_event(stockholm, "check_first", "accepted", taken);
	wait_told(till, taken, "create rejected", 10000);
	wait_told(stockholm, theirs, "create accepted", 10000);
	last = order_accepted(s, NULL);
	wait_told(till, last, "create accepted", 10000);
	shipment = shipment_of(s, taken);
	wait_event(stockholm, "shipment", "create", shipment);
	assert_string_equal(story(till, theirs, now), "");
	assert_int_equal(place(till, "order", "update", theirs), -1);
	assert_int_equal(place(till, "shipment", "create", shipment), -1);
	assert_int_equal(place(till, "shipment", "good_to_go", shipment), -1);
	assert_own_warehouse(till);
	assert_sound(till);
	assert_sound(stockholm);
	shipfrom_passed(s);
}

static void no_name_and_no_address_is_told(void **state)
{
	static const char *const hidden[] = {
		"Xenia",   "Quillfeather", "Umbra Street", "98765", "Zanzibar",
		"070-999", "xenia@",	   "goods co",	   NULL};
	struct shipfrom *s = *state;
	int64_t number;
	char *told, code[STATE_ROOM];

	number = order_accepted(
		s, "\"warehouses\":[3],\"shippingAddress\":{"
		   "\"firstName\":\"Xenia\",\"lastName\":\"Quillfeather\","
		   "\"companyName\":\"Xenia goods co\",\"attention\":null,"
		   "\"address1\":\"Umbra Street 7\",\"address2\":null,"
		   "\"zipCode\":\"98765\",\"city\":\"Zanzibar\","
		   "\"stateOrProvince\":null,\"cellPhoneNumber\":\"070-999\","
		   "\"phoneNumber\":null,\"email\":\"xenia@example.com\","
		   "\"country\":{\"code\":\"SE\",\"name\":\"Sweden\"}}");
	order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 20000);
	wait_event(till, "shipment", "good_to_go", shipment_of(s, number));
	told = receiver_payloads(till);
	for (size_t i = 0; hidden[i]; i++)
		if (strcasestr(told, hidden[i]))
			fail_msg("'%s' was told", hidden[i]);
	free(told);
	shipfrom_passed(s);
}

/* ---- a receiver that fails ---- */

/* It is called again until it takes the webhook. */
static void is_retried(void **state, enum receiver_way way)
{
	struct shipfrom *s = *state;
	struct receiver *elsewhere = receiver_start(KNOWN);
	int64_t number;

	receiver_does(till, way);
	if (way == RECEIVER_REDIRECTS)
		receiver_redirects(till, receiver_url(elsewhere));
	number = order_offered(s, NULL);
	wait_calls(till, 2, 0, SOON);
	accept_order(s, AMSTERDAM, number);
	receiver_does(till, RECEIVER_TAKES);
	wait_told(till, number, "create accepted", SOON);
	assert_int_equal(receiver_counts(elsewhere).connections, 0);
	receiver_stop(elsewhere);
	assert_sound(till);
	shipfrom_passed(s);
}

static void one_that_answers_500_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_FAILS);
}

static void one_that_hangs_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_HANGS);
}

static void one_that_closes_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_CLOSES);
}

static void one_that_redirects_is_tried_again_and_not_followed(void **state)
{
	is_retried(state, RECEIVER_REDIRECTS);
}

static void what_was_taken_without_an_answer_is_sent_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_does(till, RECEIVER_LOSES);
	number = order_offered(s, NULL);
	wait_calls(till, 0, 2, SOON);
	receiver_does(till, RECEIVER_TAKES);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create accepted", SOON);
	shipfrom_passed(s);
}

#define ACCEPTS 12

/* The middle one of so many accepts of amsterdam's, in ms. */
static int64_t accepts_take(struct shipfrom *s, int64_t last[1])
{
	int64_t took[ACCEPTS], number;

	for (int i = 0; i < ACCEPTS; i++) {
		struct answer a;
		int at = i;

		number = offered_to_all(s, 600);
		a = shop_does(s, AMSTERDAM, number, "accept", "{}");
		assert_int_equal(a.status, 200);
		assert_string_equal(text_of(a.json, "state"), "accepted");
		for (; at > 0 && took[at - 1] > a.took; at--)
			took[at] = took[at - 1];
		took[at] = a.took;
		answer_release(&a);
	}
	*last = number;
	return took[ACCEPTS / 2];
}

/* There are as many workers as receivers that hang. */
static void receivers_that_hang_slow_nobody(void **state)
{
	struct shipfrom *s;
	int64_t before, meanwhile, number;

	stockholm = receiver_start(KNOWN);
	berlin = receiver_start(KNOWN);
	s = start(state, (struct shipfrom_options){
				 .server = LOOPBACK "workers = 2\n"});
	before = accepts_take(s, &number);
	wait_told(till, number, "create accepted", 10000);
	receiver_does(stockholm, RECEIVER_HANGS);
	receiver_does(berlin, RECEIVER_HANGS);
	offered_to_all(s, 600);
	wait_calls(stockholm, 0, 1, SOON);
	wait_calls(berlin, 0, 1, SOON);
	meanwhile = accepts_take(s, &number);
	print_message("accepts: %lld ms, with two that hang %lld ms\n",
		      (long long)before, (long long)meanwhile);
	/* 50 ms: what a machine with other tests on it may differ by. */
	assert_true(meanwhile <= 2 * before + 50);
	wait_told(till, number, "create accepted", 2000);
	receiver_does(stockholm, RECEIVER_TAKES);
	receiver_does(berlin, RECEIVER_TAKES);
	wait_told(stockholm, number, "create rejected", SOON);
	wait_told(berlin, number, "create rejected", SOON);
	shipfrom_passed(s);
}

/* ---- kills ---- */

/* The server is killed while its POST waits for an answer, which it then never
 * reads. */
static void killed_while_it_sends(struct shipfrom *s, enum receiver_way way)
{
	int64_t number;

	receiver_does(till, way);
	number = order_offered(s, NULL);
	wait_calls(till, 0, 1, SOON);
	shipfrom_kill_9(s);
	receiver_does(till, RECEIVER_TAKES);
	shipfrom_again(s);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create accepted", SOON);
}

static void killed_at_each_end_of_a_post_it_sends_all(void **state)
{
	struct shipfrom *s = *state;

	killed_while_it_sends(s, RECEIVER_HANGS);
	killed_while_it_sends(s, RECEIVER_LOSES);
	killed_while_it_sends(s, RECEIVER_FAILS);
	assert_sound(till);
	shipfrom_passed(s);
}

#define KILLS	 10
#define PER_KILL 3

static bool is_accepted(void *arg)
{
	struct order_of *o = arg;
	char state[STATE_ROOM];
	struct answer a;

	shop_sees(o->s, AMSTERDAM, o->number, state);
	if (!strcmp(state, "accepted"))
		return true;
	a = shop_does(o->s, AMSTERDAM, o->number, "accept", "{}");
	answer_release(&a);
	return false;
}

/* Orders come and are accepted while the server is killed again and again, each
 * time a little later in its work; the receiver fails now and then. */
static void kills_under_load_lose_nothing_and_keep_the_order(void **state)
{
	static const enum receiver_way ways[] = {
		RECEIVER_TAKES, RECEIVER_LOSES, RECEIVER_TAKES, RECEIVER_FAILS};
	struct shipfrom *s = *state;
	int64_t numbers[KILLS * PER_KILL];
	struct answer a;
	int n = 0;

	sim_tell(&s->sim, "/hooks", "{\"retries\":3,\"retry_first\":300}");
	for (int i = 0; i < KILLS; i++) {
		receiver_does(till, ways[i % 4]);
		for (int k = 0; k < PER_KILL; k++) {
			a = sim_do(&s->sim, "/orders",
				   "{\"warehouses\":[3],\"expires_in\":600}");
			numbers[n++] = number_of(a.json, "number");
			answer_release(&a);
		}
		wait_state(s, AMSTERDAM, numbers[n - 1], "pending", 10000);
		a = shop_does(s, AMSTERDAM, numbers[n - 1], "accept", "{}");
		answer_release(&a);
		/* The moment of the kill differs, and nothing is waited for. */
		nanosleep(&(struct timespec){.tv_nsec = i * 9000000L}, NULL);
		shipfrom_kill_9(s);
		shipfrom_again(s);
	}
	receiver_does(till, RECEIVER_TAKES);
	for (int i = 0; i < n; i++) {
		struct order_of o = {s, numbers[i], NULL};

		if (!wait_until(is_accepted, &o, 20000))
			fail_msg("order %lld is not accepted",
				 (long long)o.number);
	}
	for (int i = 0; i < n; i++)
		wait_told(till, numbers[i], "create accepted", SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

/* ---- days ---- */

static char clock_file[128];

/* The wall clock of the server and of Centra is ahead of ours by so much. */
static void world_is_ahead(int64_t ms)
{
	int fd = open(clock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &ms, sizeof(ms), 0), sizeof(ms));
	close(fd);
	receiver_clock(till, ms / 1000);
}

/* Splits "NAME=value" and sets it for the programs that are started. */
static void set_for_all(const char *setting)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(setting, "="),
		 setting);
	assert_int_equal(setenv(name, strchr(setting, '=') + 1, 1), 0);
}

/* All programs of the test have one wall clock, which it sets. */
static struct shipfrom *start_in_time(void **state,
				      struct shipfrom_options o)
{
	struct under_fault fault;

	till = receiver_start(KNOWN);
	snprintf(clock_file, sizeof(clock_file), "/tmp/shipfrom-days.%d",
		 (int)getpid());
	world_is_ahead(0);
	under_fault(&fault, "wallclock", "");
	set_for_all(fault.preload);
	set_for_all(fault.asan);
	setenv("WALLCLOCK", clock_file, 1);
	return start(state, o);
}

static char *asan_before;

static int setup_days(void **state)
{
	const char *was = getenv("ASAN_OPTIONS");

	asan_before = was ? strdup(was) : NULL;
	return !start_in_time(state, (struct shipfrom_options){0});
}

static int end_days(void **state)
{
	unsetenv("LD_PRELOAD");
	unsetenv("WALLCLOCK");
	unsetenv("ASAN_OPTIONS");
	if (asan_before)
		setenv("ASAN_OPTIONS", asan_before, 1);
	free(asan_before);
	asan_before = NULL;
	unlink(clock_file);
	return end(state);
}

#define ORDERS 8

static void away_for_a_day_it_gets_all_of_it_in_order(void **state)
{
	struct shipfrom *s = *state;
	int64_t numbers[ORDERS];

	receiver_does(till, RECEIVER_AWAY);
	for (int i = 0; i < ORDERS; i++) {
		numbers[i] = order_offered_for(s, 3600);
		if (i % 2)
			accept_order(s, AMSTERDAM, numbers[i]);
	}
	wait_calls(till, 1, 0, SOON);
	for (int quarter = 1; quarter <= 4; quarter++) {
		world_is_ahead(quarter * 6 * HOUR);
		if (quarter == 2)
			shipfrom_kill_9(s);
		if (quarter == 2)
			shipfrom_again(s);
		/* What nobody accepted has expired. */
		for (int i = 0; i < ORDERS; i += 2)
			wait_state(s, AMSTERDAM, numbers[i], "timed_out",
				   10000);
		wait_calls(till, 1, 0, SOON);
	}
	for (int i = 1; i < ORDERS; i += 4)
		control(s, numbers[i], "cancel", "{}");
	assert_int_equal(receiver_counts(till).taken, 0);
	receiver_does(till, RECEIVER_TAKES);
	for (int i = 0; i < ORDERS; i++)
		wait_told(till, numbers[i],
			  i % 2 ? i % 4 == 1 ? "create accepted rejected"
					     : "create accepted"
				: "create timeout",
			  SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

/* After six days it is given up; what an operator asks for is sent then, and
 * still in order. */
static void given_up_after_days_it_is_sent_by_redrive(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, after;
	char name[48], *out;

	receiver_does(till, RECEIVER_FAILS);
	number = order_offered_for(s, 600);
	wait_calls(till, 0, 1, SOON);
	world_is_ahead(6 * DAY);
	wait_state(s, AMSTERDAM, number, "timed_out", 10000);
	snprintf(name, sizeof(name), "\"order\":%lld", (long long)number);
	wait_printed(s, "tasks --dead --json", "\"notify\"", name, SOON);
	receiver_does(till, RECEIVER_TAKES);
	/* Others go on. */
	after = order_offered_for(s, 600);
	wait_told(till, after, "create", SOON);
	out = run(s, "redrive --kind notify");
	assert_string_not_equal(out, "0\n");
	free(out);
	wait_told(till, number, "create timeout", SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

#define BOUND 10000 /* webhooks that are kept for one receiver */
#define SURPLUS 500
#define AT_ONCE 100

/* Offers `n` orders to amsterdam that the stand-in does not have. */
static void offer_unknown(struct shipfrom *s, int64_t first, int n)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	fputs("{\"events\":[", f);
	for (int i = 0; i < n; i++)
		fprintf(f,
			"%s{\"type\":\"check_first\",\"action\":\"create\","
			"\"date\":\"%s\",\"id\":%lld,\"data\":{\"warehouses\":"
			"[{\"warehouseId\":3,\"expirationAt\":\"%s\"}]}}",
			i ? "," : "", date, (long long)first + i, until);
	fputs("]}", f);
	fclose(f);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	free(json);
}

/* How many webhooks wait for receivers. */
static int64_t waiting(struct shipfrom *s)
{
	char *out = run(s, "records --json"), *line, *rest = out;
	int64_t n = 0;

	while ((line = strsep(&rest, "\n"))) {
		cJSON *v = cJSON_Parse(line);

		if (!strcmp(text_of(v, "kind"), "outgoing") &&
		    strstr(text_of(v, "list"), "waiting"))
			n += number_of(v, "records");
		cJSON_Delete(v);
	}
	free(out);
	return n;
}

/* What is kept and what was dropped is all that was to be told. */
static bool is_bounded(void *arg)
{
	int64_t n = waiting(arg);

	return n > 0 && n <= BOUND &&
	       metric(arg, "outgoing_dropped_total") + n == BOUND + SURPLUS;
}

/* It is told until it has taken a webhook. */
static bool is_told_of_the_loss(void *arg)
{
	struct received c = receiver_counts(till);

	(void)arg;
	return c.dropped == SURPLUS && c.plain > 0;
}

static void one_that_is_away_for_long_fills_nothing(void **state)
{
	struct shipfrom *s = *state;

	receiver_does(till, RECEIVER_AWAY);
	for (int i = 0; i < BOUND + SURPLUS; i += AT_ONCE)
		offer_unknown(s, 800000 + i, AT_ONCE);
	if (!wait_until(is_bounded, s, SOON))
		fail_msg("%lld webhooks wait", (long long)waiting(s));
	receiver_does(till, RECEIVER_TAKES);
	if (!wait_until(is_told_of_the_loss, NULL, SOON))
		fail_msg("it was told of %d dropped ones",
			 receiver_counts(till).dropped);
	shipfrom_passed(s);
}

/* ---- where it may call ---- */

/* As tests/faults/resolver.c counts them. */
struct looked {
	_Atomic int looks, to_public, to_private;
};

static struct looked *looked;
static char looked_file[128];

/* For a test whose receiver has a name that turns private at the second look. */
static struct shipfrom *start_with_name(void **state)
{
	static struct under_fault fault;
	static char counts[192], then[96];
	static const char *const under[] = {"env",
					    fault.preload,
					    fault.asan,
					    counts,
					    "RESOLVER_NAME=till.example",
					    then,
					    NULL};
	char lines[256];
	int fd;

	till = receiver_start(KNOWN);
	snprintf(looked_file, sizeof(looked_file), "/tmp/shipfrom-looked.%d",
		 (int)getpid());
	fd = open(looked_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*looked)), 0);
	looked = mmap(NULL, sizeof(*looked), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(looked != MAP_FAILED);
	under_fault(&fault, "resolver", "");
	snprintf(counts, sizeof(counts), "RESOLVER=%s", looked_file);
	snprintf(then, sizeof(then), "RESOLVER_THEN=%s",
		 receiver_address(till));
	snprintf(lines, sizeof(lines),
		 "notify_url = http://till.example%s/hook\n"
		 "notify_secret = " KNOWN "\n",
		 strchr(receiver_address(till), ':'));
	return start(state,
		     (struct shipfrom_options){
			     .server = "notify_http = yes\n",
			     .amsterdam = lines,
			     .under = under,
		     });
}

static int end_with_name(void **state)
{
	if (looked)
		munmap(looked, sizeof(*looked));
	looked = NULL;
	unlink(looked_file);
	return end(state);
}

static bool was_looked_up(void *arg)
{
	return looked->looks >= *(const int *)arg;
}

static void an_address_that_turns_private_at_the_second_look_is_refused(
	void **state)
{
	struct shipfrom *s = start_with_name(state);
	int64_t number = order_offered(s, NULL);
	int looks = 1;

	/* The first look is followed, or the test would prove nothing. */
	assert_true(wait_until(was_looked_up, &looks, SOON));
	/* A name is kept for a minute; a start looks anew. */
	assert_int_equal(shipfrom_stop(s), 0);
	assert_true(looked->to_public > 0);
	looks = looked->looks + 1;
	shipfrom_again(s);
	assert_true(wait_until(was_looked_up, &looks, SOON));
	wait_printed(s, "tasks", "notify", "not public", SOON);
	assert_int_equal(looked->to_private, 0);
	assert_int_equal(receiver_counts(till).connections, 0);

	/* The same address, with the setting that allows it. */
	assert_int_equal(shipfrom_stop(s), 0);
	edit(s, "notify_http = yes\n", LOOPBACK);
	shipfrom_again(s);
	wait_told(till, number, "create", SOON);
	assert_true(looked->to_private > 0);
	shipfrom_passed(s);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
	struct shipfrom *s =
		start(state, (struct shipfrom_options){
				     .server = "notify_http = yes\n"});

	order_offered(s, NULL);
	wait_printed(s, "tasks", "notify", "not public", SOON);
	assert_int_equal(receiver_counts(till).connections, 0);
	shipfrom_passed(s);
}

static void without_https_the_config_is_refused_unless_allowed(void **state)
{
	const char *words[] = {"check", NULL};
	struct shipfrom *s = *state;
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
	edit(s, "notify_http = yes\n", "");
	assert_int_not_equal(shipfrom_run(s, &out, true, words), 0);
	if (!strstr(out, "notify_http"))
		fail_msg("check does not say what to set: %s", out);
	free(out);
	shipfrom_passed(s);
}

static void doctor_tries_the_shops_system_and_sends_nothing(void **state)
{
	const char *words[] = {"doctor", NULL};
	struct shipfrom *s = *state;
	char *out = run(s, "doctor");

	assert_non_null(strstr(out, "its system can be reached"));
	free(out);
	assert_int_equal(receiver_counts(till).connections, 1);
	assert_int_equal(receiver_counts(till).tries, 0);
	edit(s, LOOPBACK, "notify_http = yes\n");
	assert_int_not_equal(shipfrom_run(s, &out, true, words), 0);
	assert_non_null(strstr(out, "is not public"));
	free(out);
	assert_int_equal(receiver_counts(till).connections, 1);
	shipfrom_passed(s);
}

/* ---- secrets ---- */

static bool has_reloaded(void *arg)
{
	const struct shipfrom *s = arg;
	FILE *f = fopen(s->log, "r");
	char line[2048];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "config reloaded");
	if (f)
		fclose(f);
	return found;
}

static void while_secrets_rotate_all_arrive(void **state)
{
	struct shipfrom *s = *state;
	int64_t one = order_accepted(s, NULL), two, three;

	wait_told(till, one, "create accepted", 10000);
	edit(s, "notify_secret = " KNOWN "\n",
	     "notify_secret = the-new-one\n"
	     "previous_notify_secret = " KNOWN "\n");
	kill(s->process.pid, SIGHUP);
	if (!wait_until(has_reloaded, s, 10000))
		fail_msg("the config is not read again");
	two = order_accepted(s, NULL); /* the receiver knows the old one */
	wait_told(till, two, "create accepted", SOON);
	receiver_knows(till, "the-new-one");
	three = order_accepted(s, NULL);
	wait_told(till, three, "create accepted", SOON);
	edit(s, "previous_notify_secret = " KNOWN "\n", "");
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_again(s);
	control(s, three, "cancel", "{}");
	wait_told(till, three, "create accepted rejected", SOON);
	shipfrom_passed(s);
}

static void one_that_knows_neither_secret_gets_all_once_it_does(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_knows(till, "mistyped");
	number = order_accepted(s, NULL);
	wait_calls(till, 0, 1, SOON);
	assert_int_equal(receiver_counts(till).taken, 0);
	receiver_knows(till, KNOWN);
	wait_told(till, number, "create accepted", SOON);
	shipfrom_passed(s);
}

/* ---- our own verifier ---- */

static struct shipfrom *second;

static int setup_second(void **state)
{
	char lines[512];

	second = shipfrom_start(NULL);
	snprintf(lines, sizeof(lines),
		 "notify_url = %s\nnotify_secret = " SECRET "\n", second->hook);
	return !start(state, (struct shipfrom_options){.amsterdam = lines});
}

static int end_second(void **state)
{
	void *two = second;
	int bad = end(state);

	second = NULL;
	return shipfrom_end(&two) | bad;
}

/* A second shipfrom takes what the first sends for Centra's. */
static void a_second_server_verifies_and_takes_each(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);
	char id[32];

	snprintf(id, sizeof(id), "\"id\":%lld", (long long)number);
	wait_printed(second, "events --json", "\"accepted\"", id, 10000);
	assert_true(metric(second, "webhooks_verified_total{instance=\"se\","
				   "secret=\"current\"}") > 0);
	assert_int_equal(metric(second, "webhooks_refused_signature_total"), 0);
	assert_int_equal(metric(second, "webhooks_refused_stale_total"), 0);
	assert_int_equal(metric(second, "webhooks_wrong_version_total"), 0);
	assert_int_equal(metric(second, "events_quarantined_total"), 0);
	shipfrom_passed(second);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, end)
#define DAYS(f) cmocka_unit_test_setup_teardown(f, setup_days, end_days)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_order_is_told_from_its_offer_to_its_shipment),
		T(each_end_of_an_offer_is_told),
		T(an_order_that_is_offered_anew_is_told_anew),
		cmocka_unit_test_teardown(nothing_of_another_shop_is_told, end),
		T(no_name_and_no_address_is_told),
		T(one_that_answers_500_is_tried_again),
		T(one_that_hangs_is_tried_again),
		T(one_that_closes_is_tried_again),
		T(one_that_redirects_is_tried_again_and_not_followed),
		T(what_was_taken_without_an_answer_is_sent_again),
		cmocka_unit_test_teardown(receivers_that_hang_slow_nobody, end),
		T(killed_at_each_end_of_a_post_it_sends_all),
		T(kills_under_load_lose_nothing_and_keep_the_order),
		DAYS(away_for_a_day_it_gets_all_of_it_in_order),
		DAYS(given_up_after_days_it_is_sent_by_redrive),
		DAYS(one_that_is_away_for_long_fills_nothing),
		cmocka_unit_test_teardown(
			an_address_that_turns_private_at_the_second_look_is_refused,
			end_with_name),
		cmocka_unit_test_teardown(
			a_private_address_is_refused_unless_allowed, end),
		T(without_https_the_config_is_refused_unless_allowed),
		T(doctor_tries_the_shops_system_and_sends_nothing),
		T(while_secrets_rotate_all_arrive),
		T(one_that_knows_neither_secret_gets_all_once_it_does),
		cmocka_unit_test_setup_teardown(
			a_second_server_verifies_and_takes_each, setup_second,
			end_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
