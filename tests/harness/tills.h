/* SPDX-License-Identifier: MIT
 *
 * tills.h - shops whose own systems are told of their orders: the server with its
 * receivers, and what they were told.
 *
 * A failure in here ends the test, so only the test's own thread may call.
 */
#ifndef HARNESS_TILLS_H
#define HARNESS_TILLS_H

#include "tests/harness/orders.h"
#include "tests/harness/receiver.h"

#define TILL_KNOWS "the+till-knows=this" /* the secret that receivers begin with */
/* Lets the server call receivers that are on this machine. */
#define TILL_NEAR "notify_private = yes\nnotify_http = yes\n"
/* A receiver that was away is tried again within so many ms. */
#define TILL_SOON 20000

/* The system of amsterdam, and those of the other shops where a test has started
 * one for them. */
extern struct receiver *till, *stockholm, *berlin;

/* Starts the receiver of amsterdam, unless it runs, and the server, which calls
 * each receiver; what `o` sets goes before.  *state gets what is returned. */
struct shipfrom *tills_start(void **state, struct shipfrom_options o);
/* A fixture of cmocka: as tills_start() without options. */
int tills_setup(void **state);
int tills_end(void **state);

/* Runs a verb, "redrive --kind notify", and returns what it prints; the caller
 * frees it. */
char *verb_prints(struct shipfrom *s, const char *line);
/* Waits until the verb prints `has`, and `too` unless that is NULL. */
void wait_printed(struct shipfrom *s, const char *line, const char *has,
		  const char *too, int ms);

/* The check-first events of an order as they came first, "create accepted"; one
 * that is repeated stands once. */
#define STORY_ROOM 512
const char *check_first_story(struct receiver *r, int64_t number,
			      char ret[STORY_ROOM]);
/* Waits until this is the order's story. */
void wait_told(struct receiver *r, int64_t number, const char *expect, int ms);
/* The place of the first event of that kind about that id; -1: none came. */
int event_place(struct receiver *r, const char *type, const char *action,
		int64_t id);
/* Waits for an event, and returns its place among all that came. */
int wait_event(struct receiver *r, const char *type, const char *action,
	       int64_t id);
/* All that came has Centra's form and a right signature. */
void assert_sound(struct receiver *r);
/* Waits until the receiver was called so many times more: connected to, and read
 * whole. */
void wait_calls(struct receiver *r, int connections, int tries, int ms);

/* The shop accepts the order, and Centra agrees. */
void accept_order(struct shipfrom *s, enum shop shop, int64_t number);
/* Has the stand-in do something to the order. */
void order_control(struct shipfrom *s, int64_t number, const char *verb,
		   const char *json);

#endif
