/* SPDX-License-Identifier: MIT
 *
 * test_docs.c - documents: what is kept beside the orders.
 */
#include "tests/store/suite.h"

static struct doc doc_of(const char *key, const char *list, int64_t at,
			 const char *text)
{
	struct doc d;

	assert_ok(doc_name(&d, "stock_item", "se", key, &err));
	snprintf(d.list, sizeof(d.list), "%s", list);
	d.at = at;
	d.text = xstrdup(text);
	return d;
}

/* A store_docs_fn: puts the n documents at arg, which ends with an empty one. */
static enum rc put_all(void *arg, const struct doc *docs, size_t n,
		       struct doc_writes *ret, struct err *e)
{
	const struct doc *d = arg;

	(void)docs;
	(void)n;
	(void)e;
	for (; *d->kind; d++)
		doc_writes_put(ret, d);
	return OK;
}

static void put(struct store *s, const char *key, const char *list, int64_t at,
		const char *text)
{
	struct doc d[2] = {doc_of(key, list, at, text)};

	assert_ok(store_docs_update(s, NULL, 0, put_all, d, NULL, 5000, NULL,
				    &err));
	doc_release(d);
}

static enum rc delete_it(void *arg, const struct doc *docs, size_t n,
			 struct doc_writes *ret, struct err *e)
{
	(void)docs;
	(void)n;
	(void)e;
	doc_writes_delete(ret, arg);
	return OK;
}

static void delete(struct store *s, const char *key)
{
	struct doc d;

	assert_ok(doc_name(&d, "stock_item", "se", key, &err));
	assert_ok(store_docs_update(s, NULL, 0, delete_it, &d, NULL, 5000, NULL,
				    &err));
}

static uint64_t rev_of(struct store *s, const char *key)
{
	struct doc d;
	enum rc rc = store_doc(s, "stock_item", "se", key, &d, &err);
	uint64_t rev = d.rev;

	doc_release(&d);
	return rc == RC_NOTFOUND ? 0 : rev;
}

static bool take_key(void *arg, const struct doc *d)
{
	char *text = arg;

	snprintf(text + strlen(text), 200 - strlen(text), "%s ", d->key);
	return true;
}

static const char *listed(struct store *s, const char *list,
			  const struct doc_place *after)
{
	static char text[200];

	text[0] = '\0';
	assert_ok(store_docs_listed(s, "stock_item", "se", list, after,
				    take_key, text, &err));
	return text;
}

static bool take_count(void *arg, const struct doc_count *c)
{
	char *text = arg;

	snprintf(text + strlen(text), 200 - strlen(text), "%s/%s:%d ",
		 c->instance, c->list, (int)c->docs);
	return true;
}

static const char *counts(struct store *s)
{
	static char text[200];

	text[0] = '\0';
	assert_ok(store_doc_counts(s, "stock_item", take_count, text, &err));
	return text;
}

/* ---- what is put is read ---- */

static void what_is_put_is_read_after_a_restart(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d;

	put(s, "27/a", "27/waiting", 77, "{\"n\":1}");
	store_close(s);
	s = open_serve(*state);
	assert_ok(store_doc(s, "stock_item", "se", "27/a", &d, &err));
	assert_string_equal(d.text, "{\"n\":1}");
	assert_string_equal(d.list, "27/waiting");
	assert_true(d.rev && d.at == 77 && d.updated == 5000);
	doc_release(&d);
	assert_whole(s);
	store_close(s);
}

static void a_document_that_is_not_there_is_not_found(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d;

	put(s, "27/a", "", 0, "{}");
	assert_int_equal(store_doc(s, "stock_item", "se", "27/b", &d, &err),
			 RC_NOTFOUND);
	assert_int_equal(store_doc(s, "stock_item", "no", "27/a", &d, &err),
			 RC_NOTFOUND);
	assert_int_equal(store_doc(s, "return", "se", "27/a", &d, &err),
			 RC_NOTFOUND);
	store_close(s);
}

static void a_number_is_never_given_twice(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t first, second;

	put(s, "27/a", "x", 1, "{}");
	first = rev_of(s, "27/a");
	put(s, "27/a", "x", 1, "{}");
	second = rev_of(s, "27/a");
	assert_true(second > first);
	delete(s, "27/a");
	assert_int_equal(rev_of(s, "27/a"), 0);
	put(s, "27/a", "x", 1, "{}");
	assert_true(rev_of(s, "27/a") > second);
	assert_whole(s);
	store_close(s);
}

/* A kind that is in no table would be kept for ever. */
static void an_unknown_kind_or_a_long_text_is_refused(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d[2] = {doc_of("27/a", "", 0, "{}")};

	snprintf(d->kind, sizeof(d->kind), "nothing");
	assert_int_equal(store_docs_update(s, NULL, 0, put_all, d, NULL, 1,
					   NULL, &err),
			 RC_INVALID);
	snprintf(d->kind, sizeof(d->kind), "stock_item");
	free(d->text);
	d->text = xcalloc(1, DOC_TEXT_MAX + 2);
	memset(d->text, 'x', DOC_TEXT_MAX + 1);
	assert_int_equal(store_docs_update(s, NULL, 0, put_all, d, NULL, 1,
					   NULL, &err),
			 RC_INVALID);
	d->text[DOC_TEXT_MAX] = '\0';
	assert_ok(store_docs_update(s, NULL, 0, put_all, d, NULL, 1, NULL,
				    &err));
	doc_release(d);
	store_close(s);
}

/* ---- lists ---- */

static void a_list_is_sorted_by_place_and_then_by_key(void **state)
{
	struct store *s = open_serve(*state);

	put(s, "c", "w", 5, "{}");
	put(s, "b", "w", 5, "{}");
	put(s, "a", "w", 9, "{}");
	put(s, "z", "w", -3, "{}");
	put(s, "other", "wx", 1, "{}");
	put(s, "none", "", 1, "{}");
	assert_string_equal(listed(s, "w", NULL), "z b c a ");
	assert_string_equal(listed(s, "w", &(struct doc_place){5, "b"}),
			    "c a ");
	assert_string_equal(listed(s, "w", &(struct doc_place){5, ""}),
			    "b c a ");
	assert_string_equal(counts(s), "se/:1 se/w:4 se/wx:1 ");
	assert_whole(s);
	store_close(s);
}

static void a_document_leaves_its_list_when_it_moves_or_goes(void **state)
{
	struct store *s = open_serve(*state);

	put(s, "a", "w", 5, "{}");
	put(s, "b", "w", 6, "{}");
	put(s, "a", "w", 7, "{}");
	assert_string_equal(listed(s, "w", NULL), "b a ");
	put(s, "a", "done", 7, "{}");
	assert_string_equal(listed(s, "w", NULL), "b ");
	assert_string_equal(listed(s, "done", NULL), "a ");
	delete(s, "b");
	delete(s, "b");
	assert_string_equal(listed(s, "w", NULL), "");
	assert_string_equal(counts(s), "se/done:1 ");
	assert_whole(s);
	store_close(s);
}

static void documents_are_listed_by_key_from_one_on(void **state)
{
	struct store *s = open_serve(*state);
	char text[200] = "";

	put(s, "27/b", "", 0, "{}");
	put(s, "27/a", "", 0, "{}");
	put(s, "3/a", "", 0, "{}");
	assert_ok(store_docs(s, "stock_item", "se", "27/b", take_key, text,
			     &err));
	assert_string_equal(text, "27/b 3/a ");
	text[0] = '\0';
	assert_ok(store_docs(s, "stock_item", NULL, NULL, take_key, text,
			     &err));
	assert_string_equal(text, "27/a 27/b 3/a ");
	store_close(s);
}

/* ---- decisions ---- */

/* Adds a 1 to the text of the named document and asks for a task. */
static enum rc count_up(void *arg, const struct doc *docs, size_t n,
			struct doc_writes *ret, struct err *e)
{
	struct task t = {
		.kind = "set_stock", .instance = "se", .number = -27, .due = 9};
	struct doc d = docs[0];
	char text[20];

	(void)e;
	assert_int_equal(n, 1);
	snprintf(text, sizeof(text), "%.10s1", d.rev ? d.text : "");
	d.text = text;
	doc_writes_put(ret, &d);
	doc_writes_task(ret, &t);
	++*(int *)arg;
	return OK;
}

static bool take_task(void *arg, const struct task *t)
{
	struct task *ret = arg;

	ret->id++; /* how many */
	ret->number = t->number;
	ret->due = t->due;
	return true;
}

static void a_decision_sees_what_is_stored_and_adds_tasks(void **state)
{
	const struct doc_name name = {"stock_item", "se", "27/a"};
	struct store *s = open_serve(*state);
	struct task tasks = {0};
	struct doc d;
	int runs = 0;

	for (int i = 0; i < 3; i++)
		assert_ok(store_docs_update(s, &name, 1, count_up, &runs, NULL,
					    1, NULL, &err));
	assert_ok(store_doc(s, "stock_item", "se", "27/a", &d, &err));
	assert_string_equal(d.text, "111");
	doc_release(&d);
	assert_ok(store_tasks(s, false, 0, take_task, &tasks, &err));
	assert_true(tasks.id == 1 && tasks.number == -27 && tasks.due == 9);
	assert_whole(s);
	store_close(s);
}

static void a_request_with_a_key_takes_effect_once(void **state)
{
	const struct doc_name name = {"stock_item", "se", "27/a"};
	struct store *s = open_serve(*state);
	struct once once = {.device = 7, .key = "k", .request = "r", .at = 1};
	struct doc d;
	int runs = 0;

	assert_ok(store_docs_update(s, &name, 1, count_up, &runs, &once, 1,
				    NULL, &err));
	assert_int_equal(once.seen, ONCE_NEW);
	assert_ok(store_docs_update(s, &name, 1, count_up, &runs, &once, 2,
				    NULL, &err));
	assert_int_equal(once.seen, ONCE_AGAIN);
	assert_int_equal(runs, 1);
	assert_ok(store_doc(s, "stock_item", "se", "27/a", &d, &err));
	assert_string_equal(d.text, "1");
	doc_release(&d);
	store_close(s);
}

static enum rc put_and_refuse(void *arg, const struct doc *docs, size_t n,
			      struct doc_writes *ret, struct err *e)
{
	(void)docs;
	(void)n;
	doc_writes_put(ret, arg);
	return (fail)(e, RC_CONFLICT, "no");
}

static void a_decision_that_refuses_writes_nothing(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d = doc_of("27/a", "w", 1, "{}");

	assert_int_equal(store_docs_update(s, NULL, 0, put_and_refuse, &d, NULL,
					   1, NULL, &err),
			 RC_CONFLICT);
	assert_int_equal(rev_of(s, "27/a"), 0);
	doc_release(&d);
	store_close(s);
}

/* ---- with changes of an order ---- */

static struct task lease_one(struct store *s, int64_t now)
{
	struct task t;
	size_t n;
	int64_t next;

	assert_ok(store_lease(s, now, NULL, &t, 1, &n, &next, &err));
	assert_int_equal(n, 1);
	return t;
}

static void add_task(struct store *s, int64_t number)
{
	struct task t = {
		.kind = "set_stock", .instance = "se", .number = number};

	assert_ok(store_task_add(s, &t, &err));
}

static unsigned waiting_tasks(struct store *s)
{
	struct task tasks = {0};

	assert_ok(store_tasks(s, false, 0, take_task, &tasks, &err));
	return (unsigned)tasks.id;
}

static void a_run_writes_its_documents_and_ends_its_task_together(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d = doc_of("27/a", "done", 1, "{}"), gone;
	struct result r = {.how = OUTCOME_DONE};
	struct task t;

	add_task(s, -27);
	t = lease_one(s, 100);
	put(s, "27/b", "w", 1, "{}");
	assert_ok(doc_name(&gone, "stock_item", "se", "27/b", &err));
	changes_doc(&r.changes, &d, false);
	changes_doc_delete(&r.changes, &gone, false);
	assert_ok(store_finish(s, &t, &r, 100, &err));
	assert_true(rev_of(s, "27/a") != 0);
	assert_int_equal(rev_of(s, "27/b"), 0);
	assert_int_equal(waiting_tasks(s), 0);
	assert_whole(s);
	task_release(&t);
	result_release(&r);
	doc_release(&d);
	store_close(s);
}

static void a_write_that_rests_on_an_older_document_is_left_out(void **state)
{
	struct store *s = open_serve(*state);
	struct doc a, b = doc_of("27/b", "", 1, "{}");
	struct result r = {.how = OUTCOME_DONE};
	struct task t;
	uint64_t newer;

	put(s, "27/a", "w", 1, "{}");
	add_task(s, -27);
	t = lease_one(s, 100);
	assert_ok(store_doc(s, "stock_item", "se", "27/a", &a, &err));
	put(s, "27/a", "w", 2, "{\"newer\":1}");
	newer = rev_of(s, "27/a");
	changes_doc(&r.changes, &a, true);
	changes_doc(&r.changes, &b, true);
	assert_ok(store_finish(s, &t, &r, 100, &err));
	assert_int_equal(rev_of(s, "27/a"), newer);
	assert_true(rev_of(s, "27/b") != 0);
	assert_int_equal(waiting_tasks(s), 1); /* it runs again */
	task_release(&t);
	result_release(&r);
	doc_release(&a);
	doc_release(&b);
	t = lease_one(s, 100);
	assert_int_equal(t.number, -27);
	task_release(&t);
	assert_whole(s);
	store_close(s);
}

static enum rc add_doc(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	(void)o;
	(void)e;
	changes_doc(ret, arg, true);
	changes_task_of(ret, -27, "set_stock", 0, 5);
	return OK;
}

static void an_update_that_rests_on_an_older_document_writes_nothing(
	void **state)
{
	struct store *s = open_serve(*state);
	struct doc a = doc_of("27/a", "w", 1, "{}");
	uint64_t newer;

	assert_ok(store_update(s, "se", 19, add_doc, &a, 1, NULL, NULL, &err));
	newer = rev_of(s, "27/a");
	assert_true(newer != 0);
	assert_int_equal(waiting_tasks(s), 1);
	assert_int_equal(store_update(s, "se", 19, add_doc, &a, 1, NULL, NULL,
				      &err),
			 RC_AGAIN);
	assert_int_equal(rev_of(s, "27/a"), newer);
	assert_whole(s);
	doc_release(&a);
	store_close(s);
}

/* ---- retention ---- */

static void remove_docs(struct store *s, enum aged what, int64_t before)
{
	struct removal r = {.what = what, .before = before, .now = before};
	size_t n;

	assert_ok(remove_old(s, &r, &n));
}

static void what_has_ended_goes_by_age_and_what_waits_stays(void **state)
{
	struct store *s = open_serve(*state);
	char key[40];

	for (int i = 0; i < 450; i++) {
		snprintf(key, sizeof(key), "27/%03d", i);
		put(s, key, i % 2 ? "done" : "27/done", i, "{}");
	}
	put(s, "waits", "27/waiting", 1, "{}");
	put(s, "none", "", 1, "{}");
	remove_docs(s, AGED_RETURNS, 1000);
	assert_string_equal(counts(s), "se/:1 se/27/done:225 se/27/waiting:1 "
				       "se/done:225 ");
	remove_docs(s, AGED_STOCK, 448);
	assert_string_equal(counts(s),
			    "se/:1 se/27/done:1 se/27/waiting:1 se/done:1 ");
	assert_string_equal(listed(s, "done", NULL), "27/449 ");
	assert_whole(s);
	store_close(s);
}

#define MANY_LISTS 1100

/* Young documents of many lists hide no old one. */
static void what_has_ended_goes_from_however_many_lists(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d[MANY_LISTS + 1] = {0};
	char key[40], list[40];

	for (int i = 0; i < MANY_LISTS; i++) {
		snprintf(key, sizeof(key), "%04d/a", i);
		snprintf(list, sizeof(list), "%04d/done", i);
		d[i] = doc_of(key, list, i < MANY_LISTS - 1 ? 2000 : 1, "{}");
	}
	assert_ok(store_docs_update(s, NULL, 0, put_all, d, NULL, 5000, NULL,
				    &err));
	remove_docs(s, AGED_STOCK, 1000);
	assert_string_equal(listed(s, list, NULL), "");
	assert_string_equal(listed(s, "0000/done", NULL), "0000/a ");
	assert_whole(s);
	for (int i = 0; i < MANY_LISTS; i++)
		doc_release(&d[i]);
	store_close(s);
}

static bool count_doc(void *arg, const struct doc *d)
{
	(void)d;
	++*(int *)arg;
	return true;
}

/* Each kind of document has its own age. */
static void events_of_a_feed_go_by_their_own_age(void **state)
{
	struct store *s = open_serve(*state);
	struct doc d[3] = {doc_of("graphql/1", "unresolved/done", 10, "{}"),
			   doc_of("graphql/2", "unresolved/done", 30, "{}")};
	int n = 0;

	for (int i = 0; i < 2; i++)
		(void)!copy_text(d[i].kind, sizeof(d[i].kind), "feed_event");
	assert_ok(store_docs_update(s, NULL, 0, put_all, d, NULL, 5000, NULL,
				    &err));
	remove_docs(s, AGED_RETURNS, 1000);
	remove_docs(s, AGED_FEEDS, 20);
	assert_ok(store_docs_listed(s, "feed_event", "se", "unresolved/done",
				    NULL, count_doc, &n, &err));
	assert_int_equal(n, 1);
	assert_whole(s);
	doc_release(&d[0]);
	doc_release(&d[1]);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(what_is_put_is_read_after_a_restart),
		FRESH(a_document_that_is_not_there_is_not_found),
		FRESH(a_number_is_never_given_twice),
		FRESH(an_unknown_kind_or_a_long_text_is_refused),
		FRESH(a_list_is_sorted_by_place_and_then_by_key),
		FRESH(a_document_leaves_its_list_when_it_moves_or_goes),
		FRESH(documents_are_listed_by_key_from_one_on),
		FRESH(a_decision_sees_what_is_stored_and_adds_tasks),
		FRESH(a_request_with_a_key_takes_effect_once),
		FRESH(a_decision_that_refuses_writes_nothing),
		FRESH(a_run_writes_its_documents_and_ends_its_task_together),
		FRESH(a_write_that_rests_on_an_older_document_is_left_out),
		FRESH(an_update_that_rests_on_an_older_document_writes_nothing),
		FRESH(what_has_ended_goes_by_age_and_what_waits_stays),
		FRESH(what_has_ended_goes_from_however_many_lists),
		FRESH(events_of_a_feed_go_by_their_own_age),
	};

	return RUN(tests);
}
