/* SPDX-License-Identifier: MIT
 *
 * serve.c - see serve.h.
 *
 * The parts start in an order in which each finds the parts that it needs, and
 * stop in reverse: first no new connections are accepted, then the requests
 * under way get their responses (which may need the workers), then the workers
 * end their runs, then the store closes.
 */
#include "server/serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "centra/centra.h"
#include "centra/signature.h"
#include "server/app.h"
#include "server/admin/health.h"
#include "server/http/http.h"
#include "server/live/changes.h"
#include "server/notify.h"
#include "server/page/page.h"
#include "server/routes.h"
#include "server/webhook/receive.h"
#include "server/reload.h"
#include "server/worker/feeds.h"
#include "server/worker/locks.h"
#include "server/worker/reconcile.h"
#include "server/worker/worker.h"

#define TICK	   200 /* ms between checks of what no signal reports, such as
		        * the clock */
#define A_MINUTE   60000 /* ms between checks of what changes slowly */
#define LAST_WORDS 100 /* ms that responses under way have to be sent after the
		        * disk failed */
#define REPORT_MAX (64 * 1024)

struct serving {
	struct app app;
	struct config *started; /* held: the config with which the parts were
				 * opened */
	sigset_t signals;

	pthread_mutex_t hook; /* of `listening` */
	bool listening; /* live_signal() and workers_wake() may be called */

	int64_t beat_every; /* ms; 0: no watchdog */
	int64_t beat_due;
	struct http_call beat;
	atomic_bool beating; /* `beat` is on its way through the loop */
	int64_t tick_due;    /* time_mono: when the checks of each minute are
			      * due */
};

/* ---- the HTTP server, by its settings ---- */

#define STOP_MS 5000 /* ms that a stop adds to the longest wait of a request */

/* True if an instance before the i-th has the same origin of pictures. */
static bool pictures_before(const struct config *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (c->instances[k].pictures_from &&
		    !strcmp(c->instances[k].pictures_from,
			    c->instances[i].pictures_from))
			return true;
	return false;
}

/* Returns the origins of all instances' pictures, with blanks between them; the
 * caller frees it. */
static char *pictures_of(const struct config *c)
{
	char *ret = xstrdup("");

	for (size_t i = 0; i < c->n_instances; i++) {
		const char *from = c->instances[i].pictures_from;
		char *more;

		if (!from || pictures_before(c, i))
			continue;
		more = xasprintf("%s%s%s", ret, *ret ? " " : "", from);
		free(ret);
		ret = more;
	}
	return ret;
}

static struct http_limits limits_of(const struct config_server *s,
				    const char *pictures)
{
	return (struct http_limits){
		.large_body = s->webhook_max_body,
		.buffered_max = s->buffered_max,
		.stop_wait = (s->answer_wait > s->write_wait ?
				      s->answer_wait :
				      s->write_wait) +
			     STOP_MS,
		.proxies = &s->proxies,
		.pictures = pictures,
		.actions = (unsigned)s->device_presses,
	};
}

void app_limit_http(struct app *app)
{
	struct config *config = config_now(app->config);
	char *pictures = pictures_of(config);
	struct http_limits l = limits_of(&config->server, pictures);

	http_set_limits(app->http, &l);
	free(pictures);
	config_drop(config);
}

static enum rc open_http(struct app *app, const struct config *c,
			 struct err *e)
{
	const struct config_server *s = &c->server;
	char *pictures = pictures_of(c);
	const struct http_options o = {
		.listen = {s->listen, s->admin_listen},
		.routes = routes,
		.contexts = app->contexts,
		.hooks = routes_hooks(app),
		.counters = &app->http_counters,
		.draining = &app->draining,
		.connections = (size_t)s->connections,
		.connections_per_ip = (size_t)s->connections_per_ip,
		.idle_timeout = s->idle_timeout,
		.header_timeout = s->header_timeout,
		.body_timeout = s->body_timeout,
		.request_threads = (unsigned)s->request_threads,
		.folded_header = SIGNATURE_HEADER,
		.limits = limits_of(s, pictures),
	};
	enum rc rc = http_open(&app->http, &o, e);

	free(pictures);
	return rc;
}

/* ---- how the rooms are tied together ---- */

/* Resumes a request when its order changes: the shop room's function `wait`. */
static void wait_for_change(void *arg, struct request *req,
			    const char *instance, int64_t number)
{
	const struct app *app = arg;

	live_wait(app->live, req, instance, number);
}

/* Wakes the workers, since another process may have added tasks: the live
 * room's function `foreign`. */
static void foreign_change(void *arg)
{
	const struct app *app = arg;

	if (app->workers)
		workers_wake(app->workers);
}

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
		.draining = &app->draining,
		.failed = &app->failed,
	};
	app->contexts[ROOM_WEBHOOK] = app->receiver;
	app->contexts[ROOM_ACCESS] = app->access;
	app->contexts[ROOM_SHOP] = &app->shop;
	app->contexts[ROOM_ORDER_API] = &app->shop;
	app->contexts[ROOM_ADMIN] = &app->admin;
}

enum rc app_open_http(struct app *app, struct err *e)
{
	struct config *config = config_now(app->config);
	enum rc rc;

	open_rooms(app);
	rc = open_http(app, config, e);
	config_drop(config);
	return rc;
}

/* Starts the workers, and has them reconcile with Centra. */
static enum rc start_workers(struct app *app, struct err *e)
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
	if (rc)
		return rc;
	reconcile_at_start(&app->worker_parts, app->workers);
	feeds_ask(&app->worker_parts, app->workers);
	locks_ask(&app->worker_parts, app->workers);
	return OK;
}

/* Gives the lookups the accounts of the workers: the room's function
 * `account`. */
static bool lookup_account(void *arg, size_t i, struct lookup_account *ret)
{
	const struct app *app = arg;
	const struct account *a = workers_account(app->workers, i);

	if (a)
		*ret = (struct lookup_account){a->instance, a->centra};
	return a;
}

/* Counts and logs a call: the lookups' function `called`. */
static void lookup_called(void *arg, const char *instance, enum centra_api api,
			  const char *what, const struct call *call)
{
	const struct app *app = arg;

	workers_called(app->workers, instance, api, what, call);
}

/* Shows an order again, with the goods that are known now: the function `news`
 * of the goods. */
static void goods_news(void *arg, const char *instance, int64_t order)
{
	const struct app *app = arg;

	live_touch(app->live, instance, order);
}

/* Starts the threads of the lookups, which use the workers' accounts. */
static enum rc open_lookups(struct app *app, struct err *e)
{
	const struct lookup_parts parts = {
		.counters = &app->counters,
		.http = app->http,
		.account = lookup_account,
		.called = lookup_called,
		.arg = app,
	};
	enum rc rc = lookups_open(&app->lookups, &parts, e);
	const struct goods_parts goods = {
		.lookups = app->lookups,
		.config = app->config,
		.news = goods_news,
		.arg = app,
	};

	app->goods = goods_open(&goods);
	app->shop.lookups = app->lookups;
	app->shop.goods = app->goods;
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
		.goods = app->goods,
		.foreign = foreign_change,
		.foreign_arg = app,
	};
	enum rc rc = live_open(&app->live, &parts, e);

	if (rc)
		return rc;
	app->contexts[ROOM_LIVE] = app->live;
	app->admin.live = app->live;
	app->admin.workers = app->workers;
	app->admin.lookups = app->lookups;
	return OK;
}

void app_close_http(struct app *app)
{
	http_close(app->http);
	live_close(app->live);
	goods_close(app->goods);
	lookups_close(app->lookups);
	receiver_close(app->receiver);
	access_close(app->access);
	app->http = NULL;
	app->live = NULL;
	app->goods = NULL;
	app->lookups = NULL;
	app->receiver = NULL;
	app->access = NULL;
}

/* ---- the parts, in the order they start ---- */

static int start_config(struct serving *s, const char *path)
{
	struct config *first;
	struct buf report;
	struct err e;
	enum rc rc;

	buf_init(&report, REPORT_MAX);
	s->app.config_path = path;
	pthread_mutex_init(&s->hook, NULL);
	rc = config_load(&first, path, &report, &e);
	if (rc) {
		config_log_report(&report);
		log_line(LOG_ERROR, "cannot start", LOG_S("error", e.text));
	} else {
		s->started = config_hold(first);
		s->app.config = config_holder_open(first);
		log_set_level(log_level_of(s->started->server.log_level));
	}
	buf_release(&report);
	return rc ? EX_CONFIG : 0;
}

/* Blocks the signals.  Threads inherit the mask, so that signals come to
 * wait_signal() alone. */
static void block_signals(struct serving *s)
{
	sigemptyset(&s->signals);
	sigaddset(&s->signals, SIGTERM);
	sigaddset(&s->signals, SIGINT);
	sigaddset(&s->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit on file sizes then
				   * fails, and is handled as a full disk */
}

/* Notifies the rooms of a commit.  It runs in the writer thread, which outlives
 * the workers.  A store_changed_fn. */
static void on_changed(void *arg, uint64_t newest)
{
	struct serving *s = arg;

	pthread_mutex_lock(&s->hook);
	if (s->listening) {
		live_signal(s->app.live, newest);
		workers_wake(s->app.workers);
	}
	pthread_mutex_unlock(&s->hook);
}

static void listen_to_changes(struct serving *s, bool listening)
{
	pthread_mutex_lock(&s->hook);
	s->listening = listening;
	pthread_mutex_unlock(&s->hook);
}

/* Notes that the disk failed; the main thread logs the reason and ends the
 * process.  A store_failed_fn. */
static void on_failed(void *arg, const struct err *why)
{
	struct serving *s = arg;

	(void)why;
	s->app.failed = true;
}

static int start_store(struct serving *s, struct err *e)
{
	s->app.storage = (struct storage){.started = s->started,
					  .present = s->app.config,
					  .counters = &s->app.counters};
	switch (storage_serve(&s->app.store, &s->app.storage, on_changed,
			      on_failed, s, e)) {
	case OK:
		return 0;
	case RC_EXISTS:
		return EX_TEMPFAIL;
	case RC_IO:
		return EX_IOERR;
	case RC_DAMAGED:
		return EX_DATAERR;
	default:
		return EX_CANTCREAT;
	}
}

static void start_clock(struct serving *s)
{
	int64_t newest = TIME_NONE;
	struct err e;

	if (store_newest_time(s->app.store, &newest, &e))
		log_line(LOG_WARN, "the newest event cannot be read",
			 LOG_S("error", e.text));
	clock_init(&s->app.clock, newest, time_now(), time_mono());
}

/* Sends the watchdog's sign of life from the loop thread, so that systemd
 * notices a loop that hangs. */
static void beat(struct http_call *call)
{
	struct serving *s = call->arg;

	notify("WATCHDOG=1");
	s->beating = false;
}

static int start_parts(struct serving *s, struct err *e)
{
	struct app *app = &s->app;
	int code;

	if (centra_init(e))
		return EX_SOFTWARE;
	code = start_store(s, e);
	if (code)
		return code;
	start_clock(s);
	if (app_open_http(app, e))
		return EX_UNAVAILABLE;
	if (start_workers(app, e) || open_lookups(app, e) ||
	    app_open_live(app, e))
		return EX_OSERR;
	listen_to_changes(s, true);
	workers_wake(app->workers);
	if (http_start(app->http, e))
		return EX_OSERR;
	s->beat = (struct http_call){.fn = beat, .arg = s};
	s->beat_every = notify_watchdog();
	return 0;
}

static void say_ready(const struct serving *s)
{
	const char *address = http_address(s->app.http);

	printf("ready http://%s\nadmin http://%s\n", address,
	       http_admin_address(s->app.http));
	fflush(stdout);
	notify("READY=1");
	log_line(LOG_INFO, "ready", LOG_S("address", address),
		 LOG_N("instances", (int64_t)s->started->n_instances),
		 LOG_N("shops", (int64_t)s->started->n_shops));
}

/* ---- while it runs ---- */

/* Waits up to TICK ms, and not beyond `end` (time_mono), for a signal and
 * returns it; 0: there was none. */
static int wait_signal(struct serving *s, int64_t end)
{
	int64_t left = end - time_mono();
	const struct timespec tick = {
		.tv_nsec = (left > TICK ? TICK : left > 0 ? left : 0) * 1000000L};
	int sig = sigtimedwait(&s->signals, NULL, &tick);

	if (s->beat_every && time_mono() >= s->beat_due && !s->beating) {
		s->beat_due = time_mono() + s->beat_every;
		s->beating = true;
		http_call(s->app.http, &s->beat);
	}
	health_watch(&s->app.admin);
	if (time_mono() >= s->tick_due) {
		s->tick_due = time_mono() + A_MINUTE;
		receiver_tick(s->app.receiver);
	}
	return sig > 0 ? sig : 0;
}

static bool is_end(int sig)
{
	return sig == SIGTERM || sig == SIGINT;
}

static void run(struct serving *s)
{
	int sig = 0;

	while (!is_end(sig) && !s->app.failed) {
		sig = wait_signal(s, INT64_MAX);
		if (sig == SIGHUP)
			reload(&s->app, s->started);
	}
}

/* Says "not ready" for `drain` before the sockets close, so that the balancer
 * notices.  A second signal ends the wait. */
static void drain(struct serving *s)
{
	struct config *c = config_now(s->app.config);
	int64_t end = time_mono() + c->server.drain;

	log_line(LOG_INFO, "draining", LOG_N("ms", c->server.drain));
	config_drop(c);
	notify("STOPPING=1");
	s->app.draining = true;
	while (time_mono() < end && !s->app.failed)
		if (is_end(wait_signal(s, end)))
			break;
}

/* ---- the end ---- */

/* Ends the process at once after a failed sync.  Nothing in memory can be
 * trusted then, and closing the parts could wait for the disk.  The restarted
 * process reads what is really on disk. */
static void die_if_failed(const struct serving *s)
{
	const char *why;
	bool damaged;

	if (!s->app.failed)
		return;
	why = s->app.store ? store_failure(s->app.store) : NULL;
	damaged = s->app.store && store_damaged(s->app.store);
	log_line(LOG_ERROR,
		 damaged ? LOG_MSG("the store is damaged: put a backup back")
			 : LOG_MSG("the disk failed: restart after looking at "
				   "it"),
		 LOG_S("error", why));
	notify("STOPPING=1");
	usleep(LAST_WORDS * 1000);
	_exit(damaged ? EX_DATAERR : EX_IOERR);
}

static void stop_parts(struct serving *s)
{
	struct app *app = &s->app;

	http_stop(app->http);
	die_if_failed(s);
	listen_to_changes(s, false);
	live_stop(app->live);
	lookups_stop(app->lookups);
	workers_stop(app->workers);
	die_if_failed(s);
	if (app->store)
		receiver_stop(app->receiver);
	store_close(app->store);
	app_close_http(app);
	centra_end();
}

static void stop_config(struct serving *s)
{
	config_holder_close(s->app.config);
	if (s->started)
		config_drop(s->started);
	pthread_mutex_destroy(&s->hook);
}

int serve(const char *config_path)
{
	struct serving s = {0};
	struct err e = {""};
	int code;

	block_signals(&s);
	code = start_config(&s, config_path);
	if (code)
		goto out;
	code = start_parts(&s, &e);
	if (code) {
		log_line(LOG_ERROR, "cannot start", LOG_S("error", e.text));
		goto stop;
	}
	say_ready(&s);
	run(&s);
	die_if_failed(&s);
	drain(&s);
	die_if_failed(&s);
	http_quiesce(s.app.http);
stop:
	stop_parts(&s);
	if (!code)
		log_line(LOG_INFO, "stopped");
out:
	stop_config(&s);
	return code;
}
