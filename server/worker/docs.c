/* SPDX-License-Identifier: MIT
 *
 * docs.c - see docs.h.
 */
#include "server/worker/docs.h"

#include "server/worker/worker.h"

static struct store *store_of(const struct work *w)
{
	const struct worker_parts *parts = w->docs->arg;

	return parts->store;
}

static enum rc one(const struct work *w, const char *kind, const char *key,
		   struct doc *ret, struct err *e)
{
	enum rc rc = store_doc(store_of(w), kind, w->task->instance, key, ret,
			       e);

	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc listed(const struct work *w, const char *kind, const char *list,
		      const struct doc_place *after,
		      bool (*fn)(void *arg, const struct doc *d), void *arg,
		      struct err *e)
{
	return store_docs_listed(store_of(w), kind, w->task->instance, list,
				 after, fn, arg, e);
}

static enum rc keyed(const struct work *w, const char *kind, const char *from,
		     bool (*fn)(void *arg, const struct doc *d), void *arg,
		     struct err *e)
{
	return store_docs(store_of(w), kind, w->task->instance, from, fn, arg,
			  e);
}

struct docs worker_docs(const struct worker_parts *parts)
{
	return (struct docs){
		.arg = (void *)(uintptr_t)parts,
		.one = one,
		.listed = listed,
		.keyed = keyed,
	};
}
