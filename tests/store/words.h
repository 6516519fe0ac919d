/* SPDX-License-Identifier: MIT
 *
 * words.h - short words for what all tests of the store do.
 */
#ifndef TESTS_STORE_WORDS_H
#define TESTS_STORE_WORDS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail /* ours is a function */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store.h"

#define UNUSED __attribute__((unused))

#define assert_ok(call)                                                       \
	do {                                                                  \
		enum rc rc_here = (call);                                     \
		if (rc_here) {                                                \
			print_error("%s: %s: %s\n", #call, rc_name(rc_here),  \
				    err.text);                                \
			_fail(__FILE__, __LINE__);                            \
		}                                                             \
	} while (0)

UNUSED static struct err err;

/* Strict: what a rule reads without naming it fails. */
UNUSED static struct store *open_with(const struct store_options *o)
{
	struct store_options strict = *o;
	struct store *s = NULL;

	strict.strict = true;
	assert_ok(store_open(&s, &strict, &err));
	return s;
}

/* An event of order `id`; data is the text, its digest derived from it. */
UNUSED static struct event event_of(int64_t id, const char *data,
				    const char *task)
{
	struct event ev = {.id = id, .task = task, .data = xstrdup(data)};

	snprintf(ev.type, sizeof(ev.type), "check_first");
	snprintf(ev.action, sizeof(ev.action), "create");
	snprintf(ev.date, sizeof(ev.date), "2021-01-12 15:51:00.000000");
	for (size_t i = 0; data && data[i]; i++)
		ev.digest[i % sizeof(ev.digest)] ^= (unsigned char)data[i];
	return ev;
}

UNUSED static enum rc record_one(struct store *s, int64_t id, const char *data,
				 const char *task, struct recorded *got)
{
	struct event ev = event_of(id, data, task);
	struct delivery d = {
		.instance = "se",
		.received = 1000,
		.events = &ev,
		.n_events = 1,
	};
	enum rc rc = store_record(s, &d, got, NULL, &err);

	event_release(&ev);
	return rc;
}

UNUSED static enum rc quarantine_one(struct store *s, enum quarantine_kind kind,
			      unsigned which, size_t len,
			      struct recorded *got)
{
	struct quarantined bad = {
		.kind = kind,
		.reason = "late",
		.header = xstrdup("t=1,v1=2"),
		.bytes = xcalloc(1, len + 1),
		.len = len,
	};
	struct delivery d = {
		.instance = "se",
		.received = 1000 + which,
		.bad = &bad,
		.n_bad = 1,
	};
	enum rc rc;

	memcpy(bad.digest, &which, sizeof(which));
	rc = store_record(s, &d, got, NULL, &err);
	quarantined_release(&bad);
	return rc;
}

UNUSED static struct store_stats stats_of(struct store *s)
{
	struct store_stats st;

	assert_ok(store_stats(s, &st, &err));
	return st;
}

/* All steps of store_hurry(); returns how many. */
UNUSED static size_t hurry_all(struct store *s, const char *instance,
			       int64_t now, int64_t beyond)
{
	struct hurry h = {.now = now, .beyond = beyond};
	size_t steps = 0;
	enum rc rc;

	assert_true(copy_text(h.instance, sizeof(h.instance), instance));
	while (!(rc = store_hurry(s, &h, &err)))
		steps++;
	assert_int_equal(rc, RC_NOTFOUND);
	hurry_release(&h);
	return steps;
}

UNUSED static void print_wrong(void *arg, const char *table, const char *what)
{
	(void)arg;
	print_error("%s: %s\n", table, what);
}

/* The store is whole, if its engine can tell. */
UNUSED static void assert_whole(struct store *s)
{
	struct store_verified v = {0};

	if (store_can(s, STORE_VERIFY))
		assert_ok(store_verify(s, print_wrong, NULL, &v, &err));
	assert_int_equal(v.wrong, 0);
}

/* Removes all that is old enough; *ret_n is how many rows went.  RC_INVALID: a
 * row could not be read; err says why. */
UNUSED static enum rc remove_old(struct store *s, struct removal *io,
				 size_t *ret_n)
{
	struct err why = {""};
	enum rc rc;

	*ret_n = 0;
	do {
		rc = store_remove_some(s, io, &err);
		*ret_n += rc ? 0 : io->removed;
		if (!rc && *io->why.text)
			why = io->why;
	} while (!rc && io->more);
	if (!rc && *why.text) {
		err = why;
		rc = RC_INVALID;
	}
	return rc;
}

UNUSED static enum rc forget_addresses(struct store *s, int64_t before,
				       int64_t now, size_t *ret_n)
{
	struct removal r = {
		.what = AGED_ADDRESSES, .before = before, .now = now};

	return remove_old(s, &r, ret_n);
}

/* A store_update_fn that says what a list of changes says. */
UNUSED static enum rc say(void *arg, const struct order *o,
			  struct changes *ret, struct err *e)
{
	const struct changes *list = arg;

	(void)o;
	(void)e;
	changes_add_copies(ret, list);
	return OK;
}

/* Makes the changes true and ends them. */
UNUSED static void change_order(struct store *s, int64_t number, int64_t now,
				struct changes *c)
{
	assert_ok(store_update(s, "se", number, say, c, now, NULL, NULL,
			       &err));
	changes_release(c);
}

UNUSED static void opening(struct changes *c, int64_t warehouse,
			   const char *date, int64_t expires)
{
	struct change *o = changes_add(c, CHANGE_OPENING, warehouse);

	o->opening.expires = expires;
	snprintf(o->opening.date, sizeof(o->opening.date), "%s", date);
}

UNUSED static void mark(struct changes *c, int64_t warehouse, enum mark m,
			const char *date)
{
	struct change *o = changes_add(c, CHANGE_MARK, warehouse);

	o->mark.what = m;
	snprintf(o->mark.date, sizeof(o->mark.date), "%s", date);
}

/* A small stand-in for handlers/offer.h: accepted when marked so, else
 * pending; a fetch is due while the order was never fetched and has an
 * accepted offer. */
UNUSED static void derive_simply(void *arg, struct order *o)
{
	struct offer *f;

	(void)arg;
	o->fetch_due = false;
	for (size_t i = 0; i < o->n_offers; i++) {
		f = &o->offers[i];
		f->state = *f->marks[MARK_ACCEPTED] ? STATE_ACCEPTED
						    : STATE_PENDING;
		f->list = f->state == STATE_ACCEPTED ? LIST_MINE : LIST_OPEN;
		if (f->shipped)
			f->list = LIST_DONE;
		f->expires = f->n_openings
				     ? f->openings[f->n_openings - 1].expires
				     : TIME_NONE;
		if (f->state == STATE_ACCEPTED && !o->has_address)
			o->fetch_due = true;
		f->doubt = f->list == LIST_MINE && f->sighting.blank;
	}
}

#endif
