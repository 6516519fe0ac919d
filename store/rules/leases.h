/* SPDX-License-Identifier: MIT
 *
 * leases.h - the leases: which tasks are being run, and which task's turn is
 * next.
 *
 * Leases are kept in memory only: they end with the process, and taking one
 * costs no write.  Each engine's struct store has them (struct store_base), for
 * the one server of the store.
 *
 * Threads: any, except for leases_init() and leases_free(), which the engine
 * calls at its start and end.
 */
#ifndef STORE_RULES_LEASES_H
#define STORE_RULES_LEASES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "store/rules/rows.h"
#include "store/store.h"

#define LEASE_SLOTS 1024 /* slots of each of the two hash tables of leases */

/* A lease: a task that a run holds, or whose end could not be written. */
struct lease {
	uint64_t id; /* 0: not of a task, but of a transaction (order_claim) */
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool running;
	bool keeps;     /* while it runs, no other task of its order may run */
	bool stands;    /* the run is counted in `sides` */
	bool behind;    /* the run is in a lane behind LANE_WAITED */
	bool trial;     /* its gate let it through as a trial */
	unsigned group; /* the API that its run calls */
	int64_t hidden; /* if it does not run: since when the task is hidden */
	LIST_ENTRY(lease) in_ids, in_orders; /* in their slots */
};

LIST_HEAD(lease_slot, lease);

/* How many runs under way call one API of an instance. */
struct side {
	char instance[INSTANCE_SIZE];
	unsigned group;
	unsigned runs;
	unsigned behind; /* of `runs`: those in lanes behind LANE_WAITED */
	unsigned trials; /* of `runs`: those that are trials */
};

struct leases {
	pthread_mutex_t lock;
	struct lease_slot by_id[LEASE_SLOTS];	 /* owned */
	/* Only the leases that keep their orders busy. */
	struct lease_slot by_order[LEASE_SLOTS];
	size_t n_hidden;
	struct side *sides; /* owned; one for each API of an instance that a run
			     * ever called */
	size_t n_sides;
	unsigned most; /* most runs of an instance at once that call an API; 0:
		        * no limit */
	store_gate_fn *gate; /* NULL: every API may be called */
	void *gate_arg;
	uint64_t turn; /* of the lanes */
	char last[LANES][INSTANCE_SIZE]; /* for each lane, the instance that was
					  * served last */
};

/* For the engine, before there are threads and after they have ended. */
void leases_init(struct leases *l);
void leases_free(struct leases *l);

/* Puts a new task in the place of one that cannot be read and waits at `row` of
 * the queue; reports it (store_remade_fn).  Waits for the disk.  In tasks.c. */
enum rc task_remake(struct store *s, const struct due_row *row, int64_t now,
		    struct err *e);

/* Ends the leases of n tasks.  A task whose end could not be written can be
 * leased again a second later, so that it is not run in a tight loop. */
struct lease_ended {
	uint64_t id;
	bool written;
};
void leases_end(struct store *s, const struct lease_ended *ended, size_t n,
		int64_t now);

/* Claims an order for a transaction, until order_claims_end(): no task of the
 * order is leased meanwhile.  False: a run holds the order. */
bool order_claim(struct leases *l, const char *instance, int64_t number);
/* Ends all claims.  The engine calls it when a transaction has ended, before it
 * tells the ops their results. */
void order_claims_end(struct leases *l);

/* Finds when the earliest waiting task is due, among those whose API is not
 * parked; TIME_NONE: there is none. */
enum rc oldest_due(struct rows *r, int64_t *ret, struct err *e);

#endif
