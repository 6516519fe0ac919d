/* SPDX-License-Identifier: MIT
 *
 * lists.c - the functions of store.h that list rows: each names its listing and
 * where it begins.
 */
#include "store/rules/engine.h"

/* Defines give_TYPE(), a row_fn that passes rows to the caller's function with
 * their own type. */
#define GIVES(type)                                                            \
	struct giver_##type {                                                  \
		bool (*fn)(void *arg, const struct type *row);                 \
		void *arg;                                                     \
	};                                                                     \
	static bool give_##type(void *arg, const void *row)                    \
	{                                                                      \
		const struct giver_##type *g = arg;                            \
                                                                               \
		return g->fn(g->arg, row);                                     \
	}

GIVES(listed)
GIVES(entry)
GIVES(event)
GIVES(order)
GIVES(task)
GIVES(quarantined)
GIVES(device)
GIVES(changed)
GIVES(doc)
GIVES(doc_count)

enum rc store_list(struct store *s, const char *instance, int64_t warehouse,
		   enum list list, const struct listed *after,
		   bool (*fn)(void *arg, const struct listed *row), void *arg,
		   struct err *e)
{
	struct giver_listed g = {fn, arg};
	const struct listing_from from = {
		.instance = instance,
		.warehouse = warehouse,
		.list = list,
		.after = after,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc
		  : store_walk(s, LISTING_LISTED, &from, give_listed, &g, e);
}

enum rc store_done_since(struct store *s, const char *instance,
			 int64_t warehouse, int64_t since, int64_t after,
			 bool (*fn)(void *arg, const struct listed *row),
			 void *arg, struct err *e)
{
	struct giver_listed g = {fn, arg};
	const struct listing_from from = {
		.instance = instance,
		.warehouse = warehouse,
		.since = since,
		.number = after,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc
		  : store_walk(s, LISTING_DONE_SINCE, &from, give_listed, &g,
			       e);
}

enum rc store_journal(struct store *s, const char *instance, int64_t number,
		      bool (*fn)(void *arg, const struct entry *n), void *arg,
		      struct err *e)
{
	struct giver_entry g = {fn, arg};
	const struct listing_from from = {
		.instance = instance,
		.number = number,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc
		  : store_walk(s, LISTING_JOURNAL, &from, give_entry, &g, e);
}

enum rc store_events(struct store *s, uint64_t from,
		     bool (*fn)(void *arg, const struct event *ev), void *arg,
		     struct err *e)
{
	struct giver_event g = {fn, arg};

	return store_walk(s, LISTING_EVENTS,
			  &(struct listing_from){.seq = from}, give_event, &g,
			  e);
}

enum rc store_orders(struct store *s, const char *instance, int64_t from,
		     bool (*fn)(void *arg, const struct order *o), void *arg,
		     struct err *e)
{
	struct giver_order g = {fn, arg};
	const struct listing_from where = {
		.instance = instance,
		.number = from,
	};
	enum rc rc = instance ? check_instance(instance, e) : OK;

	return rc ? rc
		  : store_walk(s, LISTING_ORDERS, &where, give_order, &g, e);
}

enum rc store_tasks(struct store *s, bool dead, uint64_t from,
		    bool (*fn)(void *arg, const struct task *t), void *arg,
		    struct err *e)
{
	struct giver_task g = {fn, arg};

	return store_walk(s, dead ? LISTING_DEAD : LISTING_TASKS,
			  &(struct listing_from){.seq = from}, give_task, &g,
			  e);
}

enum rc store_quarantine(struct store *s, uint64_t from,
			 bool (*fn)(void *arg, const struct quarantined *q),
			 void *arg, struct err *e)
{
	struct giver_quarantined g = {fn, arg};

	return store_walk(s, LISTING_QUARANTINE,
			  &(struct listing_from){.seq = from},
			  give_quarantined, &g, e);
}

enum rc store_devices(struct store *s,
		      bool (*fn)(void *arg, const struct device *d), void *arg,
		      struct err *e)
{
	struct giver_device g = {fn, arg};

	return store_walk(s, LISTING_DEVICES, &(struct listing_from){0},
			  give_device, &g, e);
}

enum rc store_changes(struct store *s, uint64_t after,
		      bool (*fn)(void *arg, const struct changed *c), void *arg,
		      struct err *e)
{
	struct giver_changed g = {fn, arg};

	if (after == UINT64_MAX)
		return OK;
	return store_walk(s, LISTING_CHANGES,
			  &(struct listing_from){.seq = after + 1},
			  give_changed, &g, e);
}

/* ---- documents ---- */

enum rc store_docs(struct store *s, const char *kind, const char *instance,
		   const char *from,
		   bool (*fn)(void *arg, const struct doc *d), void *arg,
		   struct err *e)
{
	struct giver_doc g = {fn, arg};
	const struct listing_from f = {
		.kind = kind,
		.instance = instance,
		.key = from,
	};

	return store_walk(s, LISTING_DOCS, &f, give_doc, &g, e);
}

enum rc store_docs_listed(struct store *s, const char *kind,
			  const char *instance, const char *list,
			  const struct doc_place *after,
			  bool (*fn)(void *arg, const struct doc *d), void *arg,
			  struct err *e)
{
	struct giver_doc g = {fn, arg};
	const struct listing_from f = {
		.kind = kind,
		.instance = instance,
		.doc_list = list,
		.doc_after = after,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc
		  : store_walk(s, LISTING_DOCS_LISTED, &f, give_doc, &g, e);
}

enum rc store_doc_counts(struct store *s, const char *kind,
			 bool (*fn)(void *arg, const struct doc_count *c),
			 void *arg, struct err *e)
{
	struct giver_doc_count g = {fn, arg};
	const struct listing_from f = {.kind = kind};

	return store_walk(s, LISTING_DOC_COUNTS, &f, give_doc_count, &g, e);
}
