/* SPDX-License-Identifier: MIT
 *
 * test_devices.c - who may act for a shop, and until when; the use of secrets.
 */
#include "tests/store/suite.h"

#define TOKEN "token---------------------------"
#define CODE  "code----------------------------"
#define OTHER "another-------------------------"
#define THIRD "third---------------------------"

static const unsigned char *hash(const char *s)
{
	return (const unsigned char *)s;
}

static enum rc sign_in(struct store *s, const char *token, struct device *d)
{
	return store_device_by_token(s, hash(token), d, &err);
}

static bool count_device(void *arg, const struct device *d)
{
	int *seen = arg;

	seen[d->removed]++;
	return true;
}

static void a_device_signs_in_until_it_is_removed(void **state)
{
	struct device d = {.shop = "ams", .name = "till 1", .created = 500};
	struct store *s = open_serve(*state);
	int seen[2] = {0};
	uint64_t id;

	assert_ok(store_device_add(s, &d, hash(TOKEN), hash(CODE), 1000, &id,
				   &err));
	memset(&d, 0, sizeof(d));
	assert_int_equal(sign_in(s, OTHER, &d), RC_NOTFOUND);
	assert_ok(sign_in(s, TOKEN, &d));
	assert_true(d.id == id && d.created == 500 && !d.removed);
	assert_string_equal(d.shop, "ams");
	assert_string_equal(d.name, "till 1");
	assert_int_equal(stats_of(s).devices, 1);

	assert_int_equal(store_device_remove(s, id + 1, 600, &err),
			 RC_NOTFOUND);
	assert_ok(store_device_remove(s, id, 600, &err));
	assert_int_equal(store_device_remove(s, id, 600, &err), RC_NOTFOUND);
	assert_int_equal(sign_in(s, TOKEN, &d), RC_NOTFOUND);
	assert_int_equal(store_device_login(s, hash(CODE), hash(OTHER), 600,
					    &d, NULL, &err),
			 RC_NOTFOUND);
	assert_ok(store_devices(s, count_device, seen, &err));
	assert_true(seen[false] == 0 && seen[true] == 1);
	store_close(s);
}

static void a_login_code_works_once_and_in_time(void **state)
{
	struct device d = {.shop = "ams", .name = "till 1", .created = 500};
	struct store *s = open_serve(*state);
	uint64_t id, second;

	assert_ok(store_device_add(s, &d, hash(TOKEN), hash(CODE), 1000, &id,
				   &err));
	assert_int_equal(store_device_login(s, hash(CODE), hash(OTHER), 1001,
					    &d, NULL, &err),
			 RC_NOTFOUND);
	assert_ok(store_device_login(s, hash(CODE), hash(OTHER), 1000, &d, NULL,
				     &err));
	assert_int_equal(d.id, id);
	assert_int_equal(store_device_login(s, hash(CODE), hash(OTHER), 1000,
					    &d, NULL, &err),
			 RC_NOTFOUND);
	assert_ok(store_device_by_session(s, hash(OTHER), &d, &err));
	assert_int_equal(d.id, id);
	assert_int_equal(sign_in(s, OTHER, &d), RC_NOTFOUND);
	assert_ok(sign_in(s, TOKEN, &d));

	/* A later device's code takes the place of those that ran out. */
	d.created = 5000;
	assert_ok(store_device_add(s, &d, hash(THIRD), hash(CODE), 6000,
				   &second, &err));
	assert_true(second > id);
	store_close(s);
}

static void all_tokens_of_a_removed_device_end(void **state)
{
	struct device d = {.shop = "ams", .name = "till 1", .created = 500};
	struct store *s = open_serve(*state);
	unsigned char more[TOKEN_HASH_SIZE] = {0};
	uint64_t id, other;

	assert_ok(store_device_add(s, &d, hash(TOKEN), hash(CODE), 1000, &id,
				   &err));
	assert_ok(store_device_login(s, hash(CODE), more, 900, &d, NULL, &err));
	assert_ok(store_device_by_session(s, more, &d, &err));
	assert_ok(store_device_add(s, &d, hash(OTHER), hash(CODE), 1000,
				   &other, &err));
	assert_ok(store_device_remove(s, id, 950, &err));
	assert_int_equal(store_device_by_session(s, more, &d, &err),
			 RC_NOTFOUND);
	assert_int_equal(sign_in(s, TOKEN, &d), RC_NOTFOUND);
	assert_ok(sign_in(s, OTHER, &d));
	assert_int_equal(d.id, other);
	store_close(s);
}

/* ---- the secrets of webhooks ---- */

static void the_use_of_a_secret_is_kept(void **state)
{
	struct secret_use use = {
		.current = "current",
		.previous = "previou",
		.current_first = 77,
		.previous_last = 88,
	}, back;
	struct store *s = open_serve(*state);

	assert_ok(store_secret_use(s, "se", &back, &err));
	assert_int_equal(back.current_first, 0);
	assert_ok(store_secret_used(s, "se", &use, NULL, &err));
	store_close(s);
	s = open_serve(*state);
	assert_ok(store_secret_use(s, "se", &back, &err));
	assert_memory_equal(&back, &use, sizeof(use));
	assert_ok(store_secret_use(s, "us", &back, &err));
	assert_int_equal(back.current_first, 0);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_device_signs_in_until_it_is_removed),
		FRESH(a_login_code_works_once_and_in_time),
		FRESH(all_tokens_of_a_removed_device_end),
		FRESH(the_use_of_a_secret_is_kept),
	};

	return RUN(tests);
}
