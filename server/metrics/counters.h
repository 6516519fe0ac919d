/* SPDX-License-Identifier: MIT
 *
 * counters.h - the counters of /metrics: one field for each row of metrics.def.
 *
 * Every room of server/ counts what it does; server/admin/metrics.c alone shows
 * the counters.  Code outside server/ does not count: it returns what happened.
 * Any thread may count and read.
 */
#ifndef SERVER_METRICS_COUNTERS_H
#define SERVER_METRICS_COUNTERS_H

#include <stdatomic.h>

struct counters {
#define METRIC(name, help) atomic_ullong name;
#define METRIC_HTTP(name, field, help)
#include "server/metrics/metrics.def"
#undef METRIC
#undef METRIC_HTTP
};

/* Adds 1, or n, to a counter of *counters. */
#define COUNT(counters, name) COUNT_BY(counters, name, 1)
#define COUNT_BY(counters, name, n)                                           \
	((void)atomic_fetch_add_explicit(&(counters)->name, (n),              \
					 memory_order_relaxed))

#endif
