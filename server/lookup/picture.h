/* SPDX-License-Identifier: MIT
 *
 * picture.h - which pictures of goods a screen may be told of.
 */
#ifndef SERVER_LOOKUP_PICTURE_H
#define SERVER_LOOKUP_PICTURE_H

#include <stdbool.h>

#define PICTURE_MAX 512 /* bytes of a URL, at most */

/* True if the URL is one of this origin (the setting pictures_from; NULL or "":
 * no picture is), and is made only of characters that a URL may have.  Both may
 * be NULL.  Pure. */
bool picture_allowed(const char *url, const char *from);

#endif
