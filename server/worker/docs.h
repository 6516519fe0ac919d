/* SPDX-License-Identifier: MIT
 *
 * docs.h - gives runs the documents of the store (handlers/docs.h).
 */
#ifndef SERVER_WORKER_DOCS_H
#define SERVER_WORKER_DOCS_H

#include "handlers/docs.h"

struct worker_parts;

/* Borrows the parts. */
struct docs worker_docs(const struct worker_parts *parts);

#endif
