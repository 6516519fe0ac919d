/* SPDX-License-Identifier: MIT */
#include "tests/sim/gql.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 20

struct reader {
	const char *p;
	const cJSON *variables; /* borrowed, or NULL */
	const char *why;        /* the first mistake, or NULL */
	int depth;
};

static void wrong(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

/* White space, commas and comments mean nothing. */
static char look(struct reader *r)
{
	while (*r->p && (isspace((unsigned char)*r->p) || *r->p == ',' ||
			 *r->p == '#')) {
		if (*r->p == '#')
			r->p += strcspn(r->p, "\n");
		else
			r->p++;
	}
	return *r->p;
}

static bool eat(struct reader *r, char c)
{
	if (look(r) != c)
		return false;
	r->p++;
	return true;
}

static void need(struct reader *r, char c)
{
	if (!eat(r, c))
		wrong(r, "Syntax Error: unexpected character");
}

static char *name(struct reader *r)
{
	const char *start;
	size_t n = 0;

	look(r);
	start = r->p;
	while (isalnum((unsigned char)start[n]) || start[n] == '_')
		n++;
	if (!n || isdigit((unsigned char)*start))
		wrong(r, "Syntax Error: a name is missing");
	r->p += n;
	return must(strndup(start, n));
}

static cJSON *value(struct reader *r);

static cJSON *object_until(struct reader *r, char end)
{
	cJSON *o = must(cJSON_CreateObject());

	while (!r->why && !eat(r, end)) {
		char *key = name(r);

		need(r, ':');
		if (!r->why)
			cJSON_AddItemToObject(o, key, value(r));
		free(key);
	}
	return o;
}

static cJSON *list(struct reader *r)
{
	cJSON *a = must(cJSON_CreateArray());

	while (!r->why && !eat(r, ']'))
		cJSON_AddItemToArray(a, value(r));
	return a;
}

static cJSON *variable(struct reader *r)
{
	char *key = name(r);
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->variables, key);

	free(key);
	return must(v ? cJSON_Duplicate(v, 1) : cJSON_CreateNull());
}

static cJSON *quoted(struct reader *r)
{
	const char *end = r->p;
	cJSON *v;
	char *text;

	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	text = must(strndup(r->p - 1, (size_t)(end - r->p) + 2));
	v = cJSON_Parse(text);
	free(text);
	if (!*end || !v)
		wrong(r, "Syntax Error: bad string");
	r->p = *end ? end + 1 : end;
	return v ? v : must(cJSON_CreateNull());
}

static cJSON *value(struct reader *r)
{
	char c = look(r), *word, *end;
	cJSON *v = NULL;

	if (++r->depth > DEPTH)
		wrong(r, "Syntax Error: too deep");
	if (r->why) {
		v = must(cJSON_CreateNull());
	} else if (eat(r, '{')) {
		v = object_until(r, '}');
	} else if (eat(r, '[')) {
		v = list(r);
	} else if (eat(r, '$')) {
		v = variable(r);
	} else if (eat(r, '"')) {
		v = quoted(r);
	} else if (isdigit((unsigned char)c) || c == '-') {
		v = must(cJSON_CreateNumber(strtod(r->p, &end)));
		r->p = end;
	} else {
		word = name(r);
		v = !strcmp(word, "null")    ? cJSON_CreateNull()
		    : !strcmp(word, "true")  ? cJSON_CreateTrue()
		    : !strcmp(word, "false") ? cJSON_CreateFalse()
					     : cJSON_CreateString(word);
		must(v);
		free(word);
	}
	r->depth--;
	return v;
}

static struct field *selection(struct reader *r);

static struct field *one_field(struct reader *r)
{
	struct field *f = must(calloc(1, sizeof(*f)));
	char *on;

	if (!strncmp(r->p, "...", 3)) {
		r->p += 3;
		on = name(r);
		if (strcmp(on, "on"))
			wrong(r, "named fragments are not understood here");
		free(on);
		f->alias = name(r);
	} else {
		f->name = name(r);
		if (eat(r, ':')) {
			f->alias = f->name;
			f->name = name(r);
		} else {
			f->alias = must(strdup(f->name));
		}
	}
	f->args = eat(r, '(') ? object_until(r, ')')
			      : must(cJSON_CreateObject());
	if (look(r) == '@')
		wrong(r, "directives are not understood here");
	if (eat(r, '{'))
		f->children = selection(r);
	return f;
}

static struct field *selection(struct reader *r)
{
	struct field *first = NULL, **end = &first;

	if (++r->depth > DEPTH)
		wrong(r, "Syntax Error: too deep");
	while (!r->why && look(r) && !eat(r, '}')) {
		*end = one_field(r);
		end = &(*end)->next;
	}
	if (!first)
		wrong(r, "Syntax Error: an empty selection");
	if (r->p[-1] != '}')
		wrong(r, "Syntax Error: a brace is missing");
	r->depth--;
	return first;
}

/* `query Name($a:[Int!]) {`: true for a mutation. */
static bool heading(struct reader *r)
{
	bool mutation = false;
	char *word;

	if (look(r) != '{') {
		word = name(r);
		mutation = !strcmp(word, "mutation");
		if (!mutation && strcmp(word, "query"))
			wrong(r, "Syntax Error: query or mutation expected");
		free(word);
		if (look(r) != '{' && look(r) != '(')
			free(name(r));
		if (eat(r, '(')) {
			r->p += strcspn(r->p, ")");
			need(r, ')');
		}
	}
	need(r, '{');
	return mutation;
}

struct field *gql_parse(const char *text, const cJSON *variables,
			bool *ret_mutation, const char **why)
{
	struct reader r = {.p = text, .variables = variables};
	struct field *f = NULL;

	*ret_mutation = heading(&r);
	if (!r.why)
		f = selection(&r);
	if (look(&r))
		wrong(&r, "Syntax Error: text behind the operation");
	*why = r.why;
	if (r.why) {
		gql_free(f);
		f = NULL;
	}
	return f;
}

void gql_free(struct field *f)
{
	while (f) {
		struct field *next = f->next;

		gql_free(f->children);
		cJSON_Delete(f->args);
		free(f->name);
		free(f->alias);
		free(f);
		f = next;
	}
}
