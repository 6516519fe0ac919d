/* SPDX-License-Identifier: MIT
 *
 * reply.h - any bytes as what Centra replies to one of our calls.
 *
 * The first line of an input says to which call, and with what status:
 * "orders 200".  The rest is the reply's body.  The linker puts
 * __wrap_transport_post() in the place of transport_post().
 */
#ifndef TESTS_FUZZ_REPLY_H
#define TESTS_FUZZ_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/graphql.h"

struct reply_call {
	const char *name; /* of the input's first line */
	void (*run)(void);
};

/* The reply that the next call gets. */
struct reply {
	const char *body;
	size_t len;
	long status;
};
extern struct reply reply_next;

/* Runs the call that the input names.  Returns what LLVMFuzzerTestOneInput()
 * returns. */
int reply_run(const uint8_t *data, size_t size, const struct reply_call *calls,
	      size_t n_calls);

/* ---- for the calls ---- */

/* A connection of an account; nothing is ever sent on it. */
struct centra_conn *reply_conn(void);

void must(bool holds); /* ends the process if not */
/* A text that is handed out is UTF-8, and not longer than max. */
void check_text(const char *s, size_t max);
/* An outcome that is not sure has its reason; what was misread was not done. */
void check_call(const struct call *c);
void check_done(struct centra_done *d); /* and releases it */

#endif
