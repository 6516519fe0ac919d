/* SPDX-License-Identifier: MIT
 *
 * xml.c - see xml.h.
 */
#include "centra/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The text of one open element. */
struct level {
	char text[XML_TEXT_MAX + 1];
	size_t len;
	bool too_long;
};

struct reading {
	const struct xml_reader *to;
	XML_Parser parser;
	const char *refused; /* NULL: nothing was refused yet */
	size_t elements;
	unsigned depth;
	struct level levels[XML_DEPTH_MAX];
};

/* Returns the line at which the parser stands.  libexpat 2.9 has the function
 * under another name, and deprecates this one. */
static unsigned long line_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
	return (unsigned long)XML_GetCurrentLineNumber64(parser);
#else
	return (unsigned long)XML_GetCurrentLineNumber(parser);
#endif
}

static void refuse(struct reading *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name,
			     const XML_Char **attributes)
{
	struct reading *r = arg;

	(void)attributes;
	if (r->refused)
		return;
	if (r->depth == XML_DEPTH_MAX || ++r->elements > XML_ELEMENTS_MAX) {
		refuse(r, r->depth == XML_DEPTH_MAX ? "it is nested too deep"
						    : "it has too many elements");
		return;
	}
	r->levels[r->depth++] = (struct level){.len = 0};
	r->to->open(r->to->arg, r->depth, name);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Returns the text without white space around it, or NULL. */
static const char *trimmed(struct level *l)
{
	const char *at = l->text;

	if (l->too_long)
		return NULL;
	while (l->len && is_space(l->text[l->len - 1]))
		l->len--;
	l->text[l->len] = '\0';
	while (is_space(*at))
		at++;
	return at;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;

	(void)name;
	if (r->refused || !r->depth)
		return;
	r->to->close(r->to->arg, r->depth, trimmed(&r->levels[r->depth - 1]));
	r->depth--;
}

/* White space at the beginning is not kept, so that it cannot make a text too
 * long. */
static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
	struct reading *r = arg;
	struct level *l;

	if (r->refused || !r->depth)
		return;
	l = &r->levels[r->depth - 1];
	for (int i = 0; i < len && !l->too_long; i++) {
		if (!l->len && is_space(text[i]))
			continue;
		if (l->len == XML_TEXT_MAX)
			l->too_long = !is_space(text[i]);
		else
			l->text[l->len++] = text[i];
	}
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name,
			       const XML_Char *system_id,
			       const XML_Char *public_id, int internal)
{
	(void)name, (void)system_id, (void)public_id, (void)internal;
	refuse(arg, "it has a DOCTYPE");
}

/* Entities are declared in a DOCTYPE, which on_doctype() refuses before. */
static void XMLCALL on_entity(void *arg, const XML_Char *name, int parameter,
			      const XML_Char *value, int len,
			      const XML_Char *base, const XML_Char *system_id,
			      const XML_Char *public_id,
			      const XML_Char *notation)
{
	(void)name, (void)parameter, (void)value, (void)len, (void)base;
	(void)system_id, (void)public_id, (void)notation;
	refuse(arg, "it declares an entity");
}

enum rc xml_read(const char *data, size_t len, const struct xml_reader *to,
		 struct err *e)
{
	struct reading *r;
	enum rc rc = OK;

	if (len > INT_MAX)
		return fail(e, RC_INVALID, "the XML is too long");
	r = xcalloc(1, sizeof(*r));
	r->to = to;
	r->parser = XML_ParserCreateNS(NULL, ' ');
	if (!r->parser)
		abort(); /* there is no memory: as in base/mem.h */
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetEntityDeclHandler(r->parser, on_entity);
	if (XML_Parse(r->parser, data, (int)len, 1) != XML_STATUS_OK ||
	    r->refused)
		rc = fail(e, RC_INVALID, "the XML cannot be read: %s, line %lu",
			  r->refused ? r->refused
				     : XML_ErrorString(
					       XML_GetErrorCode(r->parser)),
			  line_of(r->parser));
	XML_ParserFree(r->parser);
	free(r);
	return rc;
}
