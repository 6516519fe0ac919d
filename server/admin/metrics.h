/* SPDX-License-Identifier: MIT
 *
 * metrics.h - the text that /metrics shows.
 */
#ifndef SERVER_ADMIN_METRICS_H
#define SERVER_ADMIN_METRICS_H

#include "base/buf.h"

struct app;

/* Prometheus text: the counters, and gauges read from the store now. */
void metrics_write(struct app *app, struct buf *out);

#endif
