/* SPDX-License-Identifier: MIT
 *
 * return_fate.c - see return_fate.h.
 */
#include "handlers/return_fate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

/* A decision under way. */
struct fate {
	const struct returns *all;
	const struct goods_return *r;
	const struct return_part *p; /* the call */
	const struct centra_sold *now;
	bool marks_shown; /* the list shows the comments of returns of ours */
};

const char *return_mark(char ret[RETURN_MARK_SIZE],
			const struct goods_return *r)
{
	char at[TIME_ISO_SIZE];

	snprintf(ret, RETURN_MARK_SIZE, "(shipfrom %" PRId64 ", %s)", r->id,
		 time_iso(at, r->at, 0, false));
	return ret;
}

/* ---- before the call ---- */

/* Units of an order's line in the returns of the list; -1: there is no list. */
static int64_t listed_units(const struct centra_sold *s, int64_t line,
			    bool completed)
{
	int64_t n = s->listed ? 0 : -1;

	for (size_t i = 0; i < s->n_given; i++)
		if (!completed || s->given[i].completed)
			n += centra_given_units(&s->given[i], line);
	return n;
}

void return_note(const struct centra_sold *before, struct return_part *io)
{
	io->newest = before->listed ? 0 : -1;
	for (size_t i = 0; i < before->n_given; i++)
		if (before->given[i].id > io->newest)
			io->newest = before->given[i].id;
	for (size_t i = 0; i < io->n_lines; i++) {
		struct return_part_line *l = &io->lines[i];
		const struct centra_bought *b =
			centra_bought_of(before, l->line);

		l->returned = b ? b->returned : 0;
		l->listed = listed_units(before, l->line, false);
		l->completed = listed_units(before, l->line, true);
	}
}

/* ---- the list of returns ---- */

/* True if the listed return is another call's of ours. */
static bool is_known(const struct fate *f, const struct centra_given *g)
{
	for (size_t i = 0; i < f->all->n; i++)
		for (size_t k = 0; k < f->all->list[i].n_parts; k++)
			if (f->all->list[i].parts[k].made == g->id)
				return true;
	return false;
}

static bool has_mark(const struct centra_given *g,
		     const struct goods_return *r)
{
	char mark[RETURN_MARK_SIZE];

	return g->comment && strstr(g->comment, return_mark(mark, r));
}

static bool shows_marks(const struct fate *f)
{
	for (size_t i = 0; i < f->now->n_given; i++)
		for (size_t k = 0; k < f->all->n; k++)
			if (has_mark(&f->now->given[i], &f->all->list[k]))
				return true;
	return false;
}

static bool is_elsewhere(const struct fate *f, const struct centra_given *g)
{
	return g->shipment && g->shipment != f->p->shipment;
}

static bool has_other_words(const struct fate *f,
			    const struct centra_given *g)
{
	return g->comment && *g->comment && f->r->state != RETURN_UNSURE;
}

/* True if the listed return may be the call's, though it has not its mark. */
static bool may_be_ours(const struct fate *f, const struct centra_given *g)
{
	if (g->id <= f->p->newest || is_known(f, g))
		return false;
	if (f->r->state == RETURN_UNSURE)
		return true;
	return !is_elsewhere(f, g) &&
	       !(f->marks_shown && has_other_words(f, g));
}

/* Units of an order's line in the returns that may be the call's. */
static int64_t unclear_units(const struct fate *f, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->now->n_given; i++)
		if (may_be_ours(f, &f->now->given[i]))
			n += centra_given_units(&f->now->given[i], line);
	return n;
}

static bool has_all_units(const struct fate *f, const struct centra_given *g)
{
	for (size_t i = 0; i < f->p->n_lines; i++)
		if (centra_given_units(g, f->p->lines[i].line) !=
		    return_part_units(f->p, f->p->lines[i].line))
			return false;
	return true;
}

/* Decides by the mark.  False: the list does not show it. */
static bool by_mark(const struct fate *f, enum return_fate *ret,
		    int64_t *ret_made)
{
	for (size_t i = 0; i < f->now->n_given; i++) {
		const struct centra_given *g = &f->now->given[i];

		if (is_known(f, g) || is_elsewhere(f, g) || !has_mark(g, f->r))
			continue;
		*ret = has_all_units(f, g) ? FATE_BOOKED : FATE_UNKNOWN;
		*ret_made = g->id;
		return true;
	}
	return false;
}

/* Decides by the units of new returns.  False: there are none. */
static bool by_units(const struct fate *f, enum return_fate *ret,
		     int64_t *ret_made)
{
	size_t all = 0, none = 0, rows = 0;
	bool more = f->r->state == RETURN_UNSURE; /* a person's are with it */
	bool doubtful = false;

	for (size_t i = 0; i < f->now->n_given; i++)
		if (may_be_ours(f, &f->now->given[i])) {
			*ret_made = f->now->given[i].id;
			doubtful |= has_other_words(f, &f->now->given[i]);
			rows++;
		}
	if (rows > 1)
		*ret_made = 0;
	for (size_t i = 0; i < f->p->n_lines; i++) {
		int64_t line = f->p->lines[i].line;
		int64_t found = unclear_units(f, line);
		int64_t ours = return_part_units(f->p, line);

		all += found == ours || (more && found > ours);
		none += !found;
	}
	*ret = all == f->p->n_lines && !doubtful ? FATE_BOOKED : FATE_UNKNOWN;
	return none < f->p->n_lines;
}

/* ---- returnedQuantity ---- */

/* Units of an order's line that returns of ours which came later have booked. */
static int64_t booked_since(const struct fate *f, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->all->n; i++) {
		const struct goods_return *r = &f->all->list[i];

		for (size_t k = 0; r->id > f->r->id && k < r->n_parts; k++)
			if (k + 1 < r->n_parts || !r->trying)
				n += return_part_units(&r->parts[k], line);
	}
	return n;
}

/* True if returnedQuantity has risen by what the list explains, whether it
 * counts all returns or those that are completed. */
static bool is_explained(const struct fate *f,
			 const struct return_part_line *l, int64_t risen)
{
	return risen == listed_units(f->now, l->line, false) - l->listed ||
	       risen == listed_units(f->now, l->line, true) - l->completed;
}

static enum return_fate by_order(const struct fate *f, bool list)
{
	size_t all = 0, none = 0;

	for (size_t i = 0; i < f->p->n_lines; i++) {
		const struct return_part_line *l = &f->p->lines[i];
		const struct centra_bought *b =
			centra_bought_of(f->now, l->line);
		int64_t risen = b ? b->returned - l->returned : -1;

		if (list && is_explained(f, l, risen))
			none++;
		else if (risen - (list ? 0 : booked_since(f, l->line)) >=
			 return_part_units(f->p, l->line))
			all++;
	}
	if (all == f->p->n_lines)
		return FATE_BOOKED;
	return none == f->p->n_lines ? FATE_NOT_BOOKED : FATE_UNKNOWN;
}

enum return_fate return_fate(const struct returns *all,
			     const struct goods_return *r,
			     const struct centra_sold *now, int64_t *ret_made)
{
	struct fate f = {all, r, &r->parts[r->n_parts - 1], now, false};
	bool list = now->listed && f.p->newest >= 0;
	enum return_fate ret;

	*ret_made = 0;
	f.marks_shown = shows_marks(&f);
	if (by_mark(&f, &ret, ret_made) ||
	    (list && by_units(&f, &ret, ret_made)))
		return ret;
	*ret_made = 0;
	return by_order(&f, list);
}
