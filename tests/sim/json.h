/* SPDX-License-Identifier: MIT
 *
 * json.h - small helps over cJSON for the stand-in, and JSON as PHP writes it.
 *
 * Memory:  what a function returns as char * is the caller's; free() ends it.
 *          Without memory the process ends.
 */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A FILE that writes into memory: the stand-in's string builder. */
struct text {
	FILE *f;
	char *data;
	size_t len;
};

void text_begin(struct text *t);
char *text_end(struct text *t);

void *must(void *p); /* ends the process on NULL */

const char *json_text(const cJSON *o, const char *key, const char *otherwise);
int64_t json_int(const cJSON *o, const char *key, int64_t otherwise);
bool json_flag(const cJSON *o, const char *key, bool otherwise);
bool json_is_int(const cJSON *v); /* a number without a fraction */
void json_add_int(cJSON *o, const char *key, int64_t v);

/* The value as PHP's json_encode() writes it: `/` as `\/`, everything that is
 * not ASCII as \uXXXX. */
char *php_json(const cJSON *v);
/* As PHP's urlencode() (space is `+`), or rawurlencode() (`%20`). */
char *php_urlencode(const char *s, bool raw);

#endif
