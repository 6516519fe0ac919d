/* SPDX-License-Identifier: MIT
 *
 * run.c - see run.h.
 */
#include "handlers/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers/backoff.h"
#include "handlers/offer.h"

#define LONGEST_WAIT (5 * RUN_MINUTE)
#define DOUBLINGS    10	 /* the wait doubles so often, at most: 0.5 s * 2^10
			  * is beyond LONGEST_WAIT */
#define SPREAD	     500 /* ms over which tasks are spread that waited for the
			  * same reason */

bool run_is_ours(const struct work *w, int64_t warehouse)
{
	bool ours = !w->warehouses;

	for (size_t i = 0; i < w->n_warehouses && !ours; i++)
		ours = w->warehouses[i] == warehouse;
	return ours;
}

static bool is_ours(const void *arg, int64_t warehouse)
{
	return run_is_ours(arg, warehouse);
}

void run_derive(struct work *w)
{
	offer_derive_for(w->zone, w->order, is_ours, w);
}

void run_apply(struct work *w, size_t from)
{
	const struct changes *c = &w->result.changes;

	for (size_t i = from; i < c->n; i++) {
		order_apply(w->order, &c->list[i]);
		if (c->list[i].kind == CHANGE_DETAILS)
			w->order->has_details = true;
		if (c->list[i].kind == CHANGE_ADDRESS)
			w->order->has_address = true;
	}
	run_derive(w);
}

__attribute__((format(printf, 3, 0))) static void
end(struct work *w, enum outcome how, const char *fmt, va_list ap)
{
	struct err *reason = &w->result.reason;

	vsnprintf(reason->text, sizeof(reason->text), fmt, ap);
	w->result.how = how;
}

void run_retry(struct work *w, uint32_t why, int64_t wait, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(w, OUTCOME_RETRY, fmt, ap);
	va_end(ap);
	w->result.why = why;
	w->result.due = w->now + wait;
}

void run_dead(struct work *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(w, OUTCOME_DEAD, fmt, ap);
	va_end(ap);
}

uint32_t run_why(enum run_why why, unsigned more)
{
	return (uint32_t)why << 16 | (more & 0xffff);
}

uint32_t run_why_call(const struct call *call)
{
	if (call->held)
		return run_why(WHY_CALL_HELD, 0);
	return run_why(call->end == CALL_UNKNOWN ? WHY_CALL_UNKNOWN
						 : WHY_CALL_NOT_DONE,
		       (unsigned)call->status);
}

bool run_repeats(const struct work *w, uint32_t why)
{
	return why && w->task->why == why;
}

/* Returns a number that differs between tasks and between runs of a task, so
 * that they do not call at the same moment. */
static uint64_t any_number(const struct work *w)
{
	uint64_t x = w->task->id * 0x9e3779b97f4a7c15u;

	x ^= (uint64_t)w->now + ((uint64_t)w->task->attempts << 48);
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* True if a closed gate held the call back, or Centra refused our key; *ret:
 * how long (ms) until the gate lets a call through.  The gate lengthens its
 * waits by itself (centra/limits.h); a task that waited for longer would learn
 * later that Centra is back. */
static bool at_gate(const struct work *w, const struct call *call,
		    int64_t *ret)
{
	if (!call || !call->retry_after || !(call->held || call->refused))
		return false;
	*ret = call->retry_after + (int64_t)(any_number(w) % SPREAD);
	return true;
}

int64_t run_wait_long(const struct work *w, const struct call *call)
{
	unsigned n = w->task->attempts + 1;
	int64_t most = LONGEST_WAIT, ret;

	if (at_gate(w, call, &ret))
		return ret;
	if (n < DOUBLINGS)
		most = (int64_t)RUN_SECOND / 2 << n;
	if (most > LONGEST_WAIT)
		most = LONGEST_WAIT;
	ret = most / 2 + (int64_t)(any_number(w) % (uint64_t)(most / 2 + 1));
	if (call && ret < call->retry_after)
		ret = call->retry_after;
	return ret;
}

int64_t run_wait(const struct work *w, const struct call *call)
{
	int64_t ret;

	if (at_gate(w, call, &ret))
		return ret;
	if (call && call->refused)
		return run_wait_long(w, call);
	return backoff(w->task->attempts + 1,
			       call ? call->retry_after : 0, any_number(w));
}

#define LOOK_DOUBLINGS 6 /* the wait doubles so often: 1, 2, 4 ... 64 minutes */
#define LOOK_MOST      (60 * RUN_MINUTE)

int64_t run_look_again(const struct work *w)
{
	return w->look_again > 0 ? w->look_again : RUN_MINUTE;
}

/* Returns a wait a little longer than `look_again`, so that the second of two
 * looks is certainly late enough. */
static int64_t a_little_later(const struct work *w, int64_t wait)
{
	return wait + wait / 64 +
	       (int64_t)(any_number(w) % (uint64_t)(wait / 16 + 1));
}

int64_t run_wait_second(const struct work *w)
{
	return a_little_later(w, run_look_again(w));
}

int64_t run_wait_look(const struct work *w)
{
	unsigned n = w->task->attempts < LOOK_DOUBLINGS ? w->task->attempts
							: LOOK_DOUBLINGS;
	int64_t least = run_look_again(w), ret = least << n;

	if (ret > LOOK_MOST)
		ret = least > LOOK_MOST ? least : LOOK_MOST;
	return a_little_later(w, ret);
}

void run_alarm(struct work *w, enum centra_api api, const char *why)
{
	if (w->alarm)
		w->alarm(w, api, why);
}

void run_called(struct work *w, enum centra_api api, const char *what,
		const struct call *call)
{
	if (w->called)
		w->called(w, api, what, call);
	if (call->refused)
		run_alarm(w, api, call->why.text);
	if (call->latency <= 0)
		return;
	w->now += call->latency;
	w->steady += call->latency;
	w->since_try += call->latency;
}
