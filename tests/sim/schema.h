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

/* The fields of a type, as " name name:Type "; NULL: no such type. */
const char *schema_fields(const char *type);

/* Names that this Centra does not have, "Type", "Type.field", "Enum.VALUE" or
 * "field.argument"; NULL: it has all.  Any thread. */
void schema_hide(const cJSON *list);
bool schema_is_hidden(const char *type, const char *name);

/* The type of a field of `type`; NULL: none such; "": a scalar. */
const char *schema_child(const char *type, const char *field);

/* The permission that a token needs for a field of `type`, by Centra's own
 * names; NULL: none. */
const char *schema_permission(const char *type, const char *field);

/* Of a full value, what the selection asks for. */
cJSON *schema_cut(const struct field *f, const cJSON *full);

#endif
