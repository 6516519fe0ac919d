/* SPDX-License-Identifier: MIT
 *
 * secret_use.h - since when an instance's webhook secrets are in use.  A value.
 */
#ifndef STORE_MODEL_SECRET_USE_H
#define STORE_MODEL_SECRET_USE_H

#include <stdint.h>

/* Bytes of a fingerprint, by which secrets are told apart; a secret itself is
 * never kept. */
#define SECRET_PRINT 8

struct secret_use {
	unsigned char current[SECRET_PRINT], previous[SECRET_PRINT];
	int64_t current_first; /* when `current` signed first; 0: not yet */
	int64_t previous_last; /* when `previous` signed last; 0: never seen */
};

#endif
