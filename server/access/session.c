/* SPDX-License-Identifier: MIT
 *
 * session.c - see session.h.
 *
 * A code is 256 random bits, so nobody guesses one; still, once some were
 * wrong, the next wrong ones are told so slowly.  Who has a good one waits for
 * nobody.
 *
 * A sign-in outlives its request: the writer may still hold it when the request
 * was told 503.  Both ends of it are in the loop thread.
 */
#include "server/access/session.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/app.h"
#include "server/access/auth.h"
#include "server/shop/json_body.h"
#include "server/shop/orders.h"

#define COOKIE_AGE   34560000 /* s: 400 days, the most that browsers keep */
#define COOKIE_SIZE  256
#define WRONG_FREE   10	   /* a minute, before they are answered slowly */
#define WRONG_WAITS  1000  /* ms */
#define MINUTE	     60000

struct sign {
	struct app *app;
	struct request *req; /* borrowed; NULL once it has ended */
	char token[TOKEN_SIZE];
	unsigned char code_hash[TOKEN_HASH_SIZE];
	unsigned char token_hash[TOKEN_HASH_SIZE];
	char cookie[COOKIE_SIZE], old_cookie[COOKIE_SIZE];
	struct device device;

	/* The writer's, while it holds it. */
	struct store_done done;
	struct http_call call;
	enum rc rc;
	bool writing;
};

static void sign_free(struct sign *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* A state_free. */
static void sign_forget(void *state)
{
	struct sign *s = state;

	s->req = NULL;
	if (!s->writing)
		sign_free(s);
}

/* In the loop, after sign_done(). */
static void sign_told(struct http_call *c)
{
	struct sign *s = c->arg;

	s->writing = false;
	if (s->req)
		request_resume(s->req);
	else
		sign_free(s);
}

/* A store_done: in the writer thread. */
static void sign_done(struct store_done *d, enum rc rc, const struct err *e)
{
	struct sign *s = d->arg;

	(void)e;
	s->rc = rc;
	http_call(s->app->http, &s->call);
}

static struct sign *sign_new(struct request *req)
{
	struct sign *s = xcalloc(1, sizeof(*s));

	s->app = request_app(req);
	s->req = req;
	s->done = (struct store_done){.fn = sign_done, .arg = s};
	s->call = (struct http_call){.fn = sign_told, .arg = s};
	req->state = s;
	req->state_free = sign_forget;
	return s;
}

/* Puts the request aside while the writer works. */
static void sign_wait(struct sign *s, endpoint_fn *next)
{
	s->writing = true;
	request_later(s->req, next,
		      time_mono() +
			      caller_of(s->req)->config->server.write_wait);
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

/* Sets the session's cookie, or takes it back.  With https one of the old name
 * is taken back too: it would be a stale twin. */
static void set_cookie(struct sign *s, struct response *res, bool clear)
{
	bool https = auth_https(caller_of(s->req)->config);

	write_cookie(s->cookie, https ? SESSION_COOKIE_HTTPS : SESSION_COOKIE,
		     clear ? "" : s->token, https);
	res->cookies[0] = s->cookie;
	if (!https)
		return;
	write_cookie(s->old_cookie, SESSION_COOKIE, "", true);
	res->cookies[1] = s->old_cookie;
}

/* ---- in ---- */

/* How many codes were wrong in this minute, with this one. */
static unsigned count_wrong(int64_t now)
{
	static int64_t window; /* the loop thread's */
	static unsigned n;

	if (now - window >= MINUTE) {
		window = now;
		n = 0;
	}
	return ++n;
}

static void code_invalid(struct request *req, struct response *res)
{
	(void)req;
	respond_problem(res, 401, "code_invalid",
			"this link was used, is too old, or was never given "
			"out; ask for a new one");
}

static void refuse_code(struct request *req, struct response *res)
{
	COUNT(&request_app(req)->counters, codes_refused_total);
	auth_failed(req);
	log_limited(6, LOG_WARN, "login code refused",
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	req->timed_out = false;
	if (count_wrong(time_mono()) <= WRONG_FREE)
		code_invalid(req, res);
	else
		request_later(req, code_invalid, time_mono() + WRONG_WAITS);
}

/* An endpoint_fn: the writer has spoken, or write_wait has passed. */
static void session_begun(struct request *req, struct response *res)
{
	struct sign *s = req->state;
	struct caller *c = req->caller;
	struct err e = {""};

	if (s->writing) {
		respond_later(req, res, RC_AGAIN);
		return;
	}
	if (s->rc == RC_NOTFOUND) {
		refuse_code(req, res);
		return;
	}
	if (s->rc || token_csrf(c->csrf, s->token, &e)) {
		respond_later(req, res, s->rc ? s->rc : RC_AGAIN);
		return;
	}
	COUNT(&request_app(req)->counters, sessions_total);
	log_line(LOG_INFO, "device signed in", LOG_S("shop", s->device.shop),
		 LOG_N("device", (int64_t)s->device.id), LOG_REQUEST(req));
	c->device = s->device;
	c->shop = config_shop(c->config, s->device.shop);
	set_cookie(s, res, false);
	if (c->shop)
		staff_me(req, res);
	else
		respond_problem(res, 401, "shop_not_configured", "%s",
				code_words("shop_not_configured"));
}

/* False: there is none of a code's form. */
static bool code_read(const struct request *req,
		      unsigned char ret[TOKEN_HASH_SIZE])
{
	cJSON *json = json_body(req);
	const char *code = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(json, "code"));
	bool good = code && !token_hash(code, ret);

	cJSON_Delete(json);
	return good;
}

/* False: answered, since there is no good code.  A good one is looked for before
 * the address's failures are: others at the address (a shop behind one router)
 * may have failed, and a code of 256 random bits is guessed by nobody.  The look
 * is a read, so wrong codes cost no write. */
static bool code_is_good(struct request *req, struct response *res,
			 unsigned char ret[TOKEN_HASH_SIZE])
{
	struct err e = {""};
	enum rc rc = RC_NOTFOUND;

	if (code_read(req, ret))
		rc = store_device_code(request_app(req)->store, ret, req->now,
				       &e);
	if (rc && rc != RC_NOTFOUND)
		respond_later(req, res, rc);
	else if (rc && !auth_limited(req, res))
		refuse_code(req, res);
	return !rc;
}

void session_begin(struct request *req, struct response *res)
{
	unsigned char code[TOKEN_HASH_SIZE];
	struct err e = {""};
	struct sign *s;
	enum rc rc;

	caller_make(req);
	if (!auth_origin(req, res) || !code_is_good(req, res, code))
		return;
	s = sign_new(req);
	memcpy(s->code_hash, code, sizeof(code));
	rc = token_make(s->token, s->token_hash, &e);
	if (rc) {
		respond_later(req, res, RC_AGAIN);
		return;
	}
	sign_wait(s, session_begun);
	rc = store_device_login(request_app(req)->store, s->code_hash,
				s->token_hash, req->now, &s->device, &s->done,
				&e);
	if (!rc)
		return;
	s->writing = false;
	respond_later(req, res, rc);
}

/* ---- out ---- */

/* An endpoint_fn: as above. */
static void session_ended(struct request *req, struct response *res)
{
	struct sign *s = req->state;

	if (s->writing) {
		respond_later(req, res, RC_AGAIN);
	} else if (s->rc && s->rc != RC_NOTFOUND) {
		respond_later(req, res, s->rc);
	} else {
		log_line(LOG_INFO, "device signed out",
			 LOG_S("shop", caller_of(req)->device.shop),
			 LOG_N("device", (int64_t)caller_of(req)->device.id),
			 LOG_REQUEST(req));
		set_cookie(s, res, true);
		res->status = 204;
	}
}

void session_end(struct request *req, struct response *res)
{
	struct err e = {""};
	struct sign *s;
	enum rc rc;

	if (!caller_of(req)->by_session) {
		respond_problem(res, 409, "no_session",
				"a token is no session; `shipfrom device "
				"remove` ends it");
		return;
	}
	s = sign_new(req);
	memcpy(s->token_hash, caller_of(req)->credential,
	       sizeof(s->token_hash));
	sign_wait(s, session_ended);
	rc = store_session_end(request_app(req)->store, s->token_hash, &s->done,
			       &e);
	if (!rc)
		return;
	s->writing = false;
	respond_later(req, res, rc);
}
