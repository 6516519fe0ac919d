/* SPDX-License-Identifier: MIT
 *
 * The one server is restarted under load, behind haproxy with the example that
 * we ship: each webhook is answered 200, and is there.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define HAPROXY "/usr/sbin/haproxy"
#define SENDERS 6
#define PAUSE	10 /* ms, of a sender between two webhooks */
#define LONG	(220 * 1024) /* bytes, of each LONG_EACH-th webhook */
#define LONG_EACH 8

struct load {
	char hook[192];
	pthread_t threads[SENDERS];
	atomic_bool stop;
	atomic_long next, good, lost;
	atomic_llong slowest; /* ms */
};

struct scene {
	struct shipfrom *s;
	struct process proxy;
	struct load load;
	char url[ADDRESS_ROOM + 8];
	int held; /* a socket that outlives the server; -1: none */
};

static bool has_haproxy(void)
{
	return access(HAPROXY, X_OK) == 0;
}

/* ---- sockets ---- */

static int listener(const char *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	struct sockaddr_in at;

	assert_true(fd >= 0);
	address_of(address, &at);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	return fd;
}

/* ---- haproxy ---- */

/* Writes `text` with each `from` become `to`. */
static void write_changed(FILE *f, const char *text, const char *const *pairs)
{
	while (*text) {
		const char *const *p = pairs;

		while (*p && strncmp(text, *p, strlen(*p)) != 0)
			p += 2;
		if (*p) {
			fputs(p[1], f);
			text += strlen(*p);
		} else {
			fputc(*text++, f);
		}
	}
}

static void write_config(struct scene *c, const char *path,
			 const char *address)
{
	char text[16384] = "", bind_to[ADDRESS_ROOM + 8];
	const char *const pairs[] = {"bind :80", bind_to, "127.0.0.1:8080",
				     c->s->listen, NULL};
	FILE *in = fopen("deploy/haproxy.cfg", "r"), *out = fopen(path, "w");

	assert_non_null(in);
	assert_non_null(out);
	assert_in_range(fread(text, 1, sizeof(text) - 1, in), 1000,
			sizeof(text) - 2);
	snprintf(bind_to, sizeof(bind_to), "bind %s", address);
	assert_non_null(strstr(text, "bind :80"));
	write_changed(out, text, pairs);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static bool passes(void *arg)
{
	struct scene *c = arg;
	struct answer a;
	char url[128];
	long status;

	snprintf(url, sizeof(url), "%s/readyz", c->url);
	a = http_get(url, NULL);
	status = a.status;
	answer_release(&a);
	return status == 200;
}

static void start_proxy(struct scene *c)
{
	const char *argv[] = {HAPROXY, "-db", "-f", NULL, NULL};
	char path[256], log[256], address[ADDRESS_ROOM];

	snprintf(path, sizeof(path), "%s/haproxy.cfg", c->s->dir);
	snprintf(log, sizeof(log), "%s/haproxy.log", c->s->dir);
	write_config(c, path, free_address(address));
	argv[3] = path;
	process_start(&c->proxy, argv, log, false);
	snprintf(c->url, sizeof(c->url), "http://%s", address);
	snprintf(c->load.hook, sizeof(c->load.hook),
		 "%s/webhooks/centra/se", c->url);
	assert_true(wait_until(passes, c, 10000));
}

/* ---- the load ---- */

static void *send_on(void *arg)
{
	const struct timespec pause = {.tv_nsec = PAUSE * 1000000L};
	struct load *l = arg;

	while (!l->stop) {
		long n = atomic_fetch_add(&l->next, 1) + 1;
		/* Some are as long as 100 offers of many lines are. */
		int len = n % LONG_EACH ? 0 : LONG;
		size_t room = 256 + (size_t)len;
		char *json = malloc(room);
		struct answer a;

		if (!json)
			abort();
		snprintf(json, room,
			 "{\"events\":[{\"type\":\"order\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.6\","
			 "\"id\":%ld,\"data\":{\"note\":\"%0*d\"}}]}",
			 n, len, 0);
		a = webhook_send(l->hook, json, SPACE_PLUS);
		free(json);
		if (a.status == 200)
			atomic_fetch_add(&l->good, 1);
		else if (atomic_fetch_add(&l->lost, 1) < 10)
			fprintf(stderr, "webhook %ld: %ld %s\n", n, a.status,
				a.body);
		if (a.took > l->slowest)
			l->slowest = a.took;
		answer_release(&a);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start_load(struct load *l)
{
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&l->threads[i], NULL, send_on,
						l),
				 0);
}

static void stop_load(struct load *l)
{
	l->stop = true;
	for (int i = 0; i < SENDERS; i++)
		pthread_join(l->threads[i], NULL);
}

static bool more_came(void *arg)
{
	struct load *l = arg;
	static _Thread_local long seen;

	if (seen && l->good > seen + 50) {
		seen = 0;
		return true;
	}
	if (!seen)
		seen = l->good ? l->good : 1;
	return false;
}

static void let_it_run(struct load *l)
{
	assert_true(wait_until(more_came, l, 20000));
}

/* How many different events the store holds. */
static long stored(struct shipfrom *s)
{
	const char *words[] = {"events", "--json", NULL};
	char *out = NULL;
	long n = 0;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (const char *p = out; (p = strchr(p, '\n')); p++)
		n++;
	free(out);
	return n;
}

static void nothing_was_lost(struct scene *c)
{
	struct load *l = &c->load;

	stop_load(l);
	print_message("%ld webhooks, %ld lost, the slowest took %lld ms\n",
		      l->good, l->lost, (long long)l->slowest);
	assert_int_equal(l->lost, 0);
	assert_true(l->good > 100);
	assert_int_equal(stored(c->s), l->good);
	assert_int_equal(process_end(&c->proxy, SIGTERM, 10000), 143);
	shipfrom_passed(c->s);
}

/* ---- the scenes ---- */

static struct scene *scene(struct shipfrom *s, int held)
{
	struct scene *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->s = s;
	c->held = held;
	start_proxy(c);
	start_load(&c->load);
	return c;
}

static int alone(void **state)
{
	static const struct shipfrom_options o = {.server = "drain = 3s\n"};

	if (has_haproxy())
		*state = scene(shipfrom_start(&o), -1);
	return 0;
}

/* As systemd does it: we listen, and hand the socket to each server. */
static int activated(void **state)
{
	static char script[256], address[ADDRESS_ROOM];
	static const char *const under[] = {"sh", "-c", script, "sh", NULL};
	struct shipfrom_options o = {.server = "drain = 1s\n",
				     .under = under,
				     .listen = address};
	int fd;

	if (!has_haproxy())
		return 0;
	fd = listener(free_address(address));
	snprintf(script, sizeof(script),
		 "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=shipfrom.socket; "
		 "export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES; "
		 "exec \"$@\" 3<&%d", fd);
	*state = scene(shipfrom_start(&o), fd);
	return 0;
}

static int end(void **state)
{
	struct scene *c = *state;
	void *s;
	int bad;

	if (!c)
		return 0;
	if (!c->load.stop)
		stop_load(&c->load);
	process_end(&c->proxy, SIGKILL, 10000);
	s = c->s;
	bad = shipfrom_end(&s);
	if (c->held >= 0)
		close(c->held);
	free(c);
	*state = NULL;
	return bad;
}

static void need_haproxy(void **state)
{
	if (*state)
		return;
	print_message("haproxy is not installed: not tested\n");
	skip();
}

static void a_restart_behind_haproxy_loses_no_webhook(void **state)
{
	struct scene *c = *state;

	need_haproxy(state);
	let_it_run(&c->load);
	assert_int_equal(shipfrom_stop(c->s), 0);
	shipfrom_again(c->s);
	let_it_run(&c->load);
	nothing_was_lost(c);
}

/* What was under way is sent again: recording it twice is recording it once. */
static void a_kill_behind_haproxy_loses_no_webhook(void **state)
{
	struct scene *c = *state;

	need_haproxy(state);
	for (int i = 0; i < 2; i++) {
		let_it_run(&c->load);
		shipfrom_kill_9(c->s);
		shipfrom_again(c->s);
	}
	let_it_run(&c->load);
	nothing_was_lost(c);
}

static void with_socket_activation_nobody_even_waits_long(void **state)
{
	struct scene *c = *state;

	need_haproxy(state);
	for (int i = 0; i < 3; i++) {
		let_it_run(&c->load);
		assert_int_equal(shipfrom_stop(c->s), 0);
		shipfrom_again(c->s);
	}
	let_it_run(&c->load);
	nothing_was_lost(c);
}

static void *ask_once(void *arg)
{
	struct shipfrom *s = arg;
	struct answer a = http_get(s->url, NULL);
	bool answered = a.status != 0;

	answer_release(&a);
	return answered ? arg : NULL;
}

static bool is_asked(void *arg)
{
	struct pollfd p = {.fd = *(int *)arg, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Without a proxy: the socket that was handed over is never shut down. */
static void a_socket_that_was_handed_over_outlives_its_server(void **state)
{
	struct scene *c = *state;
	void *answered = NULL;
	pthread_t asker;

	need_haproxy(state);
	stop_load(&c->load);
	process_end(&c->proxy, SIGTERM, 10000);
	assert_int_equal(shipfrom_stop(c->s), 0);
	/* Who connects now is answered by the next server. */
	assert_int_equal(pthread_create(&asker, NULL, ask_once, c->s), 0);
	assert_true(wait_until(is_asked, &c->held, 5000));
	shipfrom_again(c->s);
	pthread_join(asker, &answered);
	assert_non_null(answered);
	shipfrom_passed(c->s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_restart_behind_haproxy_loses_no_webhook, alone, end),
		cmocka_unit_test_setup_teardown(
			a_kill_behind_haproxy_loses_no_webhook, alone, end),
		cmocka_unit_test_setup_teardown(
			with_socket_activation_nobody_even_waits_long,
			activated, end),
		cmocka_unit_test_setup_teardown(
			a_socket_that_was_handed_over_outlives_its_server,
			activated, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
