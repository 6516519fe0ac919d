/* SPDX-License-Identifier: MIT
 *
 * signature.c - see signature.h.
 *
 * A secret's context is keyed once; each check starts it again with a NULL key,
 * which keeps the key schedule and costs a quarter of keying it anew.
 *
 * Every secret is tried against every v1, whatever matched before, so that the
 * time taken tells nothing of which secret is right, or how nearly.
 */
#include "centra/signature.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/hex.h"
#include "base/json_write.h"
#include "base/mem.h"

#define MAC_SIZE     32
#define SECRETS	     2
#define T_DIGITS_MAX 15 /* digits of T; in ms it still fits into 63 bits */

_Static_assert(T_DIGITS_MAX < SIGNATURE_T_SIZE, "T must fit");

struct verifier {
	EVP_MAC_CTX *keyed[SECRETS]; /* owned; NULL: this secret is not set */
};

/* A header's contents.  Texts are borrowed from it. */
struct parsed {
	const char *t;
	size_t t_len;
	unsigned char v1[SIGNATURE_V1_MAX][MAC_SIZE];
	size_t n_v1;
	size_t seen_v1; /* includes those that are not 64 hex digits */
};

/* Makes a context that EVP_MAC_init(ctx, NULL, 0, NULL) can start again and
 * again. */
static enum rc mac_keyed(EVP_MAC_CTX **ret, const char *secret, struct err *e)
{
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256,
						 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = NULL;
	EVP_MAC_CTX *ctx = NULL;
	enum rc rc = OK;

	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac)
		ctx = EVP_MAC_CTX_new(mac);
	if (!ctx || !EVP_MAC_init(ctx, (const unsigned char *)secret,
				  strlen(secret), params)) {
		rc = fail(e, RC_IO, "openssl cannot make an 'HMAC' context");
		goto out;
	}
	*ret = ctx;
	ctx = NULL;
out:
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return rc;
}

/* Computes the HMAC of T "." BODY. */
static bool mac_of(EVP_MAC_CTX *keyed, const char *t, size_t t_len,
		   const void *body, size_t len, unsigned char ret[MAC_SIZE])
{
	size_t n = 0;

	return EVP_MAC_init(keyed, NULL, 0, NULL) &&
	       EVP_MAC_update(keyed, (const unsigned char *)t, t_len) &&
	       EVP_MAC_update(keyed, (const unsigned char *)".", 1) &&
	       (!len || EVP_MAC_update(keyed, body, len)) &&
	       EVP_MAC_final(keyed, ret, &n, MAC_SIZE) && n == MAC_SIZE;
}

enum rc verifier_open(struct verifier **ret, const char *const secrets[2],
		      struct err *e)
{
	struct verifier *v = xcalloc(1, sizeof(*v));
	enum rc rc = OK;

	if (!secrets[0] || !*secrets[0]) {
		rc = fail(e, RC_INVALID, "the 'webhook_secret' is empty");
		goto out;
	}
	for (size_t i = 0; i < SECRETS && !rc; i++)
		if (secrets[i] && *secrets[i])
			rc = mac_keyed(&v->keyed[i], secrets[i], e);
	if (rc)
		goto out;
	*ret = v;
	v = NULL;
out:
	verifier_close(v);
	return rc;
}

void verifier_close(struct verifier *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < SECRETS; i++)
		EVP_MAC_CTX_free(v->keyed[i]);
	free(v);
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

static bool take_t(struct parsed *p, const char *s, size_t len)
{
	if (!len || len > T_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	/* Two different values of T: we cannot know which of them was
	 * signed. */
	if (p->t && (p->t_len != len || memcmp(p->t, s, len) != 0))
		return false;
	p->t = s;
	p->t_len = len;
	return true;
}

/* Reads one item of the header.  Unknown parameters are accepted: the label v1
 * suggests that there may be a v2. */
static bool take_item(struct parsed *p, const char *s, size_t len)
{
	if (len >= 2 && memcmp(s, "t=", 2) == 0)
		return take_t(p, s + 2, len - 2);
	if (len >= 3 && memcmp(s, "v1=", 3) == 0 &&
	    p->seen_v1++ < SIGNATURE_V1_MAX &&
	    len - 3 == (size_t)MAC_SIZE * 2 &&
	    hex_read(p->v1[p->n_v1], s + 3, MAC_SIZE))
		p->n_v1++;
	return true;
}

static bool parse(struct parsed *p, const char *header)
{
	const char *s = header, *end;

	if (strnlen(header, SIGNATURE_HEADER_MAX + 1) > SIGNATURE_HEADER_MAX)
		return false;
	for (;;) {
		const char *next = strchrnul(s, ',');

		end = next;
		while (s < end && is_ows(*s))
			s++;
		while (end > s && is_ows(end[-1]))
			end--;
		if (!take_item(p, s, (size_t)(end - s)))
			return false;
		if (!*next)
			break;
		s = next + 1;
	}
	return p->t && p->n_v1;
}

bool signature_well_formed(const char *header)
{
	struct parsed p = {0};

	return parse(&p, header);
}

/* Returns the index of the secret that made one of the v1 values, or -1. */
static int maker(struct verifier *v, const struct parsed *p, const void *body,
		 size_t len)
{
	unsigned char mac[MAC_SIZE];
	int found = -1;

	for (int i = SECRETS - 1; i >= 0; i--) {
		if (!v->keyed[i] ||
		    !mac_of(v->keyed[i], p->t, p->t_len, body, len, mac))
			continue;
		for (size_t k = 0; k < p->n_v1; k++)
			if (CRYPTO_memcmp(mac, p->v1[k], MAC_SIZE) == 0)
				found = i;
	}
	OPENSSL_cleanse(mac, sizeof(mac));
	return found;
}

/* Returns T, ms. */
static int64_t time_of(const struct parsed *p)
{
	int64_t t = 0;

	for (size_t i = 0; i < p->t_len; i++)
		t = t * 10 + (p->t[i] - '0');
	return t * 1000;
}

/* True if T is within the tolerance.  T is a whole second, so any moment of
 * that second counts. */
static bool fresh(const struct parsed *p, int64_t now, int64_t tolerance)
{
	int64_t t = time_of(p);

	return now - (t + 999) <= tolerance && t - now <= tolerance;
}

enum verdict verifier_check(struct verifier *v, const char *header,
			    const void *body, size_t len, int64_t now,
			    int64_t tolerance, int *ret_secret)
{
	struct parsed p = {0};

	*ret_secret = -1;
	if (!header)
		return VERDICT_NO_HEADER;
	if (!parse(&p, header))
		return VERDICT_MALFORMED;
	*ret_secret = maker(v, &p, body, len);
	if (*ret_secret < 0)
		return VERDICT_WRONG;
	return fresh(&p, now, tolerance) ? VERDICT_GENUINE : VERDICT_STALE;
}

void signature_t(char ret[SIGNATURE_T_SIZE], const char *header)
{
	struct parsed p = {0};

	ret[0] = '\0';
	if (header && parse(&p, header)) {
		memcpy(ret, p.t, p.t_len); /* at most T_DIGITS_MAX bytes */
		ret[p.t_len] = '\0';
	}
}

int64_t signature_time(const char *header)
{
	struct parsed p = {0};

	return header && parse(&p, header) ? time_of(&p) : 0;
}

enum rc signature_make(char ret[SIGNATURE_SIZE], const char *secret,
		       const void *body, size_t len, int64_t t_seconds,
		       struct err *e)
{
	EVP_MAC_CTX *keyed = NULL;
	unsigned char mac[MAC_SIZE];
	char t[24];
	int n;
	enum rc rc;

	n = snprintf(t, sizeof(t), "%" PRId64, t_seconds);
	if (n < 0 || n > T_DIGITS_MAX || t_seconds < 0)
		return fail(e, RC_INVALID, "'%" PRId64 "' is no time to sign",
			    t_seconds);
	rc = mac_keyed(&keyed, secret, e);
	if (rc)
		goto out;
	if (!mac_of(keyed, t, (size_t)n, body, len, mac)) {
		rc = fail(e, RC_IO, "openssl cannot make an 'HMAC'");
		goto out;
	}
	n = snprintf(ret, SIGNATURE_SIZE, "t=%s,v1=", t);
	hex_write(ret + n, mac, MAC_SIZE);
out:
	EVP_MAC_CTX_free(keyed);
	return rc;
}
