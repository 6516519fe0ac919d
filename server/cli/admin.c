/* SPDX-License-Identifier: MIT
 *
 * admin.c - see admin.h.
 */
#include "server/cli/admin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/number.h"

#define ANSWER_MAX (8 << 20)
#define PATIENCE   45 /* s to wait for a reply; the server replies or gives up
		       * earlier */

/* If the server listens on all addresses, turns its address into the loopback
 * address. */
static void make_reachable(union endpoint *a)
{
	if (a->any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr))
		a->v6.sin6_addr = in6addr_loopback;
	else if (a->any.sa_family == AF_INET &&
		 a->v4.sin_addr.s_addr == htonl(INADDR_ANY))
		a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Connects to an address.  `setting`: the setting that it comes from, for
 * messages. */
static enum rc dial(const char *setting, const char *address, int *ret,
		    struct err *e)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	union endpoint at;
	socklen_t len;

	*ret = -1;
	if (!endpoint_read(address, &at, &len) || !endpoint_port(&at))
		return fail(e, RC_INVALID,
			    "%s is '%s': give it a port to be asked at",
			    setting, address);
	make_reachable(&at);
	*ret = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret < 0 ||
	    setsockopt(*ret, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    connect(*ret, &at.any, len))
		return fail(e, RC_AGAIN, "no server answers at '%s' (%s)",
			    address, strerror(errno));
	return OK;
}

static enum rc send_request(int fd, const char *address, const char *method,
			const char *path, struct buf *all, struct err *e)
{
	char *head = xasprintf("%s %s HTTP/1.1\r\nHost: %s\r\n"
			       "Connection: close\r\n%s\r\n",
			       method, path, address,
			       strcmp(method, "GET") ? "Content-Length: 0\r\n"
						     : "");
	size_t len = strlen(head);
	char piece[8192];
	ssize_t n = send(fd, head, len, MSG_NOSIGNAL);
	enum rc rc = OK;

	free(head);
	if (n != (ssize_t)len)
		return fail(e, RC_AGAIN, "the server does not listen: %s",
			    strerror(errno));
	while (!rc && (n = recv(fd, piece, sizeof(piece), 0)) > 0)
		rc = buf_add(all, piece, (size_t)n);
	if (rc)
		return fail(e, RC_FULL, "the server's answer is too long");
	return n < 0 ? fail(e, RC_AGAIN, "the server does not answer: %s",
			    strerror(errno))
		     : OK;
}

static enum rc ask(const char *setting, const char *address,
		   const char *method, const char *path,
		   struct admin_answer *ret, struct err *e)
{
	const char *body, *status;
	struct buf all;
	int64_t n;
	int fd = -1;
	enum rc rc;

	*ret = (struct admin_answer){0};
	buf_init(&ret->body, ANSWER_MAX);
	buf_init(&all, ANSWER_MAX);
	rc = dial(setting, address, &fd, e);
	if (!rc)
		rc = send_request(fd, address, method, path, &all, e);
	if (rc)
		goto out;
	body = all.data ? strstr(all.data, "\r\n\r\n") : NULL;
	if (!body || strncmp(all.data, "HTTP/1.1 ", 9)) {
		rc = fail(e, RC_AGAIN, "what answers at '%s' is no shipfrom",
			  address);
		goto out;
	}
	status = all.data + 9;
	if (number_begin(&status, 999, &n))
		ret->status = (int)n;
	body += 4;
	rc = buf_add(&ret->body, body, all.len - (size_t)(body - all.data));
out:
	if (fd >= 0)
		close(fd);
	buf_release(&all);
	if (rc)
		buf_release(&ret->body);
	return rc;
}

enum rc cli_admin(const struct config *c, const char *method, const char *path,
		  struct admin_answer *ret, struct err *e)
{
	return ask("admin_listen", c->server.admin_listen, method, path, ret,
		   e);
}

enum rc cli_public(const struct config *c, const char *method,
		   const char *path, struct admin_answer *ret, struct err *e)
{
	return ask("listen", c->server.listen, method, path, ret, e);
}
