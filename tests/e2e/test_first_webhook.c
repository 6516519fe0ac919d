/* SPDX-License-Identifier: MIT
 *
 * docs/first-webhook.md: the recipe in it, run to the letter, brings an order to
 * the shop, which accepts it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"

#define NUMBER 900001

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* The first block of sh in the document, the recipe, to a file of its own. */
static void write_recipe(const char *path)
{
	FILE *from = fopen("docs/first-webhook.md", "r");
	FILE *to = fopen(path, "w");
	bool inside = false, ended = false;
	int lines = 0;
	char line[1024];

	assert_non_null(from);
	assert_non_null(to);
	while (!ended && fgets(line, sizeof(line), from)) {
		if (!strcmp(line, "```sh\n")) {
			inside = true;
		} else if (!strcmp(line, "```\n")) {
			ended = inside;
		} else if (inside) {
			fputs(line, to);
			lines++;
		}
	}
	fclose(from);
	assert_int_equal(fclose(to), 0);
	assert_true(lines > 5);
}

/* What the recipe printed (owned). */
static char *run_recipe(struct shipfrom *s, const char *secret)
{
	char path[200];
	const char *argv[] = {"sh", "-eu", path, NULL};
	char *out = NULL;

	snprintf(path, sizeof(path), "%s/recipe.sh", s->dir);
	write_recipe(path);
	setenv("URL", s->hook, 1);
	setenv("SECRET", secret, 1);
	setenv("ORDER", "900001", 1);
	setenv("WAREHOUSE", "3", 1);
	setenv("ZONE", "Europe/Stockholm", 1);
	if (run_program(argv, &out, true))
		fail_msg("the recipe failed: %s", out);
	return out;
}

static void the_documented_recipe_brings_an_order_to_the_shop(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	char *out;

	sim_tell(&s->sim, "/orders",
		 "{\"number\":%d,\"warehouses\":[{\"id\":3,\"expires_in\":3600}]"
		 ",\"webhook\":false}",
		 NUMBER);
	out = run_recipe(s, SECRET);
	if (!strstr(out, " 200 ") ||
	    !strstr(out, "{\"events\":1,\"new\":1,\"duplicates\":0,"
			 "\"quarantined\":0}"))
		fail_msg("it was answered: %s", out);
	free(out);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
	a = shop_does(s, AMSTERDAM, NUMBER, "accept", "{}");
	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(a.json, "state"), "accepted");
	answer_release(&a);
	journal_has(s, NUMBER, "offered", NULL);
	journal_has(s, NUMBER, "answered", "accept");
	shipfrom_passed(s);
}

static void with_another_secret_the_recipe_is_refused(void **state)
{
	struct shipfrom *s = *state;
	char *out = run_recipe(s, "another secret");

	if (!strstr(out, " 401 ") || !strstr(out, "signature_wrong"))
		fail_msg("it was answered: %s", out);
	free(out);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_documented_recipe_brings_an_order_to_the_shop),
		T(with_another_secret_the_recipe_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
