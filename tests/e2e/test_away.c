/* SPDX-License-Identifier: MIT
 *
 * A Centra that refuses our key, or does not answer, is asked seldom, and again
 * at once when there is reason to.
 */
#include <netinet/in.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define NUMBER 7001

static int setup(void **state)
{
	*state = shipfrom_with("answer_wait = 300ms\n", NULL);
	return 0;
}

static void placed(struct shipfrom *s, const char *more)
{
	sim_tell(&s->sim, "/orders", "{%s}", more);
}

static bool is_past(void *arg)
{
	return now_mono() >= *(int64_t *)arg;
}

/* Writes the config anew with another token. */
static void replace_token(struct shipfrom *s, const char *token)
{
	static const char name[] = "graphql_token = ";
	char *text = calloc(1, 65536), *at, *rest;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	at = strstr(text, name);
	assert_non_null(at);
	at += strlen(name);
	rest = strchr(at, '\n');
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, token, rest);
	assert_int_equal(fclose(f), 0);
	free(text);
}

static bool has_lines(void *arg)
{
	struct answer a = shop_get(arg, AMSTERDAM, "/api/v1/orders/7001");
	bool has = cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "lines"));

	answer_release(&a);
	return has;
}

#define REFUSED "credentials_refused{instance=\"se\",api=\"graphql\"}"

static void a_refused_token_parks_until_it_is_replaced(void **state)
{
	struct shipfrom *s = *state;

	assert_int_equal(metric(s, REFUSED), 0);
	sim_tell(&s->sim, "/settings", "{\"token\":\"another\"}");
	placed(s, "\"number\":7001,\"warehouses\":[3]");
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
	/* Tried after 0, 1 and 3 s; next after 7 s. */
	wait_metric(s, "credentials_refused_total", 3, 15000);
	assert_int_equal(metric(s, REFUSED), 1);
	assert_int_equal(metric(s, "credentials_refused{instance=\"se\","
				   "api=\"order_api\"}"),
			 0);
	assert_false(has_lines(s));
	replace_token(s, "another");
	assert_int_equal(kill(s->process.pid, SIGHUP), 0);
	assert_true(wait_until(has_lines, s, 2500));
	assert_int_equal(metric(s, REFUSED), 0);
	shipfrom_passed(s);
}

struct doorbell {
	int fd;
	atomic_int rung;
	pthread_t thread;
};

static void *open_and_close(void *arg)
{
	struct doorbell *d = arg;
	int fd;

	while ((fd = accept(d->fd, NULL, NULL)) >= 0) {
		d->rung++;
		close(fd);
	}
	return NULL;
}

/* Listens where the stand-in did, and hangs up on whoever calls. */
static void hang_up_at(struct doorbell *d, const char *url)
{
	struct sockaddr_in at;
	int on = 1;

	address_of(url, &at);
	d->rung = 0;
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(d->fd >= 0);
	setsockopt(d->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(d->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(d->fd, 100), 0);
	assert_int_equal(pthread_create(&d->thread, NULL, open_and_close, d),
			 0);
}

static void end_hanging_up(struct doorbell *d)
{
	shutdown(d->fd, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->fd);
}

#define ORDERS 12

static void a_dead_centra_is_called_seldom_whoever_waits_for_it(void **state)
{
	struct shipfrom *s = *state;
	struct doorbell bell;
	int64_t then;

	sim_stop(&s->sim);
	hang_up_at(&bell, s->sim.url);
	for (int i = 0; i < ORDERS; i++) {
		order_create(s, NUMBER + i);
		wait_state(s, AMSTERDAM, NUMBER + i, "pending", 5000);
	}
	for (int i = 0; i < ORDERS; i++) {
		struct answer a =
			shop_does(s, AMSTERDAM, NUMBER + i, "accept", "{}");

		assert_int_equal(a.status, 202);
		answer_release(&a);
	}
	then = now_mono() + 2000;
	assert_true(wait_until(is_past, &then, 10000));
	/* Both gates: what shut them, what was on its way, and the trials.
	 * Each order alone would have called more than five times. */
	if (bell.rung < 2 || bell.rung > 40)
		fail_msg("Centra was called %d times", bell.rung);
	assert_int_equal(metric(s, "centra_dead{instance=\"se\","
				   "api=\"order_api\"}"),
			 1);
	assert_true(metric(s, "calls_held_total") > 0);
	end_hanging_up(&bell);
	sim_again(&s->sim);
	for (int i = 0; i < ORDERS; i++) {
		char more[80];

		snprintf(more, sizeof(more),
			 "\"number\":%d,\"warehouses\":[3],\"webhook\":false",
			 NUMBER + i);
		placed(s, more);
	}
	for (int i = 0; i < ORDERS; i++)
		wait_state(s, AMSTERDAM, NUMBER + i, "accepted", 60000);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_refused_token_parks_until_it_is_replaced),
		T(a_dead_centra_is_called_seldom_whoever_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
