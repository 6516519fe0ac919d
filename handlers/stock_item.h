/* SPDX-License-Identifier: MIT
 *
 * stock_item.h - the count of one item in one warehouse, with its history: a
 * document of the kind "stock_item".
 *
 * A count is absolute: so many lie there.  The newest count of an item is the
 * one with the latest counted_at; of two with the same time, the one that was
 * received later.  Only the newest is ever sent to Centra, and it stays the
 * newest after it was sent: an older one that comes later is told "older" and
 * changes nothing.
 *
 * A document stands in one list:
 *
 *   "W/waiting"  to be sent, the oldest count first
 *   "W/quiet"    the same, of a large count: in the shop's quiet hours
 *   "W/alone"    to be sent apart from the others: after a refusal that named
 *                it (`at` is 0), or in a call of its own, from `at` on
 *   "done"       sent, refused or too old; goes by keep_stock
 *
 * An EAN and a SKU may name one size of Centra's.  So each count is looked up in
 * Centra once before it is sent: `size` says which size it is of, and of the
 * counts of one size the newest decides (set_stock.h).
 *
 * Pure.  Memory: a struct stock_item owns its texts.
 */
#ifndef HANDLERS_STOCK_ITEM_H
#define HANDLERS_STOCK_ITEM_H

#include "base/buf.h"
#include "base/json_read.h"
#include "store/model/changes.h"
#include "store/model/doc.h"

#define STOCK_CODE_MAX	  64 /* bytes of an EAN or a SKU, most */
#define STOCK_BY_SIZE	  200 /* room for who counted */
#define STOCK_QUANTITY_MAX 1000000
#define STOCK_HISTORY_MAX 20 /* entries that are kept */
#define STOCK_BIG	  200 /* items in one request, beyond which it is a
			       * large count */
/* ms that a count may be dated ahead of our clock: it is taken as counted now */
#define STOCK_AHEAD 5000
/* ms: the first count of an item that is older than this is told as older, since
 * a newer one may have been removed by age (keep_stock is 7 days or more) */
#define STOCK_OLDEST ((int64_t)7 * 24 * 3600 * 1000)

/* ms: a time that is so far ahead of a confirmed clock was noted by one that ran
 * ahead; both may be off by CLOCK_TOLERANCE (base/clock.h) */
#define STOCK_NOT_YET 600000

/* ms: a count that has waited until it is so old is not sent, since movements
 * after it may have been removed by age */
#define STOCK_SENDABLE (STOCK_OLDEST - 3600000)

#define STOCK_NO_SIZE (-1)

#define STOCK_ITEM_KIND "stock_item"
#define STOCK_MOVE_KIND "stock_move"
#define STOCK_RUN_KIND	"stock_run"
#define STOCK_SIZE_KIND "stock_size"

/* How the newest count of an item stands. */
enum stock_state {
	STOCK_WAITING,
	STOCK_DONE,	       /* Centra has it */
	STOCK_BELOW_ALLOCATED, /* Centra refused: orders hold more */
	STOCK_UNKNOWN,	       /* Centra does not know the item */
	STOCK_BUNDLE,	       /* it is a bundle, which has no stock of its own */
	STOCK_REFUSED,	       /* Centra refused for another reason */
	STOCK_TOO_OLD,	       /* units have moved since it was counted: it was
				* not sent, or they moved while it was */
	STOCK_SUPERSEDED,      /* "older": a newer count of the same size was
				* sent, by another code of it */
	STOCK_STATES,
};
const char *stock_state_name(enum stock_state s);
/* False: it is no state's name. */
bool stock_state_read(const char *name, enum stock_state *ret);
/* Finds out why Centra refused, by its words (CONTRACT 6.10). */
enum stock_state stock_refusal(const char *words);

struct stock_entry {
	int64_t at;
	char what[24]; /* "counted", "older", or a state's name */
	int64_t quantity, counted_at;
	char *by;   /* owned, or NULL */
	char *text; /* owned: Centra's words, or NULL */
};

struct stock_item {
	int64_t warehouse;
	bool by_sku;
	char code[STOCK_CODE_MAX + 1];
	/* The newest count; n 0: there was none. */
	uint64_t n; /* counts that became the newest, so far */
	int64_t quantity, counted_at, received;
	char by[STOCK_BY_SIZE];
	bool quiet;    /* to be sent in quiet hours */
	bool alone;    /* to be sent apart from the others */
	int64_t after; /* with `alone`: not before; 0: Centra has named it in a
			* refusal */
	unsigned tries; /* calls of its own whose outcome is unknown */
	enum stock_state state;
	int64_t ended; /* when the state became final; 0: it waits */
	char *text;    /* owned: Centra's words, or NULL */
	/* What Centra showed of its size since the newest count came. */
	int64_t size; /* its id; 0: not looked up yet; STOCK_NO_SIZE: Centra
		       * shows none */
	char size_ean[STOCK_CODE_MAX + 1], size_sku[STOCK_CODE_MAX + 1];
	struct stock_entry *history; /* owned; the oldest first */
	size_t n_history;
};

/* A count that came in. */
struct stock_count {
	const char *code;
	bool by_sku;
	int64_t quantity, counted_at;
};

/* Writes the key of the item's document. */
void stock_key(char ret[DOC_KEY_SIZE], int64_t warehouse, bool by_sku,
	       const char *code);
/* Reads a document, or makes a new item where d->rev is 0.  RC_INVALID: it
 * cannot be read.  Release it in any case. */
enum rc stock_item_read(struct stock_item *ret, const struct doc *d,
			int64_t warehouse, bool by_sku, const char *code,
			struct err *e);
void stock_item_release(struct stock_item *i);
/* Writes the item into a document whose name is set: its list, its place and its
 * text, which replaces d->text. */
void stock_item_write(const struct stock_item *i, struct doc *d);
/* Adds the item as JSON, as the API shows it, with its history if asked to. */
void stock_item_json(struct buf *b, const struct stock_item *i, bool history);

/* What became of a count that came in. */
enum stock_taken {
	STOCK_TAKEN, /* it is the newest, and waits */
	STOCK_AGAIN, /* it is the newest, and was before: nothing changed */
	STOCK_OLDER, /* a newer one is known, or may have been; if there is no
		      * count at all (n 0), there is nothing to keep */
};
enum stock_taken stock_item_count(struct stock_item *i,
				  const struct stock_count *c, const char *by,
				  bool quiet, int64_t now);
/* Dates the newest count now if a clock that ran ahead has dated it later: else
 * none would be newer until then.  Call it only if the clock is confirmed. */
void stock_item_redate(struct stock_item *i, int64_t now);
/* Notes how the count number n, of that quantity and time, ended.  If it is
 * still the newest, that is the item's state; else the history alone says it. */
void stock_item_end(struct stock_item *i, uint64_t n, int64_t quantity,
		    int64_t counted_at, enum stock_state state,
		    const char *words, int64_t now);

/* Adds documents that say that units of this size moved in the warehouse at
 * `at`: a count that is not later is too old.  ean, sku: NULL or "" is left
 * out, and so is what *ret notes already. */
void stock_moved(struct changes *ret, const char *instance, int64_t warehouse,
		 const char *ean, const char *sku, int64_t at);
/* Writes a time into such a document: its list, its place and its text, which
 * replaces d->text. */
void stock_move_write(struct doc *d, int64_t at);

/* ---- of one size ---- */

/* The newest count that was sent, or was about to be, for a size in a warehouse:
 * a document of the kind "stock_size", with the key "W/ID". */
struct stock_sent {
	int64_t counted_at, received; /* TIME_NONE: none was sent */
	char item[DOC_KEY_SIZE];      /* the key of its item's document */
};

/* Notes which size Centra shows.  size: its id, or STOCK_NO_SIZE; ean, sku: its
 * codes, or NULL. */
void stock_item_sized(struct stock_item *i, int64_t size, const char *ean,
		      const char *sku);
/* Writes the key of the document of a size. */
void stock_size_key(char ret[DOC_KEY_SIZE], int64_t warehouse, int64_t size);
/* Reads such a document.  One with rev 0, or that cannot be read: none was
 * sent. */
void stock_sent_read(struct stock_sent *ret, const struct doc *d);
/* Writes a document whose name is set: its list, its place and its text, which
 * replaces d->text. */
void stock_sent_write(const struct stock_sent *s, struct doc *d);
/* True if a newer count of the size was sent, by another code. */
bool stock_is_superseded(const struct stock_item *i, const char *key,
			 const struct stock_sent *s);

#endif
