/* SPDX-License-Identifier: MIT
 *
 * accounts.c - the instances that the workers call: their Centra, and which of
 * its APIs may be called now.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/worker/worker_private.h"

/* ms that a connection to Centra may take to be made. */
#define CONNECT_MAX 5000
/* After this many call_timeouts Centra can no longer act on a call whose reply
 * was lost. */
#define SETTLE_CALLS 2

const char *api_name(enum centra_api api)
{
	static const char *const names[CENTRA_APIS] = {
		[CENTRA_ORDER_API] = "order_api",
		[CENTRA_GRAPHQL] = "graphql",
		[CENTRA_SOAP] = "soap"};

	return names[api];
}

/* ---- open, reload, close ---- */

static struct centra_budget budget_of(const struct config_instance *in)
{
	return (struct centra_budget){
		.requests = (unsigned)in->graphql_requests,
		.mutations = (unsigned)in->graphql_mutations,
		.requests_hour = (unsigned)in->graphql_requests_hour,
		.mutations_hour = (unsigned)in->graphql_mutations_hour,
	};
}

static struct account account_open(const struct config_instance *in)
{
	const struct centra_options o = {
		.instance = in->id,
		.order_api_url = in->order_api_url,
		.order_api_key = in->order_api_key,
		.graphql_url = in->graphql_url,
		.graphql_token = in->graphql_token,
		.soap_url = in->soap_url,
		.soap_user = in->soap_user,
		.soap_password = in->soap_password,
		.connect_timeout = in->call_timeout < CONNECT_MAX
					   ? in->call_timeout
					   : CONNECT_MAX,
		.timeout = in->call_timeout,
		.graphql_budget = budget_of(in),
	};

	return (struct account){
		.instance = xstrdup(in->id),
		.centra = centra_open(&o),
		.zone = in->zone,
		.settle = SETTLE_CALLS * in->call_timeout,
	};
}

/* Opens the account of a shop's own plugin. */
static struct account shop_open(const struct config *c,
				const struct config_shop *shop)
{
	const struct config_instance *in = config_instance(c, shop->centra);
	char *name = xasprintf(SHOP_ACCOUNT "%s", shop->id);
	const struct centra_options o = {
		.instance = name,
		.order_api_url = shop->order_api_url,
		.order_api_key = shop->order_api_key,
		.connect_timeout = in->call_timeout < CONNECT_MAX
					   ? in->call_timeout
					   : CONNECT_MAX,
		.timeout = in->call_timeout,
	};

	return (struct account){
		.instance = name,
		.centra = centra_open(&o),
		.zone = in->zone,
		.settle = SETTLE_CALLS * in->call_timeout,
		.of_shop = true,
	};
}

void accounts_open(struct accounts *ret, const struct config *c)
{
	size_t most = c->n_instances + c->n_shops;

	*ret = (struct accounts){.list = xcalloc(most, sizeof(*ret->list)),
				 .n_instances = c->n_instances};
	for (size_t i = 0; i < c->n_instances; i++)
		ret->list[ret->n++] = account_open(&c->instances[i]);
	for (size_t i = 0; i < c->n_shops; i++)
		if (c->shops[i].order_api_url)
			ret->list[ret->n++] = shop_open(c, &c->shops[i]);
	ret->rounds = xcalloc(ret->n, sizeof(*ret->rounds));
	ret->feeds = xcalloc(ret->n, sizeof(*ret->feeds));
	for (size_t i = 0; i < ret->n; i++) {
		for (int f = 0; f < FEEDS; f++)
			ret->feeds[i][f].read = time_now();
		if (ret->list[i].settle > ret->settle)
			ret->settle = ret->list[i].settle;
	}
}

void accounts_close(struct accounts *all)
{
	for (size_t i = 0; i < all->n; i++) {
		centra_close(all->list[i].centra);
		free(all->list[i].instance);
		round_release(&all->rounds[i][0]);
		round_release(&all->rounds[i][1]);
		for (int f = 0; f < FEEDS; f++)
			feed_progress_release(&all->feeds[i][f]);
	}
	free(all->list);
	free(all->rounds);
	free(all->feeds);
	*all = (struct accounts){0};
}

bool account_reload(const struct account *a, const struct config *c)
{
	const struct config_instance *in = config_instance(c, a->instance);
	const struct config_shop *shop;
	struct centra_budget budget;

	if (a->of_shop) {
		shop = config_shop(c, a->instance + strlen(SHOP_ACCOUNT));
		if (shop)
			centra_set_credentials(a->centra, shop->order_api_key,
					       NULL);
		return shop;
	}
	if (!in)
		return false;
	budget = budget_of(in);
	centra_set_credentials(a->centra, in->order_api_key, in->graphql_token);
	centra_set_soap(a->centra, in->soap_user, in->soap_password);
	centra_set_budget(a->centra, &budget);
	return true;
}

const struct account *accounts_find(const struct accounts *all,
				    const char *instance)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].instance, instance))
			return &all->list[i];
	return NULL;
}

const struct account *accounts_of_shop(const struct accounts *all,
				       const char *shop)
{
	for (size_t i = 0; shop && i < all->n; i++)
		if (all->list[i].of_shop &&
		    !strcmp(all->list[i].instance + strlen(SHOP_ACCOUNT), shop))
			return &all->list[i];
	return NULL;
}

const struct account *workers_account(const struct workers *w, size_t i)
{
	return i < w->accounts.n ? &w->accounts.list[i] : NULL;
}

/* ---- which API may be called ---- */

static enum centra_api api_of(unsigned group)
{
	return group == CALLS_ORDER_API ? CENTRA_ORDER_API
	       : group == CALLS_SOAP	? CENTRA_SOAP
					: CENTRA_GRAPHQL;
}

void accounts_gate(void *arg, const char *instance, unsigned group,
		   enum lane lane, unsigned runs, struct store_gate *ret)
{
	struct workers *w = arg;
	const struct account *a = accounts_find(&w->accounts, instance);
	bool behind = lane > LANE_WAITED; /* nobody waits for it */
	enum centra_lane class = lane == LANE_ANSWERS ? CENTRA_LIVE
				 : behind	       ? CENTRA_RECONCILE
						       : CENTRA_FETCH;
	struct centra_may may;

	if (group >= GROUP_OUTSIDE) {
		receivers_gate(&w->receivers, instance, group, ret);
		return;
	}
	/* Which shop's plugin is called, the run knows: it waits by itself. */
	if (group == CALLS_SHOP_API) {
		*ret = (struct store_gate){0};
		return;
	}
	if (!a) {
		*ret = (struct store_gate){.wait = GATE_SHUT, .parked = true};
		return;
	}
	centra_may(a->centra, api_of(group), class, runs, &may);
	*ret = (struct store_gate){
		.wait = may.wait == CENTRA_NEVER ? GATE_SHUT : may.wait,
		.parked = may.parked,
		.trial = may.trial,
		.alone = behind,
	};
}

void accounts_try_now(const struct accounts *all)
{
	for (size_t i = 0; i < all->n; i++)
		for (int api = 0; api < CENTRA_APIS; api++)
			centra_try_now(all->list[i].centra,
				       (enum centra_api)api);
}

/* ---- how many tasks are parked ---- */

struct parked {
	const struct accounts *accounts;
	uint64_t (*tasks)[CENTRA_APIS]; /* owned: for each account, how many
					 * tasks wait for each API */
	void (*fn)(void *arg, const char *instance, enum centra_api api,
		   uint64_t tasks);
	void *arg;
};

static void add_waiting(void *arg, const char *instance, unsigned group,
			uint64_t tasks)
{
	struct parked *p = arg;
	const struct account *a = accounts_find(p->accounts, instance);

	if (group == CALLS_SHOP_API || group >= GROUP_OUTSIDE)
		return;
	if (a)
		p->tasks[a - p->accounts->list][api_of(group)] = tasks;
	else
		p->fn(p->arg, instance, api_of(group), tasks);
}

enum rc workers_parked(const struct workers *w,
		       void (*fn)(void *arg, const char *instance,
				  enum centra_api api, uint64_t tasks),
		       void *arg, struct err *e)
{
	const struct accounts *all = &w->accounts;
	struct parked p = {.accounts = all, .fn = fn, .arg = arg};
	struct centra_may may;
	enum rc rc;

	p.tasks = xcalloc(all->n + 1, sizeof(*p.tasks));
	rc = store_waiting(w->parts->store, add_waiting, &p, e);
	for (size_t i = 0; !rc && i < all->n; i++)
		for (int api = 0; api < CENTRA_APIS; api++) {
			centra_may(all->list[i].centra, (enum centra_api)api,
				   CENTRA_LIVE, 0, &may);
			fn(arg, all->list[i].instance, (enum centra_api)api,
			   may.parked ? p.tasks[i][api] : 0);
		}
	free(p.tasks);
	return rc;
}
