/* SPDX-License-Identifier: MIT
 *
 * products.h - reads what a code is, and how many of it lie in a warehouse
 * (CONTRACT 10).  Nothing here changes anything at Centra.
 *
 * Threads:  one at a time for each connection.
 */
#ifndef CENTRA_PRODUCTS_H
#define CENTRA_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/centra.h"

#define GOODS_CODE_MAX     64 /* characters of an EAN, UPC or SKU, at most */
#define PRODUCTS_MAX 20 /* sizes that one read returns, at most */

/* A size of a product, as the Order API shows it. */
struct centra_product {
	char *name; /* owned, or NULL, as all texts here: its name in shops */
	char *product; /* its name in Centra */
	char *variant, *size;
	char *sku; /* the whole code: sku, variantSku and sizeSku together */
	char *ean, *upc;
	char *picture; /* the URL of its first picture */
	bool active;
};

struct centra_products {
	struct call call;
	struct centra_product *list; /* owned */
	size_t n;
};

/* Lists the sizes that the Order API has by an EAN, or by a SKU: the one whose
 * whole code it is, or else those of the product whose `sku` it is.  An empty
 * list: it knows none, or hides them.  call.refused: Centra refuses the key, or
 * the plugin does not allow `GET /products`; only the first holds back other
 * calls. */
void order_api_products(struct centra_conn *n, bool by_sku, const char *code,
			struct centra_products *ret);
void centra_products_release(struct centra_products *p);

/* ---- sizes and their stock, by GraphQL ---- */

enum centra_code { CODE_EAN, CODE_UPC, CODE_SKU };

/* A size to look for. */
struct centra_wanted {
	enum centra_code by;
	const char *code; /* borrowed */
};

/* A size that was found. */
struct centra_size {
	size_t wanted; /* which of those it was found by */
	int64_t id;
	char *sku, *ean, *upc, *size; /* owned, or NULL */
	/* Its stock in the warehouse that was asked for.  False: Centra has none
	 * to show there. */
	bool stocked;
	int64_t physical, allocated, free;
};

struct centra_sizes {
	struct call call;
	bool never; /* Centra does not answer this query: it lacks a name of it,
		     * or our token a permission */
	struct centra_size *list; /* owned */
	size_t n;
};

#define SIZES_MAX 20 /* that are looked for at once, at most */

/* Looks for sizes; with a warehouse (not 0) also for their stock there, which
 * needs the permission ProductSize.stock:read.  A code may be found more than
 * once, since an EAN need not be unique.  call.refused with an HTTP status of
 * 200: only a permission is missing. */
void graphql_sizes(struct centra_conn *n, const struct centra_wanted *wanted,
		   size_t n_wanted, int64_t warehouse,
		   struct centra_sizes *ret);
void centra_sizes_release(struct centra_sizes *s);

#endif
