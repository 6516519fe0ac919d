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

/* A store_derive_fn.  Zones do not change while we run, so the config that the
 * store was opened with is as good as the present one. */
static void derive(void *arg, struct order *o)
{
	const struct config_instance *in = config_instance(arg, o->instance);

	offer_derive(in ? in->zone : NULL, o);
}

enum rc app_open_store(struct store **ret, struct config *config, bool serve,
		       store_changed_fn *changed, void *changed_arg,
		       struct err *e)
{
	const struct store_options o = {
		.dir = config->server.store_dir,
		/* A command beside the server takes the size it finds. */
		.max_bytes = serve ? config->server.store_max : 0,
		.serve = serve,
		.derive = derive,
		.derive_arg = config,
		.fetch_kind = TASK_FETCH_ORDER,
		.changed = changed,
		.changed_arg = changed_arg,
	};

	return store_open(ret, &o, e);
}
