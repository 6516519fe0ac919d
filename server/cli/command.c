/* SPDX-License-Identifier: MIT
 *
 * command.c - the command line: finds the verb, reads its options, prints the
 * help.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/nearest.h"
#include "server/cli/cli.h"

#define FIRST_VALUE 1000 /* what getopt_long() returns for the first option; the
			  * others follow */

/* The name of an option, and whether a value follows it. */
static const struct option_row {
	const char *name;
	const char *value; /* the name of the option's value in the help; NULL:
			    * it takes no value */
} options[OPTS] = {
	[OPT_CONFIG] = {"config", "FILE"},
	[OPT_JSON] = {"json", NULL},
	[OPT_HELP] = {"help", NULL},
	[OPT_ALL] = {"all", NULL},
	[OPT_CONFIRM] = {"confirm", NULL},
	[OPT_DEAD] = {"dead", NULL},
	[OPT_KIND] = {"kind", "KIND"},
	[OPT_LAST] = {"last", "N"},
	[OPT_LIMIT] = {"limit", "N"},
	[OPT_NAME] = {"name", "LABEL"},
	[OPT_SHOP] = {"shop", "NAME"},
	[OPT_SINCE] = {"since", "SEQ|TIME"},
	[OPT_STATE] = {"state", "open|mine|done"},
	[OPT_ORDER_API] = {"order-api", NULL},
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
		const struct option_row *o = &options[i];

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
				options[i].name,
				options[i].value ? required_argument
						     : no_argument,
				NULL, FIRST_VALUE + (int)i};
	opterr = 0;
	optind = 0; /* makes getopt() start from the beginning */
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

/* Runs `shipfrom help VERB` as `shipfrom VERB --help`. */
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
