/* SPDX-License-Identifier: MIT
 *
 * clock.c - see clock.h.
 */
#include "base/clock.h"

#include "base/time.h"

void clock_init(struct clock *c, int64_t newest, int64_t wall, int64_t mono)
{
	*c = (struct clock){
		.began = mono,
		.offset = wall - mono,
		.newest = newest,
	};
	pthread_mutex_init(&c->lock, NULL);
}

void clock_release(struct clock *c)
{
	pthread_mutex_destroy(&c->lock);
}

void clock_told(struct clock *c, int64_t date, int64_t mono)
{
	pthread_mutex_lock(&c->lock);
	c->told = true;
	c->true_offset = date - mono;
	pthread_mutex_unlock(&c->lock);
}

bool clock_ahead(struct clock *c, int64_t wall, int64_t mono, int64_t *ret)
{
	bool told;

	pthread_mutex_lock(&c->lock);
	told = c->told;
	*ret = told ? wall - mono - c->true_offset : 0;
	pthread_mutex_unlock(&c->lock);
	return told;
}

static bool within_tolerance(int64_t ahead)
{
	return ahead <= CLOCK_TOLERANCE && ahead >= -CLOCK_TOLERANCE;
}

int64_t clock_wrong_by(struct clock *c, int64_t wall, int64_t mono)
{
	int64_t ahead;

	clock_ahead(c, wall, mono, &ahead);
	return within_tolerance(ahead) ? 0 : ahead;
}

enum clock_trust clock_trust(struct clock *c, int64_t wall, int64_t mono)
{
	int64_t ahead;

	if (clock_ahead(c, wall, mono, &ahead))
		return within_tolerance(ahead) ? CLOCK_CONFIRMED : CLOCK_WRONG;
	return c->newest != TIME_NONE && wall < c->newest - CLOCK_TOLERANCE
		       ? CLOCK_WRONG
		       : CLOCK_UNCONFIRMED;
}

bool clock_confirmed(struct clock *c)
{
	return clock_trust(c, time_now(), time_mono()) == CLOCK_CONFIRMED;
}

int64_t clock_went_back(struct clock *c, int64_t wall, int64_t mono)
{
	int64_t back;

	pthread_mutex_lock(&c->lock);
	back = c->offset - (wall - mono);
	/* The wall clock was set forward, or drifts back slowly: the present
	 * difference becomes the new reference. */
	c->offset = wall - mono;
	pthread_mutex_unlock(&c->lock);
	return back < CLOCK_STEP ? 0 : back;
}

bool clock_within(int64_t then, int64_t now, int64_t ms)
{
	return then <= now && now - then < ms;
}

int64_t clock_running(struct clock *c, int64_t mono)
{
	return mono - c->began;
}
