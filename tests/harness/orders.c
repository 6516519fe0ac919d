/* SPDX-License-Identifier: MIT
 *
 * orders.c - see orders.h.
 */
#include "tests/harness/orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

int64_t order_offered(struct shipfrom *s, const char *members)
{
	struct answer a = sim_do(&s->sim, "/orders", "{%s}",
				 members ? members : "\"warehouses\":[3]");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	sim_quiet(&s->sim);
	return number;
}

int64_t offered_to_all(struct shipfrom *s, int seconds)
{
	int64_t number = sim_place(&s->sim, seconds);

	for (int i = 0; i < SHOPS; i++)
		wait_state(s, (enum shop)i, number, "pending", 5000);
	return number;
}

int64_t order_offered_for(struct shipfrom *s, int seconds)
{
	char members[80];

	snprintf(members, sizeof(members),
		 "\"warehouses\":[3],\"expires_in\":%d", seconds);
	return order_offered(s, members);
}

void order_create(struct shipfrom *s, int64_t number)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], json[400];
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"check_first\",\"action\":"
		 "\"create\",\"date\":\"%s\",\"id\":%lld,\"data\":"
		 "{\"warehouses\":[{\"warehouseId\":3,\"expirationAt\":\"%s\"}"
		 "]}}]}",
		 date, (long long)number, until);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
}

int64_t order_accepted(struct shipfrom *s, const char *members)
{
	struct order_of o = {.s = s, .number = order_offered(s, members)};
	struct answer a = shop_does(s, AMSTERDAM, o.number, "accept", "{}");

	answer_release(&a);
	wait_state(s, AMSTERDAM, o.number, "accepted", 5000);
	if (!wait_until(order_has_address, &o, 5000))
		fail_msg("order %lld never got its address",
			 (long long)o.number);
	sim_quiet(&s->sim);
	return o.number;
}

struct answer order_get(struct shipfrom *s, int64_t number)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/orders/%lld", (long long)number);
	return shop_get(s, AMSTERDAM, path);
}

bool order_has_address(void *order_of)
{
	const struct order_of *o = order_of;
	struct answer a = order_get(o->s, o->number);
	bool has =
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "ship_to")) > 0;

	answer_release(&a);
	return has;
}

/* ---- shipping ---- */

long order_ship(struct shipfrom *s, int64_t number, const char *parcel,
		char code[STATE_ROOM])
{
	struct answer a = shop_does(s, AMSTERDAM, number, "ship", parcel);
	long status = a.status;

	snprintf(code, STATE_ROOM, "%s", text_of(a.json, "code"));
	answer_release(&a);
	return status;
}

const char *stage_of(const struct answer *order)
{
	return text_of(cJSON_GetObjectItem(order->json, "shipment"), "stage");
}

static bool is_at_stage(void *arg)
{
	const struct order_of *o = arg;
	struct answer a = order_get(o->s, o->number);
	bool is = !strcmp(stage_of(&a), o->stage);

	answer_release(&a);
	return is;
}

void wait_stage(struct shipfrom *s, int64_t number, const char *stage, int ms)
{
	struct order_of o = {s, number, stage};
	struct answer a;

	if (wait_until(is_at_stage, &o, ms))
		return;
	a = order_get(s, number);
	fail_msg("order %lld is not %s: %s", (long long)number, stage, a.body);
}

/* ---- as Centra has it ---- */

static struct answer ask_sim(struct sim *s, const char *path)
{
	char url[256];

	snprintf(url, sizeof(url), "%s/control%s", s->url, path);
	return http_get(url, NULL);
}

static void add_shipment(struct sim_shipped *ret, const cJSON *c)
{
	const cJSON *l;

	ret->shipments++;
	ret->captures += (int)number_of(c, "captures");
	ret->completions += (int)number_of(c, "completions");
	ret->early += cJSON_IsTrue(cJSON_GetObjectItem(c, "early"));
	cJSON_ArrayForEach(l, cJSON_GetObjectItem(c, "lines")) ret->units +=
		(int)number_of(l, "quantity");
	snprintf(ret->tracking, sizeof(ret->tracking), "%s",
		 text_of(c, "trackingNumber"));
	snprintf(ret->carrier, sizeof(ret->carrier), "%s",
		 text_of(cJSON_GetObjectItem(c, "carrierInformation"),
			 "carrierName"));
}

struct sim_shipped sim_shipped(struct sim *s, int64_t number)
{
	struct answer a = ask_sim(s, "/state");
	struct sim_shipped ret = {0};
	const cJSON *o, *c;

	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		if (number_of(o, "number") != number)
			continue;
		cJSON_ArrayForEach(c, cJSON_GetObjectItem(o, "shipments"))
			add_shipment(&ret, c);
	}
	answer_release(&a);
	return ret;
}

void expect_shipped(struct shipfrom *s, int64_t number, int shipments,
		    int units)
{
	struct sim_shipped c = sim_shipped(&s->sim, number);

	if (c.shipments != shipments || c.captures != shipments ||
	    c.completions != shipments || c.units != units || c.early)
		fail_msg("order %lld: %d shipments of %d units, %d captures, "
			 "%d completions, %d good to go too early",
			 (long long)number, c.shipments, c.units, c.captures,
			 c.completions, c.early);
}

int sim_calls_of(struct sim *s, int64_t number, const char *what)
{
	char path[64];
	struct answer a;
	const cJSON *c;
	int n = 0;

	snprintf(path, sizeof(path), "/calls?order=%lld", (long long)number);
	a = ask_sim(s, path);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls")) n +=
		!strcmp(text_of(c, "what"), what);
	answer_release(&a);
	return n;
}

/* ---- as an operator sees it ---- */

int64_t metric(struct shipfrom *s, const char *name)
{
	char url[256], line[160];
	struct answer a;
	const char *found;
	int64_t ret = -1;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	snprintf(line, sizeof(line), "\nshipfrom_%s ", name);
	a = http_get(url, NULL);
	found = strstr(a.body, line);
	if (found)
		ret = strtoll(found + strlen(line), NULL, 10);
	answer_release(&a);
	return ret;
}

struct figure {
	struct shipfrom *s;
	const char *name;
	int64_t least, most;
};

static bool is_between(void *arg)
{
	const struct figure *f = arg;
	int64_t n = metric(f->s, f->name);

	return n >= f->least && n <= f->most;
}

void metric_becomes(struct shipfrom *s, const char *name, int64_t value,
		    int ms)
{
	struct figure f = {s, name, value, value};

	if (!wait_until(is_between, &f, ms))
		fail_msg("%s is %lld, not %lld", name,
			 (long long)metric(s, name), (long long)value);
}

void wait_metric(struct shipfrom *s, const char *name, int64_t least, int ms)
{
	struct figure f = {s, name, least, INT64_MAX};

	if (!wait_until(is_between, &f, ms))
		fail_msg("%s is %lld, not yet %lld", name,
			 (long long)metric(s, name), (long long)least);
}
