/* SPDX-License-Identifier: MIT
 *
 * sweep.c - see sweep.h.
 */
#include "tests/harness/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

int sweeping_with(void **state, const char *server, const char *centra)
{
	*state = shipfrom_with(server, centra);
	return 0;
}

int sweeping(void **state)
{
	return sweeping_with(state,
			     "answer_wait = 300ms\nmissed_after = 400ms\n"
			     "look_again = 500ms\n",
			     NULL);
}

int64_t missed(struct shipfrom *s, const char *kind)
{
	char name[80];

	snprintf(name, sizeof(name), "missed_webhooks_total{kind=\"%s\"}",
		 kind);
	return metric(s, name);
}

void wait_missed(struct shipfrom *s, const char *kind, int64_t n)
{
	char name[80];

	snprintf(name, sizeof(name), "missed_webhooks_total{kind=\"%s\"}",
		 kind);
	wait_metric(s, name, n, 10000);
	assert_int_equal(metric(s, name), n);
}

/* All kinds in the order create, accepted, rejected, timeout, cancel. */
void expect_missed(struct shipfrom *s, const int64_t expect[5])
{
	static const char *const kinds[] = {"create", "accepted", "rejected",
					    "timeout", "cancel"};

	for (int i = 0; i < 5; i++)
		if (missed(s, kinds[i]) != expect[i])
			fail_msg("%s is counted %lld times, not %lld", kinds[i],
				 (long long)missed(s, kinds[i]),
				 (long long)expect[i]);
}

static bool none_is_judged(void *arg)
{
	const char *words[] = {"tasks", "--json", NULL};
	char *out = NULL;
	bool none;

	assert_int_equal(shipfrom_run(arg, &out, false, words), 0);
	none = !strstr(out, "\"missed\"");
	free(out);
	return none;
}

void wait_judged(struct shipfrom *s)
{
	assert_true(wait_until(none_is_judged, s, 15000));
}

/* Asks for a sweep, and waits until it is done. */
void ask_for_sweep(struct shipfrom *s)
{
	const char *words[] = {"sweep", NULL};
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
}

void sweep(struct shipfrom *s)
{
	int64_t done = metric(s, "sweeps_total");

	ask_for_sweep(s);
	wait_metric(s, "sweeps_total", done + 1, 10000);
}

int64_t order_placed(struct shipfrom *s, const char *more)
{
	struct answer a = sim_do(&s->sim, "/orders", "{%s}", more);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	return number;
}

void order_ended(struct shipfrom *s, int64_t number, const char *verb)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 verb);
	sim_tell(&s->sim, path, "{\"warehouse\":3}");
}

void lose_webhooks(struct shipfrom *s)
{
	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
}
