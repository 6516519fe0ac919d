/* SPDX-License-Identifier: MIT
 *
 * What a shop's own system is told of a change (handlers/outgoing.h).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "handlers/notify.h"
#include "handlers/offer.h"
#include "handlers/outgoing.h"

#include <cmocka.h>

#define OURS   3
#define SECOND 4 /* of the same shop */
#define THEIRS 7 /* of another shop, which has a system too */
#define NOW    INT64_C(1700000000000)

static const int64_t ours[] = {OURS, SECOND}, theirs[] = {THEIRS};

static bool by_system, has_system;

static bool shop_of(void *arg, const char *instance, int64_t warehouse,
		    struct follow_shop *ret)
{
	(void)arg;
	assert_string_equal(instance, "se");
	*ret = warehouse == THEIRS
		       ? (struct follow_shop){"berlin", theirs, 1, true, false}
		       : (struct follow_shop){"amsterdam", ours, 2, has_system,
					      by_system};
	return true;
}

static const struct zone *no_zone(void *arg, const char *instance)
{
	(void)arg, (void)instance;
	return NULL;
}

/* The order as it was and as it is. */
struct change_of_order {
	struct order before, after;
	char said[1024]; /* what is told: "SHOP type action," each */
	char text[DOC_TEXT_MAX + 1]; /* of the last of them */
	size_t n;
};

static int setup(void **state)
{
	struct change_of_order *c = xcalloc(1, sizeof(*c));

	by_system = false;
	has_system = true;
	order_init(&c->before, "se", 39790);
	*state = c;
	return 0;
}

static int end(void **state)
{
	struct change_of_order *c = *state;

	order_release(&c->before);
	order_release(&c->after);
	free(c);
	return 0;
}

static void apply(struct order *o, enum change_kind kind, int64_t warehouse,
		  const void *payload)
{
	struct change c = {.kind = kind, .warehouse = warehouse};

	if (kind == CHANGE_OPENING)
		c.opening = *(const struct opening *)payload;
	else if (kind == CHANGE_MARK)
		c.mark = *(const struct change_mark *)payload;
	else if (kind == CHANGE_FETCHED)
		c.fetched = *(const struct change_fetched *)payload;
	order_apply(o, &c);
	order_apply(o, &(struct change){.kind = CHANGE_HEARD});
	offer_derive(NULL, o);
}

static void opens(struct order *o, int64_t warehouse, const char *date,
		  int64_t expires)
{
	struct opening p = {.expires = expires};

	snprintf(p.date, sizeof(p.date), "%s", date);
	apply(o, CHANGE_OPENING, warehouse, &p);
}

static void marks(struct order *o, int64_t warehouse, enum mark what,
		  const char *date)
{
	struct change_mark m = {.what = what};

	snprintf(m.date, sizeof(m.date), "%s", date);
	apply(o, CHANGE_MARK, warehouse, &m);
}

static void cancels(struct order *o)
{
	apply(o, CHANGE_CANCELLED, 0, NULL);
}

#define AT(minute) "2023-11-14 22:" minute ":00.000000"

/* The word of a JSON text's member. */
static void word_of(const char *text, const char *member, char ret[32])
{
	const char *p = strstr(text, member);

	assert_non_null(p);
	p += strlen(member);
	snprintf(ret, 32, "%.*s", (int)strcspn(p, "\""), p);
}

static void say(struct change_of_order *c, const struct doc *d)
{
	char type[32], action[32];
	size_t len = strlen(c->said);

	assert_true(strlen(d->text) <= DOC_TEXT_MAX);
	memcpy(c->text, d->text, strlen(d->text) + 1);
	word_of(d->text, "\"type\":\"", type);
	word_of(d->text, "\"action\":\"", action);
	snprintf(c->said + len, sizeof(c->said) - len, "%.*s %s %s,",
		 (int)strcspn(d->key, "/"), d->key, type, action);
}

/* Adds what follows from the change, then takes it as made. */
static void follow(struct change_of_order *c, bool texts)
{
	const struct follow_config config = {.shop_of = shop_of,
					     .zone = no_zone};
	struct changes ret = {0};
	size_t docs = 0, tasks = 0;
	char before[DOC_KEY_SIZE] = "";

	c->after.updated = NOW + (int64_t)c->n;
	c->n++;
	outgoing_follow(&config,
			&(struct followed){&c->before, &c->after, texts, NOW},
			&ret);
	c->said[0] = '\0';
	for (size_t i = 0; i < ret.n; i++) {
		const struct change *x = &ret.list[i];

		tasks += x->kind == CHANGE_TASK;
		if (x->kind != CHANGE_DOC)
			continue;
		docs++;
		say(c, &x->doc.doc);
		if (!strncmp(before, x->doc.doc.key, 4))
			assert_true(strcmp(before, x->doc.doc.key) < 0);
		memcpy(before, x->doc.doc.key, sizeof(before));
	}
	assert_int_equal(docs > 0, tasks > 0);
	changes_release(&ret);
	order_release(&c->before);
	order_copy(&c->before, &c->after);
}

/* What is told when the order becomes what `fn` makes of it. */
#define TOLD(c, ...)                                                          \
	(order_release(&(c)->after), order_copy(&(c)->after, &(c)->before),   \
	 (void)(__VA_ARGS__), follow(c, false), (c)->said)

static void each_end_of_an_offer_has_its_word(void **state)
{
	struct change_of_order *c = *state;

	assert_string_equal(TOLD(c, opens(&c->after, OURS, AT("10"), NOW)),
			    "amsterdam check_first create,");
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_TIMED_OUT, AT("11"))),
		"amsterdam check_first timeout,");
	assert_string_equal(TOLD(c, opens(&c->after, OURS, AT("12"), NOW + 1)),
			    "amsterdam check_first create,");
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_REJECTED, AT("13"))),
		"amsterdam check_first rejected,");
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_TIMED_OUT, AT("14"))), "");
}

static void another_shops_accept_is_a_no(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, opens(&c->after, THEIRS, AT("10"), NOW));
	assert_string_equal(
		TOLD(c, marks(&c->after, THEIRS, MARK_ACCEPTED, AT("11"))),
		"amsterdam check_first rejected,"
		"berlin check_first accepted,");
}

static void a_contradicted_accept_is_not_told_as_yours(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, opens(&c->after, THEIRS, AT("10"), NOW));
	marks(&c->before, THEIRS, MARK_ACCEPTED, AT("12"));
	/* Centra gave it to both: the states decide, not what was said. */
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11"))), "");
	assert_true(order_offer(&c->after, OURS)->state != STATE_ACCEPTED);
}

static void what_is_contradicted_later_is_taken_back(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11"))),
		"amsterdam check_first accepted,");
	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_TIMED_OUT, AT("12"))),
		"amsterdam check_first rejected,amsterdam order update,");
	assert_int_equal(order_offer(&c->after, OURS)->state, STATE_ACCEPTING);
}

static void a_cancel_ends_an_accepted_offer_by_its_own_event_too(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11")));
	assert_string_equal(
		TOLD(c, cancels(&c->after)),
		"amsterdam check_first rejected,amsterdam order update,");
	assert_string_equal(TOLD(c, cancels(&c->after)), "");
}

/* After a restore the system may have been told "yours" of an order that the
 * store does not know. */
static void the_end_of_an_offer_that_was_not_known_is_told(void **state)
{
	struct change_of_order *c = *state;

	assert_string_equal(
		TOLD(c, marks(&c->after, OURS, MARK_TIMED_OUT, AT("11"))),
		"amsterdam check_first timeout,");
	assert_string_equal(
		TOLD(c, marks(&c->after, SECOND, MARK_REJECTED, AT("11"))),
		"amsterdam check_first rejected,");
	assert_string_equal(TOLD(c, cancels(&c->after)), "");
}

static void each_warehouse_of_a_shop_is_told_of_once(void **state)
{
	struct change_of_order *c = *state;

	assert_string_equal(
		TOLD(c, opens(&c->after, OURS, AT("10"), NOW),
		     opens(&c->after, SECOND, AT("10"), NOW)),
		"amsterdam check_first create,amsterdam check_first create,");
}

static void a_shop_without_a_system_is_told_nothing(void **state)
{
	struct change_of_order *c = *state;

	has_system = false;
	assert_string_equal(TOLD(c, opens(&c->after, OURS, AT("10"), NOW)), "");
}

static void a_change_of_the_order_is_told_while_it_is_the_shops(void **state)
{
	struct change_of_order *c = *state;
	const struct change_fetched first = {.at = 1, .status = "PENDING"},
				    then = {.at = 2, .status = "CONFIRMED"},
				    last = {.at = 3, .status = "SHIPPED"};

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	assert_string_equal(
		TOLD(c, apply(&c->after, CHANGE_FETCHED, 0, &first)), "");
	assert_string_equal(
		TOLD(c, apply(&c->after, CHANGE_FETCHED, 0, &then)),
		"amsterdam order update,");
	TOLD(c, marks(&c->after, OURS, MARK_REJECTED, AT("11")));
	assert_string_equal(
		TOLD(c, apply(&c->after, CHANGE_FETCHED, 0, &last)), "");
}

static void doubts(struct order *o, bool doubt)
{
	order_offer(o, OURS)->doubt = doubt;
}

/* It leaves what the shop's system may ship. */
static void a_doubt_is_told_as_a_change_of_the_order(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11")));
	assert_string_equal(TOLD(c, doubts(&c->after, true)),
			    "amsterdam order update,");
	assert_string_equal(TOLD(c, doubts(&c->after, true)), "");
	assert_string_equal(TOLD(c, doubts(&c->after, false)),
			    "amsterdam order update,");
}

static void ships(struct order *o, int64_t id, enum ship_stage stage)
{
	struct offer *f = order_offer(o, OURS);

	if (!f->n_shipments) {
		f->shipments = xcalloc(1, sizeof(*f->shipments));
		f->n_shipments = 1;
	}
	f->shipments[0].came.id = id;
	f->shipments[0].came.stage = stage;
}

static void a_shipment_is_good_to_go_when_it_is_sent(void **state)
{
	struct change_of_order *c = *state;

	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11")));
	assert_string_equal(TOLD(c, ships(&c->after, 0, SHIP_ASKED)), "");
	assert_string_equal(TOLD(c, ships(&c->after, 1902, SHIP_CREATED)),
			    "amsterdam shipment create,");
	assert_string_equal(TOLD(c, ships(&c->after, 1902, SHIP_SHIPPED)),
			    "amsterdam shipment good_to_go,");
}

static void what_the_shops_system_ships_is_good_to_go_at_once(void **state)
{
	struct change_of_order *c = *state;

	by_system = true;
	TOLD(c, opens(&c->after, OURS, AT("10"), NOW));
	TOLD(c, marks(&c->after, OURS, MARK_ACCEPTED, AT("11")));
	assert_string_equal(
		TOLD(c, ships(&c->after, 1902, SHIP_CREATED)),
		"amsterdam shipment create,amsterdam shipment good_to_go,");
	assert_string_equal(TOLD(c, ships(&c->after, 1902, SHIP_SHIPPED)), "");
}

static void an_event_has_centras_form(void **state)
{
	struct change_of_order *c = *state;
	const struct follow_config config = {.shop_of = shop_of,
					     .zone = no_zone};
	struct changes ret = {0};

	order_copy(&c->after, &c->before);
	opens(&c->after, OURS, AT("10"), NOW);
	c->after.updated = NOW + 7;
	outgoing_follow(&config,
			&(struct followed){&c->before, &c->after, false, NOW},
			&ret);
	assert_string_equal(
		ret.list[0].doc.doc.text,
		"{\"type\":\"check_first\",\"action\":\"create\","
		"\"date\":\"2023-11-14 22:13:20.007000\",\"id\":39790,"
		"\"data\":{\"warehouses\":[{\"warehouseId\":3,"
		"\"expirationAt\":\"2023-11-14T22:13:20Z\"}]}}");
	assert_string_equal(
		ret.list[0].doc.doc.key,
		"amsterdam/0000000000000039790/01700000000007/000");
	assert_int_equal(outgoing_number(ret.list[0].doc.doc.key), 39790);
	assert_string_equal(ret.list[0].doc.doc.list, "amsterdam/waiting");
	changes_release(&ret);
}

static void an_allocation_request_is_told_in_its_own_form(void **state)
{
	struct change_of_order *c = *state;
	struct request_line lines[] = {{102, 2}};
	struct change r = {.kind = CHANGE_REQUEST, .warehouse = OURS};
	const struct follow_config config = {.shop_of = shop_of,
					     .zone = no_zone};
	struct opening p = {.expires = NOW, .kind = KIND_ALLOCATION_REQUEST};
	struct changes ret = {0};

	order_copy(&c->after, &c->before);
	snprintf(p.date, sizeof(p.date), "%s", AT("10"));
	r.request = (struct alloc_request){.status = REQUEST_SENT,
					   .expires = NOW,
					   .lines = lines,
					   .n_lines = 1};
	order_apply(&c->after, &r);
	apply(&c->after, CHANGE_OPENING, OURS, &p);
	c->after.updated = NOW;
	outgoing_follow(&config,
			&(struct followed){&c->before, &c->after, false, NOW},
			&ret);
	assert_string_equal(
		ret.list[0].doc.doc.text,
		"{\"type\":\"allocation_request\",\"action\":\"create\","
		"\"date\":\"2023-11-14 22:13:20.000000\",\"id\":39790,"
		"\"data\":{\"status\":\"sent\",\"warehouseId\":3,"
		"\"expirationDate\":{\"date\":\"2023-11-14 22:13:20.000000\","
		"\"timezone_type\":1,\"timezone\":\"+00:00\"},"
		"\"order\":{\"number\":39790},"
		"\"lines\":{\"102\":{\"lineId\":102,\"quantity\":2}}}}");
	changes_release(&ret);
}

/* ---- small histories ---- */

#define HISTORIES 20000
#define STEPS	  10

static uint64_t dice;

static unsigned roll(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

/* What a system that listens to check_first alone takes for its own. */
struct listener {
	bool yours[2]; /* OURS, SECOND */
};

static void hear(struct listener *l, const struct changes *told)
{
	for (size_t i = 0; i < told->n; i++) {
		const char *text = told->list[i].doc.doc.text;
		char action[32];

		if (told->list[i].kind != CHANGE_DOC ||
		    !strstr(text, "\"check_first\"") ||
		    strncmp(told->list[i].doc.doc.key, "amsterdam", 9) != 0)
			continue;
		word_of(text, "\"action\":\"", action);
		l->yours[!strstr(text, "\"warehouseId\":3")] =
			!strcmp(action, "accepted");
	}
}

/* What Centra may say, or a look may show, at random: dates repeat, and come in
 * any order. */
static void happens(struct order *o)
{
	static const int64_t warehouses[] = {OURS, SECOND, THEIRS};
	int64_t warehouse = warehouses[roll(3)];
	struct change c = {.kind = CHANGE_FINDING, .warehouse = warehouse};
	char date[STAMP_SIZE];

	snprintf(date, sizeof(date), "2023-11-14 22:%02u:00.000000", roll(4));
	switch (roll(8)) {
	case 0:
	case 1:
		opens(o, warehouse, date, NOW + roll(3));
		break;
	case 2:
		if (!roll(4))
			cancels(o);
		break;
	case 3:
		c.finding = (struct finding){
			.what = (enum found)(1 + roll(3)),
			.ended = (enum offer_state)(STATE_REJECTED + roll(3)),
			.knew = o->version - roll(2),
			.at = NOW};
		order_apply(o, &c);
		offer_derive(NULL, o);
		break;
	default:
		marks(o, warehouse, (enum mark)roll(MARKS), date);
		break;
	}
}

static void whatever_happens_yours_is_told_only_while_it_is_so(void **state)
{
	const struct follow_config config = {.shop_of = shop_of,
					     .zone = no_zone};
	size_t won = 0;

	(void)state;
	dice = 17;
	for (int h = 0; h < HISTORIES; h++) {
		struct order before, after;
		struct listener l = {0};

		order_init(&before, "se", 39790);
		for (int s = 0; s < STEPS; s++) {
			struct changes told = {0};

			order_copy(&after, &before);
			happens(&after);
			after.updated = NOW + s;
			outgoing_follow(&config,
					&(struct followed){&before, &after,
							   false, NOW},
					&told);
			hear(&l, &told);
			for (size_t i = 0; i < 2; i++) {
				const struct offer *f =
					order_offer(&after, ours[i]);
				bool is = f && f->state == STATE_ACCEPTED;

				won += is;
				if (l.yours[i] != is)
					fail_msg("history %d, step %d: %d is "
						 "%s, and was told %s",
						 h, s, (int)ours[i],
						 f ? offer_state_name(f->state)
						   : "unknown",
						 l.yours[i] ? "yes" : "no");
			}
			changes_release(&told);
			order_release(&before);
			before = after;
		}
		order_release(&before);
	}
	assert_true(won > HISTORIES); /* or nothing was shown */
}

/* A text that does not fit would be no JSON, and would stop the order. */
static void a_request_with_too_many_lines_is_told_without_them(void **state)
{
	struct change_of_order *c = *state;
	struct opening p = {.expires = NOW, .kind = KIND_ALLOCATION_REQUEST};
	struct alloc_request *r = xcalloc(1, sizeof(*r));
	struct json *v;
	struct err e;

	p.date[0] = '\0';
	order_copy(&c->after, &c->before);
	apply(&c->after, CHANGE_OPENING, OURS, &p);
	*r = (struct alloc_request){
		.status = REQUEST_SENT,
		.expires = NOW,
		.n_lines = REQUEST_LINES_MAX,
		.lines = xcalloc(REQUEST_LINES_MAX, sizeof(*r->lines)),
	};
	for (size_t i = 0; i < r->n_lines; i++)
		r->lines[i] = (struct request_line){INT64_MAX - (int64_t)i,
						    INT64_MAX};
	order_offer(&c->after, OURS)->requests = r;
	order_offer(&c->after, OURS)->n_requests = 1;
	offer_derive(NULL, &c->after);
	follow(c, false);
	assert_string_equal(c->said, "amsterdam allocation_request create,");
	assert_int_equal(json_parse(c->text, strlen(c->text), JSON_STRICT, &v,
				    &e),
			 OK);
	assert_false(json_given(json_get(json_get(v, "data"), "lines")));
	assert_true(json_given(json_get(json_get(v, "data"), "order")));
	json_free(v);
}

static void long_names_of_shops_stay_apart(void **state)
{
	static const char a[] =
		"a-shop-with-a-name-of-many-letters-and-then-of-more-of-them-1",
		     b[] = "a-shop-with-a-name-of-many-letters-and-then-of-more-"
			   "of-them-2";
	char one[OUTGOING_SHOP_SIZE], two[OUTGOING_SHOP_SIZE];

	(void)state;
	outgoing_shop(one, a);
	outgoing_shop(two, b);
	assert_string_not_equal(one, two);
	assert_int_equal(outgoing_sub(one), notify_sub(a));
	assert_int_equal(outgoing_sub(two), notify_sub(b));
	assert_int_equal(outgoing_sub("amsterdam"), notify_sub("amsterdam"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_end_of_an_offer_has_its_word),
		T(another_shops_accept_is_a_no),
		T(a_contradicted_accept_is_not_told_as_yours),
		T(what_is_contradicted_later_is_taken_back),
		T(a_cancel_ends_an_accepted_offer_by_its_own_event_too),
		T(the_end_of_an_offer_that_was_not_known_is_told),
		T(each_warehouse_of_a_shop_is_told_of_once),
		T(a_shop_without_a_system_is_told_nothing),
		T(a_change_of_the_order_is_told_while_it_is_the_shops),
		T(a_doubt_is_told_as_a_change_of_the_order),
		T(a_shipment_is_good_to_go_when_it_is_sent),
		T(what_the_shops_system_ships_is_good_to_go_at_once),
		T(an_event_has_centras_form),
		T(an_allocation_request_is_told_in_its_own_form),
		T(a_request_with_too_many_lines_is_told_without_them),
		T(whatever_happens_yours_is_told_only_while_it_is_so),
		T(long_names_of_shops_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
