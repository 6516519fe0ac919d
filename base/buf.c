/* SPDX-License-Identifier: MIT
 *
 * buf.c - see buf.h.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

enum rc buf_grow(struct buf *b, size_t len)
{
	size_t need, cap;

	if (b->full || len > b->max - b->len || b->max == SIZE_MAX) {
		b->full = true;
		return RC_FULL;
	}
	need = b->len + len + 1;
	if (need <= b->cap)
		return OK;
	cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	b->data = xrealloc(b->data, cap, 1);
	b->cap = cap;
	return OK;
}

enum rc buf_add(struct buf *b, const void *p, size_t len)
{
	char *at = buf_space(b, len);

	if (!at)
		return RC_FULL;
	if (len)
		memcpy(at, p, len);
	return OK;
}

void buf_str(struct buf *b, const char *s)
{
	(void)!buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	(void)!buf_add(b, &c, 1);
}

static void add_decimal(struct buf *b, uint64_t n, bool minus)
{
	char digits[21], *end = digits + sizeof(digits), *first = end;

	do {
		*--first = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	if (minus)
		*--first = '-';
	(void)!buf_add(b, first, (size_t)(end - first));
}

void buf_uint(struct buf *b, uint64_t n)
{
	add_decimal(b, n, false);
}

void buf_int(struct buf *b, int64_t n)
{
	add_decimal(b, n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) { /* longer than INT_MAX */
		b->full = true;
		return;
	}
	if (buf_grow(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

/* Returns the code point of a whole character of n bytes (text_utf8). */
static unsigned utf8_value(const unsigned char *s, size_t n)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned c = s[0] & masks[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3fu);
	return c;
}

/* True for a character that a terminal or a reader would not see as text: a
 * control character, a line end, or one that changes the direction of the text
 * after it. */
static bool is_acted_on(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Returns the letter of the short JSON escape of a control character ('n' of
 * \n); 0: it has none. */
static char escape_letter(unsigned c)
{
	static const char letters[] = "btn\0fr"; /* of 8 to 13 */

	return c >= 8 && c <= 13 ? letters[c - 8] : '\0';
}

/* Adds one character (n bytes at s) as it stands in a JSON string. */
static void add_json(struct buf *b, const unsigned char *s, size_t n)
{
	unsigned c = n ? utf8_value(s, n) : 0xfffd;

	if (c == '"' || c == '\\')
		buf_fmt(b, "\\%c", (int)c);
	else if (escape_letter(c))
		buf_fmt(b, "\\%c", escape_letter(c));
	else if (is_acted_on(c))
		buf_fmt(b, "\\u%04x", c);
	else
		buf_str(b, "\xef\xbf\xbd"); /* U+FFFD */
}

/* True if the character needs no escape, in JSON and on a terminal. */
static bool is_plain(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\';
	return n && !is_acted_on(utf8_value(s, n));
}

void buf_json(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	const unsigned char *plain = p; /* the start of the bytes that need no
					 * escape */
	size_t before = b->len, n;

	if (!s) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	for (; *p; p += n ? n : 1) {
		n = text_utf8((const char *)p, UTF8_MOST);
		if (is_plain(p, n))
			continue;
		(void)!buf_add(b, plain, (size_t)(p - plain));
		add_json(b, p, n);
		plain = p + (n ? n : 1);
	}
	(void)!buf_add(b, plain, (size_t)(p - plain));
	buf_char(b, '"');
	if (b->full && b->data) { /* either adds the whole text or nothing */
		b->len = before;
		b->data[before] = '\0';
	}
}

void buf_json_value(struct buf *b, const char *json)
{
	const unsigned char *p = (const unsigned char *)json;
	size_t n;

	for (; *p; p += n ? n : 1) {
		n = text_utf8((const char *)p, UTF8_MOST);
		if (*p < 0x20)
			buf_char(b, ' ');
		else if (*p == '"' || *p == '\\' || is_plain(p, n))
			(void)!buf_add(b, p, n);
		else
			add_json(b, p, n);
	}
}

void buf_visible(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (; *p; p += n ? n : 1) {
		unsigned c;

		n = text_utf8((const char *)p, UTF8_MOST);
		c = n ? utf8_value(p, n) : *p;
		if (n && !is_acted_on(c))
			(void)!buf_add(b, p, n);
		else if (n && escape_letter(c))
			buf_fmt(b, "\\%c", escape_letter(c));
		else if (c < 0x100)
			buf_fmt(b, "\\x%02x", c);
		else
			buf_fmt(b, "\\u%04x", c);
	}
}

bool buf_full(const struct buf *b)
{
	return b->full;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_detach(struct buf *b, size_t *ret_len)
{
	char *data = b->data ? b->data : xstrdup("");

	if (ret_len)
		*ret_len = b->len;
	buf_init(b, b->max);
	return data;
}

void buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}
