/* SPDX-License-Identifier: MIT
 *
 * sweep.c - `sweep`: a reconciliation asked for by hand.
 *
 * The wish is kept in the store, so it is heard by the server whether it runs
 * already or not.
 */
#include "server/cli/cli.h"

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
			buf_str(&s.out,
				s.json ? "{\"asked\":true}\n"
				       : "a sweep is asked for: the server "
					 "begins it when it next looks\n");
	}
	return cli_close(&s, code);
}
