/* SPDX-License-Identifier: MIT
 *
 * random.h - random bytes from the kernel.  Any thread.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills p with len random bytes, good enough for secrets.  False: the kernel gave
 * none, and p must not be used. */
bool random_bytes(void *p, size_t len);

/* Returns a random number, or one made from the clock if the kernel gives none.
 * For numbers that must differ, such as ids and waits; not for secrets. */
uint64_t random_number(void);

#endif
