/* SPDX-License-Identifier: MIT
 *
 * test_token.c - the secrets that we hand out.
 */
#include <string.h>

#include "server/access/token.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ALPHABET                                                              \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void a_token_is_43_characters_that_hash_to_what_was_said(void **state)
{
	unsigned char hash[TOKEN_HASH_SIZE], again[TOKEN_HASH_SIZE];
	char token[TOKEN_SIZE];
	struct err e;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		assert_int_equal(token_make(token, hash, &e), OK);
		assert_int_equal(strlen(token), 43);
		assert_int_equal(strspn(token, ALPHABET), 43);
		assert_int_equal(token_hash(token, again), OK);
		assert_memory_equal(hash, again, TOKEN_HASH_SIZE);
	}
}

static void no_two_tokens_are_alike(void **state)
{
	char tokens[100][TOKEN_SIZE];
	unsigned char hash[TOKEN_HASH_SIZE];
	struct err e;
	int i, j;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(token_make(tokens[i], hash, &e), OK);
		for (j = 0; j < i; j++)
			assert_string_not_equal(tokens[i], tokens[j]);
	}
}

/* Every place varies: none of the bits is left out of the token. */
static void every_character_of_a_token_varies(void **state)
{
	unsigned char hash[TOKEN_HASH_SIZE];
	char first[TOKEN_SIZE], other[TOKEN_SIZE];
	bool varied[TOKEN_SIZE - 1] = {0};
	struct err e;
	int i, j;

	(void)state;
	assert_int_equal(token_make(first, hash, &e), OK);
	for (i = 0; i < 200; i++) {
		assert_int_equal(token_make(other, hash, &e), OK);
		for (j = 0; j < TOKEN_SIZE - 1; j++)
			varied[j] |= first[j] != other[j];
	}
	for (j = 0; j < TOKEN_SIZE - 1; j++)
		assert_true(varied[j]);
}

static void the_hash_is_sha256_of_the_characters(void **state)
{
	/* printf %043d 0 | sha256sum */
	static const unsigned char want[TOKEN_HASH_SIZE] = {
		0xb9, 0x18, 0xb2, 0x2a, 0x15, 0x81, 0xfe, 0xdd,
		0x39, 0x05, 0x80, 0x65, 0xf0, 0x0e, 0x6a, 0xad,
		0x35, 0xbd, 0x56, 0x1f, 0x20, 0x25, 0x71, 0x51,
		0x13, 0x1a, 0x1d, 0xdc, 0xd2, 0x18, 0x03, 0xde,
	};
	unsigned char hash[TOKEN_HASH_SIZE];

	(void)state;
	assert_int_equal(
		token_hash("0000000000000000000000000000000000000000000", hash),
		OK);
	assert_memory_equal(hash, want, TOKEN_HASH_SIZE);
}

static void what_has_not_a_tokens_form_is_refused(void **state)
{
	unsigned char hash[TOKEN_HASH_SIZE];

	(void)state;
	assert_int_equal(token_hash("", hash), RC_INVALID);
	assert_int_equal(
		token_hash("000000000000000000000000000000000000000000", hash),
		RC_INVALID);
	assert_int_equal(
		token_hash("00000000000000000000000000000000000000000000",
			   hash),
		RC_INVALID);
	assert_int_equal(
		token_hash("000000000000000000000+000000000000000000000", hash),
		RC_INVALID);
	assert_int_equal(
		token_hash("000000000000000000000000000000000000000000=", hash),
		RC_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_token_is_43_characters_that_hash_to_what_was_said),
		cmocka_unit_test(no_two_tokens_are_alike),
		cmocka_unit_test(every_character_of_a_token_varies),
		cmocka_unit_test(the_hash_is_sha256_of_the_characters),
		cmocka_unit_test(what_has_not_a_tokens_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
