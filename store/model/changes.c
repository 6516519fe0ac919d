/* SPDX-License-Identifier: MIT
 *
 * changes.c - see changes.h.
 */
#include "store/model/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/apply.h"

/* ---- the table ---- */

/* The own() and release() of a payload that has no memory of its own. */
static void plain_own(void *payload)
{
	(void)payload;
}

static void plain_release(void *payload)
{
	(void)payload;
}

static void text_own(char **text)
{
	*text = xstrdup(*text);
}

static void text_release(char **text)
{
	free(*text);
}

static void try_ended_own(struct change_try_ended *t)
{
	t->text = xstrdup(t->text);
}

static void try_ended_release(struct change_try_ended *t)
{
	free(t->text);
}

static void settled_own(struct change_settled *s)
{
	s->text = xstrdup(s->text);
}

static void settled_release(struct change_settled *s)
{
	free(s->text);
}

static void ship_ask_own(struct ship_ask *a)
{
	*a = ship_ask_copy(a);
}

static void ship_lines_own(struct ship_lines *l)
{
	if (l->list)
		l->list = xmemdup(l->list, l->n * sizeof(*l->list));
}

static void ship_lines_release(struct ship_lines *l)
{
	free(l->list);
}

static void ship_begun_own(struct change_ship_begun *b)
{
	ship_lines_own(&b->before);
}

static void ship_begun_release(struct change_ship_begun *b)
{
	ship_lines_release(&b->before);
}

static void ship_came_own(struct ship_came *c)
{
	*c = ship_came_copy(c);
}

static void ship_shown_own(struct ship_shown *s)
{
	s->shown = xstrdup(s->shown);
	s->person = xstrdup(s->person);
}

static void ship_shown_release(struct ship_shown *s)
{
	free(s->shown);
	free(s->person);
}

static void ship_held_own(struct change_ship_held *h)
{
	if (h->list)
		h->list = xmemdup(h->list, h->n * sizeof(*h->list));
}

static void ship_held_release(struct change_ship_held *h)
{
	free(h->list);
}

static void entry_own(struct entry *e)
{
	*e = entry_copy(e);
}

static void doc_write_own(struct doc_write *w)
{
	w->doc = doc_copy(&w->doc);
}

static void doc_write_release(struct doc_write *w)
{
	doc_release(&w->doc);
}

/* clang-format off */
#define CHANGE(KIND, type, member, memory, apply)                             \
	static void own_##KIND(struct change *c) { memory##_own(&c->member); } \
	static void release_##KIND(struct change *c)                          \
	{                                                                     \
		memory##_release(&c->member);                                 \
	}
#include "store/model/changes.def"

static const struct {
	void (*own)(struct change *c);     /* NULL: the kind has no payload */
	void (*release)(struct change *c); /* NULL: the same */
	void (*apply)(struct order *o, const struct change *c);
} kinds[CHANGES] = {
#define BARE(KIND, apply) [CHANGE_##KIND] = {NULL, NULL, apply},
#define CHANGE(KIND, type, member, memory, apply) \
	[CHANGE_##KIND] = {own_##KIND, release_##KIND, apply},
#include "store/model/changes.def"
};
/* clang-format on */

void order_apply(struct order *o, const struct change *c)
{
	kinds[c->kind].apply(o, c);
}

/* ---- lists of changes ---- */

struct change *changes_add(struct changes *c, enum change_kind kind,
			   int64_t warehouse)
{
	struct change *new;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 4;
		c->list = xrealloc(c->list, c->cap, sizeof(*c->list));
	}
	new = &c->list[c->n++];
	memset(new, 0, sizeof(*new));
	new->kind = kind;
	new->warehouse = warehouse;
	return new;
}

struct change change_copy(const struct change *c)
{
	struct change ret = *c;

	if (kinds[c->kind].own)
		kinds[c->kind].own(&ret);
	return ret;
}

void change_release(struct change *c)
{
	if (kinds[c->kind].release)
		kinds[c->kind].release(c);
	memset(c, 0, sizeof(*c));
}

void changes_add_copies(struct changes *c, const struct changes *more)
{
	for (size_t i = 0; i < more->n; i++)
		*changes_add(c, more->list[i].kind, 0) =
			change_copy(&more->list[i]);
}

void changes_journal(struct changes *c, const struct entry *e)
{
	changes_add(c, CHANGE_ENTRY, e->warehouse)->entry = entry_copy(e);
}

void changes_journal_event(struct changes *c, const struct event *ev,
			   const struct entry *e)
{
	struct entry said = *e;

	said.date = ev->date;
	said.received = ev->received;
	changes_journal(c, &said);
}

void changes_task(struct changes *c, const char *kind, int64_t sub, int64_t due)
{
	changes_add(c, CHANGE_TASK, 0)->task = (struct change_task){
		.kind = kind,
		.sub = sub,
		.due = due,
	};
}

void changes_task_of(struct changes *c, int64_t number, const char *kind,
		     int64_t sub, int64_t due)
{
	changes_add(c, CHANGE_TASK, 0)->task = (struct change_task){
		.kind = kind,
		.sub = sub,
		.due = due,
		.elsewhere = true,
		.number = number,
	};
}

static void add_doc(struct changes *c, const struct doc *d, bool del,
		    bool only_if)
{
	changes_add(c, CHANGE_DOC, 0)->doc = (struct doc_write){
		.doc = doc_copy(d),
		.del = del,
		.only_if = only_if,
		.rev = d->rev,
	};
}

void changes_doc(struct changes *c, const struct doc *d, bool only_if)
{
	add_doc(c, d, false, only_if);
}

void changes_doc_delete(struct changes *c, const struct doc *d, bool only_if)
{
	add_doc(c, d, true, only_if);
}

void changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		change_release(&c->list[i]);
	free(c->list);
	*c = (struct changes){0};
}
