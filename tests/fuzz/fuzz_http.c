/* SPDX-License-Identifier: MIT
 *
 * fuzz_http.c - any bytes on a connection to the real server: its loop, its
 * routes, its store.  Every connection ends, is answered with HTTP or not at
 * all, never with a 500; and the server goes on and stops well.
 *
 * So that more than the door is tried, three things that no stranger could write
 * are put in: "Bearer @" becomes a device's token, "API-Authorization: @" the key
 * of the same shop's own system, and of `t=` and ten digits, `v1=0` and 63 more,
 * comes the right signature of what follows the header, made now.
 */
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/json_read.h"
#include "centra/signature.h"
#include "tests/unit/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define WORLD_INPUTS 4000 /* after so many the server is stopped and replaced */
#define PATIENCE     8000 /* ms for any one connection */

static struct fixture *world;
static char key[TOKEN_SIZE]; /* of Amsterdam's own system */
static unsigned inputs;

static void world_end(void)
{
	if (!world)
		return;
	lookups_stop(world->app.lookups);
	fixture_stop(world);
	world = NULL;
}

static bool no_account(void *arg, size_t i, struct lookup_account *ret)
{
	(void)arg;
	(void)i;
	(void)ret;
	return false;
}

static void never_called(void *arg, const char *instance, enum centra_api api,
			 const char *what, const struct call *call)
{
	(void)arg;
	(void)instance;
	(void)api;
	(void)what;
	(void)call;
	abort();
}

/* Reads of a Centra that is not there. */
static void add_lookups(void)
{
	const struct lookup_parts parts = {.counters = &world->app.counters,
					   .http = world->app.http,
					   .account = no_account,
					   .called = never_called};
	struct err e;

	if (lookups_open(&world->app.lookups, &parts, &e))
		abort();
	world->app.shop.lookups = world->app.lookups;
}

static void add_key(void)
{
	struct device d = {.shop = "amsterdam",
			   .name = "Till",
			   .kind = DEVICE_ORDER_API};
	unsigned char hash[TOKEN_HASH_SIZE];
	struct err e;
	uint64_t id;

	if (token_make(key, hash, &e) ||
	    store_device_add(world->app.store, &d, hash, NULL, 0, &id, &e))
		abort();
}

static void world_begin(void)
{
	world = fixture_start("answer_wait = 5ms\n"
			      "header_timeout = 1s\n"
			      "idle_timeout = 1s\n"
			      "body_timeout = 1s");
	for (int64_t number = 1; number <= 3; number++)
		offered(world, number, 3, "2021-01-11 16:21:00.000000", FAR);
	detailed(world, 1, "{\"lines\":[]}", NULL);
	settled(world, 2, 3, SETTLED_NO, "no");
	add_key();
	add_lookups();
}

/* Before the fuzzer has threads of its own: zones are loaded here.  Its clock,
 * a signal, would break off our calls; PATIENCE stands for it. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sigset_t clock;

	(void)argc;
	(void)argv;
	sigemptyset(&clock);
	sigaddset(&clock, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &clock, NULL);
	log_set_level(LOG_ERROR);
	world_begin();
	atexit(world_end); /* runs before what the libraries left there */
	return 0;
}

static const char *find(const struct buf *b, const char *what)
{
	return b->len ? memmem(b->data, b->len, what, strlen(what)) : NULL;
}

/* Puts the credential in the place of the @ at the end of the mark. */
static bool put_credential(struct buf *to, const uint8_t *data, size_t size,
			   const char *mark, const char *credential)
{
	size_t len = strlen(mark), before;
	const uint8_t *at = memmem(data, size, mark, len);

	if (!at)
		return false;
	before = (size_t)(at - data) + len - 1;
	(void)!buf_add(to, data, before);
	buf_str(to, credential);
	(void)!buf_add(to, data + before + 1, size - before - 1);
	return true;
}

static void put_token(struct buf *to, const uint8_t *data, size_t size)
{
	buf_init(to, (size_t)8 << 20);
	if (!put_credential(to, data, size, "Bearer @", world->amsterdam) &&
	    !put_credential(to, data, size, "API-Authorization: @", key))
		(void)!buf_add(to, data, size);
}

/* Where, behind `mark`, n characters of `set` begin; NULL: nowhere. */
static char *digits(struct buf *b, const char *mark, const char *set, size_t n)
{
	const char *at = find(b, mark);
	size_t from, k = 0;

	if (!at)
		return NULL;
	from = (size_t)(at - b->data) + strcspn(mark, "=") + 1;
	while (from + k < b->len && k < n && strchr(set, b->data[from + k]) &&
	       b->data[from + k])
		k++;
	return k == n ? b->data + from : NULL;
}

static void sign(struct buf *b)
{
	char *t = digits(b, "t=", "0123456789", 10);
	char *v1 = digits(b, "v1=0", "0123456789abcdefABCDEF", 64);
	const char *body = find(b, "\r\n\r\n");
	char made[SIGNATURE_SIZE];
	struct err e;

	if (!v1 || !t || !body || body < v1)
		return;
	body += 4;
	if (signature_make(made, "test123", body,
			   b->len - (size_t)(body - b->data),
			   time_now() / 1000, &e))
		abort();
	memcpy(t, made + 2, 10);
	memcpy(v1, strstr(made, "v1=") + 3, 64);
}

/* Says that nothing more will come, but not in one breath with the bytes: the
 * library would then hear of it only when the connection times out. */
static void end_of_request(int fd)
{
	struct pollfd in = {.fd = fd, .events = POLLIN};

	poll(&in, 1, 2);
	shutdown(fd, SHUT_WR);
}

/* Reads until the server ends the connection, or a stream has begun, which
 * goes on for ever. */
static void read_answer(int fd)
{
	int64_t until = time_mono() + PATIENCE;
	struct pollfd in = {.fd = fd, .events = POLLIN};
	char head[16] = "", piece[65536];
	size_t got = 0;
	ssize_t n;

	for (;;) {
		int left = (int)(until - time_mono());

		if (left <= 0 || poll(&in, 1, left) <= 0) {
			fprintf(stderr,
				"the connection does not end; it began '%s'\n",
				head);
			abort();
		}
		n = recv(fd, piece, sizeof(piece) - 1, 0);
		if (n <= 0)
			break;
		piece[n] = '\0';
		for (ssize_t i = 0; i < n && got < 12; i++)
			head[got++] = piece[i];
		if (strstr(piece, "text/event-stream"))
			break;
	}
	if (got && (strncmp(head, "HTTP/1.", 7) ||
		    (got >= 12 && !strncmp(head + 8, " 500", 4)))) {
		fprintf(stderr, "answered: %s\n", head);
		abort();
	}
}

static void hang_up(int fd)
{
	struct linger now = {.l_onoff = 1};

	/* Reset: no port is kept waiting. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void must_be_well(void)
{
	struct reply r = ask(world, "GET", "/healthz", NULL, NULL);

	if (r.status != 200)
		abort();
	reply_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b;
	int fd;

	if (!world)
		world_begin();
	put_token(&b, data, size);
	sign(&b);
	fd = dial(world->port);
	if (fd < 0)
		abort();
	if (b.len)
		send_all(fd, b.data, b.len);
	end_of_request(fd);
	read_answer(fd);
	hang_up(fd);
	buf_release(&b);
	if (++inputs % 64 == 0)
		must_be_well();
	if (inputs % WORLD_INPUTS == 0)
		world_end();
	return 0;
}
