/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_sample.c - a store of schema 1 that holds all that it could hold is
 * read as it was, after a migration that a kill may have cut anywhere.
 *
 * tests/data/stores/schema-1-full.mdb was made by that version (the .c.txt
 * beside it): orders in each state, shipments at each stage, a journal with each
 * sentence, tasks of each kind that wait, were put off or are dead, devices,
 * sessions, keys, what is in quarantine.  The .txt is what that version read.
 */
#include "tests/unit/sample.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#define SAMPLE "tests/data/stores/schema-1-full"
#define NOW    1768212000000 /* of the sample */

/* ---- what is read, in the words of the sample's text ---- */

static struct store *store;
static FILE *told;

#define put(...) fprintf(told, __VA_ARGS__)

/* As schema 1 said it: the word beside a sentence, and the sentence. */
static bool tell_entry(void *arg, const struct entry *e)
{
	const struct order *o = arg;
	char words[ORDER_TEXT_MAX + 100];
	struct buf b;

	buf_init(&b, sizeof(words));
	entry_words(&b, e, OFFICE, NULL);
	snprintf(words, sizeof(words), "%s", b.data ? b.data : "");
	buf_release(&b);
	put("journal %s %" PRId64 " %" PRIu64 " %" PRId64 " %" PRId64
	    " %" PRIu64 " %s|%s\n",
	    o->instance, o->number, e->seq, e->at, e->warehouse, e->device,
	    entry_about(e), words);
	return true;
}

static const char *or_none(const char *s) { return s ? s : "-"; }

static void tell_shipment(const struct shipment *s)
{
	put("shipment %s %s %s %s by '%s' %" PRId64 " packages at %" PRId64
	       " device %" PRIu64 " all %d lines %zu stage %s capture %s fault "
	       "%d id %" PRId64 " number '%s' shipped_at %" PRId64
	       " rest %d error '%s' reading %d step %d try_at %" PRId64
	       " trying %d unknown %d before %zu keys %zu\n",
	       s->ask.carrier, or_none(s->ask.service),
	       or_none(s->ask.tracking), "", or_none(s->ask.by),
	       s->ask.packages, s->ask.at, s->ask.device, s->ask.all,
	       s->ask.n_lines, ship_stage_name(s->came.stage),
	       ship_capture_name(s->came.capture), s->came.fault, s->came.id,
	       s->came.number, s->came.shipped_at, s->came.rest,
	       or_none(s->came.error), s->came.reading, s->step, s->try_at,
	       s->trying, s->unknown, s->n_before, s->n_keys);
}

static void tell_offer(const struct offer *f)
{
	const struct answer *a = &f->answer;
	const struct problem *p = &f->problem;

	put("offer %" PRId64 " %s list %d expires %" PRId64
	       " openings %zu shipped %d was_accepted %d stopped %d doubt %d "
	       "missed %u answer %d settled %d refusal '%s' reason '%s' note "
	       "'%s' tries %u begun %" PRId64 " unknown %d ok %d denied %d "
	       "found %d sure %u blank %d problem %" PRId64
	       " '%s' '%s' '%s' solved %" PRId64 " '%s' held %zu\n",
	       f->warehouse, offer_state_name(f->state), f->list, f->expires,
	       f->n_openings, f->shipped, f->was_accepted, f->stopped,
	       f->doubt, f->missed, a->verb, a->settled, or_none(a->refusal),
	       or_none(a->reason), or_none(a->note), a->tries, a->try_begun,
	       a->unknown, a->was_ok, a->denied, f->finding.what,
	       f->sighting.sure, f->sighting.blank, p->at, or_none(p->reason),
	       or_none(p->note), or_none(p->by), p->solved_at,
	       or_none(p->solved_by), f->n_held);
	for (size_t i = 0; i < f->n_shipments; i++)
		tell_shipment(&f->shipments[i]);
}

static bool tell_order(void *arg, const struct order *o)
{
	char *details, *address;

	(void)arg;
	put("order %s %" PRId64 " cancelled %d status '%s' hold '%s' %d "
	       "version %" PRIu64 " seen %" PRId64 " updated %" PRId64
	       " missed %u told %" PRId64 " due %d\n",
	       o->instance, o->number, o->cancelled, o->status, o->hold_reason,
	       o->on_hold, o->version, o->first_seen, o->updated, o->missed,
	       o->told_at, o->fetch_due);
	for (size_t i = 0; i < o->n_offers; i++)
		tell_offer(&o->offers[i]);
	assert_ok(store_details(store, o->instance, o->number, &details,
				&address, &err));
	put("texts %s %s\n", or_none(details), or_none(address));
	free(details);
	free(address);
	assert_ok(store_journal(store, o->instance, o->number, tell_entry,
				(void *)(uintptr_t)o, &err));
	return true;
}

static bool tell_task(void *arg, const struct task *t)
{
	(void)arg;
	put("task %" PRIu64 " %s %s %" PRId64 " %" PRId64 " created %" PRId64
	       " due %" PRId64 " attempts %u dead %d '%s'\n",
	       t->id, t->kind, t->instance, t->number, t->sub, t->created,
	       t->due, t->attempts, t->dead, or_none(t->reason));
	return true;
}

static bool tell_event(void *arg, const struct event *ev)
{
	(void)arg;
	put("event %" PRIu64 " %s %s %s %s %" PRId64 " at %" PRId64 " %s\n",
	       ev->seq, ev->instance, ev->type, ev->action, ev->date, ev->id,
	       ev->received, or_none(ev->data));
	return true;
}

static bool tell_bad(void *arg, const struct quarantined *q)
{
	(void)arg;
	put("quarantined %" PRIu64 " %s %s at %" PRId64 " %s %zu %.*s\n",
	       q->seq, quarantine_kind_name(q->kind), q->instance, q->received,
	       or_none(q->header), q->len, (int)q->len, q->bytes);
	return true;
}

static bool tell_device(void *arg, const struct device *d)
{
	(void)arg;
	put("device %" PRIu64 " %s '%s' created %" PRId64
	       " removed %d suspended %d\n",
	       d->id, d->shop, d->name, d->created, d->removed, d->suspended);
	return true;
}

static void tell_stats(void)
{
	struct store_stats st;

	assert_ok(store_stats(store, &st, &err));
	put("stats events %" PRIu64 " orders %" PRIu64 " waiting %" PRIu64
	       " dead %" PRIu64 " quarantined %" PRIu64 " devices %" PRIu64
	       " doubt %" PRIu64 " missed",
	       st.events, st.orders, st.tasks_waiting, st.tasks_dead,
	       st.quarantined, st.devices, st.in_doubt);
	for (int i = 0; i < MISSED_KINDS; i++)
		put(" %" PRIu64, st.missed[i]);
	put("\n");
}

static char *all_of(const char *dir)
{
	struct store_options o = sample_options(dir);
	struct store_verified v;
	char *text = NULL;
	size_t len;

	store = open_with(&o);
	told = open_memstream(&text, &len);
	assert_ok(store_orders(store, NULL, 0, tell_order, NULL, &err));
	assert_ok(store_tasks(store, false, 0, tell_task, NULL, &err));
	assert_ok(store_events(store, 0, tell_event, NULL, &err));
	assert_ok(store_quarantine(store, 0, tell_bad, NULL, &err));
	assert_ok(store_devices(store, tell_device, NULL, &err));
	tell_stats();
	fclose(told);
	assert_ok(store_verify(store, NULL, NULL, &v, &err));
	assert_int_equal(v.wrong, 0);
	store_close(store);
	return text;
}

/* Fails at the first line that is another. */
static void is_as_it_was(const char *dir)
{
	char *text = all_of(dir), *rest = text, *line, was[8192];
	FILE *f = fopen(SAMPLE ".txt", "r");
	int lines = 0;

	assert_non_null(f);
	for (; fgets(was, sizeof(was), f); lines++) {
		was[strcspn(was, "\n")] = '\0';
		line = strsep(&rest, "\n");
		if (line && !strcmp(line, was))
			continue;
		print_error("it was: %s\nit is:  %s\n", was, line);
		_fail(__FILE__, __LINE__);
	}
	assert_true(rest && !*rest);
	assert_true(lines > 400);
	fclose(f);
	free(text);
}

/* ---- tests ---- */

static void all_that_schema_1_held_is_read_as_it_was(void **state)
{
	sample_copy(*state, SAMPLE ".mdb");
	is_as_it_was(*state);
	is_as_it_was(*state); /* nor does the next start change it */
}

static const unsigned char *hash(int n)
{
	static unsigned char h[TOKEN_HASH_SIZE];

	memset(h, n, sizeof(h));
	return h;
}

static void its_devices_sessions_and_codes_are_good(void **state)
{
	struct store_options o = sample_options(*state);
	struct store *s;
	struct device d;

	sample_copy(*state, SAMPLE ".mdb");
	s = open_with(&o);
	assert_ok(store_device_by_token(s, hash(10), &d, &err));
	assert_string_equal(d.name, "Till 1");
	assert_ok(store_device_by_session(s, hash(30), &d, &err));
	assert_string_equal(d.name, "Till 1");
	/* Signed out; removed. */
	assert_int_equal(store_device_by_session(s, hash(31), &d, &err),
			 RC_NOTFOUND);
	assert_int_equal(store_device_by_token(s, hash(12), &d, &err),
			 RC_NOTFOUND);
	/* Used; not yet. */
	assert_int_equal(store_device_code(s, hash(20), NOW + 2, &err),
			 RC_NOTFOUND);
	assert_ok(store_device_code(s, hash(23), NOW + 2, &err));
	store_close(s);
}

static enum rc never(void *arg, const struct order *o, struct changes *ret,
		     struct err *e)
{
	(void)arg, (void)o, (void)ret, (void)e;
	_fail(__FILE__, __LINE__); /* it took effect once more */
	return OK;
}

static void its_keys_and_secrets_are_known(void **state)
{
	struct once once = {.device = 1, .at = NOW + 9};
	struct store_options o = sample_options(*state);
	struct secret_use use;
	struct store *s;

	sample_copy(*state, SAMPLE ".mdb");
	s = open_with(&o);
	memset(once.key, 1, sizeof(once.key));
	memset(once.request, 2, sizeof(once.request));
	assert_ok(store_update_once(s, "se", 18, never, NULL, &once, NULL,
				    NOW + 9, NULL, NULL, &err));
	assert_int_equal(once.seen, ONCE_AGAIN);
	assert_int_equal(once.rc, RC_CONFLICT);
	assert_string_equal(once.code, "taken");
	assert_ok(store_secret_use(s, "se", &use, &err));
	assert_memory_equal(use.current, "abcdefg", 8);
	assert_int_equal(use.previous_last, NOW + 1);
	store_close(s);
}

static void its_events_are_not_news(void **state)
{
	struct event ev = {.type = "order",
			   .action = "cancel",
			   .date = "2026-01-12 10:00:01.000000",
			   .id = 91,
			   .task = "order"};
	struct delivery d = {.instance = "se",
			     .received = NOW + 10,
			     .events = &ev,
			     .n_events = 1};
	struct store_options o = sample_options(*state);
	struct recorded got;
	struct store *s;

	sample_copy(*state, SAMPLE ".mdb");
	s = open_with(&o);
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_int_equal(got.duplicates, 1);
	store_close(s);
}

/* ---- a kill ---- */

static int left; /* tasks to be placed until the end */

static void place_and_die(struct task *t, const struct order *o)
{
	if (!left--)
		raise(SIGKILL);
	handler_place(t, o);
}

/* Whether the migration was cut. */
static bool open_and_die(const char *dir, int after)
{
	struct store_options o = sample_options(dir);
	struct store *s;
	pid_t pid = fork();
	int status;

	if (!pid) {
		left = after;
		o.place = place_and_die;
		(void)!store_open(&s, &o, &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || !WEXITSTATUS(status));
	return WIFSIGNALED(status);
}

static void killed_at_any_task_it_loses_nothing(void **state)
{
	int after = 0;

	for (sample_copy(*state, SAMPLE ".mdb"); open_and_die(*state, after); after++) {
		is_as_it_was(*state);
		sample_copy(*state, SAMPLE ".mdb");
	}
	assert_int_equal(after, 33); /* each task of the sample */
	is_as_it_was(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(all_that_schema_1_held_is_read_as_it_was),
		IN_DIR(its_devices_sessions_and_codes_are_good),
		IN_DIR(its_keys_and_secrets_are_known),
		IN_DIR(its_events_are_not_news),
		IN_DIR(killed_at_any_task_it_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
