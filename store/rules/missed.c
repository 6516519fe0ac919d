/* SPDX-License-Identifier: MIT
 *
 * missed.c - counts that outlive restarts: missed webhooks, orders in doubt,
 * and sweeps asked for by hand.
 */
#include <stdio.h>

#include "store/rules/engine.h"
#include "store/rules/rules.h"

/* ---- webhooks that were missed ---- */

const char *missed_counter(char ret[32], enum missed kind)
{
	snprintf(ret, 32, "missed_%s", missed_name(kind));
	return ret;
}

static void count_bits(struct rows *r, unsigned was, unsigned is)
{
	char name[32];

	for (int kind = 0; kind < MISSED_KINDS; kind++)
		if (is & ~was & 1u << kind)
			add_count(r, missed_counter(name, (enum missed)kind),
				  1);
}

/* ---- orders in doubt ---- */

static bool in_doubt(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].doubt)
			return true;
	return false;
}

void missed_count(struct rows *r, const struct order *before,
		  const struct order *after)
{
	bool was = in_doubt(before), is = in_doubt(after);
	const struct offer *had;

	count_bits(r, before->missed, after->missed);
	for (size_t i = 0; i < after->n_offers; i++) {
		had = order_offer(before, after->offers[i].warehouse);
		count_bits(r, had ? had->missed : 0, after->offers[i].missed);
	}
	if (was != is)
		add_count(r, COUNT_IN_DOUBT, is ? 1 : -1);
}

/* ---- reconciliations asked for by hand ---- */

#define COUNT_ASKED "sweep_asked"
#define COUNT_DONE  "sweep_done"

static enum rc ask(struct rows *r, struct op *op, struct err *e)
{
	(void)op;
	(void)e;
	add_count(r, COUNT_ASKED, 1);
	return OK;
}

enum rc store_sweep_ask(struct store *s, struct err *e)
{
	struct op op = {.run = ask};

	return store_do(s, &op, sizeof(op), NULL, e);
}

enum rc store_sweep_asked(struct store *s, uint64_t *ret_asked,
			  uint64_t *ret_done, struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc) {
		want_count(r, COUNT_ASKED);
		want_count(r, COUNT_DONE);
		rc = rows_fetch(r, e);
	}
	if (!rc)
		rc = row_count(r, COUNT_ASKED, ret_asked, e);
	if (!rc)
		rc = row_count(r, COUNT_DONE, ret_done, e);
	rows_close(r);
	return rc;
}

struct done_op {
	struct op op;
	uint64_t asked;
};

static enum rc set_done(struct rows *r, struct op *op, struct err *e)
{
	(void)e;
	set_count(r, COUNT_DONE, ((struct done_op *)op)->asked);
	return OK;
}

enum rc store_sweep_done(struct store *s, uint64_t asked, struct err *e)
{
	struct done_op d = {.op.run = set_done, .asked = asked};

	return store_do(s, &d.op, sizeof(d), NULL, e);
}
