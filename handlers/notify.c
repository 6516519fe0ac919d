/* SPDX-License-Identifier: MIT
 *
 * notify.c - see notify.h.
 */
#include "handlers/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "handlers/docs.h"
#include "handlers/outgoing.h"
#include "handlers/run.h"

#define GROUPS	    200 /* of receivers */
#define BYTES_MOST  ((size_t)256 << 10) /* of a call's events */
#define LONGEST	    (60 * RUN_MINUTE)
#define DOUBLINGS   12

/* ---- names ---- */

int64_t notify_sub(const char *shop)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *shop; shop++)
		h = (h ^ (unsigned char)*shop) * 0x100000001b3u;
	return (int64_t)(h >> 1);
}

unsigned notify_group(int64_t sub)
{
	return GROUP_OUTSIDE + (unsigned)((uint64_t)sub % GROUPS);
}

/* ---- the document of the receiver ---- */

void notify_state_read(const struct doc *d, struct notify_state *ret)
{
	struct json *v = NULL;
	const char *knows;
	struct err e;

	*ret = (struct notify_state){0};
	if (!d->text || json_parse(d->text, strlen(d->text), JSON_STRICT, &v, &e))
		goto out;
	if (!json_int(json_get(v, "dropped"), &ret->dropped) || ret->dropped < 0)
		ret->dropped = 0;
	knows = json_text(json_get(v, "knows"));
	if (knows && !copy_text(ret->knows, sizeof(ret->knows), knows))
		*ret->knows = '\0';
out:
	json_free(v);
}

void notify_state_write(struct doc *d, const struct notify_state *s)
{
	struct buf b;

	buf_init(&b, 256);
	json_begin(&b, NULL);
	json_put_int(&b, "dropped", s->dropped);
	json_put(&b, "knows", s->knows);
	json_end(&b);
	free(d->text);
	d->text = buf_detach(&b, NULL);
}

/* Writes what the system knows once it has taken a call of this run. */
static void knows_now(const struct work *w, char ret[NOTIFY_KNOWS_SIZE])
{
	snprintf(ret, NOTIFY_KNOWS_SIZE, "%016" PRIx64 "-%" PRId64,
		 w->notify->settings, w->renewed);
}

/* ---- what waits ---- */

/* The webhooks of one call. */
struct letters {
	char prefix[DOC_KEY_SIZE], waiting[DOC_LIST_SIZE], dead[DOC_LIST_SIZE];
	struct doc list[NOTIFY_AT_ONCE]; /* owned */
	size_t n, bytes;
	bool more;
	struct doc receiver; /* owned */
	struct notify_state state;
	bool anew; /* the system is to read its orders anew */
};

static bool take(void *arg, const struct doc *d)
{
	struct letters *l = arg;

	if (strncmp(d->key, l->prefix, strlen(l->prefix)) != 0)
		return false;
	if (strcmp(d->list, l->waiting) != 0 && strcmp(d->list, l->dead) != 0)
		return true;
	l->more = l->n == NOTIFY_AT_ONCE ||
		  (l->n && l->bytes + strlen(d->text) > BYTES_MOST);
	if (l->more)
		return false;
	l->bytes += strlen(d->text);
	l->list[l->n++] = doc_copy(d);
	return true;
}

static enum rc read_letters(const struct work *w, struct letters *l,
			    struct err *e)
{
	const char *shop = w->notify->shop;
	char key[OUTGOING_SHOP_SIZE], knows[NOTIFY_KNOWS_SIZE];
	enum rc rc;

	outgoing_of_order(l->prefix, shop, w->task->number);
	outgoing_list(l->waiting, shop, OUTGOING_WAITING);
	outgoing_list(l->dead, shop, OUTGOING_DEAD);
	outgoing_shop(key, shop);
	rc = w->docs->keyed(w, KIND_OUTGOING, l->prefix, take, l, e);
	if (!rc)
		rc = w->docs->one(w, KIND_RECEIVER, key, &l->receiver, e);
	if (rc)
		return rc;
	notify_state_read(&l->receiver, &l->state);
	knows_now(w, knows);
	l->anew = l->state.dropped || strcmp(l->state.knows, knows) != 0;
	return OK;
}

static void letters_release(struct letters *l)
{
	for (size_t i = 0; i < l->n; i++)
		doc_release(&l->list[i]);
	doc_release(&l->receiver);
	free(l);
}

/* ---- what becomes of them ---- */

/* Moves a webhook to a list, unless it changed meanwhile: then the task runs
 * again. */
static void move(struct work *w, struct doc *d, enum outgoing_list to)
{
	outgoing_list(d->list, w->notify->shop, to);
	d->at = w->now;
	changes_doc(&w->result.changes, d, true);
}

static void were_taken(struct work *w, struct letters *l)
{
	for (size_t i = 0; i < l->n; i++)
		move(w, &l->list[i], OUTGOING_DONE);
	if (l->anew) {
		l->state.dropped = 0;
		knows_now(w, l->state.knows);
		notify_state_write(&l->receiver, &l->state);
		changes_doc(&w->result.changes, &l->receiver, true);
	}
	if (l->more)
		changes_task(&w->result.changes, TASK_NOTIFY, w->task->sub,
			     w->now);
}

/* True if the order's webhooks were tried for long enough. */
static bool is_given_up(const struct work *w, const struct letters *l)
{
	const struct doc *oldest = &l->list[0];

	return !w->clock_unsure && w->task->attempts + 1 >= NOTIFY_TRIES &&
	       (!strcmp(oldest->list, l->dead) ||
		w->now - oldest->at >= NOTIFY_FOR);
}

static int64_t wait_after(const struct work *w,
			  const struct subscriber_reply *reply)
{
	unsigned n = w->task->attempts < DOUBLINGS ? w->task->attempts
						   : DOUBLINGS;
	int64_t most = (int64_t)RUN_SECOND << n;

	/* One that is away holds all calls back by itself. */
	if (reply && reply->end == SUBSCRIBER_AWAY)
		return reply->wait > RUN_SECOND ? reply->wait : RUN_SECOND;
	if (most > LONGEST)
		most = LONGEST;
	return most / 2 +
	       (int64_t)((w->task->id * 0x9e3779b97f4a7c15u >> 33) %
			 (uint64_t)(most / 2 + 1));
}

/* Ends a run whose webhooks were not taken.  reply NULL: none was sent. */
static void were_not_taken(struct work *w, struct letters *l,
			   const struct subscriber_reply *reply,
			   size_t *ret_given_up)
{
	const char *why = reply ? reply->why.text : "notify_url is not set";

	if ((reply && reply->held) || !is_given_up(w, l)) {
		run_retry(w,
			  run_why(WHY_NOT_TOLD,
				  reply ? (unsigned)reply->status : 0),
			  reply ? wait_after(w, reply) : LONGEST,
			  "the shop's own system: %s", why);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->list[i].list, l->dead) != 0) {
			move(w, &l->list[i], OUTGOING_DEAD);
			(*ret_given_up)++;
		}
	run_dead(w, "the shop's own system: %s", why);
}

/* ---- a call ---- */

static void send_letters(struct work *w, const struct letters *l,
			 struct subscriber_reply *ret)
{
	char dropped[64] = "";
	const char *headers[] = {l->anew ? NOTIFY_ANEW ": yes" : NULL, dropped,
				 NULL};
	struct buf b;

	if (l->state.dropped)
		snprintf(dropped, sizeof(dropped), NOTIFY_DROPPED ": %" PRId64,
			 l->state.dropped);
	else
		headers[1] = NULL;

	/* A text has at most DOC_TEXT_MAX bytes, also the last one. */
	buf_init(&b, BYTES_MOST + DOC_TEXT_MAX + NOTIFY_AT_ONCE + 64);
	json_begin(&b, NULL);
	json_begin_list(&b, "events");
	for (size_t i = 0; i < l->n; i++)
		json_put_raw(&b, NULL, l->list[i].text);
	json_end_list(&b);
	json_end(&b);
	subscriber_post(w->notify->to, b.data, b.len, w->now, headers, ret);
	w->now += ret->latency;
	w->steady += ret->latency;
	buf_release(&b);
}

static void notify_shop(struct work *w)
{
	struct letters *l = xcalloc(1, sizeof(*l));
	struct notify_report report = {0};
	struct subscriber_reply reply = {0};
	struct err e;

	if (read_letters(w, l, &e)) {
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0),
			  run_wait_long(w, NULL), "%s", e.text);
		goto out;
	}
	if (!l->n)
		goto out;
	if (w->notify->to) {
		send_letters(w, l, &reply);
		report.reply = &reply;
	}
	if (report.reply && reply.end == SUBSCRIBER_TOOK) {
		report.sent = l->n;
		were_taken(w, l);
	} else {
		were_not_taken(w, l, report.reply, &report.given_up);
	}
	w->notify->report(w, &report);
out:
	letters_release(l);
}

static void notify_one(struct work *w)
{
	/* What was sent was sent, whatever became of the order meanwhile. */
	w->result.only_if.set = false;
	if (w->notify->shop)
		notify_shop(w);
	else if (w->clock_unsure || w->now - w->task->created < NOTIFY_FOR)
		run_retry(w, run_why(WHY_NOT_CONFIGURED, 0), LONGEST,
			  "the config no longer has the shop");
}

void handle_notify(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		notify_one(&w[i]);
}
