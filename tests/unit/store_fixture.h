/* SPDX-License-Identifier: MIT
 *
 * store_fixture.h - a folder of its own for each test of the store, and short
 * words for what they all do.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail /* ours is a function */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store.h"

#define UNUSED __attribute__((unused))

/* The state of a test is its folder's name. */
UNUSED static int make_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/shipfrom-store-XXXXXX", tmp ? tmp : "/tmp");

	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

UNUSED static int remove_dir(void **state)
{
	DIR *d = opendir(*state);
	struct dirent *f;

	while (d && (f = readdir(d)))
		if (f->d_name[0] != '.')
			unlinkat(dirfd(d), f->d_name, 0);
	if (d)
		closedir(d);
	rmdir(*state);
	free(*state);
	return 0;
}

/* The URL of a store in a folder; good until the fourth call from now. */
UNUSED static const char *url_of(const char *dir)
{
	static char urls[4][300];
	static unsigned n;
	char *url = urls[n++ % 4];

	snprintf(url, sizeof(urls[0]), "lmdb:%s", dir);
	return url;
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

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

UNUSED static struct store *open_with(const struct store_options *o)
{
	struct store *s = NULL;

	assert_ok(store_open(&s, o, &err));
	return s;
}

UNUSED static struct store *open_serve(const char *dir)
{
	struct store_options o = {
		.url = url_of(dir),
		.max_bytes = (size_t)256 << 20,
		.serve = true,
	};

	return open_with(&o);
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

UNUSED static struct store_stats stats_of(struct store *s)
{
	struct store_stats st;

	assert_ok(store_stats(s, &st, &err));
	return st;
}

/* A store_update_fn that says what a list of changes says.  The list is copied
 * shallowly: its texts are duplicated. */
UNUSED static enum rc say(void *arg, const struct order *o,
			  struct changes *ret, struct err *e)
{
	const struct changes *list = arg;
	struct change *c;

	(void)o;
	(void)e;
	for (size_t i = 0; i < list->n; i++) {
		c = changes_add(ret, list->list[i].kind, 0);
		*c = list->list[i];
		c->text = xstrdup(c->text);
		c->answer.reason = xstrdup(c->answer.reason);
		c->answer.note = xstrdup(c->answer.note);
	}
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

	o->mark = m;
	snprintf(o->date, sizeof(o->date), "%s", date);
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
