/* SPDX-License-Identifier: MIT
 *
 * due.h - the rows of `due`: the tasks that wait, in buckets.
 *
 * A bucket holds the tasks of one lane, instance, API and kind, by the time
 * that they are due.  Whoever looks for work goes from bucket to bucket, of
 * which there are few, whatever the number of tasks.  `waiting` counts the
 * tasks that call an API, so that those that wait for it are known without a
 * walk.
 */
#ifndef STORE_LMDB_DUE_H
#define STORE_LMDB_DUE_H

#include "store/lmdb/txn.h"
#include "store/model/task.h"

struct bucket {
	uint8_t lane;
	char instance[INSTANCE_SIZE];
	uint8_t group;
	char kind[TASK_KIND_SIZE];
};

struct due_row {
	struct bucket bucket;
	int64_t due;
	uint64_t id;
	int64_t number; /* the order's */
};

/* Adds the row of a waiting task, and removes it.  Removing one that is not
 * there changes nothing. */
enum rc due_put(struct txn *t, const struct task *task, struct err *e);
enum rc due_del(struct txn *t, const struct task *task, struct err *e);
/* Removes the row of `was` and adds that of `is`, the same task. */
enum rc due_move(struct txn *t, const struct task *was, const struct task *is,
		 struct err *e);

/* How many tasks are counted under a key of `waiting`; 0: no such row. */
enum rc waiting_count(struct txn *t, const struct key *k, uint64_t *ret,
		      struct err *e);

/* The first bytes of a bucket's keys.  Returns k. */
struct key *due_prefix(struct key *k, const struct bucket *b);
/* False: these are not the bytes of such a row. */
bool due_read(const MDB_val *k, const MDB_val *v, struct due_row *ret);

/* Reads the first row of the first bucket at or behind *at, and moves *at
 * behind that bucket.  w: an open walk of T_DUE.  RC_NOTFOUND: no further
 * bucket. */
enum rc due_next_bucket(struct walk *w, struct key *at, struct due_row *ret,
			struct err *e);

#endif
