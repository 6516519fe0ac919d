/* SPDX-License-Identifier: MIT
 *
 * engine.c - the functions of LMDB as an engine (store/rules/engine.h), and its
 * statistics.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/lmdb/lmdb.h"
#include "store/lmdb/room.h"
#include "store/lmdb/rows.h"
#include "store/lmdb/store_private.h"
#include "store/rules/rules.h"

#define HANGS	    1000 /* ms; while a write goes on for longer than this,
			  * statistics do not reserve room, since the disk
			  * hangs */

/* ---- numbers ---- */

static enum rc rows(struct txn *t, enum table table, uint64_t *ret,
		    struct err *e)
{
	MDB_stat st;
	int mdb = mdb_stat(t->mdb, t->store->tables[table], &st);

	if (!mdb)
		*ret = st.ms_entries;
	return txn_rc(t, mdb, e, "counting rows");
}

static enum rc counts(struct txn *t, struct store_stats *ret, struct err *e)
{
	char name[32];
	enum rc rc = txn_last(t, COUNT_IN_DOUBT, &ret->in_doubt, e);

	for (int kind = 0; !rc && kind < MISSED_KINDS; kind++)
		rc = txn_last(t, missed_counter(name, (enum missed)kind),
			      &ret->missed[kind], e);
	return rc;
}

static enum rc lmdb_stats(struct store *s, struct store_stats *ret, struct err *e)
{
	struct txn t;
	enum rc rc;

	*ret = (struct store_stats){
		.max_bytes = s->max_bytes,
		.commits = atomic_load(&s->commits),
		.writes = atomic_load(&s->writes),
		.queued = writer_waiting(s),
		.writing_for = writer_busy(s),
		.oldest_due = TIME_NONE,
		.failed = atomic_load(&s->failed),
	};
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = room_used(&t, &ret->used_bytes, e);
	if (!rc && s->serve && ret->writing_for < HANGS) {
		rc = room_for_delivery(&t, e);
		ret->full = rc == RC_FULL;
		ret->failed |= rc == RC_IO;
		rc = ret->full ? OK : rc;
	}
	if (!rc)
		rc = rows(&t, T_EVENTS, &ret->events, e);
	if (!rc)
		rc = rows(&t, T_ORDERS, &ret->orders, e);
	if (!rc)
		rc = rows(&t, T_DUE, &ret->tasks_waiting, e);
	if (!rc)
		rc = rows(&t, T_DEAD, &ret->tasks_dead, e);
	if (!rc)
		rc = rows(&t, T_QUARANTINE, &ret->quarantined, e);
	if (!rc)
		rc = rows(&t, T_DEVICES, &ret->devices, e);
	if (!rc)
		rc = oldest_due(&t.rows, &ret->oldest_due, e);
	if (!rc)
		rc = counts(&t, ret, e);
	txn_abort(&t);
	return rc;
}

/* ---- reading ---- */

static enum rc lmdb_read_begin(struct rows **ret, struct store *s,
			       struct err *e)
{
	struct txn *t = xcalloc(1, sizeof(*t));
	enum rc rc = txn_read(t, s, e);

	if (rc)
		free(t);
	else
		*ret = &t->rows;
	return rc;
}

static void lmdb_read_end(struct rows *r)
{
	struct txn *t = txn_of(r);

	txn_abort(t);
	free(t);
}

static uint64_t lmdb_newest_change(struct store *s)
{
	uint64_t newest = 0;
	struct txn t;

	if (!txn_read(&t, s, NULL) && !txn_last(&t, "changes", &newest, NULL)) {
		txn_abort(&t);
		return newest;
	}
	txn_abort(&t);
	return atomic_load(&s->newest);
}

const struct engine engine_lmdb = {
	.scheme = "lmdb:",
	.rows = &lmdb_rows,
	.open = lmdb_open,
	.close = lmdb_close,
	.exists = lmdb_exists,
	.write = writer_do,
	.write_all = writer_do_all,
	.read_begin = lmdb_read_begin,
	.read_end = lmdb_read_end,
	.stats = lmdb_stats,
	.newest_change = lmdb_newest_change,
	.newest_time = lmdb_newest_time,
	.backup = lmdb_backup,
	.compact = lmdb_compact,
	.room = lmdb_room_left,
	.verify = lmdb_verify,
};
