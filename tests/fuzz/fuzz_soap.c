/* SPDX-License-Identifier: MIT
 *
 * fuzz_soap.c - any bytes as a reply of Centra's SOAP API.  It is believed whole
 * or not at all: of a reply that was refused nothing is handed out, what is
 * handed out keeps the promises of soap.h, and a reply that lost its end is
 * never believed.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "centra/soap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_events(const struct soap_events *s)
{
	must(s->n > 0 || !s->unread);
	must(s->n + s->unread <= SOAP_EVENTS_MOST);
	for (size_t i = 0; i < s->n; i++) {
		const struct soap_event *ev = &s->list[i];

		must(ev->id > 0 && ev->order >= 0);
		must(ev->is_order || !ev->order);
	}
}

/* What is left when the connection ends before the last `>`. */
static size_t cut(const uint8_t *data, size_t size)
{
	while (size > 0 && data[size - 1] != '>')
		size--;
	return size ? size - 1 : 0;
}

/* The bytes of a document that is not a comment at its end. */
static bool ends_with_element(const uint8_t *data, size_t size)
{
	while (size > 0 && isspace(data[size - 1]))
		size--;
	return size > 3 && data[size - 1] == '>' && data[size - 2] != '-' &&
	       data[size - 2] != '?';
}

static void read_events(const uint8_t *data, size_t size)
{
	const char *xml = (const char *)data;
	struct soap_events s = {0};
	struct err e = {""};

	if (soap_read_events(xml, size, &s, &e)) {
		must(!s.list && !s.n && !s.unread);
		must(*e.text && text_is_utf8(e.text));
		return;
	}
	check_events(&s);
	soap_events_release(&s);
	must(!s.list);
	if (ends_with_element(data, size))
		must(soap_read_events(xml, cut(data, size), &s, &e));
}

static void read_done(const uint8_t *data, size_t size)
{
	const char *xml = (const char *)data;
	struct err e = {""};

	if (soap_read_done(xml, size, &e)) {
		must(*e.text && text_is_utf8(e.text));
		return;
	}
	if (ends_with_element(data, size))
		must(soap_read_done(xml, cut(data, size), &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_events(data, size);
	read_done(data, size);
	return 0;
}
