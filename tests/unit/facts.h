/* SPDX-License-Identifier: MIT
 *
 * facts.h - for tests: an order made of facts, in few words.
 */
#ifndef TESTS_UNIT_FACTS_H
#define TESTS_UNIT_FACTS_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/offer.h"
#include "store/model/changes.h"

#define NOW   1768212000000 /* 2026-01-12 10:00:00 UTC */
#define LATER (NOW + 3600000)

/* The nth second of a morning, as Centra writes it.  The text is good until
 * the eighth call after. */
static inline const char *at(int n)
{
	static char texts[8][48];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "2026-01-12 %02d:%02d:%02d.000000",
		 10 + n / 3600 % 12, n / 60 % 60, n % 60);
	return text;
}

static inline void say(struct order *o, struct change *c)
{
	order_apply(o, c);
	change_release(c);
}

static inline void heard(struct order *o)
{
	say(o, &(struct change){.kind = CHANGE_HEARD});
}

static inline void opened_until(struct order *o, int64_t warehouse,
				const char *date, int64_t expires)
{
	struct change c = {.kind = CHANGE_OPENING, .warehouse = warehouse};

	c.opening.expires = expires;
	snprintf(c.opening.date, sizeof(c.opening.date), "%s", date);
	say(o, &c);
	heard(o);
}

static inline void opened(struct order *o, int64_t warehouse, const char *date)
{
	opened_until(o, warehouse, date, LATER);
}

static inline void marked(struct order *o, int64_t warehouse, enum mark mark,
			  const char *date)
{
	struct change c = {.kind = CHANGE_MARK, .warehouse = warehouse};

	c.mark.what = mark;
	snprintf(c.mark.date, sizeof(c.mark.date), "%s", date);
	say(o, &c);
	heard(o);
}

static inline void answered(struct order *o, int64_t warehouse, enum verb verb,
			    const char *date)
{
	struct change c = {.kind = CHANGE_ANSWER, .warehouse = warehouse};

	c.answer.verb = verb;
	c.answer.at = NOW;
	snprintf(c.answer.opened, sizeof(c.answer.opened), "%s", date);
	say(o, &c);
}

static inline void try_begun(struct order *o, int64_t warehouse)
{
	say(o, &(struct change){.kind = CHANGE_TRY_BEGUN,
				.warehouse = warehouse,
				.try_begun.at = NOW});
}

static inline void try_ended(struct order *o, int64_t warehouse,
			     enum try_end how)
{
	say(o, &(struct change){.kind = CHANGE_TRY_ENDED,
				.warehouse = warehouse,
				.try_ended.how = how});
}

static inline void settled(struct order *o, int64_t warehouse,
			   enum settled how)
{
	say(o, &(struct change){.kind = CHANGE_SETTLED,
				.warehouse = warehouse,
				.settled.how = how});
}

/* Centra said ok (or no) to a try of ours. */
static inline void told(struct order *o, int64_t warehouse, enum settled how)
{
	try_begun(o, warehouse);
	try_ended(o, warehouse, how == SETTLED_OK ? TRY_OK : TRY_NO);
	settled(o, warehouse, how);
}

/* A look that knew all that is held now. */
static inline void found(struct order *o, int64_t warehouse, enum found what,
			 enum offer_state ended)
{
	struct change c = {.kind = CHANGE_FINDING, .warehouse = warehouse};

	c.finding = (struct finding){.what = what,
				     .ended = ended,
				     .knew = o->version,
				     .at = NOW};
	say(o, &c);
}

static inline void cancelled(struct order *o)
{
	say(o, &(struct change){.kind = CHANGE_CANCELLED});
	heard(o);
}

#endif
