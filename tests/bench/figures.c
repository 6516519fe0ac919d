/* SPDX-License-Identifier: MIT */
#include "tests/bench/figures.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

const struct series *figures_find(const struct figures *f,
				  const char *contender, const char *measure)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->all[i].contender, contender) &&
		    !strcmp(f->all[i].measure, measure))
			return &f->all[i];
	return NULL;
}

static bool copy_word(char *to, size_t size, const char *word)
{
	int n = snprintf(to, size, "%s", word);

	return n > 0 && (size_t)n < size;
}

/* NULL when memory is out, or a word is too long. */
static struct series *add_series(struct figures *f, char *const words[4])
{
	struct series *s = realloc(f->all, (f->n + 1) * sizeof(*s));

	if (!s)
		return NULL;
	f->all = s;
	s += f->n;
	s->n = 0;
	if (!copy_word(s->contender, sizeof(s->contender), words[0]) ||
	    !copy_word(s->measure, sizeof(s->measure), words[1]) ||
	    !copy_word(s->unit, sizeof(s->unit), words[2]))
		return NULL;
	f->n++;
	return s;
}

static bool add_row(struct figures *f, char *line)
{
	char *words[4], *end;
	struct series *s = NULL;
	double value;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < 4; i++)
		words[i] = strsep(&line, "\t");
	if (line || !words[3] || !*words[3])
		return false;
	value = strtod(words[3], &end);
	if (*end)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->all[i].contender, words[0]) &&
		    !strcmp(f->all[i].measure, words[1]))
			s = &f->all[i];
	if (!s)
		s = add_series(f, words);
	if (!s || strcmp(s->unit, words[2]) || s->n == ROUNDS_MAX)
		return false;
	s->values[s->n++] = value;
	return true;
}

size_t figures_read(struct figures *ret, FILE *f)
{
	char line[512];

	*ret = (struct figures){0};
	for (size_t n = 1; fgets(line, sizeof(line), f); n++)
		if (!strchr(line, '\n') || !add_row(ret, line))
			return n;
	return 0;
}

void figures_free(struct figures *f)
{
	free(f->all);
	*f = (struct figures){0};
}

/* ---- arithmetic ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread spread_of(const double *values, size_t n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return (struct spread){
		.least = sorted[0],
		.median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2,
		.most = sorted[n - 1],
	};
}

bool ratio_of(const struct series *a, const struct series *b,
	      struct spread *ret)
{
	size_t n = a->n < b->n ? a->n : b->n;
	double ratios[ROUNDS_MAX];

	for (size_t i = 0; i < n; i++) {
		if (b->values[i] == 0)
			return false;
		ratios[i] = a->values[i] / b->values[i];
	}
	if (n)
		*ret = spread_of(ratios, n);
	return n;
}

/* ---- promises ---- */

enum verdict promise_judge(const struct promise *p, const struct figures *f,
			   struct spread *ret)
{
	const struct series *a = figures_find(f, p->contender, p->measure);
	const struct series *b =
		p->other ? figures_find(f, p->other, p->other_measure) : NULL;

	if (!a || (p->other && (!b || !ratio_of(a, b, ret))))
		return NOT_MEASURED;
	if (!p->other)
		*ret = spread_of(a->values, a->n);
	if (p->is == AT_LEAST ? ret->median >= p->bound
			      : ret->median <= p->bound)
		return KEPT;
	return NOT_KEPT;
}
