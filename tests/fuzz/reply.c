/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "centra/transport.h"

void __wrap_transport_post(struct centra_conn *n, const struct post *p,
			   struct call *ret, struct buf *reply);

struct reply reply_next;

struct centra_conn *reply_conn(void)
{
	static struct centra_conn *conn; /* of the process, to its end */
	static const struct centra_options options = {
		.order_api_url = "http://127.0.0.1:9/api",
		.order_api_key = "key",
		.graphql_url = "http://127.0.0.1:9/graphql",
		.graphql_token = "token",
	};

	if (!conn)
		conn = centra_conn_open(centra_open(&options));
	return conn;
}

void must(bool holds)
{
	if (!holds)
		abort();
}

/* What we send is JSON, or XML, whatever was asked for. */
static void check_sent(const struct post *p)
{
	bool has_body = !p->method || !strcmp(p->method, "PUT");

	if (p->api == CENTRA_SOAP)
		must(p->body && !strncmp(p->body, "<?xml", 5) &&
		     p->body[p->len - 1] == '>');
	else if (has_body)
		must(p->body && p->body[0] == '{' &&
		     p->body[p->len - 1] == '}');
}

void __wrap_transport_post(struct centra_conn *n, const struct post *p,
			   struct call *ret, struct buf *reply)
{
	must(n != NULL);
	check_sent(p);
	*ret = (struct call){.status = reply_next.status, .end = CALL_UNKNOWN};
	if (reply_next.status == 200)
		ret->end = CALL_OK;
	else if (reply_next.status == 401 || reply_next.status == 403)
		ret->refused = true, ret->end = CALL_NOT_DONE;
	(void)!fail(&ret->why, RC_AGAIN, "HTTP %ld", reply_next.status);
	buf_init(reply, REPLY_MAX);
	(void)!buf_add(reply, reply_next.body, reply_next.len);
}

int reply_run(const uint8_t *data, size_t size, const struct reply_call *calls,
	      size_t n_calls)
{
	const char *line = (const char *)data;
	const char *end = memchr(data, '\n', size);
	char name[32] = "";
	unsigned status;

	if (!end || end - line >= (int)sizeof(name))
		return -1;
	if (sscanf(strndupa(line, (size_t)(end - line)), "%31s %3u", name,
		   &status) != 2)
		return -1;
	reply_next.status = (long)status;
	reply_next.body = end + 1;
	reply_next.len = size - (size_t)(end + 1 - line);
	for (size_t i = 0; i < n_calls; i++)
		if (!strcmp(calls[i].name, name)) {
			calls[i].run();
			return 0;
		}
	return -1;
}

void check_text(const char *s, size_t max)
{
	must(!s || (strlen(s) <= max && text_is_utf8(s)));
}

void check_call(const struct call *c)
{
	must(c->end == CALL_OK || *c->why.text);
	must(c->end != CALL_OK || reply_next.status == 200);
}

void check_done(struct centra_done *d)
{
	must(d->call.end == CALL_OK || *d->call.why.text);
	must(d->call.end == CALL_OK || reply_next.status != 200 ||
	     d->call.end == CALL_UNKNOWN || d->misread || d->call.refused);
	must(!d->misread || d->call.end == CALL_NOT_DONE);
	centra_done_release(d);
}
