/* SPDX-License-Identifier: MIT
 *
 * cli.c - finds the verb and reads its options; and helpers that the verbs
 * share.
 */
#include "server/cli/cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/storage/storage.h"
#include "base/nearest.h"
#include "base/number.h"

#define OUT_MAX	   (64 << 20)
#define FIRST_VALUE 1000 /* the value that getopt_long returns for option 0 */

const struct cli_option_row cli_options[OPTS] = {
	[OPT_CONFIG] = {"config", "FILE"},
	[OPT_JSON] = {"json", NULL},
	[OPT_HELP] = {"help", NULL},
	[OPT_ALL] = {"all", NULL},
	[OPT_DEAD] = {"dead", NULL},
	[OPT_KIND] = {"kind", "KIND"},
	[OPT_LAST] = {"last", "N"},
	[OPT_LIMIT] = {"limit", "N"},
	[OPT_NAME] = {"name", "LABEL"},
	[OPT_SHOP] = {"shop", "NAME"},
	[OPT_SINCE] = {"since", "SEQ|TIME"},
	[OPT_STATE] = {"state", "open|mine|done"},
	[OPT_QR] = {"qr", NULL},
	[OPT_READY] = {"ready", NULL},
	[OPT_REFUSED] = {"refused", NULL},
};

/* ---- help ---- */

static void print_overview(FILE *f)
{
	const struct cli_verb *v;

	fputs("shipfrom - takes Centra's check-first webhooks and lets shops "
	      "answer them\n\n"
	      "usage: shipfrom VERB [WORDS] [--config FILE]\n\n",
	      f);
	for (v = cli_verbs; v->name; v++)
		fprintf(f, "  %-11s %s\n", v->name, v->summary);
	fputs("\n`shipfrom VERB --help` teaches each.  Without --config the "
	      "settings are read\nfrom " CLI_CONFIG ".\n",
	      f);
}

static void print_help(const struct cli_verb *v)
{
	size_t i;

	printf("shipfrom %s - %s\n\nusage: shipfrom %s%s%s\n\n%s\noptions:\n",
	       v->name, v->summary, v->name, *v->usage ? " " : "", v->usage,
	       v->help);
	for (i = 0; i < OPTS; i++) {
		const struct cli_option_row *o = &cli_options[i];

		if (i > OPT_HELP && !(v->takes & 1u << i))
			continue;
		if (i == OPT_JSON && !(v->takes & 1u << i))
			continue;
		printf("  --%s%s%s%s\n", o->name, o->value ? " " : "",
		       o->value ? o->value : "",
		       i == OPT_CONFIG ? "  (else " CLI_CONFIG ")"
		       : i == OPT_JSON ? "  (one JSON object a line)"
				       : "");
	}
}

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

/* ---- options ---- */

bool cli_parse(struct cli_args *a, const struct cli_verb *verb, int argc,
	       char **argv)
{
	struct option table[OPTS + 1] = {0};
	size_t n = 0, i;
	int c;

	*a = (struct cli_args){.verb = verb};
	for (i = 0; i < OPTS; i++)
		if (i == OPT_CONFIG || i == OPT_HELP || verb->takes & 1u << i)
			table[n++] = (struct option){
				cli_options[i].name,
				cli_options[i].value ? required_argument
						     : no_argument,
				NULL, FIRST_VALUE + (int)i};
	opterr = 0;
	optind = 0; /* getopt starts afresh */
	while ((c = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (c == 'h') {
			a->value[OPT_HELP] = "";
		} else if (c >= FIRST_VALUE) {
			a->value[c - FIRST_VALUE] = optarg ? optarg : "";
		} else {
			(void)cli_usage(a,
					c == ':' ? "'%s' needs a value"
						 : "'%s' is no option of this "
						   "verb",
					argv[optind - 1]);
			return false;
		}
	}
	a->words = argv + optind;
	a->n_words = argc - optind;
	return true;
}

static const struct cli_verb *find_verb(const char *name)
{
	const struct cli_verb *v;

	for (v = cli_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int unknown_verb(const char *name)
{
	struct nearest near;
	const struct cli_verb *v;

	nearest_begin(&near, name);
	for (v = cli_verbs; v->name; v++)
		nearest_offer(&near, v->name);
	if (near.best)
		cli_say("shipfrom: there is no verb '%s'; did you mean '%s'?",
			name, near.best);
	else
		cli_say("shipfrom: there is no verb '%s'; `shipfrom --help` "
			"lists them", name);
	return EX_USAGE;
}

/* `shipfrom help VERB` is `shipfrom VERB --help`. */
static int help(const char *name)
{
	const struct cli_verb *v = name ? find_verb(name) : NULL;

	if (name && !v)
		return unknown_verb(name);
	if (v)
		print_help(v);
	else
		print_overview(stdout);
	return 0;
}

int cli_main(int argc, char **argv, const struct cli_server *server)
{
	static const struct option before[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	struct cli_args args;
	const struct cli_verb *v;
	int c, code;

	opterr = 0;
	optind = 0;
	c = getopt_long(argc, argv, "+hV", before, NULL);
	if (c == 'h')
		return help(NULL);
	if (c == 'V')
		return cli_version(NULL);
	if (c != -1) {
		fprintf(stderr, "shipfrom: options follow the verb, as in "
				"`shipfrom check --config FILE`\n");
		return EX_USAGE;
	}
	if (optind >= argc) {
		print_overview(stderr);
		return EX_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (!strcmp(argv[0], "help"))
		return help(argv[1]);
	v = find_verb(argv[0]);
	if (!v)
		return unknown_verb(argv[0]);
	if (!cli_parse(&args, v, argc, argv))
		return EX_USAGE;
	args.server = server;
	if (args.value[OPT_HELP])
		return help(v->name);
	code = v->fn(&args);
	if (fflush(stdout) || ferror(stdout))
		return code ? code : EX_IOERR;
	return code;
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

	if (d->id >= 1000000) /* the store gives ids in ascending order */
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

	/* Without the names, the numbers are printed. */
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
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is a full disk */
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
	case RC_EXISTS: /* it is being compacted */
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
	for (i = 0; i < s->n_devices; i++)
		free(s->devices[i]);
	free(s->devices);
	store_close(s->store);
	config_drop(s->config);
	buf_release(&s->out);
	return code;
}
