/* SPDX-License-Identifier: MIT
 *
 * browser.h - a tablet's browser, as far as signing in goes: it opens a login
 * link, keeps the cookie, and sends what our page would.
 *
 * Threads: any, each its own browser; but for browser_link().
 */
#ifndef HARNESS_BROWSER_H
#define HARNESS_BROWSER_H

#include "tests/harness/shipfrom.h"

struct browser {
	struct shipfrom *s;
	char device[16];   /* its number, as `device list` shows it */
	char code[64];	   /* of its login link */
	char cookie[160];  /* "shipfrom_session=..." once it has signed in */
	char csrf[64];	   /* what /api/v1/me gave */
	const char *origin; /* sent with each POST and DELETE; NULL: not */
	const char *key;    /* Idempotency-Key of the next POST; NULL: none */
};

/* Adds a device and takes its login link.  Fails the test if it cannot. */
void browser_link(struct browser *b, struct shipfrom *s, const char *shop);
/* POSTs the code; keeps cookie and token.  The status. */
long browser_signs_in(struct browser *b);
/* As our page asks. */
struct answer browser_does(struct browser *b, const char *method,
			   const char *path, const char *json);
/* The headers of a GET, for listener_open(): lines with \r\n. */
const char *browser_lines(const struct browser *b, char ret[256]);

#endif
