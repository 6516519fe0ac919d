/* SPDX-License-Identifier: MIT
 *
 * json.c - see json.h.
 *
 * In a text that came through scan(), U+0001 is always followed by a letter
 * that says what stood there:
 *
 *   U+0001 n LITERAL   the whole value is this number literal
 *   U+0001 0           U+0000
 *   U+0001 1           U+0001 itself, so no stranger can write a mark
 *   U+0001 s XXXX      half a surrogate pair, as four hexadecimal digits
 */
#include "centra/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/text.h"

#define MARK	     '\x01'
#define MARK_NUMBER  'n'
#define MARK_NUL     '0'
#define MARK_ITSELF  '1'
#define MARK_HALF    's'
#define PLAIN_DIGITS 15 /* a number of up to so many digits fits a double
			 * exactly */
#define GROWTH	     8  /* the most bytes that scan() writes for one byte */
#define UTF8_MOST    4  /* the most bytes of a character; a NUL ends it
			 * earlier */

static void *allocate(size_t n)
{
	return xcalloc(n, 1);
}

void json_init(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate, .free_fn = free});
}

/* ---- the pass before cJSON ---- */

struct scan {
	const char *p, *end;
	enum json_rules rules;
	size_t depth, values;
	struct buf out;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Returns the value of four hexadecimal digits, or -1. */
static int hex4(const char *s)
{
	int high = hex_byte(s), low = high < 0 ? -1 : hex_byte(s + 2);

	return low < 0 ? -1 : high << 8 | low;
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
	if (c == 0)
		buf_fmt(&s->out, "\\u0001%c", MARK_NUL);
	else if (c == MARK)
		buf_fmt(&s->out, "\\u0001%c", MARK_ITSELF);
	else if (n == 6 && c >= 0xd800 && c < 0xe000)
		buf_fmt(&s->out, "\\u0001%c%04x", MARK_HALF, (unsigned)c);
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

	if (c && c != MARK)
		buf_str(&s->out, JSON_LOST);
	else
		buf_fmt(&s->out, "\\u0001%c", c ? MARK_ITSELF : MARK_NUL);
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

	while (n < len && is_digit(s[n]))
		n++;
	return n;
}

/* True if it is a number by JSON's grammar.  *ret_plain: it is an integer that
 * a double holds exactly, and not -0. */
static bool is_number(const char *s, size_t len, bool *ret_plain)
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
	for (next = s->p; next < s->end && is_space(*next); next++)
		;
	if (next < s->end && *next == ':')
		return fail(e, RC_INVALID, "a key in the JSON is a number");
	if (!is_number(from, len, &plain) && s->rules == JSON_STRICT)
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

	if (!c)
		c = ' '; /* a NUL between values is white space, like every
			  * other control character */
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

static enum rc scan(struct scan *s, struct err *e)
{
	enum rc rc = OK;

	while (!rc && s->p < s->end) {
		if (*s->p == '"')
			rc = scan_text(s, e);
		else if (*s->p == '-' || is_digit(*s->p))
			rc = scan_number(s, e);
		else
			rc = scan_other(s, e);
	}
	return rc;
}

enum rc json_parse(const char *text, size_t len, enum json_rules rules,
		   cJSON **ret, struct err *e)
{
	struct scan s = {.p = text, .end = text + len, .rules = rules};
	enum rc rc;

	buf_init(&s.out, len < SIZE_MAX / 16 ? len * GROWTH + 16 : 0);
	rc = scan(&s, e);
	if (!rc && (buf_full(&s.out) || !s.out.len))
		rc = fail(e, RC_INVALID, "no JSON");
	if (rc)
		goto out;
	/* The length includes the NUL, since cJSON looks for it behind the
	 * document. */
	*ret = cJSON_ParseWithLengthOpts(s.out.data, s.out.len + 1, NULL, 1);
	if (!*ret)
		rc = fail(e, RC_INVALID, "not JSON");
out:
	buf_release(&s.out);
	return rc;
}

/* ---- reading ---- */

const cJSON *json_get(const cJSON *v, const char *key)
{
	return cJSON_IsObject(v) ? cJSON_GetObjectItemCaseSensitive(v, key)
				 : NULL;
}

size_t json_length(const cJSON *v)
{
	const cJSON *member;
	size_t n = 0;

	cJSON_ArrayForEach(member, v)
		n++;
	return n;
}

size_t json_count(const cJSON *v, const char *key)
{
	const cJSON *c;
	size_t n = 0;

	if (cJSON_IsObject(v))
		cJSON_ArrayForEach(c, v)
			n += strcmp(c->string, key) == 0;
	return n;
}

/* Returns the literal of a number that cJSON could not hold; else NULL. */
static const char *literal(const cJSON *v)
{
	const char *s = cJSON_IsString(v) ? v->valuestring : "";

	return s[0] == MARK && s[1] == MARK_NUMBER ? s + 2 : NULL;
}

const char *json_text(const cJSON *v)
{
	if (!cJSON_IsString(v) || strchr(v->valuestring, MARK))
		return NULL;
	return v->valuestring;
}

/* ---- for people to read ---- */

/* Returns how many bytes the character or mark at s has. */
static size_t unit_length(const char *s)
{
	if (*s == MARK && s[1] == MARK_HALF)
		return 6;
	if (*s == MARK && (s[1] == MARK_NUL || s[1] == MARK_ITSELF))
		return 2;
	return text_utf8(s, UTF8_MOST);
}

/* True for a control character (C0, DEL, C1), a mark, or U+FFFD. */
static bool is_odd(const char *s)
{
	unsigned char c = (unsigned char)*s;

	return c < 0x20 || c == 0x7f ||
	       (c == 0xc2 && (unsigned char)s[1] < 0xa0) ||
	       !strncmp(s, JSON_LOST, strlen(JSON_LOST));
}

char *json_clean(const char *s)
{
	char *ret = xcalloc(strlen(s) + 1, 1), *to = ret;
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = unit_length(s);
		if (is_space(*s)) {
			*to++ = ' ';
		} else if (n && !is_odd(s)) {
			memcpy(to, s, n);
			to += n;
		}
	}
	return ret;
}

char *json_words(const cJSON *v)
{
	if (!cJSON_IsString(v) || literal(v))
		return NULL;
	return json_clean(v->valuestring);
}

/* ---- numbers ---- */

bool json_int(const cJSON *v, int64_t *ret)
{
	const char *s = literal(v);
	bool minus;
	int64_t n = 0;

	if (cJSON_IsNumber(v)) {
		*ret = (int64_t)v->valuedouble; /* at most 15 digits */
		return true;
	}
	if (!s)
		s = json_text(v);
	if (!s)
		return false;
	minus = *s == '-';
	s += minus;
	if (!is_digit(*s) || (*s == '0' && (s[1] || minus)))
		return false;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, minus ? '0' - *s : *s - '0', &n))
			return false;
	if (*s)
		return false;
	*ret = n;
	return true;
}

bool json_empty(const cJSON *v)
{
	return !v || cJSON_IsNull(v) ||
	       ((cJSON_IsArray(v) || cJSON_IsObject(v)) && !v->child);
}

/* ---- printing ---- */

static void put_text(struct buf *b, const char *s)
{
	static const char names[] = "btn\0fr"; /* of 8 to 13 */
	const char *run = s;
	unsigned char c;

	buf_char(b, '"');
	for (; *s; s++) {
		c = (unsigned char)*s;
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		(void)!buf_add(b, run, (size_t)(s - run));
		if (c == MARK && s[1] == MARK_NUL) {
			buf_str(b, "\\u0000");
			s++;
		} else if (c == MARK && s[1] == MARK_ITSELF) {
			buf_str(b, "\\u0001");
			s++;
		} else if (c == MARK && s[1] == MARK_HALF) {
			buf_fmt(b, "\\u%.4s", s + 2);
			s += 5;
		} else if (c >= 0x20) {
			buf_fmt(b, "\\%c", c);
		} else if (c >= 8 && c <= 13 && names[c - 8]) {
			buf_fmt(b, "\\%c", names[c - 8]);
		} else {
			buf_fmt(b, "\\u%04x", c);
		}
		run = s + 1;
	}
	(void)!buf_add(b, run, (size_t)(s - run));
	buf_char(b, '"');
}

struct member {
	const cJSON *v;
	size_t at; /* index among the members: makes the sort stable */
};

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = strcmp(x->v->string, y->v->string);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static void put_object(const cJSON *v, struct buf *b)
{
	struct member *m;
	const cJSON *c;
	size_t n = 0, i;

	cJSON_ArrayForEach(c, v)
		n++;
	m = xcalloc(n, sizeof(*m));
	n = 0;
	cJSON_ArrayForEach(c, v)
	{
		m[n] = (struct member){c, n};
		n++;
	}
	qsort(m, n, sizeof(*m), by_key);
	buf_char(b, '{');
	for (i = 0; i < n; i++) {
		if (i && !strcmp(m[i].v->string, m[i - 1].v->string))
			continue;
		if (i)
			buf_char(b, ',');
		put_text(b, m[i].v->string);
		buf_char(b, ':');
		json_canonical(m[i].v, b);
	}
	buf_char(b, '}');
	free(m);
}

static void put_array(const cJSON *v, struct buf *b)
{
	const cJSON *c;

	buf_char(b, '[');
	cJSON_ArrayForEach(c, v)
	{
		if (c != v->child)
			buf_char(b, ',');
		json_canonical(c, b);
	}
	buf_char(b, ']');
}

static void put_literal(const char *s, struct buf *b)
{
	bool plain;

	if (is_number(s, strlen(s), &plain))
		buf_str(b, s);
	else
		put_text(b, s);
}

void json_canonical(const cJSON *v, struct buf *b)
{
	const char *number = literal(v);

	if (cJSON_IsObject(v))
		put_object(v, b);
	else if (cJSON_IsArray(v))
		put_array(v, b);
	else if (number)
		put_literal(number, b);
	else if (cJSON_IsString(v))
		put_text(b, v->valuestring);
	else if (cJSON_IsNumber(v))
		buf_fmt(b, "%lld", (long long)v->valuedouble);
	else
		buf_str(b, cJSON_IsTrue(v)    ? "true"
			   : cJSON_IsFalse(v) ? "false"
					      : "null");
}
