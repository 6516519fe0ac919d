/* SPDX-License-Identifier: MIT
 *
 * login_limit.c - see login_limit.h.
 *
 * A failure is worth a minute / most; it wears off as time passes.  So all that
 * is kept of a peer is when the last of them will have worn off.
 *
 * A peer's row is in a small set that its address chooses, by a key that
 * strangers do not know: nobody can push out whom they please.
 */
#include "server/access/login_limit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/networks.h"

#define MINUTE 60000
#define SETS   512
#define WAYS   8

struct row {
	struct address address;
	int64_t clear; /* when nothing is left; 0: an empty row */
};

struct peers {
	uint64_t key;
	struct row rows[SETS][WAYS];
};

struct peers *peers_open(void)
{
	struct peers *p = xcalloc(1, sizeof(*p));

	if (getrandom(&p->key, sizeof(p->key), 0) != sizeof(p->key))
		p->key = (uint64_t)(uintptr_t)p;
	return p;
}

void peers_close(struct peers *p)
{
	free(p);
}

static bool key_of(struct address *ret, const char *peer)
{
	if (!address_read(ret, peer, strlen(peer)))
		return false;
	if (memcmp(ret->b, (const unsigned char[12]){[10] = 255, [11] = 255},
		   12) != 0)
		memset(ret->b + 8, 0, 8);
	return true;
}

static size_t set_of(const struct peers *p, const struct address *a)
{
	uint64_t h = p->key;

	for (size_t i = 0; i < sizeof(a->b); i++) {
		h = (h ^ a->b[i]) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
	}
	return h % SETS;
}

static const struct row *find(const struct peers *p, const struct address *a)
{
	const struct row *set = p->rows[set_of(p, a)];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].clear &&
		    !memcmp(&set[i].address, a, sizeof(*a)))
			return &set[i];
	return NULL;
}

static struct row *take(struct peers *p, const struct address *a)
{
	struct row *set = p->rows[set_of(p, a)], *worst = set;

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

void peers_failed(struct peers *p, const char *peer, int64_t most, int64_t now)
{
	struct address a;
	struct row *r;

	if (!most || !key_of(&a, peer))
		return;
	r = take(p, &a);
	if (r->clear < now)
		r->clear = now;
	r->clear += MINUTE / most;
	/* Who goes on has not to wait for longer and longer. */
	if (r->clear > now + MINUTE)
		r->clear = now + MINUTE;
}

int64_t peers_wait(const struct peers *p, const char *peer, int64_t most,
		   int64_t now)
{
	const struct row *r;
	struct address a;
	int64_t wait;

	if (!most || !key_of(&a, peer))
		return 0;
	r = find(p, &a);
	if (!r)
		return 0;
	wait = r->clear - now - (MINUTE - MINUTE / most);
	return wait > 0 ? wait : 0;
}
