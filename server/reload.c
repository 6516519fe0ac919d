/* SPDX-License-Identifier: MIT
 *
 * reload.c - see reload.h.
 */
#include "server/reload.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "server/app.h"
#include "server/webhook/receive.h"
#include "server/worker/worker.h"

#define REPORT_MAX (64 * 1024)

/* ---- what a reload cannot change ---- */

static bool same_STR(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_INT(int64_t a, int64_t b)
{
	return a == b;
}

#define same_MS	  same_INT
#define same_FLAG same_INT

static bool same_SIZE(size_t a, size_t b)
{
	return a == b;
}

static bool same_LIST(config_LIST a, config_LIST b)
{
	return a.n == b.n &&
	       (!a.n || !memcmp(a.ids, b.ids, a.n * sizeof(*a.ids)));
}

static void say_restart(const char *instance, const char *shop,
			const char *name)
{
	log_line(LOG_WARN, "restart to change a setting",
		 LOG_S("instance", instance), LOG_S("shop", shop),
		 LOG_S("setting", name));
}

/* The flags of config.def that matter here; the others are 0. */
#define SECRET	 0
#define REQUIRED 0
#define RELOAD	 1

#define CHECK(instance, shop, type, name, flags)                              \
	do {                                                                  \
		if (!((flags) & RELOAD) && !same_##type(was->name, is->name)) \
			say_restart(instance, shop, #name);                   \
	} while (0)

static void compare_servers(const struct config_server *was,
			    const struct config_server *is)
{
#define SETTING_server(type, name, flags) CHECK(NULL, NULL, type, name, flags);
#define SETTING_centra(type, name, flags)
#define SETTING_shop(type, name, flags)
#define SETTING(section, type, name, def, flags, help)                        \
	SETTING_##section(type, name, flags)
#include "server/config/config.def"
#undef SETTING_server
#undef SETTING_centra
}

static void compare_instances(const struct config_instance *was,
			      const struct config_instance *is)
{
#define SETTING_server(type, name, flags)
#define SETTING_centra(type, name, flags)                                     \
	CHECK(is->id, NULL, type, name, flags);
#include "server/config/config.def"
#undef SETTING_centra
#undef SETTING_shop
}

/* `was` is empty for a new shop. */
static void compare_shops(const struct config_shop *was,
			  const struct config_shop *is)
{
#define SETTING_centra(type, name, flags)
#define SETTING_shop(type, name, flags)                                       \
	CHECK(is->centra, is->id, type, name, flags);
#include "server/config/config.def"
#undef SETTING
#undef SETTING_server
#undef SETTING_centra
#undef SETTING_shop
}

static void compare(const struct config *was, const struct config *is)
{
	static const struct config_shop none;

	compare_servers(&was->server, &is->server);
	for (size_t i = 0; i < is->n_instances; i++) {
		const struct config_instance *in = &is->instances[i];
		const struct config_instance *old =
			config_instance(was, in->id);

		if (old)
			compare_instances(old, in);
		else
			log_line(LOG_WARN,
				 "restart to work for a new instance",
				 LOG_S("instance", in->id));
	}
	for (size_t i = 0; i < is->n_shops; i++) {
		const struct config_shop *old =
			config_shop(was, is->shops[i].id);

		compare_shops(old ? old : &none, &is->shops[i]);
	}
	for (size_t i = 0; i < was->n_instances; i++)
		if (!config_instance(is, was->instances[i].id))
			log_line(LOG_WARN,
				 "an instance is gone: its webhooks are "
				 "refused, its work goes on until a restart",
				 LOG_S("instance", was->instances[i].id));
}

/* ---- the swap ---- */

void reload(struct app *app, const struct config *started)
{
	struct config *fresh = NULL;
	struct buf report;
	struct err e;

	buf_init(&report, REPORT_MAX);
	if (config_load(&fresh, app->config_path, &report, &e)) {
		config_log_report(&report);
		log_line(LOG_ERROR, "config not reloaded: the old one stays",
			 LOG_S("error", e.text));
		goto out;
	}
	config_replace(app->config, config_hold(fresh));
	compare(started, fresh);
	log_set_level(log_level_of(fresh->server.log_level));
	workers_reload(app->workers);
	app_limit_http(app);
	receiver_reloaded(app->receiver);
	log_line(LOG_INFO, "config reloaded",
		 LOG_N("instances", (int64_t)fresh->n_instances),
		 LOG_N("shops", (int64_t)fresh->n_shops));
	config_drop(fresh);
out:
	buf_release(&report);
}
