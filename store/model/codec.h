/* SPDX-License-Identifier: MIT
 *
 * codec.h - writes and reads the bytes of values.
 *
 * u8, u32, u64, i64  big-endian, i64 as two's complement
 * flag               u8, 0 or 1
 * text               u32 length + 1, the bytes, no NUL; a length of 0: NULL
 * block              u32 length, the bytes: a record within a record
 *
 * Writing goes to a buf; ask buf_full() at the end.  A reader never reads past
 * its end.  If the value ends before a field, the field is zero: the value was
 * written before the field existed.  If it ends within a field, or a field
 * cannot have its value, the reader is `bad` for good and returns zeros.
 */
#ifndef STORE_MODEL_CODEC_H
#define STORE_MODEL_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define VALUE_MAX ((size_t)64 << 20) /* bytes of one value */

/* Each adds a value in its form above. */
void put_u8(struct buf *b, uint8_t v);
void put_u32(struct buf *b, uint32_t v);
void put_u64(struct buf *b, uint64_t v);
void put_i64(struct buf *b, int64_t v);
void put_flag(struct buf *b, bool v);
void put_bytes(struct buf *b, const void *p, size_t len);
void put_text(struct buf *b, const char *s); /* NULL and "" are kept apart */
void put_text_len(struct buf *b, const char *s, size_t len);
/* put_block() begins a block, put_block_end() ends it: everything that is put
 * between them is in the block. */
size_t put_block(struct buf *b);
void put_block_end(struct buf *b, size_t from);

struct reader {
	const unsigned char *p; /* borrowed */
	size_t left;
	bool bad;
};

/* Begins to read len bytes at p, which are borrowed.  Each get_...() reads a
 * value and moves on. */
void reader_init(struct reader *r, const void *p, size_t len);
uint8_t get_u8(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
int64_t get_i64(struct reader *r);
bool get_flag(struct reader *r);
/* Copies len bytes to ret. */
void get_bytes(struct reader *r, void *ret, size_t len);
/* Returns a copy of a text, which the caller frees, or NULL.  A NUL inside
 * makes the reader bad, unless the caller asks for the length. */
char *get_text(struct reader *r, size_t *ret_len);
/* Copies a text to ret[size]; one that does not fit makes the reader bad.  A
 * text of NULL is read as "". */
void get_word(struct reader *r, char *ret, size_t size);
/* Reads a number below `end`, such as an enum's; a greater one makes the reader
 * bad. */
unsigned get_below(struct reader *r, unsigned end);
/* Reads how many records follow, each of at least `least` bytes.  A number
 * above `max`, or that does not fit into the rest of the value, makes the
 * reader bad. */
size_t get_count(struct reader *r, size_t least, size_t max);
struct reader get_block(struct reader *r);

#endif
