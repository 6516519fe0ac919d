/* SPDX-License-Identifier: MIT
 *
 * product.h - sizes by GraphQL: productSizes(where, limit, page), with the stock
 * in one warehouse (CONTRACT 10).
 *
 * Threads:  any thread.
 */
#ifndef SIM_PRODUCT_H
#define SIM_PRODUCT_H

#include "tests/sim/gql.h"

/* The value of a field of Query; NULL: it is not one of these.  *why: what is
 * wrong with its arguments (a constant). */
cJSON *product_query(const struct field *f, const char **why);

#endif
