/* SPDX-License-Identifier: MIT */
#include "tests/sim/http.h"

#include <microhttpd.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/control.h"
#include "tests/sim/exchange.h"
#include "tests/sim/graphql.h"
#include "tests/sim/gzip.h"
#include "tests/sim/order_api.h"
#include "tests/sim/soap.h"

#define BODY_MAX (16 * 1024 * 1024)

static struct MHD_Daemon *mhd;

static const struct {
	const char *prefix;
	void (*answer)(struct exchange *x);
} parts[] = {
	{"/api", order_api_answer},
	{"/graphql", graphql_answer},
	{"/ams/system/service/module/soap/api", soap_answer},
	{"/control", control_answer},
};

/* What is kept of a request between microhttpd's calls. */
struct request {
	struct text body;
	bool reading;
};

/* Half of the reply, and then the connection ends. */
struct half {
	char *data; /* owned */
	size_t len;
};

static ssize_t read_half(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct half *h = arg;
	size_t n = h->len / 2 - (size_t)pos;

	if (pos >= h->len / 2)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > max)
		n = max;
	memcpy(buf, h->data + pos, n);
	return (ssize_t)n;
}

static void free_half(void *arg)
{
	struct half *h = arg;

	free(h->data);
	free(h);
}

static struct MHD_Response *response(struct exchange *x)
{
	size_t len = strlen(x->reply);
	struct half *h;
	char *packed;

	if (x->gzip && x->cut == CUT_NOTHING) {
		packed = gzip_pack(x->reply, &len);
		return MHD_create_response_from_buffer(len, packed,
						       MHD_RESPMEM_MUST_FREE);
	}
	if (x->cut != CUT_HALF)
		return MHD_create_response_from_buffer(len, x->reply,
						       MHD_RESPMEM_MUST_COPY);
	h = must(calloc(1, sizeof(*h)));
	h->data = must(strdup(x->reply));
	h->len = len;
	return MHD_create_response_from_callback(len, 4096, read_half, h,
						 free_half);
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct exchange *x)
{
	struct MHD_Response *r;
	enum MHD_Result done;

	if (x->cut == CUT_ALL)
		return MHD_NO; /* closes the connection */
	r = must(response(x));
	MHD_add_response_header(r, "Content-Type", x->type);
	if (x->gzip && x->cut == CUT_NOTHING)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	if (*x->retry_after)
		MHD_add_response_header(r, "Retry-After", x->retry_after);
	done = MHD_queue_response(c, x->status, r);
	MHD_destroy_response(r);
	return done;
}

static const char *query(const struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection,
					   MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result dispatch(struct MHD_Connection *c, const char *method,
				const char *url, const char *body)
{
	struct exchange x = {
		.method = method,
		.authorization = MHD_lookup_connection_value(
			c, MHD_HEADER_KIND, "Authorization"),
		.api_authorization = MHD_lookup_connection_value(
			c, MHD_HEADER_KIND, "API-Authorization"),
		.soap_action = MHD_lookup_connection_value(
			c, MHD_HEADER_KIND, "SOAPAction"),
		.query_order = MHD_lookup_connection_value(
			c, MHD_GET_ARGUMENT_KIND, "order"),
		.query = query,
		.connection = c,
		.body = body,
	};
	enum MHD_Result done;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = strlen(parts[i].prefix);

		if (strncmp(url, parts[i].prefix, n) ||
		    (url[n] != '/' && url[n]))
			continue;
		x.path = url + n;
		parts[i].answer(&x);
	}
	if (!x.reply && x.cut == CUT_NOTHING)
		exchange_text(&x, 404, "text/html", "<h1>Not Found</h1>");
	else if (!x.reply)
		exchange_text(&x, 200, "text/plain", "");
	done = send_reply(c, &x);
	free(x.reply);
	return done;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **state)
{
	struct request *r = *state;
	enum MHD_Result done;
	char *body;

	(void)arg, (void)version;
	if (!r) {
		r = must(calloc(1, sizeof(*r)));
		text_begin(&r->body);
		r->reading = true;
		*state = r;
		return MHD_YES;
	}
	if (*size) {
		if (ftell(r->body.f) + (long)*size > BODY_MAX)
			return MHD_NO;
		fwrite(data, 1, *size, r->body.f);
		*size = 0;
		return MHD_YES;
	}
	body = text_end(&r->body);
	r->reading = false;
	done = dispatch(c, method, url, body);
	free(body);
	return done;
}

static void on_end(void *arg, struct MHD_Connection *c, void **state,
		   enum MHD_RequestTerminationCode how)
{
	struct request *r = *state;

	(void)arg, (void)c, (void)how;
	if (r && r->reading)
		free(text_end(&r->body));
	free(r);
	*state = NULL;
}

unsigned http_start(const char *listen)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	const char *colon = strrchr(listen, ':');
	const union MHD_DaemonInfo *info;
	char host[64];

	if (!colon)
		return 0;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
	at.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &at.sin_addr) != 1)
		return 0;
	mhd = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
		0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
		MHD_OPTION_CONNECTION_TIMEOUT, 120U, MHD_OPTION_END);
	if (!mhd)
		return 0;
	info = MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}

void http_stop(void)
{
	MHD_stop_daemon(mhd);
}
