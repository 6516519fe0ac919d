/* SPDX-License-Identifier: MIT
 *
 * login_limit.h - client addresses from which too many sign-ins failed lately.
 *
 * Only sign-ins are counted, and only those that fail: a device with a good
 * token is never refused, however many others fail from its address, and
 * neither is Centra, whatever signatures fail from its address.
 *
 * Memory:  a table of fixed size.  When there are more addresses than it holds,
 *          those whose last failure is oldest are forgotten first.  An IPv6
 *          address counts as its /64: one host has that many addresses.
 * Threads: any.
 */
#ifndef SERVER_ACCESS_LOGIN_LIMIT_H
#define SERVER_ACCESS_LOGIN_LIMIT_H

#include <stdint.h>

struct login_failures;

struct login_failures *login_failures_open(void);
void login_failures_close(struct login_failures *f); /* NULL is fine */

/* Notes that a sign-in from a client address failed.  `most` failures a minute
 * are allowed; 0: any number.  `now` as time_mono(). */
void login_failed(struct login_failures *f, const char *client, int64_t most,
		  int64_t now);
/* Returns how long (ms) the address must wait until it may fail again; 0: it
 * need not wait. */
int64_t login_wait(struct login_failures *f, const char *client, int64_t most,
		   int64_t now);

#endif
