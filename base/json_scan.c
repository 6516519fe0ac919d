/* SPDX-License-Identifier: MIT
 *
 * json_scan.c - the pass over the bytes before libcjson; see json_private.h.
 */
#include <string.h>

#include "base/hex.h"
#include "base/json_private.h"
#include "base/text.h"

#define PLAIN_DIGITS 15 /* a number of up to so many digits fits a double
			 * exactly */
#define GROWTH	     8  /* the most bytes that are written for one byte */

struct scan {
	const char *p, *end;
	enum json_rules rules;
	size_t depth, values;
	bool odd; /* something was replaced: see JSON_EXACT */
	struct buf out;
};

/* Returns the value of four hexadecimal digits, or -1. */
static int hex4(const char *s)
{
	int high = hex_byte(s), low = high < 0 ? -1 : hex_byte(s + 2);

	return low < 0 ? -1 : high << 8 | low;
}

/* Writes the mark that stands for a character which libcjson would change. */
static void scan_mark(struct scan *s, int c)
{
	s->odd = true;
	if (c == 0)
		buf_fmt(&s->out, "\\u0001%c", MARK_NUL);
	else if (c == MARK)
		buf_fmt(&s->out, "\\u0001%c", MARK_ITSELF);
	else
		buf_fmt(&s->out, "\\u0001%c%04x", MARK_HALF, (unsigned)c);
}

/* Copies an escape \uXXXX; s is at its backslash. */
static enum rc scan_unicode(struct scan *s, struct err *e)
{
	int c = s->end - s->p < 6 ? -1 : hex4(s->p + 2), low;
	size_t n = 6;

	if (c < 0)
		return fail(e, RC_INVALID, "a broken escape in the JSON");
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 12 &&
	    s->p[6] == '\\' && s->p[7] == 'u') {
		low = hex4(s->p + 8);
		if (low >= 0xdc00 && low < 0xe000)
			n = 12;
	}
	if (c == 0 || c == MARK || (n == 6 && c >= 0xd800 && c < 0xe000))
		scan_mark(s, c);
	else
		(void)!buf_add(&s->out, s->p, n);
	s->p += n;
	return OK;
}

/* Skips, inside a string, to the next byte that cannot be copied as it is. */
static void skip_plain(struct scan *s)
{
	size_t n;

	while (s->p < s->end && *s->p != '"' && *s->p != '\\' &&
	       *s->p != MARK && *s->p) {
		n = (unsigned char)*s->p < 0x80
			    ? 1
			    : text_utf8(s->p, (size_t)(s->end - s->p));
		if (!n)
			return;
		s->p += n;
	}
}

/* Writes what replaces a byte of a string that cannot be copied as it is.  A
 * byte that is not UTF-8 becomes U+FFFD, which is in no word that we compare
 * with. */
static void scan_odd_byte(struct scan *s)
{
	char c = *s->p++;

	if (!c || c == MARK) {
		scan_mark(s, c);
		return;
	}
	s->odd = true;
	buf_str(&s->out, JSON_LOST);
}

/* Copies a string; s is at its opening quote. */
static enum rc scan_text(struct scan *s, struct err *e)
{
	const char *run = s->p++;
	enum rc rc;

	for (;;) {
		skip_plain(s);
		if (s->end - s->p < 1 || (*s->p == '\\' && s->end - s->p < 2))
			return fail(e, RC_INVALID,
				    "a text in the JSON does not end");
		if (*s->p == '"') {
			s->p++;
			return buf_add(&s->out, run, (size_t)(s->p - run));
		}
		if (*s->p == '\\' && s->p[1] != 'u') {
			s->p += 2;
			continue;
		}
		(void)!buf_add(&s->out, run, (size_t)(s->p - run));
		if (*s->p != '\\') {
			scan_odd_byte(s);
		} else {
			rc = scan_unicode(s, e);
			if (rc)
				return rc;
		}
		run = s->p;
	}
}

static size_t digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && json_digit(s[n]))
		n++;
	return n;
}

bool json_number(const char *s, size_t len, bool *ret_plain)
{
	size_t minus = len && s[0] == '-', whole, n;
	size_t i;

	whole = digits(s + minus, len - minus);
	if (!whole || (whole > 1 && s[minus] == '0'))
		return false;
	i = minus + whole;
	*ret_plain = i == len && whole <= PLAIN_DIGITS &&
		     !(minus && s[1] == '0');
	if (i < len && s[i] == '.') {
		n = digits(s + i + 1, len - i - 1);
		if (!n)
			return false;
		i += 1 + n;
	}
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		i++;
		if (i < len && (s[i] == '+' || s[i] == '-'))
			i++;
		n = digits(s + i, len - i);
		if (!n)
			return false;
		i += n;
	}
	return i == len;
}

/* Copies a number; s is at its first digit or its minus. */
static enum rc scan_number(struct scan *s, struct err *e)
{
	const char *from = s->p, *next;
	bool plain = false;
	size_t len;

	while (s->p < s->end && *s->p && strchr("0123456789+-.eE", *s->p))
		s->p++;
	len = (size_t)(s->p - from);
	for (next = s->p; next < s->end && json_space(*next); next++)
		;
	if (next < s->end && *next == ':')
		return fail(e, RC_INVALID, "a key in the JSON is a number");
	if (!json_number(from, len, &plain) && s->rules != JSON_LENIENT)
		return fail(e, RC_INVALID, "a number in the JSON is none");
	if (plain)
		return buf_add(&s->out, from, len);
	buf_fmt(&s->out, "\"\\u0001%c", MARK_NUMBER);
	(void)!buf_add(&s->out, from, len);
	buf_char(&s->out, '"');
	return OK;
}

static enum rc scan_other(struct scan *s, struct err *e)
{
	char c = *s->p++;

	if (!c) { /* a NUL between values is white space, like every other
		   * control character */
		s->odd = true;
		c = ' ';
	}
	if ((c == '[' || c == '{') && ++s->depth > JSON_DEPTH_MAX)
		return fail(e, RC_INVALID, "JSON nested deeper than %d",
			    JSON_DEPTH_MAX);
	if ((c == ']' || c == '}') && s->depth)
		s->depth--;
	if ((c == '[' || c == '{' || c == ',') &&
	    ++s->values > JSON_VALUES_MAX)
		return fail(e, RC_INVALID, "more than %d values in the JSON",
			    JSON_VALUES_MAX);
	return buf_add(&s->out, &c, 1);
}

enum rc json_scan(const char *text, size_t len, enum json_rules rules,
		  struct buf *ret, struct err *e)
{
	struct scan s = {.p = text, .end = text + len, .rules = rules};
	enum rc rc = OK;

	buf_init(&s.out, len < SIZE_MAX / 16 ? len * GROWTH + 16 : 0);
	while (!rc && s.p < s.end) {
		if (*s.p == '"')
			rc = scan_text(&s, e);
		else if (*s.p == '-' || json_digit(*s.p))
			rc = scan_number(&s, e);
		else
			rc = scan_other(&s, e);
	}
	if (!rc && (buf_full(&s.out) || !s.out.len))
		rc = fail(e, RC_INVALID, "no JSON");
	if (!rc && s.odd && rules == JSON_EXACT)
		rc = fail(e, RC_INVALID, "a text in the JSON is not whole");
	*ret = s.out;
	return rc;
}
