/* SPDX-License-Identifier: MIT
 *
 * A shop's own Order API shows that shop alone, and changes nothing of another:
 * on each of its paths, with each number of another shop guessed, with each
 * credential that is not its key, and on paths that are written oddly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/address.h"
#include "tests/harness/wait.h"
#include "tests/wms/stage.h"

#define WITHIN 20000
#define NOTHING 99999999 /* an order that no shop has */

/* Every path, and every number in it that a client can choose: {N} an order,
 * {S} its shipment, {L} a line of it, {W} the warehouse of another shop. */
static const struct call {
	const char *method, *path, *body;
} about_one[] = {
	{"GET", "/shipments?order={N}", NULL},
	{"GET", "/shipments?order={N}&status=goodtogo", NULL},
	{"GET", "/shipments?order={N}&status=inprogress", NULL},
	{"GET", "/shipments?order={N}&status=completed", NULL},
	{"GET", "/shipments/?order={N}", NULL},
	{"GET", "/orders?order={N}", NULL},
	{"GET", "/orders/?order={N}&limit=100", NULL},
	{"PUT", "/shipments/{S}", "{\"products\":{\"{L}\":0}}"},
	{"PUT", "/shipments/{S}", "{\"gtg\":1}"},
	{"PUT", "/shipments/{S}", "{}"},
	{"PUT", "/capture", "{\"shipment\":\"{S}\"}"},
	{"PUT", "/shipment",
	 "{\"order\":\"{N}\",\"shipment\":\"{S}\",\"shipped\":1,\"gtg\":1}"},
	{"PUT", "/shipment", "{\"order\":{N},\"shipment\":\"{S}\"}"},
	{"DELETE", "/shipments/{S}", NULL},
	{"POST", "/shipments",
	 "{\"order\":{N},\"products\":{\"{L}\":1},\"gtg\":1}"},
	{"POST", "/check-first",
	 "{\"orderNumber\":{N},\"warehouseId\":{W},\"accepted\":true}"},
	{"POST", "/check-first",
	 "{\"orderNumber\":{N},\"warehouseId\":5,\"accepted\":true}"},
	{"POST", "/check-first",
	 "{\"orderNumber\":{N},\"warehouseId\":{W},\"accepted\":false}"},
	{"GET", "/allocation-requests?order={N}&status=all", NULL},
	{"GET", "/allocation-requests?order={N}&warehouse={W}&status=all",
	 NULL},
};
/* Those that name nobody. */
static const struct call about_all[] = {
	{"GET", "/shipments", NULL},
	{"GET", "/shipments?status=goodtogo&limit=100", NULL},
	{"GET", "/shipments?status=inprogress&limit=100", NULL},
	{"GET", "/shipments?status=completed&limit=100", NULL},
	{"GET", "/shipments?newer_than=2000-01-01", NULL},
	{"GET", "/shipments?order=", NULL},
	{"GET", "/shipments?order=0", NULL},
	{"GET", "/shipments?order=-1", NULL},
	{"GET", "/shipments?order[]=1", NULL},
	{"GET", "/shipments?status=all", NULL},
	{"GET", "/orders", NULL},
	{"GET", "/orders?limit=100&offset=0", NULL},
	{"GET", "/orders?customer_id=1", NULL},
	{"GET", "/orders?order=", NULL},
	{"GET", "/stock", NULL},
	{"GET", "/products", NULL},
	{"GET", "/allocation-requests", NULL},
	{"GET", "/allocation-requests?status=all&warehouse=6", NULL},
	{"GET", "/allocation-requests?status=all&warehouse=5,6", NULL},
	{"GET", "/", NULL},
	{"GET", "", NULL},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Words that stand in nothing but the orders of Utrecht. */
static const char *const secrets[] = {
	"Onlytheirs", "Geheimstraat", "31699999999", "UTSECRET", "3511 ZZ",
};
#define UTRECHTS                                                               \
	"\"shippingAddress\":{\"firstName\":\"Ute\","                          \
	"\"lastName\":\"Onlytheirs\",\"address1\":\"Geheimstraat 9\","         \
	"\"zipCode\":\"3511 ZZ\",\"city\":\"Utrecht\","                        \
	"\"cellPhoneNumber\":\"+31699999999\","                                \
	"\"email\":\"onlytheirs@example.com\","                                \
	"\"country\":{\"code\":\"NL\",\"name\":\"Netherlands\"}}"

/* Both shops, and what Utrecht has. */
struct world {
	struct stage mine;  /* Rotterdam's */
	struct wms theirs;  /* Utrecht's system */
	char token[128];    /* of Utrecht's till */
	int64_t picked;	    /* accepted, good to go */
	int64_t sent;	    /* accepted and completed */
	int64_t asked;	    /* pending */
	int64_t my_own;	    /* Rotterdam's: accepted, good to go */
};

static int64_t utrechts(struct world *w, bool accepted)
{
	struct answer a = sim_do(w->mine.centra, "/orders",
				 "{\"warehouses\":[6]," UTRECHTS "}");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	stage_sees(w->mine.s, w->token, number, WITHIN);
	if (!accepted)
		return number;
	a = wms_check_first(&w->theirs, number, OTHER_WAREHOUSE, true);
	wms_ok(&a);
	answer_release(&a);
	(void)wms_wait(&w->theirs, number, WITHIN);
	return number;
}

static void send_it(struct world *w, int64_t number)
{
	struct wms_shipment s = wms_wait(&w->theirs, number, WITHIN);
	struct answer a = wms_complete(&w->theirs, number, s.number,
				       "UTSECRET");

	wms_ok(&a);
	answer_release(&a);
	(void)stage_completed(&w->mine, number, 1, WITHIN);
	wms_wait_gone(&w->theirs, number, WITHIN);
}

static struct world begin(void **state, struct shapes *shapes)
{
	struct world w = {.mine = stage_shipfrom(shapes, false)};

	*state = w.mine.s;
	snprintf(w.theirs.url, sizeof(w.theirs.url), "%s/order-api/utrecht",
		 w.mine.s->url);
	stage_device(w.mine.s, "utrecht", "--order-api", w.theirs.key);
	stage_device(w.mine.s, "utrecht", NULL, w.token);
	w.picked = utrechts(&w, true);
	w.sent = utrechts(&w, true);
	send_it(&w, w.sent);
	w.asked = utrechts(&w, false);
	(void)stage_accepted(&w.mine, NULL, &w.my_own);
	sim_quiet(w.mine.centra);
	return w;
}

static void end(struct world *w)
{
	shapes_release(w->mine.shapes);
	shipfrom_passed(w->mine.s);
}

/* ---- what is said ---- */

static void says_no_secret(const struct call *c, const char *text)
{
	for (size_t i = 0; i < COUNT(secrets); i++)
		if (strstr(text, secrets[i]))
			fail_msg("%s %s tells '%s': %s", c->method, c->path,
				 secrets[i], text);
}

static void put(char *to, size_t room, const char *from, int64_t order)
{
	static const char *const names[] = {"{N}", "{S}", "{L}", "{W}"};
	char values[4][40];
	size_t n = 0, k;

	snprintf(values[0], 40, "%lld", (long long)order);
	snprintf(values[1], 40, "%lld-1", (long long)order);
	snprintf(values[2], 40, "%lld", (long long)order * 10);
	snprintf(values[3], 40, "%d", OTHER_WAREHOUSE);
	*to = '\0';
	for (; *from && n + 41 < room; n = strlen(to)) {
		for (k = 0; k < 4 && strncmp(from, names[k], 3); k++)
			;
		if (k < 4)
			snprintf(to + n, room - n, "%s", values[k]);
		else
			snprintf(to + n, room - n, "%c", *from);
		from += k < 4 ? 3 : 1;
	}
}

static struct answer do_call(const struct wms *w, const struct call *c,
			     int64_t order)
{
	char path[256], body[256];

	put(path, sizeof(path), c->path, order);
	put(body, sizeof(body), c->body ? c->body : "", order);
	return c->body ? wms_call(w, c->method, path, "%s", body)
		       : wms_call(w, c->method, path, NULL);
}

/* The answer with each of the order's numbers written as {N}, so that two of
 * them can be compared. */
static char *without_number(const struct answer *a, int64_t order)
{
	char number[24], *ret = calloc(1, strlen(a->body) * 2 + 8);
	const char *p = a->body;
	size_t n = 0, len;

	len = (size_t)snprintf(number, sizeof(number), "%lld",
			       (long long)order);
	while (*p) {
		if (!strncmp(p, number, len)) {
			memcpy(ret + n, "{N}", 3);
			n += 3;
			p += len;
		} else {
			ret[n++] = *p++;
		}
	}
	return ret;
}

/* Of another's order as of one that is not there. */
static void says_the_same_as_of_nothing(const struct wms *w,
					const struct call *c, int64_t order)
{
	struct answer of = do_call(w, c, order);
	struct answer none = do_call(w, c, NOTHING);
	char *one = without_number(&of, order);
	char *other = without_number(&none, NOTHING);

	says_no_secret(c, of.body);
	if (of.status != none.status || strcmp(one, other))
		fail_msg("%s %s: of another's %lld it says %ld %s, and of "
			 "nothing %ld %s",
			 c->method, c->path, (long long)order, of.status,
			 of.body, none.status, none.body);
	free(one);
	free(other);
	answer_release(&of);
	answer_release(&none);
}

/* ---- what is done ---- */

/* Calls of either API that would change something of the order. */
static int changes_of(struct stage *t, int64_t number)
{
	static const char reads[] = " orders shipments stock products "
				    "allocation-requests warehouses ";
	char url[160], word[80];
	int n = 0;
	struct answer a;
	const cJSON *c;

	snprintf(url, sizeof(url), "%s/control/calls?order=%lld",
		 t->centra->url, (long long)number);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
	{
		snprintf(word, sizeof(word), " %s ", text_of(c, "what"));
		n += !strstr(reads, word);
	}
	answer_release(&a);
	return n;
}

/* How much was changed of each of Utrecht's orders. */
struct untouched {
	int picked, sent, asked;
};

static struct untouched so_far(struct world *w)
{
	return (struct untouched){.picked = changes_of(&w->mine, w->picked),
				  .sent = changes_of(&w->mine, w->sent),
				  .asked = changes_of(&w->mine, w->asked)};
}

static void still_untouched(struct world *w, const struct untouched *before)
{
	struct untouched now = so_far(w);

	assert_int_equal(now.picked, before->picked);
	assert_int_equal(now.sent, before->sent);
	assert_int_equal(now.asked, before->asked);
	(void)wms_wait(&w->theirs, w->picked, WITHIN);
	stage_sees(w->mine.s, w->token, w->asked, WITHIN);
}

/* ---- the tests ---- */

static void an_order_of_another_shop_is_an_order_that_is_not_there(void **state)
{
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	struct untouched before = so_far(&w);

	for (size_t i = 0; i < COUNT(about_one); i++) {
		says_the_same_as_of_nothing(&w.mine.wms, &about_one[i],
					    w.picked);
		says_the_same_as_of_nothing(&w.mine.wms, &about_one[i],
					    w.sent);
		says_the_same_as_of_nothing(&w.mine.wms, &about_one[i],
					    w.asked);
	}
	still_untouched(&w, &before);
	end(&w);
}

static bool has_number(const char *text, int64_t order)
{
	char number[40];

	snprintf(number, sizeof(number), "\"%lld", (long long)order);
	return strstr(text, number) != NULL;
}

static void a_list_has_the_shops_own_alone(void **state)
{
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	bool own = false;

	for (size_t i = 0; i < COUNT(about_all); i++) {
		struct answer a = do_call(&w.mine.wms, &about_all[i], 0);

		says_no_secret(&about_all[i], a.body);
		own = own || has_number(a.body, w.my_own);
		if (has_number(a.body, w.picked) ||
		    has_number(a.body, w.sent) || has_number(a.body, w.asked))
			fail_msg("%s tells of another shop's order: %s",
				 about_all[i].path, a.body);
		answer_release(&a);
	}
	assert_true(own);
	end(&w);
}

static void nobody_gets_in(struct world *w, const char *who,
			   const char *const *headers)
{
	const struct call *c;
	char url[512], path[256], body[256];

	for (size_t i = 0; i < COUNT(about_one) + COUNT(about_all); i++) {
		struct answer a;

		c = i < COUNT(about_one) ? &about_one[i]
					 : &about_all[i - COUNT(about_one)];
		put(path, sizeof(path), c->path, w->picked);
		put(body, sizeof(body), c->body ? c->body : "", w->picked);
		snprintf(url, sizeof(url), "%s%s", w->theirs.url, path);
		a = http_send(c->method, url, headers, c->body ? body : NULL,
			      strlen(body));
		says_no_secret(c, a.body);
		if (a.status != 401 && a.status != 404 && a.status != 405 &&
		    a.status != 429)
			fail_msg("%s %s with %s: %ld %s", c->method, path, who,
				 a.status, a.body);
		answer_release(&a);
	}
}

static void no_other_credential_opens_it(void **state)
{
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	struct untouched before = so_far(&w);
	char key[200], bearer[200], tail[200];
	const char *const rotterdams[] = {key, NULL};
	const char *const none[] = {NULL};
	const char *const empty[] = {"API-Authorization;", NULL};
	const char *const centras[] = {"API-Authorization: order-api-key",
				       NULL};
	const char *const device[] = {bearer, NULL};
	const char *const as_key[] = {tail, NULL};

	snprintf(key, sizeof(key), "API-Authorization: %s", w.mine.wms.key);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", w.token);
	snprintf(tail, sizeof(tail), "API-Authorization: %s", w.token);
	nobody_gets_in(&w, "the other shop's key", rotterdams);
	nobody_gets_in(&w, "no key", none);
	nobody_gets_in(&w, "an empty key", empty);
	nobody_gets_in(&w, "Centra's key", centras);
	nobody_gets_in(&w, "a device's token", device);
	nobody_gets_in(&w, "a device's token as the key", as_key);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 w.theirs.key);
	nobody_gets_in(&w, "the key as a token", device);
	snprintf(tail, sizeof(tail), "API-Authorization: Bearer %s",
		 w.theirs.key);
	nobody_gets_in(&w, "the key with a word before", as_key);
	snprintf(tail, sizeof(tail), "API-Authorization: %.*s",
		 (int)strlen(w.theirs.key) - 1, w.theirs.key);
	nobody_gets_in(&w, "the key without its end", as_key);
	still_untouched(&w, &before);
	end(&w);
}

/* The shops' API, the page's session and the stream are closed to it. */
static void the_key_opens_nothing_else(void **state)
{
	static const struct call calls[] = {
		{"GET", "/api/v1/me", NULL},
		{"GET", "/api/v1/orders", NULL},
		{"GET", "/api/v1/orders/{N}", NULL},
		{"POST", "/api/v1/orders/{N}/accept", "{}"},
		{"POST", "/api/v1/orders/{N}/reject",
		 "{\"reason\":\"out_of_stock\"}"},
		{"POST", "/api/v1/orders/{N}/ship",
		 "{\"carrier\":\"x\",\"tracking\":\"1\",\"packages\":1}"},
		{"GET", "/api/v1/stream", NULL},
		{"GET", "/api/v1/products?ean=1", NULL},
		{"GET", "/api/v1/stock?ean=1", NULL},
		{"PUT", "/api/v1/stock", "{\"items\":[]}"},
	};
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	char bearer[200], key[200], url[256], path[128];
	const char *const headers[] = {bearer, key, NULL};

	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 w.theirs.key);
	snprintf(key, sizeof(key), "API-Authorization: %s", w.theirs.key);
	for (size_t i = 0; i < COUNT(calls); i++) {
		struct answer a;

		put(path, sizeof(path), calls[i].path, w.asked);
		snprintf(url, sizeof(url), "%s%s", w.mine.s->url, path);
		a = http_send(calls[i].method, url, headers, calls[i].body,
			      calls[i].body ? strlen(calls[i].body) : 0);
		if (a.status != 401 && a.status != 404)
			fail_msg("%s %s with the key: %ld %s", calls[i].method,
				 path, a.status, a.body);
		answer_release(&a);
	}
	end(&w);
}

/* ---- paths that are written oddly ---- */

/* The bytes as they are, which libcurl would tidy; what comes back, owned. */
static char *raw(const struct world *w, const char *target)
{
	size_t room = 1 << 20, len = 0;
	char request[8192], *reply = calloc(1, room);
	struct sockaddr_in at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n;

	address_of(w->mine.s->url, &at);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: x\r\nAPI-Authorization: %s\r\n"
		     "Connection: close\r\n\r\n",
		     target, w->mine.wms.key);
	assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
	while (len + 1 < room &&
	       (n = recv(fd, reply + len, room - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	return reply;
}

static void an_odd_path_leads_to_no_other_shop(void **state)
{
	static const char *const targets[] = {
		"/order-api/rotterdam/../utrecht/shipments",
		"/order-api/rotterdam/%2e%2e/utrecht/shipments",
		"/order-api/rotterdam/..%2futrecht%2fshipments",
		"/order-api/rotterdam/%2e%2e%2futrecht/shipments",
		"/order-api/rotterdam//utrecht/shipments",
		"/order-api//utrecht/shipments",
		"/order-api/rotterdam/utrecht/shipments",
		"/order-api/rotterdam%2f..%2futrecht/shipments",
		"/order-api/rotterdam%00/utrecht/shipments",
		"/order-api/utrecht%00rotterdam/shipments",
		"/order-api/rotterdam%2futrecht/shipments",
		"/order-api/utrecht,rotterdam/shipments",
		"/order-api/utrecht;rotterdam/shipments",
		"/order-api/UTRECHT/shipments",
		"/order-api/utrecht%20/shipments",
		"/order-api/*/shipments",
		"/order-api/%2a/shipments",
		"/order-api/shipments",
		"/order-api",
		"/order-api/",
		"/order-api/../order-api/utrecht/shipments",
		"http://x/order-api/utrecht/shipments",
		"/order-api/rotterdam/shipments/../../utrecht/shipments",
		"/order-api/rotterdam/shipments?warehouse=6",
		"/order-api/rotterdam/shipments?shop=utrecht",
		"/order-api/rotterdam/shipments%3forder=1",
		"/order-api/rotterdam/shipments?order=1&order={N}",
		"/order-api/rotterdam/shipments?order={N}&order=1",
		"/order-api/rotterdam/shipments?order={N},1",
		"/order-api/rotterdam/shipments?order=%20{N}",
		"/order-api/rotterdam/shipments?order=+{N}",
		"/order-api/rotterdam/shipments?order={N}.0",
		"/order-api/rotterdam/shipments?order={N}e0",
		"/order-api/rotterdam/shipments?order[]={N}",
		"/order-api/rotterdam/shipments?ORDER={N}",
		"/order-api/rotterdam/shipments?order={N}%00",
		"/order-api/rotterdam/orders?order={N}%26order=1",
		"/order-api/rotterdam/orders?order={N}&selectionId=x",
		"/order-api/rotterdam/shipments?status=completed&order={N}#x",
		"/order-api/rotterdam/shipments/{S}",
		"/order-api/rotterdam/orders/{N}",
	};
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);

	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct call c = {"GET", targets[i], NULL};
		const int64_t orders[] = {w.picked, w.sent, w.asked};

		for (size_t k = 0; k < COUNT(orders); k++) {
			char target[256], *reply;

			put(target, sizeof(target), targets[i], orders[k]);
			reply = raw(&w, target);
			says_no_secret(&c, reply);
			if (!strstr(reply, "HTTP/1.1 "))
				fail_msg("%s: no answer", target);
			if (strstr(reply, "HTTP/1.1 5"))
				fail_msg("%s: %s", target, reply);
			free(reply);
		}
	}
	end(&w);
}

/* ---- an order that two shops ship ---- */

/* A line lies with each shop; each has a shipment of its own. */
static void of_a_shared_order_each_shop_sees_its_own_shipment(void **state)
{
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	struct sim *centra = w.mine.centra;
	int64_t number = w.my_own;
	char path[96], second[32];
	struct answer a;

	/* Utrecht gets the second line: Centra makes it a shipment. */
	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(centra, path,
		 "{\"line\":%lld,\"warehouse\":6,\"quantity\":5,"
		 "\"allocated\":5}",
		 (long long)number * 10 + 1);
	snprintf(path, sizeof(path), "/orders/%lld/shipment",
		 (long long)number);
	sim_tell(centra, path,
		 "{\"lines\":[{\"orderLine\":{\"id\":%lld},\"quantity\":4}]}",
		 (long long)number * 10 + 1);
	snprintf(second, sizeof(second), "%lld-2", (long long)number);

	a = wms_shipments(&w.mine.wms, number, NULL);
	wms_ok(&a);
	if (strstr(a.body, second))
		fail_msg("Rotterdam sees Utrecht's shipment: %s", a.body);
	answer_release(&a);
	a = wms_capture(&w.mine.wms, second);
	wms_no(&a);
	answer_release(&a);
	a = wms_complete(&w.mine.wms, number, second, "X");
	wms_no(&a);
	answer_release(&a);
	a = wms_delete(&w.mine.wms, second);
	wms_no(&a);
	answer_release(&a);
	assert_int_equal(stage_ends(&w.mine, number).shipments, 2);
	assert_int_equal(stage_ends(&w.mine, number).captures, 0);
	end(&w);
}

/* ---- stock ---- */

static int64_t physical(struct sim *centra, int64_t warehouse, int *ret_sets)
{
	char url[160];
	int64_t n = -1;
	struct answer a;
	const cJSON *it, *p;

	snprintf(url, sizeof(url), "%s/control/stock", centra->url);
	a = http_get(url, NULL);
	*ret_sets = 0;
	cJSON_ArrayForEach(it, cJSON_GetObjectItem(a.json, "items"))
		cJSON_ArrayForEach(p, cJSON_GetObjectItem(it, "places"))
			if (!strcmp(text_of(it, "ean"), "7300555000123") &&
			    number_of(p, "warehouse") == warehouse) {
				n = number_of(p, "physical");
				*ret_sets = (int)number_of(p, "sets");
			}
	answer_release(&a);
	return n;
}

struct counting {
	struct sim *centra;
	int64_t wanted;
};

static bool is_counted(void *arg)
{
	struct counting *c = arg;
	int sets;

	return physical(c->centra, WAREHOUSE, &sets) == c->wanted;
}

static void stock_is_the_shops_own_shelf(void **state)
{
	struct shapes shapes = {0};
	struct world w = begin(state, &shapes);
	struct counting c = {.centra = w.mine.centra, .wanted = 3};
	struct answer a;
	const cJSON *v;
	int sets;

	sim_tell(c.centra, "/stock",
		 "[{\"ean\":\"7300555000123\",\"sku\":\"AAA-B-C\","
		 "\"warehouse\":5,\"quantity\":7},"
		 "{\"ean\":\"7300555000123\",\"warehouse\":6,"
		 "\"quantity\":1300}]");
	a = wms_call(&w.mine.wms, "GET", "/stock?ean=7300555000123", NULL);
	wms_ok(&a);
	v = cJSON_GetArrayItem(cJSON_GetObjectItem(a.json, "products"), 0);
	assert_int_equal(number_of(v, "physicalStock"), 7);
	answer_release(&a);
	a = wms_call(&w.mine.wms, "POST", "/stock",
		     "{\"products\":[{\"product\":\"7300555000123\","
		     "\"quantity\":3,\"warehouse\":6}],\"warehouse\":6}");
	answer_release(&a);
	a = wms_call(&w.mine.wms, "POST", "/stock",
		     "{\"products\":[{\"product\":\"7300555000123\","
		     "\"quantity\":3}]}");
	wms_ok(&a);
	answer_release(&a);
	assert_true(wait_until(is_counted, &c, WITHIN));
	assert_int_equal(physical(c.centra, OTHER_WAREHOUSE, &sets), 1300);
	assert_int_equal(sets, 0);
	end(&w);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, shipfrom_end)
	const struct CMUnitTest tests[] = {
		TEST(an_order_of_another_shop_is_an_order_that_is_not_there),
		TEST(a_list_has_the_shops_own_alone),
		TEST(no_other_credential_opens_it),
		TEST(the_key_opens_nothing_else),
		TEST(an_odd_path_leads_to_no_other_shop),
		TEST(of_a_shared_order_each_shop_sees_its_own_shipment),
		TEST(stock_is_the_shops_own_shelf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
