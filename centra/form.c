/* SPDX-License-Identifier: MIT
 *
 * form.c - the field `payload` of a posted form; see event.h.
 */
#include "centra/event.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

#define FIELD "payload"

/* Decodes s into ret, which has room for len bytes and a NUL. */
static enum rc decode(const char *s, size_t len, char *ret, size_t *ret_len,
		      struct err *e)
{
	size_t n = 0;
	int byte;
	char c;

	for (size_t i = 0; i < len; i++) {
		c = s[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			byte = len - i < 3 ? -1 : hex_byte(s + i + 1);
			if (byte < 0)
				return fail(e, RC_INVALID,
					    "a broken escape in the form");
			c = (char)byte;
			i += 2;
		}
		ret[n++] = c;
	}
	ret[n] = '\0';
	*ret_len = n;
	return OK;
}

static bool is_payload(const char *name, size_t len)
{
	/* Three bytes for each, since each may be escaped. */
	char text[3 * (sizeof(FIELD) - 1) + 1];
	struct err ignored;
	size_t n;

	return len < sizeof(text) &&
	       !decode(name, len, text, &n, &ignored) &&
	       n == sizeof(FIELD) - 1 && !memcmp(text, FIELD, n);
}

enum rc form_payload(const char *body, size_t len, char **ret, size_t *ret_len,
		     struct err *e)
{
	const char *end = body + len, *stop, *eq;
	char *text;
	enum rc rc;

	for (; body < end; body = stop + (stop < end)) {
		stop = memchr(body, '&', (size_t)(end - body));
		if (!stop)
			stop = end;
		eq = memchr(body, '=', (size_t)(stop - body));
		if (!eq || !is_payload(body, (size_t)(eq - body)))
			continue;
		len = (size_t)(stop - eq - 1);
		text = xcalloc(len + 1, 1);
		rc = decode(eq + 1, len, text, ret_len, e);
		if (rc)
			free(text);
		else
			*ret = text;
		return rc;
	}
	return fail(e, RC_INVALID, "no field '" FIELD "' in the form");
}

/* ---- writing ---- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static void write_byte(struct buf *to, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char byte = (unsigned char)c;

	if (is_plain(c)) {
		buf_char(to, c);
	} else if (c == ' ') {
		buf_char(to, '+');
	} else {
		buf_char(to, '%');
		buf_char(to, digits[byte >> 4]);
		buf_char(to, digits[byte & 15]);
	}
}

void form_write(struct buf *to, const char *json, size_t len)
{
	buf_str(to, FIELD "=");
	for (size_t i = 0; i < len; i++) {
		/* In JSON a `/` stands only inside of strings. */
		if (json[i] == '/' && !(i && json[i - 1] == '\\'))
			write_byte(to, '\\');
		write_byte(to, json[i]);
	}
}
