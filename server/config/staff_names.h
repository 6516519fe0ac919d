/* SPDX-License-Identifier: MIT
 *
 * staff_names.h - reads the setting `staff` of a shop, a list such as "Anna,
 * Ben".
 */
#ifndef SERVER_CONFIG_STAFF_NAMES_H
#define SERVER_CONFIG_STAFF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the next name of the list at *at, and moves *at behind it; NULL:
 * there are no more. */
const char *staff_next(const char **at, size_t *ret_len);
bool staff_has(const char *list, const char *name);

#endif
