/* SPDX-License-Identifier: MIT
 *
 * writer.h - writes of all threads, committed together.
 *
 * A write is an op (store/rules/op.h).  The server's writer thread runs all ops
 * that wait in one transaction, commits it, and then gives each its result; the
 * next ops gather while the disk syncs.  A transaction that finds no room is
 * tried again in smaller parts, so that what fits is written.  One that reaches
 * its bound (ROWS_COST) is committed, and the rest goes into the next.
 *
 * Whoever was told a result often has its next write a moment later.  If the
 * writer began at once, that write would wait for a whole commit of others, and
 * then for its own.  On a slow disk it therefore waits until as many ops have
 * come as it just gave results to, but at most for a quarter of the time that
 * the last commit took, and for 25 ms.  A single client never waits: its next op
 * is the one that is expected.
 *
 * Without a writer thread (the command line) the caller's thread commits its
 * op alone.
 */
#ifndef STORE_LMDB_WRITER_H
#define STORE_LMDB_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "base/err.h"
#include "store/rules/op.h"

struct store;

struct writer {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t work;
	STAILQ_HEAD(, op) ops; /* the ops that wait, in the order in which they
			        * came */
	size_t waiting, max;
	size_t expected; /* ops that may come soon: clients whose last op was
			  * answered and that have sent no other yet */
	struct timespec gather_until; /* CLOCK_MONOTONIC: the next batch begins
				       * then at the latest, though ops are still
				       * expected */
	enum { WRITER_BUSY, WRITER_IDLE, WRITER_GATHERS } state;
	bool stop;

	_Atomic int64_t busy_since; /* time_mono() when the present write began;
				     * TIME_NONE: it waits for ops */
	struct op **batch; /* owned: for the writer thread alone */
	size_t batch_cap;
};

enum rc writer_start(struct store *s, size_t max, struct err *e);
void writer_stop(struct store *s); /* finishes what waits */
size_t writer_waiting(struct store *s);
/* Returns for how many ms the present write has been going on; 0: none is. */
int64_t writer_busy(struct store *s);

/* Hands in an op, which is the head of a struct of `size` bytes.  With done
 * NULL it waits and returns the op's result, and what the op wrote into its
 * struct is there.  Otherwise a copy of the struct is run, and lives until done
 * was called.  Ops whose thread waits do not count towards the bound: there are
 * only so many threads. */
enum rc writer_do(struct store *s, struct op *op, size_t size,
		  struct store_done *done, struct err *e);
/* Hands in n ops at once and waits for all, which one commit may hold; op->rc
 * and op->err are the results. */
void writer_do_all(struct store *s, struct op *const *ops, size_t n);

#endif
