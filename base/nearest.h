/* SPDX-License-Identifier: MIT
 *
 * nearest.h - finds the known word that is most like a mistyped one.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/* A search: the word, and the best of the candidates offered so far. */
struct nearest {
	const char *word;
	const char *best; /* NULL: no candidate is near enough to be
			   * suggested */
	unsigned distance;
};

/* nearest_begin() starts a search for words like `word`, which is borrowed;
 * each candidate is then given to nearest_offer(), and borrowed too. */
void nearest_begin(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n, const char *candidate);

#endif
