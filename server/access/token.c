/* SPDX-License-Identifier: MIT
 *
 * token.c - see token.h.
 */
#include "server/access/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"

#define RANDOM_BYTES 32

/* The alphabet of base64url (RFC 4648, section 5), used without padding.
 * OpenSSL's EVP_EncodeBlock knows only the other alphabet, and EVP_DecodeBlock
 * miscounts padding. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789-_";

static void write_base64url(char ret[TOKEN_SIZE],
			    const unsigned char bytes[RANDOM_BYTES])
{
	unsigned held = 0; /* held: bits that are not written yet; bits: how
			    * many */
	int bits = 0;
	size_t i;

	for (i = 0; i < RANDOM_BYTES; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*ret++ = alphabet[held >> (bits - 6) & 63];
	}
	*ret++ = alphabet[held << (6 - bits) & 63];
	*ret = '\0';
}

static enum rc sha256(const char *token, unsigned char hash[TOKEN_HASH_SIZE])
{
	return EVP_Digest(token, TOKEN_SIZE - 1, hash, NULL, EVP_sha256(),
			  NULL) == 1
		       ? OK
		       : RC_IO;
}

enum rc token_make(char ret[TOKEN_SIZE], unsigned char hash[TOKEN_HASH_SIZE],
		   struct err *e)
{
	unsigned char bytes[RANDOM_BYTES];

	ret[0] = '\0';
	if (!random_bytes(bytes, sizeof(bytes)))
		return fail(e, RC_IO, "no random bytes for a token");
	write_base64url(ret, bytes);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (sha256(ret, hash)) {
		OPENSSL_cleanse(ret, TOKEN_SIZE);
		return fail(e, RC_IO, "cannot make the SHA-256 of a token");
	}
	return OK;
}

enum rc token_hash(const char *token, unsigned char hash[TOKEN_HASH_SIZE])
{
	if (strnlen(token, TOKEN_SIZE) != TOKEN_SIZE - 1 ||
	    strspn(token, alphabet) != TOKEN_SIZE - 1)
		return RC_INVALID;
	return sha256(token, hash);
}

enum rc token_digest(unsigned char ret[TOKEN_HASH_SIZE], const void *p,
		     size_t len)
{
	return EVP_Digest(p, len, ret, NULL, EVP_sha256(), NULL) == 1
		       ? OK
		       : RC_IO;
}

enum rc token_csrf(char ret[TOKEN_SIZE], const char *token, struct err *e)
{
	unsigned char hash[TOKEN_HASH_SIZE];
	char text[4 + TOKEN_SIZE];
	enum rc rc;

	snprintf(text, sizeof(text), "csrf%s", token);
	rc = token_digest(hash, text, strlen(text));
	if (rc)
		return fail(e, RC_IO, "cannot make the SHA-256 of a token");
	_Static_assert(TOKEN_HASH_SIZE == RANDOM_BYTES, "one base64url fits");
	write_base64url(ret, hash);
	OPENSSL_cleanse(text, sizeof(text));
	return OK;
}
