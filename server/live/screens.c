/* SPDX-License-Identifier: MIT
 *
 * screens.c - see screens.h.
 */
#include "server/live/screens.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "server/live/live_private.h"

#define RESUME_CHANGES 5000 /* changes that are read at most for one screen that
			     * connects again */
#define GREET_AT_ONCE 64    /* screens greeted before the thread looks for
			     * changes again */
#define RETRY_MS 1000 /* ms after which a browser connects again, at least */
#define RETRY_SPREAD 2000   /* ms that are added to it, so that not all browsers
			     * come back at once */

/* ---- who is connected ---- */

static struct group *group_of(struct live *live, const struct config_shop *shop)
{
	struct group *g;

	LIST_FOREACH(g, &live->groups, link)
		if (!strcmp(g->view.shop, shop->id))
			return g;
	g = xcalloc(1, sizeof(*g));
	if (!copy_text(g->view.shop, sizeof(g->view.shop), shop->id))
		g->view.shop[0] = '\0'; /* no shop has this name: the group's
					 * screens end */
	view_id(g->view.id, live->parts.store, shop);
	LIST_INSERT_HEAD(&live->groups, g, link);
	return g;
}

/* Frees a screen whose request has ended.  A state_free; loop thread. */
static void screen_free(void *state)
{
	struct screen *x = state;
	struct live *live = x->live;

	pthread_mutex_lock(&live->lock);
	LIST_REMOVE(x, link);
	x->group->listening -= x->listening;
	live->n_screens--;
	pthread_mutex_unlock(&live->lock);
	free(x);
}

/* Reads the header Last-Event-ID, which names the last event that the client
 * has read. */
static void read_last_id(struct screen *x)
{
	const char *text = request_header(x->req, "Last-Event-ID");
	int64_t from;

	if (!text)
		text = request_query(x->req, "last_event_id");
	if (!text || !number_begin(&text, INT64_MAX, &from) ||
	    !copy_text(x->view, sizeof(x->view), text))
		x->view[0] = '\0';
	else
		x->from = (uint64_t)from;
}

static struct screen *screen_new(struct live *live, struct request *req,
				 const struct caller *caller)
{
	const char *listening = request_query(req, "screen");
	struct screen *x = xcalloc(1, sizeof(*x));

	x->req = req;
	x->live = live;
	x->listening = listening && !strcmp(listening, "1");
	read_last_id(x);
	memcpy(x->credential, caller->credential, sizeof(x->credential));
	x->by_session = caller->by_session;
	x->beat_due = time_mono() + BEAT_MS;
	req->state = x;
	req->state_free = screen_free;
	return x;
}

static void screen_join(struct screen *x, const struct config_shop *shop)
{
	struct live *live = x->live;
	struct group *g;

	pthread_mutex_lock(&live->lock);
	x->id = ++live->last_screen;
	x->group = g = group_of(live, shop);
	g->listening += x->listening;
	LIST_INSERT_HEAD(&g->screens, x, link);
	live->n_screens++;
	live->joined = live->signalled = true;
	pthread_cond_signal(&live->wake);
	pthread_mutex_unlock(&live->lock);
}

void staff_stream(struct request *req, struct response *res)
{
	const struct caller *caller = caller_of(req);

	if (!respond_stream(req, res, "text/event-stream"))
		return;
	screen_join(screen_new(req->context, req, caller), caller->shop);
}

/* ---- the room's thread: what is to be sent ---- */

static unsigned retry(struct live *live)
{
	live->spread = (live->spread + 611) % RETRY_SPREAD;
	return RETRY_MS + live->spread;
}

/* Adds a row to the outbox and takes over the chunk.  The lock is held. */
static void add_post(struct live *live, enum post what, struct group *g,
		     uint64_t screen, struct chunk *chunk)
{
	struct posted *p = xcalloc(1, sizeof(*p));

	*p = (struct posted){
		.what = what, .group = g, .screen = screen, .chunk = chunk};
	g->posted++;
	STAILQ_INSERT_TAIL(&live->outbox, p, link);
	if (!live->called) {
		live->called = true;
		http_call(live->parts.http, &live->call);
	}
}

static void post(struct live *live, enum post what, struct group *g,
		 uint64_t screen, struct chunk *chunk)
{
	if (what == POST_CHUNK && !chunk)
		return;
	pthread_mutex_lock(&live->lock);
	add_post(live, what, g, screen, chunk);
	pthread_mutex_unlock(&live->lock);
}

/* Returns the first group.  Only the calling thread, the room's, frees
 * groups. */
static struct group *first_group(struct live *live)
{
	struct group *g;

	pthread_mutex_lock(&live->lock);
	g = LIST_FIRST(&live->groups);
	pthread_mutex_unlock(&live->lock);
	return g;
}

static void say_hello(struct live *live, struct group *g, uint64_t seen)
{
	post(live, POST_CHUNK, g, 0,
	     view_hello(&g->view, seen, true, retry(live)));
}

void screens_recount(struct live *live)
{
	struct tally *old, *part;

	pthread_mutex_lock(&live->lock);
	old = live->tally;
	part = live->counting;
	live->tally = live->counting = NULL;
	pthread_mutex_unlock(&live->lock);
	tally_free(old);
	tally_free(part);
}

/* Loads a changed order and keeps the count of pending offers up to date with
 * it. */
static enum rc load_changed(struct live *live, const struct changed *changed,
			    struct order *ret)
{
	enum rc rc = view_load(live->parts.store, changed, ret);

	if (rc) {
		screens_recount(live);
		return rc;
	}
	pthread_mutex_lock(&live->lock);
	if (live->tally)
		tally_update(live->tally, ret);
	if (live->counting)
		tally_update(live->counting, ret);
	pthread_mutex_unlock(&live->lock);
	return OK;
}

/* ---- the room's thread: a round ---- */

static void too_many(struct group *g)
{
	g->n_round = ORDERS_AT_ONCE + 1;
	buf_release(&g->round);
}

/* Adds an event to the group's round, and takes over the chunk; NULL: none. */
static void add_to_round(struct group *g, struct chunk *chunk)
{
	if (!chunk)
		return;
	if (++g->n_round > ORDERS_AT_ONCE ||
	    buf_add(&g->round, chunk->bytes, chunk->len))
		too_many(g);
	chunk_drop(chunk);
}

static void order_changed(struct live *live, const struct changed *changed)
{
	struct group *g = first_group(live);
	struct order o;

	if (load_changed(live, changed, &o))
		return;
	for (; g; g = LIST_NEXT(g, link))
		if (g->shop && g->n_round <= ORDERS_AT_ONCE &&
		    !strcmp(g->shop->centra, changed->instance))
			add_to_round(g, view_order(live, &g->view, g->shop, &o,
						   changed->change));
	order_release(&o);
}

void screens_changed(struct live *live, const struct change_list *l)
{
	for (struct group *g = first_group(live); g && l->gap;
	     g = LIST_NEXT(g, link))
		too_many(g);
	for (size_t i = 0; i < l->n && !l->gap; i++)
		order_changed(live, &l->list[i]);
}

void screens_round_begin(struct live *live, const struct config *config)
{
	for (struct group *g = first_group(live); g; g = LIST_NEXT(g, link)) {
		g->shop = config_shop(config, g->view.shop);
		g->n_round = 0;
		buf_init(&g->round, ROUND_BYTES);
	}
}

/* Posts the group's round, and forgets it.  The lock is held. */
static void post_round(struct live *live, struct group *g, uint64_t seen)
{
	struct chunk *chunk = NULL;

	if (g->n_round > ORDERS_AT_ONCE)
		chunk = view_hello(&g->view, seen, true, retry(live));
	else if (g->n_round)
		chunk = chunk_make(&g->round);
	if (chunk)
		add_post(live, POST_CHUNK, g, 0, chunk);
	buf_release(&g->round);
	g->n_round = 0;
	g->shop = NULL;
}

/* Groups that have come since the round began are about to be greeted. */
void screens_round_end(struct live *live, uint64_t seen)
{
	struct group *g;

	pthread_mutex_lock(&live->lock);
	LIST_FOREACH(g, &live->groups, link)
		post_round(live, g, seen);
	live->seen = seen;
	pthread_mutex_unlock(&live->lock);
}

/* ---- the room's thread: who is signed in ---- */

/* A screen, with the token or session that it signed in with. */
struct signed_in {
	uint64_t id;
	unsigned char credential[TOKEN_HASH_SIZE];
	bool by_session;
};

static struct signed_in signed_in_of(const struct screen *x)
{
	struct signed_in ret = {.id = x->id, .by_session = x->by_session};

	memcpy(ret.credential, x->credential, sizeof(ret.credential));
	return ret;
}

static bool is_signed_in(struct live *live, const struct signed_in *s)
{
	struct err e;

	return !auth_still(live->parts.access, s->credential, s->by_session,
			   &e);
}

/* ---- the room's thread: new screens ---- */

/* A screen that is to be greeted. */
struct guest {
	struct signed_in who;
	uint64_t from;
	char view[VIEW_SIZE];
};

static bool resumed(struct live *live, struct group *g,
		    const struct config_shop *shop, const struct guest *guest,
		    struct chunk **missed, size_t *n)
{
	struct change_list l = {
		.after = guest->from, .to = live->seen, .most = RESUME_CHANGES};
	bool good =
		!strcmp(guest->view, g->view.id) && guest->from <= live->seen;
	struct err e;

	*n = 0;
	good = good && !change_list_read(&l, live->parts.store, &e) && !l.gap;
	if (good) {
		change_list_last(&l);
		good = view_missed(live, &g->view, shop, &l, missed, n);
	}
	change_list_release(&l);
	return good;
}

/* Sends `hello`, and then the changes that the screen missed, if it said where
 * it stopped. */
static void greet(struct live *live, struct group *g,
		  const struct config_shop *shop, const struct guest *guest)
{
	struct chunk *missed[ORDERS_AT_ONCE];
	size_t n;
	bool good = resumed(live, g, shop, guest, missed, &n);

	post(live, POST_CHUNK, g, guest->who.id,
	     view_hello(&g->view, live->seen, !good, retry(live)));
	for (size_t i = 0; i < n; i++) {
		if (good)
			post(live, POST_CHUNK, g, guest->who.id,
			     missed[i]);
		else
			chunk_drop(missed[i]);
	}
}

/* Takes up to `most` screens of the group that have not had their `hello`. */
static size_t new_screens(struct live *live, struct group *g, struct guest *ret,
			  size_t most)
{
	struct screen *x;
	size_t n = 0;

	pthread_mutex_lock(&live->lock);
	LIST_FOREACH(x, &g->screens, link) {
		if (n == most)
			break;
		if (x->greeting)
			continue;
		x->greeting = true;
		ret[n] = (struct guest){.who = signed_in_of(x), .from = x->from};
		memcpy(ret[n++].view, x->view, sizeof(x->view));
	}
	pthread_mutex_unlock(&live->lock);
	return n;
}

/* Checks each new screen's credential once more: its device may have been
 * removed after the request was let in and before the screen was in the list
 * from which it would have been ended. */
bool screens_greet(struct live *live, const struct config *config)
{
	struct guest guests[GREET_AT_ONCE];
	size_t all = 0;

	for (struct group *g = first_group(live); g; g = LIST_NEXT(g, link)) {
		const struct config_shop *shop =
			config_shop(config, g->view.shop);
		size_t n = new_screens(live, g, guests, GREET_AT_ONCE - all);

		for (size_t i = 0; i < n; i++) {
			if (shop && is_signed_in(live, &guests[i].who))
				greet(live, g, shop, &guests[i]);
			else
				post(live, POST_END, g, guests[i].who.id, NULL);
		}
		all += n;
	}
	return all == GREET_AT_ONCE;
}

/* ---- the room's thread: what else may end or change a screen ---- */

/* Has the screens of a shop whose warehouses have changed read their lists
 * again, and ends those of a shop that is gone. */
static void follow_config(struct live *live, const struct config *config)
{
	for (struct group *g = first_group(live); g; g = LIST_NEXT(g, link)) {
		const struct config_shop *shop =
			config_shop(config, g->view.shop);
		char id[VIEW_SIZE];

		if (!shop) {
			post(live, POST_END, g, 0, NULL);
			continue;
		}
		view_id(id, live->parts.store, shop);
		if (!strcmp(id, g->view.id))
			continue;
		view_release(&g->view); /* the view's texts carry the id of the
					 * old view */
		memset(g->view.sent, 0, sizeof(g->view.sent));
		pthread_mutex_lock(&live->lock);
		memcpy(g->view.id, id, sizeof(id));
		pthread_mutex_unlock(&live->lock);
		say_hello(live, g, live->seen);
	}
}

static size_t list_signed_in(struct live *live, struct group *g,
			     struct signed_in **ret)
{
	const struct screen *x;
	size_t n = 0;

	pthread_mutex_lock(&live->lock);
	*ret = xcalloc(live->n_screens + 1, sizeof(**ret));
	LIST_FOREACH(x, &g->screens, link)
		(*ret)[n++] = signed_in_of(x);
	pthread_mutex_unlock(&live->lock);
	return n;
}

static void end_revoked(struct live *live)
{
	uint64_t revocations = store_revocations(live->parts.store);

	if (revocations == live->revocations)
		return;
	live->revocations = revocations;
	for (struct group *g = first_group(live); g; g = LIST_NEXT(g, link)) {
		struct signed_in *list;
		size_t n = list_signed_in(live, g, &list);

		for (size_t i = 0; i < n; i++)
			if (!is_signed_in(live, &list[i]))
				post(live, POST_END, g, list[i].id, NULL);
		free(list);
	}
}

void screens_watch(struct live *live, const struct config *config)
{
	follow_config(live, config);
	end_revoked(live);
}

void screens_purge(struct live *live)
{
	struct group *g, *next;

	pthread_mutex_lock(&live->lock);
	for (g = LIST_FIRST(&live->groups); g; g = next) {
		next = LIST_NEXT(g, link);
		if (!LIST_EMPTY(&g->screens) || g->posted)
			continue;
		LIST_REMOVE(g, link);
		view_release(&g->view);
		free(g);
	}
	pthread_mutex_unlock(&live->lock);
}

/* ---- the loop: sending ---- */

static void send_to(struct live *live, struct screen *x, const struct posted *p)
{
	switch (p->what) {
	case POST_CHUNK:
		x->greeted = true;
		if (!stream_send(x->req, p->chunk))
			COUNT(live->parts.counters, streams_cut_total);
		break;
	case POST_END:
		x->greeted = false;
		stream_end(x->req);
		break;
	}
}

static bool concerns(const struct posted *p, const struct screen *x)
{
	if (p->screen)
		return p->screen == x->id;
	return x->greeted || p->what == POST_END;
}

void screens_send(struct live *live)
{
	struct posted *p;
	struct screen *x;

	while ((p = STAILQ_FIRST(&live->outbox))) {
		STAILQ_REMOVE_HEAD(&live->outbox, link);
		LIST_FOREACH(x, &p->group->screens, link)
			if (concerns(p, x))
				send_to(live, x, p);
		p->group->posted--;
		chunk_drop(p->chunk);
		free(p);
	}
}

static void beat(struct live *live, struct group *g, int64_t now)
{
	struct chunk *chunk = NULL;
	struct screen *x;

	LIST_FOREACH(x, &g->screens, link) {
		if (x->beat_due > now || !x->greeted)
			continue;
		x->beat_due = now + BEAT_MS;
		if (!chunk)
			chunk = view_beat(&g->view, live->seen);
		if (chunk && !stream_send(x->req, chunk))
			COUNT(live->parts.counters, streams_cut_total);
	}
	chunk_drop(chunk);
}

void live_tick(struct live *live, int64_t now)
{
	struct group *g;

	pthread_mutex_lock(&live->lock);
	screens_send(live); /* a beat names live->seen: a client that has read it
			     * is not sent the events before it again */
	LIST_FOREACH(g, &live->groups, link)
		beat(live, g, now);
	pthread_mutex_unlock(&live->lock);
}

/* ---- numbers ---- */

size_t live_screens(struct live *live)
{
	size_t n;

	pthread_mutex_lock(&live->lock);
	n = live->n_screens;
	pthread_mutex_unlock(&live->lock);
	return n;
}

/* True if a screen of the shop listens.  A `skip` of tally_count(). */
static bool is_watched(void *arg, const char *shop)
{
	const struct live *live = arg;
	const struct group *g;

	LIST_FOREACH(g, &live->groups, link)
		if (g->listening && !strcmp(g->view.shop, shop))
			return true;
	return false;
}

bool live_unwatched(struct live *live, uint64_t *ret)
{
	bool counted;

	pthread_mutex_lock(&live->lock);
	counted = live->tally != NULL;
	if (counted)
		*ret = tally_count(live->tally, is_watched, live);
	pthread_mutex_unlock(&live->lock);
	return counted;
}

void screens_close(struct live *live)
{
	screens_send(live); /* no screen is left: this only frees */
	screens_purge(live);
}
