/* SPDX-License-Identifier: MIT
 *
 * receive.c - see receive.h.
 */
#include "server/webhook/receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "server/webhook/delivery.h"
#include "server/webhook/receive_private.h"
#include "server/webhook/record.h"

static struct receiver *of_request(const struct request *req)
{
	return req->context;
}

/* ---- responses ---- */

#define PATH_SHOWN 100 /* bytes */

void receive_misdirected(struct receiver *r, const struct request *req)
{
	const char *header = request_header(req, SIGNATURE_HEADER);
	char path[PATH_SHOWN + 1];

	if (!header || !signature_well_formed(header))
		return;
	COUNT(r->its.counters, webhooks_misdirected_total);
	snprintf(path, sizeof(path), "%s", req->path);
	text_trim(path);
	log_limited(LINES_A_MINUTE, LOG_WARN,
		    "a webhook came to an address that is none: look at the "
		    "Webhook URL in Centra",
		    LOG_S("method", req->method), LOG_S("path", path),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
}

static void respond_unknown(struct response *res)
{
	respond_problem(res, 404, "unknown_instance",
			"no [centra NAME] in the config has the name at the "
			"end of this address");
}

static void respond_counts(struct receiver *r, struct response *res,
			   const struct recorded *n)
{
	COUNT(r->its.counters, webhooks_total);
	json_begin(&res->body, NULL);
	json_put_uint(&res->body, "events",
		      n->fresh + n->duplicates + n->quarantined);
	json_put_uint(&res->body, "new", n->fresh);
	json_put_uint(&res->body, "duplicates", n->duplicates);
	json_put_uint(&res->body, "quarantined", n->quarantined);
	json_end(&res->body);
	respond_json(res, 200);
}

static void respond_not_stored(struct receiver *r, struct response *res)
{
	COUNT(r->its.counters, webhooks_not_stored_total);
	respond_problem(res, 503, "not_stored",
			"nothing can be kept right now; send it again");
	res->retry_after = 1;
}

static void respond_unverified(struct request *req, struct response *res,
			       const char *instance, enum verdict v)
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
		COUNT(of_request(req)->its.counters,
		      webhooks_refused_stale_total);
	else
		COUNT(of_request(req)->its.counters,
		      webhooks_refused_signature_total);
	log_limited(LINES_A_MINUTE, LOG_WARN, "webhook refused",
		    LOG_S("instance", instance), LOG_S("code", of[v].code),
		    LOG_S("peer", req->client), LOG_REQUEST(req));
	respond_problem(res, 401, of[v].code, "%s", of[v].detail);
}

/* Logs once that the plugin sends another version of the webhook, which says
 * nothing about orders.  Refusing it would not help, since Centra shows
 * refusals to nobody. */
static void log_version(struct receiver *r, struct keys *k,
			enum webhook_version version)
{
	COUNT(r->its.counters, webhooks_wrong_version_total);
	if (!k->version_logged)
		log_line(LOG_ERROR,
			 "the webhook plugin sends another version: set its "
			 "version to Integration API in Centra",
			 LOG_S("instance", k->instance->id),
			 LOG_S("version", version_name(version)));
	k->version_logged = true;
}

/* ---- a webhook ---- */

bool receive_admit(struct request *req, struct response *res)
{
	if (verifiers_find(of_request(req)->verifiers, req->param))
		return true;
	respond_unknown(res);
	return false;
}

/* Keeps a refused delivery that may be Centra's.  A wrong signature: in memory,
 * to be judged again after our secret is corrected.  A right signature with a
 * wrong time: in quarantine, since a clock is to blame.  Nothing is written to
 * disk for a sender without a secret of ours. */
static void keep_unverified(struct request *req, const struct keys *k,
			    const char *header, enum verdict v)
{
	struct receiver *r = of_request(req);
	const char *instance = k->instance->id;
	struct delivery d;

	if (v == VERDICT_WRONG) {
		unverified_keep(r->unverified, instance, req->client, header,
				req->body, req->body_len, req->now);
	} else if (v == VERDICT_STALE) {
		log_limited(LINES_A_MINUTE, LOG_ERROR,
			    "a rightly signed webhook is too old or from the "
			    "future: look at this machine's clock",
			    LOG_S("instance", instance));
		delivery_stale(&d, instance, header, req->body, req->body_len,
			       req->now);
		/* A failure was logged by record(). */
		(void)!record(r, &d, NULL, NULL);
	}
}

/* Responds when the delivery is on disk, could not be stored, or has waited for
 * long enough.  An endpoint_fn. */
static void answer_recorded(struct request *req, struct response *res)
{
	const struct recorded *n = record_result(req);

	if (n)
		respond_counts(of_request(req), res, n);
	else
		respond_not_stored(of_request(req), res);
}

static void take_genuine(struct request *req, struct response *res,
			 struct keys *k, const char *header)
{
	struct receiver *r = of_request(req);
	const struct config *config = verifiers_config(r->verifiers);
	enum webhook_version version;
	struct delivery d;

	delivery_read(&d, &version, k->instance->id, header, req->body,
		      req->body_len, req->now);
	if (version != WEBHOOK_INTEGRATION)
		log_version(r, k, version);
	if (!d.n_events && !d.n_bad) {
		respond_counts(r, res, &(struct recorded){0});
		delivery_release(&d);
	} else if (!record_and_wait(r, req, &d, answer_recorded,
				    time_mono() + config->server.write_wait)) {
		respond_not_stored(r, res);
	}
}

void receive_webhook(struct request *req, struct response *res)
{
	struct receiver *r = of_request(req);
	struct keys *k = verifiers_find(r->verifiers, req->param);
	const char *header = request_header(req, SIGNATURE_HEADER);
	enum verdict v;
	int secret;

	if (!k) { /* a reload removed the instance after the header was read */
		respond_unknown(res);
		return;
	}
	if (!k->verifier) { /* the fault is ours, not the delivery's */
		respond_not_stored(r, res);
		return;
	}
	v = keys_check(k, header, req->body, req->body_len, req->now, &secret);
	if (v != VERDICT_GENUINE) {
		keep_unverified(req, k, header, v);
		respond_unverified(req, res, k->instance->id, v);
		return;
	}
	keys_signed(r->verifiers, k, secret, req->now);
	take_genuine(req, res, k, header);
}

/* ---- from other threads ---- */

/* A call into the loop thread; it frees itself. */
struct loop_call {
	struct http_call call;
	struct receiver *receiver;
	struct config *config; /* held: the config after a reload; or NULL */
};

static void call_loop(struct receiver *r, struct config *config,
		      void (*fn)(struct http_call *call))
{
	struct loop_call *x = xcalloc(1, sizeof(*x));

	x->call = (struct http_call){.fn = fn, .arg = x};
	x->receiver = r;
	x->config = config;
	http_call(*r->its.http, &x->call);
}

static void run_tick(struct http_call *call)
{
	struct loop_call *x = call->arg;

	verifiers_tick(x->receiver->verifiers, time_now());
	free(x);
}

static void run_reloaded(struct http_call *call)
{
	struct loop_call *x = call->arg;

	verifiers_use(x->receiver->verifiers, x->config);
	config_drop(x->config);
	unverified_retry(x->receiver->unverified);
	free(x);
}

void receiver_tick(struct receiver *r)
{
	call_loop(r, NULL, run_tick);
}

void receiver_reloaded(struct receiver *r)
{
	struct config *config = config_now(r->its.config);

	verifiers_prepare(r->verifiers, config);
	call_loop(r, config, run_reloaded);
}

/* ---- birth and death ---- */

struct receiver *receiver_open(const struct receiver_parts *parts)
{
	struct config *config = config_now(parts->config);
	struct receiver *r = xcalloc(1, sizeof(*r));

	r->its = *parts;
	r->verifiers = verifiers_open(parts->store, config, parts->counters,
				      parts->http);
	config_drop(config);
	r->unverified = unverified_open(r, UNVERIFIED_MOST);
	return r;
}

void receiver_stop(struct receiver *r)
{
	if (!r)
		return;
	unverified_stop(r->unverified);
	verifiers_keep(r->verifiers);
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	unverified_close(r->unverified);
	verifiers_close(r->verifiers);
	free(r);
}

const struct unverified *receiver_unverified(const struct receiver *r)
{
	return r->unverified;
}

const struct secret_watch *receiver_secret(const struct receiver *r, size_t i)
{
	return verifiers_secret(r->verifiers, i);
}
