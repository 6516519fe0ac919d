/* SPDX-License-Identifier: MIT
 *
 * gql.h - reads a GraphQL document with one operation: what is asked of which
 * field.  Fragments other than inline ones, and directives, are refused.
 */
#ifndef SIM_GQL_H
#define SIM_GQL_H

#include <stdbool.h>

#include "tests/sim/json.h"

struct field {
	char *name;  /* owned; NULL for an inline fragment */
	char *alias; /* owned: the key in the answer; or the fragment's type */
	cJSON *args; /* owned: an object, variables put in */
	struct field *children; /* owned */
	struct field *next;     /* owned */
};

/* The fields of the operation, or NULL with *why (a constant).  `variables`
 * is borrowed and may be NULL. */
struct field *gql_parse(const char *text, const cJSON *variables,
			bool *ret_mutation, const char **why);
void gql_free(struct field *f);

#endif
