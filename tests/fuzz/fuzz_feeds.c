/* SPDX-License-Identifier: MIT
 *
 * fuzz_feeds.c - any bytes as what Centra replies to the calls of the feeds and
 * of the lock (feed.h, soap.h).  See reply.h.
 */
#include <stdlib.h>

#include "centra/feed.h"
#include "centra/soap.h"
#include "tests/fuzz/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t numbers[] = {19, 20};

static void listen_to(void)
{
	struct centra_done d;

	graphql_listen(reply_conn(), &d);
	check_done(&d);
}

static void events(void)
{
	struct feed_events f;

	graphql_events(reply_conn(), &f);
	check_call(&f.call);
	must(f.call.end == CALL_OK || (!f.n && !f.unread));
	must(f.n <= FEED_EVENTS_MOST);
	for (size_t i = 0; i < f.n; i++)
		must(f.list[i].id > 0 && f.list[i].object <= FEED_OTHER);
	feed_events_release(&f);
}

static void confirm_events(void)
{
	struct centra_done d;

	graphql_confirm_events(reply_conn(), numbers, 2, &d);
	check_done(&d);
}

/* Only of what was asked about. */
static void owners(void)
{
	for (int i = FEED_SHIPMENT; i <= FEED_RETURN; i++) {
		struct feed_owners o;

		graphql_owners(reply_conn(), (enum feed_object)i, numbers, 2, &o);
		check_call(&o.call);
		must(o.call.end == CALL_OK || !o.n);
		for (size_t k = 0; k < o.n; k++)
			must(o.list[k].id > 0 && o.list[k].order > 0);
		feed_owners_release(&o);
	}
}

static void check_numbers(struct centra_numbers *r)
{
	check_call(&r->call);
	must(r->call.end == CALL_OK || !r->n);
	for (size_t i = 0; i < r->n; i++)
		must(r->list[i] > 0);
	centra_numbers_release(r);
}

static void waiting_of(void)
{
	struct centra_numbers r;

	graphql_waiting_of(reply_conn(), numbers, 2, &r);
	check_numbers(&r);
	graphql_locked_of(reply_conn(), numbers, 2, &r);
	check_numbers(&r);
}

static void set_lock(void)
{
	struct centra_done d;

	graphql_set_lock(reply_conn(), numbers, 2, true, &d);
	check_done(&d);
}

static const struct reply_call calls[] = {
	{"listen", listen_to},		{"events", events},
	{"confirm-events", confirm_events}, {"owners", owners},
	{"waiting-of", waiting_of},	{"set-lock", set_lock},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return reply_run(data, size, calls, sizeof(calls) / sizeof(*calls));
}
