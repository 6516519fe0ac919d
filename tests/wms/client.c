/* SPDX-License-Identifier: MIT */
#include "tests/wms/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

__attribute__((format(printf, 4, 0)))
static struct answer send_it(const struct wms *w, const char *method,
			     const char *path, const char *json, va_list ap)
{
	char url[512], key[160], body[8192] = "";
	const char *headers[] = {key, "Content-Type: application/json", NULL};
	struct answer a;

	snprintf(url, sizeof(url), "%s%s", w->url, path);
	snprintf(key, sizeof(key), "API-Authorization: %s", w->key);
	if (json)
		vsnprintf(body, sizeof(body), json, ap);
	else
		headers[1] = NULL;
	a = http_send(method, url, headers, json ? body : NULL, strlen(body));
	return a;
}

struct answer wms_call(const struct wms *w, const char *method,
		       const char *path, const char *json, ...)
{
	struct answer a;
	va_list ap;

	va_start(ap, json);
	a = send_it(w, method, path, json, ap);
	va_end(ap);
	return a;
}

struct answer wms_shipments(const struct wms *w, int64_t order,
			    const char *status)
{
	char path[160];

	snprintf(path, sizeof(path), "/shipments?order=%lld%s%s",
		 (long long)order, status ? "&status=" : "",
		 status ? status : "");
	return wms_call(w, "GET", path, NULL);
}

struct answer wms_pick(const struct wms *w, const char *shipment,
		       const char *lines)
{
	char path[96];

	snprintf(path, sizeof(path), "/shipments/%s", shipment);
	return wms_call(w, "PUT", path, "{\"products\":%s}", lines);
}

struct answer wms_capture(const struct wms *w, const char *shipment)
{
	return wms_call(w, "PUT", "/capture", "{\"shipment\":\"%s\"}",
			shipment);
}

struct answer wms_complete(const struct wms *w, int64_t order,
			   const char *shipment, const char *tracking)
{
	return wms_call(w, "PUT", "/shipment",
			"{\"order\":\"%lld\",\"shipment\":\"%s\",\"gtg\":1,"
			"\"shipped\":1,\"carrier\":\"PostNord\","
			"\"service\":\"Parcel\",\"packages\":1,"
			"\"tracking\":\"%s\",\"sendEmail\":1}",
			(long long)order, shipment, tracking);
}

struct answer wms_delete(const struct wms *w, const char *shipment)
{
	char path[96];

	snprintf(path, sizeof(path), "/shipments/%s", shipment);
	return wms_call(w, "DELETE", path, NULL);
}

struct answer wms_check_first(const struct wms *w, int64_t order,
			      int64_t warehouse, bool accept)
{
	return wms_call(w, "POST", "/check-first",
			"{\"orderNumber\":%lld,\"warehouseId\":%lld,"
			"\"accepted\":%s}",
			(long long)order, (long long)warehouse,
			accept ? "true" : "false");
}

static void expect(const struct answer *a, const char *status)
{
	if (a->status != 200 || strcmp(text_of(a->json, "status"), status))
		fail_msg("200 with status %s was expected, not %ld %s", status,
			 a->status, a->body);
}

void wms_ok(const struct answer *a)
{
	expect(a, "ok");
}

void wms_no(const struct answer *a)
{
	expect(a, "no");
	if (!cJSON_HasObjectItem(a->json, "msg"))
		fail_msg("a refusal without a text: %s", a->body);
}

/* ---- a shipment to pick ---- */

static void take_lines(struct wms_shipment *s, const cJSON *rows)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, rows)
	{
		if (s->n_lines == WMS_LINES)
			fail_msg("more than %d lines", WMS_LINES);
		snprintf(s->lines[s->n_lines].id, sizeof(s->lines[0].id), "%s",
			 text_of(v, "lineId"));
		snprintf(s->lines[s->n_lines].ean, sizeof(s->lines[0].ean),
			 "%s", text_of(v, "ean"));
		s->lines[s->n_lines++].quantity = number_of(v, "qty");
	}
}

/* Typed boolean in the guides, and a number in their examples. */
static bool is_set(const cJSON *v, const char *name)
{
	const cJSON *f = cJSON_GetObjectItemCaseSensitive(v, name);

	return cJSON_IsTrue(f) || (cJSON_IsNumber(f) && f->valuedouble != 0);
}

struct wms_shipment wms_first(const struct answer *a)
{
	const cJSON *v = cJSON_GetArrayItem(
		cJSON_GetObjectItemCaseSensitive(a->json, "shipments"), 0);
	struct wms_shipment s = {.should_capture = is_set(v, "shouldCapture"),
				 .paid = is_set(v, "paid")};

	snprintf(s.number, sizeof(s.number), "%s", text_of(v, "shipmentId"));
	snprintf(s.name, sizeof(s.name), "%s", text_of(v, "deliveryName"));
	take_lines(&s, cJSON_GetObjectItemCaseSensitive(v, "products"));
	return s;
}

struct polled {
	const struct wms *w;
	int64_t order;
	struct wms_shipment found;
};

static bool is_there(void *arg)
{
	struct polled *p = arg;
	struct answer a = wms_shipments(p->w, p->order, NULL);

	wms_ok(&a);
	p->found = wms_first(&a);
	answer_release(&a);
	return *p->found.number;
}

static bool is_gone(void *arg)
{
	return !is_there(arg);
}

struct wms_shipment wms_wait(const struct wms *w, int64_t order, int ms)
{
	struct polled p = {.w = w, .order = order};

	if (!wait_until(is_there, &p, ms))
		fail_msg("order %lld is not good to go after %d ms",
			 (long long)order, ms);
	return p.found;
}

void wms_wait_gone(const struct wms *w, int64_t order, int ms)
{
	struct polled p = {.w = w, .order = order};

	if (!wait_until(is_gone, &p, ms))
		fail_msg("order %lld is still good to go after %d ms",
			 (long long)order, ms);
}
