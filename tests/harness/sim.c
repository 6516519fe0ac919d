/* SPDX-License-Identifier: MIT */
#include "tests/harness/sim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/address.h"
#include "tests/harness/wait.h"

static void start(struct sim *s, const char *address)
{
	char program[256], rest[128];
	const char *argv[] = {program,	   "--listen", address,
			      "--hook-url", "http://127.0.0.1:9/", NULL};

	snprintf(program, sizeof(program), "%s/centra-sim", build_dir());
	process_start(&s->process, argv, s->log, false);
	if (!process_says(&s->process, "ready ", rest, sizeof(rest), 10000)) {
		process_tail(s->log, 20);
		fail_msg("the stand-in does not start");
	}
	snprintf(s->url, sizeof(s->url), "%s", rest);
}

void sim_start(struct sim *s, const char *dir)
{
	char address[ADDRESS_ROOM];

	snprintf(s->log, sizeof(s->log), "%s/sim.log", dir);
	start(s, free_address(address));
}

void sim_again(struct sim *s)
{
	char address[128];

	snprintf(address, sizeof(address), "%s", s->url + strlen("http://"));
	start(s, address);
}

void sim_stop(struct sim *s)
{
	process_end(&s->process, SIGTERM, 10000);
}

__attribute__((format(printf, 3, 0)))
static struct answer tell(struct sim *s, const char *path, const char *fmt,
			  va_list ap)
{
	char url[256], body[8192];

	snprintf(url, sizeof(url), "%s/control%s", s->url, path);
	vsnprintf(body, sizeof(body), fmt, ap);
	return http_post(url, NULL, body);
}

struct answer sim_do(struct sim *s, const char *path, const char *fmt, ...)
{
	struct answer a;
	va_list ap;

	va_start(ap, fmt);
	a = tell(s, path, fmt, ap);
	va_end(ap);
	if (a.status != 200)
		fail_msg("stand-in: POST %s: %ld %s", path, a.status, a.body);
	return a;
}

void sim_tell(struct sim *s, const char *path, const char *fmt, ...)
{
	struct answer a;
	va_list ap;

	va_start(ap, fmt);
	a = tell(s, path, fmt, ap);
	va_end(ap);
	if (a.status != 200)
		fail_msg("stand-in: POST %s: %ld %s", path, a.status, a.body);
	answer_release(&a);
}

int64_t sim_place(struct sim *s, int expires_in)
{
	struct answer a = sim_do(s, "/orders",
				 "{\"warehouses\":[2,3,4],\"expires_in\":%d}",
				 expires_in);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	return number;
}

static struct answer ask(struct sim *s, const char *path)
{
	char url[256];

	snprintf(url, sizeof(url), "%s/control%s", s->url, path);
	return http_get(url, NULL);
}

static int64_t of_order(struct sim *s, int64_t number, const char *member)
{
	struct answer a = ask(s, "/state");
	int64_t ret = -1;
	const cJSON *o;

	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
		if (number_of(o, "number") == number)
			ret = number_of(o, member);
	answer_release(&a);
	return ret;
}

int64_t sim_winner(struct sim *s, int64_t number)
{
	return of_order(s, number, "winner");
}

int64_t sim_accepts(struct sim *s, int64_t number)
{
	return of_order(s, number, "accepts");
}

int sim_calls(struct sim *s, int64_t number, bool acted)
{
	char path[64];
	struct answer a;
	const cJSON *c;
	int n = 0;

	snprintf(path, sizeof(path), "/calls?order=%lld", (long long)number);
	a = ask(s, path);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
		n += !strcmp(text_of(c, "what"), "check-first") &&
		     (!acted ||
		      cJSON_IsTrue(cJSON_GetObjectItem(c, "acted")));
	answer_release(&a);
	return n;
}

int sim_spoilt(struct sim *s)
{
	struct answer a = ask(s, "/calls");
	const cJSON *c;
	int n = 0;

	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
		n += *text_of(c, "fault") != 0;
	answer_release(&a);
	return n;
}

static bool nothing_waits(void *arg)
{
	struct answer a = ask(arg, "/hooks");
	bool none = number_of(a.json, "waiting") == 0;

	answer_release(&a);
	return none;
}

void sim_quiet(struct sim *s)
{
	if (!wait_until(nothing_waits, s, 20000))
		fail_msg("the stand-in's webhooks do not get through");
}
