/* SPDX-License-Identifier: MIT
 *
 * test_loop.c - the event loop moves bytes: whatever it is asked, it never
 * reads the store, and waits for no disk.
 *
 * The server runs with tests/faults/loop.so, which ends it at the first
 * transaction or sync of the loop's thread.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/listener.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define EVENT                                                                  \
	"{\"events\":[{\"type\":\"customer\",\"action\":\"update\","           \
	"\"date\":\"2021-01-29 14:40:58.628033\",\"id\":7}]}"

static int setup(void **state)
{
	static struct under_fault fault;
	static const char *const under[] = {"env", fault.preload, fault.asan,
					    NULL};
	const struct shipfrom_options o = {
		.under = under,
		.counter = true,
		.amsterdam = "ship_with = order_api\n"};

	under_fault(&fault, "loop", "");
	*state = shipfrom_start(&o);
	return 0;
}

static void is_alive(struct shipfrom *s, const char *after)
{
	char url[160];
	struct answer a;

	snprintf(url, sizeof(url), "%s/healthz", s->url);
	a = http_get(url, NULL);
	if (a.status != 200)
		fail_msg("the server has ended after %s", after);
	answer_release(&a);
}

/* ---- each route ---- */

/* What the sample requests name. */
struct samples {
	int64_t order, delivery;
	char *key; /* owned: of Amsterdam's own Order API */
};

/* Its path, with a name or a number for each *. */
static void path_of(char *ret, size_t size, const char *path,
		    const struct samples *x)
{
	const char *star = strchr(path, '*'), *rest;

	if (!star)
		snprintf(ret, size, "%s", path);
	else if (strstr(path, "/centra/"))
		snprintf(ret, size, "%.*sse", (int)(star - path), path);
	else if (strstr(path, "/order-api/") && (rest = strchr(star + 1, '*')))
		snprintf(ret, size, "/order-api/amsterdam%.*s%lld-1%s",
			 (int)(rest - star - 1), star + 1, (long long)x->order,
			 rest + 1);
	else if (strstr(path, "/order-api/"))
		snprintf(ret, size, "/order-api/amsterdam%s", star + 1);
	else
		snprintf(ret, size, "%.*s%lld%s", (int)(star - path), path,
			 (long long)(strstr(path, "/deliveries/") ? x->delivery
								 : x->order),
			 star + 1);
}

static void listen_once(struct shipfrom *s, const char *path)
{
	struct listener l;
	struct heard h;
	char line[128];

	snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n",
		 s->tokens[AMSTERDAM]);
	assert_true(listener_open(&l, s->url, path, line));
	assert_true(listener_hears(&l, "hello", &h, 10000));
	heard_release(&h);
	listener_close(&l);
}

/* Each is well formed, so that it is looked up. */
static const char *body_of(const char *method, const char *url)
{
	if (strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0)
		return NULL;
	if (strstr(url, "/session"))
		return "{\"code\":"
		       "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
	return strstr(url, "/ship") ? PARCEL : "{}";
}

static void ask_once(struct shipfrom *s, const char *url, const char *method,
		     const char *key)
{
	char line[128], of_system[128];
	const char *const headers[] = {line, of_system, NULL};
	const char *body = body_of(method, url);
	struct answer a;

	snprintf(line, sizeof(line), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	snprintf(of_system, sizeof(of_system), "API-Authorization: %s", key);
	a = http_send(method, url, headers, body, body ? strlen(body) : 0);
	if (!a.status || a.status == 404 || a.status == 405)
		fail_msg("%s %s was answered %ld", method, url, a.status);
	answer_release(&a);
}

static void try_route(struct shipfrom *s, const cJSON *route,
		      const struct samples *x)
{
	const char *method = text_of(route, "method");
	bool admin = !strcmp(text_of(route, "listener"), "admin");
	char path[128], url[300];
	struct answer a;

	path_of(path, sizeof(path), text_of(route, "path"), x);
	if (!strncmp(path, "/page/", 6))
		snprintf(path, sizeof(path), "/page/style.css");
	snprintf(url, sizeof(url), "%s%s", admin ? s->admin : s->url, path);
	if (!strcmp(text_of(route, "auth"), "signature")) {
		a = webhook_send(url, EVENT, SPACE_PLUS);
		assert_int_equal(a.status, 200);
		answer_release(&a);
	} else if (strstr(path, "/stream")) {
		listen_once(s, path);
	} else {
		ask_once(s, url, method, x->key);
	}
	is_alive(s, url);
}

/* A delivery of a supplier to Amsterdam; returns its id. */
static int64_t delivery_announced(struct shipfrom *s)
{
	struct answer a;
	int64_t ret;

	sim_tell(&s->sim, "/plugins",
		 "[{\"name\":\"amsterdam\",\"key\":\"key-of-amsterdam\","
		 "\"warehouse\":3}]");
	a = sim_do(&s->sim, "/deliveries",
		   "[{\"warehouse\":3,\"products\":[{\"ean\":\"5901144123590\","
		   "\"sku\":\"COAT\",\"quantity\":5}]}]");
	ret = (int64_t)cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "ids"),
					  0)
		      ->valuedouble;
	answer_release(&a);
	return ret;
}

static char *key_of_amsterdam(struct shipfrom *s)
{
	static const char *const words[] = {"device", "add", "--order-api",
					    "--shop", "amsterdam",
					    "--name=Till", NULL};
	char *out, *end;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	end = strchr(out, '\n');
	assert_non_null(end);
	*end = '\0';
	return out;
}

static void no_route_reads_the_store_in_the_loop(void **state)
{
	static const char *const words[] = {"routes", "--json", NULL};
	struct shipfrom *s = *state;
	struct samples x = {.order = order_accepted(s, NULL),
			    .delivery = delivery_announced(s),
			    .key = key_of_amsterdam(s)};
	char *out, *line, *rest;
	int n = 0;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *route = cJSON_Parse(line);

		assert_non_null(route);
		try_route(s, route, &x);
		cJSON_Delete(route);
		n++;
	}
	free(out);
	free(x.key);
	assert_true(n > 20);
	shipfrom_passed(s);
}

/* ---- what else the loop does ---- */

static bool is_taken(void *arg)
{
	struct shipfrom *s = arg;
	char url[200];
	struct answer a;
	bool is;

	snprintf(url, sizeof(url), "%s/webhooks/centra/no", s->url);
	a = webhook_send_with(url, "norge", EVENT, SPACE_PLUS);
	is = a.status == 200;
	answer_release(&a);
	return is || !process_alive(&s->process);
}

static void a_reload_with_another_instance_reads_nothing_in_the_loop(
	void **state)
{
	struct shipfrom *s = *state;
	FILE *f = fopen(s->config, "a");

	assert_non_null(f);
	fprintf(f, "[centra no]\n"
		   "webhook_secret = norge\n"
		   "order_api_url = http://127.0.0.1:9/\n"
		   "order_api_key = key\n");
	assert_int_equal(fclose(f), 0);
	kill(s->process.pid, SIGHUP);
	assert_true(wait_until(is_taken, s, 10000));
	is_alive(s, "a reload");
	shipfrom_passed(s);
}

static void a_removed_device_is_sent_away_without_a_look_in_the_loop(
	void **state)
{
	static const char *const words[] = {"device", "remove", "2", NULL};
	struct shipfrom *s = *state;
	struct listener l;
	char line[128], *out;

	snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n",
		 s->tokens[AMSTERDAM]);
	assert_true(listener_open(&l, s->url, "/api/v1/stream", line));
	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
	assert_true(listener_ends(&l, 10000));
	listener_close(&l);
	is_alive(s, "a removal");
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_route_reads_the_store_in_the_loop),
		T(a_reload_with_another_instance_reads_nothing_in_the_loop),
		T(a_removed_device_is_sent_away_without_a_look_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
