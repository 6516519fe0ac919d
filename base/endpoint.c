/* SPDX-License-Identifier: MIT
 *
 * endpoint.c - see endpoint.h.
 */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/number.h"

#define HOST_SIZE 64

bool port_read(const char *text, in_port_t *ret)
{
	int64_t n;

	if (strlen(text) > 5 || !number_read(text, 0, UINT16_MAX, &n))
		return false;
	*ret = (in_port_t)n;
	return true;
}

in_port_t endpoint_port(const union endpoint *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port
						  : a->v4.sin_port);
}

static bool host_read(const char *host, bool brackets, in_port_t port,
		      union endpoint *ret, socklen_t *ret_len)
{
	if (brackets) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(port);
		*ret_len = sizeof(ret->v6);
		return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
	}
	if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons(port);
	*ret_len = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

bool endpoint_read(const char *text, union endpoint *ret, socklen_t *ret_len)
{
	char host[HOST_SIZE];
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	in_port_t port;

	if (!len || len >= sizeof(host) || !port_read(colon + 1, &port))
		return false;
	if (brackets) {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	memset(ret, 0, sizeof(*ret));
	return host_read(host, brackets, port, ret, ret_len);
}
