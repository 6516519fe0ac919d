/* SPDX-License-Identifier: MIT
 *
 * endpoint.h - reads ADDRESS:PORT, where a server listens.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Reads "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; *ret_len is the
 * length for bind() and connect().  False: the text has none of these forms. */
bool endpoint_read(const char *text, union endpoint *ret, socklen_t *ret_len);

/* Reads a port, 0 to 65535, of at most 5 digits.  False: the text is no
 * port. */
bool port_read(const char *text, in_port_t *ret);

/* Returns the port, in the byte order of this machine. */
in_port_t endpoint_port(const union endpoint *a);

#endif
