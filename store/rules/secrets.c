/* SPDX-License-Identifier: MIT
 *
 * secrets.c - stores since when an instance's webhook secrets have been in use.
 */
#include "store/rules/engine.h"

enum rc store_secret_use(struct store *s, const char *instance,
			 struct secret_use *ret, struct err *e)
{
	struct rows *r = NULL;
	enum rc rc = check_instance(instance, e);

	*ret = (struct secret_use){0};
	if (!rc)
		rc = rows_open(&r, s, e);
	if (!rc) {
		want_secret_use(r, instance);
		rc = rows_fetch(r, e);
	}
	if (!rc)
		rc = row_secret_use(r, instance, ret, e);
	rows_close(r);
	return rc;
}

struct used_op {
	struct op op;
	const char *instance;
	const struct secret_use *use;
};

static enum rc used(struct rows *r, struct op *op, struct err *e)
{
	const struct used_op *u = (struct used_op *)op;

	(void)e;
	put_secret_use(r, u->instance, u->use);
	return OK;
}

enum rc store_secret_used(struct store *s, const char *instance,
			  const struct secret_use *use,
			  struct store_done *done, struct err *e)
{
	struct used_op u = {
		.op.run = used,
		.instance = instance,
		.use = use,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc : store_do(s, &u.op, sizeof(u), done, e);
}
