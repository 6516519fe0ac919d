/* SPDX-License-Identifier: MIT */
#include "tests/wms/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define WITHIN 20000 /* ms, for what comes soon if it comes */

static void two_more_warehouses(struct sim *sim)
{
	sim_tell(sim, "/warehouses",
		 "[{\"id\":1,\"name\":\"Central\",\"policy\":\"DIRECT\"},"
		 "{\"id\":5,\"name\":\"Rotterdam\",\"shop\":\"Rotterdam\"},"
		 "{\"id\":6,\"name\":\"Utrecht\",\"shop\":\"Utrecht\"}]");
	sim_tell(sim, "/plugins",
		 "[{\"name\":\"rotterdam\",\"key\":\"rotterdam-key\","
		 "\"warehouse\":5}]");
}

struct stage stage_centra(struct shapes *shapes)
{
	struct stage t = {.s = shipfrom_with(NULL, NULL), .shapes = shapes};

	t.centra = &t.s->sim;
	two_more_warehouses(t.centra);
	sim_tell(t.centra, "/hooks", "{\"off\":true}");
	sim_tell(t.centra, "/settings", "{\"own_shipments\":100}");
	snprintf(t.wms.url, sizeof(t.wms.url), "%s/api/rotterdam",
		 t.centra->url);
	snprintf(t.wms.key, sizeof(t.wms.key), "rotterdam-key");
	return t;
}

#define SYSTEM_SHOPS                                                           \
	"poll_requests = 1s\n"                                                 \
	"graphql_requests = 1000\n"                                            \
	"graphql_mutations = 1000\n"                                           \
	"[shop rotterdam]\n"                                                   \
	"centra = se\n"                                                        \
	"name = Rotterdam\n"                                                   \
	"warehouses = 5\n"                                                     \
	"ship_with = order_api\n"                                              \
	"[shop utrecht]\n"                                                     \
	"centra = se\n"                                                        \
	"name = Utrecht\n"                                                     \
	"warehouses = 6\n"                                                     \
	"ship_with = order_api\n"

void stage_device(struct shipfrom *s, const char *shop, const char *option,
		  char ret[128])
{
	const char *words[] = {"device", "add",	 "--shop", shop,
			       "--name", "Till", option,   NULL};
	char *out = NULL;

	if (shipfrom_run(s, &out, false, words))
		fail_msg("device add: %s", out);
	snprintf(ret, 128, "%.*s", (int)strcspn(out, "\n"), out);
	free(out);
}

struct stage stage_shipfrom(struct shapes *shapes, bool makes_shipments)
{
	struct stage t = {.s = shipfrom_with(NULL, SYSTEM_SHOPS),
			  .shipfrom = true,
			  .shapes = shapes};

	t.centra = &t.s->sim;
	two_more_warehouses(t.centra);
	sim_tell(t.centra, "/settings", "{\"own_shipments\":%d}",
		 makes_shipments ? 100 : 0);
	snprintf(t.wms.url, sizeof(t.wms.url), "%s/order-api/rotterdam",
		 t.s->url);
	stage_device(t.s, "rotterdam", "--order-api", t.wms.key);
	stage_device(t.s, "rotterdam", NULL, t.token);
	return t;
}

struct sight {
	struct shipfrom *s;
	const char *token;
	int64_t number;
};

static bool is_pending(void *arg)
{
	struct sight *v = arg;
	char url[192];
	struct answer a;
	bool is;

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld", v->s->url,
		 (long long)v->number);
	a = http_get(url, v->token);
	is = !strcmp(text_of(a.json, "state"), "pending");
	answer_release(&a);
	return is;
}

void stage_sees(struct shipfrom *s, const char *token, int64_t number, int ms)
{
	struct sight v = {.s = s, .token = token, .number = number};

	if (!wait_until(is_pending, &v, ms))
		fail_msg("order %lld is not pending after %d ms",
			 (long long)number, ms);
}

int64_t stage_offered(struct stage *t, const char *ean)
{
	struct answer a = sim_do(
		t->centra, "/orders",
		"{\"warehouses\":[%d],\"lines\":[{\"quantity\":2,"
		"\"sku\":\"RTT-OWH-S\",\"ean\":\"%s\"},{\"quantity\":1,"
		"\"sku\":\"SSC-BLA-M\",\"ean\":\"7300555000017\"}]}",
		WAREHOUSE, ean ? ean : "7300555000000");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	sim_quiet(t->centra);
	if (t->shipfrom)
		stage_sees(t->s, t->token, number, WITHIN);
	return number;
}

struct wms_shipment stage_accepted(struct stage *t, const char *ean,
				   int64_t *ret_number)
{
	struct answer a;

	*ret_number = stage_offered(t, ean);
	a = wms_check_first(&t->wms, *ret_number, WAREHOUSE, true);
	wms_ok(&a);
	stage_note(t, "check-first accepted", &a);
	answer_release(&a);
	return wms_wait(&t->wms, *ret_number, WITHIN);
}

static const cJSON *order_in(const cJSON *state, int64_t number)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, cJSON_GetObjectItem(state, "orders"))
		if (number_of(o, "number") == number)
			return o;
	return NULL;
}

struct ends stage_ends(struct stage *t, int64_t number)
{
	char url[160];
	struct ends e = {0};
	struct answer a;
	const cJSON *o, *s, *l;

	snprintf(url, sizeof(url), "%s/control/state", t->centra->url);
	a = http_get(url, NULL);
	o = order_in(a.json, number);
	snprintf(e.status, sizeof(e.status), "%s", text_of(o, "status"));
	cJSON_ArrayForEach(s, cJSON_GetObjectItem(o, "shipments"))
	{
		e.shipments++;
		e.captures += (int)number_of(s, "captures");
		e.completions += (int)number_of(s, "completions");
		snprintf(e.tracking, sizeof(e.tracking), "%s",
			 text_of(s, "trackingNumber"));
		cJSON_ArrayForEach(l, cJSON_GetObjectItem(s, "lines"))
			e.units += (int)number_of(l, "quantity");
	}
	answer_release(&a);
	return e;
}

struct awaited {
	struct stage *t;
	int64_t number;
	int completions;
	struct ends ends;
};

static bool is_completed(void *arg)
{
	struct awaited *w = arg;

	w->ends = stage_ends(w->t, w->number);
	return w->ends.completions >= w->completions;
}

struct ends stage_completed(struct stage *t, int64_t number, int completions,
			    int ms)
{
	struct awaited w = {
		.t = t, .number = number, .completions = completions};

	if (!wait_until(is_completed, &w, ms))
		fail_msg("order %lld: %d completed, not %d, after %d ms",
			 (long long)number, w.ends.completions, completions,
			 ms);
	return w.ends;
}

void stage_note(struct stage *t, const char *step, const struct answer *a)
{
	shapes_note(t->shapes, step, a->json);
}
