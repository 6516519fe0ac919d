/* SPDX-License-Identifier: MIT
 *
 * Centra can not be reached: webhooks are taken all the same, an accept is
 * kept and carried out once Centra is back, and nobody is told yes meanwhile.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define SECRET_OF_NO "test456"
#define NUMBER 77

static int setup(void **state)
{
	static const struct shipfrom_options o = {
		.server = "answer_wait = 1s\n"};

	*state = shipfrom_start(&o);
	return 0;
}

/* The create of NUMBER for all three shops, sent by ourselves. */
static void offer(struct shipfrom *s)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], json[512];
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"check_first\",\"action\":"
		 "\"create\",\"date\":\"%s\",\"id\":%d,\"data\":"
		 "{\"warehouses\":[{\"warehouseId\":2,\"expirationAt\":\"%s\"},"
		 "{\"warehouseId\":3,\"expirationAt\":\"%s\"},"
		 "{\"warehouseId\":4,\"expirationAt\":\"%s\"}]}}]}",
		 date, NUMBER, until, until, until);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	assert_true(a.took < 1000);
	answer_release(&a);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
}

static void accept_is_kept(struct shipfrom *s)
{
	struct answer a = shop_does(s, AMSTERDAM, NUMBER, "accept", "{}");

	assert_int_equal(a.status, 202);
	assert_string_equal(text_of(a.json, "state"), "accepting");
	assert_true(a.took < 5000);
	answer_release(&a);
}

/* The stand-in comes back and knows the order, too. */
/* With the order: a server that asked before it is there would be told that
 * there is no such order, so it stands still meanwhile. */
static void centra_comes_back(struct shipfrom *s)
{
	kill(s->process.pid, SIGSTOP);
	sim_again(&s->sim);
	sim_tell(&s->sim, "/hooks", "{\"url\":\"%s\"}", s->hook);
	sim_tell(&s->sim, "/orders",
		 "{\"number\":%d,\"warehouses\":[2,3,4],\"expires_in\":600,"
		 "\"webhook\":false}",
		 NUMBER);
	kill(s->process.pid, SIGCONT);
}

static void an_accept_is_kept_until_centra_is_back(void **state)
{
	struct shipfrom *s = *state;

	sim_stop(&s->sim);
	offer(s);
	accept_is_kept(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepting", 1000);
	centra_comes_back(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepted", 60000);
	assert_int_equal(sim_winner(&s->sim, NUMBER), 3);
	shipfrom_passed(s);
}

static void it_is_kept_over_a_restart_of_ours(void **state)
{
	struct shipfrom *s = *state;

	sim_stop(&s->sim);
	offer(s);
	accept_is_kept(s);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepting", 5000);
	centra_comes_back(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepted", 60000);
	assert_int_equal(sim_winner(&s->sim, NUMBER), 3);
	shipfrom_passed(s);
}

static void a_centra_that_hangs_does_not_hold_webhooks_up(void **state)
{
	struct shipfrom *s = *state;

	kill(s->sim.process.pid, SIGSTOP);
	offer(s);
	accept_is_kept(s);
	for (int i = 0; i < 20; i++) {
		char json[256];
		struct answer a;

		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"order\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.7\","
			 "\"id\":%d}]}",
			 i + 1000);
		a = webhook_send(s->hook, json, SPACE_PLUS);
		assert_int_equal(a.status, 200);
		assert_true(a.took < 1000);
		answer_release(&a);
	}
	kill(s->sim.process.pid, SIGCONT);
	shipfrom_passed(s);
}

/* ---- two Centras, one of which hangs ---- */

#define HELD_UP 12 /* deliveries: more than there are threads of work */
#define OFFERS 25  /* of each: as many as one query fetches */

/* Takes connections and says nothing. */
static int deaf = -1;

static int setup_two(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	static char centra[1024];
	const struct shipfrom_options o = {.centra = centra};
	int port;

	deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(deaf, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(deaf, 128), 0);
	assert_int_equal(getsockname(deaf, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	snprintf(centra, sizeof(centra),
		 "[centra no]\n"
		 "webhook_secret = " SECRET_OF_NO "\n"
		 "order_api_url = http://127.0.0.1:%d/api/order-api\n"
		 "order_api_key = order-api-key\n"
		 "graphql_url = http://127.0.0.1:%d/graphql\n"
		 "graphql_token = graphql-token\n"
		 "[shop oslo]\n"
		 "centra = no\n"
		 "name = The shop in oslo\n"
		 "warehouses = 2\n",
		 port, port);
	*state = shipfrom_start(&o);
	return 0;
}

static int end_two(void **state)
{
	int ret = shipfrom_end(state);

	close(deaf);
	return ret;
}

/* One delivery of the Centra that hangs: offers whose orders are fetched. */
static void offer_many(struct shipfrom *s, int first)
{
	static char json[OFFERS * 256];
	char date[STAMP_ROOM], until[STAMP_ROOM], url[192];
	size_t n = 0;
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	for (int i = 0; i < OFFERS; i++)
		n += (size_t)snprintf(
			json + n, sizeof(json) - n,
			"%s{\"type\":\"check_first\",\"action\":\"create\","
			"\"date\":\"%s\",\"id\":%d,\"data\":{\"warehouses\":"
			"[{\"warehouseId\":2,\"expirationAt\":\"%s\"}]}}%s",
			i ? "," : "{\"events\":[", date, first + i, until,
			i == OFFERS - 1 ? "]}" : "");
	snprintf(url, sizeof(url), "%s/webhooks/centra/no", s->url);
	a = webhook_send_with(url, SECRET_OF_NO, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
}

/* Connections that wait for a word of it. */
static bool is_called(void *arg)
{
	struct pollfd p = {.fd = deaf, .events = POLLIN};

	(void)arg;
	return poll(&p, 1, 0) == 1;
}

static void a_centra_that_hangs_does_not_hold_another_up(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, began;
	struct answer a;

	for (int i = 0; i < HELD_UP; i++)
		offer_many(s, 1000 + i * OFFERS);
	assert_true(wait_until(is_called, NULL, 5000));
	began = now_mono();
	number = sim_place(&s->sim, 600);
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	answer_release(&a);
	wait_alone(s, AMSTERDAM, number, "accepted", 5000);
	/* The calls that hang take longer than that (call_timeout). */
	assert_true(now_mono() - began < 8000);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_accept_is_kept_until_centra_is_back),
		T(it_is_kept_over_a_restart_of_ours),
		T(a_centra_that_hangs_does_not_hold_webhooks_up),
		cmocka_unit_test_setup_teardown(
			a_centra_that_hangs_does_not_hold_another_up, setup_two,
			end_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
