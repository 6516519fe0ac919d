/* SPDX-License-Identifier: MIT
 *
 * holder.c - see holder.h.
 */
#include "server/config/holder.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct config_holder {
	pthread_mutex_t lock; /* of `present` */
	struct config *present; /* held */
};

struct config_holder *config_holder_open(struct config *first)
{
	struct config_holder *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	h->present = first;
	return h;
}

void config_holder_close(struct config_holder *h)
{
	if (!h)
		return;
	config_drop(h->present);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

struct config *config_now(struct config_holder *h)
{
	struct config *c;

	pthread_mutex_lock(&h->lock);
	c = config_hold(h->present);
	pthread_mutex_unlock(&h->lock);
	return c;
}

void config_replace(struct config_holder *h, struct config *fresh)
{
	struct config *old;

	pthread_mutex_lock(&h->lock);
	old = h->present;
	h->present = fresh;
	pthread_mutex_unlock(&h->lock);
	config_drop(old);
}
