/* SPDX-License-Identifier: MIT
 *
 * canned.h - a server on the loopback that plays a script: what happens to
 * each request is said in advance, down to the byte and the hang-up.
 *
 * Connections are served one after another.  After the script has ended, every
 * request is answered "500", or as canned_always() says, and still counted.
 */
#ifndef TESTS_UNIT_CANNED_H
#define TESTS_UNIT_CANNED_H

#include <stddef.h>

enum canned_how {
	CANNED_END, /* of the script */
	CANNED_KEEP,  /* read the request, write bytes, keep the connection */
	CANNED_CLOSE, /* read the request, write bytes, close */
	CANNED_RESET, /* read the request, write bytes, reset */
	CANNED_HANG_UP, /* close before reading anything */
	CANNED_SILENT,  /* read, write bytes, and wait for the other to close */
	CANNED_ENDLESS, /* read, then chunks until the other closes */
	CANNED_BINARY,  /* read, write the bytes of canned_binary(), close */
	CANNED_SHUT,    /* write bytes at once and close: no HTTP at all */
};

struct canned_step {
	enum canned_how how;
	const char *bytes; /* or NULL */
};

struct canned;

/* The script ends with CANNED_END and outlives the server. */
struct canned *canned_start(const struct canned_step *script);
/* Said before the request comes; the bytes outlive the server. */
void canned_binary(struct canned *c, const char *bytes, size_t len);
/* From now on, after the script, each request gets these bytes and its connection
 * is closed.  Any thread; the bytes outlive the server. */
void canned_always(struct canned *c, const char *bytes);
unsigned canned_port(const struct canned *c);
/* Requests read to their last byte so far. */
unsigned canned_requests(struct canned *c);
/* Connections taken so far. */
unsigned canned_connections(struct canned *c);
/* Waits, but not for ever, until n connections were closed at our end. */
void canned_wait_closed(struct canned *c, unsigned n);
/* The last request, headers and body; "" if none.  Good until canned_stop(). */
const char *canned_last(struct canned *c);
void canned_stop(struct canned *c);

/* A 200 of JSON, kept alive: for scripts. */
#define CANNED_OK(length, json)                                               \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"               \
	"Content-Length: " #length "\r\n\r\n" json

/* Returns a port at which nothing listens.  It stays bound until the process
 * ends, so that no other program gets it. */
unsigned canned_closed_port(void);

#endif
