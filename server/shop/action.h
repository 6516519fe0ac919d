/* SPDX-License-Identifier: MIT
 *
 * action.h - what all POSTs of a shop about an order have in common.
 *
 * The body is read and the decision made durable.  If Centra must be asked, the
 * request then waits for its answer, up to `answer_wait`.
 *
 * An action may outlive its request: see server/pending/pending.h.
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

#include "base/json_read.h"
#include "server/pending/pending.h"
#include "server/shop/shop.h"

struct action;
struct caller;

/* One row for each kind of action; a constant. */
struct action_kind {
	size_t own_size; /* bytes of p->own, the kind's own data; it starts
			  * zeroed and is freed with p */
	bool versioned;	 /* the body may say which version of the order the page
			  * showed */
	/* Reads the body (NULL: there is none) into p->own.  False: the body is
	 * wrong; it has responded 400.  Texts of the body stay valid as long as
	 * p. */
	bool (*read)(struct action *p, struct response *res);
	/* Decides inside the transaction (see store_update()); arg is p->own.
	 * RC_CONFLICT: p->code() says why.  RC_EXISTS counts as OK. */
	store_update_fn *decide;
	/* The log message for a new decision that is on disk.  A constant. */
	const char *said;
	const char *(*code)(const struct action *p);
	/* Counts a new decision that is on disk.  May be NULL. */
	void (*count)(struct action *p);
	/* NULL: the action is about the order of its path.  Else the action is
	 * about something else: `store` hands over its write with
	 * p->pending.done (store_docs_update), where p->code is set for
	 * RC_CONFLICT, `settle` is called with no order, again and again
	 * while it waits, and `decide` and `code` are not used. */
	enum rc (*store)(struct action *p, struct err *e);
	/* Called when the decision is on disk: responds with the order as it is
	 * now; or returns false while it waits for Centra (action_may_wait),
	 * and is called again when the order changes. */
	bool (*settle)(struct action *p, struct response *res,
		       const struct order *o);
	/* Frees the contents of p->own.  May be NULL. */
	void (*release)(struct action *p);
};

#define STAFF_MAX  64		    /* characters of a staff member's name */
#define STAFF_SIZE (4 * STAFF_MAX + 1) /* its room */

struct action {
	struct pending pending; /* must be first: the write of the decision */
	struct shop *room;
	struct config *config; /* held, since the decision borrows from it */
	const struct config_shop *shop;
	const char *instance; /* of config */
	int64_t number;
	int64_t now;
	uint64_t device;
	char id[REQUEST_ID_MAX], trace[TRACE_ID_SIZE]; /* the request's */
	/* Who pressed, for the journal: "Anna on Till 1", "Till 1". */
	char by[STAFF_SIZE + 4 + LABEL_SIZE];
	struct json *body; /* owned; NULL: the request has no body */
	const char *version; /* the member "version" of the body; NULL: none was
			      * sent */
	bool stale; /* the order had another version when it was decided */
	void *own;   /* owned: the data of the kind (own_size) */
	bool again;  /* the Idempotency-Key was seen before, so nothing was
		      * decided */

	/* action.c's. */
	const struct action_kind *kind;
	int64_t wait_until; /* time_mono: until when it waits for Centra's
			     * answer */
	uint64_t revocations; /* store_revocations() when the caller was last
			       * checked */
	bool keyed;
	struct once once;
	struct order_texts texts; /* owned; only read from the store if a
				   * version was sent */
	char code[ONCE_CODE]; /* of RC_CONFLICT */
};

/* Handles POST /api/v1/orders/{number}/... from its start to its response: all
 * that an endpoint has to call. */
void action_begin(struct request *req, struct response *res,
		 const struct action_kind *kind);

/* True if the client sent a version and the order, with these texts
 * (store_details()), has another one now. */
bool action_is_stale(const struct action *p, const struct order *o,
		    const char *details, const char *address);

/* True while the request should go on waiting for Centra's answer. */
bool action_may_wait(const struct action *p);

/* ---- reading the body ---- False: it has responded 400. */

/* Sets *ret to the text of a member; NULL: it is absent or null.  It may have
 * at most `max` characters, counted as the page's fields and JSON schema's
 * `maxLength` count them; a character is up to 4 bytes. */
bool action_text(const struct action *p, struct response *res, const char *name,
		size_t max, const char **ret);
/* As action_text(); the text must also be one of the words (a list that ends
 * with NULL).  `want` names them in the response. */
bool action_word(const struct action *p, struct response *res, const char *name,
		const char *const *words, const char *want, const char **ret);

/* Checks the member "for" of a body (NULL: there is none).  A client that kept a
 * request while it was offline says in it as whom it was signed in then.  False:
 * the device, shop or instance is another now, where the same order number, or a
 * count, means something else; responds 409, or 400 if it is no object. */
bool read_for(const struct json *body, const struct caller *c,
	      struct response *res);

/* ---- answering ---- */

/* respond_not_found() responds 404.  respond_read() logs a read of the store
 * that failed (rc, why) and responds 503; 500 `unreadable` to RC_INVALID: the
 * order's row is damaged. */
void respond_not_found(struct response *res);
void respond_read(struct request *req, struct response *res, enum rc rc,
		  const char *why);
/* Responds 400 bad_request and names the field. */
void respond_field(struct response *res, const char *field, const char *must);
/* Responds with the order as this shop sees it. */
void respond_order(struct request *req, struct response *res,
		   const struct order *o, int status, bool timeline);
/* Responds with a problem document that includes the present order, so that a
 * screen need not ask for it. */
void respond_conflict(struct request *req, struct response *res,
		      const struct order *o, int status, const char *code,
		      const char *detail);
/* Returns what a code of a 409 means, as a sentence. */
const char *conflict_detail(const char *code);

/* Reads the number of an order from a path.  False: the text is no such
 * number. */
bool order_number_read(const char *s, int64_t *ret);

#endif
