/* SPDX-License-Identifier: MIT
 *
 * sweep.c - `sweep`: asks for a reconciliation of each instance that has a
 * GraphQL API.  It adds a task to the store, so the server finds it, now or
 * when it is started.
 */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/reconcile.h"
#include "server/cli/cli.h"

static enum rc ask(struct cli_session *s, size_t *ret_n, struct err *e)
{
	const struct config *c = s->config;
	struct task *tasks = xcalloc(c->n_instances + 1, sizeof(*tasks));
	int64_t now = time_now();
	enum rc rc;

	*ret_n = 0;
	for (size_t i = 0; i < c->n_instances; i++) {
		struct task *t = &tasks[*ret_n];

		if (!c->instances[i].graphql_url ||
		    !copy_text(t->instance, sizeof(t->instance),
			       c->instances[i].id))
			continue;
		(void)!copy_text(t->kind, sizeof(t->kind), TASK_RECONCILE);
		t->sub = RECONCILE_BY_HAND;
		t->created = t->due = now;
		t->again = TIME_NONE;
		++*ret_n;
	}
	rc = store_tasks_add(s->store, tasks, *ret_n, e);
	free(tasks);
	return rc;
}

static void tell(struct cli_session *s, size_t n)
{
	if (s->json) {
		json_begin(&s->out, NULL);
		json_put_bool(&s->out, "asked", n);
		cli_json_end(&s->out);
		return;
	}
	if (n)
		buf_str(&s->out, "a sweep is asked for: the server begins it "
				 "when it next looks\n");
	else
		buf_str(&s->out, "no sweep is asked for: no instance has a "
				 "graphql_url\n");
}

int cli_sweep(struct cli_args *a)
{
	struct cli_session s;
	struct err e;
	size_t n;
	enum rc rc;
	int code;

	if (a->n_words)
		return cli_usage(a, "it takes no words");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (code)
		return cli_close(&s, code);
	rc = ask(&s, &n, &e);
	if (rc)
		return cli_close(&s, cli_failed(&s, rc, &e));
	if (n)
		cli_log("sweep asked for");
	tell(&s, n);
	return cli_close(&s, 0);
}
