/* SPDX-License-Identifier: MIT
 *
 * limits.c - see limits.h.
 *
 * A budget is the times of its last n calls: one more may be made when the
 * oldest of them has left the window.  That is exact for every window, where a
 * bucket that refills would let twice as many into one.
 */
#include "centra/limits.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "centra/transport.h"

#define TRIAL_WAIT 1000 /* ms to wait while a trial call is under way */
#define TRIAL_LONG 5000 /* ms to wait once the trial call has taken
			 * TRIAL_WAIT */
#define RECONCILE_WAIT 200 /* ms to wait while another call of reconciliation is
			    * under way */
#define LONG_AGO   INT64_MIN

/* ---- a budget ---- */

struct budget {
	int64_t *at; /* owned: a ring of the times of the last n calls */
	unsigned n;  /* 0: no bound */
	int64_t window; /* ms of the window in which so many calls may be
			 * made */
	unsigned next; /* the oldest */
	unsigned waiting; /* callers that were told to wait, each for a later
			   * free place */
};

static void budget_set(struct budget *b, unsigned n)
{
	struct budget new = {.n = n, .window = b->window};

	if (n > LIMITS_BUDGET_MOST)
		n = new.n = LIMITS_BUDGET_MOST;
	if (n == b->n)
		return;
	if (n)
		new.at = xcalloc(n, sizeof(*new.at));
	for (unsigned i = 1; i <= n; i++) /* the newest last */
		new.at[n - i] = i <= b->n
					? b->at[(b->next + b->n - i) % b->n]
					: LONG_AGO;
	free(b->at);
	*b = new;
}

/* Returns how many ms until one more call may be made, if `most` are allowed;
 * 0: now. */
static int64_t budget_wait(const struct budget *b, unsigned most, int64_t now)
{
	int64_t at;

	if (!b->n || !most)
		return 0;
	at = b->at[(b->next + b->n - most) % b->n];
	return at == LONG_AGO || at + b->window <= now ? 0
						       : at + b->window - now;
}

/* Returns how many ms a caller is to wait that finds the budget spent: until
 * one of the next places in it is free.  Callers get different places, so that
 * they do not all come back at once. */
static int64_t budget_turn(struct budget *b, unsigned most, int64_t now)
{
	unsigned turn = b->n - most + b->waiting++ % most;
	int64_t wait = b->at[(b->next + turn) % b->n] + b->window - now;

	return wait > 1 ? wait : 1;
}

static void budget_spend(struct budget *b, int64_t now)
{
	if (!b->n)
		return;
	b->at[b->next] = now;
	b->next = (b->next + 1) % b->n;
	b->waiting = 0;
}

/* ---- a gate ---- */

/* The circuit breaker: closed, so that calls flow; or open, so that only a trial
 * call is made now and then (half-open), since the API is away or refuses the
 * key. */
enum breaker { CLOSED, OPEN_AWAY, OPEN_REFUSED };

struct gate {
	enum breaker breaker;
	unsigned failures; /* failed calls in a row, while the breaker is
			    * closed */
	int64_t wait;	   /* ms waited before the last trial call */
	int64_t trial_at;  /* when the next trial may be made */
	bool trying;
	int64_t trying_since;
	int64_t paused_until; /* 0: not paused */
};

/* Two budgets for all calls of GraphQL, two for its mutations, and the share of
 * an hour that lookups have. */
enum { REQUESTS, REQUESTS_HOUR, MUTATIONS, MUTATIONS_HOUR, LOOKUPS_HOUR, BUDGETS };

static const struct {
	bool mutations, lookups; /* what pays; neither: all calls */
	int64_t window;
	const char *spent;
} kinds[BUDGETS] = {
	[REQUESTS] = {false, false, LIMITS_WINDOW,
		      ": the budget of calls is spent"},
	[REQUESTS_HOUR] = {false, false, LIMITS_HOUR,
			   ": the hour's budget of calls is spent"},
	[MUTATIONS] = {true, false, LIMITS_WINDOW,
		       ": the budget of calls is spent"},
	[MUTATIONS_HOUR] = {true, false, LIMITS_HOUR,
			    ": the hour's budget of calls is spent"},
	[LOOKUPS_HOUR] = {false, true, LIMITS_HOUR,
			  ": the hour's budget of lookups is spent"},
};

/* Whether calls of reconciliation wait because the budget is spent. */
struct behind {
	bool waits;
	int64_t since;
	int64_t asked; /* for the last time */
};

struct limits {
	pthread_mutex_t lock;
	struct gate gates[CENTRA_APIS];
	struct budget budgets[BUDGETS];
	struct behind behind;
	unsigned reconciling[CENTRA_APIS]; /* calls of reconciliation that are
					    * under way */
};

struct limits *limits_new(void)
{
	struct limits *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	for (int i = 0; i < BUDGETS; i++)
		l->budgets[i].window = kinds[i].window;
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	for (int i = 0; i < BUDGETS; i++)
		free(l->budgets[i].at);
	free(l);
}

void limits_budget(struct limits *l, const struct centra_budget *b)
{
	pthread_mutex_lock(&l->lock);
	budget_set(&l->budgets[REQUESTS], b->requests);
	budget_set(&l->budgets[REQUESTS_HOUR], b->requests_hour);
	budget_set(&l->budgets[MUTATIONS], b->mutations);
	budget_set(&l->budgets[MUTATIONS_HOUR], b->mutations_hour);
	budget_set(&l->budgets[LOOKUPS_HOUR], (b->requests_hour + 2) / 3);
	pthread_mutex_unlock(&l->lock);
}

static void open_gate(struct gate *g)
{
	g->breaker = CLOSED;
	g->failures = 0;
	g->wait = 0;
	g->trying = false;
}

/* Opens the breaker after a call that was refused or got no reply; after a
 * trial that failed, keeps it open for longer. */
static void open_breaker(struct gate *g, enum breaker why, int64_t now)
{
	int64_t first = why == OPEN_AWAY ? LIMITS_DEAD_FIRST : LIMITS_KEY_FIRST;
	int64_t most = why == OPEN_AWAY ? LIMITS_DEAD_MOST : LIMITS_KEY_MOST;

	g->wait = g->breaker == why ? 2 * g->wait : first;
	if (g->wait > most)
		g->wait = most;
	g->breaker = why;
	g->trial_at = now + g->wait;
	g->trying = false;
}

/* ---- may it be called ---- */

/* The sentences contain no numbers, so that a caller that gets the same one
 * twice need not write it down twice. */
static bool hold(struct call *ret, int64_t wait, const char *fmt,
		 enum centra_api api)
{
	*ret = (struct call){
		.end = CALL_NOT_DONE,
		.held = true,
		.retry_after = wait > 1 ? wait : 1,
	};
	(void)!fail(&ret->why, RC_AGAIN, "%s%s", centra_api_name(api), fmt);
	return false;
}

/* A caller writes to the disk that it waits, and there may be thousands.  So
 * they come back less often once the trial has shown that it takes long. */
static int64_t gate_wait(const struct gate *g, int64_t now)
{
	if (!g->trying)
		return g->trial_at - now;
	return now - g->trying_since < TRIAL_WAIT ? TRIAL_WAIT : TRIAL_LONG;
}

static bool gate_lets(const struct gate *g, const struct permit *p,
		      int64_t now, struct call *ret)
{
	if (g->paused_until > now)
		return hold(ret, g->paused_until - now,
			    ": calls wait as it asked us to", p->api);
	if (g->breaker == CLOSED)
		return true;
	if (!g->trying && now >= g->trial_at)
		return true;
	return hold(ret, gate_wait(g, now),
		    g->breaker == OPEN_AWAY ? " does not answer: calls wait"
				    : " refuses our key: calls wait",
		    p->api);
}

/* True if the call counts towards this budget. */
static bool pays(int budget, const struct permit *p)
{
	return p->api == CENTRA_GRAPHQL &&
	       (p->mutation || !kinds[budget].mutations) &&
	       (p->lane == CENTRA_LOOKUP || !kinds[budget].lookups);
}

/* Returns in how many ms each budget allows ten more calls; at least
 * LIMITS_WINDOW. */
static int64_t ten_calls(const struct limits *l)
{
	int64_t longest = LIMITS_WINDOW;

	for (int i = 0; i < BUDGETS; i++) {
		const struct budget *b = &l->budgets[i];

		if (b->n && !kinds[i].mutations && !kinds[i].lookups &&
		    10 * b->window / b->n > longest)
			longest = 10 * b->window / b->n;
	}
	return longest;
}

/* True if reconciliation, which still asks, has had none of the last ten calls:
 * the next place is its own, lest live work that uses up the budget keeps it
 * waiting for ever. */
static bool behind_is_next(const struct limits *l, int64_t now)
{
	return l->behind.waits && now - l->behind.asked < LIMITS_WINDOW &&
	       now - l->behind.since >= ten_calls(l);
}

static void behind_waits(struct limits *l, int64_t now)
{
	struct behind *b = &l->behind;

	if (!b->waits || now - b->asked >= LIMITS_WINDOW)
		b->since = now;
	b->waits = true;
	b->asked = now;
}

/* How many calls of a budget the lane may use.  Of the budgets of all calls,
 * fetches leave a fifth to what shops do, lest a parcel waits for a backlog of
 * them; reconciliation leaves half; and lookups leave two thirds of the short
 * one, so that a till that asks all day keeps neither.  Of the hour's they leave
 * a fifth, and have their own third: what shops did in the hour must not keep
 * them away for the rest of it.  Of the budgets of mutations, all but what
 * shops do leaves half to shipping. */
static unsigned budget_most(const struct limits *l, int budget,
			    const struct permit *p, int64_t now)
{
	unsigned n = l->budgets[budget].n;
	bool next = behind_is_next(l, now);

	if (kinds[budget].mutations)
		return p->lane == CENTRA_LIVE ? n : (n + 1) / 2;
	if (p->lane == CENTRA_RECONCILE)
		return next ? n : (n + 1) / 2;
	if (p->lane == CENTRA_LOOKUP && budget == REQUESTS)
		n = (n + 2) / 3;
	else if (p->lane == CENTRA_FETCH ||
		 (p->lane == CENTRA_LOOKUP && budget == REQUESTS_HOUR))
		n -= n / 5;
	return next && n > 1 ? n - 1 : n;
}

/* Finds out whether all budgets allow the call.  The budget with the longest
 * wait decides. */
static bool budgets_let(struct limits *l, const struct permit *p, int64_t now,
			struct call *ret)
{
	int64_t longest = 0, wait;
	int worst = 0;

	for (int i = 0; i < BUDGETS; i++) {
		wait = pays(i, p) ? budget_wait(&l->budgets[i],
						budget_most(l, i, p, now), now)
				  : 0;
		if (wait > longest) {
			longest = wait;
			worst = i;
		}
	}
	if (!longest)
		return true;
	if (p->lane == CENTRA_RECONCILE)
		behind_waits(l, now);
	else
		longest = budget_turn(&l->budgets[worst],
				      budget_most(l, worst, p, now), now);
	return hold(ret, longest, kinds[worst].spent, p->api);
}

static void spend_budgets(struct limits *l, const struct permit *p,
			  int64_t now)
{
	for (int i = 0; i < BUDGETS; i++)
		if (pays(i, p))
			budget_spend(&l->budgets[i], now);
}

bool limits_take(struct limits *l, struct permit *p, int64_t now,
		 struct call *ret)
{
	struct gate *g = &l->gates[p->api];
	bool may;

	pthread_mutex_lock(&l->lock);
	p->trial = false;
	may = gate_lets(g, p, now, ret);
	if (may && p->lane == CENTRA_RECONCILE && l->reconciling[p->api])
		may = hold(ret, RECONCILE_WAIT,
			   ": another call of reconciliation is under way", p->api);
	may = may && budgets_let(l, p, now, ret);
	if (may) {
		p->trial = g->breaker != CLOSED;
		if (p->trial) {
			g->trying = true;
			g->trying_since = now;
		}
		spend_budgets(l, p, now);
		if (p->lane == CENTRA_RECONCILE && p->api == CENTRA_GRAPHQL)
			l->behind.waits = false;
		l->reconciling[p->api] += p->lane == CENTRA_RECONCILE;
	}
	pthread_mutex_unlock(&l->lock);
	return may;
}

/* True if the call got no usable reply: none, one that broke off, or one that
 * says that Centra is in trouble.  Any other reply shows that Centra works. */
static bool is_dead(const struct call *c)
{
	return c->end != CALL_OK &&
	       !(c->status >= 300 && c->status < 500 && c->status != 408 &&
		 c->status != 499);
}

static void gate_told(struct gate *g, const struct permit *p, int64_t now,
		      const struct call *c)
{
	bool dead = is_dead(c);

	if (c->retry_after && now + c->retry_after > g->paused_until)
		g->paused_until = now + c->retry_after;
	if (!dead && !c->refused) {
		open_gate(g);
	} else if (g->breaker == CLOSED) {
		g->failures += dead && !c->cut;
		if (c->refused || g->failures >= LIMITS_DEAD_AFTER)
			open_breaker(g, c->refused ? OPEN_REFUSED : OPEN_AWAY, now);
	} else if (p->trial) {
		/* If Centra was away meanwhile, that does not mean that it
		 * accepts the key which it refused. */
		open_breaker(g, c->refused ? OPEN_REFUSED : g->breaker, now);
	}
}

void limits_told(struct limits *l, const struct permit *p, int64_t now,
		 struct call *call)
{
	struct gate *g = &l->gates[p->api];
	bool was_closed;

	pthread_mutex_lock(&l->lock);
	l->reconciling[p->api] -= p->lane == CENTRA_RECONCILE;
	was_closed = g->breaker == CLOSED;
	gate_told(g, p, now, call);
	if (was_closed != (g->breaker == CLOSED))
		call->turn = was_closed ? CALL_AWAY : CALL_BACK;
	if (g->breaker != CLOSED && call->retry_after < g->trial_at - now)
		call->retry_after = g->trial_at - now;
	pthread_mutex_unlock(&l->lock);
}

/* The call still counts towards the budget: fewer calls than allowed do no
 * harm. */
void limits_give_back(struct limits *l, const struct permit *p)
{
	pthread_mutex_lock(&l->lock);
	l->reconciling[p->api] -= p->lane == CENTRA_RECONCILE;
	if (p->trial)
		l->gates[p->api].trying = false;
	pthread_mutex_unlock(&l->lock);
}

void limits_new_key(struct limits *l, enum centra_api api)
{
	pthread_mutex_lock(&l->lock);
	if (l->gates[api].breaker == OPEN_REFUSED)
		open_gate(&l->gates[api]);
	pthread_mutex_unlock(&l->lock);
}

/* Returns the longest wait of a budget for the next call, if `calls` others
 * come before it. */
static int64_t budgets_wait(struct limits *l, const struct permit *p,
			    unsigned calls, int64_t now)
{
	int64_t longest = 0;

	for (int i = 0; i < BUDGETS; i++) {
		unsigned most = budget_most(l, i, p, now);
		int64_t wait = 0;

		most = most > calls ? most - calls : most ? 1 : 0;
		if (pays(i, p))
			wait = budget_wait(&l->budgets[i], most, now);
		if (wait > longest)
			longest = wait;
	}
	if (longest && p->lane == CENTRA_RECONCILE)
		behind_waits(l, now);
	return longest;
}

void limits_may(struct limits *l, enum centra_api api, enum centra_lane lane,
		unsigned calls, int64_t now, struct centra_may *ret)
{
	const struct permit p = {.api = api, .lane = lane};
	const struct gate *g = &l->gates[api];
	struct call held;

	pthread_mutex_lock(&l->lock);
	*ret = (struct centra_may){
		.parked = g->breaker != CLOSED || g->paused_until > now,
		.trial = g->breaker != CLOSED,
	};
	if (!gate_lets(g, &p, now, &held))
		ret->wait = held.retry_after;
	else if (lane == CENTRA_RECONCILE && l->reconciling[api])
		ret->wait = RECONCILE_WAIT;
	else
		ret->wait = budgets_wait(l, &p, calls, now);
	pthread_mutex_unlock(&l->lock);
}

void limits_try_now(struct limits *l, enum centra_api api, int64_t now)
{
	struct gate *g = &l->gates[api];

	pthread_mutex_lock(&l->lock);
	if (g->breaker != CLOSED && !g->trying && g->trial_at > now)
		g->trial_at = now;
	pthread_mutex_unlock(&l->lock);
}

void limits_state(struct limits *l, enum centra_api api, int64_t now,
		  struct centra_state *ret)
{
	const struct gate *g = &l->gates[api];

	pthread_mutex_lock(&l->lock);
	*ret = (struct centra_state){
		.refused = g->breaker == OPEN_REFUSED,
		.dead = g->breaker == OPEN_AWAY,
		.paused = g->paused_until > now,
	};
	pthread_mutex_unlock(&l->lock);
}
