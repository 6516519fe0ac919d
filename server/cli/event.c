/* SPDX-License-Identifier: MIT
 *
 * event.c - `events`: lists the events that Centra sent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/number.h"
#include "base/time.h"
#include "server/cli/cli.h"

#define PAGE 500 /* the most events in one read of the store */
#define PAGE_BYTES (1 << 20)
#define LAST 50	 /* lines that are printed unless --last is given */

struct listing {
	struct cli_session *s;
	uint64_t next; /* the seq at which the next read begins; 0: there are no
		        * more */
	unsigned seen; /* in this page */
	size_t all;
	uint64_t first; /* the seq of the first that was printed */
};

/* ---- events ---- */

static void event_as_json(struct buf *b, const struct event *ev)
{
	json_begin(b, NULL);
	json_put_uint(b, "seq", ev->seq);
	json_put(b, "instance", ev->instance);
	json_put_time(b, "received", ev->received, 0, true);
	json_put(b, "type", ev->type);
	json_put(b, "action", ev->action);
	json_put(b, "date", ev->date);
	json_put_int(b, "id", ev->id);
	json_key(b, "data");
	buf_json_value(b, ev->data ? ev->data : "null");
	cli_json_end(b);
}

static bool print_event(void *arg, const struct event *ev)
{
	struct listing *l = arg;
	struct buf *b = &l->s->out;

	if (l->seen++ >= PAGE || b->len > PAGE_BYTES) {
		l->next = ev->seq;
		return false;
	}
	if (!l->all++)
		l->first = ev->seq;
	if (l->s->json) {
		event_as_json(b, ev);
		return true;
	}
	buf_fmt(b, "%8" PRIu64 "  ", ev->seq);
	cli_time(b, l->s->config, ev->instance, ev->received, true);
	buf_fmt(b, "  %-10s  %10" PRId64 "  ", ev->instance, ev->id);
	cli_text(b, ev->type);
	buf_char(b, ' ');
	cli_text(b, ev->action);
	buf_str(b, "  ");
	cli_text(b, ev->date);
	buf_char(b, '\n');
	return true;
}

static bool see_event(void *arg, const struct event *ev)
{
	(void)ev;
	*(bool *)arg = true;
	return false;
}

static bool see_one_more(void *arg, const struct event *ev)
{
	(void)ev;
	++*(size_t *)arg;
	return true;
}

/* Events that cannot be read count as none while the newest is looked for. */
static enum rc fine_if_unreadable(enum rc rc)
{
	return rc == RC_INVALID ? OK : rc;
}

enum rc cli_newest_event(struct store *s, uint64_t *ret, struct err *e)
{
	uint64_t low = 0, high = UINT64_C(1) << 62, middle;
	enum rc rc = OK;
	bool seen;

	while (!rc && high - low > 1) { /* invariant: there is an event at `low`
					 * or later, and none at `high` or
					 * later */
		middle = low + (high - low) / 2;
		seen = false;
		rc = fine_if_unreadable(
			store_events(s, middle, see_event, &seen, e));
		if (seen)
			low = middle;
		else
			high = middle;
	}
	*ret = low;
	return rc;
}

/* Returns the seq at which to begin so that `last` events follow.  If numbers
 * are missing (a write failed, or events were removed), it begins further
 * back. */
static enum rc begin_of_last(struct store *s, uint64_t last, uint64_t *ret,
			     struct err *e)
{
	uint64_t newest, back = last;
	size_t n;
	enum rc rc = cli_newest_event(s, &newest, e);

	for (;;) {
		*ret = newest >= back ? newest - back + 1 : 0;
		n = 0;
		if (!rc)
			rc = fine_if_unreadable(
				store_events(s, *ret, see_one_more, &n, e));
		if (rc || n >= last || !*ret)
			return rc;
		back *= 2;
	}
}

static int list_events(struct listing *l, uint64_t from)
{
	struct err e;
	enum rc rc;

	if (!l->s->json)
		buf_str(&l->s->out,
			"     SEQ  RECEIVED                 INSTANCE          "
			"  ID  EVENT, AND CENTRA'S DATE\n");
	do {
		l->next = 0;
		l->seen = 0;
		rc = store_events(l->s->store, from, print_event, l, &e);
		rc = cli_left_out(l->s, rc, &e);
		cli_flush(l->s);
		from = l->next;
	} while (!rc && l->next);
	if (rc)
		return cli_failed(l->s, rc, &e);
	if (!l->all)
		fprintf(stderr, "No events. They are removed by their age "
				"(keep_events).\n");
	return 0;
}

/* Tells who asked for the events since `since` that the first of them are not
 * there. */
static void tell_gap(const struct listing *l, uint64_t since)
{
	if (l->all && since && l->first > since)
		fprintf(stderr, "Events %" PRIu64 " to %" PRIu64 " are not "
				"there: they were removed by their age "
				"(keep_events), or could not be written.\n",
			since, l->first - 1);
}

int cli_events(struct cli_args *a)
{
	const char *since = a->value[OPT_SINCE], *last = a->value[OPT_LAST];
	struct cli_session s;
	struct listing l = {.s = &s};
	int64_t n = LAST;
	uint64_t from;
	struct err e;
	enum rc rc = OK;
	int code;

	if (since && last)
		return cli_usage(a, "either --since SEQ or --last N");
	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many", a->words[0]);
	if (since && !number_read(since, 0, INT64_MAX, &n))
		return cli_usage(a, "--since is a number, not '%s'", since);
	if (last && !number_read(last, 1, INT32_MAX, &n))
		return cli_usage(a, "--last is a number from 1 on, not '%s'",
				 last);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (code)
		return cli_close(&s, code);
	/* A program that reads the JSON gets all events, unless --last is
	 * given. */
	from = since ? (uint64_t)n : 0;
	if (last || (!since && !s.json))
		rc = begin_of_last(s.store, (uint64_t)n, &from, &e);
	code = rc ? cli_failed(&s, rc, &e) : list_events(&l, from);
	if (!code && since)
		tell_gap(&l, from);
	return cli_close(&s, code);
}
