/* SPDX-License-Identifier: MIT
 *
 * engine.c - see engine.h: what all engines have in common.
 */
#include "store/rules/engine.h"

#include <string.h>

#include "base/mem.h"

enum rc store_base_init(struct store_base *b, const struct engine *engine,
			const struct store_options *o, struct err *e)
{
	b->engine = engine;
	b->serve = o->serve;
	b->strict = o->strict;
	b->derive = o->derive;
	b->derive_arg = o->derive_arg;
	b->follow = o->follow;
	b->follow_arg = o->follow_arg;
	b->apply = o->apply;
	b->event_kinds = o->event_kinds;
	b->place = o->place;
	b->changed = o->changed;
	b->changed_arg = o->changed_arg;
	b->remade = o->remade;
	b->remade_arg = o->remade_arg;
	atomic_flag_clear(&b->told);
	leases_init(&b->leases);
	if (o->fetch_kind &&
	    !copy_text(b->fetch_kind, sizeof(b->fetch_kind), o->fetch_kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    o->fetch_kind);
	return OK;
}

void store_base_release(struct store_base *b)
{
	leases_free(&b->leases);
}

void store_tell_failure(struct store_base *b, const struct err *why)
{
	store_failed_fn *failed = atomic_load(&b->failed);

	if (atomic_flag_test_and_set(&b->told))
		return;
	b->why = *why;
	atomic_store(&b->why_known, true);
	if (failed)
		failed(b->failed_arg, why);
}

enum rc check_instance(const char *instance, struct err *e)
{
	size_t n = instance ? strlen(instance) : 0;

	if (n && n < INSTANCE_SIZE)
		return OK;
	return fail(e, RC_INVALID, "'%.40s' cannot be an instance's name",
		    instance ? instance : "");
}

enum rc store_do(struct store *s, struct op *op, size_t size,
		 struct store_done *done, struct err *e)
{
	return store_base_of(s)->engine->write(s, op, size, done, e);
}

void store_do_all(struct store *s, struct op *const *ops, size_t n)
{
	store_base_of(s)->engine->write_all(s, ops, n);
}

enum rc rows_open(struct rows **ret, struct store *s, struct err *e)
{
	*ret = NULL;
	return store_base_of(s)->engine->read_begin(ret, s, e);
}

void rows_close(struct rows *r)
{
	if (r)
		store_base_of(r->store)->engine->read_end(r);
}

enum rc rows_walk(struct rows *r, enum listing which,
		  const struct listing_from *from, row_fn *fn, void *arg,
		  struct err *e)
{
	return store_base_of(r->store)->engine->rows->walk(r, which, from, fn,
							   arg, e);
}

enum rc store_walk(struct store *s, enum listing which,
		   const struct listing_from *from, row_fn *fn, void *arg,
		   struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc)
		rc = rows_walk(r, which, from, fn, arg, e);
	rows_close(r);
	return rc;
}

const char *store_failure(const struct store *s)
{
	const struct store_base *b = store_read_base(s);

	return atomic_load(&b->why_known) ? b->why.text : NULL;
}

bool store_damaged(const struct store *s)
{
	return atomic_load(&store_read_base(s)->damaged);
}

/* ---- which store it is ---- */

uint64_t store_epoch(const struct store *s)
{
	return store_read_base(s)->epoch;
}

enum store_origin store_origin(const struct store *s)
{
	return store_read_base(s)->origin;
}

int64_t store_renewed(const struct store *s)
{
	return store_read_base(s)->renewed;
}

/* ---- numbers ---- */

enum rc store_stats(struct store *s, struct store_stats *ret, struct err *e)
{
	return store_base_of(s)->engine->stats(s, ret, e);
}

uint64_t store_newest_change(struct store *s)
{
	return store_base_of(s)->engine->newest_change(s);
}

enum rc store_newest_time(struct store *s, int64_t *ret, struct err *e)
{
	return store_base_of(s)->engine->newest_time(s, ret, e);
}
