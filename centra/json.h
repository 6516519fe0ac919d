/* SPDX-License-Identifier: MIT
 *
 * json.h - a stranger's JSON, read exactly: cJSON with its sharp edges off.
 *
 * Promise:  what cJSON would bend is kept as it was written.  Numbers are not
 *           forced through a double.  A NUL, half a surrogate pair or a byte
 *           that is not UTF-8 costs itself: not the document, and not the rest
 *           of its text.
 * Texts:    are read in one of two ways.  json_text() is for a word on which
 *           something depends (a status, a type, a date): it must be exactly
 *           that word, so one that holds any such thing is no text at all, or
 *           another (a byte that is not UTF-8 reads as U+FFFD).
 *           json_words() is for what people read (a name, an address, Centra's
 *           remarks): it drops what cannot be shown and keeps the rest.
 * How:      one pass over the bytes, before cJSON sees them, holds the limits
 *           and turns each such thing into a mark (U+0001) in its text.  Only
 *           this file knows the marks: read values with the functions below,
 *           never through valuestring, valueint or valuedouble.
 * Threads:  a document belongs to one thread.
 * Private to centra/.
 */
#ifndef CENTRA_JSON_H
#define CENTRA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX  32
#define JSON_LOST	"\xef\xbf\xbd" /* U+FFFD: a character that was lost */
#define JSON_VALUES_MAX 500000 /* most values in a document: cJSON allocates
			        * memory for each */

enum json_rules {
	JSON_STRICT,
	/* A malformed number (01, 1., 1-2) is one unreadable value, and the
	 * rest of the document is read. */
	JSON_LENIENT,
};

/* Call once per process, before threads start.  It makes cJSON end the process
 * if memory runs out; else that would look like bad JSON. */
void json_init(void);

/* Reads one document that fills the len bytes, white space aside.  *ret is
 * owned by the caller (cJSON_Delete).  RC_INVALID: it is not JSON, or passes a
 * limit. */
enum rc json_parse(const char *text, size_t len, enum json_rules rules,
		   cJSON **ret, struct err *e);

/* The member of an object; the first, if a key comes twice.  NULL: none, or
 * not an object.  v may be NULL. */
const cJSON *json_get(const cJSON *v, const char *key);
/* Returns the number of members of a list or an object; 0 for NULL. */
size_t json_length(const cJSON *v);
/* Returns how many members of the object have this key. */
size_t json_count(const cJSON *v, const char *key);

/* The text of a string; NULL: not a string, or one that cannot be trusted to
 * be the text it looks like (see Texts).  Borrowed from v. */
const char *json_text(const cJSON *v);

/* The text of a string for people to read; NULL: not a string.  The caller
 * frees it.  Control characters (C0, DEL, C1), U+0000, halves of surrogate
 * pairs, bytes that are not UTF-8 and U+FFFD are dropped; a TAB, LF or CR
 * becomes a space.  What is left is UTF-8. */
char *json_words(const cJSON *v);
/* As json_words(), for the name of a member: cJSON's `string`. */
char *json_clean(const char *name);

/* An integer of 64 bits, or its plain decimal as a string.  False, and *ret
 * untouched, for all else: fractions, exponents, leading zeros, -0,
 * overflow. */
bool json_int(const cJSON *v, int64_t *ret);

/* True for null, [], {} and NULL, which all mean "nothing". */
bool json_empty(const cJSON *v);

/* Adds v in the one form that equal values share: keys sorted by their bytes,
 * no white space, of a repeated key the first, numbers as they were written,
 * texts with as few escapes as JSON allows, a byte that is not
 * UTF-8 as U+FFFD. */
void json_canonical(const cJSON *v, struct buf *b);

#endif
