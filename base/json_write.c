/* SPDX-License-Identifier: MIT
 *
 * json_write.c - see json_write.h.
 */
#include "base/json_write.h"

#include <string.h>

#include "base/time.h"

void json_key(struct buf *b, const char *key)
{
	/* A comma is needed behind a value, and a value ends with none of these
	 * characters. */
	if (b->len && !strchr("{[: \n", b->data[b->len - 1]))
		buf_char(b, ',');
	if (!key)
		return;
	buf_char(b, '"');
	buf_str(b, key);
	buf_str(b, "\":");
}

void json_begin(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_char(b, '{');
}

void json_end(struct buf *b)
{
	buf_char(b, '}');
}

void json_begin_list(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_char(b, '[');
}

void json_end_list(struct buf *b)
{
	buf_char(b, ']');
}

void json_put(struct buf *b, const char *key, const char *text)
{
	json_key(b, key);
	buf_json(b, text);
}

void json_put_bool(struct buf *b, const char *key, bool yes)
{
	json_put_raw(b, key, yes ? "true" : "false");
}

void json_put_int(struct buf *b, const char *key, int64_t n)
{
	json_key(b, key);
	buf_int(b, n);
}

void json_put_uint(struct buf *b, const char *key, uint64_t n)
{
	json_key(b, key);
	buf_uint(b, n);
}

void json_put_null(struct buf *b, const char *key)
{
	json_put_raw(b, key, "null");
}

void json_put_time(struct buf *b, const char *key, int64_t t, int offset_min,
		   bool millis)
{
	char iso[TIME_ISO_SIZE];

	json_put(b, key,
		 t == TIME_NONE ? NULL : time_iso(iso, t, offset_min, millis));
}

void json_put_raw(struct buf *b, const char *key, const char *json)
{
	json_key(b, key);
	buf_str(b, json);
}
