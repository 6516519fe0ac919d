/* SPDX-License-Identifier: MIT
 *
 * queue.c - `tasks`, `redrive`, `replay`: the tasks that wait, and those that
 * were given up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "handlers/handlers.h"
#include "server/cli/cli.h"
#include "base/since.h"
#include "base/text.h"

#define PAGE 500 /* the most tasks in one read of the store */
#define PAGE_BYTES (1 << 20)

/* ---- the journal of a task ---- */

#define ENTRIES_KEPT 8 /* lines of it */

/* The last entries of an order's journal about one task. */
struct task_entries {
	const struct task *task;
	struct {
		int64_t at;
		char what[16];
		char text[400];
	} lines[ENTRIES_KEPT];
	size_t n; /* entries that were added in all; the last ENTRIES_KEPT of them
		   * are kept, in a ring */
};

static bool keep_line(void *arg, const struct entry *n)
{
	struct task_entries *h = arg;
	size_t at = h->n % ENTRIES_KEPT;
	const char *about = entry_about(n);
	struct buf words;

	if (n->at < h->task->created ||
	    (n->warehouse && h->task->sub && n->warehouse != h->task->sub) ||
	    (strcmp(about, "call") != 0 && strcmp(about, "task") != 0))
		return true;
	buf_init(&words, 3 * ORDER_TEXT_MAX);
	entry_words(&words, n, OFFICE, NULL);
	h->lines[at].at = n->at;
	snprintf(h->lines[at].what, sizeof(h->lines[at].what), "%s", about);
	snprintf(h->lines[at].text, sizeof(h->lines[at].text), "%s",
		 words.data ? words.data : "");
	buf_release(&words);
	text_trim(h->lines[at].text);
	h->n++;
	return true;
}

static void print_entries(struct cli_session *s, const struct task_entries *h)
{
	size_t from = h->n > ENTRIES_KEPT ? h->n - ENTRIES_KEPT : 0;

	for (size_t i = from; i < h->n; i++) {
		const char *text = h->lines[i % ENTRIES_KEPT].text;
		int64_t at = h->lines[i % ENTRIES_KEPT].at;

		if (s->json) {
			json_begin(&s->out, NULL);
			json_put(&s->out, "what", h->lines[i % ENTRIES_KEPT].what);
			json_put_time(&s->out, "at", at, 0, true);
			json_put(&s->out, "text", text);
			json_end(&s->out);
		} else {
			buf_str(&s->out, "          ");
			cli_time(&s->out, s->config, h->task->instance, at,
				 false);
			buf_str(&s->out, "  ");
			cli_text(&s->out, text);
			buf_char(&s->out, '\n');
		}
	}
}

/* ---- tasks ---- */

struct listing {
	struct cli_session *s;
	bool dead;     /* only dead tasks, each with the end of its journal */
	uint64_t next; /* the id at which the next read begins; 0: there are no
		        * more */
	unsigned seen; /* in this page */
	size_t all;
	struct task *page; /* owned, and so is what each task owns: dead tasks,
			    * whose journals are read after the page */
	size_t n_page;
};

static void task_as_json(struct buf *b, const struct task *t)
{
	json_begin(b, NULL);
	json_put_uint(b, "id", t->id);
	json_put(b, "kind", t->kind);
	json_put(b, "instance", t->instance);
	json_put_int(b, "order", t->number);
	json_put_int(b, "sub", t->sub);
	json_put_time(b, "created", t->created, 0, true);
	json_put_time(b, "due", t->due, 0, true);
	json_put_uint(b, "attempts", t->attempts);
	json_put_bool(b, "dead", t->dead);
	json_put(b, "reason", t->reason);
}

static void print_task(struct cli_session *s, const struct task *t)
{
	struct buf *b = &s->out;
	char order[INSTANCE_SIZE + 24];

	if (s->json) {
		task_as_json(b, t);
		return;
	}
	if (t->number)
		snprintf(order, sizeof(order), "%s/%" PRId64, t->instance,
			 t->number);
	else /* the task is not about an order, but about the instance */
		snprintf(order, sizeof(order), "%s", t->instance);
	buf_fmt(b, "%8" PRIu64 "  %-12s  %-14s  ", t->id, t->kind, order);
	if (t->dead)
		buf_fmt(b, "%-19s", "dead");
	else
		cli_time(b, s->config, t->instance, t->due, false);
	buf_fmt(b, "  %5u  ", t->attempts);
	cli_text(b, t->reason ? t->reason : "");
	buf_char(b, '\n');
}

/* Handles a task inside the store's read: prints a waiting one; keeps a dead
 * one until its journal can be read. */
static bool take_task(void *arg, const struct task *t)
{
	struct listing *l = arg;
	struct task *copy;

	if (l->seen++ >= PAGE || l->s->out.len > PAGE_BYTES) {
		l->next = t->id;
		return false;
	}
	l->all++;
	if (!l->dead) {
		print_task(l->s, t);
		if (l->s->json)
			cli_json_end(&l->s->out);
		return true;
	}
	l->page = xrealloc(l->page, l->n_page + 1, sizeof(*l->page));
	copy = &l->page[l->n_page++];
	*copy = *t;
	copy->reason = xstrdup(t->reason);
	return true;
}

static enum rc print_dead(struct listing *l, const struct task *t,
			  struct err *e)
{
	struct task_entries h = {.task = t};
	enum rc rc = store_journal(l->s->store, t->instance, t->number,
				   keep_line, &h, e);

	rc = cli_left_out(l->s, rc, e);
	if (rc)
		return rc;
	print_task(l->s, t);
	if (l->s->json)
		json_begin_list(&l->s->out, "history");
	print_entries(l->s, &h);
	if (l->s->json) {
		json_end_list(&l->s->out);
		cli_json_end(&l->s->out);
	}
	return OK;
}

static enum rc print_page(struct listing *l, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < l->n_page; i++) {
		if (!rc)
			rc = print_dead(l, &l->page[i], e);
		task_release(&l->page[i]);
	}
	free(l->page);
	l->page = NULL;
	l->n_page = 0;
	return rc;
}

static int list_tasks(struct cli_session *s)
{
	struct listing l = {.s = s, .dead = s->args->value[OPT_DEAD]};
	uint64_t from = 0;
	struct err e;
	enum rc rc;

	if (!l.s->json)
		buf_str(&l.s->out, "      ID  KIND          ORDER           "
				    "DUE                  TRIES  WHY NOT DONE "
				    "YET\n");
	do {
		l.next = 0;
		l.seen = 0;
		rc = store_tasks(l.s->store, l.dead, from, take_task, &l,
				 &e);
		rc = cli_left_out(l.s, rc, &e);
		if (!rc)
			rc = print_page(&l, &e);
		cli_flush(l.s);
		from = l.next;
	} while (!rc && l.next);
	if (rc)
		return cli_failed(l.s, rc, &e);
	if (!l.all)
		fprintf(stderr, l.dead ? "No task was given up.\n"
				     : "No task waits.\n");
	return 0;
}

int cli_tasks(struct cli_args *a)
{
	return cli_run(a, cli_open, CLI_NO_SECRETS, list_tasks);
}

/* ---- redrive ---- */

#define AT_ONCE 100 /* tasks or events of one sync: a busy server waits for it */
#define TELL_EVERY 10000 /* tasks or events until the next line of progress */

/* The tasks that are to run again, page by page. */
struct redriving {
	const char *kind; /* NULL: of any */
	int64_t now;
	uint64_t next; /* the id at which the next read begins; 0: there are no
		        * more */
	unsigned seen; /* in this page */
	struct redrive list[PAGE]; /* of this page */
	size_t n;
};

/* Keeps the id of a task that is dead, or has failed and waits for its next
 * try. */
static bool keep_id(void *arg, const struct task *t)
{
	struct redriving *r = arg;

	if (r->seen++ == PAGE) {
		r->next = t->id;
		return false;
	}
	if ((!r->kind || !strcmp(r->kind, t->kind)) &&
	    (t->dead || (t->attempts && t->due > r->now)))
		r->list[r->n++] = (struct redrive){.id = t->id};
	return true;
}

static void print_count(struct cli_session *s, const char *name, size_t n)
{
	if (s->json)
		cli_json_count(&s->out, name, n);
	else
		buf_fmt(&s->out, "%zu\n", n);
}

/* Says how far a long command is, from time to time. */
static void tell_progress(size_t before, size_t done)
{
	if (before / TELL_EVERY != done / TELL_EVERY)
		fprintf(stderr, "%zu so far\n", done);
}

static enum rc redrive_page(struct cli_session *s, struct redriving *r,
			    size_t *done, struct err *e)
{
	enum rc rc = OK;

	for (size_t at = 0, n; !rc && at < r->n; at += n) {
		n = r->n - at < AT_ONCE ? r->n - at : AT_ONCE;
		store_redrive_all(s->store, r->list + at, n, s->now);
		for (size_t i = at; i < at + n && !rc; i++) {
			struct redrive *one = &r->list[i];

			*done += one->rc == OK;
			/* RC_NOTFOUND, RC_CONFLICT: another command or the
			 * server was faster. */
			if (one->rc != RC_NOTFOUND && one->rc != RC_CONFLICT)
				rc = cli_left_out(s, one->rc, &one->e);
			if (rc)
				*e = one->e;
		}
	}
	return rc;
}

static int redrive_all(struct cli_session *s, const char *kind)
{
	struct redriving *r = xcalloc(1, sizeof(*r));
	size_t done = 0, before;
	struct err e;
	enum rc rc;

	*r = (struct redriving){.kind = kind, .now = s->now, .next = 1};
	do {
		uint64_t from = r->next;

		r->next = r->n = r->seen = 0;
		before = done;
		rc = store_tasks(s->store, false, from, keep_id, r, &e);
		rc = cli_left_out(s, rc, &e);
		if (!rc)
			rc = redrive_page(s, r, &done, &e);
		tell_progress(before, done);
	} while (!rc && r->next);
	free(r);
	print_count(s, "redriven", done);
	cli_log("tasks redriven", LOG_N("tasks", (int64_t)done),
		LOG_S("kind", kind));
	fprintf(stderr, "%zu task%s will run again.\n", done,
		done == 1 ? "" : "s");
	if (!rc)
		rc = store_wake(s->store, &e);
	return rc ? cli_failed(s, rc, &e) : 0;
}

static int redrive_one(struct cli_session *s, uint64_t id)
{
	bool due;
	struct err e;
	enum rc rc = store_redrive(s->store, id, s->now, &e);

	if (rc == RC_NOTFOUND) {
		fprintf(stderr,
			"shipfrom redrive: no task %" PRIu64
			"; `shipfrom tasks` lists them\n",
			id);
		return EXIT_NOTHING;
	}
	due = rc == RC_CONFLICT;
	if (!rc || due)
		rc = store_wake(s->store, &e);
	if (rc)
		return cli_failed(s, rc, &e);
	if (s->json)
		print_count(s, "redriven", 1);
	cli_log("task redriven", LOG_N("task", (int64_t)id));
	fprintf(stderr,
		due ? "Task %" PRIu64 " is due already: it runs as soon as its "
		      "API may be called, which is tried at once.\n"
		    : "Task %" PRIu64 " will run again.\n",
		id);
	return 0;
}

int cli_redrive(struct cli_args *a)
{
	const char *kind = a->value[OPT_KIND];
	struct cli_session s;
	int64_t id = 0;
	int code;

	if (a->n_words + !!a->value[OPT_ALL] + !!kind != 1)
		return cli_usage(a, "say either one ID, --all, or --kind KIND");
	if (a->n_words && !number_read(a->words[0], 1, INT64_MAX, &id))
		return cli_usage(a, "'%s' is no task's ID", a->words[0]);
	if (kind && !handler_find(kind))
		return cli_usage(a, "'%s' is no kind of task", kind);
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = id ? redrive_one(&s, (uint64_t)id)
			  : redrive_all(&s, kind);
	return cli_close(&s, code);
}

/* ---- replay ---- */

static int replay(struct cli_session *s, uint64_t seq)
{
	struct event ev = {0};
	const char *kind;
	struct err e;
	enum rc rc = store_event(s->store, seq, &ev, &e);
	int code = 0;

	if (rc == RC_NOTFOUND) {
		fprintf(stderr,
			"shipfrom replay: no event %" PRIu64
			": it was removed by its age (keep_events), or never "
			"came; `shipfrom events` lists them\n",
			seq);
		return EXIT_NOTHING;
	}
	if (rc)
		return cli_failed(s, rc, &e);
	kind = handler_of_event(ev.type, ev.action);
	if (!kind) {
		cli_say("shipfrom replay: nothing is done about events %s %s; "
			"they are kept and counted",
			ev.type, ev.action);
		code = EX_DATAERR;
	} else {
		rc = store_replay(s->store, seq, kind, s->now, &e);
		if (rc)
			code = cli_failed(s, rc, &e);
		else
			cli_say("Event %" PRIu64 " (%s %s, order %s/%" PRId64
				") will be applied again.",
				seq, ev.type, ev.action, ev.instance, ev.id);
		if (!rc)
			cli_log("event replayed", LOG_S("instance",
							ev.instance),
				LOG_N("order", ev.id),
				LOG_N("seq", (int64_t)seq));
		if (!rc && s->json)
			print_count(s, "replayed", 1);
	}
	event_release(&ev);
	return code;
}

/* Events that were received at `since` or later and that have a handler, page by
 * page. */
struct replaying {
	int64_t since;
	uint64_t last; /* the newest event when the command began */
	uint64_t next; /* the seq at which the next read begins; 0: there are no
		        * more */
	unsigned seen; /* in this page */
	struct replay list[PAGE]; /* of this page */
	size_t n;
};

static bool keep_event(void *arg, const struct event *ev)
{
	struct replaying *r = arg;
	const char *kind = handler_of_event(ev->type, ev->action);

	if (ev->seq > r->last)
		return false;
	if (r->seen++ == PAGE) {
		r->next = ev->seq;
		return false;
	}
	if (kind && ev->received >= r->since)
		r->list[r->n++] = (struct replay){.seq = ev->seq, .kind = kind};
	return true;
}

static enum rc replay_page(struct cli_session *s, struct replaying *r,
			   size_t *done, struct err *e)
{
	enum rc rc = OK;

	for (size_t at = 0, n; !rc && at < r->n; at += n) {
		n = r->n - at < AT_ONCE ? r->n - at : AT_ONCE;
		store_replay_all(s->store, r->list + at, n, s->now);
		for (size_t i = at; i < at + n && !rc; i++) {
			struct replay *one = &r->list[i];

			*done += one->rc == OK;
			/* RC_NOTFOUND: the event was removed meanwhile. */
			if (one->rc != RC_NOTFOUND)
				rc = cli_left_out(s, one->rc, &one->e);
			if (rc)
				*e = one->e;
		}
	}
	return rc;
}

static int replay_since(struct cli_session *s, int64_t since)
{
	struct replaying *r = xcalloc(1, sizeof(*r));
	size_t done = 0, before;
	struct err e;
	enum rc rc;

	*r = (struct replaying){.since = since, .next = 1};
	rc = cli_newest_event(s->store, &r->last, &e);
	while (!rc && r->next) {
		uint64_t from = r->next;

		r->next = r->n = r->seen = 0;
		before = done;
		rc = store_events(s->store, from, keep_event, r, &e);
		rc = cli_left_out(s, rc, &e);
		if (!rc)
			rc = replay_page(s, r, &done, &e);
		tell_progress(before, done);
	}
	free(r);
	print_count(s, "replayed", done);
	cli_log("events replayed", LOG_N("events", (int64_t)done));
	fprintf(stderr, "%zu event%s will be applied again.\n", done,
		done == 1 ? "" : "s");
	return rc ? cli_failed(s, rc, &e) : 0;
}

int cli_replay(struct cli_args *a)
{
	const char *since = a->value[OPT_SINCE];
	int64_t seq = 0, from = 0;
	struct cli_session s;
	int code;

	if (since && a->n_words)
		return cli_usage(a, "either one SEQ or --since TIME");
	if (since && !since_read(since, NULL, time_now(), &from))
		return cli_usage(a, "--since %s", SINCE_WANT);
	if (!since &&
	    (a->n_words != 1 || !number_read(a->words[0], 1, INT64_MAX, &seq)))
		return cli_usage(a, "of which event? its SEQ, as "
				    "`shipfrom events` shows it");
	code = cli_open(&s, a, CLI_NO_SECRETS);
	if (!code)
		code = since ? replay_since(&s, from)
			     : replay(&s, (uint64_t)seq);
	return cli_close(&s, code);
}
