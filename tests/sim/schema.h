/* SPDX-License-Identifier: MIT
 *
 * schema.h - the types and fields of the Integration API that are attested
 * (CONTRACT 6.4 to 6.6), and the check and the cut of a selection by them.
 */
#ifndef SIM_SCHEMA_H
#define SIM_SCHEMA_H

#include "tests/sim/gql.h"

/* NULL, or the message of the first field that does not exist.  `ret` is
 * where the message is written. */
const char *schema_check(const struct field *f, const char *type,
			 char ret[200]);

/* The type of a field of `type`; NULL: none such; "": a scalar. */
const char *schema_child(const char *type, const char *field);

/* The permission that a token needs for a field of `type`, by Centra's own
 * names; NULL: none. */
const char *schema_permission(const char *type, const char *field);

/* Of a full value, what the selection asks for. */
cJSON *schema_cut(const struct field *f, const cJSON *full);

#endif
