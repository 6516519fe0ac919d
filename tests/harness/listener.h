/* SPDX-License-Identifier: MIT
 *
 * listener.h - a screen that listens: server-sent events as a browser reads
 * them, on a socket.
 *
 * Threads: one at a time.
 */
#ifndef HARNESS_LISTENER_H
#define HARNESS_LISTENER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener {
	int fd;		/* -1: not connected */
	int status;	/* HTTP; 0: no answer */
	bool ended;	/* the server has ended it */
	char head[2048];
	char *in;	/* owned: bytes as they came, from the body on */
	size_t in_len;
	char *text;	/* owned: without the chunks' sizes */
	size_t text_len;
	bool chunked;
	long chunk;	/* bytes that are left of the present one; -1: its size
			 * is still to come */
};

struct heard {
	char event[32];
	uint64_t id; /* the number that it begins with */
	char id_text[96];
	cJSON *json; /* owned */
};

/* Asks for the path; `headers` are whole lines, each with \r\n.  False: no
 * answer within 5 s; l->status is its status. */
bool listener_open(struct listener *l, const char *url, const char *path,
		   const char *headers);
/* The next event; false: none came within `ms`, or it ended. */
bool listener_next(struct listener *l, struct heard *ret, int ms);
/* The next event of that name, others are left out. */
bool listener_hears(struct listener *l, const char *event, struct heard *ret,
		    int ms);
/* True when the server ends it within `ms`; what comes until then is lost. */
bool listener_ends(struct listener *l, int ms);
void listener_close(struct listener *l);

void heard_release(struct heard *h);

#endif
