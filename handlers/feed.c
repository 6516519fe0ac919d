/* SPDX-License-Identifier: MIT
 *
 * feed.c - see feed.h.
 */
#include "handlers/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "centra/feed.h"
#include "centra/soap.h"
#include "handlers/missed.h"
#include "handlers/reconcile.h"
#include "handlers/run.h"

#define LISTEN_EVERY ((int64_t)3600 * 1000) /* ms: listeners that somebody
					     * removed are set again */
#define WORD_MAX 24

const char *feed_name(enum feed f)
{
	return f == FEED_SOAP ? "soap" : "graphql";
}

void feed_progress_release(struct feed_progress *p)
{
	free(p->unsure);
	free(p->taken);
	p->unsure = p->taken = NULL;
	p->n_unsure = p->n_taken = 0;
}

static void forget_unsure(struct feed_progress *p)
{
	free(p->unsure);
	p->unsure = NULL;
	p->n_unsure = 0;
}

/* ---- a page of events, whatever the feed ---- */

struct news {
	int64_t id;
	enum feed_object object;
	int64_t reference; /* as the feed names the object */
	int64_t order;	   /* 0: it is not known */
	int64_t created;   /* ms; 0: unknown */
};

struct page {
	struct news *list; /* owned */
	size_t n;
	bool full; /* there may be more */
};

static struct feed_progress *progress_of(struct work *w, enum feed feed)
{
	return &w->feeds->progress[feed];
}

static void page_release(struct page *p)
{
	free(p->list);
	*p = (struct page){0};
}

/* ---- what the events mean ---- */

struct meaning {
	struct task *tasks; /* owned */
	size_t n_tasks;
	struct doc *docs; /* owned */
	size_t n_docs;
	int64_t *suspects; /* owned: orders of which no offer is open here */
	size_t n_suspects;
};

static void meaning_release(struct meaning *m)
{
	for (size_t i = 0; i < m->n_docs; i++)
		doc_release(&m->docs[i]);
	free(m->docs);
	free(m->tasks);
	free(m->suspects);
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Returns the numbers of the page's orders, each once; the caller frees the
 * list. */
static int64_t *orders_of(const struct page *p, size_t *ret_n)
{
	int64_t *list = xcalloc(p->n + 1, sizeof(*list));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].order)
			list[n++] = p->list[i].order;
	qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 0; i < n; i++)
		if (!kept || list[i] != list[kept - 1])
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

static void add_task(struct work *w, struct meaning *m, const char *kind,
		     int64_t number, int64_t due)
{
	struct task *t = &m->tasks[m->n_tasks++];

	*t = (struct task){.number = number, .due = due, .again = TIME_NONE};
	(void)!copy_text(t->kind, sizeof(t->kind), kind);
	memcpy(t->instance, w->task->instance, sizeof(t->instance));
}

/* An order that cannot be read gets a look as well: its task is given up, which
 * an operator sees. */
static enum rc judge_order(struct work *w, int64_t number, struct meaning *m,
			   struct err *e)
{
	struct order o = {0};
	enum rc rc = w->others->order(w, number, &o, e);

	if (rc && rc != RC_NOTFOUND && rc != RC_INVALID)
		return rc;
	if (rc == RC_INVALID || (!rc && o.n_offers))
		add_task(w, m, TASK_FETCH_ORDER, number, w->now);
	if (rc != RC_INVALID && missed_create(&o, w->recover))
		m->suspects[m->n_suspects++] = number;
	order_release(&o);
	return OK;
}

static void add_doc(struct work *w, enum feed feed, const struct news *ev,
		    struct meaning *m)
{
	static const char *const objects[] = {[FEED_ORDER] = "Order",
					      [FEED_SHIPMENT] = "Shipment",
					      [FEED_RETURN] = "Return",
					      [FEED_OTHER] = "other"};
	struct doc *d = &m->docs[m->n_docs++];
	char key[DOC_KEY_SIZE];
	struct err e;
	struct buf b;

	snprintf(key, sizeof(key), "%s/%" PRId64, feed_name(feed), ev->id);
	if (doc_name(d, KIND_FEED_EVENT, w->task->instance, key, &e)) {
		m->n_docs--; /* no kind of document is wrong */
		return;
	}
	(void)!copy_text(d->list, sizeof(d->list), FEED_UNRESOLVED);
	d->at = w->now;
	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put(&b, "feed", feed_name(feed));
	json_put_int(&b, "event", ev->id);
	json_put(&b, "object", objects[ev->object]);
	json_put_int(&b, "reference", ev->reference);
	json_put_time(&b, "created", ev->created ? ev->created : TIME_NONE, 0,
		      false);
	json_end(&b);
	d->text = buf_detach(&b, NULL);
}

/* Has those of n suspects that Centra lists as waiting checked again after
 * `missed_after`.  False: the call failed, and the run is to be repeated. */
static bool ask_which_wait(struct work *w, struct meaning *m,
			   const int64_t *suspects, size_t n, size_t *ret_n,
			   struct call *ret)
{
	struct centra_numbers got = {0};

	graphql_waiting_of(w->centra, suspects, n, &got);
	run_called(w, CENTRA_GRAPHQL, "which wait", &got.call);
	for (size_t i = 0; i < got.n && i < n; i++) {
		if (!bsearch(&got.list[i], suspects, n, sizeof(*suspects),
			     by_number))
			continue;
		add_task(w, m, TASK_MISSED, got.list[i],
			 w->now + w->missed_after);
		++*ret_n;
	}
	*ret = got.call;
	centra_numbers_release(&got);
	return ret->end == CALL_OK;
}

static bool judge_suspects(struct work *w, struct meaning *m, size_t *ret_n,
			   struct call *ret)
{
	size_t some;
	bool ok = true;

	if (!w->missed_after)
		return true;
	for (size_t i = 0; ok && i < m->n_suspects; i += some) {
		some = m->n_suspects - i;
		if (some > FEED_EVENTS_MOST)
			some = FEED_EVENTS_MOST;
		ok = ask_which_wait(w, m, m->suspects + i, some, ret_n, ret);
	}
	return ok;
}

/* ---- the end of a run ---- */

/* Ends the run and has the task run again after `wait`. */
static void again(struct work *w, const char *kind, int64_t wait)
{
	changes_task(&w->result.changes, kind, 0, w->now + wait);
}

/* A feed is read again after its usual wait at the latest, or when its API may
 * be called again. */
static void failed(struct work *w, enum feed feed, const struct call *call,
		   uint32_t why, const char *words)
{
	int64_t wait = run_wait_long(w, call);

	if (wait > w->feeds->every && !(call && call->retry_after))
		wait = w->feeds->every;
	w->feeds->report(w, &(struct feed_report){.feed = feed, .why = words});
	run_retry(w, why, wait, "%s", words);
}

static void call_failed(struct work *w, enum feed feed,
			const struct call *call)
{
	failed(w, feed, call, run_why_call(call), call->why.text);
}

/* ---- confirming ---- */

/* Remembers ids whose confirmation got no reply. */
static void keep_unsure(struct feed_progress *p, const int64_t *ids, size_t n)
{
	int64_t *list = xcalloc(n + 1, sizeof(*list));

	memcpy(list, ids, n * sizeof(*ids));
	forget_unsure(p);
	p->unsure = list;
	p->n_unsure = n;
}

/* Confirms the events, which are durable.  False: it failed, and *ret says
 * how. */
static bool confirm(struct work *w, enum feed feed, const int64_t *ids,
		    size_t n, struct call *ret)
{
	struct centra_done done = {0};

	if (feed == FEED_SOAP) {
		soap_events_done(w->centra, ids, n, ret);
		run_called(w, CENTRA_SOAP, "events done", ret);
		return ret->end == CALL_OK;
	}
	graphql_confirm_events(w->centra, ids, n, &done);
	run_called(w, CENTRA_GRAPHQL, "confirm events", &done.call);
	*ret = done.call;
	if (ret->end == CALL_OK && done.error) {
		ret->end = CALL_NOT_DONE;
		(void)!fail(&ret->why, RC_AGAIN, "GraphQL: %s", done.error);
	}
	centra_done_release(&done);
	return ret->end == CALL_OK;
}

/* Repeats a confirmation that got no reply, so that its events count.  If
 * Centra replies anything else, the feed is read again: it shows what is not
 * confirmed. */
static bool confirm_unsure(struct work *w, enum feed feed, struct call *ret)
{
	struct feed_progress *p = progress_of(w, feed);
	size_t n = p->n_unsure;

	if (!n)
		return true;
	if (confirm(w, feed, p->unsure, n, ret)) {
		w->feeds->report(w, &(struct feed_report){.feed = feed,
							  .confirmed = n});
		forget_unsure(p);
		return true;
	}
	if (ret->status && !ret->held)
		forget_unsure(p);
	return false;
}

/* How far the confirmation of a page is. */
struct confirming {
	int64_t *ids; /* owned */
	size_t n;
	size_t at; /* ids that were tried */
	int64_t *taken; /* owned: those that are confirmed */
	size_t n_taken;
	size_t fresh; /* of these: not confirmed before */
	unsigned refusals;
	struct call call; /* the last one that did not confirm */
};

/* The page's ids, from the place on at which the last run ended. */
static void confirming_begin(struct confirming *c, const struct page *p,
			     size_t begin)
{
	*c = (struct confirming){.n = p->n};
	c->ids = xcalloc(p->n + 1, sizeof(*c->ids));
	c->taken = xcalloc(p->n + 1, sizeof(*c->taken));
	for (size_t i = 0; i < p->n; i++)
		c->ids[i] = p->list[(begin + i) % p->n].id;
}

static void took(struct confirming *c, const struct feed_progress *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const int64_t *id = &c->ids[c->at++];

		c->taken[c->n_taken++] = *id;
		c->fresh += !p->n_taken ||
			    !bsearch(id, p->taken, p->n_taken, sizeof(*id),
				     by_number);
	}
}

/* True if Centra understood the call and refused what it asks for.  It may be
 * because of one event of many. */
static bool is_refusal(const struct call *c)
{
	return c->end == CALL_NOT_DONE && !c->held && !c->refused &&
	       c->status && c->status != 429;
}

/* Confirms the next portion of the page; of one that is refused, half.  An event
 * that is refused alone is left out.  False: this run confirms no more. */
static bool confirm_next(struct work *w, enum feed feed, struct confirming *c)
{
	struct feed_progress *p = progress_of(w, feed);
	size_t n = c->n - c->at;

	if (!n)
		return false;
	if (p->portion && p->portion < n)
		n = p->portion;
	if (confirm(w, feed, c->ids + c->at, n, &c->call)) {
		took(c, p, n);
		p->portion *= 2;
		return true;
	}
	if (!is_refusal(&c->call)) {
		if (c->call.end == CALL_UNKNOWN)
			keep_unsure(p, c->ids + c->at, n);
		return false;
	}
	p->portion = n > 1 ? n / 2 : 1;
	c->at += n == 1;
	return ++c->refusals < FEED_REFUSALS_MOST;
}

/* Keeps what the next run needs to know of this page. */
static void confirming_end(struct confirming *c, struct feed_progress *p)
{
	if (c->at == c->n) {
		p->portion = c->n_taken < c->n; /* one, or the whole page */
		p->begin = 0;
	} else if (c->n && c->refusals == FEED_REFUSALS_MOST) {
		p->begin = (p->begin + c->at) % c->n;
	}
	if (c->n_taken) {
		qsort(c->taken, c->n_taken, sizeof(*c->taken), by_number);
		free(p->taken);
		p->taken = c->taken;
		p->n_taken = c->n_taken;
		c->taken = NULL;
	}
	free(c->taken);
	free(c->ids);
}

/* All of the page is confirmed.  If Centra shows it once more all the same, it is
 * not read again at once. */
static void end_page(struct work *w, enum feed feed, const char *kind,
		     bool full, const struct feed_report *r)
{
	struct feed_progress *p = progress_of(w, feed);

	p->oldest = 0;
	if (r->confirmed)
		w->feeds->report(w, r);
	if (!full)
		p->read = w->now;
	again(w, kind, full && r->confirmed ? 1 : w->feeds->every);
}

static void confirm_page(struct work *w, enum feed feed, const char *kind,
			 const struct page *p, struct feed_report *r)
{
	struct feed_progress *to = progress_of(w, feed);
	struct confirming c;

	confirming_begin(&c, p, to->begin);
	while (confirm_next(w, feed, &c))
		;
	if (c.n_taken)
		to->confirmed = w->now;
	r->confirmed = c.fresh;
	if (c.n_taken == c.n) {
		end_page(w, feed, kind, p->full, r);
	} else {
		if (c.fresh)
			w->feeds->report(w, &(struct feed_report){
						    .feed = feed,
						    .confirmed = c.fresh});
		call_failed(w, feed, &c.call);
	}
	confirming_end(&c, to);
}

/* ---- a page ---- */

static enum rc judge(struct work *w, enum feed feed, const struct page *p,
		     struct meaning *m, struct feed_report *r, struct err *e)
{
	size_t n;
	int64_t *orders = orders_of(p, &n);
	enum rc rc = OK;

	m->tasks = xcalloc(2 * n + 1, sizeof(*m->tasks));
	m->suspects = xcalloc(n + 1, sizeof(*m->suspects));
	m->docs = xcalloc(p->n + 1, sizeof(*m->docs));
	for (size_t i = 0; i < n && !rc; i++)
		rc = judge_order(w, orders[i], m, e);
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].object == FEED_OTHER)
			r->others++;
		else if (!p->list[i].order)
			add_doc(w, feed, &p->list[i], m);
	r->looks = m->n_tasks;
	r->unresolved = m->n_docs;
	free(orders);
	return rc;
}

/* Makes durable what the page means, and confirms it then. */
static void take_page(struct work *w, enum feed feed, const char *kind,
		      const struct page *p, struct feed_report *r)
{
	struct meaning m = {0};
	struct call call = {0};
	struct err e;

	if (judge(w, feed, p, &m, r, &e))
		failed(w, feed, NULL, run_why(WHY_TRY_NOT_STORED, 0), e.text);
	else if (!judge_suspects(w, &m, &r->suspects, &call))
		call_failed(w, feed, &call);
	else if (w->feeds->keep(w, m.tasks, m.n_tasks, m.docs, m.n_docs, &e))
		failed(w, feed, NULL, run_why(WHY_TRY_NOT_STORED, 0), e.text);
	else
		confirm_page(w, feed, kind, p, r);
	meaning_release(&m);
}

/* Nothing is new. */
static void end_empty(struct work *w, enum feed feed, const char *kind)
{
	progress_of(w, feed)->read = w->now;
	progress_of(w, feed)->oldest = 0;
	again(w, kind, w->feeds->every);
}

static void note_oldest(struct work *w, enum feed feed, const struct page *p)
{
	progress_of(w, feed)->oldest =
		p->list[0].created ? p->list[0].created : w->now;
}

/* ---- GraphQL events ---- */

static bool listen_again(struct work *w, struct call *ret)
{
	struct feed_progress *p = progress_of(w, FEED_GRAPHQL);
	struct centra_done done = {0};

	if (p->listened && w->steady - p->listened < LISTEN_EVERY)
		return true;
	graphql_listen(w->centra, &done);
	run_called(w, CENTRA_GRAPHQL, "listen to events", &done.call);
	*ret = done.call;
	if (ret->end == CALL_OK && done.error) {
		ret->end = CALL_NOT_DONE;
		(void)!fail(&ret->why, RC_AGAIN, "GraphQL: %s", done.error);
		run_alarm(w, CENTRA_GRAPHQL, ret->why.text);
	}
	if (ret->end == CALL_OK)
		p->listened = w->steady ? w->steady : 1;
	centra_done_release(&done);
	return ret->end == CALL_OK;
}

/* True if GraphQL can be asked about the number: Centra's ids and numbers of
 * orders are its Int.  One other in a list, and the whole question is refused. */
static bool askable(int64_t n)
{
	return n > 0 && n <= INT32_MAX;
}

/* Gives the page's events of one kind of object the orders that Centra names.
 * If Centra does not understand the question, or our token may not ask it, they
 * stay without; false: it cannot be asked now. */
static bool resolve(struct work *w, struct page *p, enum feed_object object,
		    struct call *ret)
{
	struct feed_owners got = {0};
	int64_t *ids = xcalloc(p->n + 1, sizeof(*ids));
	size_t n = 0;
	bool ok = true;

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].object == object && askable(p->list[i].reference))
			ids[n++] = p->list[i].reference;
	if (n) {
		graphql_owners(w->centra, object, ids, n, &got);
		run_called(w, CENTRA_GRAPHQL, "whose", &got.call);
		*ret = got.call;
		ok = got.call.end == CALL_OK || got.call.status == 400 ||
		     (got.call.refused && got.call.status == 200);
	}
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < got.n; k++)
			if (p->list[i].object == object &&
			    p->list[i].reference == got.list[k].id)
				p->list[i].order = got.list[k].order;
	feed_owners_release(&got);
	free(ids);
	return ok;
}

static void graphql_page(const struct feed_events *got, struct page *ret)
{
	ret->list = xcalloc(got->n + 1, sizeof(*ret->list));
	for (size_t i = 0; i < got->n; i++) {
		const struct feed_event *ev = &got->list[i];
		struct news *to = &ret->list[ret->n++];

		*to = (struct news){.id = ev->id,
				    .object = ev->object,
				    .reference = ev->reference,
				    .created = ev->created};
		if (ev->object == FEED_ORDER && askable(ev->reference))
			to->order = ev->reference;
	}
	ret->full = got->n + got->unread >= FEED_EVENTS_MOST;
}

static void read_graphql(struct work *w)
{
	struct feed_report r = {.feed = FEED_GRAPHQL};
	struct feed_events got = {0};
	struct page p = {0};
	struct call call = {0};

	if (!confirm_unsure(w, FEED_GRAPHQL, &call) || !listen_again(w, &call)) {
		call_failed(w, FEED_GRAPHQL, &call);
		return;
	}
	graphql_events(w->centra, &got);
	run_called(w, CENTRA_GRAPHQL, "events", &got.call);
	r.unread = got.unread;
	graphql_page(&got, &p);
	if (got.call.end != CALL_OK)
		call_failed(w, FEED_GRAPHQL, &got.call);
	else if (!p.n)
		end_empty(w, FEED_GRAPHQL, TASK_FEED_GRAPHQL);
	else {
		note_oldest(w, FEED_GRAPHQL, &p);
		if (resolve(w, &p, FEED_SHIPMENT, &call) &&
		    resolve(w, &p, FEED_RETURN, &call))
			take_page(w, FEED_GRAPHQL, TASK_FEED_GRAPHQL, &p, &r);
		else
			call_failed(w, FEED_GRAPHQL, &call);
	}
	page_release(&p);
	feed_events_release(&got);
}

/* ---- the queue of the SOAP API ---- */

static void soap_page(const struct soap_events *got, struct page *ret)
{
	ret->list = xcalloc(got->n + 1, sizeof(*ret->list));
	for (size_t i = 0; i < got->n; i++) {
		const struct soap_event *ev = &got->list[i];

		ret->list[ret->n++] = (struct news){
			.id = ev->id,
			.object = ev->is_order ? FEED_ORDER : FEED_OTHER,
			.order = askable(ev->order) ? ev->order : 0,
		};
	}
	ret->full = got->n > 0; /* how many it shows at once is not promised */
}

static void read_soap(struct work *w)
{
	struct feed_report r = {.feed = FEED_SOAP};
	struct soap_events got = {0};
	struct page p = {0};
	struct call call = {0};

	if (!confirm_unsure(w, FEED_SOAP, &call)) {
		call_failed(w, FEED_SOAP, &call);
		return;
	}
	soap_events_get(w->centra, &got);
	run_called(w, CENTRA_SOAP, "events", &got.call);
	r.unread = got.unread;
	soap_page(&got, &p);
	if (got.call.end != CALL_OK) {
		call_failed(w, FEED_SOAP, &got.call);
	} else if (!p.n) {
		end_empty(w, FEED_SOAP, TASK_FEED_SOAP);
	} else {
		note_oldest(w, FEED_SOAP, &p);
		take_page(w, FEED_SOAP, TASK_FEED_SOAP, &p, &r);
	}
	page_release(&p);
	soap_events_release(&got);
}

/* ---- the tasks ---- */

static void run_feed(struct work *w, enum feed feed,
		     void (*read)(struct work *w))
{
	/* The setting changed, or the instance is gone: the task ends. */
	if (!w->centra || !w->feeds || !w->feeds->on[feed])
		return;
	centra_conn_lane(w->centra, CENTRA_RECONCILE);
	read(w);
	centra_conn_lane(w->centra, CENTRA_LIVE);
}

void handle_feed_graphql(struct work *w, size_t n)
{
	(void)n; /* one */
	run_feed(w, FEED_GRAPHQL, read_graphql);
}

void handle_feed_soap(struct work *w, size_t n)
{
	(void)n; /* one */
	run_feed(w, FEED_SOAP, read_soap);
}
