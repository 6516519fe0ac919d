/* SPDX-License-Identifier: MIT
 *
 * fill.h - fills a store that no server has open, in large transactions.
 */
#ifndef BENCH_GROWTH_FILL_H
#define BENCH_GROWTH_FILL_H

#include <stdbool.h>
#include <stdint.h>

/* What is put into the store, behind what it has.  Numbers are not used twice:
 * a second call goes on at `first`. */
struct fill {
	int64_t first;  /* the first number of an order or a customer */
	long kept;      /* events that are stored and nothing more */
	long orders;    /* orders that were offered to warehouse 3 and taken by
			 * another; each has two events, and a fetch waits */
	long open;      /* orders with an open offer of warehouse 3; each has one
			 * event, and a fetch waits */
	long tasks;	/* more fetches, of orders that are not known */
	int64_t ahead;  /* ms: everything is dated so far after the clock;
			 * negative: before it */
	int64_t put_off; /* ms: each waiting task has failed once, and is due so
			  * long after the clock; 0: due now */
	bool ended;      /* no task waits: each fetch has ended; not with
			  * put_off */
};

/* What the store takes, in bytes. */
struct filled {
	uint64_t kept, orders; /* the growth, by the rows of each */
	uint64_t used;	       /* all, at the end */
	uint64_t waiting;      /* tasks */
	double seconds;
};

/* url: "lmdb:FOLDER".  0, or -1 with a line on stderr. */
int fill_store(const char *url, const struct fill *f, struct filled *ret);

#endif
