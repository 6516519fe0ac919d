/* SPDX-License-Identifier: MIT
 *
 * notify.h - what systemd is told: ready, stopping, alive.
 *
 * Without $NOTIFY_SOCKET every call does nothing: the server runs the same
 * under any other supervisor.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "STOPPING=1", "WATCHDOG=1", ...  Never blocks. */
void notify(const char *state);

/* ms between signs of life, half of what $WATCHDOG_USEC allows; 0: none are
 * wanted of this process. */
int64_t notify_watchdog(void);

#endif
