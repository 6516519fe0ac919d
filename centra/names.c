/* SPDX-License-Identifier: MIT
 *
 * names.c - see names.h.
 *
 * A path is walked through the live types from Query or Mutation on.  A type is
 * fetched when a path first reaches it, all that are wanted at once in one
 * query: that takes some six queries, none of which is large or deep.
 */
#include "centra/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/graphql_private.h"

#define QUERY_MAX  ((size_t)64 << 10)
#define FAULTS_MAX ((size_t)64 << 10)
#define ROUNDS	   20 /* rounds of queries; no path has so many segments */
#define WORD_SIZE  64

const struct name_row name_rows[] = {
#define FIELDS(path, names)	     {NAME_FIELD, path, names, USE_ALWAYS},
#define ARGS(path, names)	     {NAME_ARG, path, names, USE_ALWAYS},
#define FIELDS_FOR(use, path, names) {NAME_FIELD, path, names, use},
#define ARGS_FOR(use, path, names)   {NAME_ARG, path, names, use},
#define VALUES(path, names)	     {NAME_VALUE, path, names, USE_ALWAYS},
#define TYPES(names)		     {NAME_TYPE, "", names, USE_ALWAYS},
#define PERMISSION(name, what, use, query, list, needs)
#include "centra/names.def"
#undef FIELDS
#undef ARGS
#undef FIELDS_FOR
#undef ARGS_FOR
#undef VALUES
#undef TYPES
#undef PERMISSION
};
const size_t n_name_rows = sizeof(name_rows) / sizeof(*name_rows);

const struct permission permissions[] = {
#define FIELDS(path, names)
#define ARGS(path, names)
#define FIELDS_FOR(use, path, names)
#define ARGS_FOR(use, path, names)
#define VALUES(path, names)
#define TYPES(names)
#define PERMISSION(name, what, use, query, list, needs)                       \
	{name, what, use, query, list, needs},
#include "centra/names.def"
#undef FIELDS
#undef ARGS
#undef FIELDS_FOR
#undef ARGS_FOR
#undef VALUES
#undef TYPES
#undef PERMISSION
};
const size_t n_permissions = sizeof(permissions) / sizeof(*permissions);

/* ---- the live types ---- */

#define TYPE_REF "type { kind name ofType { kind name ofType { kind name "    \
		 "ofType { kind name } } } } "
#define TYPE_FIELDS                                                           \
	"kind name fields(includeDeprecated:true) { name "                    \
	"args { name " TYPE_REF "} " TYPE_REF "} "                            \
	"inputFields { name " TYPE_REF "} "                                   \
	"enumValues(includeDeprecated:true) { name } "

struct live_type {
	char *name;	   /* owned */
	struct json *type; /* owned; NULL: not fetched yet, or there is none */
	bool fetched;
};

struct walk {
	unsigned uses; /* enum name_use: whose names are looked up */
	struct live_type *types; /* owned: those that a path reached */
	size_t n_types;
	struct names_report *report;
};

/* Returns the type of that name; the pointer is valid until the next call.  A
 * type that no path reached before is fetched with the next query. */
static const struct live_type *type_named(struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n_types; i++)
		if (!strcmp(w->types[i].name, name))
			return &w->types[i];
	w->types = xrealloc(w->types, w->n_types + 1, sizeof(*w->types));
	w->types[w->n_types] = (struct live_type){.name = xstrdup(name)};
	return &w->types[w->n_types++];
}

static bool all_fetched(const struct walk *w)
{
	for (size_t i = 0; i < w->n_types; i++)
		if (!w->types[i].fetched)
			return false;
	return true;
}

/* Returns the name of the type inside lists and NON_NULL. */
static const char *named(const struct json *ref)
{
	while (json_is_object(json_get(ref, "ofType")))
		ref = json_get(ref, "ofType");
	return json_text(json_get(ref, "name"));
}

static const struct json *member_named(const struct json *list,
				       const char *name)
{
	const struct json *v;

	json_each(v, list)
		if (json_is(json_get(v, "name"), name))
			break;
	return v;
}

/* Reads the types of a reply to fetch_types(). */
static void take_types(struct walk *w, const struct json *data)
{
	char alias[24];

	for (size_t i = 0; i < w->n_types; i++) {
		struct live_type *t = &w->types[i];
		const struct json *type;

		if (t->fetched)
			continue;
		snprintf(alias, sizeof(alias), "t%zu", i);
		type = json_get(data, alias);
		if (json_is_object(type))
			t->type = json_copy(type);
		t->fetched = true;
	}
}

/* Fetches the wanted types.  False: the schema cannot be read; report->call
 * says why. */
static bool fetch_types(struct centra_conn *n, struct walk *w)
{
	struct buf body, query;
	struct gql_reply r;
	bool fine;

	buf_init(&body, QUERY_MAX);
	buf_init(&query, QUERY_MAX);
	buf_str(&query, "query I { ");
	for (size_t i = 0; i < w->n_types; i++) {
		if (w->types[i].fetched)
			continue;
		buf_fmt(&query, "t%zu: __type(name:", i);
		buf_json(&query, w->types[i].name);
		buf_str(&query, ") { " TYPE_FIELDS "} ");
	}
	buf_char(&query, '}');
	gql_begin(&body, "%s", query.data);
	json_end(&body);
	buf_release(&query);
	gql_ask(n, &body, false, &w->report->call, &r);
	buf_release(&body);
	fine = w->report->call.end == CALL_OK;
	if (fine)
		take_types(w, r.data);
	gql_reply_end(&r);
	return fine;
}

/* ---- walking a path ---- */

/* Where a walk is: in a type, at a field or argument, or at a member of one. */
struct place {
	const struct json *type;   /* NULL: not fetched yet, or
				    * there is no type */
	const struct json *member; /* has a `type` of its own; NULL at the
				    * start */
	bool lost;		   /* stop here: a fault was reported, or a
				    * type has to be fetched first */
};

/* Reports a missing name, unless the same line is in the report already: one
 * missing field has many children. */
static void missing(struct walk *w, const char *what, const char *type,
		    const char *name)
{
	char *line = xasprintf("\n%s%s%s\n", what, type, name);
	struct buf *b = &w->report->faults;

	if (!b->len)
		buf_char(b, '\n');
	if (!strstr(b->data, line)) {
		buf_str(b, line + 1);
		w->report->missing++;
	}
	free(line);
}

/* True for a valid GraphQL name: nothing else may go into a query. */
static bool is_name(const char *s)
{
	return s && *s &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_") == strlen(s);
}

static void enter(struct walk *w, struct place *p, const char *type)
{
	const struct live_type *t = is_name(type) ? type_named(w, type) : NULL;

	p->type = t ? t->type : NULL;
	p->lost = !p->type;
	if (t && t->fetched && !t->type)
		missing(w, "there is no type ", type, "");
}

/* Steps into the type of the place's member, if it has one. */
static void descend(struct walk *w, struct place *p)
{
	if (p->member)
		enter(w, p, named(json_get(p->member, "type")));
}

/* Steps to the member of that name in one of the lists of `of`, a type or a
 * field. */
static void step(struct walk *w, struct place *p, const struct json *of,
		 const char *list, const char *what, const char *name)
{
	char *dot = xasprintf(".%s", name);
	const char *owner = json_text(json_get(of, "name"));

	p->member = member_named(json_get(of, list), name);
	if (!p->member) {
		missing(w, what, owner ? owner : "?", dot);
		p->lost = true;
	}
	free(dot);
}

/* Returns the next word of a text, up to one of the separators. */
static const char *word(const char *from, const char *marks,
			char ret[WORD_SIZE])
{
	size_t n = strcspn(from, marks);

	if (n >= WORD_SIZE)
		n = WORD_SIZE - 1;
	memcpy(ret, from, n);
	ret[n] = '\0';
	return from + strcspn(from, marks);
}

/* Walks a path such as "Query.orders.(DirectToConsumerOrder).lines". */
static void walk_path(struct walk *w, struct place *p, const char *path)
{
	char name[WORD_SIZE];

	*p = (struct place){0};
	if (!*path)
		return;
	path = word(path, ".", name);
	enter(w, p, name);
	while (!p->lost && *path++ == '.') {
		bool fragment = *path == '(';

		path = word(path + fragment, fragment ? ")" : ".", name);
		descend(w, p);
		if (p->lost)
			return;
		if (fragment) {
			path++;
			p->member = NULL;
			enter(w, p, name);
		} else {
			step(w, p, p->type, "fields", "there is no field ",
			     name);
		}
	}
}

static void walk_value(struct walk *w, struct place *p, const char *value)
{
	const char *type;

	descend(w, p);
	if (p->lost || json_empty(json_get(p->type, "enumValues")))
		return; /* the type is no enum, so it has no values */
	type = json_text(json_get(p->type, "name"));
	if (!member_named(json_get(p->type, "enumValues"), value)) {
		char *dot = xasprintf(".%s", value);

		missing(w, "there is no value ", type ? type : "?", dot);
		free(dot);
	}
}

/* Checks an argument such as "where.number:Int" or "sort=number_ASC" of the
 * field that p is at. */
static void walk_arg(struct walk *w, struct place *p, const char *arg)
{
	char name[WORD_SIZE], text[2 * WORD_SIZE + 40];
	const char *is;

	arg = word(arg, ".:=", name);
	step(w, p, p->member, "args", "there is no argument ", name);
	while (!p->lost && *arg == '.') {
		arg = word(arg + 1, ".:=", name);
		descend(w, p);
		if (!p->lost)
			step(w, p, p->type, "inputFields",
			     "there is no input ", name);
	}
	if (p->lost || !*arg)
		return;
	if (*arg == '=') {
		walk_value(w, p, arg + 1);
		return;
	}
	is = named(json_get(p->member, "type"));
	if (is && !strcmp(is, arg + 1))
		return;
	snprintf(text, sizeof(text), " is of the type %.64s, and not ",
		 is ? is : "?");
	missing(w, name, text, arg + 1);
}

/* Checks one name of a row, from the position that the row's path led to. */
static void walk_name(struct walk *w, enum name_kind kind, struct place p,
		      const char *name)
{
	w->report->looked_up++;
	if (p.lost || !strcmp(name, "__typename"))
		return;
	switch (kind) {
	case NAME_ARG:
		walk_arg(w, &p, name);
		break;
	case NAME_VALUE:
		walk_value(w, &p, name);
		break;
	case NAME_TYPE:
		enter(w, &p, name);
		break;
	case NAME_FIELD:
		descend(w, &p);
		if (!p.lost)
			step(w, &p, p.type, "fields", "there is no field ",
			     name);
	}
}

/* Checks all rows, as far as their types are fetched. */
static void walk_all(struct walk *w)
{
	char name[WORD_SIZE];
	const char *names;
	struct place at;

	w->report->looked_up = w->report->missing = 0;
	buf_clear(&w->report->faults);
	for (size_t i = 0; i < n_name_rows; i++) {
		if (name_rows[i].use && !(name_rows[i].use & w->uses))
			continue;
		walk_path(w, &at, name_rows[i].path);
		for (names = name_rows[i].names; *names;
		     names += *names == ' ') {
			names = word(names, " ", name);
			walk_name(w, name_rows[i].kind, at, name);
		}
	}
}

void names_compare(struct centra_conn *n, unsigned uses,
		   struct names_report *ret)
{
	struct walk w = {.report = ret, .uses = uses};

	*ret = (struct names_report){0};
	buf_init(&ret->faults, FAULTS_MAX);
	for (int i = 0; i < ROUNDS; i++) {
		walk_all(&w);
		if (all_fetched(&w) || !fetch_types(n, &w))
			break;
	}
	for (size_t i = 0; i < w.n_types; i++) {
		free(w.types[i].name);
		json_free(w.types[i].type);
	}
	free(w.types);
}

/* ---- permissions ---- */

enum permission_end permission_try(struct centra_conn *n,
				   const struct permission *p,
				   struct call *call)
{
	enum permission_end ret = PERMISSION_UNKNOWN;
	struct gql_reply r;
	struct buf body;

	if (!p->query)
		return PERMISSION_UNTRIED;
	buf_init(&body, QUERY_MAX);
	gql_begin(&body, "%s", p->query);
	json_end(&body);
	gql_ask(n, &body, false, call, &r);
	buf_release(&body);
	if (call->end == CALL_OK)
		ret = p->list && json_empty(json_get(r.data, p->list))
			      ? PERMISSION_EMPTY
			      : PERMISSION_GIVEN;
	else if (call->refused && call->status != 401)
		ret = PERMISSION_MISSING;
	gql_reply_end(&r);
	return ret;
}
