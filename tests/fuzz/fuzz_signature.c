/* SPDX-License-Identifier: MIT
 *
 * fuzz_signature.c - any bytes as the header that says a delivery is Centra's.
 *
 * What stands before the first NUL is the header, what stands behind it the
 * body; without one the body is that of Centra's published example.  Nobody who
 * does not know the secret can make a header: the only one that may be believed
 * is one that holds the example's own MAC, with the example's own body.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centra/signature.h"

#define EXAMPLE_T    12345678
#define EXAMPLE_BODY "payload=%7B%22x%22%3A%22test%22%7D"
#define EXAMPLE_MAC                                                            \
	"0b9cd84f5d583e5e1aadfb9f160aa8080b51d5b85ff85808d6b75bdac356c549"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct verifier *verifier(void)
{
	static const char *const secrets[2] = {"test123", "another"};
	static struct verifier *v;
	struct err e;

	if (!v && verifier_open(&v, secrets, &e))
		abort();
	return v;
}

static enum verdict ask(const char *header, const char *body, size_t len,
			int64_t now, int *ret_secret)
{
	return verifier_check(verifier(), header, body, len, now, 300000,
			      ret_secret);
}

/* What may be put beside a good header must not spoil it. */
static void check_more(const char *header, const char *body, size_t len,
		       int64_t now, enum verdict before)
{
	char *more = NULL;
	int secret;

	if (strlen(header) > SIGNATURE_HEADER_MAX - 16)
		return;
	if (asprintf(&more, " \t%s ,v2=00, x=1", header) < 0)
		abort();
	if (ask(more, body, len, now, &secret) != before)
		abort();
	free(more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t now = (int64_t)EXAMPLE_T * 1000;
	size_t n = strnlen((const char *)data, size), len;
	char *header = strndup((const char *)data, n);
	const char *body = EXAMPLE_BODY;
	enum verdict v;
	int secret;

	len = strlen(body);
	if (n < size) {
		body = (const char *)data + n + 1;
		len = size - n - 1;
	}
	v = ask(header, body, len, now, &secret);
	if ((v == VERDICT_GENUINE || v == VERDICT_STALE) != (secret >= 0))
		abort();
	if (secret >= 0) {
		if (secret != 0 || len != strlen(EXAMPLE_BODY) ||
		    memcmp(body, EXAMPLE_BODY, len) != 0 ||
		    !strcasestr(header, EXAMPLE_MAC))
			abort();
		check_more(header, body, len, now, v);
		/* Ten minutes later it is no longer fresh, and no other. */
		if (ask(header, body, len, now + 600000, &secret) !=
			    VERDICT_STALE ||
		    secret != 0)
			abort();
	}
	free(header);
	return 0;
}
