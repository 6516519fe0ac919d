/* SPDX-License-Identifier: MIT
 *
 * socket.c - see socket.h.
 */
#include "server/http/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/number.h"

#define BACKLOG 4096 /* connections that may wait to be accepted; in a burst,
		      * clients beyond that wait a second or more */

static bool address_write(int fd, char ret[LISTEN_ADDRESS_SIZE])
{
	union endpoint a = {0};
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN];

	if (getsockname(fd, &a.any, &len))
		return false;
	if (a.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
		snprintf(ret, LISTEN_ADDRESS_SIZE, "[%s]:%u", host,
			 ntohs(a.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
		snprintf(ret, LISTEN_ADDRESS_SIZE, "%s:%u", host,
			 ntohs(a.v4.sin_port));
	}
	return true;
}

static enum rc errno_rc(int error)
{
	if (error == EADDRINUSE)
		return RC_EXISTS;
	return error == EACCES || error == EPERM ? RC_DENIED : RC_IO;
}

enum rc listen_open(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
		    const char *address, struct err *e)
{
	union endpoint a;
	socklen_t len = 0;
	const int yes = 1;
	enum rc rc = OK;
	int fd = -1;

	if (!endpoint_read(address, &a, &len))
		return fail(e, RC_INVALID,
			    "'%s' is no ADDRESS:PORT, such as 127.0.0.1:8080 "
			    "or [::1]:8080", address);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    (a.any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes))) ||
	    bind(fd, &a.any, len) || listen(fd, BACKLOG) ||
	    !address_write(fd, ret_address)) {
		rc = fail(e, errno_rc(errno), "cannot listen at '%s': %s",
			  address, strerror(errno));
		goto out;
	}
	*ret = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- sockets that we were given ---- */

#define FIRST_FD 3

/* Reads a whole number from a variable of the environment; -1: it is not set,
 * or no number. */
static long number_of(const char *name)
{
	const char *text = getenv(name);
	int64_t n = -1;

	if (text)
		number_read(text, 0, INT32_MAX, &n);
	return (long)n;
}

/* True if the i-th of the names in the list "a:b:c" is `name`. */
static bool is_named(const char *names, long i, const char *name)
{
	size_t len = strlen(name);

	while (names && i-- > 0) {
		names = strchr(names, ':');
		names = names ? names + 1 : NULL;
	}
	return names && !strncmp(names, name, len) &&
	       (!names[len] || names[len] == ':');
}

/* Returns the descriptor that we inherited for this listener, or -1; *ret_more:
 * a second one for the same listener, or -1. */
static int given(bool admin, int *ret_more)
{
	long n = number_of("LISTEN_FDS");
	int ret = -1;

	*ret_more = -1;
	if (number_of("LISTEN_PID") != (long)getpid())
		return -1;
	for (long i = 0; i < n; i++) {
		if (is_named(getenv("LISTEN_FDNAMES"), i, "admin") != admin)
			continue;
		if (ret >= 0) {
			*ret_more = FIRST_FD + (int)i;
			break;
		}
		ret = FIRST_FD + (int)i;
	}
	return ret;
}

static bool is_listening(int fd)
{
	socklen_t len = sizeof(int), type_len = sizeof(int);
	union endpoint a = {0};
	socklen_t a_len = sizeof(a);
	int yes = 0, type = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) && yes &&
	       !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) &&
	       type == SOCK_STREAM && !getsockname(fd, &a.any, &a_len) &&
	       (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6);
}

enum rc listen_inherited(int *ret, char ret_address[LISTEN_ADDRESS_SIZE],
			 bool admin, struct err *e)
{
	int more, fd = given(admin, &more), flags;

	if (fd < 0)
		return fail(e, RC_NOTFOUND, "no socket was given");
	/* A second socket that is left open would go on listening, and its
	 * clients would wait for ever. */
	if (more >= 0)
		return fail(e, RC_INVALID,
			    "descriptor %d, of LISTEN_FDS, is one too many: "
			    "there is one socket, and one named 'admin'", more);
	flags = fcntl(fd, F_GETFL);
	if (!is_listening(fd) || !address_write(fd, ret_address) ||
	    flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return fail(e, RC_INVALID,
			    "descriptor %d, of LISTEN_FDS, is no listening "
			    "socket of TCP", fd);
	*ret = fd;
	return OK;
}
