/* SPDX-License-Identifier: MIT
 *
 * SIGTERM: the balancer is told first, what was begun is finished, nothing is
 * lost, and the process ends with 0.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

static int setup(void **state)
{
	static const struct shipfrom_options o = {.server = "drain = 2s\n"};

	*state = shipfrom_start(&o);
	return 0;
}

static long status_of(struct shipfrom *s, const char *path)
{
	char url[256];
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s%s", s->url, path);
	a = http_get(url, NULL);
	status = a.status;
	answer_release(&a);
	return status;
}

static bool not_ready(void *arg)
{
	return status_of(arg, "/readyz") == 503;
}

static bool stopped_listening(void *arg)
{
	return status_of(arg, "/healthz") == 0;
}

/* A connection to the server, made by hand. */
static int dial(struct shipfrom *s)
{
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at;

	assert_true(fd >= 0);
	address_of(s->listen, &at);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void say(int fd, const char *text, size_t n)
{
	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void readyz_says_503_first_while_webhooks_are_still_taken(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	int status = -1;

	assert_int_equal(status_of(s, "/readyz"), 200);
	kill(s->process.pid, SIGTERM);
	assert_true(wait_until(not_ready, s, 1500));
	assert_int_equal(status_of(s, "/healthz"), 200);
	a = webhook_send(s->hook,
			 "{\"events\":[{\"type\":\"order\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.6\","
			 "\"id\":1}]}",
			 SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	assert_true(process_ended(&s->process, 10000, &status));
	assert_int_equal(status, 0);
	shipfrom_passed(s);
}

static void a_request_begun_before_the_sockets_close_is_answered(void **state)
{
	struct shipfrom *s = *state;
	char *body = webhook_body("{\"events\":[{\"type\":\"order\","
				  "\"action\":\"update\",\"date\":"
				  "\"2021-01-29 14:40:58.7\",\"id\":2}]}",
				  SPACE_PERCENT);
	char *header = webhook_header(SECRET, now_unix(), body);
	size_t len = strlen(body);
	char head[512], reply[1024] = "";
	int fd = dial(s), status = -1;
	ssize_t n;

	snprintf(head, sizeof(head),
		 "POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n%s\r\n"
		 "Content-Type: application/x-www-form-urlencoded\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 header, len);
	say(fd, head, strlen(head));
	say(fd, body, len / 2);
	kill(s->process.pid, SIGTERM);
	assert_true(wait_until(stopped_listening, s, 8000));
	say(fd, body + len / 2, len - len / 2);
	n = recv(fd, reply, sizeof(reply) - 1, 0);
	if (n <= 0 || strncmp(reply, "HTTP/1.1 200", 12))
		fail_msg("the half-sent webhook was answered %s",
			 n > 0 ? reply : "nothing");
	close(fd);
	assert_true(process_ended(&s->process, 10000, &status));
	assert_int_equal(status, 0);
	free(header);
	free(body);
	shipfrom_passed(s);
}

static void an_idle_connection_does_not_keep_it_from_ending(void **state)
{
	struct shipfrom *s = *state;
	int fd = dial(s), other = dial(s), status = -1;

	say(other, "POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n", 43);
	kill(s->process.pid, SIGTERM);
	assert_true(process_ended(&s->process, 20000, &status));
	assert_int_equal(status, 0);
	close(fd);
	close(other);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(readyz_says_503_first_while_webhooks_are_still_taken),
		T(a_request_begun_before_the_sockets_close_is_answered),
		T(an_idle_connection_does_not_keep_it_from_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
