/* SPDX-License-Identifier: MIT
 *
 * report.c - `report`: what each shop was offered and what it answered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "server/cli/cli.h"
#include "server/shop/report.h"
#include "base/since.h"

static void print_seconds(struct buf *out, int64_t ms)
{
	char text[24] = "-";

	if (ms != TIME_NONE && ms < 600000)
		snprintf(text, sizeof(text), "%" PRId64 " s",
			 (ms + 500) / 1000);
	else if (ms != TIME_NONE)
		snprintf(text, sizeof(text), "%" PRId64 " min",
			 (ms + 30000) / 60000);
	buf_fmt(out, "  %7s", text);
}

static void print_reasons(struct buf *out, const struct report *r)
{
	const char *before = "           ";

	for (int i = 0; i < REASONS; i++) {
		if (!r->rejected[i])
			continue;
		buf_fmt(out, "%s%s %u", before,
			report_reason_name((enum report_reason)i),
			r->rejected[i]);
		before = ", ";
	}
	if (*before == ',')
		buf_char(out, '\n');
}

static void print_report(struct cli_session *s, const struct report *r)
{
	unsigned rejected = 0;

	if (s->json) {
		report_json(&s->out, r);
		buf_char(&s->out, '\n');
		return;
	}
	for (int i = 0; i < REASONS; i++)
		rejected += r->rejected[i];
	buf_fmt(&s->out, "%7u  %8u  %8u  %6u  %5u", r->offered, r->accepted,
		rejected, r->missed, r->taken);
	print_seconds(&s->out, report_percentile(r, 50));
	print_seconds(&s->out, report_percentile(r, 90));
	buf_fmt(&s->out, "  %7u  %5u  ", r->shipped, r->shipped_within_a_day);
	cli_text(&s->out, r->shop->id);
	if (r->unreadable)
		buf_str(&s->out, "  (not all: some are damaged)\n");
	else
		buf_str(&s->out, r->complete ? "\n" : "  (not all: too many)\n");
	print_reasons(&s->out, r);
}

/* Prints the report of one shop; returns the exit code. */
static int report_shop(struct cli_session *s, const struct config_shop *shop)
{
	const char *word = s->args->value[OPT_SINCE];
	const struct config_instance *in =
		config_instance(s->config, shop->centra);
	struct report r;
	int64_t since;
	struct err e;
	enum rc rc;

	if (!since_read(word ? word : "7d", in ? in->zone : NULL, s->now,
			&since))
		return cli_usage(s->args, "--since %s", SINCE_WANT);
	rc = report_make(&r, s->store, shop, since, s->now, &e);
	if (rc)
		return cli_failed(s, rc, &e);
	print_report(s, &r);
	if (r.unreadable) {
		rc = fail(&e, RC_INVALID,
			  "%u order%s of shop '%s' cannot be read and %s left "
			  "out (the first: %s/%" PRId64
			  "); `shipfrom verify` lists all faults",
			  r.unreadable, r.unreadable == 1 ? "" : "s", shop->id,
			  r.unreadable == 1 ? "is" : "are", shop->centra,
			  r.first_unreadable);
		(void)!cli_left_out(s, rc, &e);
	}
	report_release(&r);
	return 0;
}

int cli_report(struct cli_args *a)
{
	const char *only = a->value[OPT_SHOP];
	struct cli_session s;
	int code;

	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many", a->words[0]);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code && only && !config_shop(s.config, only)) {
		cli_say("shipfrom report: there is no [shop %s]", only);
		code = EXIT_NOTHING;
	}
	if (!code && !s.json)
		buf_str(&s.out, "OFFERED  ACCEPTED  REJECTED  MISSED  TAKEN  "
				" MEDIAN      P90  SHIPPED  1 DAY  SHOP\n");
	for (size_t i = 0; !code && i < s.config->n_shops; i++)
		if (!only || !strcmp(only, s.config->shops[i].id))
			code = report_shop(&s, &s.config->shops[i]);
	return cli_close(&s, code);
}
