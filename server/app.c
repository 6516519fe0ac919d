/* SPDX-License-Identifier: MIT
 *
 * app.c - see app.h.
 */
#include "server/app.h"

#include "base/time.h"
#include "server/access/auth.h"
#include "server/page/page.h"
#include "server/routes.h"
#include "server/webhook/receive.h"
#include "server/webhook/signature.h"
#include "server/worker/reconcile.h"

#define TICK 250 /* ms */

/* ---- hooks of http.h ---- */

static void identify(void *arg, struct request *req, struct response *res)
{
	const struct app *app = arg;

	auth_identify(app->access, req, res);
}

static void ended(void *arg, struct request *req)
{
	const struct app *app = arg;

	if (app->live)
		live_forget(app->live, req);
}

static void misdirected(void *arg, const struct request *req)
{
	const struct app *app = arg;

	receive_misdirected(app->receiver, req);
}

static void tick(void *arg)
{
	const struct app *app = arg;

	if (app->live)
		live_tick(app->live, time_mono());
}

/* ---- what rooms ask of each other ---- */

/* Of the shop's room: resumes a request when its order changes. */
static void wait_for_change(void *arg, struct request *req,
			    const char *instance, int64_t number)
{
	const struct app *app = arg;

	live_wait(app->live, req, instance, number);
}

/* Of the live room: another process may have added tasks. */
static void foreign_change(void *arg)
{
	const struct app *app = arg;

	if (app->workers)
		workers_wake(app->workers);
}

/* ---- the HTTP server ---- */

static struct http_limits limits_of(const struct config_server *s)
{
	return (struct http_limits){
		.large_body = s->webhook_max_body,
		.buffered_max = s->buffered_max,
		.longest_wait = s->answer_wait > s->write_wait ?
					s->answer_wait :
					s->write_wait,
		.proxies = &s->proxies,
	};
}

void app_limit_http(struct app *app)
{
	struct config *config = config_now(app->config);
	struct http_limits l = limits_of(&config->server);

	http_set_limits(app->http, &l);
	config_drop(config);
}

static enum rc open_http(struct app *app, const struct config_server *s,
			 struct err *e)
{
	const struct http_options o = {
		.listen = {s->listen, s->admin_listen},
		.routes = routes,
		.contexts = app->contexts,
		.hooks = {
			.arg = app,
			.identify = identify,
			.caller_free = auth_free_caller,
			.ended = ended,
			.misdirected = misdirected,
			.tick = tick,
			.tick_ms = TICK,
		},
		.counters = &app->http_counters,
		.draining = &app->draining,
		.connections = (size_t)s->connections,
		.connections_per_ip = (size_t)s->connections_per_ip,
		.idle_timeout = s->idle_timeout,
		.header_timeout = s->header_timeout,
		.body_timeout = s->body_timeout,
		.request_threads = (unsigned)s->request_threads,
		.folded_header = SIGNATURE_HEADER,
		.limits = limits_of(s),
	};

	return http_open(&app->http, &o, e);
}

/* ---- the rooms ---- */

static void open_rooms(struct app *app)
{
	const struct access_parts access = {
		.store = app->store,
		.config = app->config,
		.counters = &app->counters,
		.http = &app->http,
		.page_version = page_version(),
	};
	const struct receiver_parts receiver = {
		.store = app->store,
		.config = app->config,
		.counters = &app->counters,
		.http = &app->http,
	};

	app->access = access_open(&access);
	app->shop = (struct shop){
		.store = app->store,
		.counters = &app->counters,
		.access = app->access,
		.clock = &app->clock,
		.http = &app->http,
		.draining = &app->draining,
		.wait = wait_for_change,
		.wait_arg = app,
	};
	app->receiver = receiver_open(&receiver);
	app->admin = (struct admin){
		.store = app->store,
		.config = app->config,
		.counters = &app->counters,
		.http_counters = &app->http_counters,
		.clock = &app->clock,
		.receiver = app->receiver,
		.http = &app->http,
		.draining = &app->draining,
		.failed = &app->failed,
	};
	app->contexts[ROOM_WEBHOOK] = app->receiver;
	app->contexts[ROOM_ACCESS] = app->access;
	app->contexts[ROOM_SHOP] = &app->shop;
	app->contexts[ROOM_ADMIN] = &app->admin;
}

enum rc app_open_http(struct app *app, struct err *e)
{
	struct config *config = config_now(app->config);
	enum rc rc;

	open_rooms(app);
	rc = open_http(app, &config->server, e);
	config_drop(config);
	return rc;
}

enum rc app_start_workers(struct app *app, struct err *e)
{
	enum rc rc;

	app->worker_parts = (struct worker_parts){
		.store = app->store,
		.config = app->config,
		.counters = &app->counters,
		.clock = &app->clock,
		.failed = &app->failed,
	};
	rc = workers_start(&app->workers, &app->worker_parts, e);
	if (!rc)
		reconcile_at_start(&app->worker_parts, app->workers);
	return rc;
}

enum rc app_open_live(struct app *app, struct err *e)
{
	const struct live_parts parts = {
		.store = app->store,
		.config = app->config,
		.counters = &app->counters,
		.access = app->access,
		.http = app->http,
		.foreign = foreign_change,
		.foreign_arg = app,
	};
	enum rc rc = live_open(&app->live, &parts, e);

	if (rc)
		return rc;
	app->contexts[ROOM_LIVE] = app->live;
	app->admin.live = app->live;
	app->admin.workers = app->workers;
	return OK;
}

void app_close_http(struct app *app)
{
	http_close(app->http);
	live_close(app->live);
	receiver_close(app->receiver);
	access_close(app->access);
	app->http = NULL;
	app->live = NULL;
	app->receiver = NULL;
	app->access = NULL;
}
