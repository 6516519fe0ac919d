/* SPDX-License-Identifier: MIT
 *
 * journal.h - an entry of an order's journal: a fact, with its fields.
 *
 * Words are made where people read them: in the API, the command line and the
 * page. journal.def has a row for each fact and its English words; the page has
 * its own words for the same facts.  No program reads the words: programs use
 * `fact`, `warehouse` and the fields.
 *
 * Memory:   an entry borrows its words, unless entry_copy() made it: then they
 *           are in `memory`, which entry_release() frees.
 * Threads:  no locks: a value belongs to the code that holds it.
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
	int64_t at;	   /* ms; in a change 0 means: the time at which it is
			    * stored */
	int64_t warehouse; /* 0: the entry is about the order as a whole */
	uint64_t device;   /* 0: no device did it */
	enum fact fact;
#define WORD(name)   const char *name; /* NULL: none */
#define NUMBER(name) int64_t name;     /* 0: none */
#include "store/model/journal.def"
	char *memory; /* owned; NULL: the words are borrowed */
};

/* Returns the fact's name, such as "offered": the `kind` in the API. */
const char *fact_name(enum fact f);
/* Returns the fact with this name; FACTS: there is none. */
enum fact fact_of(const char *name);
/* Returns what an entry is about, as `why --json` shows it: "event", "look",
 * "answer", "call", "ship", ...; for an old entry (FACT_TEXT) the word that was
 * kept with it. */
const char *entry_about(const struct entry *e);

/* Returns a copy with its own words, each of at most ORDER_TEXT_MAX bytes. */
struct entry entry_copy(const struct entry *e);
void entry_release(struct entry *e); /* may be called for one that borrows its
				      * words */

/* Who reads an entry: the operators, or a shop. */
enum audience { OFFICE, SHOP };

/* True if a shop with these warehouses may see the entry: those of its own
 * warehouses, and those of the order as a whole.  An old entry that names
 * another warehouse in its words is hidden. */
bool entry_visible(const struct entry *e, const int64_t *warehouses, size_t n);

/* Removes from *e, which the shop may see, what is not for a shop: HTTP status,
 * latency, and a text that is for the office or names another shop's
 * warehouse. */
void entry_for_shop(struct entry *e, const int64_t *warehouses, size_t n);

/* Adds the English words of an entry.  `shop`: the shop's name, for "warehouse
 * 3 (NAME)", or NULL.  For a SHOP a state is told in a sentence about the
 * shop. */
void entry_words(struct buf *out, const struct entry *e, enum audience audience,
		 const char *shop);

/* True if the entry's words name its warehouse. */
bool entry_names_warehouse(const struct entry *e);

/* Reads an entry that a store of schema 1 kept as English (journal_old.c).
 * States and answers become facts; all others become FACT_TEXT, with `what` as
 * the result.  *ret borrows from the arguments and from constants; its `memory`
 * may be set. */
void entry_of_old(struct entry *ret, const char *what, const char *text);
/* Reads an entry with a fact that this version does not know: FACT_TEXT with
 * the fact's name as its words.  Its text is dropped, since it may not be for
 * everyone. */
void entry_of_newer(struct entry *e, const char *fact);
/* True if the words name a warehouse that is not in the list, such as
 * "warehouse 4" or "warehouses 3 and 4". */
bool words_name_another(const char *words, const int64_t *warehouses, size_t n);

#endif
