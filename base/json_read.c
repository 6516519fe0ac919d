/* SPDX-License-Identifier: MIT
 *
 * json_read.c - see json_read.h.
 *
 * A struct json is libcjson's cJSON, which only this file sees.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_private.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* ---- memory ----
 *
 * A document is one list of blocks, in which libcjson's nodes and texts lie one
 * behind the other, and which is freed as a whole: a webhook of one event has
 * about 50 of them.  The document finds its blocks by the root's `prev`, which
 * libcjson uses for members of lists and objects alone. */

/* Bytes of a block.  The first few blocks are small: glibc keeps freed pieces of
 * up to 1,032 bytes at hand for each thread, and a larger malloc() first sorts all
 * free pieces. */
#define BLOCK_SMALL 960
#define SMALL_ONES  4
#define BLOCK_MAX   ((size_t)1 << 20)

struct block {
	struct block *before;
	size_t used, size;
	unsigned number; /* of the block in its document, from 0 */
	_Alignas(max_align_t) char bytes[];
};

/* The newest block of the document that is being made by this thread. */
static _Thread_local struct block *making;

/* Makes a block with room for `least` bytes, behind the block `before` (NULL: the
 * first of its document). */
static struct block *block_new(struct block *before, size_t least)
{
	unsigned number = before ? before->number + 1 : 0;
	size_t size = BLOCK_SMALL;
	struct block *b;

	if (number >= SMALL_ONES)
		size = 2 * before->size < BLOCK_MAX ? 2 * before->size :
						      BLOCK_MAX;
	if (size < least)
		size = least;
	b = xrealloc(NULL, sizeof(*b) + size, 1);
	*b = (struct block){.before = before, .size = size, .number = number};
	return b;
}

static void blocks_free(struct block *b)
{
	struct block *before;

	for (; b; b = before) {
		before = b->before;
		free(b);
	}
}

/* Returns n bytes of the document that is being made.  If none is, another user
 * of libcjson in this process allocates: a test. */
static void *allocate(size_t n)
{
	void *ret;

	if (!making)
		return xcalloc(n, 1);
	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (n > making->size - making->used)
		making = block_new(making, n);
	ret = making->bytes + making->used;
	making->used += n;
	return ret;
}

/* libcjson's free(): does nothing while a document is made, since the document
 * frees all its blocks together. */
static void give_back(void *p)
{
	if (!making)
		free(p);
}

static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;

static void set_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate, .free_fn = give_back});
}

/* libcjson allocates only between document_begin() and document_end(). */
static void document_begin(void)
{
	pthread_once(&hooks_once, set_hooks);
	making = block_new(NULL, 0);
}

/* Returns the document; NULL, and all is freed, if there is no root. */
static struct json *document_end(cJSON *root)
{
	if (root)
		root->prev = (cJSON *)(void *)making;
	else
		blocks_free(making);
	making = NULL;
	return (struct json *)root;
}

static const cJSON *inside(const struct json *v)
{
	return (const cJSON *)v;
}

static const struct json *outside(const cJSON *v)
{
	return (const struct json *)v;
}

enum rc json_parse(const char *text, size_t len, enum json_rules rules,
		   struct json **ret, struct err *e)
{
	struct buf scanned;
	struct json *v;
	enum rc rc;

	rc = json_scan(text, len, rules, &scanned, e);
	if (rc)
		goto out;
	document_begin();
	/* The length includes the NUL, since libcjson looks for it behind the
	 * document. */
	v = document_end(cJSON_ParseWithLengthOpts(scanned.data,
						   scanned.len + 1, NULL, 1));
	if (v)
		*ret = v;
	else
		rc = fail(e, RC_INVALID, "not JSON");
out:
	buf_release(&scanned);
	return rc;
}

void json_free(struct json *document)
{
	if (document)
		blocks_free((struct block *)(void *)((cJSON *)document)->prev);
}

/* ---- what a value is ---- */

bool json_is_object(const struct json *v)
{
	return cJSON_IsObject(inside(v));
}

bool json_is_list(const struct json *v)
{
	return cJSON_IsArray(inside(v));
}

bool json_is_bool(const struct json *v)
{
	return cJSON_IsBool(inside(v));
}

bool json_is_true(const struct json *v)
{
	return cJSON_IsTrue(inside(v));
}

bool json_is_null(const struct json *v)
{
	return cJSON_IsNull(inside(v));
}

bool json_given(const struct json *v)
{
	return v && !json_is_null(v);
}

bool json_empty(const struct json *v)
{
	return !json_given(v) || ((json_is_list(v) || json_is_object(v)) &&
				  !json_first(v));
}

/* ---- members ---- */

const struct json *json_get(const struct json *v, const char *key)
{
	return json_is_object(v) ? outside(cJSON_GetObjectItemCaseSensitive(
					   inside(v), key))
				 : NULL;
}

const struct json *json_first(const struct json *of)
{
	return of ? outside(inside(of)->child) : NULL;
}

const struct json *json_next(const struct json *v)
{
	return outside(inside(v)->next);
}

const char *json_name(const struct json *v)
{
	return v ? inside(v)->string : NULL;
}

const struct json *json_at(const struct json *v, size_t n)
{
	const struct json *member;

	json_each(member, v)
		if (!n--)
			break;
	return member;
}

size_t json_length(const struct json *v)
{
	const struct json *member;
	size_t n = 0;

	json_each(member, v)
		n++;
	return n;
}

size_t json_count(const struct json *v, const char *key)
{
	const struct json *member;
	size_t n = 0;

	if (json_is_object(v))
		json_each(member, v)
			n += strcmp(json_name(member), key) == 0;
	return n;
}

/* ---- texts ---- */

/* Returns the literal of a number that libcjson could not hold; else NULL. */
static const char *literal(const struct json *v)
{
	const char *s = cJSON_IsString(inside(v)) ? inside(v)->valuestring : "";

	return s[0] == MARK && s[1] == MARK_NUMBER ? s + 2 : NULL;
}

const char *json_text(const struct json *v)
{
	if (!cJSON_IsString(inside(v)) || strchr(inside(v)->valuestring, MARK))
		return NULL;
	return inside(v)->valuestring;
}

bool json_is(const struct json *v, const char *word)
{
	const char *s = json_text(v);

	return s && !strcmp(s, word);
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
		if (json_space(*s)) {
			*to++ = ' ';
		} else if (n && !is_odd(s)) {
			memcpy(to, s, n);
			to += n;
		}
	}
	return ret;
}

char *json_words(const struct json *v)
{
	char *words;

	if (!cJSON_IsString(inside(v)) || literal(v))
		return NULL;
	words = json_clean(inside(v)->valuestring);
	if (*words)
		return words;
	free(words);
	return NULL;
}

/* ---- numbers and times ---- */

/* Reads the plain decimal of an integer of 64 bits. */
static bool read_decimal(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	int64_t n = 0;

	s += minus;
	if (!json_digit(*s) || (*s == '0' && (s[1] || minus)))
		return false;
	for (; json_digit(*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, minus ? '0' - *s : *s - '0', &n))
			return false;
	if (*s)
		return false;
	*ret = n;
	return true;
}

/* Reads an integer that is a number, and not a string. */
static bool read_number(const struct json *v, int64_t *ret)
{
	const char *s = literal(v);

	if (!cJSON_IsNumber(inside(v)))
		return s && read_decimal(s, ret);
	*ret = (int64_t)inside(v)->valuedouble; /* at most 15 digits */
	return true;
}

bool json_int(const struct json *v, int64_t *ret)
{
	const char *s = json_text(v);

	return read_number(v, ret) || (s && read_decimal(s, ret));
}

/* Reads a number whose fraction or exponent leaves it whole. */
static bool read_whole(const char *literal, int64_t *ret)
{
	bool plain;
	double d;

	if (!json_number(literal, strlen(literal), &plain))
		return false;
	d = strtod(literal, NULL);
	if (!(d >= (double)-JSON_WHOLE_MAX && d <= (double)JSON_WHOLE_MAX) ||
	    d != (double)(int64_t)d)
		return false;
	*ret = (int64_t)d;
	return true;
}

bool json_whole(const struct json *v, int64_t least, int64_t most,
		int64_t *ret)
{
	const char *s = literal(v);
	int64_t n;

	if (!read_number(v, &n) && !(s && read_whole(s, &n)))
		return false;
	if (n < least || n > most)
		return false;
	*ret = n;
	return true;
}

bool json_time(const struct json *v, int64_t *ret, int *ret_offset_min)
{
	const char *s = json_text(v);

	return s && !time_parse_iso(s, ret, ret_offset_min);
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
	const struct json *v;
	size_t at; /* index among the members: makes the sort stable */
};

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = strcmp(json_name(x->v), json_name(y->v));

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Sorts few members faster than qsort(), which allocates memory. */
static void sort_few(struct member *m, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && by_key(&m[k - 1], &m[k]) > 0; k--) {
			struct member swap = m[k];

			m[k] = m[k - 1];
			m[k - 1] = swap;
		}
}

#define FEW 16 /* objects with up to so many members are sorted on the stack */

static void put_object(const struct json *v, struct buf *b)
{
	size_t length = json_length(v), n = 0, i;
	struct member few[FEW];
	struct member *m = length > FEW ? xcalloc(length, sizeof(*m)) : few;
	const struct json *c;

	json_each(c, v)
	{
		m[n] = (struct member){c, n};
		n++;
	}
	if (m == few)
		sort_few(m, n);
	else
		qsort(m, n, sizeof(*m), by_key);
	buf_char(b, '{');
	for (i = 0; i < n; i++) {
		const char *key = json_name(m[i].v);

		if (i && !strcmp(key, json_name(m[i - 1].v)))
			continue;
		if (i)
			buf_char(b, ',');
		put_text(b, key ? key : "");
		buf_char(b, ':');
		json_canonical(m[i].v, b);
	}
	buf_char(b, '}');
	if (m != few)
		free(m);
}

static void put_list(const struct json *v, struct buf *b)
{
	const struct json *c;

	buf_char(b, '[');
	json_each(c, v)
	{
		if (c != json_first(v))
			buf_char(b, ',');
		json_canonical(c, b);
	}
	buf_char(b, ']');
}

static void put_literal(const char *s, struct buf *b)
{
	bool plain;

	if (json_number(s, strlen(s), &plain))
		buf_str(b, s);
	else
		put_text(b, s);
}

void json_canonical(const struct json *v, struct buf *b)
{
	const char *number = literal(v);

	if (json_is_object(v))
		put_object(v, b);
	else if (json_is_list(v))
		put_list(v, b);
	else if (number)
		put_literal(number, b);
	else if (cJSON_IsString(inside(v)))
		put_text(b, inside(v)->valuestring);
	else if (cJSON_IsNumber(inside(v)))
		buf_int(b, (int64_t)inside(v)->valuedouble);
	else
		buf_str(b, json_is_true(v)   ? "true"
			   : json_is_bool(v) ? "false"
					     : "null");
}

/* ---- changing ---- */

struct json *json_copy(const struct json *v)
{
	if (!v)
		return NULL;
	document_begin();
	return document_end(cJSON_Duplicate(inside(v), true));
}

struct json *json_part(struct json *v, const char *key)
{
	return json_is_object(v) ?
		       (struct json *)cJSON_GetObjectItemCaseSensitive(
			       inside(v), key) :
		       NULL;
}

void json_remove(struct json *v, bool (*unwanted)(const struct json *member))
{
	cJSON *of = (cJSON *)v, *c, *next;

	for (c = of ? of->child : NULL; c; c = next) {
		next = c->next;
		if (unwanted(outside(c)))
			(void)cJSON_DetachItemViaPointer(of, c);
	}
}
