/* SPDX-License-Identifier: MIT
 *
 * fuzz_stock_file.c - any bytes as a CSV file of counts.  What is read of it keeps
 * the promises of stock_file.h, and a file with a mistake says where it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/shop/stock_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1700000000000)

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What the mistakes said. */
struct told {
	size_t n;
};

static void tell(void *arg, unsigned line, const char *what)
{
	struct told *t = arg;

	must(*what && line <= STOCK_FILE_LINES + 1);
	t->n++;
}

static void check_counts(const struct stock_file *f, size_t size)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct stock_count *c = &f->list[i];

		must(c->code && *c->code);
		must(c->code >= f->text && c->code <= f->text + size);
		must(strlen(c->code) <= size);
		must(c->quantity >= 0);
		must(f->lines[i] >= 1 && f->lines[i] <= STOCK_FILE_LINES + 1);
		must(!i || f->lines[i] >= f->lines[i - 1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stock_file f = {0};
	struct told told = {0};
	size_t mistakes;

	mistakes = stock_file_read(&f, xstrndup((const char *)data, size), NOW,
				   tell, &told);
	must(mistakes >= told.n && (!mistakes || told.n));
	check_counts(&f, size);
	stock_file_release(&f);
	return 0;
}
