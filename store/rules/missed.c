/* SPDX-License-Identifier: MIT
 *
 * missed.c - counts that outlive restarts: missed webhooks, and orders in
 * doubt.
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
