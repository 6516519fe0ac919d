/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_epoch.c - a store knows whether it is the one that was last served, a
 * copy of its file, or a backup.
 */
#include <sys/stat.h>

#include "tests/unit/store_fixture.h"

#define HASH(c)                                                               \
	{                                                                     \
		[0 ... TOKEN_HASH_SIZE - 1] = (c)                             \
	}

static const unsigned char token[] = HASH('t'), code[] = HASH('c'),
			   session[] = HASH('s'), code_left[] = HASH('d'),
			   other[] = HASH('o');

static uint64_t add_device(struct store *s, const unsigned char *tok,
			   const unsigned char *login)
{
	struct device d = {.created = 1000};
	uint64_t id = 0;

	snprintf(d.shop, sizeof(d.shop), "amsterdam");
	snprintf(d.name, sizeof(d.name), "Till");
	assert_ok(store_device_add(s, &d, tok, login, 2000, &id, &err));
	return id;
}

/* A store with a device that is signed in and has a code left. */
static uint64_t fill(struct store *s)
{
	struct device d;
	uint64_t id = add_device(s, token, code);

	assert_ok(store_device_login(s, code, session, 1500, &d, NULL, &err));
	add_device(s, other, code_left);
	return id;
}

static enum rc by_token(struct store *s, const unsigned char *t)
{
	struct device d;

	return store_device_by_token(s, t, &d, &err);
}

static enum rc by_session(struct store *s)
{
	struct device d;

	return store_device_by_session(s, session, &d, &err);
}

/* The path of a file in the folder, good until the fourth call after. */
static const char *in(const char *dir, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *ret = paths[next++ % 4];

	snprintf(ret, sizeof(paths[0]), "%s/%s", dir, name);
	return ret;
}

/* Puts a file in the place of the store's. */
static void take_as_store(const char *dir, const char *file)
{
	assert_int_equal(rename(in(dir, file), in(dir, "data.mdb")), 0);
	unlink(in(dir, "lock.mdb"));
}

static void copy_file(const char *from, const char *to)
{
	FILE *in_file = fopen(from, "r"), *out = fopen(to, "w");
	char bytes[4096];
	size_t n;

	assert_true(in_file && out);
	while ((n = fread(bytes, 1, sizeof(bytes), in_file)))
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in_file);
	assert_int_equal(fclose(out), 0);
}

static void an_epoch_stays_while_the_store_does(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t epoch = store_epoch(s);

	assert_int_not_equal(epoch, 0);
	assert_int_equal(store_origin(s), STORE_SAME);
	store_close(s);
	s = open_serve(*state);
	assert_true(store_epoch(s) == epoch);
	assert_int_equal(store_origin(s), STORE_SAME);
	store_close(s);
	/* A command beside the server. */
	s = open_with(&(struct store_options){.url = url_of(*state)});
	assert_true(store_epoch(s) == epoch);
	store_close(s);
}

/* Serves on a backup of a filled store. */
static struct store *restored(const char *dir, uint64_t *ret_epoch)
{
	struct store *s = open_serve(dir);

	fill(s);
	*ret_epoch = store_epoch(s);
	assert_ok(store_backup(s, in(dir, "copy"), &err));
	store_close(s);
	take_as_store(dir, "copy");
	return open_serve(dir);
}

static void a_backup_has_a_new_epoch_and_lets_nobody_in(void **state)
{
	struct device d;
	uint64_t epoch, fresh;
	struct store *s = restored(*state, &epoch);

	assert_int_equal(store_origin(s), STORE_RESTORED);
	fresh = store_epoch(s);
	assert_true(fresh && fresh != epoch);
	assert_int_equal(by_token(s, token), RC_NOTFOUND);
	assert_int_equal(by_token(s, other), RC_NOTFOUND);
	assert_int_equal(by_session(s), RC_NOTFOUND);
	assert_int_equal(store_device_login(s, code_left, session, 1500, &d,
					    NULL, &err),
			 RC_NOTFOUND);
	store_close(s);

	/* Once: the next start is of this store. */
	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_SAME);
	assert_true(store_epoch(s) == fresh);
	assert_int_equal(by_token(s, token), RC_NOTFOUND);
	store_close(s);
}

static void the_time_of_the_last_restore_is_kept(void **state)
{
	int64_t before = time_now(), at;
	struct store *s = open_serve(*state);
	uint64_t epoch;

	assert_true(store_renewed(s) == TIME_NONE);
	store_close(s);
	s = restored(*state, &epoch);
	at = store_renewed(s);
	assert_true(at >= before && at <= time_now());
	store_close(s);
	s = open_serve(*state);
	assert_true(store_renewed(s) == at);
	store_close(s);
}

static void a_backup_leaves_the_store_that_it_is_of_alone(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t epoch = store_epoch(s);

	fill(s);
	assert_ok(store_backup(s, in(*state, "copy"), &err));
	store_close(s);
	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_SAME);
	assert_true(store_epoch(s) == epoch);
	assert_ok(by_token(s, token));
	assert_ok(by_session(s));
	store_close(s);
}

static void a_command_that_opens_a_backup_first_suspends_too(void **state)
{
	struct store_options o = {.url = url_of(*state)};
	struct store *s = open_serve(*state);

	fill(s);
	assert_ok(store_backup(s, in(*state, "copy"), &err));
	store_close(s);
	take_as_store(*state, "copy");
	s = open_with(&o);
	assert_int_equal(by_token(s, token), RC_NOTFOUND);
	assert_ok(store_device_readmit(s, 1, &err));
	store_close(s);
	s = open_serve(*state);
	assert_ok(by_token(s, token));
	assert_int_equal(by_token(s, other), RC_NOTFOUND);
	store_close(s);
}

static void
the_first_start_after_a_restore_says_so_whoever_opened_it(void **state)
{
	struct store_options o = {.url = url_of(*state)};
	struct store *s = open_serve(*state);

	fill(s);
	assert_ok(store_backup(s, in(*state, "copy"), &err));
	store_close(s);
	take_as_store(*state, "copy");
	s = open_with(&o);
	assert_int_equal(store_origin(s), STORE_RESTORED);
	assert_ok(store_device_readmit(s, 1, &err));
	store_close(s);
	/* Another command is no start, and suspends nobody again. */
	s = open_with(&o);
	assert_ok(by_token(s, token));
	store_close(s);

	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_RESTORED);
	assert_ok(by_token(s, token));
	store_close(s);
	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_SAME);
	assert_ok(by_token(s, token));
	store_close(s);
}

static void a_readmitted_device_has_its_token_and_no_session(void **state)
{
	uint64_t epoch, was;
	struct store *s = restored(*state, &epoch);

	was = store_revocations(s);
	assert_ok(store_device_readmit(s, 1, &err));
	assert_ok(by_token(s, token));
	assert_int_equal(by_token(s, other), RC_NOTFOUND);
	assert_int_equal(by_session(s), RC_NOTFOUND);
	assert_true(store_revocations(s) == was);
	assert_int_equal(store_device_readmit(s, 1, &err), RC_EXISTS);
	assert_int_equal(store_device_readmit(s, 7, &err), RC_NOTFOUND);
	store_close(s);
}

static void all_are_readmitted_but_the_removed(void **state)
{
	uint64_t epoch;
	struct store *s = restored(*state, &epoch);
	size_t n;

	assert_ok(store_device_remove(s, 2, 3000, &err));
	assert_int_equal(store_device_readmit(s, 2, &err), RC_NOTFOUND);
	assert_ok(store_devices_readmit(s, &n, &err));
	assert_int_equal(n, 1);
	assert_ok(by_token(s, token));
	assert_int_equal(by_token(s, other), RC_NOTFOUND);
	assert_ok(store_devices_readmit(s, &n, &err));
	assert_int_equal(n, 0);
	store_close(s);
}

static void more_devices_than_one_look_finds_are_all_suspended(void **state)
{
	struct store *s = open_serve(*state);
	unsigned char tok[TOKEN_HASH_SIZE] = {0}, login[TOKEN_HASH_SIZE] = {1};
	size_t n;

	for (unsigned char i = 1; i <= 50; i++) {
		tok[1] = login[1] = i;
		add_device(s, tok, login);
	}
	assert_ok(store_backup(s, in(*state, "copy"), &err));
	store_close(s);
	take_as_store(*state, "copy");
	s = open_serve(*state);
	for (unsigned char i = 1; i <= 50; i++) {
		tok[1] = i;
		assert_int_equal(by_token(s, tok), RC_NOTFOUND);
	}
	assert_ok(store_devices_readmit(s, &n, &err));
	assert_int_equal(n, 50);
	for (unsigned char i = 1; i <= 50; i++) {
		tok[1] = i;
		assert_ok(by_token(s, tok));
	}
	store_close(s);
}

static void a_device_of_a_restored_store_has_an_id_that_none_had(void **state)
{
	struct store *s = open_serve(*state);
	unsigned char tok[TOKEN_HASH_SIZE] = {2}, login[TOKEN_HASH_SIZE] = {3};
	uint64_t lost;

	fill(s);
	assert_ok(store_backup(s, in(*state, "copy"), &err));
	lost = add_device(s, tok, login);
	store_close(s);
	take_as_store(*state, "copy");
	s = open_serve(*state);
	assert_true(add_device(s, tok, login) > lost);
	store_close(s);
}

static void a_copy_by_other_means_has_a_new_epoch_and_its_devices(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t epoch = store_epoch(s), fresh;

	fill(s);
	store_close(s);
	copy_file(in(*state, "data.mdb"), in(*state, "copy"));
	take_as_store(*state, "copy");
	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_COPIED);
	fresh = store_epoch(s);
	assert_true(fresh != epoch);
	assert_ok(by_token(s, token));
	assert_ok(by_session(s));
	store_close(s);
	s = open_serve(*state);
	assert_int_equal(store_origin(s), STORE_SAME);
	assert_true(store_epoch(s) == fresh);
	store_close(s);
}

static void a_store_from_before_epochs_gets_one(void **state)
{
	struct store *s;
	uint64_t epoch;

	copy_file("tests/data/store-v1/data.mdb", in(*state, "data.mdb"));
	s = open_serve(*state);
	epoch = store_epoch(s);
	assert_int_not_equal(epoch, 0);
	assert_int_equal(store_origin(s), STORE_SAME);
	store_close(s);
	s = open_serve(*state);
	assert_true(store_epoch(s) == epoch);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(an_epoch_stays_while_the_store_does),
		IN_DIR(a_backup_has_a_new_epoch_and_lets_nobody_in),
		IN_DIR(the_time_of_the_last_restore_is_kept),
		IN_DIR(a_backup_leaves_the_store_that_it_is_of_alone),
		IN_DIR(a_command_that_opens_a_backup_first_suspends_too),
		IN_DIR(the_first_start_after_a_restore_says_so_whoever_opened_it),
		IN_DIR(a_readmitted_device_has_its_token_and_no_session),
		IN_DIR(all_are_readmitted_but_the_removed),
		IN_DIR(more_devices_than_one_look_finds_are_all_suspended),
		IN_DIR(a_device_of_a_restored_store_has_an_id_that_none_had),
		IN_DIR(a_copy_by_other_means_has_a_new_epoch_and_its_devices),
		IN_DIR(a_store_from_before_epochs_gets_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
