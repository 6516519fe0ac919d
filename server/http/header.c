/* SPDX-License-Identifier: MIT
 *
 * header.c - a request's header and path, read so that they have only one
 * meaning.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "server/http/http_private.h"

/* Returns the path of a URI in absolute form, "http://host/path", as clients of
 * a proxy send it. */
static const char *origin_form(const char *uri)
{
	size_t scheme = 0, host;

	if (!strncasecmp(uri, "http://", 7))
		scheme = 7;
	else if (!strncasecmp(uri, "https://", 8))
		scheme = 8;
	host = scheme ? strcspn(uri + scheme, "/?#") : 0;
	if (!host)
		return uri;
	uri += scheme + host;
	return *uri == '/' ? uri : "/";
}

char *header_path(const char *uri)
{
	const char *from = origin_form(uri);
	size_t len = strcspn(from, "?#"), n = 0;
	char *path;

	/* A value would end at it: "?order=1%002" would be order 1. */
	if (strstr(from + len, "%00"))
		return NULL;
	path = xstrndup(from, len);
	for (size_t i = 0; i < len; i++) {
		int byte;

		if (path[i] != '%') {
			path[n++] = path[i];
			continue;
		}
		byte = hex_byte(path + i + 1);
		if (byte < ' ' || byte == '/' || byte == 0x7f) {
			free(path);
			return NULL;
		}
		path[n++] = (char)byte;
		i += 2;
	}
	path[n] = '\0';
	return path;
}

/* True for a character of a token (RFC 9110, 5.6.2). */
static bool in_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *name)
{
	const char *s = name;

	while (in_token(*s))
		s++;
	return s > name && !*s;
}

/* MHD 0.9.75 appends the second line of a folded header to its *name*.
 * Centra's documentation shows its signature folded ("t=1," and "v1=..." on the
 * next line), so for that one header (may_fold) the two pieces are joined
 * again; all other folded headers are refused.  MHD 1.0 refuses every folded
 * header, as RFC 9112 permits. */
static void on_bad_name(struct header *h, const char *key, const char *value)
{
	const size_t len = h->may_fold ? strlen(h->may_fold) : 0;

	if (value && len && !strncasecmp(key, h->may_fold, len) &&
	    !h->folded) {
		h->folded = value;
		h->rest = key + len;
	} else {
		h->bad_names++;
	}
}

/* True for a name that begins with Content-Length or Transfer-Encoding and may
 * have a folded line appended to it: then it is not certain where the body
 * ends. */
static bool is_framing_folded(const char *name)
{
	static const char *const framing[] = {"Content-Length",
					      "Transfer-Encoding"};

	for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
		size_t len = strlen(framing[i]);

		if (!strncasecmp(name, framing[i], len) && name[len])
			return true;
	}
	return false;
}

/* True if the value contains a control character, above all a bare CR, which
 * some parsers take for the end of a line. */
static bool has_control(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') ||
		    *value == 0x7f)
			return true;
	return false;
}

/* Counts and checks one header.  An MHD_KeyValueIterator. */
static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind,
				 const char *key, const char *value)
{
	struct header *h = cls;
	int64_t length = 0;

	(void)kind;
	h->n++;
	h->bad_values += value && has_control(value);
	if (!is_token(key)) {
		on_bad_name(h, key, value);
	} else if (!strchr("cthaxCTHAX", *key)) {
		; /* no name below begins with this letter */
	} else if (is_framing_folded(key)) {
		h->bad_names++;
	} else if (!strcasecmp(key, "Content-Length")) {
		h->lengths++;
		/* MHD has refused a length that is not a number. */
		if (value && !number_read(value, 0, INT64_MAX, &length))
			length = INT64_MAX;
		h->length = (uint64_t)length;
	} else if (!strcasecmp(key, "Transfer-Encoding")) {
		h->encodings++;
		h->chunked = value && !strcasecmp(value, "chunked");
	} else if (!strcasecmp(key, "Host")) {
		h->hosts++;
	} else if (!strcasecmp(key, "Authorization")) {
		h->authorizations++;
	} else if (!strcasecmp(key, "X-Forwarded-For") && value &&
		   h->n_forwarded < HEADERS_MAX) {
		h->forwarded[h->n_forwarded++] = value;
	}
	return MHD_YES;
}

void header_read(struct header *h, struct MHD_Connection *mhd,
		 const char *version, const char *may_fold)
{
	*h = (struct header){.old = !strcmp(version, "HTTP/1.0"),
			     .may_fold = may_fold};
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, on_header, h);
}

void header_check(const struct header *h, struct response *res)
{
	if (h->n > HEADERS_MAX)
		respond_problem(res, 431, "too_large",
				"there are more than %d headers", HEADERS_MAX);
	else if (h->bad_names)
		respond_problem(res, 400, "bad_request",
				"a header's name is no name, or is folded");
	else if (h->bad_values)
		respond_problem(res, 400, "bad_request",
				"a header's value holds a control character");
	else if (h->lengths > 1 || h->hosts > 1 || h->authorizations > 1)
		respond_problem(res, 400, "bad_request",
				"a header that may come once came twice");
	else if (h->lengths && h->encodings)
		respond_problem(res, 400, "bad_request",
				"Content-Length and Transfer-Encoding exclude "
				"each other");
	else if (h->encodings && h->old)
		respond_problem(res, 400, "bad_request",
				"HTTP/1.0 has no Transfer-Encoding");
	else if (h->encodings > 1 || (h->encodings && !h->chunked))
		respond_problem(res, 400, "bad_request",
				"the one Transfer-Encoding taken is chunked");
}

/* ---- copies ---- */

/* Copies fields into memory that an earlier request left.  If they do not fit,
 * this pass only adds up their number and size, and a second pass copies them into
 * new memory. */
struct copying {
	const struct header *h;
	struct fields *to;
	size_t n, size;
};

static size_t trimmed(const char *value)
{
	size_t len = strlen(value);

	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	return len;
}

static const char *put_text(struct copying *c, const char *text, size_t len)
{
	size_t from = c->size;
	char *at;

	c->size += len + 1;
	if (c->size > c->to->text_room)
		return NULL;
	at = c->to->text + from;
	memcpy(at, text, len);
	at[len] = '\0';
	return at;
}

static void put_field(struct copying *c, const char *name, const char *value,
		      size_t len)
{
	struct field f = {.name = put_text(c, name, strlen(name))};

	if (value)
		f.value = put_text(c, value, len);
	if (c->n < c->to->list_room)
		c->to->list[c->n] = f;
	c->n++;
}

/* Copies one header.  An MHD_KeyValueIterator. */
static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind,
				   const char *key, const char *value)
{
	struct copying *c = cls;

	(void)kind;
	if (c->h->folded && value == c->h->folded) {
		char *whole = xasprintf("%s%s", value, c->h->rest);

		put_field(c, c->h->may_fold, whole, trimmed(whole));
		free(whole);
	} else if (value) {
		put_field(c, key, value, trimmed(value));
	}
	return MHD_YES;
}

/* Copies one query argument.  An MHD_KeyValueIterator. */
static enum MHD_Result copy_argument(void *cls, enum MHD_ValueKind kind,
				     const char *key, const char *value)
{
	(void)kind;
	put_field(cls, key, value, value ? strlen(value) : 0);
	return MHD_YES;
}

static void copy_all(struct copying *c, struct MHD_Connection *mhd)
{
	c->n = c->size = 0;
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, copy_header, c);
	c->to->n_headers = c->n;
	MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, copy_argument,
				  c);
}

#define FIELDS_FIRST 16
#define TEXT_FIRST   1024
#define TEXT_KEPT    4096 /* most bytes that are kept for the next request */

static void fields_room(struct fields *f, size_t fields, size_t text)
{
	f->list = xcalloc(fields, sizeof(*f->list));
	f->list_room = fields;
	f->text = xcalloc(text, 1);
	f->text_room = text;
}

void fields_copy(struct fields *ret, const struct header *h,
		 struct MHD_Connection *mhd)
{
	struct copying c = {.h = h, .to = ret};

	if (!ret->list)
		fields_room(ret, FIELDS_FIRST, TEXT_FIRST);
	copy_all(&c, mhd);
	if (c.n > ret->list_room || c.size > ret->text_room) {
		fields_release(ret);
		fields_room(ret, c.n, c.size);
		copy_all(&c, mhd);
	}
	ret->n = c.n;
}

void fields_clear(struct fields *f)
{
	if (f->text_room > TEXT_KEPT)
		fields_release(f);
	f->n = f->n_headers = 0;
}

void fields_release(struct fields *f)
{
	free(f->list);
	free(f->text);
	*f = (struct fields){0};
}
