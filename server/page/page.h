/* SPDX-License-Identifier: MIT
 *
 * page.h - the staff page: its files, built into the binary.
 *
 * The page asks for orders with the API: the files contain no data.
 */
#ifndef SERVER_PAGE_PAGE_H
#define SERVER_PAGE_PAGE_H

#include "server/http/http.h"

/* Returns the version of the page: a hash of its files, which is another one in
 * each release that changed a file.  "" if there is no SHA-256.  A constant;
 * any thread. */
const char *page_version(void);

/* The endpoints of GET / and /login, the page itself, and of its other files:
 * /page/FILE, /sw.js and /manifest.webmanifest. */
endpoint_fn show_page, show_page_file;

#endif
