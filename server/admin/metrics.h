/* SPDX-License-Identifier: MIT
 *
 * metrics.h - counters, and the text that /metrics shows.  Only server/
 * counts: lower folders return what happened.
 */
#ifndef SERVER_ADMIN_METRICS_H
#define SERVER_ADMIN_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"

struct app;

struct metrics {
#define METRIC(name, help) atomic_ullong name;
#include "server/admin/metrics.def"
#undef METRIC
};

#define METRIC_ADD(app, name, n)                                              \
	atomic_fetch_add_explicit(&(app)->metrics.name, (n),                  \
				  memory_order_relaxed)

/* Prometheus text: the counters, and gauges read from the store now. */
void metrics_write(struct app *app, struct buf *out);

#endif
