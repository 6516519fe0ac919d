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

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/access/access_private.h"

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

bool auth_origin(const struct config *c, const struct request *req,
		 struct response *res)
{
	const char *origin = request_header(req, "Origin");
	char ours[ORIGIN_SIZE], theirs[ORIGIN_SIZE];

	if (!origin ||
	    (origin_of(theirs, origin) &&
	     origin_of(ours, c->server.public_url) &&
	     !strcmp(ours, theirs)))
		return true;
	log_limited(6, LOG_WARN, "another page's request refused",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 403, "origin",
			"this was sent by another page than %s (is public_url "
			"the address that this page was opened by?)",
			c->server.public_url);
	return false;
}

/* ---- devices ---- */

void auth_refuse(struct access *a, const struct request *req,
		 struct response *res, const char *code, const char *detail)
{
	COUNT(a->parts.counters, auth_refused_total);
	log_limited(6, LOG_WARN, "device refused", LOG_S("code", code),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 401, code, "%s", detail);
}

static enum rc find_device(struct access *a,
			   const unsigned char hash[TOKEN_HASH_SIZE],
			   bool is_session, struct device *ret, struct err *e)
{
	return is_session ?
		       store_device_by_session(a->parts.store, hash, ret, e) :
		       store_device_by_token(a->parts.store, hash, ret, e);
}

/* As find_device(), for a device of this kind: to all others the credential
 * says nothing. */
static enum rc find_kind(struct access *a, const struct caller *c,
			 enum device_kind kind, struct device *ret,
			 struct err *e)
{
	enum rc rc = find_device(a, c->credential, c->by_session, ret, e);

	return !rc && ret->kind != kind ?
		       fail(e, RC_NOTFOUND, "the credential is of another "
					    "kind") :
		       rc;
}

bool auth_https(const struct config *c)
{
	return !strncasecmp(c->server.public_url, "https:", 6);
}

/* A request whose sender is to be found. */
struct attempt {
	struct access *access;
	const struct request *req;
	struct caller *caller; /* filled in */
	const char *cookie;    /* the name of the session cookie */
	struct err *e;
	enum rc rc; /* RC_NOTFOUND: no credential was valid so far */
};

static enum rc find_caller(struct attempt *t)
{
	struct caller *c = t->caller;

	return find_kind(t->access, c, DEVICE_STAFF, &c->device, t->e);
}

/* Reads "Bearer", in any case, and a token (RFC 9110, 11.1), and finds its
 * device. */
static enum rc identify_token(struct attempt *t, const char *header)
{
	if (strncasecmp(header, "Bearer ", 7) != 0 ||
	    token_hash(header + 7 + strspn(header + 7, " "),
		       t->caller->credential))
		return RC_NOTFOUND;
	return find_caller(t);
}

/* Tries a cookie's value.  True: it is no session, so try the next cookie. */
static bool try_session(struct attempt *t, const char token[TOKEN_SIZE])
{
	struct caller *c = t->caller;

	c->by_session = true;
	t->rc = token_hash(token, c->credential) ? RC_NOTFOUND : OK;
	if (!t->rc)
		t->rc = find_caller(t);
	if (!t->rc)
		t->rc = token_csrf(c->csrf, token, t->e);
	return t->rc == RC_NOTFOUND;
}

/* Tries each session cookie of a header.  A browser that kept a cookie of
 * another path, or an older one, sends two with one name, and either may be the
 * valid one.  For request_headers(). */
static bool try_cookies(void *arg, const char *value)
{
	struct attempt *t = arg;
	size_t name = strlen(t->cookie);
	char token[TOKEN_SIZE];
	bool more = true;

	while (*value && more) {
		size_t len, all;

		value += strspn(value, "; \t");
		len = all = strcspn(value, ";");
		while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		if (!strncmp(value, t->cookie, name) && value[name] == '=' &&
		    len - name == TOKEN_SIZE) {
			memcpy(token, value + name + 1, TOKEN_SIZE - 1);
			token[TOKEN_SIZE - 1] = '\0';
			more = try_session(t, token);
		}
		value += all;
	}
	OPENSSL_cleanse(token, sizeof(token));
	return more;
}

/* Identifies the sender by its token if it sends one, even a wrong one; else by
 * its session. */
static enum rc identify(struct attempt *t)
{
	const char *header = request_header(t->req, "Authorization");

	if (header)
		return identify_token(t, header);
	if (auth_https(t->caller->config)) {
		t->cookie = SESSION_COOKIE_HTTPS;
		request_headers(t->req, "Cookie", try_cookies, t);
	}
	if (t->rc == RC_NOTFOUND) {
		t->cookie = SESSION_COOKIE;
		request_headers(t->req, "Cookie", try_cookies, t);
	}
	return t->rc;
}

static bool changes_something(const struct request *req)
{
	return strcmp(req->method, "GET") && strcmp(req->method, "HEAD");
}

static void check_page(const struct caller *c, const struct request *req,
		       struct response *res)
{
	const char *sent = request_header(req, "X-CSRF-Token");

	if (!auth_origin(c->config, req, res))
		return;
	if (sent && strlen(sent) == TOKEN_SIZE - 1 &&
	    !CRYPTO_memcmp(sent, c->csrf, TOKEN_SIZE - 1))
		return;
	respond_problem(res, 403, "csrf",
			"send the X-CSRF-Token that /api/v1/me gives");
}

void auth_failed(struct access *a, const struct config *c,
		 const struct request *req)
{
	login_failed(a->failures, req->client, c->server.failed_sign_ins,
		     time_mono());
}

bool auth_limited(struct access *a, const struct config *c,
		  const struct request *req, struct response *res)
{
	int64_t wait = login_wait(a->failures, req->client,
				  c->server.failed_sign_ins, time_mono());

	if (!wait)
		return false;
	COUNT(a->parts.counters, sign_ins_limited_total);
	log_limited(6, LOG_WARN, "too many sign-ins failed",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 429, "too_many_failures",
			"too many sign-ins from your address failed; wait");
	res->retry_after = (wait + 999) / 1000;
	return true;
}

/* Responds the same to a credential that is missing, malformed, unknown or
 * removed.  A request without a credential is not counted as a failure: the
 * page sends one before anyone has signed in. */
static void not_identified(struct attempt *t, struct response *res)
{
	const struct config *c = t->caller->config;

	if (t->caller->by_session ||
	    request_header(t->req, "Authorization")) {
		if (auth_limited(t->access, c, t->req, res))
			return;
		auth_failed(t->access, c, t->req);
	}
	auth_refuse(t->access, t->req, res, "unauthorized",
		    "send the token of a device that is signed in");
}

void auth_unread(struct access *a, const struct request *req,
		 struct response *res, enum rc rc, const struct err *e)
{
	log_limited(6, LOG_ERROR, "devices cannot be read",
		    LOG_S("rc", rc_name(rc)), LOG_S("error", e->text),
		    LOG_REQUEST(req));
	if (rc == RC_INVALID) {
		auth_refuse(a, req, res, "device_unreadable",
			    code_words("device_unreadable"));
		return;
	}
	respond_problem(res, 503, "not_stored",
			"devices cannot be read right now");
	res->retry_after = 1;
}

void auth_identify(void *access, struct request *req, struct response *res)
{
	struct caller *c = xcalloc(1, sizeof(*c));
	struct err e = {""};
	struct attempt t = {.access = access,
			    .req = req,
			    .caller = c,
			    .e = &e,
			    .rc = RC_NOTFOUND};

	c->config = config_now(t.access->parts.config);
	req->caller = c;
	t.rc = identify(&t);
	if (t.rc == RC_NOTFOUND) {
		not_identified(&t, res);
		return;
	}
	if (t.rc) {
		auth_unread(access, req, res, t.rc, &e);
		return;
	}
	req->caller_id = c->device.id;
	c->shop = config_shop(c->config, c->device.shop);
	if (!c->shop)
		auth_refuse(t.access, req, res, "shop_not_configured",
			    code_words("shop_not_configured"));
	else if (c->by_session && changes_something(req))
		check_page(c, req, res);
}

/* ---- keys of /order-api ---- */

#define USED_EVERY ((int64_t)3600 * 1000) /* ms between writes of `used` */

static void used_kept(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)rc; /* it is kept next time */
	(void)e;
	free(d);
}

/* Keeps when the key was used, now and then.  Nobody waits for it. */
static void keep_used(struct access *a, const struct device *d, int64_t now)
{
	struct store_done *done;
	struct err e;

	if (d->used && d->used <= now && now - d->used < USED_EVERY)
		return;
	done = xcalloc(1, sizeof(*done));
	done->fn = used_kept;
	if (store_device_used(a->parts.store, d->id, now, done, &e))
		free(done);
}

/* True if the route's shop is the caller's. */
static bool own_shop(const struct caller *c, const struct request *req)
{
	size_t len = strcspn(req->param, "/");

	return strlen(c->device.shop) == len &&
	       !strncmp(c->device.shop, req->param, len);
}

static void not_allowed(struct attempt *t, struct response *res,
			const char *code)
{
	COUNT(t->access->parts.counters, auth_refused_total);
	log_limited(6, LOG_WARN, "device refused", LOG_S("code", code),
		    LOG_S("peer", t->req->client), LOG_REQUEST(t->req));
	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "Not Allowed");
	json_end(&res->body);
	respond_json(res, 401);
}

void auth_identify_key(void *access, struct request *req, struct response *res)
{
	struct caller *c = xcalloc(1, sizeof(*c));
	const char *key = request_header(req, "API-Authorization");
	struct err e = {""};
	struct attempt t = {.access = access,
			    .req = req,
			    .caller = c,
			    .e = &e,
			    .rc = RC_NOTFOUND};

	c->config = config_now(t.access->parts.config);
	req->caller = c;
	if (key && !token_hash(key, c->credential))
		t.rc = find_kind(t.access, c, DEVICE_ORDER_API, &c->device, &e);
	if (!t.rc && !own_shop(c, req))
		t.rc = RC_NOTFOUND;
	if (t.rc == RC_NOTFOUND) {
		if (key && auth_limited(t.access, c->config, req, res))
			return;
		if (key)
			auth_failed(t.access, c->config, req);
		not_allowed(&t, res, "unauthorized");
		return;
	}
	if (t.rc) {
		auth_unread(access, req, res, t.rc, &e);
		return;
	}
	req->caller_id = c->device.id;
	c->shop = config_shop(c->config, c->device.shop);
	if (!c->shop)
		not_allowed(&t, res, "shop_not_configured");
	else
		keep_used(t.access, &c->device, req->now);
}

void auth_free_caller(void *caller)
{
	struct caller *c = caller;

	if (!c)
		return;
	config_drop(c->config);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

const struct caller *caller_of(const struct request *req)
{
	return req->caller;
}

enum rc auth_still(struct access *a, const unsigned char hash[TOKEN_HASH_SIZE],
		   bool is_session, struct err *e)
{
	struct device d;

	return find_device(a, hash, is_session, &d, e);
}
