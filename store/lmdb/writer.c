/* SPDX-License-Identifier: MIT
 *
 * writer.c - see writer.h.
 */
#include "store/lmdb/writer.h"

#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/lmdb/room.h"
#include "store/lmdb/rows.h"
#include "store/lmdb/store_private.h"

#define READERS_CHECK_EVERY 4096 /* commits */

/* After a commit that took SLOW_NS or longer the writer waits for more ops, for a
 * GATHERth of the time that the commit took, and for GATHER_MOST_NS at most, so that
 * a disk that stalled once keeps the next write no longer.  After faster commits such
 * a wait would cost a few clients more than it gains. */
#define GATHER	       4
#define SLOW_NS	       2000000
#define GATHER_MOST_NS 25000000

#ifdef STORE_BENCH_ONE_TXN_PER_WRITE
#define AT_ONCE 1 /* ops in one transaction: 1 is for the benchmark that shows
		   * what it is worth to commit many together; never shipped */
#else
#define AT_ONCE SIZE_MAX
#endif

/* ---- a disk that failed ---- */

/* Notes that the disk failed.  The first failure is kept, and is the result of
 * all later writes: a later failure only follows from it. */
static void failed(struct store *s, const struct err *e)
{
	if (atomic_load(&s->failed))
		return;
	s->failure = *e;
	atomic_store(&s->failed, true);
	store_tell_failure(&s->base, e);
}

static enum rc fail_as_before(struct store *s, struct err *e)
{
	return fail(e, RC_IO, "the disk failed earlier: %s", s->failure.text);
}

/* ---- one transaction ---- */

static enum rc op_result(struct op *op, enum rc rc, const struct err *e)
{
	op->rc = rc;
	if (rc)
		op->err = *e;
	return rc;
}

static void all_results(struct op *const *ops, size_t n, enum rc rc,
			const struct err *e)
{
	for (size_t i = 0; i < n; i++)
		(void)!op_result(ops[i], rc, e);
}

/* Runs ops.  Stops after one that brings the transaction to its bound, and at
 * one that fails after it wrote (*ret_failed), since then nothing may be
 * committed.  Returns how many ran well or failed without harm. */
static size_t run_ops(struct txn *t, struct op *const *ops, size_t n,
		      bool *ret_failed)
{
	bool touched;
	size_t i;

	*ret_failed = false;
	for (i = 0; i < n && t->rows.cost < ROWS_COST; i++) {
		struct err e = {.text = ""};
		size_t puts = t->puts + t->rows.puts;

		touched = t->touched;
		if (!op_result(ops[i], rows_run(&t->rows, ops[i], &e), &e))
			continue;
		*ret_failed = t->io || t->puts + t->rows.puts != puts;
		if (*ret_failed)
			break;
		t->touched = touched;
	}
	return i;
}

/* Commits the transaction if it wrote anything. */
static enum rc commit(struct txn *t, struct err *e)
{
	struct store *s = t->store;
	enum rc rc;

	if (!t->wrote) {
		txn_abort(t);
		return OK;
	}
	rc = drop_old_changes(t, e);
	if (!rc)
		rc = room_for_commit(t, e);
	if (!rc)
		rc = txn_commit(t, e);
	if (rc)
		return rc;
	if (t->newest)
		atomic_store(&s->newest, t->newest);
	if (atomic_fetch_add(&s->commits, 1) % READERS_CHECK_EVERY == 0)
		mdb_reader_check(s->env, NULL);
	return OK;
}

/* Runs the first of n ops in one transaction and sets their results; returns
 * how many it ran.  *ret_touched: an order or a task was changed. */
static size_t settle_some(struct store *s, struct op *const *ops, size_t n,
			  bool *ret_touched)
{
	struct err e = {.text = ""};
	struct txn t;
	size_t ran;
	bool bad;
	enum rc rc;

	*ret_touched = false;
	for (;;) {
		rc = atomic_load(&s->failed)
			     ? fail_as_before(s, &e)
			     : txn_write(&t, s, &e);
		if (rc)
			break;
		ran = run_ops(&t, ops, n, &bad);
		if (!bad) {
			n = ran;
			rc = commit(&t, &e);
			if (!rc) {
				*ret_touched = t.touched;
				return n;
			}
		}
		txn_abort(&t);
		if (t.io) {
			if (!rc)
				e = ops[ran]->err;
			rc = RC_IO;
			break;
		}
		if (bad && ops[ran]->again) {
			ops[ran]->again = false;
		} else if (bad) {
			if (!ran)
				return 1; /* the op failed by its own fault, or
					   * there is no room for it */
			n = ran;
		} else if (n > 1) {
			n = n / 2; /* there may be room for fewer ops */
		} else {
			break;
		}
	}
	if (rc == RC_IO)
		failed(s, &e);
	all_results(ops, n, rc, &e);
	return n;
}

/* ---- time ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec later(int64_t ns)
{
	ns += now_ns();
	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* ---- telling ---- */

/* A thread waits at a latch until all of its ops have their results, so that it
 * is woken once.  It lives on that thread's stack. */
struct latch {
	_Atomic size_t left; /* ops without a result */
	sem_t open;
};

static void latch_init(struct latch *l, size_t ops)
{
	atomic_init(&l->left, ops);
	sem_init(&l->open, 0, 0);
}

static void latch_wait(struct latch *l)
{
	while (sem_wait(&l->open))
		; /* a signal came */
	sem_destroy(&l->open);
}

static void tell(struct op *op)
{
	struct store_done *done = op->done;
	struct latch *told = op->told;

	if (!done) {
		/* Once the latch is open, the thread that waits may free the
		 * ops and the latch. */
		if (atomic_fetch_sub(&told->left, 1) == 1)
			sem_post(&told->open);
		return;
	}
	done->fn(done, op->rc, &op->err);
	free(op);
}

/* Called before n ops get their results: notes how many more ops the clients of
 * these may send soon, and until when to wait for them.  An op for which a thread
 * waits does not count: that thread is a worker, which calls Centra before it
 * writes again. */
static void expect(struct writer *w, struct op *const *ops, size_t n,
		   int64_t took)
{
	int64_t most = took / GATHER;
	size_t expected = 0;

	for (size_t i = 0; i < n; i++)
		expected += ops[i]->done != NULL;
	if (!expected || took < SLOW_NS)
		return;
	pthread_mutex_lock(&w->lock);
	w->expected = expected;
	w->gather_until = later(most < GATHER_MOST_NS ? most : GATHER_MOST_NS);
	pthread_mutex_unlock(&w->lock);
}

static void settle_all(struct store *s, struct op *const *ops, size_t n)
{
	size_t k, written;
	int64_t began;
	bool touched;

	for (size_t at = 0; at < n; at += k) {
		began = now_ns();
		k = n - at < AT_ONCE ? n - at : AT_ONCE;
		k = settle_some(s, ops + at, k, &touched);
		expect(&s->writer, ops + at, k, now_ns() - began);
		order_claims_end(&s->base.leases);
		written = 0;
		for (size_t i = at; i < at + k; i++)
			written += ops[i]->rc == OK;
		atomic_fetch_add(&s->writes, written);
		for (size_t i = at; i < at + k; i++)
			tell(ops[i]);
		if (touched && s->base.changed)
			s->base.changed(s->base.changed_arg, atomic_load(&s->newest));
	}
}

/* ---- the thread ---- */

/* Waits for the first op, and then for those that are expected (writer.h). */
static void gather(struct writer *w)
{
	int timed_out = 0;

	w->state = WRITER_IDLE;
	while (STAILQ_EMPTY(&w->ops) && !w->stop)
		pthread_cond_wait(&w->work, &w->lock);
	w->state = WRITER_GATHERS;
	while (w->expected && !w->stop && !timed_out)
		timed_out = pthread_cond_timedwait(&w->work, &w->lock,
						   &w->gather_until);
	w->state = WRITER_BUSY;
}

/* Takes all ops that wait; if there are none, sleeps until one comes. 0: the
 * thread stops. */
static size_t take_all(struct writer *w)
{
	struct op *op;
	size_t n = 0;

	pthread_mutex_lock(&w->lock);
	gather(w);
	if (w->waiting > w->batch_cap) {
		w->batch_cap = 2 * w->waiting;
		w->batch = xrealloc(w->batch, w->batch_cap, sizeof(*w->batch));
	}
	STAILQ_FOREACH(op, &w->ops, link)
		w->batch[n++] = op;
	STAILQ_INIT(&w->ops);
	w->waiting = 0;
	w->expected = 0;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void *writer_main(void *arg)
{
	struct store *s = arg;
	size_t n;

	while ((n = take_all(&s->writer))) {
		atomic_store(&s->writer.busy_since, time_mono());
		settle_all(s, s->writer.batch, n);
		atomic_store(&s->writer.busy_since, TIME_NONE);
	}
	return NULL;
}

enum rc writer_start(struct store *s, size_t max, struct err *e)
{
	struct writer *w = &s->writer;
	pthread_condattr_t monotonic;
	sigset_t all, before;
	int failed;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	STAILQ_INIT(&w->ops);
	w->max = max;
	atomic_store(&w->busy_since, TIME_NONE);
	/* Blocks all signals, which the main thread handles. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, writer_main, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = !failed;
	return failed ? fail(e, RC_IO, "no thread for the store: %s",
			     strerror(failed))
		      : OK;
}

void writer_stop(struct store *s)
{
	struct writer *w = &s->writer;

	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	free(w->batch);
	w->started = false;
}

size_t writer_waiting(struct store *s)
{
	size_t n;

	if (!s->writer.started)
		return 0;
	pthread_mutex_lock(&s->writer.lock);
	n = s->writer.waiting;
	pthread_mutex_unlock(&s->writer.lock);
	return n;
}

int64_t writer_busy(struct store *s)
{
	int64_t since = s->writer.started ? atomic_load(&s->writer.busy_since)
					  : TIME_NONE;

	return since == TIME_NONE ? 0 : time_mono() - since;
}

/* ---- handing in ---- */

/* Wakes the writer if it waits for the ops that were just put into its queue.
 * With its lock. */
static void wake(struct writer *w)
{
	if (w->state == WRITER_IDLE ||
	    (w->state == WRITER_GATHERS && !w->expected))
		pthread_cond_signal(&w->work);
}

static enum rc queue(struct store *s, struct op *op, struct err *e)
{
	struct writer *w = &s->writer;
	enum rc rc = OK;

	pthread_mutex_lock(&w->lock);
	if (op->done && w->waiting >= w->max) {
		rc = fail(e, RC_AGAIN, "too many writes wait for the disk");
	} else {
		STAILQ_INSERT_TAIL(&w->ops, op, link);
		w->waiting++;
		w->expected -= op->done && w->expected;
		wake(w);
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}

/* Hands ops to the writer thread and waits. */
static enum rc queue_and_wait(struct store *s, struct op *op, struct err *e)
{
	struct latch told;
	enum rc rc;

	latch_init(&told, 1);
	op->told = &told;
	rc = queue(s, op, e);
	if (rc)
		return rc;
	latch_wait(&told);
	if (op->rc && e)
		*e = op->err;
	return op->rc;
}

/* Threads that wait do not count towards the bound of the queue. */
static void queue_all(struct writer *w, struct op *const *ops, size_t n)
{
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < n; i++)
		STAILQ_INSERT_TAIL(&w->ops, ops[i], link);
	w->waiting += n;
	wake(w);
	pthread_mutex_unlock(&w->lock);
}

/* Runs an op in the calling thread, where there is no writer thread. */
static enum rc do_here(struct store *s, struct op *op, struct err *e)
{
	bool touched;

	settle_some(s, &op, 1, &touched);
	atomic_fetch_add(&s->writes, op->rc == OK);
	if (touched && s->base.changed)
		s->base.changed(s->base.changed_arg, atomic_load(&s->newest));
	if (op->rc && e)
		*e = op->err;
	return op->rc;
}

enum rc writer_do(struct store *s, struct op *op, size_t size,
		  struct store_done *done, struct err *e)
{
	struct op *kept;
	enum rc rc;

	op->done = NULL;
	op->err.text[0] = '\0';
	if (atomic_load(&s->failed))
		return fail_as_before(s, e);
	if (!done)
		return s->writer.started ? queue_and_wait(s, op, e)
					 : do_here(s, op, e);
	if (!s->writer.started) {
		rc = do_here(s, op, NULL);
		done->fn(done, rc, &op->err);
		return OK;
	}
	kept = xmemdup(op, size);
	kept->done = done;
	rc = queue(s, kept, e);
	if (rc)
		free(kept);
	return rc;
}

void writer_do_all(struct store *s, struct op *const *ops, size_t n)
{
	struct err before;
	struct latch told;
	enum rc rc = OK;

	if (atomic_load(&s->failed))
		rc = fail_as_before(s, &before);
	for (size_t i = 0; i < n; i++) {
		ops[i]->done = NULL;
		ops[i]->told = &told;
		ops[i]->err.text[0] = '\0';
		if (rc)
			(void)!op_result(ops[i], rc, &before);
	}
	if (rc || !n)
		return;
	latch_init(&told, n);
	if (s->writer.started)
		queue_all(&s->writer, ops, n);
	else
		settle_all(s, ops, n);
	latch_wait(&told);
}
