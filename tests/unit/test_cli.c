/* SPDX-License-Identifier: MIT
 *
 * test_cli.c - the command line: its words, its table, and what verbs print
 * about a store that was filled by hand.
 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/storage/storage.h"
#include "server/cli/cli.h"
#include "server/routes.h"
#include "server/serve.h"
#include "base/nearest.h"
#include "base/text.h"
#include "server/webhook/secret_rotation.h"
#include "store/lmdb/store_private.h"
#include "tests/store/temp.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WORDS_MAX 12
#define DEADLINE 1893456000000 /* 2030-01-01 00:00 UTC */

static char folder[TEMP_ROOM];
static char *config_path;
static char out[200000], told[20000]; /* stdout and stderr of the last run */

/* ---- running a verb ---- */

static void read_back(FILE *f, char *ret, size_t size)
{
	ssize_t n = pread(fileno(f), ret, size - 1, 0);

	assert_true(n >= 0);
	ret[n] = '\0';
	fclose(f);
}

static const struct cli_server roof = {.serve = serve,
				       .routes = routes_describe};

static int run_words(char **words, int n)
{
	FILE *o = tmpfile(), *e = tmpfile();
	int out_kept = dup(STDOUT_FILENO), err_kept = dup(STDERR_FILENO);
	int code;

	fflush(stdout);
	dup2(fileno(o), STDOUT_FILENO);
	dup2(fileno(e), STDERR_FILENO);
	optind = 1;
	code = cli_main(n, words, &roof);
	fflush(stdout);
	dup2(out_kept, STDOUT_FILENO);
	dup2(err_kept, STDERR_FILENO);
	close(out_kept);
	close(err_kept);
	read_back(o, out, sizeof(out));
	read_back(e, told, sizeof(told));
	return code;
}

/* `shipfrom WORDS --config FILE`; no word holds a space. */
static int run(const char *line)
{
	char *copy = xasprintf("shipfrom %s --config %s", line, config_path);
	char *words[WORDS_MAX + 1] = {0}, *p = copy;
	int n = 0, code;

	while (p && n < WORDS_MAX)
		words[n++] = strsep(&p, " ");
	code = run_words(words, n);
	free(copy);
	return code;
}

static void prints(const char *what)
{
	if (!strstr(out, what))
		fail_msg("'%s' should be in:\n%s", what, out);
}

static void tells(const char *what)
{
	if (!strstr(told, what))
		fail_msg("'%s' should be in:\n%s", what, told);
}

static size_t lines_out(void)
{
	const char *p = out;
	size_t n = 0;

	for (; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* Every line of stdout is one JSON object; how many there are. */
static size_t json_lines(void)
{
	char *p = out, *line;
	cJSON *json;
	size_t n = 0;

	while ((line = strsep(&p, "\n")) && *line) {
		json = cJSON_Parse(line);
		if (!cJSON_IsObject(json))
			fail_msg("no JSON object: %s", line);
		cJSON_Delete(json);
		n++;
	}
	return n;
}

/* ---- a store filled by hand ---- */

static struct config *config;

static enum rc offer_it(void *arg, const struct order *o, struct changes *ret,
			struct err *e)
{
	struct change *c;
	int64_t w;

	(void)arg;
	(void)o;
	(void)e;
	for (w = 3; w <= 4; w++) {
		c = changes_add(ret, CHANGE_OPENING, w);
		c->opening.expires = DEADLINE;
		c->opening.offset_min = 60;
		assert_true(copy_text(c->opening.date, sizeof(c->opening.date),
				      "2026-01-11 16:21:00.552000"));
		changes_journal(ret, &(struct entry){.warehouse = w,
						     .fact = FACT_OFFERED});
	}
	changes_journal(ret, &(struct entry){.warehouse = 3,
					     .device = 1,
					     .fact = FACT_PROBLEM,
					     .by = "said\x1b[2J yes"});
	changes_journal(ret, &(struct entry){.warehouse = 4,
					     .fact = FACT_STATE,
					     .to = "pending"});
	return OK;
}

static enum rc mark_it(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	struct change *c = changes_add(ret, CHANGE_MARK, 4);

	(void)arg;
	(void)o;
	(void)e;
	c->mark.what = MARK_ACCEPTED;
	assert_true(copy_text(c->mark.date, sizeof(c->mark.date),
			      "2026-01-11 16:22:00.000000"));
	return OK;
}

static void record(struct store *s, int64_t id)
{
	struct event ev = {.id = id};
	struct quarantined bad = {.len = 6};
	struct delivery d = {.instance = "se",
			     .received = 1768148460552,
			     .events = &ev,
			     .n_events = 1,
			     .bad = &bad,
			     .n_bad = id == 1};
	struct recorded got;
	struct err e;

	assert_true(copy_text(ev.instance, sizeof(ev.instance), "se"));
	assert_true(copy_text(ev.type, sizeof(ev.type), "thing"));
	assert_true(copy_text(ev.action, sizeof(ev.action), "done"));
	assert_true(copy_text(ev.date, sizeof(ev.date),
			      "2026-01-11 16:21:00.000000"));
	ev.data = xstrdup("{\"a\":1}");
	assert_true(copy_text(bad.instance, sizeof(bad.instance), "se"));
	assert_true(copy_text(bad.reason, sizeof(bad.reason), "not read"));
	bad.bytes = xstrdup("{\"b\": ");
	assert_int_equal(store_record(s, &d, &got, NULL, &e), OK);
	event_release(&ev);
	quarantined_release(&bad);
}

/* A command makes no store: the server does. */
static void make_store(void)
{
	const struct store_options o = {.url = config->server.store};
	struct store *s = NULL;
	struct err e;

	if (store_open(&s, &o, &e))
		fail_msg("%s", e.text);
	store_close(s);
}

/* A store_docs_fn: puts the named document. */
static enum rc put_it(void *arg, const struct doc *docs, size_t n,
		      struct doc_writes *ret, struct err *e)
{
	char text[] = "{\"quantity\":4}";
	struct doc d = docs[0];

	(void)arg;
	(void)n;
	(void)e;
	assert_true(copy_text(d.list, sizeof(d.list), "3/waiting"));
	d.text = text;
	doc_writes_put(ret, &d);
	return OK;
}

static void put_documents(struct store *s)
{
	static const struct doc_name names[] = {
		{"stock_item", "se", "3/ean/5901144123590"},
		{"stock_item", "se", "3/ean/5901144123591"},
	};
	struct err e;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(store_docs_update(s, &names[i], 1, put_it,
						   NULL, NULL, 1768148460552,
						   NULL, &e),
				 OK);
}

static void fill(void)
{
	struct device d = {.shop = "a", .name = "Till", .created = 5};
	struct store *s = NULL;
	unsigned char hash[2][TOKEN_HASH_SIZE] = {{1}, {2}};
	struct err e;
	uint64_t id;
	int i;

	make_store();
	if (storage_open(&s, config, &e))
		fail_msg("%s", e.text);
	assert_int_equal(store_device_add(s, &d, hash[0], hash[1], 1, &id, &e),
			 OK);
	assert_int_equal(id, 1);
	for (i = 1; i <= 3; i++)
		record(s, i);
	assert_int_equal(store_update(s, "se", 19, offer_it, NULL,
				      1768148460552, NULL, NULL, &e),
			 OK);
	assert_int_equal(store_update(s, "no", 19, offer_it, NULL,
				      1768148460552, NULL, NULL, &e),
			 OK);
	assert_int_equal(store_update(s, "se", 20, offer_it, NULL,
				      1768148460552, NULL, NULL, &e),
			 OK);
	assert_int_equal(store_update(s, "se", 20, mark_it, NULL, 1768148460552,
				      NULL, NULL, &e),
			 OK);
	put_documents(s);
	store_close(s);
}

static int make_folder(void **state)
{
	struct buf report;
	struct err e;
	FILE *f;

	(void)state;
	if (!temp_folder(folder, "cli"))
		return -1;
	config_path = xasprintf("%s/c.ini", folder);
	f = fopen(config_path, "w");
	if (!f)
		return -1;
	fprintf(f, "[server]\nstore = lmdb:%s/store\n", folder);
	fprintf(f, "[centra se]\nwebhook_secret = s\norder_api_key = k\n"
		   "order_api_url = http://127.0.0.1:9/\n"
		   "[centra no]\nwebhook_secret = n\norder_api_key = k\n"
		   "order_api_url = http://127.0.0.1:9/no\n"
		   "[shop a]\ncentra = se\nname = Amsterdam\nwarehouses = 3\n"
		   "[shop b]\ncentra = se\nname = Bergen\nwarehouses = 4\n");
	fclose(f);
	buf_init(&report, 10000);
	if (config_load(&config, config_path, &report, &e))
		return -1;
	buf_release(&report);
	return 0;
}

static void remove_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	char *name;

	while (dir && (d = readdir(dir))) {
		name = xasprintf("%s/%s", path, d->d_name);
		unlink(name);
		free(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static int remove_folder(void **state)
{
	char *store = xasprintf("%s/store", folder);

	(void)state;
	config_drop(config);
	remove_files(store);
	remove_files(folder);
	free(store);
	free(config_path);
	return 0;
}

/* ---- words ---- */

static void an_order_is_named_with_or_without_its_instance(void **state)
{
	char instance[INSTANCE_SIZE];
	int64_t n;

	(void)state;
	assert_true(cli_order_name("19", instance, &n));
	assert_string_equal(instance, "");
	assert_true(n == 19);
	assert_true(cli_order_name("se/20", instance, &n));
	assert_string_equal(instance, "se");
	assert_true(n == 20);
	assert_false(cli_order_name("/20", instance, &n));
	assert_false(cli_order_name("se/", instance, &n));
	assert_false(cli_order_name("se/20/1", instance, &n));
	assert_false(cli_order_name("123456789012345678901234567890123/1",
				    instance, &n));
	assert_false(cli_order_name("x", instance, &n));
}

static void what_would_move_the_cursor_is_not_printed(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	cli_text(&b, "a\x1b[2Jb\nc\xc2\x9b"
		     "d\xc3\xa5\x7f");
	assert_string_equal(b.data,
			    "a\\x1b[2Jb\\nc\\x9b" "d\xc3\xa5\\x7f");
	buf_release(&b);
}

static const char *nearest_of(const char *word)
{
	static const char *const known[] = {"device", "events", "orders",
					    "check"};
	struct nearest n;
	size_t i;

	nearest_begin(&n, word);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		nearest_offer(&n, known[i]);
	return n.best;
}

static void the_nearest_word_is_suggested_if_it_is_near(void **state)
{
	char huge[200];

	(void)state;
	assert_string_equal(nearest_of("evnts"), "events");
	assert_string_equal(nearest_of("chekc"), "check");
	assert_string_equal(nearest_of("devices"), "device");
	assert_null(nearest_of("backup"));
	assert_null(nearest_of(""));
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(nearest_of(huge));
}

/* ---- the table ---- */

static void every_verb_is_complete_and_its_help_teaches(void **state)
{
	const struct cli_verb *v, *w;
	char example[100], *text, *rest, *line;

	(void)state;
	for (v = cli_verbs; v->name; v++) {
		assert_non_null(v->fn);
		assert_non_null(v->usage);
		assert_non_null(v->summary);
		snprintf(example, sizeof(example), "  shipfrom %s", v->name);
		if (!strstr(v->help, example))
			fail_msg("the help of %s has no example", v->name);
		for (w = cli_verbs; w < v; w++)
			assert_string_not_equal(v->name, w->name);
		/* "usage: shipfrom NAME USAGE" */
		assert_true(strlen(v->name) + strlen(v->usage) < 62);
		rest = text = xstrdup(v->help);
		while ((line = strsep(&rest, "\n")))
			if (strlen(line) > 80)
				fail_msg("help of %s is wider than 80: %s",
					 v->name, line);
		free(text);
	}
}

static void help_is_had_in_every_way(void **state)
{
	const struct cli_verb *v;
	char line[100];

	(void)state;
	for (v = cli_verbs; v->name; v++) {
		snprintf(line, sizeof(line), "%s --help", v->name);
		assert_int_equal(run(line), 0);
		prints(v->help);
		assert_string_equal(told, "");
	}
	assert_int_equal(run("help why"), 0);
	prints("shipfrom why - ");
	assert_int_equal(run_words((char *[]){(char[]){"shipfrom"},
					      (char[]){"--help"}, NULL},
				   2),
			 0);
	prints("quarantine");
	assert_int_equal(run_words((char *[]){(char[]){"shipfrom"}, NULL}, 1),
			 EX_USAGE);
	tells("usage: shipfrom VERB");
}

static void what_is_kept_beside_the_orders_is_shown(void **state)
{
	(void)state;
	assert_int_equal(run("records --json"), 0);
	assert_string_equal(out,
			    "{\"kind\":\"stock_item\",\"instance\":\"se\","
			    "\"list\":\"3/waiting\",\"records\":2}\n");
	assert_int_equal(run("records stock_item"), 0);
	prints("5901144123590");
	prints("5901144123591");
	assert_int_equal(run("records stock_item se/3/ean/5901144123590 "
			     "--json"),
			 0);
	prints("\"key\":\"3/ean/5901144123590\"");
	prints("\"body\":{\"quantity\":4}");
	assert_int_equal(run("records stock_item se/3/ean/1"), EXIT_NOTHING);
	assert_int_equal(run("records return"), 0);
	tells("There is none.");
}

static void mistakes_in_the_command_line_end_with_64(void **state)
{
	static const char *const bad[][2] = {
		{"evnts", "did you mean 'events'?"},
		{"xyzzy", "`shipfrom --help` lists them"},
		{"orders --bogus", "'--bogus' is no option of this verb"},
		{"orders --dead", "is no option of this verb"},
		{"orders --state late", "open, mine or done"},
		{"orders --limit 0", "--limit is a number"},
		{"orders 19", "`shipfrom why 19`"},
		{"events --since 1 --last 2", "either --since SEQ or --last"},
		{"events --last x", "--last is a number"},
		{"tasks x", "one word too many"},
		{"why", "of which order?"},
		{"why x", "neither NUMBER nor INSTANCE/NUMBER"},
		{"why 1 2", "of which order?"},
		{"redrive", "either one ID, --all, or --kind"},
		{"redrive 1 --all", "either one ID, --all, or --kind"},
		{"redrive --kind x", "no kind of task"},
		{"replay x", "SEQ"},
		{"records nothing", "no kind of record"},
		{"records stock_item x", "no INSTANCE/KEY"},
		{"quarantine look", "neither list, show, retry nor drop"},
		{"quarantine retry", "needs one SEQ"},
		{"quarantine retry 3 --all", "--all goes with retry"},
		{"quarantine drop --all", "--all goes with retry"},
		{"quarantine drop 3 --refused", "--refused goes with"},
		{"quarantine retry 3 --refused", "--refused goes with"},
		{"replay --since yesterday", "--since is today"},
		{"replay 3 --since 2h", "either one SEQ or --since"},
		{"verify all", "one word too many"},
		{"backup", "to which FILE"},
		{"quarantine show", "needs one SEQ"},
		{"device", "add, list, remove or readmit?"},
		{"device add --shop a", "--shop NAME and --name LABEL"},
		{"device remove", "ID of one device"},
		{"device readmit", "ID of one device, as `device list` shows"},
		{"device readmit 1 --all", "or --all"},
		{"check x", "one word too many"},
		{"version x", "one word too many"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (run(bad[i][0]) != EX_USAGE)
			fail_msg("'%s' should end with 64", bad[i][0]);
		tells(bad[i][1]);
		assert_string_equal(out, "");
	}
	assert_int_equal(
		run_words((char *[]){(char[]){"shipfrom"}, (char[]){"why"},
				     (char[]){"--config"}, NULL},
			  3),
		EX_USAGE);
	tells("'--config' needs a value");
}

static void options_stand_anywhere_after_the_verb(void **state)
{
	char *argv[] = {(char[]){"device"},	(char[]){"--shop"},
			(char[]){"a"},		(char[]){"add"},
			(char[]){"--name=T x"}, (char[]){"--"},
			(char[]){"--odd"},	NULL};
	const struct cli_verb *v = cli_verbs;
	struct cli_args a;

	(void)state;
	while (strcmp(v->name, "device") != 0)
		v++;
	assert_true(cli_parse(&a, v, 7, argv));
	assert_string_equal(a.value[OPT_SHOP], "a");
	assert_string_equal(a.value[OPT_NAME], "T x");
	assert_null(a.value[OPT_JSON]);
	assert_int_equal(a.n_words, 2);
	assert_string_equal(a.words[0], "add");
	assert_string_equal(a.words[1], "--odd");
}

/* ---- verbs ---- */

/* Every verb as it would be used, and every word of those that have several. */
static const char *const as_used[] = {
	"device add --shop a --name Till",
	"device list",
	"device remove 1",
	"device readmit 1",
	"device readmit --all",
	"events",
	"orders",
	"tasks",
	"why 19",
	"report",
	"redrive --all",
	"replay 1",
	"sweep",
	"quarantine",
	"quarantine show 1",
	"records",
	"stock list --shop a",
	"records stock_item",
	"quarantine retry 1",
	"quarantine drop 1",
	"verify",
	"backup /tmp/shipfrom-never-made.mdb",
	"compact",
};
static const char *const need_no_store[] = {
	"serve", "check", "doctor", "health", "routes", "settings", "version"};
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static void every_verb_is_among_the_usual_lines(void **state)
{
	const struct cli_verb *v;
	size_t i, found;

	(void)state;
	for (v = cli_verbs; v->name; v++) {
		size_t n = strlen(v->name);

		for (found = i = 0; i < COUNT(as_used); i++)
			found += !strncmp(as_used[i], v->name, n) &&
				 (!as_used[i][n] || as_used[i][n] == ' ');
		for (i = 0; i < COUNT(need_no_store); i++)
			found += !strcmp(need_no_store[i], v->name);
		if (!found)
			fail_msg("%s is in neither list", v->name);
	}
}

/* An empty folder is a disk that is not mounted: only `serve` makes a store.
 * The first test of those that need a store, which fill() makes. */
static void every_verb_but_serve_refuses_an_empty_folder_with_73(void **state)
{
	char *store = xasprintf("%s/store", folder);
	size_t i;

	(void)state;
	for (i = 0; i < 2 * COUNT(as_used); i++) {
		if (i == COUNT(as_used)) /* from here on there is a folder */
			assert_int_equal(mkdir(store, 0700), 0);
		if (run(as_used[i % COUNT(as_used)]) != EX_CANTCREAT)
			fail_msg("'%s' should end with 73",
				 as_used[i % COUNT(as_used)]);
		tells("there is no store in");
		assert_string_equal(out, "");
	}
	assert_int_equal(rmdir(store), 0); /* and left nothing there */
	free(store);
	assert_int_equal(run("check"), 0);
	prints("made at the first start");
	fill();
}

static void a_bad_config_ends_with_78_and_its_lines(void **state)
{
	char *path = xasprintf("%s/bad.ini", folder);
	FILE *f = fopen(path, "w");
	char *good = config_path;

	(void)state;
	fputs("[server]\ndrain = x\n", f);
	fclose(f);
	config_path = path;
	assert_int_equal(run("check"), EX_CONFIG);
	tells("bad.ini:1: [server] has no 'store'");
	tells("bad.ini:2: 'drain' cannot be 'x'");
	assert_string_equal(out, "");
	assert_int_equal(run("why 19"), EX_CONFIG);
	config_path = good;
	free(path);
}

/* A config whose secrets are in files that nobody here can read. */
static char *write_unreadable(void)
{
	char *path = xasprintf("%s/unreadable.ini", folder);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "[server]\nstore = lmdb:%s/store\n[centra se]\n"
		   "webhook_secret_file = se-webhook-secret\n"
		   "order_api_key_file = se-order-api-key\n"
		   "order_api_url = http://127.0.0.1:9/\n"
		   "graphql_url = http://127.0.0.1:9/graphql\n"
		   "graphql_token_file = se-graphql-token\n"
		   "[shop a]\ncentra = se\nname = Amsterdam\nwarehouses = 3\n"
		   "[shop b]\ncentra = se\nname = Bergen\nwarehouses = 4\n",
		folder);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void verbs_that_use_no_secret_need_none(void **state)
{
	char *path = write_unreadable(), *good = config_path;
	size_t i;

	(void)state;
	config_path = path;
	for (i = 0; i < COUNT(as_used); i++) {
		int code = run(as_used[i]);

		if (strncmp(as_used[i], "quarantine retry", 16) != 0 &&
		    (code == EX_CONFIG || strstr(told, "secret")))
			fail_msg("'%s' ended with %d: %s", as_used[i], code,
				 told);
	}
	/* Those that do name the file. */
	assert_int_equal(run("quarantine retry 1"), EX_CONFIG);
	tells("se-webhook-secret': No such file or directory; put");
	assert_int_equal(run("check"), EX_CONFIG);
	tells("se-graphql-token': No such file");
	/* Mistakes are still told. */
	assert_int_equal(run("why"), EX_USAGE);
	config_path = good;
	unlink("/tmp/shipfrom-never-made.mdb");
	unlink(path);
	free(path);
}

static void a_sweep_is_a_task_of_each_instance_that_has_graphql(void **state)
{
	char *path = write_unreadable(), *good = config_path;

	(void)state;
	config_path = path;
	assert_int_equal(run("sweep --json"), 0);
	assert_string_equal(out, "{\"asked\":true}\n");
	assert_int_equal(run("tasks --json"), 0);
	prints("\"kind\":\"reconcile\"");
	config_path = good;
	unlink(path);
	free(path);
}

static void why_tells_the_order_as_it_stands_and_its_life(void **state)
{
	(void)state;
	assert_int_equal(run("why se/19"), 0);
	prints("Order 19 of se: not fetched from Centra yet "
	       "(times are those of Europe/Stockholm)\n");
	prints("  warehouse 3 (Amsterdam): pending, until 2030-01-01 "
	       "01:00:00\n");
	prints("\n2026-01-11 17:21:00.552  centra     Centra offered it to "
	       "warehouse 3 (Amsterdam) without a deadline\n");
	prints("\n2026-01-11 17:21:00.552  Till       warehouse 3 "
	       "(Amsterdam): cannot be shipped after all, says "
	       "said\\x1b[2J yes\n");
	prints("  shipfrom   warehouse 4 (Bergen): pending\n");
	assert_true(strstr(out, "offered it to warehouse 3") <
		    strstr(out, "x1b[2J"));
}

static void why_asks_when_several_instances_know_the_number(void **state)
{
	(void)state;
	assert_int_equal(run("why 19"), EXIT_NOTHING);
	tells("2 instances have an order 19");
	tells("shipfrom why se/19\n");
	tells("shipfrom why no/19\n");
	assert_string_equal(out, "");
	assert_int_equal(run("why 20"), 0);
	prints("Order 20 of se");
}

static void why_of_an_unknown_order_says_so(void **state)
{
	(void)state;
	assert_int_equal(run("why 77"), EXIT_NOTHING);
	tells("order 77 is not known: no event named it, or it was removed by "
	      "its age (keep_orders, keep_events)\n");
	assert_int_equal(run("why dk/19"), EXIT_NOTHING);
	tells("there is no such instance");
	assert_string_equal(out, "");
}

static void why_in_json_is_an_object_a_line(void **state)
{
	(void)state;
	assert_int_equal(run("why se/19 --json"), 0);
	prints("{\"order\":19,\"instance\":\"se\"");
	prints("{\"at\":\"2026-01-11T16:21:00.552Z\",\"who\":\"Till\","
	       "\"what\":\"problem\",\"kind\":\"problem\",\"warehouse\":3,"
	       "\"text\":\"cannot be shipped after all, says "
	       "said\\u001b[2J yes\",\"by\":\"said\\u001b[2J yes\",\"device\":1}");
	assert_true(json_lines() >= 5);
}

static void orders_are_chosen_by_state_and_shop(void **state)
{
	(void)state;
	assert_int_equal(run("orders"), 0);
	assert_int_equal(lines_out(), 7); /* a head, three orders of two */
	assert_int_equal(run("orders --shop b"), 0);
	assert_int_equal(lines_out(), 3);
	prints("Bergen");
	assert_int_equal(run("orders --shop b --state open"), 0);
	assert_int_equal(lines_out(), 2);
	prints("        19  se          pending    2030-01-01 01:00:00");
	assert_int_equal(run("orders --state mine --shop b"), 0);
	prints("        20  se          accepted ");
	assert_int_equal(run("orders --limit 1"), 0);
	assert_int_equal(lines_out(), 3);
	tells("The last 1 of 3 orders");
	assert_int_equal(run("orders --shop c"), EXIT_NOTHING);
	assert_int_equal(run("orders --json"), 0);
	prints("\"state\":\"pending\",\"list\":\"open\",\"shipped\":false,"
	       "\"expired\":false,"
	       "\"expires_at\":\"2030-01-01T01:00:00.000+01:00\"");
	assert_int_equal(json_lines(), 3);
}

/* Exchanges the value of a row with *value. */
static void exchange(enum table table, const struct key *k, struct buf *value)
{
	struct store *s = NULL;
	struct buf was;
	struct txn t;
	struct err e;
	MDB_val v;

	buf_init(&was, 100000);
	assert_int_equal(storage_open(&s, config, &e), OK);
	assert_int_equal(txn_write(&t, s, &e), OK);
	assert_int_equal(txn_get(&t, table, k, &v, &e), OK);
	assert_false(buf_add(&was, v.mv_data, v.mv_size));
	assert_int_equal(txn_put(&t, table, k, value->data, value->len, &e),
			 OK);
	assert_int_equal(txn_commit(&t, &e), OK);
	store_close(s);
	buf_release(value);
	*value = was;
}

static void a_list_goes_on_behind_a_damaged_row_and_ends_with_65(void **state)
{
	static const struct {
		const char *verb;
		enum table table;
		const char *order; /* NULL: the key is the number 1 */
		int lines;
		const char *names;
	} lists[] = {
		{"orders", T_ORDERS, "se", 5, "(the first: se/19)"},
		{"orders --json", T_ORDERS, "se", 2, "(the first: se/19)"},
		{"orders --limit 1", T_ORDERS, "se", 3, "(the first: se/19)"},
		{"why 19", T_ORDERS, "no", 1, "order no/19 is damaged"},
		{"report", T_ORDERS, "se", 3, "(the first: se/19)"},
		{"events", T_EVENTS, NULL, 3, "1 row of 'events'"},
		{"events --last 1", T_EVENTS, NULL, 2, NULL},
		{"events --json", T_EVENTS, NULL, 2, "1 row of 'events'"},
		{"replay --since 2026-01-01T00:00:00Z", T_EVENTS, NULL, 1,
		 "1 row of 'events'"},
		{"quarantine", T_QUARANTINE, NULL, 1, "1 row of 'quarantine'"},
		{"device list", T_DEVICES, NULL, 1, "1 row of 'devices'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct buf value;
		struct key k;
		int code;

		key_start(&k);
		if (lists[i].order)
			order_key(&k, lists[i].order, 19);
		else
			key_u64(&k, 1);
		buf_init(&value, 100000);
		buf_str(&value, "???");
		exchange(lists[i].table, &k, &value);
		code = run(lists[i].verb);
		exchange(lists[i].table, &k, &value);
		buf_release(&value);
		if (code != (lists[i].names ? EX_DATAERR : 0))
			fail_msg("%s: %d: %s", lists[i].verb, code, told);
		if (lists[i].names)
			tells(lists[i].names);
		if ((int)lines_out() < lists[i].lines)
			fail_msg("%s:\n%s", lists[i].verb, out);
	}
}

static void why_of_a_damaged_order_names_what_helps(void **state)
{
	struct buf value;
	struct key k;
	int code;

	(void)state;
	buf_init(&value, 100000);
	buf_str(&value, "???");
	order_key(key_start(&k), "se", 20);
	exchange(T_ORDERS, &k, &value);
	code = run("why 20");
	exchange(T_ORDERS, &k, &value);
	buf_release(&value);
	assert_int_equal(code, EX_DATAERR);
	tells("order se/20 is damaged; `shipfrom verify`");
}

static void events_are_the_last_ones_or_those_since(void **state)
{
	(void)state;
	assert_int_equal(run("events --json"), 0);
	prints("\"date\":\"2026-01-11 16:21:00.000000\",\"id\":1,"
	       "\"data\":{\"a\":1}}");
	assert_int_equal(json_lines(), 3);
	assert_int_equal(run("events --last 2"), 0);
	assert_int_equal(lines_out(), 3);
	assert_int_equal(run("events --last 999"), 0);
	assert_int_equal(lines_out(), 4);
	assert_int_equal(run("events --since 3 --json"), 0);
	prints("\"id\":3");
	assert_int_equal(json_lines(), 1);
	assert_int_equal(run("events --since 4 --json"), 0);
	assert_string_equal(out, "");
	tells("No events. They are removed by their age (keep_events).");
}

static void a_replay_of_an_event_that_is_gone_names_its_age(void **state)
{
	(void)state;
	assert_int_equal(run("replay 99"), EXIT_NOTHING);
	tells("no event 99: it was removed by its age (keep_events), or never "
	      "came; `shipfrom events` lists them\n");
}

static void quarantine_shows_the_bytes_as_they_came(void **state)
{
	(void)state;
	assert_int_equal(run("quarantine"), 0);
	prints("not read");
	assert_int_equal(run("quarantine list --json"), 0);
	assert_int_equal(json_lines(), 1);
	assert_int_equal(run("quarantine show 1"), 0);
	assert_string_equal(out, "{\"b\": ");
	assert_int_equal(run("quarantine show 2"), EXIT_NOTHING);
	assert_int_equal(run("quarantine drop 1"), 0);
	assert_int_equal(run("quarantine drop 1"), EXIT_NOTHING);
	assert_int_equal(run("quarantine --json"), 0);
	assert_int_equal(json_lines(), 0);
}

static void what_is_not_there_ends_with_1(void **state)
{
	(void)state;
	assert_int_equal(run("redrive 99"), EXIT_NOTHING);
	assert_int_equal(run("replay 99"), EXIT_NOTHING);
	assert_int_equal(run("replay 1"), EX_DATAERR);
	tells("nothing is done about events thing done");
	assert_int_equal(run("redrive --all"), 0);
	assert_string_equal(out, "0\n");
	assert_int_equal(run("redrive --all --json"), 0);
	assert_string_equal(out, "{\"redriven\":0}\n");
	assert_int_equal(run("replay --since 2100-01-01T00:00:00Z --json"), 0);
	assert_string_equal(out, "{\"replayed\":0}\n");
	assert_int_equal(run("sweep --json"), 0); /* there is no graphql_url */
	assert_string_equal(out, "{\"asked\":false}\n");
	assert_int_equal(run("tasks --dead --json"), 0);
	assert_string_equal(out, "");
	assert_int_equal(run("device remove 99"), EXIT_NOTHING);
}

static enum rc tell_call(void *arg, const struct order *o,
			 struct changes *ret, struct err *e)
{
	(void)arg, (void)o, (void)e;
	changes_journal(ret, &(struct entry){.warehouse = 4,
					     .fact = FACT_NO_REPLY,
					     .status = 500});
	changes_journal(ret, &(struct entry){.warehouse = 5,
					     .fact = FACT_NO_REPLY,
					     .status = 599});
	return OK;
}

static struct store *open_store(struct config **ret)
{
	struct store *s = NULL;
	struct buf report;
	struct err e;

	buf_init(&report, 10000);
	assert_int_equal(config_load(ret, config_path, &report, &e), OK);
	assert_int_equal(storage_open(&s, *ret, &e), OK);
	buf_release(&report);
	return s;
}

static void a_dead_task_is_shown_with_why_and_its_last_calls(void **state)
{
	struct task t = {.instance = "se", .kind = "answer_offer",
			 .number = 4321, .sub = 4, .created = 1000, .due = 1};
	struct result dead = {.how = OUTCOME_DEAD, .reason = {"no use"}};
	struct config *c = NULL;
	struct store *s = open_store(&c);
	struct task got;
	int64_t next;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(store_task_add(s, &t, &e), OK);
	assert_int_equal(store_lease(s, 5, NULL, &got, 1, &n, &next, &e), OK);
	assert_int_equal(got.number, 4321);
	assert_int_equal(store_update(s, "se", 4321, tell_call, NULL, 2000,
				      NULL, NULL, &e),
			 OK);
	assert_int_equal(store_finish(s, &got, &dead, 3000, &e), OK);
	task_release(&got);
	store_close(s);
	config_drop(c);
	assert_int_equal(run("tasks --dead"), 0);
	prints("no use");
	prints("(HTTP 500)");
	prints("answer_offer was given up: no use");
	assert_null(strstr(out, "(HTTP 599)"));
	assert_int_equal(run("tasks --dead --json"), 0);
	prints("\"history\":[{\"what\":\"call\"");
	assert_int_equal(json_lines(), 1);
	assert_int_equal(run("redrive --kind answer_offer"), 0);
	assert_string_equal(out, "1\n");
	assert_int_equal(run("tasks --dead --json"), 0);
	assert_string_equal(out, "");
}

/* Another process that redrives all; its exit status goes to waitpid(). */
static pid_t redrive_beside(void)
{
	pid_t pid = fork();
	int nowhere;

	if (!pid) {
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		_exit(run("redrive --all"));
	}
	assert_true(pid > 0);
	return pid;
}

#define MANY_DEAD 200

/* Gives up a fetch of each of MANY_DEAD orders. */
static void give_many_up(int64_t first)
{
	struct task t = {.instance = "se", .kind = "fetch_order",
			 .created = 1000, .due = 1};
	struct result dead = {.how = OUTCOME_DEAD, .reason = {"no use"}};
	struct config *c = NULL;
	struct store *s = open_store(&c);
	struct task got;
	int64_t next;
	struct err e;
	size_t n;

	for (t.number = first; t.number < first + MANY_DEAD; t.number++) {
		assert_int_equal(store_task_add(s, &t, &e), OK);
		assert_int_equal(store_lease(s, 5, NULL, &got, 1, &n, &next,
					     &e),
				 OK);
		assert_int_equal(got.number, t.number);
		assert_int_equal(store_finish(s, &got, &dead, 3000, &e), OK);
		task_release(&got);
	}
	store_close(s);
	config_drop(c);
}

/* The number of the newest transaction of the store. */
static size_t transactions(void)
{
	struct config *c = NULL;
	struct store *s = open_store(&c);
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(s->env, &info), 0);
	store_close(s);
	config_drop(c);
	return info.me_last_txnid;
}

static void a_redrive_of_many_tasks_makes_few_transactions(void **state)
{
	size_t before;

	(void)state;
	give_many_up(6001);
	before = transactions();
	assert_int_equal(run("redrive --kind fetch_order"), 0);
	assert_string_equal(out, "200\n");
	assert_true(transactions() - before <= 5);
	assert_int_equal(run("tasks --dead --json"), 0);
	assert_string_equal(out, "");
}

#define EVENTS_MANY 1100 /* more than two pages */

static void a_replay_of_many_events_makes_few_transactions(void **state)
{
	struct event *list = xcalloc(EVENTS_MANY, sizeof(*list));
	struct delivery d = {.instance = "se",
			     .received = time_now() + 50 * 3600000,
			     .events = list,
			     .n_events = EVENTS_MANY};
	struct config *c = NULL;
	struct store *s = open_store(&c);
	char since[TIME_ISO_SIZE];
	struct recorded got;
	struct err e;
	size_t before;
	char *line;

	(void)state;
	for (int i = 0; i < EVENTS_MANY; i++)
		list[i] = (struct event){.type = "order",
					 .action = "update",
					 .date = "2021-01-29 14:40:58.628033",
					 .id = 7001 + i};
	assert_int_equal(store_record(s, &d, &got, NULL, &e), OK);
	store_close(s);
	config_drop(c);
	free(list);
	time_iso(since, d.received, 0, false);
	line = xasprintf("replay --since %s", since);
	before = transactions();
	assert_int_equal(run(line), 0);
	assert_string_equal(out, "1100\n");
	assert_true(transactions() - before <= 20);
	free(line);
}

static void what_somebody_else_redrove_stops_nobody(void **state)
{
	pid_t pids[2];
	uint64_t id;
	int status;
	char *line;

	(void)state;
	give_many_up(5001);
	for (int i = 0; i < 2; i++)
		pids[i] = redrive_beside();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(run("tasks --dead --json"), 0);
	assert_string_equal(out, "");
	/* One that waits and is due is tried at once. */
	assert_int_equal(run("tasks --json"), 0);
	assert_int_equal(sscanf(out, "{\"id\":%" SCNu64, &id), 1);
	line = xasprintf("redrive %" PRIu64, id);
	assert_int_equal(run(line), 0);
	tells("is due already");
	free(line);
}

static void json_holds_all_and_a_table_the_last(void **state)
{
	struct config *c = NULL;
	struct store *s = open_store(&c);
	struct err e;
	int i;

	(void)state;
	for (i = 101; i <= 160; i++)
		record(s, i);
	for (i = 101; i <= 200; i++)
		assert_int_equal(store_update(s, "se", i, mark_it, NULL, i,
					      NULL, NULL, &e),
				 OK);
	store_close(s);
	config_drop(c);
	assert_int_equal(run("events --json"), 0);
	assert_int_equal(json_lines(), 63);
	assert_int_equal(run("events"), 0);
	assert_int_equal(lines_out(), 51);
	assert_int_equal(run("events --last 2 --json"), 0);
	assert_int_equal(json_lines(), 2);
	assert_int_equal(run("orders --json --shop b"), 0);
	assert_int_equal(json_lines(), 102);
	assert_string_equal(told, "");
	assert_int_equal(run("orders --shop b"), 0);
	assert_int_equal(lines_out(), 101);
	tells("The last 100 of 102 orders");
	assert_int_equal(run("orders --json --limit 4"), 0);
	assert_int_equal(json_lines(), 4);
}

/* A config of the same store whose secret is being replaced. */
static char *write_rotating(void)
{
	char *path = xasprintf("%s/rotating.ini", folder);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "[server]\nstore = lmdb:%s/store\n[centra se]\n"
		   "webhook_secret = new\nprevious_webhook_secret = s\n"
		   "order_api_key = k\norder_api_url = http://127.0.0.1:9/\n"
		   "[shop a]\ncentra = se\nname = A\nwarehouses = 3\n",
		folder);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void check_says_when_a_previous_secret_can_go(void **state)
{
	char *path = write_rotating(), *usual = config_path;
	struct config *c = NULL;
	struct store *s = open_store(&c);
	int64_t day = SECRET_UNUSED_FOR;
	struct err e;

	(void)state;
	config_path = path;
	for (int late = 0; late < 2; late++) {
		struct secret_watch w = {0};

		/* The previous one signed a second more than a day ago, or a
		 * little less than one. */
		secret_watch_set(&w, "new", "s");
		secret_watch_signed(&w, 0, 1000);
		secret_watch_signed(&w, 1,
				    time_now() - day + (late ? -1000 : 60000));
		if (!s)
			s = open_store(&c);
		assert_int_equal(store_secret_used(s, "se", &w.use, NULL, &e),
				 OK);
		store_close(s);
		config_drop(c);
		s = NULL;
		assert_int_equal(run("check"), 0);
		prints("the new webhook secret signs since 1970-01-01");
		assert_int_equal(strstr(told, "can go") != NULL, late);
	}
	config_path = usual;
	unlink(path);
	free(path);
}

static void a_new_device_gets_a_token_and_a_login_link(void **state)
{
	char *token, *link, *p = out;

	(void)state;
	assert_int_equal(run("device add --shop b --name Desk"), 0);
	assert_int_equal(lines_out(), 2);
	tells("(Desk) may now act for Bergen");
	token = strsep(&p, "\n");
	link = strsep(&p, "\n");
	assert_int_equal(strlen(token), 43);
	assert_int_equal(strncmp(link, "http://127.0.0.1:8080/login#", 28), 0);
	assert_int_equal(strlen(link), 28 + 43);
	assert_string_not_equal(link + 28, token);
	assert_int_equal(run("device list --json --shop b"), 0);
	prints("{\"id\":2,\"shop\":\"b\",\"name\":\"Desk\"");
	assert_int_equal(json_lines(), 1);
	assert_int_equal(run("device remove 2"), 0);
	assert_int_equal(run("device list"), 0);
	prints("removed");
	assert_int_equal(run("device add --shop c --name Desk"), EXIT_NOTHING);
	tells("there is no [shop c] in the config");
	assert_string_equal(out, "");
	assert_int_equal(run("device add --order-api --shop b --name WMS"), 0);
	tells("[shop b] has no ship_with = order_api");
}

static void a_device_that_is_not_suspended_is_not_readmitted(void **state)
{
	(void)state;
	assert_int_equal(run("device readmit 1"), EXIT_NOTHING);
	tells("device 1 is not suspended");
	assert_int_equal(run("device readmit 99"), EXIT_NOTHING);
	tells("there is no device 99");
	assert_int_equal(run("device readmit --all --json"), 0);
	prints("{\"readmitted\":0}");
}

static void check_sums_a_good_config_up(void **state)
{
	(void)state;
	assert_int_equal(run("check"), 0);
	prints("c.ini: good.  2 instances, 2 shops.\n");
	prints("webhooks to http://127.0.0.1:8080/webhooks/centra/se");
	prints("  shop a (Amsterdam): warehouse 3\n");
	prints("MiB on disk");
	assert_null(strstr(out, "warning"));
	tells("warning: no shop belongs to 'centra no'");
	assert_int_equal(run("check --json"), 0);
	prints("{\"level\":\"info\",\"text\":\"  shop a (Amsterdam): ");
	prints("{\"level\":\"warning\",\"text\":\"no shop belongs to ");
	assert_true(json_lines() > 6);
	assert_string_equal(told, "");
}

#define LONG_SECRET "0123456789abcdef"

/* A config as text, with a file of a secret beside it. */
static void check_of(const char *server, const char *centra, mode_t secret_mode)
{
	char *path = xasprintf("%s/advised.ini", folder);
	char *secret = xasprintf("%s/advised-secret", folder);
	char *usual = config_path;
	FILE *f = fopen(secret, "w");

	assert_non_null(f);
	fprintf(f, LONG_SECRET "\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(secret, secret_mode), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "[server]\nstore = lmdb:%s/store\n%s[centra se]\n"
		   "webhook_secret_file = advised-secret\n%s"
		   "[shop a]\ncentra = se\nname = A\nwarehouses = 3\n",
		folder, server, centra);
	assert_int_equal(fclose(f), 0);
	config_path = path;
	assert_int_equal(run("check"), 0);
	config_path = usual;
	unlink(path);
	unlink(secret);
	free(path);
	free(secret);
}

#define SAFE_API                                                              \
	"order_api_key_file = advised-secret\n"                               \
	"order_api_url = https://brand.example.com/api\n"
#define SAFE_GRAPHQL                                                          \
	"graphql_url = https://brand.example.com/graphql\n"                   \
	"graphql_token_file = advised-secret\n"

static void check_warns_of_what_is_not_safe(void **state)
{
	static const struct {
		const char *server, *centra;
		mode_t mode;
		const char *warning; /* NULL: none at all */
	} rows[] = {
		{"", SAFE_API SAFE_GRAPHQL, 0600, NULL},
		{"trusted_proxies = 127.0.0.1, 10.0.0.0/8, 2001:db8::/96\n",
		 SAFE_API SAFE_GRAPHQL, 0640, NULL},
		{"", SAFE_API SAFE_GRAPHQL, 0644,
		 "holds webhook_secret, and everybody on this machine can"},
		{"", SAFE_API SAFE_GRAPHQL, 0602, "can read or write it"},
		{"trusted_proxies = 10.0.0.1, 0.0.0.0/0\n",
		 SAFE_API SAFE_GRAPHQL, 0600, "trusted_proxies has everybody"},
		{"trusted_proxies = ::/0\n", SAFE_API SAFE_GRAPHQL, 0600,
		 "trusted_proxies has everybody"},
		{"",
		 "order_api_key = 0123456789abcde\n"
		 "order_api_url = https://brand.example.com/api\n" SAFE_GRAPHQL,
		 0600, "'centra se': order_api_key has 15 characters"},
		{"",
		 SAFE_API SAFE_GRAPHQL
		 "[shop haarlem]\ncentra = se\nname = H\n"
		 "warehouses = 9\n"
		 "notify_url = https://till.example.com/\n"
		 "notify_secret = 0123456789abcde\n",
		 0600, "'shop haarlem': notify_secret has 15 characters"},
		{"",
		 "order_api_key_file = advised-secret\n"
		 "order_api_url = http://brand.example.com/api\n" SAFE_GRAPHQL,
		 0600, "order_api_url is not https"},
		{"",
		 "order_api_key_file = advised-secret\n"
		 "order_api_url = http://127.0.0.1.example.com/\n" SAFE_GRAPHQL,
		 0600, "order_api_url is not https"},
		{"",
		 "order_api_key_file = advised-secret\n"
		 "order_api_url = http://127.0.0.1:8000/api\n" SAFE_GRAPHQL,
		 0600, NULL},
		{"",
		 SAFE_API "graphql_token_file = advised-secret\n"
			  "graphql_url = http://brand.example.com/graphql\n",
		 0600, "graphql_url is not https"},
		{"admin_listen = 0.0.0.0:8081\n", SAFE_API SAFE_GRAPHQL, 0600,
		 "admin_listen is open to other machines"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_of(rows[i].server, rows[i].centra, rows[i].mode);
		if (rows[i].warning)
			tells(rows[i].warning);
		else
			assert_string_equal(told, "");
		assert_null(strstr(told, LONG_SECRET));
	}
}

static void check_in_json_has_its_mistakes_as_objects(void **state)
{
	char *path = xasprintf("%s/bad.ini", folder), *good = config_path;
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fputs("[server]\ndrain = x\n", f);
	fclose(f);
	config_path = path;
	assert_int_equal(run("check --json"), EX_CONFIG);
	prints("{\"level\":\"error\",\"text\":\"");
	prints("bad.ini:2: 'drain' cannot be 'x'");
	assert_int_equal(json_lines(), 3);
	assert_string_equal(told, "");
	config_path = good;
	unlink(path);
	free(path);
}

static void settings_routes_and_version_need_no_store(void **state)
{
	(void)state;
	assert_int_equal(run("settings --json"), 0);
	assert_true(json_lines() > 20);
	assert_int_equal(run("routes"), 0);
	prints("/webhooks/centra/");
	assert_int_equal(run("version"), 0);
	assert_int_equal(strncmp(out, "shipfrom ", 9), 0);
}

/* ---- what Centra, shops and strangers wrote ---- */

#define EVIL "\x1b[31m\n\r\x9b\xc2\x9b\xe2\x80\xae\xff\x7f"

static enum rc say_evil(void *arg, const struct order *o, struct changes *ret,
			struct err *e)
{
	struct change *c = changes_add(ret, CHANGE_OPENING, 3);

	(void)arg;
	(void)o;
	(void)e;
	c->opening.expires = DEADLINE;
	assert_true(copy_text(c->opening.date, sizeof(c->opening.date),
			      "2026-01-11 16:21:00.552000"));
	c = changes_add(ret, CHANGE_FETCHED, 0);
	c->fetched.at = 1;
	c->fetched.on_hold = true;
	snprintf(c->fetched.status, STATUS_SIZE, "%s", EVIL);
	snprintf(c->fetched.hold_reason, sizeof(c->fetched.hold_reason), "%s", EVIL);
	c = changes_add(ret, CHANGE_ANSWER, 3);
	c->answer.verb = VERB_ACCEPT;
	memcpy(c->answer.opened, ret->list[0].opening.date, STAMP_SIZE);
	c = changes_add(ret, CHANGE_SETTLED, 3);
	c->settled.how = SETTLED_NO;
	c->settled.text = xstrdup(EVIL);
	c = changes_add(ret, CHANGE_SHIP_ASKED, 3);
	c->ask = (struct ship_ask){.at = 1,
				   .carrier = xstrdup(EVIL),
				   .tracking = xstrdup(EVIL),
				   .all = true};
	c = changes_add(ret, CHANGE_SHIP_CAME, 3);
	c->came.error = xstrdup(EVIL);
	snprintf(c->came.number, sizeof(c->came.number), "%s", EVIL);
	changes_journal(ret, &(struct entry){.warehouse = 3,
					     .fact = FACT_REPLY,
					     .text = EVIL});
	return OK;
}

static void store_evil(void)
{
	struct device d = {.shop = "a", .name = EVIL};
	struct event ev = {.instance = "se", .type = EVIL, .action = EVIL,
			   .date = EVIL, .id = 66};
	struct quarantined bad = {.instance = "se", .reason = EVIL};
	struct delivery one = {.instance = "se", .received = 1, .events = &ev,
			       .n_events = 1, .bad = &bad, .n_bad = 1};
	struct task t = {.instance = "se", .kind = "answer_offer",
			 .number = 66, .sub = 3, .created = 1, .due = 1};
	struct result dead = {.how = OUTCOME_DEAD, .reason = {EVIL}};
	unsigned char hash[2][TOKEN_HASH_SIZE] = {{3}, {4}};
	struct config *c = NULL;
	struct store *s = open_store(&c);
	struct recorded n;
	struct task got;
	int64_t next;
	struct err e;
	size_t leased;

	ev.data = xstrdup("{\"a\":\"\xc2\x9b\xe2\x80\xae\x7f\"}");
	bad.header = xstrdup(EVIL);
	bad.bytes = xstrdup(EVIL);
	bad.len = strlen(bad.bytes);
	assert_int_equal(store_device_add(s, &d, hash[0], hash[1], 1, NULL,
					  &e),
			 OK);
	assert_int_equal(store_record(s, &one, &n, NULL, &e), OK);
	assert_int_equal(store_task_add(s, &t, &e), OK);
	assert_int_equal(store_update(s, "se", 66, say_evil, NULL, 1, NULL,
				      NULL, &e),
			 OK);
	assert_int_equal(store_lease(s, 5, NULL, &got, 1, &leased, &next, &e),
			 OK);
	assert_int_equal(store_finish(s, &got, &dead, 3000, &e), OK);
	task_release(&got);
	event_release(&ev);
	quarantined_release(&bad);
	store_close(s);
	config_drop(c);
}

/* Lines of UTF-8 without a control character or an order to turn round. */
static void is_clean(const char *line, const char *text)
{
	const char *p = text;

	if (!text_is_utf8(text) || strstr(text, "\xe2\x80\xae"))
		fail_msg("%s prints foreign bytes: %s", line, text);
	for (; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\n') || *p == 0x7f ||
		    (*p == '\xc2' && (unsigned char)p[1] < 0xa0))
			fail_msg("%s prints a control character: %s", line,
				 text);
}

static void every_verb_prints_foreign_text_as_text(void **state)
{
	static const char *const lines[] = {
		"why se/66",	"orders --all",	 "events",
		"tasks --dead", "quarantine",	 "device list",
		"tasks",	"report",	 "verify",
	};
	char *line, *last;

	(void)state;
	store_evil();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(run(lines[i]), 0);
		is_clean(lines[i], out);
		is_clean(lines[i], told);
		line = xasprintf("%s --json", lines[i]);
		assert_int_equal(run(line), 0);
		is_clean(line, out);
		assert_true(json_lines() || strstr(line, "tasks"));
		free(line);
	}
	assert_int_equal(run("quarantine --json"), 0);
	last = strrchr(out, '{');
	line = xasprintf("quarantine show %ld", strtol(last + 7, NULL, 10));
	assert_int_equal(run(line), 0);
	is_clean(line, told);
	free(line);
	/* It is all there. */
	assert_int_equal(run("why se/66"), 0);
	prints("on hold: \\x1b[31m\\n\\r\\x9b\\x9b\\u202e\\xff\\x7f");
	prints("Centra said: \\x1b[31m");
}

/* A script may hand on what somebody else wrote. */
static void what_the_caller_wrote_is_told_as_text(void **state)
{
	static const char *const lines[] = {
		"why \x1b[2J\xff",
		"why \x1b[2J/19",
		"\x1b[2J",
		"orders --shop \x1b[2J",
		"report --shop \x1b[2J\xff",
		"device add --shop \x1b[2J\xff --name x",
		"device add --shop b --name \xe2\x80\xae\x1b[2J\n",
		"device \x1b[2J",
		"backup /\x1b[2J/no",
		"check --\x1b[2J",
	};
	char *usual = config_path, *path = xasprintf("%s/\x1b[2J.ini", folder);
	FILE *f = fopen(path, "w");

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		(void)!run(lines[i]);
		is_clean(lines[i], told);
		tells("x1b[2J");
	}
	assert_non_null(f);
	fputs("[server]\nlisten = \x1b[2J\n[centra \x1b[2J]\n", f);
	assert_int_equal(fclose(f), 0);
	config_path = path;
	for (int verb = 0; verb < 2; verb++) {
		assert_int_equal(run(verb ? "check" : "events"), 78);
		is_clean("a bad config", told);
		tells("'listen' cannot be '\\x1b[2J");
	}
	config_path = usual;
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_order_is_named_with_or_without_its_instance),
		cmocka_unit_test(what_would_move_the_cursor_is_not_printed),
		cmocka_unit_test(the_nearest_word_is_suggested_if_it_is_near),
		cmocka_unit_test(every_verb_is_complete_and_its_help_teaches),
		cmocka_unit_test(help_is_had_in_every_way),
		cmocka_unit_test(mistakes_in_the_command_line_end_with_64),
		cmocka_unit_test(options_stand_anywhere_after_the_verb),
		cmocka_unit_test(every_verb_is_among_the_usual_lines),
		cmocka_unit_test(
			every_verb_but_serve_refuses_an_empty_folder_with_73),
		cmocka_unit_test(a_bad_config_ends_with_78_and_its_lines),
		cmocka_unit_test(why_tells_the_order_as_it_stands_and_its_life),
		cmocka_unit_test(
			why_asks_when_several_instances_know_the_number),
		cmocka_unit_test(why_of_an_unknown_order_says_so),
		cmocka_unit_test(why_in_json_is_an_object_a_line),
		cmocka_unit_test(orders_are_chosen_by_state_and_shop),
		cmocka_unit_test(
			a_list_goes_on_behind_a_damaged_row_and_ends_with_65),
		cmocka_unit_test(why_of_a_damaged_order_names_what_helps),
		cmocka_unit_test(events_are_the_last_ones_or_those_since),
		cmocka_unit_test(a_replay_of_an_event_that_is_gone_names_its_age),
		cmocka_unit_test(quarantine_shows_the_bytes_as_they_came),
		cmocka_unit_test(what_is_kept_beside_the_orders_is_shown),
		cmocka_unit_test(what_is_not_there_ends_with_1),
		cmocka_unit_test(
			a_dead_task_is_shown_with_why_and_its_last_calls),
		cmocka_unit_test(a_redrive_of_many_tasks_makes_few_transactions),
		cmocka_unit_test(what_somebody_else_redrove_stops_nobody),
		cmocka_unit_test(json_holds_all_and_a_table_the_last),
		cmocka_unit_test(check_says_when_a_previous_secret_can_go),
		cmocka_unit_test(a_new_device_gets_a_token_and_a_login_link),
		cmocka_unit_test(
			a_device_that_is_not_suspended_is_not_readmitted),
		cmocka_unit_test(check_sums_a_good_config_up),
		cmocka_unit_test(check_warns_of_what_is_not_safe),
		cmocka_unit_test(check_in_json_has_its_mistakes_as_objects),
		cmocka_unit_test(settings_routes_and_version_need_no_store),
		cmocka_unit_test(verbs_that_use_no_secret_need_none),
		cmocka_unit_test(a_sweep_is_a_task_of_each_instance_that_has_graphql),
		cmocka_unit_test(every_verb_prints_foreign_text_as_text),
		cmocka_unit_test(what_the_caller_wrote_is_told_as_text),
		cmocka_unit_test(a_replay_of_many_events_makes_few_transactions),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
