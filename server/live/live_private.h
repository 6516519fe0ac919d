/* SPDX-License-Identifier: MIT
 *
 * live_private.h - the inside of changes.h, for the files of this room:
 *
 *	changes    the thread that follows the store; waiting requests
 *	views      the texts of events, made once for each shop
 *	screens    the connected screens, and what the loop is to send them
 *	unwatched  the count of pending offers without a screen, for /metrics
 *
 * Threads:  live->lock protects what the room's thread shares with others: the
 *           waiters, the groups and their screens, and the outbox.  The
 *           contents of a view belong to the room's thread.  Requests are
 *           touched in the loop alone: everything for a screen goes through the
 *           outbox, which the loop empties.
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

#define ROUND_MS       40  /* ms between two rounds of events, at least: a change
			    * that comes after a quiet time is sent at once,
			    * those that follow it are sent together */
#define ORDERS_AT_ONCE 128 /* events of one shop in a round; after more, its
			    * screens read their lists again */
#define ROUND_BYTES ((size_t)32 << 20) /* the same, in bytes */
#define TOUCHED	       256 /* orders that are told of again in one round */
#define TOLD	       512 /* numbers of orders that are remembered for a
			    * shop */
#define VIEW_SIZE      40  /* bytes of "-EPOCH-HASH", both of 16 hex digits, and
			    * the NUL */

/* A range of changes, as store_changes() gives them. */
struct change_list {
	struct changed *list; /* owned */
	size_t n, cap;
	size_t most;	/* if there are more changes than these, they count as a
			 * gap */
	uint64_t after; /* the range begins after this change number */
	uint64_t to;	/* the range ends with this change number */
	bool gap;	/* some changes of the range were dropped by the store,
			 * or there are too many */
};

enum rc change_list_read(struct change_list *l, struct store *store,
			 struct err *e);
/* Keeps only the last change of each order, in the order of the changes. */
void change_list_last(struct change_list *l);
void change_list_release(struct change_list *l);

/* ---- views.c ---- All for the room's thread, except view_beat(). */

/* The text of an order's event as it was sent most recently. */
struct sent {
	int64_t number;
	uint64_t change;
	char *text; /* owned; NULL: this place is free */
	size_t len;
};

/* What the screens of one shop are sent, and have been sent. */
struct view {
	char shop[SHOP_SIZE];
	char id[VIEW_SIZE]; /* the second part of the ids of this shop's
			     * events */
	int64_t told[TOLD]; /* the orders that were sent most recently: only for
			     * these is `removed` sent */
	unsigned n_told;    /* ever */
	struct sent sent[ORDERS_AT_ONCE];
	unsigned n_sent; /* ever */
};

/* Makes the id of a shop's view: the store's epoch, and a hash of which orders
 * the shop sees.  A change number from another view means nothing in this
 * one. */
void view_id(char ret[VIEW_SIZE], const struct store *store,
	     const struct config_shop *shop);
void view_release(struct view *v);
/* Makes the event `hello`.  NULL: its text would be too long.  `retry`: after
 * how many ms a browser connects again. */
struct chunk *view_hello(const struct view *v, uint64_t seen, bool resync,
			 unsigned retry);
struct chunk *view_beat(const struct view *v, uint64_t seen);
/* Makes the event of an order as it is now.  NULL: nothing is to be sent, as
 * for an order that this shop was never told of: not even its number is the
 * shop's business. */
struct chunk *view_order(struct live *live, struct view *v,
			 const struct config_shop *shop, const struct order *o,
			 uint64_t change);
/* Makes the events that a screen missed; *ret has room for ORDERS_AT_ONCE.
 * False: the screen missed too much. */
bool view_missed(struct live *live, struct view *v,
		 const struct config_shop *shop, const struct change_list *list,
		 struct chunk **ret, size_t *ret_n);
/* Loads an order as it is now. first_seen is 0 if the order is gone. */
enum rc view_load(struct store *store, const struct changed *c,
		  struct order *ret);

/* ---- screens.c ---- */

/* The screens of one shop. */
struct group {
	struct view view;
	/* For the room's thread alone, in a round. */
	const struct config_shop *shop; /* borrowed; NULL: it is gone */
	struct buf round; /* the events */
	size_t n_round;	  /* how many; more than ORDERS_AT_ONCE: too many, and
			   * `round` is empty */

	LIST_HEAD(screens, screen) screens;
	size_t listening; /* how many of `screens` have ?screen=1 */
	size_t posted;	  /* how many rows of the outbox are for this group */
	LIST_ENTRY(group) link;
};

struct screen {
	struct request *req; /* borrowed: the screen is freed when the request
			      * ends */
	struct live *live;
	struct group *group;
	uint64_t id;
	unsigned char credential[TOKEN_HASH_SIZE];
	bool by_session;
	bool listening;
	char view[VIEW_SIZE]; /* the view in which the client has read up to
			       * change `from`; "": none */
	uint64_t from;
	bool greeting; /* the room's thread is making its `hello` */
	bool greeted;  /* hello was sent, and no end: changes may follow */
	int64_t beat_due;
	LIST_ENTRY(screen) link;
};

/* What the loop is to do with a row of the outbox. */
enum post { POST_CHUNK, POST_END };

struct posted {
	enum post what;
	struct group *group;
	uint64_t screen;     /* the id of one screen; 0: all of the group that
			      * were greeted */
	struct chunk *chunk; /* owned; for POST_CHUNK */
	STAILQ_ENTRY(posted) link;
};

struct waiter {
	struct request *req; /* borrowed: live_forget() removes the waiter
			      * before the request ends */
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool told; /* the order has changed: resume the request */
	LIST_ENTRY(waiter) link;
};

struct live {
	struct live_parts parts;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;  /* on CLOCK_MONOTONIC */
	bool signalled, stopping;
	bool joined; /* a new screen waits for its greeting, which names the
		      * newest change: all changes up to it are sent first,
		      * as a round */
	bool gathering; /* the room's thread waits for the next round: it is not
			 * woken for changes that no request waits for */
	struct changed touched[TOUCHED]; /* orders of live_touch(); their
					  * `change` is not used */
	size_t n_touched;
	uint64_t own;  /* the newest change number that this process made */
	uint64_t seen; /* the events of changes up to this number were sent to
			* the screens, or are in the outbox */
	LIST_HEAD(waiters, waiter) waiters;
	LIST_HEAD(groups, group) groups;
	size_t n_screens;
	uint64_t last_screen; /* the id that was given to the newest screen */
	STAILQ_HEAD(, posted) outbox;
	struct http_call call; /* has the loop empty the outbox */
	bool called;
	struct tally *tally; /* pending offers by warehouse; NULL: not counted
			      * yet */

	struct tally *counting; /* what becomes `tally` when all are counted;
				 * or NULL */

	/* For the room's thread alone. */
	uint64_t marked;   /* changes up to this number were looked at for
			    * requests that wait */
	int64_t round_due; /* time_mono: no round begins before */
	uint64_t revocations;
	uint64_t shops;	 /* hash of the shops' warehouses for which `tally` or
			  * `counting` is */
	unsigned spread; /* of retry */
};

/* ---- changes.c ---- Room's thread. */

/* Sends what has changed up to `newest` to the screens, as a round. */
void live_follow(struct live *live, const struct config *config,
		 uint64_t newest);
/* Returns when the room's thread is to work again, signalled or not, after it
 * looked at the changes up to `newest` at the moment `now` (both results and
 * `now` in time_mono): at the next round, if one is due or changes wait for it;
 * else after POLL. */
int64_t live_next_look(const struct live *live, uint64_t newest, int64_t now);
/* Counts pending offers that are not counted yet, a few at a time.  True: there
 * are more. */
bool live_count(struct live *live, const struct config *config);

/* ---- screens.c ---- */

/* A round: screens_round_begin(), screens_changed() with each list of changes,
 * screens_round_end(), which posts each shop's events in one piece, and notes
 * that they are those of all changes up to `seen`; a shop that has too many, and
 * all shops after a gap in the changes, have their screens read their lists
 * again.  The config outlives the round.  Room's thread. */
void screens_round_begin(struct live *live, const struct config *config);
void screens_changed(struct live *live, const struct change_list *l);
void screens_round_end(struct live *live, uint64_t seen);
/* Has pending offers counted anew.  Room's thread. */
void screens_recount(struct live *live);
/* Room's thread: greets new screens, and ends those that may not be here (any
 * more); true: there are more of them. */
bool screens_greet(struct live *live, const struct config *config);
/* Ends screens whose device or session was ended, and adapts to a reloaded
 * config.  Room's thread. */
void screens_watch(struct live *live, const struct config *config);
/* Sends what was posted.  Loop thread, with the lock held. */
void screens_send(struct live *live);
/* Frees groups that have no screens.  Room's thread; takes the lock. */
void screens_purge(struct live *live);
void screens_close(struct live *live);

#endif
