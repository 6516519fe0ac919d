/* SPDX-License-Identifier: MIT
 *
 * leases.h - who runs which task, and whose turn is next.
 *
 * Leases are kept in memory alone: one cannot outlive its process, and taking
 * it costs no write.  They belong to the one server of a store; each engine's
 * struct store has them (struct store_base).
 *
 * Threads: any, but for the two calls of the engine's start and end.
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

#define LEASE_SLOTS 1024 /* of each hash table of leases */

/* A lease: a task that a run holds, or whose end could not be written. */
struct lease {
	uint64_t id; /* 0: a transaction's own (order_claim) */
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool running;
	bool keeps;     /* its order busy, while it runs */
	bool stands;    /* for its run: it is counted in `sides` */
	bool behind;    /* of a run in a lane behind those that someone waits for */
	unsigned group; /* the API that it calls */
	int64_t hidden; /* of one not running: since when it is out of sight */
	LIST_ENTRY(lease) in_ids, in_orders; /* in their slots */
};

LIST_HEAD(lease_slot, lease);

/* The number of runs under way that call one API of an instance. */
struct side {
	char instance[INSTANCE_SIZE];
	unsigned group;
	unsigned runs;
	unsigned behind; /* of them, in lanes behind LANE_WAITED */
};

struct leases {
	pthread_mutex_t lock;
	struct lease_slot by_id[LEASE_SLOTS];	 /* owned */
	struct lease_slot by_order[LEASE_SLOTS]; /* those that are running */
	size_t n_hidden;
	struct side *sides; /* owned; one for each that has ever run */
	size_t n_sides;
	unsigned most; /* runs of an instance at once; 0: not bounded */
	store_gate_fn *gate; /* NULL: every API may be called */
	void *gate_arg;
	uint64_t turn; /* of the lanes */
	char last[LANES][INSTANCE_SIZE]; /* the instance served last */
};

void leases_init(struct leases *l);
void leases_free(struct leases *l);

/* Ends the leases of n tasks.  One whose end could not be written comes back
 * after a moment, lest it be run in a tight loop. */
struct lease_ended {
	uint64_t id;
	bool written;
};
void leases_end(struct store *s, const struct lease_ended *ended, size_t n,
		int64_t now);

/* Claims an order until order_claims_end(): no task of the order is leased
 * meanwhile.  False: a run holds the order. */
bool order_claim(struct leases *l, const char *instance, int64_t number);
/* The engine calls it when a transaction of ops has ended, before it tells
 * their results. */
void order_claims_end(struct leases *l);

/* Finds when the earliest task is due whose API is not parked; TIME_NONE: there
 * is none. */
enum rc oldest_due(struct rows *r, int64_t *ret, struct err *e);

#endif
