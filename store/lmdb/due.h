/* SPDX-License-Identifier: MIT
 *
 * due.h - the rows of `due`: the tasks that wait, in buckets
 * (store/rules/rows.h).  The table `waiting` counts the waiting tasks that call
 * each API, so that nobody has to walk them.
 */
#ifndef STORE_LMDB_DUE_H
#define STORE_LMDB_DUE_H

#include "store/lmdb/txn.h"
#include "store/model/task.h"
#include "store/rules/engine.h"

/* due_put() adds the row of a waiting task, due_del() removes it.  Removing a
 * row that is not there changes nothing. */
enum rc due_put(struct txn *t, const struct task *task, struct err *e);
enum rc due_del(struct txn *t, const struct task *task, struct err *e);
/* Replaces the row of `was` by that of `is`; both are forms of one task. */
enum rc due_move(struct txn *t, const struct task *was, const struct task *is,
		 struct err *e);

/* The queue_...() functions of store/rules/rows.h. */
enum rc lmdb_queue_open(struct queue **ret, struct rows *r, struct err *e);
void lmdb_queue_close(struct queue *q);
enum rc lmdb_queue_bucket(struct queue *q, struct queue_place *at,
			  struct due_row *ret, struct err *e);
void lmdb_queue_from(struct queue *q, const struct bucket *b, int64_t due,
		     uint64_t id);
enum rc lmdb_queue_next(struct queue *q, struct due_row *ret, struct err *e);
enum rc lmdb_queue_of_order(struct queue *q, const char *instance,
			    int64_t number, uint64_t *ret, size_t max,
			    size_t *ret_n, struct err *e);
enum rc lmdb_queue_task(struct queue *q, uint64_t id, struct task *ret,
			struct err *e);
enum rc lmdb_waiting(struct rows *r,
		     void (*fn)(void *arg, const char *instance,
				unsigned group, uint64_t tasks),
		     void *arg, struct err *e);

#endif
