/* SPDX-License-Identifier: MIT
 *
 * test_model.c - promise 4: the same events, in any order and any number of
 * times, end in the same state; and that state is the one of OFFERS 1, as a
 * second reading of it, written as plainly as possible, says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handlers/handlers.h"
#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define EVENTS_MAX 6

/* ---- through the real handlers ---- */

struct told {
	const char *type, *action;
	int date;
	const char *data;
};

static void apply_event(struct order *o, const struct told *t)
{
	struct event ev = {.received = NOW, .id = o->number};
	struct task task = {.number = o->number};
	struct work w = {.task = &task, .event = &ev, .order = o, .now = NOW};
	const char *kind = handler_of_event(t->type, t->action);

	snprintf(ev.type, sizeof(ev.type), "%s", t->type);
	snprintf(ev.action, sizeof(ev.action), "%s", t->action);
	snprintf(ev.date, sizeof(ev.date), "%s", at(t->date));
	ev.data = xstrdup(t->data);
	handler_find(kind)->run(&w, 1);
	assert_int_equal(w.result.how, OUTCOME_DONE);
	for (size_t i = 0; i < w.result.changes.n; i++)
		order_apply(o, &w.result.changes.list[i]);
	offer_derive(NULL, o);
	result_release(&w.result);
	event_release(&ev);
}

/* All that is held of an order but how often it was told, as text. */
static char *print(const struct order *o)
{
	char *all = xstrdup(o->cancelled ? "cancelled\n" : "\n"), *more;

	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];

		more = xasprintf("%s%lld %s %lld [%s|%s|%s]", all,
				 (long long)f->warehouse,
				 offer_state_name(f->state),
				 (long long)f->expires, f->marks[0],
				 f->marks[1], f->marks[2]);
		free(all);
		all = more;
		for (size_t k = 0; k < f->n_openings; k++) {
			more = xasprintf("%s %s=%lld", all, f->openings[k].date,
					 (long long)f->openings[k].expires);
			free(all);
			all = more;
		}
		for (size_t k = 0; k < f->n_requests; k++) {
			more = xasprintf("%s {%d %lld}", all,
					 (int)f->requests[k].status,
					 (long long)f->requests[k].expires);
			free(all);
			all = more;
		}
	}
	return all;
}

/* The end of one order of telling; `again` tells each event once more, some
 * way after the first time. */
static char *end_of(const struct told *list, const int *order, int n, int again)
{
	struct order o;
	char *ret;

	order_init(&o, "se", 19);
	for (int i = 0; i < n; i++) {
		apply_event(&o, &list[order[i]]);
		if (again)
			apply_event(&o, &list[order[(i * again) % (i + 1)]]);
	}
	for (int i = 0; again && i < n; i++)
		apply_event(&o, &list[order[i]]);
	ret = print(&o);
	order_release(&o);
	return ret;
}

/* Every order of the events ends as the first does, each also with repeats.
 * Returns how many orders there were. */
static int all_orders(const struct told *list, int n, const char *expect)
{
	int order[EVENTS_MAX] = {0, 1, 2, 3, 4, 5}, count[EVENTS_MAX] = {0};
	char *first = end_of(list, order, n, 0);
	int i = 0, seen = 0;

	if (!strstr(first, expect))
		print_message("%s has no %s\n", first, expect);
	assert_non_null(strstr(first, expect));
	for (;;) { /* Heap's algorithm, without recursion */
		for (int again = 0; again < 3; again++) {
			char *end = end_of(list, order, n, again);

			assert_string_equal(end, first);
			free(end);
		}
		seen++;
		while (i < n && count[i] >= i)
			count[i++] = 0;
		if (i >= n)
			break;
		int k = i % 2 ? count[i] : 0, swap = order[k];

		order[k] = order[i];
		order[i] = swap;
		count[i]++;
		i = 0;
	}
	free(first);
	return seen;
}

#define OFFER(w, until) "{\"expirationAt\":\"" until "\",\"warehouseId\":" w "}"
#define UNTIL "2026-01-12T12:00:00+01:00"
#define NEWER "2026-01-12T13:00:00+01:00"
#define THREE                                                                  \
	"{\"warehouses\":[" OFFER("3", UNTIL) "," OFFER("4", UNTIL) "," OFFER( \
		"5", UNTIL) "]}"
#define AGAIN "{\"warehouses\":[" OFFER("3", NEWER) "]}"
#define OF(w) "{\"warehouseId\":" w "}"

static void a_cancelled_history_ends_the_same_in_all_120_orders(void **s)
{
	static const struct told list[] = {
		{"check_first", "create", 10, THREE},
		{"check_first", "accepted", 20, OF("3")},
		{"check_first", "rejected", 21, OF("4")},
		{"check_first", "timeout", 22, OF("5")},
		{"order", "cancel", 30, NULL},
	};

	(void)s;
	assert_int_equal(all_orders(list, 5, "cancelled\n3 cancelled"), 120);
	assert_int_equal(all_orders(list, 4, "3 accepted"), 24);
}

static void reoffers_end_the_same_in_all_orders(void **s)
{
	static const struct told pending[] = {
		{"check_first", "create", 10, THREE},
		{"check_first", "timeout", 20, OF("3")},
		{"check_first", "create", 30, AGAIN},
		{"check_first", "accepted", 25, OF("4")},
		{"check_first", "rejected", 26, OF("5")},
	};
	static const struct told conflict[] = {
		{"check_first", "create", 10, THREE},
		{"check_first", "accepted", 20, OF("3")},
		{"check_first", "create", 30, AGAIN},
		{"check_first", "create", 40, THREE},
		{"check_first", "rejected", 21, OF("3")},
		{"order", "insert", 9, NULL},
	};

	(void)s;
	assert_int_equal(all_orders(pending, 5, "3 pending"), 120);
	assert_int_equal(all_orders(conflict, 6, "3 accepting"), 720);
}

#define ASKED(w, status, line, until)                                          \
	"{\"status\":\"" status "\",\"warehouseId\":" w                          \
	",\"expirationDate\":\"" until "\",\"order\":{\"number\":19},"            \
	"\"lines\":{\"" line "\":{\"lineId\":" line ",\"quantity\":1}}}"

static void allocation_requests_end_the_same_in_all_orders(void **s)
{
	static const struct told list[] = {
		{"allocation_request", "create", 10,
		 ASKED("3", "allocated", "102", UNTIL)},
		{"allocation_request", "create", 10,
		 ASKED("4", "allocated", "102", UNTIL)},
		{"allocation_request", "update", 20,
		 ASKED("4", "timed-out", "102", UNTIL)},
		{"allocation_request", "update", 21,
		 ASKED("4", "confirmed", "102", UNTIL)},
		{"allocation_request", "update", 22,
		 ASKED("3", "outdated", "102", UNTIL)},
	};
	static const struct told asked_again[] = {
		{"allocation_request", "create", 10,
		 ASKED("3", "allocated", "102", UNTIL)},
		{"allocation_request", "update", 20,
		 ASKED("3", "timed-out", "102", UNTIL)},
		{"allocation_request", "update", 31,
		 ASKED("3", "outdated", "102", UNTIL)},
		{"allocation_request", "create", 30,
		 ASKED("3", "allocated", "102", NEWER)},
		{"check_first", "create", 25, THREE},
	};

	(void)s;
	assert_int_equal(all_orders(list, 5, "3 taken"), 120);
	assert_int_equal(all_orders(list, 4, "3 pending"), 24);
	assert_int_equal(all_orders(asked_again, 5, "3 pending"), 120);
}

static void both_kinds_in_one_order_end_the_same_in_all_orders(void **s)
{
	static const struct told list[] = {
		{"check_first", "create", 10, THREE},
		{"allocation_request", "create", 11,
		 ASKED("6", "allocated", "102", UNTIL)},
		{"check_first", "accepted", 20, OF("3")},
		{"check_first", "rejected", 21, OF("4")},
		{"allocation_request", "update", 22,
		 ASKED("6", "outdated", "102", UNTIL)},
	};

	(void)s;
	assert_int_equal(all_orders(list, 5, "6 taken"), 120);
	assert_int_equal(all_orders(list, 5, "3 accepted"), 120);
}

static void a_create_sent_again_ends_the_same_in_all_orders(void **s)
{
	static const struct told list[] = {
		{"check_first", "create", 10, THREE},
		{"check_first", "create", 30, THREE},
		{"check_first", "timeout", 20, OF("3")},
		{"check_first", "rejected", 31, OF("4")},
		{"check_first", "accepted", 15, OF("5")},
	};

	(void)s;
	assert_int_equal(all_orders(list, 5, "3 taken"), 120);
}

static void equal_dates_end_the_same_in_all_orders(void **s)
{
	static const struct told list[] = {
		{"check_first", "create", 10, THREE},
		{"check_first", "create", 10, AGAIN},
		{"check_first", "accepted", 10, OF("3")},
		{"check_first", "timeout", 10, OF("3")},
		{"check_first", "accepted", 10, OF("4")},
	};

	(void)s;
	assert_int_equal(all_orders(list, 5, "3 accepting"), 120);
}

/* ---- a second reading of the table ---- */

#define WAREHOUSES 3
#define DATES 7
#define TOLD_MAX 12

enum what { CREATE, ACCEPTED, REJECTED, TIMED_OUT, CANCEL };

/* A history: what Centra said, in the order we heard it; and what we did. */
struct history {
	struct {
		enum what what;
		int w, date, expiry;
	} told[TOLD_MAX];
	int n;
	struct {
		enum verb verb;
		int opened; /* date */
		enum settled settled;
		uint64_t settled_version;
		enum found found;
		enum offer_state ended;
		uint64_t knew;
		uint64_t accepted_version; /* when the newest accept came */
		bool lost; /* the reply to our accept */
		/* Looks that showed nobody asked any more, and for how long;
		 * and one that showed nothing. */
		int over; /* 0: none, 1: one look, 2: a minute, 3: ten */
		int over_opened;
		enum offer_state over_ends;
		uint64_t over_knew;
		bool blank;
		uint64_t blank_knew;
	} of[WAREHOUSES];
	uint64_t version;
	bool repeated_hour;
};

/* Dates 2 and 3 lie in the hour that Stockholm repeats. */
static const char *const dates[DATES] = {
	"2026-10-25 01:10:00.000000", "2026-10-25 01:40:00.000000",
	"2026-10-25 02:10:00.000000", "2026-10-25 02:40:00.000000",
	"2026-10-25 03:10:00.000000", "2026-10-25 03:40:00.000000",
	"2026-10-25 04:10:00.000000",
};

#define NEVER (-1)

static int opened_of(const struct history *h, int w)
{
	int best = NEVER;

	for (int expiry = 0; expiry < 3; expiry++) {
		int least = NEVER;

		for (int i = 0; i < h->n; i++)
			if (h->told[i].what == CREATE && h->told[i].w == w &&
			    h->told[i].expiry == expiry &&
			    (least == NEVER || h->told[i].date < least))
				least = h->told[i].date;
		if (least > best)
			best = least;
	}
	return best;
}

static int greatest(const struct history *h, enum what what, int w)
{
	int best = NEVER;

	for (int i = 0; i < h->n; i++)
		if (h->told[i].what == what && h->told[i].w == w &&
		    h->told[i].date > best)
			best = h->told[i].date;
	return best;
}

static bool heard_cancel(const struct history *h)
{
	for (int i = 0; i < h->n; i++)
		if (h->told[i].what == CANCEL)
			return true;
	return false;
}

static bool in_repeated_hour(const struct history *h, int date)
{
	return h->repeated_hour && (date == 2 || date == 3);
}

/* When Centra last gave it to the warehouse, by whatever means. */
static uint64_t given_at(const struct history *h, int w)
{
	uint64_t at = 0;

	if (greatest(h, ACCEPTED, w) != NEVER)
		at = h->of[w].accepted_version;
	if (h->of[w].verb == VERB_ACCEPT && h->of[w].settled == SETTLED_OK &&
	    h->of[w].settled_version > at)
		at = h->of[w].settled_version;
	if (h->of[w].found == FOUND_OURS && h->of[w].knew > at)
		at = h->of[w].knew;
	return at;
}

/* Looks showed the present offer over, for long enough and since then. */
static bool over(const struct history *h, int w, int least)
{
	return h->of[w].over >= least &&
	       h->of[w].over_opened >= opened_of(h, w) &&
	       h->of[w].over_knew >= given_at(h, w);
}

static enum offer_state contradicted(const struct history *h, int w,
				     const int ends[3], int opened)
{
	static const enum offer_state how[] = {STATE_TAKEN, STATE_TIMED_OUT,
					       STATE_REJECTED};

	if (!over(h, w, 3))
		return STATE_ACCEPTING;
	for (int i = 0; i < 3; i++)
		if (ends[i] != NEVER && ends[i] >= opened)
			return how[i];
	return h->of[w].over_ends;
}

static bool doubt_by_the_table(const struct history *h, int w,
			       enum offer_state state)
{
	return state == STATE_ACCEPTED && h->of[w].blank &&
	       h->of[w].blank_knew >= given_at(h, w);
}

static enum offer_state by_the_table(const struct history *h, int w)
{
	int opened = opened_of(h, w);
	int accepted = greatest(h, ACCEPTED, w);
	int timed_out = greatest(h, TIMED_OUT, w);
	int rejected = greatest(h, REJECTED, w);
	int taken = NEVER;
	bool fresh = h->of[w].knew == h->version;
	bool mine = h->of[w].verb != VERB_NONE && h->of[w].opened >= opened;
	bool ok =
		h->of[w].verb == VERB_ACCEPT && h->of[w].settled == SETTLED_OK;
	bool against = h->of[w].found == FOUND_OPEN ||
		       h->of[w].found == FOUND_NOT_OURS;

	for (int v = 0; v < WAREHOUSES; v++)
		if (v != w && greatest(h, ACCEPTED, v) > taken)
			taken = greatest(h, ACCEPTED, v);

	/* 1 */
	if (heard_cancel(h))
		return STATE_CANCELLED;
	/* 2 */
	if (fresh && h->of[w].found == FOUND_OURS)
		return STATE_ACCEPTED;
	if (fresh && h->of[w].found == FOUND_NOT_OURS)
		return h->of[w].ended;
	/* 3 and 4 */
	if (!(fresh && h->of[w].found == FOUND_OPEN) &&
	    (accepted != NEVER || ok)) {
		int ends[] = {taken, timed_out, rejected}, unclear = 0;
		bool other_unclear = false;

		for (int i = 0; i < 3; i++) {
			bool counted = ends[i] != NEVER && ends[i] >= opened;

			if (counted && ok)
				return contradicted(h, w, ends, opened);
			if (counted && accepted != NEVER && ends[i] >= accepted)
				return contradicted(h, w, ends, opened);
		}
		for (int v = 0; v < WAREHOUSES; v++)
			if (v != w &&
			    in_repeated_hour(h, greatest(h, ACCEPTED, v)))
				other_unclear = true;
		unclear += in_repeated_hour(h, opened);
		unclear += in_repeated_hour(h, accepted);
		unclear += in_repeated_hour(h, timed_out);
		unclear += in_repeated_hour(h, rejected);
		unclear += other_unclear;
		if (unclear >= 2)
			return contradicted(h, w, ends, opened);
		/* an accept of the present offer that no look doubts */
		if (accepted != NEVER && accepted >= opened &&
		    !(against && h->of[w].knew >= h->of[w].accepted_version))
			return STATE_ACCEPTED;
		if (ok && mine &&
		    !(against && h->of[w].knew >= h->of[w].settled_version))
			return STATE_ACCEPTED;
		return contradicted(h, w, ends, opened);
	}
	/* 5 */
	if (taken != NEVER && taken >= opened)
		return STATE_TAKEN;
	if (timed_out != NEVER && timed_out >= opened)
		return STATE_TIMED_OUT;
	if (rejected != NEVER && rejected >= opened)
		return STATE_REJECTED;
	/* 6 */
	if (mine && h->of[w].verb == VERB_REJECT &&
	    h->of[w].settled != SETTLED_NOT)
		return STATE_REJECTED;
	if (mine && h->of[w].verb == VERB_ACCEPT &&
	    h->of[w].settled == SETTLED_NOT)
		return over(h, w, h->of[w].lost ? 3 : 2) ? h->of[w].over_ends
							  : STATE_ACCEPTING;
	if (over(h, w, 2))
		return h->of[w].over_ends;
	if (mine && h->of[w].verb == VERB_REJECT)
		return STATE_REJECTING;
	if (mine && h->of[w].verb == VERB_ACCEPT &&
	    h->of[w].settled == SETTLED_NO)
		return STATE_REFUSED;
	/* 7 */
	return STATE_PENDING;
}

/* ---- what happens, to the order and to the history of it ---- */

static void tell(struct order *o, struct history *h, enum what what, int w,
		 int date, int expiry)
{
	int i = h->n++;

	h->version++;
	if (what == ACCEPTED && date > greatest(h, ACCEPTED, w))
		h->of[w].accepted_version = h->version;
	h->told[i].what = what;
	h->told[i].w = w;
	h->told[i].date = date;
	h->told[i].expiry = expiry;
	switch (what) {
	case CREATE:
		opened_until(o, w + 1, dates[date],
			     expiry ? NOW + expiry : TIME_NONE);
		break;
	case ACCEPTED:
		marked(o, w + 1, MARK_ACCEPTED, dates[date]);
		break;
	case REJECTED:
		marked(o, w + 1, MARK_REJECTED, dates[date]);
		break;
	case TIMED_OUT:
		marked(o, w + 1, MARK_TIMED_OUT, dates[date]);
		break;
	case CANCEL:
		cancelled(o);
		break;
	}
}

static void answer_it(struct order *o, struct history *h, int w, enum verb verb,
		      int date, enum settled how, bool lost)
{
	/* What an earlier accept may have won, another does not undo. */
	bool before = h->of[w].verb == VERB_ACCEPT && verb == VERB_ACCEPT &&
		      (h->of[w].lost || h->of[w].settled == SETTLED_OK);

	h->of[w].verb = verb;
	h->of[w].opened = date;
	answered(o, w + 1, verb, date == NEVER ? "" : dates[date]);
	h->of[w].settled = how;
	h->of[w].lost = before || (how == SETTLED_NOT && lost &&
				   verb == VERB_ACCEPT);
	if (how == SETTLED_NOT && lost) {
		try_begun(o, w + 1);
		try_ended(o, w + 1, TRY_UNKNOWN);
		h->version += 2;
	}
	if (how == SETTLED_NOT)
		return;
	told(o, w + 1, how);
	h->version += 2;
	h->of[w].settled_version = h->version;
}

static void look_at_it(struct order *o, struct history *h, int w,
		       enum found what, enum offer_state ended)
{
	h->of[w].found = what;
	h->of[w].ended = ended;
	h->of[w].knew = h->version;
	found(o, w + 1, what, ended);
}

/* Of looks that prove nothing by themselves: how long they showed it over, or
 * 0 when they showed nothing at all. */
static void show_it(struct order *o, struct history *h, int w, int how_long,
		    enum offer_state ends)
{
	struct change c = {.kind = CHANGE_SIGHTING, .warehouse = w + 1};
	struct sighting *s = &c.sighting;
	int opened = opened_of(h, w);

	h->of[w].over = how_long;
	h->of[w].over_opened = opened;
	h->of[w].over_ends = ends;
	h->of[w].over_knew = h->version;
	h->of[w].blank = !how_long;
	h->of[w].blank_knew = h->version;
	s->blank = !how_long;
	s->blank_knew = o->version;
	if (how_long) {
		s->what = FOUND_OVER;
		s->sure = (unsigned)how_long - 1;
		s->ended = ends;
		s->knew = o->version;
		snprintf(s->opened, sizeof(s->opened), "%s",
			 opened == NEVER ? "" : dates[opened]);
	}
	say(o, &c);
}

static void compare(const struct order *o, const struct history *h,
		    uint64_t which)
{
	for (int w = 0; w < WAREHOUSES; w++) {
		const struct offer *f = order_offer(o, w + 1);
		enum offer_state expect;

		if (!f)
			continue;
		expect = by_the_table(h, w);
		if (f->state != expect)
			print_message("history %llu, warehouse %d\n",
				      (unsigned long long)which, w + 1);
		assert_string_equal(offer_state_name(f->state),
				    offer_state_name(expect));
		assert_int_equal(f->doubt, doubt_by_the_table(h, w, expect));
	}
}

/* ---- every small history ---- */

/* Two shops; three events with as many dates, in any order and repeated; and
 * at any time an answer of the first shop, looks, or, with two events, both. */
#define EVENTS 3
#define OF_SHOP (2 + 3) /* a create with either expiry, three marks */
#define SAID (2 * OF_SHOP * EVENTS + 1)

struct small {
	struct order o;
	struct history h;
	int events, answers, looks;
};

static uint64_t histories;

static void and_then(const struct small *was);

static void begin_from(struct small *to, const struct small *from)
{
	*to = *from;
	order_copy(&to->o, &from->o);
}

static void go_on(struct small *s)
{
	offer_derive(NULL, &s->o);
	compare(&s->o, &s->h, histories++);
	and_then(s);
	order_release(&s->o);
}

static void and_an_event(const struct small *was, int n)
{
	int date = n % EVENTS, of_shop = n / EVENTS % OF_SHOP;
	int w = n / EVENTS / OF_SHOP;
	struct small s;

	begin_from(&s, was);
	s.events++;
	if (w == 2)
		tell(&s.o, &s.h, CANCEL, 0, 0, 0);
	else if (of_shop < 2)
		tell(&s.o, &s.h, CREATE, w, date, of_shop);
	else
		tell(&s.o, &s.h, (enum what)(ACCEPTED + of_shop - 2), w, date,
		     0);
	go_on(&s);
}

static void and_an_answer(const struct small *was, int n)
{
	enum verb verb = n / 3 % 2 ? VERB_REJECT : VERB_ACCEPT;
	struct small s;

	begin_from(&s, was);
	s.answers++;
	answer_it(&s.o, &s.h, 0, verb, opened_of(&s.h, 0),
		  (enum settled)(n % 3), n >= 6);
	go_on(&s);
}

static void and_a_look(const struct small *was, int n)
{
	struct small s;

	begin_from(&s, was);
	s.looks++;
	if (n < 3)
		look_at_it(&s.o, &s.h, 0, (enum found)(FOUND_OURS + n),
			   STATE_TIMED_OUT);
	else
		show_it(&s.o, &s.h, 0, n - 3, STATE_TIMED_OUT);
	go_on(&s);
}

static void and_then(const struct small *was)
{
	bool offered = order_offer(&was->o, 1);

	if (was->events + was->answers + was->looks > EVENTS)
		return;
	for (int n = 0; was->events < EVENTS && n < SAID; n++)
		and_an_event(was, n);
	for (int n = 0; offered && !was->answers && n < 7; n++)
		and_an_answer(was, n);
	for (int n = 0; offered && !was->looks && n < 7; n++)
		and_a_look(was, n);
}

static void every_small_history_means_what_the_table_says(void **state)
{
	struct small s = {0};

	(void)state;
	histories = 0;
	order_init(&s.o, "se", 19);
	and_then(&s);
	order_release(&s.o);
	print_message("%llu histories\n", (unsigned long long)histories);
	assert_true(histories > (uint64_t)SAID * SAID * SAID);
}

/* ---- longer ones, by chance ---- */

static uint64_t seed;

static int any(int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)((seed >> 11) % (uint64_t)n);
}

static void tell_any(struct order *o, struct history *h)
{
	int w = any(WAREHOUSES), date = any(DATES);
	enum what what = any(40) ? (enum what)any(CANCEL) : CANCEL;

	tell(o, h, what, w, date, any(3));
}

static void answer_any(struct order *o, struct history *h)
{
	int w = any(WAREHOUSES), date = any(DATES);
	enum settled how = (enum settled)any(3);

	if (order_offer(o, w + 1))
		answer_it(o, h, w, any(3) ? VERB_ACCEPT : VERB_REJECT, date,
			  how, any(2));
}

static void look_at_any(struct order *o, struct history *h)
{
	static const enum offer_state ends[] = {STATE_REJECTED, STATE_TAKEN,
						STATE_TIMED_OUT};
	int w = any(WAREHOUSES);
	enum found what = (enum found)any(4);

	if (!order_offer(o, w + 1))
		return;
	if (any(2))
		look_at_it(o, h, w, what, ends[any(3)]);
	else
		show_it(o, h, w, any(4), ends[any(3)]);
}

#define HISTORIES 200000

static void random_histories_mean_what_the_table_says(void **s)
{
	struct zone *zone = NULL;
	unsigned met[STATES] = {0};
	struct err e;

	(void)s;
	assert_int_equal(zone_open(&zone, "Europe/Stockholm", &e), OK);
	for (uint64_t i = 0; i < HISTORIES; i++) {
		struct history h = {0};
		struct order o;
		int n;

		seed = (i + 1) * 0x9e3779b97f4a7c15u;
		n = 1 + any(TOLD_MAX);
		order_init(&o, "se", 19);
		h.repeated_hour = any(2);
		while (h.n < n) {
			int what = any(8);

			if (what == 0)
				answer_any(&o, &h);
			else if (what == 1)
				look_at_any(&o, &h);
			else
				tell_any(&o, &h);
			offer_derive(h.repeated_hour ? zone : NULL, &o);
			compare(&o, &h, i);
		}
		for (size_t k = 0; k < o.n_offers; k++)
			met[o.offers[k].state]++;
		order_release(&o);
	}
	zone_close(zone);
	for (int k = 0; k < STATES; k++) /* else it compared nothing */
		assert_true(met[k] > HISTORIES / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_cancelled_history_ends_the_same_in_all_120_orders),
		cmocka_unit_test(reoffers_end_the_same_in_all_orders),
		cmocka_unit_test(
			allocation_requests_end_the_same_in_all_orders),
		cmocka_unit_test(
			both_kinds_in_one_order_end_the_same_in_all_orders),
		cmocka_unit_test(
			a_create_sent_again_ends_the_same_in_all_orders),
		cmocka_unit_test(equal_dates_end_the_same_in_all_orders),
		cmocka_unit_test(every_small_history_means_what_the_table_says),
		cmocka_unit_test(random_histories_mean_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
