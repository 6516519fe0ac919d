/* SPDX-License-Identifier: MIT
 *
 * hurry.c - makes tasks due whose reason to wait is gone: after the clock went
 * back, and after a reload that may have replaced credentials.
 *
 * Whoever notices the reason asks, which costs nothing.  A worker thread then
 * takes a small step between its tasks, until all are due: neither the start
 * nor a webhook waits for it.  A step that fails (the disk is full) is tried
 * again: without it a task could wait for as long as the clock went back.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/worker/worker_private.h"

/* ms, at least, from a step that failed until it is tried again. */
#define PAUSE 5000

/* What is asked for one account. */
struct hurrying {
	bool asked; /* again, since `present` began */
	int64_t now, beyond;
	bool under_way;
	int64_t go_on; /* steady clock, ms: no step is taken before, since the
			* last one failed */
	struct hurry present; /* used by the thread that takes the step,
			       * without the lock */
};

void hurries_open(struct workers *w)
{
	w->hurries = xcalloc(w->accounts.n, sizeof(*w->hurries));
}

void hurries_close(struct workers *w)
{
	for (size_t i = 0; w->hurries && i < w->accounts.n; i++)
		hurry_release(&w->hurries[i].present);
	free(w->hurries);
}

void hurry_ask(struct workers *w, size_t account, int64_t now, int64_t beyond)
{
	struct hurrying *h = &w->hurries[account];

	pthread_mutex_lock(&w->lock);
	h->beyond = h->asked && h->beyond < beyond ? h->beyond : beyond;
	h->now = now;
	h->asked = true;
	pthread_mutex_unlock(&w->lock);
}

static bool is_to_go_on(const struct hurrying *h, int64_t mono)
{
	return (h->asked || h->under_way) && mono >= h->go_on;
}

/* Makes what was last asked of an account what is under way. */
static void begin_asked(struct workers *w, size_t account)
{
	struct hurrying *h = &w->hurries[account];

	hurry_release(&h->present);
	h->present = (struct hurry){.now = h->now, .beyond = h->beyond};
	h->asked = false;
	h->under_way = copy_text(h->present.instance,
				 sizeof(h->present.instance),
				 w->accounts.list[account].instance);
}

/* Takes the turn if there is something to do and no thread is at it.  NULL: no
 * step is to be taken. */
static struct hurrying *take_turn(struct workers *w, int64_t mono)
{
	struct hurrying *ret = NULL;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->accounts.n && !w->in_a_hurry; i++) {
		if (!is_to_go_on(&w->hurries[i], mono))
			continue;
		w->in_a_hurry = true;
		if (w->hurries[i].asked)
			begin_asked(w, i);
		ret = &w->hurries[i];
	}
	pthread_mutex_unlock(&w->lock);
	return ret;
}

bool hurry_step(struct workers *w, int64_t mono)
{
	struct hurrying *h = take_turn(w, mono);
	bool failed;
	struct err e;
	enum rc rc = RC_NOTFOUND;

	if (!h)
		return false;
	if (h->under_way)
		rc = store_hurry(w->parts->store, &h->present, &e);
	failed = rc && rc != RC_NOTFOUND;
	if (failed)
		log_limited(LOG_A_MINUTE, LOG_WARN,
			    "tasks are made due later",
			    LOG_S("instance", h->present.instance),
			    LOG_S("error", e.text));
	if (rc == RC_NOTFOUND)
		hurry_release(&h->present);
	pthread_mutex_lock(&w->lock);
	h->under_way = rc != RC_NOTFOUND;
	h->go_on = failed ? mono + PAUSE : mono;
	w->in_a_hurry = false;
	pthread_mutex_unlock(&w->lock);
	return !failed;
}
