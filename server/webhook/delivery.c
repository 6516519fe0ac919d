/* SPDX-License-Identifier: MIT
 *
 * delivery.c - see delivery.h.
 */
#include "server/webhook/delivery.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "centra/signature.h"
#include "handlers/handlers.h"

/* ---- digests ---- */

/* SHA-256, looked up once: EVP_sha256() is looked up again at each use. */
static EVP_MD *sha256; /* never freed */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void digest_of(unsigned char ret[EVENT_DIGEST_SIZE], const char *data,
		      size_t len)
{
	unsigned char whole[EVP_MAX_MD_SIZE];

	pthread_once(&sha256_once, fetch_sha256);
	/* Two events with the same digest would count as one, and one would be
	 * lost.  So the server does not go on without SHA-256. */
	if (!sha256 || !EVP_Digest(data, len, whole, NULL, sha256, NULL))
		abort();
	memcpy(ret, whole, EVENT_DIGEST_SIZE);
}

/* Hashes a body and the time it was signed at.  Copies of one delivery have the
 * same digest, whatever else their header says, and only a sender with the
 * secret can make another. */
static void digest_of_body(unsigned char ret[EVENT_DIGEST_SIZE],
			   const char *header, const char *body, size_t len)
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	char t[SIGNATURE_T_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	signature_t(t, header);
	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(ctx, t, strlen(t) + 1) ||
	    (len && !EVP_DigestUpdate(ctx, body, len)) ||
	    !EVP_DigestFinal_ex(ctx, whole, NULL))
		abort(); /* as above */
	EVP_MD_CTX_free(ctx);
	memcpy(ret, whole, EVENT_DIGEST_SIZE);
}

/* ---- quarantine ---- */

static void quarantine(struct delivery *d, const char *reason,
		       const char *header, const char *bytes, size_t len)
{
	struct quarantined *q = &d->bad[d->n_bad++];

	/* Both fit: the instance's name is from the config, and the reason is
	 * cut to size. */
	if (!copy_text(q->instance, sizeof(q->instance), d->instance))
		q->instance[0] = '\0';
	snprintf(q->reason, sizeof(q->reason), "%s", reason);
	text_trim(q->reason);
	q->received = d->received;
	q->header = xstrdup(header);
	q->bytes = xmemdup(bytes ? bytes : "", len);
	q->len = len;
	digest_of(q->digest, q->bytes, len);
}

/* Puts a whole body into quarantine, if there is room for it. */
static void quarantine_body(struct delivery *d, enum quarantine_kind kind,
			    const char *reason, const char *header,
			    const char *body, size_t len)
{
	d->bad = xcalloc(1, sizeof(*d->bad));
	quarantine(d, reason, header, body, len);
	d->bad[0].kind = kind;
	if (kind != QUARANTINED_UNREAD)
		digest_of_body(d->bad[0].digest, header, body, len);
}

/* ---- events ---- */

_Static_assert(EVENT_WORD_SIZE == EVENT_WORD_MAX + 1,
	       "a type or action fits as it was read");

/* Adds an event; takes over what `from` owns. */
static void take_event(struct delivery *d, struct centra_event *from)
{
	struct event *ev = &d->events[d->n_events++];

	if (!copy_text(ev->instance, sizeof(ev->instance), d->instance))
		ev->instance[0] = '\0'; /* cannot happen: the name is from the
					 * config */
	memcpy(ev->type, from->type, sizeof(ev->type));
	memcpy(ev->action, from->action, sizeof(ev->action));
	memcpy(ev->date, from->date, sizeof(ev->date));
	ev->received = d->received;
	ev->id = from->id;
	ev->task = handler_of_event(ev->type, ev->action);
	ev->data = from->data;
	ev->decoded = from->check_first ? (void *)from->check_first
					: from->request;
	from->data = NULL;
	from->check_first = NULL;
	from->request = NULL;
	if (ev->data)
		digest_of(ev->digest, ev->data, strlen(ev->data));
}

static void take_batch(struct delivery *d, const struct centra_batch *b)
{
	size_t bad = 0;

	for (size_t i = 0; i < b->n; i++)
		bad += b->events[i].bad != NULL;
	d->events = xcalloc(b->n - bad, sizeof(*d->events));
	if (bad)
		d->bad = xcalloc(bad, sizeof(*d->bad));
	for (size_t i = 0; i < b->n; i++) {
		struct centra_event *from = &b->events[i];

		if (from->bad)
			quarantine(d, from->bad, NULL, from->raw,
				   strlen(from->raw));
		else
			take_event(d, from);
	}
}

const char *version_name(enum webhook_version version)
{
	return version == WEBHOOK_CHECKOUT ? "Checkout API" : "Storefront API";
}

void delivery_read(struct delivery *ret, enum webhook_version *ret_version,
		   const char *instance, const char *header, const char *body,
		   size_t len, int64_t received)
{
	struct centra_batch batch = {0};
	char *payload = NULL;
	size_t payload_len = 0;
	struct err e;
	enum rc rc;

	*ret = (struct delivery){.instance = instance, .received = received};
	*ret_version = WEBHOOK_INTEGRATION;
	rc = form_payload(body ? body : "", len, &payload, &payload_len, &e);
	if (!rc)
		rc = centra_batch_parse(payload, payload_len, &batch, &e);
	if (rc) {
		quarantine_body(ret, QUARANTINED_UNREAD, e.text, header, body,
				len);
	} else if (batch.version == WEBHOOK_INTEGRATION) {
		take_batch(ret, &batch);
	} else {
		*ret_version = batch.version;
		(void)fail(&e, OK, "it is of the version %s",
			   version_name(batch.version));
		quarantine_body(ret, QUARANTINED_VERSION, e.text, header, body,
				len);
	}
	centra_batch_release(&batch);
	free(payload);
}

void delivery_stale(struct delivery *ret, const char *instance,
		    const char *header, const char *body, size_t len,
		    int64_t received)
{
	int64_t sent = signature_time(header);

	/* It cannot have come before it was sent: our clock is behind. */
	*ret = (struct delivery){.instance = instance,
				 .received = sent > received ? sent
							     : received};
	quarantine_body(ret, QUARANTINED_STALE,
			"rightly signed, but its time is too far from ours",
			header, body, len);
}

/* ---- once more ---- */

#define ROOM_AROUND 20 /* bytes of {"events":[]} and some more */

/* Reads an event that was quarantined alone.  Of a create, some warehouses may
 * still be unreadable. */
static enum rc read_event(struct delivery *ret, const struct quarantined *q,
			  struct err *e)
{
	struct centra_batch batch = {0};
	struct buf json;
	enum rc rc;

	buf_init(&json, strlen(q->bytes) + ROOM_AROUND);
	json_begin(&json, NULL);
	json_begin_list(&json, "events");
	json_put_raw(&json, NULL, q->bytes);
	json_end_list(&json);
	json_end(&json);
	rc = centra_batch_parse(json.data, json.len, &batch, e);

	if (!rc && (batch.n == 1 || (batch.n == 2 && batch.events[1].bad)))
		take_batch(ret, &batch);
	else if (!rc)
		rc = fail(e, RC_INVALID, "it is not one event");
	centra_batch_release(&batch);
	buf_release(&json);
	return rc;
}

bool delivery_again(struct delivery *ret, const struct quarantined *q,
		    struct err *why)
{
	enum webhook_version version;
	enum rc rc = OK;

	if (q->header) {
		delivery_read(ret, &version, q->instance, q->header, q->bytes,
			      q->len, q->received);
	} else {
		*ret = (struct delivery){.instance = q->instance,
					 .received = q->received};
		rc = read_event(ret, q, why);
	}
	ret->retried = q->seq;
	ret->sent = signature_time(q->header);
	if (!rc && (ret->n_events || !ret->n_bad))
		return true;
	if (!rc)
		(void)fail(why, OK, "%s", ret->bad[0].reason);
	delivery_release(ret);
	return false;
}

void delivery_release(struct delivery *d)
{
	for (size_t i = 0; i < d->n_events; i++)
		event_release(&d->events[i]);
	for (size_t i = 0; i < d->n_bad; i++)
		quarantined_release(&d->bad[i]);
	free(d->events);
	free(d->bad);
	*d = (struct delivery){0};
}

size_t delivery_bytes(const struct delivery *d)
{
	size_t ret = d->n_events * sizeof(*d->events) +
		     d->n_bad * sizeof(*d->bad);

	for (size_t i = 0; i < d->n_events; i++)
		ret += d->events[i].data ? strlen(d->events[i].data) : 0;
	for (size_t i = 0; i < d->n_bad; i++)
		ret += d->bad[i].len;
	return ret;
}
