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
#include "handlers/feed.h"
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
	const atomic_bool *failed; /* the disk has failed: no run begins any
				    * more */
};

/* Starts the threads.  Each has its own connections to every Centra. */
enum rc workers_start(struct workers **ret, const struct worker_parts *parts,
		      struct err *e);
/* Wakes a thread, since a task may be due.  Any thread. */
void workers_wake(struct workers *w);
/* Takes over the keys, tokens and budgets of a reloaded config, and tries at
 * once the tasks that waited because of the old ones. */
void workers_reload(struct workers *w);
/* Detects that the wall clock was set back.  Call it again and again with
 * time_now() and time_mono(), from any thread.  Tasks that were to be due at a
 * time by the old clock are made due at once.  A task that a run or request
 * adds while this happens keeps its time. */
void workers_clock(struct workers *w, int64_t wall, int64_t mono);
/* Starts no more runs, and waits for the runs under way. */
void workers_stop(struct workers *w);

/* Returns the i-th account, for code that calls Centra or shows its state.  It
 * lives as long as the workers do.  NULL: there are no more. */
#define SHOP_ACCOUNT "shop/" /* no instance's name has a slash */
struct account {
	char *instance;		 /* owned */
	struct centra *centra;	 /* owned */
	const struct zone *zone; /* borrowed: zones live as long as the
				  * process */
	bool of_shop; /* it is a shop's own Order API plugin, and its name is
		       * SHOP_ACCOUNT with the shop's id */
	int64_t settle; /* ms after which Centra can no longer act on a call
			 * that began; a reload does not change it */
};
const struct account *workers_account(const struct workers *w, size_t i);
/* Counts the tasks that stay in the queue because their API is away, refuses
 * our key, asked us to wait, or is not configured.  Calls fn for each API of
 * each account, and of each instance that is no longer in the config but has
 * tasks.  Any thread; reads the store. */
enum rc workers_parked(const struct workers *w,
		       void (*fn)(void *arg, const char *instance,
				  enum centra_api api, uint64_t tasks),
		       void *arg, struct err *e);

/* Returns the progress of a feed of the i-th account; NULL: there are no more.
 * Its atomic members may be read by any thread. */
const struct feed_progress *workers_feed(const struct workers *w, size_t i,
					 enum feed feed);

/* A shop's own system (notify_url).  Texts are borrowed, and live as long as the
 * workers do. */
struct receiver_state {
	const char *instance, *shop;
	bool set;  /* the present config has it */
	bool away; /* it does not answer, or refuses all */
};
/* Returns the i-th of them; false: there are no more.  Any thread. */
bool workers_receiver(struct workers *w, size_t i, struct receiver_state *ret);

const char *api_name(enum centra_api api); /* in logs and metrics */

/* Counts and logs a call to Centra that no task made, and tells the clock its
 * Date.  `what` as in struct work.  Any thread. */
void workers_called(const struct workers *w, const char *instance,
		    enum centra_api api, const char *what,
		    const struct call *call);

#endif
