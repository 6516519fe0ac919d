/* SPDX-License-Identifier: MIT
 *
 * buf.h - a growing array of bytes with a maximum that is given at the start.
 *
 * Memory:  data is owned by the buf, always followed by a NUL that len does
 *          not count, and NULL while nothing was added.
 * Errors:  an add that would pass `max` adds nothing, marks the buf `full` for
 *          good and returns RC_FULL.  A caller that adds in many steps may
 *          ignore those and ask buf_full() once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	char *data; /* owned */
	size_t len;
	size_t cap;
	size_t max; /* bytes, the NUL not counted */
	bool full;
};

/* Makes room for len more bytes and adds nothing; for buf_space().  RC_FULL: they
 * do not fit. */
enum rc buf_grow(struct buf *b, size_t len);
/* Makes an empty buf that may hold `max` bytes; it allocates nothing. */
void buf_init(struct buf *b, size_t max);
/* Adds len bytes.  RC_FULL: they do not fit; nothing was added. */
enum rc buf_add(struct buf *b, const void *p, size_t len);
/* Adds len bytes without a value and returns where they lie; the caller fills them
 * in before it adds anything else.  NULL: they do not fit; nothing was added. */
static inline char *buf_space(struct buf *b, size_t len)
{
	char *at;

	if ((b->full || len >= b->cap - b->len) && buf_grow(b, len))
		return NULL;
	at = b->data + b->len;
	at[len] = '\0';
	b->len += len;
	return at;
}
void buf_str(struct buf *b, const char *s); /* as buf_add() without its result:
					     * ask buf_full() later */
void buf_char(struct buf *b, char c);
void buf_uint(struct buf *b, uint64_t n); /* adds n in decimal, as buf_fmt()
					   * would, in a tenth of the time */
void buf_int(struct buf *b, int64_t n);
void buf_fmt(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds s as a JSON string with its quotes; NULL adds null.  Bytes that are not
 * UTF-8 become U+FFFD.  Characters that a terminal would act on are written as
 * \uXXXX (see buf_visible), so that the JSON can be shown as it is. */
void buf_json(struct buf *b, const char *s);
/* Adds s as one line of text for a terminal.  What a terminal would act on is
 * escaped: control characters (\n, \x1b), characters that change the direction
 * of the text or end a line (\u202e), and bytes that are not UTF-8 (\xff). */
void buf_visible(struct buf *b, const char *s);
/* Adds a JSON value that was made elsewhere, such as the data of a stored
 * event.  As in buf_json(), what a terminal would act on is escaped; a byte
 * below 0x20 can only be white space there and becomes a space. */
void buf_json_value(struct buf *b, const char *json);
bool buf_full(const struct buf *b);
/* Empties the buf and keeps its memory for the next use. */
void buf_clear(struct buf *b);
/* Returns the bytes, which the caller frees; "" if the buf is empty.
 * Afterwards the buf is empty and owns nothing. */
char *buf_detach(struct buf *b, size_t *ret_len);
/* Frees the memory.  A zeroed buf may be released too. */
void buf_release(struct buf *b);

#endif
