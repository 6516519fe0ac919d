/* SPDX-License-Identifier: MIT
 *
 * login_limit.h - who has failed to sign in too often of late.
 *
 * Only sign-ins are counted, and only those that fail: a device with a good
 * token is never turned away, however many others fail from its address, and
 * neither is Centra, whatever signatures fail from where it comes.
 *
 * Memory:  a table of fixed size.  When there are more peers than it holds,
 *          those whose last failure is oldest are forgotten first.  Of IPv6 a
 *          peer is a /64: one host has that many addresses.
 * Threads: one, the loop's.
 */
#ifndef SERVER_ACCESS_LOGIN_LIMIT_H
#define SERVER_ACCESS_LOGIN_LIMIT_H

#include <stdint.h>

struct peers;

struct peers *peers_open(void);
void peers_close(struct peers *p); /* NULL is fine */

/* A sign-in from `peer`, an address, failed.  `most` a minute are allowed; 0:
 * any number.  `now` as time_mono(). */
void peers_failed(struct peers *p, const char *peer, int64_t most,
		  int64_t now);
/* How long (ms) it is to wait before it may fail again; 0: it may. */
int64_t peers_wait(const struct peers *p, const char *peer, int64_t most,
		   int64_t now);

#endif
