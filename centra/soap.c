/* SPDX-License-Identifier: MIT
 *
 * soap.c - see soap.h.
 */
#include "centra/soap.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/number.h"
#include "centra/transport.h"
#include "centra/xml.h"

#define ENVELOPE "http://schemas.xmlsoap.org/soap/envelope/"
#define SPACE	 "http://www.centra.com/webservices/"
#define BODY_MAX ((size_t)256 << 10)

/* ---- the parts of a reply that are read ---- */

enum node {
	NODE_TOP, /* above the root */
	NODE_OTHER, /* nothing in it is read */
	NODE_ENVELOPE,
	NODE_BODY,
	NODE_FAULT,
	NODE_FAULTSTRING,
	NODE_RESULT,
	NODE_ERRORS,
	NODE_MESSAGE,
	NODE_DONE,
	NODE_GET,
	NODE_EVENTS,
	NODE_EVENT,
	NODE_ID,
	NODE_TYPE,
	NODE_ENTRY,
	NODE_DATA,
	NODE_ORDER,
	NODE_NUMBER,
	NODES,
};

static const struct {
	enum node parent;
	const char *name;
	enum node node;
} nodes[] = {
	{NODE_TOP, ENVELOPE " Envelope", NODE_ENVELOPE},
	{NODE_ENVELOPE, ENVELOPE " Body", NODE_BODY},
	{NODE_BODY, ENVELOPE " Fault", NODE_FAULT},
	{NODE_FAULT, "faultstring", NODE_FAULTSTRING},
	{NODE_BODY, SPACE " result", NODE_RESULT},
	{NODE_RESULT, SPACE " errors", NODE_ERRORS},
	{NODE_ERRORS, SPACE " message", NODE_MESSAGE},
	{NODE_BODY, "eventsDoneResponse", NODE_DONE},
	{NODE_BODY, SPACE " eventsDoneResponse", NODE_DONE},
	{NODE_BODY, SPACE " events_Get", NODE_GET},
	{NODE_GET, SPACE " events", NODE_EVENTS},
	{NODE_EVENTS, SPACE " event", NODE_EVENT},
	{NODE_EVENT, SPACE " id", NODE_ID},
	{NODE_EVENT, SPACE " type", NODE_TYPE},
	{NODE_EVENT, SPACE " entry", NODE_ENTRY},
	{NODE_EVENT, SPACE " data", NODE_DATA},
	{NODE_DATA, SPACE " order", NODE_ORDER},
	{NODE_ORDER, SPACE " ordernumber", NODE_NUMBER},
};

/* A reply as it is read. */
struct answer {
	enum node path[XML_DEPTH_MAX + 1]; /* of the open elements, by depth */
	unsigned seen[NODES]; /* elements that there were */
	bool done_ok;
	char why[XML_TEXT_MAX + 1]; /* Centra's words about a failure */
	struct soap_events *events; /* or NULL: they are not read */
	bool too_many;
	/* Of the open event: */
	struct soap_event event;
	unsigned ids;
	int64_t entry;
};

static void on_open(void *arg, unsigned depth, const char *name)
{
	struct answer *a = arg;
	enum node is = NODE_OTHER;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (nodes[i].parent == a->path[depth - 1] &&
		    !strcmp(nodes[i].name, name))
			is = nodes[i].node;
	a->path[depth] = is;
	a->seen[is]++;
	if (is == NODE_EVENT) {
		a->event = (struct soap_event){0};
		a->ids = 0;
		a->entry = 0;
	}
}

static int64_t number_of(const char *text)
{
	int64_t n = 0;

	return text && number_read(text, 1, INT64_MAX, &n) ? n : 0;
}

/* `entry` is the order's number too, unless Centra converts ids by a table. */
static void end_event(struct answer *a)
{
	struct soap_events *to = a->events;
	struct soap_event *ev = &a->event;

	if (!to)
		return;
	if (to->n + to->unread == SOAP_EVENTS_MOST) {
		a->too_many = true;
		return;
	}
	if (!ev->id || a->ids != 1) {
		to->unread++;
		return;
	}
	if (ev->is_order && !ev->order)
		ev->order = a->entry;
	if (!ev->is_order)
		ev->order = 0;
	to->list = xrealloc(to->list, to->n + 1, sizeof(*to->list));
	to->list[to->n++] = *ev;
}

static void take_words(struct answer *a, const char *text)
{
	char *clean;

	if (*a->why || !text)
		return;
	clean = json_clean(text);
	(void)!copy_text(a->why, sizeof(a->why), clean);
	free(clean);
}

static void on_close(void *arg, unsigned depth, const char *text)
{
	struct answer *a = arg;

	switch (a->path[depth]) {
	case NODE_FAULTSTRING:
	case NODE_MESSAGE:
		take_words(a, text);
		break;
	case NODE_DONE:
		a->done_ok = text && !strcmp(text, "OK");
		break;
	case NODE_ID:
		a->event.id = number_of(text);
		a->ids++;
		break;
	case NODE_TYPE:
		a->event.is_order = text && !strcmp(text, "order");
		break;
	case NODE_ENTRY:
		a->entry = number_of(text);
		break;
	case NODE_NUMBER:
		a->event.order = number_of(text);
		break;
	case NODE_EVENT:
		end_event(a);
		break;
	default:
		break;
	}
}

/* Reads the envelope.  RC_INVALID: its body is not `wanted` and nothing
 * else. */
static enum rc read_answer(const char *xml, size_t len, enum node wanted,
			   struct answer *a, struct err *e)
{
	const struct xml_reader r = {
		.open = on_open, .close = on_close, .arg = a};
	enum rc rc = xml_read(xml, len, &r, e);

	if (rc)
		return rc;
	if (a->seen[NODE_FAULT] || a->seen[NODE_RESULT])
		return fail(e, RC_INVALID, "SOAP: %s",
			    *a->why ? a->why : "a failure without words");
	if (a->seen[NODE_ENVELOPE] != 1 || a->seen[NODE_BODY] != 1 ||
	    a->seen[wanted] != 1)
		return fail(e, RC_INVALID,
			    "SOAP: the reply is not the one that was asked "
			    "for");
	return OK;
}

enum rc soap_read_events(const char *xml, size_t len, struct soap_events *ret,
			 struct err *e)
{
	struct answer a = {.path = {NODE_TOP}, .events = ret};
	enum rc rc = read_answer(xml, len, NODE_GET, &a, e);

	if (!rc && a.seen[NODE_EVENTS] != 1)
		rc = fail(e, RC_INVALID, "SOAP: the reply has no list of "
					 "events");
	if (!rc && a.too_many)
		rc = fail(e, RC_INVALID, "SOAP: more than %d events in a reply",
			  SOAP_EVENTS_MOST);
	if (!rc && ret->unread && !ret->n)
		rc = fail(e, RC_INVALID, "SOAP: no event has an id that can be "
					 "read");
	if (rc)
		soap_events_release(ret);
	return rc;
}

enum rc soap_read_done(const char *xml, size_t len, struct err *e)
{
	struct answer a = {.path = {NODE_TOP}};
	enum rc rc = read_answer(xml, len, NODE_DONE, &a, e);

	if (!rc && !a.done_ok)
		rc = fail(e, RC_INVALID, "SOAP: the events are not done");
	return rc;
}

void soap_events_release(struct soap_events *s)
{
	free(s->list);
	s->list = NULL;
	s->n = s->unread = 0;
}

/* ---- the calls ---- */

static void put_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buf_str(b, "&amp;");
		else if (*text == '<')
			buf_str(b, "&lt;");
		else if (*text == '>')
			buf_str(b, "&gt;");
		else
			buf_char(b, *text);
	}
}

/* Begins the envelope of an operation; the login comes first in each. */
static bool begin(struct centra_conn *n, struct buf *b, const char *element)
{
	char *user, *password;
	bool ret = centra_soap_login(n->centra, &user, &password);

	buf_init(b, BODY_MAX);
	buf_fmt(b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		"<soap:Envelope xmlns:soap=\"" ENVELOPE "\"><soap:Body>"
		"<%s xmlns=\"" SPACE "\"><login><username>",
		element);
	put_text(b, ret ? user : "");
	buf_str(b, "</username><password>");
	put_text(b, ret ? password : "");
	buf_str(b, "</password></login>");
	centra_forget(user);
	centra_forget(password);
	return ret;
}

/* Ends the call as not done if the reply is a Fault, which comes with HTTP 500,
 * or a failed result: then Centra has done nothing.  Its words go to call->why. */
static void judge_failure(const struct buf *reply, struct call *call)
{
	struct answer a = {.path = {NODE_TOP}};
	const struct xml_reader r = {
		.open = on_open, .close = on_close, .arg = &a};
	struct err e;

	if (!reply->data || xml_read(reply->data, reply->len, &r, &e) ||
	    !(a.seen[NODE_FAULT] || a.seen[NODE_RESULT]))
		return;
	call->end = CALL_NOT_DONE;
	(void)!fail(&call->why, RC_AGAIN, "SOAP: %s",
		    *a.why ? a.why : "a failure without words");
}

/* Sends the envelope and reads the reply, which is `reply`'s afterwards. */
static void ask(struct centra_conn *n, struct buf *body, const char *element,
		const char *action, struct call *call, struct buf *reply)
{
	struct post p = {
		.api = CENTRA_SOAP, .path = "", .soap_action = action};

	buf_fmt(body, "</%s></soap:Body></soap:Envelope>", element);
	p.body = body->data;
	p.len = body->len;
	transport_post(n, &p, call, reply);
	if (body->data)
		explicit_bzero(body->data, body->len);
	if (call->status == 500)
		judge_failure(reply, call);
}

void soap_events_get(struct centra_conn *n, struct soap_events *ret)
{
	static const char element[] = "events_GetRequest";
	struct buf body, reply;

	*ret = (struct soap_events){0};
	(void)begin(n, &body, element);
	buf_str(&body, "<type>all</type>");
	ask(n, &body, element, SPACE "Events_Get", &ret->call, &reply);
	if (ret->call.end == CALL_OK &&
	    soap_read_events(reply.data ? reply.data : "", reply.len, ret,
			     &ret->call.why))
		ret->call.end = CALL_UNKNOWN;
	buf_release(&reply);
	buf_release(&body);
}

void soap_events_done(struct centra_conn *n, const int64_t *ids, size_t n_ids,
		      struct call *ret)
{
	static const char element[] = "events_Done";
	struct buf body, reply;

	(void)begin(n, &body, element);
	for (size_t i = 0; i < n_ids; i++) {
		buf_str(&body, "<event>");
		buf_int(&body, ids[i]);
		buf_str(&body, "</event>");
	}
	ask(n, &body, element, SPACE "Events_Done", ret, &reply);
	if (ret->end == CALL_OK &&
	    soap_read_done(reply.data ? reply.data : "", reply.len,
			   &ret->why)) {
		ret->end = CALL_UNKNOWN;
		judge_failure(&reply, ret);
	}
	buf_release(&reply);
	buf_release(&body);
}
