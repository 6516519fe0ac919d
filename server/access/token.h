/* SPDX-License-Identifier: MIT
 *
 * token.h - secrets that the server gives out: device tokens, login codes,
 * sessions.  Each is 256 random bits, shown once as 43 characters of base64url;
 * the store keeps only its SHA-256.
 */
#ifndef SERVER_ACCESS_TOKEN_H
#define SERVER_ACCESS_TOKEN_H

#include "base/err.h"
#include "store/store.h"

#define TOKEN_SIZE 44 /* bytes of a token's text: 43 characters and the NUL */

/* Makes a new secret and its hash.  RC_IO: there are no random bytes. */
enum rc token_make(char ret[TOKEN_SIZE], unsigned char hash[TOKEN_HASH_SIZE],
		   struct err *e);
/* Hashes a token.  RC_INVALID: the text does not have the form of a token. */
enum rc token_hash(const char *token, unsigned char hash[TOKEN_HASH_SIZE]);

/* Derives a session's X-CSRF-Token from its token.  Only a page that can read
 * our responses learns it. */
enum rc token_csrf(char ret[TOKEN_SIZE], const char *token, struct err *e);

/* Computes the SHA-256 of any bytes. */
enum rc token_digest(unsigned char ret[TOKEN_HASH_SIZE], const void *p,
		     size_t len);

#endif
