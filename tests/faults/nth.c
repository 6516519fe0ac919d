/* SPDX-License-Identifier: MIT
 *
 * nth.c - the n-th call of a program to its disk or its network goes wrong, or
 * is the last thing that it does (LD_PRELOAD).
 *
 * $NTH_AT is the number of the call, from 1 on; $NTH_HOW what becomes of it:
 *
 *	EIO, ENOSPC	it fails and does nothing; on a socket as when the
 *			other end has gone
 *	short		it writes half of what it was given
 *	before, after	the program is killed (SIGKILL) before it, after it
 *	torn		the program is killed when half of it is written
 *
 * What is counted are calls on files and sockets that write, sync, make room,
 * open to write, or remove; and, when they are to fail, those that read and
 * connect too.  $NTH_COUNT names a file of eight bytes where the count is kept
 * for who comes after.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { COUNT_ONLY, FAIL_IO, FAIL_ROOM, SHORT, BEFORE, AFTER, TORN };

/* What a call does; ANY_FD: it has none yet. */
enum what { WRITES, SYNCS, READS, CONNECTS, OPENS };
#define ANY_FD -1

static enum how how;
static uint64_t at;
static _Atomic uint64_t own_count;
static _Atomic uint64_t *count = &own_count;

__attribute__((constructor)) static void begin(void)
{
	static const char *const words[] = {
		[FAIL_IO] = "EIO",     [FAIL_ROOM] = "ENOSPC",
		[SHORT] = "short",     [BEFORE] = "before",
		[AFTER] = "after",     [TORN] = "torn"};
	const char *word = getenv("NTH_HOW"), *n = getenv("NTH_AT");
	const char *path = getenv("NTH_COUNT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd >= 0) {
		shared = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
			      MAP_SHARED, fd, 0);
		close(fd);
		if (shared == MAP_FAILED)
			abort(); /* or the test would prove nothing */
		count = shared;
	}
	*count = 0;
	for (int i = FAIL_IO; word && i <= TORN; i++)
		if (!strcmp(word, words[i]))
			how = (enum how)i;
	at = n ? strtoull(n, NULL, 10) : 0;
}

/* Pipes, eventfds and the like do not fail. */
static bool is_file(int fd, bool *ret_socket)
{
	struct stat st;

	*ret_socket = false;
	if (fd == ANY_FD)
		return true;
	if (fstat(fd, &st))
		return false;
	*ret_socket = S_ISSOCK(st.st_mode);
	return *ret_socket || S_ISREG(st.st_mode);
}

static _Noreturn void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static int error_of(enum what what, bool is_socket)
{
	if (what == CONNECTS)
		return ECONNREFUSED;
	if (is_socket)
		return ECONNRESET;
	return how == FAIL_ROOM && what != READS ? ENOSPC : EIO;
}

/* True: the call's turn has come.  One that fails, fails with errno. */
static bool its_turn(enum what what, int fd)
{
	bool is_socket, written = what != READS && what != CONNECTS;
	int was = errno;

	if (!at || (how >= SHORT && !written) || !is_file(fd, &is_socket)) {
		errno = was;
		return false;
	}
	if (atomic_fetch_add(count, 1) + 1 != at || how == COUNT_ONLY) {
		errno = was;
		return false;
	}
	if (how == BEFORE)
		die();
	errno = how <= FAIL_ROOM ? error_of(what, is_socket) : was;
	return true;
}

static bool halves(void)
{
	return how == SHORT || how == TORN;
}

/* The function of that name behind this library. */
#define REAL(name)                                                            \
	({                                                                    \
		static _Atomic(void *) found;                                 \
		if (!found)                                                   \
			found = dlsym(RTLD_NEXT, #name);                      \
		(__typeof__(&name))found;                                     \
	})

/* A call that has no halves: fails, or is done and then perhaps the last. */
#define WHOLE(what, fd, call)                                                 \
	({                                                                    \
		bool turn = its_turn(what, fd);                               \
		__typeof__(call) done;                                        \
		if (turn && how <= FAIL_ROOM)                                 \
			return -1;                                            \
		done = call;                                                  \
		if (turn && (how == AFTER || how == TORN))                    \
			die();                                                \
		done;                                                         \
	})

/* A call that writes n bytes, which may become half of them. */
#define PARTLY(fd, n, call)                                                   \
	({                                                                    \
		bool turn = its_turn(WRITES, fd);                             \
		ssize_t done;                                                 \
		if (turn && how <= FAIL_ROOM)                                 \
			return -1;                                            \
		if (turn && halves() && n > 1)                                \
			n /= 2;                                               \
		done = call;                                                  \
		if (turn && (how == AFTER || how == TORN))                    \
			die();                                                \
		done;                                                         \
	})

ssize_t write(int fd, const void *p, size_t n)
{
	return PARTLY(fd, n, REAL(write)(fd, p, n));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	return PARTLY(fd, n, REAL(pwrite)(fd, p, n, off));
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off)
{
	return PARTLY(fd, n, REAL(pwrite64)(fd, p, n, off));
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	return PARTLY(fd, n, REAL(send)(fd, p, n, flags));
}

ssize_t sendto(int fd, const void *p, size_t n, int flags,
	       const struct sockaddr *to, socklen_t len)
{
	return PARTLY(fd, n, REAL(sendto)(fd, p, n, flags, to, len));
}

/* Half of a vector is its first half, or half of its only part. */
static int half_of(const struct iovec *v, int n, struct iovec *one)
{
	*one = v[0];
	if (n > 1)
		return n / 2;
	one->iov_len /= 2;
	return 0;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	bool turn = its_turn(WRITES, fd);
	struct iovec one;
	ssize_t done;
	int half;

	if (turn && how <= FAIL_ROOM)
		return -1;
	if (turn && halves() && n > 0) {
		half = half_of(v, n, &one);
		done = half ? REAL(writev)(fd, v, half)
			    : REAL(writev)(fd, &one, 1);
	} else {
		done = REAL(writev)(fd, v, n);
	}
	if (turn && (how == AFTER || how == TORN))
		die();
	return done;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	return WHOLE(WRITES, fd, REAL(sendmsg)(fd, m, flags));
}

ssize_t sendfile64(int out, int in, off64_t *off, size_t n);
ssize_t sendfile64(int out, int in, off64_t *off, size_t n)
{
	return PARTLY(out, n, REAL(sendfile64)(out, in, off, n));
}

int fdatasync(int fd)
{
	return WHOLE(SYNCS, fd, REAL(fdatasync)(fd));
}

int fsync(int fd)
{
	return WHOLE(SYNCS, fd, REAL(fsync)(fd));
}

int msync(void *p, size_t n, int flags)
{
	return WHOLE(SYNCS, ANY_FD, REAL(msync)(p, n, flags));
}

int ftruncate(int fd, off_t size)
{
	return WHOLE(WRITES, fd, REAL(ftruncate)(fd, size));
}

int fallocate(int fd, int mode, off_t off, off_t n)
{
	return WHOLE(WRITES, fd, REAL(fallocate)(fd, mode, off, n));
}

int mkdir(const char *path, mode_t mode)
{
	return WHOLE(OPENS, ANY_FD, REAL(mkdir)(path, mode));
}

int rename(const char *from, const char *to)
{
	return WHOLE(OPENS, ANY_FD, REAL(rename)(from, to));
}

int unlink(const char *path)
{
	return WHOLE(OPENS, ANY_FD, REAL(unlink)(path));
}

ssize_t read(int fd, void *p, size_t n)
{
	return WHOLE(READS, fd, REAL(read)(fd, p, n));
}

ssize_t pread(int fd, void *p, size_t n, off_t off)
{
	return WHOLE(READS, fd, REAL(pread)(fd, p, n, off));
}

ssize_t pread64(int fd, void *p, size_t n, off64_t off)
{
	return WHOLE(READS, fd, REAL(pread64)(fd, p, n, off));
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	return WHOLE(READS, fd, REAL(recv)(fd, p, n, flags));
}

/* What is called for a buffer whose size the compiler knows. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return WHOLE(READS, fd, REAL(__read_chk)(fd, p, n, room));
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return WHOLE(CONNECTS, fd, REAL(connect)(fd, to, len));
}

static int opened(int fd, bool turn)
{
	if (turn && (how == AFTER || how == TORN))
		die();
	return fd;
}

static bool to_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
}

int open(const char *path, int flags, ...)
{
	bool turn = to_write(flags) && its_turn(OPENS, ANY_FD);
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (turn && how <= FAIL_ROOM)
		return -1;
	return opened(REAL(open)(path, flags, mode), turn);
}

int open64(const char *path, int flags, ...)
{
	bool turn = to_write(flags) && its_turn(OPENS, ANY_FD);
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (turn && how <= FAIL_ROOM)
		return -1;
	return opened(REAL(open64)(path, flags, mode), turn);
}
