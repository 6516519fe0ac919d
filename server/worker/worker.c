/* SPDX-License-Identifier: MIT
 *
 * worker.c - see worker.h.
 *
 * The store decides which task is next, and never gives two runs one order; a
 * thread here asks, runs and reports.  A wake goes to one thread, and a thread
 * that found work wakes the next before it starts, so that one new task does
 * not wake all.
 */
#include "server/worker/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "handlers/handlers.h"
#include "handlers/reconcile.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"

#define BATCH_MAX   32   /* most tasks in one run */
#define NAP_MAX	    1000 /* ms between polls: a command adds tasks without a
			  * signal */
#define LONGEST_RETRY (65 * 60000) /* ms: no failed task waits for longer,
				    * unless look_again is longer */
#define PAUSE	    1000 /* ms, after a write that failed for now */
#define A_MINUTE    30   /* the most lines a minute in the log for one kind of
			  * trouble */
#define CONNECT_MAX 5000 /* ms, to reach Centra at all */
#define RETENTION_EVERY ((int64_t)3600 * 1000) /* ms */
#define SETTLE_CALLS 2	 /* how many call_timeouts until a lost call is
			  * certainly over */

struct thread {
	struct workers *workers;
	pthread_t id;
	bool started;
	struct centra_conn **conns; /* owned; one for each account */
	struct task tasks[BATCH_MAX];
	struct work works[BATCH_MAX];
	struct order orders[BATCH_MAX];
	struct event events[BATCH_MAX];
	int64_t *warehouses; /* owned: lent to runs */
	size_t n_warehouses;
};

struct tried {
	char instance[INSTANCE_SIZE];
	int64_t number, sub;
	int64_t mono; /* when it began */
};

struct workers {
	const struct workplace *place;
	struct account *accounts; /* owned */
	size_t n_accounts;
	/* Reconciliations by the clock and by hand, of each account.  A gate
	 * lets one run at a time use them (store_gate.alone). */
	struct round (*rounds)[2]; /* owned */
	struct others others;
	struct thread *threads; /* owned */
	size_t n_threads;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t wakes;
	bool stopping;
	uint64_t boot; /* of the machine */
	uint64_t woken; /* store_wakes() as it was last */
	int64_t retention; /* steady clock: when old data is looked for again */

	/* The tries at calls to Centra that began in the last `settle` ms.  An
	 * older try is as old as any from before this process. */
	struct tried *tries; /* owned */
	size_t n_tries, cap_tries;
	int64_t settle; /* the longest `settle` of an account */
};

/* ---- sleeping and waking ---- */

static bool stopping(struct workers *w)
{
	bool ret;

	pthread_mutex_lock(&w->lock);
	ret = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return ret || *w->place->failed;
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
static void nap(struct workers *w, uint64_t seen, int64_t ms)
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

/* A wake does not shorten this wait: the disk needs the time. */
static void pause_for(struct workers *w, int64_t ms)
{
	int64_t end = time_mono() + ms, left = ms;

	while (left > 0 && !stopping(w)) {
		nap(w, wakes(w), left);
		left = end - time_mono();
	}
}

/* ---- what the handlers are given ---- */

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
			r->due = now + handler_backoff(tasks[i]->attempts, 0,
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
static void hurry(struct workers *w, const struct account *a, int64_t now,
		  int64_t beyond)
{
	struct err e;

	if (store_hurry(w->place->store, a->instance, now, beyond, &e))
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

	if (store_dated_after(w->place->store, now, &ahead, &e))
		ahead = true;
	for (size_t i = 0; i < w->n_accounts; i++)
		hurry(w, &w->accounts[i], now, ahead ? 0 : LONGEST_RETRY);
}

void workers_clock(struct workers *w, int64_t wall, int64_t mono)
{
	int64_t back = clock_went_back(w->place->clock, wall, mono);

	if (!back)
		return;
	log_line(LOG_WARN, "the clock went back", LOG_N("ms", back));
	for (size_t i = 0; i < w->n_accounts; i++)
		hurry(w, &w->accounts[i], wall, 0);
	workers_wake(w);
}

/* Removes what was kept for long enough: once an hour, and as soon as the clock
 * is confirmed.  One thread does it. */
static void look_for_old(struct workers *w)
{
	int64_t mono = time_mono();
	bool due;

	if (!clock_confirmed(w->place->clock))
		return;
	pthread_mutex_lock(&w->lock);
	due = mono >= w->retention;
	if (due)
		w->retention = mono + RETENTION_EVERY;
	pthread_mutex_unlock(&w->lock);
	if (due)
		retention_run(w->place);
}

static void *work(void *arg)
{
	struct thread *t = arg;
	struct workers *w = t->workers;

	while (!stopping(w)) {
		uint64_t seen = wakes(w);
		int64_t next = TIME_NONE;
		size_t n = 0;
		struct err e;
		enum rc rc;

		workers_clock(w, time_now(), time_mono());
		look_for_old(w);
		rc = store_lease(w->place->store, time_now(), handler_batch,
				 t->tasks, BATCH_MAX, &n, &next, &e);
		if (!rc) {
			workers_wake(w);
			run(t, n);
		} else if (rc == RC_NOTFOUND) {
			heed_redrives(w);
			rest(w, seen, next);
		} else {
			log_limited(A_MINUTE, LOG_ERROR, "no task can be read",
				    LOG_S("rc", rc_name(rc)),
				    LOG_S("error", e.text));
			pause_for(w, PAUSE);
		}
	}
	return NULL;
}

/* ---- birth and death ---- */

static struct centra_budget budget_of(const struct config_instance *in)
{
	return (struct centra_budget){
		.requests = (unsigned)in->graphql_requests,
		.mutations = (unsigned)in->graphql_mutations,
		.requests_hour = (unsigned)in->graphql_requests_hour,
		.mutations_hour = (unsigned)in->graphql_mutations_hour,
	};
}

static void open_accounts(struct workers *w, const struct config *c)
{
	w->accounts = xcalloc(c->n_instances, sizeof(*w->accounts));
	w->rounds = xcalloc(c->n_instances, sizeof(*w->rounds));
	for (size_t i = 0; i < c->n_instances; i++) {
		const struct config_instance *in = &c->instances[i];
		const struct centra_options o = {
			.instance = in->id,
			.order_api_url = in->order_api_url,
			.order_api_key = in->order_api_key,
			.graphql_url = in->graphql_url,
			.graphql_token = in->graphql_token,
			.connect_timeout = in->call_timeout < CONNECT_MAX ?
						   in->call_timeout :
						   CONNECT_MAX,
			.timeout = in->call_timeout,
			.graphql_budget = budget_of(in),
		};

		w->accounts[i].instance = xstrdup(in->id);
		w->accounts[i].centra = centra_open(&o);
		w->accounts[i].zone = in->zone;
		w->accounts[i].settle = SETTLE_CALLS * in->call_timeout;
		if (w->accounts[i].settle > w->settle)
			w->settle = w->accounts[i].settle;
	}
	w->n_accounts = c->n_instances;
}

static enum rc start_thread(struct workers *w, struct thread *t,
			    struct err *e)
{
	int failed;

	t->workers = w;
	t->conns = xcalloc(w->n_accounts, sizeof(struct centra_conn *));
	for (size_t i = 0; i < w->n_accounts; i++)
		t->conns[i] = centra_conn_open(w->accounts[i].centra);
	failed = pthread_create(&t->id, NULL, work, t);
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
	size_t most = w->n_accounts ? (w->n_threads - 1) / w->n_accounts : 0;

	store_bound_runs(w->place->store,
			 most < CENTRA_APIS ? CENTRA_APIS : (unsigned)most);
	store_gates(w->place->store, gate, (void *)(uintptr_t)w);
}

enum rc workers_start(struct workers **ret, const struct workplace *place,
		      struct err *e)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	struct config *c = config_now(place->config);
	pthread_condattr_t attr;
	enum rc rc = OK;

	w->place = place;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);

	w->boot = time_boot();
	w->others = reconcile_others(place);
	open_accounts(w, c);
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
	struct config *c = config_now(w->place->config);
	struct centra_budget budget;

	for (size_t i = 0; i < w->n_accounts; i++) {
		const struct account *a = &w->accounts[i];
		const struct config_instance *in =
			config_instance(c, a->instance);

		if (!in)
			continue;
		centra_set_credentials(a->centra, in->order_api_key,
				       in->graphql_token);
		budget = budget_of(in);
		centra_set_budget(a->centra, &budget);
		hurry(w, a, time_now(), 0);
	}
	reconcile_in(w->place, w, c->server.sweep_every);
	config_drop(c);
	workers_wake(w);
}

static void stop_thread(struct thread *t)
{
	if (t->started)
		pthread_join(t->id, NULL);
	for (size_t i = 0; t->conns && i < t->workers->n_accounts; i++)
		centra_conn_close(t->conns[i]);
	free(t->conns);
	free(t->warehouses);
}

const struct account *workers_account(const struct workers *w, size_t i)
{
	return i < w->n_accounts ? &w->accounts[i] : NULL;
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
	store_gates(w->place->store, NULL, NULL);
	for (size_t i = 0; i < w->n_accounts; i++) {
		centra_close(w->accounts[i].centra);
		free(w->accounts[i].instance);
		round_release(&w->rounds[i][0]);
		round_release(&w->rounds[i][1]);
	}
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->accounts);
	free(w->rounds);
	free(w->tries);
	free(w->threads);
	free(w);
}
