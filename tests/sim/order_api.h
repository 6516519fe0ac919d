/* SPDX-License-Identifier: MIT
 *
 * order_api.h - the Order API: its plugins, keys and paths.
 *
 * A plugin is an address, /api/NAME, with a key and the warehouse it writes
 * stock to.  /api/order-api is there from the start; POST /control/plugins adds
 * others, as a brand does for its shops.  Each row of `calls` in order_api.c is a
 * path; faults, keys and the record of calls are the same for all.
 */
#ifndef SIM_ORDER_API_H
#define SIM_ORDER_API_H

#include "tests/sim/exchange.h"

/* One call that has the right key and that no fault kept away. */
struct api_call {
	struct exchange *x;
	const cJSON *in;    /* borrowed: the body; NULL when it is no JSON */
	const char *rest;   /* of the path, behind the row's: "1001-1", or "" */
	int64_t warehouse;  /* the plugin's own; 0: it has them all */
	struct seen seen;   /* order and warehouse are known; an action sets
			     * result and msg */
};

void order_api_start(const char *key);
void order_api_set_key(const char *key); /* any thread */
void order_api_stop(void);
void order_api_reset(void); /* the first plugin alone, with all its calls */
/* [{"name","key","warehouse"}]: the plugins beside the first. */
void order_api_plugins(const cJSON *list);
/* "unticked": names of calls that the plugin does not allow (403). */
void order_api_settings(const cJSON *spec);

/* x->path is what follows "/api": "/order-api/check-first". */
void order_api_answer(struct exchange *x);

/* ---- for the calls ---- */

cJSON *api_ok(void); /* {"status":"ok"} */
/* {"status":"no","msg":...}; kept as the call's result. */
cJSON *api_no(struct api_call *c, const char *msg);
/* A whole number of the query, kept between two bounds. */
int64_t api_number(const struct exchange *x, const char *name,
		   int64_t otherwise, int64_t least, int64_t most);

#endif
