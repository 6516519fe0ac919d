/* SPDX-License-Identifier: MIT
 *
 * mem.c - see mem.h.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char say[] = "out of memory\n";
	ssize_t n = write(STDERR_FILENO, say, sizeof(say) - 1);

	(void)n; /* a short write cannot be helped here */
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	/* calloc() of 0 bytes may return NULL, which would look like a lack of
	 * memory. */
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;
	void *q;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	q = realloc(p, bytes ? bytes : 1);
	if (!q)
		out_of_memory();
	return q;
}

void *xmemdup(const void *p, size_t len)
{
	char *q;

	if (len == SIZE_MAX)
		out_of_memory();
	q = xcalloc(len + 1, 1);
	if (len)
		memcpy(q, p, len);
	return q;
}

char *xstrdup(const char *s)
{
	return s ? xmemdup(s, strlen(s)) : NULL;
}

char *xstrndup(const char *s, size_t max)
{
	return s ? xmemdup(s, strnlen(s, max)) : NULL;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

int copy_text(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		if (size)
			dst[0] = '\0';
		return 0;
	}
	memcpy(dst, src, len + 1);
	return 1;
}
