/* SPDX-License-Identifier: MIT
 *
 * fuzz_stored.c - any bytes as a value of the store.  The first byte says which
 * record the rest is.  What can be read can be written, and what was written is
 * read as the same: the second writing equals the first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/lmdb/keys.h"
#include "store/model/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a value and, if it can be read, writes it.  False: it cannot. */
typedef bool rewrite_fn(struct buf *to, const void *p, size_t len);

static bool rewrite_order(struct buf *to, const void *p, size_t len)
{
	struct order o, copy;

	if (get_order(&o, "se", 19, p, len, NULL))
		return false;
	order_copy(&copy, &o);
	order_release(&o);
	encode_order(to, &copy);
	order_release(&copy);
	return true;
}

static bool rewrite_event(struct buf *to, const void *p, size_t len)
{
	struct event ev;

	if (get_event(&ev, 7, p, len, NULL))
		return false;
	encode_event(to, &ev, ev.instance, ev.received);
	event_release(&ev);
	return true;
}

static bool rewrite_quarantined(struct buf *to, const void *p, size_t len)
{
	struct quarantined q;

	if (get_quarantined(&q, 7, p, len, NULL))
		return false;
	encode_quarantined(to, &q, q.instance, q.received);
	quarantined_release(&q);
	return true;
}

static bool rewrite_task(struct buf *to, const void *p, size_t len)
{
	struct task t;

	if (get_task(&t, 7, p, len, NULL))
		return false;
	encode_task(to, &t);
	task_release(&t);
	return true;
}

static bool rewrite_entry(struct buf *to, const void *p, size_t len)
{
	struct entries in;
	struct entry e;
	struct buf one;
	enum rc rc;

	entries_init(&in, 7, p, len);
	buf_init(&one, VALUE_MAX);
	while (!(rc = get_entry(&e, &in, NULL))) {
		buf_clear(&one);
		encode_entry(to->len ? &one : to, &e);
		if (one.len)
			encode_joined(to, &one);
		entry_release(&e);
	}
	buf_release(&one);
	return rc == RC_NOTFOUND;
}

static bool rewrite_device(struct buf *to, const void *p, size_t len)
{
	struct device d;

	if (get_device(&d, 7, p, len, NULL))
		return false;
	encode_device(to, &d);
	return true;
}

/* A key as `lists` has it, the one of most parts.  Keys are exact: what can be
 * read is what would be written. */
static bool rewrite_key(struct buf *to, const void *p, size_t len)
{
	struct key_reader r = key_read(p, len);
	char instance[INSTANCE_SIZE];
	int64_t warehouse, expires, number;
	struct key k;
	uint8_t list;

	key_get_str(&r, instance, sizeof(instance));
	warehouse = key_get_i64(&r);
	list = key_get_u8(&r);
	expires = key_get_i64(&r);
	number = key_get_i64(&r);
	if (r.bad)
		return false;
	key_i64(key_str(key_start(&k), instance), warehouse);
	key_i64(key_i64(key_u8(&k, list), expires), number);
	if (k.n + r.left != len || memcmp(k.b, p, k.n) != 0)
		abort();
	(void)!buf_add(to, k.b, k.n);
	return true;
}

static rewrite_fn *const rewrites[] = {
	rewrite_order, rewrite_event, rewrite_quarantined, rewrite_task,
	rewrite_entry,  rewrite_device, rewrite_key,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rewrite_fn *rewrite;
	struct buf once, twice;
	void *exact;

	if (!size)
		return 0;
	rewrite = rewrites[data[0] % (sizeof(rewrites) / sizeof(*rewrites))];
	/* A copy of exactly this size: the sanitizer sees a step too far. */
	exact = malloc(size - 1 ? size - 1 : 1);
	if (!exact)
		abort();
	memcpy(exact, data + 1, size - 1);
	buf_init(&once, VALUE_MAX);
	buf_init(&twice, VALUE_MAX);
	if (rewrite(&once, exact, size - 1)) {
		if (buf_full(&once) ||
		    !rewrite(&twice, once.data, once.len) ||
		    twice.len != once.len ||
		    memcmp(twice.data, once.data, once.len) != 0)
			abort();
	}
	buf_release(&once);
	buf_release(&twice);
	free(exact);
	return 0;
}
