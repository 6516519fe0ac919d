/* SPDX-License-Identifier: MIT
 *
 * mem.h - memory for small, bounded things.
 *
 * These never return NULL: without memory the process aborts, which equals a
 * power cut, and that we must survive anyway.  Whatever a stranger sizes (a
 * body, a header, Centra's reply) has a maximum first: see buf.h.
 * Everything is ended with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size); /* n * size, checked */
void *xmemdup(const void *p, size_t len);       /* a NUL is put behind the copy */
char *xstrdup(const char *s);                   /* NULL gives NULL */
char *xstrndup(const char *s, size_t max);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Copies src into dst[size], always terminated.  False when it did not fit:
 * dst is then empty, never cut (a cut name is another name). */
[[nodiscard]] int copy_text(char *dst, size_t size, const char *src);

#endif
