/* SPDX-License-Identifier: MIT
 *
 * The story of a warehouse system, told by a client that knows Centra's guides
 * alone.  It ends the same, in the same shapes, at Centra and at a shop's own
 * Order API.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"
#include "tests/wms/stage.h"

#define WITHIN 20000 /* ms, for what comes soon if it comes */
#define EAN    "7300555000024"

typedef void chapter_fn(struct stage *t);

/* ---- what the chapters do often ---- */

static void capture_ok(struct stage *t, const char *shipment)
{
	struct answer a = wms_capture(&t->wms, shipment);

	wms_ok(&a);
	assert_string_equal(text_of(a.json, "shipment"), shipment);
	stage_note(t, "captured", &a);
	answer_release(&a);
}

static void complete_ok(struct stage *t, int64_t number, const char *shipment,
			const char *tracking)
{
	struct answer a = wms_complete(&t->wms, number, shipment, tracking);

	wms_ok(&a);
	assert_int_equal(number_of(a.json, "order"), number);
	assert_string_equal(text_of(a.json, "shipment"), shipment);
	stage_note(t, "completed", &a);
	answer_release(&a);
}

/* A call that must be refused; its answer ends here. */
static void refused(struct answer a)
{
	wms_no(&a);
	answer_release(&a);
}

static void not_shipped(struct stage *t, int64_t number)
{
	struct ends e = stage_ends(t, number);

	assert_int_equal(e.completions, 0);
}

/* ---- the chapters ---- */

static void fetch_capture_complete(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct answer a = wms_shipments(&t->wms, number, NULL);
	struct ends e;

	stage_note(t, "good to go", &a);
	answer_release(&a);
	assert_int_equal(s.n_lines, 2);
	assert_string_equal(s.lines[0].ean, EAN);
	assert_int_equal(s.lines[0].quantity, 2);
	assert_true(*s.name);
	assert_true(s.should_capture);

	capture_ok(t, s.number);
	complete_ok(t, number, s.number, "SE100");

	wms_wait_gone(&t->wms, number, WITHIN);
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.shipments, 1);
	assert_int_equal(e.captures, 1);
	assert_int_equal(e.units, 3);
	assert_string_equal(e.tracking, "SE100");
	assert_string_equal(e.status, "SHIPPED");
	a = wms_shipments(&t->wms, number, "completed");
	wms_ok(&a);
	assert_string_equal(wms_first(&a).number, s.number);
	stage_note(t, "list of completed", &a);
	answer_release(&a);
}

/* "capture" is true unless the call says otherwise. */
static void complete_captures_what_is_not_paid(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct ends e;

	complete_ok(t, number, s.number, "SE101");
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.captures, 1);
	assert_int_equal(e.units, 3);
}

static void short_pick(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	char lines[160];
	struct answer a;
	struct ends e;

	snprintf(lines, sizeof(lines), "{\"%s\":1,\"%s\":1}", s.lines[0].id,
		 s.lines[1].id);
	a = wms_pick(&t->wms, s.number, lines);
	wms_ok(&a);
	assert_string_equal(
		text_of(cJSON_GetObjectItem(a.json, "shipment"), "shipmentId"),
		s.number);
	stage_note(t, "picked fewer", &a);
	answer_release(&a);

	capture_ok(t, s.number);
	complete_ok(t, number, s.number, "SE102");
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.shipments, 1);
	assert_int_equal(e.units, 2);
	assert_int_equal(e.captures, 1);
	assert_string_equal(e.status, "PROCESSING");
}

static void pick_none_of_a_line_with_serial_numbers(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	char lines[200];
	struct answer a;
	struct ends e;

	snprintf(lines, sizeof(lines),
		 "{\"%s\":{\"serialNumber\":\"SN1\",\"qty\":2},\"%s\":0}",
		 s.lines[0].id, s.lines[1].id);
	a = wms_pick(&t->wms, s.number, lines);
	wms_ok(&a);
	answer_release(&a);
	complete_ok(t, number, s.number, "SE103");
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.units, 2);
}

static void a_pick_of_more_or_of_what_is_not_there_is_refused(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	char lines[96];
	struct ends e;

	snprintf(lines, sizeof(lines), "{\"%s\":3}", s.lines[0].id);
	refused(wms_pick(&t->wms, s.number, lines));
	refused(wms_pick(&t->wms, s.number, "{\"1\":1}"));
	snprintf(lines, sizeof(lines), "{\"%s\":-1}", s.lines[0].id);
	refused(wms_pick(&t->wms, s.number, lines));
	complete_ok(t, number, s.number, "SE104");
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.units, 3);
}

static void what_is_captured_can_not_be_edited(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct answer a;
	char lines[64];

	capture_ok(t, s.number);
	snprintf(lines, sizeof(lines), "{\"%s\":1}", s.lines[0].id);
	a = wms_pick(&t->wms, s.number, lines);
	wms_no(&a);
	assert_non_null(strstr(text_of(a.json, "msg"), "captured"));
	stage_note(t, "edit refused", &a);
	answer_release(&a);
	a = wms_delete(&t->wms, s.number);
	wms_no(&a);
	stage_note(t, "delete refused", &a);
	answer_release(&a);
	complete_ok(t, number, s.number, "SE105");
	assert_int_equal(stage_completed(t, number, 1, WITHIN).units, 3);
}

static void a_refused_capture_ships_nothing(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct answer a;
	struct ends e;

	sim_tell(t->centra, "/settings", "{\"capture\":\"fail\"}");
	a = wms_capture(&t->wms, s.number);
	wms_no(&a);
	assert_string_equal(text_of(a.json, "msg"), "capture failed");
	stage_note(t, "capture failed", &a);
	answer_release(&a);
	a = wms_complete(&t->wms, number, s.number, "SE106");
	wms_no(&a);
	assert_string_equal(text_of(a.json, "msg"), "capture failed");
	answer_release(&a);
	not_shipped(t, number);
	assert_string_equal(wms_wait(&t->wms, number, WITHIN).number,
			    s.number);

	sim_tell(t->centra, "/settings", "{\"capture\":\"ok\"}");
	capture_ok(t, s.number);
	complete_ok(t, number, s.number, "SE107");
	e = stage_completed(t, number, 1, WITHIN);
	assert_int_equal(e.captures, 1);
	assert_string_equal(e.tracking, "SE107");
}

/* The customer cancels while the shop picks: it is good to go no more, and
 * nothing of it can be captured or sent. */
static void cancel_while_picking(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	char path[80];
	struct ends e;

	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)number);
	sim_tell(t->centra, path, "{}");
	wms_wait_gone(&t->wms, number, WITHIN);
	refused(wms_capture(&t->wms, s.number));
	refused(wms_complete(&t->wms, number, s.number, "SE108"));
	e = stage_ends(t, number);
	assert_int_equal(e.captures, 0);
	assert_int_equal(e.completions, 0);
}

static void delete_a_shipment(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct answer a = wms_delete(&t->wms, s.number);

	wms_ok(&a);
	stage_note(t, "deleted", &a);
	answer_release(&a);
	wms_wait_gone(&t->wms, number, WITHIN);
	refused(wms_capture(&t->wms, s.number));
	refused(wms_complete(&t->wms, number, s.number, "SE109"));
	/* Again: ok or not, the guides do not say. */
	a = wms_delete(&t->wms, s.number);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	assert_int_equal(stage_ends(t, number).shipments, 0);
}

/* A reply that was lost: the client sends all of it again. */
static void everything_twice_ships_once(struct stage *t)
{
	int64_t number;
	struct wms_shipment s = stage_accepted(t, EAN, &number);
	struct answer a;
	char lines[64];
	struct ends e;

	snprintf(lines, sizeof(lines), "{\"%s\":1}", s.lines[0].id);
	for (int i = 0; i < 2; i++) {
		a = wms_pick(&t->wms, s.number, lines);
		wms_ok(&a);
		answer_release(&a);
	}
	for (int i = 0; i < 2; i++)
		capture_ok(t, s.number);
	complete_ok(t, number, s.number, "SE110");
	stage_completed(t, number, 1, WITHIN);
	/* ok or not: the guides do not say. */
	a = wms_complete(&t->wms, number, s.number, "SE110");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	e = stage_ends(t, number);
	assert_int_equal(e.shipments, 1);
	assert_int_equal(e.captures, 1);
	assert_int_equal(e.completions, 1);
	assert_int_equal(e.units, 2);
}

static void check_first_rejected_is_never_to_be_picked(struct stage *t)
{
	int64_t number = stage_offered(t, EAN);
	struct answer a = wms_check_first(&t->wms, number, WAREHOUSE, false);

	wms_ok(&a);
	stage_note(t, "check-first rejected", &a);
	answer_release(&a);
	a = wms_check_first(&t->wms, number, WAREHOUSE, true);
	wms_no(&a);
	stage_note(t, "check-first too late", &a);
	answer_release(&a);
	a = wms_shipments(&t->wms, number, NULL);
	wms_ok(&a);
	assert_string_equal(wms_first(&a).number, "");
	answer_release(&a);
}

/* Another warehouse has said yes before. */
static void check_first_taken_by_another_is_refused(struct stage *t)
{
	struct answer a = sim_do(t->centra, "/orders", "{\"warehouses\":[5,6]}");
	int64_t number = number_of(a.json, "number");
	char path[80];

	answer_release(&a);
	sim_quiet(t->centra);
	snprintf(path, sizeof(path), "/orders/%lld/accept", (long long)number);
	sim_tell(t->centra, path, "{\"warehouse\":6}");
	refused(wms_check_first(&t->wms, number, WAREHOUSE, true));
}

static void check_first_without_its_fields_is_refused_for_each(struct stage *t)
{
	struct answer a = wms_call(&t->wms, "POST", "/check-first",
				   "{\"orderNumber\":\"x\"}");
	const cJSON *msg;

	wms_no(&a);
	msg = cJSON_GetObjectItem(a.json, "msg");
	assert_string_equal(text_of(msg, "orderNumber"), "invalid value");
	assert_string_equal(text_of(msg, "warehouseId"), "required");
	assert_string_equal(text_of(msg, "accepted"), "required");
	stage_note(t, "check-first fields", &a);
	answer_release(&a);
}

static void an_order_is_read_by_its_number(struct stage *t)
{
	int64_t number;
	char path[80], text[32];
	struct answer a;
	const cJSON *o;

	stage_accepted(t, EAN, &number);
	snprintf(path, sizeof(path), "/orders?order=%lld", (long long)number);
	snprintf(text, sizeof(text), "%lld", (long long)number);
	a = wms_call(&t->wms, "GET", path, NULL);
	wms_ok(&a);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "orders")), 1);
	o = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "orders"), 0);
	assert_string_equal(text_of(o, "orderId"), text);
	stage_note(t, "order", &a);
	answer_release(&a);
	a = wms_call(&t->wms, "GET", "/orders?order=99999999", NULL);
	wms_ok(&a);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "orders")), 0);
	answer_release(&a);
}

/* Oldest first, by pages; the same rows come again until they are completed. */
static void the_list_is_read_by_pages(struct stage *t)
{
	int64_t numbers[3];
	char path[120];
	struct answer a;

	for (int i = 0; i < 3; i++)
		stage_accepted(t, EAN, &numbers[i]);
	for (int i = 0; i < 3; i++) {
		char text[32];

		snprintf(path, sizeof(path),
			 "/shipments?status=inprogress&limit=1&offset=%d", i);
		snprintf(text, sizeof(text), "%lld-1", (long long)numbers[i]);
		a = wms_call(&t->wms, "GET", path, NULL);
		wms_ok(&a);
		assert_string_equal(wms_first(&a).number, text);
		stage_note(t, "in progress", &a);
		answer_release(&a);
	}
	a = wms_call(&t->wms, "GET", "/shipments/?newer_than=2099-01-01", NULL);
	wms_ok(&a);
	assert_string_equal(wms_first(&a).number, "");
	answer_release(&a);
	a = wms_call(&t->wms, "GET",
		     "/shipments?older_than=2099-01-01%2000:00:00", NULL);
	wms_ok(&a);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "shipments")), 3);
	answer_release(&a);
}

static void what_is_not_there_is_refused(struct stage *t)
{
	refused(wms_capture(&t->wms, "99999999-1"));
	refused(wms_complete(&t->wms, 99999999, "99999999-1", "SE1"));
	refused(wms_pick(&t->wms, "99999999-1", "{\"1\":1}"));
	refused(wms_delete(&t->wms, "99999999-1"));
	refused(wms_check_first(&t->wms, 99999999, WAREHOUSE, true));
}

/* ---- allocation requests ---- */

/* Places an order whose stock waits for the warehouse's confirmation. */
static int64_t requested(struct stage *t)
{
	struct answer a = sim_do(t->centra, "/orders",
				 "{\"requests\":[{\"warehouse\":%d}],"
				 "\"lines\":[{\"quantity\":1}]}",
				 WAREHOUSE);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	sim_quiet(t->centra);
	if (t->shipfrom)
		stage_sees(t->s, t->token, number, WITHIN);
	return number;
}

/* The order's request among all; id 0: it is not listed yet. */
struct listed {
	struct stage *t;
	int64_t number, id;
	char status[32];
};

static bool is_listed(void *arg)
{
	struct listed *l = arg;
	char path[120];
	struct answer a;
	const cJSON *row;

	snprintf(path, sizeof(path),
		 "/allocation-requests?order=%lld&status=all",
		 (long long)l->number);
	a = wms_call(&l->t->wms, "GET", path, NULL);
	wms_ok(&a);
	row = cJSON_GetArrayItem(
		cJSON_GetObjectItem(a.json, "allocation_requests"), 0);
	l->id = row ? number_of(row, "id") : 0;
	assert_true(!row || number_of(row, "warehouseId") == WAREHOUSE);
	snprintf(l->status, sizeof(l->status), "%s", text_of(row, "status"));
	answer_release(&a);
	return l->id > 0;
}

static int64_t request_of(struct stage *t, int64_t number, char status[32])
{
	struct listed l = {.t = t, .number = number};

	if (!wait_until(is_listed, &l, WITHIN))
		fail_msg("the request is not listed");
	snprintf(status, 32, "%s", l.status);
	return l.id;
}

/* PUT /allocation-request; true if it was a success. */
static bool answers_request(struct stage *t, int64_t id, const char *status)
{
	struct answer a = wms_call(&t->wms, "PUT", "/allocation-request",
				   "{\"id\":%lld,\"status\":\"%s\"}",
				   (long long)id, status);
	bool done = cJSON_IsTrue(cJSON_GetObjectItem(a.json, "success"));

	assert_int_equal(a.status, 200);
	assert_true(cJSON_HasObjectItem(a.json, "errorMessages"));
	if (done)
		stage_note(t, "request answered", &a);
	answer_release(&a);
	return done;
}

static void an_allocation_request_is_confirmed_once(struct stage *t)
{
	int64_t number = requested(t), id;
	char status[32];

	id = request_of(t, number, status);
	assert_true(answers_request(t, id, "confirmed"));
	request_of(t, number, status);
	assert_string_equal(status, "confirmed");
	assert_false(answers_request(t, id, "rejected"));
	assert_false(answers_request(t, 99999999, "confirmed"));
	request_of(t, number, status);
	assert_string_equal(status, "confirmed");
}

static void an_allocation_request_is_rejected(struct stage *t)
{
	int64_t number = requested(t), id;
	char status[32];

	id = request_of(t, number, status);
	assert_false(answers_request(t, id, "maybe"));
	assert_true(answers_request(t, id, "rejected"));
	request_of(t, number, status);
	assert_string_equal(status, "rejected");
	assert_false(answers_request(t, id, "confirmed"));
}

/* ---- stock and products ---- */

struct counted {
	struct stage *t;
	int64_t physical;
};

static int64_t physical_stock(struct stage *t)
{
	struct answer a = wms_call(&t->wms, "GET", "/stock?ean=" EAN, NULL);
	const cJSON *v;
	int64_t n;

	wms_ok(&a);
	v = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	n = number_of(v, "physicalStock");
	assert_int_equal(n, number_of(v, "allocatedStock") +
				    number_of(v, "availableStock"));
	stage_note(t, "stock", &a);
	answer_release(&a);
	return n;
}

static bool is_counted(void *arg)
{
	struct counted *c = arg;

	return physical_stock(c->t) == c->physical;
}

static void a_count_is_set(struct stage *t)
{
	struct counted c = {.t = t, .physical = 7};
	struct answer a;

	stage_offered(t, EAN); /* the size is known then */
	a = wms_call(&t->wms, "POST", "/stock",
		     "{\"products\":[{\"product\":\"" EAN
		     "\",\"quantity\":7}]}");
	wms_ok(&a);
	stage_note(t, "count set", &a);
	answer_release(&a);
	assert_true(wait_until(is_counted, &c, WITHIN));
	c.physical = 4;
	a = wms_call(&t->wms, "POST", "/stock",
		     "{\"products\":[{\"product\":\"RTT-OWH-S\","
		     "\"quantity\":4}]}");
	wms_ok(&a);
	answer_release(&a);
	assert_true(wait_until(is_counted, &c, WITHIN));
}

static void a_product_is_found_by_its_ean(struct stage *t)
{
	struct answer a;
	const cJSON *v;
	char sku[80];

	stage_offered(t, EAN);
	a = wms_call(&t->wms, "GET", "/products/?ean=" EAN, NULL);
	wms_ok(&a);
	v = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	snprintf(sku, sizeof(sku), "%s%s%s", text_of(v, "sku"),
		 text_of(v, "variantSku"), text_of(v, "sizeSku"));
	assert_string_equal(sku, "RTT-OWH-S");
	stage_note(t, "product", &a);
	answer_release(&a);
	a = wms_call(&t->wms, "GET", "/products?ean=0000000000000", NULL);
	wms_ok(&a);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "products")), 0);
	answer_release(&a);
}

/* ---- where it is told ---- */

/* The end of one stage, so that the next may begin. */
static void over(void **state, struct stage *t)
{
	shipfrom_passed(t->s);
	assert_int_equal(shipfrom_end(state), 0);
}

/* Told at Centra, and at the shop's own Order API: with shipments that shipfrom
 * makes, and with Centra's. */
static void told(void **state, chapter_fn *chapter)
{
	struct shapes centra = {0}, ours = {0}, taken = {0};
	struct stage t = stage_centra(&centra);

	*state = t.s;
	chapter(&t);
	over(state, &t);

	t = stage_shipfrom(&ours, false);
	*state = t.s;
	chapter(&t);
	over(state, &t);
	shapes_compare(&centra, &ours);

	t = stage_shipfrom(&taken, true);
	*state = t.s;
	chapter(&t);
	over(state, &t);
	shapes_compare(&centra, &taken);
	shapes_release(&centra);
	shapes_release(&ours);
	shapes_release(&taken);
}

#define CHAPTERS(X)                                                            \
	X(fetch_capture_complete)                                              \
	X(complete_captures_what_is_not_paid)                                  \
	X(short_pick)                                                          \
	X(pick_none_of_a_line_with_serial_numbers)                             \
	X(a_pick_of_more_or_of_what_is_not_there_is_refused)                   \
	X(what_is_captured_can_not_be_edited)                                  \
	X(a_refused_capture_ships_nothing)                                     \
	X(cancel_while_picking)                                                \
	X(delete_a_shipment)                                                   \
	X(everything_twice_ships_once)                                         \
	X(check_first_rejected_is_never_to_be_picked)                          \
	X(check_first_taken_by_another_is_refused)                             \
	X(check_first_without_its_fields_is_refused_for_each)                  \
	X(an_order_is_read_by_its_number)                                      \
	X(the_list_is_read_by_pages)                                           \
	X(what_is_not_there_is_refused)                                        \
	X(an_allocation_request_is_confirmed_once)                             \
	X(an_allocation_request_is_rejected)                                   \
	X(a_count_is_set)                                                      \
	X(a_product_is_found_by_its_ean)

#define TEST(chapter)                                                          \
	static void tell_##chapter(void **state)                               \
	{                                                                      \
		told(state, chapter);                                          \
	}
CHAPTERS(TEST)

int main(void)
{
#define ROW(chapter)                                                           \
	{#chapter, tell_##chapter, NULL, shipfrom_end, NULL},
	const struct CMUnitTest tests[] = {CHAPTERS(ROW)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
