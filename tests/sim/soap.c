/* SPDX-License-Identifier: MIT */
#include "tests/sim/soap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/feed.h"

#define USER	 "soap-user"
#define GET_MOST 100
#define SPACE	 "http://www.centra.com/webservices/"

static struct {
	pthread_mutex_t lock;
	char password[64];
	char *next; /* owned, or NULL */
	int64_t status;
} s = {.lock = PTHREAD_MUTEX_INITIALIZER, .password = "soap-password"};

void soap_settings(const cJSON *spec)
{
	const char *next = json_text(spec, "soap_next", NULL);
	const char *password = json_text(spec, "soap_password", NULL);

	pthread_mutex_lock(&s.lock);
	if (next) {
		free(s.next);
		s.next = must(strdup(next));
		s.status = json_int(spec, "soap_status", 200);
	}
	if (password)
		snprintf(s.password, sizeof(s.password), "%s", password);
	pthread_mutex_unlock(&s.lock);
}

void soap_reset(void)
{
	pthread_mutex_lock(&s.lock);
	free(s.next);
	s.next = NULL;
	pthread_mutex_unlock(&s.lock);
}

/* What stands in the first element of that name, in ret; false: there is no
 * such element. */
static bool element(const char *body, const char *name, char ret[64])
{
	char open[64], *at, *end;

	snprintf(open, sizeof(open), "<%s>", name);
	at = strstr(body, open);
	if (!at)
		return false;
	at += strlen(open);
	end = strchr(at, '<');
	snprintf(ret, 64, "%.*s", end ? (int)(end - at) : 0, at);
	return true;
}

static void begin(FILE *f)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/"
	      "soap/envelope/\" xmlns:ns1=\"" SPACE "\">\n<SOAP-ENV:Body>", f);
}

static void end(FILE *f)
{
	fputs("</SOAP-ENV:Body></SOAP-ENV:Envelope>\n", f);
}

static void reply(struct exchange *x, unsigned status, struct text *t)
{
	char *body = text_end(t);

	exchange_text(x, status, "text/xml; charset=utf-8", body);
	free(body);
}

static void fault(struct exchange *x, const char *why)
{
	struct text t;

	text_begin(&t);
	begin(t.f);
	fprintf(t.f,
		"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>"
		"<faultstring>%s</faultstring></SOAP-ENV:Fault>", why);
	end(t.f);
	reply(x, 500, &t);
}

static const char *kind_of(const struct feed_event *ev)
{
	return !strcmp(ev->object, "Order")	  ? "order"
	       : !strcmp(ev->object, "Customer")  ? "customer"
	       : !strcmp(ev->object, "Warehouse") ? "warehouse"
						  : "size";
}

static void put_event(void *arg, const struct feed_event *ev)
{
	char date[CLOCK_TEXT];
	FILE *f = arg;

	fprintf(f,
		"<ns1:event><ns1:id>%lld</ns1:id><ns1:type>%s</ns1:type>"
		"<ns1:entry>%lld</ns1:entry><ns1:mission>%s</ns1:mission>"
		"<ns1:date>%.19s</ns1:date><ns1:data>",
		(long long)ev->id, kind_of(ev), (long long)ev->reference,
		strcmp(ev->change, "DELETED") ? "update" : "delete",
		clock_stamp(date));
	if (!strcmp(ev->object, "Order"))
		fprintf(f,
			"<ns1:order><ns1:id>%lld</ns1:id><ns1:ordernumber>%lld"
			"</ns1:ordernumber><ns1:type>retail</ns1:type>"
			"<ns1:shipments><ns1:shipment><ns1:id>8</ns1:id>"
			"</ns1:shipment></ns1:shipments><ns1:shippingaddress>"
			"<ns1:firstname>Example</ns1:firstname>"
			"</ns1:shippingaddress></ns1:order>",
			(long long)ev->reference, (long long)ev->order);
	fputs("</ns1:data></ns1:event>", f);
}

static void get(struct exchange *x)
{
	char type[64] = "";
	struct text t;

	if (!strstr(x->body, "<events_GetRequest xmlns=\"" SPACE "\">") ||
	    !element(x->body, "type", type)) {
		fault(x, "Bad request");
		return;
	}
	text_begin(&t);
	begin(t.f);
	fputs("<ns1:events_Get><ns1:events>", t.f);
	feed_oldest(FEED_SOAP, !strcmp(type, "all") ? NULL : "Order", GET_MOST,
		    put_event, t.f);
	fputs("</ns1:events></ns1:events_Get>", t.f);
	end(t.f);
	reply(x, 200, &t);
}

static void done(struct exchange *x)
{
	const char *at = strstr(x->body, "<events_Done xmlns=\"" SPACE "\">");
	bool stuck = false;
	struct text t;

	if (!at || !strstr(at, "<event>")) {
		fault(x, "Bad request");
		return;
	}
	for (const char *id = at; (id = strstr(id, "<event>"));) {
		id += strlen("<event>");
		stuck |= feed_is_stuck(FEED_SOAP, strtoll(id, NULL, 10));
	}
	if (stuck) {
		fault(x, "An event cannot be done");
		return;
	}
	while ((at = strstr(at, "<event>"))) {
		at += strlen("<event>");
		(void)feed_confirm(FEED_SOAP, strtoll(at, NULL, 10));
	}
	text_begin(&t);
	begin(t.f);
	fputs("<eventsDoneResponse>OK</eventsDoneResponse>", t.f);
	end(t.f);
	reply(x, 200, &t);
}

/* True: the next reply is one that a test has written. */
static bool prepared(struct exchange *x)
{
	char *next;
	unsigned status;

	pthread_mutex_lock(&s.lock);
	next = s.next;
	status = (unsigned)s.status;
	s.next = NULL;
	pthread_mutex_unlock(&s.lock);
	if (next)
		exchange_text(x, status, "text/xml", next);
	free(next);
	return next != NULL;
}

static bool may_enter(const struct exchange *x)
{
	char user[64] = "", password[64] = "";
	bool right;

	pthread_mutex_lock(&s.lock);
	right = element(x->body, "username", user) &&
		element(x->body, "password", password) &&
		!strcmp(user, USER) && !strcmp(password, s.password);
	pthread_mutex_unlock(&s.lock);
	return right;
}

void soap_answer(struct exchange *x)
{
	static const char get_action[] = "\"" SPACE "Events_Get\"";
	static const char done_action[] = "\"" SPACE "Events_Done\"";
	bool is_get = x->soap_action && !strcmp(x->soap_action, get_action);
	bool is_done = x->soap_action && !strcmp(x->soap_action, done_action);
	struct seen seen = {.api = API_SOAP,
			    .what = is_get    ? "Events_Get"
				    : is_done ? "Events_Done"
					      : ""};
	int64_t none = 0;
	struct fault f = faults_next(API_SOAP, &none, 1, seen.what);

	seen.fault = f.kind ? fault_name(f.kind) : NULL;
	seen.result = "not acted";
	if (!exchange_fault_before(x, &f)) {
		seen.acted = true;
		seen.result = "ok";
		if (prepared(x))
			seen.result = "prepared";
		else if (!may_enter(x))
			fault(x, "Login failed");
		else if (is_get)
			get(x);
		else if (is_done)
			done(x);
		else
			fault(x, "Unknown action");
		exchange_fault_after(x, &f);
	}
	seen.status = x->cut == CUT_ALL ? 0 : x->status;
	calls_add(&seen);
}
