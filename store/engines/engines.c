/* SPDX-License-Identifier: MIT
 *
 * engines.c - the table of engines, and the functions of store.h that begin
 * with a URL or that an engine may lack.
 */
#include "store/store.h"

#include <string.h>

#include "base/mem.h"
#include "store/lmdb/lmdb.h"
#include "store/rules/engine.h"

static const struct engine *const engines[] = {
	&engine_lmdb,
};

#define ENGINES (sizeof(engines) / sizeof(*engines))

/* Returns the engine of a URL, and what follows its scheme; NULL: no engine has
 * that scheme. */
static const struct engine *engine_of(const char *url, const char **ret_place)
{
	for (size_t i = 0; url && i < ENGINES; i++) {
		size_t n = strlen(engines[i]->scheme);

		*ret_place = url + n;
		if (!strncmp(url, engines[i]->scheme, n) && url[n])
			return engines[i];
	}
	return NULL;
}

static enum rc no_engine(const char *url, struct err *e)
{
	return fail(e, RC_INVALID,
		    "no store can be at '%s': write lmdb:FOLDER, such as "
		    "lmdb:/var/lib/shipfrom",
		    url ? url : "");
}

/* ---- birth and death ---- */

enum rc store_open(struct store **ret, const struct store_options *o,
		   struct err *e)
{
	const struct engine *engine;
	const char *place;
	enum rc rc;

	*ret = NULL;
	engine = engine_of(o->url, &place);
	if (!engine)
		return no_engine(o->url, e);
	rc = engine->open(ret, place, o, e);
	/* A failure during the opening is the opening's result, so
	 * store_failed_fn is set afterwards. */
	if (!rc) {
		store_base_of(*ret)->failed_arg = o->failed_arg;
		store_base_of(*ret)->failed = o->failed;
	}
	return rc;
}

void store_close(struct store *s)
{
	if (s)
		store_engine(s)->close(s);
}

bool store_exists(const char *url)
{
	const char *place;
	const struct engine *engine = engine_of(url, &place);

	return engine && engine->exists(place);
}

/* ---- what an engine may lack ---- */

static bool engine_can(const struct engine *engine, enum store_ability what)
{
	switch (what) {
	case STORE_BACKUP:
		return engine->backup;
	case STORE_COMPACT:
		return engine->compact;
	case STORE_VERIFY:
		return engine->verify;
	case STORE_ROOM:
		return engine->room;
	}
	return false;
}

static enum rc check_ability(const struct engine *engine,
			     enum store_ability what, struct err *e)
{
	static const char *const words[] = {
		[STORE_BACKUP] = "backed up",
		[STORE_COMPACT] = "compacted",
		[STORE_VERIFY] = "verified",
		[STORE_ROOM] = "measured",
	};

	if (engine_can(engine, what))
		return OK;
	return fail(e, RC_INVALID,
		    "a store in %s is not %s by shipfrom: use the tools of its "
		    "database",
		    engine->scheme, words[what]);
}

bool store_can(const struct store *s, enum store_ability what)
{
	return engine_can(store_engine(s), what);
}

enum rc store_backup(struct store *s, const char *file, struct err *e)
{
	const struct engine *engine = store_engine(s);
	enum rc rc = check_ability(engine, STORE_BACKUP, e);

	return rc ? rc : engine->backup(s, file, e);
}

enum rc store_compact(const char *url, struct store_compacted *ret,
		      struct err *e)
{
	const char *place;
	const struct engine *engine = engine_of(url, &place);
	enum rc rc = engine ? check_ability(engine, STORE_COMPACT, e)
			    : no_engine(url, e);

	return rc ? rc : engine->compact(place, ret, e);
}

enum rc store_room(struct store *s, struct store_room *ret, struct err *e)
{
	const struct engine *engine = store_engine(s);
	enum rc rc = check_ability(engine, STORE_ROOM, e);

	return rc ? rc : engine->room(s, ret, e);
}

enum rc store_verify(struct store *s,
		     void (*tell)(void *arg, const char *table,
				  const char *what),
		     void *arg, struct store_verified *ret, struct err *e)
{
	const struct engine *engine = store_engine(s);
	enum rc rc = check_ability(engine, STORE_VERIFY, e);

	return rc ? rc : engine->verify(s, tell, arg, ret, e);
}
