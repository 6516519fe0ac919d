/* SPDX-License-Identifier: MIT
 *
 * routes.c - see routes.h.
 */
#include "server/routes.h"

#include <string.h>
#include "base/json_write.h"

#include "base/time.h"
#include "server/access/auth.h"
#include "base/json_write.h"
#include "server/admin/health.h"
#include "server/app.h"
#include "server/page/page.h"
#include "server/webhook/receive.h"
#include "server/webhook/unverified.h"
#include "server/access/me.h"
#include "server/access/session.h"
#include "server/face/face.h"
#include "server/shop/counts.h"
#include "server/shop/orders.h"
#include "server/shop/products.h"
#include "server/shop/deliveries.h"
#include "server/shop/returns.h"
#include "server/live/screens.h"

#define ACTION_MAX (16 << 10) /* bytes of the body of an accept or a reject; one
			      * character of a note may take 12 bytes */
#define SHIP_MAX  (64 << 10)
#define CODE_MAX  1024 /* body of a sign-in */

#define TICK 250 /* ms */

/* Flags of routes; every route whose function reads the store runs on a request
 * thread. */
#define ANYONE_READS (ROUTE_ANYONE | ROUTE_THREAD)
#define DEVICE_READS (ROUTE_DEVICE | ROUTE_THREAD)
#define DEVICE_ACTS  (ROUTE_DEVICE | ROUTE_THREAD | ROUTE_ACTION)
/* Of the shop's own Order API: the hook `identify` reads another header. */
#define KEY_READS (DEVICE_READS | ROUTE_SLASH)
#define KEY_ACTS  (DEVICE_READS | ROUTE_SLASH)
#define OPERATOR     (ROUTE_ANYONE | ROUTE_THREAD | ROUTE_OPERATOR)

/* clang-format off */
const struct http_route routes[] = {
	/* method  path                          where          flags         room          body max    function         early          help */
	{ "POST",  "/webhooks/centra/*",          LISTEN_PUBLIC, ROUTE_SIGNED, ROOM_WEBHOOK, BODY_LARGE, receive_webhook, receive_admit, "a delivery from Centra" },
	{ "GET",   "/healthz",                    LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_ADMIN,   0,          show_health,     NULL,          "200 while the process serves" },
	{ "GET",   "/readyz",                     LISTEN_PUBLIC, OPERATOR,     ROOM_ADMIN,   0,          show_ready,      NULL,          "200 while deliveries can be taken" },
	{ "GET",   "/api/v1/me",                  LISTEN_PUBLIC, DEVICE_READS, ROOM_ACCESS,  0,          staff_me,        NULL,          "which device of which shop asks" },
	{ "GET",   "/api/v1/orders",              LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          staff_orders,    NULL,          "the shop's orders, earliest deadline first" },
	{ "GET",   "/api/v1/orders/*",            LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          staff_order,     NULL,          "one order, with its timeline" },
	{ "GET",   "/api/v1/products",            LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          staff_products,  NULL,          "what a code is: name, size, picture" },
	{ "GET",   "/api/v1/stock",               LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          staff_stock,     NULL,          "how many of it Centra believes lie in the shop" },
	{ "POST",  "/api/v1/orders/*/accept",     LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX,  staff_accept,    NULL,          "the shop will ship this order" },
	{ "POST",  "/api/v1/orders/*/reject",     LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX,  staff_reject,    NULL,          "the shop will not ship this order" },
	{ "POST",  "/api/v1/orders/*/ship",       LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    SHIP_MAX,   staff_ship,      NULL,          "ship an accepted order, or some of it" },
	{ "POST",  "/api/v1/orders/*/problem",    LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX,  staff_problem,   NULL,          "an accepted order cannot be shipped after all" },
	{ "POST",  "/api/v1/orders/*/solved",     LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX,  staff_solved,    NULL,          "its problem is solved: it can be shipped" },
	{ "POST",  "/api/v1/orders/*/stopped",    LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX,  staff_stopped,   NULL,          "the shop knows that it must not ship this order" },
	{ "PUT",   "/api/v1/stock",               LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    COUNTS_BODY_MAX, stock_put,   NULL,          "how many of each item lie in the shop" },
	{ "GET",   "/api/v1/stock/results",       LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          stock_results,   NULL,          "what became of such counts" },
	{ "GET",   "/api/v1/returns",             LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    0,          staff_returnable, NULL,         "what of an order can be given back" },
	{ "POST",  "/api/v1/returns",             LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    ACTION_MAX, staff_return,    NULL,          "a customer gives goods back in the shop" },
	{ "GET",   "/api/v1/deliveries",          LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    0,          staff_deliveries, NULL,         "suppliers' deliveries that the shop is to receive" },
	{ "GET",   "/api/v1/deliveries/*",        LISTEN_PUBLIC, DEVICE_ACTS,  ROOM_SHOP,    0,          staff_delivery,  NULL,          "one of them, with its items" },
	{ "POST",  "/api/v1/deliveries/*/receive", LISTEN_PUBLIC, DEVICE_ACTS, ROOM_SHOP,    SHIP_MAX,   staff_receive,   NULL,          "the shop has received a delivery" },
	{ "GET",   "/api/v1/report",              LISTEN_PUBLIC, DEVICE_READS, ROOM_SHOP,    0,          staff_report,    NULL,          "how the shop has done" },
	{ "GET",   "/api/v1/stream",              LISTEN_PUBLIC, ROUTE_DEVICE, ROOM_LIVE,    0,          staff_stream,    NULL,          "what changes, as it changes: server-sent events" },
	{ "POST",  "/api/v1/session",             LISTEN_PUBLIC, ANYONE_READS, ROOM_ACCESS,  CODE_MAX,   session_begin,   NULL,          "signs a browser in with a login link's code" },
	{ "DELETE","/api/v1/session",             LISTEN_PUBLIC, DEVICE_READS, ROOM_ACCESS,  0,          session_end,     NULL,          "signs a browser out" },
	{ "GET",   "/order-api/*/shipments",      LISTEN_PUBLIC, KEY_READS,    ROOM_ORDER_API, 0,        face_shipments,  NULL,          "the shop's shipments, in Centra's shape" },
	{ "PUT",   "/order-api/*/shipments/*",    LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, SHIP_MAX, face_update,     NULL,          "fewer units of a shipment" },
	{ "DELETE","/order-api/*/shipments/*",    LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, 0,        face_delete,     NULL,          "gives a shipment back" },
	{ "PUT",   "/order-api/*/capture",        LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, SHIP_MAX, face_capture,    NULL,          "captures the payment of a shipment" },
	{ "PUT",   "/order-api/*/shipment",       LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, SHIP_MAX, face_complete,   NULL,          "completes a shipment" },
	{ "GET",   "/order-api/*/orders",         LISTEN_PUBLIC, KEY_READS,    ROOM_ORDER_API, 0,        face_orders,     NULL,          "one of the shop's orders, by its number" },
	{ "GET",   "/order-api/*/products",       LISTEN_PUBLIC, KEY_READS,    ROOM_ORDER_API, 0,        face_products,   NULL,          "products, as Centra shows them" },
	{ "GET",   "/order-api/*/stock",          LISTEN_PUBLIC, KEY_READS,    ROOM_ORDER_API, 0,        face_stock,      NULL,          "what Centra has of them in the shop" },
	{ "POST",  "/order-api/*/stock",          LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, COUNTS_BODY_MAX, face_set_stock, NULL,          "how many of each lie in the shop" },
	{ "GET",   "/order-api/*/allocation-requests", LISTEN_PUBLIC, KEY_READS, ROOM_ORDER_API, 0,      face_requests,   NULL,          "the shop's allocation requests" },
	{ "PUT",   "/order-api/*/allocation-request", LISTEN_PUBLIC, KEY_ACTS, ROOM_ORDER_API, ACTION_MAX, face_answer_request, NULL,    "confirms or rejects an allocation request" },
	{ "POST",  "/order-api/*/check-first",    LISTEN_PUBLIC, KEY_ACTS,     ROOM_ORDER_API, ACTION_MAX, face_check_first, NULL,       "accepts or rejects an offer" },
	{ "GET",   "/",                           LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_PAGE,    0,          show_page,       NULL,          "the staff page" },
	{ "GET",   "/login",                      LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_PAGE,    0,          show_page,       NULL,          "the staff page, as login links open it" },
	{ "GET",   "/page/*",                     LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_PAGE,    0,          show_page_file,  NULL,          "the page's own files" },
	{ "GET",   "/sw.js",                      LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_PAGE,    0,          show_page_file,  NULL,          "the page's service worker" },
	{ "GET",   "/manifest.webmanifest",       LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_PAGE,    0,          show_page_file,  NULL,          "makes the page installable" },
	{ "GET",   "/openapi.yaml",               LISTEN_PUBLIC, ROUTE_ANYONE, ROOM_ADMIN,   0,          show_openapi,    NULL,          "this API" },
	{ "GET",   "/refused",                    LISTEN_ADMIN,  ROUTE_ANYONE, ROOM_WEBHOOK, 0,          show_unverified,    NULL,          "refused deliveries that are kept in memory" },
	{ "POST",  "/refused/retry",              LISTEN_ADMIN,  ROUTE_ANYONE, ROOM_WEBHOOK, 0,          retry_unverified,   NULL,          "judges them again, by the present secrets" },
	{ "GET",   "/metrics",                    LISTEN_ADMIN,  OPERATOR,     ROOM_ADMIN,   0,          show_metrics,    NULL,          "Prometheus text" },
	{ 0 },
};
/* clang-format on */

/* ---- hooks: where the HTTP server calls the rooms ---- */

static void identify(void *arg, struct request *req, struct response *res)
{
	const struct app *app = arg;

	if (req->route->room == ROOM_ORDER_API)
		auth_identify_key(app->access, req, res);
	else
		auth_identify(app->access, req, res);
}

static void ended(void *arg, struct request *req)
{
	const struct app *app = arg;

	if (app->live)
		live_forget(app->live, req);
}

static void misdirected(void *arg, const struct request *req)
{
	const struct app *app = arg;

	receive_misdirected(app->receiver, req);
}

static void tick(void *arg)
{
	const struct app *app = arg;

	if (app->live)
		live_tick(app->live, time_mono());
}

struct http_hooks routes_hooks(struct app *app)
{
	return (struct http_hooks){
		.arg = app,
		.identify = identify,
		.caller_free = auth_free_caller,
		.ended = ended,
		.misdirected = misdirected,
		.tick = tick,
		.tick_ms = TICK,
	};
}

/* ---- the verb `routes` ---- */

static const char *auth_name(unsigned flags)
{
	if (flags & ROUTE_DEVICE)
		return flags & ROUTE_SLASH ? "key" : "device";
	return flags & ROUTE_SIGNED ? "signature" : "none";
}

static const char *listener_name(enum listen_at l)
{
	return l == LISTEN_ADMIN ? "admin" : "public";
}

static void describe_json(struct buf *out, const struct http_route *r)
{
	json_begin(out, NULL);
	json_put(out, "method", r->method);
	json_put(out, "path", r->path);
	json_put(out, "auth", auth_name(r->flags));
	json_put(out, "listener", listener_name(r->listener));
	if (r->body_max == BODY_LARGE)
		json_put(out, "body_max", "webhook_max_body");
	else
		json_put_uint(out, "body_max", r->body_max);
	json_put(out, "help", r->help);
	json_end(out);
	buf_char(out, '\n');
}

void routes_describe(struct buf *out, bool json)
{
	for (const struct http_route *r = routes; r->method; r++) {
		if (json)
			describe_json(out, r);
		else
			buf_fmt(out, "%-6s %-26s %-9s %-6s %s\n", r->method,
				r->path, auth_name(r->flags),
				listener_name(r->listener), r->help);
	}
}
