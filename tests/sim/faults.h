/* SPDX-License-Identifier: MIT
 *
 * faults.h - what goes wrong on command, and the record of every call.
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/json.h"

enum api { API_ORDER, API_GRAPHQL, API_SOAP };

enum fault_kind {
	FAULT_NONE,
	FAULT_DROP,    /* the connection ends without an answer */
	FAULT_500,
	FAULT_HTML,    /* 200 with a page of a proxy */
	FAULT_HALF,    /* a body that ends in the middle */
	FAULT_SLOW,    /* waits before it acts or answers */
	FAULT_401,
	FAULT_403,
	FAULT_429,
	FAULT_GARBAGE, /* 200 and JSON that is none */
	FAULT_MAYBE,   /* 200 {"status":"maybe"} */
	FAULT_STATUS,  /* another HTTP status, with an empty body */
	FAULT_GZIP,    /* the right reply, compressed, though nobody asked */
	FAULT_ODD,     /* the right reply, with odd characters in its texts */
	FAULT_FIELD,   /* GraphQL: a field is null, and an error says so */
};

struct fault {
	enum fault_kind kind;
	bool after; /* the call acts, and then its answer goes wrong */
	int64_t ms;
	int64_t status;
	char retry_after[64]; /* "": no such header */
	char field[48];	      /* of FAULT_FIELD */
};

void faults_init(unsigned seed);
void faults_reset(void); /* no faults, no calls recorded */
/* Adds one (README.md); NULL, or what is wrong with it. */
const char *faults_add(const cJSON *spec);
void faults_clear(void);
/* The fault that this call about n orders meets; it is used up. */
struct fault faults_next(enum api api, const int64_t *orders, size_t n,
			 const char *what);
const char *fault_name(enum fault_kind k);

/* A call as it was seen.  `acted`: it got past all faults to the rules. */
struct seen {
	enum api api;
	const char *what; /* "check-first", "orders", "createShipment", ... */
	int64_t order, warehouse;
	bool accepted;
	bool acted;
	const char *result; /* "ok", "no", ... */
	const char *msg;    /* or NULL */
	int64_t status;     /* answered; 0: dropped */
	const char *fault;  /* or NULL */
};
void calls_add(const struct seen *s);
/* Those of one order (0: all), oldest first. */
cJSON *calls_list(int64_t order);

#endif
