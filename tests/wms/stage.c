/* SPDX-License-Identifier: MIT */
#include "tests/wms/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
