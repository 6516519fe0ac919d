/* SPDX-License-Identifier: MIT
 *
 * test_receive.c - a delivery is verified, read, made durable and answered.
 *
 * The first tests read bodies; the others ask a server of this process over
 * its socket.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "centra/signature.h"
#include "server/app.h"
#include "server/http/http.h"
#include "server/webhook/delivery.h"
#include "server/webhook/receive.h"
#include "tests/store/temp.h"

/* cmocka has a fail() too: it comes after ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define CREATE                                                                \
	"{\"type\":\"check_first\",\"action\":\"create\","                    \
	"\"date\":\"2021-01-11 16:21:00.552288\",\"id\":19,\"data\":"         \
	"{\"warehouses\":[{\"warehouseId\":3,"                                \
	"\"expirationAt\":\"2021-01-12T16:21:00%2B01:00\"}]}}"
#define UNHEARD_OF                                                            \
	"{\"type\":\"gift_card\",\"action\":\"melted\","                      \
	"\"date\":\"2021-01-11 16:21:00.552288\",\"id\":20}"
#define NO_DATE "{\"type\":\"order\",\"action\":\"insert\",\"id\":21}"
#define EVENTS(list) "payload={\"events\":[" list "]}"

#define IN_PART                                                                \
	"{\"type\":\"check_first\",\"action\":\"create\",\"date\":"            \
	"\"2021-01-11 16:21:00.552288\",\"id\":19,\"data\":"                   \
	"{\"warehouses\":[{\"warehouseId\":3},{\"warehouseId\":null}]}}"

/* ---- reading ---- */

static enum webhook_version read_body(struct delivery *d, const char *body)
{
	enum webhook_version version;

	delivery_read(d, &version, "se", "t=1,v1=2", body,
		      body ? strlen(body) : 0, 1234);
	return version;
}

static void each_event_names_the_task_that_applies_it(void **state)
{
	struct delivery d;

	(void)state;
	assert_int_equal(read_body(&d, EVENTS(CREATE "," UNHEARD_OF)),
			 WEBHOOK_INTEGRATION);
	assert_int_equal(d.n_bad, 0);
	assert_int_equal(d.n_events, 2);
	assert_string_equal(d.instance, "se");
	assert_string_equal(d.events[0].instance, "se");
	assert_int_equal(d.events[0].received, 1234);
	assert_string_equal(d.events[0].type, "check_first");
	assert_string_equal(d.events[0].action, "create");
	assert_string_equal(d.events[0].date, "2021-01-11 16:21:00.552288");
	assert_int_equal(d.events[0].id, 19);
	assert_string_equal(d.events[0].task, "check_first");
	assert_null(d.events[1].task);
	delivery_release(&d);
}

static void the_digest_tells_data_apart_and_nothing_else(void **state)
{
	static const unsigned char none[EVENT_DIGEST_SIZE];
	struct delivery a, b, c;

	(void)state;
	read_body(&a, EVENTS(CREATE "," UNHEARD_OF));
	read_body(&b, "payload={\"events\":[{\"id\":\"77\",\"data\":"
		      "{\"warehouses\":[{\"expirationAt\":"
		      "\"2021-01-12T16:21:00%2B01:00\",\"warehouseId\": 3}]},"
		      "\"type\":\"check_first\",\"action\":\"create\","
		      "\"date\":\"2022-01-11+16:21:00\"}]}");
	read_body(&c, "payload={\"events\":[{\"id\":77,\"data\":"
		      "{\"warehouses\":[{\"expirationAt\":"
		      "\"2021-01-12T16:21:00%2B01:00\",\"warehouseId\": 4}]},"
		      "\"type\":\"check_first\",\"action\":\"create\","
		      "\"date\":\"2022-01-11+16:21:00\"}]}");
	assert_int_equal(b.n_events, 1);
	assert_int_equal(c.n_events, 1);
	assert_memory_equal(a.events[0].digest, b.events[0].digest,
			    EVENT_DIGEST_SIZE);
	assert_memory_not_equal(b.events[0].digest, c.events[0].digest,
				EVENT_DIGEST_SIZE);
	assert_memory_not_equal(a.events[0].digest, none, EVENT_DIGEST_SIZE);
	assert_memory_equal(a.events[1].digest, none, EVENT_DIGEST_SIZE);
	delivery_release(&a);
	delivery_release(&b);
	delivery_release(&c);
}

static void one_bad_event_does_not_cost_the_others(void **state)
{
	struct delivery d;

	(void)state;
	read_body(&d, EVENTS(CREATE "," NO_DATE "," UNHEARD_OF ",7"));
	assert_int_equal(d.n_events, 2);
	assert_int_equal(d.n_bad, 2);
	assert_string_equal(d.bad[0].instance, "se");
	assert_non_null(strstr(d.bad[0].bytes, "\"insert\""));
	assert_int_equal(d.bad[0].len, strlen(d.bad[0].bytes));
	assert_int_not_equal(d.bad[0].reason[0], '\0');
	assert_null(d.bad[0].header);
	delivery_release(&d);
}

static void a_body_that_cannot_be_read_is_kept_whole(void **state)
{
	static const char *const bodies[] = {
		"payload=%7Bnot json", "payload=", "other=1", "x", "",
		"payload=%7B%22what%22%3A1%7D", "payload=%zz",
	};
	struct delivery d;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		read_body(&d, bodies[i]);
		assert_int_equal(d.n_events, 0);
		assert_int_equal(d.n_bad, 1);
		assert_int_equal(d.bad[0].len, strlen(bodies[i]));
		assert_memory_equal(d.bad[0].bytes, bodies[i],
				    strlen(bodies[i]));
		assert_string_equal(d.bad[0].header, "t=1,v1=2");
		assert_int_not_equal(d.bad[0].reason[0], '\0');
		delivery_release(&d);
	}
	read_body(&d, NULL);
	assert_int_equal(d.n_bad, 1);
	assert_int_equal(d.bad[0].len, 0);
	delivery_release(&d);
}

static void other_versions_are_kept_whole(void **state)
{
	static const unsigned char none[EVENT_DIGEST_SIZE];
	struct delivery d;

	(void)state;
	assert_int_equal(read_body(&d, "payload={\"products\":[\"52\"]}"),
			 WEBHOOK_CHECKOUT);
	assert_int_equal(d.n_events, 0);
	assert_int_equal(d.n_bad, 1);
	assert_int_equal(d.bad[0].kind, QUARANTINED_VERSION);
	assert_string_equal(d.bad[0].bytes, "payload={\"products\":[\"52\"]}");
	assert_memory_not_equal(d.bad[0].digest, none, EVENT_DIGEST_SIZE);
	delivery_release(&d);
	assert_int_equal(read_body(&d, "payload={\"DisplayItems\":[\"5\"]}"),
			 WEBHOOK_STOREFRONT);
	assert_int_equal(d.n_bad, 1);
	assert_non_null(strstr(d.bad[0].reason, "Storefront API"));
	delivery_release(&d);
}

#define V1_A "0000000000000000000000000000000000000000000000000000000000000000"
#define V1_B "1111111111111111111111111111111111111111111111111111111111111111"

static void stale_digest(unsigned char ret[EVENT_DIGEST_SIZE],
			 const char *header, const char *body)
{
	struct delivery d;

	delivery_stale(&d, "se", header, body, strlen(body), 99000);
	assert_int_equal(d.n_bad, 1);
	assert_int_equal(d.bad[0].kind, QUARANTINED_STALE);
	assert_int_equal(d.bad[0].received, 99000);
	assert_string_equal(d.bad[0].header, header);
	memcpy(ret, d.bad[0].digest, EVENT_DIGEST_SIZE);
	delivery_release(&d);
}

/* Who replays a delivery can alter all of the header but T, and must not fill
 * the quarantine with it. */
static void a_stale_one_is_known_again_by_its_time_and_body_alone(void **state)
{
	unsigned char a[EVENT_DIGEST_SIZE], b[EVENT_DIGEST_SIZE];

	(void)state;
	stale_digest(a, "t=5,v1=" V1_A, "x");
	stale_digest(b, "v2=q, t=5 ,v1=" V1_B ",v1=" V1_A, "x");
	assert_memory_equal(a, b, EVENT_DIGEST_SIZE);
	stale_digest(b, "t=6,v1=" V1_A, "x");
	assert_memory_not_equal(a, b, EVENT_DIGEST_SIZE);
	stale_digest(b, "t=5,v1=" V1_A, "y");
	assert_memory_not_equal(a, b, EVENT_DIGEST_SIZE);
}

static void a_stale_one_is_not_dated_before_it_was_sent(void **state)
{
	struct delivery d;

	(void)state;
	delivery_stale(&d, "se", "t=500,v1=" V1_A, "x", 1, 99000);
	assert_int_equal(d.bad[0].received, 500000);
	delivery_release(&d);
}

static void what_was_quarantined_is_read_again(void **state)
{
	char event[] = CREATE, bad[] = NO_DATE, two[] = CREATE "," UNHEARD_OF,
	     part[] = IN_PART, body[] = EVENTS(CREATE "," NO_DATE),
	     header[] = "t=1,v1=2";
	struct quarantined q = {
		.seq = 7,
		.instance = "se",
		.received = 1234,
		.bytes = event,
		.len = sizeof(event) - 1,
	};
	struct delivery d;
	struct err why;

	(void)state;
	/* The %2B of the form is a text here: the event is what counts. */
	assert_true(delivery_again(&d, &q, &why));
	assert_int_equal(d.n_events, 1);
	assert_int_equal(d.retried, 7);
	assert_int_equal(d.received, 1234);
	assert_int_equal(d.events[0].received, 1234);
	assert_int_equal(d.events[0].id, 19);
	delivery_release(&d);

	q.bytes = bad;
	q.len = strlen(bad);
	assert_false(delivery_again(&d, &q, &why));
	assert_int_not_equal(why.text[0], '\0');
	q.bytes = two;
	q.len = strlen(two);
	assert_false(delivery_again(&d, &q, &why));
	assert_string_equal(why.text, "it is not one event");

	/* Of a create what can be read is taken, and the rest kept again. */
	q.bytes = part;
	q.len = strlen(part);
	assert_true(delivery_again(&d, &q, &why));
	assert_int_equal(d.n_events, 1);
	assert_int_equal(d.n_bad, 1);
	delivery_release(&d);

	/* So it is of a body. */
	q.header = header;
	q.bytes = body;
	q.len = strlen(body);
	assert_true(delivery_again(&d, &q, &why));
	assert_int_equal(d.n_events, 1);
	assert_int_equal(d.n_bad, 1);
	delivery_release(&d);
	q.bytes = bad;
	q.len = 5;
	assert_false(delivery_again(&d, &q, &why));
}

/* ---- a server ---- */

struct server {
	struct app app;
	struct config *first; /* held: the store was opened with it */
	char dir[TEMP_ROOM];
	char file[TEMP_ROOM + 16];
};

#define PLAIN "webhook_secret = test123\n", ""

static void write_config(const struct server *s, const char *centra,
			 const char *server)
{
	FILE *f = fopen(s->file, "w");

	assert_non_null(f);
	fprintf(f,
		"[server]\nlisten = 127.0.0.1:0\nadmin_listen = 127.0.0.1:0\n"
		"store = lmdb:%s/data\n%s"
		"[centra se]\norder_api_url = http://127.0.0.1:9/o\n"
		"order_api_key = k\n%s"
		"[shop s]\ncentra = se\nname = S\nwarehouses = 3\n",
		s->dir, server, centra);
	assert_int_equal(fclose(f), 0);
}

static struct config *load(const struct server *s)
{
	struct config *c = NULL;
	struct buf report;
	struct err e;

	buf_init(&report, 10000);
	if (config_load(&c, s->file, &report, &e))
		fail_msg("%s: %s", e.text, report.data);
	buf_release(&report);
	return c;
}

static struct server *server_start(const char *centra, const char *server)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct err e;

	log_set_level(LOG_ERROR + 1); /* the trouble here is meant */
	assert_non_null(temp_folder(s->dir, "receive"));
	snprintf(s->file, sizeof(s->file), "%s/shipfrom.ini", s->dir);
	write_config(s, centra, server);
	s->first = load(s);
	s->app.config = config_holder_open(config_hold(s->first));
	s->app.storage = (struct storage){s->first, s->app.config, NULL};
	if (storage_serve(&s->app.store, &s->app.storage, NULL, NULL, NULL,
			  &e) ||
	    app_open_http(&s->app, &e))
		fail_msg("%s", e.text);
	if (http_start(s->app.http, &e))
		fail_msg("%s", e.text);
	return s;
}

static void server_stop(struct server *s)
{
	char *rm;

	http_stop(s->app.http);
	store_close(s->app.store);
	app_close_http(&s->app);
	config_holder_close(s->app.config);
	config_drop(s->first);
	rm = xasprintf("rm -r %s", s->dir);
	assert_int_equal(system(rm), 0);
	free(rm);
	free(s);
}

struct answer_seen {
	long status;
	struct buf all; /* header and body */
};

static int connect_to(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void send_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		p += n;
		len -= (size_t)n;
	}
}

/* Posts a body with a signature header, or none.  Its status. */
static long post(const struct server *s, const char *name, const char *header,
		 const char *body, size_t len, struct answer_seen *a)
{
	const struct timeval patience = {.tv_sec = 20};
	int fd = connect_to(http_address(s->app.http));
	char piece[4096], *head;
	ssize_t n;

	head = xasprintf("POST /webhooks/centra/%s HTTP/1.1\r\nHost: x\r\n"
			 "Connection: close\r\nContent-Length: %zu\r\n"
			 "%s%s%s\r\n",
			 name, len, header ? "X-Centra-Signature: " : "",
			 header ? header : "", header ? "\r\n" : "");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send_all(fd, head, strlen(head));
	send_all(fd, body, len);
	free(head);
	*a = (struct answer_seen){0};
	buf_init(&a->all, 100000);
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		assert_int_equal(buf_add(&a->all, piece, (size_t)n), OK);
	close(fd);
	assert_true(a->all.len > 12);
	a->status = strtol(a->all.data + strlen("HTTP/1.1 "), NULL, 10);
	return a->status;
}

/* Posts a body signed with a secret `age` seconds ago; asserts the answer's
 * status and that its body holds `text`. */
static void sends(const struct server *s, const char *secret, int64_t age,
		  const char *body, long status, const char *text)
{
	char header[SIGNATURE_SIZE];
	struct answer_seen a;
	struct err e;

	assert_int_equal(signature_make(header, secret, body, strlen(body),
					time_now() / 1000 - age, &e),
			 OK);
	post(s, "se", header, body, strlen(body), &a);
	if (a.status != status || !strstr(a.all.data, text))
		fail_msg("want %ld with %s, got %ld with %s", status, text,
			 a.status, a.all.data);
	buf_release(&a.all);
}

static void turned(struct http_call *call)
{
	sem_post(call->arg);
}

/* Waits until the loop has run what it was called for. */
static void loop_turns(const struct server *s)
{
	struct http_call call = {.fn = turned};
	sem_t done;

	sem_init(&done, 0, 0);
	call.arg = &done;
	http_call(s->app.http, &call);
	while (sem_wait(&done))
		;
	sem_destroy(&done);
}

static struct store_stats stats(const struct server *s)
{
	struct store_stats st;
	struct err e;

	assert_int_equal(store_stats(s->app.store, &st, &e), OK);
	return st;
}

static void a_signed_delivery_is_stored_once(void **state)
{
	struct server *s = server_start(PLAIN);

	(void)state;
	sends(s, "test123", 0, EVENTS(CREATE "," CREATE "," UNHEARD_OF), 200,
	      "{\"events\":3,\"new\":2,\"duplicates\":1,\"quarantined\":0}");
	sends(s, "test123", 1, EVENTS(CREATE), 200,
	      "{\"events\":1,\"new\":0,\"duplicates\":1,\"quarantined\":0}");
	assert_int_equal(stats(s).events, 2);
	assert_int_equal(stats(s).tasks_waiting, 1);
	assert_int_equal(s->app.counters.webhooks_total, 2);
	assert_int_equal(s->app.counters.events_total, 2);
	assert_int_equal(s->app.counters.events_duplicate_total, 2);
	assert_int_equal(s->app.counters.events_unknown_total, 1);
	server_stop(s);
}

static void what_cannot_be_read_is_kept_and_answered_200(void **state)
{
	struct server *s = server_start(PLAIN);
	struct quarantined q = {0};
	struct err e;

	(void)state;
	sends(s, "test123", 0, "payload=%7Bbroken", 200,
	      "{\"events\":1,\"new\":0,\"duplicates\":0,\"quarantined\":1}");
	sends(s, "test123", 0, EVENTS(CREATE "," NO_DATE), 200,
	      "{\"events\":2,\"new\":1,\"duplicates\":0,\"quarantined\":1}");
	sends(s, "test123", 0, "", 200, "\"quarantined\":1}");
	sends(s, "test123", 0, EVENTS(""), 200,
	      "{\"events\":0,\"new\":0,\"duplicates\":0,\"quarantined\":0}");
	assert_int_equal(stats(s).quarantined, 3);
	assert_int_equal(s->app.counters.events_quarantined_total, 3);
	assert_int_equal(store_quarantine_get(s->app.store, 1, &q, &e), OK);
	assert_string_equal(q.bytes, "payload=%7Bbroken");
	assert_non_null(strstr(q.header, ",v1="));
	quarantined_release(&q);
	server_stop(s);
}

static void what_is_read_in_part_is_taken_and_kept_to_be_seen(void **state)
{
	struct server *s = server_start(PLAIN);

	(void)state;
	sends(s, "test123", 0, EVENTS(IN_PART), 200,
	      "{\"events\":2,\"new\":1,\"duplicates\":0,\"quarantined\":1}");
	assert_int_equal(stats(s).events, 1);
	assert_int_equal(stats(s).quarantined, 1);
	assert_int_equal(s->app.counters.events_quarantined_total, 1);
	server_stop(s);
}

static void only_centra_gets_in(void **state)
{
	struct server *s = server_start(PLAIN);
	struct answer_seen a;

	(void)state;
	assert_int_equal(post(s, "se", NULL, EVENTS(CREATE),
			      strlen(EVENTS(CREATE)), &a),
			 401);
	assert_non_null(strstr(a.all.data, "\"signature_missing\""));
	buf_release(&a.all);
	assert_int_equal(post(s, "se", "t=x", "", 0, &a), 401);
	assert_non_null(strstr(a.all.data, "\"signature_malformed\""));
	buf_release(&a.all);
	assert_int_equal(post(s, "no", "t=x", "", 0, &a), 404);
	assert_non_null(strstr(a.all.data, "\"unknown_instance\""));
	buf_release(&a.all);
	sends(s, "other", 0, EVENTS(CREATE), 401, "\"signature_wrong\"");
	sends(s, "test123", 305, EVENTS(CREATE), 401, "\"signature_stale\"");
	sends(s, "test123", -305, EVENTS(CREATE), 401, "\"signature_stale\"");
	/* What was rightly signed is kept, soon; nothing else is written. */
	for (int i = 0; i < 2000 && stats(s).quarantined < 2; i++)
		usleep(1000);
	assert_int_equal(stats(s).events, 0);
	assert_int_equal(stats(s).quarantined, 2);
	assert_int_equal(s->app.counters.webhooks_refused_signature_total, 3);
	assert_int_equal(s->app.counters.webhooks_refused_stale_total, 2);
	assert_int_equal(s->app.counters.webhooks_total, 0);
	server_stop(s);
}

static void another_version_is_counted_and_kept(void **state)
{
	struct server *s = server_start(PLAIN);

	(void)state;
	sends(s, "test123", 0, "payload={\"products\":[\"52\"]}", 200,
	      "{\"events\":1,\"new\":0,\"duplicates\":0,\"quarantined\":1}");
	sends(s, "test123", 0, "payload={\"DisplayItems\":[\"52\"]}", 200,
	      "{\"events\":1,\"new\":0,\"duplicates\":0,\"quarantined\":1}");
	assert_int_equal(stats(s).events, 0);
	assert_int_equal(stats(s).quarantined, 2);
	assert_int_equal(s->app.counters.webhooks_wrong_version_total, 2);
	server_stop(s);
}

/* What SIGHUP does, to the part of it that is tested here. */
static void swap_config(struct server *s, const char *centra,
			const char *server)
{
	write_config(s, centra, server);
	config_replace(s->app.config, load(s));
	receiver_reloaded(s->app.receiver);
	loop_turns(s);
}

static void a_secret_can_be_rotated_without_a_gap(void **state)
{
	struct server *s = server_start(PLAIN);

	(void)state;
	sends(s, "test123", 0, EVENTS(CREATE), 200, "\"new\":1");
	sends(s, "next", 0, EVENTS(CREATE), 401, "\"signature_wrong\"");
	swap_config(s,
		    "webhook_secret = next\n"
		    "previous_webhook_secret = test123\n",
		    "");
	sends(s, "test123", 0, EVENTS(CREATE), 200, "\"duplicates\":1");
	sends(s, "next", 0, EVENTS(CREATE), 200, "\"duplicates\":1");
	assert_int_equal(s->app.counters.webhooks_previous_secret_total, 1);
	swap_config(s, "webhook_secret = next\n", "");
	sends(s, "test123", 0, EVENTS(CREATE), 401, "\"signature_wrong\"");
	sends(s, "next", 0, EVENTS(CREATE), 200, "\"duplicates\":1");
	server_stop(s);
}

static sem_t held, go_on;

/* A store_update_fn that holds the writer up, as a slow disk would. */
static enum rc hold(void *arg, const struct order *o, struct changes *ret,
		    struct err *e)
{
	(void)arg;
	(void)o;
	(void)ret;
	sem_post(&held);
	sem_wait(&go_on);
	return (fail)(e, RC_INVALID, "nothing to change");
}

static void let_go(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)rc;
	(void)e;
	*(bool *)d->arg = true;
}

static void a_disk_that_is_slow_is_a_503_and_loses_nothing(void **state)
{
	struct server *s = server_start("webhook_secret = test123\n",
					"write_wait = 100ms\n");
	bool done = false;
	struct store_done d = {.fn = let_go, .arg = &done};
	struct answer_seen a;
	char header[SIGNATURE_SIZE];
	struct err e;

	(void)state;
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	assert_int_equal(store_update(s->app.store, "se", 1, hold, NULL,
				      time_now(), NULL, &d, &e),
			 OK);
	sem_wait(&held);
	assert_int_equal(signature_make(header, "test123", EVENTS(CREATE),
					strlen(EVENTS(CREATE)),
					time_now() / 1000, &e),
			 OK);
	assert_int_equal(post(s, "se", header, EVENTS(CREATE),
			      strlen(EVENTS(CREATE)), &a),
			 503);
	assert_non_null(strstr(a.all.data, "\"not_stored\""));
	assert_non_null(strstr(a.all.data, "\r\nRetry-After: 1\r\n"));
	buf_release(&a.all);
	assert_int_equal(s->app.counters.webhooks_not_stored_total, 1);
	assert_int_equal(s->app.counters.webhooks_total, 0);
	for (int i = 0; i < 3; i++) /* should it run twice */
		sem_post(&go_on);
	swap_config(s, PLAIN);
	/* Recorded after all, behind the request's back. */
	sends(s, "test123", 0, EVENTS(CREATE), 200, "\"duplicates\":1");
	assert_int_equal(s->app.counters.events_total, 1);
	assert_true(done);
	server_stop(s);
	sem_destroy(&held);
	sem_destroy(&go_on);
}

static void a_full_store_is_a_503_with_retry_after(void **state)
{
	struct server *s = server_start("webhook_secret = test123\n",
					"store_max = 1M\n");
	char header[SIGNATURE_SIZE], *body = xcalloc(1, 100001);
	struct answer_seen a;
	struct err e;
	long status = 200;
	int n = 0;

	(void)state;
	memset(body, 'x', 100000);
	for (; status == 200 && n < 100; n++) {
		body[0] = (char)('!' + n); /* each is another */
		assert_int_equal(signature_make(header, "test123", body, 100000,
						time_now() / 1000, &e),
				 OK);
		status = post(s, "se", header, body, 100000, &a);
		if (status == 200)
			buf_release(&a.all);
	}
	assert_int_equal(status, 503);
	assert_non_null(strstr(a.all.data, "\r\nRetry-After: 1\r\n"));
	assert_int_equal(stats(s).quarantined, n - 1);
	assert_null(store_failure(s->app.store)); /* it goes on */
	buf_release(&a.all);
	free(body);
	server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_names_the_task_that_applies_it),
		cmocka_unit_test(the_digest_tells_data_apart_and_nothing_else),
		cmocka_unit_test(one_bad_event_does_not_cost_the_others),
		cmocka_unit_test(a_body_that_cannot_be_read_is_kept_whole),
		cmocka_unit_test(other_versions_are_kept_whole),
		cmocka_unit_test(
			a_stale_one_is_known_again_by_its_time_and_body_alone),
		cmocka_unit_test(a_stale_one_is_not_dated_before_it_was_sent),
		cmocka_unit_test(what_was_quarantined_is_read_again),
		cmocka_unit_test(a_signed_delivery_is_stored_once),
		cmocka_unit_test(what_cannot_be_read_is_kept_and_answered_200),
		cmocka_unit_test(
			what_is_read_in_part_is_taken_and_kept_to_be_seen),
		cmocka_unit_test(only_centra_gets_in),
		cmocka_unit_test(another_version_is_counted_and_kept),
		cmocka_unit_test(a_secret_can_be_rotated_without_a_gap),
		cmocka_unit_test(
			a_disk_that_is_slow_is_a_503_and_loses_nothing),
		cmocka_unit_test(a_full_store_is_a_503_with_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
