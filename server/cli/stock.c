/* SPDX-License-Identifier: MIT
 *
 * stock.c - `stock`: imports counts of a shop's shelf, and shows what became of
 * them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "server/cli/cli.h"
#include "server/shop/stock_file.h"
#include "server/shop/stocktake.h"

/* ---- importing ---- */

/* Reads a file whole; the caller frees *ret.  Returns 0, or the exit code after
 * it has said why. */
static int read_whole(const char *name, char **ret)
{
	FILE *f = fopen(name, "r");
	char *text = NULL;
	size_t n = 0;
	int code = 0;

	if (!f) {
		cli_say("shipfrom stock: '%s': %s", name, strerror(errno));
		return EX_NOINPUT;
	}
	text = xcalloc(1, STOCK_FILE_BYTES + 2);
	n = fread(text, 1, STOCK_FILE_BYTES + 1, f);
	if (ferror(f) || n > STOCK_FILE_BYTES || memchr(text, '\0', n)) {
		cli_say("shipfrom stock: '%s' cannot be read, is larger than "
			"16 MiB, or is no text",
			name);
		code = EX_DATAERR;
		free(text);
		text = NULL;
	}
	fclose(f);
	*ret = text;
	return code;
}

static void tell_mistake(void *arg, unsigned line, const char *what)
{
	cli_say("%s:%u: %s", (const char *)arg, line, what);
}

/* True if the import may set so many items to zero. */
static bool zeros_confirmed(const struct cli_session *s,
			    const struct config_shop *shop,
			    const struct stock_file *f)
{
	int64_t zeros = 0;

	for (size_t i = 0; i < f->n; i++)
		zeros += !f->list[i].quantity;
	if (zeros <= shop->stock_most_to_zero || s->args->value[OPT_CONFIRM])
		return true;
	cli_say("shipfrom stock: %lld items would be set to 0, and at most "
		"%lld may be without --confirm; nothing was stored",
		(long long)zeros, (long long)shop->stock_most_to_zero);
	return false;
}

/* Stores the counts from `from` on, as many as one transaction takes. */
static enum rc store_some(struct cli_session *s,
			  const struct config_shop *shop,
			  const struct stock_file *f, size_t from,
			  size_t ret[2], struct err *e)
{
	size_t n = f->n - from < STOCKTAKE_MAX ? f->n - from : STOCKTAKE_MAX;
	struct stocktake t = {
		.warehouse = shop->warehouses.ids[0],
		.by = "an import",
		.quiet = shop->stock_quiet_hours && *shop->stock_quiet_hours,
		.now = s->now,
		/* Only the server knows whether Centra has confirmed the
		 * clock. */
		.strict = true,
	};
	enum rc rc;

	(void)!copy_text(t.instance, sizeof(t.instance), shop->centra);
	stocktake_init(&t, n);
	memcpy(t.list, f->list + from, n * sizeof(*t.list));
	rc = stocktake_store(s->store, &t, NULL, e);
	ret[0] += rc ? 0 : stocktake_taken(&t, STOCK_TAKEN);
	ret[1] += rc ? 0 : stocktake_taken(&t, STOCK_OLDER);
	stocktake_release(&t);
	return rc;
}

static int import_counts(struct cli_session *s, const struct config_shop *shop,
			 const struct stock_file *f)
{
	size_t taken[2] = {0}, first = 0;
	struct err e;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < f->n; i += STOCKTAKE_MAX) {
		first = i;
		rc = store_some(s, shop, f, i, taken, &e);
	}
	cli_log("stock imported", LOG_S("instance", shop->centra),
		LOG_S("shop", shop->id),
		LOG_N("warehouse", shop->warehouses.ids[0]),
		LOG_N("items", (int64_t)f->n), LOG_N("taken", (int64_t)taken[0]),
		LOG_N("older", (int64_t)taken[1]));
	if (s->json) {
		json_begin(&s->out, NULL);
		json_put_uint(&s->out, "items", f->n);
		json_put_uint(&s->out, "taken", taken[0]);
		json_put_uint(&s->out, "older", taken[1]);
		cli_json_end(&s->out);
	} else {
		buf_fmt(&s->out,
			"%zu counts: %zu are new and will be sent, %zu are "
			"older than one that is known\n",
			f->n, taken[0], taken[1]);
	}
	if (rc == RC_CONFLICT)
		cli_say("shipfrom stock: nothing of the counts from line %u on "
			"was stored: look at this machine's clock; if it is "
			"right, count that item by PUT /api/v1/stock, and "
			"import the file again",
			f->lines[first]);
	return rc ? cli_failed(s, rc, &e) : 0;
}

static int import_file(struct cli_session *s, const struct config_shop *shop,
		       char *name)
{
	struct stock_file f = {0};
	char *text = NULL;
	size_t mistakes;
	int code = read_whole(name, &text);

	if (code)
		return code;
	mistakes = stock_file_read(&f, text, s->now, tell_mistake, name);
	if (mistakes) {
		cli_say("shipfrom stock: %zu mistake%s; nothing was stored",
			mistakes, mistakes == 1 ? "" : "s");
		code = EX_DATAERR;
	} else if (!zeros_confirmed(s, shop, &f)) {
		code = EX_USAGE;
	} else {
		code = import_counts(s, shop, &f);
	}
	stock_file_release(&f);
	return code;
}

/* ---- showing ---- */

static void print_item(struct cli_session *s, const char *instance,
		       const struct stock_item *i)
{
	struct buf *b = &s->out;

	if (s->json) {
		stock_item_json(b, i, true);
		buf_char(b, '\n');
		return;
	}
	cli_time(b, s->config, instance, i->counted_at, false);
	buf_fmt(b, "  %-15s  %8" PRId64 "  %s ", stock_state_name(i->state),
		i->quantity, i->by_sku ? "sku" : "ean");
	cli_text(b, i->code);
	if (i->text) {
		buf_str(b, "  ");
		cli_text(b, i->text);
	}
	buf_char(b, '\n');
}

static void print_history(struct cli_session *s, const char *instance,
			  const struct stock_item *i)
{
	struct buf *b = &s->out;

	for (size_t k = 0; k < i->n_history && !s->json; k++) {
		const struct stock_entry *e = &i->history[k];

		cli_time(b, s->config, instance, e->at, true);
		buf_fmt(b, "  %-15s  %8" PRId64 "  ", e->what, e->quantity);
		if (e->by)
			cli_text(b, e->by);
		if (e->text) {
			buf_char(b, ' ');
			cli_text(b, e->text);
		}
		buf_char(b, '\n');
	}
}

struct listing {
	struct cli_session *s;
	const struct config_shop *shop;
	char prefix[24];
	size_t n;
	char next[DOC_KEY_SIZE];
};

#define PAGE 500

static bool list_item(void *arg, const struct doc *d)
{
	struct listing *l = arg;
	size_t prefix = strlen(l->prefix);
	struct stock_item item;
	struct err e;

	if (strncmp(d->key, l->prefix, prefix) != 0)
		return false;
	if (l->n == PAGE) {
		memcpy(l->next, d->key, sizeof(l->next));
		return false;
	}
	l->n++;
	if (!stock_item_read(&item, d, l->shop->warehouses.ids[0],
			     !strncmp(d->key + prefix, "sku/", 4),
			     d->key + prefix + 4, &e))
		print_item(l->s, l->shop->centra, &item);
	stock_item_release(&item);
	return true;
}

static int list_items(struct cli_session *s, const struct config_shop *shop)
{
	struct listing l = {.s = s, .shop = shop};
	char from[DOC_KEY_SIZE];
	struct err e;
	enum rc rc;

	snprintf(l.prefix, sizeof(l.prefix), "%" PRId64 "/",
		 shop->warehouses.ids[0]);
	snprintf(from, sizeof(from), "%s", l.prefix);
	if (!s->json)
		buf_str(&s->out, "COUNTED              RESULT           "
				 "QUANTITY  ITEM\n");
	do {
		l.n = 0;
		l.next[0] = '\0';
		rc = cli_left_out(s, store_docs(s->store, STOCK_ITEM_KIND,
						shop->centra, from, list_item,
						&l, &e),
				  &e);
		cli_flush(s);
		memcpy(from, l.next, sizeof(from));
	} while (!rc && *l.next);
	return rc ? cli_failed(s, rc, &e) : 0;
}

/* Prints an item whose code is an EAN or a SKU.  RC_NOTFOUND: it is not. */
static enum rc show_as(struct cli_session *s, const struct config_shop *shop,
		       const char *code, bool by_sku, struct err *e)
{
	int64_t warehouse = shop->warehouses.ids[0];
	struct stock_item item = {0};
	char key[DOC_KEY_SIZE];
	struct doc d;
	enum rc rc;

	stock_key(key, warehouse, by_sku, code);
	rc = store_doc(s->store, STOCK_ITEM_KIND, shop->centra, key, &d, e);
	if (!rc)
		rc = stock_item_read(&item, &d, warehouse, by_sku, code, e);
	if (!rc) {
		print_item(s, shop->centra, &item);
		print_history(s, shop->centra, &item);
	}
	stock_item_release(&item);
	doc_release(&d);
	return rc;
}

static int show_item(struct cli_session *s, const struct config_shop *shop,
		     const char *code)
{
	struct err e;
	enum rc rc = show_as(s, shop, code, false, &e), sku;

	sku = show_as(s, shop, code, true, &e);
	if (!rc || !sku)
		return 0;
	if (rc == RC_NOTFOUND && sku == RC_NOTFOUND) {
		cli_say("shipfrom stock: no count of '%s' is known", code);
		return EXIT_NOTHING;
	}
	return cli_failed(s, rc == RC_NOTFOUND ? sku : rc, &e);
}

/* ---- the verb ---- */

static bool has_form(const struct cli_args *a)
{
	if (a->n_words == 1)
		return !strcmp(a->words[0], "list");
	return a->n_words == 2 && (!strcmp(a->words[0], "import") ||
				   !strcmp(a->words[0], "why"));
}

static int run(struct cli_session *s, const struct config_shop *shop)
{
	struct cli_args *a = s->args;

	if (!strcmp(a->words[0], "list"))
		return list_items(s, shop);
	if (!strcmp(a->words[0], "import"))
		return import_file(s, shop, a->words[1]);
	if (!stock_code_ok(a->words[1]))
		return cli_usage(a, "'%s' is no code of an item", a->words[1]);
	return show_item(s, shop, a->words[1]);
}

int cli_stock(struct cli_args *a)
{
	const struct config_shop *shop;
	struct cli_session s;
	int code;

	if (!has_form(a) || !a->value[OPT_SHOP])
		return cli_usage(a, "import FILE, list, or why CODE; and "
				    "--shop NAME");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (code)
		return cli_close(&s, code);
	shop = config_shop(s.config, a->value[OPT_SHOP]);
	if (!shop) {
		cli_say("shipfrom stock: the config has no [shop %s]",
			a->value[OPT_SHOP]);
		return cli_close(&s, EX_USAGE);
	}
	return cli_close(&s, run(&s, shop));
}
