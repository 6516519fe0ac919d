/* SPDX-License-Identifier: MIT
 *
 * app.c - see app.h: the HTTP server's options and hooks.
 */
#include "server/app.h"

#include "server/access/auth.h"
#include "server/access/login_limit.h"
#include "server/live/changes.h"
#include "server/routes.h"
#include "server/webhook/receive.h"
#include "server/webhook/signature.h"

struct app *request_app(const struct request *req)
{
	return req->context;
}

static void identify(void *arg, struct request *req, struct response *res)
{
	(void)arg;
	auth_device(req, res);
}

static void ended(void *arg, struct request *req)
{
	struct app *app = arg;

	if (app->live)
		live_forget(app->live, req);
}

static void misdirected(void *arg, const struct request *req)
{
	receive_misdirected(arg, req);
}

static void tick(void *arg)
{
	struct app *app = arg;

	if (app->live)
		live_tick(app->live);
}

static void detach(void *arg)
{
	struct app *app = arg;

	if (app->live)
		live_detach(app->live);
}

static struct http_limits limits_of(const struct config_server *s)
{
	return (struct http_limits){
		.large_body = s->webhook_max_body,
		.buffered_max = s->buffered_max,
		.longest_wait = s->answer_wait > s->write_wait ?
					s->answer_wait : s->write_wait,
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

enum rc app_open_http(struct app *app, struct err *e)
{
	struct config *config = config_now(app->config);
	const struct config_server *s = &config->server;
	const struct http_options o = {
		.listen = {s->listen, s->admin_listen},
		.routes = routes,
		.contexts = app->rooms,
		.hooks = {
			.arg = app,
			.identify = identify,
			.caller_free = caller_free,
			.ended = ended,
			.misdirected = misdirected,
			.tick = tick,
			.tick_ms = LIVE_POLL,
			.detach = detach,
		},
		.counters = &app->http_counters,
		.draining = &app->draining,
		.connections = (size_t)s->connections,
		.connections_per_ip = (size_t)s->connections_per_ip,
		.idle_timeout = s->idle_timeout,
		.header_timeout = s->header_timeout,
		.body_timeout = s->body_timeout,
		.request_threads = 1,
		.folded_header = SIGNATURE_HEADER,
		.limits = limits_of(s),
	};
	enum rc rc;

	for (size_t i = 0; i < ROOMS; i++)
		app->rooms[i] = app;
	app->peers = peers_open();
	rc = http_open(&app->http, &o, e);
	config_drop(config);
	return rc;
}

void app_close_http(struct app *app)
{
	http_close(app->http);
	app->http = NULL;
	peers_close(app->peers);
	app->peers = NULL;
}
