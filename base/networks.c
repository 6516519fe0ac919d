/* SPDX-License-Identifier: MIT
 *
 * networks.c - see networks.h.
 */
#include "base/networks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/number.h"

#define V4_BITS 96 /* bits in front of an IPv4 address in its form
		    * ::ffff:1.2.3.4 */
#define BLANKS	" \t"

static const unsigned char v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* ---- addresses ---- */

static bool plain_read(struct address *ret, const char *text)
{
	if (inet_pton(AF_INET6, text, ret->b) == 1)
		return true;
	memcpy(ret->b, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, text, ret->b + sizeof(v4_prefix)) == 1;
}

static bool is_port(const char *s)
{
	in_port_t any;

	return *s == ':' && port_read(s + 1, &any);
}

bool address_read(struct address *ret, const char *text, size_t len)
{
	char copy[2 * CLIENT_SIZE], *host = copy, *end;

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) != len)
		return false;
	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		if (!end || (end[1] && !is_port(end + 1)))
			return false;
		*end = '\0';
	} else {
		end = strchr(host, ':');
		if (end && strchr(host, '.') && is_port(end))
			*end = '\0';
	}
	end = strchr(host, '%');
	if (end && strchr(host, ':'))
		*end = '\0';
	return plain_read(ret, host);
}

void address_text(char ret[CLIENT_SIZE], const struct address *a)
{
	bool v4 = !memcmp(a->b, v4_prefix, sizeof(v4_prefix));

	if (!inet_ntop(v4 ? AF_INET : AF_INET6,
		       v4 ? a->b + sizeof(v4_prefix) : a->b, ret, CLIENT_SIZE))
		ret[0] = '\0';
}

/* Addresses that are not public (IANA's registries of special addresses).  An
 * IPv6 address is public only if it lies in 2000::/3. */
static const struct special {
	unsigned bits;
	unsigned char base[16];
} special_v4[] = {
	{8, {0}},		/* this network; 0.0.0.0 is this host */
	{8, {10}},		/* private */
	{10, {100, 64}},	/* shared by a provider's customers */
	{8, {127}},		/* this host */
	{16, {169, 254}},	/* link-local; metadata of clouds */
	{12, {172, 16}},	/* private */
	{24, {192, 0, 0}},	/* protocols */
	{24, {192, 0, 2}},	/* documentation */
	{24, {192, 88, 99}},	/* 6to4 relays */
	{16, {192, 168}},	/* private */
	{15, {198, 18}},	/* benchmarks */
	{24, {198, 51, 100}},	/* documentation */
	{24, {203, 0, 113}},	/* documentation */
	{4, {224}},		/* multicast */
	{4, {240}},		/* reserved, broadcast */
}, special_v6[] = {
	{23, {0x20, 0x01, 0}},		     /* protocols; Teredo */
	{32, {0x20, 0x01, 0x0d, 0xb8}},	     /* documentation */
	{16, {0x20, 0x02}},		     /* 6to4 */
	{20, {0x3f, 0xff}},		     /* documentation */
};

static bool same_bits(const unsigned char *a, const unsigned char *b,
		      unsigned bits)
{
	unsigned rest = bits % 8;

	return !memcmp(a, b, bits / 8) &&
	       (!rest ||
		!((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)));
}

static bool is_special(const unsigned char *bytes, const struct special *list,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same_bits(bytes, list[i].base, list[i].bits))
			return true;
	return false;
}

bool address_is_public(const struct address *a)
{
	if (!memcmp(a->b, v4_prefix, sizeof(v4_prefix)))
		return !is_special(a->b + sizeof(v4_prefix), special_v4,
				   sizeof(special_v4) / sizeof(*special_v4));
	return a->b[0] >> 5 == 1 &&
	       !is_special(a->b, special_v6,
			   sizeof(special_v6) / sizeof(*special_v6));
}

/* ---- lists ---- */

static bool bits_read(const char *text, unsigned most, unsigned *ret)
{
	int64_t n;

	if (!number_read(text, 0, most, &n))
		return false;
	*ret = (unsigned)n;
	return true;
}

static bool network_read(struct network *ret, char *text)
{
	char *slash = strchr(text, '/');
	bool v4 = !strchr(text, ':');
	unsigned bits = v4 ? 32 : 128;

	if (slash)
		*slash = '\0';
	if (!plain_read(&ret->base, text) ||
	    (slash && !bits_read(slash + 1, bits, &bits)))
		return false;
	ret->bits = v4 ? V4_BITS + bits : bits;
	return true;
}

enum rc networks_read(struct networks *ret, const char *text, struct err *e)
{
	char word[2 * CLIENT_SIZE];
	struct network net;
	size_t len;

	*ret = (struct networks){0};
	for (text = text ? text : ""; ; text += len) {
		text += strspn(text, "," BLANKS);
		if (!*text)
			return OK;
		len = strcspn(text, "," BLANKS);
		snprintf(word, sizeof(word), "%.*s",
			 (int)(len < sizeof(word) ? len : sizeof(word)), text);
		if (len >= sizeof(word) || !network_read(&net, word))
			break;
		ret->list = xrealloc(ret->list, ret->n + 1, sizeof(net));
		ret->list[ret->n++] = net;
	}
	networks_release(ret);
	return fail(e, RC_INVALID, "'%.*s' is no address and no network",
		    (int)(len < 64 ? len : 64), text);
}

void networks_release(struct networks *n)
{
	free(n->list);
	*n = (struct networks){0};
}

static bool network_has(const struct network *n, const struct address *a)
{
	size_t whole = n->bits / 8;
	unsigned mask = 0xff00u >> n->bits % 8 & 0xff;

	return !memcmp(n->base.b, a->b, whole) &&
	       (!mask || !((n->base.b[whole] ^ a->b[whole]) & mask));
}

bool networks_have(const struct networks *n, const struct address *a)
{
	for (size_t i = 0; i < n->n; i++)
		if (network_has(&n->list[i], a))
			return true;
	return false;
}

/* ---- through proxies ---- */

/* Returns the last entry of the first *len bytes of `list`, and sets *len to
 * the length of the rest in front of it.  False: there is no entry. */
static bool last_entry(const char *list, size_t *len, const char **ret,
		       size_t *ret_len)
{
	size_t begin, end = *len;

	while (end && strchr("," BLANKS, list[end - 1]))
		end--;
	begin = end;
	while (begin && list[begin - 1] != ',')
		begin--;
	*len = begin;
	while (begin < end && strchr(BLANKS, list[begin]))
		begin++;
	*ret = list + begin;
	*ret_len = end - begin;
	return *ret_len > 0;
}

void networks_client(char ret[CLIENT_SIZE], const struct networks *trusted,
		   const char *socket, const char *const *values, size_t n)
{
	struct address at, hop;
	const char *entry;
	size_t left, len;

	snprintf(ret, CLIENT_SIZE, "%s", socket);
	if (!plain_read(&at, socket))
		return;
	while (n-- > 0) {
		left = strlen(values[n]);
		while (last_entry(values[n], &left, &entry, &len)) {
			if (!networks_have(trusted, &at) ||
			    !address_read(&hop, entry, len))
				goto out;
			at = hop;
		}
	}
out:
	address_text(ret, &at);
}
