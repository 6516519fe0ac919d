/* SPDX-License-Identifier: MIT
 *
 * fuzz_event.c - any bytes as a webhook's payload.  What is read of them must
 * hold what event.h promises, and reading the canonical form of a good event
 * again must give the same event.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "centra/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int differ(const char *a, const char *b)
{
	return !a || !b ? a != b : strcmp(a, b);
}

static void check_again(const struct centra_event *ev)
{
	struct centra_batch b;
	struct buf json;
	struct err e;

	buf_init(&json, (size_t)1 << 30);
	buf_str(&json, "{\"events\":[");
	buf_str(&json, ev->raw);
	buf_str(&json, "]}");
	if (centra_batch_parse(json.data, json.len, &b, &e) || !b.n)
		abort();
	if (b.n > 2 || (b.n == 2 && (b.events[0].bad || !b.events[1].bad)))
		abort(); /* two: of a create, what can be read, and the rest */
	if (differ(b.events[0].raw, ev->raw))
		abort();
	if (!ev->bad && (b.events[0].bad || b.events[0].id != ev->id ||
			 differ(b.events[0].type, ev->type) ||
			 differ(b.events[0].action, ev->action) ||
			 differ(b.events[0].date, ev->date) ||
			 differ(b.events[0].data, ev->data)))
		abort();
	centra_batch_release(&b);
	buf_release(&json);
}

static void check_offers(const struct centra_event *ev)
{
	struct check_first_offer *o = NULL;
	struct err e;
	int64_t w;
	size_t n;

	if (!check_first_offers(ev->data, &o, &n, &e)) {
		for (size_t i = 0; i < n; i++)
			if (o[i].warehouse <= 0)
				abort();
		free(o);
	}
	if (!check_first_warehouse(ev->data, &w, &e) && w <= 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct centra_batch b;
	struct err e;

	if (!centra_batch_parse((const char *)data, size, &b, &e)) {
		for (size_t i = 0; i < b.n; i++) {
			const struct centra_event *ev = &b.events[i];

			if (!ev->raw ||
			    (!ev->bad && (!ev->type || !ev->action)))
				abort();
			check_again(ev);
			check_offers(ev);
		}
	}
	centra_batch_release(&b);
	return 0;
}
