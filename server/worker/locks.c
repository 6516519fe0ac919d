/* SPDX-License-Identifier: MIT
 *
 * locks.c - see locks.h.
 */
#include "server/worker/locks.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/lock.h"
#include "server/worker/worker_private.h"

static bool find_one(void *arg, const struct doc *d)
{
	(void)d;
	*(bool *)arg = true;
	return false;
}

static bool has_locks(struct store *s, const char *instance)
{
	bool ret = false;
	struct err e;

	(void)!store_docs_listed(s, KIND_LOCK, instance, LOCK_HELD, NULL,
				 find_one, &ret, &e);
	return ret;
}

void locks_ask(const struct worker_parts *parts, const struct workers *w)
{
	struct config *c = config_now(parts->config);
	const struct config_instance *in;
	const struct account *a;
	struct err e;

	for (size_t i = 0; (a = workers_account(w, i)); i++) {
		struct task t = {.kind = TASK_LOCK_SWEEP,
				 .created = time_now(),
				 .due = time_now(),
				 .again = TIME_NONE};

		in = config_instance(c, a->instance);
		if (!in || !in->graphql_url ||
		    !(in->lock_orders || has_locks(parts->store, in->id)))
			continue;
		if (!copy_text(t.instance, sizeof(t.instance), in->id) ||
		    store_task_add(parts->store, &t, &e))
			log_line(LOG_WARN, "locks cannot be swept",
				 LOG_S("instance", in->id),
				 LOG_S("error", e.text));
	}
	config_drop(c);
}
