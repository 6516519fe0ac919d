/* SPDX-License-Identifier: MIT */
#include "tests/harness/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

void given_ports(int *ret_first, int *ret_last)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	if (!f || fscanf(f, "%d %d", ret_first, ret_last) != 2) {
		*ret_first = 32768;
		*ret_last = 60999;
	}
	if (f)
		fclose(f);
}

/* Below the range if there is room, else above it. */
static int any_port(void)
{
	int first, last, from = 10000, to;
	unsigned random;

	given_ports(&first, &last);
	to = first - 1;
	if (to - from < 1000) {
		from = last + 1;
		to = 65535;
	}
	assert_true(to > from);
	assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
	return from + (int)(random % (unsigned)(to - from));
}

static bool is_free(const char *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at;
	bool ret;

	assert_true(fd >= 0);
	address_of(address, &at);
	ret = !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1);
	close(fd);
	return ret;
}

const char *free_address(char ret[ADDRESS_ROOM])
{
	int pid = (int)getpid();

	do {
		snprintf(ret, ADDRESS_ROOM, "127.%d.%d.1:%d", pid >> 8 & 0xff,
			 pid & 0xff, any_port());
	} while (!is_free(ret));
	return ret;
}

void address_of(const char *text, struct sockaddr_in *ret)
{
	const char *host = strstr(text, "://"), *port;
	char name[INET_ADDRSTRLEN];

	host = host ? host + 3 : text;
	port = strchr(host, ':');
	assert_non_null(port);
	snprintf(name, sizeof(name), "%.*s", (int)(port - host), host);
	*ret = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(port + 1, NULL, 10)),
	};
	assert_int_equal(inet_pton(AF_INET, name, &ret->sin_addr), 1);
}
