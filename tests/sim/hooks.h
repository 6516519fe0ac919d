/* SPDX-License-Identifier: MIT
 *
 * hooks.h - the webhook plugin: collects events, signs and posts them.
 *
 * One delivery after the other, as Centra does; up to `batch` events in each.
 * Switches (README.md) make it lose, repeat, reorder, delay and hold back, all
 * from one seed.
 *
 * Threads:  any thread, any call; one thread of its own sends.
 */
#ifndef SIM_HOOKS_H
#define SIM_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/json.h"

void hooks_start(const char *url, const char *secret, bool raw_space,
		 unsigned seed);
void hooks_stop(void);
void hooks_reset(void); /* forgets what waits; switches as at the start */

/* Queues an event with the date of now.  `data` becomes ours; may be NULL. */
void hooks_event(const char *type, const char *action, int64_t id,
		 cJSON *data);

void hooks_settings(const cJSON *spec);

/* One delivery of exactly what `spec` says, now: {"events":[..]}, {"payload":
 * any JSON} or {"raw": text}, with "space", "secret" and "t" if they are to
 * differ.  What the receiver answered: {"status","body"}. */
cJSON *hooks_send(const cJSON *spec);

/* Counts, switches, the events that wait and the newest deliveries. */
cJSON *hooks_state(void);

#endif
