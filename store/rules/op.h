/* SPDX-License-Identifier: MIT
 *
 * op.h - one write: a rule that an engine runs inside a transaction.
 *
 * An engine takes all ops that wait into one transaction, commits it, and then
 * tells each how it went.  Results are told only after the commit that they
 * rest on, those of ops that failed or changed nothing included.
 *
 * An op may be run more than once, so it writes nothing but its rows and its
 * own outputs, which it sets anew in each run.  One that fails before it put
 * anything is simply told; when one fails after that, the transaction is undone
 * and run again without it.
 */
#ifndef STORE_RULES_OP_H
#define STORE_RULES_OP_H

#include <semaphore.h>
#include <sys/queue.h>

#include "store/rules/rows.h"
#include "store/store.h"

struct op {
	/* Names what run() reads (rows.h); NULL: nothing. */
	void (*want)(struct rows *r, struct op *op);
	/* Reads what was named and puts what follows from it. */
	enum rc (*run)(struct rows *r, struct op *op, struct err *e);
	bool again; /* set by a run that failed: it goes another way next time,
		     * and is run once more */

	/* The engine's. */
	STAILQ_ENTRY(op) link;
	struct store_done *done; /* borrowed; NULL: a thread waits */
	sem_t told;		 /* of a thread that waits */
	enum rc rc;
	struct err err;
};

/* Hands in an op, the head of a struct of `size` bytes.  done NULL: waits, and
 * returns its result; what the op wrote into its struct is there.  Else a copy
 * of the struct lives until done was called; see store.h. */
enum rc store_do(struct store *s, struct op *op, size_t size,
		 struct store_done *done, struct err *e);

/* Hands in n ops at once and waits for all; op->rc and op->err say how each
 * went.  They wait for one commit together. */
void store_do_all(struct store *s, struct op *const *ops, size_t n);

#endif
