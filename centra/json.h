/* SPDX-License-Identifier: MIT
 *
 * json.h - a stranger's JSON, read exactly: cJSON with its sharp edges off.
 *
 * Promise:  what cJSON would bend is kept as it was written.  Numbers are not
 *           forced through a double, a NUL or half a surrogate pair inside a
 *           text costs that text and not the document, and a text that holds
 *           one never compares equal to a harmless one.
 * How:      one pass over the bytes, before cJSON sees them, holds the limits
 *           and turns each such thing into a text with a mark (U+0001) in it.
 *           Only this file knows the marks: read values with the functions
 *           below, never through valuestring, valueint or valuedouble.
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
#define JSON_VALUES_MAX 500000 /* what cJSON needs memory for */

enum json_rules {
	JSON_STRICT,
	/* A number that is none (01, 1., 1-2) is one unreadable value; it does
	 * not cost the document. */
	JSON_LENIENT,
};

/* Once per process, before threads: running out of memory must not look like
 * bad JSON. */
void json_init(void);

/* Reads one document that fills the len bytes, white space aside.  *ret is
 * owned by the caller (cJSON_Delete).  RC_INVALID: it is not JSON, or passes a
 * limit. */
enum rc json_parse(const char *text, size_t len, enum json_rules rules,
		   cJSON **ret, struct err *e);

/* The member of an object; the first, if a key comes twice.  NULL: none, or
 * not an object.  v may be NULL. */
const cJSON *json_get(const cJSON *v, const char *key);
/* How many members a list or an object has.  NULL has none. */
size_t json_length(const cJSON *v);
/* How often an object has the key. */
size_t json_count(const cJSON *v, const char *key);

/* The text of a string; NULL: not a string, or one that cannot be trusted to
 * be the text it looks like (see Promise).  Borrowed from v. */
const char *json_text(const cJSON *v);

/* An integer of 64 bits, or its plain decimal as a string.  False, and *ret
 * untouched, for all else: fractions, exponents, leading zeros, -0,
 * overflow. */
bool json_int(const cJSON *v, int64_t *ret);

/* Null, [] and {} say the same: nothing.  So does NULL. */
bool json_empty(const cJSON *v);

/* Adds v in the one form that equal values share: keys sorted by their bytes,
 * no white space, of a repeated key the first, numbers as they were written,
 * texts with as few escapes as JSON allows. */
void json_canonical(const cJSON *v, struct buf *b);

/* True if s is UTF-8 throughout. */
bool json_utf8(const char *s);

#endif
