/* SPDX-License-Identifier: MIT
 *
 * What the tests themselves stand on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "tests/harness/address.h"
#include "tests/harness/shipfrom.h"

static void is_given_to_nobody(const char *url)
{
	struct sockaddr_in at;
	int port, first, last;

	address_of(url, &at);
	port = ntohs(at.sin_port);
	given_ports(&first, &last);
	if (port >= first && port <= last)
		fail_msg("%s: the system may give this port to another", url);
	if (at.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		fail_msg("%s: other test programs use this address", url);
}

/* Else one that is started again may find its port in use. */
static void programs_listen_where_nobody_else_does(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);

	is_given_to_nobody(s->url);
	is_given_to_nobody(s->admin);
	is_given_to_nobody(s->sim.url);
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			programs_listen_where_nobody_else_does, shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
