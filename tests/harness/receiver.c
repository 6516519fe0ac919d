/* SPDX-License-Identifier: MIT */
#include "tests/harness/receiver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/address.h"
#include "tests/harness/wait.h"

#define HEAD_MOST  16384
#define BODY_MOST  ((size_t)4 << 20)
#define TOLERANCE  300 /* s: what Centra's own sample code uses */
#define FORM	   "application/x-www-form-urlencoded"
#define EVENTS_MOST 100 /* CONTRACT 1.2 */

struct receiver {
	char address[ADDRESS_ROOM], url[ADDRESS_ROOM + 16];
	int fd, stop[2];
	pthread_t accepts;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	int alive; /* threads of connections */
	bool ends;
	enum receiver_way way;
	const char *to, *secret;
	int64_t ahead;
	struct received counts;
	cJSON *events;
	char *payloads; /* owned; ends with '\0' */
	size_t len;
};

struct connection {
	struct receiver *r;
	int fd;
};

/* A request: lines of the head, and the body. */
struct post {
	char head[HEAD_MOST + 1];
	char *body; /* owned */
	size_t len;
};

/* ---- bytes ---- */

static bool read_some(int fd, char *to, size_t room, size_t *len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = poll(&p, 1, 10000) == 1 ? recv(fd, to + *len, room - *len, 0)
					    : -1;

	if (n <= 0)
		return false;
	*len += (size_t)n;
	return true;
}

/* The value of a header; NULL: there is none, or (twice) more than one. */
static const char *header(const struct post *p, const char *name, char *ret,
			  size_t size, bool *twice)
{
	const char *found = NULL;
	size_t n = strlen(name);

	*twice = false;
	for (const char *line = p->head; *line;) {
		size_t len = strcspn(line, "\r\n");

		if (!strncasecmp(line, name, n) && line[n] == ':') {
			*twice |= found != NULL;
			found = ret;
			snprintf(ret, size, "%.*s", (int)(len - n - 1),
				 line + n + 1);
		}
		line += len;
		line += strspn(line, "\r\n");
	}
	return *twice ? NULL : found;
}

/* Reads a request whole; false: it never came whole. */
static bool read_post(int fd, struct post *p)
{
	size_t got = 0, head;
	char text[64], *end;
	bool twice;

	while (!(end = memmem(p->head, got, "\r\n\r\n", 4)))
		if (got == HEAD_MOST || !read_some(fd, p->head, HEAD_MOST, &got))
			return false;
	head = (size_t)(end + 4 - p->head);
	p->body = calloc(1, BODY_MOST + 1);
	if (!p->body)
		return false;
	memcpy(p->body, p->head + head, got - head);
	p->len = got - head;
	p->head[head] = '\0';
	if (!header(p, "Content-Length", text, sizeof(text), &twice))
		return false;
	got = strtoul(text, NULL, 10);
	while (p->len < got && got <= BODY_MOST)
		if (!read_some(fd, p->body, got, &p->len))
			return false;
	return p->len == got;
}

static void say(int fd, const char *status, const char *header_line)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "HTTP/1.1 %s\r\n%sContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n",
			 status, header_line);

	(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL);
}

/* ---- Centra's recipe ---- */

/* Split on `,`, then on `=`; blanks around each do not matter. */
static bool parse_signature(char *text, char t[32], char v1[80])
{
	char *rest;

	*t = *v1 = '\0';
	for (char *item = strtok_r(text, ",", &rest); item;
	     item = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(item, '=');

		item += strspn(item, " \t");
		if (!value)
			return false;
		*value++ = '\0';
		value[strcspn(value, " \t")] = '\0';
		if (!strcmp(item, "t"))
			snprintf(t, 32, "%s", value);
		else if (!strcmp(item, "v1"))
			snprintf(v1, 80, "%s", value);
	}
	return *t && *v1;
}

static void sign(const char *secret, const char *t, const struct post *p,
		 char ret[2 * EVP_MAX_MD_SIZE + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t n = strlen(t);
	char *text = malloc(n + 1 + p->len);
	unsigned macs = 0;

	*ret = '\0';
	if (!text)
		return;
	memcpy(text, t, n);
	text[n] = '.';
	memcpy(text + n + 1, p->body, p->len);
	HMAC(EVP_sha256(), secret, (int)strlen(secret),
	     (const unsigned char *)text, n + 1 + p->len, mac, &macs);
	for (unsigned i = 0; i < macs; i++)
		snprintf(ret + 2 * i, 3, "%02x", mac[i]);
	free(text);
}

static bool is_signed(const struct post *p, const char *secret, int64_t now)
{
	char text[512], t[32], v1[80], expect[2 * EVP_MAX_MD_SIZE + 1];
	bool twice;
	int64_t off;

	if (!header(p, "X-Centra-Signature", text, sizeof(text), &twice) ||
	    !parse_signature(text, t, v1))
		return false;
	off = strtoll(t, NULL, 10) - now;
	sign(secret, t, p, expect);
	return off <= TOLERANCE && off >= -TOLERANCE && !strcmp(v1, expect);
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* Decodes the value of the one field "payload"; NULL: that is not what the body
 * is. */
static char *payload_of(const struct post *p)
{
	static const char field[] = "payload=";
	size_t n = sizeof(field) - 1, to = 0;
	char *ret;

	if (p->len < n || memcmp(p->body, field, n) ||
	    memchr(p->body + n, '&', p->len - n) ||
	    memchr(p->body + n, '=', p->len - n))
		return NULL;
	ret = malloc(p->len);
	for (size_t i = n; ret && i < p->len; i++) {
		int high, low;

		if (p->body[i] == '+') {
			ret[to++] = ' ';
		} else if (p->body[i] != '%') {
			ret[to++] = p->body[i];
		} else if (i + 2 < p->len &&
			   (high = digit(p->body[i + 1])) >= 0 &&
			   (low = digit(p->body[i + 2])) >= 0) {
			ret[to++] = (char)(high << 4 | low);
			i += 2;
		} else {
			free(ret);
			return NULL;
		}
	}
	if (ret)
		ret[to] = '\0';
	return ret;
}

/* "2021-01-11 16:21:00.552288" (CONTRACT 2) */
static bool is_date(const char *text)
{
	static const char form[] = "0000-00-00 00:00:00.000000";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? digit(text[i]) < 0 || digit(text[i]) > 9
				   : text[i] != form[i])
			return false;
	return true;
}

static const char *text_in(const cJSON *o, const char *name)
{
	const char *s = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(o, name));

	return s ? s : "";
}

static bool is_event(const cJSON *v)
{
	const cJSON *m;

	if (!*text_in(v, "type") || !*text_in(v, "action") ||
	    !is_date(text_in(v, "date")) ||
	    !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(v, "id")))
		return false;
	cJSON_ArrayForEach(m, v)
		if (strcmp(m->string, "type") && strcmp(m->string, "action") &&
		    strcmp(m->string, "date") && strcmp(m->string, "id") &&
		    !(!strcmp(m->string, "data") && cJSON_IsObject(m)))
			return false;
	return true;
}

/* What is not as Centra sends it, or NULL; *ret is the envelope. */
static const char *wrong_with(const struct post *p, const char *payload,
			      cJSON **ret)
{
	const cJSON *list, *v;
	char type[128];
	bool twice;
	int n;

	*ret = payload ? cJSON_Parse(payload) : NULL;
	list = cJSON_GetObjectItemCaseSensitive(*ret, "events");
	n = cJSON_GetArraySize(list);
	if (strncmp(p->head, "POST /hook HTTP/1.1\r\n", 21))
		return "it is no POST /hook";
	if (!header(p, "Content-Type", type, sizeof(type), &twice) ||
	    strcasecmp(type + strspn(type, " "), FORM))
		return "its Content-Type is not " FORM;
	if (!payload)
		return "it is not the one field payload";
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(*ret) != 1)
		return "it is not {\"events\":[...]}";
	if (n < 1 || n > EVENTS_MOST)
		return "there are not 1 to 100 events in it";
	cJSON_ArrayForEach(v, list)
		if (!is_event(v))
			return "one of its events is none";
	return NULL;
}

/* ---- a request ---- */

/* Counts what the headers say of webhooks that it cannot have. */
static void count_dropped(struct receiver *r, const struct post *p)
{
	char text[32];
	bool twice;
	int n;

	if (header(p, "X-Shipfrom-Read-Anew", text, sizeof(text), &twice))
		r->counts.anew++;
	if (!header(p, "X-Shipfrom-Dropped", text, sizeof(text), &twice)) {
		r->counts.plain++;
		return;
	}
	n = (int)strtol(text, NULL, 10);
	if (n > r->counts.dropped)
		r->counts.dropped = n;
}

/* Keeps the events; the lock is held. */
static void take(struct receiver *r, const char *payload, const cJSON *envelope)
{
	const cJSON *v;
	size_t n = strlen(payload);

	r->counts.taken++;
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(envelope, "events"))
		cJSON_AddItemToArray(r->events, cJSON_Duplicate(v, true));
	r->payloads = realloc(r->payloads, r->len + n + 2);
	if (!r->payloads)
		abort();
	memcpy(r->payloads + r->len, payload, n);
	memcpy(r->payloads + r->len + n, "\n", 2);
	r->len += n + 1;
}

/* Verifies and takes a webhook; the status.  The lock is held. */
static const char *judge(struct receiver *r, const struct post *p)
{
	char *payload = payload_of(p);
	cJSON *envelope = NULL;
	const char *wrong = wrong_with(p, payload, &envelope), *ret = "200 OK";

	if (!is_signed(p, r->secret, now_unix() + r->ahead)) {
		r->counts.unsigned_++;
		ret = "401 Unauthorized";
	} else if (wrong) {
		snprintf(r->counts.wrong, sizeof(r->counts.wrong),
			 "%s: %.150s", wrong, payload ? payload : p->body);
		ret = "400 Bad Request";
	} else {
		take(r, payload, envelope);
		count_dropped(r, p);
	}
	cJSON_Delete(envelope);
	free(payload);
	return ret;
}

/* Decides what becomes of a request; the lock is held. */
static void answer(struct receiver *r, int fd, const struct post *p)
{
	const char *status = NULL;
	char location[256] = "";

	r->counts.tries++;
	while (r->way == RECEIVER_HANGS && !r->ends) {
		pthread_cond_wait(&r->changed, &r->lock);
		if (r->way != RECEIVER_HANGS)
			return; /* closes: the sender may try again */
	}
	if (r->way == RECEIVER_TAKES || r->way == RECEIVER_LOSES)
		status = judge(r, p);
	if (r->way == RECEIVER_LOSES || r->way == RECEIVER_CLOSES || r->ends)
		return;
	if (r->way == RECEIVER_REDIRECTS) {
		snprintf(location, sizeof(location), "Location: %s\r\n", r->to);
		status = "307 Temporary Redirect";
	}
	say(fd, status ? status : "500 Internal Server Error", location);
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct receiver *r = c->r;
	struct post *p = calloc(1, sizeof(*p));
	bool whole = p && read_post(c->fd, p);

	pthread_mutex_lock(&r->lock);
	if (whole)
		answer(r, c->fd, p);
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
	r->alive--;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (p)
		free(p->body);
	free(p);
	free(c);
	return NULL;
}

/* ---- connections ---- */

static void begin(struct receiver *r, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	pthread_t thread;
	bool away;

	pthread_mutex_lock(&r->lock);
	r->counts.connections++;
	away = r->way == RECEIVER_AWAY;
	r->alive += !away;
	pthread_mutex_unlock(&r->lock);
	if (away || !c) {
		close(fd);
		free(c);
		return;
	}
	*c = (struct connection){.r = r, .fd = fd};
	if (pthread_create(&thread, NULL, serve, c))
		abort();
	pthread_detach(thread);
}

static void *accept_all(void *arg)
{
	struct receiver *r = arg;
	struct pollfd p[2] = {{.fd = r->fd, .events = POLLIN},
			      {.fd = r->stop[0], .events = POLLIN}};

	while (poll(p, 2, -1) > 0 && !p[1].revents) {
		int fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			begin(r, fd);
	}
	return NULL;
}

struct receiver *receiver_start(const char *secret)
{
	struct receiver *r = calloc(1, sizeof(*r));
	struct sockaddr_in at;
	int one = 1;

	assert_non_null(r);
	free_address(r->address);
	snprintf(r->url, sizeof(r->url), "http://%s/hook", r->address);
	address_of(r->address, &at);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	r->secret = secret;
	r->events = cJSON_CreateArray();
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(r->fd >= 0);
	setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(r->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(r->fd, 64), 0);
	assert_int_equal(pipe2(r->stop, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&r->accepts, NULL, accept_all, r), 0);
	return r;
}

void receiver_stop(struct receiver *r)
{
	if (!r)
		return;
	close(r->stop[1]);
	pthread_join(r->accepts, NULL);
	close(r->stop[0]);
	close(r->fd);
	pthread_mutex_lock(&r->lock);
	r->ends = true;
	pthread_cond_broadcast(&r->changed);
	while (r->alive)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	cJSON_Delete(r->events);
	free(r->payloads);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- what tests ask and tell ---- */

const char *receiver_url(const struct receiver *r)
{
	return r->url;
}

const char *receiver_address(const struct receiver *r)
{
	return r->address;
}

void receiver_does(struct receiver *r, enum receiver_way way)
{
	pthread_mutex_lock(&r->lock);
	r->way = way;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void receiver_redirects(struct receiver *r, const char *to)
{
	pthread_mutex_lock(&r->lock);
	r->to = to;
	pthread_mutex_unlock(&r->lock);
	receiver_does(r, RECEIVER_REDIRECTS);
}

void receiver_knows(struct receiver *r, const char *secret)
{
	pthread_mutex_lock(&r->lock);
	r->secret = secret;
	pthread_mutex_unlock(&r->lock);
}

void receiver_clock(struct receiver *r, int64_t ahead)
{
	pthread_mutex_lock(&r->lock);
	r->ahead = ahead;
	pthread_mutex_unlock(&r->lock);
}

struct received receiver_counts(struct receiver *r)
{
	struct received ret;

	pthread_mutex_lock(&r->lock);
	ret = r->counts;
	pthread_mutex_unlock(&r->lock);
	return ret;
}

cJSON *receiver_events(struct receiver *r)
{
	cJSON *ret;

	pthread_mutex_lock(&r->lock);
	ret = cJSON_Duplicate(r->events, true);
	pthread_mutex_unlock(&r->lock);
	return ret;
}

char *receiver_payloads(struct receiver *r)
{
	char *ret;

	pthread_mutex_lock(&r->lock);
	ret = strdup(r->payloads ? r->payloads : "");
	pthread_mutex_unlock(&r->lock);
	return ret;
}
