/* SPDX-License-Identifier: MIT
 *
 * quarantine.c - `quarantine`: lists, shows, drops and retries what could not
 * be read or was not trusted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "centra/signature.h"
#include "server/cli/cli.h"
#include "server/cli/admin.h"
#include "server/webhook/delivery.h"

#define PAGE 500 /* the most entries in one read of the store */
#define PAGE_BYTES (1 << 20)

struct listing {
	struct cli_session *s;
	uint64_t next; /* the seq at which the next read begins; 0: there are no
		        * more */
	unsigned seen; /* in this page */
	size_t all;
};

/* ---- looking ---- */


static void quarantined_as_json(struct buf *b, const struct quarantined *q,
				bool bytes)
{
	json_begin(b, NULL);
	json_put_uint(b, "seq", q->seq);
	json_put(b, "instance", q->instance);
	json_put_time(b, "received", q->received, 0, true);
	json_put(b, "kind", quarantine_kind_name(q->kind));
	json_put(b, "reason", q->reason);
	json_put_uint(b, "length", q->len);
	if (bytes) {
		json_put(b, "signature", q->header);
		json_put(b, "bytes", q->bytes ? q->bytes : "");
	}
	cli_json_end(b);
}

static bool print_quarantined(void *arg, const struct quarantined *q)
{
	struct listing *l = arg;
	struct buf *b = &l->s->out;

	if (l->seen++ >= PAGE || b->len > PAGE_BYTES) {
		l->next = q->seq;
		return false;
	}
	l->all++;
	if (l->s->json) {
		quarantined_as_json(b, q, false);
		return true;
	}
	buf_fmt(b, "%8" PRIu64 "  ", q->seq);
	cli_time(b, l->s->config, q->instance, q->received, false);
	buf_fmt(b, "  %-10s  %-7s  %8zu  ", q->instance,
		quarantine_kind_name(q->kind), q->len);
	cli_text(b, q->reason);
	buf_char(b, '\n');
	return true;
}

static int list_quarantine(struct cli_session *s)
{
	struct listing l = {.s = s};
	uint64_t from = 0;
	struct err e;
	enum rc rc;

	if (!s->json)
		buf_str(&s->out, "     SEQ  RECEIVED             INSTANCE    "
				 "KIND        BYTES  WHY\n");
	do {
		l.next = 0;
		l.seen = 0;
		rc = store_quarantine(s->store, from, print_quarantined, &l,
				      &e);
		rc = cli_left_out(s, rc, &e);
		cli_flush(s);
		from = l.next;
	} while (!rc && l.next);
	if (rc)
		return cli_failed(s, rc, &e);
	if (!l.all)
		fprintf(stderr, "Nothing is quarantined.\n");
	return 0;
}

/* Prints the bytes as they were received; on a terminal, without characters
 * that would control it. */
static void add_bytes(struct buf *b, const struct quarantined *q)
{
	size_t i;

	if (!isatty(STDOUT_FILENO)) {
		(void)!buf_add(b, q->bytes, q->len);
		return;
	}
	for (i = 0; i < q->len; i++) {
		unsigned char c = (unsigned char)q->bytes[i];

		buf_char(b, (c < ' ' && c != '\n') || c >= 0x7f ? '.'
								: (char)c);
	}
	buf_char(b, '\n');
}

/* Prints why a quarantined delivery could not be read or dropped; returns the
 * exit code. */
static int failed_of(struct cli_session *s, uint64_t seq, enum rc rc,
		     const struct err *e)
{
	if (rc != RC_NOTFOUND)
		return cli_failed(s, rc, e);
	fprintf(stderr, "shipfrom quarantine: there is no %" PRIu64 "\n", seq);
	return EXIT_NOTHING;
}

static int show_quarantined(struct cli_session *s, uint64_t seq)
{
	struct quarantined q = {0};
	char iso[TIME_ISO_SIZE];
	struct err e;
	enum rc rc = store_quarantine_get(s->store, seq, &q, &e);

	if (rc)
		return failed_of(s, seq, rc, &e);
	if (s->json) {
		quarantined_as_json(&s->out, &q, true);
	} else {
		cli_say("%" PRIu64 " of %s, received %s, %zu bytes", q.seq,
			q.instance, time_iso(iso, q.received, 0, true), q.len);
		cli_say("why: %s", q.reason);
		cli_say("signature: %s", q.header ? q.header : "(one event)");
		cli_say("%s", "");
		add_bytes(&s->out, &q);
	}
	quarantined_release(&q);
	return 0;
}

static int drop_quarantined(struct cli_session *s, uint64_t seq)
{
	struct err e;
	enum rc rc = store_quarantine_drop(s->store, seq, &e);

	if (rc)
		return failed_of(s, seq, rc, &e);
	cli_log("quarantined dropped", LOG_N("seq", (int64_t)seq));
	fprintf(stderr, "%" PRIu64 " is gone for good.\n", seq);
	return 0;
}

/* ---- once more ---- */

/* True if one of our secrets made the signature that is kept with the body.
 * The time in it is not checked: it may be the reason why the body is here, and
 * the operator has seen it. */
static bool signature_is_ours(struct cli_session *s,
			      const struct quarantined *q, struct err *why)
{
	const struct config_instance *in =
		config_instance(s->config, q->instance);
	struct verifier *v = NULL;
	enum verdict verdict;
	int secret;

	if (!in) {
		(void)fail(why, OK, "there is no [centra %s] in the config",
			   q->instance);
		return false;
	}
	if (verifier_open(&v,
			  (const char *const[2]){in->webhook_secret,
						 in->previous_webhook_secret},
			  why))
		return false;
	verdict = verifier_check(v, q->header, q->bytes, q->len, q->received,
				 in->webhook_tolerance, &secret);
	verifier_close(v);
	if (verdict == VERDICT_GENUINE || verdict == VERDICT_STALE)
		return true;
	(void)fail(why, OK, "no secret of the config signed it");
	return false;
}

/* Reads an entry again, and records its events in its place. */
static enum rc record_again(struct cli_session *s, const struct quarantined *q,
			    struct recorded *ret, struct err *e)
{
	struct delivery d;
	enum rc rc;

	if (q->header && !signature_is_ours(s, q, e))
		return RC_INVALID;
	if (!delivery_again(&d, q, e))
		return RC_INVALID;
	rc = store_record(s->store, &d, ret, NULL, e);
	delivery_release(&d);
	return rc == RC_CONFLICT ? RC_INVALID : rc;
}

static void print_recorded(struct cli_session *s, uint64_t seq,
			   const struct recorded *n)
{
	struct buf *b = &s->out;

	if (!s->json) {
		buf_fmt(b, "%" PRIu64 ": %u new, %u known, %u quarantined\n",
			seq, n->fresh, n->duplicates, n->quarantined);
		return;
	}
	json_begin(b, NULL);
	json_put_uint(b, "seq", seq);
	json_put_uint(b, "new", n->fresh);
	json_put_uint(b, "duplicates", n->duplicates);
	json_put_uint(b, "quarantined", n->quarantined);
	cli_json_end(b);
}

/* Retries one entry.  RC_INVALID: the entry stays, and the reason was
 * printed. */
static enum rc retry_one(struct cli_session *s, uint64_t seq, struct err *e)
{
	struct quarantined q = {0};
	struct recorded n = {0};
	enum rc rc = store_quarantine_get(s->store, seq, &q, e);

	if (rc)
		return rc;
	rc = record_again(s, &q, &n, e);
	if (!rc)
		cli_log("quarantined recorded", LOG_S("instance", q.instance),
			LOG_N("seq", (int64_t)seq),
			LOG_N("new", (int64_t)n.fresh),
			LOG_N("duplicates", (int64_t)n.duplicates),
			LOG_N("quarantined", (int64_t)n.quarantined));
	if (!rc)
		print_recorded(s, seq, &n);
	else if (rc == RC_INVALID)
		cli_say("%" PRIu64 " stays: %s", seq, e->text);
	quarantined_release(&q);
	return rc;
}

struct seqs {
	uint64_t *list; /* owned */
	size_t n;
};

static bool keep_seq(void *arg, const struct quarantined *q)
{
	struct seqs *l = arg;

	l->list = xrealloc(l->list, l->n + 1, sizeof(*l->list));
	l->list[l->n++] = q->seq;
	return true;
}

/* Retries all entries.  Each is a write of its own, so that a busy server is
 * never held up for long. */
static int retry_all(struct cli_session *s)
{
	struct seqs l = {0};
	size_t done = 0;
	struct err e;
	enum rc rc = store_quarantine(s->store, 0, keep_seq, &l, &e);

	rc = cli_left_out(s, rc, &e);
	for (size_t i = 0; !rc && i < l.n; i++) {
		rc = retry_one(s, l.list[i], &e);
		done += rc == OK;
		if (rc == RC_INVALID || rc == RC_NOTFOUND)
			rc = OK; /* the entry cannot be read still, or another
				  * command was faster */
	}
	fprintf(stderr, "%zu of %zu recorded.\n", done, l.n);
	free(l.list);
	return rc ? cli_failed(s, rc, &e) : 0;
}

static int retry_quarantined(struct cli_session *s, uint64_t seq)
{
	struct err e;
	enum rc rc;

	if (!seq)
		return retry_all(s);
	rc = retry_one(s, seq, &e);
	if (rc == RC_INVALID)
		return EX_DATAERR;
	return rc ? cli_failed(s, rc, &e) : 0;
}

/* ---- what the server keeps in memory ---- */

static int64_t number(const struct json *o, const char *name)
{
	int64_t n = 0;

	(void)json_int(json_get(o, name), &n);
	return n;
}

static const char *text(const struct json *o, const char *name)
{
	const char *t = json_text(json_get(o, name));

	return t ? t : "";
}

static void print_refused(struct cli_session *s, const struct json *answer)
{
	const struct json *row;

	buf_str(&s->out, "RECEIVED                  INSTANCE       BYTES  "
			 "PEER\n");
	json_each(row, json_get(answer, "refused"))
	{
		cli_text(&s->out, text(row, "received"));
		buf_fmt(&s->out, "  %-10s  %8" PRId64 "  ",
			text(row, "instance"), number(row, "length"));
		cli_text(&s->out, text(row, "peer"));
		buf_char(&s->out, '\n');
	}
	fprintf(stderr, "%" PRId64 " in the server's memory, %" PRId64
			" bytes.\n",
		number(answer, "count"), number(answer, "bytes"));
}

static void print_retried(struct cli_session *s, const struct json *answer)
{
	buf_fmt(&s->out, "%" PRId64 "\n", number(answer, "genuine"));
	fprintf(stderr,
		"%" PRId64 " verified: %" PRId64 " events new, %" PRId64
		" known, %" PRId64 " quarantined; %" PRId64 " too old or from "
		"the future; %" PRId64 " not stored; %" PRId64 " stay.\n",
		number(answer, "genuine"), number(answer, "new"),
		number(answer, "duplicates"), number(answer, "quarantined"),
		number(answer, "stale"), number(answer, "not_stored"),
		number(answer, "left"));
}

/* Asks the running server for refused deliveries, which only its memory
 * holds. */
static int ask_refused(struct cli_session *s, bool retry)
{
	struct admin_answer a;
	struct err e;
	struct json *json = NULL;
	int code = 0;

	if (cli_admin(s->config, retry ? "POST" : "GET",
		      retry ? "/refused/retry" : "/refused", &a, &e)) {
		cli_say("shipfrom quarantine: %s; what it refused is in its "
			"memory alone",
			e.text);
		return EX_UNAVAILABLE;
	}
	if (a.body.data)
		(void)!json_parse(a.body.data, a.body.len, JSON_STRICT, &json,
				  &e);
	if (a.status != 200 || !json) {
		cli_say("shipfrom quarantine: the server says %d %s", a.status,
			text(json, "detail"));
		code = EX_TEMPFAIL;
	} else if (s->json) {
		buf_str(&s->out, a.body.data);
		buf_char(&s->out, '\n');
	} else if (retry) {
		print_retried(s, json);
	} else {
		print_refused(s, json);
	}
	json_free(json);
	buf_release(&a.body);
	return code;
}

/* ---- the verb ---- */

enum what { LIST, SHOW, RETRY, DROP, WHATS };

static int cli_refused(struct cli_args *a, enum what what)
{
	struct cli_session s;
	int code;

	if ((what != LIST && what != RETRY) || a->n_words > 1 ||
	    a->value[OPT_ALL])
		return cli_usage(a, "--refused goes with list or retry alone: "
				    "what no secret signed is judged together");
	code = cli_open_config(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = ask_refused(&s, what == RETRY);
	return cli_close(&s, code);
}

int cli_quarantine(struct cli_args *a)
{
	static const char *const names[WHATS] = {"list", "show", "retry",
						 "drop"};
	const char *word = a->n_words ? a->words[0] : "list";
	bool all = a->value[OPT_ALL];
	struct cli_session s;
	int64_t seq = 0;
	int what = 0, code;

	while (what < WHATS && strcmp(word, names[what]) != 0)
		what++;
	if (what == WHATS)
		return cli_usage(a, "'%s' is neither list, show, retry nor "
				    "drop", word);
	if (a->value[OPT_REFUSED])
		return cli_refused(a, (enum what)what);
	if (all && (what != RETRY || a->n_words != 1))
		return cli_usage(a, "--all goes with retry, and no SEQ with "
				    "it");
	if (what == LIST && a->n_words > 1)
		return cli_usage(a, "list takes no more words");
	if (what != LIST && !all &&
	    (a->n_words != 2 || !number_read(a->words[1], 1, INT64_MAX, &seq)))
		return cli_usage(a, "%s needs one SEQ, as `quarantine list` "
				    "shows it%s", word,
				 what == RETRY ? ", or --all" : "");
	code = cli_open(&s, a, what == RETRY ? CLI_SECRETS : CLI_NO_SECRETS);
	if (!code && what == LIST)
		code = list_quarantine(&s);
	else if (!code && what == SHOW)
		code = show_quarantined(&s, (uint64_t)seq);
	else if (!code && what == RETRY)
		code = retry_quarantined(&s, (uint64_t)seq);
	else if (!code)
		code = drop_quarantined(&s, (uint64_t)seq);
	return cli_close(&s, code);
}
