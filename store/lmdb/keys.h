/* SPDX-License-Identifier: MIT
 *
 * keys.h - keys that sort as their meaning does (schema.h).
 *
 * A key is built part by part and read in the same way.  KEY_MAX is enough for
 * every key: the longest are those of `seen`.
 */
#ifndef STORE_LMDB_KEYS_H
#define STORE_LMDB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_MAX 256

struct key {
	unsigned char b[KEY_MAX];
	size_t n;
};

/* Each function adds a part and returns k, so that a key is one expression. */
struct key *key_start(struct key *k);
struct key *key_u8(struct key *k, uint8_t v);
struct key *key_u64(struct key *k, uint64_t v);
struct key *key_i64(struct key *k, int64_t v);
struct key *key_str(struct key *k, const char *s);
struct key *key_bytes(struct key *k, const void *p, size_t len);

/* Begins the key of an order; returns k. */
struct key *order_key(struct key *k, const char *instance, int64_t number);

/* Makes the least key behind all keys that begin with k.  False: there is
 * none. */
bool key_after(struct key *k);

/* Reads the parts of a key.  A missing part is read as zero and marks the
 * reader bad. */
struct key_reader {
	const unsigned char *p; /* borrowed */
	size_t left;
	bool bad;
};

struct key_reader key_read(const void *p, size_t len);
uint8_t key_get_u8(struct key_reader *r);
uint64_t key_get_u64(struct key_reader *r);
int64_t key_get_i64(struct key_reader *r);
void key_get_str(struct key_reader *r, char *ret, size_t size);

#endif
