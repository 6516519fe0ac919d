/* SPDX-License-Identifier: MIT
 *
 * login_limit.c - see login_limit.h.
 *
 * Each failure costs a minute divided by `most`, and that cost wears off as
 * time passes.  So for each address it is enough to keep the time at which all
 * its failures have worn off.
 *
 * The row of an address is in a small set that a hash of the address chooses.
 * The hash has a random key: a stranger cannot choose an address that pushes
 * another one out.
 */
#include "server/access/login_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/networks.h"
#include "base/random.h"

#define MINUTE 60000
#define SETS   512
#define WAYS   8

struct row {
	struct address address;
	int64_t clear; /* when all failures have worn off; 0: the row is free */
};

struct login_failures {
	uint64_t key;
	pthread_mutex_t lock; /* of rows */
	struct row rows[SETS][WAYS];
};

struct login_failures *login_failures_open(void)
{
	struct login_failures *f = xcalloc(1, sizeof(*f));

	f->key = random_number();
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void login_failures_close(struct login_failures *f)
{
	if (f)
		pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool key_of(struct address *ret, const char *client)
{
	if (!address_read(ret, client, strlen(client)))
		return false;
	if (memcmp(ret->b, (const unsigned char[12]){[10] = 255, [11] = 255},
		   12) != 0)
		memset(ret->b + 8, 0, 8);
	return true;
}

static size_t set_of(const struct login_failures *f, const struct address *a)
{
	uint64_t h = f->key;

	for (size_t i = 0; i < sizeof(a->b); i++) {
		h = (h ^ a->b[i]) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
	}
	return h % SETS;
}

static const struct row *find(const struct login_failures *f,
			      const struct address *a)
{
	const struct row *set = f->rows[set_of(f, a)];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].clear &&
		    !memcmp(&set[i].address, a, sizeof(*a)))
			return &set[i];
	return NULL;
}

static struct row *take(struct login_failures *f, const struct address *a)
{
	struct row *set = f->rows[set_of(f, a)], *worst = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].clear &&
		    !memcmp(&set[i].address, a, sizeof(*a)))
			return &set[i];
		if (set[i].clear < worst->clear)
			worst = &set[i];
	}
	*worst = (struct row){.address = *a};
	return worst;
}

void login_failed(struct login_failures *f, const char *client, int64_t most,
		  int64_t now)
{
	struct address a;
	struct row *r;

	if (!most || !key_of(&a, client))
		return;
	pthread_mutex_lock(&f->lock);
	r = take(f, &a);
	if (r->clear < now)
		r->clear = now;
	r->clear += MINUTE / most;
	/* However many fail, an address waits for a minute at most. */
	if (r->clear > now + MINUTE)
		r->clear = now + MINUTE;
	pthread_mutex_unlock(&f->lock);
}

int64_t login_wait(struct login_failures *f, const char *client, int64_t most,
		   int64_t now)
{
	const struct row *r;
	struct address a;
	int64_t wait = 0;

	if (!most || !key_of(&a, client))
		return 0;
	pthread_mutex_lock(&f->lock);
	r = find(f, &a);
	if (r)
		wait = r->clear - now - (MINUTE - MINUTE / most);
	pthread_mutex_unlock(&f->lock);
	return wait > 0 ? wait : 0;
}
