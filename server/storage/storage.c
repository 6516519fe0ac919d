/* SPDX-License-Identifier: MIT
 *
 * storage.c - see storage.h.
 */
#include "server/storage/storage.h"

#include <string.h>

#include "base/log.h"
#include "handlers/event.h"
#include "handlers/follow.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "server/metrics/counters.h"

struct whose {
	const struct config *shops;
	const char *instance;
};

static bool is_ours(const void *arg, int64_t warehouse)
{
	const struct whose *w = arg;

	return config_shop_of(w->shops, w->instance, warehouse);
}

static void derive_with(const struct config *zones, const struct config *shops,
			struct order *o)
{
	const struct config_instance *in = config_instance(zones, o->instance);
	struct whose w = {.shops = shops, .instance = o->instance};

	offer_derive_for(in ? in->zone : NULL, o, is_ours, &w);
}

/* ---- two store_derive_fn ---- */

static void derive(void *arg, struct order *o)
{
	derive_with(arg, arg, o);
}

static void derive_served(void *arg, struct order *o)
{
	const struct storage *s = arg;
	struct config *present = config_now(s->present);

	derive_with(s->started, present, o);
	config_drop(present);
}

/* ---- two store_follow_fn ---- */

/* The config for the zones, and the one for the shops. */
struct follow_with {
	const struct config *zones, *shops;
};

static bool shop_of(void *arg, const char *instance, int64_t warehouse,
		    struct follow_shop *ret)
{
	const struct follow_with *w = arg;
	const struct config_shop *shop =
		config_shop_of(w->shops, instance, warehouse);

	if (shop)
		*ret = (struct follow_shop){
			.name = shop->id,
			.warehouses = shop->warehouses.ids,
			.n_warehouses = shop->warehouses.n,
			.notify = shop->notify_url,
			.by_system = !strcmp(config_ships_with(w->shops, shop),
					     "order_api"),
		};
	return shop;
}

static bool locks(void *arg, const char *instance)
{
	const struct follow_with *w = arg;
	const struct config_instance *in = config_instance(w->shops, instance);

	return in && in->lock_orders;
}

static const struct zone *zone_of(void *arg, const char *instance)
{
	const struct follow_with *w = arg;
	const struct config_instance *in = config_instance(w->zones, instance);

	return in ? in->zone : NULL;
}

static void follow_with(const struct config *zones, const struct config *shops,
			const struct followed *f, struct changes *ret)
{
	struct follow_with w = {.zones = zones, .shops = shops};
	const struct follow_config c = {
		.arg = &w,
		.shop_of = shop_of,
		.locks = locks,
		.zone = zone_of,
	};

	order_follow(&c, f, ret);
}

static void follow(void *arg, const struct followed *f,
		   struct changes *ret)
{
	follow_with(arg, arg, f, ret);
}

static void follow_served(void *arg, const struct followed *f,
			  struct changes *ret)
{
	const struct storage *s = arg;
	struct config *present = config_now(s->present);

	follow_with(s->started, present, f, ret);
	config_drop(present);
}

/* ---- rows that cannot be read ---- */

#define REMADE_A_MINUTE 20 /* lines in the log */

/* A store_remade_fn. */
static void on_remade(void *arg, const struct task *task, uint64_t was,
		      const struct err *why)
{
	const struct storage *s = arg;

	if (s->counters)
		COUNT(s->counters, tasks_remade_total);
	log_limited(REMADE_A_MINUTE, LOG_ERROR, "damaged task replaced",
		    LOG_S("instance", task->instance),
		    LOG_N("order", task->number), LOG_S("kind", task->kind),
		    LOG_N("task", (int64_t)was), LOG_S("error", why->text));
}

/* ---- opening ---- */

enum rc storage_open(struct store **ret, const struct config *config,
		     struct err *e)
{
	const struct store_options o = {
		.url = config->server.store,
		.must_exist = true,
		.derive = derive,
		.derive_arg = (void *)(uintptr_t)config,
		.follow = follow,
		.follow_arg = (void *)(uintptr_t)config,
		.apply = event_apply,
		.event_kinds = event_kinds,
		.place = handler_place,
		.fetch_kind = TASK_FETCH_ORDER,
	};

	return store_open(ret, &o, e);
}

/* Logs what an operator has to know about the store that was opened.  If a new
 * one was made where an old one was expected, its disk may not be mounted. */
static void log_origin(const struct store *s, const char *dir, bool is_new)
{
	if (is_new)
		log_line(LOG_WARN, "a new store was made",
			 LOG_S("folder", dir));
	else if (store_origin(s) == STORE_RESTORED)
		log_line(LOG_WARN,
			 "the store was restored from a backup: each device "
			 "is suspended until `shipfrom device readmit`",
			 LOG_S("folder", dir));
	else if (store_origin(s) == STORE_COPIED)
		log_line(LOG_WARN,
			 "the store is another file than the one last served: "
			 "if it is older, devices removed since are back",
			 LOG_S("folder", dir));
}

enum rc storage_serve(struct store **ret, const struct storage *s,
		      store_changed_fn *changed, store_failed_fn *failed,
		      void *arg, struct err *e)
{
	const struct store_options o = {
		.url = s->started->server.store,
		.max_bytes = s->started->server.store_max,
		.serve = true,
		.derive = derive_served,
		.derive_arg = (void *)(uintptr_t)s,
		.follow = follow_served,
		.follow_arg = (void *)(uintptr_t)s,
		.apply = event_apply,
		.event_kinds = event_kinds,
		.place = handler_place,
		.fetch_kind = TASK_FETCH_ORDER,
		.changed = changed,
		.changed_arg = arg,
		.failed = failed,
		.failed_arg = arg,
		.remade = on_remade,
		.remade_arg = (void *)(uintptr_t)s,
	};
	bool is_new = !store_exists(o.url);
	enum rc rc = store_open(ret, &o, e);

	if (!rc)
		log_origin(*ret, s->started->server.store_dir, is_new);
	return rc;
}
