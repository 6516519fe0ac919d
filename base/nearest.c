/* SPDX-License-Identifier: MIT
 *
 * nearest.c - see nearest.h.
 */
#include "base/nearest.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX_LEN 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Returns how many letters have to be added, dropped, changed or swapped with a
 * neighbour to make b of a. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX_LEN + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > WORD_MAX_LEN || lb > WORD_MAX_LEN)
		return UINT_MAX;
	for (j = 0; j <= lb; j++)
		before[j] = above[j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		row[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[lb];
}

void nearest_begin(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	/* A candidate is near enough if it differs in one letter, or in at most
	 * a third of the word's letters. */
	*n = (struct nearest){.word = word,
			      .distance = (unsigned)len / 3 + 1};
	if (n->distance < 2 && len > 1)
		n->distance = 2;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned d = distance(n->word, candidate);

	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = candidate;
}
