/* SPDX-License-Identifier: MIT
 *
 * callers.c - by which key a request waits for a thread.
 *
 * A request of a known caller waits by the caller's number.  Who a credential
 * belongs to is known only after a look in the store, so the credentials that
 * were good the last time are remembered, by a hash; a request with any other
 * credential waits by its client's address, which a stranger cannot choose
 * freely.  The hashes need a secret of this run: nobody can make up a key that
 * is another's.
 *
 * Memory: a table of fixed size; where two credentials share a place the newer
 * is remembered.  Threads: the loop.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/random.h"
#include "server/http/http_private.h"

#define KNOWN 16384

struct known {
	uint64_t credential; /* 0: free */
	uint64_t caller_id;
};

struct callers {
	uint64_t secret[2];
	struct known known[KNOWN];
};

struct callers *callers_open(void)
{
	struct callers *c = xcalloc(1, sizeof(*c));

	c->secret[0] = random_number();
	c->secret[1] = random_number();
	return c;
}

void callers_close(struct callers *c)
{
	free(c);
}

/* ---- SipHash-2-4 (Aumasson and Bernstein, 2012) ---- */

static uint64_t rotate(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static uint64_t sip_hash(const uint64_t key[2], const void *p, size_t len)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575U,
			 key[1] ^ 0x646f72616e646f6dU,
			 key[0] ^ 0x6c7967656e657261U,
			 key[1] ^ 0x7465646279746573U};
	const unsigned char *byte = p;
	uint64_t word, last = (uint64_t)len << 56;

	for (; len >= sizeof(word); len -= sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		sip_word(v, word);
		byte += sizeof(word);
	}
	while (len--)
		last |= (uint64_t)byte[len] << (8 * len);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- credentials ---- */

/* Returns a hash of the values of all headers of that name; 0: the request has
 * none. */
static uint64_t hash_headers(const struct callers *c,
			     const struct http_request *x, const char *name)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < x->fields.n_headers; i++) {
		const struct field *f = &x->fields.list[i];

		if (!strcasecmp(f->name, name))
			ret = rotate(ret, 1) ^
			      sip_hash(c->secret, f->value, strlen(f->value));
	}
	return ret;
}

uint64_t callers_credential(const struct callers *c,
			    const struct http_request *x)
{
	uint64_t ret = hash_headers(c, x, "Authorization");

	return ret ? ret : hash_headers(c, x, "Cookie");
}

uint64_t callers_known(const struct callers *c, uint64_t credential)
{
	const struct known *k = &c->known[credential % KNOWN];

	return credential && k->credential == credential ? k->caller_id : 0;
}

void callers_learn(struct callers *c, uint64_t credential, uint64_t caller_id)
{
	struct known *k = &c->known[credential % KNOWN];

	if (!credential)
		return;
	if (caller_id)
		*k = (struct known){credential, caller_id};
	else if (k->credential == credential)
		*k = (struct known){0};
}

/* ---- keys ---- */

uint64_t callers_key(const struct callers *c, uint64_t caller_id)
{
	const uint64_t text[2] = {1, caller_id};

	return sip_hash(c->secret, text, sizeof(text));
}

/* Returns the key of an address.  Of an IPv6 address only the /64 counts: one
 * host has all the addresses of its /64. */
uint64_t callers_key_of_address(const struct callers *c, const char *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address a;

	if (!address_read(&a, address, strlen(address)))
		return sip_hash(c->secret, address, strlen(address));
	return sip_hash(c->secret, a.b,
			memcmp(a.b, mapped, sizeof(mapped)) ? 8 : sizeof(a.b));
}
