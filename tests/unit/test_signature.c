/* SPDX-License-Identifier: MIT
 *
 * test_signature.c - only Centra gets in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/signature.h"

/* cmocka has a fail() too: it comes after ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* Centra's own example, and what it signs to. */
#define SECRET	  "test123"
#define T	  12345678
#define BODY	  "payload=%7B%22x%22%3A%22test%22%7D"
#define V1	  "0b9cd84f5d583e5e1aadfb9f160aa808" \
		  "0b51d5b85ff85808d6b75bdac356c549"
#define V1_UPPER  "0B9CD84F5D583E5E1AADFB9F160AA808" \
		  "0B51D5B85FF85808D6B75BDAC356C549"
#define OTHER_V1  "00000000000000000000000000000000" \
		  "00000000000000000000000000000000"
#define TOLERANCE 300000
#define NOW	  ((int64_t)T * 1000)

static struct verifier *open_with(const char *current, const char *previous)
{
	const char *const secrets[2] = {current, previous};
	struct verifier *v = NULL;
	struct err e;

	assert_int_equal(verifier_open(&v, secrets, &e), OK);
	return v;
}

static enum verdict check(struct verifier *v, const char *header, int64_t now)
{
	int secret;

	return verifier_check(v, header, BODY, strlen(BODY), now, TOLERANCE,
			      &secret);
}

/* The verdict on a header with Centra's example body and clock. */
static enum verdict verdict(const char *header)
{
	struct verifier *v = open_with(SECRET, NULL);
	enum verdict ret = check(v, header, NOW);

	verifier_close(v);
	return ret;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 65536);

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* The text of the next member `name` before `end`, and *at behind it; NULL:
 * there is none.  None of the texts asked for has an escape in it. */
static char *next_text(const char **at, const char *end, const char *name)
{
	char *quoted = xasprintf("\"%s\"", name);
	const char *s = strstr(*at, quoted);
	size_t len = 0;

	if (s && s < end) {
		s = strchr(s + strlen(quoted), '"') + 1;
		len = strcspn(s, "\"");
		*at = s + len;
	} else {
		s = NULL;
	}
	free(quoted);
	return s ? xstrndup(s, len) : NULL;
}

/* Checks the vectors from `at` to `end`; how many there were. */
static size_t check_vectors(const char *at, const char *end, enum verdict want)
{
	size_t n = 0;
	char *key;

	for (; (key = next_text(&at, end, "secret")); n++) {
		char *t = next_text(&at, end, "t");
		char *body = next_text(&at, end, "body");
		char *v1 = next_text(&at, end, "v1");
		char *header = xasprintf("t=%s,v1=%s", t, v1);
		struct verifier *v = open_with(key, NULL);

		/* A context is used again and again: the same each time. */
		for (int i = 0; i < 2; i++) {
			int secret = 9;

			assert_int_equal(verifier_check(v, header, body,
							strlen(body),
							strtoll(t, NULL, 10) *
								1000,
							TOLERANCE, &secret),
					 want);
			assert_int_equal(secret,
					 want == VERDICT_GENUINE ? 0 : -1);
		}
		verifier_close(v);
		free(header);
		free(v1);
		free(body);
		free(t);
		free(key);
	}
	return n;
}

static void every_known_vector_gets_its_verdict(void **state)
{
	char *text = read_file("tests/data/signature-vectors.json");
	const char *bad = strstr(text, "\"negative\"");

	(void)state;
	assert_non_null(bad);
	assert_true(check_vectors(text, bad, VERDICT_GENUINE) >= 4);
	assert_true(check_vectors(bad, text + strlen(text), VERDICT_WRONG) >=
		    1);
	free(text);
}

static void an_empty_body_is_verified_too(void **state)
{
	static const char header[] =
		"t=12345678,v1=1e2c30962ab49c97600c5e36996a2b1d"
		"2650fb323a93a738df497d26d51b3e19";
	struct verifier *v = open_with(SECRET, NULL);
	int secret;

	(void)state;
	assert_int_equal(verifier_check(v, header, NULL, 0, NOW, TOLERANCE,
					&secret),
			 VERDICT_GENUINE);
	assert_int_equal(verifier_check(v, header, "x", 1, NOW, TOLERANCE,
					&secret),
			 VERDICT_WRONG);
	verifier_close(v);
}

static void the_header_is_read_however_it_is_laid_out(void **state)
{
	static const char *const good[] = {
		"t=12345678,v1=" V1,
		"t=12345678, v1=" V1,
		"\tt=12345678 ,\t  v1=" V1 " \t",
		"v1=" V1 ",t=12345678",
		"v2=abc,t=12345678,x,v1=" V1 ",v0=",
		",,t=12345678,,v1=" V1 ",",
		"t=12345678,t=12345678,v1=" V1,
		"t=12345678,v1=" OTHER_V1 ",v1=" V1,
		"t=12345678,v1=" V1 ",v1=" OTHER_V1,
		"t=12345678,v1=short,v1=" V1,
		"t=12345678,v1=" V1_UPPER,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (verdict(good[i]) != VERDICT_GENUINE)
			fail_msg("refused: '%s'", good[i]);
}

static void a_header_that_cannot_be_read_is_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"garbage",
		"t=12345678",
		"v1=" V1,
		"t=,v1=" V1,
		"t=12345678,v1=",
		"t=-12345678,v1=" V1,
		"t=+12345678,v1=" V1,
		"t=12345678.0,v1=" V1,
		"t=0x12,v1=" V1,
		"t=1234 5678,v1=" V1,
		"t=NaN,v1=" V1,
		"t=1234567890123456,v1=" V1,
		"t=12345678,t=12345679,v1=" V1,
		"t=12345678,t=012345678,v1=" V1,
		"t=12345678,v1=" V1 "0",
		"t=12345678,v1=g" V1,
		"T=12345678,v1=" V1,
		"t=12345678;v1=" V1,
		"t=12345678,v2=" V1,
	};

	(void)state;
	assert_int_equal(verdict(NULL), VERDICT_NO_HEADER);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (verdict(bad[i]) != VERDICT_MALFORMED)
			fail_msg("not malformed: '%s'", bad[i]);
}

static void a_header_of_any_length_is_bounded(void **state)
{
	char *header = xcalloc(1, SIGNATURE_HEADER_MAX + 2);
	size_t n = strlen("t=12345678,v1=" V1);

	(void)state;
	memset(header, ',', SIGNATURE_HEADER_MAX);
	memcpy(header, "t=12345678,v1=" V1, n);
	assert_int_equal(verdict(header), VERDICT_GENUINE);
	header[SIGNATURE_HEADER_MAX] = ',';
	assert_int_equal(verdict(header), VERDICT_MALFORMED);
	free(header);
}

static void only_the_first_eight_v1_are_looked_at(void **state)
{
	char header[SIGNATURE_HEADER_MAX] = "t=12345678";
	size_t at = strlen(header);

	(void)state;
	for (int others = 0; others < 10; others++) {
		snprintf(header + at, sizeof(header) - at, ",v1=%s", V1);
		assert_int_equal(verdict(header), others < SIGNATURE_V1_MAX ?
							  VERDICT_GENUINE :
							  VERDICT_WRONG);
		snprintf(header + at, sizeof(header) - at, ",v1=%s", OTHER_V1);
		at = strlen(header);
	}
}

static void t_is_signed_as_it_is_written(void **state)
{
	(void)state;
	/* The same number, but not the bytes that were signed. */
	assert_int_equal(verdict("t=012345678,v1=" V1), VERDICT_WRONG);
	assert_int_equal(verdict("t=12345679,v1=" V1), VERDICT_WRONG);
}

static void the_tolerance_holds_both_ways_and_is_inclusive(void **state)
{
	static const char header[] = "t=12345678,v1=" V1;
	struct verifier *v = open_with(SECRET, NULL);

	(void)state;
	assert_int_equal(check(v, header, NOW + TOLERANCE), VERDICT_GENUINE);
	assert_int_equal(check(v, header, NOW + TOLERANCE + 999),
			 VERDICT_GENUINE);
	assert_int_equal(check(v, header, NOW + TOLERANCE + 1000),
			 VERDICT_STALE);
	assert_int_equal(check(v, header, NOW - TOLERANCE), VERDICT_GENUINE);
	assert_int_equal(check(v, header, NOW - TOLERANCE - 1), VERDICT_STALE);
	verifier_close(v);
}

static void the_farthest_times_do_not_overflow(void **state)
{
	static const int64_t ts[] = {0, 999999999999999};
	struct verifier *v = open_with(SECRET, NULL);
	struct err e;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char header[SIGNATURE_SIZE];

		assert_int_equal(signature_make(header, SECRET, BODY,
						strlen(BODY), ts[i], &e),
				 OK);
		assert_int_equal(check(v, header, NOW), VERDICT_STALE);
		assert_int_equal(check(v, header, ts[i] * 1000),
				 VERDICT_GENUINE);
	}
	verifier_close(v);
}

static void a_wrong_signature_is_wrong_before_it_is_stale(void **state)
{
	struct verifier *v = open_with(SECRET, NULL);

	(void)state;
	assert_int_equal(check(v, "t=12345678,v1=" OTHER_V1,
			       NOW + 10 * TOLERANCE),
			 VERDICT_WRONG);
	verifier_close(v);
}

static void either_of_two_secrets_gets_in_and_is_named(void **state)
{
	struct verifier *v = open_with("new secret", SECRET);
	char header[SIGNATURE_SIZE];
	struct err e;
	int secret;

	(void)state;
	assert_int_equal(verifier_check(v, "t=12345678,v1=" V1, BODY,
					strlen(BODY), NOW, TOLERANCE, &secret),
			 VERDICT_GENUINE);
	assert_int_equal(secret, 1);
	assert_int_equal(signature_make(header, "new secret", BODY,
					strlen(BODY), T, &e),
			 OK);
	assert_int_equal(verifier_check(v, header, BODY, strlen(BODY), NOW,
					TOLERANCE, &secret),
			 VERDICT_GENUINE);
	assert_int_equal(secret, 0);
	assert_int_equal(verifier_check(v, header, BODY, strlen(BODY),
					NOW + 2 * TOLERANCE, TOLERANCE,
					&secret),
			 VERDICT_STALE);
	assert_int_equal(secret, 0);
	verifier_close(v);

	v = open_with("third", NULL);
	assert_int_equal(check(v, header, NOW), VERDICT_WRONG);
	verifier_close(v);
}

static void without_a_secret_nobody_gets_in(void **state)
{
	static const char *const none[2] = {NULL, "previous"};
	static const char *const empty[2] = {"", NULL};
	struct verifier *v = NULL;
	struct err e;

	(void)state;
	assert_int_equal(verifier_open(&v, none, &e), RC_INVALID);
	assert_int_equal(verifier_open(&v, empty, &e), RC_INVALID);
	assert_null(v);

	/* An empty previous secret is no secret, not the empty key. */
	v = open_with("new secret", "");
	char header[SIGNATURE_SIZE];
	assert_int_equal(signature_make(header, "", BODY, strlen(BODY), T, &e),
			 OK);
	assert_int_equal(check(v, header, NOW), VERDICT_WRONG);
	verifier_close(v);
}

static void every_changed_byte_of_a_body_is_noticed(void **state)
{
	struct verifier *v = open_with(SECRET, NULL);
	char body[] = BODY;
	int secret;

	(void)state;
	for (size_t i = 0; i < strlen(BODY); i++) {
		body[i] ^= 1;
		assert_int_equal(verifier_check(v, "t=12345678,v1=" V1, body,
						strlen(BODY), NOW, TOLERANCE,
						&secret),
				 VERDICT_WRONG);
		body[i] ^= 1;
	}
	assert_int_equal(check(v, "t=12345678,v1=" V1, NOW), VERDICT_GENUINE);
	verifier_close(v);
}

static void a_made_signature_is_the_published_one(void **state)
{
	char header[SIGNATURE_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(signature_make(header, SECRET, BODY, strlen(BODY), T,
					&e),
			 OK);
	assert_string_equal(header, "t=12345678,v1=" V1);
	assert_int_equal(signature_make(header, SECRET, BODY, strlen(BODY), -1,
					&e),
			 RC_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_vector_gets_its_verdict),
		cmocka_unit_test(an_empty_body_is_verified_too),
		cmocka_unit_test(the_header_is_read_however_it_is_laid_out),
		cmocka_unit_test(a_header_that_cannot_be_read_is_malformed),
		cmocka_unit_test(a_header_of_any_length_is_bounded),
		cmocka_unit_test(only_the_first_eight_v1_are_looked_at),
		cmocka_unit_test(t_is_signed_as_it_is_written),
		cmocka_unit_test(
			the_tolerance_holds_both_ways_and_is_inclusive),
		cmocka_unit_test(the_farthest_times_do_not_overflow),
		cmocka_unit_test(a_wrong_signature_is_wrong_before_it_is_stale),
		cmocka_unit_test(either_of_two_secrets_gets_in_and_is_named),
		cmocka_unit_test(without_a_secret_nobody_gets_in),
		cmocka_unit_test(every_changed_byte_of_a_body_is_noticed),
		cmocka_unit_test(a_made_signature_is_the_published_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
