/* SPDX-License-Identifier: MIT
 *
 * problem.c - see problem.h.
 */
#include "store/model/problem.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/model/apply.h"

bool problem_open(const struct problem *p)
{
	return p->at && !p->solved_at;
}

/* Gives a copied problem its own copies of the texts. */
void problem_own(struct problem *p)
{
	p->reason = xstrdup(p->reason);
	p->note = xstrdup(p->note);
	p->by = xstrdup(p->by);
	p->solved_by = xstrdup(p->solved_by);
}

void problem_release(struct problem *p)
{
	free(p->reason);
	free(p->note);
	free(p->by);
	free(p->solved_by);
	*p = (struct problem){0};
}

void apply_problem(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	const struct problem *in = &c->problem;

	if (!f)
		return;
	problem_release(&f->problem);
	f->problem = (struct problem){
		.at = in->at ? in->at : 1,
		.device = in->device,
		.reason = text_bounded(in->reason, ORDER_TEXT_MAX),
		.note = text_bounded(in->note, ORDER_TEXT_MAX),
		.by = text_bounded(in->by, ORDER_TEXT_MAX),
	};
}

void apply_solved(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	const struct problem *in = &c->solved;
	struct problem *p = f ? &f->problem : NULL;

	if (!p || !problem_open(p))
		return;
	p->solved_at = in->solved_at ? in->solved_at : 1;
	p->solved_device = in->solved_device;
	p->solved_by = text_bounded(in->solved_by, ORDER_TEXT_MAX);
}
