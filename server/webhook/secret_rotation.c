/* SPDX-License-Identifier: MIT
 *
 * secret_rotation.c - see secret_rotation.h.
 */
#include "server/webhook/secret_rotation.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/mem.h"

/* A fingerprint that tells a secret from another, and reveals nothing else of
 * it. */
static void secret_print(unsigned char ret[SECRET_PRINT], const char *secret)
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	char *text = NULL;

	memset(ret, 0, SECRET_PRINT);
	if (!secret || !*secret)
		return;
	text = xasprintf("shipfrom webhook secret: %s", secret);
	if (!EVP_Digest(text, strlen(text), whole, NULL, EVP_sha256(), NULL))
		abort(); /* no SHA-256: the server cannot go on, as in
			  * delivery.c */
	memcpy(ret, whole, SECRET_PRINT);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

static bool same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, SECRET_PRINT) == 0;
}

bool secret_use_is_of(const struct secret_use *use, const char *current,
		      const char *previous)
{
	unsigned char print[SECRET_PRINT];

	secret_print(print, current);
	if (!same(print, use->current))
		return false;
	secret_print(print, previous);
	return same(print, use->previous);
}

bool secret_may_go(const struct secret_use *use, int64_t now)
{
	static const unsigned char none[SECRET_PRINT];
	int64_t since = use->current_first;

	if (!use->current_first || same(use->previous, none))
		return false;
	if (use->previous_last > since)
		since = use->previous_last;
	return now - since >= SECRET_UNUSED_FOR;
}

void secret_watch_set(struct secret_watch *w, const char *current,
		      const char *previous)
{
	unsigned char is[SECRET_PRINT], was[SECRET_PRINT];

	secret_print(is, current);
	secret_print(was, previous);
	w->has_previous = previous && *previous;
	if (same(is, w->use.current) && same(was, w->use.previous))
		return;
	/* Nothing is known of a previous secret that was not set before: its
	 * day without use begins when the current one first signs beside it. */
	if (!same(is, w->use.current) ||
	    (w->has_previous && !same(was, w->use.previous)))
		w->use.current_first = 0;
	if (!same(was, w->use.previous))
		w->use.previous_last = 0;
	memcpy(w->use.current, is, SECRET_PRINT);
	memcpy(w->use.previous, was, SECRET_PRINT);
	w->dirty = true;
	w->reported = false;
}

void secret_watch_signed(struct secret_watch *w, int which, int64_t now)
{
	w->signed_by[which == 1]++;
	if (which == 1) {
		if (now > w->use.previous_last)
			w->use.previous_last = now;
		w->dirty = true;
		w->reported = false;
	} else if (!w->use.current_first) {
		w->use.current_first = now;
		w->dirty = true;
	}
}

bool secret_watch_dirty(struct secret_watch *w)
{
	if (atomic_exchange(&w->lost, false))
		w->dirty = true;
	return w->dirty;
}

void secret_watch_lost(struct secret_watch *w)
{
	w->lost = true;
}

bool secret_watch_keep(struct secret_watch *w, int64_t now)
{
	if (!secret_watch_dirty(w) ||
	    (w->kept && clock_within(w->kept, now, SECRET_KEPT_EVERY)))
		return false;
	w->dirty = false;
	w->kept = now;
	return true;
}

bool secret_watch_done(struct secret_watch *w, int64_t now)
{
	if (w->reported || !w->has_previous || !secret_may_go(&w->use, now))
		return false;
	w->reported = true;
	return true;
}
