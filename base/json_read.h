/* SPDX-License-Identifier: MIT
 *
 * json_read.h - reads JSON: webhooks, Centra's replies, the bodies of requests
 * and what is stored.  json_write.h writes it.
 *
 * Promise:  values are kept as they were written, also those that libcjson,
 *           which parses them, would change.  Numbers are not forced through a
 *           double.  If a text holds a NUL, half a surrogate pair or a byte
 *           that is not UTF-8, the rest of it can be read, and so can the
 *           document (JSON_EXACT refuses such a document).
 * Texts:    are read in one of two ways.  json_text() is for a word on which
 *           something depends (a status, a type, a date): it must be exactly
 *           that word.  A text with a NUL or half a surrogate pair is NULL,
 *           and a byte that is not UTF-8 reads as U+FFFD.
 *           json_words() is for what people read (a name, an address, Centra's
 *           remarks): it drops what cannot be shown and keeps the rest.
 * Memory:   json_parse() and json_copy() return a document, which the caller
 *           frees with json_free().  All other values, and the texts of
 *           json_text() and json_name(), are borrowed from their document.
 *           If memory runs out the process ends (base/mem.h).
 * NULL:     is a value that is absent.  Every function takes it.
 * Threads:  a document belongs to one thread.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX  32
#define JSON_VALUES_MAX 500000 /* most values in a document: each takes memory */
#define JSON_LOST	"\xef\xbf\xbd" /* U+FFFD: a character that was lost */
/* 2^53 - 1: up to it a client that reads numbers as doubles has whole numbers
 * exactly. */
#define JSON_WHOLE_MAX INT64_C(9007199254740991)

struct json; /* a value */

enum json_rules {
	JSON_STRICT,
	/* A malformed number (01, 1., 1-2) is one unreadable value, and the
	 * rest of the document is read. */
	JSON_LENIENT,
	/* As JSON_STRICT.  A text or key that holds U+0000, U+0001, half a
	 * surrogate pair or a byte that is not UTF-8 makes the document
	 * invalid, so that no text is another than its sender wrote. */
	JSON_EXACT,
};

/* Reads one document that fills the len bytes, white space aside.  RC_INVALID:
 * it is not JSON, or passes a limit; *ret is then untouched. */
enum rc json_parse(const char *text, size_t len, enum json_rules rules,
		   struct json **ret, struct err *e);
void json_free(struct json *document);

/* ---- what a value is ---- */

bool json_is_object(const struct json *v);
bool json_is_list(const struct json *v);
bool json_is_bool(const struct json *v);
bool json_is_true(const struct json *v);
bool json_is_null(const struct json *v); /* false if it is absent */
/* True unless it is absent or null. */
bool json_given(const struct json *v);
/* True for null, [], {} and NULL, which all mean "nothing". */
bool json_empty(const struct json *v);

/* ---- members of objects and lists ---- */

/* Returns the member of an object; the first, if a key comes twice.  NULL:
 * there is none, or v is no object. */
const struct json *json_get(const struct json *v, const char *key);
/* Returns the n-th member, from 0, of a list or an object; or NULL. */
const struct json *json_at(const struct json *v, size_t n);
/* Returns the number of members of a list or an object; else 0. */
size_t json_length(const struct json *v);
/* Returns how many members of the object have this key. */
size_t json_count(const struct json *v, const char *key);

/* Walks the members of a list or an object.  Any other value has none. */
#define json_each(v, of)                                                      \
	for ((v) = json_first(of); (v); (v) = json_next(v))
const struct json *json_first(const struct json *of);
const struct json *json_next(const struct json *v);
/* Returns the key of a member of an object. */
const char *json_name(const struct json *v);

/* ---- texts ---- */

/* Returns the text of a string; NULL: it is no string, or cannot be trusted to
 * be the text that it looks like (see Texts). */
const char *json_text(const struct json *v);

/* True if json_text() is this word. */
bool json_is(const struct json *v, const char *word);

/* Returns the text of a string for people to read, in UTF-8; NULL: it is no
 * string, or nothing of it is left.  The caller frees it.  Control characters
 * (C0, DEL, C1), U+0000, halves of surrogate pairs, bytes that are not UTF-8 and
 * U+FFFD are dropped; a TAB, LF or CR becomes a space. */
char *json_words(const struct json *v);
/* As json_words(), for a json_name(): never NULL. */
char *json_clean(const char *name);

/* ---- numbers and times ----
 *
 * False, with *ret untouched: the value is no such number or time. */

/* Reads an integer of 64 bits as Centra writes one: as a number, or as its
 * plain decimal in a string.  Fractions, exponents, leading zeros, -0 and what
 * overflows are none. */
bool json_int(const struct json *v, int64_t *ret);
/* Reads a number from `least` to `most`, which must not be a string.  2.0 and
 * 2e0 are 2, as for the `integer` of a JSON schema. */
bool json_whole(const struct json *v, int64_t least, int64_t most,
		int64_t *ret);

/* Reads a text as time_parse_iso() does. */
bool json_time(const struct json *v, int64_t *ret, int *ret_offset_min);

/* ---- printing and changing what was read ---- */

/* Adds v in the one form that equal values share: keys sorted by their bytes,
 * no white space, of a repeated key the first, numbers as they were written,
 * texts with as few escapes as JSON allows, a byte that is not
 * UTF-8 as U+FFFD. */
void json_canonical(const struct json *v, struct buf *b);

/* Returns a copy, a document of its own. */
struct json *json_copy(const struct json *v);
/* As json_get(), for a document that the caller owns and wants to change. */
struct json *json_part(struct json *v, const char *key);
/* Removes the members for which `unwanted` is true from a list or an object. */
void json_remove(struct json *v, bool (*unwanted)(const struct json *member));

#endif
