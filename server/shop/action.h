/* SPDX-License-Identifier: MIT
 *
 * action.h - what every POST of a shop about an order has in common.
 *
 * A button is pressed: the body is read, the decision made durable, and then,
 * if Centra must be asked, its word is waited for, up to `answer_wait`.  A
 * press outlives its request: the writer may still hold it when the request
 * was told 503 and has ended.  Both ends of it are in the loop thread.
 *
 * With an Idempotency-Key it takes effect once: sent again, nothing is decided
 * and the order as it is now is answered (or the conflict of the first time);
 * sent with another request, 422.  Who of the shop pressed ("staff") is in the
 * body.
 *
 * A kind that is `versioned` takes the "version" that the page showed.  When the
 * order has another by the time of the decision, nothing is decided and the
 * answer is 409 `changed` with the order as it is.
 */
#ifndef SERVER_SHOP_ACTION_H
#define SERVER_SHOP_ACTION_H

#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "server/shop/shop.h"

struct action;

/* One row for each kind of button; a constant. */
struct action_kind {
	size_t own_size; /* of the decision: zeroed, lives as long as p */
	bool versioned;	 /* the body may say which version the page showed */
	/* Reads what the body (NULL: there was none) says into p->own.  False:
	 * answered with 400.  Texts stay good: p owns the body. */
	bool (*read)(struct action *p, struct response *res);
	/* What store_update() is to do; arg is p->own.  RC_CONFLICT: p->code()
	 * says why.  RC_EXISTS is as good as OK. */
	store_update_fn *decide;
	/* What the log says of a new decision that is on disk: a constant. */
	const char *said;
	const char *(*code)(const struct action *p);
	/* Counts a new decision that is on disk; or NULL. */
	void (*count)(struct action *p);
	/* The decision is on disk: answers, with the order as it is now; or,
	 * while p may wait (action_may_wait), returns false and is asked again
	 * when the order changes. */
	bool (*settle)(struct action *p, struct response *res,
		       const struct order *o);
	/* Frees what p->own holds; or NULL. */
	void (*release)(struct action *p);
};

#define STAFF_MAX  64		    /* characters of a name */
#define STAFF_SIZE (4 * STAFF_MAX + 1) /* its room */

struct action {
	struct shop *room;
	struct request *req;   /* borrowed; NULL once it has ended */
	struct config *config; /* held: the decision borrows of it */
	const struct config_shop *shop;
	const char *instance; /* of config */
	int64_t number;
	int64_t now;
	uint64_t device;
	char id[REQUEST_ID_MAX], trace[TRACE_ID_SIZE]; /* the request's */
	char by[STAFF_SIZE + 4 + LABEL_SIZE]; /* "Anna on Till 1", "Till 1" */
	cJSON *body; /* owned; NULL: none was sent */
	const char *version; /* of the body; NULL: none was sent */
	bool stale; /* at the decision the order had another version */
	void *own;   /* owned: the kind's decision */
	bool again;  /* its Idempotency-Key was seen before: nothing decided */

	/* action.c's. */
	const struct action_kind *kind;
	int64_t wait_until; /* time_mono: for Centra's word */
	uint64_t revocations; /* of the store, when last looked at */
	bool keyed;
	struct once once;
	struct order_texts texts; /* owned; only read for a version */
	char code[ONCE_CODE]; /* of RC_CONFLICT */
	struct store_done done;
	struct http_call call;
	enum rc rc;
	struct err e;
	atomic_bool writing; /* the writer holds it; cleared last */
};

/* The whole of an endpoint_fn: POST /api/v1/orders/{number}/... */
void action_begin(struct request *req, struct response *res,
		 const struct action_kind *kind);

/* True when a version was sent and the order, with these texts (see
 * store_details), has another. */
bool action_is_stale(const struct action *p, const struct order *o,
		    const char *details, const char *address);

/* True while it is worth waiting for Centra's word. */
bool action_may_wait(const struct action *p);

/* ---- reading the body ---- False: answered with 400 */

/* The text of a member, or NULL when it is absent or null; at most max
 * characters, as the page's fields count them (and `maxLength` of JSON schema).
 * One is up to 4 bytes. */
bool action_text(const struct action *p, struct response *res, const char *name,
		size_t max, const char **ret);
/* The text must be one of the words (ends with NULL); `want` lists them. */
bool action_word(const struct action *p, struct response *res, const char *name,
		const char *const *words, const char *want, const char **ret);

/* ---- answering ---- */

void respond_not_found(struct response *res);
void respond_store(struct request *req, struct response *res, enum rc rc,
		   const char *why);
/* 400 bad_request, naming the field. */
void respond_field(struct response *res, const char *field, const char *must);
/* The order as this shop sees it. */
void respond_order(struct request *req, struct response *res,
		   const struct order *o, int status, bool timeline);
/* A problem with the order as it stands, so that a screen need not ask. */
void respond_conflict(struct request *req, struct response *res,
		      const struct order *o, int status, const char *code,
		      const char *detail);
/* What a code of 409 means, in words. */
const char *conflict_detail(const char *code);

/* False: no order number. */
bool number_read(const char *s, int64_t *ret);

#endif
