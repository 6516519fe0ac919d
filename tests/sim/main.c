/* SPDX-License-Identifier: MIT
 *
 * centra-sim: a stand-in for Centra, written from centra/CONTRACT.md and
 * sharing no code with the product, so that it cannot repeat its mistakes.
 * README.md says how to steer it.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/graphql.h"
#include "tests/sim/hooks.h"
#include "tests/sim/http.h"
#include "tests/sim/order_api.h"
#include "tests/sim/world.h"

#define DEMO_EVERY 20 /* seconds between two orders of the demonstration */
#define DEMO_OPEN  8  /* orders that wait for an answer, at most */

struct options {
	const char *listen, *hook_url, *secret, *api_key, *token;
	bool demo, raw_space;
	int64_t offer_seconds;
	unsigned seed;
};

static atomic_bool stop;

/* The job that times offers out, and the customer of the demonstration. */
static void *once_a_second(void *arg)
{
	const struct options *o = arg;
	const char *why = NULL;

	for (unsigned second = 0; !stop; second++) {
		world_tick();
		if (o->demo && second % DEMO_EVERY == 0 &&
		    world_waiting_count() < DEMO_OPEN)
			world_place(NULL, &why);
		clock_sleep(1000);
	}
	return NULL;
}

static int usage(void)
{
	fputs("usage: centra-sim [--listen ADDRESS:PORT] --hook-url URL\n"
	      "  [--secret S] [--api-key K] [--token T] [--demo]\n"
	      "  [--space plus|percent] [--offer-seconds N] [--seed N]\n",
	      stderr);
	return 64;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"listen", 1, NULL, 'l'},  {"hook-url", 1, NULL, 'u'},
		{"secret", 1, NULL, 's'},  {"api-key", 1, NULL, 'k'},
		{"token", 1, NULL, 't'},   {"demo", 0, NULL, 'd'},
		{"space", 1, NULL, 'p'},   {"offer-seconds", 1, NULL, 'o'},
		{"seed", 1, NULL, 'r'},	   {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'l': o->listen = optarg; break;
		case 'u': o->hook_url = optarg; break;
		case 's': o->secret = optarg; break;
		case 'k': o->api_key = optarg; break;
		case 't': o->token = optarg; break;
		case 'd': o->demo = true; break;
		case 'p': o->raw_space = !strcmp(optarg, "percent"); break;
		case 'o': o->offer_seconds = strtoll(optarg, NULL, 10); break;
		case 'r': o->seed = (unsigned)strtoul(optarg, NULL, 10); break;
		default: return false;
		}
	}
	return o->hook_url && optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {.listen = "127.0.0.1:0",
			    .secret = "test123",
			    .api_key = "order-api-key",
			    .token = "graphql-token",
			    .offer_seconds = 600,
			    .seed = 1};
	pthread_t ticker;
	sigset_t end;
	unsigned port;
	int sig;

	if (!read_options(&o, argc, argv))
		return usage();
	setenv("TZ", "Europe/Stockholm", 1);
	tzset();
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	pthread_sigmask(SIG_BLOCK, &end, NULL);
	signal(SIGPIPE, SIG_IGN);

	faults_init(o.seed);
	hooks_start(o.hook_url, o.secret, o.raw_space, o.seed);
	world_init(o.seed, o.offer_seconds);
	order_api_start(o.api_key);
	graphql_start(o.token);
	port = http_start(o.listen);
	if (!port) {
		fprintf(stderr, "cannot listen on %s\n", o.listen);
		return 69;
	}
	printf("ready http://%.*s:%u\n",
	       (int)(strrchr(o.listen, ':') - o.listen), o.listen, port);
	fflush(stdout);
	if (pthread_create(&ticker, NULL, once_a_second, &o))
		abort();

	sigwait(&end, &sig);

	stop = true;
	clock_end();
	pthread_join(ticker, NULL);
	http_stop();
	hooks_stop();
	order_api_stop();
	graphql_stop();
	return 0;
}
