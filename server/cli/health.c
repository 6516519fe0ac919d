/* SPDX-License-Identifier: MIT
 *
 * health.c - `health`: asks the running server whether it serves.  It is the
 * health check of a container, whose image has no other client.
 */
#include <stdio.h>
#include <sysexits.h>

#include "server/cli/cli.h"
#include "server/cli/admin.h"

static int ask(struct cli_session *s)
{
	const char *path = s->args->value[OPT_READY] ? "/readyz" : "/healthz";
	struct admin_answer a;
	struct err e;
	int status;

	if (cli_public(s->config, "GET", path, &a, &e)) {
		cli_say("shipfrom health: %s", e.text);
		return EX_UNAVAILABLE;
	}
	buf_str(&s->out, a.body.data ? a.body.data : "");
	buf_char(&s->out, '\n');
	status = a.status;
	buf_release(&a.body);
	return status == 200 ? 0 : EX_UNAVAILABLE;
}

int cli_health(struct cli_args *a)
{
	return cli_run(a, cli_open_config, CLI_NO_SECRETS, ask);
}
