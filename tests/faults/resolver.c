/* SPDX-License-Identifier: MIT
 *
 * resolver.c - a name whose address changes after the first look (LD_PRELOAD), as
 * a stranger's DNS server does who wants a server to call into its own network.
 *
 * $RESOLVER_NAME is the name.  The first look finds PUBLIC, to which no connection
 * is really made: connect() is refused.  Each later look finds the address of
 * $RESOLVER_THEN ("127.1.2.1:12345").  $RESOLVER names a file of three ints of
 * this machine: how often the name was looked up, and how often connect() was
 * called for the public and for the other address.  A start of the program does
 * not reset them.  With $RESOLVER_HANGS each look takes so many seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/faults/real.h"

#define PUBLIC "198.41.0.4"

enum { LOOKS, TO_PUBLIC, TO_PRIVATE, COUNTS };

typedef int look_fn(const char *node, const char *service,
		    const struct addrinfo *hints, struct addrinfo **res);
typedef int connect_fn(int fd, const struct sockaddr *to, socklen_t len);

static _Atomic int own[COUNTS];
static _Atomic int *counts = own;
static const char *name = "";
static char then[64]; /* the address without its port */
static struct sockaddr_in public_one, private_one;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("RESOLVER"), *to = getenv("RESOLVER_THEN");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0 || !to || !strchr(to, ':') || !getenv("RESOLVER_NAME"))
		abort(); /* or the test would prove nothing */
	map = mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
	counts = map;
	name = getenv("RESOLVER_NAME");
	strncpy(then, to, strcspn(to, ":"));
	inet_pton(AF_INET, PUBLIC, &public_one.sin_addr);
	inet_pton(AF_INET, then, &private_one.sin_addr);
	private_one.sin_port =
		htons((uint16_t)strtol(strchr(to, ':') + 1, NULL, 10));
}

int getaddrinfo(const char *node, const char *service,
		const struct addrinfo *hints, struct addrinfo **res)
{
	look_fn *real = REAL(look_fn *, "getaddrinfo");

	if (node && !strcmp(node, name)) {
		node = counts[LOOKS]++ ? then : PUBLIC;
		if (getenv("RESOLVER_HANGS"))
			sleep((unsigned)strtoul(getenv("RESOLVER_HANGS"),
						NULL, 10));
	}
	return real(node, service, hints, res);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct sockaddr_in a = {0};

	if (to->sa_family == AF_INET)
		memcpy(&a, to, sizeof(a));
	if (a.sin_addr.s_addr == public_one.sin_addr.s_addr) {
		counts[TO_PUBLIC]++;
		errno = ECONNREFUSED;
		return -1;
	}
	if (a.sin_addr.s_addr == private_one.sin_addr.s_addr &&
	    a.sin_port == private_one.sin_port)
		counts[TO_PRIVATE]++;
	return REAL(connect_fn *, "connect")(fd, to, len);
}
