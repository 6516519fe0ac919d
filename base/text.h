/* SPDX-License-Identifier: MIT
 *
 * text.h - UTF-8 text: whether it is valid, where it may be cut, and whether it
 * is one of some words.
 *
 * Threads: any.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_MOST 4 /* bytes of a character, at most */

/* Returns how many bytes the UTF-8 character at the start of s (len bytes) has;
 * 0: s does not start with one. */
size_t text_utf8(const char *s, size_t len);
/* True if all of s is valid UTF-8. */
bool text_is_utf8(const char *s);
/* Returns the number of characters (code points) of the UTF-8 text s. */
size_t text_length(const char *s);
/* Removes an incomplete UTF-8 character from the end of s: for a text that was
 * cut to a size in bytes. */
void text_trim(char *s);
/* Returns a copy of at most max bytes of s, which ends between two characters;
 * the caller frees it.  NULL returns NULL. */
char *text_bounded(const char *s, size_t max);
/* True if the text is one of the words, a list that ends with NULL.  A text of
 * NULL is none of them. */
bool text_is_one_of(const char *s, const char *const *words);

#endif
