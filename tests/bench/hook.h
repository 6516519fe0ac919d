/* SPDX-License-Identifier: MIT
 *
 * hook.h - a webhook as Centra signs and sends it: the bytes of one request.
 */
#ifndef BENCH_HOOK_H
#define BENCH_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#define HOOK_SIZE 4096 /* room for a request */
#define HOOK_JSON 1024 /* the longest payload, with its NUL */

/* Writes a POST of `json` to the instance's webhook, signed now with the
 * secret, to out (HOOK_SIZE bytes).  `close`: the connection serves this request alone.
 * Returns its length.  Any thread. */
size_t hook_request(char *out, const char *instance, const char *secret,
		    const char *json, bool close);

#endif
