/* SPDX-License-Identifier: MIT
 *
 * test_access.c - a device sees nothing of another shop's order, on any route
 * that there is: the table of routes is asked, so a new one is tested too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/listener.h"
#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

/* Good enough for any of them. */
#define BODY                                                                  \
	"{\"reason\":\"damaged\",\"carrier\":\"PostNord\",\"packages\":1,"       \
	"\"tracking\":\"1\"}"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* Accepted by Berlin, and offered to nobody else. */
static int64_t berlins_order(struct shipfrom *s)
{
	struct answer a = sim_do(&s->sim, "/orders",
				 "{\"warehouses\":[4],\"expires_in\":600}");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	wait_state(s, BERLIN, number, "pending", 5000);
	a = shop_does(s, BERLIN, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	sim_quiet(&s->sim);
	return number;
}

/* What nobody else may read: the number and who it goes to. */
struct secrets {
	char number[24], name[64], street[64], email[64];
};

static bool has_address(struct shipfrom *s, const char *path,
			struct secrets *ret)
{
	struct answer a = shop_get(s, BERLIN, path);
	const cJSON *to = cJSON_GetObjectItem(a.json, "ship_to");
	bool has = cJSON_IsObject(to);

	snprintf(ret->name, sizeof(ret->name), "%s", text_of(to, "last_name"));
	snprintf(ret->street, sizeof(ret->street), "%s",
		 text_of(to, "address1"));
	snprintf(ret->email, sizeof(ret->email), "%s", text_of(to, "email"));
	answer_release(&a);
	return has;
}

struct looking {
	struct shipfrom *s;
	const char *path;
	struct secrets *ret;
};

static bool looks(void *arg)
{
	struct looking *l = arg;

	return has_address(l->s, l->path, l->ret);
}

static struct secrets secrets_of(struct shipfrom *s, int64_t number)
{
	struct secrets ret = {0};
	struct looking l = {s, NULL, &ret};
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	l.path = path;
	assert_true(wait_until(looks, &l, 5000));
	snprintf(ret.number, sizeof(ret.number), "%lld", (long long)number);
	assert_true(*ret.name && *ret.street && *ret.email);
	return ret;
}

static void says_nothing(const char *what, const char *text,
			 const struct secrets *of)
{
	const char *const words[] = {of->number, of->name, of->street,
				     of->email};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]))
			fail_msg("%s leaks '%s': %s", what, words[i], text);
}

/* ---- the table ---- */

struct row {
	char method[8], path[96], auth[16];
};

static size_t read_routes(struct shipfrom *s, struct row *rows, size_t most)
{
	const char *words[] = {"routes", "--json", NULL};
	size_t n = 0;
	char *out = NULL, *rest;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (char *line = strtok_r(out, "\n", &rest); line && n < most;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *o = cJSON_Parse(line);

		if (!strcmp(text_of(o, "listener"), "public")) {
			snprintf(rows[n].method, 8, "%s",
				 text_of(o, "method"));
			snprintf(rows[n].path, 96, "%s", text_of(o, "path"));
			snprintf(rows[n++].auth, 16, "%s", text_of(o, "auth"));
		}
		cJSON_Delete(o);
	}
	free(out);
	assert_true(n > 10 && n < most);
	return n;
}

/* The route's address with a number where its * is. */
static bool with_number(const struct row *r, const char *number, char ret[256])
{
	const char *star = strchr(r->path, '*');

	if (star)
		snprintf(ret, 256, "%.*s%s%s", (int)(star - r->path), r->path,
			 number, star + 1);
	else
		snprintf(ret, 256, "%s", r->path);
	return star;
}

static struct answer ask(struct shipfrom *s, const char *token,
			 const struct row *r, const char *path)
{
	char url[512], bearer[128];
	const char *headers[] = {"Content-Type: application/json", NULL, NULL};
	const char *body = strcmp(r->method, "POST") ? NULL : BODY;

	snprintf(url, sizeof(url), "%s%s", s->url, path);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 token ? token : "");
	headers[1] = token ? bearer : NULL;
	return http_send(r->method, url, headers, body,
			 body ? strlen(body) : 0);
}

static bool endless(const struct row *r)
{
	return !strcmp(r->path, "/api/v1/stream");
}

static void an_order_of_another_shop_is_404_on_every_route(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = berlins_order(s);
	struct secrets of = secrets_of(s, number);
	struct row rows[64];
	size_t n = read_routes(s, rows, 64), looked = 0;
	char path[256], none[256];

	for (size_t i = 0; i < n; i++) {
		struct row *r = &rows[i];
		struct answer a, b;

		if (strcmp(r->auth, "device") || endless(r))
			continue;
		if (with_number(r, of.number, path)) {
			a = ask(s, s->tokens[AMSTERDAM], r, path);
			with_number(r, "987654321", none);
			b = ask(s, s->tokens[AMSTERDAM], r, none);
			assert_int_equal(a.status, 404);
			/* Just as one that there never was. */
			assert_string_equal(a.body, b.body);
			answer_release(&b);
		} else {
			a = ask(s, s->tokens[AMSTERDAM], r, path);
		}
		says_nothing(r->path, a.body, &of);
		says_nothing(r->path, a.head, &of);
		answer_release(&a);
		looked++;
	}
	assert_true(looked >= 9);
	assert_int_equal(sim_winner(&s->sim, number), 4);
	shipfrom_passed(s);
}

static void every_route_of_devices_is_closed_to_others(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = berlins_order(s);
	struct secrets of = secrets_of(s, number);
	struct row rows[64];
	size_t n = read_routes(s, rows, 64);
	const char *const tokens[] = {
		NULL, "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	char path[256];

	for (size_t i = 0; i < n; i++)
		for (size_t t = 0; t < 3; t++) {
			struct row *r = &rows[i];
			struct answer a;

			if (strcmp(r->auth, "device"))
				continue; /* the same for everyone */
			with_number(r, of.number, path);
			a = ask(s, tokens[t], r, path);
			assert_int_equal(a.status, 401);
			says_nothing(r->path, a.body, &of);
			answer_release(&a);
		}
	shipfrom_passed(s);
}

static void the_stream_says_nothing_of_another_shops_order(void **state)
{
	struct shipfrom *s = *state;
	char lines[256];
	struct secrets of;
	struct listener l;
	struct heard h;
	int64_t number;

	snprintf(lines, sizeof(lines),
		 "Authorization: Bearer %s\r\nLast-Event-ID: 0\r\n",
		 s->tokens[AMSTERDAM]);
	number = berlins_order(s);
	of = secrets_of(s, number);
	/* What it missed, and what comes. */
	assert_true(listener_open(&l, s->url, "/api/v1/stream", lines));
	berlins_order(s);
	while (listener_next(&l, &h, 500)) {
		char *text = cJSON_PrintUnformatted(h.json);

		assert_string_equal(h.event, "hello");
		says_nothing("the stream", text, &of);
		free(text);
		heard_release(&h);
	}
	listener_close(&l);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_order_of_another_shop_is_404_on_every_route),
		T(every_route_of_devices_is_closed_to_others),
		T(the_stream_says_nothing_of_another_shops_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
