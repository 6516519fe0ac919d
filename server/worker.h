/* SPDX-License-Identifier: MIT
 *
 * worker.h - threads that lease tasks, run their handlers, and make the
 * results true.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <stdint.h>

#include "base/err.h"

struct app;
struct workers;

/* Starts the threads; each has its own connections to every Centra. */
enum rc workers_start(struct workers **ret, struct app *app, struct err *e);
/* Something may be due: the store's change hook, any thread. */
void workers_wake(struct workers *w);
/* New keys and tokens of a reloaded config are used from now on. */
void workers_reload(struct workers *w);
/* Waits for the runs under way; starts no more. */
void workers_stop(struct workers *w);

#endif
