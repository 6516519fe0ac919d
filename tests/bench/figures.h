/* SPDX-License-Identifier: MIT
 *
 * figures.h - the rows of all benchmarks, and the arithmetic on them.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ROUNDS_MAX 64

/* What one contender showed in one measure, round by round. */
struct series {
	char contender[80], measure[120], unit[24];
	double values[ROUNDS_MAX];
	size_t n;
};

struct figures {
	struct series *all; /* in the order in which they were first met */
	size_t n;
};

/* Reads rows (rows.h) to the end of the file.  Returns 0, or the number of the
 * first line that is none; call figures_free() in any case. */
size_t figures_read(struct figures *ret, FILE *f);
void figures_free(struct figures *f);

/* NULL: not measured. */
const struct series *figures_find(const struct figures *f,
				  const char *contender, const char *measure);

struct spread {
	double least, median, most;
};
/* Of n values, one at least.  The median of an even number of values lies
 * midway between the two in the middle. */
struct spread spread_of(const double *values, size_t n);

/* Sets *ret to the spread of a's value over b's value of the same round, over
 * the rounds that both have.  False: there is none, or b's value is 0. */
bool ratio_of(const struct series *a, const struct series *b,
	      struct spread *ret);

/* ---- promises ---- */

enum bound { AT_LEAST, AT_MOST };

/* A ratio of two measures, or a measure alone, and its bound. */
struct promise {
	const char *sentence;
	const char *contender, *measure;
	const char *other, *other_measure; /* NULL: the measure alone */
	enum bound is;
	double bound;
};

enum verdict { KEPT, NOT_KEPT, NOT_MEASURED };

/* Judges the median; *ret is its spread, unless it was not measured. */
enum verdict promise_judge(const struct promise *p, const struct figures *f,
			   struct spread *ret);

#endif
