/* SPDX-License-Identifier: MIT
 *
 * calls.c - counts and logs the calls to Centra that runs and lookups make.
 */
#include "base/log.h"
#include "server/worker/worker_private.h"

static void count_call(const struct worker_parts *parts,
		       const struct call *call)
{
	if (call->held) {
		COUNT(parts->counters, calls_held_total);
		return;
	}
	if (call->refused)
		COUNT(parts->counters, credentials_refused_total);
	switch (call->end) {
	case CALL_OK:
		COUNT(parts->counters, calls_ok_total);
		break;
	case CALL_NOT_DONE:
		COUNT(parts->counters, calls_not_done_total);
		break;
	case CALL_UNKNOWN:
		COUNT(parts->counters, calls_unknown_total);
		break;
	}
}

/* Of whom a call is. */
struct of {
	const char *instance;
	int64_t order; /* 0: of none */
};

static void log_call(const struct of *t, enum centra_api api,
		     const char *what, const struct call *call)
{
	if (call->held)
		log_line(LOG_DEBUG, "call to centra held",
			 LOG_S("instance", t->instance),
			 LOG_N("order", t->order), LOG_S("api", api_name(api)),
			 LOG_S("what", what), LOG_S("error", call->why.text));
	else
		log_line(call->end == CALL_OK ? LOG_DEBUG : LOG_INFO,
			 "called centra", LOG_S("instance", t->instance),
			 LOG_N("order", t->order), LOG_S("api", api_name(api)),
			 LOG_S("what", what), LOG_N("status", call->status),
			 LOG_N("latency_ms", call->latency),
			 LOG_S("error",
			       call->end == CALL_OK ? NULL : call->why.text));
}

/* Logs that this call opened or closed the circuit breaker of the API. */
static void log_breaker(const struct of *t, enum centra_api api,
			const struct call *call)
{
	if (call->turn == CALL_AWAY)
		log_line(LOG_WARN, "centra is away",
			 LOG_S("instance", t->instance),
			 LOG_S("api", api_name(api)),
			 LOG_N("status", call->status),
			 LOG_S("why", call->why.text));
	else if (call->turn == CALL_BACK)
		log_line(LOG_INFO, "centra is back",
			 LOG_S("instance", t->instance),
			 LOG_S("api", api_name(api)));
}

static void log_refused(const struct of *t, enum centra_api api,
			const struct call *call)
{
	log_limited(LOG_A_MINUTE, LOG_ERROR,
		    "centra refuses our key or token: mend it in the config "
		    "and send SIGHUP",
		    LOG_S("instance", t->instance), LOG_S("api", api_name(api)),
		    LOG_N("status", call->status));
}

static void note(const struct worker_parts *parts, const struct of *of,
		 enum centra_api api, const char *what, const struct call *call)
{
	count_call(parts, call);
	if (call->date)
		clock_told(parts->clock, call->date, time_mono());
	log_call(of, api, what, call);
	log_breaker(of, api, call);
	if (call->refused)
		log_refused(of, api, call);
}

void calls_note(struct work *w, enum centra_api api, const char *what,
		const struct call *call)
{
	const struct worker_parts *parts = workers_of(w)->parts;
	const struct of of = {w->task->instance, w->task->number};

	note(parts, &of, api, what, call);
	w->clock_ahead = clock_wrong_by(parts->clock, time_now(), time_mono());
}

void workers_called(const struct workers *w, const char *instance,
		    enum centra_api api, const char *what,
		    const struct call *call)
{
	const struct of of = {instance, 0};

	note(w->parts, &of, api, what, call);
}

void calls_alarm(struct work *w, enum centra_api api, const char *why)
{
	COUNT(workers_of(w)->parts->counters, configuration_alarms_total);
	log_limited(LOG_A_MINUTE, LOG_ERROR, "configuration is at fault",
		    LOG_S("instance", w->task->instance),
		    LOG_N("order", w->task->number),
		    LOG_S("api", api_name(api)), LOG_S("why", why));
}
