/* SPDX-License-Identifier: MIT */
#include "tests/wms/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELDS_MAX 2000
#define FIELD_ROOM 160

/* The fields that are found. */
struct fields {
	char *lines[FIELDS_MAX]; /* owned */
	size_t n;
};

static const char *type_of(const cJSON *v)
{
	return cJSON_IsObject(v)   ? "object"
	       : cJSON_IsArray(v)  ? "array"
	       : cJSON_IsString(v) ? "text"
	       : cJSON_IsNumber(v) ? "number"
	       : cJSON_IsBool(v)   ? "boolean"
				   : "null";
}

static void add_line(struct fields *f, const char *line)
{
	size_t i = 0;

	while (i < f->n && strcmp(f->lines[i], line))
		i++;
	if (i < f->n)
		return;
	if (f->n == FIELDS_MAX)
		fail_msg("more than %d fields", FIELDS_MAX);
	f->lines[f->n++] = strdup(line);
}

static void walk(struct fields *f, const cJSON *v, const char *path)
{
	char line[FIELD_ROOM * 2], below[FIELD_ROOM];
	const cJSON *c;

	snprintf(line, sizeof(line), "%s %s", *path ? path : ".", type_of(v));
	add_line(f, line);
	if (!cJSON_IsObject(v) && !cJSON_IsArray(v))
		return;
	cJSON_ArrayForEach(c, v)
	{
		if (cJSON_IsArray(v))
			snprintf(below, sizeof(below), "%s[]", path);
		else
			snprintf(below, sizeof(below), "%s%s%s", path,
				 *path ? "." : "", c->string);
		walk(f, c, below);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted lines as one text; frees them. */
static char *joined(struct fields *f)
{
	size_t room = 1;
	char *ret;

	for (size_t i = 0; i < f->n; i++)
		room += strlen(f->lines[i]) + 1;
	ret = calloc(1, room);
	qsort(f->lines, f->n, sizeof(f->lines[0]), compare);
	for (size_t i = 0; i < f->n; i++) {
		size_t at = strlen(ret);

		snprintf(ret + at, room - at, "%s\n", f->lines[i]);
		free(f->lines[i]);
	}
	return ret;
}

static void split(struct fields *f, const char *shape)
{
	char *copy = strdup(shape), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_line(f, line);
	free(copy);
}

char *shape_of(const cJSON *v)
{
	struct fields f = {0};

	walk(&f, v, "");
	return joined(&f);
}

static size_t row_of(const struct shapes *s, const char *step)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->rows[i].step, step))
		i++;
	return i;
}

void shapes_note(struct shapes *s, const char *step, const cJSON *answer)
{
	size_t i = row_of(s, step);
	struct fields f = {0};

	if (i == SHAPES_MAX)
		fail_msg("more than %d steps", SHAPES_MAX);
	if (i == s->n) {
		snprintf(s->rows[s->n++].step, sizeof(s->rows[0].step), "%s",
			 step);
	} else {
		split(&f, s->rows[i].shape);
		free(s->rows[i].shape);
	}
	walk(&f, answer, "");
	s->rows[i].shape = joined(&f);
}

static bool has_line(const char *shape, const char *line)
{
	const char *at = shape;
	size_t n = strlen(line);

	while ((at = strstr(at, line))) {
		if ((at == shape || at[-1] == '\n') && at[n] == '\n')
			return true;
		at += n;
	}
	return false;
}

/* True if the line is of what an array holds that is empty in `shape`. */
static bool is_of_empty(const char *shape, const char *line)
{
	char array[FIELD_ROOM * 2], member[FIELD_ROOM * 2];
	const char *at = line;

	while ((at = strstr(at, "[]"))) {
		int n = (int)(at - line);

		snprintf(array, sizeof(array), "%.*s array", n, line);
		snprintf(member, sizeof(member), "%.*s[]", n, line);
		if (has_line(shape, array) && !strstr(shape, member))
			return true;
		at += 2;
	}
	return false;
}

/* Prints what `a` has and `b` lacks; how much it is. */
static int lacks(const char *step, const char *whose, const char *a,
		 const char *b)
{
	struct fields f = {0};
	int n = 0;

	split(&f, a);
	for (size_t i = 0; i < f.n; i++) {
		if (!has_line(b, f.lines[i]) && !is_of_empty(b, f.lines[i])) {
			print_error("%s: only %s has: %s\n", step, whose,
				    f.lines[i]);
			n++;
		}
		free(f.lines[i]);
	}
	return n;
}

void shapes_compare(const struct shapes *a, const struct shapes *b)
{
	int wrong = a->n != b->n;

	for (size_t i = 0; i < a->n; i++) {
		size_t k = row_of(b, a->rows[i].step);

		if (k == b->n)
			fail_msg("only one of the two has the step %s",
				 a->rows[i].step);
		wrong += lacks(a->rows[i].step, "the first", a->rows[i].shape,
			       b->rows[k].shape);
		wrong += lacks(a->rows[i].step, "the second",
			       b->rows[k].shape, a->rows[i].shape);
	}
	if (wrong)
		fail_msg("%d differences of shape", wrong);
}

void shapes_release(struct shapes *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].shape);
	s->n = 0;
}
