/* SPDX-License-Identifier: MIT
 *
 * shipment.h - one shipment of what an offer made a shop's: what the shop asked
 * for, what came of it at Centra, and the call that is under way.
 *
 * A value, part of an offer (order.h).  An offer may have several, one after
 * the other: what could not be sent at once is sent later.
 */
#ifndef STORE_SHIPMENT_H
#define STORE_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far it has come.  Under way are those up to SHIP_CAPTURED; both kinds of
 * failure may be asked for again. */
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

/* The calls that change something at Centra, in the order they are made. */
enum ship_step {
	STEP_CONFIRM,
	STEP_CREATE,
	STEP_CAPTURE,
	STEP_COMPLETE,
	SHIP_STEPS,
};

struct ship_line {
	int64_t line; /* Centra's id of the order's line */
	int64_t quantity;
};

/* What the shop said.  Texts are owned; service and tracking may be NULL. */
struct ship_ask {
	char *carrier, *service, *tracking;
	char *by; /* who, as people know them; or NULL */
	int64_t packages;
	int64_t at;
	uint64_t device;
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
};

#define SHIPMENTS_MAX  64   /* of one offer */
#define SHIP_LINES_MAX 1000 /* of one shipment */

bool shipment_under_way(const struct shipment *s);
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
