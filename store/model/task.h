/* SPDX-License-Identifier: MIT
 *
 * task.h - durable work to be done at or after a time.
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
	LANE_UNPLACED, /* of a task to be added: store_options.place decides */
	LANE_ANSWERS,  /* shops' answers and shipping; events to apply */
	LANE_WAITED,   /* fetches that someone waits for */
	LANE_REST,
	LANE_SWEEP, /* reconciliation and replays */
	LANES,
};

struct task {
	uint64_t id; /* given by the store; never used twice */
	char kind[TASK_KIND_SIZE]; /* a row of handlers.c */
	char instance[INSTANCE_SIZE];
	int64_t number; /* the order */
	int64_t sub;    /* event: its seq; answer_offer: the warehouse; else 0 */
	int64_t created;
	int64_t due;
	unsigned attempts; /* runs started that ended in RETRY or DEAD */
	bool dead;
	char *reason; /* owned: why the last run did not end in DONE, or NULL */
	uint32_t why; /* the same as the handlers' number (handlers/run.h); 0:
		       * none is known */

	/* The store's own: how often it was asked for again, and the earliest
	 * time it was asked for since its last run.  A run that ends with
	 * another `asked` than it began with is followed by one more. */
	uint64_t asked;
	int64_t again; /* TIME_NONE: not asked for again */

	/* Where it waits: see store_options.place. */
	uint8_t lane;  /* enum lane */
	uint8_t group; /* the API that it calls; 0: none */
};

void task_release(struct task *t);

/* True if a run of the task keeps its order busy, so that no other task of the
 * order runs beside it.  What reconciliation asks Centra does not: a shop or a
 * webhook never waits for that.  The result of such a run counts only while the
 * order is as the run has read it (result.only_if). */
bool task_keeps_order(const struct task *t);

/* How a run of a handler ended. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_RETRY, /* again at result.due; result.reason says why */
	OUTCOME_DEAD,  /* given up; kept, with result.reason, to be redriven */
};

/* What a handler decided.  One transaction makes all of it true. */
struct result {
	enum outcome how;
	int64_t due;            /* of RETRY */
	struct err reason;      /* of RETRY and DEAD */
	uint32_t why;           /* the same, as a number of the handlers' */
	struct changes changes; /* applied whatever the outcome */
	/* Constant kinds, ending with NULL; or NULL.  While a task of one of
	 * them waits for the order it could change what was decided: nothing
	 * of the result is made true, and the task runs again after it. */
	const char *const *unless;
	/* The result holds only while the order's `version` and `updated` are
	 * these.  Once they have changed, nothing of it is made true, and the
	 * task runs again. */
	struct {
		bool set;
		uint64_t version;
		int64_t updated;
	} only_if;
	/* Of RETRY: nothing was learnt.  A fetch that reconciliation asked for
	 * then stays in its lane. */
	bool stays;
};

void result_release(struct result *r);

#endif
