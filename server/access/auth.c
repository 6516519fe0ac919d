/* SPDX-License-Identifier: MIT
 *
 * auth.c - see auth.h.
 */
#include "server/access/auth.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/app.h"
#include "server/access/login_limit.h"

/* ---- origins ---- */

bool origin_of(char ret[ORIGIN_SIZE], const char *url)
{
	const char *own = NULL, *host;
	size_t len;

	if (!strncasecmp(url, "http://", 7))
		own = ":80";
	else if (!strncasecmp(url, "https://", 8))
		own = ":443";
	if (!own)
		return false;
	host = strchr(url, ':') + 3;
	len = strcspn(host, "/?#");
	if (len > strlen(own) &&
	    !strncmp(host + len - strlen(own), own, strlen(own)))
		len -= strlen(own);
	len += (size_t)(host - url);
	if (len >= ORIGIN_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)tolower((unsigned char)url[i]);
	ret[len] = '\0';
	return true;
}

bool auth_origin(const struct request *req, struct response *res)
{
	const char *origin = request_header(req, "Origin");
	char ours[ORIGIN_SIZE], theirs[ORIGIN_SIZE];

	if (!origin ||
	    (origin_of(theirs, origin) &&
	     origin_of(ours, caller_of(req)->config->server.public_url) &&
	     !strcmp(ours, theirs)))
		return true;
	log_limited(6, LOG_WARN, "another page's request refused",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 403, "origin",
			"this was sent by another page than %s (is public_url "
			"the address that this page was opened by?)",
			caller_of(req)->config->server.public_url);
	return false;
}

/* ---- who asks ---- */

void auth_refuse(struct request *req, struct response *res, const char *code,
		 const char *detail)
{
	COUNT(&request_app(req)->counters, auth_refused_total);
	log_limited(6, LOG_WARN, "device refused", LOG_S("code", code),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 401, code, "%s", detail);
}

const struct caller *caller_of(const struct request *req)
{
	return req->caller;
}

struct caller *caller_make(struct request *req)
{
	struct caller *c = xcalloc(1, sizeof(*c));

	c->config = config_now(request_app(req)->config);
	req->caller = c;
	return c;
}

void caller_free(void *caller)
{
	struct caller *c = caller;

	config_drop(c->config);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

static enum rc find_device(const struct app *app, const struct caller *c,
			   struct device *ret, struct err *e)
{
	return c->by_session ? store_device_by_session(app->store,
						       c->credential, ret, e)
			     : store_device_by_token(app->store, c->credential,
						     ret, e);
}

bool auth_https(const struct config *c)
{
	return !strncasecmp(c->server.public_url, "https:", 6);
}

/* "Bearer", in any case, and a token (RFC 9110, 11.1). */
static enum rc identify_token(struct request *req, const char *header,
			      struct err *e)
{
	struct caller *c = req->caller;

	if (strncasecmp(header, "Bearer ", 7) != 0 ||
	    token_hash(header + 7 + strspn(header + 7, " "), c->credential))
		return RC_NOTFOUND;
	return find_device(request_app(req), c, &c->device, e);
}

/* The session that a request's cookies name. */
struct wanted {
	struct request *req;
	const char *name; /* of the cookie */
	struct err *e;
	enum rc rc; /* RC_NOTFOUND: none of them so far */
};

/* True: it is no session, and the next may be one. */
static bool try_session(struct wanted *w, const char token[TOKEN_SIZE])
{
	struct caller *c = w->req->caller;

	c->by_session = true;
	w->rc = token_hash(token, c->credential) ? RC_NOTFOUND : OK;
	if (!w->rc)
		w->rc = find_device(request_app(w->req), c, &c->device, w->e);
	if (!w->rc)
		w->rc = token_csrf(c->csrf, token, w->e);
	return w->rc == RC_NOTFOUND;
}

/* For request_headers(): a browser that kept a cookie of another path, or of a
 * time before, sends two of one name, and the good one may be any. */
static bool try_cookies(void *arg, const char *value)
{
	struct wanted *w = arg;
	size_t name = strlen(w->name);
	char token[TOKEN_SIZE];
	bool more = true;

	while (*value && more) {
		size_t len, all;

		value += strspn(value, "; \t");
		len = all = strcspn(value, ";");
		while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		if (!strncmp(value, w->name, name) && value[name] == '=' &&
		    len - name == TOKEN_SIZE) {
			memcpy(token, value + name + 1, TOKEN_SIZE - 1);
			token[TOKEN_SIZE - 1] = '\0';
			more = try_session(w, token);
		}
		value += all;
	}
	OPENSSL_cleanse(token, sizeof(token));
	return more;
}

/* By its token if it sends one, even a wrong one; else by its session. */
static enum rc identify(struct request *req, struct err *e)
{
	const char *header = request_header(req, "Authorization");
	struct wanted w = {.req = req, .e = e, .rc = RC_NOTFOUND};

	if (header)
		return identify_token(req, header, e);
	if (auth_https(caller_of(req)->config)) {
		w.name = SESSION_COOKIE_HTTPS;
		request_headers(req, "Cookie", try_cookies, &w);
	}
	if (w.rc == RC_NOTFOUND) {
		w.name = SESSION_COOKIE;
		request_headers(req, "Cookie", try_cookies, &w);
	}
	return w.rc;
}

static bool changes_something(const struct request *req)
{
	return strcmp(req->method, "GET") && strcmp(req->method, "HEAD");
}

static void check_page(struct request *req, struct response *res)
{
	const char *sent = request_header(req, "X-CSRF-Token");

	if (!auth_origin(req, res))
		return;
	if (sent && strlen(sent) == TOKEN_SIZE - 1 &&
	    !CRYPTO_memcmp(sent, caller_of(req)->csrf, TOKEN_SIZE - 1))
		return;
	respond_problem(res, 403, "csrf",
			"send the X-CSRF-Token that /api/v1/me gives");
}

/* A request that claims to be nobody's fails without being counted: a page
 * asks so before anyone has signed in. */
static bool claims(const struct request *req)
{
	return caller_of(req)->by_session ||
	       request_header(req, "Authorization");
}

void auth_failed(const struct request *req)
{
	peers_failed(request_app(req)->peers, req->client,
		     caller_of(req)->config->server.failed_sign_ins,
		     time_mono());
}

bool auth_limited(const struct request *req, struct response *res)
{
	int64_t wait = peers_wait(
		request_app(req)->peers, req->client,
		caller_of(req)->config->server.failed_sign_ins, time_mono());

	if (!wait)
		return false;
	COUNT(&request_app(req)->counters, sign_ins_limited_total);
	log_limited(6, LOG_WARN, "too many sign-ins failed",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 429, "too_many_failures",
			"too many sign-ins from your address failed; wait");
	res->retry_after = (wait + 999) / 1000;
	return true;
}

/* One answer for what is missing, malformed, unknown or removed. */
void auth_device(struct request *req, struct response *res)
{
	struct caller *c = caller_make(req);
	struct err e = {""};
	enum rc rc = identify(req, &e);

	if (rc == RC_NOTFOUND) {
		if (claims(req)) {
			if (auth_limited(req, res))
				return;
			auth_failed(req);
		}
		auth_refuse(req, res, "unauthorized",
			    "send the token of a device that is signed in");
		return;
	}
	if (rc) {
		log_limited(6, LOG_ERROR, "devices cannot be read",
			    LOG_S("rc", rc_name(rc)), LOG_S("error", e.text),
			    LOG_REQUEST(req));
		respond_problem(res, 503, "not_stored",
				"devices cannot be read right now");
		res->retry_after = 1;
		return;
	}
	req->caller_id = c->device.id;
	c->shop = config_shop(c->config, c->device.shop);
	if (!c->shop)
		auth_refuse(req, res, "shop_not_configured",
			    code_words("shop_not_configured"));
	else if (c->by_session && changes_something(req))
		check_page(req, res);
}

bool auth_still(const struct request *req)
{
	struct device d;
	struct err e;

	/* A store that cannot be read tells nothing of it. */
	return find_device(request_app(req), caller_of(req), &d, &e) !=
	       RC_NOTFOUND;
}
