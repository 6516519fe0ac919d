/* SPDX-License-Identifier: MIT
 *
 * rules.h - the rules that other rules use.  All of them run inside the
 * transaction of an op.
 */
#ifndef STORE_RULES_RULES_H
#define STORE_RULES_RULES_H

#include "store/rules/rows.h"

/* Names what order_change() reads of an order. */
void order_change_want(struct rows *r, const char *instance, int64_t number);

/* Applies changes to `before`, derives, writes what differs with its notes,
 * follow-up tasks and counts, and gives the order as it then is (the caller
 * releases it; nothing after a failure).  `own` is the task whose run decided
 * them, or NULL; when they ask for that very task again, *ret_again (may be
 * NULL) is when, ms, else TIME_NONE. */
enum rc order_change(struct rows *r, const struct order *before,
		     const struct changes *changes, const struct task *own,
		     int64_t now, struct order *ret, int64_t *ret_again,
		     struct err *e);

/* The queue.  task_add() adds a task, or asks for one that is there once more
 * (task.h).  task_add_dead() adds one that is dead from the start, and says so
 * in the order's journal; *ret_id (may be NULL) is its id with the commit at the
 * latest.  task_move() puts a waiting task of this name into the lane that it
 * says.  All read what task_add_want() names. */
void task_add_want(struct rows *r, const struct task *task);
enum rc task_add(struct rows *r, const struct task *task, struct err *e);
enum rc task_add_dead(struct rows *r, const struct task *task, const char *why,
		      int64_t now, uint64_t *ret_id, struct err *e);
enum rc task_move(struct rows *r, const struct task *to, struct err *e);
bool task_same_name(const struct task *a, const struct task *b);
/* Decides where a task waits: see store_options.place.  `o`: the order, or NULL:
 * it is read if its state decides the lane. */
enum rc task_place(struct rows *r, struct task *task, const struct order *o,
		   struct err *e);

/* Counts the webhooks that `after` says were missed and `before` does not, and
 * keeps count of the orders in doubt. */
void missed_count(struct rows *r, const struct order *before,
		  const struct order *after);
#define COUNT_IN_DOUBT "orders_in_doubt"
/* The name of a count of missed webhooks. */
const char *missed_counter(char ret[32], enum missed kind);

/* Requests that are done once.  once_find() fills in seen, and rc and code of
 * one that was seen before; once_keep() keeps the result of the decision, if it
 * is final, and returns what the write returns. */
enum rc once_find(struct rows *r, struct once *o, struct err *e);
enum rc once_keep(struct rows *r, struct once *o, enum rc said);

/* What is kept of a delivery that cannot be recorded.  RC_EXISTS: it is there
 * already, of those kept once.  q->instance and q->received are filled in. */
void quarantine_add_want(struct rows *r, const struct quarantined *q);
enum rc quarantine_add(struct rows *r, const struct quarantined *q,
		       struct err *e);
/* RC_NOTFOUND with a sentence: nothing has that number. */
void quarantine_remove_want(struct rows *r, uint64_t seq);
enum rc quarantine_remove(struct rows *r, uint64_t seq, struct err *e);
/* Equal ones are kept once; the oldest of those that have a bound go when there
 * are too many. */
bool quarantine_is_keyed(const struct quarantined *q);
bool quarantine_is_bounded(const struct quarantined *q);

/* Suspends all devices and ends all sessions and login codes: of a store that
 * was restored from a backup. */
enum rc devices_suspend(struct rows *r, struct err *e);

#endif
