/* SPDX-License-Identifier: MIT
 *
 * docs.h - how a run reads documents (store/model/doc.h).
 *
 * The worker fills in a struct docs.  A run writes documents with CHANGE_DOC:
 * changes_doc() in store/model/changes.h.  What it reads is the store as it is
 * at that moment; with only_if, a write that rests on it is made only while it
 * holds.
 */
#ifndef HANDLERS_DOCS_H
#define HANDLERS_DOCS_H

#include "handlers/handlers.h"
#include "store/model/doc.h"

struct docs {
	void *arg; /* the worker's own */
	/* Reads a document of the task's instance into *ret, which the caller
	 * releases; OK with rev 0 and its name set: there is none. */
	enum rc (*one)(const struct work *w, const char *kind, const char *key,
		       struct doc *ret, struct err *e);
	/* Lists the documents in a list of a kind of the task's instance, by
	 * `at` and key, behind `after` (NULL: from the first); fn returns false
	 * to end the list. */
	enum rc (*listed)(const struct work *w, const char *kind,
			  const char *list, const struct doc_place *after,
			  bool (*fn)(void *arg, const struct doc *d),
			  void *arg, struct err *e);
	/* Lists the documents of a kind of the task's instance by their keys,
	 * from the key `from` on; fn returns false to end the list. */
	enum rc (*keyed)(const struct work *w, const char *kind,
			 const char *from,
			 bool (*fn)(void *arg, const struct doc *d), void *arg,
			 struct err *e);
};

#endif
