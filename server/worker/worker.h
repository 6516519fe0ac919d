/* SPDX-License-Identifier: MIT
 *
 * worker.h - threads that lease tasks, run their handlers, and store the results.
 * worker_private.h lists the files, and which thread runs what.
 */
#ifndef SERVER_WORKER_WORKER_H
#define SERVER_WORKER_WORKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "centra/centra.h"
#include "server/config/holder.h"
#include "server/metrics/counters.h"
#include "store/model/task.h"
#include "store/store.h"

struct workers;
struct zone;

/* What the workers need of the server.  All of it is borrowed and must outlive
 * them. */
struct worker_parts {
	struct store *store;
	struct config_holder *config;
	struct counters *counters;
	struct clock *clock;
	const atomic_bool *failed; /* the disk failed: no run begins any more */
};

/* Starts the threads; each has its own connections to every Centra. */
enum rc workers_start(struct workers **ret, const struct worker_parts *parts,
		      struct err *e);
/* Wakes a thread, since a task may be due.  Any thread. */
void workers_wake(struct workers *w);
/* Takes over the keys, tokens and budgets of a reloaded config, and tries at
 * once what waited because of the old ones. */
void workers_reload(struct workers *w);
/* Detects that the wall clock was set back; called again and again with
 * time_now() and time_mono(), from any thread.  Tasks that wait for a time by
 * the clock as it was are made due, as at the start.  What a run or a request
 * that is under way leaves to be done waits for the time that it had. */
void workers_clock(struct workers *w, int64_t wall, int64_t mono);
/* Starts no more runs, and waits for those under way. */
void workers_stop(struct workers *w);

/* Returns the i-th account, for others that call Centra or show its state.  It
 * lives as long as the workers do.  NULL: there are no more. */
struct account {
	char *instance;		 /* owned */
	struct centra *centra;	 /* owned */
	const struct zone *zone; /* borrowed: zones live as long as the
				  * process */
	int64_t settle; /* ms after the begin of a call after which Centra can
			 * no longer act on it; a reload does not change it */
};
const struct account *workers_account(const struct workers *w, size_t i);
/* Calls fn for each API of each account, and for those of instances that are no
 * longer in the config but have tasks: how many tasks stay in the queue because
 * the API is away, refuses us, asked us to wait, or is not configured.  Any
 * thread; reads the store. */
enum rc workers_parked(const struct workers *w,
		       void (*fn)(void *arg, const char *instance,
				  enum centra_api api, uint64_t tasks),
		       void *arg, struct err *e);

const char *api_name(enum centra_api api); /* in logs and metrics */

#endif
