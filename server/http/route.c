/* SPDX-License-Identifier: MIT
 *
 * route.c - the table of routes (http.h): its check, and the search in it.
 */
#include <string.h>

#include "server/http/http.h"

/* ---- checking the table ---- */

static bool method_known(const char *m)
{
	return !strcmp(m, "GET") || !strcmp(m, "POST") || !strcmp(m, "PUT") ||
	       !strcmp(m, "DELETE");
}

#define STARS_MAX 2

/* True if each * of the path is a whole segment, and there are few of them. */
static bool stars_fit(const char *path)
{
	unsigned n = 0;

	for (const char *s = strchr(path, '*'); s; s = strchr(s + 1, '*'))
		if (++n > STARS_MAX || s[-1] != '/' || (s[1] && s[1] != '/'))
			return false;
	return true;
}

static enum rc route_check(const struct http_route *r, struct err *e)
{
	unsigned who = r->flags & (ROUTE_ANYONE | ROUTE_SIGNED | ROUTE_DEVICE);

	if (!r->path || r->path[0] != '/')
		return fail(e, RC_INVALID, "a route has no path");
	if (!method_known(r->method))
		return fail(e, RC_INVALID, "route '%s' has the method '%s'",
			    r->path, r->method);
	if (who != ROUTE_ANYONE && who != ROUTE_SIGNED && who != ROUTE_DEVICE)
		return fail(e, RC_INVALID,
			    "route '%s' does not say who may ask", r->path);
	if (!r->fn || !r->help)
		return fail(e, RC_INVALID, "route '%s' lacks %s", r->path,
			    r->fn ? "help" : "a function");
	if (!stars_fit(r->path))
		return fail(e, RC_INVALID,
			    "route '%s': one * stands for one segment",
			    r->path);
	return OK;
}

enum rc http_routes_check(const struct http_route *table, struct err *e)
{
	for (const struct http_route *r = table; r->method; r++) {
		enum rc rc = route_check(r, e);

		if (rc)
			return rc;
		for (const struct http_route *q = table; q < r; q++)
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

/* True if the rest of the path fits the row.  At a route with ROUTE_SIGNED or
 * ROUTE_SLASH a slash at the end is accepted too: people who type a webhook's
 * URL into Centra add it, and so do clients of its Order API. */
static bool tail_matches(const struct http_route *r, const char *want,
			 const char *tail)
{
	size_t len = strlen(want);

	if (!strncmp(want, tail, len) && !strcmp(tail + len, "/"))
		return r->flags & ROUTE_SLASH ||
		       (r->flags & ROUTE_SIGNED && !*want);
	return !strcmp(want, tail);
}

/* True if the path fits the row; *ret and *ret_len are what the * stands for;
 * of two, all from the first to the end of the second. */
static bool path_matches(const struct http_route *r, const char *path,
			 const char **ret, size_t *ret_len)
{
	const char *want = r->path, *star, *at = path;

	*ret = "";
	*ret_len = 0;
	while ((star = strchr(want, '*'))) {
		size_t before = (size_t)(star - want), len;

		if (strncmp(at, want, before))
			return false;
		at += before;
		len = strcspn(at, "/");
		if (!len)
			return false;
		if (!**ret)
			*ret = at;
		at += len;
		*ret_len = (size_t)(at - *ret);
		want = star + 1;
	}
	return tail_matches(r, want, at);
}

enum { DO_GET = 1, DO_POST = 2, DO_DELETE = 4, DO_PUT = 8 };

static unsigned method_bit(const char *m)
{
	if (!strcmp(m, "GET"))
		return DO_GET;
	if (!strcmp(m, "PUT"))
		return DO_PUT;
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
		"PUT",
		"GET, HEAD, PUT",
		"POST, PUT",
		"GET, HEAD, POST, PUT",
		"DELETE, PUT",
		"GET, HEAD, DELETE, PUT",
		"POST, DELETE, PUT",
		"GET, HEAD, POST, DELETE, PUT",
	};

	return texts[methods];
}

const struct http_route *http_route_find(const struct http_route *table,
					 enum listen_at l, const char *method,
					 const char *path, char *ret_param,
					 size_t param_size,
					 const char **ret_allow)
{
	const char *want = strcmp(method, "HEAD") ? method : "GET";
	unsigned methods = 0;

	*ret_allow = NULL;
	for (const struct http_route *r = table; r->method; r++) {
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
