/* SPDX-License-Identifier: MIT
 *
 * client.h - a warehouse system as it talks to Centra's Order API: written from
 * Centra's guides alone, and so with no knowledge of who answers.
 *
 * It knows an address and a key.  Every reply is HTTP 200 with "status" ok or
 * no; wms_ok() and wms_no() fail the test on any other.  Only the test's own
 * thread may call.
 */
#ifndef TESTS_WMS_CLIENT_H
#define TESTS_WMS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/harness/http.h"

struct wms {
	char url[192]; /* https://brand.centra.com/api/order-api */
	char key[128];
};

/* Any call of the API.  `json`: made as by printf; NULL: no body. */
struct answer wms_call(const struct wms *w, const char *method,
		       const char *path, const char *json, ...)
	__attribute__((format(printf, 4, 5)));

/* GET /shipments of an order, by status ("goodtogo", "inprogress",
 * "completed"; NULL: what Centra shows without one). */
struct answer wms_shipments(const struct wms *w, int64_t order,
			    const char *status);
/* PUT /shipments/<number> with the quantity of each line; `lines` is JSON, as
 * {"43243":1}. */
struct answer wms_pick(const struct wms *w, const char *shipment,
		       const char *lines);
struct answer wms_capture(const struct wms *w, const char *shipment);
/* PUT /shipment: good to go, shipped, with a tracking number. */
struct answer wms_complete(const struct wms *w, int64_t order,
			   const char *shipment, const char *tracking);
struct answer wms_delete(const struct wms *w, const char *shipment);
/* POST /check-first */
struct answer wms_check_first(const struct wms *w, int64_t order,
			      int64_t warehouse, bool accept);

/* Fails the test unless the answer is 200 with "status":"ok". */
void wms_ok(const struct answer *a);
/* Fails the test unless it is 200 with "status":"no" and a text. */
void wms_no(const struct answer *a);

/* ---- a shipment to pick ---- */

#define WMS_LINES 16
struct wms_shipment {
	char number[32]; /* "83651-1"; "": there is none */
	bool should_capture, paid;
	char name[128];	 /* deliveryName */
	struct {
		char id[32]; /* lineId */
		char ean[32];
		int64_t quantity;
	} lines[WMS_LINES];
	size_t n_lines;
};

/* The first shipment in an answer of GET /shipments. */
struct wms_shipment wms_first(const struct answer *a);
/* Polls the list of what is good to go until the order is there; fails the
 * test after `ms`. */
struct wms_shipment wms_wait(const struct wms *w, int64_t order, int ms);
/* Polls until the order has left the list. */
void wms_wait_gone(const struct wms *w, int64_t order, int ms);

#endif
