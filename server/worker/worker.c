/* SPDX-License-Identifier: MIT
 *
 * worker.c - see worker.h and worker_private.h.
 *
 * The store decides which task is next, and never gives two threads tasks of
 * one order.  A wake goes to one thread; a thread that leased a task wakes the
 * next one before it runs the task, so that one new task does not wake all.
 */
#include "server/worker/worker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"
#include "server/worker/worker_private.h"

/* ms between looks at the queue: a command adds tasks without a signal. */
#define SLEEP_MAX 1000
/* ms that a thread waits for a disk that failed for now. */
#define PAUSE 1000
/* ms: no failed task waits for longer, unless look_again is longer. */
#define LONGEST_RETRY (65 * 60000)
/* ms between removals of old addresses and sessions. */
#define RETENTION_EVERY ((int64_t)3600 * 1000)

/* ---- sleeping and waking ---- */

bool workers_stopping(struct workers *w)
{
	bool ret;

	pthread_mutex_lock(&w->lock);
	ret = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return ret || *w->parts->failed;
}

static uint64_t wakes(struct workers *w)
{
	uint64_t ret;

	pthread_mutex_lock(&w->lock);
	ret = w->wakes;
	pthread_mutex_unlock(&w->lock);
	return ret;
}

void workers_wake(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->wakes++;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Sleeps for ms, or until a wake that came after number `seen`, or until the
 * stop. */
static void sleep_for(struct workers *w, uint64_t seen, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && w->wakes == seen)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until))
			break;
	pthread_mutex_unlock(&w->lock);
}

void workers_pause(struct workers *w)
{
	int64_t end = time_mono() + PAUSE, left = PAUSE;

	while (left > 0 && !workers_stopping(w)) {
		sleep_for(w, wakes(w), left);
		left = end - time_mono();
	}
}

/* ---- between tasks: the clock, redrives, old data ---- */

<<<<<<< HEAD
/* Makes due the tasks of the account that have failed and wait for longer than
 * `beyond` ms: what they failed for may be mended by now. */
=======
static uint64_t any_number(void)
{
	uint64_t n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		n = (uint64_t)time_mono() * 0x9e3779b97f4a7c15U;
	return n;
}

static const struct workplace *place_of(const struct work *w)
{
	return ((struct thread *)w->worker)->workers->place;
}

/* ---- tries, by the steady clock ---- */

static struct tried *tried_of(struct workers *w, const struct task *t)
{
	for (size_t i = 0; i < w->n_tries; i++) {
		struct tried *r = &w->tries[i];

		if (r->number == t->number && r->sub == t->sub &&
		    !strcmp(r->instance, t->instance))
			return r;
	}
	return NULL;
}

static struct tried *tried_new(struct workers *w, const struct task *t)
{
	struct tried *r;

	if (w->n_tries == w->cap_tries) {
		w->cap_tries = w->cap_tries ? 2 * w->cap_tries : 16;
		w->tries = xrealloc(w->tries, w->cap_tries, sizeof(*w->tries));
	}
	r = &w->tries[w->n_tries++];
	*r = (struct tried){.number = t->number, .sub = t->sub};
	memcpy(r->instance, t->instance, sizeof(r->instance));
	return r;
}

static void note_try(struct workers *w, const struct task *t, int64_t mono)
{
	struct tried *r;

	pthread_mutex_lock(&w->lock);
	for (size_t i = w->n_tries; i-- > 0;)
		if (mono - w->tries[i].mono > w->settle)
			w->tries[i] = w->tries[--w->n_tries];
	r = tried_of(w, t);
	if (!r)
		r = tried_new(w, t);
	r->mono = mono;
	pthread_mutex_unlock(&w->lock);
}

static int64_t since_try(struct workers *w, const struct task *t, int64_t mono)
{
	const struct tried *r;
	int64_t ret;

	pthread_mutex_lock(&w->lock);
	r = tried_of(w, t);
	ret = r ? mono - r->mono : clock_running(w->place->clock, mono);
	pthread_mutex_unlock(&w->lock);
	return ret;
}

struct begun {
	const struct changes *said; /* by the run so far */
	begin_fn *fn;
	void *arg;
};

static enum rc say_begun(void *arg, const struct order *o,
			 struct changes *ret, struct err *e)
{
	const struct begun *b = arg;

	changes_add_copies(ret, b->said);
	return b->fn(b->arg, o, ret, e);
}

static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct begun b = {
		.said = &w->result.changes,
		.fn = fn,
		.arg = arg,
	};
	struct order as_it_is = {0};
	enum rc rc;

	/* A run may make many calls, and a stop must not wait for all of
	 * them. */
	if (stopping(((struct thread *)w->worker)->workers))
		return fail(e, RC_AGAIN, "the server stops");
	rc = store_update(place_of(w)->store, w->task->instance,
			  w->task->number, say_begun, &b, time_now(),
			  &as_it_is, NULL, e);
	if (rc) {
		order_release(&as_it_is);
		return rc;
	}
	changes_release(&w->result.changes);
	order_release(w->order);
	*w->order = as_it_is;
	w->since_try = 0;
	note_try(((struct thread *)w->worker)->workers, w->task, time_mono());
	return OK;
}

const char *api_name(enum centra_api api)
{
	return api == CENTRA_ORDER_API ? "order_api" : "graphql";
}

static void count_call(const struct workplace *place, const struct call *call)
{
	if (call->held) {
		COUNT(place->counters, calls_held_total);
		return;
	}
	if (call->refused)
		COUNT(place->counters, credentials_refused_total);
	switch (call->end) {
	case CALL_OK:
		COUNT(place->counters, calls_ok_total);
		break;
	case CALL_NOT_DONE:
		COUNT(place->counters, calls_not_done_total);
		break;
	case CALL_UNKNOWN:
		COUNT(place->counters, calls_unknown_total);
		break;
	}
}

static void log_call(const struct task *t, enum centra_api api,
		     const char *what, const struct call *call)
{
	if (call->held)
		log_line(LOG_DEBUG, "call to centra held",
			 LOG_S("instance", t->instance),
			 LOG_N("order", t->number), LOG_S("api", api_name(api)),
			 LOG_S("what", what), LOG_S("error", call->why.text));
	else
		log_line(call->end == CALL_OK ? LOG_DEBUG : LOG_INFO,
			 "called centra", LOG_S("instance", t->instance),
			 LOG_N("order", t->number), LOG_S("api", api_name(api)),
			 LOG_S("what", what), LOG_N("status", call->status),
			 LOG_N("latency_ms", call->latency),
			 LOG_S("error", call->end == CALL_OK ? NULL :
							       call->why.text));
}

/* Logs that this call opened or closed the circuit breaker of the API. */
static void log_turn(const struct task *t, enum centra_api api,
		     const struct call *call)
{
	if (call->turn == CALL_AWAY)
		log_line(LOG_WARN, "centra is away", LOG_S("instance",
							   t->instance),
			 LOG_S("api", api_name(api)),
			 LOG_N("status", call->status),
			 LOG_S("why", call->why.text));
	else if (call->turn == CALL_BACK)
		log_line(LOG_INFO, "centra is back",
			 LOG_S("instance", t->instance),
			 LOG_S("api", api_name(api)));
}

/* Counts and logs a call to Centra that was made for a task. */
static void call_told(const struct workplace *place, const struct task *t,
	       enum centra_api api, const char *what, const struct call *call)
{
	count_call(place, call);
	if (call->date)
		clock_told(place->clock, call->date, time_mono());
	log_call(t, api, what, call);
	log_turn(t, api, call);
	if (call->refused)
		log_limited(A_MINUTE, LOG_ERROR,
			    "centra refuses our key or token: mend it in the "
			    "config and send SIGHUP",
			    LOG_S("instance", t->instance),
			    LOG_S("api", api_name(api)),
			    LOG_N("status", call->status));
}

static void called(struct work *w, enum centra_api api, const char *what,
		   const struct call *call)
{
	struct clock *c = place_of(w)->clock;

	call_told(place_of(w), w->task, api, what, call);
	/* Compares the clock with the Date of the reply. */
	w->clock_ahead = clock_wrong_by(c, time_now(), time_mono());
}

static void alarm_raised(struct work *w, enum centra_api api, const char *why)
{
	COUNT(place_of(w)->counters, configuration_alarms_total);
	log_limited(A_MINUTE, LOG_ERROR, "configuration is at fault",
		    LOG_S("instance", w->task->instance),
		    LOG_N("order", w->task->number),
		    LOG_S("api", api_name(api)), LOG_S("why", why));
}

/* ---- one run ---- */

static void log_outcome(const struct task *t, const struct result *r,
			int64_t took)
{
	static const struct {
		enum log_level level;
		const char *msg;
	} of[] = {
		[OUTCOME_DONE] = {LOG_DEBUG, LOG_MSG("task done")},
		[OUTCOME_RETRY] = {LOG_INFO, LOG_MSG("task put off")},
		[OUTCOME_DEAD] = {LOG_ERROR, LOG_MSG("task given up")},
	};
	bool done = r->how == OUTCOME_DONE;
	/* A task that is put off again for the same reason is logged once. */
	bool again = r->how == OUTCOME_RETRY && t->reason &&
		     strcmp(t->reason, r->reason.text) == 0;

	log_line(again ? LOG_DEBUG : of[r->how].level, of[r->how].msg,
		 LOG_S("instance", t->instance), LOG_N("order", t->number),
		 LOG_S("kind", t->kind), LOG_N("task", (int64_t)t->id),
		 LOG_N("attempts", t->attempts + !done),
		 LOG_N("latency_ms", took),
		 LOG_S("why", done ? NULL : r->reason.text));
}

static void count_outcome(const struct workplace *place, enum outcome how)
{
	switch (how) {
	case OUTCOME_DONE:
		COUNT(place->counters, tasks_done_total);
		break;
	case OUTCOME_RETRY:
		COUNT(place->counters, tasks_retried_total);
		break;
	case OUTCOME_DEAD:
		COUNT(place->counters, tasks_dead_total);
		break;
	}
}

/* Counts a look that reconciliation asked for. */
static void count_look(const struct workplace *place, const struct task *t,
		       enum outcome how)
{
	if (how == OUTCOME_DONE && t->lane == LANE_SWEEP &&
	    !strcmp(t->kind, TASK_FETCH_ORDER))
		COUNT(place->counters, sweep_looks_total);
}

/* Logs the webhooks that these changes, made true by now, say were missed. */
static void missed_told(const struct workplace *place, const struct task *t,
		 const struct changes *c)
{
	struct order o = {0};
	struct err e;

	for (size_t i = 0; i < c->n; i++) {
		const struct change *m = &c->list[i];
		const struct offer *f;

		/* The result may have been dropped: see result.unless. */
		if (m->kind != CHANGE_MISSED ||
		    store_order(place->store, t->instance, t->number, &o, &e))
			continue;
		f = order_offer(&o, m->warehouse);
		if ((m->warehouse && f ? f->missed : o.missed) &
		    1u << m->missed)
			log_line(LOG_WARN, "missed webhook",
				 LOG_S("instance", t->instance),
				 LOG_N("order", t->number),
				 LOG_S("kind", missed_name(m->missed)));
		order_release(&o);
	}
}

/* False: it was not stored. */
static bool finished(const struct workplace *place, const struct finish *f,
		     int64_t began)
{
	const struct task *task = f->task;

	if (!f->rc) {
		count_outcome(place, f->result->how);
		count_look(place, task, f->result->how);
		log_outcome(task, f->result, time_mono() - began);
		missed_told(place, task, &f->result->changes);
		return true;
	}
	log_limited(A_MINUTE, LOG_ERROR, "a task's result was not stored",
		    LOG_S("instance", task->instance),
		    LOG_N("order", task->number), LOG_S("kind", task->kind),
		    LOG_S("rc", rc_name(f->rc)), LOG_S("error", f->e.text));
	return false;
}

/* Makes results true.  If that fails the lease has ended all the same, and the
 * task runs again, for which handlers are made. */
static void finish(struct thread *t, const struct task *const *tasks,
		   struct result *const *results, size_t n, int64_t began)
{
	const struct workplace *place = t->workers->place;
	struct finish list[BATCH_MAX];
	int64_t now = time_now();
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		struct result *r = results[i];

		/* A retry without a later time would make the thread spin. */
		if (r->how == OUTCOME_RETRY && r->due <= now)
			r->due = now + backoff(tasks[i]->attempts, 0,
						       any_number());
		list[i] = (struct finish){.task = tasks[i], .result = r};
	}
	store_finish_all(place->store, list, n, now);
	for (size_t i = 0; i < n; i++)
		all = finished(place, &list[i], began) && all;
	if (!all && !*place->failed)
		pause_for(t->workers, PAUSE);
}

/* Ends a task that could not be run at all. */
static void finish_unrun(struct thread *t, const struct task *task, enum rc rc,
			 const struct err *why)
{
	struct result r = {.how = OUTCOME_RETRY, .reason = *why};

	if (rc == RC_NOTFOUND || rc == RC_INVALID)
		r.how = OUTCOME_DEAD;
	finish(t, &task, &(struct result *){&r}, 1, time_mono());
}

/* Gives a run its instance's connection and zone.  An instance that is no
 * longer in the config has neither. */
static void lend_account(const struct thread *t, struct work *to)
{
	const struct workers *w = t->workers;

	for (size_t i = 0; i < w->n_accounts; i++)
		if (strcmp(w->accounts[i].instance, to->task->instance) == 0) {
			to->centra = t->conns[i];
			to->zone = w->accounts[i].zone;
			to->settle = w->accounts[i].settle;
			to->round = &w->rounds[i][to->task->sub ==
						  RECONCILE_BY_HAND];
		}
}

/* Lists the warehouses of the instance's shops. */
static void lend_warehouses(struct thread *t, const struct config *c,
			    const char *instance)
{
	for (size_t i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (strcmp(shop->centra, instance) != 0)
			continue;
		t->warehouses = xrealloc(t->warehouses,
					 t->n_warehouses + shop->warehouses.n,
					 sizeof(*t->warehouses));
		for (size_t k = 0; k < shop->warehouses.n; k++)
			t->warehouses[t->n_warehouses++] =
				shop->warehouses.ids[k];
	}
}

/* The settings that runs of one instance use. */
static void lend_config(struct thread *t, size_t n)
{
	static const int64_t none[1];
	struct config *c = config_now(t->workers->place->config);
	const struct config_instance *in =
		config_instance(c, t->works[0].task->instance);

	t->n_warehouses = 0;
	if (in)
		lend_warehouses(t, c, in->id);
	for (size_t i = 0; in && i < n; i++) {
		struct work *w = &t->works[i];

		w->look_again = c->server.look_again;
		w->missed_after = c->server.missed_after;
		w->sweep_every = c->server.sweep_every;
		w->recover = strcmp(in->recover, "offer") == 0;
		w->ship_on_pending = in->ship_on_pending_capture;
		w->warehouses = t->warehouses ? t->warehouses : none;
		w->n_warehouses = t->n_warehouses;
	}
	config_drop(c);
}

static bool applies_event(const char *kind)
{
	return strcmp(kind, TASK_CHECK_FIRST) == 0 ||
	       strcmp(kind, TASK_ORDER) == 0;
}

/* Loads the order and the event of the i-th run. */
static enum rc load(struct thread *t, const struct task *task, size_t i,
		    struct err *e)
{
	struct store *store = t->workers->place->store;
	bool with_event = applies_event(task->kind);
	enum rc rc;

	t->orders[i] = (struct order){0};
	t->events[i] = (struct event){0};
	if (with_event) {
		rc = store_event(store, (uint64_t)task->sub, &t->events[i], e);
		if (rc == RC_NOTFOUND)
			return fail(e, rc, "event '%" PRId64 "' is gone",
				    task->sub);
		if (rc)
			return rc;
	}
	rc = store_order(store, task->instance, task->number, &t->orders[i],
			 e);
	if (rc == RC_NOTFOUND)
		order_init(&t->orders[i], task->instance, task->number);
	else if (rc) {
		event_release(&t->events[i]);
		return rc;
	}
	t->works[i] = (struct work){
		.task = task,
		.event = with_event ? &t->events[i] : NULL,
		.order = &t->orders[i],
		.now = time_now(),
		.steady = time_mono(),
		.boot = t->workers->boot,
		.since_try = since_try(t->workers, task, time_mono()),
		.clock_unsure = !clock_confirmed(t->workers->place->clock),
		.begin = begin,
		.worker = t,
		.called = called,
		.alarm = alarm_raised,
		.others = &t->workers->others,
	};
	t->works[i].result.only_if.set = !task_keeps_order(task);
	t->works[i].result.only_if.version = t->orders[i].version;
	t->works[i].result.only_if.updated = t->orders[i].updated;
	lend_account(t, &t->works[i]);
	return OK;
}

static void run(struct thread *t, size_t n)
{
	const struct handler *h = handler_find(t->tasks[0].kind);
	const struct task *tasks[BATCH_MAX];
	struct result *results[BATCH_MAX];
	int64_t began = time_mono();
	size_t loaded = 0;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		enum rc rc = OK;

		if (!h)
			rc = fail(&e, RC_INVALID, "no handler of kind '%s'",
				  t->tasks[i].kind);
		if (!rc)
			rc = load(t, &t->tasks[i], loaded, &e);
		if (rc)
			finish_unrun(t, &t->tasks[i], rc, &e);
		else
			loaded++;
	}
	if (loaded) {
		lend_config(t, loaded);
		h->run(t->works, loaded);
	}
	for (size_t i = 0; i < loaded; i++) {
		tasks[i] = t->works[i].task;
		results[i] = &t->works[i].result;
	}
	if (loaded)
		finish(t, tasks, results, loaded, began);
	for (size_t i = 0; i < loaded; i++) {
		result_release(&t->works[i].result);
		order_release(&t->orders[i]);
		event_release(&t->events[i]);
	}
	for (size_t i = 0; i < n; i++)
		task_release(&t->tasks[i]);
}

/* ---- which API may be called ---- */

static enum centra_api api_of(unsigned group)
{
	return group == CALLS_ORDER_API ? CENTRA_ORDER_API : CENTRA_GRAPHQL;
}

static const struct account *account_of(const struct workers *w,
					const char *instance)
{
	for (size_t i = 0; i < w->n_accounts; i++)
		if (!strcmp(w->accounts[i].instance, instance))
			return &w->accounts[i];
	return NULL;
}

struct parked {
	const struct workers *w;
	uint64_t (*tasks)[CENTRA_APIS]; /* owned; of each account */
	void (*fn)(void *arg, const char *instance, enum centra_api api,
		   uint64_t tasks);
	void *arg;
};

static void count_waiting(void *arg, const char *instance, unsigned group,
			  uint64_t tasks)
{
	struct parked *p = arg;
	const struct account *a = account_of(p->w, instance);

	if (a)
		p->tasks[a - p->w->accounts][api_of(group)] = tasks;
	else
		p->fn(p->arg, instance, api_of(group), tasks);
}

enum rc workers_parked(const struct workers *w,
		       void (*fn)(void *arg, const char *instance,
				  enum centra_api api, uint64_t tasks),
		       void *arg, struct err *e)
{
	struct parked p = {.w = w, .fn = fn, .arg = arg};
	struct centra_may may;
	enum rc rc;

	p.tasks = xcalloc(w->n_accounts + 1, sizeof(*p.tasks));
	rc = store_waiting(w->place->store, count_waiting, &p, e);
	for (size_t i = 0; !rc && i < w->n_accounts; i++)
		for (int api = 0; api < CENTRA_APIS; api++) {
			centra_may(w->accounts[i].centra, (enum centra_api)api,
				   CENTRA_LIVE, 0, &may);
			fn(arg, w->accounts[i].instance, (enum centra_api)api,
			   may.parked ? p.tasks[i][api] : 0);
		}
	free(p.tasks);
	return rc;
}

/* A store_gate_fn. */
static void gate(void *arg, const char *instance, unsigned group,
		 enum lane lane, unsigned runs, struct store_gate *ret)
{
	const struct account *a = account_of(arg, instance);
	bool behind = lane > LANE_WAITED;
	struct centra_may may;

	if (!a) {
		*ret = (struct store_gate){.wait = GATE_SHUT, .parked = true};
		return;
	}
	centra_may(a->centra, api_of(group),
		   behind ? CENTRA_SWEEP : CENTRA_LIVE, runs, &may);
	*ret = (struct store_gate){
		.wait = may.wait == CENTRA_NEVER ? GATE_SHUT : may.wait,
		.parked = may.parked,
		.trial = may.trial,
		.alone = behind,
	};
}

/* Handles a redrive, of any process: an API that is held back is tried at
 * once. */
static void heed_redrives(struct workers *w)
{
	uint64_t woken;
	struct err e;
	bool news;

	if (store_wakes(w->place->store, &woken, &e))
		return;
	pthread_mutex_lock(&w->lock);
	news = woken != w->woken;
	w->woken = woken;
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; news && i < w->n_accounts; i++)
		for (int api = 0; api < CENTRA_APIS; api++)
			centra_try_now(w->accounts[i].centra,
				       (enum centra_api)api);
	if (news)
		workers_wake(w);
}

/* ---- the thread ---- */

static void rest(struct workers *w, uint64_t seen, int64_t next)
{
	int64_t ms = NAP_MAX;

	if (next != TIME_NONE && next - time_now() < ms)
		ms = next - time_now();
	if (ms > 0)
		nap(w, seen, ms);
}

/* Makes due the tasks that wait, for longer than `beyond` ms, for something
 * that may be mended by now. */
>>>>>>> 84d79f4 (handlers, cli, base/text: no circle of files through a table)
static void hurry(struct workers *w, const struct account *a, int64_t now,
		  int64_t beyond)
{
	struct err e;

	if (store_hurry(w->parts->store, a->instance, now, beyond, &e))
		log_line(LOG_WARN, "what waits goes on in its own time",
			 LOG_S("instance", a->instance),
			 LOG_S("error", e.text));
}

/* The clock may have been set back while no server ran.  If nothing shows that,
 * only tasks that wait for longer than any retry are rewritten: usually
 * none. */
static void hurry_at_start(struct workers *w)
{
	int64_t now = time_now();
	bool ahead = true;
	struct err e;

	if (store_dated_after(w->parts->store, now, &ahead, &e))
		ahead = true;
	for (size_t i = 0; i < w->accounts.n; i++)
		hurry(w, &w->accounts.list[i], now, ahead ? 0 : LONGEST_RETRY);
}

static int64_t sweep_every(struct workers *w)
{
	struct config *c = config_now(w->parts->config);
	int64_t ret = c->server.sweep_every;

	config_drop(c);
	return ret;
}

void workers_clock(struct workers *w, int64_t wall, int64_t mono)
{
	int64_t back = clock_went_back(w->parts->clock, wall, mono);

	if (!back)
		return;
	log_line(LOG_WARN, "the clock went back", LOG_N("ms", back));
	for (size_t i = 0; i < w->accounts.n; i++)
		hurry(w, &w->accounts.list[i], wall, 0);
	/* The next reconciliation is due by the clock as it was. */
	reconcile_in(w->parts, w, sweep_every(w));
	workers_wake(w);
}

/* Notices a redrive, by this process or another, and has each API that is held
 * back tried at once. */
static void notice_redrives(struct workers *w)
{
	uint64_t redrives;
	struct err e;
	bool more;

	if (store_wakes(w->parts->store, &redrives, &e))
		return;
	pthread_mutex_lock(&w->lock);
	more = redrives != w->redrives;
	w->redrives = redrives;
	pthread_mutex_unlock(&w->lock);
	if (!more)
		return;
	accounts_try_now(&w->accounts);
	workers_wake(w);
}

/* Removes old addresses and sessions: once an hour, and as soon as the clock is
 * confirmed.  One thread does it. */
static void run_retention(struct workers *w)
{
	int64_t mono = time_mono();
	bool due;

	if (!clock_confirmed(w->parts->clock))
		return;
	pthread_mutex_lock(&w->lock);
	due = mono >= w->retention_due;
	if (due)
		w->retention_due = mono + RETENTION_EVERY;
	pthread_mutex_unlock(&w->lock);
	if (due)
		retention_run(w->parts);
}

/* ---- a worker thread ---- */

static void wait_for_task(struct workers *w, uint64_t seen, int64_t next)
{
	int64_t ms = SLEEP_MAX;

	if (next != TIME_NONE && next - time_now() < ms)
		ms = next - time_now();
	if (ms > 0)
		sleep_for(w, seen, ms);
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct workers *w = t->workers;

	while (!workers_stopping(w)) {
		uint64_t seen = wakes(w);
		int64_t next = TIME_NONE;
		size_t n = 0;
		struct err e;
		enum rc rc;

		workers_clock(w, time_now(), time_mono());
		run_retention(w);
		rc = store_lease(w->parts->store, time_now(), handler_batch,
				 t->tasks, BATCH_MAX, &n, &next, &e);
		if (!rc) {
			workers_wake(w);
			run_tasks(t, n);
		} else if (rc == RC_NOTFOUND) {
			notice_redrives(w);
			wait_for_task(w, seen, next);
		} else {
			log_limited(LOG_A_MINUTE, LOG_ERROR,
				    "no task can be read",
				    LOG_S("rc", rc_name(rc)),
				    LOG_S("error", e.text));
			workers_pause(w);
		}
	}
	return NULL;
}

/* ---- start, reload, stop: the main thread ---- */

static enum rc start_thread(struct workers *w, struct thread *t, struct err *e)
{
	int failed;

	t->workers = w;
	t->conns = xcalloc(w->accounts.n, sizeof(struct centra_conn *));
	for (size_t i = 0; i < w->accounts.n; i++)
		t->conns[i] = centra_conn_open(w->accounts.list[i].centra);
	failed = pthread_create(&t->id, NULL, thread_main, t);
	if (failed)
		return fail(e, RC_AGAIN, "cannot start a worker: %s",
			    strerror(failed));
	t->started = true;
	return OK;
}

/* One thread is kept for tasks that call no API.  The others are shared out
 * among the instances, so that a Centra that hangs keeps no more than its own.
 * An instance needs at least two: one for each API. */
static void bound_runs(const struct workers *w)
{
	size_t most = w->accounts.n ? (w->n_threads - 1) / w->accounts.n : 0;

	store_bound_runs(w->parts->store,
			 most < CENTRA_APIS ? CENTRA_APIS : (unsigned)most);
	store_gates(w->parts->store, accounts_gate,
		    (void *)(uintptr_t)&w->accounts);
}

enum rc workers_start(struct workers **ret, const struct worker_parts *parts,
		      struct err *e)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	struct config *c = config_now(parts->config);
	pthread_condattr_t attr;
	enum rc rc = OK;

	w->parts = parts;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);

	w->boot = time_boot();
	w->others = reconcile_others(parts);
	accounts_open(&w->accounts, c);
	tries_init(&w->tries, w->accounts.settle);
	hurry_at_start(w);
	w->n_threads = (size_t)c->server.workers;
	w->threads = xcalloc(w->n_threads, sizeof(*w->threads));
	bound_runs(w);
	for (size_t i = 0; i < w->n_threads && !rc; i++)
		rc = start_thread(w, &w->threads[i], e);
	if (rc)
		goto out;
	*ret = w;
	w = NULL;
out:
	workers_stop(w);
	config_drop(c);
	return rc;
}

void workers_reload(struct workers *w)
{
	struct config *c = config_now(w->parts->config);

	for (size_t i = 0; i < w->accounts.n; i++)
		if (account_reload(&w->accounts.list[i], c))
			hurry(w, &w->accounts.list[i], time_now(), 0);
	reconcile_in(w->parts, w, c->server.sweep_every);
	config_drop(c);
	workers_wake(w);
}

static void stop_thread(struct thread *t)
{
	if (t->started)
		pthread_join(t->id, NULL);
	for (size_t i = 0; t->conns && i < t->workers->accounts.n; i++)
		centra_conn_close(t->conns[i]);
	free(t->conns);
	free(t->warehouses);
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		stop_thread(&w->threads[i]);
	store_gates(w->parts->store, NULL, NULL);
	accounts_close(&w->accounts);
	tries_release(&w->tries);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}
