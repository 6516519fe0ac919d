/* SPDX-License-Identifier: MIT
 *
 * check.c - `check`: checks the config, and prints what it says.
 *
 * Mistakes come from config_load() and end with 78.  Advice is a warning: it
 * goes to stderr and changes no exit code.  With --json each mistake, each
 * warning and each fact is an object on stdout: {"level","text"}.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "server/storage/storage.h"
#include "server/cli/cli.h"
#include "server/webhook/secret_rotation.h"

#define SHORTEST_SECRET 16 /* bytes; a shorter secret can be guessed too
			    * easily */

static void say(struct cli_session *s, const char *level, const char *text)
{
	struct buf line;

	if (s->json) {
		json_begin(&s->out, NULL);
		json_put(&s->out, "level", level);
		json_put(&s->out, "text", text);
		cli_json_end(&s->out);
		return;
	}
	buf_init(&line, 4096);
	cli_text(&line, text);
	if (strcmp(level, "info") != 0)
		fprintf(stderr, "%s: %s\n", level, line.data ? line.data : "");
	else
		buf_fmt(&s->out, "%s\n", line.data ? line.data : "");
	buf_release(&line);
}

static void warn(struct cli_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct cli_session *s, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	say(s, "warning", text);
	free(text);
}

/* Prints the gathered text as a fact, and clears it. */
static void say_fact(struct cli_session *s, struct buf *fact)
{
	say(s, "info", fact->data ? fact->data : "");
	buf_clear(fact);
}

/* ---- what the config amounts to ---- */

static size_t shops_of(const struct config *c, const char *instance)
{
	size_t i, n = 0;

	for (i = 0; i < c->n_shops; i++)
		n += !strcmp(c->shops[i].centra, instance);
	return n;
}

static void tell_shop(struct cli_session *s, const struct config_shop *shop)
{
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	buf_fmt(&b, "  shop %s (%s): warehouse%s ", shop->id, shop->name,
		shop->warehouses.n == 1 ? "" : "s");
	for (i = 0; i < shop->warehouses.n; i++)
		buf_fmt(&b, "%s%" PRId64, i ? ", " : "",
			shop->warehouses.ids[i]);
	say_fact(s, &b);
	buf_release(&b);
}

static void tell_instance(struct cli_session *s,
			  const struct config_instance *in)
{
	const struct config *c = s->config;
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	buf_fmt(&b,
		"centra %s: webhooks to %s/webhooks/centra/%s, Order API at "
		"%s, %s",
		in->id, c->server.public_url, in->id, in->order_api_url,
		in->graphql_url ? "looks things up by GraphQL"
				: "looks nothing up");
	say_fact(s, &b);
	for (i = 0; i < c->n_shops; i++)
		if (!strcmp(c->shops[i].centra, in->id))
			tell_shop(s, &c->shops[i]);
	if (!shops_of(c, in->id))
		warn(s, "no shop belongs to 'centra %s': its offers will be "
			"kept, but nobody can answer them", in->id);
	if (!in->graphql_url)
		warn(s, "'centra %s' has no graphql_url: shops see no lines "
			"and no addresses, lost replies cannot be cleared up, "
			"and missed webhooks are not found", in->id);
	buf_release(&b);
}

/* ---- the store's folder ---- */

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool parent_exists(const char *dir)
{
	char *parent = xstrdup(dir), *slash;
	size_t len = strlen(parent);
	bool exists;

	while (len > 1 && parent[len - 1] == '/')
		parent[--len] = '\0';
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	exists = is_folder(slash ? parent : ".");
	free(parent);
	return exists;
}

static void tell_store(struct cli_session *s)
{
	const char *dir = s->config->server.store_dir;
	char *data = xasprintf("%s/data.mdb", dir);
	struct stat st, file;
	struct buf b;

	buf_init(&b, 4096);
	buf_fmt(&b, "store: %s, ", dir);
	if (stat(dir, &st)) {
		bool fine = errno == ENOENT && parent_exists(dir);

		buf_str(&b, fine ? "made at the first start"
				 : "cannot be used");
		if (!fine)
			warn(s, "'%s': %s; make the folder it is to stand in",
			     dir, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		buf_str(&b, "cannot be used");
		warn(s, "'%s' is not a folder", dir);
	} else if (stat(data, &file)) {
		buf_str(&b, "empty as yet");
	} else {
		buf_fmt(&b, "%" PRId64 " MiB on disk",
			(int64_t)file.st_blocks * 512 >> 20);
	}
	say_fact(s, &b);
	/* Root checks on behalf of the user who will run the server. */
	if (is_folder(dir) && st.st_uid != geteuid() && geteuid())
		warn(s, "'%s' belongs to user %u and we are user %u: run "
			"shipfrom as its owner", dir, (unsigned)st.st_uid,
		     (unsigned)geteuid());
	buf_release(&b);
	free(data);
}

/* ---- secrets that are being replaced ---- */

/* Prints when the previous secret signed last, as the server has stored it. */
static void tell_previous(struct cli_session *s, struct store *store,
			  const struct config_instance *in)
{
	struct secret_use use;
	struct buf b;
	struct err e;

	if (store_secret_use(store, in->id, &use, &e)) {
		warn(s, "the use of the secrets of '%s' cannot be read: %s",
		     in->id, e.text);
		return;
	}
	if (!secret_use_is_of(&use, in->webhook_secret,
			      in->previous_webhook_secret))
		/* No server has used these secrets yet. */
		use = (struct secret_use){0};
	buf_init(&b, 4096);
	buf_fmt(&b, "centra %s: the new webhook secret signs ", in->id);
	if (use.current_first) {
		buf_str(&b, "since ");
		cli_time(&b, s->config, in->id, use.current_first, false);
	} else {
		buf_str(&b, "nothing yet (is it in Centra already?)");
	}
	buf_str(&b, ", the previous one signed ");
	if (use.previous_last) {
		buf_str(&b, "last at ");
		cli_time(&b, s->config, in->id, use.previous_last, false);
	} else {
		buf_str(&b, "nothing since it became the previous one");
	}
	say_fact(s, &b);
	buf_release(&b);
	if (secret_may_go(&use, s->now))
		warn(s, "'centra %s': previous_webhook_secret was not used "
			"for a day and can go: remove it and reload", in->id);
}

static void tell_secrets(struct cli_session *s)
{
	char *data = xasprintf("%s/data.mdb", s->config->server.store_dir);
	struct store *store = NULL;
	bool any = false;
	struct err e;
	size_t i;

	for (i = 0; i < s->config->n_instances; i++)
		any |= s->config->instances[i].previous_webhook_secret != NULL;
	/* If the folder belongs to another user, that was warned of already. */
	if (any && !access(data, R_OK | W_OK) &&
	    !storage_open(&store, s->config, &e))
		for (i = 0; i < s->config->n_instances; i++)
			if (s->config->instances[i].previous_webhook_secret)
				tell_previous(s, store,
					      &s->config->instances[i]);
	store_close(store);
	free(data);
}

/* ---- advice ---- */

/* True if the address (without its scheme) belongs to this machine. */
static bool is_loopback(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1
				  : strcspn(host, ":/");
	struct in_addr four;
	char text[64];

	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return !strcmp(text, "localhost") || !strcmp(text, "[::1]") ||
	       (inet_pton(AF_INET, text, &four) == 1 &&
		ntohl(four.s_addr) >> 24 == 127);
}

/* True if the URL is http:// to another machine. */
static bool is_plain(const char *url)
{
	return !strncmp(url, "http://", 7) && !is_loopback(url + 7);
}

static bool has_both(const struct network *n, const char *a, const char *b)
{
	struct networks one = {(struct network *)(uintptr_t)n, 1};
	struct address first, last;

	return address_read(&first, a, strlen(a)) &&
	       address_read(&last, b, strlen(b)) && networks_have(&one, &first) &&
	       networks_have(&one, &last);
}

/* 0.0.0.0/0 or ::/0. */
static bool is_everybody(const struct network *n)
{
	return has_both(n, "0.0.0.1", "255.255.255.254") ||
	       has_both(n, "::2", "ffff::1");
}

static void advise_server(struct cli_session *s)
{
	const struct config_server *c = &s->config->server;

	if (is_plain(c->public_url))
		warn(s, "public_url is not https: tokens and addresses would "
			"travel unprotected");
	if (!is_loopback(c->admin_listen))
		warn(s, "admin_listen is open to other machines: keep it from "
			"the public");
	for (size_t i = 0; i < c->proxies.n; i++)
		if (is_everybody(&c->proxies.list[i]))
			warn(s, "trusted_proxies has everybody: whoever "
				"connects may name any address in "
				"X-Forwarded-For; name the proxies alone");
}

static void advise_instance(struct cli_session *s,
			    const struct config_instance *in)
{
	if (is_plain(in->order_api_url))
		warn(s, "'centra %s': order_api_url is not https: the key and "
			"the answers would travel unprotected", in->id);
	if (in->graphql_url && is_plain(in->graphql_url))
		warn(s, "'centra %s': graphql_url is not https: the token and "
			"addresses would travel unprotected", in->id);
}

static bool is_open_to_all(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_mode & (S_IROTH | S_IWOTH);
}

static void advise_secrets(struct cli_session *s, const char *path)
{
	const struct config *c = s->config;
	bool literal = false;

	for (size_t i = 0; i < c->n_secrets; i++) {
		const struct config_secret *secret = &c->secrets[i];

		literal |= !secret->file;
		if (secret->len < SHORTEST_SECRET)
			warn(s, "'%s': %s has %zu characters: use %d or more "
				"random ones", secret->section,
			     secret->setting, secret->len, SHORTEST_SECRET);
		if (secret->file && is_open_to_all(secret->file))
			warn(s, "'%s' holds %s, and everybody on this machine "
				"can read or write it: chmod o= '%s'",
			     secret->file, secret->setting, secret->file);
	}
	if (literal && is_open_to_all(path))
		warn(s, "'%s' holds secrets, and everybody on this machine can "
			"read or write it: chmod o= '%s', or use ..._file",
		     path, path);
}

/* ---- the verb ---- */

/* Loads the config; prints its mistakes, one line each. */
static int open_config(struct cli_session *s, struct cli_args *a)
{
	struct buf report;
	char *rest, *line;
	int code;

	buf_init(&report, CLI_REPORT_MAX);
	code = cli_load_config(s, a, CLI_SECRETS, &report);
	rest = report.data;
	if (code && !s->json)
		cli_say_lines(rest);
	while (code && s->json && (line = strsep(&rest, "\n")))
		if (*line)
			say(s, "error", line);
	buf_release(&report);
	return code;
}

static void examine(struct cli_session *s, const char *path)
{
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	buf_fmt(&b, "%s: good.  %zu instance%s, %zu shop%s.", path,
		s->config->n_instances, s->config->n_instances == 1 ? "" : "s",
		s->config->n_shops, s->config->n_shops == 1 ? "" : "s");
	say_fact(s, &b);
	buf_release(&b);
	tell_store(s);
	for (i = 0; i < s->config->n_instances; i++)
		tell_instance(s, &s->config->instances[i]);
	tell_secrets(s);
	advise_server(s);
	for (i = 0; i < s->config->n_instances; i++)
		advise_instance(s, &s->config->instances[i]);
	advise_secrets(s, path);
}

int cli_check(struct cli_args *a)
{
	const char *path = a->value[OPT_CONFIG];
	struct cli_session s;
	int code;

	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many; the file is "
				    "named with --config FILE", a->words[0]);
	code = open_config(&s, a);
	if (!code)
		examine(&s, path ? path : CLI_CONFIG);
	return cli_close(&s, code);
}
