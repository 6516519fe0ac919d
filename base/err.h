/* SPDX-License-Identifier: MIT
 *
 * err.h - how a function of this program reports a failure.
 *
 * It returns an rc.  If that is not OK, *e has one sentence: lower case, no
 * full stop, and the wrong 'thing' in quotes.  base/, store/, centra/ and
 * handlers/ never log: they return, and server/ logs once.
 *
 * Add a new rc only if some caller has to act differently on it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum [[nodiscard]] rc {
	OK = 0,
	RC_NOTFOUND, /* there is no such thing; often not a failure */
	RC_EXISTS,   /* it exists already; often not a failure */
	RC_INVALID,  /* the input is wrong; retrying will not help */
	RC_DENIED,   /* not allowed: a setting or a credential must change */
	RC_CONFLICT, /* the request is valid, but another answer came first */
	RC_FULL,     /* no room left; an operator must act */
	RC_AGAIN,    /* failed for now; the same call may work later */
	RC_IO,       /* disk or library failure; the process should restart */
	RC_DAMAGED,  /* the store's file is damaged; restarting will not help */
};

struct err {
	char text[240];
};

/* Writes the sentence (cut to fit) and returns rc, so that a failing branch is
 * one line.  e may be NULL. */
enum rc fail(struct err *e, enum rc rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "notfound", "io", ...: the name of an rc, for logs and metrics. */
const char *rc_name(enum rc rc);

#endif
