/* SPDX-License-Identifier: MIT
 *
 * verifiers.c - see verifiers.h.
 *
 * The use of an instance's secrets is kept from its first config on, even while
 * a later config does not have the instance.
 */
#include "server/webhook/verifiers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/pending/pending.h"

/* The secrets of an instance.  It is never moved and never removed, so that any
 * thread may walk the list. */
struct watched {
	struct secret_watch watch;
	struct watched *_Atomic next;
};

struct verifiers {
	struct store *store;
	struct counters *counters;
	struct http *const *http;
	struct config *config; /* held */
	struct keys *keys;     /* owned; one for each instance of `config` */
	struct watched *_Atomic watches; /* owned */
};

/* Returns NULL if none is known; *ret_end is then where to link it. */
static struct secret_watch *watch_find(struct verifiers *v,
				       const char *instance,
				       struct watched *_Atomic **ret_end)
{
	struct watched *_Atomic *end = &v->watches;
	struct watched *w;

	while ((w = atomic_load(end))) {
		if (!strcmp(w->watch.instance, instance))
			return &w->watch;
		end = &w->next;
	}
	*ret_end = end;
	return NULL;
}

static void watch_add(struct verifiers *v, struct watched *_Atomic *end,
		      const char *instance)
{
	struct watched *w = xcalloc(1, sizeof(*w));
	struct err e;

	if (!copy_text(w->watch.instance, sizeof(w->watch.instance), instance))
		/* Cannot happen: the name is from the config. */
		w->watch.instance[0] = '\0';
	if (store_secret_use(v->store, instance, &w->watch.use, &e))
		log_line(LOG_WARN, "the use of a secret was not read",
			 LOG_S("instance", instance), LOG_S("error", e.text));
	atomic_store(end, w);
}

void verifiers_prepare(struct verifiers *v, const struct config *config)
{
	for (size_t i = 0; i < config->n_instances; i++) {
		const char *instance = config->instances[i].id;
		struct watched *_Atomic *end;

		if (!watch_find(v, instance, &end))
			watch_add(v, end, instance);
	}
}

static void open_keys(struct verifiers *v, struct keys *k,
		      const struct config_instance *in)
{
	const char *const secrets[2] = {in->webhook_secret,
					in->previous_webhook_secret};
	struct watched *_Atomic *end;
	struct err e;

	k->instance = in;
	k->watch = watch_find(v, in->id, &end); /* it is prepared */
	secret_watch_set(k->watch, secrets[0], secrets[1]);
	if (verifier_open(&k->verifier, secrets, &e))
		log_line(LOG_ERROR, "webhooks cannot be verified",
			 LOG_S("instance", in->id), LOG_S("error", e.text));
}

static void drop_config(struct verifiers *v)
{
	if (!v->config)
		return;
	for (size_t i = 0; i < v->config->n_instances; i++)
		verifier_close(v->keys[i].verifier);
	free(v->keys);
	v->keys = NULL;
	config_drop(v->config);
	v->config = NULL;
}

void verifiers_use(struct verifiers *v, struct config *c)
{
	drop_config(v);
	v->config = config_hold(c);
	v->keys = xcalloc(c->n_instances, sizeof(*v->keys));
	for (size_t i = 0; i < c->n_instances; i++)
		open_keys(v, &v->keys[i], &c->instances[i]);
}

struct verifiers *verifiers_open(struct store *store,
				 struct config *config,
				 struct counters *counters,
				 struct http *const *http)
{
	struct verifiers *v = xcalloc(1, sizeof(*v));

	v->store = store;
	v->counters = counters;
	v->http = http;
	verifiers_prepare(v, config);
	verifiers_use(v, config);
	return v;
}

void verifiers_close(struct verifiers *v)
{
	struct watched *w, *next;

	drop_config(v);
	for (w = atomic_load(&v->watches); w; w = next) {
		next = atomic_load(&w->next);
		free(w);
	}
	free(v);
}

const struct config *verifiers_config(const struct verifiers *v)
{
	return v->config;
}

struct keys *verifiers_find(struct verifiers *v, const char *instance)
{
	const struct config_instance *in = config_instance(v->config, instance);

	return in ? &v->keys[in - v->config->instances] : NULL;
}

enum verdict keys_check(const struct keys *k, const char *header,
			const void *body, size_t len, int64_t when,
			int *ret_secret)
{
	*ret_secret = -1;
	if (!k || !k->verifier)
		return VERDICT_WRONG;
	return verifier_check(k->verifier, header, body, len, when,
			      k->instance->webhook_tolerance, ret_secret);
}

void keys_signed(struct verifiers *v, struct keys *k, int secret, int64_t when)
{
	if (secret == 1)
		COUNT(v->counters, webhooks_previous_secret_total);
	secret_watch_signed(k->watch, secret, when);
}

/* ---- keeping what is known ---- */

struct keeping {
	struct pending pending; /* first */
	struct secret_watch *watch;
	struct secret_use use;
};

static void kept(struct pending *p)
{
	struct keeping *k = (struct keeping *)p;

	if (p->rc)
		secret_watch_lost(k->watch);
}

static void keeping_free(struct pending *p)
{
	free(p);
}

static void keep_use(struct verifiers *v, struct secret_watch *w)
{
	struct keeping *k = xcalloc(1, sizeof(*k));
	struct err e = {""};
	enum rc rc;

	pending_init(&k->pending, *v->http, kept, keeping_free);
	k->watch = w;
	k->use = w->use;
	pending_begin(&k->pending);
	rc = store_secret_used(v->store, w->instance, &k->use,
			       &k->pending.done, &e);
	if (rc)
		pending_refused(&k->pending, rc, &e);
}

void verifiers_tick(struct verifiers *v, int64_t now)
{
	struct watched *w;

	for (w = atomic_load(&v->watches); w; w = atomic_load(&w->next)) {
		if (secret_watch_keep(&w->watch, now))
			keep_use(v, &w->watch);
		if (secret_watch_done(&w->watch, now))
			log_line(LOG_INFO,
				 "the previous webhook secret was not used for "
				 "a day: remove previous_webhook_secret",
				 LOG_S("instance", w->watch.instance));
	}
}

void verifiers_keep(struct verifiers *v)
{
	struct watched *w;
	struct err e;

	for (w = atomic_load(&v->watches); w; w = atomic_load(&w->next))
		if (secret_watch_dirty(&w->watch) &&
		    store_secret_used(v->store, w->watch.instance,
				      &w->watch.use, NULL, &e))
			log_line(LOG_WARN, "the use of a secret was not kept",
				 LOG_S("error", e.text));
}

const struct secret_watch *verifiers_secret(const struct verifiers *v,
					    size_t i)
{
	const struct watched *w = atomic_load(&v->watches);

	while (w && i--)
		w = atomic_load(&w->next);
	return w ? &w->watch : NULL;
}
