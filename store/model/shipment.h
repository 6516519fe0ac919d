/* SPDX-License-Identifier: MIT
 *
 * shipment.h - one shipment of what an offer made a shop's: what the shop asked
 * for, what came of it at Centra, and the call that is under way.
 *
 * A value, part of an offer (order.h).  An offer may have several, one after
 * the other: what could not be sent at once is sent later.
 */
#ifndef STORE_MODEL_SHIPMENT_H
#define STORE_MODEL_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far it has come.  Under way are those up to SHIP_CAPTURED; both kinds of
 * failure may be asked for again.  See shipment_goes_on() for the failure that
 * is not the end. */
enum ship_stage {
	SHIP_ASKED,    /* a shop pressed ship; Centra has no shipment yet */
	SHIP_CREATED,  /* Centra has the shipment; the payment is next */
	SHIP_CAPTURED, /* paid; to be completed */
	SHIP_CAPTURE_FAILED, /* not paid: do not hand over */
	SHIP_FAILED,	     /* stopped; fault and error say why */
	SHIP_SHIPPED,
	SHIP_STAGES,
};

/* "asked", "capture_failed", ...: the words of the API. */
const char *ship_stage_name(enum ship_stage s);

enum ship_capture {
	CAPTURE_NONE,	 /* not tried, or not ours to do */
	CAPTURE_PENDING, /* the payment provider has not confirmed it */
	CAPTURE_DONE,
	CAPTURE_FAILED,
	SHIP_CAPTURES,
};

const char *ship_capture_name(enum ship_capture c);

/* Why a shipment is SHIP_FAILED. */
enum ship_fault {
	FAULT_NONE,
	FAULT_REFUSED, /* Centra would not do it */
	FAULT_CANCELLED,
	FAULT_ON_HOLD,
	FAULT_NOT_OURS, /* it is no longer certain that we are to ship it */
	FAULT_IN_DOUBT, /* Centra said that we are, and does not show it */
	SHIP_FAULTS,
};

/* The calls that change something at Centra.  They are made in this order, but
 * that STEP_GOOD_TO_GO comes just before STEP_COMPLETE: the numbers are stored,
 * so a new step is added at the end. */
enum ship_step {
	STEP_CONFIRM,
	STEP_CREATE,
	STEP_CAPTURE,
	STEP_COMPLETE,
	STEP_GOOD_TO_GO,
	SHIP_STEPS,
};

/* "confirm", "create", "capture", "complete", "good_to_go". */
const char *ship_step_name(enum ship_step s);
/* Of a step's name: what Centra is asked to do, as in "asking Centra to ...";
 * of another word that word. */
const char *ship_step_words(const char *name);

/* Whether units that are in a shipment stay among the allocations of their
 * line.  Centra does not say; what our own createShipment changed shows it. */
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

/* What looks showed of a line.  `ours` and `quantity` are of the look, before
 * the first createShipment of the offer, that showed the most as ours: no more
 * units than that are ever shipped. */
struct ship_held {
	int64_t line;
	int64_t ours;	  /* units allocated to the offer's warehouse */
	int64_t quantity; /* units of the line that were not cancelled */
	int64_t others;	  /* the most that was allocated elsewhere since */
};

#define SHIP_KEY_SIZE 32 /* SHA-256 */

/* An Idempotency-Key under which the parcel was asked for.  Keys belong to
 * devices: two devices may use the same one for different requests. */
struct ship_key {
	uint64_t device;
	unsigned char hash[SHIP_KEY_SIZE];
};

/* What the shop said.  Texts are owned; service and tracking may be NULL. */
struct ship_ask {
	char *carrier, *service, *tracking;
	char *by; /* who, as people know them; or NULL */
	int64_t packages;
	int64_t at;
	uint64_t device;
	bool keyed;		 /* the request had an Idempotency-Key: */
	struct ship_key key;
	bool all;		 /* no lines were named: whatever remained */
	struct ship_line *lines; /* owned; of `all`: as far as is known */
	size_t n_lines;
};

#define SHIP_NUMBER_SIZE 32

struct ship_came {
	enum ship_stage stage;
	enum ship_capture capture;
	enum ship_fault fault;
	int64_t id;		       /* Centra's; 0: none is known */
	char number[SHIP_NUMBER_SIZE]; /* Centra's too: "39790-1", or "" */
	int64_t capture_at; /* when the payment was asked for; 0: not yet */
	int64_t shipped_at; /* 0: it is not shipped */
	bool rest;	    /* shipped, and more of the offer remains */
	char *error;	    /* owned: the last trouble, for people; or NULL */
	enum ship_reading reading; /* what its createShipment showed */
	bool missing; /* the newest look did not show the shipment */
};

struct shipment {
	struct ship_ask ask;
	struct ship_came came;

	/* The newest try at a call. */
	enum ship_step step;
	int64_t try_at; /* when it began; 0: none was made */
	bool trying;	/* it has not ended, as far as is known */
	bool unknown;	/* Centra may have acted on it, or may do so yet */
	unsigned tries[SHIP_STEPS]; /* begun, ever */

	/* As the look before the newest createShipment showed it. */
	int64_t newest_seen; /* greatest id of a shipment of the order, or 0 */
	struct ship_line *before; /* owned: units of each line of the ask that
				   * were allocated to our warehouse */
	size_t n_before;

	struct ship_key *keys; /* owned: all it was asked for under, the newest
				* SHIP_KEYS_MAX; as long as the order is kept */
	size_t n_keys;
};

#define SHIP_KEYS_MAX  16   /* of one shipment */
#define SHIPMENTS_MAX  64   /* of one offer */
#define SHIP_LINES_MAX 1000 /* of one shipment */

bool shipment_under_way(const struct shipment *s);
/* Under way; or Centra refused to let it go when it was to be completed (it is
 * paid and packed by then), and is asked again until it does. */
bool shipment_goes_on(const struct shipment *s);
bool shipment_has_key(const struct shipment *s, const struct ship_key *k);
/* Centra has it, or may have it: its lines stand. */
bool shipment_stands(const struct shipment *s);

/* Copies own what they hold; release is fine on a zeroed one. */
struct ship_ask ship_ask_copy(const struct ship_ask *a);
void ship_ask_release(struct ship_ask *a);
struct ship_came ship_came_copy(const struct ship_came *c);
void ship_came_release(struct ship_came *c);
struct shipment shipment_copy(const struct shipment *s);
void shipment_release(struct shipment *s);

#endif
