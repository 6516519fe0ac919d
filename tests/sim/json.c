/* SPDX-License-Identifier: MIT */
#include "tests/sim/json.h"

#include <stdlib.h>
#include <string.h>

void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void text_begin(struct text *t)
{
	t->data = NULL;
	t->len = 0;
	t->f = must(open_memstream(&t->data, &t->len));
}

char *text_end(struct text *t)
{
	fclose(t->f);
	return must(t->data);
}

const char *json_text(const cJSON *o, const char *key, const char *otherwise)
{
	const char *s = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(o, key));

	return s ? s : otherwise;
}

bool json_is_int(const cJSON *v)
{
	return cJSON_IsNumber(v) && v->valuedouble > -9e15 &&
	       v->valuedouble < 9e15 &&
	       (double)(int64_t)v->valuedouble == v->valuedouble;
}

int64_t json_int(const cJSON *o, const char *key, int64_t otherwise)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return json_is_int(v) ? (int64_t)v->valuedouble : otherwise;
}

bool json_flag(const cJSON *o, const char *key, bool otherwise)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsBool(v) ? cJSON_IsTrue(v) : otherwise;
}

void json_add_int(cJSON *o, const char *key, int64_t v)
{
	cJSON_AddNumberToObject(o, key, (double)v);
}

/* ---- as PHP writes it ---- */

/* Reads one code point of UTF-8 that cJSON has let through; bytes that make no
 * sense come out as they are. */
static unsigned code_point(const unsigned char **p)
{
	const unsigned char *s = *p;
	unsigned c = *s;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	c = more == 3 ? c & 7 : more == 2 ? c & 15 : more == 1 ? c & 31 : c;
	s++;
	for (; more > 0 && (*s & 0xc0) == 0x80; more--)
		c = c << 6 | (*s++ & 0x3f);
	*p = s;
	return c;
}

static void php_string(FILE *f, const char *s)
{
	static const char plain[] = "\"\\/\b\f\n\r\t", word[] = "\"\\/bfnrt";
	const unsigned char *p = (const unsigned char *)s;

	fputc('"', f);
	while (*p) {
		unsigned c = code_point(&p);
		const char *at = c < 128 ? strchr(plain, (int)c) : NULL;

		if (at)
			fprintf(f, "\\%c", word[at - plain]);
		else if (c >= 0x10000)
			fprintf(f, "\\u%04x\\u%04x",
				0xd800 + ((c - 0x10000) >> 10),
				0xdc00 + ((c - 0x10000) & 0x3ff));
		else if (c < 32 || c > 126)
			fprintf(f, "\\u%04x", c);
		else
			fputc((int)c, f);
	}
	fputc('"', f);
}

static void php_value(FILE *f, const cJSON *v)
{
	const cJSON *c;
	const char *comma = "";
	bool object = cJSON_IsObject(v);

	if (cJSON_IsString(v)) {
		php_string(f, v->valuestring);
	} else if (json_is_int(v)) {
		fprintf(f, "%.0f", v->valuedouble);
	} else if (cJSON_IsNumber(v)) {
		fprintf(f, "%.15g", v->valuedouble);
	} else if (object || cJSON_IsArray(v)) {
		fputc(object ? '{' : '[', f);
		cJSON_ArrayForEach(c, v)
		{
			fputs(comma, f);
			comma = ",";
			if (object) {
				php_string(f, c->string);
				fputc(':', f);
			}
			php_value(f, c);
		}
		fputc(object ? '}' : ']', f);
	} else {
		fputs(cJSON_IsTrue(v)	 ? "true"
		      : cJSON_IsFalse(v) ? "false"
					 : "null",
		      f);
	}
}

char *php_json(const cJSON *v)
{
	struct text t;

	text_begin(&t);
	php_value(t.f, v);
	return text_end(&t);
}

char *php_urlencode(const char *s, bool raw)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	struct text t;

	text_begin(&t);
	for (; *s; s++) {
		if (strchr(kept, *s) || (raw && *s == '~'))
			fputc(*s, t.f);
		else if (*s == ' ' && !raw)
			fputc('+', t.f);
		else
			fprintf(t.f, "%%%02X", (unsigned char)*s);
	}
	return text_end(&t);
}
