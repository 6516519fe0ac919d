/* SPDX-License-Identifier: MIT
 *
 * test_return_fate.c - what became of a call of createReturn whose reply was lost (return_fate.h): a
 * call of two units of a line, of shipment 7, before which Centra listed the
 * returns up to number 10.
 */
#include "base/mem.h"
#include "handlers/return_fate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LINE	 11
#define SHIPMENT 7
#define UNITS	 2
#define OURS	 "returned in shop a (shipfrom 2, 1970-01-01T00:00:05Z): x"
#define OLDER	 "returned in shop a (shipfrom 1, 1970-01-01T00:00:03Z): x"
#define THEIRS	 "by the office"

/* A row of the list. */
struct row {
	int64_t id, shipment, units;
	const char *comment;
	bool completed;
};

struct history {
	const char *name;
	int64_t was, returned; /* returnedQuantity, before and now */
	bool no_list;	       /* neither before nor now */
	bool not_before;       /* no list before */
	bool unsure;	       /* the office was told */
	bool later;	       /* a later return of ours has booked row 12 */
	struct row rows[4];
	enum return_fate fate;
	int64_t made;
};

static const struct history histories[] = {
	{.name = "nothing changed", .fate = FATE_NOT_BOOKED},
	{.name = "the mark", .rows = {{11, SHIPMENT, 2, OURS, 0}},
	 .fate = FATE_BOOKED, .made = 11},
	{.name = "the mark of another shipment's call",
	 .rows = {{11, 8, 2, OURS, 0}}, .fate = FATE_NOT_BOOKED},
	{.name = "the mark with fewer units",
	 .rows = {{11, SHIPMENT, 1, OURS, 0}}, .fate = FATE_UNKNOWN,
	 .made = 11},
	{.name = "the mark beside another return", .returned = 3,
	 .rows = {{12, SHIPMENT, 1, THEIRS, 0}, {11, SHIPMENT, 2, OURS, 0}},
	 .fate = FATE_BOOKED, .made = 11},
	{.name = "the mark, though there was no list before",
	 .not_before = true, .rows = {{11, SHIPMENT, 2, OURS, 0}},
	 .fate = FATE_BOOKED, .made = 11},
	{.name = "no comment", .rows = {{11, SHIPMENT, 2, NULL, 0}},
	 .fate = FATE_BOOKED, .made = 11},
	{.name = "no comment, fewer units",
	 .rows = {{11, SHIPMENT, 1, NULL, 0}}, .fate = FATE_UNKNOWN,
	 .made = 11},
	{.name = "no comment, of another shipment", .returned = 2,
	 .rows = {{11, 8, 2, NULL, 0}}, .fate = FATE_NOT_BOOKED},
	{.name = "no comment, of a shipment that is not shown",
	 .rows = {{11, 0, 2, NULL, 0}}, .fate = FATE_BOOKED, .made = 11},
	{.name = "a return of before", .was = 2, .returned = 2,
	 .rows = {{10, SHIPMENT, 2, NULL, 0}}, .fate = FATE_NOT_BOOKED},
	{.name = "a return of before is completed", .was = 0, .returned = 2,
	 .rows = {{10, SHIPMENT, 2, NULL, 1}}, .fate = FATE_NOT_BOOKED},
	{.name = "other words", .rows = {{11, SHIPMENT, 2, THEIRS, 0}},
	 .fate = FATE_UNKNOWN, .made = 11},
	{.name = "other words, and our words are shown",
	 .rows = {{11, SHIPMENT, 2, THEIRS, 0}, {9, SHIPMENT, 1, OLDER, 0}},
	 .fate = FATE_NOT_BOOKED},
	{.name = "a list that never shows ours", .returned = 2,
	 .fate = FATE_BOOKED},
	{.name = "a part of the units", .returned = 1, .fate = FATE_UNKNOWN},
	{.name = "no list, risen", .returned = 2, .no_list = true,
	 .fate = FATE_BOOKED},
	{.name = "no list, as before", .no_list = true, .fate = FATE_UNKNOWN},
	{.name = "no list before, as before", .not_before = true,
	 .fate = FATE_UNKNOWN},
	{.name = "no list, risen by a later return of ours", .returned = 2,
	 .no_list = true, .later = true, .fate = FATE_UNKNOWN},
	{.name = "a later return of ours", .returned = 2, .later = true,
	 .rows = {{12, SHIPMENT, 2, NULL, 0}}, .fate = FATE_NOT_BOOKED},
	{.name = "the office booked it by hand", .unsure = true,
	 .rows = {{11, 8, 2, THEIRS, 0}}, .fate = FATE_BOOKED, .made = 11},
	{.name = "the office booked it beside another's", .unsure = true,
	 .rows = {{12, 8, 2, THEIRS, 0}, {11, SHIPMENT, 1, NULL, 0}},
	 .fate = FATE_BOOKED},
	{.name = "the office booked less", .unsure = true,
	 .rows = {{11, 8, 1, THEIRS, 0}}, .fate = FATE_UNKNOWN, .made = 11},
	{.name = "the office booked nothing", .unsure = true,
	 .fate = FATE_NOT_BOOKED},
};

static void add_row(struct centra_sold *s, const struct row *r)
{
	struct centra_given *g = &s->given[s->n_given++];

	*g = (struct centra_given){
		.id = r->id,
		.shipment = r->shipment,
		.completed = r->completed,
		.comment = r->comment ? xstrdup(r->comment) : NULL,
		.lines = xcalloc(1, sizeof(*g->lines)),
		.n_lines = 1,
	};
	g->lines[0] = (struct centra_given_line){LINE, r->units};
}

/* What Centra shows: returnedQuantity, and the rows up to the id `newest`. */
static struct centra_sold shown(const struct history *h, int64_t returned,
				bool list, int64_t newest)
{
	struct centra_sold s = {.found = true, .listed = list};

	s.lines = xcalloc(1, sizeof(*s.lines));
	s.lines[0] = (struct centra_bought){
		.id = LINE, .quantity = 9, .returned = returned};
	s.n_lines = 1;
	s.given = xcalloc(4, sizeof(*s.given));
	for (size_t i = 0; list && i < 4; i++)
		if (h->rows[i].id && h->rows[i].id <= newest)
			add_row(&s, &h->rows[i]);
	return s;
}

/* Two parts: one that is booked as the return 12, and one under way. */
static void check(const struct history *h)
{
	struct return_part_line lines[] = {
		{.id = 1, .line = LINE, .quantity = UNITS}};
	struct return_part part = {.shipment = SHIPMENT, .lines = lines,
				   .n_lines = 1};
	struct return_part later = {.shipment = SHIPMENT, .made = 12,
				    .lines = lines, .n_lines = 1};
	struct goods_return list[] = {
		{.id = 1, .at = 3000, .state = RETURN_DONE},
		{.id = 2, .at = 5000, .parts = &part, .n_parts = 1,
		 .trying = true,
		 .state = h->unsure ? RETURN_UNSURE : RETURN_ASKED},
		{.id = 3, .at = 6000, .parts = &later,
		 .n_parts = h->later ? 1 : 0, .state = RETURN_DONE}};
	struct returns all = {.list = list, .n = 3};
	struct centra_sold before =
		shown(h, h->was, !h->no_list && !h->not_before, 10);
	struct centra_sold now = shown(h, h->returned, !h->no_list, 99);
	int64_t made;

	for (size_t i = 0; i < before.n_given; i++)
		before.given[i].completed = false;
	return_note(&before, &part);
	if (part.newest == 0)
		part.newest = 10; /* of rows that are of no interest */
	if (return_fate(&all, &list[1], &now, &made) != h->fate)
		fail_msg("%s", h->name);
	if (h->fate == FATE_BOOKED && made != h->made)
		fail_msg("%s: made %lld", h->name, (long long)made);
	centra_sold_release(&before);
	centra_sold_release(&now);
}

static void each_history_has_its_fate(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(histories) / sizeof(*histories); i++)
		check(&histories[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_history_has_its_fate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
