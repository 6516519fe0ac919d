/* SPDX-License-Identifier: MIT
 *
 * bench_latency.c - how long everybody waits at 1,000 webhooks a second.
 *
 *	BUILD=build build/tests/bench/bench_latency [SECONDS [ROUNDS [RATE
 *						     [SCREENS]]]]
 *
 * An open loop (arrivals.h): the webhooks of SHOPS shops come by chance, RATE a
 * second, and their time counts from the moment they were due.  Of eight, four
 * are creates that offer a new order to two shops, two say that the first of
 * these shops has accepted such an order, and two that such an order was
 * updated.  One in a hundred is a create of another instance, whose Centra is
 * the stand-in, and a device of the shop accepts that offer.  Meanwhile SCREENS
 * screens of all shops are connected.
 *
 * Measured, in each round, first alone and then "beside": a scrape of /metrics
 * each second, and a device that asks for /report again and again.
 *
 *	ack		   the webhook was due -> its 200 was read
 *	ack to applied	   its 200 was read -> a device has read the order
 *			   (GET /orders/N, again until it is there; of some)
 *	ack to screen	   its 200 was read -> each screen of its shops has read
 *			   the order's event; of all creates and accepts
 *	accept to Centra   a device sent the accept -> the stand-in was called
 *	accept to answer   ... -> the device has read 200 and `accepted`
 *	disk		   one page written and synced beside all this, 50 a
 *			   second: what the disk itself takes
 *
 * The bounds hold for the medians over the rounds, alone and beside.  "Beside"
 * must not move them: each p99 is at most MOVED times that alone, or within
 * its bound's tenth.
 *
 * Exit 1 if a bound is broken, unless $BENCH_ROWS is set: then the report
 * judges.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/arrivals.h"
#include "tests/bench/client.h"
#include "tests/bench/cpu.h"
#include "tests/bench/rows.h"
#include "tests/bench/screens.h"
#include "tests/bench/server.h"
#include "tests/bench/standin.h"

#define SHOPS	     20
#define FIRST	     100 /* the shops' warehouses: FIRST, ... */
#define REAL_SHOPS   3	 /* of the stand-in: warehouses 2, 3, 4 */
#define REAL_FROM    100000000 /* numbers of their orders */
#define DEVICES	     (SHOPS + REAL_SHOPS)
#define ACCEPT_EVERY 100 /* webhooks */
#define APPLIED_EVERY 25 /* creates, of which one is read back */
#define ANSWERED_AFTER 3.0 /* s, from a create to the news of its order */
#define DISK_EVERY   0.02  /* s */
#define WARM	     2.0   /* s, before anything is counted */
#define MOVED	     1.5
#define ROUNDS_MAX   16

enum measure { ACK, APPLIED, SCREEN, CALL, ANSWER, DISK, LATE, MEASURES };

static const struct {
	const char *name;
	double p99, worst; /* ms; 0: no bound */
} bounds[MEASURES] = {
	[ACK] = {"ack", 5, 250},
	[APPLIED] = {"ack to applied", 10, 0},
	[SCREEN] = {"ack to screen", 300, 0},
	[CALL] = {"accept to Centra", 0, 0},
	[ANSWER] = {"accept to answer", 0, 0},
	[DISK] = {"the disk: a page and a sync", 0, 0},
	[LATE] = {"lateness of the driver", 0, 0},
};

/* What a webhook was. */
enum what { CREATE, ACCEPTED, UPDATED, REAL };

struct hook {
	enum what what;
	int64_t number;
	double acked;
};

struct bench {
	struct server server;
	struct standin centra;
	char tokens[DEVICES][64];
	double rate, seconds;
	int screens;
	int64_t next_order, next_real; /* the number of the next create */
	int64_t placed; /* the stand-in has the orders below */

	/* Of the present run. */
	struct hook *hooks;
	size_t n_hooks, cap_hooks;
	double begun;
	struct samples got[MEASURES];
	atomic_bool stop;
	atomic_size_t acked_create; /* of those that are read back */
	int applied_fd, real_fd;    /* eventfds: one of these was acked */
	_Atomic int64_t applied_number, real_number;
	_Atomic double applied_at;
	unsigned long creates, refused, unseen;
	unsigned long lost; /* webhooks and events that did not come, ever */
	double cpu_us; /* of the server, for a webhook */
	atomic_ulong reports, scrapes;
};

static double ms_since(double t)
{
	return (bench_now() - t) * 1000;
}

/* ---- webhooks ---- */

static const char *local(char ret[40], double ago)
{
	struct timespec t;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec -= (time_t)ago;
	gmtime_r(&t.tv_sec, &tm);
	strftime(ret, 24, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(ret + 19, 21, ".%06ld", t.tv_nsec / 1000);
	return ret;
}

static int64_t shop_of(int64_t number)
{
	return FIRST + number % SHOPS;
}

/* The other shop that the order is offered to. */
static int64_t other_of(int64_t number)
{
	return FIRST + (number + 7) % SHOPS;
}

static size_t make_hook(void *arg, size_t n, char out[HOOK_SIZE])
{
	struct bench *b = arg;
	char date[40], json[HOOK_JSON];
	/* What is told of was created so many webhooks ago. */
	size_t back = (size_t)(b->rate * ANSWERED_AFTER) / 8 * 8;
	struct hook h = {.what = n % 8 < 4 ? CREATE :
				 n % 8 < 6 ? ACCEPTED :
					     UPDATED};

	if (n % ACCEPT_EVERY == ACCEPT_EVERY - 1)
		h.what = REAL;
	if (h.what == ACCEPTED || h.what == UPDATED) {
		/* Those of places 0 and 1 are accepted (4, 5) and updated. */
		size_t of = n - n % 8 - back + n % 2;

		h.number = n > back + 8 ? b->hooks[of].number : 1;
	} else {
		h.number = h.what == REAL ? b->next_real++ : b->next_order++;
	}
	local(date, 0);
	if (h.what == CREATE || h.what == REAL)
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"create\",\"date\":\"%s\",\"id\":%lld,"
			 "\"data\":{\"warehouses\":["
			 "{\"warehouseId\":%lld,\"expirationAt\":"
			 "\"2036-01-12T16:21:00+01:00\"}"
			 ",{\"warehouseId\":%lld,\"expirationAt\":"
			 "\"2036-01-12T16:21:00+01:00\"}]}}]}",
			 date, (long long)h.number,
			 h.what == REAL ? 2 + h.number % REAL_SHOPS :
					  (long long)shop_of(h.number),
			 h.what == REAL ? 9LL : (long long)other_of(h.number));
	else if (h.what == ACCEPTED)
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"accepted\",\"date\":\"%s\",\"id\":%lld,"
			 "\"data\":{\"warehouseId\":%lld}}]}",
			 date, (long long)h.number,
			 (long long)shop_of(h.number));
	else
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"order\",\"action\":\"update\","
			 "\"date\":\"%s\",\"id\":%lld}]}",
			 date, (long long)h.number);
	if (b->n_hooks == b->cap_hooks) {
		b->cap_hooks = b->cap_hooks ? 2 * b->cap_hooks : 65536;
		b->hooks = realloc(b->hooks, b->cap_hooks * sizeof(*b->hooks));
		if (b->hooks == NULL)
			abort();
	}
	b->hooks[b->n_hooks++] = h;
	return h.what == REAL ?
		       hook_request(out, "real", STANDIN_SECRET, json, false) :
		       hook_request(out, "se", BENCH_SECRET, json, false);
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void on_ack(void *arg, size_t n, double at)
{
	struct bench *b = arg;
	struct hook *h = &b->hooks[n];

	h->acked = at;
	if (h->what == REAL) {
		b->real_number = h->number;
		signal_fd(b->real_fd);
	} else if (h->what == CREATE && b->creates++ % APPLIED_EVERY == 0) {
		b->applied_number = h->number;
		b->applied_at = at;
		signal_fd(b->applied_fd);
	}
}

/* ---- who else is at work ---- */

/* Waits for the event.  False: the run is over. */
static bool wait_fd(struct bench *b, int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) && !b->stop;
}

/* Reads back an order that was just acknowledged. */
static void *read_back(void *arg)
{
	struct bench *b = arg;
	struct client c;

	client_init(&c, b->server.port);
	while (wait_fd(b, b->applied_fd)) {
		int64_t number = b->applied_number;
		double acked = b->applied_at;
		const char *body;
		char path[80];
		bool there;

		snprintf(path, sizeof(path), "/api/v1/orders/%lld",
			 (long long)number);
		do {
			there = client_ask(&c, "GET", path,
					   b->tokens[number % SHOPS], NULL,
					   &body) == 200 &&
				strstr(body, "\"state\":\"pending\"") != NULL;
		} while (!there && !b->stop && ms_since(acked) < 5000);
		if (acked > b->begun + WARM)
			samples_add(&b->got[APPLIED],
				    there ? ms_since(acked) : 5000);
	}
	client_close(&c);
	return NULL;
}

/* Returns when the stand-in was asked about the order; 0: not at all. */
static double called_at(struct client *centra, int64_t number)
{
	const char *body, *at;
	char path[80];

	snprintf(path, sizeof(path), "/control/calls?order=%lld",
		 (long long)number);
	if (client_ask(centra, "GET", path, NULL, NULL, &body) != 200)
		return 0;
	body = strstr(body, "\"what\":\"check-first\"");
	at = body ? strstr(body, "\"at_ms\":") : NULL;
	return at ? strtod(at + 8, NULL) / 1000 : 0;
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The shop's devices accept what the stand-in offers. */
static void *accept_offers(void *arg)
{
	struct bench *b = arg;
	struct client shop, centra;

	client_init(&shop, b->server.port);
	client_init(&centra, b->centra.port);
	while (wait_fd(b, b->real_fd)) {
		int64_t number = b->real_number;
		double sent = bench_now(), sent_wall = wall(), called;
		const char *body;
		bool won;
		char path[80];

		snprintf(path, sizeof(path), "/api/v1/orders/%lld/accept",
			 (long long)number);
		won = client_ask(&shop, "POST", path,
				 b->tokens[SHOPS + number % REAL_SHOPS], "{}",
				 &body) == 200 &&
		      strstr(body, "\"state\":\"accepted\"") != NULL;
		if (!won)
			fprintf(stderr, "bench: order %lld: %.200s\n",
				(long long)number, body);
		if (sent < b->begun + WARM)
			continue;
		samples_add(&b->got[ANSWER], won ? ms_since(sent) : 10000);
		called = called_at(&centra, number);
		/* Its clock is in whole ms. */
		if (called > 0)
			samples_add(&b->got[CALL],
				    called < sent_wall ? 0 :
					(called - sent_wall) * 1000);
	}
	client_close(&shop);
	client_close(&centra);
	return NULL;
}

/* The disk by itself: one page and a sync. */
static void *probe_disk(void *arg)
{
	struct bench *b = arg;
	char path[600], page[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/probe", b->server.dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	memset(page, 1, sizeof(page));
	for (off_t i = 0; fd >= 0 && !b->stop; i = (i + 1) % 256) {
		double t = bench_now(), took;

		if (pwrite(fd, page, sizeof(page), i * 4096) != sizeof(page) ||
		    fdatasync(fd) != 0)
			break;
		took = ms_since(t);
		if (t > b->begun + WARM)
			samples_add(&b->got[DISK], took);
		usleep((useconds_t)(DISK_EVERY * 1e6));
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void *ask_reports(void *arg)
{
	struct bench *b = arg;
	struct client c;

	client_init(&c, b->server.port);
	while (!b->stop)
		b->reports += client_ask(&c, "GET", "/api/v1/report",
					 b->tokens[0], NULL, NULL) == 200;
	client_close(&c);
	return NULL;
}

static void *scrape(void *arg)
{
	struct bench *b = arg;
	struct client c;
	double next = bench_now();

	client_init(&c, b->server.admin_port);
	while (!b->stop) {
		if (bench_now() >= next) {
			next += 1;
			b->scrapes += client_ask(&c, "GET", "/metrics", NULL,
						 NULL, NULL) == 200;
		}
		usleep(20000);
	}
	client_close(&c);
	return NULL;
}

/* ---- what came of it ---- */

/* Where an order's webhook of this kind stands; NULL: it was not counted. */
struct by_number {
	int64_t first;
	size_t n;
	uint32_t *at; /* owned: 1 + its place in hooks; 0: none */
};

static void index_hooks(const struct bench *b, int64_t first, enum what what,
			struct by_number *ret)
{
	*ret = (struct by_number){.first = first,
				  .n = (size_t)(b->next_order - first)};
	ret->at = calloc(ret->n + 1, sizeof(*ret->at));
	if (ret->at == NULL)
		abort();
	for (size_t i = 0; i < b->n_hooks; i++) {
		const struct hook *h = &b->hooks[i];

		if (h->what == what && h->number >= first && h->acked > 0 &&
		    h->acked > b->begun + WARM)
			ret->at[h->number - first] = (uint32_t)i + 1;
	}
}

static const struct hook *find(const struct bench *b, const struct by_number *x,
			       int64_t number)
{
	if (number < x->first || (size_t)(number - x->first) >= x->n ||
	    x->at[number - x->first] == 0)
		return NULL;
	return &b->hooks[x->at[number - x->first] - 1];
}

/* How many screens a shop has: that with the i-th token. */
static unsigned long screens_of(const struct bench *b, int64_t i)
{
	return i < b->screens ?
		       (unsigned long)((b->screens - 1 - i) / DEVICES + 1) :
		       0;
}

static unsigned long expected(const struct bench *b, const struct by_number *x)
{
	unsigned long n = 0;

	for (size_t i = 0; i < x->n; i++) {
		int64_t number = x->first + (int64_t)i;

		if (x->at[i] != 0)
			n += screens_of(b, shop_of(number) - FIRST) +
			     screens_of(b, other_of(number) - FIRST);
	}
	return n;
}

/* Notes that a screen was sent an event of this webhook.  False: it had one
 * before, as an order's later news repeat its state. */
static bool is_first(unsigned char *bits, size_t hook, int screens, int screen)
{
	size_t at = hook * (size_t)screens + (size_t)screen;
	unsigned char bit = (unsigned char)(1u << at % 8);

	if (bits[at / 8] & bit)
		return false;
	bits[at / 8] |= bit;
	return true;
}

/* Counts each screen's first event of a create (`pending`) and of an accept
 * (`accepted`, and `taken` at the other shop), and those that never came. */
static void count_screens(struct bench *b, int64_t first,
			  const struct seen *seen, size_t n)
{
	unsigned char *bits = calloc(
		b->n_hooks * (size_t)b->screens / 8 + 1, 1);
	struct by_number created, accepted;
	unsigned long came = 0, due;

	if (bits == NULL)
		abort();
	index_hooks(b, first, CREATE, &created);
	index_hooks(b, first, ACCEPTED, &accepted);
	due = expected(b, &created) + expected(b, &accepted);
	for (size_t i = 0; i < n; i++) {
		const struct seen *s = &seen[i];
		const struct hook *h = find(
			b, s->state == 'p' ? &created : &accepted, s->number);
		double ms;

		if (h == NULL || !is_first(bits, (size_t)(h - b->hooks),
					   b->screens, s->screen))
			continue;
		/* The screen may have it before the ack is read. */
		ms = (s->at - h->acked) * 1000;
		samples_add(&b->got[SCREEN], ms > 0 ? ms : 0);
		came++;
	}
	b->unseen = due > came ? due - came : 0;
	free(created.at);
	free(accepted.at);
	free(bits);
}

static void count_acks(struct bench *b, const struct arrival *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct arrival *a = &list[i];

		if (a->due < b->begun + WARM)
			continue;
		samples_add(&b->got[LATE], (a->sent - a->due) * 1000);
		if (a->acked > 0)
			samples_add(&b->got[ACK], (a->acked - a->due) * 1000);
		else
			b->refused++;
	}
}

/* ---- one run ---- */

/* Centra has the orders that the devices will accept. */
static int place_real(struct bench *b)
{
	int64_t until = b->next_real + 16 +
			(int64_t)(1.2 * b->rate * (b->seconds + WARM)) /
				ACCEPT_EVERY;
	struct client centra;
	char json[256];
	int rc = 0;

	client_init(&centra, b->centra.port);
	for (; rc == 0 && b->placed < until; b->placed++) {
		snprintf(json, sizeof(json),
			 "{\"number\":%lld,\"warehouses\":[%lld],"
			 "\"expires_in\":3600,\"webhook\":false}",
			 (long long)b->placed,
			 2 + (long long)b->placed % REAL_SHOPS);
		rc = client_ask(&centra, "POST", "/control/orders", NULL, json,
				NULL) == 200 ? 0 : -1;
	}
	if (rc != 0)
		fprintf(stderr, "bench: the stand-in takes no orders\n");
	client_close(&centra);
	return rc;
}

static int run(struct bench *b, bool beside)
{
	static void *(*const all[])(void *) = {read_back, accept_offers,
					       probe_disk, scrape, ask_reports};
	size_t n_threads = beside ? 5 : 3, n = 0, n_seen, closed = 0, resyncs = 0;
	pthread_t threads[5];
	struct arrivals a = {.port = b->server.port,
			     .per_second = b->rate,
			     .seconds = b->seconds + WARM,
			     .make = make_hook,
			     .acked = on_ack,
			     .arg = b};
	int64_t first = b->next_order;
	struct screens *screens;
	const struct seen *seen;
	struct arrival *list = NULL;
	double cpu;
	int rc;

	for (int i = 0; i < MEASURES; i++)
		samples_free(&b->got[i]);
	b->n_hooks = 0;
	b->creates = b->refused = 0;
	b->reports = 0;
	b->scrapes = 0;
	b->stop = false;
	if (place_real(b) != 0)
		return -1;
	screens = screens_open(b->server.port, b->tokens, DEVICES, b->screens);
	if (screens == NULL)
		return -1;
	sync(); /* what others have left to be written is not our load */
	b->applied_fd = eventfd(0, EFD_CLOEXEC);
	b->real_fd = eventfd(0, EFD_CLOEXEC);
	b->begun = bench_now();
	for (size_t i = 0; i < n_threads; i++)
		if (pthread_create(&threads[i], NULL, all[i], b) != 0)
			abort();
	cpu = cpu_of(b->server.pid);
	rc = arrivals_run(&a, &list, &n);
	cpu = cpu_of(b->server.pid) - cpu;
	usleep(500 * 1000); /* the last events reach the screens */
	b->stop = true;
	signal_fd(b->applied_fd);
	signal_fd(b->real_fd);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	close(b->applied_fd);
	close(b->real_fd);
	n_seen = screens_stop(screens, &seen);
	screens_trouble(screens, &closed, &resyncs);
	count_acks(b, list, n);
	count_screens(b, first, seen, n_seen);
	b->lost += b->refused + b->unseen;
	b->cpu_us = n ? cpu / (double)n * 1e6 : 0;
	printf("  %zu webhooks, %lu not answered 200; server %.0f us of CPU a "
	       "webhook; %zu events on %d screens, %lu did not come, %zu "
	       "screens closed, %zu told to read their lists again; %lu "
	       "reports, %lu scrapes\n",
	       n, b->refused, b->cpu_us, n_seen,
	       b->screens, b->unseen, closed, resyncs,
	       (unsigned long)b->reports, (unsigned long)b->scrapes);
	screens_free(screens);
	free(list);
	return rc;
}

/* ---- the whole ---- */

struct figures {
	double p50[ROUNDS_MAX], p99[ROUNDS_MAX], worst[ROUNDS_MAX];
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *list, int n)
{
	double copy[ROUNDS_MAX];

	memcpy(copy, list, (size_t)n * sizeof(*list));
	qsort(copy, (size_t)n, sizeof(*copy), ascending);
	return copy[n / 2];
}

static const char *const when[2] = {"alone", "beside /report and /metrics"};

static void hand_in(const struct bench *b, const char *name, int beside,
		    const char *percentile, double ms)
{
	char words[160];

	snprintf(words, sizeof(words), "open loop %.0f/s, %d screens, %s: %s, %s",
		 b->rate, b->screens, when[beside], name, percentile);
	row(SHIPFROM, words, "ms", ms);
}

static void note(struct bench *b, struct figures *f, int round, int beside)
{
	char words[160];

	snprintf(words, sizeof(words),
		 "open loop %.0f/s, %d screens, %s: CPU per webhook", b->rate,
		 b->screens, when[beside]);
	row(SHIPFROM, words, "us", b->cpu_us);
	for (int m = 0; m < MEASURES; m++) {
		struct samples *s = &b->got[m];

		f[m].p50[round] = samples_at(s, 50);
		f[m].p99[round] = samples_at(s, 99);
		f[m].worst[round] = samples_at(s, 100);
		hand_in(b, bounds[m].name, beside, "p50", f[m].p50[round]);
		hand_in(b, bounds[m].name, beside, "p99", f[m].p99[round]);
		hand_in(b, bounds[m].name, beside, "worst", f[m].worst[round]);
		printf("    %-28s p50 %8.2f   p99 %8.2f   worst %8.2f ms   "
		       "(%zu)\n",
		       bounds[m].name, f[m].p50[round], f[m].p99[round],
		       f[m].worst[round], s->n);
	}
	fflush(stdout);
}

/* `disk`: what the disk took by itself, at the same percentile. */
static bool within(const char *name, const char *what, double value,
		   double bound, double disk)
{
	if (bound <= 0)
		return true;
	printf("%s, %s: %.2f ms, under %.0f ms: %s\n", name, what, value, bound,
	       value < bound ? "kept" :
	       value - disk < bound ? "NOT kept, as the disk itself was slow" :
				      "NOT kept");
	return value < bound;
}

/* Judges the medians of the rounds. */
static bool judge(struct figures f[2][MEASURES], int rounds)
{
	bool good = true;

	for (int m = 0; m < MEASURES; m++) {
		double p99[2];

		for (int k = 0; k < 2; k++) {
			char name[128];

			p99[k] = median(f[k][m].p99, rounds);
			snprintf(name, sizeof(name), "%s %s", bounds[m].name,
				 when[k]);
			good &= within(name, "p99", p99[k], bounds[m].p99,
				       median(f[k][DISK].p99, rounds));
			good &= within(name, "worst",
				       median(f[k][m].worst, rounds),
				       bounds[m].worst,
				       median(f[k][DISK].worst, rounds));
		}
		if (bounds[m].p99 > 0 && p99[1] > MOVED * p99[0] &&
		    p99[1] > p99[0] + bounds[m].p99 / 10) {
			printf("%s: moved from %.2f to %.2f ms: NOT kept\n",
			       bounds[m].name, p99[0], p99[1]);
			good = false;
		}
	}
	return good;
}

/* The sections that server_start_with() does not write. */
static const char *sections(const struct bench *b)
{
	static char text[8192];
	size_t n = (size_t)snprintf(
		text, sizeof(text),
		"device_presses = 10000\n"
		"[centra real]\nwebhook_secret = " STANDIN_SECRET "\n"
		"order_api_url = http://127.0.0.1:%d/api/order-api\n"
		"order_api_key = order-api-key\n"
		"graphql_url = http://127.0.0.1:%d/graphql\n"
		"graphql_token = graphql-token\n",
		b->centra.port, b->centra.port);

	for (int i = 0; i < SHOPS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "[shop s%d]\ncentra = se\nname = %d\n"
				      "warehouses = %d\n", i, i, FIRST + i);
	for (int i = 0; i < REAL_SHOPS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "[shop r%d]\ncentra = real\nname = r%d\n"
				      "warehouses = %d\n", i, i, 2 + i);
	return text;
}

static int start(struct bench *b, const char *build)
{
	char binary[1024], parent[1024], shop[16];

	snprintf(binary, sizeof(binary), "%s/shipfrom", build);
	snprintf(parent, sizeof(parent), "%s/bench-data", build);
	if (standin_start(&b->centra, build) != 0 ||
	    server_start_with(&b->server, binary, parent, sections(b)) != 0)
		return -1;
	for (int i = 0; i < DEVICES; i++) {
		snprintf(shop, sizeof(shop), i < SHOPS ? "s%d" : "r%d",
			 i < SHOPS ? i : i - SHOPS);
		if (server_device(&b->server, binary, shop, b->tokens[i]) != 0) {
			fprintf(stderr, "bench: no device for %s\n", shop);
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b = {.server.out = -1, .centra.out = -1};
	static struct figures f[2][MEASURES];
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
	struct rlimit files = {8192, 8192};
	bool good = false;
	int rc;

	b.seconds = argc > 1 ? strtod(argv[1], NULL) : 60;
	b.rate = argc > 3 ? strtod(argv[3], NULL) : 1000;
	b.screens = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 200;
	if (b.seconds <= 0 || rounds < 1 || rounds > ROUNDS_MAX || b.rate <= 0 ||
	    b.screens < 0) {
		fprintf(stderr, "bench: SECONDS, ROUNDS (at most %d), RATE, "
				"SCREENS\n", ROUNDS_MAX);
		return 64;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);
	b.next_order = 1000;
	b.next_real = b.placed = REAL_FROM;
	rc = start(&b, build);
	for (int r = 0; rc == 0 && r < rounds; r++)
		for (int k = 0; rc == 0 && k < 2; k++) {
			printf("round %d, %s: %.0f webhooks/s for %.0f s\n",
			       r + 1, k ? "beside /report and /metrics" : "alone",
			       b.rate, b.seconds);
			rc = run(&b, k);
			if (rc == 0)
				note(&b, f[k], r, k);
		}
	if (rc == 0)
		good = judge(f, rounds) & (b.lost == 0);
	server_stop(&b.server);
	standin_stop(&b.centra);
	return rc != 0 || (!good && getenv("BENCH_ROWS") == NULL);
}
