/* SPDX-License-Identifier: MIT */
#include "tests/harness/counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

#define PLACE	  "/api/v1/stock"
#define WAREHOUSE 3 /* Amsterdam's, in Centra */

struct answer counts_send(struct shipfrom *s, const char *json)
{
	char url[200], auth[200];
	const char *headers[] = {auth, "Content-Type: application/json", NULL};

	snprintf(url, sizeof(url), "%s" PLACE, s->url);
	snprintf(auth, sizeof(auth), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	return http_send("PUT", url, headers, json, strlen(json));
}

long counts_put(struct shipfrom *s, const char *json, char code[STATE_ROOM])
{
	struct answer a = counts_send(s, json);
	long status = a.status;

	snprintf(code, STATE_ROOM, "%s", text_of(a.json, "code"));
	answer_release(&a);
	return status;
}

void count_item(struct shipfrom *s, const char *ean, int quantity, int ago)
{
	char json[300], at[STAMP_ROOM], code[STATE_ROOM];
	long status;

	snprintf(json, sizeof(json),
		 "{\"items\":[{\"ean\":\"%s\",\"quantity\":%d}],"
		 "\"counted_at\":\"%s\"}",
		 ean, quantity, iso(at, -ago));
	status = counts_put(s, json, code);
	if (status != 202)
		fail_msg("told %ld %s", status, code);
}

const char *count_result(struct shipfrom *s, const char *ean,
			     char ret[STATE_ROOM])
{
	char path[200];
	struct answer a;

	snprintf(path, sizeof(path), PLACE "/results?ean=%s", ean);
	a = shop_get(s, AMSTERDAM, path);
	snprintf(ret, STATE_ROOM, "%s", text_of(a.json, "result"));
	answer_release(&a);
	return ret;
}

bool is_counted(void *arg)
{
	const struct counted *x = arg;
	char is[STATE_ROOM];

	return !strcmp(count_result(x->s, x->ean, is), x->result);
}

void wait_counted(struct shipfrom *s, const char *ean,
			const char *result, int ms)
{
	struct counted x = {s, ean, result};
	char is[STATE_ROOM];

	if (!wait_until(is_counted, &x, ms))
		fail_msg("%s is %s and not %s", ean, count_result(s, ean, is),
			 result);
}

static struct answer sim_stock(struct shipfrom *s)
{
	char url[200];

	snprintf(url, sizeof(url), "%s/control/stock", s->sim.url);
	return http_get(url, NULL);
}

static struct centra_stock place_of(const cJSON *item)
{
	struct centra_stock t = {-1, -1, -1, 0};
	const cJSON *p;

	cJSON_ArrayForEach(p, cJSON_GetObjectItem(item, "places"))
		if (number_of(p, "warehouse") == WAREHOUSE) {
			t.physical = number_of(p, "physical");
			t.sets = number_of(p, "sets");
			t.lowered = number_of(p, "lowered");
		}
	return t;
}

struct centra_stock centra_stock(struct shipfrom *s, const char *ean)
{
	struct answer a = sim_stock(s);
	struct centra_stock t = {-1, -1, -1, 0};
	const cJSON *i;

	cJSON_ArrayForEach(i, cJSON_GetObjectItem(a.json, "items"))
		if (!strcmp(text_of(i, "ean"), ean)) {
			t = place_of(i);
			t.twice = number_of(i, "twice");
		}
	answer_release(&a);
	return t;
}

struct there {
	struct shipfrom *s;
	const char *ean;
	int64_t is;
};

static bool lies_there(void *arg)
{
	const struct there *p = arg;

	return centra_stock(p->s, p->ean).physical == p->is;
}

void wait_centra_stock(struct shipfrom *s, const char *ean, int64_t physical)
{
	struct there p = {s, ean, physical};

	if (!wait_until(lies_there, &p, 5000))
		fail_msg("Centra has %lld of %s",
			 (long long)centra_stock(s, ean).physical, ean);
}

void size_known(struct shipfrom *s, const char *ean, const char *more)
{
	sim_tell(&s->sim, "/stock", "{\"ean\":\"%s\",\"sku\":\"S-%s\"%s}", ean,
		 ean, more);
}

void stock_fault(struct shipfrom *s, const char *spec)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setStock\",%s}", spec);
}
