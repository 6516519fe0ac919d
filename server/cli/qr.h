/* SPDX-License-Identifier: MIT
 *
 * qr.h - a text as a QR code that a terminal can show.
 */
#ifndef SERVER_CLI_QR_H
#define SERVER_CLI_QR_H

#include "base/buf.h"

/* Adds lines of UTF-8 half blocks, dark on light whatever the terminal's
 * colours, with the margin that scanners need.  RC_INVALID: too long. */
enum rc qr_draw(struct buf *out, const char *text);

#endif
