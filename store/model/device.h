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

/* What a device's token opens. */
enum device_kind {
	DEVICE_STAFF,	  /* the staff page and the shops' API */
	DEVICE_ORDER_API, /* /order-api/{its shop} and nothing else */
	DEVICE_KINDS,
};

/* Returns "staff" or "order_api". */
const char *device_kind_name(enum device_kind k);

struct device {
	uint64_t id; /* given by the store */
	char shop[SHOP_SIZE];
	char name[LABEL_SIZE];
	int64_t created;
	bool removed;
	bool suspended; /* its store was restored from a backup: it may not act
			 * until it is readmitted */
	enum device_kind kind;
	int64_t used; /* ms: about when its token was last used; 0: never, or
		       * not known */
};

#endif
