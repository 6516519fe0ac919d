/* SPDX-License-Identifier: MIT
 *
 * covered.c - counts the webhooks that were answered 200, and those of them
 * whose 200 a completed sync and a completed write of the store's meta page
 * precede, both begun after the request was read (LD_PRELOAD).
 *
 * $COVERED names the file that gets both numbers, as "ANSWERED COVERED\n".
 */
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
static atomic_ulong asked[FDS]; /* when a webhook was read; 0: none waits */
static atomic_ulong answered, covered;

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

	if (done == (ssize_t)n && watched(fd) == OF_META)
		durable = before;
	return done;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	ssize_t got = REAL(recv_fn *, "recv")(fd, p, n, flags);

	if (got > 14 && fd >= 0 && fd < FDS && !memcmp(p, "POST /webhooks", 14))
		asked[fd] = atomic_fetch_add(&moment, 1) + 1;
	return got;
}

static void show(void)
{
	static int out = -1;
	const char *path = getenv("COVERED");
	char text[64];
	int n = snprintf(text, sizeof(text), "%20lu %20lu\n", answered, covered);

	if (out < 0 && path)
		out = REAL(open_fn *, "open")(
			path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0 || REAL(pwrite_fn *, "pwrite")(out, text, (size_t)n, 0) != n)
		abort(); /* or the test would prove nothing */
}

static void goes_out(int fd, const void *p, size_t n)
{
	if (fd < 0 || fd >= FDS || !asked[fd] || n < 12 ||
	    memcmp(p, "HTTP/1.1 200", 12) != 0)
		return;
	answered++;
	covered += durable > asked[fd];
	asked[fd] = 0;
	show();
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
