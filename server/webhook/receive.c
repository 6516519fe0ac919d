/* SPDX-License-Identifier: MIT
 *
 * receive.c - see receive.h.
 *
 * A delivery outlives its request: the writer may still hold it when the
 * request was told 503 and has ended.  So it is counted: one hold is the
 * request's, one the writer's.  Both end in the loop thread, which needs no
 * lock.  What is recorded after the 503 is harmless; Centra's next copy of it
 * is a duplicate.
 */
#include "server/webhook/receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/log.h"
#include "base/mem.h"
#include "handlers/handlers.h"
#include "server/app.h"
#include "server/webhook/unverified.h"

#define REFUSALS_A_MINUTE 20 /* lines in the log; the metrics count them all */

/* ---- a body, read ---- */

static void digest_of(unsigned char ret[EVENT_DIGEST_SIZE], const char *data,
		      size_t len)
{
	unsigned char whole[EVP_MAX_MD_SIZE];

	/* Two events whose data would not be told apart is one event lost:
	 * without SHA-256 there is no going on. */
	if (!EVP_Digest(data, len, whole, NULL, EVP_sha256(), NULL))
		abort();
	memcpy(ret, whole, EVENT_DIGEST_SIZE);
}

/* Equal for equal bodies signed at the same time, whatever else stands in the
 * header: only who signs can make another. */
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

static void quarantine(struct delivery *d, const char *reason,
		       const char *header, const char *bytes, size_t len)
{
	struct quarantined *q = &d->bad[d->n_bad++];

	/* Both fit: d->instance is a config's, the reason is cut. */
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

/* False: a name in it is longer than we can keep. */
static bool event_of(struct event *ev, const struct delivery *d,
		     struct centra_event *from)
{
	if (!copy_text(ev->instance, sizeof(ev->instance), d->instance) ||
	    !copy_text(ev->type, sizeof(ev->type), from->type) ||
	    !copy_text(ev->action, sizeof(ev->action), from->action))
		return false;
	memcpy(ev->date, from->date, sizeof(ev->date));
	ev->received = d->received;
	ev->id = from->id;
	ev->task = handler_of_event(ev->type, ev->action);
	ev->data = from->data;
	ev->decoded = from->check_first;
	from->data = NULL;
	from->check_first = NULL;
	if (ev->data)
		digest_of(ev->digest, ev->data, strlen(ev->data));
	return true;
}

static void take_batch(struct delivery *d, const struct centra_batch *b)
{
	d->events = xcalloc(b->n, sizeof(*d->events));
	d->bad = xcalloc(b->n, sizeof(*d->bad));
	for (size_t i = 0; i < b->n; i++) {
		struct centra_event *from = &b->events[i];
		const char *bad = from->bad;

		if (!bad && !event_of(&d->events[d->n_events], d, from)) {
			d->events[d->n_events] = (struct event){0};
			bad = "its type or action is too long";
		}
		if (bad)
			quarantine(d, bad, NULL, from->raw,
				   from->raw ? strlen(from->raw) : 0);
		else
			d->n_events++;
	}
}

/* Keeps a whole body, as far as there is room. */
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

static const char *version_name(enum webhook_version version)
{
	return version == WEBHOOK_CHECKOUT ? "Checkout API" : "Storefront API";
}

void delivery_read(struct delivery *ret, enum webhook_version *ret_version,
		   const char *instance, const char *header, const char *body,
		   size_t len, int64_t now)
{
	struct centra_batch batch = {0};
	char *payload = NULL;
	size_t payload_len = 0;
	struct err e;
	enum rc rc;

	*ret = (struct delivery){.instance = instance, .received = now};
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
		    int64_t now)
{
	*ret = (struct delivery){.instance = instance, .received = now};
	quarantine_body(ret, QUARANTINED_STALE,
			"rightly signed, but its time is too far from ours",
			header, body, len);
}

/* One event that was quarantined alone.  Of a create there may be a part that
 * still cannot be read. */
static enum rc read_event(struct delivery *ret, const struct quarantined *q,
			  struct err *e)
{
	struct centra_batch batch = {0};
	char *json = xasprintf("{\"events\":[%s]}", q->bytes);
	enum rc rc = centra_batch_parse(json, strlen(json), &batch, e);

	if (!rc && (batch.n == 1 || (batch.n == 2 && batch.events[1].bad)))
		take_batch(ret, &batch);
	else if (!rc)
		rc = fail(e, RC_INVALID, "it is not one event");
	centra_batch_release(&batch);
	free(json);
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

/* ---- the receiver: what is kept of each instance ---- */

struct caller {
	struct verifier *verifier; /* owned */
	struct secret_watch *watch; /* borrowed from the receiver */
	bool told_version;	   /* its misconfiguration is in the log */
};

struct receiver {
	struct app *app;
	struct config *config;	/* held: what `callers` was made from */
	struct caller *callers; /* owned; one for each of its instances */
	struct refused *refused; /* owned */
	/* Of every instance there was since the start; owned, each. */
	struct secret_watch **watches;
	size_t n_watches;
};

struct receiver *receiver_open(struct app *app)
{
	struct receiver *r = xcalloc(1, sizeof(*r));

	r->app = app;
	r->refused = refused_open(app, REFUSED_MOST);
	return r;
}

static void forget_callers(struct receiver *r)
{
	if (!r->config)
		return;
	for (size_t i = 0; i < r->config->n_instances; i++)
		verifier_close(r->callers[i].verifier);
	free(r->callers);
	r->callers = NULL;
	config_drop(r->config);
	r->config = NULL;
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	forget_callers(r);
	refused_close(r->refused);
	for (size_t i = 0; i < r->n_watches; i++)
		free(r->watches[i]);
	free(r->watches);
	free(r);
}

/* What is known of an instance's secrets, from its first delivery on. */
static struct secret_watch *watch_of(struct receiver *r, const char *instance)
{
	struct secret_watch *w;
	struct err e;

	for (size_t i = 0; i < r->n_watches; i++)
		if (!strcmp(r->watches[i]->instance, instance))
			return r->watches[i];
	w = xcalloc(1, sizeof(*w));
	if (!copy_text(w->instance, sizeof(w->instance), instance))
		w->instance[0] = '\0'; /* fits: it is a config's */
	if (r->app->store &&
	    store_secret_use(r->app->store, instance, &w->use, &e))
		log_line(LOG_WARN, "the use of a secret was not read",
			 LOG_S("instance", instance), LOG_S("error", e.text));
	r->watches = xrealloc(r->watches, r->n_watches + 1,
			      sizeof(struct secret_watch *));
	r->watches[r->n_watches++] = w;
	return w;
}

/* Holding the config that the callers came from is what makes comparing the
 * pointers enough: its address cannot be another's. */
static void use_config(struct receiver *r)
{
	struct config *c = config_now(r->app->config);

	if (c == r->config) {
		config_drop(c);
		return;
	}
	forget_callers(r);
	r->config = c;
	r->callers = xcalloc(c->n_instances, sizeof(*r->callers));
	for (size_t i = 0; i < c->n_instances; i++) {
		const struct config_instance *in = &c->instances[i];
		const char *const secrets[2] = {in->webhook_secret,
						in->previous_webhook_secret};
		struct err e;

		r->callers[i].watch = watch_of(r, in->id);
		secret_watch_set(r->callers[i].watch, secrets[0], secrets[1]);
		if (verifier_open(&r->callers[i].verifier, secrets, &e))
			log_line(LOG_ERROR, "webhooks cannot be verified",
				 LOG_S("instance", in->id),
				 LOG_S("error", e.text));
	}
}

/* The caller that a request names, and its settings; NULL: none. */
static struct caller *caller_of(struct receiver *r, const char *name,
				const struct config_instance **ret)
{
	use_config(r);
	*ret = config_instance(r->config, name);
	return *ret ? &r->callers[*ret - r->config->instances] : NULL;
}

/* ---- answers ---- */

static void respond_unknown(struct response *res)
{
	respond_problem(res, 404, "unknown_instance",
			"no [centra NAME] in the config has the name at the "
			"end of this address");
}

bool receive_admit(struct request *req, struct response *res)
{
	const struct config_instance *in;

	if (caller_of(request_app(req)->receiver, req->param, &in))
		return true;
	respond_unknown(res);
	return false;
}

#define PATH_SHOWN 100 /* bytes */

void receive_misdirected(struct app *app, const struct request *req)
{
	const char *header = request_header(req, SIGNATURE_HEADER);
	char path[PATH_SHOWN + 1];

	if (!header || !signature_well_formed(header))
		return;
	COUNT(&app->counters, webhooks_misdirected_total);
	snprintf(path, sizeof(path), "%s", req->path);
	text_trim(path);
	log_limited(REFUSALS_A_MINUTE, LOG_WARN,
		    "a webhook came to an address that is none: look at the "
		    "Webhook URL in Centra",
		    LOG_S("method", req->method), LOG_S("path", path),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
}

static void respond_counts(struct app *app, struct response *res,
			   const struct recorded *n)
{
	COUNT(&app->counters, webhooks_total);
	buf_fmt(&res->body,
		"{\"events\":%u,\"new\":%u,\"duplicates\":%u,"
		"\"quarantined\":%u}",
		n->fresh + n->duplicates + n->quarantined, n->fresh,
		n->duplicates, n->quarantined);
	respond_json(res, 200);
}

static void respond_not_stored(struct app *app, struct response *res)
{
	COUNT(&app->counters, webhooks_not_stored_total);
	respond_problem(res, 503, "not_stored",
			"nothing can be kept right now; send it again");
	res->retry_after = 1;
}

static void respond_refused(struct request *req, struct response *res,
			    const struct config_instance *in, enum verdict v)
{
	static const struct {
		const char *code, *detail;
	} of[] = {
		[VERDICT_NO_HEADER] = {"signature_missing",
			"there is no X-Centra-Signature header; set an "
			"endpoint secret in the webhook plugin"},
		[VERDICT_MALFORMED] = {"signature_malformed",
			"X-Centra-Signature is not of the form "
			"t=SECONDS,v1=64 HEX DIGITS"},
		[VERDICT_WRONG] = {"signature_wrong",
			"the signature was not made over this body with a "
			"secret that is set here"},
		[VERDICT_STALE] = {"signature_stale",
			"the signature is right, but its time is too far from "
			"ours"},
	};

	if (v == VERDICT_STALE)
		COUNT(&request_app(req)->counters,
		      webhooks_refused_stale_total);
	else
		COUNT(&request_app(req)->counters,
		      webhooks_refused_signature_total);
	log_limited(REFUSALS_A_MINUTE, LOG_WARN, "webhook refused",
		    LOG_S("instance", in->id), LOG_S("code", of[v].code),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 401, of[v].code, "%s", of[v].detail);
}

/* Another version of the plugin tells nothing of orders.  A refusal would help
 * nobody, since Centra does not show it; the log does. */
static void tell_version(struct app *app, const struct config_instance *in,
			 struct caller *c, enum webhook_version version)
{
	COUNT(&app->counters, webhooks_wrong_version_total);
	if (!c->told_version)
		log_line(LOG_ERROR,
			 "the webhook plugin sends another version: set its "
			 "version to Integration API in Centra",
			 LOG_S("instance", in->id),
			 LOG_S("version", version_name(version)));
	c->told_version = true;
}

/* ---- storing ---- */

struct storing {
	struct app *app;
	struct request *req;	 /* borrowed; NULL once it has ended */
	struct delivery delivery; /* its instance is `instance` */
	char instance[INSTANCE_SIZE];
	struct recorded recorded;
	struct store_done done;
	struct http_call call;
	enum rc rc;
	struct err e;
	bool ended;	/* the writer has said how it went */
	recorded_fn *fn; /* of one that no request waits for; or NULL */
	void *arg;
	size_t bytes;	/* of http_buffered() */
	unsigned holds; /* the request's and the writer's */
};

static size_t delivery_bytes(const struct delivery *d)
{
	size_t ret = d->n_events * sizeof(*d->events) +
		     d->n_bad * sizeof(*d->bad);

	for (size_t i = 0; i < d->n_events; i++)
		ret += d->events[i].data ? strlen(d->events[i].data) : 0;
	for (size_t i = 0; i < d->n_bad; i++)
		ret += d->bad[i].len;
	return ret;
}

static void storing_drop(struct storing *s)
{
	if (--s->holds)
		return;
	http_buffered(s->app->http, -(int64_t)s->bytes);
	delivery_release(&s->delivery);
	free(s);
}

/* The request has ended, answered or not. */
static void request_gone(void *state)
{
	struct storing *s = state;

	s->req = NULL;
	storing_drop(s);
}

static void log_dead(const struct storing *s)
{
	for (size_t i = 0; s->recorded.dead && i < s->delivery.n_events; i++) {
		const struct event *ev = &s->delivery.events[i];

		if (ev->end == EVENT_DEAD)
			log_line(LOG_ERROR, "event given up",
				 LOG_S("instance", s->instance),
				 LOG_N("order", ev->id), LOG_S("kind", ev->task),
				 LOG_N("task", (int64_t)ev->dead_task),
				 LOG_S("why", ev->fault));
	}
}

/* What became durable is counted when it did, whatever the request was told. */
static void count_recorded(const struct storing *s)
{
	unsigned unknown = 0;

	for (size_t i = 0; i < s->delivery.n_events; i++)
		if (s->delivery.events[i].seq && !s->delivery.events[i].task)
			unknown++;
	COUNT_BY(&s->app->counters, events_total, s->recorded.fresh);
	COUNT_BY(&s->app->counters, events_duplicate_total, s->recorded.duplicates);
	COUNT_BY(&s->app->counters, events_quarantined_total, s->recorded.quarantined);
	COUNT_BY(&s->app->counters, events_unknown_total, unknown);
	COUNT_BY(&s->app->counters, events_applied_total, s->recorded.applied);
	COUNT_BY(&s->app->counters, tasks_dead_total, s->recorded.dead);
	log_line(LOG_DEBUG, "webhook stored", LOG_S("instance", s->instance),
		 LOG_N("new", s->recorded.fresh),
		 LOG_N("duplicates", s->recorded.duplicates),
		 LOG_N("quarantined", s->recorded.quarantined));
	log_dead(s);
	for (size_t i = 0; s->recorded.quarantined && i < s->delivery.n_bad;
	     i++)
		log_limited(REFUSALS_A_MINUTE, LOG_WARN, "quarantined",
			    LOG_S("instance", s->instance),
			    LOG_S("why", s->delivery.bad[i].reason));
}

/* The disk's word, good or bad, is acted on even if nobody waits any more. */
static void end_storing(struct storing *s)
{
	s->ended = true;
	if (!s->rc) {
		count_recorded(s);
		return;
	}
	log_limited(REFUSALS_A_MINUTE, LOG_ERROR, "webhook not stored",
		    LOG_S("instance", s->instance), LOG_S("rc", rc_name(s->rc)),
		    LOG_S("error", s->e.text));
}

/* In the loop thread, after recorded(). */
static void told(struct http_call *call)
{
	struct storing *s = call->arg;

	end_storing(s);
	if (s->req)
		request_resume(s->req);
	if (s->fn)
		s->fn(s->arg, s->rc, &s->recorded);
	storing_drop(s);
}

/* A store_done: in the writer thread. */
static void recorded(struct store_done *done, enum rc rc, const struct err *e)
{
	struct storing *s = done->arg;

	s->rc = rc;
	if (rc && e)
		s->e = *e;
	http_call(s->app->http, &s->call);
}

/* The promise behind a 200.  The sum is there so that no mistake elsewhere can
 * acknowledge what nobody counted. */
static bool all_stored(const struct storing *s)
{
	const struct recorded *n = &s->recorded;

	return !s->rc && (size_t)n->fresh + n->duplicates + n->quarantined ==
				 s->delivery.n_events + s->delivery.n_bad;
}

/* An endpoint_fn: the writer has spoken, or the request waited long enough. */
static void answer_stored(struct request *req, struct response *res)
{
	struct storing *s = req->state;

	if (s->ended && all_stored(s))
		respond_counts(request_app(req), res, &s->recorded);
	else
		respond_not_stored(request_app(req), res);
}

static struct storing *storing_new(struct app *app, const struct delivery *d)
{
	struct storing *s = xcalloc(1, sizeof(*s));

	s->app = app;
	s->delivery = *d;
	s->delivery.now = time_now();
	s->bytes = delivery_bytes(d);
	http_buffered(app->http, (int64_t)s->bytes);
	if (copy_text(s->instance, sizeof(s->instance), d->instance))
		s->delivery.instance = s->instance;
	s->done = (struct store_done){.fn = recorded, .arg = s};
	s->call = (struct http_call){.fn = told, .arg = s};
	s->holds = 1;
	return s;
}

enum rc receive_record(struct app *app, const struct delivery *d,
		       recorded_fn *fn, void *arg)
{
	struct storing *s = storing_new(app, d);
	struct err e = {""};
	enum rc rc;

	s->fn = fn;
	s->arg = arg;
	rc = store_record(app->store, &s->delivery, &s->recorded, &s->done,
			  &e);
	if (!rc)
		return OK;
	s->rc = rc;
	s->e = e;
	end_storing(s);
	storing_drop(s);
	return rc;
}

/* Takes over what d owns.
 *
 * Once store_record() has it, s->rc and s->e are the writer's, which may be
 * done before the call returns: what the call itself says is kept apart.  The
 * writer's word comes through this thread, so the request is aside by then. */
static void store_delivery(struct request *req, struct response *res,
			   const struct delivery *d)
{
	struct storing *s = storing_new(request_app(req), d);
	int64_t write_wait = s->app->receiver->config->server.write_wait;
	struct err e = {""};
	enum rc rc;

	s->req = req;
	req->state = s;
	req->state_free = request_gone;
	s->holds++;
	rc = store_record(request_app(req)->store, &s->delivery, &s->recorded,
			  &s->done, &e);
	if (!rc) {
		request_later(req, answer_stored, time_mono() + write_wait);
		return;
	}
	s->holds--;
	s->rc = rc;
	s->e = e;
	end_storing(s);
	respond_not_stored(request_app(req), res);
}

static void count_secret(struct app *app, struct caller *c, int secret,
			 int64_t when)
{
	if (secret == 1)
		COUNT(&app->counters, webhooks_previous_secret_total);
	secret_watch_signed(c->watch, secret, when);
}

/* What Centra signed and we would not run is not to be lost: a clock that is
 * wrong here, or a secret that was mistyped, is mended, and then it runs.  Of
 * what no secret of ours signed nothing is written. */
static void keep_refused(struct request *req, const struct config_instance *in,
			 const char *header, enum verdict v)
{
	struct delivery d;

	if (v == VERDICT_WRONG) {
		refused_keep(request_app(req)->receiver->refused, in->id,
			     req->client, header, req->body, req->body_len,
			     req->now);
	} else if (v == VERDICT_STALE) {
		log_limited(REFUSALS_A_MINUTE, LOG_ERROR,
			    "a rightly signed webhook is too old or from the "
			    "future: look at this machine's clock",
			    LOG_S("instance", in->id));
		delivery_stale(&d, in->id, header, req->body, req->body_len,
			       req->now);
		/* What went wrong was logged. */
		(void)!receive_record(request_app(req), &d, NULL, NULL);
	}
}

void receive_webhook(struct request *req, struct response *res)
{
	const struct config_instance *in;
	struct caller *c =
		caller_of(request_app(req)->receiver, req->param, &in);
	const char *header = request_header(req, SIGNATURE_HEADER);
	enum webhook_version version;
	enum verdict v;
	struct delivery d;
	int secret;

	if (!c) {
		respond_unknown(res);
		return;
	}
	if (!c->verifier) { /* our fault, not the delivery's */
		respond_not_stored(request_app(req), res);
		return;
	}
	v = verifier_check(c->verifier, header, req->body, req->body_len,
			   req->now, in->webhook_tolerance, &secret);
	if (v != VERDICT_GENUINE) {
		keep_refused(req, in, header, v);
		respond_refused(req, res, in, v);
		return;
	}
	count_secret(request_app(req), c, secret, req->now);
	delivery_read(&d, &version, in->id, header, req->body, req->body_len,
		      req->now);
	if (version != WEBHOOK_INTEGRATION)
		tell_version(request_app(req), in, c, version);
	if (d.n_events || d.n_bad) {
		store_delivery(req, res, &d);
		return;
	}
	respond_counts(request_app(req), res, &(struct recorded){0});
	delivery_release(&d);
}

/* ---- what is done besides ---- */

enum verdict receiver_judge(struct receiver *r, const char *instance,
			    const char *header, const void *body, size_t len,
			    int64_t when, int *ret_secret)
{
	const struct config_instance *in;
	struct caller *c = caller_of(r, instance, &in);

	*ret_secret = -1;
	if (!c || !c->verifier)
		return VERDICT_WRONG;
	return verifier_check(c->verifier, header, body, len, when,
			      in->webhook_tolerance, ret_secret);
}

void receiver_signed(struct receiver *r, const char *instance, int secret,
		     int64_t when)
{
	const struct config_instance *in;
	struct caller *c = caller_of(r, instance, &in);

	if (c)
		count_secret(r->app, c, secret, when);
}

struct refused *receiver_refused(const struct receiver *r)
{
	return r->refused;
}

const struct secret_watch *receiver_secrets(const struct receiver *r, size_t i)
{
	return r && i < r->n_watches ? r->watches[i] : NULL;
}

/* A write of what is known of a secret: lives until it is done.  The watches
 * outlive the writer. */
struct keeping {
	struct store_done done;
	struct secret_watch *watch;
	char instance[INSTANCE_SIZE];
	struct secret_use use;
};

static void kept(struct store_done *done, enum rc rc, const struct err *e)
{
	struct keeping *k = done->arg;

	(void)e;
	if (rc)
		secret_watch_lost(k->watch);
	free(k);
}

static void keep_use(struct receiver *r, struct secret_watch *w)
{
	struct keeping *k = xcalloc(1, sizeof(*k));

	k->done = (struct store_done){.fn = kept, .arg = k};
	k->watch = w;
	k->use = w->use;
	memcpy(k->instance, w->instance, sizeof(k->instance));
	if (store_secret_used(r->app->store, k->instance, &k->use, &k->done,
			      NULL)) {
		secret_watch_lost(w);
		free(k);
	}
}

static void look_at_secrets(struct receiver *r, int64_t now)
{
	use_config(r);
	for (size_t i = 0; i < r->n_watches; i++) {
		struct secret_watch *w = r->watches[i];

		if (secret_watch_keep(w, now))
			keep_use(r, w);
		if (secret_watch_tell(w, now))
			log_line(LOG_INFO,
				 "the previous webhook secret was not used for "
				 "a day: remove previous_webhook_secret",
				 LOG_S("instance", w->instance));
	}
}

/* A call into the loop thread that frees itself. */
struct errand {
	struct http_call call;
	struct receiver *receiver;
};

static void send_errand(struct receiver *r, void (*fn)(struct http_call *call))
{
	struct errand *x = xcalloc(1, sizeof(*x));

	x->call = (struct http_call){.fn = fn, .arg = x};
	x->receiver = r;
	http_call(r->app->http, &x->call);
}

static void run_tick(struct http_call *call)
{
	struct errand *x = call->arg;

	look_at_secrets(x->receiver, time_now());
	free(x);
}

static void run_reloaded(struct http_call *call)
{
	struct errand *x = call->arg;

	use_config(x->receiver);
	refused_retry(x->receiver->refused);
	free(x);
}

void receiver_tick(struct receiver *r)
{
	send_errand(r, run_tick);
}

void receiver_reloaded(struct receiver *r)
{
	send_errand(r, run_reloaded);
}

void receiver_stop(struct receiver *r)
{
	struct err e;

	if (!r)
		return;
	refused_stop(r->refused);
	for (size_t i = 0; i < r->n_watches; i++)
		if (secret_watch_dirty(r->watches[i]) &&
		    store_secret_used(r->app->store, r->watches[i]->instance,
				      &r->watches[i]->use, NULL, &e))
			log_line(LOG_WARN, "the use of a secret was not kept",
				 LOG_S("error", e.text));
}
