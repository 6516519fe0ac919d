/* SPDX-License-Identifier: MIT */
#include "tests/harness/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/harness/wait.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void answer_release(struct answer *a)
{
	free(a->body);
	free(a->head);
	cJSON_Delete(a->json);
	memset(a, 0, sizeof(*a));
}

static size_t keep(char *p, size_t size, size_t n, void *arg)
{
	return fwrite(p, size, n, arg);
}

struct answer http_send(const char *method, const char *url,
			const char *const *headers, const void *body,
			size_t len)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct answer a = {0};
	size_t got = 0, head_got = 0;
	FILE *f = open_memstream(&a.body, &got);
	FILE *head = open_memstream(&a.head, &head_got);
	CURL *c;

	pthread_once(&once, begin);
	c = curl_easy_init();
	for (; headers && *headers; headers++)
		list = curl_slist_append(list, *headers);
	curl_easy_setopt(c, CURLOPT_URL, url);
	if (body) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)len);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, head);
	a.took = now_mono();
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a.status);
	a.took = now_mono() - a.took;
	curl_easy_cleanup(c);
	curl_slist_free_all(list);
	fclose(f);
	fclose(head);
	a.json = cJSON_Parse(a.body);
	return a;
}

static struct answer with_token(const char *method, const char *url,
				const char *token, const char *json)
{
	char bearer[512];
	const char *headers[3] = {"Content-Type: application/json", NULL, NULL};

	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 token ? token : "");
	if (token)
		headers[1] = bearer;
	return http_send(method, url, headers, json, json ? strlen(json) : 0);
}

struct answer http_get(const char *url, const char *token)
{
	return with_token("GET", url, token, NULL);
}

struct answer http_post(const char *url, const char *token, const char *json)
{
	return with_token("POST", url, token, json ? json : "");
}

const char *header_of(const struct answer *a, const char *name, char *ret,
		      size_t size)
{
	size_t len = strlen(name);
	const char *line = a->head;

	*ret = '\0';
	while (line && *line) {
		if (!strncasecmp(line, name, len) && line[len] == ':') {
			line += len + 1 + strspn(line + len + 1, " ");
			snprintf(ret, size, "%.*s",
				 (int)strcspn(line, "\r\n"), line);
			return ret;
		}
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return ret;
}

const char *text_of(const cJSON *o, const char *name)
{
	const char *s = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(o, name));

	return s ? s : "";
}

int64_t number_of(const cJSON *o, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

	return cJSON_IsNumber(v) ? (int64_t)v->valuedouble : -1;
}
