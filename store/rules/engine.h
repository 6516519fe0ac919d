/* SPDX-License-Identifier: MIT
 *
 * engine.h - what keeps a store: LMDB today.
 *
 * An engine is a row of the table in store/engines/engines.c.  Its own `struct store`
 * begins with a struct store_base, through which the rules know it.
 */
#ifndef STORE_RULES_ENGINE_H
#define STORE_RULES_ENGINE_H

#include <stdatomic.h>

#include "store/store.h"

struct engine {
	const char *scheme; /* of its URLs, with the colon: "lmdb:" */

	/* `place` is what follows the scheme.  See store_open() and the like. */
	enum rc (*open)(struct store **ret, const char *place,
			const struct store_options *o, struct err *e);
	void (*close)(struct store *s);
	bool (*exists)(const char *place);

	/* What it may lack; NULL: it does. */
	enum rc (*backup)(struct store *s, const char *file, struct err *e);
	enum rc (*compact)(const char *place, struct store_compacted *ret,
			   struct err *e);
	enum rc (*verify)(struct store *s,
			  void (*tell)(void *arg, const char *table,
				       const char *what),
			  void *arg, struct store_verified *ret,
			  struct err *e);
};

/* The beginning of every engine's struct store. */
struct store_base {
	const struct engine *engine;
	store_derive_fn *derive;
	void *derive_arg;
	store_apply_fn *apply; /* or NULL */
	const char *const *event_kinds;
	char fetch_kind[TASK_KIND_SIZE]; /* "": none */
	store_changed_fn *changed;
	void *changed_arg;
	store_failed_fn *_Atomic failed; /* set once it is open */
	void *failed_arg;
	atomic_flag told; /* that it failed */
};

/* Takes over what the options say.  RC_INVALID: no task can have that name. */
enum rc store_base_init(struct store_base *b, const struct engine *engine,
			const struct store_options *o, struct err *e);

/* Tells who listens, once, that the disk failed.  Any thread. */
void store_tell_failure(struct store_base *b, const struct err *why);

#endif
