/* SPDX-License-Identifier: MIT
 *
 * covered.c - counts promises that left the server, and those of them that the
 * disk covers (LD_PRELOAD).  A commit is a completed sync and then a completed
 * write of the store's meta page.
 *
 *	webhooks   a webhook's 200: a commit must lie between the last byte read
 *		   of the request and the response
 *	accepts	   the 200 or 202 of a device's accept: the same
 *	calls	   the call that tells Centra of an accept: two commits must lie
 *		   between the last byte read of the accept and the call, that of
 *		   the decision and that of the try
 *
 * $COVERED names the file that gets the numbers, a line for each of the three,
 * "ALL COVERED\n".
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/watch.h"

typedef int sync_fn(int fd);
typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off_t at);
typedef ssize_t recv_fn(int fd, void *p, size_t n, int flags);
typedef ssize_t send_fn(int fd, const void *p, size_t n, int flags);
typedef ssize_t sendmsg_fn(int fd, const struct msghdr *m, int flags);

/* Moments are numbers that only grow. */
static atomic_ulong moment;
static atomic_ulong synced;  /* when the last completed sync began */
static atomic_ulong durable; /* the same, of those with a meta page after */
static atomic_ulong durable_before; /* the same, of the commit before */

enum kind { WEBHOOKS, ACCEPTS, CALLS, KINDS };
static atomic_ulong all[KINDS], covered[KINDS];

/* The request on a connection. */
static struct {
	atomic_ulong at; /* when its last bytes were read; 0: none waits */
	enum kind kind;
	unsigned long order; /* of an accept */
} asked[FDS];

#define ORDERS 4096
static atomic_ulong accepted[ORDERS]; /* by number: when its accept was read */

int fdatasync(int fd)
{
	unsigned long begun = atomic_fetch_add(&moment, 1) + 1;
	int rc = REAL(sync_fn *, "fdatasync")(fd);

	if (!rc && watched(fd) == OF_DATA)
		synced = begun;
	return rc;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	unsigned long before = synced;
	ssize_t done = REAL(pwrite_fn *, "pwrite")(fd, p, n, at);

	if (done == (ssize_t)n && watched(fd) == OF_META && before != durable) {
		durable_before = durable;
		durable = before;
	}
	return done;
}

static const char *find(const void *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text));
}

/* Reads the number that follows the text in the n bytes; 0: it is not there. */
static unsigned long number_after(const char *p, size_t n, const char *text)
{
	const char *at = find(p, n, text);
	unsigned long number = 0;

	if (at)
		for (at += strlen(text); at < p + n && isdigit(*at); at++)
			number = 10 * number + (unsigned long)(*at - '0');
	return number;
}

/* Notes the first bytes of a request of the first two kinds. */
static void begins(int fd, const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);
	size_t line = end ? (size_t)(end - p) : n;
	bool webhook = n > 14 && !memcmp(p, "POST /webhooks", 14);
	bool accept = n > 12 && !memcmp(p, "POST /api/v1", 12) &&
		      find(p, line, "/accept ");

	if (!webhook && !accept)
		return;
	asked[fd].kind = accept ? ACCEPTS : WEBHOOKS;
	asked[fd].order = accept ? number_after(p, line, "/orders/") : 0;
	asked[fd].at = 1;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	ssize_t got = REAL(recv_fn *, "recv")(fd, p, n, flags);

	if (got <= 0 || fd < 0 || fd >= FDS || flags & MSG_PEEK)
		return got;
	if (!asked[fd].at)
		begins(fd, p, (size_t)got);
	if (asked[fd].at) {
		asked[fd].at = atomic_fetch_add(&moment, 1) + 1;
		accepted[asked[fd].order % ORDERS] = asked[fd].at;
	}
	return got;
}

static void show(void)
{
	static int out = -1;
	const char *path = getenv("COVERED");
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "%20lu %20lu\n%20lu %20lu\n%20lu %20lu\n",
			 all[WEBHOOKS], covered[WEBHOOKS], all[ACCEPTS],
			 covered[ACCEPTS], all[CALLS], covered[CALLS]);

	if (out < 0 && path)
		out = REAL(open_fn *, "open")(
			path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0 || REAL(pwrite_fn *, "pwrite")(out, text, (size_t)n, 0) != n)
		abort(); /* or the test would prove nothing */
}

static void count(enum kind kind, bool is_covered)
{
	all[kind]++;
	covered[kind] += is_covered;
	show();
}

static void goes_out(int fd, const char *p, size_t n)
{
	unsigned long order = number_after(p, n, "{\"orderNumber\":");

	if (order && find(p, n, "\"accepted\":true"))
		count(CALLS, accepted[order % ORDERS] &&
				     durable_before > accepted[order % ORDERS]);
	if (fd < 0 || fd >= FDS || !asked[fd].at || n < 12 ||
	    memcmp(p, "HTTP/1.1 ", 9) != 0 || p[9] == '1')
		return;
	if (!memcmp(p + 9, "200", 3) ||
	    (asked[fd].kind == ACCEPTS && !memcmp(p + 9, "202", 3)))
		count(asked[fd].kind, durable > asked[fd].at);
	asked[fd].at = 0;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	goes_out(fd, p, n);
	return REAL(send_fn *, "send")(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (m->msg_iovlen)
		goes_out(fd, m->msg_iov[0].iov_base, m->msg_iov[0].iov_len);
	return REAL(sendmsg_fn *, "sendmsg")(fd, m, flags);
}
