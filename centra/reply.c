/* SPDX-License-Identifier: MIT
 *
 * reply.c - one call of GraphQL, and what the errors of its reply mean; see
 * graphql_private.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "centra/graphql_private.h"
#include "centra/transport.h"

#define PATH_INDEX_MAX 999999

static bool has_category(const struct json *error, const char *category)
{
	return json_is(json_get(json_get(error, "extensions"), "category"),
		       category);
}

static const struct json *path_of(const struct json *error)
{
	const struct json *path = json_get(error, "path");

	return json_is_list(path) && !json_empty(path) ? path : NULL;
}

const char *gql_path_name(const struct json *error, int n)
{
	return json_text(json_at(path_of(error), n));
}

int gql_path_index(const struct json *error, int n)
{
	const struct json *v = json_at(path_of(error), n);
	int64_t i;

	return json_whole(v, 0, PATH_INDEX_MAX, &i) ? (int)i : -1;
}

/* True if some error has a path: the document was executed. */
static bool any_path(const struct json *errors)
{
	const struct json *v;

	json_each(v, errors)
		if (path_of(v))
			return true;
	return false;
}

/* True if the body of a 401 or 403 shows that the document was executed: Centra
 * may answer a single missing permission with the status of a refused key.  The
 * hook `executed` of struct post. */
static bool executed(const char *reply, size_t len)
{
	struct json *document;
	struct err e;
	bool ret;

	if (!len || json_parse(reply, len, JSON_STRICT, &document, &e))
		return false;
	ret = any_path(json_get(document, "errors"));
	json_free(document);
	return ret;
}

/* Puts the errors' texts into the call. */
static void read_errors(const struct json *errors, struct call *call)
{
	char *text, *first = NULL;
	const struct json *v;
	size_t n = 0;

	json_each(v, errors)
	{
		if (has_category(v, "authorization"))
			call->refused = true;
		text = json_words(json_get(v, "message"));
		if (!first)
			first = text;
		else
			free(text);
		n++;
	}
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: %s%s",
		    first ? first : "an error without a message",
		    n > 1 ? " (and more)" : "");
	free(first);
}

/* Keeps the version in the extensions of a reply: "v1.60.0".  One that cannot
 * be read counts as old. */
static void read_version(struct centra_conn *n, const struct json *document)
{
	const char *text = json_text(json_get(json_get(document, "extensions"),
					      "appVersion"));
	uint64_t part[3] = {0};
	int i = 0;

	if (!text)
		return;
	for (text += *text == 'v'; i < 3 && *text >= '0' && *text <= '9'; i++) {
		for (; *text >= '0' && *text <= '9' && part[i] < 100000; text++)
			part[i] = 10 * part[i] + (uint64_t)(*text - '0');
		text += *text == '.';
	}
	centra_set_version(n, i < 3 ? 0
				    : CENTRA_VERSION(part[0], part[1],
						     part[2]));
}

void gql_ask(struct centra_conn *n, const struct buf *body, bool once,
	     struct call *call, struct gql_reply *ret)
{
	struct post p = {.api = CENTRA_GRAPHQL, .path = "",
			 .once = once, .mutation = once,
			 .executed = executed};
	const struct json *errors;
	struct buf reply;
	struct err e;

	*ret = (struct gql_reply){0};
	p.body = body->data;
	p.len = body->len;
	transport_post(n, &p, call, &reply);
	if (!reply.len ||
	    json_parse(reply.data, reply.len, JSON_STRICT, &ret->document, &e))
		ret->document = NULL;
	buf_release(&reply);
	ret->whole = call->end == CALL_OK;
	if (ret->whole)
		read_version(n, ret->document);
	if (json_is_object(json_get(ret->document, "data")))
		ret->data = json_get(ret->document, "data");
	errors = json_get(ret->document, "errors");
	if (!json_empty(errors)) { /* read with any status, since errors explain
				    * it */
		ret->errors = errors;
		if (call->end == CALL_OK)
			call->end = CALL_UNKNOWN;
		read_errors(errors, call);
	} else if (call->end == CALL_OK && !ret->data) {
		call->end = CALL_UNKNOWN;
		(void)!fail(&call->why, RC_AGAIN,
			    "GraphQL: the reply has no data");
	}
}

void gql_reply_end(struct gql_reply *r)
{
	json_free(r->document);
	*r = (struct gql_reply){0};
}

/* True if the status alone says that Centra would not or could not execute the
 * document now. */
static bool status_speaks(const struct gql_reply *r, long status)
{
	if (status == 401 || status == 403)
		return !any_path(r->errors);
	return status == 408 || status == 429 || status == 499 ||
	       status >= 500;
}

enum gql_fault gql_judge(const struct gql_reply *r, const struct call *call,
			 const char *mutation)
{
	bool denied = false, ran = false;
	const struct json *v;

	if (!json_is_list(r->errors) || status_speaks(r, call->status) ||
	    !json_empty(json_get(r->data, mutation)))
		return GQL_RAN;
	json_each(v, r->errors)
	{
		const char *top = gql_path_name(v, 0);

		if (path_of(v) && json_length(path_of(v)) == 1 && top &&
		    !strcmp(top, mutation) && has_category(v, "authorization"))
			denied = true;
		else if (path_of(v) || has_category(v, "internal") ||
			 !json_is_object(v))
			ran = true;
	}
	if (denied)
		return GQL_DENIED;
	return ran ? GQL_RAN : GQL_NOT_RUN;
}
