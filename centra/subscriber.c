/* SPDX-License-Identifier: MIT
 *
 * subscriber.c - see subscriber.h.
 */
#include "centra/subscriber.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/networks.h"
#include "base/time.h"
#include "centra/event.h"
#include "centra/signature.h"

#define CONNECT_TIMEOUT 3000
#define TIMEOUT		5000
#define HEADERS_MAX	((size_t)64 << 10)
#define BODY_MAX	((size_t)64 << 10)
#define IDLE_MAX	25L /* s that an idle connection is reused */
#define SECRETS		2

struct subscriber {
	pthread_mutex_t calling; /* held during a call; of `easy` */
	CURL *easy;		 /* NULL: not made yet */

	pthread_mutex_t lock; /* of what follows */
	char *url;	      /* owned; NULL: not set yet */
	char *secrets[SECRETS]; /* owned: the present one, the previous one or
				 * NULL */
	bool may_http, may_private;
	int64_t connect_timeout, timeout;
	size_t first;	   /* the index of the secret that was taken last */
	unsigned refusals; /* in a row */
	unsigned failures; /* in a row for which calls are held back */
	int64_t until;	   /* steady clock, ms: no call before */
};

/* The state of one call, for libcurl's callbacks. */
struct transfer {
	bool may_private;
	char private[CLIENT_SIZE]; /* the address that was refused, or "" */
	size_t headers, body;
	bool headers_end;
	int64_t retry_after; /* ms; 0: there was no such header */
};

/* ---- the address ---- */

static bool address_of(struct address *ret, const struct curl_sockaddr *a)
{
	char text[CLIENT_SIZE];
	union endpoint to;

	if (a->addrlen > sizeof(to))
		return false;
	memcpy(&to, &a->addr, a->addrlen);
	if (to.any.sa_family == AF_INET6 &&
	    !IN6_IS_ADDR_V4MAPPED(&to.v6.sin6_addr)) {
		memcpy(ret->b, &to.v6.sin6_addr, sizeof(ret->b));
		return true;
	}
	if (to.any.sa_family != AF_INET)
		return false;
	return inet_ntop(AF_INET, &to.v4.sin_addr, text, sizeof(text)) &&
	       address_read(ret, text, strlen(text));
}

/* Called by libcurl with the address that it is about to connect to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose,
				 struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	struct address to;
	bool known = address_of(&to, a);

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!t->may_private && !(known && address_is_public(&to))) {
		if (known)
			address_text(t->private, &to);
		else
			(void)!copy_text(t->private, sizeof(t->private),
					 "of an unusable kind");
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- a response ---- */

static size_t drop_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)p;
	t->body += size * n;
	return t->body > BODY_MAX ? 0 : size * n;
}

static bool is_retry_after(const char *p, size_t len)
{
	static const char name[] = "retry-after:";

	return len >= sizeof(name) - 1 &&
	       !strncasecmp(p, name, sizeof(name) - 1);
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	char *value;

	t->headers += len;
	if (t->headers > HEADERS_MAX)
		return 0;
	if (len >= 5 && !memcmp(p, "HTTP/", 5)) {
		t->headers_end = false;
		t->retry_after = 0;
	} else if (len <= 2) {
		t->headers_end = true;
	} else if (is_retry_after(p, len)) {
		value = xstrndup(strchr(p, ':') + 1,
				 len - (size_t)(strchr(p, ':') + 1 - p));
		t->retry_after = centra_retry_after(value, time_now());
		free(value);
	}
	return len;
}

/* ---- libcurl ---- */

static CURL *open_easy(void)
{
	CURL *c = curl_easy_init();
	CURLcode bad = CURLE_OK;

	if (!c)
		return NULL;
#define SET(option, value) bad |= curl_easy_setopt(c, option, value)
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A name that the C library resolves for minutes ends the call at its
	 * time; the resolver's thread ends by itself later. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, ""); /* do not use a proxy from the environment */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_MAXAGE_CONN, IDLE_MAX);
	SET(CURLOPT_USERAGENT, "shipfrom");
	SET(CURLOPT_WRITEFUNCTION, drop_body);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
#undef SET
	if (!bad)
		return c;
	curl_easy_cleanup(c);
	return NULL;
}

/* Sets what may differ between two calls. */
static bool prepare(CURL *c, const struct subscriber_options *o,
		    struct transfer *t, char *why)
{
	CURLcode bad = CURLE_OK;

	*why = '\0';
#define SET(option, value) bad |= curl_easy_setopt(c, option, value)
	SET(CURLOPT_PROTOCOLS_STR, o->may_http ? "http,https" : "https");
	SET(CURLOPT_URL, o->url);
	SET(CURLOPT_ERRORBUFFER, why);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(o->connect_timeout ? o->connect_timeout : CONNECT_TIMEOUT));
	SET(CURLOPT_TIMEOUT_MS, (long)(o->timeout ? o->timeout : TIMEOUT));
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_OPENSOCKETDATA, t);
#undef SET
	return !bad;
}

static struct curl_slist *add(struct curl_slist *list, const char *header)
{
	struct curl_slist *more = curl_slist_append(list, header);

	if (!more)
		abort(); /* there is no memory: as in base/mem.h */
	return more;
}

static void explain(struct err *ret, const struct transfer *t, CURLcode code,
		    const char *why)
{
	if (*t->private)
		(void)!fail(ret, RC_DENIED,
			    "its address %s is not public, and "
			    "notify_private is not set",
			    t->private);
	else if (code == CURLE_UNSUPPORTED_PROTOCOL)
		(void)!fail(ret, RC_DENIED,
			    "its address does not begin with https://, and "
			    "notify_http is not set");
	else
		(void)!fail(ret, RC_AGAIN, "%s",
			    *why ? why : curl_easy_strerror(code));
}

/* ---- one request ---- */

static bool asks_to_wait(long status)
{
	return status == 408 || status == 429 ||
	       (status >= 502 && status <= 504);
}

/* Decides how a call ended.  The status of a complete header counts, whatever
 * becomes of the body, which nobody reads. */
static void judge(CURL *c, CURLcode code, const char *why,
		  const struct transfer *t, struct subscriber_reply *ret)
{
	curl_off_t took = 0;
	long status = 0;

	curl_easy_getinfo(c, CURLINFO_TOTAL_TIME_T, &took);
	ret->latency += took / 1000;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	ret->status = t->headers_end && status >= 200 ? status : 0;
	if (!ret->status) {
		ret->end = SUBSCRIBER_AWAY;
		explain(&ret->why, t, code ? code : CURLE_PARTIAL_FILE, why);
	} else if (ret->status < 300) {
		ret->end = SUBSCRIBER_TOOK;
	} else {
		ret->end = asks_to_wait(ret->status) ? SUBSCRIBER_AWAY
						     : SUBSCRIBER_REFUSED;
		ret->wait = ret->end == SUBSCRIBER_AWAY ? t->retry_after : 0;
		(void)!fail(&ret->why, RC_AGAIN, "it answered HTTP %ld",
			    ret->status);
	}
}

static void post(struct subscriber *r, const struct subscriber_options *o,
		 const struct buf *body, struct curl_slist *headers,
		 struct subscriber_reply *ret)
{
	struct transfer t = {.may_private = o->may_private};
	char why[CURL_ERROR_SIZE];
	CURL *c = r->easy = r->easy ? r->easy : open_easy();

	ret->end = SUBSCRIBER_AWAY;
	if (!c || !prepare(c, o, &t, why) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
			     (curl_off_t)body->len) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->data) ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers)) {
		(void)!fail(&ret->why, RC_IO, "cannot set libcurl up");
		return;
	}
	judge(c, curl_easy_perform(c), why, &t, ret);
	/* These point to data of this call, which ends now. */
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, NULL);
}

/* Signs the body with a secret and sends it. */
static void post_signed(struct subscriber *r, const struct subscriber_options *o,
			const char *secret, const struct buf *body,
			int64_t now, const char *const *more,
			struct subscriber_reply *ret)
{
	struct curl_slist *headers = NULL;
	char signature[SIGNATURE_SIZE], *line;

	ret->end = SUBSCRIBER_AWAY;
	if (signature_make(signature, secret, body->data, body->len,
			   now / 1000, &ret->why))
		return;
	line = xasprintf(SIGNATURE_HEADER ": %s", signature);
	headers = add(headers, line);
	headers = add(headers,
		      "Content-Type: application/x-www-form-urlencoded");
	headers = add(headers, "Expect:"); /* no "100 Continue" */
	for (; more && *more; more++)
		headers = add(headers, *more);
	post(r, o, body, headers, ret);
	curl_slist_free_all(headers);
	free(line);
}

/* True if the other secret may be the one that the subscriber knows. */
static bool may_be_the_secret(const struct subscriber_reply *reply)
{
	return reply->end == SUBSCRIBER_REFUSED && reply->status >= 400 &&
	       reply->status < 500;
}

/* ---- the settings ---- */

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

struct subscriber *subscriber_open(void)
{
	struct subscriber *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->calling, NULL);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void subscriber_close(struct subscriber *r)
{
	if (!r)
		return;
	if (r->easy)
		curl_easy_cleanup(r->easy);
	forget(r->url);
	for (size_t i = 0; i < SECRETS; i++)
		forget(r->secrets[i]);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->calling);
	free(r);
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Replaces a text; returns whether it differs. */
static bool replace(char **text, const char *with)
{
	bool differs = !same(*text, with);

	if (differs) {
		forget(*text);
		*text = xstrdup(with);
	}
	return differs;
}

void subscriber_set(struct subscriber *r, const struct subscriber_options *o)
{
	bool moved, differs;

	pthread_mutex_lock(&r->calling);
	pthread_mutex_lock(&r->lock);
	moved = replace(&r->url, o->url);
	moved |= r->may_private != o->may_private ||
		 r->may_http != o->may_http;
	differs = replace(&r->secrets[0], o->secret);
	differs |= replace(&r->secrets[1], o->previous);
	r->may_http = o->may_http;
	r->may_private = o->may_private;
	r->connect_timeout = o->connect_timeout;
	r->timeout = o->timeout;
	if (differs)
		r->first = 0;
	if (moved || differs) {
		r->until = 0;
		r->failures = r->refusals = 0;
	}
	/* An open connection was checked with the settings before. */
	if (moved && r->easy) {
		curl_easy_cleanup(r->easy);
		r->easy = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	pthread_mutex_unlock(&r->calling);
}

/* ---- the breaker ---- */

int64_t subscriber_wait(struct subscriber *r, int64_t mono)
{
	int64_t ret;

	pthread_mutex_lock(&r->lock);
	ret = r->until > mono ? r->until - mono : 0;
	pthread_mutex_unlock(&r->lock);
	return ret;
}

bool subscriber_is_away(struct subscriber *r)
{
	bool ret;

	pthread_mutex_lock(&r->lock);
	ret = r->failures;
	pthread_mutex_unlock(&r->lock);
	return ret;
}

void subscriber_try_now(struct subscriber *r)
{
	pthread_mutex_lock(&r->lock);
	r->until = 0;
	pthread_mutex_unlock(&r->lock);
}

/* Returns how long calls are held back after so many failures, ms. */
static int64_t wait_after(unsigned failures)
{
	int64_t ret = SUBSCRIBER_WAIT_FIRST;

	while (--failures && ret < SUBSCRIBER_WAIT_MOST)
		ret *= 2;
	return ret < SUBSCRIBER_WAIT_MOST ? ret : SUBSCRIBER_WAIT_MOST;
}

static void note(struct subscriber *r, struct subscriber_reply *reply)
{
	unsigned before = r->failures;
	int64_t wait;

	pthread_mutex_lock(&r->lock);
	r->refusals = reply->end == SUBSCRIBER_REFUSED ? r->refusals + 1 : 0;
	if (reply->end == SUBSCRIBER_AWAY ||
	    r->refusals >= SUBSCRIBER_REFUSED_MOST)
		r->failures++;
	else
		r->failures = 0;
	if (r->failures) {
		wait = wait_after(r->failures);
		reply->wait = reply->wait > wait ? reply->wait : wait;
		r->until = time_mono() + reply->wait;
	} else {
		r->until = 0;
	}
	reply->turn = !before == !r->failures ? CALL_SAME
		      : r->failures	      ? CALL_AWAY
					      : CALL_BACK;
	pthread_mutex_unlock(&r->lock);
}

/* ---- sending ---- */

/* Sends the body with the secret that was taken last, and if that may be why it
 * was refused, with the other. */
static void post_either(struct subscriber *r, const struct buf *body,
			int64_t now, const char *const *headers,
			struct subscriber_reply *ret)
{
	const struct subscriber_options o = {
		.url = r->url,
		.may_http = r->may_http,
		.may_private = r->may_private,
		.connect_timeout = r->connect_timeout,
		.timeout = r->timeout,
	};
	size_t with = r->secrets[r->first] ? r->first : 0;

	for (size_t i = 0; i < SECRETS; i++, with = 1 - with) {
		if (!r->secrets[with])
			continue;
		post_signed(r, &o, r->secrets[with], body, now, headers, ret);
		if (!may_be_the_secret(ret))
			break;
	}
	if (ret->end != SUBSCRIBER_TOOK)
		return;
	r->first = with;
	ret->previous = with;
}

void subscriber_post(struct subscriber *r, const char *json, size_t len,
		     int64_t now, const char *const *headers,
		     struct subscriber_reply *ret)
{
	struct buf body;

	*ret = (struct subscriber_reply){.end = SUBSCRIBER_AWAY};
	/* Each byte becomes six at most: `/` is escaped, and both are. */
	buf_init(&body, 6 * len + 64);
	form_write(&body, json, len);
	pthread_mutex_lock(&r->calling);
	ret->wait = subscriber_wait(r, time_mono());
	if (!r->url || !r->secrets[0]) {
		(void)!fail(&ret->why, RC_INVALID, "it has no address");
	} else if (ret->wait) {
		ret->held = true;
		(void)!fail(&ret->why, RC_AGAIN,
			    "it did not answer a moment ago");
	} else {
		post_either(r, &body, now, headers, ret);
		note(r, ret);
	}
	pthread_mutex_unlock(&r->calling);
	buf_release(&body);
}

/* ---- a look ---- */

enum rc subscriber_check(const struct subscriber_options *o, struct err *e)
{
	struct transfer t = {.may_private = o->may_private};
	char why[CURL_ERROR_SIZE];
	CURL *c = open_easy();
	CURLcode code;
	enum rc rc = OK;

	if (!c || !prepare(c, o, &t, why) ||
	    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L)) {
		rc = fail(e, RC_IO, "cannot set libcurl up");
		goto out;
	}
	code = curl_easy_perform(c);
	if (code) {
		explain(e, &t, code, why);
		rc = *t.private ? RC_DENIED : RC_AGAIN;
	}
out:
	curl_easy_cleanup(c);
	return rc;
}
