/* SPDX-License-Identifier: MIT
 *
 * centra.c - see centra.h.
 */
#include "tests/bench/growth/centra.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64

/* Sends a granting reply.  False: the connection ended. */
static int reply(int fd)
{
	time_t now = time(NULL);
	char text[256], date[40];
	struct tm tm;
	int n;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 200 OK\r\nDate: %s\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}",
		     date);
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

struct line {
	size_t len;
	char text[16384];
};

/* Answers each request that is complete.  False: the connection ended. */
static int answer(int fd, struct line *l)
{
	ssize_t n = recv(fd, l->text + l->len, sizeof(l->text) - 1 - l->len, 0);
	const char *end, *length;
	size_t whole;

	if (n <= 0)
		return 0;
	l->len += (size_t)n;
	l->text[l->len] = '\0';
	end = strstr(l->text, "\r\n\r\n");
	if (!end)
		return 1;
	length = strcasestr(l->text, "\r\nContent-Length:");
	whole = (size_t)(end + 4 - l->text) +
		(length && length < end ? strtoul(length + 17, NULL, 10) : 0);
	if (l->len < whole)
		return 1;
	memmove(l->text, l->text + whole, l->len - whole);
	l->len -= whole;
	return reply(fd);
}

static void grant(int listener)
{
	static struct line lines[CONNECTIONS];
	struct pollfd fds[CONNECTIONS] = {{.fd = listener, .events = POLLIN}};
	int one = 1;

	for (int i = 1; i < CONNECTIONS; i++)
		fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	while (poll(fds, CONNECTIONS, -1) > 0) {
		for (int i = 1; i < CONNECTIONS; i++) {
			if (fds[i].fd < 0 && fds[0].revents) {
				fds[i].fd = accept(listener, NULL, NULL);
				setsockopt(fds[i].fd, IPPROTO_TCP, TCP_NODELAY,
					   &one, sizeof(one));
				fds[0].revents = fds[i].revents = 0;
				lines[i].len = 0;
			} else if (fds[i].fd >= 0 && fds[i].revents &&
				   !answer(fds[i].fd, &lines[i])) {
				close(fds[i].fd);
				fds[i].fd = -1;
			}
		}
	}
}

int granting_start(struct granting *ret)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret = (struct granting){0};
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, CONNECTIONS) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		goto failed;
	ret->port = ntohs(at.sin_port);
	ret->pid = fork();
	if (ret->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		grant(fd);
		_exit(1);
	}
	if (ret->pid < 0)
		goto failed;
	close(fd);
	return 0;
failed:
	perror("bench: no Centra");
	if (fd >= 0)
		close(fd);
	*ret = (struct granting){0};
	return -1;
}

void granting_stop(struct granting *g)
{
	if (g->pid <= 0)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
}
