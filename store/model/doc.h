/* SPDX-License-Identifier: MIT
 *
 * doc.h - a document: what is kept beside the orders, such as a count of stock,
 * a return, a webhook to be sent, or how far a feed was read.
 *
 * A document is named by (kind, instance, key).  Its body is JSON that describes
 * itself, so that fields can be added.  It may stand in one list of its kind and
 * instance, sorted by `at` and then by its key: what waits is found without a
 * walk over all documents.
 *
 * Memory:   a document owns its text; doc_release() frees it.
 * Threads:  no locks: a value belongs to the code that holds it.
 */
#ifndef STORE_MODEL_DOC_H
#define STORE_MODEL_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

#define DOC_KIND_SIZE 24
#define DOC_KEY_SIZE  96
#define DOC_LIST_SIZE 64
#define DOC_TEXT_MAX  65536 /* bytes of a text, most */
#define DOC_KINDS_MAX 32

struct doc {
	char kind[DOC_KIND_SIZE]; /* a row of doc_kinds.def */
	char instance[INSTANCE_SIZE];
	char key[DOC_KEY_SIZE];
	uint64_t rev; /* the number of this content, given by the store and never
		       * given twice, also if a document is deleted and made
		       * anew; 0: there is no such document */
	char list[DOC_LIST_SIZE]; /* the list in which it stands, such as
				   * "27/waiting" or "done"; "": none */
	int64_t at;	 /* its place in the list: ms, or any number */
	int64_t updated; /* ms; set by the store */
	char *text;	 /* owned: JSON of at most DOC_TEXT_MAX bytes; NULL only
			  * while rev is 0 */
};

/* The settings by which documents go. */
enum doc_age {
	DOC_AGE_NEVER,
	DOC_AGE_STOCK,	  /* keep_stock */
	DOC_AGE_OUTGOING, /* keep_outgoing */
	DOC_AGE_RETURNS,  /* keep_returns */
	DOC_AGE_FEEDS,	  /* keep_quarantine */
	DOC_AGES,
};

/* The kinds of documents: the rows of doc_kinds.def. */
struct doc_kind {
	const char *name;
	enum doc_age age;
};
extern const struct doc_kind doc_kinds[];
extern const size_t n_doc_kinds; /* at most DOC_KINDS_MAX */

/* True if documents in a list with this name have ended, so that they go by
 * age. */
bool doc_list_is_done(const char *list);

/* Sets the name of a document and zeroes the rest.  RC_INVALID, with a sentence:
 * the kind is none of doc_kinds.def, or a part is empty or too long. */
enum rc doc_name(struct doc *ret, const char *kind, const char *instance,
		 const char *key, struct err *e);
/* RC_INVALID: the store would not take the document: a part of its name is
 * empty, its kind unknown, its text missing or too long. */
enum rc doc_check(const struct doc *d, struct err *e);
struct doc doc_copy(const struct doc *d);
void doc_release(struct doc *d); /* may be called for a zeroed one */

/* A place in a list. */
struct doc_place {
	int64_t at;
	const char *key; /* borrowed; "": before all documents with that `at` */
};

/* How many documents are in a list. */
struct doc_count {
	char kind[DOC_KIND_SIZE];
	char instance[INSTANCE_SIZE];
	char list[DOC_LIST_SIZE];
	uint64_t docs;
};

/* A document to be put or deleted.  Of one that is deleted only the name is
 * read; deleting one that does not exist is fine. */
struct doc_write {
	struct doc doc; /* owns its text */
	bool del;
	bool only_if; /* write it only while the stored document's number is
		       * `rev` (0: there is none) */
	uint64_t rev;
};

#endif
