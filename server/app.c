/* SPDX-License-Identifier: MIT
 *
 * app.c - see app.h.
 */
#include "server/app.h"

#include "handlers/handlers.h"
#include "handlers/offer.h"

struct config *app_config(struct app *app)
{
	struct config *c;

	pthread_mutex_lock(&app->config_lock);
	c = config_hold(app->config);
	pthread_mutex_unlock(&app->config_lock);
	return c;
}

struct whose {
	const struct config *shops;
	const char *instance;
};

static bool is_ours(const void *arg, int64_t warehouse)
{
	const struct whose *w = arg;

	return config_shop_of(w->shops, w->instance, warehouse);
}

/* Zones do not change while we run, so the config that the store was opened
 * with is as good as the present one; shops do. */
static void derive_with(const struct config *started,
			const struct config *present, struct order *o)
{
	const struct config_instance *in =
		config_instance(started, o->instance);
	struct whose w = {.shops = present, .instance = o->instance};

	offer_derive_for(in ? in->zone : NULL, o, is_ours, &w);
}

/* Two store_derive_fn. */

static void derive(void *arg, struct order *o)
{
	derive_with(arg, arg, o);
}

static void derive_served(void *arg, struct order *o)
{
	struct app *app = arg;
	struct config *present = app_config(app);

	derive_with(app->started, present, o);
	config_drop(present);
}

enum rc app_open_store(struct store **ret, struct config *config,
		       struct app *app, store_changed_fn *changed,
		       void *changed_arg, struct err *e)
{
	const struct store_options o = {
		.dir = config->server.store_dir,
		.must_exist = !app,
		/* A command beside the server takes the size it finds. */
		.max_bytes = app ? config->server.store_max : 0,
		.serve = app,
		.derive = app ? derive_served : derive,
		.derive_arg = app ? (void *)app : config,
		.fetch_kind = TASK_FETCH_ORDER,
		.changed = changed,
		.changed_arg = changed_arg,
	};

	if (app)
		app->started = config;
	return store_open(ret, &o, e);
}
