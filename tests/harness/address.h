/* SPDX-License-Identifier: MIT
 *
 * address.h - where programs under test listen.
 *
 * The system gives the ports of net.ipv4.ip_local_port_range to whoever
 * connects or asks for any port.  A program that is started again on such a port
 * may find it in use.  So programs under test listen outside that range, at a
 * loopback address that belongs to this process alone.
 *
 * Threads: any.
 */
#ifndef HARNESS_ADDRESS_H
#define HARNESS_ADDRESS_H

struct sockaddr_in;

#define ADDRESS_ROOM 64

/* The ports that the system gives away: *ret_first to *ret_last. */
void given_ports(int *ret_first, int *ret_last);
/* An address ("127.1.2.1:12345") at which nothing listens, in ret. */
const char *free_address(char ret[ADDRESS_ROOM]);
/* The socket address of "127.1.2.1:12345", or of a URL that has no path. */
void address_of(const char *text, struct sockaddr_in *ret);

#endif
