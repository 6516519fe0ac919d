/* SPDX-License-Identifier: MIT
 *
 * codec.c - see codec.h.
 */
#include "store/model/codec.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* ---- writing ---- */

void put_bytes(struct buf *b, const void *p, size_t len)
{
	(void)!buf_add(b, p, len);
}

void put_u8(struct buf *b, uint8_t v)
{
	char *at = buf_space(b, 1);

	if (at)
		*at = (char)v;
}

void put_u32(struct buf *b, uint32_t v)
{
	char *at = buf_space(b, 4);

	v = htobe32(v);
	if (at)
		memcpy(at, &v, 4);
}

void put_u64(struct buf *b, uint64_t v)
{
	char *at = buf_space(b, 8);

	v = htobe64(v);
	if (at)
		memcpy(at, &v, 8);
}

void put_i64(struct buf *b, int64_t v)
{
	put_u64(b, (uint64_t)v);
}

void put_flag(struct buf *b, bool v)
{
	put_u8(b, v);
}

void put_text_len(struct buf *b, const char *s, size_t len)
{
	char *at;

	if (len >= VALUE_MAX) {
		b->full = true;
		return;
	}
	put_u32(b, s ? (uint32_t)len + 1 : 0);
	if (!s || !len)
		return;
	at = buf_space(b, len);
	if (at)
		memcpy(at, s, len);
}

void put_text(struct buf *b, const char *s)
{
	put_text_len(b, s, s ? strlen(s) : 0);
}

size_t put_block(struct buf *b)
{
	put_u32(b, 0);
	return b->len;
}

void put_block_end(struct buf *b, size_t from)
{
	size_t len = b->len - from;

	if (buf_full(b))
		return;
	for (size_t i = 1; i <= 4; i++, len >>= 8)
		b->data[from - i] = (char)(len & 0xff);
}

/* ---- reading ---- */

void reader_init(struct reader *r, const void *p, size_t len)
{
	*r = (struct reader){.p = p, .left = len};
}

static void go_bad(struct reader *r)
{
	r->bad = true;
	r->left = 0;
}

/* Returns the next len bytes; NULL if the value ends before them or is bad. */
static const unsigned char *take(struct reader *r, size_t len)
{
	const unsigned char *p = r->p;

	if (r->bad || (!r->left && len))
		return NULL;
	if (len > r->left) {
		go_bad(r);
		return NULL;
	}
	r->left -= len;
	if (len)
		r->p += len;
	return p;
}

uint8_t get_u8(struct reader *r)
{
	const unsigned char *p = take(r, 1);

	return p ? p[0] : 0;
}

uint32_t get_u32(struct reader *r)
{
	const unsigned char *p = take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			       (uint32_t)p[2] << 8 | p[3]
		 : 0;
}

uint64_t get_u64(struct reader *r)
{
	const unsigned char *p = take(r, 8);
	uint64_t v = 0;

	for (int i = 0; p && i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

int64_t get_i64(struct reader *r)
{
	return (int64_t)get_u64(r);
}

unsigned get_below(struct reader *r, unsigned end)
{
	unsigned v = get_u8(r);

	if (v < end)
		return v;
	go_bad(r);
	return 0;
}

bool get_flag(struct reader *r)
{
	return get_below(r, 2);
}

void get_bytes(struct reader *r, void *ret, size_t len)
{
	const unsigned char *p = take(r, len);

	if (p && len)
		memcpy(ret, p, len);
	else
		memset(ret, 0, len);
}

/* Returns the bytes of the next text; *ret_len is how many.  NULL: NULL was
 * written in place of a text, or the reader is bad. */
static const unsigned char *take_text(struct reader *r, size_t *ret_len)
{
	uint32_t n = get_u32(r);

	*ret_len = 0;
	if (!n)
		return NULL;
	if (n - 1 > r->left) {
		go_bad(r);
		return NULL;
	}
	*ret_len = n - 1;
	/* An empty text may end the value; take() would take that for a missing
	 * field. */
	return n == 1 ? (const unsigned char *)"" : take(r, n - 1);
}

char *get_text(struct reader *r, size_t *ret_len)
{
	size_t len;
	const unsigned char *p = take_text(r, &len);

	if (p && !ret_len && memchr(p, 0, len)) {
		go_bad(r);
		p = NULL;
	}
	if (ret_len)
		*ret_len = p ? len : 0;
	return p ? xmemdup(p, len) : NULL;
}

void get_word(struct reader *r, char *ret, size_t size)
{
	size_t len;
	const unsigned char *p = take_text(r, &len);

	memset(ret, 0, size);
	if (p && (len >= size || memchr(p, 0, len)))
		go_bad(r);
	else if (p)
		memcpy(ret, p, len);
}

size_t get_count(struct reader *r, size_t least, size_t max)
{
	size_t n = get_u32(r);

	if (n <= max && n * least <= r->left)
		return n;
	go_bad(r);
	return 0;
}

struct reader get_block(struct reader *r)
{
	struct reader in = {.p = r->p};
	size_t len = get_u32(r);

	if (len > r->left)
		go_bad(r);
	if (r->bad) {
		in.bad = true;
		return in;
	}
	in.p = r->p;
	in.left = len;
	if (len)
		r->p += len;
	r->left -= len;
	return in;
}
