/* SPDX-License-Identifier: MIT
 *
 * set_stock.h - the mutation setStock (CONTRACT 6.9): the absolute physical
 * stock of sizes in one warehouse, by EAN, SKU, UPC or any of them.
 *
 * What is not published is switched by the settings.  A call with a user error
 * changes nothing.
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_SET_STOCK_H
#define SIM_SET_STOCK_H

#include "tests/sim/json.h"

/* stock_below: "error" (a count below what is allocated is refused; "clamp": it
 * becomes what is allocated); stock_paths: whether an error's path names the
 * size (true); app_version: of the replies' extensions ("" leaves it out).
 * Below v1.59.10, a call with several sizes sets the first of them alone, and
 * says that all is well. */
void set_stock_settings(const cJSON *spec);
void set_stock_reset(void);
/* The version that the extensions of replies name; "": none. */
void set_stock_version(char ret[32]);

/* NULL: the mutation has another name. */
cJSON *set_stock_mutation(const char *name, const cJSON *args);

#endif
