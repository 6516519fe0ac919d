/* SPDX-License-Identifier: MIT
 *
 * allocation_request.c - applies an allocation_request event: joins its facts to
 * the order (OFFERS 5.1).  What they mean is derived by requests.c.
 */
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"
#include "handlers/event.h"
#include "handlers/handlers.h"
#include "handlers/requests.h"

/* Has the list of the order's requests read: an update, and a create without a
 * readable expiry, may be about another request than the newest, and only the
 * list tells them apart by their ids. */
static void ask_for_list(int64_t now, struct changes *ret)
{
	changes_task(ret, TASK_POLL_REQUESTS, 0, now);
}

static void add_unknown(const struct order *o, const struct event *ev,
			const char *what, int64_t now, struct changes *ret)
{
	changes_journal_event(ret, ev,
			      &(struct entry){.fact = FACT_UNKNOWN_EVENT,
					      .text = what});
	if (o->n_offers)
		ask_for_list(now, ret);
}

static void journal(const struct event *ev, const struct centra_request *r,
		    struct changes *ret)
{
	bool create = !strcmp(ev->action, "create");
	bool ends = r->expires != TIME_NONE;
	enum request_status s;

	(void)request_status_of(r->status, &s);
	if (create)
		changes_journal_event(
			ret, ev,
			&(struct entry){.warehouse = r->warehouse,
					.fact = FACT_OFFERED,
					.result = ends ? "until" : "no_deadline",
					.until = ends ? r->expires : 0,
					.offset_min = ends ? r->offset_min : 0});
	else
		changes_journal_event(ret, ev,
				      &(struct entry){
					      .warehouse = r->warehouse,
					      .fact = FACT_CENTRA_SAID,
					      .result = "request",
					      .to = request_word(s),
				      });
}

static enum rc add_facts(const struct order *o, const struct event *ev,
			 const struct centra_request *r, int64_t now,
			 struct changes *ret, struct err *e)
{
	/* Versions before this one stored Centra's id in the place of the
	 * order's number. */
	if (r->number != o->number)
		return fail(e, RC_INVALID,
			    "the event is of order %lld; send it again",
			    (long long)r->number);
	if (!requests_fact(r, ev->date, now, ret)) {
		add_unknown(o, ev, r->status, now, ret);
		return OK;
	}
	journal(ev, r, ret);
	if (strcmp(ev->action, "create") != 0 || r->expires == TIME_NONE)
		ask_for_list(now, ret);
	return OK;
}

enum rc allocation_request_apply(const struct order *o, const struct event *ev,
				 int64_t now, struct changes *ret,
				 struct err *e)
{
	struct centra_request *read = NULL;
	enum rc rc;

	if (!centra_request_known(ev->action)) {
		add_unknown(o, ev, ev->action, now, ret);
		return OK;
	}
	if (ev->decoded)
		return add_facts(o, ev, ev->decoded, now, ret, e);
	rc = centra_request_read(ev->data, &read, e);
	if (!rc)
		rc = add_facts(o, ev, read, now, ret, e);
	free(read);
	return rc;
}
