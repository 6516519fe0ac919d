/* SPDX-License-Identifier: MIT
 *
 * test_bench.c - what the benchmark's figures rest on: the arithmetic of its
 * report, and a driver that counts only right replies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/cpu.h"
#include "tests/bench/figures.h"
#include "tests/bench/load.h"
#include "tests/bench/plot.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n"
#define BODY "{\"events\":1,\"new\":1,\"duplicates\":0,\"quarantined\":0}"

/* ---- arithmetic ---- */

static void the_median_is_the_value_in_the_middle(void **state)
{
	const double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, one[] = {7};
	struct spread s = spread_of(odd, 3);

	(void)state;
	assert_true(s.least == 1 && s.median == 5 && s.most == 9);
	s = spread_of(even, 4);
	assert_true(s.least == 1 && s.median == 2.5 && s.most == 4);
	s = spread_of(one, 1);
	assert_true(s.least == 7 && s.median == 7 && s.most == 7);
}

static void a_ratio_is_of_the_same_round(void **state)
{
	const struct series a = {.values = {10, 30, 20}, .n = 3};
	const struct series b = {.values = {10, 10, 20, 1}, .n = 4};
	struct spread s;

	(void)state;
	/* 1, 3, 1: the ratio of the medians would be 2. */
	assert_true(ratio_of(&a, &b, &s));
	assert_true(s.least == 1 && s.median == 1 && s.most == 3);
}

static void there_is_no_ratio_to_zero_or_to_nothing(void **state)
{
	const struct series a = {.values = {10, 30}, .n = 2};
	const struct series zero = {.values = {10, 0}, .n = 2};
	const struct series none = {.n = 0};
	struct spread s;

	(void)state;
	assert_false(ratio_of(&a, &zero, &s));
	assert_false(ratio_of(&a, &none, &s));
}

/* ---- rows ---- */

static size_t read_text(struct figures *ret, const char *text)
{
	FILE *f = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
	size_t line = figures_read(ret, f);

	fclose(f);
	return line;
}

static void rows_are_rounds_of_their_contender_and_measure(void **state)
{
	const struct series *s;
	struct figures f;

	(void)state;
	assert_int_equal(read_text(&f, "a\tstored\t/s\t10\n"
				       "b\tstored\t/s\t20\n"
				       "a\tstored\t/s\t1.5e1\n"
				       "a\tp99\tms\t0.5\n"), 0);
	assert_int_equal(f.n, 3);
	s = figures_find(&f, "a", "stored");
	assert_non_null(s);
	assert_int_equal(s->n, 2);
	assert_true(s->values[0] == 10 && s->values[1] == 15);
	assert_string_equal(s->unit, "/s");
	assert_null(figures_find(&f, "b", "p99"));
	figures_free(&f);
}

static void a_line_that_is_no_row_is_named(void **state)
{
	static const char *const bad[] = {
		"a\tstored\t/s\n",		/* no value */
		"a\tstored\t/s\t\n",		/* an empty one */
		"a\tstored\t/s\tten\n",
		"a\tstored\t/s\t10\tmore\n",
		"a\tstored\tms\t10\n",		/* another unit than before */
		"a\tstored\t/s\t10",		/* cut */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct figures f;
		char text[100];

		snprintf(text, sizeof(text), "a\tstored\t/s\t10\n%s", bad[i]);
		assert_int_equal(read_text(&f, text), 2);
		figures_free(&f);
	}
}

/* ---- promises ---- */

static enum verdict judge(const struct promise *p)
{
	struct figures f;
	struct spread s;
	enum verdict v;

	assert_int_equal(read_text(&f, "a\tstored\t/s\t20\na\tstored\t/s\t40\n"
				       "a\tstored\t/s\t60\nb\tstored\t/s\t10\n"
				       "b\tstored\t/s\t20\nb\tstored\t/s\t10\n"),
			 0);
	v = promise_judge(p, &f, &s);
	figures_free(&f);
	return v;
}

static void a_promise_is_kept_at_its_bound_and_not_beyond(void **state)
{
	struct promise p = {"", "a", "stored", "b", "stored", AT_LEAST, 2};

	(void)state;
	assert_int_equal(judge(&p), KEPT); /* 2, 2, 6 */
	p.bound = 2.01;
	assert_int_equal(judge(&p), NOT_KEPT);
	p.is = AT_MOST;
	assert_int_equal(judge(&p), KEPT);
	p.bound = 1.99;
	assert_int_equal(judge(&p), NOT_KEPT);
	p = (struct promise){"", "a", "stored", NULL, NULL, AT_MOST, 40};
	assert_int_equal(judge(&p), KEPT);
	p.bound = 39;
	assert_int_equal(judge(&p), NOT_KEPT);
}

static void what_was_not_measured_is_not_kept(void **state)
{
	struct promise p = {"", "c", "stored", "b", "stored", AT_LEAST, 0};

	(void)state;
	assert_int_equal(judge(&p), NOT_MEASURED);
	p = (struct promise){"", "a", "stored", "c", "stored", AT_LEAST, 0};
	assert_int_equal(judge(&p), NOT_MEASURED);
}

/* ---- the driver ---- */

static void only_the_whole_reply_is_right(void **state)
{
	static const char *const wrong[] = {
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 51\r\n"
		"\r\n" BODY,
		HEAD "{\"events\":1,\"new\":0,\"duplicates\":1,\"quarantined\":0}",
		HEAD "{\"events\":1,\"new\":0,\"duplicates\":0,\"quarantined\":1}",
		HEAD " " BODY,
		HEAD BODY " ",
		HEAD,
		"",
	};

	(void)state;
	assert_true(reply_is_right(HEAD BODY, strlen(HEAD BODY)));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(reply_is_right(wrong[i], strlen(wrong[i])));
}

/* Replies to each of `n` requests of a connection with the same bytes. */
struct replier {
	int listener, port;
	const char *reply;
	const struct requests *requests;
	bool as_sent; /* out: what came is what was made, in its order */
	pthread_t thread;
};

static void *reply_to_all(void *arg)
{
	struct replier *r = arg;
	const struct requests *q = r->requests;
	int fd = accept(r->listener, NULL, NULL);
	char got[4096];

	r->as_sent = true;
	for (size_t i = 0; i < q->n; i++) {
		ssize_t n = recv(fd, got, q->size, MSG_WAITALL);

		r->as_sent &= n == (ssize_t)q->size &&
			      !memcmp(got, q->bytes + i * q->size, q->size);
		(void)!send(fd, r->reply, strlen(r->reply), MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void replier_start(struct replier *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	r->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(r->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(r->listener, 1), 0);
	assert_int_equal(
		getsockname(r->listener, (struct sockaddr *)&a, &len), 0);
	r->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&r->thread, NULL, reply_to_all, r), 0);
}

static void drive(const char *reply, struct load_result *ret)
{
	struct requests q = {0};
	struct replier r = {.reply = reply, .requests = &q};
	struct load l = {.connections = 1, .seconds = 60, .requests = &q};

	assert_int_equal(requests_make(&q, LOAD_OFFER, 1000, 20), 0);
	replier_start(&r);
	l.port = r.port;
	assert_int_equal(load_run(&l, ret), 0);
	pthread_join(r.thread, NULL);
	close(r.listener);
	requests_free(&q);
	assert_true(r.as_sent);
}

static void each_right_reply_is_counted(void **state)
{
	struct load_result r;

	(void)state;
	drive(HEAD BODY, &r);
	assert_int_equal(r.sent, 20);
	assert_int_equal(r.stored, 20);
	assert_int_equal(r.refused, 0);
	assert_true(r.per_second > 0);
}

static void a_wrong_reply_is_counted_as_refused(void **state)
{
	struct load_result r;

	(void)state;
	drive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", &r);
	assert_int_equal(r.sent, 20);
	assert_int_equal(r.stored, 0);
	assert_int_equal(r.refused, 20);
}

static void requests_are_of_one_size_or_none_is_made(void **state)
{
	struct requests q = {0};

	(void)state;
	assert_int_equal(requests_make(&q, LOAD_KEPT, 998, 2), 0);
	assert_int_equal(requests_make(&q, LOAD_KEPT, 998, 3), -1);
	assert_null(q.bytes);
}

static void burn(double seconds)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < seconds);
}

static void the_time_of_a_server_has_its_childrens(void **state)
{
	double before = cpu_of(getpid());
	int pipes[2];
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		burn(0.2);
		(void)!write(pipes[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_true(cpu_of(child) >= 0.15);
	assert_true(cpu_of(getpid()) - before >= 0.15);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- pictures ---- */

static char *drawn(const struct figures *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	plot(out, f, "/s", "A title");
	fclose(out);
	return text;
}

static void a_picture_compares_contenders(void **state)
{
	struct series all[] = {
		{"a", "both", "/s", {2000.6}, 1},
		{"b", "both", "/s", {999}, 1},
		{"a", "one alone", "/s", {5}, 1},
		{"b", "another unit", "us", {5}, 1},
		{"a", "another unit", "us", {5}, 1},
	};
	char *text = drawn(&(struct figures){all, 5});

	(void)state;
	assert_non_null(strstr(text, ">both<"));
	assert_null(strstr(text, "one alone"));
	assert_null(strstr(text, "another unit"));
	free(text);
}

static void a_number_in_a_picture_is_that_of_the_report(void **state)
{
	struct series all[] = {
		{"a", "both", "/s", {2000.6}, 1},
		{"b", "both", "/s", {39123.7}, 1},
	};
	char *text = drawn(&(struct figures){all, 2});

	(void)state;
	assert_non_null(strstr(text, ">2,001<"));
	assert_non_null(strstr(text, ">39,124<"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_median_is_the_value_in_the_middle),
		cmocka_unit_test(a_ratio_is_of_the_same_round),
		cmocka_unit_test(there_is_no_ratio_to_zero_or_to_nothing),
		cmocka_unit_test(rows_are_rounds_of_their_contender_and_measure),
		cmocka_unit_test(a_line_that_is_no_row_is_named),
		cmocka_unit_test(a_promise_is_kept_at_its_bound_and_not_beyond),
		cmocka_unit_test(what_was_not_measured_is_not_kept),
		cmocka_unit_test(only_the_whole_reply_is_right),
		cmocka_unit_test(each_right_reply_is_counted),
		cmocka_unit_test(a_wrong_reply_is_counted_as_refused),
		cmocka_unit_test(requests_are_of_one_size_or_none_is_made),
		cmocka_unit_test(the_time_of_a_server_has_its_childrens),
		cmocka_unit_test(a_picture_compares_contenders),
		cmocka_unit_test(a_number_in_a_picture_is_that_of_the_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
