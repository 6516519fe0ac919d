/* SPDX-License-Identifier: MIT
 *
 * signature.h - verifies that a delivery is from Centra (CONTRACT 1.4).
 *
 * HMAC-SHA256 over "T.BODY", the bytes exactly as received, compared in
 * constant time, before anything is parsed.
 */
#ifndef SERVER_WEBHOOK_SIGNATURE_H
#define SERVER_WEBHOOK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SIGNATURE_HEADER     "X-Centra-Signature"
#define SIGNATURE_HEADER_MAX 4096
#define SIGNATURE_V1_MAX     8 /* v1 parameters looked at */

struct verifier; /* opaque: keyed contexts; one thread at a time */

/* secrets[0] is the current one, secrets[1] the previous one or NULL. */
enum rc verifier_open(struct verifier **ret, const char *const secrets[2],
		      struct err *e);
void verifier_close(struct verifier *v); /* NULL is fine */

enum verdict {
	VERDICT_GENUINE,
	VERDICT_NO_HEADER,
	VERDICT_MALFORMED, /* the header cannot be read */
	VERDICT_WRONG,     /* none of our secrets made it */
	VERDICT_STALE,     /* the signature is right; its time is outside the
			    * tolerance */
};
const char *verdict_name(enum verdict v);

/* `header` is X-Centra-Signature or NULL; `now` in ms; `tolerance` in ms, both
 * ways and inclusive.  *ret_secret: index of the secret that made it (genuine
 * or stale), else -1. */
enum verdict verifier_check(struct verifier *v, const char *header,
			    const void *body, size_t len, int64_t now,
			    int64_t tolerance, int *ret_secret);

/* True if the header has the form of Centra's, whoever made it. */
bool signature_well_formed(const char *header);

/* Copies the T of a header; "" if it cannot be read. */
#define SIGNATURE_T_SIZE 16
void signature_t(char ret[SIGNATURE_T_SIZE], const char *header);

/* Writes a header for a body, as Centra would: for tests and `check`. */
#define SIGNATURE_SIZE 96
enum rc signature_make(char ret[SIGNATURE_SIZE], const char *secret,
		       const void *body, size_t len, int64_t t_seconds,
		       struct err *e);

#endif
