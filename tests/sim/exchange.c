/* SPDX-License-Identifier: MIT */
#include "tests/sim/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"

void exchange_text(struct exchange *x, unsigned status, const char *type,
		   const char *text)
{
	free(x->reply);
	x->reply = must(strdup(text));
	x->status = status;
	x->type = type;
}

void exchange_json(struct exchange *x, unsigned status, cJSON *v)
{
	char *text = php_json(v);

	exchange_text(x, status, "application/json", text);
	free(text);
	cJSON_Delete(v);
}

/* Texts that people read, in replies of either API. */
static const char *const odd_keys[] = {
	"\"firstName\":\"", "\"lastName\":\"", "\"address1\":\"", "\"city\":\"",
	"\"productName\":\"", "\"name\":\"", "\"message\":\"", "\"msg\":\"",
};

/* Puts one of them before each such text: a NUL, control characters, halves of
 * surrogate pairs; escaped, and as they are. */
static void make_odd(struct exchange *x)
{
	static const char *const odd[] = {"\\u0000", "\\u0007", "\\ud83c",
					  "\x07",    "\\udc00", "\xed\xa0\xbd",
					  "\x01",    "\\u0001"};
	struct text t;
	size_t n = 0, k;

	text_begin(&t);
	for (const char *p = x->reply; *p;) {
		for (k = 0; k < sizeof(odd_keys) / sizeof(*odd_keys); k++)
			if (!strncmp(p, odd_keys[k], strlen(odd_keys[k])))
				break;
		if (k == sizeof(odd_keys) / sizeof(*odd_keys)) {
			fputc(*p++, t.f);
			continue;
		}
		fprintf(t.f, "%s%s", odd_keys[k],
			odd[n++ % (sizeof(odd) / sizeof(*odd))]);
		p += strlen(odd_keys[k]);
	}
	free(x->reply);
	x->reply = text_end(&t);
}

static void spoil(struct exchange *x, const struct fault *f)
{
	snprintf(x->retry_after, sizeof(x->retry_after), "%s", f->retry_after);
	switch (f->kind) {
	case FAULT_NONE:
	case FAULT_SLOW:
	case FAULT_FIELD: /* graphql.c has done it */
		break;
	case FAULT_GZIP:
		x->gzip = true;
		break;
	case FAULT_ODD:
		make_odd(x);
		break;
	case FAULT_DROP:
		x->cut = CUT_ALL;
		break;
	case FAULT_HALF:
		x->cut = CUT_HALF;
		break;
	case FAULT_500:
		exchange_text(x, 500, "text/html", "<h1>Server Error</h1>");
		break;
	case FAULT_HTML:
		exchange_text(x, 200, "text/html",
			      "<!doctype html><title>Just a moment</title>");
		break;
	case FAULT_401:
		exchange_text(x, 401, "application/json", "{}");
		break;
	case FAULT_403:
		exchange_text(x, 403, "application/json",
			      "{\"status\":\"Not Allowed\"}");
		break;
	case FAULT_429:
		exchange_text(x, 429, "text/plain", "Too Many Requests");
		break;
	case FAULT_GARBAGE:
		exchange_text(x, 200, "application/json", "{\"status\":\"ok\"");
		break;
	case FAULT_MAYBE:
		exchange_text(x, 200, "application/json",
			      "{\"status\":\"maybe\"}");
		break;
	case FAULT_STATUS:
		exchange_text(x, (unsigned)f->status, "text/plain", "");
		break;
	}
}

bool exchange_fault_before(struct exchange *x, const struct fault *f)
{
	if (f->kind == FAULT_NONE || f->after)
		return false;
	if (f->kind == FAULT_SLOW) {
		clock_sleep(f->ms);
		return false;
	}
	spoil(x, f);
	return true;
}

void exchange_fault_after(struct exchange *x, const struct fault *f)
{
	if (f->kind == FAULT_NONE || !f->after)
		return;
	if (f->kind == FAULT_SLOW)
		clock_sleep(f->ms);
	spoil(x, f);
}
