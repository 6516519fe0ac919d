/* SPDX-License-Identifier: MIT */
#include "tests/harness/webhook.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/wait.h"

char *webhook_body(const char *json, enum space space)
{
	char *body = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&body, &len);

	fputs("payload=", f);
	for (const unsigned char *p = (const unsigned char *)json; *p; p++) {
		if (*p == ' ' && space == SPACE_PLUS)
			fputc('+', f);
		else if (*p < 128 && (isalnum(*p) || strchr("-_.", *p)))
			fputc(*p, f);
		else
			fprintf(f, "%%%02X", *p);
	}
	fclose(f);
	return body;
}

char *webhook_header(const char *secret, int64_t t, const char *body)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char *signedtext = NULL, *header = NULL;
	size_t n = 0, len = 0;
	unsigned macs = 0;
	FILE *f = open_memstream(&signedtext, &n);

	fprintf(f, "%lld.%s", (long long)t, body);
	fclose(f);
	HMAC(EVP_sha256(), secret, (int)strlen(secret),
	     (const unsigned char *)signedtext, n, mac, &macs);
	free(signedtext);
	f = open_memstream(&header, &len);
	fprintf(f, "X-Centra-Signature: t=%lld,v1=", (long long)t);
	for (unsigned i = 0; i < macs; i++)
		fprintf(f, "%02x", mac[i]);
	fclose(f);
	return header;
}

struct answer webhook_post(const char *url, const char *header,
			   const char *body, size_t len)
{
	const char *headers[] = {
		"Content-Type: application/x-www-form-urlencoded", header,
		NULL};

	return http_send("POST", url, headers, body, len);
}

struct answer webhook_send_with(const char *url, const char *secret,
				const char *json, enum space space)
{
	char *body = webhook_body(json, space);
	char *header = webhook_header(secret, now_unix(), body);
	struct answer a = webhook_post(url, header, body, strlen(body));

	free(header);
	free(body);
	return a;
}

struct answer webhook_send(const char *url, const char *json,
			   enum space space)
{
	return webhook_send_with(url, SECRET, json, space);
}
