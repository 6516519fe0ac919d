/* SPDX-License-Identifier: MIT
 *
 * stats.h - numbers about a store.  Values.
 */
#ifndef STORE_MODEL_STATS_H
#define STORE_MODEL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/model/order.h"

struct store_stats {
	uint64_t used_bytes, max_bytes; /* bytes in use, and most bytes that may
					 * be; max_bytes 0: no bound */
	uint64_t events, orders, tasks_waiting, tasks_dead, quarantined,
		devices;
	uint64_t commits, writes;  /* since the process started; the writes of a
				    * group are one commit */
	uint64_t queued;	   /* writes waiting now */
	int64_t writing_for;	   /* ms since the write under way began; 0:
				    * none is */
	/* When the earliest waiting task was due, without parked ones and
	 * without what reconciliation asks Centra; TIME_NONE: no such task. */
	int64_t oldest_due;
	bool failed; /* the disk failed: the process must be restarted */
	bool full; /* there is no room: deliveries are refused */
	uint64_t missed[MISSED_KINDS]; /* webhooks, ever */
	uint64_t in_doubt; /* orders with an offer that is in doubt */
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
