/* SPDX-License-Identifier: MIT
 *
 * device.h - a tablet, phone or till that may act for one shop.  A value.
 */
#ifndef STORE_MODEL_DEVICE_H
#define STORE_MODEL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"

#define TOKEN_HASH_SIZE 32 /* bytes of a SHA-256; the token itself is never
			    * kept */
#define LABEL_SIZE	129
#define CODE_LIVES	900000 /* ms for which a login link can be used: 15
			        * minutes */

struct device {
	uint64_t id; /* given by the store */
	char shop[SHOP_SIZE];
	char name[LABEL_SIZE];
	int64_t created;
	bool removed;
	bool suspended; /* its store was restored from a backup: it may not act
			 * until it is readmitted */
};

#endif
