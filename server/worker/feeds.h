/* SPDX-License-Identifier: MIT
 *
 * feeds.h - what the feeds (handlers/feed.h) need of the server: their tasks, and
 * a place for what their events mean.
 */
#ifndef SERVER_WORKER_FEEDS_H
#define SERVER_WORKER_FEEDS_H

#include "handlers/feed.h"
#include "server/config/config.h"

struct workers;
struct worker_parts;

/* Has each feed that the config names read at once; for the start, and after a
 * reload.  Removes the tasks of feeds that it does not name: they could never
 * run, and would count as parked. */
void feeds_ask(const struct worker_parts *parts, const struct workers *w);

/* True if the config names the feed, and lets us read it. */
bool feeds_on(const struct config_instance *in, enum feed feed);

/* Fills in what a run of an instance is given. */
void feeds_hands(const struct config_instance *in,
		 struct feed_progress *progress, struct feed_hands *ret);

#endif
