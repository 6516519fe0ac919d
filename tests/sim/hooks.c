/* SPDX-License-Identifier: MIT */
#include "tests/sim/hooks.h"

#include <curl/curl.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/clock.h"

#define LOG_MAX  200 /* newest deliveries kept */
#define REPLY_MAX 65536

struct waiting {
	cJSON *event; /* owned */
	int64_t due;
	struct waiting *next;
};

struct switches {
	bool raw_space; /* %20 instead of + */
	bool shuffle, paused, off;
	int64_t loss, repeats; /* percent */
	int64_t delay;         /* ms, the most */
	int64_t batch, collect; /* events, ms */
	int64_t retries, retry_first, timeout; /* times, ms, ms */
};

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	char *url, *secret; /* owned */
	struct switches s, first;
	unsigned seed, random;
	struct waiting *queue; /* owned, oldest first */
	cJSON *log;            /* owned */
	int64_t events, lost, repeated, delivered, failed, tries;
	bool busy; /* a delivery is under way */
} h = {.lock = PTHREAD_MUTEX_INITIALIZER};
static atomic_bool stop;

static unsigned chance(unsigned below)
{
	h.random = h.random * 1664525u + 1013904223u;
	return below ? (h.random >> 8) % below : 0;
}

/* ---- one delivery ---- */

struct delivery {
	char *url, *secret, *payload; /* owned */
	int64_t t;                    /* 0: now */
	bool raw_space;
	int64_t timeout;
};

static void delivery_release(struct delivery *d)
{
	free(d->url);
	free(d->secret);
	free(d->payload);
}

static char *signature(const char *secret, int64_t t, const char *body)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	struct text msg, out;
	unsigned len = 0;
	char *text;

	text_begin(&msg);
	fprintf(msg.f, "%lld.%s", (long long)t, body);
	text = text_end(&msg);
	HMAC(EVP_sha256(), secret, (int)strlen(secret),
	     (const unsigned char *)text, strlen(text), mac, &len);
	free(text);
	text_begin(&out);
	fprintf(out.f, "X-Centra-Signature: t=%lld,v1=", (long long)t);
	for (unsigned i = 0; i < len; i++)
		fprintf(out.f, "%02x", mac[i]);
	return text_end(&out);
}

static size_t keep_reply(char *p, size_t size, size_t n, void *arg)
{
	struct text *t = arg;

	if (ftell(t->f) + (long)(size * n) <= REPLY_MAX)
		fwrite(p, size, n, t->f);
	return size * n;
}

static int give_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		   curl_off_t d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	return stop;
}

/* Posts it once.  The status, or 0 when no answer came.  *ret_body may be
 * NULL. */
static long post(CURL *curl, const struct delivery *d, char **ret_body)
{
	int64_t t = d->t ? d->t : (int64_t)time(NULL);
	char *value = php_urlencode(d->payload, d->raw_space), *sign, *body;
	struct curl_slist *headers = NULL;
	struct text form, reply;
	long status = 0;

	text_begin(&form);
	fprintf(form.f, "payload=%s", value);
	body = text_end(&form);
	sign = signature(d->secret, t, body);
	headers = curl_slist_append(NULL, sign);
	headers = curl_slist_append(headers, "Expect:");
	text_begin(&reply);
	curl_easy_setopt(curl, CURLOPT_URL, d->url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)d->timeout);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, give_up);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	free(value);
	value = text_end(&reply);
	if (ret_body)
		*ret_body = value;
	else
		free(value);
	curl_slist_free_all(headers);
	free(sign);
	free(body);
	return status;
}

/* ---- the sender ---- */

/* A place in the queue: at the end, or anywhere when shuffled. */
static void enqueue(cJSON *event, int64_t due)
{
	struct waiting *n = must(calloc(1, sizeof(*n))), **p = &h.queue;

	n->event = event;
	n->due = due;
	while (*p)
		p = &(*p)->next;
	*p = n;
}

/* Takes one due event (any of them when shuffled) out of the queue. */
static cJSON *take(int64_t now)
{
	struct waiting **p, **chosen = NULL, *n;
	unsigned due = 0;
	cJSON *event;

	for (p = &h.queue; *p; p = &(*p)->next) {
		if ((*p)->due > now)
			continue;
		due++;
		if (!chosen || (h.s.shuffle && chance(due) == 0))
			chosen = p;
	}
	if (!chosen)
		return NULL;
	n = *chosen;
	*chosen = n->next;
	event = n->event;
	free(n);
	return event;
}

/* Lets the switches act on one event about to be sent; NULL when it is lost. */
static cJSON *fate(cJSON *event, int64_t now)
{
	if (chance(100) < (unsigned)h.s.repeats) {
		h.repeated++;
		enqueue(must(cJSON_Duplicate(event, 1)), now + chance(50));
	}
	if (chance(100) < (unsigned)h.s.loss) {
		h.lost++;
		cJSON_Delete(event);
		return NULL;
	}
	return event;
}

/* The next delivery's payload, or NULL when nothing is due. */
static bool next_delivery(struct delivery *d, int64_t *ret_n)
{
	int64_t now = clock_ms(), n = 0;
	cJSON *root, *list, *event;

	if (h.s.paused || !h.queue ||
	    (h.queue->due + h.s.collect > now && h.s.collect))
		return false;
	root = must(cJSON_CreateObject());
	list = cJSON_AddArrayToObject(root, "events");
	while (n < h.s.batch && (event = take(now))) {
		event = fate(event, now);
		if (event)
			cJSON_AddItemToArray(list, event);
		n += event != NULL;
	}
	if (n > 0) {
		*d = (struct delivery){.url = must(strdup(h.url)),
				       .secret = must(strdup(h.secret)),
				       .payload = php_json(root),
				       .raw_space = h.s.raw_space,
				       .timeout = h.s.timeout};
	}
	*ret_n = n;
	cJSON_Delete(root);
	return n > 0;
}

static void remember(long status, int64_t events, int64_t tries, bool ok,
		     const char *payload)
{
	cJSON *v = must(cJSON_CreateObject());

	json_add_int(v, "status", status);
	json_add_int(v, "events", events);
	json_add_int(v, "tries", tries);
	cJSON_AddBoolToObject(v, "delivered", ok);
	cJSON_AddStringToObject(v, "payload", payload);
	cJSON_AddItemToArray(h.log, v);
	if (cJSON_GetArraySize(h.log) > LOG_MAX)
		cJSON_DeleteItemFromArray(h.log, 0);
	h.tries += tries;
	*(ok ? &h.delivered : &h.failed) += events;
}

static void deliver(CURL *curl, const struct delivery *d, int64_t events)
{
	int64_t wait, retries, tries = 0;
	long status = 0;
	bool ok = false;

	pthread_mutex_lock(&h.lock);
	wait = h.s.retry_first;
	retries = h.s.retries;
	pthread_mutex_unlock(&h.lock);
	while (!ok && tries <= retries && !stop) {
		if (tries > 0) {
			clock_sleep(wait);
			wait *= 2;
		}
		status = post(curl, d, NULL);
		ok = status >= 200 && status < 300;
		tries++;
	}
	pthread_mutex_lock(&h.lock);
	remember(status, events, tries, ok, d->payload);
	h.busy = false;
	pthread_mutex_unlock(&h.lock);
}

static void *sender(void *arg)
{
	CURL *curl = must(curl_easy_init());

	(void)arg;
	while (!stop) {
		struct delivery d = {0};
		int64_t n = 0;
		bool any;

		pthread_mutex_lock(&h.lock);
		any = next_delivery(&d, &n);
		h.busy = any;
		pthread_mutex_unlock(&h.lock);
		if (any)
			deliver(curl, &d, n);
		else
			clock_sleep(2);
		delivery_release(&d);
	}
	curl_easy_cleanup(curl);
	return NULL;
}

/* ---- calls ---- */

void hooks_event(const char *type, const char *action, int64_t id, cJSON *data)
{
	cJSON *e = must(cJSON_CreateObject());
	char date[CLOCK_TEXT];

	cJSON_AddStringToObject(e, "type", type);
	cJSON_AddStringToObject(e, "action", action);
	cJSON_AddStringToObject(e, "date", clock_stamp(date));
	json_add_int(e, "id", id);
	if (data)
		cJSON_AddItemToObject(e, "data", data);
	pthread_mutex_lock(&h.lock);
	h.events++;
	if (h.s.off)
		cJSON_Delete(e);
	else
		enqueue(e, clock_ms() +
				   (h.s.delay ? chance((unsigned)h.s.delay) : 0));
	pthread_mutex_unlock(&h.lock);
}

static void set_text(char **field, const char *value)
{
	if (!value)
		return;
	free(*field);
	*field = must(strdup(value));
}

void hooks_settings(const cJSON *spec)
{
	const char *space = json_text(spec, "space", NULL);
	struct switches *s = &h.s;

	pthread_mutex_lock(&h.lock);
	set_text(&h.url, json_text(spec, "url", NULL));
	set_text(&h.secret, json_text(spec, "secret", NULL));
	if (space)
		s->raw_space = !strcmp(space, "percent");
	s->shuffle = json_flag(spec, "shuffle", s->shuffle);
	s->paused = json_flag(spec, "paused", s->paused);
	s->off = json_flag(spec, "off", s->off);
	s->loss = json_int(spec, "loss", s->loss);
	s->repeats = json_int(spec, "repeats", s->repeats);
	s->delay = json_int(spec, "delay", s->delay);
	s->batch = json_int(spec, "batch", s->batch);
	s->collect = json_int(spec, "collect", s->collect);
	s->retries = json_int(spec, "retries", s->retries);
	s->retry_first = json_int(spec, "retry_first", s->retry_first);
	s->timeout = json_int(spec, "timeout", s->timeout);
	pthread_mutex_unlock(&h.lock);
}

cJSON *hooks_send(const cJSON *spec)
{
	const cJSON *payload = cJSON_GetObjectItemCaseSensitive(spec,
								"payload");
	const char *raw = json_text(spec, "raw", NULL);
	const char *space = json_text(spec, "space", NULL);
	cJSON *events = NULL, *v = must(cJSON_CreateObject());
	CURL *curl = must(curl_easy_init());
	struct delivery d = {.t = json_int(spec, "t", 0)};
	char *body = NULL;

	if (!payload) {
		events = must(cJSON_CreateObject());
		cJSON_AddItemToObject(
			events, "events",
			cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(
						spec, "events"),
					1));
	}
	pthread_mutex_lock(&h.lock);
	d.url = must(strdup(h.url));
	d.secret = must(strdup(json_text(spec, "secret", h.secret)));
	d.raw_space = space ? !strcmp(space, "percent") : h.s.raw_space;
	d.timeout = h.s.timeout;
	pthread_mutex_unlock(&h.lock);
	d.payload = raw ? must(strdup(raw))
			: php_json(payload ? payload : events);
	json_add_int(v, "status", post(curl, &d, &body));
	cJSON_AddStringToObject(v, "body", body);
	free(body);
	delivery_release(&d);
	cJSON_Delete(events);
	curl_easy_cleanup(curl);
	return v;
}

cJSON *hooks_state(void)
{
	cJSON *v = must(cJSON_CreateObject());
	int64_t waiting = 0;

	pthread_mutex_lock(&h.lock);
	for (struct waiting *n = h.queue; n; n = n->next)
		waiting++;
	cJSON_AddStringToObject(v, "url", h.url);
	json_add_int(v, "events", h.events);
	json_add_int(v, "waiting", waiting + h.busy);
	json_add_int(v, "lost", h.lost);
	json_add_int(v, "repeated", h.repeated);
	json_add_int(v, "delivered", h.delivered);
	json_add_int(v, "failed", h.failed);
	json_add_int(v, "tries", h.tries);
	cJSON_AddItemToObject(v, "deliveries",
			      must(cJSON_Duplicate(h.log, 1)));
	pthread_mutex_unlock(&h.lock);
	return v;
}

static void forget(void)
{
	while (h.queue) {
		struct waiting *n = h.queue;

		h.queue = n->next;
		cJSON_Delete(n->event);
		free(n);
	}
	cJSON_Delete(h.log);
	h.log = must(cJSON_CreateArray());
}

void hooks_reset(void)
{
	pthread_mutex_lock(&h.lock);
	forget();
	h.s = h.first;
	h.random = h.seed;
	h.events = h.lost = h.repeated = h.delivered = h.failed = h.tries = 0;
	pthread_mutex_unlock(&h.lock);
}

void hooks_start(const char *url, const char *secret, bool raw_space,
		 unsigned seed)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	h.url = must(strdup(url));
	h.secret = must(strdup(secret));
	h.seed = seed;
	h.first = (struct switches){.raw_space = raw_space,
				    .batch = 100,
				    .retry_first = 1000,
				    .timeout = 5000};
	hooks_reset();
	if (pthread_create(&h.thread, NULL, sender, NULL))
		abort();
}

void hooks_stop(void)
{
	stop = true;
	pthread_join(h.thread, NULL);
	forget();
	cJSON_Delete(h.log);
	free(h.url);
	free(h.secret);
	curl_global_cleanup();
}
