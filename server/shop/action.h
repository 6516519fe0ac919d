/* SPDX-License-Identifier: MIT
 *
 * action.h - what all POSTs of a shop about an order have in common.
 *
 * The body is read and the decision made durable.  If Centra must be asked, the
 * request then waits for its answer, up to `answer_wait`.
 *
 * An action may outlive its request: see pending.h.
 *
 * With an Idempotency-Key it takes effect once.  The same request sent again
 * decides nothing and gets the present order, or the conflict of the first
 * time; another request with the same key gets 422.  The body names who pressed
 * ("staff").
 *
 * A kind that is `versioned` takes the "version" that the page showed.  If the
 * order has another version when it is decided, nothing is decided, and the
 * response is 409 `changed` with the present order.
 */
#ifndef SERVER_SHOP_ACTION_H
#define SERVER_SHOP_ACTION_H

#include <cjson/cJSON.h>

#include "server/pending/pending.h"
#include "server/shop/shop.h"

struct action;

/* One row for each kind of action; a constant. */
struct action_kind {
	size_t own_size; /* size of the decision's own data: zeroed, lives as
			  * long as p */
	bool versioned;	 /* the body may say which version the page showed */
	/* Reads the body (NULL: there was none) into p->own.  False: it has
	 * responded 400.  Texts stay valid, since p owns the body. */
	bool (*read)(struct action *p, struct response *res);
	/* The function for store_update(); arg is p->own.  RC_CONFLICT:
	 * p->code() says why.  RC_EXISTS counts as OK. */
	store_update_fn *decide;
	/* The log message for a new decision that is on disk: a constant. */
	const char *said;
	const char *(*code)(const struct action *p);
	/* Counts a new decision that is on disk; or NULL. */
	void (*count)(struct action *p);
	/* Called when the decision is on disk: responds with the order as it is
	 * now; or, while p may wait (action_may_wait), returns false and is
	 * called again when the order changes. */
	bool (*settle)(struct action *p, struct response *res,
		       const struct order *o);
	/* Frees the contents of p->own; or NULL. */
	void (*release)(struct action *p);
};

#define STAFF_MAX  64		    /* characters of a name */
#define STAFF_SIZE (4 * STAFF_MAX + 1) /* its room */

struct action {
	struct pending pending; /* first: the decision's write */
	struct shop *room;
	struct config *config; /* held: the decision borrows from it */
	const struct config_shop *shop;
	const char *instance; /* of config */
	int64_t number;
	int64_t now;
	uint64_t device;
	char id[REQUEST_ID_MAX], trace[TRACE_ID_SIZE]; /* the request's */
	char by[STAFF_SIZE + 4 + LABEL_SIZE]; /* "Anna on Till 1", "Till 1" */
	cJSON *body; /* owned; NULL: none was sent */
	const char *version; /* from the body; NULL: none was sent */
	bool stale; /* when it was decided, the order had another version */
	void *own;   /* owned: the kind's decision */
	bool again;  /* its Idempotency-Key was seen before: nothing decided */

	/* action.c's. */
	const struct action_kind *kind;
	int64_t wait_until; /* time_mono: for Centra's word */
	uint64_t revocations; /* the store's revocations when last looked at */
	bool keyed;
	struct once once;
	struct order_texts texts; /* owned; only read if a version was sent */
	char code[ONCE_CODE]; /* of RC_CONFLICT */
};

/* The whole of an endpoint_fn: POST /api/v1/orders/{number}/... */
void action_begin(struct request *req, struct response *res,
		 const struct action_kind *kind);

/* True if a version was sent, and the order, with these texts (see
 * store_details), has another one. */
bool action_is_stale(const struct action *p, const struct order *o,
		    const char *details, const char *address);

/* True while the request should go on waiting for Centra's answer. */
bool action_may_wait(const struct action *p);

/* ---- reading the body ---- False: answered with 400 */

/* Sets *ret to the text of a member, or NULL if it is absent or null.  It has
 * at most `max` characters, counted as the page's fields count them (and
 * `maxLength` of JSON schema); one is up to 4 bytes. */
bool action_text(const struct action *p, struct response *res, const char *name,
		size_t max, const char **ret);
/* As action_text(); the text must be one of the words (ends with NULL), which
 * `want` lists. */
bool action_word(const struct action *p, struct response *res, const char *name,
		const char *const *words, const char *want, const char **ret);

/* ---- answering ---- */

void respond_not_found(struct response *res);
void respond_store(struct request *req, struct response *res, enum rc rc,
		   const char *why);
/* Responds 400 bad_request, naming the field. */
void respond_field(struct response *res, const char *field, const char *must);
/* Responds with the order as this shop sees it. */
void respond_order(struct request *req, struct response *res,
		   const struct order *o, int status, bool timeline);
/* Responds with a problem that includes the present order, so that a screen
 * need not ask for it. */
void respond_conflict(struct request *req, struct response *res,
		      const struct order *o, int status, const char *code,
		      const char *detail);
/* Returns what a code of a 409 means, in words. */
const char *conflict_detail(const char *code);

/* False: it is no number of an order. */
bool order_number_read(const char *s, int64_t *ret);

#endif
