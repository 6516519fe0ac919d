/* SPDX-License-Identifier: MIT
 *
 * stats.h - how a store is doing, in numbers.  Values.
 */
#ifndef STORE_MODEL_STATS_H
#define STORE_MODEL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/model/order.h"

struct store_stats {
	uint64_t used_bytes, max_bytes; /* of what may be kept; 0: no bound */
	uint64_t events, orders, tasks_waiting, tasks_dead, quarantined,
		devices;
	uint64_t commits, writes;  /* since the start: a group is one commit */
	uint64_t queued;	   /* writes waiting now */
	int64_t writing_for;	   /* ms that the disk has been asked for */
	int64_t oldest_due;	   /* of the waiting tasks whose API is not
				    * parked, but for what reconciliation asks
				    * Centra; TIME_NONE: none */
	bool failed;		   /* the disk failed: restart */
	bool full;		   /* deliveries are refused for want of room */
	uint64_t missed[MISSED_KINDS]; /* webhooks, ever */
	uint64_t in_doubt;	       /* orders of which an offer is in doubt */
};

/* What store_verify() found, by the engine's own tables. */
#define STORE_TABLES_MAX 32
struct store_verified {
	struct {
		const char *name; /* a constant */
		uint64_t rows, wrong;
	} tables[STORE_TABLES_MAX];
	size_t n;
	uint64_t wrong; /* in all */
};

#endif
