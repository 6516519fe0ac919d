/* SPDX-License-Identifier: MIT
 *
 * once.c - requests that take effect once: the idempotency keys of clients,
 * with the results of their requests.
 */
#include <string.h>

#include "store/rules/rules.h"

enum rc once_find(struct rows *r, struct once *o, struct err *e)
{
	struct once then = *o;
	enum rc rc;

	o->seen = ONCE_NEW;
	o->rc = OK;
	o->code[0] = '\0';
	rc = row_once(r, &then, e);
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	if (o->sure && then.at + ONCE_KEPT <= o->at)
		return OK; /* the key's time is over, even if its row is still
			    * there */
	o->seen = memcmp(then.request, o->request, ONCE_HASH) ? ONCE_OTHER
							      : ONCE_AGAIN;
	o->rc = then.rc;
	memcpy(o->code, then.code, sizeof(o->code));
	return OK;
}

enum rc once_keep(struct rows *r, struct once *o, enum rc said)
{
	if (said && said != RC_EXISTS && said != RC_CONFLICT)
		return said;
	o->rc = said;
	/* Drops up to two old keys for each new one, so that old keys do not
	 * pile up. */
	if (o->sure)
		del_once_until(r, o->at - ONCE_KEPT, 2);
	put_once(r, o);
	return OK;
}
