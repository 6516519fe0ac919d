/* SPDX-License-Identifier: MIT
 *
 * op.h - one write: a rule that an engine runs inside a transaction.
 *
 * An engine takes all ops that wait into one transaction, commits it, and then
 * gives each op its result.  Results are given only after the commit that they
 * rest on, also to ops that failed or changed nothing.
 *
 * An op may be run more than once, so it writes nothing but its rows and its
 * own outputs, which it sets anew in each run.  An op that fails before it put
 * anything just gets its result.  If an op fails after a put, the transaction
 * is undone and run again without it.
 */
#ifndef STORE_RULES_OP_H
#define STORE_RULES_OP_H

#include <sys/queue.h>

#include "store/rules/rows.h"
#include "store/store.h"

struct latch;

struct op {
	/* Names the rows that run() reads (rows.h); NULL: none. */
	void (*want)(struct rows *r, struct op *op);
	/* Reads the rows that were named, and puts what follows from them. */
	enum rc (*run)(struct rows *r, struct op *op, struct err *e);
	bool again; /* a run that failed sets it: the op is run once more, and
		     * takes another way then */

	/* The engine's. */
	STAILQ_ENTRY(op) link;
	struct store_done *done; /* borrowed; NULL: a thread waits for the
				  * result */
	struct latch *told;	 /* borrowed; opened when the results are there
				  * of all ops that a thread waits for */
	enum rc rc;
	struct err err;
};

/* Hands in an op, which is the head of a struct of `size` bytes.  With done
 * NULL it waits and returns the op's result, and what the op wrote into its
 * struct is there.  Otherwise a copy of the struct is run, and lives until done
 * was called; see store.h. */
enum rc store_do(struct store *s, struct op *op, size_t size,
		 struct store_done *done, struct err *e);

/* Hands in n ops at once and waits for all, which one commit may hold; op->rc
 * and op->err are the results. */
void store_do_all(struct store *s, struct op *const *ops, size_t n);

#endif
