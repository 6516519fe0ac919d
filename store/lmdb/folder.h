/* SPDX-License-Identifier: MIT
 *
 * folder.h - the folder of a store: who owns it, and its locks.
 *
 * All processes that have the store open share the lock on the folder, so that
 * the file is never replaced while one uses it.  Whoever serves holds serve.lock
 * too.
 *
 * Threads: called while a store is opened or closed, by that one thread.
 */
#ifndef STORE_LMDB_FOLDER_H
#define STORE_LMDB_FOLDER_H

#include "base/err.h"

#define FILE_MODE 0600

struct store;
struct store_options;

/* Makes the folder unless it is there.  RC_NOTFOUND: its parent is not. */
enum rc folder_make(const char *dir, struct err *e);
/* RC_DENIED: the folder belongs to another user.  Else the store keeps which
 * folder it is. */
enum rc folder_owned(struct store *s, const char *dir, struct err *e);
/* Takes the lock on the folder: a shared one, or with store_options.alone the
 * only one.  RC_EXISTS: another process has it. */
enum rc folder_lock(struct store *s, const struct store_options *o,
		    struct err *e);
/* Takes serve.lock.  RC_EXISTS: another process holds it. */
enum rc take_serve_lock(struct store *s, const char *dir, struct err *e);
void drop_serve_lock(struct store *s);

/* Syncs the folder, so that a file which was made or renamed in it is there
 * after a power cut. */
enum rc folder_sync(const char *dir, struct err *e);
/* Returns the folder that `path` is in; the caller frees it. */
char *folder_of(const char *path);
/* Removes a file, which may be missing. */
enum rc file_remove(const char *path, struct err *e);

#endif
