/* SPDX-License-Identifier: MIT
 *
 * sample.h - stores that older versions wrote (tests/data/stores/), for the
 * tests that open them.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include "tests/unit/store_fixture.h"

#include "handlers/handlers.h"
#include "handlers/lane.h"
#include "handlers/offer.h"

UNUSED static void derive_sample(void *arg, struct order *o)
{
	(void)arg;
	offer_derive(NULL, o);
}

/* How the store in the folder is opened. */
UNUSED static struct store_options sample_options(const char *dir)
{
	return (struct store_options){
		.url = url_of(dir),
		.max_bytes = (size_t)64 << 20,
		.derive = derive_sample,
		.place = handler_place,
		.fetch_kind = TASK_FETCH_ORDER,
	};
}

/* Puts a copy of the file into the folder, as its store. */
UNUSED static void sample_copy(const char *dir, const char *file)
{
	char *to = xasprintf("%s/data.mdb", dir), buf[4096];
	FILE *in = fopen(file, "rb"), *out = fopen(to, "wb");
	size_t n;

	assert_true(in && out);
	while ((n = fread(buf, 1, sizeof(buf), in)))
		assert_int_equal(fwrite(buf, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	free(to);
}

#endif
