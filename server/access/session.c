/* SPDX-License-Identifier: MIT
 *
 * session.c - see session.h.
 *
 * A code is 256 random bits, so nobody can guess one.  Even so, after some
 * wrong codes the response to each further wrong one is delayed.  A good code
 * is never delayed.
 *
 * A sign-in may outlive its request: see pending.h.
 */
#include "server/access/session.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/access/access_private.h"
#include "server/access/auth.h"
#include "server/access/json_body.h"
#include "server/access/me.h"
#include "server/pending/pending.h"

#define COOKIE_AGE   34560000 /* s; 400 days, the longest that browsers keep a
			       * cookie */
#define COOKIE_SIZE  256
#define WRONG_FREE   10	   /* wrong codes in a minute before responses to wrong
			    * ones are delayed */
#define WRONG_WAITS  1000  /* ms */
#define MINUTE	     60000

struct sign {
	struct pending pending; /* first */
	struct access *access;
	struct config *config; /* held */
	char token[TOKEN_SIZE];
	unsigned char code_hash[TOKEN_HASH_SIZE];
	unsigned char token_hash[TOKEN_HASH_SIZE];
	char cookie[COOKIE_SIZE], old_cookie[COOKIE_SIZE];
	struct device device;
};

static void sign_free(struct pending *p)
{
	struct sign *s = (struct sign *)p;

	config_drop(s->config);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* Makes a sign-in; takes over the caller's hold of the config. */
static struct sign *sign_new(struct request *req, struct config *config)
{
	struct sign *s = xcalloc(1, sizeof(*s));

	s->access = req->context;
	s->config = config;
	pending_init(&s->pending, *s->access->parts.http, NULL, sign_free);
	pending_tie(&s->pending, req);
	return s;
}

/* Puts the request aside while the writer works. */
static void sign_wait(struct sign *s, endpoint_fn *next)
{
	request_later(s->pending.req, next,
		      time_mono() + s->config->server.write_wait);
	pending_begin(&s->pending);
}

static void respond_later(struct request *req, struct response *res,
			  enum rc rc)
{
	log_limited(6, LOG_ERROR, "a session cannot be kept",
		    LOG_S("rc", rc_name(rc)), LOG_REQUEST(req));
	respond_problem(res, 503, "not_stored",
			"nothing can be kept right now; try again");
	res->retry_after = 1;
}

static void write_cookie(char ret[COOKIE_SIZE], const char *name,
			 const char *token, bool https)
{
	snprintf(ret, COOKIE_SIZE,
		 "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
		 name, token, *token ? COOKIE_AGE : 0,
		 https ? "; Secure" : "");
}

/* Sets the session's cookie, or clears it.  With https the cookie with the old
 * name is cleared too: it would outlive this session. */
static void set_cookie(struct sign *s, struct response *res, bool clear)
{
	bool https = auth_https(s->config);

	write_cookie(s->cookie, https ? SESSION_COOKIE_HTTPS : SESSION_COOKIE,
		     clear ? "" : s->token, https);
	res->cookies[0] = s->cookie;
	if (!https)
		return;
	write_cookie(s->old_cookie, SESSION_COOKIE, "", true);
	res->cookies[1] = s->old_cookie;
}

/* ---- in ---- */

/* Counts a wrong code; returns how many were wrong in this minute, including
 * this one. */
static unsigned count_wrong(struct access *a, int64_t now)
{
	unsigned n;

	pthread_mutex_lock(&a->lock);
	if (now - a->wrong_since >= MINUTE) {
		a->wrong_since = now;
		a->n_wrong = 0;
	}
	n = ++a->n_wrong;
	pthread_mutex_unlock(&a->lock);
	return n;
}

static void code_invalid(struct request *req, struct response *res)
{
	(void)req;
	respond_problem(res, 401, "code_invalid",
			"this link was used, is too old, or was never given "
			"out; ask for a new one");
}

static void refuse_code(struct request *req, const struct config *config,
			struct response *res)
{
	struct access *a = req->context;

	COUNT(a->parts.counters, codes_refused_total);
	auth_failed(a, config, req);
	log_limited(6, LOG_WARN, "login code refused",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	req->timed_out = false;
	if (count_wrong(a, time_mono()) <= WRONG_FREE)
		code_invalid(req, res);
	else
		request_later(req, code_invalid, time_mono() + WRONG_WAITS);
}

/* Called when the writer is done, or write_wait has passed.  An endpoint_fn. */
static void session_begun(struct request *req, struct response *res)
{
	struct sign *s = req->state;
	struct caller c = {.config = s->config, .by_session = true};
	struct err e = {""};

	if (!s->pending.ended) {
		respond_later(req, res, RC_AGAIN);
		return;
	}
	if (s->pending.rc == RC_NOTFOUND) {
		refuse_code(req, s->config, res);
		return;
	}
	if (s->pending.rc == RC_INVALID) {
		auth_unread(s->access, req, res, RC_INVALID, &s->pending.e);
		return;
	}
	if (s->pending.rc || token_csrf(c.csrf, s->token, &e)) {
		respond_later(req, res, s->pending.rc ? s->pending.rc : RC_AGAIN);
		return;
	}
	COUNT(s->access->parts.counters, sessions_total);
	log_line(LOG_INFO, "device signed in", LOG_S("shop", s->device.shop),
		 LOG_N("device", (int64_t)s->device.id), LOG_REQUEST(req));
	c.device = s->device;
	c.shop = config_shop(s->config, s->device.shop);
	set_cookie(s, res, false);
	if (c.shop)
		me_respond(s->access, &c, req->now, res);
	else
		respond_problem(res, 401, "shop_not_configured", "%s",
				code_words("shop_not_configured"));
}

/* Reads the code from the body.  False: the body has none of the right form. */
static bool code_read(const struct request *req,
		      unsigned char ret[TOKEN_HASH_SIZE])
{
	struct json *json = json_body(req);
	const char *code = json_text(json_get(json, "code"));
	bool good = code && !token_hash(code, ret);

	json_free(json);
	return good;
}

/* False: the code is not good, and it has responded.  The code is looked up
 * before the failures of the address are counted: others at the same address (a
 * shop behind one router) may have failed, and a good code must not suffer.
 * The look-up is a read, so a wrong code costs no write. */
static bool code_is_good(struct request *req, const struct config *config,
			 struct response *res,
			 unsigned char ret[TOKEN_HASH_SIZE])
{
	struct access *a = req->context;
	struct err e = {""};
	enum rc rc = RC_NOTFOUND;

	if (code_read(req, ret))
		rc = store_device_code(a->parts.store, ret, req->now, &e);
	if (rc && rc != RC_NOTFOUND)
		auth_unread(a, req, res, rc, &e);
	else if (rc && !auth_limited(a, config, req, res))
		refuse_code(req, config, res);
	return !rc;
}

void session_begin(struct request *req, struct response *res)
{
	struct access *a = req->context;
	struct config *config = config_now(a->parts.config);
	unsigned char code[TOKEN_HASH_SIZE];
	struct err e = {""};
	struct sign *s;
	enum rc rc;

	if (!auth_origin(config, req, res) ||
	    !code_is_good(req, config, res, code)) {
		config_drop(config);
		return;
	}
	s = sign_new(req, config);
	memcpy(s->code_hash, code, sizeof(code));
	rc = token_make(s->token, s->token_hash, &e);
	if (rc) {
		respond_later(req, res, RC_AGAIN);
		return;
	}
	sign_wait(s, session_begun);
	rc = store_device_login(a->parts.store, s->code_hash, s->token_hash,
				req->now, &s->device, &s->pending.done, &e);
	if (!rc)
		return;
	pending_refused(&s->pending, rc, &e);
	respond_later(req, res, rc);
}

/* ---- out ---- */

/* Called when the session's end is on disk, or write_wait has passed.  An
 * endpoint_fn. */
static void session_ended(struct request *req, struct response *res)
{
	struct sign *s = req->state;

	if (!s->pending.ended) {
		respond_later(req, res, RC_AGAIN);
	} else if (s->pending.rc && s->pending.rc != RC_NOTFOUND) {
		respond_later(req, res, s->pending.rc);
	} else {
		const struct device *d = &caller_of(req)->device;

		log_line(LOG_INFO, "device signed out", LOG_S("shop", d->shop),
			 LOG_N("device", (int64_t)d->id),
			 LOG_REQUEST(req));
		set_cookie(s, res, true);
		res->status = 204;
	}
}

void session_end(struct request *req, struct response *res)
{
	struct access *a = req->context;
	const struct caller *c = caller_of(req);
	struct err e = {""};
	struct sign *s;
	enum rc rc;

	if (!c->by_session) {
		respond_problem(res, 409, "no_session",
				"a token is no session; `shipfrom device "
				"remove` ends it");
		return;
	}
	s = sign_new(req, config_hold(c->config));
	memcpy(s->token_hash, c->credential, sizeof(s->token_hash));
	sign_wait(s, session_ended);
	rc = store_session_end(a->parts.store, s->token_hash, &s->pending.done, &e);
	if (!rc)
		return;
	pending_refused(&s->pending, rc, &e);
	respond_later(req, res, rc);
}
