/* SPDX-License-Identifier: MIT
 *
 * exchange.h - one HTTP request and its answer, and how a fault spoils it.
 *
 * http.c fills the first half and sends the second; everything between works
 * with values only.
 */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/faults.h"
#include "tests/sim/json.h"

enum cut { CUT_NOTHING, CUT_HALF, CUT_ALL };

struct exchange {
	/* Borrowed from the connection. */
	const char *method, *path; /* the path without its prefix */
	const char *authorization, *api_authorization; /* or NULL */
	const char *soap_action; /* or NULL */
	const char *query_order; /* ?order=, or NULL */
	/* Any other argument of the query: its text, or NULL. */
	const char *(*query)(const struct exchange *x, const char *name);
	void *connection; /* query's own */
	const char *body;        /* with a NUL behind it */

	unsigned status;
	char *reply;      /* owned */
	const char *type; /* a constant: the media type */
	char retry_after[64];
	enum cut cut;
	bool gzip; /* sent compressed */
};

/* Answers with a JSON value, which becomes ours. */
void exchange_json(struct exchange *x, unsigned status, cJSON *v);
void exchange_text(struct exchange *x, unsigned status, const char *type,
		   const char *text);

/* A fault that keeps the call from acting: true when x is answered by it. */
bool exchange_fault_before(struct exchange *x, const struct fault *f);
/* A fault that spoils the answer of a call that has acted. */
void exchange_fault_after(struct exchange *x, const struct fault *f);

#endif
