/* SPDX-License-Identifier: MIT
 *
 * store.c - `verify`, `backup` and `compact`: the store as a whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/time.h"
#include "server/cli/cli.h"

#define TOLD_MAX 1000 /* the most faults that are printed; more are only
		       * counted */

/* ---- verify ---- */

struct telling {
	struct cli_session *s;
	uint64_t told;
};

/* Called inside the store's read: keeps the output, which is printed
 * afterwards. */
static void tell_wrong(void *arg, const char *table, const char *what)
{
	struct telling *t = arg;
	struct buf *b = &t->s->out;

	if (t->told++ >= TOLD_MAX)
		return;
	if (t->s->json) {
		json_begin(b, NULL);
		json_put(b, "table", table);
		json_put(b, "wrong", what);
		cli_json_end(b);
		return;
	}
	buf_fmt(b, "%s: ", table);
	cli_text(b, what);
	buf_char(b, '\n');
}

static void counts_as_json(struct buf *b, const char *table, uint64_t rows,
			   uint64_t wrong)
{
	json_begin(b, NULL);
	json_put(b, "table", table);
	json_put_uint(b, "rows", rows);
	json_put_uint(b, "wrong_rows", wrong);
	cli_json_end(b);
}

static void print_counts(struct cli_session *s, const struct store_verified *v)
{
	if (!s->json)
		buf_str(&s->out, "TABLE               ROWS       WRONG\n");
	for (size_t i = 0; i < v->n; i++) {
		const char *name = v->tables[i].name;
		uint64_t rows = v->tables[i].rows, wrong = v->tables[i].wrong;

		if (s->json)
			counts_as_json(&s->out, name, rows, wrong);
		else
			buf_fmt(&s->out,
				"%-12s  %10" PRIu64 "  %10" PRIu64 "\n", name,
				rows, wrong);
	}
}

static int verify(struct cli_session *s)
{
	struct telling t = {.s = s};
	struct store_verified v;
	struct err e;
	enum rc rc = store_verify(s->store, tell_wrong, &t, &v, &e);

	if (rc)
		return cli_failed(s, rc, &e);
	print_counts(s, &v);
	cli_flush(s);
	if (!v.wrong) {
		fprintf(stderr, "The store is whole.\n");
		return 0;
	}
	if (v.wrong > TOLD_MAX)
		fprintf(stderr, "%" PRIu64 " more are not told.\n",
			v.wrong - TOLD_MAX);
	fprintf(stderr, "%" PRIu64 " %s wrong.\n", v.wrong,
		v.wrong == 1 ? "thing is" : "things are");
	return EX_DATAERR;
}

int cli_verify(struct cli_args *a)
{
	return cli_run(a, cli_open, CLI_NO_SECRETS, verify);
}

/* ---- backup ---- */

static int backup(struct cli_session *s, const char *file)
{
	int64_t began = time_mono();
	struct stat st;
	struct err e;
	enum rc rc = store_backup(s->store, file, &e);

	if (rc == RC_EXISTS) {
		cli_say("shipfrom backup: %s; nothing is overwritten", e.text);
		return EX_CANTCREAT;
	}
	if (rc) {
		int code = cli_failed(s, rc, &e);

		return rc == RC_NOTFOUND ? EX_CANTCREAT : code;
	}
	if (stat(file, &st))
		st.st_size = 0;
	if (s->json) {
		json_begin(&s->out, NULL);
		json_put(&s->out, "file", file);
		json_put_int(&s->out, "bytes", st.st_size);
		cli_json_end(&s->out);
	}
	cli_say("%s: %" PRId64 " KiB, in %" PRId64 " ms", file,
		(int64_t)st.st_size / 1024, time_mono() - began);
	return 0;
}

int cli_backup(struct cli_args *a)
{
	struct cli_session s;
	int code;

	if (a->n_words != 1)
		return cli_usage(a, "to which FILE? one that is not there yet");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = backup(&s, a->words[0]);
	return cli_close(&s, code);
}

/* ---- compact ---- */

static int compact(struct cli_session *s)
{
	int64_t began = time_mono();
	struct store_compacted c = {0};
	struct err e;
	enum rc rc = store_compact(s->config->server.store, &c, &e);
	int code = rc ? cli_failed(s, rc, &e) : 0;

	if (rc == RC_EXISTS)
		return EX_TEMPFAIL;
	if (rc == RC_FULL)
		fprintf(stderr, "The folder's disk needs room for a second "
				"copy of what is in use.  Nothing was "
				"changed.\n");
	if (rc == RC_DAMAGED)
		return EX_DATAERR;
	if (rc)
		return rc == RC_NOTFOUND ? EX_CANTCREAT : code;
	if (s->json) {
		json_begin(&s->out, NULL);
		json_put_uint(&s->out, "before", c.before);
		json_put_uint(&s->out, "after", c.after);
		cli_json_end(&s->out);
	}
	fprintf(stderr,
		"%" PRIu64 " KiB, before %" PRIu64 " KiB, in %" PRId64 " ms\n",
		c.after / 1024, c.before / 1024, time_mono() - began);
	return 0;
}

int cli_compact(struct cli_args *a)
{
	return cli_run(a, cli_open_config, CLI_NO_SECRETS, compact);
}
