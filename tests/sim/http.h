/* SPDX-License-Identifier: MIT
 *
 * http.h - the stand-in's HTTP server: /api/order-api, /graphql, /control.
 */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

/* Starts on "ADDRESS:PORT" (port 0: any).  The port, or 0 when it failed. */
unsigned http_start(const char *listen);
void http_stop(void);

#endif
