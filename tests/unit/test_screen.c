/* SPDX-License-Identifier: MIT
 *
 * test_screen.c - the page's files as the server gives them, what a screen is
 * told when nothing happens or too much, and the report.
 */
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "handlers/handlers.h"
#include "server/http/http.h"
#include "server/live/changes.h"
#include "server/live/live_private.h"
#include "server/shop/report.h"
#include "server/live/screens.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OPENED	 "2021-01-11 16:21:00.000000"
#define PATIENCE 10 /* s; less than a beat takes to come */
#define PAGE_MAX (128 * 1024)

static int start(void **state)
{
	*state = fixture_start("answer_wait = 0");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/* ---- the page ---- */

static const char *const page_paths[] = {
	"/",		   "/page/style.css", "/page/answer.js",
	"/page/api.js",	   "/page/dom.js",    "/page/live.js",
	"/page/main.js",   "/page/print.js",  "/page/ship.js",
	"/page/sound.js",  "/page/texts.js",  "/page/icon.svg",
	"/sw.js",	   "/manifest.webmanifest",
};

static void the_page_is_small_and_may_load_only_itself(void **state)
{
	size_t bytes = 0;

	for (size_t i = 0; i < sizeof(page_paths) / sizeof(page_paths[0]);
	     i++) {
		struct reply r = ask(*state, "GET", page_paths[i], NULL, NULL);
		const char *policy;

		assert_int_equal(r.status, 200);
		bytes += strlen(r.body);
		policy = reply_header(&r, "Content-Security-Policy");
		assert_non_null(strstr(policy, "default-src 'self'"));
		assert_non_null(strstr(policy, "frame-ancestors 'none'"));
		assert_null(strstr(policy, "unsafe"));
		assert_string_equal(reply_header(&r, "Referrer-Policy"),
				    "no-referrer");
		assert_string_equal(reply_header(&r, "Cache-Control"),
				    "no-cache");
		assert_string_equal(reply_header(&r, "X-Content-Type-Options"),
				    "nosniff");
		reply_release(&r);
	}
	print_message("the page has %zu bytes\n", bytes);
	assert_true(bytes < PAGE_MAX);
}

/* Each of our own paths that a file names is there. */
static void follow(struct fixture *f, const char *path)
{
	struct reply r = ask(f, "GET", path, NULL, NULL);

	for (const char *at = r.body; (at = strpbrk(at, "\"'"));) {
		char quote = *at++;
		size_t len = strcspn(at, "\"'");
		char *name = NULL;
		struct reply other;

		if (at[len] != quote)
			continue;
		if (!strncmp(at, "/page/", 6) || !strncmp(at, "/sw.js", len))
			name = xstrndup(at, len);
		else if (!strncmp(at, "./", 2))
			name = xasprintf("/page/%.*s", (int)len - 2, at + 2);
		if (name && len > 1) {
			other = ask(f, "GET", name, NULL, NULL);
			if (other.status != 200)
				print_error("%s names %s\n", path, name);
			assert_int_equal(other.status, 200);
			reply_release(&other);
		}
		free(name);
		at += len + 1;
	}
	reply_release(&r);
}

/* A page of one release never gets a module of another. */
static void a_file_of_another_version_of_the_page_is_not_there(void **state)
{
	struct reply r = ask(*state, "GET", "/", NULL, NULL);
	const char *at = strstr(r.body, "/page/main.js?v=");
	char *path;
	struct reply main;

	assert_non_null(at);
	path = xstrndup(at, strcspn(at, "\""));
	assert_true(strlen(path) > strlen("/page/main.js?v=") + 8);
	main = ask(*state, "GET", path, NULL, NULL);
	assert_int_equal(main.status, 200);
	at = strstr(main.body, "./dom.js?v=");
	assert_non_null(at);
	assert_int_equal(strncmp(at + strlen("./dom.js"),
				 path + strlen("/page/main.js"),
				 strlen(path + strlen("/page/main.js"))),
			 0);
	reply_release(&main);
	path[strlen(path) - 1] ^= 1;
	main = ask(*state, "GET", path, NULL, NULL);
	assert_int_equal(main.status, 404);
	reply_release(&main);
	free(path);
	reply_release(&r);
}

static void every_file_that_the_page_names_is_there(void **state)
{
	struct reply r, login;

	for (size_t i = 0; i < sizeof(page_paths) / sizeof(page_paths[0]); i++)
		follow(*state, page_paths[i]);
	r = ask(*state, "GET", "/", NULL, NULL);
	login = ask(*state, "GET", "/login", NULL, NULL);
	assert_string_equal(r.body, login.body);
	reply_release(&r);
	reply_release(&login);
	r = ask(*state, "GET", "/page/none.js", NULL, NULL);
	assert_int_equal(r.status, 404);
	reply_release(&r);
}

static void a_file_that_one_has_is_not_sent_again(void **state)
{
	struct reply r = ask(*state, "GET", "/page/main.js", NULL, NULL);
	char *etag = xstrdup(reply_header(&r, "ETag"));
	static const char *const forms[] = {"%s", "W/%s", "\"x\", %s"};

	reply_release(&r);
	assert_true(strlen(etag) > 10);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char sent[96], *text;

		snprintf(sent, sizeof(sent), "%.*s%s%s",
			 (int)strcspn(forms[i], "%"), forms[i], etag,
			 strchr(forms[i], '%') + 2);
		text = xasprintf("GET /page/main.js HTTP/1.1\r\nHost: x\r\n"
				 "If-None-Match: %s\r\n\r\n",
				 sent);
		r = ask_raw(*state, text);
		assert_int_equal(r.status, 304);
		assert_string_equal(r.body, "");
		reply_release(&r);
		free(text);
	}
	r = ask_raw(*state, "GET /page/main.js HTTP/1.1\r\nHost: x\r\n"
			    "If-None-Match: \"another\"\r\n\r\n");
	assert_int_equal(r.status, 200);
	reply_release(&r);
	free(etag);
}

/* ---- a screen's stream ---- */

static int listen_as(struct fixture *f, const char *token, const char *query,
		     int receive_buffer)
{
	char *text = xasprintf("GET /api/v1/stream%s HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer %s\r\n\r\n",
			       query, token);
	int fd = dial(f->port);

	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
			   sizeof(receive_buffer));
	assert_true(send_all(fd, text, strlen(text)));
	free(text);
	return fd;
}

static int listen_to(struct fixture *f, int receive_buffer)
{
	return listen_as(f, f->amsterdam, "", receive_buffer);
}

/* Reads up to the end of the text, and no byte behind it: what comes in the
 * same segment is for the next call.  False: the stream ended before, or gave
 * nothing for a minute. */
static bool reads(int fd, const char *text)
{
	const struct timeval most = {.tv_sec = 60};
	size_t len = strlen(text), kept = 0;
	char all[8192 + 1]; /* what was kept of the segment before, and more */
	const char *there = NULL;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	while (!there && (n = recv(fd, all + kept, sizeof(all) - 1 - kept,
				   MSG_PEEK)) > 0) {
		size_t have = kept + (size_t)n;

		all[have] = '\0';
		there = strstr(all, text);
		if (there)
			n = there + len - (all + kept);
		assert_int_equal(recv(fd, all + kept, (size_t)n, 0), n);
		kept = have < len ? have : len - 1;
		memmove(all, all + have - kept, kept);
	}
	return there;
}

struct later {
	struct http_call call;
	struct fixture *f;
	sem_t done;
};

/* In the loop: as if a beat were due. */
static void tick(struct http_call *c)
{
	struct later *l = c->arg;

	live_tick(l->f->app.live, time_mono() + BEAT_MS);
	sem_post(&l->done);
}

static void a_silent_line_has_a_beat(void **state)
{
	struct later l = {.call = {.fn = tick, .arg = &l}, .f = *state};
	int fd = listen_to(*state, 0);

	assert_true(reads(fd, "event: hello\n"));
	sem_init(&l.done, 0, 0);
	http_call(l.f->app.http, &l.call);
	sem_wait(&l.done);
	assert_true(reads(fd, "event: beat\n"));
	close(fd);
}

static uint64_t cut(const struct fixture *f)
{
	return atomic_load(&f->app.counters.streams_cut_total);
}

static void a_screen_that_does_not_read_is_cut_and_others_are_not(void **state)
{
	static char details[700000];
	struct fixture *f = *state;
	int deaf = listen_to(f, 4096), well = listen_to(f, 0);
	int i;

	assert_true(reads(well, "event: hello\n"));
	offered(f, 19, 3, OPENED, FAR);
	assert_true(reads(well, "\"number\":19"));
	for (i = 0; i < 60 && !cut(f); i++) {
		int n = snprintf(details, sizeof(details),
				 "{\"city\":\"A%d\",\"lines\":[{\"product\":"
				 "\"",
				 i);
		char mark[32];

		memset(details + n, 'x', 600000);
		snprintf(details + n + 600000, 32, "\"}]}");
		detailed(f, 19, details, NULL);
		snprintf(mark, sizeof(mark), "\"city\":\"A%d\"", i);
		assert_true(reads(well, mark));
	}
	assert_int_equal(cut(f), 1);
	offered(f, 20, 3, OPENED, FAR);
	assert_true(reads(well, "\"number\":20"));
	assert_int_equal(live_screens(f->app.live), 1);
	close(deaf);
	close(well);
}

/* ---- made once, off the loop ---- */

static uint64_t events_made(const struct fixture *f)
{
	return atomic_load(&f->app.counters.stream_events_total);
}

static void a_change_is_rendered_once_however_many_screens_show_it(void **state)
{
	struct fixture *f = *state;
	int amsterdam[20], berlin = listen_as(f, f->berlin, "", 0);

	for (int i = 0; i < 20; i++) {
		amsterdam[i] = listen_to(f, 0);
		assert_true(reads(amsterdam[i], "event: hello\n"));
	}
	assert_true(reads(berlin, "event: hello\n"));
	offered(f, 19, 3, OPENED, FAR);
	for (int i = 0; i < 20; i++)
		assert_true(reads(amsterdam[i], "\"number\":19"));
	assert_int_equal(events_made(f), 1);
	offered(f, 20, 5, OPENED, FAR);
	assert_true(reads(berlin, "\"number\":20"));
	assert_int_equal(events_made(f), 2);
	for (int i = 0; i < 20; i++)
		close(amsterdam[i]);
	close(berlin);
}

/* Reads until the text has come: all of it, to be freed. */
static char *reads_all(int fd, const char *text)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	char *all = xcalloc(1, 1);
	size_t len = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!strstr(all, text)) {
		ssize_t n;

		all = xrealloc(all, len + 4097, 1);
		n = recv(fd, all + len, 4096, 0);
		if (n <= 0)
			print_error("no %s\n", text);
		assert_true(n > 0);
		len += (size_t)n;
		all[len] = '\0';
	}
	return all;
}

static void a_shops_many_changes_do_not_make_another_shop_read_its_lists(
	void **state)
{
	struct fixture *f = *state;
	int amsterdam = listen_to(f, 0),
	    berlin = listen_as(f, f->berlin, "", 0);
	char *all;

	assert_true(reads(amsterdam, "event: hello\n"));
	assert_true(reads(berlin, "\n\n"));
	offered_together(f, 100, 3 * (size_t)ORDERS_AT_ONCE, 3, OPENED, FAR);
	offered(f, 20, 5, OPENED, FAR);
	all = reads_all(berlin, "\"number\":20,");
	assert_null(strstr(all, "event: hello\n"));
	free(all);
	assert_true(reads(amsterdam, "event: hello\n"));
	close(amsterdam);
	close(berlin);
}

static void changes_that_follow_each_other_are_sent_together(void **state)
{
	struct fixture *f = *state;
	int fd = listen_to(f, 0), pieces = 0;
	int64_t begun;
	char *all;

	assert_true(reads(fd, "event: hello\n"));
	begun = time_mono();
	for (int i = 0; i < 100; i++)
		offered(f, 100 + i, 3, OPENED, FAR);
	all = reads_all(fd, "\"number\":199,");
	/* Each begins with its size, and then the id of its first event. */
	for (const char *p = all; (p = strstr(p, "\r\nid: ")); p++)
		pieces++;
	/* The first at once, the rest in rounds. */
	assert_in_range(pieces, 2, 2 + (time_mono() - begun) / ROUND_MS);
	free(all);
	close(fd);
}

/* The id of the next event, to be freed. */
static char *reads_id(int fd)
{
	char *all = xcalloc(1, 1), *id = NULL;
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && !id) {
		char *at;

		all = xrealloc(all, len + 4097, 1);
		n = recv(fd, all + len, 4096, 0);
		len += n > 0 ? (size_t)n : 0;
		all[len] = '\0';
		at = strstr(all, "id: ");
		if (at && strchr(at, '\n'))
			id = xstrndup(at + 4, strcspn(at + 4, "\n"));
	}
	free(all);
	assert_non_null(id);
	return id;
}

static void what_a_screen_missed_is_not_rendered_again(void **state)
{
	struct fixture *f = *state;
	int stays = listen_to(f, 0), back;
	char *id = reads_id(stays), *query;

	offered(f, 19, 3, OPENED, FAR);
	assert_true(reads(stays, "\"number\":19"));
	assert_int_equal(events_made(f), 1);
	query = xasprintf("?last_event_id=%s", id);
	back = listen_as(f, f->amsterdam, query, 0);
	assert_true(reads(back, "\"number\":19"));
	assert_int_equal(events_made(f), 1);
	free(query);
	free(id);
	close(stays);
	close(back);
}

static void what_a_screen_missed_is_told_without_a_damaged_order(void **state)
{
	struct fixture *f = *state;
	const struct timeval patience = {.tv_sec = PATIENCE};
	int before = listen_to(f, 0), back;
	char *id = reads_id(before), *query;

	f->deaf = true; /* so that no event of 18 was made before */
	offered(f, 18, 3, OPENED, FAR);
	damaged(f, 18);
	f->deaf = false;
	offered(f, 19, 3, OPENED, FAR);
	assert_true(reads(before, "\"number\":19"));
	query = xasprintf("?last_event_id=%s", id);
	back = listen_as(f, f->amsterdam, query, 0);
	setsockopt(back, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_true(reads(back, "\"number\":19"));
	free(query);
	free(id);
	close(before);
	close(back);
}

/* Until the number is this; a number that never comes ends the test. */
static void expect_unwatched(struct fixture *f, uint64_t want)
{
	int64_t end = time_mono() + 20000;
	uint64_t n = UINT64_MAX;

	while ((!live_unwatched(f->app.live, &n) || n != want) &&
	       time_mono() < end)
		sched_yield();
	assert_int_equal(n, want);
}

static void pending_offers_that_no_screen_shows_are_counted_as_they_change(
	void **state)
{
	struct fixture *f = *state;
	int screen;

	expect_unwatched(f, 0);
	offered(f, 19, 3, OPENED, FAR);
	offered(f, 20, 4, OPENED, FAR);
	offered(f, 21, 5, OPENED, FAR);
	expect_unwatched(f, 3);
	offered(f, 19, 3, "2021-01-11 16:22:00.000000", FAR);
	cancelled(f, 20);
	expect_unwatched(f, 2);
	screen = listen_as(f, f->amsterdam, "?screen=1", 0);
	expect_unwatched(f, 1);
	close(screen);
	expect_unwatched(f, 2);
}

static void pending_offers_are_counted_anew_when_a_reload_changes_the_shops(
	void **state)
{
	struct fixture *f = *state;
	struct config *fresh = NULL;
	struct buf report;
	struct err e;
	FILE *out;

	offered(f, 19, 3, OPENED, FAR);
	offered(f, 20, 9, OPENED, FAR);
	expect_unwatched(f, 1);
	out = fopen(f->config_path, "a");
	assert_non_null(out);
	fprintf(out, "[shop new]\ncentra = se\nname = N\nwarehouses = 9\n");
	assert_int_equal(fclose(out), 0);
	buf_init(&report, 65536);
	assert_int_equal(config_load(&fresh, f->config_path, &report, &e), OK);
	buf_release(&report);
	config_replace(f->app.config, fresh);
	expect_unwatched(f, 2);
}

/* Holds the loop up after so many passes of it. */
struct holding {
	struct http_call call;
	struct fixture *f;
	int passes;
	sem_t held, go;
};

static void hold_here(struct http_call *c)
{
	struct holding *h = c->arg;

	if (h->passes--) {
		http_call(h->f->app.http, &h->call);
		return;
	}
	sem_post(&h->held);
	while (sem_wait(&h->go))
		;
}

static void hold_loop(struct fixture *f, struct holding *h, int passes)
{
	*h = (struct holding){
		.call = {.fn = hold_here, .arg = h}, .f = f, .passes = passes};
	sem_init(&h->held, 0, 0);
	sem_init(&h->go, 0, 0);
	http_call(f->app.http, &h->call);
}

static void wait_held(struct holding *h)
{
	while (sem_wait(&h->held))
		;
}

/* ---- the room's own thread, played by the test ---- */

#define CHANGES_MANY 10500 /* more than are read at once */
#define COUNTED	     1000  /* orders that are read in one turn of a count */

#define A_DELIVERY   500   /* events */

/* Offers the orders `first`, first + 1, ... to warehouse 3, many in a commit. */
static void offered_all(struct fixture *f, int64_t first, size_t n)
{
	static const char data[] = "{\"warehouses\":[{\"expirationAt\":"
				   "\"2036-01-12T16:21:00+01:00\","
				   "\"warehouseId\":3}]}";
	struct event events[A_DELIVERY];
	struct delivery d = {.instance = "se",
			     .received = time_now(),
			     .events = events};
	struct recorded got;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		struct event *ev = &events[d.n_events++];

		*ev = (struct event){.type = "check_first",
				     .action = "create",
				     .date = OPENED,
				     .id = first + (int64_t)i,
				     .data = xstrdup(data),
				     .task = TASK_CHECK_FIRST};
		if (d.n_events < A_DELIVERY && i + 1 < n)
			continue;
		assert_int_equal(store_record(f->app.store, &d, &got, NULL, &e),
				 OK);
		assert_int_equal(got.applied, d.n_events);
		while (d.n_events)
			event_release(&events[--d.n_events]);
	}
}

/* Counts the pending offers to the end; returns how many turns that took. */
static unsigned count_all(struct live *live, const struct config *config)
{
	unsigned turns = 1;

	while (live_count(live, config))
		turns++;
	return turns;
}

static void changes_without_end_have_no_offer_counted_again(void **state)
{
	struct fixture *f = *state;
	struct live *live = f->app.live;
	uint64_t n;

	live_stop(live);
	count_all(live, f->started);
	offered_all(f, 1, CHANGES_MANY);
	live_follow(live, f->started, store_newest_change(f->app.store));
	assert_true(live_unwatched(live, &n)); /* it was not dropped */
	assert_int_equal(n, CHANGES_MANY);
}

static void a_count_of_offers_keeps_the_thread_for_a_few_orders(void **state)
{
	struct fixture *f = *state;
	struct live *live = f->app.live;
	uint64_t n;

	live_stop(live);
	screens_recount(live);
	offered_all(f, 1, 2 * COUNTED + 1);
	assert_true(live_count(live, f->started));
	assert_false(live_unwatched(live, &n));
	/* One that changes meanwhile is counted as it is now. */
	cancelled(f, 1);
	cancelled(f, 2 * COUNTED + 1);
	live_follow(live, f->started, store_newest_change(f->app.store));
	assert_int_equal(count_all(live, f->started), 2);
	assert_true(live_unwatched(live, &n));
	assert_int_equal(n, 2 * COUNTED - 1);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void reports_one_after_the_other_leave_most_of_the_time_to_others(
	void **state)
{
	struct fixture *f = *state;
	int64_t begun;
	double cpu;

	offered_all(f, 1, 3000);
	begun = time_mono();
	cpu = cpu_s();
	for (int i = 0; i < 10; i++) {
		struct reply r = ask(f, "GET", "/api/v1/report", f->amsterdam,
				     NULL);

		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.body, "\"offered\":3000,"));
		reply_release(&r);
	}
	assert_true((cpu_s() - cpu) * 1000 <
		    (double)(time_mono() - begun) / 2);
}

/* The loop's call for a beat comes before the one that empties the outbox. */
static void a_beat_names_no_change_whose_event_was_not_sent(void **state)
{
	struct fixture *f = *state;
	struct live *live = f->app.live;
	struct later l = {.call = {.fn = tick, .arg = &l}, .f = f};
	struct holding held;
	int fd = listen_to(f, 0);
	char *all, *order;

	assert_true(reads(fd, "event: hello\n"));
	live_stop(live);
	offered(f, 19, 3, OPENED, FAR);
	sem_init(&l.done, 0, 0);
	hold_loop(f, &held, 0);
	wait_held(&held);
	http_call(f->app.http, &l.call);
	live_follow(live, f->started, store_newest_change(f->app.store));
	sem_post(&held.go);
	sem_wait(&l.done);
	all = reads_all(fd, "event: beat\n");
	order = strstr(all, "event: order\n");
	assert_non_null(order);
	assert_true(order < strstr(all, "event: beat\n"));
	free(all);
	close(fd);
}

static void changes_that_wait_for_a_round_are_looked_at_when_it_is_due(
	void **state)
{
	struct fixture *f = *state;
	struct live *live = f->app.live;
	uint64_t newest;
	int64_t due;

	live_stop(live);
	offered(f, 19, 3, OPENED, FAR);
	newest = store_newest_change(f->app.store);
	live_follow(live, f->started, newest);
	due = live->round_due;
	assert_int_equal(live_next_look(live, newest, due - 1), due);
	assert_true(live_next_look(live, newest, due) > due + ROUND_MS);
	assert_true(live_next_look(live, newest + 1, due) <= due);
	assert_true(live_next_look(live, newest + 1, due + 1) <= due + 1);
}

/* ---- devices that are removed ---- */

#define AMSTERDAMS 1 /* the device of f->amsterdam */

static void remove_device(struct fixture *f, uint64_t id)
{
	struct err e;

	assert_int_equal(store_device_remove(f->app.store, id, time_now(), &e),
			 OK);
}

static struct reply ask_on(int fd, const char *text)
{
	send_all(fd, text, strlen(text));
	return read_reply(fd, false);
}

/* All that comes until the server ends the connection, to be freed. */
static char *reads_to_the_end(int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	char *all = xcalloc(1, 1);
	size_t len = 0;
	ssize_t n = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (n > 0) {
		all = xrealloc(all, len + 4097, 1);
		n = recv(fd, all + len, 4096, 0);
		len += n > 0 ? (size_t)n : 0;
		all[len] = '\0';
	}
	assert_int_equal(n, 0);
	return all;
}

static bool is_looked_up(const struct fixture *f)
{
	return !f->app.http_counters.waiting && !f->app.http_counters.running;
}

static bool ends_a_screen(struct fixture *f)
{
	bool ends;

	pthread_mutex_lock(&f->app.live->lock);
	ends = !STAILQ_EMPTY(&f->app.live->outbox);
	pthread_mutex_unlock(&f->app.live->lock);
	return ends;
}

/* The loop is held, with the request in its socket; it reads the request in the
 * next pass, and is held again before a thread can hand it back. */
static void a_device_removed_while_its_screen_joins_is_shown_nothing(
	void **state)
{
	struct fixture *f = *state;
	int there = listen_to(f, 0), joins = dial(f->port);
	char *text = xasprintf("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer %s\r\n\r\n",
			       f->amsterdam);
	struct holding before, after;
	struct reply r;

	assert_true(reads(there, "event: hello\n"));
	r = ask_on(joins, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(r.status, 200);
	reply_release(&r);
	hold_loop(f, &before, 0);
	wait_held(&before);
	send_all(joins, text, strlen(text));
	free(text);
	hold_loop(f, &after, 1);
	sem_post(&before.go);
	wait_held(&after);
	while (!is_looked_up(f))
		sched_yield();
	remove_device(f, AMSTERDAMS);
	while (!ends_a_screen(f)) /* that of `there` */
		sched_yield();
	sem_post(&after.go);
	free(reads_to_the_end(there));
	text = reads_to_the_end(joins);
	assert_memory_equal(text, "HTTP/1.1 200", 12); /* it did join */
	assert_null(strstr(text, "event:"));
	free(text);
	close(there);
	close(joins);
}

/* Both are seen by one look at the store. */
static void a_removed_device_is_not_shown_what_changes_afterwards(void **state)
{
	struct fixture *f = *state;
	int fd = listen_to(f, 0);
	char *text;

	assert_true(reads(fd, "event: hello\n"));
	f->deaf = true;
	pthread_mutex_lock(&f->app.live->lock);
	remove_device(f, AMSTERDAMS);
	offered(f, 19, 3, OPENED, FAR);
	pthread_mutex_unlock(&f->app.live->lock);
	text = reads_to_the_end(fd);
	assert_null(strstr(text, "\"number\":19"));
	assert_int_equal(cut(f), 0);
	free(text);
	close(fd);
}

/* ---- the report ---- */

static void press(struct fixture *f, int64_t number, const char *verb,
		  const char *body, int status)
{
	char *path = xasprintf("/api/v1/orders/%lld/%s", (long long)number,
			       verb);
	struct reply r = ask(f, "POST", path, f->amsterdam, body);

	assert_int_equal(r.status, status);
	reply_release(&r);
	free(path);
}

static void a_report_counts_what_became_of_each_order(void **state)
{
	struct fixture *f = *state;
	int64_t before = time_now() - 1;
	struct report r;
	struct reply got;
	struct err e;

	for (int64_t n = 1; n <= 7; n++)
		offered(f, n, 3, OPENED, FAR);
	offered(f, 1, 4, OPENED, FAR); /* the same order, our other one */
	offered(f, 8, 5, OPENED, FAR); /* another shop's */
	press(f, 1, "accept", NULL, 202);
	settled(f, 1, 3, SETTLED_OK, NULL);
	press(f, 2, "reject", "{\"reason\":\"damaged\"}", 202);
	press(f, 3, "reject", NULL, 202);
	marked(f, 4, 3, MARK_TIMED_OUT, "2021-01-11 16:22:00.000000");
	marked(f, 5, 5, MARK_ACCEPTED, "2021-01-11 16:22:00.000000");
	press(f, 6, "accept", NULL, 202);
	settled(f, 6, 3, SETTLED_OK, NULL);
	cancelled(f, 6); /* it was ours */

	assert_int_equal(report_make(&r, f->app.store,
				     config_shop(f->started, "amsterdam"),
				     before, time_now(), &e),
			 OK);
	assert_true(r.complete);
	assert_int_equal(r.offered, 7);
	assert_int_equal(r.accepted, 2);
	assert_int_equal(r.rejected[REASON_DAMAGED], 1);
	assert_int_equal(r.rejected[REASON_OTHER], 1);
	assert_int_equal(r.missed, 1);
	assert_int_equal(r.taken, 1);
	assert_int_equal(r.n_answers, 4);
	assert_true(report_percentile(&r, 50) >= 0);
	assert_true(report_percentile(&r, 90) <= time_now() - before);
	report_release(&r);

	/* What was offered before does not count, whatever came since. */
	assert_int_equal(report_make(&r, f->app.store,
				     config_shop(f->started, "amsterdam"),
				     time_now() + 1, time_now() + 2, &e),
			 OK);
	assert_int_equal(r.offered + r.accepted + r.missed, 0);
	assert_int_equal(report_percentile(&r, 50), TIME_NONE);
	report_release(&r);

	got = ask(f, "GET", "/api/v1/report?since=24h", f->amsterdam, NULL);
	assert_int_equal(got.status, 200);
	assert_non_null(strstr(got.body, "\"offered\":7,\"accepted\":2,"));
	reply_release(&got);
	got = ask(f, "GET", "/api/v1/report?since=32d", f->amsterdam, NULL);
	assert_int_equal(got.status, 400);
	reply_release(&got);
}

/* Another shop was faster: Centra has accepted the offer of warehouse 5. */
static void lost(struct fixture *f, int64_t number)
{
	marked(f, number, 5, MARK_ACCEPTED, "2021-01-11 16:22:00.000000");
}

static void a_report_is_right_while_orders_change(void **state)
{
	struct fixture *f = *state;
	int64_t before = time_now() - 1;
	unsigned turns = 1;
	struct report r;
	struct err e;
	bool more;

	offered_all(f, 1, 25);
	assert_int_equal(report_begin(&r, f->app.store,
				      config_shop(f->started, "amsterdam"),
				      before, time_now(), &e),
			 OK);
	assert_int_equal(r.offered, 0);
	assert_int_equal(report_read(&r, f->app.store, 10, &more, &e), OK);
	assert_true(more);
	assert_int_equal(r.offered, 10); /* and no more were read */

	lost(f, 1); /* counted before */
	lost(f, 25);
	press(f, 24, "reject", NULL, 202);
	offered_all(f, 26, 1); /* after the report began */
	while (more) {
		unsigned was = r.offered;

		assert_int_equal(report_read(&r, f->app.store, 10, &more, &e),
				 OK);
		assert_true(r.offered <= was + 10);
		turns++;
	}
	assert_int_equal(turns, 3);
	assert_true(r.complete);
	assert_int_equal(r.offered, 25);
	assert_int_equal(r.taken, 1);
	assert_int_equal(r.rejected[REASON_OTHER], 1);
	assert_int_equal(r.n_answers, 1);
	report_release(&r);
}

/* Sends a request for a report and holds the loop up after each of `steps` of
 * its passes, with every thread idle.  Then the orders `first` and `last` are
 * lost, and the report is read to its end. */
static unsigned taken_by_a_report(struct fixture *f, int steps, int64_t first,
				  int64_t last)
{
	struct holding holds[16];
	int fd = dial(f->port);
	char *text = xasprintf("GET /api/v1/report HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer %s\r\n\r\n",
			       f->amsterdam);
	struct reply r = ask_on(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	unsigned taken;

	assert_int_equal(r.status, 200);
	reply_release(&r);
	assert_true(steps < 16);
	hold_loop(f, &holds[0], 0);
	wait_held(&holds[0]);
	send_all(fd, text, strlen(text));
	free(text);
	for (int i = 1; i <= steps; i++) {
		hold_loop(f, &holds[i], 1);
		sem_post(&holds[i - 1].go);
		wait_held(&holds[i]);
		while (!is_looked_up(f))
			sched_yield();
	}
	lost(f, first);
	lost(f, last);
	sem_post(&holds[steps].go);
	r = read_reply(fd, false);
	assert_int_equal(r.status, 200);
	text = strstr(r.body, "\"taken\":");
	assert_non_null(text);
	taken = (unsigned)strtoul(text + 8, NULL, 10);
	reply_release(&r);
	close(fd);
	return taken;
}

/* At some moment a report of many orders has read the first of them and not yet
 * the last, while no thread is at work. */
static void a_report_gives_its_thread_to_others_before_it_is_whole(
	void **state)
{
	struct fixture *f = *state;
	const int64_t n = 3 * REPORT_SLICE;
	bool split = false;

	f->deaf = true; /* the loop is held while orders change */
	offered_all(f, 1, (size_t)n);
	for (int i = 1; i < 16 && !split; i++)
		split = taken_by_a_report(f, i, i, n + 1 - i) % 2;
	assert_true(split);
}

static void percentiles_are_of_answers_that_were_given(void **state)
{
	int64_t ten[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
	struct report r = {.answers = ten, .n_answers = 10};

	(void)state;
	assert_int_equal(report_percentile(&r, 50), 5);
	assert_int_equal(report_percentile(&r, 90), 9);
	assert_int_equal(report_percentile(&r, 100), 100);
	r.n_answers = 1;
	assert_int_equal(report_percentile(&r, 50), 1);
	assert_int_equal(report_percentile(&r, 90), 1);
}

/* ---- done since ---- */

static void done_since_pages_by_the_last_change(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	char *cursor, *path;

	for (int64_t n = 1; n <= 3; n++) {
		offered(f, n, n == 2 ? 4 : 3, OPENED, FAR - n);
		cancelled(f, n);
	}
	r = ask(f, "GET", "/api/v1/orders?state=done&since=24h&limit=2",
		f->amsterdam, NULL);
	assert_int_equal(r.status, 200);
	assert_ptr_equal(strstr(r.body, "{\"orders\":[{\"number\":1,"),
			 r.body);
	assert_non_null(strstr(r.body, "{\"number\":2,"));
	assert_null(strstr(r.body, "{\"number\":3,"));
	cursor = strstr(r.body, "\"cursor\":\"");
	assert_non_null(cursor);
	cursor += strlen("\"cursor\":\"");
	cursor[strcspn(cursor, "\"")] = '\0';
	path = xasprintf("/api/v1/orders?state=done&since=24h&cursor=%s",
			 cursor);
	reply_release(&r);
	r = ask(f, "GET", path, f->amsterdam, NULL);
	assert_ptr_equal(strstr(r.body, "{\"orders\":[{\"number\":3,"),
			 r.body);
	assert_non_null(strstr(r.body, "],\"cursor\":null,"));
	reply_release(&r);
	free(path);
	r = ask(f, "GET", "/api/v1/orders?state=done&since=2099-01-01T00:00:00Z",
		f->amsterdam, NULL);
	assert_string_equal(r.body, "{\"orders\":[],\"cursor\":null,\"unreadable\":0}");
	reply_release(&r);
	r = ask(f, "GET", "/api/v1/orders?state=mine&since=today",
		f->amsterdam, NULL);
	assert_int_equal(r.status, 400);
	reply_release(&r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_page_is_small_and_may_load_only_itself),
		T(a_file_of_another_version_of_the_page_is_not_there),
		T(every_file_that_the_page_names_is_there),
		T(a_file_that_one_has_is_not_sent_again),
		T(a_silent_line_has_a_beat),
		T(a_screen_that_does_not_read_is_cut_and_others_are_not),
		T(a_change_is_rendered_once_however_many_screens_show_it),
		T(reports_one_after_the_other_leave_most_of_the_time_to_others),
		T(a_shops_many_changes_do_not_make_another_shop_read_its_lists),
		T(changes_that_follow_each_other_are_sent_together),
		T(what_a_screen_missed_is_not_rendered_again),
		T(what_a_screen_missed_is_told_without_a_damaged_order),
		T(pending_offers_that_no_screen_shows_are_counted_as_they_change),
		T(pending_offers_are_counted_anew_when_a_reload_changes_the_shops),
		T(changes_without_end_have_no_offer_counted_again),
		T(a_count_of_offers_keeps_the_thread_for_a_few_orders),
		T(a_beat_names_no_change_whose_event_was_not_sent),
		T(changes_that_wait_for_a_round_are_looked_at_when_it_is_due),
		T(a_device_removed_while_its_screen_joins_is_shown_nothing),
		T(a_removed_device_is_not_shown_what_changes_afterwards),
		T(a_report_counts_what_became_of_each_order),
		T(a_report_is_right_while_orders_change),
		T(a_report_gives_its_thread_to_others_before_it_is_whole),
		cmocka_unit_test(percentiles_are_of_answers_that_were_given),
		T(done_since_pages_by_the_last_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
