/* SPDX-License-Identifier: MIT
 *
 * suite.c - the engines that the suite is run for.
 *
 * A row says how to make a place for a store and how to remove it.  An engine
 * that needs a server, such as a database, starts it on the first call.
 */
#include "tests/store/suite.h"
#include "tests/store/temp.h"

#include <dirent.h>

struct engine_under_test {
	const char *name;
	char *(*fresh)(void);	  /* a URL where no store is; the caller frees */
	void (*gone)(const char *url);
};

/* ---- lmdb: a folder ---- */

#define LMDB "lmdb:"

static char *lmdb_fresh(void)
{
	char dir[TEMP_ROOM];

	return temp_folder(dir, "store") ? xasprintf(LMDB "%s", dir) : NULL;
}

static void lmdb_gone(const char *url)
{
	const char *dir = url + strlen(LMDB);
	DIR *d = opendir(dir);
	struct dirent *f;

	while (d && (f = readdir(d)))
		if (f->d_name[0] != '.')
			unlinkat(dirfd(d), f->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

/* ---- the table ---- */

static const struct engine_under_test engines[] = {
	{"lmdb", lmdb_fresh, lmdb_gone},
};

#define ENGINES (sizeof(engines) / sizeof(*engines))

static const struct engine_under_test *engine;

int fresh_place(void **state)
{
	*state = engine->fresh();
	return *state ? 0 : -1;
}

int remove_place(void **state)
{
	engine->gone(*state);
	free(*state);
	return 0;
}

int run_for_each_engine(const struct CMUnitTest *tests, size_t n)
{
	int failed = 0;

	for (size_t i = 0; i < ENGINES; i++) {
		engine = &engines[i];
		failed += _cmocka_run_group_tests(engine->name, tests, n, NULL,
						  NULL);
	}
	return failed != 0;
}
