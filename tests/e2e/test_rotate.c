/* SPDX-License-Identifier: MIT
 *
 * A webhook secret is rotated while deliveries come in: none is refused while
 * both are set, the old one is once it was removed, and no reload costs a
 * request, a bad file's neither.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define SENDERS 4
#define OLD	SECRET
#define NEW	"the new one"

/* Which secrets the senders sign with, in turn. */
enum signing { BY_OLD, BY_BOTH, BY_NEW };

struct load {
	struct shipfrom *s;
	_Atomic(enum signing) by;
	atomic_int next;
	atomic_int under_way[2]; /* signed by the old, the new */
	atomic_int ok[2], refused[2], lost;
	atomic_bool over;
};

static long send_one(struct shipfrom *s, int id, const char *secret)
{
	char json[256], *body, *header;
	struct answer a;
	long status;

	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		 "\"date\":\"2021-01-29 14:40:58.628033\",\"id\":%d}]}",
		 id);
	body = webhook_body(json, SPACE_PLUS);
	header = webhook_header(secret, now_unix(), body);
	a = webhook_post(s->hook, header, body, strlen(body));
	status = a.status;
	answer_release(&a);
	free(header);
	free(body);
	return status;
}

static void *send_on(void *arg)
{
	struct load *l = arg;

	while (!l->over) {
		int i = atomic_fetch_add(&l->next, 1), new = 0;
		long status;

		/* Said before it is looked at what to sign with, so that who
		 * changes that can wait for those that did not see it. */
		l->under_way[0]++;
		new = l->by == BY_NEW || (l->by == BY_BOTH && i % 2);
		if (new) {
			l->under_way[1]++;
			l->under_way[0]--;
		}
		status = send_one(l->s, i, new ? NEW : OLD);
		if (status == 200)
			l->ok[new]++;
		else if (status == 401)
			l->refused[new]++;
		else
			l->lost++;
		l->under_way[new]--;
	}
	return NULL;
}

/* ---- the config ---- */

/* Writes the config with these lines for the secrets, and `more` at its end;
 * says SIGHUP and waits until the log has said `says` once more. */
static void reload(struct shipfrom *s, const char *first, const char *secrets,
		   const char *more, const char *says);

static void reload(struct shipfrom *s, const char *first, const char *secrets,
		   const char *more, const char *says)
{
	const char *line = "webhook_secret = " SECRET "\n";
	const char *at = strstr(first, line);
	int times = times_said(s->log, says) + 1;
	FILE *f = fopen(s->config, "w");

	assert_non_null(at);
	assert_non_null(f);
	fprintf(f, "%.*s%s%s%s", (int)(at - first), first, secrets,
		at + strlen(line), more);
	assert_int_equal(fclose(f), 0);
	kill(s->process.pid, SIGHUP);
	wait_said(s, says, times);
}

static bool none_by_old(void *arg)
{
	struct load *l = arg;

	return !l->under_way[0];
}

struct more {
	struct load *l;
	int old, new;
};

static bool both_sent_more(void *arg)
{
	const struct more *m = arg;

	return m->l->ok[0] + m->l->refused[0] >= m->old &&
	       m->l->ok[1] + m->l->refused[1] >= m->new;
}

static void wait_more(struct load *l, int old, int new)
{
	struct more m = {l, l->ok[0] + l->refused[0] + old,
			 l->ok[1] + l->refused[1] + new};

	assert_true(wait_until(both_sent_more, &m, 20000));
}

/* A number of /metrics. */
static int64_t metric(struct shipfrom *s, const char *name)
{
	char url[160];
	const char *at;
	struct answer a;
	int64_t n = -1;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	a = http_get(url, NULL);
	at = strstr(a.body, name);
	if (at)
		n = strtoll(at + strlen(name), NULL, 10);
	answer_release(&a);
	return n;
}

static char *read_config(struct shipfrom *s)
{
	FILE *f = fopen(s->config, "r");
	char *text = NULL;
	size_t room = 0;

	assert_non_null(f);
	assert_true(getdelim(&text, &room, 0, f) > 0);
	fclose(f);
	return text;
}

#define RELOADED "\"config reloaded\""
#define KEPT	 "config not reloaded: the old one stays"

static void rotate(struct load *l, const char *first)
{
	static const char both[] = "webhook_secret = " NEW "\n"
				   "previous_webhook_secret = " OLD "\n";
	static const char shop[] = "[shop zurich]\ncentra = se\n"
				   "name = Zurich\nwarehouses = 9\n";
	static const char only[] = "webhook_secret = " NEW "\n";
	struct shipfrom *s = l->s;

	wait_more(l, 50, 0);
	reload(s, first, both, "", RELOADED);
	l->by = BY_BOTH;
	wait_more(l, 100, 100);
	for (int i = 0; i < 5; i++)
		reload(s, first, both, i % 2 ? shop : "", RELOADED);
	/* A file with a mistake changes nothing: both are good still. */
	reload(s, first, "webhook_secret = \n", "", KEPT);
	wait_more(l, 50, 50);
	assert_int_equal(l->refused[0] + l->refused[1], 0);
	l->by = BY_NEW;
	assert_true(wait_until(none_by_old, l, 10000));
	reload(s, first, only, shop, RELOADED);
	wait_more(l, 0, 50);
	assert_int_equal(send_one(s, 1000000, OLD), 401);
	assert_int_equal(send_one(s, 1000001, NEW), 200);
	wait_more(l, 0, 20);
}

static void a_secret_is_rotated_under_load(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	const char *add[] = {"device", "add",	 "--shop", "zurich",
			     "--name", "till", NULL};
	struct load *l = calloc(1, sizeof(*l));
	pthread_t threads[SENDERS];
	char *first = read_config(s);

	assert_non_null(l);
	l->s = s;
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_on, l),
				 0);
	rotate(l, first);
	l->over = true;
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	printf("200 for the old secret %d times, for the new %d; 401 %d "
	       "times, no answer %d times\n",
	       l->ok[0], l->ok[1], l->refused[0] + l->refused[1], l->lost);
	assert_int_equal(l->refused[0] + l->refused[1], 0);
	assert_int_equal(l->lost, 0);
	/* A shop that came with the reload can act. */
	assert_int_equal(shipfrom_run(s, NULL, false, add), 0);
	assert_true(metric(s, "shipfrom_webhooks_verified_total{instance="
			      "\"se\",secret=\"previous\"} ") >= 150);
	assert_true(metric(s, "shipfrom_webhooks_verified_total{instance="
			      "\"se\",secret=\"current\"} ") >= 200);
	free(first);
	free(l);
	shipfrom_passed(s);
}

static void check_says_since_when_each_secret_signs(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	const char *check[] = {"check", NULL};
	char *first = read_config(s), *out = NULL;

	reload(s, first,
	       "webhook_secret = " NEW "\nprevious_webhook_secret = " OLD "\n",
	       "", RELOADED);
	assert_int_equal(shipfrom_run(s, &out, true, check), 0);
	assert_non_null(strstr(out, "signs nothing yet"));
	free(out);
	assert_int_equal(send_one(s, 1, NEW), 200);
	assert_int_equal(send_one(s, 2, OLD), 200);
	/* What it knows outlives it. */
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(shipfrom_run(s, &out, true, check), 0);
	if (!strstr(out, "the new webhook secret signs since 2") ||
	    !strstr(out, "the previous one signed last at 2") ||
	    strstr(out, "can go"))
		fail_msg("check says: %s", out);
	free(out);
	free(first);
	shipfrom_again(s);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_secret_is_rotated_under_load),
		T(check_says_since_when_each_secret_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
