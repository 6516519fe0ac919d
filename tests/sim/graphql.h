/* SPDX-License-Identifier: MIT
 *
 * graphql.h - the Integration API: the queries and mutations of CONTRACT 6.4 to
 * 6.7 and 6.6, checked against the fields that are attested there, and answered
 * with only what was asked for.
 */
#ifndef SIM_GRAPHQL_H
#define SIM_GRAPHQL_H

#include "tests/sim/exchange.h"

void graphql_start(const char *token);
void graphql_set_token(const char *token); /* any thread */
/* {"quota","window_ms"}: 429 beyond it; quota 0 = no limit. */
void graphql_set_limit(const cJSON *spec);
/* The permissions that the token lacks: a list of Centra's names. */
void graphql_set_denied(const cJSON *names);
void graphql_stop(void);

void graphql_answer(struct exchange *x);

#endif
