/* SPDX-License-Identifier: MIT
 *
 * fuzz_event.c - any bytes as a webhook's payload.  What is read of them must
 * hold what event.h promises, and reading the canonical form of a good event
 * again must give the same event.
 */
#include <inttypes.h>
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

/* A bad event as it is quarantined, a good one as its fields say. */
static void write_event(const struct centra_event *ev, struct buf *b)
{
	if (ev->bad) {
		buf_str(b, ev->raw);
		return;
	}
	buf_str(b, "{\"type\":");
	buf_json(b, ev->type);
	buf_str(b, ",\"action\":");
	buf_json(b, ev->action);
	buf_fmt(b, ",\"date\":\"%s\",\"id\":%" PRId64, ev->date, ev->id);
	if (ev->data) {
		buf_str(b, ",\"data\":");
		buf_str(b, ev->data);
	}
	buf_char(b, '}');
}

static void check_again(const struct centra_event *ev)
{
	struct centra_batch b;
	struct buf json;
	struct err e;

	buf_init(&json, (size_t)1 << 30);
	buf_str(&json, "{\"events\":[");
	write_event(ev, &json);
	buf_str(&json, "]}");
	if (centra_batch_parse(json.data, json.len, &b, &e) || !b.n)
		abort();
	if (b.n > 2 || (b.n == 2 && (b.events[0].bad || !b.events[1].bad)))
		abort(); /* two: of a create, what can be read, and the rest */
	if (ev->bad ? b.n == 1 && differ(b.events[0].raw, ev->raw)
		    : b.events[0].bad || b.events[0].id != ev->id ||
			      differ(b.events[0].type, ev->type) ||
			      differ(b.events[0].action, ev->action) ||
			      differ(b.events[0].date, ev->date) ||
			      differ(b.events[0].data, ev->data))
		abort();
	centra_batch_release(&b);
	buf_release(&json);
}

/* The same of an allocation request. */
static void check_request(const struct centra_event *ev)
{
	struct centra_request *again = NULL;
	struct err e;

	if (!ev->request)
		return;
	if (centra_request_read(ev->data, &again, &e) || again->id ||
	    again->number != ev->id || again->number < 1 ||
	    again->warehouse != ev->request->warehouse ||
	    again->expires != ev->request->expires ||
	    again->n_lines != ev->request->n_lines ||
	    again->n_lines > CENTRA_REQUEST_LINES_MAX)
		abort();
	for (size_t i = 0; i < again->n_lines; i++)
		if (again->lines[i].line < 1 || again->lines[i].quantity < 0 ||
		    again->lines[i].line != ev->request->lines[i].line)
			abort();
	free(again);
}

/* What was decoded with the event is what its data says. */
static void check_data(const struct centra_event *ev)
{
	struct check_first *again = NULL;
	struct err e;

	if (!ev->check_first)
		return;
	if (check_first_read(ev->action, ev->data, &again, &e) ||
	    again->warehouse != ev->check_first->warehouse ||
	    again->n_offers != ev->check_first->n_offers)
		abort();
	for (size_t i = 0; i < again->n_offers; i++)
		if (again->offers[i].warehouse <= 0 ||
		    memcmp(&again->offers[i], &ev->check_first->offers[i],
			   sizeof(again->offers[i])))
			abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct centra_batch b;
	struct err e;

	if (!centra_batch_parse((const char *)data, size, &b, &e)) {
		for (size_t i = 0; i < b.n; i++) {
			const struct centra_event *ev = &b.events[i];

			if (!!ev->raw != !!ev->bad ||
			    (!ev->bad && (!*ev->type || !*ev->action)))
				abort();
			check_again(ev);
			check_data(ev);
			check_request(ev);
		}
	}
	centra_batch_release(&b);
	return 0;
}
