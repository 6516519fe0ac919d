/* SPDX-License-Identifier: MIT
 *
 * cli.c - helpers that the verbs share: what they print, and the session in
 * which they read the config and the store.
 */
#include "server/cli/cli.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "server/storage/storage.h"

#define OUT_MAX (64 << 20)

int cli_usage(const struct cli_args *a, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_say("shipfrom %s: %s", a->verb->name, text);
	fprintf(stderr, "usage: shipfrom %s%s%s\n`shipfrom %s --help` says "
			"more\n",
		a->verb->name, *a->verb->usage ? " " : "", a->verb->usage,
		a->verb->name);
	return EX_USAGE;
}

/* ---- words ---- */

bool cli_order_name(const char *word, char instance[INSTANCE_SIZE],
		    int64_t *ret_number)
{
	const char *slash = strchr(word, '/');
	size_t len = slash ? (size_t)(slash - word) : 0;

	instance[0] = '\0';
	if (slash && (!len || len >= INSTANCE_SIZE))
		return false;
	if (!number_read(slash ? slash + 1 : word, 0, INT64_MAX, ret_number))
		return false;
	memcpy(instance, word, len);
	instance[len] = '\0';
	return true;
}

void cli_text(struct buf *out, const char *text)
{
	buf_visible(out, text);
}

void cli_say(const char *fmt, ...)
{
	char text[4096];
	struct buf shown;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_trim(text);
	buf_init(&shown, 8 * sizeof(text));
	cli_text(&shown, text);
	buf_char(&shown, '\n');
	fputs(shown.data, stderr);
	buf_release(&shown);
}

void cli_say_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			cli_say("%s", line);
}

void cli_time(struct buf *out, const struct config *c, const char *instance,
	      int64_t t, bool millis)
{
	const struct config_instance *in = config_instance(c, instance);
	char iso[TIME_ISO_SIZE];

	if (t == TIME_NONE) {
		buf_char(out, '-');
		return;
	}
	time_iso(iso, t + zone_offset(in ? in->zone : NULL, t) * 60000LL, 0,
		 millis);
	iso[strcspn(iso, "Z")] = '\0';
	if (iso[0])
		iso[10] = ' ';
	buf_str(out, iso);
}

void cli_json_end(struct buf *out)
{
	json_end(out);
	buf_char(out, '\n');
}

void cli_json_count(struct buf *out, const char *name, uint64_t n)
{
	json_begin(out, NULL);
	json_put_uint(out, name, n);
	cli_json_end(out);
}

const char *cli_shop_name(const struct config *c, const char *instance,
			  int64_t warehouse)
{
	const struct config_shop *shop =
		config_shop_of(c, instance, warehouse);

	return shop ? shop->name : NULL;
}

static bool keep_device(void *arg, const struct device *d)
{
	struct cli_session *s = arg;

	if (d->id >= 1000000) /* no real id is that large: the store gives ids
			       * in ascending order */
		return false;
	if (d->id >= s->n_devices) {
		size_t n = d->id + 1;

		s->devices = xrealloc(s->devices, n, sizeof(*s->devices));
		while (s->n_devices < n)
			s->devices[s->n_devices++] = NULL;
	}
	free(s->devices[d->id]);
	s->devices[d->id] = xstrdup(d->name);
	return true;
}

void cli_know_devices(struct cli_session *s)
{
	struct err e;

	/* If the names cannot be read, numbers are printed instead. */
	if (store_devices(s->store, keep_device, s, &e))
		cli_say("shipfrom %s: cannot read the devices: %s",
			s->args->verb->name, e.text);
}

void cli_device_name(struct cli_session *s, struct buf *out, uint64_t id)
{
	if (id < s->n_devices && s->devices[id])
		cli_text(out, s->devices[id]);
	else
		buf_fmt(out, "device %" PRIu64, id);
}

/* ---- sessions ---- */

int cli_load_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets, struct buf *report)
{
	const char *path = a->value[OPT_CONFIG];
	struct err e;
	enum rc rc;

	*s = (struct cli_session){.args = a, .now = time_now()};
	s->json = a->value[OPT_JSON];
	buf_init(&s->out, OUT_MAX);
	buf_init(&s->left_out, CLI_REPORT_MAX);
	rc = (secrets == CLI_SECRETS ? config_load : config_load_without_secrets)(
		&s->config, path ? path : CLI_CONFIG, report, &e);
	if (rc && !report->len)
		buf_fmt(report, "%s\n", e.text);
	return rc ? EX_CONFIG : 0;
}

int cli_open_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets)
{
	struct buf report;
	int code;

	buf_init(&report, CLI_REPORT_MAX);
	code = cli_load_config(s, a, secrets, &report);
	if (code)
		cli_say_lines(report.data);
	buf_release(&report);
	return code;
}

int cli_open(struct cli_session *s, struct cli_args *a,
	     enum cli_secrets secrets)
{
	int code = cli_open_config(s, a, secrets);
	struct err e;
	enum rc rc;

	if (code)
		return code;
	signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit on file sizes then
				   * fails, and is reported as a full disk */
	rc = storage_open(&s->store, s->config, &e);
	if (!rc)
		return 0;
	cli_say("shipfrom %s: cannot open the store: %s%s", a->verb->name,
		e.text, rc == RC_NOTFOUND ? "; `shipfrom serve` makes it" : "");
	switch (rc) {
	case RC_DENIED:
		return EX_NOPERM;
	case RC_DAMAGED:
		return EX_DATAERR;
	case RC_IO:
		return EX_IOERR;
	case RC_EXISTS: /* a compaction has the store */
		return EX_TEMPFAIL;
	default:
		return EX_CANTCREAT;
	}
}

int cli_failed(const struct cli_session *s, enum rc rc, const struct err *e)
{
	cli_say("shipfrom %s: %s", s->args->verb->name, e->text);
	if (s->store && store_damaged(s->store))
		return EX_DATAERR;
	switch (rc) {
	case RC_NOTFOUND:
		return EXIT_NOTHING;
	case RC_INVALID:
		return EX_DATAERR;
	case RC_DENIED:
		return EX_NOPERM;
	case RC_FULL:
		return EX_CANTCREAT;
	case RC_AGAIN:
		return EX_TEMPFAIL;
	default:
		return EX_IOERR;
	}
}

enum rc cli_left_out(struct cli_session *s, enum rc rc, const struct err *e)
{
	if (rc != RC_INVALID)
		return rc;
	buf_fmt(&s->left_out, "shipfrom %s: %s\n", s->args->verb->name,
		e->text);
	return OK;
}

void cli_flush(struct cli_session *s)
{
	s->cut |= buf_full(&s->out);
	fwrite(s->out.data ? s->out.data : "", 1, s->out.len, stdout);
	buf_clear(&s->out);
}

int cli_close(struct cli_session *s, int code)
{
	size_t i;

	cli_flush(s);
	if (s->cut && !code) {
		fprintf(stderr, "shipfrom %s: too much to print at once\n",
			s->args->verb->name);
		code = EX_SOFTWARE;
	}
	if (s->left_out.len) {
		fflush(stdout);
		cli_say_lines(s->left_out.data);
		code = code ? code : EX_DATAERR;
	}
	for (i = 0; i < s->n_devices; i++)
		free(s->devices[i]);
	free(s->devices);
	store_close(s->store);
	config_drop(s->config);
	buf_release(&s->left_out);
	buf_release(&s->out);
	return code;
}

int cli_run(struct cli_args *a,
	    int (*open)(struct cli_session *s, struct cli_args *a,
			enum cli_secrets secrets),
	    enum cli_secrets secrets, int (*run)(struct cli_session *s))
{
	struct cli_session s;
	int code;

	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many", a->words[0]);
	code = open(&s, a, secrets);
	if (!code)
		code = run(&s);
	return cli_close(&s, code);
}
