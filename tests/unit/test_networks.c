/* SPDX-License-Identifier: MIT
 *
 * test_networks.c - whom a request is from, and who fails too often.
 */
#include <stdio.h>
#include <string.h>

#include "base/networks.h"
#include "server/access/login_limit.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool has(const char *list, const char *address)
{
	struct networks n;
	struct address a;
	struct err e;
	bool ret;

	assert_int_equal(networks_read(&n, list, &e), OK);
	assert_true(address_read(&a, address, strlen(address)));
	ret = networks_have(&n, &a);
	networks_release(&n);
	return ret;
}

static void a_list_has_its_addresses_and_networks(void **state)
{
	static const char list[] = "127.0.0.1, 10.0.0.0/8 192.168.4.0/23,"
				   "::1 2001:db8::/33";

	(void)state;
	assert_true(has(list, "127.0.0.1"));
	assert_false(has(list, "127.0.0.2"));
	assert_true(has(list, "10.255.0.1"));
	assert_false(has(list, "11.0.0.0"));
	assert_true(has(list, "192.168.5.255"));
	assert_false(has(list, "192.168.6.0"));
	assert_true(has(list, "::1"));
	assert_true(has(list, "2001:db8:7fff::1"));
	assert_false(has(list, "2001:db8:8000::1"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("::/0", "203.0.113.9"));
	assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_false(has(NULL, "127.0.0.1"));
	assert_false(has("", "127.0.0.1"));
}

static void an_address_is_public_or_it_is_not(void **state)
{
	static const char *const public[] = {
		"8.8.8.8", "1.1.1.1", "93.184.216.34", "11.0.0.1",
		"100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1",
		"192.167.255.255", "192.169.0.1", "198.17.255.255",
		"198.20.0.1", "223.255.255.255", "169.253.1.1",
		"2606:4700::1111", "2a00:1450::1", "2001:200::1", "2003::1",
		"3ffe::1",
	};
	static const char *const not[] = {
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
		"100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9",
		"169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		/* IPv6: unspecified, loopback, mapped and compatible private
		 * ones, link-local, site-local, unique-local, multicast. */
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1",
		"::8.8.8.8", "fe80::1", "febf::1", "fec0::1", "fc00::1",
		"fd12:3456::1", "ff02::1", "100::1",
		/* IPv4 inside: NAT64, local NAT64, 6to4, Teredo. */
		"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
		"2002:7f00:1::1", "2002:808:808::1", "2001::1",
		/* protocols, documentation */
		"2001:10::1", "2001:db8::1", "3fff::1",
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(public) / sizeof(*public); i++) {
		assert_true(address_read(&a, public[i], strlen(public[i])));
		if (!address_is_public(&a))
			print_error("%s\n", public[i]);
		assert_true(address_is_public(&a));
	}
	for (size_t i = 0; i < sizeof(not) / sizeof(*not); i++) {
		assert_true(address_read(&a, not[i], strlen(not[i])));
		if (address_is_public(&a))
			print_error("%s\n", not[i]);
		assert_false(address_is_public(&a));
	}
}

#define LONGEST                                                               \
	"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:"        \
	"4444:5555:6666:7777:8888:9999:1111:2222"

static void what_is_no_network_is_refused_by_name(void **state)
{
	static const char *const bad[] = {
		"localhost", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0/8",
		"10.0.0.0/-1", "10.0.0.0/0x8", "127.0.0.1:80", "[::1]", "/8",
		LONGEST};
	struct networks n;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char list[256];

		snprintf(list, sizeof(list), "127.0.0.1 %s", bad[i]);
		assert_int_equal(networks_read(&n, list, &e), RC_INVALID);
		assert_non_null(strstr(e.text, "is no address"));
		assert_null(n.list);
	}
}

static void addresses_are_read_as_proxies_write_them(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: it is none */
	} of[] = {
		{"203.0.113.7", "203.0.113.7"},
		{"203.0.113.7:4711", "203.0.113.7"},
		{"2001:db8::7", "2001:db8::7"},
		{"[2001:db8::7]", "2001:db8::7"},
		{"[2001:db8::7]:443", "2001:db8::7"},
		{"fe80::1%eth0", "fe80::1"},
		{"::ffff:203.0.113.7", "203.0.113.7"},
		{"", NULL},
		{"unknown", NULL},
		{"_hidden", NULL},
		{"203.0.113.7:", NULL},
		{"203.0.113.7:x", NULL},
		{"203.0.113", NULL},
		{"[2001:db8::7", NULL},
		{"[2001:db8::7]x", NULL},
		{"203.0.113.7 evil", NULL},
	};
	char text[CLIENT_SIZE];
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		bool read = address_read(&a, of[i].text, strlen(of[i].text));

		assert_int_equal(read, of[i].want != NULL);
		if (!read)
			continue;
		address_text(text, &a);
		assert_string_equal(text, of[i].want);
	}
}

static void the_peer_is_the_last_hop_that_is_not_trusted(void **state)
{
	static const struct {
		const char *socket, *values[3], *want;
	} of[] = {
		{"203.0.113.1", {"1.1.1.1"}, "203.0.113.1"},
		{"10.0.0.1", {NULL}, "10.0.0.1"},
		{"10.0.0.1", {"203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1", {"1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1", {"1.1.1.1,203.0.113.7 , 10.0.0.2"},
		 "203.0.113.7"},
		{"10.0.0.1", {"1.1.1.1", "203.0.113.7", "10.0.0.2"},
		 "203.0.113.7"},
		{"10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1", {"203.0.113.7, junk"}, "10.0.0.1"},
		{"10.0.0.1", {"203.0.113.7, junk, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1", {" , ,"}, "10.0.0.1"},
		{"10.0.0.1", {"203.0.113.7", ""}, "203.0.113.7"},
		{"10.0.0.1", {"[2001:db8::7]:99"}, "2001:db8::7"},
		{"", {"203.0.113.7"}, ""},
	};
	struct networks trusted;
	char peer[CLIENT_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(networks_read(&trusted, "10.0.0.0/8", &e), OK);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		size_t n = 0;

		while (n < 3 && of[i].values[n])
			n++;
		networks_client(peer, &trusted, of[i].socket, of[i].values, n);
		assert_string_equal(peer, of[i].want);
	}
	networks_release(&trusted);
}

/* ---- who fails too often ---- */

#define A "203.0.113.7"
#define B "203.0.113.8"

static void after_so_many_failures_a_peer_waits_its_turn(void **state)
{
	struct login_failures *p = login_failures_open();
	int64_t t = 1000000;

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(login_wait(p, A, 6, t), 0);
		login_failed(p, A, 6, t);
	}
	assert_int_equal(login_wait(p, A, 6, t), 10000);
	assert_int_equal(login_wait(p, B, 6, t), 0);
	assert_int_equal(login_wait(p, A, 0, t), 0);
	assert_int_equal(login_wait(p, A, 6, t + 9999), 1);
	assert_int_equal(login_wait(p, A, 6, t + 10000), 0);
	login_failed(p, A, 6, t + 10000);
	assert_true(login_wait(p, A, 6, t + 10000) > 0);
	assert_int_equal(login_wait(p, A, 6, t + 80000), 0);
	login_failures_close(p);
}

static void going_on_failing_makes_no_wait_longer(void **state)
{
	struct login_failures *p = login_failures_open();

	(void)state;
	for (int i = 0; i < 100000; i++)
		login_failed(p, A, 60, 5000);
	assert_in_range(login_wait(p, A, 60, 5000), 1, 1000);
	login_failures_close(p);
}

static void a_network_of_ipv6_is_one_peer(void **state)
{
	struct login_failures *p = login_failures_open();

	(void)state;
	login_failed(p, "2001:db8:0:1::1", 1, 5000);
	assert_true(login_wait(p, "2001:db8:0:1:ffff::9", 1, 5000) > 0);
	assert_int_equal(login_wait(p, "2001:db8:0:2::1", 1, 5000), 0);
	login_failures_close(p);
}

/* The table has room for 4,096: no storm of strangers makes it grow, and the
 * storm's own newest are still known. */
static void a_storm_of_peers_leaves_the_newest_known(void **state)
{
	struct login_failures *p = login_failures_open();
	char peer[CLIENT_SIZE];
	int known = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d", i >> 16,
			 i >> 8 & 255, i & 255);
		login_failed(p, peer, 1, 5000 + i / 100);
	}
	for (int i = 199000; i < 200000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.%d", i >> 16,
			 i >> 8 & 255, i & 255);
		known += login_wait(p, peer, 1, 7000) > 0;
	}
	assert_in_range(known, 900, 1000);
	login_failed(p, "no address", 1, 5000);
	assert_int_equal(login_wait(p, "no address", 1, 5000), 0);
	login_failures_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_its_addresses_and_networks),
		cmocka_unit_test(an_address_is_public_or_it_is_not),
		cmocka_unit_test(what_is_no_network_is_refused_by_name),
		cmocka_unit_test(addresses_are_read_as_proxies_write_them),
		cmocka_unit_test(the_peer_is_the_last_hop_that_is_not_trusted),
		cmocka_unit_test(after_so_many_failures_a_peer_waits_its_turn),
		cmocka_unit_test(going_on_failing_makes_no_wait_longer),
		cmocka_unit_test(a_network_of_ipv6_is_one_peer),
		cmocka_unit_test(a_storm_of_peers_leaves_the_newest_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
