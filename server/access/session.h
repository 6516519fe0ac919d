/* SPDX-License-Identifier: MIT
 *
 * session.h - signs a browser in with a login link's code, and out.
 */
#ifndef SERVER_ACCESS_SESSION_H
#define SERVER_ACCESS_SESSION_H

#include "server/http/http.h"

/* The endpoints POST /api/v1/session with {"code"}, which signs in, and DELETE
 * /api/v1/session, which signs out. */
endpoint_fn session_begin, session_end;

#endif
