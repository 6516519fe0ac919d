/* SPDX-License-Identifier: MIT
 *
 * gzip.h - a text as gzip: a proxy's idea of a reply.
 */
#ifndef SIM_GZIP_H
#define SIM_GZIP_H

#include <stddef.h>

/* The text in gzip, uncompressed blocks of it; the caller frees it. */
char *gzip_pack(const char *text, size_t *ret_len);

#endif
