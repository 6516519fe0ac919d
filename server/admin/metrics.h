/* SPDX-License-Identifier: MIT
 *
 * metrics.h - the text that /metrics shows.
 */
#ifndef SERVER_ADMIN_METRICS_H
#define SERVER_ADMIN_METRICS_H

#include "base/buf.h"
#include "server/admin/admin.h"


/* Prometheus text: the counters, and gauges read from the store now. */
void metrics_write(const struct admin *a, struct buf *out);

#endif
