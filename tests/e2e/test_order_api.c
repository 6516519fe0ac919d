/* SPDX-License-Identifier: MIT
 *
 * A shop's own Order API: its system sees the orders that are certainly its
 * shop's, and ships them, once, whatever is lost on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define SOON 20000
#define TWO_SHOPS                                                              \
	"[shop rotterdam]\ncentra = se\nname = Rotterdam\nwarehouses = 5\n"    \
	"ship_with = order_api\n"                                              \
	"[shop utrecht]\ncentra = se\nname = Utrecht\nwarehouses = 6\n"        \
	"ship_with = order_api\n"

/* The server, and the keys of the two shops' systems. */
struct wms {
	struct shipfrom *s;
	char *keys[2]; /* owned: of Rotterdam and Utrecht */
};

static const char *const names[] = {"rotterdam", "utrecht"};

/* Runs `device add --order-api`; returns the key, which the caller frees. */
static char *add_key(struct shipfrom *s, const char *shop)
{
	const char *all[] = {"device", "add", "--order-api", "--shop", shop,
			     "--name=WMS", NULL};
	char *out = NULL, *ret;

	assert_int_equal(shipfrom_run(s, &out, false, all), 0);
	ret = strndup(out, strcspn(out, "\n"));
	assert_int_equal(strlen(ret), 43);
	free(out);
	return ret;
}

static struct wms wms_open(void **state, const char *server)
{
	struct wms f = {.s = shipfrom_with(server, MANY "call_timeout = 1s\npoll_requests = 500ms\n" TWO_SHOPS)};

	*state = f.s;
	for (int i = 0; i < 2; i++)
		f.keys[i] = add_key(f.s, names[i]);
	return f;
}

static void wms_passed(struct wms *f)
{
	for (int i = 0; i < 2; i++)
		free(f->keys[i]);
	shipfrom_passed(f->s);
}

/* Any call of a shop's Order API with a key. */
static struct answer call_with(struct wms *f, int shop, const char *key,
			       const char *method, const char *path,
			       const char *json)
{
	char url[512], auth[128];
	const char *headers[] = {auth, "Content-Type: application/json", NULL};

	snprintf(url, sizeof(url), "%s/order-api/%s%s", f->s->url, names[shop],
		 path);
	snprintf(auth, sizeof(auth), "API-Authorization: %s", key);
	return http_send(method, url, headers, json, json ? strlen(json) : 0);
}

static struct answer call(struct wms *f, int shop, const char *method,
			  const char *path, const char *json)
{
	return call_with(f, shop, f->keys[shop], method, path, json);
}

static bool is_ok(const struct answer *a)
{
	return a->status == 200 && !strcmp(text_of(a->json, "status"), "ok");
}

/* The call must be answered ok. */
static void ok(struct wms *f, const char *method, const char *path,
	       const char *json)
{
	struct answer a = call(f, 0, method, path, json);

	if (!is_ok(&a))
		fail_msg("%s %s %s: %ld %s", method, path, json ? json : "",
			 a.status, a.body);
	answer_release(&a);
}

/* The call must be answered "no" with these words (NULL: any). */
static void no(struct wms *f, const char *method, const char *path,
	       const char *json, const char *msg)
{
	struct answer a = call(f, 0, method, path, json);

	if (a.status != 200 || strcmp(text_of(a.json, "status"), "no") ||
	    (msg && !strstr(text_of(a.json, "msg"), msg)))
		fail_msg("%s %s %s: %ld %s", method, path, json ? json : "",
			 a.status, a.body);
	answer_release(&a);
}

/* ---- orders ---- */

struct wanted {
	struct wms *f;
	int shop;
	int64_t number;
	const char *status; /* of the list; NULL: good to go */
	struct answer found; /* owned by whoever waits */
};

static struct answer list(struct wms *f, int shop, int64_t number,
			  const char *status)
{
	char path[96];

	snprintf(path, sizeof(path), "/shipments?order=%lld%s%s",
		 (long long)number, status ? "&status=" : "",
		 status ? status : "");
	return call(f, shop, "GET", path, NULL);
}

static const cJSON *first(const struct answer *a)
{
	return cJSON_GetArrayItem(cJSON_GetObjectItem(a->json, "shipments"), 0);
}

static bool is_there(void *arg)
{
	struct wanted *w = arg;

	answer_release(&w->found);
	w->found = list(w->f, w->shop, w->number, w->status);
	return first(&w->found);
}

static bool is_gone(void *arg)
{
	struct wanted *w = arg;

	return !is_there(w) && is_ok(&w->found);
}

/* Until the order has a shipment in Rotterdam's list; its row (owned). */
static struct answer wait_listed(struct wms *f, int64_t number,
				 const char *status)
{
	struct wanted w = {f, 0, number, status, {0}};

	if (!wait_until(is_there, &w, SOON)) {
		process_tail(f->s->log, 30);
		fail_msg("no shipment of order %lld: %s", (long long)number,
			 w.found.body);
	}
	return w.found;
}

static void wait_gone(struct wms *f, int64_t number)
{
	struct wanted w = {f, 0, number, NULL, {0}};

	if (!wait_until(is_gone, &w, SOON))
		fail_msg("still there: %s", w.found.body);
	answer_release(&w.found);
}

static int64_t place(struct wms *f, const char *warehouses)
{
	struct answer a = sim_do(&f->s->sim, "/orders",
				 "{\"warehouses\":[%s],\"lines\":["
				 "{\"quantity\":2},{\"quantity\":1}]}",
				 warehouses);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	sim_quiet(&f->s->sim);
	return number;
}

static void accept(struct wms *f, int shop, int64_t number)
{
	char json[128];
	struct answer a;

	snprintf(json, sizeof(json),
		 "{\"orderNumber\":%lld,\"warehouseId\":%d,\"accepted\":true}",
		 (long long)number, shop + 5);
	a = call(f, shop, "POST", "/check-first", json);
	if (!is_ok(&a))
		fail_msg("accept: %ld %s", a.status, a.body);
	answer_release(&a);
}

/* An order of Rotterdam whose shipment is good to go. */
static int64_t ready(struct wms *f)
{
	int64_t number = place(f, "5");
	struct answer a;

	accept(f, 0, number);
	a = wait_listed(f, number, NULL);
	answer_release(&a);
	return number;
}

/* The bodies of PUT /capture and PUT /shipment for the order's first
 * shipment. */
static const char *capture_of(char ret[160], int64_t number)
{
	snprintf(ret, 160, "{\"shipment\":\"%lld-1\"}", (long long)number);
	return ret;
}

static const char *complete_of(char ret[160], int64_t number)
{
	snprintf(ret, 160,
		 "{\"shipment\":\"%lld-1\",\"shipped\":1,\"gtg\":1,"
		 "\"capture\":1,\"carrier\":\"PostNord\","
		 "\"tracking\":\"SE1\",\"packages\":1}",
		 (long long)number);
	return ret;
}

/* ---- the tests ---- */

static void an_order_is_fetched_captured_and_completed(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	struct answer a = list(&f, 0, number, NULL);
	char json[160];

	assert_string_equal(text_of(first(&a), "deliveryCity"), "Stockholm");
	assert_int_equal(number_of(first(&a), "shouldCapture"), 1);
	answer_release(&a);
	assert_int_equal(sim_shipped(&f.s->sim, number).early, 0);
	ok(&f, "PUT", "/capture", capture_of(json, number));
	ok(&f, "PUT", "/shipment", complete_of(json, number));
	expect_shipped(f.s, number, 1, 3);
	wait_gone(&f, number);
	a = wait_listed(&f, number, "completed");
	assert_string_equal(text_of(first(&a), "deliveryName"), "");
	assert_string_equal(text_of(first(&a), "billingName"), "");
	assert_string_equal(text_of(first(&a), "trackingNumber"), "SE1");
	answer_release(&a);
	wms_passed(&f);
}

/* Presses *Solved* on Rotterdam's page. */
static void solve(struct wms *f, int64_t number)
{
	const char *add[] = {"device", "add", "--shop", "rotterdam",
			     "--name=Tablet", NULL};
	char *out = NULL, url[256];
	struct answer a;

	assert_int_equal(shipfrom_run(f->s, &out, false, add), 0);
	out[strcspn(out, "\n")] = '\0';
	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/solved", f->s->url,
		 (long long)number);
	a = http_post(url, out, "{}");
	if (a.status != 200)
		fail_msg("solved: %ld %s", a.status, a.body);
	answer_release(&a);
	free(out);
}

/* Then GraphQL's picture of the order has to do. */
static void without_centras_list_of_shipments_it_can_be_shipped(void **state)
{
	struct wms f = wms_open(state, NULL);
	struct answer a;
	const cJSON *p;
	int64_t number;
	char json[160];

	sim_tell(&f.s->sim, "/settings", "{\"unticked\":[\"shipments\"]}");
	number = ready(&f);
	a = list(&f, 0, number, NULL);
	assert_true(*text_of(first(&a), "deliveryName"));
	assert_true(*text_of(first(&a), "deliveryAddress"));
	assert_string_equal(text_of(first(&a), "deliveryCountry"), "SE");
	p = cJSON_GetObjectItem(first(&a), "products");
	assert_true(*text_of(cJSON_GetArrayItem(p, 0), "sku"));
	answer_release(&a);
	ok(&f, "PUT", "/shipment", complete_of(json, number));
	expect_shipped(f.s, number, 1, 3);
	a = wait_listed(&f, number, "completed");
	assert_string_equal(text_of(first(&a), "deliveryName"), "");
	assert_string_equal(text_of(first(&a), "deliveryAddress"), "");
	answer_release(&a);
	wms_passed(&f);
}

static void nothing_of_another_shop_is_shown_or_changed(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	char json[160], path[64];
	struct answer a;

	snprintf(path, sizeof(path), "/shipments/%lld-1", (long long)number);
	for (int i = 0; i < 3; i++) {
		static const char *const lists[] = {NULL, "inprogress",
						    "completed"};

		a = list(&f, 1, number, lists[i]);
		assert_true(is_ok(&a));
		assert_null(first(&a));
		answer_release(&a);
	}
	a = call(&f, 1, "PUT", "/capture", capture_of(json, number));
	assert_string_equal(text_of(a.json, "msg"), "shipment does not exist");
	answer_release(&a);
	a = call(&f, 1, "PUT", "/shipment", complete_of(json, number));
	assert_string_equal(text_of(a.json, "msg"), "shipment does not exist");
	answer_release(&a);
	a = call(&f, 1, "DELETE", path, NULL);
	assert_string_equal(text_of(a.json, "msg"), "shipment does not exist");
	answer_release(&a);
	a = call(&f, 1, "PUT", path, "{\"products\":{\"1\":1}}");
	assert_string_equal(text_of(a.json, "msg"), "shipment does not exist");
	answer_release(&a);
	assert_int_equal(sim_shipped(&f.s->sim, number).captures, 0);
	/* Nor with the shop's own key at another shop's address. */
	a = call_with(&f, 0, f.keys[1], "GET", "/shipments", NULL);
	assert_int_equal(a.status, 401);
	assert_string_equal(text_of(a.json, "status"), "Not Allowed");
	answer_release(&a);
	wms_passed(&f);
}

static bool has_seven(void *arg)
{
	struct answer a = call(arg, 0, "GET", "/stock?ean=7300555000024", NULL);
	bool ret = number_of(cJSON_GetArrayItem(cJSON_GetObjectItem(
							a.json, "products"),
						0),
			     "physicalStock") == 7;

	answer_release(&a);
	return ret;
}

static void what_is_read_of_centra_is_the_shops_alone(void **state)
{
	struct wms f = wms_open(state, NULL);
	struct answer a;
	int64_t number;
	const cJSON *row;
	char path[64];

	sim_tell(&f.s->sim, "/warehouses",
		 "[{\"id\":5,\"name\":\"Rotterdam\",\"policy\":\"CHECK_FIRST\"},"
		 "{\"id\":6,\"name\":\"Utrecht\",\"policy\":\"CHECK_FIRST\"}]");
	a = sim_do(&f.s->sim, "/orders",
				 "{\"warehouses\":[5],\"lines\":[{\"quantity\":2,"
				 "\"ean\":\"7300555000024\"}]}");
	number = number_of(a.json, "number");
	answer_release(&a);
	sim_quiet(&f.s->sim);
	snprintf(path, sizeof(path), "/orders?order=%lld", (long long)number);
	a = call(&f, 0, "GET", path, NULL); /* only offered so far */
	assert_true(is_ok(&a));
	assert_null(cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "orders"),
				       0));
	answer_release(&a);
	accept(&f, 0, number);
	a = wait_listed(&f, number, NULL);
	answer_release(&a);
	a = call(&f, 0, "GET", path, NULL);
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "orders"), 0);
	if (number_of(row, "orderId") == number || !*text_of(row, "orderId"))
		fail_msg("%ld %s", a.status, a.body);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(row, "products")), 1);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(row, "shipments")), 1);
	answer_release(&a);
	a = call(&f, 1, "GET", path, NULL);
	assert_true(is_ok(&a));
	assert_null(cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "orders"),
				       0));
	answer_release(&a);
	a = call(&f, 0, "GET", "/products?ean=7300555000024", NULL);
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	assert_string_equal(text_of(row, "ean"), "7300555000024");
	answer_release(&a);
	a = call(&f, 0, "GET", "/stock/?ean=7300555000024", NULL);
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	if (number_of(row, "physicalStock") != 20)
		fail_msg("%ld %s", a.status, a.body);
	answer_release(&a);
	no(&f, "GET", "/stock", NULL, "required");
	no(&f, "GET", "/shipments?limit=1001", NULL, "limit is 1 to 1000");
	no(&f, "GET", "/shipments?order=N", NULL, "order is a number");
	/* A count reaches Centra, at this shop's warehouse alone. */
	ok(&f, "POST", "/stock",
	   "{\"products\":[{\"product\":\"7300555000024\",\"quantity\":7}]}");
	assert_true(wait_until(has_seven, &f, SOON));
	a = call(&f, 1, "GET", "/stock?ean=7300555000024", NULL);
	row = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	assert_int_equal(number_of(row, "physicalStock"), 20);
	answer_release(&a);
	wms_passed(&f);
}

static int request_of(struct wms *f, int shop, int64_t number)
{
	char path[96];
	struct answer a;
	int ret;

	snprintf(path, sizeof(path), "/allocation-requests?order=%lld",
		 (long long)number);
	a = call(f, shop, "GET", path, NULL);
	assert_true(is_ok(&a));
	ret = (int)number_of(
		cJSON_GetArrayItem(cJSON_GetObjectItem(a.json,
						       "allocation_requests"),
				   0),
		"id");
	answer_release(&a);
	return ret;
}

static bool has_request(void *arg)
{
	struct wanted *w = arg;

	return request_of(w->f, 0, w->number) > 0;
}

static void what_cannot_be_read_of_centra_says_why(void **state)
{
	struct wms f = wms_open(state, "");
	struct answer a;

	sim_tell(&f.s->sim, "/settings",
		 "{\"unticked\":[\"products\"]}");
	a = call(&f, 0, "GET", "/products?ean=7300555000024", NULL);
	if (a.status != 503 || !strstr(text_of(a.json, "msg"), "refuses"))
		fail_msg("%ld %s", a.status, a.body);
	answer_release(&a);
	wms_passed(&f);
}

static void an_allocation_request_is_confirmed_by_its_shop_alone(void **state)
{
	struct wms f = wms_open(state, NULL);
	struct answer a = sim_do(&f.s->sim, "/orders",
				 "{\"requests\":[{\"warehouse\":5}]}");
	struct wanted w = {&f, 0, number_of(a.json, "number"), NULL, {0}};
	char json[96];

	answer_release(&a);
	if (!wait_until(has_request, &w, SOON)) {
		process_tail(f.s->log, 20);
		fail_msg("no request is listed");
	}
	assert_int_equal(request_of(&f, 1, w.number), -1);
	snprintf(json, sizeof(json), "{\"id\":%d,\"status\":\"confirmed\"}",
		 request_of(&f, 0, w.number));
	a = call(&f, 1, "PUT", "/allocation-request", json);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(a.json, "success")));
	answer_release(&a);
	for (int i = 0; i < 2; i++) { /* the reply was lost */
		a = call(&f, 0, "PUT", "/allocation-request", json);
		if (!cJSON_IsTrue(cJSON_GetObjectItem(a.json, "success")))
			fail_msg("%ld %s", a.status, a.body);
		answer_release(&a);
	}
	a = wait_listed(&f, w.number, NULL);
	answer_release(&a);
	assert_int_equal(request_of(&f, 0, w.number), -1);
	wms_passed(&f);
}

static void a_key_opens_the_order_api_alone_and_a_devices_token_does_not(void **state)
{
	struct wms f = wms_open(state, NULL);
	struct answer a;
	char url[256];

	a = call_with(&f, 0, f.s->tokens[AMSTERDAM], "GET", "/shipments", NULL);
	assert_int_equal(a.status, 401);
	answer_release(&a);
	snprintf(url, sizeof(url), "%s/api/v1/me", f.s->url);
	a = http_get(url, f.keys[0]);
	assert_int_equal(a.status, 401);
	answer_release(&a);
	snprintf(url, sizeof(url), "%s/order-api/rotterdam/shipments",
		 f.s->url);
	a = http_get(url, f.keys[0]); /* in the wrong header */
	assert_int_equal(a.status, 401);
	answer_release(&a);
	wms_passed(&f);
}

/* True if `device list` shows Rotterdam's first key, and when it was used.  Its
 * last use is written soon after. */
static bool is_used(void *arg)
{
	const char *show[] = {"device", "list", "--json", "--shop", "rotterdam",
			      NULL};
	char *out = NULL;
	cJSON *row;
	bool ret;

	assert_int_equal(shipfrom_run(arg, &out, false, show), 0);
	row = cJSON_Parse(out);
	assert_string_equal(text_of(row, "kind"), "order_api");
	assert_int_equal(number_of(row, "id"), 4);
	ret = *text_of(row, "used");
	cJSON_Delete(row);
	free(out);
	return ret;
}

static void a_key_is_replaced_while_the_old_one_still_works(void **state)
{
	struct wms f = wms_open(state, NULL);
	char *other = add_key(f.s, "rotterdam"), *out = NULL;
	const char *drop[] = {"device", "remove", "4", NULL};
	struct answer a;

	a = call_with(&f, 0, other, "GET", "/shipments", NULL);
	assert_true(is_ok(&a));
	answer_release(&a);
	ok(&f, "GET", "/shipments", NULL);
	assert_true(wait_until(is_used, f.s, SOON));
	assert_int_equal(shipfrom_run(f.s, &out, false, drop), 0);
	free(out);
	a = call(&f, 0, "GET", "/shipments", NULL);
	assert_int_equal(a.status, 401);
	answer_release(&a);
	a = call_with(&f, 0, other, "GET", "/shipments", NULL);
	assert_true(is_ok(&a));
	answer_release(&a);
	free(other);
	wms_passed(&f);
}

static void a_short_pick_ships_fewer_and_the_rest_after_it_is_solved(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	struct answer a = list(&f, 0, number, NULL);
	char json[160], path[64], lines[96];
	const cJSON *p = cJSON_GetObjectItem(first(&a), "products");

	snprintf(path, sizeof(path), "/shipments/%lld-1", (long long)number);
	snprintf(lines, sizeof(lines), "{\"products\":{\"%s\":1}}",
		 text_of(cJSON_GetArrayItem(p, 0), "lineId"));
	ok(&f, "PUT", path, lines);
	ok(&f, "PUT", path, lines);
	answer_release(&a);
	a = list(&f, 0, number, NULL);
	p = cJSON_GetObjectItem(first(&a), "products");
	assert_int_equal(number_of(cJSON_GetArrayItem(p, 0), "qty"), 1);
	answer_release(&a);
	ok(&f, "PUT", "/capture", capture_of(json, number));
	no(&f, "PUT", path, "{\"products\":{\"1\":1}}", NULL);
	ok(&f, "PUT", "/shipment", complete_of(json, number));
	expect_shipped(f.s, number, 1, 2);
	wait_gone(&f, number); /* until a person says that the rest is there */
	solve(&f, number);
	a = wait_listed(&f, number, NULL);
	p = cJSON_GetObjectItem(first(&a), "products");
	assert_int_equal(cJSON_GetArraySize(p), 1);
	assert_int_equal(number_of(cJSON_GetArrayItem(p, 0), "qty"), 1);
	answer_release(&a);
	assert_int_equal(sim_shipped(&f.s->sim, number).shipments, 2);
	wms_passed(&f);
}

static void what_is_deleted_goes_and_comes_back_when_it_is_solved(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	char path[64], json[160];

	snprintf(path, sizeof(path), "/shipments/%lld-1", (long long)number);
	ok(&f, "DELETE", path, NULL);
	wait_gone(&f, number);
	ok(&f, "DELETE", path, NULL); /* the reply was lost */
	no(&f, "PUT", "/capture", capture_of(json, number),
	   "shipment does not exist");
	assert_int_equal(sim_calls_of(&f.s->sim, number, "delete"), 1);
	assert_int_equal(sim_shipped(&f.s->sim, number).shipments, 0);
	solve(&f, number);
	answer_release(&(struct answer[]){wait_listed(&f, number, NULL)}[0]);
	wms_passed(&f);
}

static void a_cancelled_order_goes_and_nothing_of_it_is_captured(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	char json[160], path[64];

	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)number);
	sim_tell(&f.s->sim, path, "{}");
	wait_gone(&f, number);
	no(&f, "PUT", "/capture", capture_of(json, number), NULL);
	no(&f, "PUT", "/shipment", complete_of(json, number), NULL);
	assert_int_equal(sim_shipped(&f.s->sim, number).captures, 0);
	wms_passed(&f);
}

static void a_refused_capture_is_told_in_centras_words(void **state)
{
	struct wms f = wms_open(state, NULL);
	int64_t number = ready(&f);
	char json[160];

	sim_tell(&f.s->sim, "/settings", "{\"capture\":\"fail\"}");
	no(&f, "PUT", "/capture", capture_of(json, number),
	   "capture failed");
	sim_tell(&f.s->sim, "/settings", "{\"capture\":\"ok\"}");
	ok(&f, "PUT", "/capture", capture_of(json, number));
	assert_int_equal(sim_shipped(&f.s->sim, number).captures, 1);
	wms_passed(&f);
}

/* Each call's reply is lost, before and after it was carried out, and the server
 * is killed while it waits: at the end there is one parcel. */
static void lost_replies_and_kills_ship_once(void **state)
{
	static const char *const calls[] = {"createShipment", "captureShipment",
					    "updateShipment",
					    "completeShipment"};
	static const char *const whens[] = {"before", "after"};
	struct wms f = wms_open(state, "answer_wait = 300ms\n");
	char json[160];

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		for (int k = 0; k < 2; k++) {
			int64_t number = place(&f, "5");
			struct answer a;

			sim_tell(&f.s->sim, "/faults",
				 "{\"api\":\"graphql\",\"order\":%lld,"
				 "\"what\":\"%s\",\"kind\":\"drop\","
				 "\"when\":\"%s\"}",
				 (long long)number, calls[i], whens[k]);
			accept(&f, 0, number);
			a = wait_listed(&f, number, NULL);
			answer_release(&a);
			a = call(&f, 0, "PUT", "/shipment",
				 complete_of(json, number));
			answer_release(&a);
			shipfrom_kill_9(f.s);
			shipfrom_again(f.s);
			a = wait_listed(&f, number, "completed");
			answer_release(&a);
			ok(&f, "PUT", "/shipment",
			   complete_of(json, number));
			expect_shipped(f.s, number, 1, 3);
		}
	wms_passed(&f);
}

/* ---- Centra's own calls for a short pick and for what is given back ---- */

/* How the call at Centra goes wrong. */
struct mishap {
	const char *kind, *when;
	bool kill; /* the server dies while the call is on its way */
};

static const struct mishap mishaps[] = {
	{"drop", "before", false}, {"drop", "after", false},
	{"slow", "before", true},  {"slow", "after", true},
	{"drop", "after", true},
};

static void expect_mishap(struct wms *f, int64_t number, const char *what,
			  const struct mishap *m)
{
	sim_tell(&f->s->sim, "/faults",
		 "{\"api\":\"order\",\"order\":%lld,\"what\":\"%s\","
		 "\"kind\":\"%s\",\"when\":\"%s\",\"ms\":900,\"count\":1}",
		 (long long)number, what, m->kind, m->when);
}

/* Asks once.  What is slow at Centra is not told yet; a lost call may be made
 * again, and told, in time. */
static void ask_amid(struct wms *f, const struct mishap *m,
		     const char *method, const char *path, const char *json)
{
	struct answer a = call(f, 0, method, path, json);

	if (a.status != 503 && !(is_ok(&a) && !strcmp(m->kind, "drop")))
		fail_msg("%s %s: %ld %s", method, path, a.status, a.body);
	answer_release(&a);
	if (!m->kill)
		return;
	shipfrom_kill_9(f->s);
	shipfrom_again(f->s);
}

struct repeated {
	struct wms *f;
	const char *method, *path, *json;
};

static bool is_told_ok(void *arg)
{
	struct repeated *r = arg;
	struct answer a = call(r->f, 0, r->method, r->path, r->json);
	bool ret = is_ok(&a);

	if (!ret && a.status != 503)
		fail_msg("%s %s: %ld %s", r->method, r->path, a.status,
			 a.body);
	answer_release(&a);
	return ret;
}

static void a_short_pick_whose_call_is_lost_is_made(void **state)
{
	struct wms f = wms_open(state, "answer_wait = 300ms\n");
	char json[160], path[64], lines[96];

	for (size_t i = 0; i < sizeof(mishaps) / sizeof(*mishaps); i++) {
		int64_t number = ready(&f);
		struct answer a = list(&f, 0, number, NULL);
		const cJSON *p = cJSON_GetObjectItem(first(&a), "products");
		struct repeated r = {&f, "PUT", path, lines};

		snprintf(path, sizeof(path), "/shipments/%lld-1",
			 (long long)number);
		snprintf(lines, sizeof(lines), "{\"products\":{\"%s\":1}}",
			 text_of(cJSON_GetArrayItem(p, 0), "lineId"));
		answer_release(&a);
		expect_mishap(&f, number, "update", &mishaps[i]);
		ask_amid(&f, &mishaps[i], "PUT", path, lines);
		assert_true(wait_until(is_told_ok, &r, SOON));
		assert_int_equal(sim_shipped(&f.s->sim, number).units, 2);
		r.path = "/shipment";
		r.json = complete_of(json, number);
		assert_true(wait_until(is_told_ok, &r, SOON));
		expect_shipped(f.s, number, 1, 2);
	}
	wms_passed(&f);
}

static void what_is_given_back_amid_lost_calls_is_given_back_once(void **state)
{
	struct wms f = wms_open(state, "answer_wait = 300ms\n");
	char path[64];

	for (size_t i = 0; i < sizeof(mishaps) / sizeof(*mishaps); i++) {
		int64_t number = ready(&f);
		struct repeated r = {&f, "DELETE", path, NULL};

		snprintf(path, sizeof(path), "/shipments/%lld-1",
			 (long long)number);
		expect_mishap(&f, number, "delete", &mishaps[i]);
		ask_amid(&f, &mishaps[i], "DELETE", path, NULL);
		assert_true(wait_until(is_told_ok, &r, SOON));
		wait_gone(&f, number);
		assert_int_equal(sim_shipped(&f.s->sim, number).shipments, 0);
		solve(&f, number);
		answer_release(
			&(struct answer[]){wait_listed(&f, number, NULL)}[0]);
		assert_int_equal(sim_shipped(&f.s->sim, number).shipments, 1);
	}
	wms_passed(&f);
}

#define TEST(name) cmocka_unit_test_teardown(name, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_order_is_fetched_captured_and_completed),
		TEST(without_centras_list_of_shipments_it_can_be_shipped),
		TEST(nothing_of_another_shop_is_shown_or_changed),
		TEST(what_is_read_of_centra_is_the_shops_alone),
		TEST(what_cannot_be_read_of_centra_says_why),
		TEST(an_allocation_request_is_confirmed_by_its_shop_alone),
		TEST(a_key_opens_the_order_api_alone_and_a_devices_token_does_not),
		TEST(a_key_is_replaced_while_the_old_one_still_works),
		TEST(a_short_pick_ships_fewer_and_the_rest_after_it_is_solved),
		TEST(what_is_deleted_goes_and_comes_back_when_it_is_solved),
		TEST(a_cancelled_order_goes_and_nothing_of_it_is_captured),
		TEST(a_refused_capture_is_told_in_centras_words),
		TEST(lost_replies_and_kills_ship_once),
		TEST(a_short_pick_whose_call_is_lost_is_made),
		TEST(what_is_given_back_amid_lost_calls_is_given_back_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
