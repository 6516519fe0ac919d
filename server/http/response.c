/* SPDX-License-Identifier: MIT
 *
 * response.c - the answers of http.h: bodies and what they are.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/http/http.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{400, "Bad request"},
	{401, "Unauthorized"},
	{402, "Payment failed"},
	{403, "Not allowed"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{409, "Conflict"},
	{413, "Too large"},
	{414, "Address too long"},
	{422, "Not the same request"},
	{429, "Too often"},
	{431, "Too many headers"},
	{500, "Our fault"},
	{503, "Not now"},
};

static const struct {
	const char *code, *words;
} codes[] = {
#define CODE(name, words) {#name, words},
#include "server/http/codes.def"
#undef CODE
};

static size_t code_row(const char *code)
{
	size_t i = 0;

	while (i < sizeof(codes) / sizeof(codes[0]) &&
	       strcmp(codes[i].code, code))
		i++;
	return i;
}

bool code_known(const char *code)
{
	return code_row(code) < sizeof(codes) / sizeof(codes[0]);
}

const char *code_words(const char *code)
{
	return code_known(code) ? codes[code_row(code)].words : NULL;
}

static const char *title_of(int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void respond_json(struct response *res, int status)
{
	res->status = status;
	res->type = "application/json";
}

void respond_text(struct response *res, int status, const char *text)
{
	buf_clear(&res->body);
	buf_str(&res->body, text);
	res->status = status;
	res->type = "text/plain; charset=utf-8";
}

void respond_problem(struct response *res, int status, const char *code,
		     const char *detail_fmt, ...)
{
	char detail[1024];
	va_list ap;

	va_start(ap, detail_fmt);
	vsnprintf(detail, sizeof(detail), detail_fmt, ap);
	va_end(ap);
	buf_clear(&res->body);
	buf_str(&res->body, "{\"title\":");
	buf_json(&res->body, title_of(status));
	buf_fmt(&res->body, ",\"status\":%d,\"code\":", status);
	buf_json(&res->body, code);
	buf_str(&res->body, ",\"detail\":");
	buf_json(&res->body, detail);
	buf_char(&res->body, '}');
	res->status = status;
	res->type = "application/problem+json";
}

void respond_member(struct response *res, const char *name, const char *json)
{
	if (!res->body.len || res->body.data[res->body.len - 1] != '}')
		return;
	res->body.data[--res->body.len] = '\0';
	buf_char(&res->body, ',');
	buf_json(&res->body, name);
	buf_char(&res->body, ':');
	buf_str(&res->body, json);
	buf_char(&res->body, '}');
}
