/* SPDX-License-Identifier: MIT
 *
 * note.h - a line of an order's journal: what happened, when, by whom.
 */
#ifndef STORE_MODEL_NOTE_H
#define STORE_MODEL_NOTE_H

#include <stdint.h>

struct note {
	uint64_t seq; /* given by the store */
	int64_t at;
	int64_t warehouse; /* 0: the whole order */
	uint64_t device;   /* 0: not a person's doing */
	const char *what;  /* "event", "answer", "call", "look", "state", ... */
	const char *text;
};

#endif
