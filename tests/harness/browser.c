/* SPDX-License-Identifier: MIT */
#include "tests/harness/browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void browser_link(struct browser *b, struct shipfrom *s, const char *shop)
{
	const char *words[] = {"device", "add",	   "--shop", shop,
			       "--name", "tablet", NULL};
	char *out = NULL, *hash, *device;

	*b = (struct browser){.s = s};
	if (shipfrom_run(s, &out, true, words))
		fail_msg("device add: %s", out);
	hash = strchr(out, '#');
	device = strstr(out, "Device ");
	if (!hash || !device)
		fail_msg("device add said: %s", out);
	snprintf(b->code, sizeof(b->code), "%.*s",
		 (int)strcspn(hash + 1, "\n"), hash + 1);
	snprintf(b->device, sizeof(b->device), "%.*s",
		 (int)strspn(device + 7, "0123456789"), device + 7);
	free(out);
}

long browser_signs_in(struct browser *b)
{
	char url[256], body[128], origin[160], cookie[512];
	const char *headers[3] = {"Content-Type: application/json", NULL, NULL};
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s/api/v1/session", b->s->url);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", b->code);
	snprintf(origin, sizeof(origin), "Origin: %s",
		 b->origin ? b->origin : "");
	headers[1] = b->origin ? origin : NULL;
	a = http_send("POST", url, headers, body, strlen(body));
	status = a.status;
	if (status == 200) {
		header_of(&a, "Set-Cookie", cookie, sizeof(cookie));
		snprintf(b->cookie, sizeof(b->cookie), "%.*s",
			 (int)strcspn(cookie, ";"), cookie);
		snprintf(b->csrf, sizeof(b->csrf), "%s",
			 text_of(a.json, "csrf"));
	}
	answer_release(&a);
	return status;
}

struct answer browser_does(struct browser *b, const char *method,
			   const char *path, const char *json)
{
	char url[512], cookie[200], csrf[96], origin[160], key[300];
	const char *headers[8];
	int n = 0;

	snprintf(url, sizeof(url), "%s%s", b->s->url, path);
	snprintf(cookie, sizeof(cookie), "Cookie: %s", b->cookie);
	snprintf(csrf, sizeof(csrf), "X-CSRF-Token: %s", b->csrf);
	snprintf(origin, sizeof(origin), "Origin: %s",
		 b->origin ? b->origin : "");
	snprintf(key, sizeof(key), "Idempotency-Key: %s",
		 b->key ? b->key : "");
	headers[n++] = "Content-Type: application/json";
	headers[n++] = cookie;
	if (strcmp(method, "GET") && *b->csrf)
		headers[n++] = csrf;
	if (strcmp(method, "GET") && b->origin)
		headers[n++] = origin;
	if (b->key)
		headers[n++] = key;
	headers[n] = NULL;
	return http_send(method, url, headers, json, json ? strlen(json) : 0);
}

const char *browser_lines(const struct browser *b, char ret[256])
{
	snprintf(ret, 256, "Cookie: %s\r\n", b->cookie);
	return ret;
}
