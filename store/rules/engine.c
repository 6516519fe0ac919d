/* SPDX-License-Identifier: MIT
 *
 * engine.c - see engine.h.
 */
#include "store/rules/engine.h"

#include "base/mem.h"

enum rc store_base_init(struct store_base *b, const struct engine *engine,
			const struct store_options *o, struct err *e)
{
	*b = (struct store_base){
		.engine = engine,
		.derive = o->derive,
		.derive_arg = o->derive_arg,
		.apply = o->apply,
		.event_kinds = o->event_kinds,
		.changed = o->changed,
		.changed_arg = o->changed_arg,
		.told = ATOMIC_FLAG_INIT,
	};
	if (o->fetch_kind &&
	    !copy_text(b->fetch_kind, sizeof(b->fetch_kind), o->fetch_kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    o->fetch_kind);
	return OK;
}

void store_tell_failure(struct store_base *b, const struct err *why)
{
	store_failed_fn *failed = atomic_load(&b->failed);

	if (failed && !atomic_flag_test_and_set(&b->told))
		failed(b->failed_arg, why);
}
