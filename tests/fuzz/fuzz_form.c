/* SPDX-License-Identifier: MIT
 *
 * fuzz_form.c - any bytes as a posted form.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *payload = NULL;
	struct err e;
	size_t n;

	if (form_payload((const char *)data, size, &payload, &n, &e))
		return 0;
	if (payload[n] || n > size)
		abort();
	free(payload);
	return 0;
}
