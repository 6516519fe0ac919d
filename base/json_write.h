/* SPDX-License-Identifier: MIT
 *
 * json_write.h - writes JSON into a buf, without white space.
 *
 * The writer keeps the commas: it looks at the last byte of the buf.  So there
 * is nothing to begin or to release, a value may follow any other text that
 * ends with a space or a line end, and functions may each add some members.
 *
 * Arguments:  `key` is the name of a member: plain ASCII that needs no escape.
 *             NULL: the value is an element of a list, or the whole document.
 * Errors:     ask buf_full() at the end.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Begin an object and a list.  End each with its own json_end...(). */
void json_begin(struct buf *b, const char *key);
void json_end(struct buf *b);
void json_begin_list(struct buf *b, const char *key);
void json_end_list(struct buf *b);

/* Writes a text as buf_json() does; NULL is written as null. */
void json_put(struct buf *b, const char *key, const char *text);
void json_put_bool(struct buf *b, const char *key, bool yes);
void json_put_int(struct buf *b, const char *key, int64_t n);
void json_put_uint(struct buf *b, const char *key, uint64_t n);
void json_put_null(struct buf *b, const char *key);
/* Writes a time (ms since 1970) as time_iso() does; TIME_NONE is written as
 * null. */
void json_put_time(struct buf *b, const char *key, int64_t t, int offset_min,
		   bool millis);
/* Writes a value that is JSON already, as it is. */
void json_put_raw(struct buf *b, const char *key, const char *json);
/* Writes a key alone: the caller adds the value next, with a function of
 * buf.h. */
void json_key(struct buf *b, const char *key);

#endif
