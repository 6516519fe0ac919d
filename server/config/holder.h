/* SPDX-License-Identifier: MIT
 *
 * holder.h - the present config, which SIGHUP replaces.
 *
 * A config never changes; a reload puts another one in the holder.  Code that
 * works with a config takes it once, with config_now(), and keeps it held until
 * the work is done, so that one piece of work never sees two configs.
 *
 * Any thread may call config_now() and config_replace().
 */
#ifndef SERVER_CONFIG_HOLDER_H
#define SERVER_CONFIG_HOLDER_H

#include "server/config/config.h"

struct config_holder;

/* Opens a holder and takes over the caller's hold of `first`. */
struct config_holder *config_holder_open(struct config *first);
/* Drops the present config and frees the holder; NULL is fine. */
void config_holder_close(struct config_holder *h);

/* Returns the present config, held; the caller ends that with config_drop(). */
struct config *config_now(struct config_holder *h);

/* Makes `fresh` the present config and takes over the caller's hold of it.  The
 * config before it is dropped: it is freed when its last user drops it. */
void config_replace(struct config_holder *h, struct config *fresh);

#endif
