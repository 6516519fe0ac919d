/* SPDX-License-Identifier: MIT
 *
 * fixture.h - a server in the test's own process: a real store in a folder of
 * its own, real sockets, no workers.  What Centra and the workers would do to
 * an order, the test does.
 *
 * Shops: amsterdam (warehouses 3, 4) and berlin (5), both of instance se.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/app.h"
#include "store/model/journal.h"
#include "server/access/token.h"
#include "tests/store/temp.h"

struct fixture {
	struct app app;
	char dir[TEMP_ROOM];
	char config_path[TEMP_ROOM + 16];
	struct config *started;
	struct holdup *holdup; /* owned, while the writer is held */
	int port, admin_port;
	atomic_bool deaf; /* the server is not told of its own changes */
	/* Tokens of a device each. */
	char amsterdam[TOKEN_SIZE], berlin[TOKEN_SIZE], gone[TOKEN_SIZE];
};

/* `server_lines` are added to [server]. */
struct fixture *fixture_start(const char *server_lines);
/* The same, with lines that are added to [centra se]. */
struct fixture *fixture_start_with(const char *server_lines,
				   const char *centra_lines);
void fixture_stop(struct fixture *f);

/* Holds the store's writer up: nothing becomes durable until release_writer().
 */
void hold_writer(struct fixture *f);
void release_writer(struct fixture *f);

/* ---- a client ---- */

struct reply {
	int status;  /* 0: the connection ended without one */
	char *bytes; /* owned: all of it */
	char *body;  /* in bytes */
	bool closed; /* the server closed the connection */
};

int dial(int port);
/* False: the server would not take all of it. */
bool send_all(int fd, const char *bytes, size_t len);
/* Reads one reply; without a body when `head`. */
struct reply read_reply(int fd, bool head);
void reply_release(struct reply *r);
/* The value of a header, "" if there is none; good until the next call. */
const char *reply_header(const struct reply *r, const char *name);

/* One request on a connection of its own.  token and body may be NULL. */
struct reply ask(struct fixture *f, const char *method, const char *path,
		 const char *token, const char *body);
/* These bytes on a connection of their own. */
struct reply ask_raw(struct fixture *f, const char *bytes);

/* ---- what Centra would say ---- */

#define FAR INT64_C(4102444800000) /* a deadline in 2100 */

/* An offer of an order; `date` as "2021-01-11 16:21:00.000000". */
void offered(struct fixture *f, int64_t number, int64_t warehouse,
	     const char *date, int64_t expires);
/* The same by an allocation request. */
void requested(struct fixture *f, int64_t number, int64_t warehouse,
	       const char *date, int64_t expires);
/* Offers of n orders, number and those that follow, in one transaction. */
void offered_together(struct fixture *f, int64_t number, size_t n,
		      int64_t warehouse, const char *date, int64_t expires);
void marked(struct fixture *f, int64_t number, int64_t warehouse,
	    enum mark mark, const char *date);
void cancelled(struct fixture *f, int64_t number);
/* Centra's word to the answer; text is a refusal's. */
void settled(struct fixture *f, int64_t number, int64_t warehouse,
	     enum settled how, const char *text);
void detailed(struct fixture *f, int64_t number, const char *details,
	      const char *address);
/* The order's row cannot be read: it is DAMAGED, whatever it was. */
#define DAMAGED "???"
void damaged(struct fixture *f, int64_t number);
void noted(struct fixture *f, int64_t number, const struct entry *e);

#endif
