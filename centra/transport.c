/* SPDX-License-Identifier: MIT
 *
 * transport.c - see transport.h.
 *
 * A `once` body is given to libcurl by a callback that cannot be rewound, so
 * libcurl can write each byte only once.  If a reused connection breaks after
 * the body was written, libcurl tries to write it again on a new connection,
 * cannot, and returns an error.  If it breaks before, nothing was written yet
 * and the new connection gets the whole body.
 */
#include "centra/transport.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/time.h"

#define HEADERS_MAX ((size_t)64 << 10)
/* s.  Servers close idle connections silently, so a connection that was idle
 * for longer is not reused. */
#define IDLE_MAX 25L

/* The state of one call, for libcurl's callbacks. */
struct transfer {
	const struct post *post;
	int64_t timeout; /* ms, the whole call */
	bool shortened;	 /* the connection's deadline made it so short */
	size_t given; /* bytes of a `once` body that were handed to libcurl */
	size_t headers;
	bool headers_end; /* the empty line came */
	struct buf *reply;
	char *retry_after; /* owned, or NULL */
};

static size_t give_body(char *to, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t left = t->post->len - t->given, room = size * n;

	if (!left)
		return CURL_READFUNC_ABORT; /* libcurl wants to write the body a
					     * second time */
	if (left < room)
		room = left;
	memcpy(to, t->post->body + t->given, room);
	t->given += room;
	return room;
}

static size_t take_reply(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	return buf_add(t->reply, p, size * n) ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct transfer *t = arg;
	size_t len = size * n;

	t->headers += len;
	if (t->headers > HEADERS_MAX)
		return 0;
	if (len >= 5 && !memcmp(p, "HTTP/", 5))
		t->headers_end = false; /* another header begins: "100 Continue"
					 * may have come before it */
	else if (len <= 2)
		t->headers_end = true;
	if (len >= sizeof(name) - 1 && !t->retry_after &&
	    !strncasecmp(p, name, sizeof(name) - 1))
		t->retry_after = xstrndup(p + sizeof(name) - 1,
					  len - (sizeof(name) - 1));
	return len;
}

/* Sets the options that are the same for every call. */
static CURL *open_easy(const struct centra *a)
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
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, ""); /* do not use a proxy from the environment */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* The limit on the whole call, which prepare() sets, also bounds a reply
	 * that comes slowly.  A limit on the speed would have to allow for the
	 * longest time that Centra may take before it replies. */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)centra_connect_timeout(a));
	SET(CURLOPT_MAXAGE_CONN, IDLE_MAX);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_USERAGENT, "shipfrom");
	/* A proxy may compress a reply unasked.  libcurl expands a reply only
	 * if this option is set; perform() removes the request header that
	 * comes with the option.  take_reply() sees, and bounds, the expanded
	 * bytes. */
	SET(CURLOPT_ACCEPT_ENCODING, "");
	SET(CURLOPT_WRITEFUNCTION, take_reply);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_READFUNCTION, give_body);
#undef SET
	if (bad) {
		curl_easy_cleanup(c);
		return NULL;
	}
	return c;
}

/* Sets the method.  libcurl sends a POST's body with any other name, too. */
static CURLcode set_method(CURL *c, const struct post *p)
{
	bool get = p->method && !strcmp(p->method, "GET");
	CURLcode bad = curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST,
					get ? NULL : p->method);

	return bad | curl_easy_setopt(c, get ? CURLOPT_HTTPGET : CURLOPT_POST,
				      1L);
}

static bool prepare(CURL *c, const char *url, struct curl_slist *headers,
		    struct transfer *t, char *why)
{
	const struct post *p = t->post;
	CURLcode bad = CURLE_OK;

	*why = '\0';
#define SET(option, value) bad |= curl_easy_setopt(c, option, value)
	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_ERRORBUFFER, why);
	SET(CURLOPT_TIMEOUT_MS, (long)t->timeout);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->len);
	SET(CURLOPT_POSTFIELDS, p->once ? NULL : p->body);
	bad |= set_method(c, p); /* last: POSTFIELDS makes it a POST */
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERDATA, t);
#undef SET
	return !bad;
}

/* True if the reply begins like a JSON object, or with `first`.  An HTML page
 * of a proxy in front of Centra does not begin like an object, and tells as
 * little about Centra as a 503. */
static bool begins_with(const struct buf *reply, char first)
{
	size_t i = reply->len >= 3 && !memcmp(reply->data, "\xef\xbb\xbf", 3)
			   ? 3
			   : 0;

	while (i < reply->len && memchr(" \t\r\n", reply->data[i], 4))
		i++;
	return i < reply->len && reply->data[i] == first;
}

/* Returns the reply's Date (RFC 9110, 6.6.1) in ms; 0: it has none that can be
 * read. */
static int64_t date_of(CURL *c)
{
	struct curl_header *h = NULL;
	time_t date = -1;

	if (curl_easy_header(c, "Date", 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
		date = curl_getdate(h->value, NULL);
	return date > 0 ? (int64_t)date * 1000 : 0;
}

static bool is_object(const struct buf *reply)
{
	return begins_with(reply, '{');
}

/* Returns true if the reply may be one that the call is about.  XML is read by
 * soap.c, which refuses a page. */
static bool is_reply(const struct transfer *t)
{
	return t->post->soap_action ? begins_with(t->reply, '<')
				    : is_object(t->reply);
}

static bool shows_executed(const struct transfer *t)
{
	return t->post->executed && is_object(t->reply) &&
	       t->post->executed(t->reply->data, t->reply->len);
}

/* Decides how the call ended, from libcurl's result and the status. */
static void judge(CURL *c, CURLcode code, const char *why,
		  const struct transfer *t, struct call *ret)
{
	const char *api = centra_api_name(t->post->api);
	long written = 0;
	curl_off_t took = 0;

	curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &written);
	curl_easy_getinfo(c, CURLINFO_TOTAL_TIME_T, &took);
	ret->latency = took / 1000;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->date = date_of(c);
	/* The status of a reply that was cut off proves nothing; and libcurl
	 * takes a reply that ends amid its headers for a complete one. */
	if (!code && !t->headers_end)
		code = CURLE_PARTIAL_FILE;
	if (code) {
		ret->end = written || t->given ? CALL_UNKNOWN : CALL_NOT_DONE;
		ret->cut = t->shortened && code == CURLE_OPERATION_TIMEDOUT;
		(void)!fail(&ret->why, RC_AGAIN, "%s: %s", api,
			    t->reply->full ? "the reply is too long"
			    : *why	   ? why
					   : curl_easy_strerror(code));
		return;
	}
	ret->refused = (ret->status == 401 || ret->status == 403) &&
		       !shows_executed(t);
	if (ret->status == 429 || (ret->status == 503 && t->retry_after))
		ret->retry_after =
			centra_retry_after(t->retry_after, time_now());
	if (ret->status == 200 && is_reply(t)) {
		ret->end = CALL_OK;
		return;
	}
	ret->end = ret->refused || ret->status == 429 ? CALL_NOT_DONE
						      : CALL_UNKNOWN;
	(void)!fail(&ret->why, RC_AGAIN,
		    ret->refused	 ? "the %s refused our key (HTTP %ld)"
		    : ret->status == 429 ? "the %s asks us to wait (HTTP %ld)"
		    : ret->status == 200 ? "the %s answered no JSON (HTTP %ld)"
					 : "the %s answered HTTP %ld",
		    api, ret->status);
}

static struct curl_slist *add(struct curl_slist *list, const char *header)
{
	struct curl_slist *more = curl_slist_append(list, header);

	if (!more)
		abort(); /* there is no memory: as in base/mem.h */
	return more;
}

/* Makes the call.  False: the handle must not be used again. */
static bool perform(CURL *c, const char *url, const char *auth,
		    struct transfer *t, struct call *ret)
{
	struct curl_slist *headers = add(NULL, auth);
	CURLcode code = CURLE_FAILED_INIT;
	char why[CURL_ERROR_SIZE];

	if (t->post->soap_action) {
		headers = add(headers, "Content-Type: text/xml; charset=utf-8");
	} else {
		headers = add(headers, "Content-Type: application/json");
		headers = add(headers, "Accept: application/json");
	}
	headers = add(headers, "Accept-Encoding:"); /* see open_easy() */
	headers = add(headers, "Expect:"); /* do not wait for "100 Continue"
					    * before sending the body */
	if (prepare(c, url, headers, t, why)) {
		code = curl_easy_perform(c);
		judge(c, code, why, t, ret);
	} else {
		(void)!fail(&ret->why, RC_IO, "%s: cannot set libcurl up",
			    centra_api_name(t->post->api));
	}
	/* These options point to data of this call, which ends now. */
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, NULL);
	for (struct curl_slist *h = headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(headers);
	return code == CURLE_OK;
}

/* Asks the limits whether the call may be made, unless centra_take() already
 * did. */
static bool may_call(struct centra_conn *n, const struct post *p,
		     struct permit *ret_permit, struct call *ret)
{
	struct permit want = {
		.api = p->api, .lane = n->lane, .mutation = p->mutation};

	if (!n->taken[p->api]) {
		*ret_permit = want;
		return limits_take(centra_limits(n->centra), ret_permit,
				   time_mono(), ret);
	}
	n->taken[p->api] = false;
	*ret_permit = n->permit[p->api];
	return true;
}

/* Returns the header by which Centra knows the caller; of a call to the SOAP
 * API, whose login is in the body, the one that names the operation.  NULL: there
 * is no key that can be sent. */
static char *first_header(const struct centra_conn *n, const struct post *p)
{
	char *user, *password, *ret = NULL;

	if (!p->soap_action)
		return centra_auth_header(n->centra, p->api);
	if (centra_soap_login(n->centra, &user, &password))
		ret = xasprintf("SOAPAction: \"%s\"", p->soap_action);
	centra_forget(user);
	centra_forget(password);
	return ret;
}

/* The call itself. */
static void call(struct centra_conn *n, const char *base, struct transfer *t,
		 struct call *ret)
{
	const struct post *p = t->post;
	char *auth = first_header(n, p), *url = NULL;

	if (!auth) {
		ret->refused = true;
		(void)!fail(&ret->why, RC_DENIED, "no usable key of the %s",
			    centra_api_name(p->api));
		return;
	}
	if (!n->easy[p->api])
		n->easy[p->api] = open_easy(n->centra);
	if (!n->easy[p->api]) {
		(void)!fail(&ret->why, RC_IO, "cannot set libcurl up");
		goto out;
	}
	url = xasprintf("%s%s", base, p->path);
	/* After a refused rewind libcurl 8 asks for the rewind again each time
	 * the handle is used, so a new handle is made. */
	if (!perform(n->easy[p->api], url, auth, t, ret)) {
		curl_easy_cleanup(n->easy[p->api]);
		n->easy[p->api] = NULL;
	}
out:
	explicit_bzero(auth, strlen(auth));
	free(auth);
	free(url);
	free(t->retry_after);
}

void transport_post(struct centra_conn *n, const struct post *p,
		    struct call *ret, struct buf *reply)
{
	const char *base = centra_address(n, p->api);
	struct transfer t = {.post = p, .reply = reply};
	struct permit permit;
	int64_t left;

	buf_init(reply, REPLY_MAX);
	*ret = (struct call){.end = CALL_NOT_DONE};
	if (!base || !*base) {
		centra_give_back(n, p->api);
		(void)!fail(&ret->why, RC_INVALID,
			    "no address of the %s is configured",
			    centra_api_name(p->api));
		return;
	}
	t.timeout = centra_timeout(n->centra);
	left = n->until ? n->until - time_mono() : t.timeout;
	if (left <= 0) {
		centra_give_back(n, p->api);
		ret->cut = true;
		(void)!fail(&ret->why, RC_AGAIN, "%s: there is no time left",
			    centra_api_name(p->api));
		return;
	}
	t.shortened = left < t.timeout;
	if (t.shortened)
		t.timeout = left;
	if (!may_call(n, p, &permit, ret))
		return;
	call(n, base, &t, ret);
	limits_told(centra_limits(n->centra), &permit, time_mono(), ret);
}

/* ---- the Order API ---- */

bool order_api_unticked(const char *reply, size_t len)
{
	struct json *v = NULL;
	struct err e;
	bool ret;

	if (!len || json_parse(reply, len, JSON_STRICT, &v, &e))
		return false;
	ret = json_is(json_get(v, "status"), "Not Allowed");
	json_free(v);
	return ret;
}
