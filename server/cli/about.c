/* SPDX-License-Identifier: MIT
 *
 * about.c - `serve`, and the verbs that print facts about the program itself.
 */
#include <stdio.h>
#include <sysexits.h>

#include "server/cli/cli.h"
#include "base/version.h"

#define TEXT_MAX (1 << 20)

static int too_many(struct cli_args *a)
{
	return cli_usage(a, "'%s' is one word too many", a->words[0]);
}

int cli_serve(struct cli_args *a)
{
	const char *path = a->value[OPT_CONFIG];

	return a->n_words ? too_many(a) :
			    a->server->serve(path ? path : CLI_CONFIG);
}

/* Prints the text that `describe` makes. */
static int print(struct cli_args *a,
		 void (*describe)(struct buf *out, bool json))
{
	struct buf out;

	if (a->n_words)
		return too_many(a);
	buf_init(&out, TEXT_MAX);
	describe(&out, a->value[OPT_JSON]);
	fputs(out.data ? out.data : "", stdout);
	buf_release(&out);
	return 0;
}

int cli_routes(struct cli_args *a)
{
	return print(a, a->server->routes);
}

int cli_settings(struct cli_args *a)
{
	return print(a, config_describe);
}

int cli_version(struct cli_args *a)
{
	if (a && a->n_words)
		return too_many(a);
	printf("shipfrom %s\n", SHIPFROM_VERSION);
	return fflush(stdout) ? EX_IOERR : 0;
}
