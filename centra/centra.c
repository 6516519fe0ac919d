/* SPDX-License-Identifier: MIT
 *
 * centra.c - accounts and connections; see centra.h.
 */
#include "centra/centra.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "centra/transport.h"

#define CONNECT_TIMEOUT 5000  /* ms; the default of connect_timeout */
#define TIMEOUT		20000 /* ms; the default of timeout: a call must not
			       * last for ever */

struct centra {
	char *urls[CENTRA_APIS]; /* owned, or NULL */
	int64_t connect_timeout, timeout;
	struct limits *limits;	 /* owned */
	pthread_mutex_t lock;    /* of keys */
	char *keys[CENTRA_APIS]; /* owned, or NULL */
	char *soap_user; /* owned, or NULL */
	_Atomic uint64_t version; /* see centra_version() */
};

enum rc centra_init(struct err *e)
{
	CURLcode c = curl_global_init(CURL_GLOBAL_DEFAULT);

	return c ? fail(e, RC_IO, "cannot start libcurl: %s",
			curl_easy_strerror(c))
		 : OK;
}

void centra_end(void)
{
	curl_global_cleanup();
}

/* Copies a URL without the slashes at its end: paths begin with one. */
static char *base_url(const char *url)
{
	size_t n;

	if (!url)
		return NULL;
	for (n = strlen(url); n && url[n - 1] == '/'; n--)
		;
	return xstrndup(url, n);
}

struct centra *centra_open(const struct centra_options *o)
{
	struct centra *c = xcalloc(1, sizeof(*c));

	c->limits = limits_new();
	limits_budget(c->limits, &o->graphql_budget);
	c->urls[CENTRA_ORDER_API] = base_url(o->order_api_url);
	c->urls[CENTRA_GRAPHQL] = base_url(o->graphql_url);
	c->urls[CENTRA_SOAP] = base_url(o->soap_url);
	c->connect_timeout = o->connect_timeout > 0 ? o->connect_timeout
						    : CONNECT_TIMEOUT;
	c->timeout = o->timeout > 0 ? o->timeout : TIMEOUT;
	pthread_mutex_init(&c->lock, NULL);
	centra_set_credentials(c, o->order_api_key, o->graphql_token);
	centra_set_soap(c, o->soap_user, o->soap_password);
	return c;
}

void centra_forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void centra_close(struct centra *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CENTRA_APIS; i++) {
		centra_forget(c->keys[i]);
		free(c->urls[i]);
	}
	centra_forget(c->soap_user);
	pthread_mutex_destroy(&c->lock);
	limits_free(c->limits);
	free(c);
}

static void set_key(struct centra *c, enum centra_api api, const char *key)
{
	char *old;

	pthread_mutex_lock(&c->lock);
	old = c->keys[api];
	c->keys[api] = xstrdup(key);
	pthread_mutex_unlock(&c->lock);
	centra_forget(old);
	limits_new_key(c->limits, api);
}

void centra_set_credentials(struct centra *c, const char *order_api_key,
			    const char *graphql_token)
{
	set_key(c, CENTRA_ORDER_API, order_api_key);
	set_key(c, CENTRA_GRAPHQL, graphql_token);
}

void centra_set_soap(struct centra *c, const char *user, const char *password)
{
	char *old;

	pthread_mutex_lock(&c->lock);
	old = c->soap_user;
	c->soap_user = xstrdup(user);
	pthread_mutex_unlock(&c->lock);
	centra_forget(old);
	set_key(c, CENTRA_SOAP, password);
}

bool centra_soap_login(struct centra *c, char **ret_user, char **ret_password)
{
	bool ret;

	pthread_mutex_lock(&c->lock);
	ret = c->soap_user && c->keys[CENTRA_SOAP];
	*ret_user = ret ? xstrdup(c->soap_user) : NULL;
	*ret_password = ret ? xstrdup(c->keys[CENTRA_SOAP]) : NULL;
	pthread_mutex_unlock(&c->lock);
	return ret;
}

void centra_set_budget(struct centra *c, const struct centra_budget *b)
{
	limits_budget(c->limits, b);
}

void centra_state(struct centra *c, enum centra_api api,
		  struct centra_state *ret)
{
	limits_state(c->limits, api, time_mono(), ret);
}

static bool is_key(const char *key)
{
	for (const char *p = key; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false; /* a line end in the key would end the
				       * header */
	return key && *key;
}

void centra_may(struct centra *c, enum centra_api api, enum centra_lane lane,
		unsigned calls, struct centra_may *ret)
{
	bool configured;

	pthread_mutex_lock(&c->lock);
	configured = c->urls[api] && is_key(c->keys[api]);
	pthread_mutex_unlock(&c->lock);
	if (configured)
		limits_may(c->limits, api, lane, calls, time_mono(), ret);
	else
		*ret = (struct centra_may){.wait = CENTRA_NEVER,
					   .parked = true};
}

void centra_try_now(struct centra *c, enum centra_api api)
{
	limits_try_now(c->limits, api, time_mono());
}

struct centra_conn *centra_conn_open(struct centra *c)
{
	struct centra_conn *n = xcalloc(1, sizeof(*n));

	n->centra = c;
	return n;
}

void centra_conn_close(struct centra_conn *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < CENTRA_APIS; i++)
		if (n->easy[i])
			curl_easy_cleanup(n->easy[i]);
	free(n);
}

uint64_t centra_version(struct centra_conn *n)
{
	return atomic_load(&n->centra->version);
}

void centra_set_version(struct centra_conn *n, uint64_t version)
{
	atomic_store(&n->centra->version, version);
}

void centra_conn_lane(struct centra_conn *n, enum centra_lane lane)
{
	n->lane = lane;
}

void centra_conn_until(struct centra_conn *n, int64_t until)
{
	n->until = until;
}

static bool take(struct centra_conn *n, struct permit p, struct call *ret)
{
	if (!n->taken[p.api]) {
		n->taken[p.api] =
			limits_take(n->centra->limits, &p, time_mono(), ret);
		n->permit[p.api] = p;
	}
	return n->taken[p.api];
}

bool centra_take(struct centra_conn *n, enum centra_api api, struct call *ret)
{
	return take(n, (struct permit){.api = api, .lane = n->lane}, ret);
}

bool centra_take_change(struct centra_conn *n, struct call *ret)
{
	const struct permit p = {
		.api = CENTRA_GRAPHQL, .lane = n->lane, .mutation = true};

	return take(n, p, ret);
}

void centra_give_back(struct centra_conn *n, enum centra_api api)
{
	if (n->taken[api])
		limits_give_back(n->centra->limits, &n->permit[api]);
	n->taken[api] = false;
}

struct limits *centra_limits(const struct centra *c)
{
	return c->limits;
}

const char *centra_address(const struct centra_conn *n, enum centra_api api)
{
	return n->centra->urls[api];
}

int64_t centra_connect_timeout(const struct centra *c)
{
	return c->connect_timeout;
}

int64_t centra_timeout(const struct centra *c)
{
	return c->timeout;
}

const char *centra_api_name(enum centra_api api)
{
	static const char *const names[CENTRA_APIS] = {
		[CENTRA_ORDER_API] = "Order API",
		[CENTRA_GRAPHQL] = "GraphQL",
		[CENTRA_SOAP] = "SOAP API"};

	return names[api];
}

char *centra_auth_header(struct centra *c, enum centra_api api)
{
	static const char *const names[CENTRA_APIS] = {
		[CENTRA_ORDER_API] = "API-Authorization: ",
		[CENTRA_GRAPHQL] = "Authorization: Bearer "};
	char *ret = NULL;

	pthread_mutex_lock(&c->lock);
	if (is_key(c->keys[api]))
		ret = xasprintf("%s%s", names[api], c->keys[api]);
	pthread_mutex_unlock(&c->lock);
	return ret;
}
