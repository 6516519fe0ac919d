/* SPDX-License-Identifier: MIT
 *
 * check.c - checks the values, each alone and all together.
 *
 * A value of NULL or 0 may stand for a text that could not be read; that
 * mistake was reported already.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/single_threaded.h>

#include "base/endpoint.h"
#include "base/hours.h"
#include "base/mem.h"
#include "server/config/read.h"
#include "base/nearest.h"
#include "base/text.h"
#include "server/config/staff_names.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

/* ---- texts ---- */

/* Returns what follows "http://" or "https://"; NULL: the URL begins with
 * neither. */
static const char *behind_scheme(const char *url)
{
	size_t len = !strncmp(url, "https://", 8)  ? 8
		     : !strncmp(url, "http://", 7) ? 7
						   : 0;
	const char *p;

	for (p = url; *p; p++)
		if (*p <= ' ' || *p == '"' || *p == '<' || *p == '>' ||
		    *p == '\\' || *p == '\x7f')
			return NULL;
	if (!len || !url[len] || strchr("/:?#", url[len]))
		return NULL;
	return url + len;
}

static void drop_slashes(char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		url[--len] = '\0';
}

static void check_url(struct reading *r, const struct section *s, size_t at,
		      const char *url)
{
	if (url && !behind_scheme(url))
		mistake(r, line_of(s, at),
			"'%s' is no web address; begin with https:// or "
			"http://",
			settings[at].name);
	else if (url && strchr(behind_scheme(url), '@'))
		mistake(r, line_of(s, at),
			"'%s' holds a user or password; leave that out",
			settings[at].name);
}

/* Checks an origin that becomes a part of a header: nothing but a scheme, a host
 * and a port. */
static void check_pictures(struct reading *r, const struct section *s,
			   char *url)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]";
	const char *p;

	check_url(r, s, AT_centra_pictures_from, url);
	if (!url || !behind_scheme(url))
		return;
	drop_slashes(url);
	p = behind_scheme(url);
	if (p && strspn(p, host) != strlen(p))
		mistake(r, line_of(s, AT_centra_pictures_from),
			"'pictures_from' is an origin, in small letters and "
			"without a path, such as https://brand.centracdn.net");
}

static void check_word(struct reading *r, const struct section *s, size_t at,
		       const char *word, const char *const *words,
		       const char *want)
{
	if (word && !text_is_one_of(word, words))
		mistake(r, line_of(s, at), "'%s' cannot be '%s'; write %s",
			settings[at].name, word, want);
}

/* ---- numbers ---- */

static const struct {
	size_t at;
	int64_t least, most;
	const char *want;
} bounds[] = {
	{AT_server_store_max, 1 << 20, INT64_MAX, "1M or more"},
	{AT_server_webhook_max_body, 1024, 1 << 30, "1K to 1G"},
	{AT_server_workers, 1, 256, "1 to 256"},
	{AT_server_request_threads, 2, 64, "2 to 64"},
	{AT_server_connections, 1, 1000000, "1 to 1000000"},
	{AT_server_connections_per_ip, 0, 1000000, "0 to 1000000"},
	{AT_server_answer_wait, 0, 60000, "0 to 60s"},
	{AT_server_idle_timeout, 1000, 86400000, "1s to 1d"},
	{AT_server_header_timeout, 1000, 86400000, "1s to 1d"},
	{AT_server_write_wait, 100, 60000, "100ms to 60s"},
	{AT_server_body_timeout, 1000, 86400000, "1s to 1d"},
	{AT_server_buffered_max, 1 << 20, INT64_MAX, "1M or more"},
	{AT_server_device_presses, 1, 10000, "1 to 10000"},
	{AT_server_failed_sign_ins, 0, 60000, "0 to 60000"},
	{AT_server_drain, 0, 600000, "0 to 10m"},
	{AT_centra_webhook_tolerance, 1000, 86400000, "1s to 1d"},
	{AT_centra_call_timeout, 100, 300000, "100ms to 5m"},
	{AT_centra_graphql_requests, 1, 100000, "1 to 100000"},
	{AT_centra_graphql_mutations, 1, 100000, "1 to 100000"},
	{AT_centra_graphql_requests_hour, 1, 100000, "1 to 100000"},
	{AT_centra_graphql_mutations_hour, 1, 100000, "1 to 100000"},
	{AT_centra_poll_feeds, 100, 600000, "100ms to 10m"},
	{AT_server_missed_after, 100, 86400000, "100ms to 1d"},
};

static int64_t number_at(const void *place, size_t at)
{
	const char *field = (const char *)place + settings[at].offset;

	if (settings[at].type == SETTING_SIZE)
		return (int64_t)*(const config_SIZE *)(const void *)field;
	return *(const config_INT *)(const void *)field;
}

static void check_bounds(struct reading *r, const struct section *s,
			 const void *place)
{
	size_t i;
	int64_t n;

	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const struct setting *row = &settings[bounds[i].at];
		const struct given *given = &s->value[bounds[i].at];

		if (row->section != s->kind || !given->line)
			continue;
		n = number_at(place, bounds[i].at);
		/* A value of 0 may stand for a text that was refused
		 * already. */
		if ((n < bounds[i].least && (n || *given->text == '0')) ||
		    n > bounds[i].most)
			mistake(r, given->line,
				"'%s' cannot be '%s'; write %s", row->name,
				given->text, bounds[i].want);
	}
}

/* ---- [server] ---- */

static void check_store(struct reading *r, const struct section *s,
			struct config_server *c)
{
	const char *store = c->store;

	if (!store)
		return;
	if (strncmp(store, "lmdb:", 5) != 0 || !store[5])
		mistake(r, line_of(s, AT_server_store),
			"'store' cannot be '%s'; write lmdb:FOLDER, such as "
			"lmdb:/var/lib/shipfrom",
			store);
	else
		c->store_dir = xstrdup(store + 5);
}

static void check_listen(struct reading *r, const struct section *s, size_t at,
			 const char *address)
{
	union endpoint any;
	socklen_t len;

	if (address && !endpoint_read(address, &any, &len))
		mistake(r, line_of(s, at),
			"'%s' cannot be '%s'; write ADDRESS:PORT, such as "
			"127.0.0.1:8080 or [::1]:8080%s",
			settings[at].name, address,
			strchr(address, '#') ? " (a comment after a value "
					       "begins with ;)"
					     : "");
}

static void check_public_url(struct reading *r, const struct section *s,
			     char *url)
{
	size_t before = r->n_mistakes;

	check_url(r, s, AT_server_public_url, url);
	if (!url || r->n_mistakes > before)
		return;
	drop_slashes(url);
	if (strpbrk(behind_scheme(url), "/?#"))
		mistake(r, line_of(s, AT_server_public_url),
			"'public_url' cannot have a path; the page needs a "
			"host of its own, such as https://ship.example.com");
}

static void check_proxies(struct reading *r, const struct section *s,
			  struct config_server *c)
{
	struct err e;

	if (networks_read(&c->proxies, c->trusted_proxies, &e))
		mistake(r, line_of(s, AT_server_trusted_proxies),
			"'trusted_proxies': %s; write such as 127.0.0.1, "
			"10.0.0.0/8",
			e.text);
}

/* ---- how long things are kept ---- */

static const struct {
	size_t at;
	int64_t least;
	const char *want;
} ages[] = {
	{AT_server_keep_events, 7 * DAY, "7d or more, or 0 to keep them for good"},
	{AT_server_keep_orders, 30 * DAY, "30d or more, or 0 to keep them for good"},
	{AT_server_keep_journal, 30 * DAY, "30d or more, or 0 to keep it for good"},
	{AT_server_keep_quarantine, 7 * DAY, "7d or more, or 0 to keep all for good"},
	{AT_server_keep_stock, 7 * DAY, "7d or more, or 0 to keep them for good"},
	{AT_server_keep_outgoing, DAY, "1d or more, or 0 to keep them for good"},
	{AT_server_keep_returns, 30 * DAY, "30d or more, or 0 to keep them for good"},
	{AT_server_keep_changes, HOUR, "1h or more, or 0 to bound them by their number alone"},
};

static bool longer(int64_t a, int64_t b)
{
	return b && (!a || a > b);
}

/* What belongs to an order is kept no longer than the order; a setting that is
 * not given follows those that are. */
static void check_kept_with_orders(struct reading *r, const struct section *s,
				   struct config_server *c)
{
	bool given = s->value[AT_server_keep_orders].line;
	const struct {
		size_t at;
		config_MS *kept;
	} with[] = {
		{AT_server_keep_events, &c->keep_events},
		{AT_server_keep_journal, &c->keep_journal},
		{AT_server_keep_addresses, &c->keep_addresses},
	};

	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		unsigned line = s->value[with[i].at].line;

		if (!longer(*with[i].kept, c->keep_orders))
			continue;
		if (given && line)
			mistake(r, line,
				"'%s' is longer than 'keep_orders', with which "
				"it goes; shorten it, or lengthen keep_orders",
				settings[with[i].at].name);
		else if (given)
			*with[i].kept = c->keep_orders;
		else
			c->keep_orders = *with[i].kept;
	}
}

static void check_ages(struct reading *r, const struct section *s,
		       struct config_server *c)
{
	size_t before = r->n_mistakes;

	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		const struct given *given = &s->value[ages[i].at];
		int64_t n = number_at(c, ages[i].at);

		if (given->line && n && n < ages[i].least)
			mistake(r, given->line, "'%s' cannot be '%s'; write %s",
				settings[ages[i].at].name, given->text,
				ages[i].want);
	}
	if (r->n_mistakes == before)
		check_kept_with_orders(r, s, c);
}

static void check_server(struct reading *r, const struct section *s,
			 struct config_server *c)
{
	static const char *const log_levels[] = {"debug", "info", "warn",
						 "error", NULL};

	check_listen(r, s, AT_server_listen, c->listen);
	check_listen(r, s, AT_server_admin_listen, c->admin_listen);
	if (c->listen && c->admin_listen &&
	    !strcmp(c->listen, c->admin_listen) &&
	    strcmp(strrchr(c->listen, ':') ? strrchr(c->listen, ':') : "",
		   ":0") != 0)
		mistake(r, line_of(s, AT_server_admin_listen),
			"'admin_listen' is the same as 'listen'; give it a "
			"port of its own that is not public");
	check_store(r, s, c);
	check_proxies(r, s, c);
	check_public_url(r, s, c->public_url);
	check_word(r, s, AT_server_log_level, c->log_level, log_levels,
		   "debug, info, warn or error");
	check_bounds(r, s, c);
	check_ages(r, s, c);
}

/* ---- [centra NAME] ---- */

/* All zones that were ever opened.  They are never closed, since configs borrow
 * them. */
struct known_zone {
	char *name;
	struct zone *zone;
	SLIST_ENTRY(known_zone) link;
};
static SLIST_HEAD(, known_zone) known_zones =
	SLIST_HEAD_INITIALIZER(known_zones);
static pthread_mutex_t known_zones_lock = PTHREAD_MUTEX_INITIALIZER;

/* Finds a zone, or opens it.  *ret_new: the zone is not open, and cannot be
 * opened while there are threads: zone_open() changes TZ, which they may be
 * reading. */
static struct zone *find_zone(const char *name, bool *ret_new, struct err *e)
{
	struct known_zone *k;
	struct zone *zone = NULL;

	pthread_mutex_lock(&known_zones_lock);
	SLIST_FOREACH(k, &known_zones, link)
		if (!strcmp(k->name, name))
			break;
	*ret_new = !k && !__libc_single_threaded;
	if (!k && !*ret_new && !zone_open(&zone, name, e)) {
		k = xcalloc(1, sizeof(*k));
		k->name = xstrdup(name);
		k->zone = zone;
		SLIST_INSERT_HEAD(&known_zones, k, link);
	}
	zone = k ? k->zone : NULL;
	pthread_mutex_unlock(&known_zones_lock);
	return zone;
}

static void check_zone(struct reading *r, const struct section *s,
		       struct config_instance *c)
{
	struct err e;
	bool new;

	if (!c->time_zone)
		return;
	c->zone = find_zone(c->time_zone, &new, &e);
	if (new)
		mistake(r, line_of(s, AT_centra_time_zone),
			"time zone '%s' is new; restart to use it",
			c->time_zone);
	else if (!c->zone)
		mistake(r, line_of(s, AT_centra_time_zone),
			"'time_zone': %s; write a name such as "
			"Europe/Stockholm",
			e.text);
}

/* ---- how Centra tells of changes ---- */

static const struct {
	const char *word;
	unsigned bit;
} sources[] = {
	{"webhooks", SOURCE_WEBHOOKS},
	{"graphql_events", SOURCE_GRAPHQL},
	{"soap", SOURCE_SOAP},
};

static unsigned source_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		if (strlen(sources[i].word) == len &&
		    !strncmp(sources[i].word, word, len))
			return sources[i].bit;
	return 0;
}

/* Reads the list `source`. */
static void read_sources(struct reading *r, const struct section *s,
			 struct config_instance *c)
{
	const char *p = c->source ? c->source : "";
	unsigned bit;
	size_t len;

	for (p += strspn(p, ", \t"); *p; p += len, p += strspn(p, ", \t")) {
		len = strcspn(p, ", \t");
		bit = source_of(p, len);
		c->sources |= bit;
		if (!bit)
			mistake(r, line_of(s, AT_centra_source),
				"'source' cannot hold '%.*s'; write webhooks, "
				"graphql_events or soap, with commas",
				(int)(len < 100 ? len : 100), p);
	}
	if (c->source && !*c->source)
		mistake(r, line_of(s, AT_centra_source),
			"'source' is empty; write webhooks");
}

/* True if the setting, or its file, is in the section. */
static bool is_given(const struct section *s, size_t at)
{
	return s->value[at].line || s->file[at].line;
}

static void check_sources(struct reading *r, const struct section *s,
			  struct config_instance *c)
{
	static const size_t soap[] = {AT_centra_soap_url, AT_centra_soap_user,
				      AT_centra_soap_password};
	unsigned line = line_of(s, AT_centra_source);
	unsigned feeds;

	read_sources(r, s, c);
	feeds = c->sources & (SOURCE_GRAPHQL | SOURCE_SOAP);
	if (feeds && !c->queue_is_ours)
		mistake(r, line,
			"'source' takes events off a queue for good, from "
			"every other system that reads it; write "
			"queue_is_ours = yes once no other does "
			"(docs/feeds.md), or leave graphql_events and soap "
			"out");
	if (feeds && !c->graphql_url)
		mistake(r, line,
			"'source' names a feed, which only tells that an "
			"order changed; add graphql_url, to look at it");
	for (size_t i = 0; i < 3; i++)
		if (feeds & SOURCE_SOAP && !is_given(s, soap[i]))
			mistake(r, line, "'source' has soap, which needs %s; "
					 "add it",
				settings[soap[i]].name);
	check_url(r, s, AT_centra_soap_url, c->soap_url);
	if (c->lock_orders && !c->graphql_url)
		mistake(r, line_of(s, AT_centra_lock_orders),
			"'lock_orders' needs GraphQL; add graphql_url and "
			"graphql_token");
}

static void check_instance(struct reading *r, const struct section *s,
			   struct config_instance *c)
{
	static const char *const recovers[] = {"report", "offer", NULL};
	static const char *const ships[] = {"graphql", "none", NULL};

	check_url(r, s, AT_centra_order_api_url, c->order_api_url);
	if (c->order_api_url)
		drop_slashes(c->order_api_url);
	check_url(r, s, AT_centra_graphql_url, c->graphql_url);
	if (c->graphql_url && !s->value[AT_centra_graphql_token].line &&
	    !s->file[AT_centra_graphql_token].line)
		mistake(r, s->value[AT_centra_graphql_url].line,
			"'graphql_url' needs a token; add graphql_token = "
			"VALUE or graphql_token_file = FILE");
	check_pictures(r, s, c->pictures_from);
	check_zone(r, s, c);
	check_word(r, s, AT_centra_recover, c->recover, recovers,
		   "report or offer");
	check_word(r, s, AT_centra_ship_with, c->ship_with, ships,
		   "graphql or none");
	check_sources(r, s, c);
	check_bounds(r, s, c);
}

/* Lists the secrets that sign an instance's webhooks. */
#define SIGNERS 2

static const char *signer(const struct config_instance *c, size_t i)
{
	return i ? c->previous_webhook_secret : c->webhook_secret;
}

/* Checks that no two instances share a secret.  If they did, somebody who
 * recorded a webhook of one could send it to the other. */
static void check_secret_shared(struct reading *r, const struct section *s,
				const struct config_instance *c,
				const struct config_instance *other)
{
	static const size_t at[SIGNERS] = {AT_centra_webhook_secret,
					   AT_centra_previous_webhook_secret};

	for (size_t i = 0; i < SIGNERS; i++) {
		const char *ours = signer(c, i);
		bool shared = false;

		for (size_t k = 0; ours && k < SIGNERS; k++)
			shared |= signer(other, k) &&
				  !strcmp(ours, signer(other, k));
		if (shared)
			mistake(r, line_of(s, at[i]),
				"'%s' is a secret of [centra %s] too; each "
				"Centra needs one of its own",
				settings[at[i]].name, other->id);
	}
}

/* True if two addresses are equal, apart from a slash at the end and the case
 * of letters. */
static bool same_url(const char *a, const char *b)
{
	size_t n = a ? strlen(a) : 0, m = b ? strlen(b) : 0;

	while (n && a[n - 1] == '/')
		n--;
	while (m && b[m - 1] == '/')
		m--;
	return n && n == m && !strncasecmp(a, b, n);
}

static void check_url_shared(struct reading *r, const struct section *s,
			     size_t at, const char *url, const char *other,
			     const char *whose)
{
	if (same_url(url, other))
		mistake(r, line_of(s, at),
			"'%s' is that of [centra %s] too; one Centra has one "
			"section",
			settings[at].name, whose);
}

/* Compares the instance at index `at` with those before it, which must not
 * share a secret or an address with it. */
static void check_shared(struct reading *r, const struct section *s, size_t at)
{
	const struct config_instance *all = r->config->instances;
	const struct config_instance *c = &all[at];

	for (size_t i = 0; i < at; i++) {
		check_secret_shared(r, s, c, &all[i]);
		check_url_shared(r, s, AT_centra_order_api_url,
				 c->order_api_url, all[i].order_api_url,
				 all[i].id);
		check_url_shared(r, s, AT_centra_graphql_url, c->graphql_url,
				 all[i].graphql_url, all[i].id);
		check_url_shared(r, s, AT_centra_soap_url, c->soap_url,
				 all[i].soap_url, all[i].id);
	}
}

/* ---- [shop NAME] ---- */

/* Checks that there is a [centra NAME] for a shop's setting `centra`, even one
 * with mistakes. */
static void check_instance_named(struct reading *r, const struct section *s,
				 const char *name)
{
	struct nearest near;
	size_t i, others = 0;

	nearest_begin(&near, name);
	for (i = 0; i < r->n_sections; i++) {
		const struct section *other = r->sections[i];

		if (other->kind != SECTION_centra)
			continue;
		if (!strcmp(other->id, name))
			return;
		nearest_offer(&near, other->id);
		others++;
	}
	if (r->lost_sections || !others)
		return; /* a section could not be read, which was reported; it
			 * may be the one that is meant */
	if (near.best)
		mistake(r, line_of(s, AT_shop_centra),
			"there is no [centra %s]; did you mean '%s'?", name,
			near.best);
	else
		mistake(r, line_of(s, AT_shop_centra),
			"there is no [centra %s]; add that section, or name "
			"one that there is",
			name);
}

static bool has_warehouse(const struct config_shop *shop, int64_t id, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (shop->warehouses.ids[i] == id)
			return true;
	return false;
}

/* Checks that no warehouse of the shop at index `at` belongs to another shop
 * too. */
static void check_warehouses(struct reading *r, const struct section *s,
			     size_t at)
{
	const struct config_shop *shops = r->config->shops, *shop = &shops[at];
	size_t i, other;

	for (i = 0; i < shop->warehouses.n; i++) {
		int64_t id = shop->warehouses.ids[i];

		if (has_warehouse(shop, id, i))
			mistake(r, line_of(s, AT_shop_warehouses),
				"warehouse %lld is named twice; name it once",
				(long long)id);
		for (other = 0; other < at; other++)
			if (shop->centra && shops[other].centra &&
			    !strcmp(shop->centra, shops[other].centra) &&
			    has_warehouse(&shops[other], id,
					  shops[other].warehouses.n))
				mistake(r, line_of(s, AT_shop_warehouses),
					"warehouse %lld of '%s' belongs to "
					"[shop %s] already; a warehouse has "
					"one shop",
					(long long)id, shop->centra,
					shops[other].id);
	}
}

#define STAFF_MOST 200

static void check_staff(struct reading *r, const struct section *s,
			const char *list)
{
	unsigned line = line_of(s, AT_shop_staff);
	const char *rest = list;
	size_t len, n = 0;

	while (rest && staff_next(&rest, &len)) {
		n++;
		if (len > 64)
			mistake(r, line,
				"'staff' has a name of more than 64 bytes; "
				"separate names with commas");
	}
	if (list && !n)
		mistake(r, line, "'staff' names nobody; write Anna, Ben or "
				 "delete the line");
	if (n > STAFF_MOST)
		mistake(r, line, "'staff' has more than %d names; shorten it",
			STAFF_MOST);
}

/* Checks the shop's own plugin. */
static void check_plugin(struct reading *r, const struct section *s,
			 const struct config_shop *shop)
{
	bool key = s->value[AT_shop_order_api_key].line ||
		   s->file[AT_shop_order_api_key].line;

	check_url(r, s, AT_shop_order_api_url, shop->order_api_url);
	if (!shop->order_api_url)
		return;
	drop_slashes(shop->order_api_url);
	if (!key)
		mistake(r, s->value[AT_shop_order_api_url].line,
			"'order_api_url' needs a key: add order_api_key = "
			"VALUE or order_api_key_file = FILE");
}

/* Checks where webhooks are sent. */
static void check_notify(struct reading *r, const struct section *s,
			 const struct config_shop *shop)
{
	size_t before = r->n_mistakes;

	check_url(r, s, AT_shop_notify_url, shop->notify_url);
	if (!shop->notify_url || r->n_mistakes > before)
		return;
	if (!strncmp(shop->notify_url, "http://", 7) &&
	    !r->config->server.notify_http)
		mistake(r, line_of(s, AT_shop_notify_url),
			"'notify_url' begins with http://, so that anybody on "
			"the way can read what is told; begin with https://, "
			"or write notify_http = yes in [server]");
	if (!is_given(s, AT_shop_notify_secret))
		mistake(r, line_of(s, AT_shop_notify_url),
			"'notify_url' needs a secret: add notify_secret = VALUE "
			"or notify_secret_file = FILE");
}

static void check_shop(struct reading *r, const struct section *s, size_t at)
{
	static const char *const ships[] = {"graphql", "none", "order_api",
					    NULL};
	const struct config_shop *shop = &r->config->shops[at];
	struct hours hours;

	if (shop->centra)
		check_instance_named(r, s, shop->centra);
	if (shop->name && strlen(shop->name) > 128)
		mistake(r, line_of(s, AT_shop_name),
			"'name' is longer than 128 bytes; shorten it");
	check_word(r, s, AT_shop_ship_with, shop->ship_with, ships,
		   "graphql, none or order_api");
	check_staff(r, s, shop->staff);
	if (!hours_read(shop->stock_quiet_hours, &hours))
		mistake(r, line_of(s, AT_shop_stock_quiet_hours),
			"'stock_quiet_hours' cannot be '%s'; write such as "
			"22:00-06:00, or nothing",
			shop->stock_quiet_hours);
	if (shop->stock_most_to_zero < 0)
		mistake(r, line_of(s, AT_shop_stock_most_to_zero),
			"'stock_most_to_zero' cannot be less than 0");
	check_plugin(r, s, shop);
	check_notify(r, s, shop);
	check_warehouses(r, s, at);
}

/* ---- all ---- */

void config_check(struct reading *r)
{
	struct config *c = r->config;
	size_t i, instance = 0, shop = 0, centras = 0, servers = 0;

	for (i = 0; i < r->n_sections; i++) {
		const struct section *s = r->sections[i];

		servers += s->kind == SECTION_server;
		centras += s->kind == SECTION_centra;
		if (s->spoilt)
			continue;
		if (s->kind == SECTION_server) {
			check_server(r, s, &c->server);
		} else if (s->kind == SECTION_centra) {
			check_instance(r, s, &c->instances[instance]);
			check_shared(r, s, instance++);
		} else {
			check_shop(r, s, shop++);
		}
	}
	if (r->lost_sections)
		return; /* a line that begins a section could not be read, and
			 * was reported: it may be the [server] */
	if (!servers)
		mistake(r, 1, "there is no [server]; add it, with store = "
			      "lmdb:FOLDER");
	if (!centras)
		mistake(r, 1, "there is no [centra NAME]; add one for each "
			      "webhook plugin, with its webhook_secret");
}
