/* SPDX-License-Identifier: MIT
 *
 * serve.h - the verb `serve`: starts the parts in order, waits for a signal,
 * stops them in reverse.
 */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

/* Returns the process's exit code (<sysexits.h>): 0 after SIGTERM or SIGINT, 78
 * for a bad config, 75 if another server holds the folder, 74 after the disk
 * failed, 73 when the folder cannot be used, 69 when a port cannot be bound. */
int serve(const char *config_path);

#endif
