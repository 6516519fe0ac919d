/* SPDX-License-Identifier: MIT
 *
 * order_shipments.c - see order_shipments.h.
 */
#include "centra/order_shipments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "centra/transport.h"

#define PATH_MAX_BYTES 128
#define BODY_MAX       ((size_t)256 << 10)
#define QUERY_MAX      2000

/* True if the endpoint is not ticked in the plugin; the key is right. */
static bool is_unticked(const struct call *c)
{
	return c->status == 403 && !c->refused && c->end != CALL_OK;
}

/* Makes the call and reads its reply: an object whose "status" is "ok" or "no".
 * *ret is NULL unless the call is CALL_OK. */
static void ask(struct centra_conn *n, struct post *p, struct call *ret_call,
		struct json **ret)
{
	struct buf reply;
	struct err e;

	*ret = NULL;
	p->api = CENTRA_ORDER_API;
	p->executed = order_api_unticked;
	transport_post(n, p, ret_call, &reply);
	if (is_unticked(ret_call))
		(void)!fail(&ret_call->why, RC_DENIED,
			    "the Order API plugin does not allow %s %s",
			    p->method, p->path);
	if (ret_call->end == CALL_OK &&
	    (json_parse(reply.data ? reply.data : "", reply.len, JSON_STRICT,
			ret, &e) ||
	     json_count(*ret, "status") != 1 ||
	     (!json_is(json_get(*ret, "status"), "ok") &&
	      !json_is(json_get(*ret, "status"), "no")))) {
		ret_call->end = CALL_UNKNOWN;
		(void)!fail(&ret_call->why, RC_AGAIN,
			    "the reply to %s is not one of ok or no", p->path);
		json_free(*ret);
		*ret = NULL;
	}
	buf_release(&reply);
}

/* Returns Centra's words of a "no"; the caller frees them.  NULL: the reply is
 * "ok". */
static char *refusal(const struct json *reply)
{
	char *words;

	if (!json_is(json_get(reply, "status"), "no"))
		return NULL;
	words = json_words(json_get(reply, "msg"));
	return words ? words : xstrdup("Centra refused it, without words");
}

void order_api_shipments(struct centra_conn *n, int64_t number,
			 bool good_to_go, struct call *ret_call,
			 struct json **ret)
{
	char path[PATH_MAX_BYTES], *words;
	struct post p = {.method = "GET", .path = path};

	snprintf(path, sizeof(path), "/shipments?order=%" PRId64 "%s", number,
		 good_to_go ? "" : "&status=inprogress");
	ask(n, &p, ret_call, ret);
	words = refusal(*ret);
	if (words)
		(void)!fail(&ret_call->why, RC_AGAIN, "%s", words);
	else if (*ret && !json_is_list(json_get(*ret, "shipments")))
		(void)!fail(&ret_call->why, RC_AGAIN,
			    "the reply to GET /shipments has no list of them");
	if (words || !json_is_list(json_get(*ret, "shipments"))) {
		json_free(*ret);
		*ret = NULL;
	}
	free(words);
}

/* Adds a value of a query, with all but letters and digits escaped. */
static void add_escaped(struct buf *b, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= 'a' && *p <= 'z'))
			buf_char(b, (char)*p);
		else
			buf_fmt(b, "%%%02X", *p);
	}
}

void order_api_read(struct centra_conn *n, const char *path,
		    const struct order_api_filter *filters, size_t n_filters,
		    struct call *ret_call, struct json **ret)
{
	struct post p = {.method = "GET"};
	struct buf query;

	buf_init(&query, QUERY_MAX);
	buf_str(&query, path);
	for (size_t i = 0; i < n_filters; i++) {
		buf_fmt(&query, "%c%s=", i ? '&' : '?', filters[i].name);
		add_escaped(&query, filters[i].value);
	}
	p.path = query.data;
	if (!buf_full(&query)) {
		ask(n, &p, ret_call, ret);
	} else {
		*ret_call = (struct call){.end = CALL_NOT_DONE};
		(void)!fail(&ret_call->why, RC_INVALID,
			    "the filters of %s are too long", path);
		*ret = NULL;
	}
	buf_release(&query);
}

/* Sends a change, and reads whether it was done. */
static void change(struct centra_conn *n, struct post *p,
		   struct centra_done *ret)
{
	struct json *reply;

	*ret = (struct centra_done){0};
	p->once = true;
	ask(n, p, &ret->call, &reply);
	ret->error = refusal(reply);
	if (is_unticked(&ret->call)) {
		ret->call.end = CALL_OK; /* it is a refusal of this call alone */
		ret->error = xstrdup(ret->call.why.text);
	}
	json_free(reply);
}

/* False: the number has a character that no number of Centra's has. */
static bool shipment_path(char ret[PATH_MAX_BYTES], const char *shipment,
			  struct centra_done *done)
{
	int len = snprintf(ret, PATH_MAX_BYTES, "/shipments/%s", shipment);

	if (*shipment && len < PATH_MAX_BYTES &&
	    strspn(shipment, "0123456789-") == strlen(shipment))
		return true;
	*done = (struct centra_done){.call.end = CALL_NOT_DONE,
				     .misread = true};
	(void)!fail(&done->call.why, RC_INVALID,
		    "'%s' is no number of a shipment", shipment);
	return false;
}

void order_api_edit_shipment(struct centra_conn *n, const char *shipment,
			     const struct centra_shipment_line *lines,
			     size_t n_lines, struct centra_done *ret)
{
	char path[PATH_MAX_BYTES], line[24];
	struct post p = {.method = "PUT", .path = path};
	struct buf body;

	if (!shipment_path(path, shipment, ret))
		return;
	buf_init(&body, BODY_MAX);
	json_begin(&body, NULL);
	json_begin(&body, "products");
	for (size_t i = 0; i < n_lines; i++) {
		snprintf(line, sizeof(line), "%" PRId64, lines[i].line);
		json_put_int(&body, line, lines[i].quantity);
	}
	json_end(&body);
	json_end(&body);
	p.body = body.data;
	p.len = body.len;
	change(n, &p, ret);
	buf_release(&body);
}

void order_api_delete_shipment(struct centra_conn *n, const char *shipment,
			       struct centra_done *ret)
{
	char path[PATH_MAX_BYTES];
	struct post p = {.method = "DELETE", .path = path};

	if (shipment_path(path, shipment, ret))
		change(n, &p, ret);
}
