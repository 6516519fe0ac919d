/* SPDX-License-Identifier: MIT
 *
 * doc.c - see doc.h.
 */
#include "store/model/doc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct doc_kind doc_kinds[] = {
#define DOC_KIND(name, goes_by) {#name, DOC_AGE_##goes_by},
#include "store/model/doc_kinds.def"
};
const size_t n_doc_kinds = sizeof(doc_kinds) / sizeof(*doc_kinds);
_Static_assert(sizeof(doc_kinds) / sizeof(*doc_kinds) <= DOC_KINDS_MAX,
	       "raise DOC_KINDS_MAX");

static bool known(const char *kind)
{
	for (size_t i = 0; i < n_doc_kinds; i++)
		if (!strcmp(doc_kinds[i].name, kind))
			return true;
	return false;
}

bool doc_list_is_done(const char *list)
{
	static const char done[] = "/done";
	size_t n = strlen(list), end = sizeof(done) - 1;

	return !strcmp(list, done + 1) ||
	       (n > end && !strcmp(list + n - end, done));
}

enum rc doc_name(struct doc *ret, const char *kind, const char *instance,
		 const char *key, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	if (!known(kind))
		return fail(e, RC_INVALID, "'%.40s' is no kind of document",
			    kind);
	if (!*instance || !*key ||
	    !copy_text(ret->kind, sizeof(ret->kind), kind) ||
	    !copy_text(ret->instance, sizeof(ret->instance), instance) ||
	    !copy_text(ret->key, sizeof(ret->key), key))
		return fail(e, RC_INVALID,
			    "no document can be named '%.40s' of '%.40s'", key,
			    instance);
	return OK;
}

enum rc doc_check(const struct doc *d, struct err *e)
{
	struct doc name;
	enum rc rc = doc_name(&name, d->kind, d->instance, d->key, e);

	if (rc)
		return rc;
	if (!d->text || strlen(d->text) > DOC_TEXT_MAX)
		return fail(e, RC_INVALID,
			    "the text of document '%s/%s' is missing, or longer "
			    "than %d bytes",
			    d->kind, d->key, DOC_TEXT_MAX);
	return OK;
}

struct doc doc_copy(const struct doc *d)
{
	struct doc ret = *d;

	ret.text = xstrdup(d->text);
	return ret;
}

void doc_release(struct doc *d)
{
	free(d->text);
	d->text = NULL;
}
