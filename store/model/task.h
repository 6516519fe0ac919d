/* SPDX-License-Identifier: MIT
 *
 * task.h - a task: durable work, due at a time.
 *
 * A task is named by (instance, order number, kind, sub): there is at most one
 * of a name.  Adding one that exists keeps the earlier due time; adding one
 * that is running makes it run once more; adding one that is dead puts a live
 * one in its place.  Tasks of one order run one at a time, earliest first; a
 * task that waits for its time blocks no other.
 */
#ifndef STORE_MODEL_TASK_H
#define STORE_MODEL_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/model/changes.h"

#define TASK_KIND_SIZE 24

/* The lanes of the queue.  A lane with a lower number has more turns; none
 * starves.  Numbers are stored: add new ones at the end. */
enum lane {
	LANE_UNPLACED, /* not placed yet: store_options.place decides */
	LANE_ANSWERS,  /* shops' answers and shipping; events to apply */
	LANE_WAITED,   /* fetches that someone waits for */
	LANE_REST,
	LANE_LAST, /* reconciliation and replays */
	LANES,
};

/* Groups from this number on are of systems that are neither Centra nor ours.
 * Runs that call them are bounded apart from all others: GROUP_OUTSIDE_RUNS at
 * once in all, of which GROUP_OUTSIDE_TRIALS may be trials (store_gate.trial),
 * so that systems that hang leave room for those that do not. */
#define GROUP_OUTSIDE	     32
#define GROUP_OUTSIDE_RUNS   4
#define GROUP_OUTSIDE_TRIALS 2

struct task {
	uint64_t id; /* given by the store; never used twice */
	char kind[TASK_KIND_SIZE]; /* a row of handlers.c */
	char instance[INSTANCE_SIZE];
	int64_t number; /* the order */
	int64_t sub;    /* check_first, order: the event's seq; answer_offer:
			 * the warehouse; see the handlers of other kinds */
	int64_t created;
	int64_t due;
	unsigned attempts; /* runs in a row that ended in RETRY or DEAD */
	bool dead;
	char *reason; /* owned: why the last run did not end in DONE, or NULL */
	uint32_t why; /* the reason as a number of the handlers'
		       * (handlers/run.h); 0: not known */

	/* For the store: how often the task was asked for again, and the
	 * earliest time for which it was, since its last run.  A run during
	 * which `asked` changed is followed by another run. */
	uint64_t asked;
	int64_t again; /* TIME_NONE: it was not asked for again */

	/* Where it waits, as store_options.place decided. */
	uint8_t lane;  /* enum lane */
	uint8_t group; /* the API that the task calls; 0: none */
};

/* Frees what t owns, not t itself.  May be called for a zeroed one. */
void task_release(struct task *t);

/* True if a run of the task keeps its order busy, so that no other task of the
 * order runs beside it.  A task by which reconciliation asks Centra does not: a
 * shop or a webhook never waits for it.  Neither does one of the instance
 * (number 0) that calls an API: what calls another does not wait for it.  The result of such a run counts only
 * while the order is as the run has read it (result.only_if). */
bool task_keeps_order(const struct task *t);

/* How a run of a handler ended. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_RETRY, /* run it again at result.due; result.reason says why */
	OUTCOME_DEAD,  /* the task is given up, and kept with result.reason
		        * until it is redriven */
};

/* What a handler decided.  All of it takes effect in one transaction. */
struct result {
	enum outcome how;
	int64_t due;            /* of RETRY */
	struct err reason;      /* of RETRY and DEAD */
	uint32_t why;           /* the reason as a number of the handlers'
				 * (handlers/run.h) */
	struct changes changes; /* applied whatever the outcome is */
	/* NULL, or a list of kinds of tasks (constants) that ends with NULL.
	 * While a task of one of these kinds waits for the order, it could
	 * change the decision: then nothing of the result takes effect, and
	 * this task runs again after it. */
	const char *const *unless;
	/* The result only takes effect while the order's `version` and
	 * `updated` are these.  Once they have changed, the task runs again
	 * instead. */
	struct {
		bool set;
		uint64_t version;
		int64_t updated;
	} only_if;
	/* With RETRY: the run learnt nothing, so a fetch that reconciliation
	 * asked for stays in its lane. */
	bool stays;
};

/* Frees what r owns, not r itself.  May be called for a zeroed one. */
void result_release(struct result *r);

#endif
