/* SPDX-License-Identifier: MIT
 *
 * socket.h - listening sockets, made before anything is served, so that a
 * port that cannot be had is known at the start.
 */
#ifndef SERVER_HTTP_SOCKET_H
#define SERVER_HTTP_SOCKET_H

#include <stdbool.h>

#include "base/err.h"

/* "[IPv6 address]:65535" */
#define LISTEN_ADDRESS_SIZE 64

/* Opens, binds and listens at "ADDRESS:PORT": an IPv4 address, an IPv6 one in
 * brackets, or localhost; port 0 is any free one.  *ret_address tells which it
 * became.  RC_INVALID: not such a text; RC_EXISTS: the port is taken;
 * RC_DENIED: not allowed to us. */
enum rc listen_open(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
		    const char *address, struct err *e);

/* Takes a socket that whoever started us listens at already (systemd's
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES): the one named "admin" when
 * `admin`, else the one of any other name.  Such a socket goes on listening
 * when ours of it is closed: who connects meanwhile waits for our successor.
 * RC_NOTFOUND: we were given none; RC_INVALID: what we were given is no
 * listening socket of TCP, or there is a second for the same. */
enum rc listen_inherited(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
			 bool admin, struct err *e);

#endif
