/* SPDX-License-Identifier: MIT
 *
 * reload.h - reads the config file again, after SIGHUP.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

struct app;
struct config;

/* Makes the file's present content the present config, and notifies the rooms.  A
 * file with a mistake changes nothing: each mistake is logged and the old
 * settings stay.  Settings that differ from the config that the server `started`
 * with, and need a restart, are named in the log. */
void reload(struct app *app, const struct config *started);

#endif
