/* SPDX-License-Identifier: MIT
 *
 * mem.h - memory for small, bounded things.
 *
 * These functions never return NULL: if memory runs out the process aborts.
 * That is as safe as a power cut, which the server has to survive anyway.
 * Check a size that comes from outside (a body, a header, Centra's reply)
 * against a maximum first: see buf.h.  Free the results with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size); /* n * size, checked */
void *xmemdup(const void *p, size_t len); /* the copy has a NUL behind it */
char *xstrdup(const char *s);                   /* NULL gives NULL */
char *xstrndup(const char *s, size_t max);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

/* Copies src into dst[size], always terminated.  False when it did not fit:
 * dst is then empty, never cut (a cut name is another name). */
[[nodiscard]] int copy_text(char *dst, size_t size, const char *src);

#endif
