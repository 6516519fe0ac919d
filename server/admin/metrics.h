/* SPDX-License-Identifier: MIT
 *
 * metrics.h - the text that /metrics shows.
 */
#ifndef SERVER_ADMIN_METRICS_H
#define SERVER_ADMIN_METRICS_H

#include "base/buf.h"
#include "server/admin/admin.h"


/* Writes the metrics in Prometheus' text format: the counters, and gauges that
 * are read from the store now.  Any thread but the loop's. */
void metrics_write(const struct admin *a, struct buf *out);

#endif
