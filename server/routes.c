/* SPDX-License-Identifier: MIT
 *
 * routes.c - see routes.h.
 */
#include "server/routes.h"

#include <string.h>

#include "server/admin/health.h"
#include "server/page/page.h"
#include "server/webhook/receive.h"
#include "server/webhook/unverified.h"
#include "server/access/session.h"
#include "server/shop/orders.h"
#include "server/live/screens.h"

#define PRESS_MAX (16 << 10) /* body of an accept or a reject; a character
			       * of a note may be written with 12 bytes */
#define SHIP_MAX  (64 << 10)
#define CODE_MAX  1024 /* body of a sign-in */

/* clang-format off */
const struct route routes[] = {
	/* method  path                          who may ask  where          body max      answer           early          help */
	{ "POST", "/webhooks/centra/*",          AUTH_SIGNED, LISTEN_PUBLIC, BODY_WEBHOOK, receive_webhook, receive_admit, "a delivery from Centra" },
	{ "GET",  "/healthz",                    AUTH_NONE,   LISTEN_PUBLIC, 0,            show_health,     NULL,          "200 while the process serves" },
	{ "GET",  "/readyz",                     AUTH_NONE,   LISTEN_PUBLIC, 0,            show_ready,      NULL,          "200 while deliveries can be taken" },
	{ "GET",  "/api/v1/me",                  AUTH_DEVICE, LISTEN_PUBLIC, 0,            staff_me,        NULL,          "which device of which shop asks" },
	{ "GET",  "/api/v1/orders",              AUTH_DEVICE, LISTEN_PUBLIC, 0,            staff_orders,    NULL,          "the shop's orders, earliest deadline first" },
	{ "GET",  "/api/v1/orders/*",            AUTH_DEVICE, LISTEN_PUBLIC, 0,            staff_order,     NULL,          "one order, with its timeline" },
	{ "POST", "/api/v1/orders/*/accept",     AUTH_DEVICE, LISTEN_PUBLIC, PRESS_MAX,    staff_accept,    NULL,          "the shop will ship this order" },
	{ "POST", "/api/v1/orders/*/reject",     AUTH_DEVICE, LISTEN_PUBLIC, PRESS_MAX,    staff_reject,    NULL,          "the shop will not ship this order" },
	{ "POST", "/api/v1/orders/*/ship",       AUTH_DEVICE, LISTEN_PUBLIC, SHIP_MAX,     staff_ship,      NULL,          "ship an accepted order, or some of it" },
	{ "POST", "/api/v1/orders/*/problem",    AUTH_DEVICE, LISTEN_PUBLIC, PRESS_MAX,    staff_problem,   NULL,          "an accepted order cannot be shipped after all" },
	{ "POST", "/api/v1/orders/*/solved",     AUTH_DEVICE, LISTEN_PUBLIC, PRESS_MAX,    staff_solved,    NULL,          "its problem is solved: it can be shipped" },
	{ "POST", "/api/v1/orders/*/stopped",    AUTH_DEVICE, LISTEN_PUBLIC, PRESS_MAX,    staff_stopped,   NULL,          "the shop knows that it must not ship this order" },
	{ "GET",  "/api/v1/report",              AUTH_DEVICE, LISTEN_PUBLIC, 0,            staff_report,    NULL,          "how the shop has done" },
	{ "GET",  "/api/v1/stream",              AUTH_DEVICE, LISTEN_PUBLIC, 0,            staff_stream,    NULL,          "what changes, as it changes: server-sent events" },
	{ "POST", "/api/v1/session",             AUTH_NONE,   LISTEN_PUBLIC, CODE_MAX,     session_begin,   NULL,          "signs a browser in with a login link's code" },
	{ "DELETE", "/api/v1/session",           AUTH_DEVICE, LISTEN_PUBLIC, 0,            session_end,     NULL,          "signs a browser out" },
	{ "GET",  "/",                           AUTH_NONE,   LISTEN_PUBLIC, 0,            show_page,       NULL,          "the staff page" },
	{ "GET",  "/login",                      AUTH_NONE,   LISTEN_PUBLIC, 0,            show_page,       NULL,          "the staff page, as login links open it" },
	{ "GET",  "/page/*",                     AUTH_NONE,   LISTEN_PUBLIC, 0,            show_page_file,  NULL,          "the page's own files" },
	{ "GET",  "/sw.js",                      AUTH_NONE,   LISTEN_PUBLIC, 0,            show_page_file,  NULL,          "the page's service worker" },
	{ "GET",  "/manifest.webmanifest",       AUTH_NONE,   LISTEN_PUBLIC, 0,            show_page_file,  NULL,          "makes the page installable" },
	{ "GET",  "/openapi.yaml",               AUTH_NONE,   LISTEN_PUBLIC, 0,            show_openapi,    NULL,          "this API" },
	{ "GET",  "/refused",                    AUTH_NONE,   LISTEN_ADMIN,  0,            show_refused,    NULL,          "refused deliveries that are kept in memory" },
	{ "POST", "/refused/retry",              AUTH_NONE,   LISTEN_ADMIN,  0,            retry_refused,   NULL,          "judges them again, by the present secrets" },
	{ "GET",  "/metrics",                    AUTH_NONE,   LISTEN_ADMIN,  0,            show_metrics,    NULL,          "Prometheus text" },
	{ 0 },
};
/* clang-format on */

static const char *auth_name(enum auth a)
{
	static const char *const names[] = {"unset", "none", "signature",
					    "device"};

	return names[a];
}

static const char *listener_name(enum listener l)
{
	return l == LISTEN_ADMIN ? "admin" : "public";
}

/* ---- checking the table ---- */

static bool method_known(const char *m)
{
	return !strcmp(m, "GET") || !strcmp(m, "POST") || !strcmp(m, "DELETE");
}

static enum rc route_check(const struct route *r, struct err *e)
{
	const char *star = r->path ? strchr(r->path, '*') : NULL;

	if (!r->path || r->path[0] != '/')
		return fail(e, RC_INVALID, "a route has no path");
	if (!method_known(r->method))
		return fail(e, RC_INVALID, "route '%s' has the method '%s'",
			    r->path, r->method);
	if (r->auth <= AUTH_UNSET || r->auth > AUTH_DEVICE)
		return fail(e, RC_INVALID,
			    "route '%s' does not say who may ask", r->path);
	if (!r->answer || !r->help)
		return fail(e, RC_INVALID, "route '%s' lacks %s", r->path,
			    r->answer ? "help" : "an answer");
	if (star && (star[-1] != '/' || (star[1] && star[1] != '/') ||
		     strchr(star + 1, '*')))
		return fail(e, RC_INVALID,
			    "route '%s': one * stands for one segment",
			    r->path);
	return OK;
}

enum rc routes_check(const struct route *table, struct err *e)
{
	for (const struct route *r = table; r->method; r++) {
		enum rc rc = route_check(r, e);

		if (rc)
			return rc;
		for (const struct route *q = table; q < r; q++)
			if (q->listener == r->listener &&
			    !strcmp(q->method, r->method) &&
			    !strcmp(q->path, r->path))
				return fail(e, RC_INVALID,
					    "route '%s %s' is there twice",
					    r->method, r->path);
	}
	return OK;
}

/* ---- finding a row ---- */

/* What follows the * of a row, or what may: people who type a webhook's URL into
 * Centra end it with a slash. */
static bool tail_matches(const struct route *r, const char *want,
			 const char *tail)
{
	return !strcmp(want, tail) ||
	       (r->auth == AUTH_SIGNED && !*want && !strcmp(tail, "/"));
}

/* *ret, *ret_len: what the * stands for. */
static bool path_matches(const struct route *r, const char *path,
			 const char **ret, size_t *ret_len)
{
	const char *star = strchr(r->path, '*');
	size_t before = star ? (size_t)(star - r->path) : 0;

	*ret = "";
	*ret_len = 0;
	if (!star)
		return !strcmp(r->path, path);
	if (strncmp(r->path, path, before))
		return false;
	*ret = path + before;
	*ret_len = strcspn(*ret, "/");
	return *ret_len && tail_matches(r, star + 1, *ret + *ret_len);
}

enum { DO_GET = 1, DO_POST = 2, DO_DELETE = 4 };

static unsigned method_bit(const char *m)
{
	if (!strcmp(m, "GET"))
		return DO_GET;
	return !strcmp(m, "POST") ? DO_POST : DO_DELETE;
}

static const char *allow_text(unsigned methods)
{
	static const char *const texts[] = {
		NULL,
		"GET, HEAD",
		"POST",
		"GET, HEAD, POST",
		"DELETE",
		"GET, HEAD, DELETE",
		"POST, DELETE",
		"GET, HEAD, POST, DELETE",
	};

	return texts[methods];
}

const struct route *routes_find(enum listener l, const char *method,
				const char *path, char *ret_param,
				size_t param_size, const char **ret_allow)
{
	const char *want = strcmp(method, "HEAD") ? method : "GET";
	unsigned methods = 0;

	*ret_allow = NULL;
	for (const struct route *r = routes; r->method; r++) {
		const char *param;
		size_t len;

		if (r->listener != l ||
		    !path_matches(r, path, &param, &len) ||
		    len >= param_size)
			continue;
		methods |= method_bit(r->method);
		if (strcmp(r->method, want))
			continue;
		memcpy(ret_param, param, len);
		ret_param[len] = '\0';
		return r;
	}
	*ret_allow = allow_text(methods);
	return NULL;
}

/* ---- telling ---- */

static void describe_json(struct buf *out, const struct route *r)
{
	buf_str(out, "{\"method\":");
	buf_json(out, r->method);
	buf_str(out, ",\"path\":");
	buf_json(out, r->path);
	buf_str(out, ",\"auth\":");
	buf_json(out, auth_name(r->auth));
	buf_str(out, ",\"listener\":");
	buf_json(out, listener_name(r->listener));
	if (r->body_max == BODY_WEBHOOK)
		buf_str(out, ",\"body_max\":\"webhook_max_body\"");
	else
		buf_fmt(out, ",\"body_max\":%zu", r->body_max);
	buf_str(out, ",\"help\":");
	buf_json(out, r->help);
	buf_str(out, "}\n");
}

void routes_describe(struct buf *out, bool json)
{
	for (const struct route *r = routes; r->method; r++) {
		if (json)
			describe_json(out, r);
		else
			buf_fmt(out, "%-6s %-26s %-9s %-6s %s\n", r->method,
				r->path, auth_name(r->auth),
				listener_name(r->listener), r->help);
	}
}
