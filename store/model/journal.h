/* SPDX-License-Identifier: MIT
 *
 * journal.h - an entry of an order's journal: a fact, with its fields.
 *
 * Words are made where people read.  journal.def has a row for each fact and
 * its English words; the page has its own words for the same facts.  Nothing
 * reads the words back: programs use `fact`, `warehouse` and the fields.
 *
 * Memory:   an entry borrows its words, unless entry_copy() made it: then they
 *           are in `memory`, which entry_release() frees.
 * Threads:  none; a value belongs to who holds it.
 */
#ifndef STORE_MODEL_JOURNAL_H
#define STORE_MODEL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum fact {
#define FACT(NAME, name, about, reader, words) FACT_##NAME,
#include "store/model/journal.def"
	FACTS,
};

struct entry {
	uint64_t seq;	   /* given by the store */
	int64_t at;	   /* ms; 0 in a change: now */
	int64_t warehouse; /* 0: the order as a whole */
	uint64_t device;   /* 0: no device did it */
	enum fact fact;
#define WORD(name)   const char *name; /* NULL: none */
#define NUMBER(name) int64_t name;     /* 0: none */
#include "store/model/journal.def"
	char *memory; /* owned; NULL: the words are borrowed */
};

/* "offered", ...: the `kind` of the API. */
const char *fact_name(enum fact f);
/* The fact of a name; FACTS: there is none. */
enum fact fact_of(const char *name);
/* What an entry is about, as `why --json` says: "event", "look", "answer",
 * "call", "ship", ...; of an old entry (FACT_TEXT) the word kept with it. */
const char *entry_about(const struct entry *e);

/* A copy with words of its own, each of at most ORDER_TEXT_MAX bytes. */
struct entry entry_copy(const struct entry *e);
void entry_release(struct entry *e); /* fine on one that borrows */

/* Whose eyes an entry is for. */
enum audience { OFFICE, SHOP };

/* True if a shop with these warehouses may see the entry: those of its own
 * warehouses, and those of the order as a whole.  An old entry that names
 * another warehouse in its words is hidden. */
bool entry_visible(const struct entry *e, const int64_t *warehouses, size_t n);

/* Takes from *e, which must be visible to it, what is not for a shop: HTTP
 * status, latency, and a text that is for the office or names a warehouse of
 * another shop. */
void entry_for_shop(struct entry *e, const int64_t *warehouses, size_t n);

/* Adds the English words of an entry.  `shop`: the name of the warehouse's shop
 * for "warehouse 3 (NAME)", or NULL.  To a SHOP a state is told in a sentence
 * about the shop. */
void entry_words(struct buf *out, const struct entry *e, enum audience audience,
		 const char *shop);

/* True if its words name its warehouse. */
bool entry_names_warehouse(const struct entry *e);

/* An entry that a store of schema 1 kept as English (journal_old.c).  States
 * and answers become facts; all else is FACT_TEXT, with `what` as its result.
 * *ret borrows from the arguments and from constants, and its `memory` may be
 * set. */
void entry_of_old(struct entry *ret, const char *what, const char *text);
/* An entry whose fact this shipfrom does not know: FACT_TEXT with the fact's
 * name as its words, and without a text, which may not be for everyone. */
void entry_of_newer(struct entry *e, const char *fact);
/* True if words name a warehouse that is not among those: "warehouse 4", or
 * "warehouses 3 and 4". */
bool words_name_another(const char *words, const int64_t *warehouses, size_t n);

#endif
