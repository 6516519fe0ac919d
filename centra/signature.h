/* SPDX-License-Identifier: MIT
 *
 * signature.h - verifies that a delivery is from Centra (CONTRACT 1.4).
 *
 * The signature is an HMAC-SHA256 over "T.BODY", the bytes exactly as received.
 * It is compared in constant time, before anything is parsed.
 */
#ifndef CENTRA_SIGNATURE_H
#define CENTRA_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SIGNATURE_HEADER     "X-Centra-Signature"
#define SIGNATURE_HEADER_MAX 4096
#define SIGNATURE_V1_MAX     8 /* v1 parameters that are tried, at most */

struct verifier; /* opaque; to be used by one thread at a time */

/* Opens a verifier; secrets[0] is the current secret, secrets[1] the previous
 * one or NULL. */
enum rc verifier_open(struct verifier **ret, const char *const secrets[2],
		      struct err *e);
void verifier_close(struct verifier *v); /* NULL is fine */

enum verdict {
	VERDICT_GENUINE,
	VERDICT_NO_HEADER,
	VERDICT_MALFORMED, /* the header cannot be read */
	VERDICT_WRONG,     /* the signature was made by none of our secrets */
	VERDICT_STALE,     /* the signature is right; its time is outside the
			    * tolerance */
};

/* Verifies a body.  `header`: X-Centra-Signature, or NULL; `now` in ms;
 * `tolerance` in ms, in both directions, inclusive.  *ret_secret: index of the
 * secret that signed it (if genuine or stale), else -1. */
enum verdict verifier_check(struct verifier *v, const char *header,
			    const void *body, size_t len, int64_t now,
			    int64_t tolerance, int *ret_secret);

/* True if the header has the form of Centra's signatures, whoever made it. */
bool signature_well_formed(const char *header);

/* Copies T, the time in a header; "" if the header cannot be read. */
#define SIGNATURE_T_SIZE 16
void signature_t(char ret[SIGNATURE_T_SIZE], const char *header);

/* Returns T of a header in ms, wall clock of the sender; 0: the header is NULL or
 * cannot be read. */
int64_t signature_time(const char *header);

/* Writes the header that Centra would send with a body.  For tests and
 * `check`. */
#define SIGNATURE_SIZE 96
enum rc signature_make(char ret[SIGNATURE_SIZE], const char *secret,
		       const void *body, size_t len, int64_t t_seconds,
		       struct err *e);

#endif
