/* SPDX-License-Identifier: MIT
 *
 * introspect.h - the schema as GraphQL's introspection tells it: the fields of
 * schema.h, and the arguments, input objects and enums that are attested
 * (CONTRACT 6.4 to 6.7).
 */
#ifndef SIM_INTROSPECT_H
#define SIM_INTROSPECT_H

#include "tests/sim/json.h"

/* A __Type in full; NULL: there is no such type. */
cJSON *introspect_type(const char *name);

#endif
