/* SPDX-License-Identifier: MIT
 *
 * answer.c - applies the changes that are about a shop's answer.
 */
#include "store/model/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/model/apply.h"

const char *verb_name(enum verb v)
{
	return v == VERB_ACCEPT ? "accept" : v == VERB_REJECT ? "reject" : "none";
}

void answer_own(struct answer *a)
{
	a->reason = xstrdup(a->reason);
	a->note = xstrdup(a->note);
	a->refusal = xstrdup(a->refusal);
}

void answer_release(struct answer *a)
{
	free(a->reason);
	free(a->note);
	free(a->refusal);
	*a = (struct answer){0};
}

/* Returns the answer that a try or a result is about; NULL: there is none. */
static struct answer *answer_held(const struct order *o, int64_t warehouse)
{
	struct offer *f = order_offer(o, warehouse);

	return f && f->answer.verb != VERB_NONE ? &f->answer : NULL;
}

static void replace(struct answer *a, const struct answer *in)
{
	bool both = a->verb == VERB_ACCEPT && in->verb == VERB_ACCEPT;
	bool again = both && !strcmp(a->opened, in->opened);
	bool unknown = both && (a->unknown || a->try_begun ||
				(!again && a->settled == SETTLED_OK));
	bool was_ok = again && a->was_ok;

	if (in->verb == VERB_NONE)
		return;
	answer_release(a);
	a->unknown = unknown;
	a->was_ok = was_ok;
	a->verb = in->verb;
	memcpy(a->opened, in->opened, sizeof(a->opened));
	a->at = in->at;
	a->device = in->device;
	a->reason = text_bounded(in->reason, ORDER_TEXT_MAX);
	a->note = text_bounded(in->note, ORDER_TEXT_MAX);
}

void apply_answer(struct order *o, const struct change *c)
{
	struct offer *f = order_offer_made(o, c->warehouse);

	if (!f || c->answer.verb == VERB_NONE)
		return;
	replace(&f->answer, &c->answer);
	f->answer.requests_shown = f->requests_heard;
}

void apply_try_begun(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	if (!a)
		return;
	o->version++;
	a->unknown |= a->try_begun != 0;
	a->try_begun = c->try_begun.at ? c->try_begun.at : 1;
	a->tries++;
	a->late_tries += c->try_begun.late;
}

/* True if an earlier try may have won the order. */
static bool may_have_won(const struct answer *a)
{
	if (a->verb != VERB_ACCEPT)
		return false;
	return a->unknown ? true : a->was_ok;
}

void apply_try_ended(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	if (!a)
		return;
	o->version++;
	a->try_begun = 0;
	if (c->try_ended.how == TRY_NO && may_have_won(a)) {
		a->denied = true;
		free(a->refusal);
		a->refusal = text_bounded(c->try_ended.text, ORDER_TEXT_MAX);
	}
	a->was_ok |= c->try_ended.how == TRY_OK;
	a->unknown |= c->try_ended.how == TRY_UNKNOWN;
}

void apply_settled(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	/* The shop may have answered a newer offer since the run began. */
	if (!a || (c->settled.opened[0] && strcmp(c->settled.opened, a->opened) != 0))
		return;
	a->settled = c->settled.how;
	a->settled_version = o->version;
	free(a->refusal);
	a->refusal = c->settled.how == SETTLED_NO
			     ? text_bounded(c->settled.text, ORDER_TEXT_MAX)
			     : NULL;
}
