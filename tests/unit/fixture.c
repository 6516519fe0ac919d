/* SPDX-License-Identifier: MIT
 *
 * fixture.c - see fixture.h.
 */
#include "tests/unit/fixture.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/http/http.h"
#include "server/live/changes.h"
#include "server/webhook/receive.h"
#include "store/lmdb/store_private.h"

#define PATIENCE 20 /* s, for any one reply */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fixture: %s\n", what);
	abort();
}

/* ---- the server ---- */

static void write_config(struct fixture *f, const char *server_lines,
			 const char *centra_lines)
{
	FILE *out;

	snprintf(f->config_path, sizeof(f->config_path), "%s/ini", f->dir);
	out = fopen(f->config_path, "w");
	must(out, "cannot write the config");
	fprintf(out,
		"[server]\n"
		"listen = 127.0.0.1:0\n"
		"admin_listen = 127.0.0.1:0\n"
		"store = lmdb:%s/store\n"
		"store_max = 64M\n"
		"%s\n"
		"[centra se]\n"
		"webhook_secret = test123\n"
		"order_api_url = http://127.0.0.1:1/order-api\n"
		"order_api_key = key\n"
		"%s\n"
		"[shop amsterdam]\n"
		"centra = se\n"
		"name = Amsterdam, Kalverstraat\n"
		"warehouses = 3, 4\n"
		"[shop berlin]\n"
		"centra = se\n"
		"name = Berlin\n"
		"warehouses = 5\n",
		f->dir, server_lines, centra_lines);
	must(!fclose(out), "cannot write the config");
}

static void changed(void *arg, uint64_t newest)
{
	struct fixture *f = arg;

	if (!f->deaf)
		live_signal(f->app.live, newest);
}

static void add_device(struct fixture *f, const char *shop, const char *name,
		       char token[TOKEN_SIZE])
{
	unsigned char hash[TOKEN_HASH_SIZE], code_hash[TOKEN_HASH_SIZE];
	char code[TOKEN_SIZE];
	struct device d = {0};
	struct err e;
	uint64_t id;

	must(copy_text(d.shop, sizeof(d.shop), shop) &&
		     copy_text(d.name, sizeof(d.name), name) &&
		     !token_make(token, hash, &e) &&
		     !token_make(code, code_hash, &e) &&
		     !store_device_add(f->app.store, &d, hash, code_hash, 0,
				       &id, &e),
	     "no device");
}

static int port_of(const char *address)
{
	return (int)strtol(strrchr(address, ':') + 1, NULL, 10);
}

struct fixture *fixture_start(const char *server_lines)
{
	return fixture_start_with(server_lines, "");
}

struct fixture *fixture_start_with(const char *server_lines,
				   const char *centra_lines)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct config *first;
	struct buf report;
	struct err e = {""};

	must(temp_folder(f->dir, "unit"), "no folder");
	write_config(f, server_lines, centra_lines);
	f->app.config_path = f->config_path;
	clock_init(&f->app.clock, TIME_NONE, time_now(), time_mono());
	buf_init(&report, 65536);
	if (config_load(&first, f->config_path, &report, &e))
		must(false, report.data ? report.data : e.text);
	buf_release(&report);
	f->started = config_hold(first);
	f->app.config = config_holder_open(first);
	f->app.storage = (struct storage){f->started, f->app.config, NULL};
	if (storage_serve(&f->app.store, &f->app.storage, changed, NULL, f,
			  &e))
		must(false, e.text);
	add_device(f, "amsterdam", "Counter tablet", f->amsterdam);
	add_device(f, "berlin", "Till", f->berlin);
	add_device(f, "closed-shop", "Old tablet", f->gone);
	if (app_open_http(&f->app, &e) || app_open_live(&f->app, &e) ||
	    http_start(f->app.http, &e))
		must(false, e.text);
	f->port = port_of(http_address(f->app.http));
	f->admin_port = port_of(http_admin_address(f->app.http));
	return f;
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void fixture_stop(struct fixture *f)
{
	http_stop(f->app.http);
	live_stop(f->app.live);
	store_close(f->app.store);
	app_close_http(&f->app);
	config_holder_close(f->app.config);
	config_drop(f->started);
	clock_release(&f->app.clock);
	must(!nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS),
	     "cannot remove the folder");
	free(f);
}

/* ---- the writer, held up ---- */

struct holdup {
	struct store_done done;
	sem_t begun, go_on, ended;
	struct err e;
};

static enum rc wait_for_release(void *arg, const struct order *o,
				struct changes *ret, struct err *e)
{
	struct holdup *h = arg;

	(void)o;
	(void)ret;
	sem_post(&h->begun);
	sem_wait(&h->go_on);
	sem_post(&h->go_on); /* it may be run twice */
	return fail(e, RC_INVALID, "only to wait");
}

static void holdup_done(struct store_done *d, enum rc rc, const struct err *e)
{
	struct holdup *h = d->arg;

	(void)rc;
	(void)e;
	sem_post(&h->ended);
}

void hold_writer(struct fixture *f)
{
	struct holdup *h = xcalloc(1, sizeof(*h));

	h->done = (struct store_done){.fn = holdup_done, .arg = h};
	sem_init(&h->begun, 0, 0);
	sem_init(&h->go_on, 0, 0);
	sem_init(&h->ended, 0, 0);
	must(!store_update(f->app.store, "se", 1, wait_for_release, h, 0, NULL,
			   &h->done, &h->e),
	     "cannot hold the writer");
	sem_wait(&h->begun);
	f->holdup = h;
}

void release_writer(struct fixture *f)
{
	struct holdup *h = f->holdup;

	sem_post(&h->go_on);
	sem_wait(&h->ended);
	free(h);
	f->holdup = NULL;
}

/* ---- the client ---- */

int dial(int port)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "no socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

bool send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

const char *reply_header(const struct reply *r, const char *name)
{
	static _Thread_local char value[256];
	const char *at = r->bytes, *end = r->body;
	size_t len = strlen(name);

	value[0] = '\0';
	while (at && at < end) {
		const char *next = strstr(at, "\r\n");

		if (!strncasecmp(at, name, len) && at[len] == ':') {
			at += len + 1 + strspn(at + len + 1, " ");
			snprintf(value, sizeof(value), "%.*s",
				 (int)(next - at), at);
			break;
		}
		at = next ? next + 2 : end;
	}
	return value;
}

struct reply read_reply(int fd, bool head)
{
	struct reply r = {0};
	size_t len = 0, want = 0;
	ssize_t n = 1;

	r.bytes = xcalloc(1, 1);
	for (;;) {
		char *end = strstr(r.bytes, "\r\n\r\n");

		if (end && !want) {
			r.body = end + 4;
			want = (size_t)(r.body - r.bytes);
			if (!head)
				want += strtoul(
					reply_header(&r, "Content-Length"),
					NULL, 10);
		}
		if (want && len >= want)
			break;
		r.bytes = xrealloc(r.bytes, len + 65537, 1);
		n = recv(fd, r.bytes + len, 65536, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		r.bytes[len] = '\0';
	}
	if (want)
		r.body = strstr(r.bytes, "\r\n\r\n") + 4;
	if (!strncmp(r.bytes, "HTTP/1.", 7))
		r.status = (int)strtol(r.bytes + 9, NULL, 10);
	r.closed = n == 0 ||
		   !strcasecmp(reply_header(&r, "Connection"), "close");
	return r;
}

void reply_release(struct reply *r)
{
	free(r->bytes);
	*r = (struct reply){0};
}

struct reply ask_raw(struct fixture *f, const char *bytes)
{
	int fd = dial(f->port);
	struct reply r;

	must(fd >= 0, "no connection");
	send_all(fd, bytes, strlen(bytes));
	r = read_reply(fd, !strncmp(bytes, "HEAD ", 5));
	close(fd);
	return r;
}

struct reply ask(struct fixture *f, const char *method, const char *path,
		 const char *token, const char *body)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s"
			       "Content-Length: %zu\r\n\r\n%s",
			       method, path,
			       token ? "Authorization: Bearer " : "",
			       token ? token : "", token ? "\r\n" : "",
			       body ? strlen(body) : 0, body ? body : "");
	struct reply r = ask_raw(f, text);

	free(text);
	return r;
}

/* ---- Centra ---- */

struct facts {
	struct change changes[3];
	size_t n;
};

static enum rc apply(void *arg, const struct order *o, struct changes *ret,
		     struct err *e)
{
	const struct facts *facts = arg;

	(void)o;
	(void)e;
	for (size_t i = 0; i < facts->n; i++)
		*changes_add(ret, facts->changes[i].kind, 0) =
			change_copy(&facts->changes[i]);
	return OK;
}

static void learn(struct fixture *f, int64_t number, struct facts *facts)
{
	struct err e = {""};

	if (store_update(f->app.store, "se", number, apply, facts, time_now(),
			 NULL, NULL, &e))
		must(false, e.text);
}

static struct facts facts_of_offer(int64_t warehouse, const char *date,
				   int64_t expires)
{
	struct facts facts = {
		.changes = {{.kind = CHANGE_HEARD},
			    {.kind = CHANGE_OPENING,
			     .warehouse = warehouse,
			     .opening = {.expires = expires,
					 .offset_min = 60}}},
		.n = 2};

	must(copy_text(facts.changes[1].opening.date, STAMP_SIZE, date),
	     "date");
	return facts;
}

void offered(struct fixture *f, int64_t number, int64_t warehouse,
	     const char *date, int64_t expires)
{
	struct facts facts = facts_of_offer(warehouse, date, expires);

	learn(f, number, &facts);
}

void requested(struct fixture *f, int64_t number, int64_t warehouse,
	       const char *date, int64_t expires)
{
	struct facts facts = facts_of_offer(warehouse, date, expires);

	facts.changes[1].opening.kind = KIND_ALLOCATION_REQUEST;
	facts.changes[facts.n++] = (struct change){
		.kind = CHANGE_REQUEST,
		.warehouse = warehouse,
		.request = {.status = REQUEST_SENT, .expires = expires}};
	learn(f, number, &facts);
}

struct together {
	struct store_done done;
	sem_t *ended;
};

static void together_done(struct store_done *done, enum rc rc,
			  const struct err *e)
{
	struct together *t = done->arg;

	must(!rc, e->text);
	sem_post(t->ended);
}

void offered_together(struct fixture *f, int64_t number, size_t n,
		      int64_t warehouse, const char *date, int64_t expires)
{
	struct facts facts = facts_of_offer(warehouse, date, expires);
	struct together *all = xcalloc(n, sizeof(*all));
	struct err e = {""};
	sem_t ended;

	sem_init(&ended, 0, 0);
	hold_writer(f);
	for (size_t i = 0; i < n; i++) {
		all[i] = (struct together){
			.done = {.fn = together_done, .arg = &all[i]},
			.ended = &ended};
		must(!store_update(f->app.store, "se", number + (int64_t)i,
				   apply, &facts, time_now(), NULL,
				   &all[i].done, &e),
		     e.text);
	}
	release_writer(f);
	for (size_t i = 0; i < n; i++)
		sem_wait(&ended);
	sem_destroy(&ended);
	free(all);
}

void marked(struct fixture *f, int64_t number, int64_t warehouse,
	    enum mark mark, const char *date)
{
	struct facts facts = {.changes = {{.kind = CHANGE_HEARD},
					  {.kind = CHANGE_MARK,
					   .warehouse = warehouse,
					   .mark.what = mark}},
			      .n = 2};

	must(copy_text(facts.changes[1].mark.date, STAMP_SIZE, date), "date");
	learn(f, number, &facts);
}

void cancelled(struct fixture *f, int64_t number)
{
	struct facts facts = {.changes = {{.kind = CHANGE_HEARD},
					  {.kind = CHANGE_CANCELLED}},
			      .n = 2};

	learn(f, number, &facts);
}

void settled(struct fixture *f, int64_t number, int64_t warehouse,
	     enum settled how, const char *text)
{
	struct facts facts = {
		.changes = {{.kind = CHANGE_TRY_BEGUN,
			     .warehouse = warehouse,
			     .try_begun.at = 1},
			    {.kind = CHANGE_TRY_ENDED,
			     .warehouse = warehouse,
			     .try_ended.how = how == SETTLED_OK ? TRY_OK : TRY_NO},
			    {.kind = CHANGE_SETTLED,
			     .warehouse = warehouse,
			     .settled.how = how,
			     .settled.text = (char *)(uintptr_t)text}},
		.n = 3};

	learn(f, number, &facts);
}

void detailed(struct fixture *f, int64_t number, const char *details,
	      const char *address)
{
	struct facts facts = {
		.changes = {{.kind = CHANGE_DETAILS,
			     .details = (char *)(uintptr_t)details},
			    {.kind = CHANGE_ADDRESS,
			     .address = (char *)(uintptr_t)address}},
		.n = address ? 2 : 1};

	learn(f, number, &facts);
}

void damaged(struct fixture *f, int64_t number)
{
	struct key k;
	struct txn t;
	struct err e;

	order_key(key_start(&k), "se", number);
	if (txn_write(&t, f->app.store, &e) ||
	    txn_put(&t, T_ORDERS, &k, DAMAGED, strlen(DAMAGED), &e) ||
	    txn_commit(&t, &e))
		abort();
}

void noted(struct fixture *f, int64_t number, const struct entry *e)
{
	struct facts facts = {.changes = {{.kind = CHANGE_ENTRY,
					   .warehouse = e->warehouse,
					   .entry = *e}},
			      .n = 1};

	learn(f, number, &facts);
}
