/* SPDX-License-Identifier: MIT
 *
 * socket.h - listening sockets, made before anything is served, so that a
 * port that cannot be had is known at the start.
 */
#ifndef SERVER_HTTP_SOCKET_H
#define SERVER_HTTP_SOCKET_H

#include <stdbool.h>

#include "base/err.h"

/* Bytes for "[IPv6 address]:65535" and more. */
#define LISTEN_ADDRESS_SIZE 64

/* Opens, binds and listens at "ADDRESS:PORT": an IPv4 address, an IPv6 one in
 * brackets, or localhost; port 0 is any free one.  *ret_address is the address
 * with the port that it got.  RC_INVALID: the text is no such address;
 * RC_EXISTS: the port is in use; RC_DENIED: this process may not use the
 * port. */
enum rc listen_open(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
		    const char *address, struct err *e);

/* Takes over a listening socket that the process inherited (systemd's
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES): the one named "admin" if `admin`,
 * else the one with any other name.  Such a socket goes on listening after we
 * close our copy: clients that connect meanwhile wait for the next process.
 * RC_NOTFOUND: none was inherited; RC_INVALID: it is no listening TCP socket,
 * or a second one was inherited for the same listener. */
enum rc listen_inherited(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
			 bool admin, struct err *e);

#endif
