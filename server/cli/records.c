/* SPDX-License-Identifier: MIT
 *
 * records.c - `records`: what is kept beside the orders (store/model/doc.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "server/cli/cli.h"

#define PAGE 500 /* the most records in one read of the store */

/* ---- how many there are ---- */

static bool print_count(void *arg, const struct doc_count *c)
{
	struct cli_session *s = arg;
	struct buf *b = &s->out;

	if (s->json) {
		json_begin(b, NULL);
		json_put(b, "kind", c->kind);
		json_put(b, "instance", c->instance);
		json_put(b, "list", c->list);
		json_put_uint(b, "records", c->docs);
		cli_json_end(b);
		return true;
	}
	buf_fmt(b, "%-16s  %-12s  %10" PRIu64 "  ", c->kind, c->instance,
		c->docs);
	cli_text(b, *c->list ? c->list : "-");
	buf_char(b, '\n');
	return true;
}

static int count_records(struct cli_session *s)
{
	struct err e;
	enum rc rc;

	if (!s->json)
		buf_str(&s->out, "KIND              INSTANCE         RECORDS  "
				 "LIST\n");
	rc = cli_left_out(s, store_doc_counts(s->store, NULL, print_count, s,
					      &e),
			  &e);
	return rc ? cli_failed(s, rc, &e) : 0;
}

/* ---- those of one kind ---- */

struct page {
	struct cli_session *s;
	unsigned seen;
	struct doc next; /* where the next page begins; rev 0: nowhere */
	size_t all;
};

static void print_as_json(struct buf *b, const struct doc *d)
{
	json_begin(b, NULL);
	json_put(b, "kind", d->kind);
	json_put(b, "instance", d->instance);
	json_put(b, "key", d->key);
	json_put_uint(b, "rev", d->rev);
	json_put(b, "list", d->list);
	json_put_int(b, "at", d->at);
	json_put_time(b, "updated", d->updated, 0, true);
	json_key(b, "body");
	buf_json_value(b, d->text);
	cli_json_end(b);
}

static bool print_record(void *arg, const struct doc *d)
{
	struct page *p = arg;
	struct buf *b = &p->s->out;

	if (p->seen++ == PAGE) {
		p->next = *d;
		p->next.text = NULL;
		return false;
	}
	p->all++;
	if (p->s->json) {
		print_as_json(b, d);
		return true;
	}
	cli_time(b, p->s->config, d->instance, d->updated, false);
	buf_fmt(b, "  %-10s  ", d->instance);
	cli_text(b, *d->list ? d->list : "-");
	buf_str(b, "  ");
	cli_text(b, d->key);
	buf_str(b, "  ");
	buf_visible(b, d->text);
	buf_char(b, '\n');
	return true;
}

static enum rc print_page(struct page *p, const char *kind,
			  const char *instance, const char *from,
			  struct err *e)
{
	enum rc rc;

	p->seen = 0;
	p->next.rev = 0;
	rc = cli_left_out(p->s,
			  store_docs(p->s->store, kind, instance, from,
				     print_record, p, e),
			  e);
	cli_flush(p->s);
	return rc;
}

/* Prints the records of a kind of one instance, page by page. */
static enum rc print_instance(struct page *p, const char *kind,
			      const char *instance, struct err *e)
{
	char from[DOC_KEY_SIZE] = "";
	enum rc rc;

	do {
		rc = print_page(p, kind, instance, from, e);
		memcpy(from, p->next.key, sizeof(from));
	} while (!rc && p->next.rev);
	return rc;
}

/* The instances that have records of a kind. */
struct instances {
	char (*list)[INSTANCE_SIZE]; /* owned */
	size_t n;
};

static bool keep_instance(void *arg, const struct doc_count *c)
{
	struct instances *in = arg;

	if (in->n && !strcmp(in->list[in->n - 1], c->instance))
		return true;
	in->list = xrealloc(in->list, in->n + 1, sizeof(*in->list));
	memcpy(in->list[in->n++], c->instance, INSTANCE_SIZE);
	return true;
}

static int list_records(struct cli_session *s, const char *kind)
{
	struct page p = {.s = s};
	struct instances in = {0};
	struct err e;
	enum rc rc = cli_left_out(
		s, store_doc_counts(s->store, kind, keep_instance, &in, &e),
		&e);

	if (!s->json)
		buf_str(&s->out, "UPDATED              INSTANCE    LIST  KEY  "
				 "BODY\n");
	for (size_t i = 0; !rc && i < in.n; i++)
		rc = print_instance(&p, kind, in.list[i], &e);
	free(in.list);
	if (rc)
		return cli_failed(s, rc, &e);
	if (!p.all)
		fprintf(stderr, "There is none.\n");
	return 0;
}

/* Prints a record, as INSTANCE/KEY names it. */
static int print_one(struct cli_session *s, const char *kind, const char *word)
{
	const char *slash = strchr(word, '/');
	struct page p = {.s = s};
	char *instance;
	struct doc d = {0};
	struct err e;
	enum rc rc;

	instance = xstrndup(word, (size_t)(slash - word));
	rc = store_doc(s->store, kind, instance, slash + 1, &d, &e);
	free(instance);
	if (!rc)
		print_record(&p, &d);
	doc_release(&d);
	return rc ? cli_failed(s, rc, &e) : 0;
}

static bool is_kind(const char *word)
{
	for (size_t i = 0; i < n_doc_kinds; i++)
		if (!strcmp(doc_kinds[i].name, word))
			return true;
	return false;
}

int cli_records(struct cli_args *a)
{
	struct cli_session s;
	int code;

	if (a->n_words > 2)
		return cli_usage(a, "too many words");
	if (a->n_words && !is_kind(a->words[0]))
		return cli_usage(a, "'%s' is no kind of record", a->words[0]);
	if (a->n_words == 2 && !strchr(a->words[1], '/'))
		return cli_usage(a, "'%s' is no INSTANCE/KEY", a->words[1]);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = !a->n_words	? count_records(&s)
		       : a->n_words < 2 ? list_records(&s, a->words[0])
					: print_one(&s, a->words[0],
						    a->words[1]);
	return cli_close(&s, code);
}
