/* SPDX-License-Identifier: MIT
 *
 * err.c - see err.h.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

enum rc fail(struct err *e, enum rc rc, const char *fmt, ...)
{
	/* Formats into a copy first, since an argument may be e->text
	 * itself. */
	struct err made;
	va_list ap;

	if (!e)
		return rc;
	va_start(ap, fmt);
	vsnprintf(made.text, sizeof(made.text), fmt, ap);
	va_end(ap);
	text_trim(made.text);
	*e = made;
	return rc;
}

const char *rc_name(enum rc rc)
{
	switch (rc) {
	case OK:
		return "ok";
	case RC_NOTFOUND:
		return "notfound";
	case RC_EXISTS:
		return "exists";
	case RC_INVALID:
		return "invalid";
	case RC_DENIED:
		return "denied";
	case RC_CONFLICT:
		return "conflict";
	case RC_FULL:
		return "full";
	case RC_AGAIN:
		return "again";
	case RC_IO:
		return "io";
	case RC_DAMAGED:
		return "damaged";
	}
	return "unknown";
}
