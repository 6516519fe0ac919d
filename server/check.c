/* SPDX-License-Identifier: MIT
 *
 * check.c - `check`: is the config good, and what does it amount to?
 *
 * Mistakes are config_load()'s.  What is told here besides is advice: each
 * line begins with "warning: " and changes no exit code.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "centra/centra.h"
#include "centra/graphql.h"
#include "server/app.h"
#include "server/cli.h"
#include "server/secrets.h"

#define CONNECT_TIMEOUT 5000 /* ms */

static void warn(struct cli_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct cli_session *s, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	buf_str(&s->out, "warning: ");
	cli_text(&s->out, text ? text : "");
	buf_char(&s->out, '\n');
	free(text);
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
	size_t i;

	buf_str(&s->out, "  shop ");
	cli_text(&s->out, shop->id);
	buf_str(&s->out, " (");
	cli_text(&s->out, shop->name);
	buf_str(&s->out, shop->warehouses.n == 1 ? "): warehouse "
						 : "): warehouses ");
	for (i = 0; i < shop->warehouses.n; i++)
		buf_fmt(&s->out, "%s%" PRId64, i ? ", " : "",
			shop->warehouses.ids[i]);
	buf_char(&s->out, '\n');
}

static void tell_instance(struct cli_session *s,
			  const struct config_instance *in)
{
	const struct config *c = s->config;
	size_t i;

	buf_fmt(&s->out,
		"centra %s: webhooks to %s/webhooks/centra/%s, Order API at "
		"%s, %s\n",
		in->id, c->server.public_url, in->id, in->order_api_url,
		in->graphql_url ? "looks things up by GraphQL"
				: "looks nothing up");
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

	buf_fmt(&s->out, "store: %s, ", dir);
	if (stat(dir, &st)) {
		bool fine = errno == ENOENT && parent_exists(dir);

		buf_str(&s->out, fine ? "made at the first start\n"
				      : "cannot be used\n");
		if (!fine)
			warn(s, "'%s': %s; make the folder it is to stand in",
			     dir, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		buf_str(&s->out, "cannot be used\n");
		warn(s, "'%s' is not a folder", dir);
	} else if (stat(data, &file)) {
		buf_str(&s->out, "empty as yet\n");
	} else {
		buf_fmt(&s->out, "%" PRId64 " MiB on disk\n",
			(int64_t)file.st_blocks * 512 >> 20);
	}
	if (is_folder(dir) && st.st_uid != geteuid())
		warn(s, "'%s' belongs to user %u and we are user %u: run "
			"shipfrom as its owner", dir, (unsigned)st.st_uid,
		     (unsigned)geteuid());
	free(data);
}

/* ---- secrets that are being replaced ---- */

/* When the previous secret signed last, as the server has kept it. */
static void tell_previous(struct cli_session *s, struct store *store,
			  const struct config_instance *in)
{
	struct secret_use use;
	struct err e;

	if (store_secret_use(store, in->id, &use, &e)) {
		warn(s, "the use of the secrets of '%s' cannot be read: %s",
		     in->id, e.text);
		return;
	}
	if (!secret_use_is_of(&use, in->webhook_secret,
			      in->previous_webhook_secret))
		use = (struct secret_use){0}; /* no server has read them yet */
	buf_fmt(&s->out, "centra %s: the new webhook secret signs ", in->id);
	if (use.current_first) {
		buf_str(&s->out, "since ");
		cli_time(&s->out, s->config, in->id, use.current_first, false);
	} else {
		buf_str(&s->out, "nothing yet");
	}
	buf_str(&s->out, ", the previous one signed ");
	if (use.previous_last) {
		buf_str(&s->out, "last at ");
		cli_time(&s->out, s->config, in->id, use.previous_last, false);
	} else {
		buf_str(&s->out, "nothing since it is the previous one");
	}
	buf_char(&s->out, '\n');
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
	/* A folder that is not ours was warned of. */
	if (any && !access(data, R_OK | W_OK) &&
	    !app_open_store(&store, s->config, NULL, NULL, NULL, &e))
		for (i = 0; i < s->config->n_instances; i++)
			if (s->config->instances[i].previous_webhook_secret)
				tell_previous(s, store,
					      &s->config->instances[i]);
	store_close(store);
	free(data);
}

/* ---- advice ---- */

static bool is_local(const char *url)
{
	return strstr(url, "//127.") || strstr(url, "//localhost") ||
	       strstr(url, "//[::1]");
}

static void advise(struct cli_session *s, const char *path)
{
	const struct config_server *c = &s->config->server;
	struct stat st;

	if (strncmp(c->public_url, "https://", 8) != 0 &&
	    !is_local(c->public_url))
		warn(s, "public_url is not https: tokens and addresses would "
			"travel unprotected");
	if (strncmp(c->admin_listen, "127.", 4) != 0 &&
	    strncmp(c->admin_listen, "localhost", 9) != 0 &&
	    strncmp(c->admin_listen, "[::1]", 5) != 0)
		warn(s, "admin_listen is open to other machines: keep it from "
			"the public");
	if (!stat(path, &st) && st.st_mode & S_IROTH)
		warn(s, "'%s' can be read by everybody on this machine; if it "
			"holds secrets: chmod o-r, or use ..._file", path);
}

/* ---- online ---- */

static void compare(struct cli_session *s, const struct config_instance *in,
		    const struct centra_warehouses *w)
{
	const struct config *c = s->config;
	size_t i, k, n;

	for (i = 0; i < w->n; i++) {
		const struct centra_warehouse *h = &w->list[i];
		const char *policy = h->policy ? h->policy : "none";
		bool ours = config_shop_of(c, in->id, h->id);
		bool asks = !strcmp(policy, "CHECK_FIRST");

		if (ours && !asks)
			warn(s, "warehouse %" PRId64 " (%s) of '%s' has the "
				"policy %s, not CHECK_FIRST: it will be "
				"offered nothing", h->id,
			     h->name ? h->name : "?", in->id, policy);
		else if (!ours && asks)
			warn(s, "warehouse %" PRId64 " (%s) of '%s' is "
				"CHECK_FIRST, but no shop has it: nobody can "
				"answer its offers", h->id,
			     h->name ? h->name : "?", in->id);
	}
	for (i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (strcmp(shop->centra, in->id) != 0)
			continue;
		for (k = 0; k < shop->warehouses.n; k++) {
			for (n = 0; n < w->n; n++)
				if (w->list[n].id == shop->warehouses.ids[k])
					break;
			if (n == w->n)
				warn(s, "warehouse %" PRId64 " of shop '%s' "
					"is not known to '%s'",
				     shop->warehouses.ids[k], shop->id, in->id);
		}
	}
}

static int ask(struct cli_session *s, const struct config_instance *in)
{
	const struct centra_options o = {
		.instance = in->id,
		.order_api_url = in->order_api_url,
		.order_api_key = in->order_api_key,
		.graphql_url = in->graphql_url,
		.graphql_token = in->graphql_token,
		.connect_timeout = CONNECT_TIMEOUT,
		.timeout = in->call_timeout,
	};
	struct centra *centra = centra_open(&o);
	struct centra_conn *conn = centra_conn_open(centra);
	struct centra_warehouses w = {0};
	int code = 0;

	graphql_warehouses(conn, &w);
	if (w.call.end == CALL_OK) {
		buf_fmt(&s->out, "centra %s: answers, with %zu warehouses\n",
			in->id, w.n);
		compare(s, in, &w);
	} else {
		warn(s, "'centra %s' could not be asked: %s%s", in->id,
		     w.call.why.text,
		     w.call.refused ? "; check graphql_token" : "");
		code = EX_UNAVAILABLE;
	}
	centra_warehouses_release(&w);
	centra_conn_close(conn);
	centra_close(centra);
	return code;
}

static int ask_all(struct cli_session *s)
{
	int code = 0, one;
	struct err e;
	size_t i;

	if (centra_init(&e)) {
		fprintf(stderr, "shipfrom check: %s\n", e.text);
		return EX_SOFTWARE;
	}
	for (i = 0; i < s->config->n_instances; i++) {
		if (!s->config->instances[i].graphql_url)
			continue; /* was warned of */
		one = ask(s, &s->config->instances[i]);
		code = one ? one : code;
	}
	centra_end();
	return code;
}

int cli_check(struct cli_args *a)
{
	const char *path = a->value[OPT_CONFIG];
	struct cli_session s;
	size_t i;
	int code;

	if (a->n_words)
		return cli_usage(a, "'%s' is one word too many; the file is "
				    "named with --config FILE", a->words[0]);
	code = cli_open_config(&s, a, CLI_SECRETS);
	if (code)
		return cli_close(&s, code);
	path = path ? path : CLI_CONFIG;
	buf_fmt(&s.out, "%s: good.  %zu instance%s, %zu shop%s.\n", path,
		s.config->n_instances, s.config->n_instances == 1 ? "" : "s",
		s.config->n_shops, s.config->n_shops == 1 ? "" : "s");
	tell_store(&s);
	for (i = 0; i < s.config->n_instances; i++)
		tell_instance(&s, &s.config->instances[i]);
	tell_secrets(&s);
	advise(&s, path);
	if (a->value[OPT_ONLINE])
		code = ask_all(&s);
	return cli_close(&s, code);
}
