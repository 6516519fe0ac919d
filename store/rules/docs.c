/* SPDX-License-Identifier: MIT
 *
 * docs.c - documents: what is kept beside the orders (store/model/doc.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

/* ---- one write ---- */

enum rc doc_may_write(struct rows *r, const struct doc_write *w, bool *ret,
		      struct err *e)
{
	struct doc is;
	enum rc rc = doc_name(&is, w->doc.kind, w->doc.instance, w->doc.key,
			      e);

	*ret = false;
	if (!rc)
		rc = row_doc(r, &is, e);
	if (rc == RC_INVALID && *is.kind)
		return OK; /* it cannot be read, so it is not what was read */
	if (!rc) {
		*ret = is.rev == w->rev;
		doc_release(&is);
	}
	return rc;
}

enum rc doc_write(struct rows *r, const struct doc_write *w, int64_t now,
		  struct err *e)
{
	struct doc d = w->doc; /* borrows */
	enum rc rc = OK;

	if (w->del) {
		del_doc(r, &d);
	} else {
		rc = doc_check(&d, e);
		d.updated = now;
		if (!rc)
			put_doc(r, &d);
	}
	r->cost++;
	return rc;
}

/* ---- what a decision writes ---- */

static struct doc_write *add_write(struct doc_writes *w)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 4;
		w->list = xrealloc(w->list, w->cap, sizeof(*w->list));
	}
	return &w->list[w->n++];
}

void doc_writes_put(struct doc_writes *w, const struct doc *d)
{
	*add_write(w) = (struct doc_write){.doc = doc_copy(d)};
}

void doc_writes_delete(struct doc_writes *w, const struct doc *name)
{
	struct doc d = *name;

	d.text = NULL;
	*add_write(w) = (struct doc_write){.doc = d, .del = true};
}

void doc_writes_task(struct doc_writes *w, const struct task *t)
{
	struct task *task;

	if (w->n_tasks == w->tasks_cap) {
		w->tasks_cap = w->tasks_cap ? 2 * w->tasks_cap : 4;
		w->tasks = xrealloc(w->tasks, w->tasks_cap, sizeof(*w->tasks));
	}
	task = &w->tasks[w->n_tasks++];
	*task = (struct task){
		.number = t->number,
		.sub = t->sub,
		.due = t->due,
		.lane = t->lane,
		.again = TIME_NONE,
	};
	memcpy(task->kind, t->kind, sizeof(task->kind));
	memcpy(task->instance, t->instance, sizeof(task->instance));
}

static void doc_writes_release(struct doc_writes *w)
{
	for (size_t i = 0; i < w->n; i++)
		doc_release(&w->list[i].doc);
	free(w->list);
	free(w->tasks);
	*w = (struct doc_writes){0};
}

static enum rc add_tasks(struct rows *r, const struct doc_writes *w,
			 int64_t now, struct err *e)
{
	struct task task;
	enum rc rc = OK;

	for (size_t i = 0; i < w->n_tasks; i++)
		task_add_want(r, &w->tasks[i]);
	if (w->n_tasks)
		rc = rows_fetch(r, e);
	for (size_t i = 0; !rc && i < w->n_tasks; i++) {
		task = w->tasks[i];
		task.created = now;
		rc = task_add(r, &task, e);
	}
	return rc;
}

static enum rc write_all(struct rows *r, const struct doc_writes *w,
			 int64_t now, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < w->n; i++)
		rc = doc_write(r, &w->list[i], now, e);
	return rc ? rc : add_tasks(r, w, now, e);
}

/* ---- a decision about documents ---- */

struct docs_op {
	struct op op;
	const struct doc_name *names;
	size_t n;
	store_docs_fn *fn;
	void *arg;
	struct once *once; /* or NULL */
	int64_t now;
};

static void docs_want(struct rows *r, struct op *op)
{
	const struct docs_op *u = (struct docs_op *)op;

	if (u->once)
		want_once(r, u->once);
	for (size_t i = 0; i < u->n; i++)
		want_doc(r, u->names[i].kind, u->names[i].instance,
			 u->names[i].key);
}

static enum rc read_named(struct rows *r, const struct docs_op *u,
			  struct doc *ret, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < u->n; i++) {
		rc = doc_name(&ret[i], u->names[i].kind, u->names[i].instance,
			      u->names[i].key, e);
		if (!rc)
			rc = row_doc(r, &ret[i], e);
	}
	return rc;
}

static enum rc docs_update(struct rows *r, struct op *op, struct err *e)
{
	struct docs_op *u = (struct docs_op *)op;
	struct doc_writes writes = {0};
	struct doc *docs;
	enum rc rc, said;

	if (u->once) {
		rc = once_find(r, u->once, e);
		if (rc || u->once->seen != ONCE_NEW)
			return rc;
	}
	docs = xcalloc(u->n ? u->n : 1, sizeof(*docs));
	rc = read_named(r, u, docs, e);
	if (rc)
		goto out;
	said = rc = u->fn(u->arg, docs, u->n, &writes, e);
	if (!rc)
		rc = write_all(r, &writes, u->now, e);
	if (u->once && rc == said)
		rc = once_keep(r, u->once, said);
out:
	doc_writes_release(&writes);
	for (size_t i = 0; i < u->n; i++)
		doc_release(&docs[i]);
	free(docs);
	return rc;
}

enum rc store_docs_update(struct store *s, const struct doc_name *names,
			  size_t n, store_docs_fn *fn, void *arg,
			  struct once *once, int64_t now,
			  struct store_done *done, struct err *e)
{
	struct docs_op u = {
		.op = {.want = docs_want, .run = docs_update},
		.names = names,
		.n = n,
		.fn = fn,
		.arg = arg,
		.once = once,
		.now = now,
	};

	return store_do(s, &u.op, sizeof(u), done, e);
}

/* ---- reading one ---- */

enum rc store_doc(struct store *s, const char *kind, const char *instance,
		  const char *key, struct doc *ret, struct err *e)
{
	struct rows *r = NULL;
	enum rc rc = doc_name(ret, kind, instance, key, e);

	if (!rc)
		rc = rows_open(&r, s, e);
	if (!rc) {
		want_doc(r, kind, instance, key);
		rc = rows_fetch(r, e);
	}
	if (!rc)
		rc = row_doc(r, ret, e);
	rows_close(r);
	if (!rc && !ret->rev)
		return fail(e, RC_NOTFOUND, "there is no document '%s/%s'", kind,
			    key);
	return rc;
}
