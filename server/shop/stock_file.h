/* SPDX-License-Identifier: MIT
 *
 * stock_file.h - reads a CSV file of counts: bytes in, counts or mistakes out.
 * Pure.
 *
 * The first line names the columns: "ean" or "sku", "quantity", and perhaps
 * "counted_at"; other columns are left out.  A comma, a semicolon or a tab
 * separates; fields may stand in double quotes, which end on the same line.  A line
 * ends with LF, CR or both.  A file whose first line is
 * digits and a number has the columns ean and quantity, and no such line.
 */
#ifndef SERVER_SHOP_STOCK_FILE_H
#define SERVER_SHOP_STOCK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "handlers/stock_item.h"

#define STOCK_FILE_BYTES (16 << 20) /* most */
#define STOCK_FILE_LINES 200000

struct stock_file {
	struct stock_count *list; /* owned; the codes point into `text` */
	unsigned *lines;	  /* owned: where each stands, from 1 */
	size_t n;
	char *text; /* owned: the file, changed */
};

/* Called with each mistake and its line. */
typedef void stock_mistake_fn(void *arg, unsigned line, const char *what);

/* Reads a file's text, which it takes over.  Counts without a time are from
 * `now`.  Returns how many mistakes there are. */
size_t stock_file_read(struct stock_file *ret, char *text, int64_t now,
		       stock_mistake_fn *tell, void *arg);
void stock_file_release(struct stock_file *f); /* a zeroed one is fine */

#endif
