/* SPDX-License-Identifier: MIT
 *
 * qr.c - see qr.h.
 */
#include "server/cli/qr.h"

#include <qrencode.h>

#define MARGIN 4 /* modules of margin; some scanners need as many */

#define BLACK_ON_WHITE "\033[30;107m"
#define AS_BEFORE      "\033[0m"

static bool dark(const QRcode *qr, int x, int y)
{
	return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
	       qr->data[y * qr->width + x] & 1;
}

/* Adds a line of text, which shows two rows of modules. */
static void draw_line(struct buf *out, const QRcode *qr, int y)
{
	static const char *const halves[] = {" ", "▄", "▀", "█"};

	buf_str(out, BLACK_ON_WHITE);
	for (int x = -MARGIN; x < qr->width + MARGIN; x++)
		buf_str(out, halves[2 * dark(qr, x, y) + dark(qr, x, y + 1)]);
	buf_str(out, AS_BEFORE "\n");
}

enum rc qr_draw(struct buf *out, const char *text)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!qr)
		return RC_INVALID;
	for (int y = -MARGIN; y < qr->width + MARGIN; y += 2)
		draw_line(out, qr, y);
	QRcode_free(qr);
	return OK;
}
