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

/* Each is ended with its own json_end...(). */
void json_begin(struct buf *b, const char *key);
void json_end(struct buf *b);
void json_begin_list(struct buf *b, const char *key);
void json_end_list(struct buf *b);

/* A text as buf_json() writes it; NULL: null. */
void json_put(struct buf *b, const char *key, const char *text);
void json_put_bool(struct buf *b, const char *key, bool yes);
void json_put_int(struct buf *b, const char *key, int64_t n);
void json_put_uint(struct buf *b, const char *key, uint64_t n);
void json_put_null(struct buf *b, const char *key);
/* A time (ms since 1970) as time_iso() writes it; TIME_NONE: null. */
void json_put_time(struct buf *b, const char *key, int64_t t, int offset_min,
		   bool millis);
/* A value that is JSON already; it is copied as it is. */
void json_put_raw(struct buf *b, const char *key, const char *json);
/* Adds the key alone: the caller adds the value next, with another function of
 * buf.h. */
void json_key(struct buf *b, const char *key);

#endif
