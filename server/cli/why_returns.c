/* SPDX-License-Identifier: MIT
 *
 * why_returns.c - see why_returns.h.
 */
#include "server/cli/why_returns.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "handlers/returns.h"

static void put_parts(struct buf *out, const struct goods_return *r)
{
	json_begin_list(out, "made");
	for (size_t i = 0; i < r->n_parts; i++)
		if (r->parts[i].made)
			json_put_int(out, NULL, r->parts[i].made);
	json_end_list(out);
}

static void put_lines(struct buf *out, const struct goods_return *r)
{
	json_begin_list(out, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		json_begin(out, NULL);
		json_put_int(out, "line_id", r->lines[i].line);
		json_put_int(out, "quantity", r->lines[i].quantity);
		json_put(out, "reason", r->lines[i].reason);
		json_end(out);
	}
	json_end_list(out);
}

static void put_return(struct cli_session *s, const struct goods_return *r)
{
	struct buf *out = &s->out;

	json_begin(out, NULL);
	json_put_time(out, "at", r->at, 0, true);
	json_put(out, "who", r->by);
	json_put(out, "what", "return");
	json_put_int(out, "id", r->id);
	json_put(out, "shop", r->shop);
	json_put_int(out, "warehouse", r->warehouse);
	json_put_bool(out, "restock", r->restock);
	json_put(out, "state", return_states[r->state]);
	json_put(out, "code", r->code);
	json_put(out, "error", r->error);
	put_lines(out, r);
	put_parts(out, r);
	cli_json_end(out);
}

static void tell_return(struct cli_session *s, const char *instance,
			const struct goods_return *r)
{
	struct buf *out = &s->out;

	cli_time(out, s->config, instance, r->at, true);
	buf_fmt(out, "  return %" PRId64 " by ", r->id);
	cli_text(out, r->by);
	buf_str(out, " in shop ");
	cli_text(out, r->shop);
	for (size_t i = 0; i < r->n_lines; i++) {
		buf_fmt(out, "%s%" PRId64 " x line %" PRId64 " (",
			i ? ", " : ": ", r->lines[i].quantity,
			r->lines[i].line);
		cli_text(out, r->lines[i].reason);
		buf_char(out, ')');
	}
	buf_fmt(out, "%s: %s", r->restock ? "" : ", removed from stock",
		return_states[r->state]);
	for (size_t i = 0; i < r->n_parts; i++)
		if (r->parts[i].made)
			buf_fmt(out, ", Centra's return %" PRId64,
				r->parts[i].made);
	if (r->error) {
		buf_str(out, "; ");
		cli_text(out, r->error);
	}
	buf_char(out, '\n');
}

enum rc why_returns(struct cli_session *s, const char *instance,
		    int64_t number, bool *ret_any, struct err *e)
{
	struct returns all = {0};
	struct doc d = {0};
	char key[24];
	enum rc rc;

	snprintf(key, sizeof(key), "%" PRId64, number);
	rc = store_doc(s->store, RETURN_KIND, instance, key, &d, e);
	if (rc == RC_NOTFOUND)
		return OK;
	if (!rc)
		rc = returns_read(d.text, &all, e);
	for (size_t i = 0; i < all.n; i++)
		if (s->json)
			put_return(s, &all.list[i]);
		else
			tell_return(s, instance, &all.list[i]);
	*ret_any |= all.n > 0;
	returns_release(&all);
	doc_release(&d);
	return rc;
}
