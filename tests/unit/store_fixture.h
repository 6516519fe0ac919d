/* SPDX-License-Identifier: MIT
 *
 * store_fixture.h - a folder of its own for each test that looks inside the
 * LMDB engine.  What holds for every engine is in tests/store/.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "tests/store/words.h"
#include "tests/store/temp.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/* The state of a test is its folder's name. */
UNUSED static int make_dir(void **state)
{
	*state = temp_folder(xcalloc(1, TEMP_ROOM), "store");
	return *state ? 0 : -1;
}

UNUSED static int remove_dir(void **state)
{
	DIR *d = opendir(*state);
	struct dirent *f;

	while (d && (f = readdir(d)))
		if (f->d_name[0] != '.')
			unlinkat(dirfd(d), f->d_name, 0);
	if (d)
		closedir(d);
	rmdir(*state);
	free(*state);
	return 0;
}

/* The URL of a store in a folder; good until the fourth call from now. */
UNUSED static const char *url_of(const char *dir)
{
	static char urls[4][300];
	static unsigned n;
	char *url = urls[n++ % 4];

	snprintf(url, sizeof(urls[0]), "lmdb:%s", dir);
	return url;
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

UNUSED static struct store *open_serve(const char *dir)
{
	struct store_options o = {
		.url = url_of(dir),
		.max_bytes = (size_t)256 << 20,
		.serve = true,
	};

	return open_with(&o);
}

#endif
