/* SPDX-License-Identifier: MIT
 *
 * response.c - the responses of http.h: bodies and their types.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
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
	json_begin(&res->body, NULL);
	json_put(&res->body, "title", title_of(status));
	json_put_int(&res->body, "status", status);
	json_put(&res->body, "code", code);
	json_put(&res->body, "detail", detail);
	json_end(&res->body);
	res->status = status;
	res->type = "application/problem+json";
}

/* Removes the closing brace of the JSON object that the body ends with, so that
 * a member can be added.  False: the body does not end with an object. */
static bool reopen(struct buf *b)
{
	if (!b->len || b->data[b->len - 1] != '}')
		return false;
	b->data[--b->len] = '\0';
	return true;
}

void respond_member(struct response *res, const char *name, const char *json)
{
	if (!reopen(&res->body))
		return;
	json_put_raw(&res->body, name, json);
	json_end(&res->body);
}

void respond_member_text(struct response *res, const char *name,
			 const char *text)
{
	if (!reopen(&res->body))
		return;
	json_put(&res->body, name, text);
	json_end(&res->body);
}
