/* SPDX-License-Identifier: MIT
 *
 * test_picture.c - which pictures a screen may be told of.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "server/lookup/picture.h"

#include <cmocka.h>

#define FROM "https://brand.centracdn.net"

static void a_picture_of_the_origin_is_allowed(void **state)
{
	(void)state;
	assert_true(picture_allowed(FROM "/client/dynamic/images/1_x.jpg",
				    FROM));
	assert_true(picture_allowed(FROM "/a%20b.jpg?w=80&h=80", FROM));
}

static void a_picture_of_another_origin_is_not(void **state)
{
	static const char *const others[] = {
		"https://evil.example/x.jpg",
		"http://brand.centracdn.net/x.jpg",
		FROM ".evil.example/x.jpg",
		FROM "@evil.example/x.jpg",
		FROM ":8443/x.jpg",
		FROM,
		"//brand.centracdn.net/x.jpg",
		"/x.jpg",
		"javascript:alert(1)",
		"data:image/png;base64,AAAA",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (picture_allowed(others[i], FROM))
			fail_msg("'%s' is allowed", others[i]);
}

static void without_an_origin_none_is(void **state)
{
	(void)state;
	assert_false(picture_allowed(FROM "/x.jpg", NULL));
	assert_false(picture_allowed(FROM "/x.jpg", ""));
	assert_false(picture_allowed(NULL, FROM));
}

static void what_is_no_url_or_too_long_is_not(void **state)
{
	static const char *const odd[] = {
		FROM "/a b.jpg", FROM "/a\"b.jpg", FROM "/a'b.jpg",
		FROM "/<b>.jpg", FROM "/a\nb.jpg", FROM "/\xc3\xa5.jpg",
		FROM "/a\\b.jpg",
	};
	char text[PICTURE_MAX + 2] = FROM "/";

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		if (picture_allowed(odd[i], FROM))
			fail_msg("'%s' is allowed", odd[i]);
	memset(text + strlen(text), 'x', PICTURE_MAX - strlen(text));
	assert_true(picture_allowed(text, FROM));
	text[PICTURE_MAX] = 'x';
	assert_false(picture_allowed(text, FROM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_of_the_origin_is_allowed),
		cmocka_unit_test(a_picture_of_another_origin_is_not),
		cmocka_unit_test(without_an_origin_none_is),
		cmocka_unit_test(what_is_no_url_or_too_long_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
