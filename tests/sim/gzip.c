/* SPDX-License-Identifier: MIT */
#include "tests/sim/gzip.h"

#include <stdint.h>
#include <string.h>

#include "tests/sim/json.h"

#define BLOCK_MOST 65535 /* bytes of a stored block */

static uint32_t checksum(const char *p, size_t len)
{
	uint32_t crc = ~0u;

	for (; len; len--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* The lowest byte first, as gzip has it. */
static void put(struct text *t, uint32_t v, int bytes)
{
	for (; bytes; bytes--, v >>= 8)
		fputc((int)(v & 0xff), t->f);
}

char *gzip_pack(const char *text, size_t *ret_len)
{
	size_t len = strlen(text), left = len, n;
	struct text t;

	text_begin(&t);
	fwrite("\x1f\x8b\x08\0\0\0\0\0\0\x03", 1, 10, t.f);
	do {
		n = left < BLOCK_MOST ? left : BLOCK_MOST;
		put(&t, n == left, 1); /* the last one says so */
		put(&t, (uint32_t)n, 2);
		put(&t, (uint32_t)~n, 2);
		fwrite(text + (len - left), 1, n, t.f);
		left -= n;
	} while (left);
	put(&t, checksum(text, len), 4);
	put(&t, (uint32_t)len, 4);
	text_end(&t);
	*ret_len = t.len;
	return t.data;
}
