/* SPDX-License-Identifier: MIT
 *
 * sweep.c - `sweep`: asks for a reconciliation.  The request is kept in the
 * store, so that the server finds it, whether it runs now or later.
 */
#include "server/cli/cli.h"

#include "base/json_write.h"

static void say_asked(struct cli_session *s)
{
	if (!s->json) {
		buf_str(&s->out, "a sweep is asked for: the server begins it "
				 "when it next looks\n");
		return;
	}
	json_begin(&s->out, NULL);
	json_put_bool(&s->out, "asked", true);
	cli_json_end(&s->out);
}

int cli_sweep(struct cli_args *a)
{
	struct cli_session s;
	struct err e;
	enum rc rc;
	int code;

	if (a->n_words)
		return cli_usage(a, "it takes no words");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code) {
		rc = store_sweep_ask(s.store, &e);
		if (rc)
			code = cli_failed(&s, rc, &e);
		else
			cli_log("sweep asked for");
		if (!rc)
			say_asked(&s);
	}
	return cli_close(&s, code);
}
