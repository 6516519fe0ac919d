/* SPDX-License-Identifier: MIT
 *
 * networks.h - lists of IP addresses and networks, and the client's address of
 * a request that came through trusted proxies.
 */
#ifndef BASE_NETWORKS_H
#define BASE_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CLIENT_SIZE 46 /* bytes of an address as text, the longest IPv6 address
		      * included */

/* An IP address.  IPv4 addresses are kept as ::ffff:1.2.3.4, so that each
 * address has one form. */
struct address {
	unsigned char b[16];
};

struct network {
	struct address base;
	unsigned bits; /* of 128 */
};

struct networks {
	struct network *list; /* owned */
	size_t n;
};

/* Reads "10.0.0.7" or "::1", also with a zone, or as [::1]:443 or
 * 10.0.0.7:443. */
bool address_read(struct address *ret, const char *text, size_t len);
void address_text(char ret[CLIENT_SIZE], const struct address *a);
/* True if the address is one of a single host that anybody on the internet may
 * have.  False for those of this host, of private, shared and link-local
 * networks, of many hosts (multicast, broadcast), for those that are reserved
 * (documentation, benchmarks), and for IPv6 addresses that carry an IPv4 address
 * (6to4, Teredo, NAT64), since they may lead to any of those. */
bool address_is_public(const struct address *a);

/* Reads a list such as "127.0.0.1, 10.0.0.0/8 2001:db8::/32"; NULL is an empty
 * list.  RC_INVALID names the entry that is neither an address nor a
 * network. */
enum rc networks_read(struct networks *ret, const char *text, struct err *e);
void networks_release(struct networks *n);
bool networks_have(const struct networks *n, const struct address *a);

/* Finds the client's address of a request.  `socket` is the address that
 * connected.  Only if it is one of `trusted` is X-Forwarded-For read, from its
 * end: each trusted proxy vouches for the address that it wrote, and the first
 * address that is not trusted is the client's.  An entry that cannot be read
 * ends the search: the client is then the last address that was vouched for.
 * `values`: the n headers of that name, in their order. */
void networks_client(char ret[CLIENT_SIZE], const struct networks *trusted,
		   const char *socket, const char *const *values, size_t n);

#endif
