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

/* Returns how often to send "WATCHDOG=1", in ms: half of what $WATCHDOG_USEC
 * allows; 0: systemd does not ask this process for it. */
int64_t notify_watchdog(void);

#endif
