/* SPDX-License-Identifier: MIT
 *
 * receipts.h - supplier deliveries that a shop receives: the document that keeps
 * one, and the task `receive` that tells Centra.
 *
 * The document is of the kind `receipt`; its key is "WAREHOUSE/ID", the id being
 * Centra's of the delivery.  So a delivery is received once, whoever asks.  It
 * stands in the list "WAREHOUSE/open", then in "WAREHOUSE/done", or, if
 * Centra refused it, in "WAREHOUSE/refused/done".  stock_moved() (stock_item.h)
 * notes what came, so that an older count of it is not sent.
 *
 * The call is made durable before it is made.  A reply that is lost is settled
 * by the list of deliveries: one that is no longer there was received; one that
 * is there when Centra can no longer act on the call is received anew.  If that
 * call is refused, the list decides once more: what is still there is refused.
 * If order_api_url has changed since the call, the list is another plugin's: that
 * the delivery is not in it proves nothing, and the office decides.
 */
#ifndef HANDLERS_RECEIPTS_H
#define HANDLERS_RECEIPTS_H

#include "handlers/handlers.h"
#include "store/model/doc.h"

#define RECEIPT_KIND	  "receipt"
#define RECEIPT_ITEMS_MAX 500
#define RECEIPT_UNSURE	  "unsure" /* code of REFUSED: nobody knows */
#define RECEIPT_EAN_MAX	  32 /* characters of an EAN or another code */

enum receipt_state {
	RECEIPT_ASKED,
	RECEIPT_DONE,	 /* Centra has received it */
	RECEIPT_REFUSED, /* it has not, and the request may be made again */
};
extern const char *const receipt_states[]; /* by enum receipt_state */

struct receipt_item {
	char *ean; /* owned */
	char *sku; /* owned, once Centra has shown it; or NULL */
	int64_t quantity;
};

struct receipt {
	int64_t warehouse, delivery;
	char *number; /* owned: "957-1", once Centra has shown it; or NULL */
	char *shop;   /* owned: the id of the shop */
	enum receipt_state state;
	char *code, *error; /* owned: of REFUSED; or why it waits; or NULL */
	char *by;	    /* owned: who pressed */
	uint64_t device;
	int64_t at, ended; /* ms */
	struct receipt_item *items; /* owned */
	size_t n_items;
	bool trying; /* a call was begun, and what came of it is not known */
	bool said_no; /* Centra refused a call after the one under way, whose
		       * outcome is not known */
	bool found;  /* it is DONE since the delivery was gone after a call
		      * whose reply was lost */
	int64_t rest;	   /* id of the delivery that is what was short; 0 */
	char *rest_number; /* owned, or NULL */
	int64_t rest_units;
	char *address; /* owned: of the plugin that the call under way was made
			* to, whose list alone shows what came of it; NULL: not
			* known */
};

/* RC_INVALID: the text is damaged. */
enum rc receipt_read(const char *text, struct receipt *ret, struct err *e);
void receipt_release(struct receipt *r);
/* Sets *ret_key to the document's key. */
void receipt_key(char ret_key[DOC_KEY_SIZE], int64_t warehouse,
		 int64_t delivery);
/* Sets *ret to the whole document. */
enum rc receipt_doc(const struct receipt *r, const char *instance,
		    struct doc *ret, struct err *e);
/* True if nobody knows whether it was received: it is not asked for again. */
bool receipt_unsure(const struct receipt *r);
/* True if the items are the same. */
bool receipt_same(const struct receipt *a, const struct receipt *b);

#define TASK_RECEIVE "receive" /* of -WAREHOUSE; sub: the delivery's id */
handler_fn handle_receive;

#endif
