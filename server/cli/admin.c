/* SPDX-License-Identifier: MIT
 *
 * admin.c - see admin.h.
 */
#include "server/cli/admin.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

#define ANSWER_MAX (8 << 20)
#define PATIENCE   45 /* s; the server answers or gives up earlier */

/* Splits "127.0.0.1:8081" or "[::1]:8081" into address and port, which the
 * caller frees. */
static bool split(const char *address, char **ret_host, char **ret_port)
{
	const char *colon = strrchr(address, ':');
	bool brackets = address[0] == '[' && colon > address &&
			colon[-1] == ']';
	size_t n;

	if (!colon || !colon[1])
		return false;
	n = (size_t)(colon - address);
	*ret_host = brackets ? xstrndup(address + 1, n - 2)
			     : xstrndup(address, n);
	*ret_port = xstrdup(colon + 1);
	return true;
}

/* A server that listens on all addresses is asked on the loopback. */
static const char *reachable(const char *host)
{
	if (!strcmp(host, "0.0.0.0"))
		return "127.0.0.1";
	return strcmp(host, "::") ? host : "::1";
}

/* `setting`: the setting that the address comes from. */
static enum rc dial(const char *setting, const char *address, int *ret,
		    struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const struct timeval patience = {.tv_sec = PATIENCE};
	char *host = NULL, *port = NULL;
	struct addrinfo *at = NULL;
	enum rc rc = OK;

	*ret = -1;
	if (!split(address, &host, &port) || !strcmp(port, "0")) {
		rc = fail(e, RC_INVALID,
			  "%s is '%s': give it a port to be asked at", setting,
			  address);
		goto out;
	}
	if (getaddrinfo(reachable(host), port, &hints, &at)) {
		rc = fail(e, RC_INVALID, "there is no address '%s'", address);
		goto out;
	}
	*ret = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret < 0 ||
	    setsockopt(*ret, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    connect(*ret, at->ai_addr, at->ai_addrlen))
		rc = fail(e, RC_AGAIN,
			  "no server answers at '%s' (%s)", address,
			  strerror(errno));
out:
	if (at)
		freeaddrinfo(at);
	free(host);
	free(port);
	return rc;
}

static enum rc exchange(int fd, const char *address, const char *method,
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
	const char *body;
	struct buf all;
	int fd = -1;
	enum rc rc;

	*ret = (struct admin_answer){0};
	buf_init(&ret->body, ANSWER_MAX);
	buf_init(&all, ANSWER_MAX);
	rc = dial(setting, address, &fd, e);
	if (!rc)
		rc = exchange(fd, address, method, path, &all, e);
	if (rc)
		goto out;
	body = all.data ? strstr(all.data, "\r\n\r\n") : NULL;
	if (!body || strncmp(all.data, "HTTP/1.1 ", 9)) {
		rc = fail(e, RC_AGAIN, "what answers at '%s' is no shipfrom",
			  address);
		goto out;
	}
	ret->status = (int)strtol(all.data + 9, NULL, 10);
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
