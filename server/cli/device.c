/* SPDX-License-Identifier: MIT
 *
 * device.c - `device add|list|remove|readmit`: who may act for a shop.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/cli/cli.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/text.h"
#include "server/cli/qr.h"
#include "server/access/token.h"

#define QR_MAX	   ((size_t)256 << 10)
#define IDS_MAX	   2048 /* bytes of the list of shops in a message, at most */

/* ---- add ---- */

static int no_such_shop(const struct cli_session *s, const char *id)
{
	const struct config *c = s->config;
	struct nearest near;
	struct buf ids;

	buf_init(&ids, IDS_MAX);
	nearest_begin(&near, id);
	for (size_t i = 0; i < c->n_shops; i++) {
		nearest_offer(&near, c->shops[i].id);
		buf_fmt(&ids, "%s%s", i ? ", " : "", c->shops[i].id);
	}
	cli_say(near.best ? "shipfrom device: there is no [shop %s] in the "
			    "config; did you mean '%s'?"
			  : "shipfrom device: there is no [shop %s] in the "
			    "config; there are: %s",
		id, near.best ? near.best : ids.data ? ids.data : "none");
	buf_release(&ids);
	return EXIT_NOTHING;
}

static enum rc make_device(struct cli_session *s, const struct device *d,
			   char token[TOKEN_SIZE], char code[TOKEN_SIZE],
			   uint64_t *ret_id, struct err *e)
{
	unsigned char token_sha[TOKEN_HASH_SIZE], code_sha[TOKEN_HASH_SIZE];
	enum rc rc;

	rc = token_make(token, token_sha, e);
	if (!rc && d->kind == DEVICE_STAFF)
		rc = token_make(code, code_sha, e);
	if (!rc)
		rc = store_device_add(s->store, d, token_sha,
				      d->kind == DEVICE_STAFF ? code_sha : NULL,
				      s->now + CODE_LIVES, ret_id, e);
	return rc;
}

/* Prints the QR code on stderr, since scripts read the two lines of stdout. */
static void show_qr(const struct cli_session *s, const char *code)
{
	char *link = xasprintf("%s/login#%s", s->config->server.public_url,
			       code);
	struct buf qr;

	buf_init(&qr, QR_MAX);
	if (qr_draw(&qr, link) || buf_full(&qr))
		fputs("The link is too long for a QR code.\n", stderr);
	else
		fputs(qr.data, stderr);
	explicit_bzero(link, strlen(link));
	free(link);
	buf_release(&qr);
}

/* Adds a key of the shop's own system. */
static int add_key(struct cli_session *s, const struct device *d)
{
	char token[TOKEN_SIZE], code[TOKEN_SIZE];
	uint64_t id = 0;
	struct err e;
	enum rc rc = make_device(s, d, token, code, &id, &e);

	if (rc)
		return cli_failed(s, rc, &e);
	buf_fmt(&s->out, "%s\n", token);
	cli_flush(s);
	fflush(stdout);
	cli_say("Key %" PRIu64 " (%s) opens %s/order-api/%s/ and nothing else.",
		id, d->name, s->config->server.public_url, d->shop);
	fputs("The line is the key, for the header API-Authorization; it is "
	      "not shown again.\n"
	      "To replace a key, add another, give it to the system, and "
	      "remove the old one.\n",
	      stderr);
	if (strcmp(config_ships_with(s->config,
				     config_shop(s->config, d->shop)),
		   "order_api") != 0)
		cli_say("[shop %s] has no ship_with = order_api: until it has, "
			"no shipment is shown there.", d->shop);
	cli_log("device added", LOG_S("shop", d->shop),
		LOG_N("device", (int64_t)id));
	explicit_bzero(token, sizeof(token));
	return 0;
}

static int add_device(struct cli_session *s, const struct device *d)
{
	char token[TOKEN_SIZE], code[TOKEN_SIZE];
	uint64_t id = 0;
	struct err e;
	enum rc rc = make_device(s, d, token, code, &id, &e);

	if (rc)
		return cli_failed(s, rc, &e);
	buf_fmt(&s->out, "%s\n%s/login#%s\n", token,
		s->config->server.public_url, code);
	cli_flush(s);
	fflush(stdout);
	if (s->args->value[OPT_QR])
		show_qr(s, code);
	cli_say("Device %" PRIu64 " (%s) may now act for %s.", id, d->name,
		config_shop(s->config, d->shop)->name);
	fputs("The first line is its token, for a till that calls the API; "
		"it is not shown again.\n"
		"The second is a link that signs a browser in: open it on the "
		"device within 15 minutes;\nit works once.\n",
		stderr);
	cli_log("device added", LOG_S("shop", d->shop),
		LOG_N("device", (int64_t)id));
	explicit_bzero(token, sizeof(token));
	explicit_bzero(code, sizeof(code));
	return 0;
}

static int device_add(struct cli_args *a)
{
	const char *shop = a->value[OPT_SHOP], *name = a->value[OPT_NAME];
	struct cli_session s;
	struct device d = {0};
	int code;

	if (!shop || !name)
		return cli_usage(a, "add needs --shop NAME and --name LABEL");
	if (a->value[OPT_ORDER_API] && a->value[OPT_QR])
		return cli_usage(a, "a key of --order-api has no link, and so "
				    "no --qr");
	if (a->n_words > 1)
		return cli_usage(a, "'%s' is one word too many; a LABEL of "
				    "several words needs quotes",
				 a->words[1]);
	if (!*name || !copy_text(d.name, sizeof(d.name), name) ||
	    !text_is_utf8(name))
		return cli_usage(a, "a LABEL is 1 to %d bytes of UTF-8",
				 LABEL_SIZE - 1);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code && (!config_shop(s.config, shop) ||
		      !copy_text(d.shop, sizeof(d.shop), shop)))
		code = no_such_shop(&s, shop);
	d.created = s.now;
	d.kind = a->value[OPT_ORDER_API] ? DEVICE_ORDER_API : DEVICE_STAFF;
	if (!code)
		code = d.kind == DEVICE_ORDER_API ? add_key(&s, &d)
						  : add_device(&s, &d);
	return cli_close(&s, code);
}

/* ---- list ---- */

static const char *state_of(const struct device *d)
{
	if (d->removed)
		return "removed";
	return d->suspended ? "suspended" : "active";
}

static void device_as_json(struct buf *b, const struct device *d)
{
	json_begin(b, NULL);
	json_put_uint(b, "id", d->id);
	json_put(b, "shop", d->shop);
	json_put(b, "name", d->name);
	json_put_time(b, "created", d->created, 0, true);
	json_put_bool(b, "removed", d->removed);
	json_put_bool(b, "suspended", d->suspended);
	json_put(b, "state", state_of(d));
	json_put(b, "kind", device_kind_name(d->kind));
	json_put_time(b, "used", d->used ? d->used : TIME_NONE, 0, true);
	cli_json_end(b);
}

static bool print_device(void *arg, const struct device *d)
{
	struct cli_session *s = arg;
	const char *shop = s->args->value[OPT_SHOP];
	char iso[TIME_ISO_SIZE];

	if (shop && strcmp(shop, d->shop) != 0)
		return true;
	if (s->json) {
		device_as_json(&s->out, d);
		return true;
	}
	buf_fmt(&s->out, "%6" PRIu64 "  %-20s  %-9s  ", d->id,
		time_iso(iso, d->created, 0, false), state_of(d));
	cli_text(&s->out, d->shop);
	buf_str(&s->out, "  ");
	cli_text(&s->out, d->name);
	if (d->kind == DEVICE_ORDER_API)
		buf_fmt(&s->out, "  (order-api, %s%s)",
			d->used ? "last used " : "never used",
			d->used ? time_iso(iso, d->used, 0, false) : "");
	buf_char(&s->out, '\n');
	return true;
}

static int device_list(struct cli_args *a)
{
	struct cli_session s;
	struct err e;
	int code = cli_open(&s, a, CLI_NO_SECRETS);
	enum rc rc;

	if (!code) {
		if (!s.json)
			buf_str(&s.out, "    ID  CREATED               "
					"STATE      SHOP  NAME\n");
		rc = store_devices(s.store, print_device, &s, &e);
		rc = cli_left_out(&s, rc, &e);
		if (rc)
			code = cli_failed(&s, rc, &e);
	}
	return cli_close(&s, code);
}

/* ---- remove ---- */

/* Finds a device by its id.  A `fn` of store_devices(). */
static bool find_device(void *arg, const struct device *d)
{
	struct device *wanted = arg;

	if (d->id != wanted->id)
		return true;
	*wanted = *d;
	return false;
}

/* Logs what was done to a device, with the device's shop. */
static void log_device(struct cli_session *s, uint64_t id, const char *msg)
{
	struct device d = {.id = id};
	struct err e;

	/* If the device cannot be read, the log names its id alone. */
	(void)!store_devices(s->store, find_device, &d, &e);
	cli_log(msg, LOG_S("shop", *d.shop ? d.shop : NULL),
		LOG_N("device", (int64_t)id));
}

static void device_removed(struct cli_session *s, int64_t id)
{
	log_device(s, (uint64_t)id, LOG_MSG("device removed"));
	fprintf(stderr, "Device %" PRId64 " may do nothing any more.\n", id);
}

static int device_remove(struct cli_args *a)
{
	struct cli_session s;
	struct err e;
	int64_t id;
	enum rc rc;
	int code;

	if (a->n_words != 2 || !number_read(a->words[1], 1, INT64_MAX, &id))
		return cli_usage(a, "remove needs the ID of one device, as "
				    "`device list` shows it");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code) {
		rc = store_device_remove(s.store, (uint64_t)id, s.now, &e);
		if (rc)
			code = cli_failed(&s, rc, &e);
		else
			device_removed(&s, id);
	}
	return cli_close(&s, code);
}

/* ---- readmit ---- */

static int readmit_all(struct cli_session *s)
{
	size_t n;
	struct err e;
	enum rc rc = store_devices_readmit(s->store, &n, &e);

	if (rc)
		return cli_failed(s, rc, &e);
	cli_log("devices readmitted", LOG_N("devices", (int64_t)n));
	if (s->json)
		cli_json_count(&s->out, "readmitted", n);
	fprintf(stderr, "%zu device%s may act again.\n", n, n == 1 ? "" : "s");
	return 0;
}

static int readmit_one(struct cli_session *s, uint64_t id)
{
	struct err e;
	enum rc rc = store_device_readmit(s->store, id, &e);

	if (rc == RC_EXISTS) {
		cli_say("shipfrom device: %s", e.text);
		return EXIT_NOTHING;
	}
	if (rc)
		return cli_failed(s, rc, &e);
	log_device(s, id, LOG_MSG("device readmitted"));
	if (s->json)
		cli_json_count(&s->out, "readmitted", 1);
	fprintf(stderr, "Device %" PRIu64 " may act again.\n", id);
	return 0;
}

static int device_readmit(struct cli_args *a)
{
	bool all = a->value[OPT_ALL];
	struct cli_session s;
	int64_t id = 0;
	int code;

	if (all ? a->n_words != 1
		: a->n_words != 2 ||
			    !number_read(a->words[1], 1, INT64_MAX, &id))
		return cli_usage(a, "readmit needs the ID of one device, as "
				    "`device list` shows it, or --all");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = all ? readmit_all(&s) : readmit_one(&s, (uint64_t)id);
	return cli_close(&s, code);
}

int cli_device(struct cli_args *a)
{
	const char *word = a->n_words ? a->words[0] : "";

	if (!strcmp(word, "add"))
		return device_add(a);
	if (!strcmp(word, "list"))
		return device_list(a);
	if (!strcmp(word, "remove"))
		return device_remove(a);
	if (!strcmp(word, "readmit"))
		return device_readmit(a);
	return cli_usage(a, *word ? "'%s' is neither add, list, remove nor "
				    "readmit"
				  : "add, list, remove or readmit?%s",
			 word);
}
