/* SPDX-License-Identifier: MIT
 *
 * fuzz_config.c - any bytes as the config file.  It is read or refused; a
 * refusal names each mistake with the file, and what was read holds together.
 *
 * The file lies in an empty folder of its own, so that a *_file that is named
 * finds nothing beside it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char dir[] = "/tmp/shipfrom-fuzz-XXXXXX";
static char path[64];

static void tidy(void)
{
	unlink(path);
	rmdir(dir);
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
}

static void check_refusal(const struct buf *report)
{
	const char *line = report->data, *end;
	size_t n = strlen(path);

	if (!report->len)
		abort();
	for (; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if ((!end && !buf_full(report)) ||
		    (end && (strncmp(line, path, n) || line[n] != ':')))
			abort();
	}
}

static void check_config(const struct config *c)
{
	if (!c->n_instances || !c->server.store_dir || !*c->server.store_dir)
		abort();
	for (size_t i = 0; i < c->n_instances; i++) {
		const struct config_instance *in = &c->instances[i];

		if (config_instance(c, in->id) != in || !in->webhook_secret ||
		    !*in->webhook_secret || !in->order_api_url || !in->zone)
			abort();
	}
	for (size_t i = 0; i < c->n_shops; i++) {
		const struct config_shop *s = &c->shops[i];

		if (config_shop(c, s->id) != s ||
		    !config_instance(c, s->centra) || !s->warehouses.n)
			abort();
		for (size_t k = 0; k < s->warehouses.n; k++)
			if (config_shop_of(c, s->centra,
					   s->warehouses.ids[k]) != s)
				abort();
	}
}

/* Zones can only be loaded while there is but one thread, and the fuzzer starts
 * another: that of the corpus is loaded here. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t first[] = "[server]\nstore = lmdb:/x\n"
				       "[centra se]\n"
				       "webhook_secret = a\n"
				       "order_api_url = http://x\n"
				       "order_api_key = b\n"
				       "time_zone = Europe/Stockholm\n";

	(void)argc;
	(void)argv;
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/ini", dir);
	atexit(tidy);
	return LLVMFuzzerTestOneInput(first, sizeof(first) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = NULL;
	struct buf report;
	struct err e = {""};
	enum rc rc;

	write_file(data, size);
	buf_init(&report, 65536);
	rc = config_load(&c, path, &report, &e);
	if (rc) {
		if (rc != RC_INVALID || c || !*e.text)
			abort();
		check_refusal(&report);
	} else {
		if (!c || report.len)
			abort();
		check_config(c);
		config_drop(c);
	}
	buf_release(&report);
	return 0;
}
