/* SPDX-License-Identifier: MIT
 *
 * answers.c - what the endpoints of the shop's own Order API share: answers in
 * Centra's shape, and what is read from a path.
 */
#include <string.h>

#include "base/json_write.h"
#include "base/number.h"
#include "server/face/face_private.h"

void face_count(const struct request *req, enum face_outcome how)
{
	struct counters *c = shop_of(req)->counters;

	if (!strcmp(req->method, "GET"))
		COUNT(c, order_api_reads_total);
	else
		COUNT(c, order_api_writes_total);
	if (how == FACE_NO)
		COUNT(c, order_api_refused_total);
	else if (how == FACE_LATER)
		COUNT(c, order_api_unsettled_total);
}

void face_no(struct response *res, const char *msg, int64_t order,
	     const char *shipment)
{
	buf_clear(&res->body);
	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "no");
	json_put(&res->body, "msg", msg);
	if (order)
		json_put_int(&res->body, "order", order);
	if (shipment)
		json_put(&res->body, "shipment", shipment);
	json_end(&res->body);
	respond_json(res, 200);
}

void face_later(struct response *res, const char *msg)
{
	face_no(res, msg, 0, NULL);
	res->status = 503;
	res->retry_after = 1;
}

const char *face_param(const struct request *req)
{
	const char *last = strrchr(req->param, '/');

	return last ? last + 1 : "";
}

bool face_order_of(const char *shipment, int64_t *ret)
{
	const char *at = shipment;

	return strlen(shipment) < SHIP_NUMBER_SIZE &&
	       number_begin(&at, INT64_MAX, ret) && *ret > 0 && *at == '-' &&
	       at[1] && strspn(at + 1, "0123456789") == strlen(at + 1);
}
