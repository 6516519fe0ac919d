/* SPDX-License-Identifier: MIT
 *
 * rules.h - the rules that other rules use.  All of them run inside the
 * transaction of an op.
 */
#ifndef STORE_RULES_RULES_H
#define STORE_RULES_RULES_H

#include "store/rules/rows.h"

/* Names the rows that order_change() reads for an order. */
void order_change_want(struct rows *r, const char *instance, int64_t number);

/* Applies changes to `before`, derives the states, and writes what differs,
 * with journal entries, follow-up tasks and counts.  *ret is the order as it is
 * then (the caller releases it; nothing after a failure).  `own` is the task
 * whose run decided them, or NULL; if they ask for that same task again,
 * *ret_again (may be NULL) is the time for which they do (ms), else
 * TIME_NONE. */
enum rc order_change(struct rows *r, const struct order *before,
		     const struct changes *changes, const struct task *own,
		     int64_t now, struct order *ret, int64_t *ret_again,
		     struct err *e);

/* Documents. doc_may_write() says whether a write with only_if may be made; the
 * document was named. doc_write() makes a write, whatever is stored. */
enum rc doc_may_write(struct rows *r, const struct doc_write *w, bool *ret,
		      struct err *e);
enum rc doc_write(struct rows *r, const struct doc_write *w, int64_t now,
		  struct err *e);

/* The queue. task_add() adds a task; if it exists, it is asked for once more
 * (task.h), or replaced if its row cannot be read. task_add_dead() adds one that is dead from the start, and says so
 * in the order's journal; *ret_id (may be NULL) is its id with the commit at
 * the latest. task_move() puts a waiting task of this name into the lane that
 * it says.  All read what task_add_want() names. */
void task_add_want(struct rows *r, const struct task *task);
enum rc task_add(struct rows *r, const struct task *task, struct err *e);
enum rc task_add_dead(struct rows *r, const struct task *task, const char *why,
		      int64_t now, uint64_t *ret_id, struct err *e);
enum rc task_move(struct rows *r, const struct task *to, struct err *e);
bool task_same_name(const struct task *a, const struct task *b);
/* Decides where a task waits: see store_options.place.  `o` is the order; NULL:
 * it is read if the decision depends on it, and unknown if it cannot be read:
 * the task's run will report that. */
enum rc task_place(struct rows *r, struct task *task, const struct order *o,
		   struct err *e);

/* Counts the webhooks that `after` says were missed and `before` does not, and
 * keeps count of the orders in doubt. */
void missed_count(struct rows *r, const struct order *before,
		  const struct order *after);
#define COUNT_IN_DOUBT "orders_in_doubt"
/* Of all orders that were removed by age: the latest time of a last change (ms). */
#define COUNT_REMOVED "removed_until"
/* Writes the name of the counter of missed webhooks of a kind. */
const char *missed_counter(char ret[32], enum missed kind);

/* Requests that take effect once. once_find() looks a key up: it fills in
 * `seen`, and `rc` and `code` of a request that was seen before. once_keep()
 * stores the result of a new request if it is final, and returns the result of
 * the write. */
enum rc once_find(struct rows *r, struct once *o, struct err *e);
enum rc once_keep(struct rows *r, struct once *o, enum rc said);

/* Adds an entry to the quarantine, for what cannot be recorded.  RC_EXISTS: an
 * equal one is there, and such are kept once.  Fills in q->instance and
 * q->received. */
void quarantine_add_want(struct rows *r, const struct quarantined *q);
enum rc quarantine_add(struct rows *r, const struct quarantined *q,
		       struct err *e);
/* Removes an entry.  RC_NOTFOUND with a sentence: there is none with that
 * number. */
void quarantine_remove_want(struct rows *r, uint64_t seq);
enum rc quarantine_remove(struct rows *r, uint64_t seq, struct err *e);
/* quarantine_is_keyed(): true if equal entries are kept once.
 * quarantine_is_bounded(): true if the oldest are dropped when there are too
 * many. */
bool quarantine_is_keyed(const struct quarantined *q);
bool quarantine_is_bounded(const struct quarantined *q);

/* Suspends all devices and ends all sessions and login codes, after the store
 * was restored from a backup. */
enum rc devices_suspend(struct rows *r, struct err *e);

#endif
