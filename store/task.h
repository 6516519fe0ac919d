/* SPDX-License-Identifier: MIT
 *
 * task.h - durable work to be done at or after a time.
 *
 * A task is named by (instance, order number, kind, sub): there is at most one
 * of a name.  Adding one that exists keeps the earlier due time; adding one
 * that is running makes it run once more.  Tasks of one order run one at a
 * time, earliest first; a task that waits for its time blocks no other.
 */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/order.h"

#define TASK_KIND_SIZE 24

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
};

void task_release(struct task *t);

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
	struct changes changes; /* applied whatever the outcome */
};

void result_release(struct result *r);

#endif
