/* SPDX-License-Identifier: MIT
 *
 * notify.h - notifies systemd: ready, stopping, alive.
 *
 * Without $NOTIFY_SOCKET every call does nothing, and the server runs the same
 * under any other supervisor.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "STOPPING=1", "WATCHDOG=1", ...  Never blocks. */
void notify(const char *state);

/* Returns the ms between signs of life, half of what $WATCHDOG_USEC allows; 0:
 * none are expected from this process. */
int64_t notify_watchdog(void);

#endif
