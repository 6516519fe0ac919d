/* SPDX-License-Identifier: MIT
 *
 * page.h - the staff page: its files, built into the binary.
 *
 * The page asks for orders with the API; nothing of an order is in these.
 */
#ifndef SERVER_PAGE_PAGE_H
#define SERVER_PAGE_PAGE_H

#include "server/http/http.h"

/* Names what the page is made of: another with each release that changed a file.
 * "" where there is no SHA-256.  A constant; any thread. */
const char *page_version(void);

/* GET / and /login: the page itself; /page/FILE, /sw.js and the manifest. */
endpoint_fn show_page, show_page_file;

#endif
