/* SPDX-License-Identifier: MIT
 *
 * live_private.h - the inside of changes.h, for the files of this room:
 *
 *	changes    the thread that follows the store; waiting requests
 *	views      texts of events, made once for each shop
 *	screens    who is connected, and what is handed to the loop for them
 *	unwatched  a number for /metrics
 *
 * Threads:  live->lock guards what other threads than the room's touch: the
 *           waiters, the groups and their screens, and the outbox.  What a view
 *           remembers belongs to the room's thread.  Requests are touched in
 *           the loop alone: everything for a screen goes through the outbox,
 *           which the loop empties.
 */
#ifndef SERVER_LIVE_LIVE_PRIVATE_H
#define SERVER_LIVE_LIVE_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "server/access/auth.h"
#include "server/http/send_queue.h"
#include "server/live/changes.h"
#include "server/live/unwatched.h"

#define ORDERS_AT_ONCE 128 /* sent one by one; past it lists are read again */
#define TOLD	       512 /* orders remembered of a shop */
#define VIEW_SIZE      40  /* "-EPOCH-HASH", both of 16 hex digits */

/* Changes after one number up to another, as store_changes() gives them. */
struct change_list {
	struct changed *list; /* owned */
	size_t n, cap;
	size_t most;	/* of more than these it is a gap */
	uint64_t after; /* the first is to follow this */
	uint64_t to;	/* none after this is read */
	bool gap;	/* some are not there any more, or there are too many */
};

enum rc change_list_read(struct change_list *l, struct store *store,
			 struct err *e);
/* Leaves the last change of each order, in their order. */
void change_list_last(struct change_list *l);
void change_list_release(struct change_list *l);

/* ---- views.c ---- room's thread, but view_beat() */

/* The text of an order's event, as it was sent last. */
struct sent {
	int64_t number;
	uint64_t change;
	char *text; /* owned; NULL: an empty place */
	size_t len;
};

/* What the screens of one shop see. */
struct view {
	char shop[SHOP_SIZE];
	char id[VIEW_SIZE]; /* the second half of an event's id */
	int64_t told[TOLD]; /* the last orders: `removed` is sent of those */
	unsigned n_told;    /* ever */
	struct sent sent[ORDERS_AT_ONCE];
	unsigned n_sent; /* ever */
};

/* The store's epoch, and which orders the shop sees: a change number means the
 * same only where both are equal. */
void view_id(char ret[VIEW_SIZE], const struct store *store,
	     const struct config_shop *shop);
void view_release(struct view *v);
/* Makes an event; NULL: it does not fit into memory's bound.  `retry` is how
 * long a browser waits before it comes back, in ms. */
struct chunk *view_hello(const struct view *v, uint64_t seen, bool resync,
			 unsigned retry);
struct chunk *view_beat(const struct view *v, uint64_t seen);
/* The event of an order as it is now; NULL: nothing is sent.  An order that the
 * shop was not told of is none of its business, its number included. */
struct chunk *view_order(struct live *live, struct view *v,
			 const struct config_shop *shop, const struct order *o,
			 uint64_t change);
/* The events that a screen missed; false: too much of it.  *ret has room for
 * ORDERS_AT_ONCE. */
bool view_missed(struct live *live, struct view *v,
		 const struct config_shop *shop, const struct change_list *list,
		 struct chunk **ret, size_t *ret_n);
/* Loads an order as it is now; of one that is gone first_seen is 0. */
enum rc view_load(struct store *store, const struct changed *c,
		  struct order *ret);

/* ---- screens.c ---- */

/* A shop with screens. */
struct group {
	struct view view;
	LIST_HEAD(screens, screen) screens;
	size_t listening; /* of those, with ?screen=1 */
	size_t posted;	  /* its rows in the outbox */
	LIST_ENTRY(group) link;
};

struct screen {
	struct request *req; /* borrowed: the screen ends with it */
	struct live *live;
	struct group *group;
	uint64_t id;
	unsigned char credential[TOKEN_HASH_SIZE];
	bool by_session;
	bool listening;
	char view[VIEW_SIZE]; /* where it read up to `from`; "": nowhere */
	uint64_t from;
	bool greeting; /* the room's thread makes its hello */
	bool greeted;  /* hello was sent, and no end: changes may follow */
	int64_t beat_due;
	LIST_ENTRY(screen) link;
};

/* What the loop is to do. */
enum post { POST_CHUNK, POST_END };

struct posted {
	enum post what;
	struct group *group;
	uint64_t screen;     /* 0: each of the group that was greeted */
	struct chunk *chunk; /* owned; of POST_CHUNK */
	STAILQ_ENTRY(posted) link;
};

struct waiter {
	struct request *req; /* borrowed: forgotten before it ends */
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool told; /* its order has changed */
	LIST_ENTRY(waiter) link;
};

struct live {
	struct live_parts parts;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;  /* on CLOCK_MONOTONIC */
	bool signalled, stopping;
	uint64_t own;  /* the newest change of this process */
	uint64_t seen; /* no change up to this is news */
	LIST_HEAD(waiters, waiter) waiters;
	LIST_HEAD(groups, group) groups;
	size_t n_screens;
	uint64_t last_screen; /* the newest screen's id */
	STAILQ_HEAD(, posted) outbox;
	struct http_call call; /* empties the outbox, in the loop */
	bool called;
	struct tally *tally; /* NULL: not counted yet */

	/* The room's thread's own. */
	uint64_t revocations;
	uint64_t shops;	 /* the shops that `tally` was counted for */
	unsigned spread; /* of retry */
};

/* Adds a row to the outbox and takes over the chunk.  Room's thread; the lock
 * is taken. */
void screens_post(struct live *live, enum post what, struct group *g,
		  uint64_t screen, struct chunk *chunk);
/* Room's thread: sends what has changed to each shop. */
void screens_changed(struct live *live, const struct config *config,
		     const struct change_list *l);
/* Room's thread: greets new screens, and ends those that may not be here (any
 * more); true: there are more of them. */
bool screens_greet(struct live *live, const struct config *config);
/* Room's thread: ends screens whose device or session was ended, and follows a
 * reload of the config. */
void screens_watch(struct live *live, const struct config *config);
/* Loop: sends what was posted.  The lock is held. */
void screens_send(struct live *live);
/* Frees groups without screens.  Room's thread; takes the lock. */
void screens_purge(struct live *live);
void screens_close(struct live *live);

#endif
