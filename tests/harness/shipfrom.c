/* SPDX-License-Identifier: MIT */
#include "tests/harness/shipfrom.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

static const char *const shops[SHOPS] = {"stockholm", "amsterdam", "berlin"};

static const char *binary(const struct shipfrom *s, char ret[256])
{
	if (s->options.binary)
		snprintf(ret, 256, "%s", s->options.binary);
	else
		snprintf(ret, 256, "%s/shipfrom", build_dir());
	return ret;
}

static void write_config(const struct shipfrom *s)
{
	FILE *f = fopen(s->config, "w");

	assert_non_null(f);
	fprintf(f,
		"[server]\n"
		"listen = %s\n"
		"admin_listen = %s\n"
		"store = lmdb:%s/store\n"
		"store_max = 256M\n",
		s->listen, s->admin_listen, s->dir);
	if (!s->options.server || !strstr(s->options.server, "sweep_every"))
		fprintf(f, "sweep_every = 0\n");
	if (!s->options.server || !strstr(s->options.server, "drain"))
		fprintf(f, "drain = 50ms\n");
	fprintf(f, "%s\n", s->options.server ? s->options.server : "");
	fprintf(f,
		"[centra se]\n"
		"webhook_secret = " SECRET "\n"
		"order_api_url = %s/api/order-api\n"
		"order_api_key = order-api-key\n"
		"time_zone = Europe/Stockholm\n"
		"graphql_requests_hour = 100000\n"
		"graphql_mutations_hour = 100000\n",
		s->sim.url);
	if (!s->options.centra || !strstr(s->options.centra, "poll_requests"))
		fprintf(f, "poll_requests = 0\n");
	if (!s->options.no_graphql)
		fprintf(f,
			"graphql_url = %s/graphql\n"
			"graphql_token = graphql-token\n",
			s->sim.url);
	if (s->options.centra && strstr(s->options.centra, "soap"))
		fprintf(f,
			"soap_url = %s/ams/system/service/module/soap/api\n"
			"soap_user = soap-user\n"
			"soap_password = soap-password\n",
			s->sim.url);
	/* It may begin a section of its own. */
	fprintf(f, "%s\n", s->options.centra ? s->options.centra : "");
	for (int i = 0; i < SHOPS; i++) {
		const char *more = i == AMSTERDAM   ? s->options.amsterdam
				   : i == STOCKHOLM ? s->options.stockholm
						    : s->options.berlin;

		fprintf(f,
			"[shop %s]\n"
			"centra = se\n"
			"name = The shop in %s\n"
			"warehouses = %d\n%s",
			shops[i], shops[i], i + 2, more ? more : "");
		if (s->options.counter)
			fprintf(f,
				"returns = yes\n"
				"order_api_url = %s/api/%s\n"
				"order_api_key = key-of-%s\n",
				s->sim.url, shops[i], shops[i]);
	}
	assert_int_equal(fclose(f), 0);
}

/* Starts it and waits until it is ready, where the configuration says. */
static void serve(struct shipfrom *s)
{
	char program[256], url[128], admin[128];
	const char *argv[32];
	int n = 0;

	for (const char *const *w = s->options.under; w && *w && n < 24; w++)
		argv[n++] = *w;
	argv[n++] = binary(s, program);
	argv[n++] = "serve";
	argv[n++] = "--config";
	argv[n++] = s->config;
	argv[n] = NULL;
	process_start(&s->process, argv, s->log, s->options.under != NULL);
	if (!process_says(&s->process, "ready ", url, sizeof(url), 30000) ||
	    !process_says(&s->process, "admin ", admin, sizeof(admin), 5000)) {
		process_tail(s->log, 30);
		fail_msg("the server does not say that it is ready");
	}
	assert_string_equal(url, s->url);
	assert_string_equal(admin, s->admin);
}

int shipfrom_run(struct shipfrom *s, char **ret_out, bool both,
		 const char *const *words)
{
	const char *argv[16];
	char program[256];
	int n = 0;

	argv[n++] = binary(s, program);
	for (; *words && n < 12; words++)
		argv[n++] = *words;
	argv[n++] = "--config";
	argv[n++] = s->config;
	argv[n] = NULL;
	return run_program(argv, ret_out, both);
}

static bool is_entry(const char *line, const char *kind, const char *result)
{
	cJSON *json = cJSON_Parse(line);
	bool is = !strcmp(text_of(json, "kind"), kind) &&
		  (!result || !strcmp(text_of(json, "result"), result));

	cJSON_Delete(json);
	return is;
}

void journal_has(struct shipfrom *s, int64_t number, const char *kind,
		 const char *result)
{
	char word[32], *out = NULL, *copy, *line, *rest;
	const char *words[] = {"why", word, "--json", NULL};
	bool found = false;

	snprintf(word, sizeof(word), "%lld", (long long)number);
	if (shipfrom_run(s, &out, false, words))
		fail_msg("why failed: %s", out);
	copy = rest = strdup(out);
	while (!found && (line = strsep(&rest, "\n")))
		found = *line && is_entry(line, kind, result);
	if (!found)
		fail_msg("the journal has no '%s' (%s):\n%s", kind,
			 result ? result : "any", out);
	free(copy);
	free(out);
}

static void add_device(struct shipfrom *s, enum shop shop)
{
	const char *words[] = {"device",    "add",    "--shop",
			       shops[shop], "--name", "till", NULL};
	char *out = NULL;

	if (shipfrom_run(s, &out, false, words) || !strchr(out, '\n')) {
		process_tail(s->log, 20);
		fail_msg("device add: %s", out);
	}
	s->tokens[shop] = strndup(out, strcspn(out, "\n"));
	free(out);
}

/* Threads of a test use them while the server is started again: they are written
 * once. */
static void choose_addresses(struct shipfrom *s)
{
	if (s->options.listen)
		snprintf(s->listen, sizeof(s->listen), "%s", s->options.listen);
	else
		free_address(s->listen);
	do
		free_address(s->admin_listen);
	while (!strcmp(s->admin_listen, s->listen));
	snprintf(s->url, sizeof(s->url), "http://%s", s->listen);
	snprintf(s->admin, sizeof(s->admin), "http://%s", s->admin_listen);
	snprintf(s->hook, sizeof(s->hook), "%s/webhooks/centra/se", s->url);
}

struct shipfrom *shipfrom_start(const struct shipfrom_options *o)
{
	struct shipfrom *s = calloc(1, sizeof(*s));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(s);
	signal(SIGPIPE, SIG_IGN);
	if (o)
		s->options = *o;
	snprintf(s->dir, sizeof(s->dir), "%s/shipfrom-test.XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->config, sizeof(s->config), "%s/shipfrom.ini", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/shipfrom.log", s->dir);
	choose_addresses(s);
	sim_start(&s->sim, s->dir);
	write_config(s);
	serve(s);
	for (int i = 0; i < SHOPS; i++)
		add_device(s, (enum shop)i);
	sim_tell(&s->sim, "/hooks", "{\"url\":\"%s\"}", s->hook);
	return s;
}

struct shipfrom *shipfrom_with(const char *server, const char *centra)
{
	const struct shipfrom_options o = {.server = server, .centra = centra};

	return shipfrom_start(&o);
}

void shipfrom_kill_9(struct shipfrom *s)
{
	process_end(&s->process, SIGKILL, 10000);
}

void shipfrom_again(struct shipfrom *s)
{
	serve(s);
}

int shipfrom_stop(struct shipfrom *s)
{
	return process_end(&s->process, SIGTERM, 20000);
}

void shipfrom_restore(struct shipfrom *s, const char *file)
{
	char dir[192], data[256], was[192];

	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	snprintf(was, sizeof(was), "%s/lost", s->dir);
	assert_int_equal(rename(dir, was), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(data, sizeof(data), "%s/data.mdb", dir);
	assert_int_equal(rename(file, data), 0);
}

void config_edit(struct shipfrom *s, const char *from, const char *to)
{
	char *was = NULL, *at;
	size_t room = 0;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&was, &room, 0, f) > 0);
	fclose(f);
	at = strstr(was, from);
	assert_non_null(at);
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - was), was, to, at + strlen(from));
	assert_int_equal(fclose(f), 0);
	free(was);
}

struct said {
	const char *log, *msg;
	int times;
};

int times_said(const char *log, const char *msg)
{
	FILE *f = fopen(log, "r");
	char line[2048];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, msg) != NULL;
	fclose(f);
	return n;
}

static bool was_said(void *arg)
{
	const struct said *w = arg;

	return times_said(w->log, w->msg) >= w->times;
}

void wait_said(struct shipfrom *s, const char *msg, int times)
{
	struct said w = {s->log, msg, times};

	if (!wait_until(was_said, &w, 5000))
		fail_msg("the log does not say '%s'", msg);
}

/* Runs a command, which must succeed. */
static void must_run(struct shipfrom *s, const char *const *words)
{
	char *out = NULL;
	int status = shipfrom_run(s, &out, true, words);

	if (status)
		fail_msg("%s ended with %d: %s", words[0], status, out);
	free(out);
}

void shipfrom_back_up(struct shipfrom *s, char ret_file[BACKUP_ROOM])
{
	const char *words[] = {"backup", ret_file, NULL};

	snprintf(ret_file, BACKUP_ROOM, "%s/copy.mdb", s->dir);
	must_run(s, words);
}

void shipfrom_go_back(struct shipfrom *s, const char *file)
{
	const char *verify[] = {"verify", NULL};
	const char *readmit[] = {"device", "readmit", "--all", NULL};

	shipfrom_restore(s, file);
	must_run(s, verify);
	must_run(s, readmit);
	shipfrom_again(s);
}

void shipfrom_passed(struct shipfrom *s)
{
	s->passed = true;
}

static int remove_one(const char *path, const struct stat *st, int what,
		      struct FTW *at)
{
	(void)st, (void)what, (void)at;
	return remove(path);
}

int shipfrom_end(void **state)
{
	struct shipfrom *s = *state;
	const char *report;
	int status, bad = 0;

	if (!s)
		return 0;
	*state = NULL;
	status = shipfrom_stop(s);
	sim_stop(&s->sim);
	report = process_report(s->log);
	if (!report)
		report = process_report(s->sim.log);
	if (status) {
		fprintf(stderr, "the server ended with %d\n", status);
		bad = -1;
	}
	if (report) {
		fprintf(stderr, "a sanitizer spoke: %s\n", report);
		bad = -1;
	}
	if (!s->passed || bad)
		process_tail(s->log, report ? 120 : 40);
	if (s->passed && !bad)
		nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else
		fprintf(stderr, "kept: %s\n", s->dir);
	for (int i = 0; i < SHOPS; i++)
		free(s->tokens[i]);
	free(s);
	return bad;
}

/* ---- as a shop ---- */

struct answer shop_get(struct shipfrom *s, enum shop shop, const char *path)
{
	char url[512];

	snprintf(url, sizeof(url), "%s%s", s->url, path);
	return http_get(url, s->tokens[shop]);
}

struct answer shop_post(struct shipfrom *s, enum shop shop, const char *path,
			const char *json)
{
	char url[512];

	snprintf(url, sizeof(url), "%s%s", s->url, path);
	return http_post(url, s->tokens[shop], json);
}

struct answer shop_does(struct shipfrom *s, enum shop shop, int64_t number,
			const char *verb, const char *json)
{
	char path[128];

	snprintf(path, sizeof(path), "/api/v1/orders/%lld/%s",
		 (long long)number, verb);
	return shop_post(s, shop, path, json);
}

const char *shop_sees(struct shipfrom *s, enum shop shop, int64_t number,
		      char ret[STATE_ROOM])
{
	char path[128];
	struct answer a;

	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	a = shop_get(s, shop, path);
	if (a.status == 200)
		snprintf(ret, STATE_ROOM, "%s", text_of(a.json, "state"));
	else
		snprintf(ret, STATE_ROOM, "%ld", a.status);
	answer_release(&a);
	return ret;
}

/* ---- waiting ---- */

struct wanted {
	struct shipfrom *s;
	enum shop shop;
	int64_t number;
	const char *state;
	bool alone;
	int told; /* the shop that was wrongly told accepted, or -1 */
	char last[STATE_ROOM];
};

static bool sees(void *arg)
{
	struct wanted *w = arg;
	char other[STATE_ROOM];

	for (int i = 0; i < SHOPS && w->alone && w->told < 0; i++)
		if (i != (int)w->shop &&
		    !strcmp(shop_sees(w->s, (enum shop)i, w->number, other),
			    "accepted"))
			w->told = i;
	shop_sees(w->s, w->shop, w->number, w->last);
	return w->told >= 0 || !strcmp(w->last, w->state);
}

static void wait_for(struct wanted *w, int ms)
{
	bool came = wait_until(sees, w, ms);

	if (w->told >= 0)
		fail_msg("%s was told accepted for order %lld, which it lost",
			 shops[w->told], (long long)w->number);
	if (!came)
		fail_msg("%s sees order %lld as %s, not as %s",
			 shops[w->shop], (long long)w->number, w->last,
			 w->state);
}

void wait_state(struct shipfrom *s, enum shop shop, int64_t number,
		const char *state, int ms)
{
	struct wanted w = {s, shop, number, state, false, -1, ""};

	wait_for(&w, ms);
}

void wait_alone(struct shipfrom *s, enum shop shop, int64_t number,
		const char *state, int ms)
{
	struct wanted w = {s, shop, number, state, true, -1, ""};

	wait_for(&w, ms);
}
