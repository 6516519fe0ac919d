/* SPDX-License-Identifier: MIT
 *
 * shipment.h - a shipment of an order that a shop has won: what the shop asked
 * for, what Centra made of it, and the call that is under way.
 *
 * A value, part of an offer (offer.h).  An offer may have several, one after
 * the other: what could not be sent at once is sent later.
 */
#ifndef STORE_MODEL_SHIPMENT_H
#define STORE_MODEL_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a shipment has come.  It is under way up to SHIP_CAPTURED; after both
 * kinds of failure the shop may ask again. shipment_goes_on() tells about the
 * failure after which the task goes on. */
enum ship_stage {
	SHIP_ASKED,    /* a shop pressed ship; Centra has no shipment yet */
	SHIP_CREATED,  /* Centra has the shipment; the payment is next */
	SHIP_CAPTURED, /* the payment is captured; to be completed */
	SHIP_CAPTURE_FAILED, /* the payment failed: do not hand the parcel
			      * over */
	SHIP_FAILED,	     /* stopped; `fault` and `error` say why */
	SHIP_SHIPPED,
	SHIP_STAGES,
};

/* Returns a stage's word in the API, such as "asked" or "capture_failed". */
const char *ship_stage_name(enum ship_stage s);

enum ship_capture {
	CAPTURE_NONE,	 /* not tried yet, or not for us to do */
	CAPTURE_PENDING, /* the payment provider has not confirmed it yet */
	CAPTURE_DONE,
	CAPTURE_FAILED,
	SHIP_CAPTURES,
};

/* Returns a capture's word in the API, such as "pending". */
const char *ship_capture_name(enum ship_capture c);

/* Why a shipment ended as SHIP_FAILED. */
enum ship_fault {
	FAULT_NONE,
	FAULT_REFUSED, /* Centra refused to do it */
	FAULT_CANCELLED,
	FAULT_ON_HOLD,
	FAULT_NOT_OURS, /* Centra no longer shows for certain that this shop is
			 * to ship the order */
	FAULT_IN_DOUBT, /* Centra gave the order to this shop, and no longer
			 * shows that */
	FAULT_GIVEN_BACK, /* the shop's system deleted the shipment */
	SHIP_FAULTS,
};

/* The calls that change something at Centra.  They are made in this order,
 * except that STEP_GOOD_TO_GO comes just before STEP_COMPLETE: the numbers are
 * stored, so new steps go to the end. */
enum ship_step {
	STEP_CONFIRM,
	STEP_CREATE,
	STEP_CAPTURE,
	STEP_COMPLETE,
	STEP_GOOD_TO_GO,
	STEP_EDIT,   /* sets fewer units (Order API) */
	STEP_DELETE, /* removes the shipment (Order API) */
	SHIP_STEPS,
};

/* How far a shipment is to go for now. */
enum ship_goal {
	GOAL_SHIPPED,  /* all the way */
	GOAL_CREATED,  /* Centra has it; the shop's system is to pick it
			* (ship_with = order_api) */
	GOAL_CAPTURED, /* and its payment is captured */
	GOAL_DELETED,  /* Centra no longer has it: the shop's system gave it
			* back */
	SHIP_GOALS,
};

/* Returns "confirm", "create", "capture", "complete", "good_to_go", "edit" or
 * "delete". */
const char *ship_step_name(enum ship_step s);
/* Returns the words for a step's name, as in "asking Centra to ..."; for any
 * other name the name itself. */
const char *ship_step_words(const char *name);

/* Whether units in a shipment remain among the allocations of their line.
 * Centra does not document it; the effect of our own createShipment shows
 * it. */
enum ship_reading {
	READING_UNKNOWN,
	READING_STAY,
	READING_LEAVE,
	SHIP_READINGS,
};

struct ship_line {
	int64_t line; /* Centra's id of the order's line */
	int64_t quantity;
};

struct ship_lines {
	struct ship_line *list; /* owned */
	size_t n;
};

/* What looks showed of a line.  `ours` and `quantity` are from that look before
 * the offer's first createShipment that showed the most units as ours: never
 * more than these are shipped. */
struct ship_held {
	int64_t line;
	int64_t ours;	  /* units allocated to the offer's warehouse */
	int64_t quantity; /* units of the line that are not cancelled */
	int64_t others;	  /* the most units that were allocated to other
			   * warehouses since */
};

#define SHIP_KEY_SIZE 32 /* SHA-256 */

/* An Idempotency-Key with which the parcel was asked for.  Keys belong to
 * devices: two devices may use the same key for different requests. */
struct ship_key {
	uint64_t device;
	unsigned char hash[SHIP_KEY_SIZE];
};

/* What the shop asked for.  Texts are owned; service and tracking may be
 * NULL. */
struct ship_ask {
	char *carrier, *service, *tracking;
	char *by; /* the name of the person or device that asked; or NULL */
	int64_t packages;
	int64_t at;
	uint64_t device;
	bool keyed; /* the request had an Idempotency-Key: `key` */
	struct ship_key key;
	enum ship_goal goal;
	bool all; /* the request named no lines, and means all that remained */
	struct ship_line *lines; /* owned; if `all`, those that were known */
	size_t n_lines;
};

#define SHIP_NUMBER_SIZE 32

struct ship_came {
	enum ship_stage stage;
	enum ship_capture capture;
	enum ship_fault fault;
	int64_t id; /* Centra's id of the shipment; 0: not known */
	char number[SHIP_NUMBER_SIZE]; /* Centra's number of the shipment, such
				        * as "39790-1", or "" */
	int64_t capture_at; /* when the capture was asked for; 0: not yet */
	int64_t shipped_at; /* when the parcel was sent; 0: not yet */
	bool rest;	    /* the shipment is sent, and some of the offer
			     * remains to be shipped */
	char *error;	    /* owned: the last thing that went wrong, for
			     * people; or NULL */
	enum ship_reading reading; /* how its createShipment changed the
				    * allocations */
	bool missing; /* the newest look did not show this shipment */
};

struct shipment {
	struct ship_ask ask;
	struct ship_came came;

	/* The newest try at a call to Centra. */
	enum ship_step step;
	int64_t try_at; /* when it began; 0: no call was tried */
	bool trying;	/* the try has begun, and is not known to have ended */
	bool unknown;	/* the try's outcome is unknown: Centra may have acted,
			 * or may act yet */
	unsigned tries[SHIP_STEPS]; /* begun, ever */

	/* What the look before the newest createShipment showed. */
	int64_t newest_seen; /* the greatest id of a shipment of the order; 0:
			      * it had none */
	struct ship_line *before; /* owned: for each line that was asked for,
				   * the units allocated to our warehouse */
	size_t n_before;

	/* A short pick that Centra is still to be told: the units of every line
	 * of the shipment that has any; n_edit 0: none. */
	struct ship_line *edit; /* owned */
	size_t n_edit;
	/* What Centra's Order API shows of the shipment, for the shop's system:
	 * JSON objects, owned; NULL: not fetched.  `person` has the names,
	 * addresses and notes; it goes when the shipment is sent, and when the
	 * order is no longer this shop's. */
	char *shown, *person;
	char deleted[SHIP_NUMBER_SIZE]; /* the number of the shipment that was
					 * given back last, or "" */

	struct ship_key *keys; /* owned: the keys with which it was asked for,
			        * the newest SHIP_KEYS_MAX; kept as long as the
			        * order */
	size_t n_keys;
};

#define SHIP_KEYS_MAX  16   /* of one shipment */
#define SHIPMENTS_MAX  64   /* of one offer */
#define SHIP_LINES_MAX 1000 /* of one shipment */
#define SHIP_SHOWN_MAX ((size_t)256 << 10) /* bytes of each of `shown` and
					    * `person`; a longer one is not
					    * kept */

/* JSON objects that Centra's Order API showed of a shipment.  Owned; NULL is
 * fine. */
struct ship_shown {
	char *shown, *person;
};

/* True up to SHIP_CAPTURED: it is neither sent nor failed. */
bool shipment_under_way(const struct shipment *s);
/* True if the task goes on with the shipment: it is under way, or Centra
 * refused to complete it when it was paid and packed, and is asked again. */
bool shipment_goes_on(const struct shipment *s);
bool shipment_has_key(const struct shipment *s, const struct ship_key *k);
/* True if Centra has the shipment, or may have it, so that its lines can no
 * longer be changed. */
bool shipment_stands(const struct shipment *s);

/* Copies own what they hold.  The release functions may be called for zeroed
 * ones. */
struct ship_ask ship_ask_copy(const struct ship_ask *a);
void ship_ask_release(struct ship_ask *a);
struct ship_came ship_came_copy(const struct ship_came *c);
void ship_came_release(struct ship_came *c);
struct shipment shipment_copy(const struct shipment *s);
void shipment_release(struct shipment *s);

#endif
