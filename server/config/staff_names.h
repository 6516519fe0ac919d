/* SPDX-License-Identifier: MIT
 *
 * staff_names.h - the setting `staff` of a shop: "Anna, Ben".
 */
#ifndef SERVER_CONFIG_STAFF_NAMES_H
#define SERVER_CONFIG_STAFF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The next name of a list at *at, which is moved behind it; NULL: no more. */
const char *staff_next(const char **at, size_t *ret_len);
bool staff_has(const char *list, const char *name);

#endif
