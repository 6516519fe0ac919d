/* SPDX-License-Identifier: MIT
 *
 * A backup is taken while deliveries come in; a server started on it knows all
 * that had been answered 200 before, and its store is whole.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/counts.h"
#include "tests/harness/returns.h"
#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define SENDERS	 3
#define SENT_MAX 100000
#define FIRST_ID 100000

struct load {
	struct shipfrom *s;
	atomic_int next, acked;
	atomic_bool over;
	atomic_uchar told[SENT_MAX]; /* answered 200 */
};

static void *send_on(void *arg)
{
	struct load *l = arg;
	char json[256];
	int i;

	while (!l->over && (i = atomic_fetch_add(&l->next, 1)) < SENT_MAX) {
		struct answer a;

		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"customer\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.628033\","
			 "\"id\":%d}]}",
			 FIRST_ID + i);
		a = webhook_send(l->s->hook, json, SPACE_PLUS);
		if (a.status == 200) {
			l->told[i] = 1;
			l->acked++;
		}
		answer_release(&a);
	}
	return NULL;
}

static bool acked_enough(void *arg)
{
	struct load *l = arg;

	return l->acked > 200;
}

/* Events of ours that the store holds; those of `before` that it does not. */
static int missing(struct shipfrom *s, const unsigned char *before,
		   int *ret_there)
{
	const char *words[] = {"events", "--json", "--since", "1", NULL};
	unsigned char *here = calloc(SENT_MAX, 1);
	char *out = NULL, *line, *rest;
	int lost = 0;

	assert_non_null(here);
	*ret_there = 0;
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);
		int64_t id = number_of(v, "id");

		if (id >= FIRST_ID && id < FIRST_ID + SENT_MAX) {
			here[id - FIRST_ID] = 1;
			*ret_there += 1;
		}
		cJSON_Delete(v);
	}
	free(out);
	for (int i = 0; i < SENT_MAX; i++)
		lost += before[i] && !here[i];
	free(here);
	return lost;
}

/* The status of a request with the token of the shop in amsterdam. */
static long me(struct shipfrom *s)
{
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/me");
	long status = a.status;

	answer_release(&a);
	return status;
}

static void expect_run(struct shipfrom *s, int code, const char *const *words)
{
	char *out = NULL;
	int status = shipfrom_run(s, &out, true, words);

	if (status != code)
		fail_msg("%s ended with %d, not %d: %s", words[0], status,
			 code, out);
	free(out);
}

static void a_server_started_on_a_backup_knows_all_from_before(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct load *l = calloc(1, sizeof(*l));
	unsigned char *before = calloc(SENT_MAX, 1);
	char file[160], part[170];
	const char *backup[] = {"backup", file, NULL};
	const char *verify[] = {"verify", NULL};
	const char *readmit[] = {"device", "readmit", "--all", NULL};
	pthread_t threads[SENDERS];
	int64_t number;
	int there, acked = 0;
	struct answer a;
	struct stat st;

	assert_non_null(l);
	assert_non_null(before);
	snprintf(file, sizeof(file), "%s/copy.mdb", s->dir);
	snprintf(part, sizeof(part), "%s.tmp", file);
	number = sim_place(&s->sim, 600);
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	l->s = s;
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_on, l),
				 0);
	assert_true(wait_until(acked_enough, l, 20000));
	for (int i = 0; i < SENT_MAX; i++)
		acked += before[i] = l->told[i];
	expect_run(s, 0, backup);
	expect_run(s, 0, verify); /* of one moment, under load too */
	expect_run(s, 73, backup); /* nothing is overwritten */
	l->over = true;
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_not_equal(access(part, F_OK), 0);

	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_restore(s, file);
	shipfrom_again(s);
	assert_int_equal(missing(s, before, &there), 0);
	assert_true(there >= acked);
	expect_run(s, 0, verify);
	/* The shops' orders are there as well, and their devices, once they
	 * are readmitted: one may have been removed since. */
	assert_int_equal(me(s), 401);
	expect_run(s, 0, readmit);
	assert_int_equal(me(s), 200);
	wait_state(s, AMSTERDAM, number, "accepted", 5000);
	printf("%d were answered 200 before the backup, %d are in it\n", acked,
	       there);
	free(before);
	free(l);
	shipfrom_passed(s);
}

/* A key for the system of Amsterdam's shop (owned). */
static char *key_of_system(struct shipfrom *s)
{
	const char *words[] = {"device", "add", "--order-api", "--shop",
			       "amsterdam", "--name=WMS", NULL};
	char *out = NULL, *key;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	key = strndup(out, strcspn(out, "\n"));
	assert_non_null(key);
	free(out);
	return key;
}

static long opened(struct shipfrom *s, const char *key)
{
	char url[256], auth[200];
	const char *headers[] = {auth, NULL};
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s/order-api/amsterdam/shipments", s->url);
	snprintf(auth, sizeof(auth), "API-Authorization: %s", key);
	a = http_send("GET", url, headers, NULL, 0);
	status = a.status;
	answer_release(&a);
	return status;
}

struct receiving {
	struct shipfrom *s;
	const char *path;
};

static bool is_received(void *arg)
{
	const struct receiving *r = arg;
	struct answer a = shop_post(
		r->s, AMSTERDAM, r->path,
		"{\"items\":[{\"ean\":\"1001\",\"quantity\":5}]}");
	long status = a.status;

	answer_release(&a);
	return status == 200;
}

/* A return, a count and a delivery. */
static void fill(struct shipfrom *s)
{
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a"};
	struct answer a;
	char path[80];

	wait_return_booked(s, &w);
	sim_tell(&s->sim, "/stock", "{\"ean\":\"1001\",\"sku\":\"S-1001\"}");
	count_item(s, "1001", 7, 1);
	wait_counted(s, "1001", "done", 10000);
	sim_tell(&s->sim, "/plugins",
		 "[{\"name\":\"amsterdam\",\"key\":\"key-of-amsterdam\","
		 "\"warehouse\":3}]");
	a = sim_do(&s->sim, "/deliveries",
		   "[{\"warehouse\":3,\"products\":[{\"ean\":\"1001\","
		   "\"sku\":\"S-1001\",\"quantity\":5}]}]");
	snprintf(path, sizeof(path), "/api/v1/deliveries/%.0f/receive",
		 cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "ids"), 0)
			 ->valuedouble);
	answer_release(&a);
	assert_true(wait_until(is_received, &(struct receiving){s, path},
			       10000));
}

static const char *const kinds[] = {"return", "receipt", "stock_item",
				    "stock_size", "stock_move"};
#define KINDS 5

/* What `records` shows of each kind (owned). */
static void read_kinds(struct shipfrom *s, char *ret[KINDS])
{
	for (int i = 0; i < KINDS; i++) {
		const char *words[] = {"records", kinds[i], "--json", NULL};

		assert_int_equal(shipfrom_run(s, &ret[i], false, words), 0);
		if (!strchr(ret[i], '{'))
			fail_msg("there is no record '%s'", kinds[i]);
	}
}

static void records_and_keys_are_as_they_were_when_the_backup_was_made(
	void **state)
{
	struct shipfrom *s = shipfrom_start(&(struct shipfrom_options){
		.server = "answer_wait = 300ms\ndevice_presses = 10000",
		.centra = MANY,
		.amsterdam = "ship_with = order_api\n",
		.counter = true});
	char file[160], *before[KINDS], *after[KINDS], *key;
	const char *backup[] = {"backup", file, NULL};
	const char *verify[] = {"verify", NULL};
	const char *readmit[] = {"device", "readmit", "--all", NULL};

	*state = s;
	snprintf(file, sizeof(file), "%s/copy.mdb", s->dir);
	key = key_of_system(s);
	assert_int_equal(opened(s, key), 200);
	fill(s);
	read_kinds(s, before);
	expect_run(s, 0, backup);
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_restore(s, file);
	shipfrom_again(s);
	expect_run(s, 0, verify);
	read_kinds(s, after);
	for (int i = 0; i < KINDS; i++) {
		assert_string_equal(after[i], before[i]);
		free(after[i]);
		free(before[i]);
	}
	assert_int_equal(opened(s, key), 401); /* it may have been removed */
	expect_run(s, 0, readmit);
	assert_int_equal(opened(s, key), 200);
	free(key);
	shipfrom_passed(s);
}

static void a_backup_that_cannot_be_written_leaves_nothing(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	char file[160];
	const char *backup[] = {"backup", file, NULL};

	snprintf(file, sizeof(file), "%s/not/there.mdb", s->dir);
	expect_run(s, 73, backup);
	assert_int_not_equal(access(file, F_OK), 0);
	shipfrom_passed(s);
}

static void a_store_is_compacted_while_the_server_is_stopped(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	const char *compact[] = {"compact", "--json", NULL};
	const char *verify[] = {"verify", NULL};
	int64_t number = sim_place(&s->sim, 600);
	char *out = NULL;

	wait_state(s, AMSTERDAM, number, "pending", 10000);
	expect_run(s, 75, compact);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(shipfrom_run(s, &out, false, compact), 0);
	assert_non_null(strstr(out, "{\"before\":"));
	free(out);
	expect_run(s, 0, verify);
	shipfrom_again(s);
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	assert_int_equal(me(s), 200);
	shipfrom_passed(s);
}

static void a_limit_on_files_ends_a_backup_in_words(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	char file[160], part[170];
	const char *backup[] = {"backup", file, NULL};
	struct rlimit was, low;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	low = was;
	low.rlim_cur = 8192;
	snprintf(file, sizeof(file), "%s/copy.mdb", s->dir);
	snprintf(part, sizeof(part), "%s.tmp", file);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	expect_run(s, 73, backup);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_not_equal(access(part, F_OK), 0);
	expect_run(s, 0, backup);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_server_started_on_a_backup_knows_all_from_before),
		T(records_and_keys_are_as_they_were_when_the_backup_was_made),
		T(a_store_is_compacted_while_the_server_is_stopped),
		T(a_limit_on_files_ends_a_backup_in_words),
		T(a_backup_that_cannot_be_written_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
