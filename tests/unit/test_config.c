/* SPDX-License-Identifier: MIT
 *
 * test_config.c - the config file: what is read, and every mistake in it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/config/holder.h"
#include "server/config/read.h"
#include "server/config/staff_names.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SERVER "[server]\nstore = lmdb:/tmp/s\n" /* lines 1 and 2 */
#define CENTRA                                                                \
	"[centra se]\nwebhook_secret = hush\norder_api_key = shh\n"           \
	"order_api_url = https://brand.example.com/api\n" /* 3 to 6 */
#define SHOP "[shop a]\ncentra = se\nname = A\nwarehouses = 3\n"
#define GOOD SERVER CENTRA SHOP /* 10 lines */

static char folder[] = "/tmp/test_config.XXXXXX";
static char *config_path;
static struct buf report; /* of the last load */

/* ---- files ---- */

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void make_pipe(const char *name)
{
	char *path = path_of(name);

	assert_int_equal(mkfifo(path, 0600), 0);
	free(path);
}

static void remove_file(const char *name)
{
	char *path = path_of(name);

	unlink(path);
	free(path);
}

/* ---- loading ---- */

static struct config *load_bytes(const void *bytes, size_t len)
{
	struct config *c = NULL;
	struct err e;
	enum rc rc;

	write_file("shipfrom.ini", bytes, len);
	buf_release(&report);
	buf_init(&report, 100000);
	rc = config_load(&c, config_path, &report, &e);
	assert_int_equal(rc, report.len ? RC_INVALID : OK);
	assert_true((c != NULL) == (report.len == 0));
	return c;
}

static struct config *load(const char *text)
{
	struct config *c = load_bytes(text, strlen(text));

	if (!c)
		fail_msg("%s", report.data);
	return c;
}

static size_t reported(void)
{
	const char *p = report.data;
	size_t n = 0;

	for (; p && (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* The report has this line: number, and something that it says. */
static void says(unsigned line, const char *what)
{
	char *begin = xasprintf("%s:%u: ", config_path, line);
	const char *p, *end;
	char *text;

	for (p = report.data; p && *p; p = end + 1) {
		end = strchr(p, '\n');
		if (strncmp(p, begin, strlen(begin)) != 0)
			continue;
		text = xstrndup(p, (size_t)(end - p));
		if (strstr(text, what)) {
			free(text);
			free(begin);
			return;
		}
		free(text);
	}
	free(begin);
	fail_msg("line %u should say '%s', but the report is:\n%s", line, what,
		 report.data ? report.data : "(empty)");
}

/* A file with one mistake. */
static void refuses(const char *text, unsigned line, const char *what)
{
	assert_null(load_bytes(text, strlen(text)));
	says(line, what);
	if (reported() != 1)
		fail_msg("one mistake, but the report is:\n%s", report.data);
}

/* ---- what is read ---- */

static void a_small_file_is_enough(void **state)
{
	struct config *c = load(GOOD);
	const struct config_instance *se = config_instance(c, "se");
	const struct config_shop *shop = config_shop(c, "a");

	(void)state;
	assert_string_equal(c->server.store, "lmdb:/tmp/s");
	assert_string_equal(c->server.store_dir, "/tmp/s");
	assert_int_equal(c->n_instances, 1);
	assert_int_equal(c->n_shops, 1);
	assert_string_equal(se->webhook_secret, "hush");
	assert_string_equal(se->order_api_key, "shh");
	assert_null(se->previous_webhook_secret);
	assert_non_null(se->zone);
	assert_string_equal(shop->name, "A");
	assert_int_equal(shop->warehouses.n, 1);
	assert_null(config_instance(c, "s"));
	assert_null(config_shop(c, "b"));
	config_drop(c);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct config *c = load(GOOD);

	(void)state;
	assert_string_equal(c->server.listen, "127.0.0.1:8080");
	assert_true(c->server.store_max == (size_t)16 << 30);
	assert_int_equal(c->server.drain, 5000);
	assert_int_equal(c->server.sweep_every, 300000);
	assert_int_equal(c->server.webhook_max_body, 4 << 20);
	assert_int_equal(c->server.workers, 8);
	assert_int_equal(c->instances[0].webhook_tolerance, 300000);
	assert_string_equal(c->instances[0].recover, "report");
	assert_string_equal(c->instances[0].time_zone, "Europe/Stockholm");
	config_drop(c);
}

static void every_type_is_read(void **state)
{
	struct config *c =
		load("[server]\nstore = lmdb:rel/folder\n  drain = 0\n"
		     "sweep_every = 1d\nmissed_after=250ms\nanswer_wait = 1m\n"
		     "idle_timeout = 2h\nstore_max = 3M\n"
		     "webhook_max_body = 5000\nworkers = 12\n" CENTRA
		     "[shop x]\ncentra = se\nname = X\n"
		     "warehouses = 3, 4 5,6 ,9007199254740\n");
	const config_LIST *w = &c->shops[0].warehouses;

	(void)state;
	assert_string_equal(c->server.store_dir, "rel/folder");
	assert_int_equal(c->server.drain, 0);
	assert_int_equal(c->server.sweep_every, 86400000);
	assert_int_equal(c->server.missed_after, 250);
	assert_int_equal(c->server.answer_wait, 60000);
	assert_int_equal(c->server.idle_timeout, 7200000);
	assert_int_equal(c->server.store_max, 3 << 20);
	assert_int_equal(c->server.webhook_max_body, 5000);
	assert_int_equal(c->server.workers, 12);
	assert_int_equal(w->n, 5);
	assert_int_equal(w->ids[0], 3);
	assert_int_equal(w->ids[3], 6);
	assert_true(w->ids[4] == 9007199254740);
	config_drop(c);
}

static void a_semicolon_after_white_space_is_a_comment(void **state)
{
	struct config *c =
		load("; all of it\n# and so\n[server] ; here\n"
		     "store = lmdb:/tmp/s;t    ; a folder\r\n"
		     "public_url = https://x.example.com/\n" CENTRA);

	(void)state;
	assert_string_equal(c->server.store_dir, "/tmp/s;t");
	assert_string_equal(c->server.public_url, "https://x.example.com");
	config_drop(c);
}

static void a_shop_is_found_by_its_warehouse(void **state)
{
	struct config *c = load(
		GOOD "[centra no]\nwebhook_secret = x\norder_api_key = y\n"
		     "order_api_url = http://no.example.com/\n"
		     "[shop b]\ncentra = no\nname = B\nwarehouses = 4 3\n");

	(void)state;
	assert_string_equal(config_shop_of(c, "se", 3)->id, "a");
	assert_string_equal(config_shop_of(c, "no", 3)->id, "b");
	assert_null(config_shop_of(c, "se", 4));
	assert_null(config_shop_of(c, "dk", 3));
	assert_string_equal(c->instances[1].order_api_url,
			    "http://no.example.com");
	config_drop(c);
}

static void a_config_lives_until_its_last_holder_drops_it(void **state)
{
	struct config *c = load(GOOD);

	(void)state;
	assert_ptr_equal(config_hold(c), c);
	config_drop(c);
	assert_string_equal(c->instances[0].id, "se");
	config_drop(c);
	config_drop(NULL);
}

static void a_value_of_10000_bytes_is_read_whole(void **state)
{
	char value[10001], *text = NULL;
	struct config *c;

	(void)state;
	memset(value, 'n', sizeof(value) - 1);
	memcpy(value, "https://x.example.com/", 22);
	value[sizeof(value) - 1] = '\0';
	assert_true(asprintf(&text,
			     SERVER "[centra se]\nwebhook_secret = hush\n"
				    "order_api_key = shh\norder_api_url = %s\n",
			     value) > 0);
	c = load(text);
	assert_string_equal(c->instances[0].order_api_url, value);
	config_drop(c);
	free(text);
}

static void a_list_of_200_staff_names_is_read_whole(void **state)
{
	struct config *c;
	struct buf text;
	const char *rest;
	size_t len, n = 0;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_str(&text, SERVER CENTRA "[shop a]\ncentra = se\nname = A\n"
				     "warehouses = 1\nstaff = ");
	for (int i = 0; i < 200; i++)
		buf_fmt(&text, "%sPerson %d", i ? ", " : "", i);
	buf_char(&text, '\n');
	c = load(text.data);
	for (rest = c->shops[0].staff; staff_next(&rest, &len);)
		n++;
	assert_int_equal(n, 200);
	config_drop(c);
	buf_release(&text);
}

static void a_mistake_behind_a_long_line_has_its_own_line(void **state)
{
	char text[2000];

	(void)state;
	snprintf(text, sizeof(text),
		 SERVER CENTRA "[shop a]\ncentra = se\nwarehouses = 1\n"
			       "name = A\n;%*s\nnonsense\n",
		 1000, "end");
	refuses(text, 12, "neither a setting nor a section");
}

/* ---- secrets ---- */

#define BY_FILE(name)                                                         \
	SERVER "[centra se]\nwebhook_secret_file = " name "\n"                \
	       "order_api_key = shh\norder_api_url = https://x.example.com\n"

static void secret_is(const char *want)
{
	struct config *c = load(BY_FILE("hook"));

	assert_string_equal(c->instances[0].webhook_secret, want);
	config_drop(c);
}

static void a_secret_file_is_literal_to_the_end_of_its_line(
	void **state)
{
	(void)state;
	write_file("hook", "from file", 9);
	secret_is("from file");
	write_file("hook", "from file\n", 10);
	secret_is("from file");
	write_file("hook", " a ; b # \t\r\nnot this", 20);
	secret_is(" a ; b # \t");
	remove_file("hook");
}

static void credentials_come_before_files_beside_us(void **state)
{
	char *credentials = path_of("credentials");
	struct config *c;

	(void)state;
	mkdir(credentials, 0700);
	write_file("hook", "beside", 6);
	write_file("credentials/hook", "credential", 10);
	secret_is("beside");
	setenv("CREDENTIALS_DIRECTORY", credentials, 1);
	secret_is("credential");
	remove_file("credentials/hook");
	secret_is("beside");
	unsetenv("CREDENTIALS_DIRECTORY");

	free(credentials);
	credentials = xasprintf(BY_FILE("%s/hook"), folder);
	c = load(credentials); /* a whole path */
	assert_string_equal(c->instances[0].webhook_secret, "beside");
	config_drop(c);
	free(credentials);
	remove_file("hook");
	credentials = path_of("credentials");
	rmdir(credentials);
	free(credentials);
}

static void a_secret_file_that_cannot_be_used_is_named(void **state)
{
	static char huge[5000];

	(void)state;
	refuses(BY_FILE("gone"), 4,
		"gone': No such file or directory; put the secret there");
	refuses(BY_FILE("/"), 4, "cannot read '/': Is a directory");
	make_pipe("hook"); /* nobody is waited for */
	refuses(BY_FILE("hook"), 4, "the first line of 'hook' is empty");
	remove_file("hook");
	write_file("hook", "\nsecond", 7);
	refuses(BY_FILE("hook"), 4, "the first line of 'hook' is empty");
	write_file("hook", "", 0);
	refuses(BY_FILE("hook"), 4, "is empty");
	write_file("hook", "a\0b", 3);
	refuses(BY_FILE("hook"), 4, "NUL byte");
	memset(huge, 'x', sizeof(huge));
	write_file("hook", huge, sizeof(huge));
	refuses(BY_FILE("hook"), 4, "longer than 4096 bytes");
	remove_file("hook");
	refuses(BY_FILE(""), 4, "'webhook_secret_file' is empty");
}

static void a_secret_is_given_one_way_only(void **state)
{
	(void)state;
	refuses(GOOD "[centra b]\nwebhook_secret = x\norder_api_key = k\n"
		     "order_api_url = http://x\nwebhook_secret_file = f\n",
		15, "'webhook_secret' is given in line 12 already");
}

/* Lines of a second instance, of which each differs from the first's. */
#define OTHER                                                                 \
	SERVER "[centra se]\nwebhook_secret = of-se\n"                        \
	"previous_webhook_secret = old-of-se\norder_api_key = k\n"            \
	"order_api_url = https://se.example.com/api\n"                        \
	"graphql_url = https://se.example.com/graphql\ngraphql_token = t\n"   \
	"[centra no]\norder_api_key = k\ngraphql_token = t\n"

static void two_centras_share_neither_secret_nor_address(void **state)
{
	static const char secret[] = "webhook_secret = of-no\n",
			  url[] = "order_api_url = https://no.example.com/\n";
	static const struct {
		unsigned line;
		const char *secret, *url, *more, *says;
	} of[] = {
		{13, "webhook_secret = of-se\n", url, "",
		 "'webhook_secret' is a secret of [centra se] too"},
		{13, "webhook_secret = old-of-se\n", url, "",
		 "'webhook_secret' is a secret of [centra se] too"},
		{15, secret, url, "previous_webhook_secret = of-se\n",
		 "'previous_webhook_secret' is a secret of [centra se] too"},
		{15, secret, url, "previous_webhook_secret = old-of-se\n",
		 "'previous_webhook_secret' is a secret of [centra se] too"},
		{14, secret, "order_api_url = https://SE.example.com/api/\n", "",
		 "'order_api_url' is that of [centra se] too"},
		{15, secret, url, "graphql_url = https://se.example.com/graphql/\n",
		 "'graphql_url' is that of [centra se] too"},
	};
	char text[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(text, sizeof(text), OTHER "%s%s%s" SHOP, of[i].secret,
			 of[i].url, of[i].more);
		refuses(text, of[i].line, of[i].says);
	}
	snprintf(text, sizeof(text), OTHER "%s%s%s" SHOP, secret, url,
		 "graphql_url = https://no.example.com/graphql\n"
		 "previous_webhook_secret = old-of-no\n");
	config_drop(load(text));
}

static void secrets_are_never_printed(void **state)
{
	static const char text[] = "[server]\nstore = lmdb:/s\n[centra se]\n"
				   "webhook_secret = TOPSECRET\xff\n"
				   "order_api_key TOPSECRET:more\n"
				   "order_api_key TOPSECRET\n"
				   "TOPSECRET=\n"
				   "TOPSECRET\n"
				   "webhook_secret = TOPSECRET\n"
				   "webhook_secret_file = x\n"
				   "[TOPSECRET]\n";

	(void)state;
	assert_null(load_bytes(text, sizeof(text) - 1));
	assert_null(strstr(report.data, "TOPSECRET"));
	says(4, "'webhook_secret' cannot be used; write text in UTF-8");
	says(5, "unknown setting in [centra]");
	says(6, "neither a setting nor a section");
	says(9, "stands in line 4 already");
	says(11, "unknown section [...]");
}

static void required_secrets_may_not_be_left_out_or_empty(void **state)
{
	(void)state;
	refuses(SERVER "[centra se]\norder_api_key = k\n"
		       "order_api_url = http://x\n",
		3, "[centra se] has no 'webhook_secret'; add webhook_secret = "
		   "VALUE or webhook_secret_file = FILE");
	refuses(SERVER "[centra se]\nwebhook_secret = k\n"
		       "order_api_url = http://x\n",
		3, "[centra se] has no 'order_api_key'");
	refuses(SERVER "[centra se]\nwebhook_secret =\norder_api_key = k\n"
		       "order_api_url = http://x\n",
		4, "'webhook_secret' is empty");
	refuses(SERVER "[centra se]\nwebhook_secret = ; later\n"
		       "order_api_key = k\norder_api_url = http://x\n",
		4, "'webhook_secret' is empty");
}

static void a_graphql_address_needs_a_token(void **state)
{
	struct config *c;

	(void)state;
	refuses(SERVER CENTRA "graphql_url = https://x/graphql\n", 7,
		"'graphql_url' needs a token");
	c = load(SERVER CENTRA "graphql_url = https://x/graphql\n"
			       "graphql_token = t\n");
	assert_string_equal(c->instances[0].graphql_token, "t");
	config_drop(c);
}

/* ---- how Centra tells of changes ---- */

#define GRAPHQL "graphql_url = https://x/graphql\ngraphql_token = t\n"
#define SOAP                                                                  \
	"soap_url = https://x/soap\nsoap_user = u\nsoap_password = p\n"

static void a_feed_needs_a_queue_of_its_own(void **state)
{
	(void)state;
	refuses(SERVER CENTRA GRAPHQL "source = webhooks, graphql_events\n", 9,
		"write queue_is_ours = yes");
	refuses(SERVER CENTRA GRAPHQL SOAP "source = soap\n", 12,
		"write queue_is_ours = yes");
}

static void webhooks_to_a_shops_system_need_https_and_a_secret(void **state)
{
	(void)state;
	refuses(SERVER CENTRA SHOP "notify_url = https://till/hook\n", 11,
		"add notify_secret = VALUE");
	refuses(SERVER CENTRA SHOP "notify_url = http://till/hook\n"
				   "notify_secret = x\n",
		11, "write notify_http = yes");
	refuses(SERVER CENTRA SHOP "notify_url = ftp://till/hook\n"
				   "notify_secret = x\n",
		11, "'notify_url' is no web address");
	refuses(SERVER CENTRA SHOP "notify_url = https://a:b@till/hook\n"
				   "notify_secret = x\n",
		11, "'notify_url' holds a user or password");
}

static void a_feed_needs_something_to_look_with(void **state)
{
	(void)state;
	refuses(SERVER CENTRA SOAP "queue_is_ours = yes\nsource = soap\n", 11,
		"add graphql_url");
	refuses(SERVER CENTRA "lock_orders = yes\n", 7,
		"'lock_orders' needs GraphQL");
}

static void soap_needs_an_address_and_a_login(void **state)
{
	(void)state;
	refuses(SERVER CENTRA GRAPHQL "soap_user = u\nsoap_password = p\n"
				      "queue_is_ours = yes\nsource = soap\n",
		12, "needs soap_url");
	refuses(SERVER CENTRA GRAPHQL
		"soap_url = https://x/soap\nsoap_user = u\n"
		"queue_is_ours = yes\nsource = soap\n",
		12, "needs soap_password");
}

static void a_source_that_is_not_known_is_named(void **state)
{
	(void)state;
	refuses(SERVER CENTRA "source = webhooks, graphql\n", 7,
		"'source' cannot hold 'graphql'");
}

static void sources_are_a_list(void **state)
{
	struct config *c;

	(void)state;
	c = load(SERVER CENTRA GRAPHQL SOAP
		 "queue_is_ours = yes\n"
		 "source = webhooks,graphql_events  soap\n");
	assert_int_equal(c->instances[0].sources,
			 SOURCE_WEBHOOKS | SOURCE_GRAPHQL | SOURCE_SOAP);
	config_drop(c);
	c = load(SERVER CENTRA);
	assert_int_equal(c->instances[0].sources, SOURCE_WEBHOOKS);
	assert_false(c->instances[0].lock_orders);
	config_drop(c);
}

/* ---- how long things are kept ---- */

#define DAYS INT64_C(86400000)

static void ages_have_a_least(void **state)
{
	(void)state;
	refuses(SERVER "keep_events = 6d\n" CENTRA, 3,
		"'keep_events' cannot be '6d'; write 7d or more, or 0");
	refuses(SERVER "keep_orders = 29d\n" CENTRA, 3, "30d or more");
	refuses(SERVER "keep_journal = 1d\n" CENTRA, 3, "30d or more");
	refuses(SERVER "keep_quarantine = 1d\n" CENTRA, 3, "7d or more");
	refuses(SERVER "keep_changes = 10m\n" CENTRA, 3, "1h or more");
	refuses(SERVER "keep_stock = 6d\n" CENTRA, 3, "7d or more");
	refuses(SERVER "keep_outgoing = 1h\n" CENTRA, 3, "1d or more");
	refuses(SERVER "keep_returns = 29d\n" CENTRA, 3, "30d or more");
	config_drop(load(SERVER "keep_events = 0\nkeep_orders = 0\n"
				"keep_journal = 0\nkeep_quarantine = 0\n"
				"keep_changes = 0\n" CENTRA));
}

static void what_belongs_to_an_order_is_kept_no_longer_than_it(void **state)
{
	static const char *const with[] = {"events", "journal", "addresses"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		snprintf(text, sizeof(text),
			 SERVER "keep_orders = 60d\nkeep_%s = 61d\n" CENTRA,
			 with[i]);
		refuses(text, 4, "is longer than 'keep_orders'");
		snprintf(text, sizeof(text),
			 SERVER "keep_orders = 60d\nkeep_%s = 0\n" CENTRA,
			 with[i]);
		refuses(text, 4, "is longer than 'keep_orders'");
		snprintf(text, sizeof(text),
			 SERVER "keep_orders = 60d\nkeep_%s = 60d\n" CENTRA,
			 with[i]);
		config_drop(load(text));
	}
}

/* A file that was good before there were these settings is good still. */
static void an_age_that_is_not_given_follows_those_that_are(void **state)
{
	struct config *c = load(SERVER "keep_addresses = 500d\n" CENTRA);

	(void)state;
	assert_true(c->server.keep_orders == 500 * DAYS);
	assert_true(c->server.keep_journal == 400 * DAYS);
	config_drop(c);
	c = load(SERVER "keep_addresses = 0\n" CENTRA);
	assert_true(c->server.keep_orders == 0);
	config_drop(c);
	c = load(SERVER "keep_orders = 60d\n" CENTRA);
	assert_true(c->server.keep_events == 60 * DAYS);
	assert_true(c->server.keep_journal == 60 * DAYS);
	assert_true(c->server.keep_addresses == 60 * DAYS);
	config_drop(c);
}

/* ---- mistakes ---- */

static void words_that_are_not_known_are_named(void **state)
{
	(void)state;
	refuses(SERVER "dorain = 5s\n" CENTRA, 3,
		"unknown setting 'dorain' in [server]; did you mean 'drain'?");
	refuses(SERVER "colour = blue\n" CENTRA, 3,
		"unknown setting 'colour' in [server]; `shipfrom settings`");
	refuses(SERVER "warehouses = 3\n" CENTRA, 3,
		"'warehouses' is no setting of [server]; it belongs in [shop]");
	refuses(SERVER "drain_file = x\n" CENTRA, 3,
		"unknown setting 'drain_file'");
	refuses(SERVER "[centre se]\nx = y\n" CENTRA, 3,
		"unknown section [centre]; did you mean [centra NAME]?");
	refuses(SERVER "[database]\nx = y\n" CENTRA, 3,
		"unknown section [database]; there are [server], [centra "
		"NAME] and [shop NAME]");
	refuses(SERVER CENTRA "recover = maybe\n", 7,
		"'recover' cannot be 'maybe'; write report or offer");
	refuses(SERVER "log_level = loud\n" CENTRA, 3,
		"'log_level' cannot be 'loud'; write debug, info, warn or "
		"error");
	refuses(SERVER CENTRA "time_zone = Europe/Stokholm\n", 7,
		"no time zone 'Europe/Stokholm'");
}

static void what_is_repeated_is_named_with_its_first_line(void **state)
{
	(void)state;
	refuses(SERVER "store = lmdb:/b\n" CENTRA, 3,
		"'store' stands in line 2 already");
	refuses(GOOD "[server]\ndrain = 3s\n", 11,
		"section [server] stands in line 1 already");
	refuses(GOOD "[shop a]\n", 11,
		"section [shop a] stands in line 7 already");
}

static void a_repeated_section_is_still_checked(void **state)
{
	static const char text[] =
		GOOD "[centra se]\nwebhook_tolerance = 5\n";

	(void)state;
	assert_null(load_bytes(text, sizeof(text) - 1));
	says(11, "section [centra se] stands in line 3 already");
	says(12, "'webhook_tolerance' cannot be '5'");
	assert_int_equal(reported(), 2);
}

static void values_of_the_wrong_form_are_named(void **state)
{
	static const char *const bad[][2] = {
		{"drain = 5", "a number with ms, s, m, h or d"},
		{"drain = 5x", "a number with ms, s, m, h or d"},
		{"drain = 5 s", "a number with ms, s, m, h or d"},
		{"drain = -5s", "a number with ms, s, m, h or d"},
		{"drain = 1.5s", "a number with ms, s, m, h or d"},
		{"drain = s", "a number with ms, s, m, h or d"},
		{"drain = 0x", "a number with ms, s, m, h or d"},
		{"drain = 99999999999999999999s", "no more than 3650d"},
		{"missed_after = 4000d", "no more than 3650d"},
		{"store_max = 16X", "a number of bytes with K, M or G"},
		{"store_max = 16GB", "a number of bytes with K, M or G"},
		{"store_max = lots", "a number of bytes with K, M or G"},
		{"store_max = 999999T", "no more than 900T"},
		{"store_max = 5", "write 1M or more"},
		{"webhook_max_body = 2G", "write 1K to 1G"},
		{"workers = 8x", "a whole number"},
		{"workers = ", "is empty"},
		{"workers = 0", "write 1 to 256"},
		{"workers = 257", "write 1 to 256"},
		{"request_threads = 1", "write 2 to 64"},
		{"device_presses = 0", "'device_presses' cannot be '0'; "
				       "write 1 to 10000"},
		{"device_presses = 10001", "write 1 to 10000"},
		{"write_wait = 0", "write 100ms to 60s"},
		{"answer_wait = 1d", "write 0 to 60s"},
		{"listen = 8080", "ADDRESS:PORT"},
		{"listen = 127.0.0.1", "ADDRESS:PORT"},
		{"listen = 127.0.0.1:65536", "ADDRESS:PORT"},
		{"listen = 127.0.0.1:", "ADDRESS:PORT"},
		{"listen = 127.0.0.1:80 # web", "a comment after a value"},
		{"listen = example.com:80", "ADDRESS:PORT"},
		{"admin_listen = ::1:80", "ADDRESS:PORT"},
		{"admin_listen = 127.0.0.1:8080", "the same as 'listen'"},
		{"public_url = ship.example.com", "begin with https://"},
		{"public_url = ftp://ship.example.com", "begin with https://"},
		{"public_url = https://", "begin with https://"},
		{"public_url = https:///x", "begin with https://"},
		{"public_url = https://a b", "begin with https://"},
		{"public_url = https://me:pw@x", "a user or password"},
		{"public_url = https://x.example.com/app", "have a path"},
	};
	char text[500];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), SERVER "%s\n" CENTRA, bad[i][0]);
		refuses(text, 3, bad[i][1]);
	}
}

static void a_list_that_ends_with_0_is_refused(void **state)
{
	(void)state;
	refuses(SERVER CENTRA "[shop a]\ncentra = se\nname = A\n"
			      "warehouses = 3, 0\n",
		10, "whole numbers from 1 on");
}

static void values_of_the_right_form_are_taken(void **state)
{
	static const char *const good[] = {
		"listen = [::1]:0",
		"listen = localhost:80",
		"listen = 0.0.0.0:65535",
		"listen = 127.0.0.1:0\nadmin_listen = 127.0.0.1:0",
		"public_url = http://[::1]:8080",
		"drain = 0s",
		"store_max = 1048576",
		"log_level = debug",
	};
	char text[500];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), SERVER "%s\n" CENTRA, good[i]);
		config_drop(load(text));
	}
}

static void a_store_must_be_an_lmdb_folder(void **state)
{
	(void)state;
	refuses("[server]\nstore = /var/lib/shipfrom\n" CENTRA, 2,
		"'store' cannot be '/var/lib/shipfrom'; write lmdb:FOLDER");
	refuses("[server]\nstore = lmdb:\n" CENTRA, 2, "write lmdb:FOLDER");
	refuses("[server]\n" CENTRA, 1, "[server] has no 'store'");
}

static void addresses_of_centra_must_be_web_addresses(void **state)
{
	(void)state;
	refuses(SERVER "[centra se]\nwebhook_secret = x\norder_api_key = y\n"
		       "order_api_url = brand.centra.com/api\n",
		6, "'order_api_url' is no web address");
	refuses(SERVER "[centra se]\nwebhook_secret = x\norder_api_key = y\n",
		3, "[centra se] has no 'order_api_url'");
	refuses(SERVER CENTRA "graphql_token = t\ngraphql_url = brand\n", 8,
		"'graphql_url' is no web address");
}

static void names_of_sections_have_limits(void **state)
{
	(void)state;
	refuses(GOOD "[centra SE]\n", 11, "'SE' cannot name an instance");
	refuses(GOOD "[centra]\n", 11, "'' cannot name an instance");
	refuses(GOOD "[centra a b]\n", 11, "cannot name an instance");
	refuses(GOOD "[centra 123456789012345678901234567890123]\n", 11,
		"cannot name an instance");
	refuses(GOOD "[shop]\n", 11, "cannot name a shop");
	refuses(GOOD "[shop 12345678901234567890123456789012345678901234567890"
		     "123456789012345]\n",
		11, "cannot name a shop");
	refuses(GOOD "[shop b\n", 11, "a section without its ']'");
	refuses(GOOD "[shop b] name = x\ncentra = se\nname = B\n"
		     "warehouses = 4\n",
		11, "something follows the section's ']'");
	refuses("[server x]\nstore = lmdb:/x\n" CENTRA, 1,
		"[server] has no name");
}

static void names_of_64_characters_are_kept_whole(void **state)
{
#define SIXTY_FOUR                                                            \
	"1234567890123456789012345678901234567890123456789012345678901234"
	struct config *c = load(SERVER CENTRA
				"[shop " SIXTY_FOUR "]\ncentra = se\n"
				"name = B\nwarehouses = 4\n");

	(void)state;
	assert_non_null(config_shop(c, SIXTY_FOUR));
	config_drop(c);
}

static void shops_must_fit_their_instance(void **state)
{
	(void)state;
	refuses(GOOD "[shop b]\ncentra = si\nname = B\nwarehouses = 4\n", 12,
		"there is no [centra si]; did you mean 'se'?");
	refuses(GOOD "[shop b]\ncentra = norway\nname = B\nwarehouses = 4\n",
		12, "there is no [centra norway]; add that section");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = 4,3\n", 14,
		"warehouse 3 of 'se' belongs to [shop a] already");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = 4 4\n", 14,
		"warehouse 4 is named twice");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = four\n",
		14, "whole numbers from 1 on");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = 0\n", 14,
		"whole numbers from 1 on");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = ,\n", 14,
		"whole numbers from 1 on");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\nwarehouses = 4x\n", 14,
		"whole numbers from 1 on");
	refuses(GOOD "[shop b]\ncentra = se\nname = B\n", 11,
		"[shop b] has no 'warehouses'");
	refuses(GOOD "[shop b]\ncentra = se\nwarehouses = 4\n", 11,
		"[shop b] has no 'name'");
	refuses(GOOD "[shop b]\nname = B\nwarehouses = 4\n", 11,
		"[shop b] has no 'centra'");
}

static void shops_without_any_instance_are_one_mistake(void **state)
{
	(void)state;
	refuses(SERVER SHOP, 1, "there is no [centra NAME]; add one");
}

static void there_must_be_a_server_and_a_centra(void **state)
{
	(void)state;
	refuses(SERVER, 1, "there is no [centra NAME]; add one");
	refuses(CENTRA, 1, "there is no [server]; add it");
	assert_null(load_bytes("", 0));
	assert_int_equal(reported(), 2);
	refuses("drain = 5s\ndrain = 4s\n" GOOD, 1, "this is in no section");
}

static void files_that_are_no_utf8_text_are_refused(void **state)
{
	static const char utf16[] = "\xff\xfe[\0s\0e\0r\0v\0e\0r\0]\0\n";
	static const char zeros[] = SERVER "dra\0in = 5s\nx";

	(void)state;
	refuses("\xef\xbb\xbf" GOOD, 1, "byte order mark");
	assert_null(load_bytes(utf16, sizeof(utf16) - 1));
	says(1, "the file is UTF-16");
	assert_null(load_bytes(zeros, sizeof(zeros) - 1));
	says(3, "a NUL byte");
	refuses(SERVER CENTRA "[shop a]\ncentra = se\nname = Malm\xf6\n"
			      "warehouses = 1\n",
		9, "write text in UTF-8");
	refuses(SERVER CENTRA "just words\n", 7,
		"neither a setting nor a section");
}

static void a_file_that_is_not_there_is_one_mistake(void **state)
{
	struct config *c;
	struct err e;

	(void)state;
	buf_release(&report);
	buf_init(&report, 1000);
	assert_int_equal(config_load(&c, "/nowhere/x.ini", &report, &e),
			 RC_INVALID);
	assert_string_equal(report.data,
			    "/nowhere/x.ini: cannot be read: No such file or "
			    "directory; name the right file with --config "
			    "FILE\n");
	assert_string_equal(e.text, "'/nowhere/x.ini' has 1 mistake");
	buf_clear(&report);
	assert_int_equal(config_load(&c, folder, &report, &e), RC_INVALID);
	assert_non_null(strstr(report.data, "Is a directory"));
}

static void five_mistakes_are_all_named_with_their_lines(void **state)
{
	static const char text[] = "[server]\n"
				   "store = lmdb:/tmp/s\n"
				   "drain = soon\n" /* 3 */
				   "listne = 127.0.0.1:80\n" /* 4 */
				   "\n"
				   "[centra se]\n" /* 6: no order_api_key */
				   "webhook_secret = x\n"
				   "order_api_url = nowhere\n" /* 8 */
				   "\n"
				   "[shop a]\n"
				   "centra = so\n" /* 11 */
				   "name = A\n"
				   "warehouses = 3\n";

	(void)state;
	assert_null(load_bytes(text, sizeof(text) - 1));
	says(3, "'drain' cannot be 'soon'");
	says(4, "did you mean 'listen'?");
	says(6, "[centra se] has no 'order_api_key'");
	says(8, "'order_api_url' is no web address");
	says(11, "there is no [centra so]");
	assert_int_equal(reported(), 5);
}

static void mistakes_come_in_the_order_of_the_file(void **state)
{
	unsigned last = 0, line;
	const char *p;

	five_mistakes_are_all_named_with_their_lines(state);
	for (p = report.data; *p; p = strchr(p, '\n') + 1) {
		line = (unsigned)strtoul(p + strlen(config_path) + 1, NULL,
					 10);
		assert_true(line > last);
		last = line;
	}
}

static void *load_a_new_zone(void *arg)
{
	struct err e;

	*(enum rc *)arg = config_load(&(struct config *){NULL}, config_path,
				      &report, &e);
	return NULL;
}

static void a_new_time_zone_waits_for_a_restart(void **state)
{
	enum rc rc = OK;
	pthread_t t;

	(void)state;
	config_drop(load(GOOD)); /* opens Europe/Stockholm */
	write_file("shipfrom.ini",
		   SERVER CENTRA "time_zone = Asia/Tokyo\n",
		   strlen(SERVER CENTRA "time_zone = Asia/Tokyo\n"));
	buf_clear(&report);
	assert_int_equal(pthread_create(&t, NULL, load_a_new_zone, &rc), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(rc, RC_INVALID);
	says(7, "time zone 'Asia/Tokyo' is new; restart to use it");
}

/* ---- the documentation ---- */

/* A line of the example: `name = value` or `;name = value`. */
static bool setting_line(char *line, char **ret_name, char **ret_value)
{
	char *equals = strstr(line, " = ");

	if (*line == ';')
		line++;
	if (!equals || strspn(line, "abcdefghijklmnopqrstuvwxyz_") !=
			       (size_t)(equals - line))
		return false;
	*equals = '\0';
	*ret_name = line;
	*ret_value = equals + 3;
	(*ret_value)[strcspn(*ret_value, "\n")] = '\0';
	return true;
}

static size_t setting_at(enum section_kind kind, const char *name)
{
	size_t i, len;

	for (i = 0; i < SETTINGS; i++) {
		len = strlen(settings[i].name);
		if (settings[i].section == kind &&
		    !strncmp(settings[i].name, name, len) &&
		    (!name[len] || (settings[i].flags & SECRET &&
				    !strcmp(name + len, "_file"))))
			return i;
	}
	fail_msg("the example has '%s', which config.def has not", name);
	return 0;
}

static void the_example_shows_every_setting_and_no_other(void **state)
{
	FILE *f = fopen("deploy/shipfrom.ini", "r");
	bool shown[SETTINGS] = {0}, shown_default[SETTINGS] = {0};
	int kind = -1;
	char line[300], *name, *value;
	size_t i;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		bool commented = *line == ';';

		if (*line == '[')
			kind++;
		if (!setting_line(line, &name, &value))
			continue;
		assert_true(kind >= 0);
		i = setting_at((enum section_kind)kind, name);
		shown[i] = true;
		if (!commented || !settings[i].standard)
			continue;
		assert_string_equal(value, settings[i].standard);
		shown_default[i] = true;
	}
	fclose(f);
	for (i = 0; i < SETTINGS; i++) {
		if (!shown[i])
			fail_msg("the example lacks '%s'", settings[i].name);
		if (settings[i].standard && !shown_default[i])
			fail_msg("the example lacks the default of '%s'",
				 settings[i].name);
	}
}

static void the_example_is_a_good_config(void **state)
{
	struct config *c = NULL;
	struct err e;

	(void)state;
	write_file("se-webhook-secret", "a", 1);
	write_file("se-order-api-key", "b", 1);
	write_file("se-graphql-token", "c", 1);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	buf_clear(&report);
	if (config_load(&c, "deploy/shipfrom.ini", &report, &e))
		fail_msg("%s", report.data);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_string_equal(c->instances[0].graphql_token, "c");
	config_drop(c);
	remove_file("se-webhook-secret");
	remove_file("se-order-api-key");
	remove_file("se-graphql-token");
}

static void every_default_can_be_read(void **state)
{
	struct config *c = load(GOOD);
	size_t i;

	(void)state;
	for (i = 0; i < SETTINGS; i++)
		if (settings[i].section == SECTION_server &&
		    settings[i].type == SETTING_STR &&
		    settings[i].standard)
			assert_non_null(
				*(char **)(void *)((char *)&c->server +
						   settings[i].offset));
	config_drop(c);
}

static void the_description_names_every_setting(void **state)
{
	struct buf text, json;
	size_t i, lines = 0;
	const char *p;

	(void)state;
	buf_init(&text, 100000);
	buf_init(&json, 100000);
	config_describe(&text, false);
	config_describe(&json, true);
	for (i = 0; i < SETTINGS; i++) {
		assert_non_null(strstr(text.data, settings[i].name));
		assert_non_null(strstr(text.data, settings[i].help));
		assert_non_null(strstr(json.data, settings[i].name));
	}
	for (p = json.data; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, SETTINGS);
	assert_non_null(strstr(json.data,
			       "{\"section\":\"server\",\"name\":\"drain\","
			       "\"type\":\"duration\",\"default\":\"5s\","
			       "\"required\":false,\"secret\":false,"
			       "\"reload\":true,\"help\":\""));
	buf_release(&text);
	buf_release(&json);
}

static int make_folder(void **state)
{
	(void)state;
	buf_init(&report, 100000);
	if (!mkdtemp(folder))
		return -1;
	config_path = path_of("shipfrom.ini");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(config_path);
	free(config_path);
	buf_release(&report);
	return rmdir(folder);
}

/* ---- the present config ---- */

static void a_config_in_use_outlives_its_replacement(void **state)
{
	struct config_holder *h = config_holder_open(load(GOOD));
	struct config *in_use = config_now(h), *present;

	(void)state;
	config_replace(h, load(SERVER CENTRA
			       "[shop b]\ncentra = se\nname = B\n"
			       "warehouses = 3\n"));
	present = config_now(h);
	assert_non_null(config_shop(in_use, "a"));
	assert_null(config_shop(present, "a"));
	assert_non_null(config_shop(present, "b"));
	assert_int_equal(in_use->holders, 1);
	assert_int_equal(present->holders, 2);
	config_drop(in_use);
	config_holder_close(h);
	assert_int_equal(present->holders, 1);
	config_drop(present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_file_is_enough),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(a_semicolon_after_white_space_is_a_comment),
		cmocka_unit_test(a_shop_is_found_by_its_warehouse),
		cmocka_unit_test(a_config_lives_until_its_last_holder_drops_it),
		cmocka_unit_test(a_value_of_10000_bytes_is_read_whole),
		cmocka_unit_test(a_list_of_200_staff_names_is_read_whole),
		cmocka_unit_test(a_mistake_behind_a_long_line_has_its_own_line),
		cmocka_unit_test(
			a_secret_file_is_literal_to_the_end_of_its_line),
		cmocka_unit_test(credentials_come_before_files_beside_us),
		cmocka_unit_test(a_secret_file_that_cannot_be_used_is_named),
		cmocka_unit_test(a_secret_is_given_one_way_only),
		cmocka_unit_test(two_centras_share_neither_secret_nor_address),
		cmocka_unit_test(secrets_are_never_printed),
		cmocka_unit_test(required_secrets_may_not_be_left_out_or_empty),
		cmocka_unit_test(a_graphql_address_needs_a_token),
		cmocka_unit_test(a_feed_needs_a_queue_of_its_own),
		cmocka_unit_test(webhooks_to_a_shops_system_need_https_and_a_secret),
		cmocka_unit_test(a_feed_needs_something_to_look_with),
		cmocka_unit_test(soap_needs_an_address_and_a_login),
		cmocka_unit_test(a_source_that_is_not_known_is_named),
		cmocka_unit_test(sources_are_a_list),
		cmocka_unit_test(ages_have_a_least),
		cmocka_unit_test(
			what_belongs_to_an_order_is_kept_no_longer_than_it),
		cmocka_unit_test(an_age_that_is_not_given_follows_those_that_are),
		cmocka_unit_test(words_that_are_not_known_are_named),
		cmocka_unit_test(what_is_repeated_is_named_with_its_first_line),
		cmocka_unit_test(a_repeated_section_is_still_checked),
		cmocka_unit_test(values_of_the_wrong_form_are_named),
		cmocka_unit_test(a_list_that_ends_with_0_is_refused),
		cmocka_unit_test(values_of_the_right_form_are_taken),
		cmocka_unit_test(a_store_must_be_an_lmdb_folder),
		cmocka_unit_test(addresses_of_centra_must_be_web_addresses),
		cmocka_unit_test(names_of_sections_have_limits),
		cmocka_unit_test(names_of_64_characters_are_kept_whole),
		cmocka_unit_test(shops_must_fit_their_instance),
		cmocka_unit_test(shops_without_any_instance_are_one_mistake),
		cmocka_unit_test(there_must_be_a_server_and_a_centra),
		cmocka_unit_test(files_that_are_no_utf8_text_are_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_one_mistake),
		cmocka_unit_test(five_mistakes_are_all_named_with_their_lines),
		cmocka_unit_test(mistakes_come_in_the_order_of_the_file),
		cmocka_unit_test(a_new_time_zone_waits_for_a_restart),
		cmocka_unit_test(the_example_shows_every_setting_and_no_other),
		cmocka_unit_test(the_example_is_a_good_config),
		cmocka_unit_test(every_default_can_be_read),
		cmocka_unit_test(the_description_names_every_setting),
		cmocka_unit_test(a_config_in_use_outlives_its_replacement),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
