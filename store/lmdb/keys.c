/* SPDX-License-Identifier: MIT
 *
 * keys.c - see keys.h.
 */
#include "store/lmdb/keys.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define SIGN ((uint64_t)1 << 63)

struct key *key_start(struct key *k)
{
	k->n = 0;
	return k;
}

struct key *key_bytes(struct key *k, const void *p, size_t len)
{
	if (len > KEY_MAX - k->n)
		abort(); /* cannot happen: the sizes of names are bounded by
			  * their types */
	memcpy(k->b + k->n, p, len);
	k->n += len;
	return k;
}

struct key *key_u8(struct key *k, uint8_t v)
{
	return key_bytes(k, &v, 1);
}

struct key *key_u64(struct key *k, uint64_t v)
{
	v = htobe64(v);
	return key_bytes(k, &v, sizeof(v));
}

struct key *key_i64(struct key *k, int64_t v)
{
	return key_u64(k, (uint64_t)v ^ SIGN);
}

struct key *key_str(struct key *k, const char *s)
{
	return key_bytes(k, s, strlen(s) + 1);
}

struct key *order_key(struct key *k, const char *instance, int64_t number)
{
	return key_i64(key_str(key_start(k), instance), number);
}

bool key_after(struct key *k)
{
	while (k->n && k->b[k->n - 1] == 0xff)
		k->n--;
	if (!k->n)
		return false;
	k->b[k->n - 1]++;
	return true;
}

struct key_reader key_read(const void *p, size_t len)
{
	return (struct key_reader){.p = p, .left = len};
}

static bool key_has(struct key_reader *r, size_t len)
{
	if (r->bad || r->left < len) {
		r->bad = true;
		return false;
	}
	return true;
}

uint8_t key_get_u8(struct key_reader *r)
{
	if (!key_has(r, 1))
		return 0;
	r->left--;
	return *r->p++;
}

uint64_t key_get_u64(struct key_reader *r)
{
	uint64_t v = 0;

	if (!key_has(r, 8))
		return 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | *r->p++;
	r->left -= 8;
	return v;
}

int64_t key_get_i64(struct key_reader *r)
{
	uint64_t v = key_get_u64(r);

	return r->bad ? 0 : (int64_t)(v ^ SIGN);
}

void key_get_str(struct key_reader *r, char *ret, size_t size)
{
	const unsigned char *end = r->bad ? NULL
					  : memchr(r->p, 0, r->left);
	size_t n;

	memset(ret, 0, size);
	if (!end || (size_t)(end - r->p) >= size) {
		r->bad = true;
		return;
	}
	n = (size_t)(end - r->p);
	memcpy(ret, r->p, n);
	r->p += n + 1;
	r->left -= n + 1;
}
