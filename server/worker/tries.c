/* SPDX-License-Identifier: MIT
 *
 * tries.c - remembers when the newest try at each call to Centra began, by the
 * steady clock.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/worker/worker_private.h"

void tries_init(struct tries *all, int64_t keep)
{
	*all = (struct tries){.keep = keep};
	pthread_mutex_init(&all->lock, NULL);
}

void tries_release(struct tries *all)
{
	pthread_mutex_destroy(&all->lock);
	free(all->list);
}

static struct last_try *find(struct tries *all, const struct task *t)
{
	for (size_t i = 0; i < all->n; i++) {
		struct last_try *r = &all->list[i];

		if (r->number == t->number && r->sub == t->sub &&
		    !strcmp(r->instance, t->instance))
			return r;
	}
	return NULL;
}

static struct last_try *add(struct tries *all, const struct task *t)
{
	struct last_try *r;

	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 16;
		all->list = xrealloc(all->list, all->cap, sizeof(*all->list));
	}
	r = &all->list[all->n++];
	*r = (struct last_try){.number = t->number, .sub = t->sub};
	memcpy(r->instance, t->instance, sizeof(r->instance));
	return r;
}

static void remove_old(struct tries *all, int64_t mono)
{
	for (size_t i = all->n; i-- > 0;)
		if (mono - all->list[i].began > all->keep)
			all->list[i] = all->list[--all->n];
}

void tries_note(struct tries *all, const struct task *t, int64_t mono)
{
	struct last_try *r;

	pthread_mutex_lock(&all->lock);
	remove_old(all, mono);
	r = find(all, t);
	if (!r)
		r = add(all, t);
	r->began = mono;
	pthread_mutex_unlock(&all->lock);
}

int64_t tries_since(struct tries *all, const struct task *t, int64_t mono,
		    int64_t unknown)
{
	const struct last_try *r;
	int64_t ret;

	pthread_mutex_lock(&all->lock);
	r = find(all, t);
	ret = r ? mono - r->began : unknown;
	pthread_mutex_unlock(&all->lock);
	return ret;
}
