/* SPDX-License-Identifier: MIT
 *
 * returns.c - goods that a customer gives back in a shop; see returns.h.
 */
#include "tests/harness/returns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

#define NAME "Bertha Undisclosed"

struct shipfrom *returns_start(void **state, const char *centra)
{
	struct shipfrom *s = shipfrom_start(
		&(struct shipfrom_options){.server = "answer_wait = 300ms\ndevice_presses = 10000",
					   .centra = centra,
					   .counter = true});

	*state = s;
	return s;
}

/* ---- the order ---- */

int64_t goods_shipped(struct shipfrom *s, const char *lines)
{
	struct answer a;
	char path[64];
	int64_t number;

	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	a = sim_do(&s->sim, "/orders",
		   "{\"warehouses\":[],\"lines\":[%s],"
		   "\"shippingAddress\":{\"firstName\":\"" NAME "\"}}",
		   lines);
	number = number_of(a.json, "number");
	answer_release(&a);
	snprintf(path, sizeof(path), "/orders/%lld/shipped", (long long)number);
	sim_tell(&s->sim, path, "{}");
	return number;
}

static int64_t first_shipment(struct shipfrom *s, int64_t number)
{
	char url[256];
	struct answer a;
	const cJSON *o;
	int64_t ret = 0;

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
	return ret;
}

int64_t goods_shipped_twice(struct shipfrom *s, int64_t *ret_first)
{
	struct answer a;
	char path[64];
	int64_t number;

	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	a = sim_do(&s->sim, "/orders",
		   "{\"warehouses\":[],\"lines\":[{\"id\":%d,\"quantity\":2},"
		   "{\"id\":%d,\"quantity\":1}]}",
		   COAT, SCARF);
	number = number_of(a.json, "number");
	answer_release(&a);
	snprintf(path, sizeof(path), "/orders/%lld/shipment", (long long)number);
	sim_tell(&s->sim, path,
		 "{\"lines\":[{\"orderLine\":{\"id\":%d},\"quantity\":1},"
		 "{\"orderLine\":{\"id\":%d},\"quantity\":1}]}",
		 COAT, SCARF);
	snprintf(path, sizeof(path), "/orders/%lld/shipped", (long long)number);
	sim_tell(&s->sim, path, "{}");
	*ret_first = first_shipment(s, number);
	return number;
}

struct answer returnable(struct shipfrom *s, enum shop shop, int64_t number)
{
	char path[64];

	snprintf(path, sizeof(path), RETURNS_PATH "?order=%lld",
		 (long long)number);
	return shop_get(s, shop, path);
}

int64_t goods_line(struct shipfrom *s, int64_t number, int i)
{
	struct answer a = returnable(s, AMSTERDAM, number);
	int64_t ret;

	assert_int_equal(a.status, 200);
	ret = number_of(cJSON_GetArrayItem(
				cJSON_GetObjectItem(a.json, "lines"), i),
			"line_id");
	answer_release(&a);
	return ret;
}

struct answer give_back(struct shipfrom *s, enum shop shop,
			const struct wish *w)
{
	char auth[200], key[100], url[256], body[300], also[100] = "";
	const char *headers[] = {auth, "Content-Type: application/json",
				 w->key ? key : NULL, NULL};

	snprintf(auth, sizeof(auth), "Authorization: Bearer %s",
		 s->tokens[shop]);
	snprintf(key, sizeof(key), "Idempotency-Key: %s", w->key ? w->key : "");
	snprintf(url, sizeof(url), "%s" RETURNS_PATH, s->url);
	if (w->also)
		snprintf(also, sizeof(also),
			 ",{\"line_id\":%lld,\"quantity\":1,"
			 "\"reason\":\"damaged\"}",
			 (long long)w->also);
	snprintf(body, sizeof(body),
		 "{\"order\":%lld,\"restock\":%s,\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":%d,\"reason\":\"too_small\"}%s]}",
		 (long long)w->order, w->removed ? "false" : "true",
		 (long long)w->line, w->units, also);
	return http_send("POST", url, headers, body, strlen(body));
}

long return_asked(struct shipfrom *s, enum shop shop, const struct wish *w)
{
	struct answer a = give_back(s, shop, w);
	long status = a.status;

	answer_release(&a);
	return status;
}

static bool is_booked(void *arg)
{
	struct return_pressed *p = arg;

	p->last = return_asked(p->s, AMSTERDAM, p->w);
	return p->last == 200 || p->last == 409; /* 409: it ends so */
}

void wait_return_booked(struct shipfrom *s, const struct wish *w)
{
	struct return_pressed p = {s, w, 0};

	if (!wait_until(is_booked, &p, RETURN_LONG) || p.last != 200)
		fail_msg("told %ld", p.last);
}

bool is_return_booked(void *arg)
{
	struct return_pressed *p = arg;

	return return_asked(p->s, AMSTERDAM, p->w) == 200;
}

void wait_return_unsure(struct shipfrom *s, const struct wish *w)
{
	struct answer a;

	for (int64_t end = now_mono() + RETURN_LONG;;) {
		a = give_back(s, AMSTERDAM, w);
		if (a.status == 409 || now_mono() > end)
			break;
		answer_release(&a);
	}
	assert_string_equal(text_of(a.json, "code"), "unsure");
	answer_release(&a);
}

bool is_return_given_up(void *arg)
{
	struct shipfrom *s = arg;
	const char *words[] = {"tasks", "--dead", "--json", NULL};
	char *out = NULL;
	bool ret;

	(void)shipfrom_run(s, &out, false, words);
	ret = strstr(out, "\"return\"");
	free(out);
	return ret;
}

struct sim_returns sim_returns(struct shipfrom *s, int64_t number)
{
	struct sim_returns ret = {0};
	char url[256];
	struct answer a;
	const cJSON *r, *l;

	snprintf(url, sizeof(url), "%s/control/returns", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(r, cJSON_GetObjectItem(a.json, "returns"))
	{
		if (number_of(r, "order") != number)
			continue;
		ret.n++;
		ret.warehouse = number_of(r, "warehouse");
		snprintf(ret.comment, sizeof(ret.comment), "%s",
			 text_of(r, "comment"));
		cJSON_ArrayForEach(l, cJSON_GetObjectItem(r, "lines"))
			ret.units += number_of(l, "quantity");
	}
	answer_release(&a);
	return ret;
}

void return_fault(struct shipfrom *s, int64_t order, const char *what,
		  const char *how)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,\"what\":\"%s\",%s}",
		 (long long)order, what, how);
}
