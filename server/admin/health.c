/* SPDX-License-Identifier: MIT
 *
 * health.c - see health.h.
 */
#include "server/admin/health.h"

#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/time.h"
#include "server/admin/metrics.h"

/* The bytes of openapi.yaml at build time; the build runs in the root of the
 * source. */
__asm__(".section .rodata\n"
	".global openapi_yaml\n"
	".global openapi_yaml_end\n"
	"openapi_yaml:\n"
	".incbin \"openapi.yaml\"\n"
	"openapi_yaml_end:\n"
	".byte 0\n"
	".text\n");
extern const char openapi_yaml[], openapi_yaml_end[];

bool health_room_low(uint64_t left_bytes, uint64_t all_bytes)
{
	const uint64_t least = (uint64_t)64 << 20;
	uint64_t part = all_bytes / 50;

	return left_bytes < (part < least ? part : least);
}

/* True if little room is left; false also for a store that cannot say how
 * much. */
static bool room_low(struct store *s)
{
	struct store_room room;

	return store_can(s, STORE_ROOM) && !store_room(s, &room, NULL) &&
	       health_room_low(room.left, room.all);
}

bool health_ready(const struct admin *a, const struct config *config,
		  const char **ret_why)
{
	struct store_stats stats = {0};

	*ret_why = NULL;
	if (*a->draining)
		*ret_why = "draining";
	else if (!a->store)
		*ret_why = "starting";
	else if (*a->failed || store_stats(a->store, &stats, NULL) ||
		 stats.failed ||
		 stats.writing_for >= config->server.write_wait)
		*ret_why = "store failing";
	/* stats.full: deliveries are refused.  Quotas and store_max count
	 * there, which the room that is left on the disk does not show. */
	else if (stats.full ||
		 (stats.max_bytes &&
		  stats.used_bytes >= stats.max_bytes / 100 * 95) ||
		 room_low(a->store))
		*ret_why = "disk nearly full";
	return !*ret_why;
}

/* Logs that the trust in the clock changed. */
static void watch_clock(struct admin *a)
{
	int64_t wall = time_now(), mono = time_mono(), ahead;
	enum clock_trust trust = clock_trust(a->clock, wall, mono);
	bool told = clock_ahead(a->clock, wall, mono, &ahead);

	if (trust == a->trust)
		return;
	a->trust = trust;
	if (trust == CLOCK_CONFIRMED)
		log_line(LOG_INFO, "the clock is confirmed by Centra",
			 LOG_N("ahead_ms", ahead));
	else if (trust == CLOCK_WRONG && told)
		log_line(LOG_ERROR,
			 "the clock is wrong: Centra's differs; nothing that "
			 "cannot be undone is done until it is right",
			 LOG_N("ahead_ms", ahead));
	else if (trust == CLOCK_WRONG)
		log_line(LOG_ERROR,
			 "the clock is behind what the store has: one of the "
			 "two is wrong");
}

static void watch_readiness(struct admin *a)
{
	struct config *config = config_now(a->config);
	const char *why, *was;

	(void)health_ready(a, config, &why);
	config_drop(config);
	was = atomic_exchange(&a->not_ready, why);
	if (was == why) /* compares pointers: each reason is one constant */
		return;
	if (why)
		log_line(*a->draining ? LOG_INFO : LOG_WARN, "not ready",
			 LOG_S("why", why));
	else
		log_line(LOG_INFO, "ready again", LOG_S("after", was));
}

void health_watch(struct admin *a)
{
	watch_readiness(a);
	watch_clock(a);
}

void show_health(struct request *req, struct response *res)
{
	(void)req;
	json_begin(&res->body, NULL);
	json_put_bool(&res->body, "ok", true);
	json_end(&res->body);
	respond_json(res, 200);
}

void show_ready(struct request *req, struct response *res)
{
	struct admin *a = req->context;
	struct config *config = config_now(a->config);
	const char *why;
	bool ready = health_ready(a, config, &why);

	config_drop(config);
	json_begin(&res->body, NULL);
	json_put_bool(&res->body, "ready", ready);
	if (!ready)
		json_put(&res->body, "why", why);
	json_end(&res->body);
	respond_json(res, ready ? 200 : 503);
	if (!ready)
		res->retry_after = 1;
}

void show_metrics(struct request *req, struct response *res)
{
	metrics_write(req->context, &res->body);
	res->status = 200;
	res->type = "text/plain; version=0.0.4; charset=utf-8";
}

void show_openapi(struct request *req, struct response *res)
{
	(void)req;
	/* If it does not fit, the buf is marked full, and the send code checks
	 * that. */
	(void)!buf_add(&res->body, openapi_yaml,
		       (size_t)(openapi_yaml_end - openapi_yaml));
	res->status = 200;
	res->type = "application/yaml";
}
