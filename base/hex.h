/* SPDX-License-Identifier: MIT
 *
 * hex.h - hexadecimal digits.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the value of a hexadecimal digit, small or capital; -1: c is no such
 * digit. */
int hex_digit(char c);
/* Returns the value, 0 to 255, of the two digits at s; -1: there are no two
 * digits.  Never reads past a NUL. */
int hex_byte(const char *s);
/* Reads n bytes from the 2 * n digits at s.  False: s has fewer digits. */
bool hex_read(void *ret, const char *s, size_t n);
/* Writes 2 * n small digits and a NUL. */
void hex_write(char *ret, const void *bytes, size_t n);

#endif
