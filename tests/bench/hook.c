/* SPDX-License-Identifier: MIT
 *
 * hook.c - see hook.h.
 */
#include "tests/bench/hook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIELD "payload="

/* Encodes as PHP's urlencode() does: the space is a plus. */
static size_t encode(char *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	static const char hex[] = "0123456789ABCDEF";
	char *p = out;

	for (; *s != '\0'; s++) {
		if (*s == ' ') {
			*p++ = '+';
		} else if (strchr(plain, *s) != NULL) {
			*p++ = *s;
		} else {
			*p++ = '%';
			*p++ = hex[(unsigned char)*s >> 4];
			*p++ = hex[(unsigned char)*s & 15];
		}
	}
	*p = '\0';
	return (size_t)(p - out);
}

static void sign(char ret[65], const char *secret, const char *body, size_t len,
		 long t)
{
	static const char hex[] = "0123456789abcdef";
	char text[64 + sizeof(FIELD) + 3 * HOOK_JSON];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	int head = snprintf(text, sizeof(text), "%ld.", t);

	memcpy(text + head, body, len);
	HMAC(EVP_sha256(), secret, (int)strlen(secret),
	     (unsigned char *)text, (size_t)head + len, mac, &mac_len);
	for (size_t i = 0; i < 32; i++) {
		ret[2 * i] = hex[mac[i] >> 4];
		ret[2 * i + 1] = hex[mac[i] & 15];
	}
	ret[64] = '\0';
}

size_t hook_request(char *out, const char *instance, const char *secret,
		    const char *json, bool close)
{
	char body[sizeof(FIELD) + 3 * HOOK_JSON] = FIELD, mac[65];
	size_t len = sizeof(FIELD) - 1 + encode(body + sizeof(FIELD) - 1, json);
	long t = (long)time(NULL);

	sign(mac, secret, body, len, t);
	return (size_t)snprintf(
		out, HOOK_SIZE,
		"POST /webhooks/centra/%s HTTP/1.1\r\n"
		"Host: 127.0.0.1\r\n"
		"%s"
		"Content-Length: %zu\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"X-Centra-Signature: t=%ld,v1=%s\r\n\r\n%s",
		instance, close ? "Connection: close\r\n" : "", len, t, mac,
		body);
}
