/* SPDX-License-Identifier: MIT
 *
 * record.c - see record.h.
 */
#include "store/model/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/codec.h"

#define DRAWING 1 /* version of the form of a value; each value begins with
		   * it */

static void begin(struct buf *b)
{
	put_u8(b, DRAWING);
}

static void open_value(struct reader *r, const void *p, size_t len)
{
	reader_init(r, p, len);
	if (get_u8(r) != DRAWING)
		r->bad = true;
}

static enum rc damaged(struct err *e, const char *what)
{
	return fail(e, RC_INVALID, "a stored %s cannot be read", what);
}

/* ---- orders ---- */

static void put_answer(struct buf *b, const struct answer *a)
{
	put_u8(b, (uint8_t)a->verb);
	if (a->verb == VERB_NONE)
		return;
	put_text(b, a->opened);
	put_i64(b, a->at);
	put_u64(b, a->device);
	put_text(b, a->reason);
	put_text(b, a->note);
	put_u8(b, (uint8_t)a->settled);
	put_u64(b, a->settled_version);
	put_text(b, a->refusal);
	put_u32(b, a->tries);
	put_u32(b, a->late_tries);
	put_i64(b, a->try_begun);
	put_flag(b, a->unknown);
	put_flag(b, a->was_ok);
}

static void get_answer(struct answer *a, struct reader *r)
{
	a->verb = get_below(r, VERB_REJECT + 1);
	if (a->verb == VERB_NONE)
		return;
	get_word(r, a->opened, sizeof(a->opened));
	a->at = get_i64(r);
	a->device = get_u64(r);
	a->reason = get_text(r, NULL);
	a->note = get_text(r, NULL);
	a->settled = get_below(r, SETTLED_NO + 1);
	a->settled_version = get_u64(r);
	a->refusal = get_text(r, NULL);
	a->tries = get_u32(r);
	a->late_tries = get_u32(r);
	a->try_begun = get_i64(r);
	a->unknown = get_flag(r);
	a->was_ok = get_flag(r);
}

/* Writes whether the shop had accepted and has stopped, and the problem: a block
 * of its own, since other fields follow it. */
static void put_problem(struct buf *b, const struct offer *f)
{
	size_t block = put_block(b);

	put_flag(b, f->was_accepted);
	put_flag(b, f->stopped);
	put_i64(b, f->problem.at);
	if (f->problem.at) {
		put_u64(b, f->problem.device);
		put_text(b, f->problem.reason);
		put_text(b, f->problem.note);
		put_text(b, f->problem.by);
		put_i64(b, f->problem.solved_at);
	}
	if (f->problem.solved_at) {
		put_u64(b, f->problem.solved_device);
		put_text(b, f->problem.solved_by);
	}
	put_block_end(b, block);
}

static void get_problem(struct offer *f, struct reader *all)
{
	struct reader r = get_block(all);

	f->was_accepted = get_flag(&r);
	f->stopped = get_flag(&r);
	f->problem.at = get_i64(&r);
	if (f->problem.at) {
		f->problem.device = get_u64(&r);
		f->problem.reason = get_text(&r, NULL);
		f->problem.note = get_text(&r, NULL);
		f->problem.by = get_text(&r, NULL);
		f->problem.solved_at = get_i64(&r);
	}
	if (f->problem.solved_at) {
		f->problem.solved_device = get_u64(&r);
		f->problem.solved_by = get_text(&r, NULL);
	}
	all->bad |= r.bad;
}

#define FIRST_STEPS 5 /* the steps of the first versions, whose counts stand
		       * in the middle of the value */

/* Writes what the shop's own system asked for and is shown
 * (ship_with = order_api). */
static void put_for_system(struct buf *b, const struct shipment *s)
{
	put_u8(b, (uint8_t)s->ask.goal);
	put_u32(b, (uint32_t)s->n_edit);
	for (size_t i = 0; i < s->n_edit; i++) {
		put_i64(b, s->edit[i].line);
		put_i64(b, s->edit[i].quantity);
	}
	put_text(b, s->shown);
	put_text(b, s->person);
	put_text(b, s->deleted);
	for (int i = FIRST_STEPS; i < SHIP_STEPS; i++)
		put_u32(b, s->tries[i]);
}

static void put_shipment(struct buf *b, const struct shipment *s)
{
	const struct ship_ask *a = &s->ask;
	const struct ship_came *c = &s->came;
	size_t block = put_block(b);

	put_text(b, a->carrier);
	put_text(b, a->service);
	put_text(b, a->tracking);
	put_text(b, a->by);
	put_i64(b, a->packages);
	put_i64(b, a->at);
	put_u64(b, a->device);
	put_flag(b, a->all);
	put_u32(b, (uint32_t)a->n_lines);
	for (size_t i = 0; i < a->n_lines; i++) {
		put_i64(b, a->lines[i].line);
		put_i64(b, a->lines[i].quantity);
	}
	put_u8(b, (uint8_t)c->stage);
	put_u8(b, (uint8_t)c->capture);
	put_u8(b, (uint8_t)c->fault);
	put_i64(b, c->id);
	put_text(b, c->number);
	put_i64(b, c->capture_at);
	put_i64(b, c->shipped_at);
	put_flag(b, c->rest);
	put_text(b, c->error);
	put_u8(b, (uint8_t)s->step);
	put_i64(b, s->try_at);
	put_flag(b, s->trying);
	put_flag(b, s->unknown);
	for (int i = 0; i < FIRST_STEPS; i++)
		put_u32(b, s->tries[i]);
	put_i64(b, s->newest_seen);
	put_u8(b, (uint8_t)c->reading);
	put_u32(b, (uint32_t)s->n_before);
	for (size_t i = 0; i < s->n_before; i++) {
		put_i64(b, s->before[i].line);
		put_i64(b, s->before[i].quantity);
	}
	put_u32(b, (uint32_t)s->n_keys);
	for (size_t i = 0; i < s->n_keys; i++) {
		put_u64(b, s->keys[i].device);
		put_bytes(b, s->keys[i].hash, sizeof(s->keys[i].hash));
	}
	put_flag(b, c->missing);
	put_for_system(b, s);
	put_block_end(b, block);
}

#define SHIP_LINE_LEAST 16

#define SHIP_KEY_LEAST	40

static void get_for_system(struct shipment *s, struct reader *r)
{
	s->ask.goal = get_below(r, SHIP_GOALS);
	s->n_edit = get_count(r, SHIP_LINE_LEAST, SHIP_LINES_MAX);
	if (s->n_edit)
		s->edit = xcalloc(s->n_edit, sizeof(*s->edit));
	for (size_t i = 0; i < s->n_edit; i++) {
		s->edit[i].line = get_i64(r);
		s->edit[i].quantity = get_i64(r);
	}
	s->shown = get_text(r, NULL);
	s->person = get_text(r, NULL);
	get_word(r, s->deleted, sizeof(s->deleted));
	for (int i = FIRST_STEPS; i < SHIP_STEPS; i++)
		s->tries[i] = get_u32(r);
}

/* Reads the fields that later versions added; a value of an older version ends
 * here. */
static void get_shipment_more(struct shipment *s, struct reader *r)
{
	s->newest_seen = get_i64(r);
	s->came.reading = get_below(r, SHIP_READINGS);
	s->n_before = get_count(r, SHIP_LINE_LEAST, SHIP_LINES_MAX);
	if (s->n_before)
		s->before = xcalloc(s->n_before, sizeof(*s->before));
	for (size_t i = 0; i < s->n_before; i++) {
		s->before[i].line = get_i64(r);
		s->before[i].quantity = get_i64(r);
	}
	s->n_keys = get_count(r, SHIP_KEY_LEAST, SHIP_KEYS_MAX);
	if (s->n_keys)
		s->keys = xcalloc(s->n_keys, sizeof(*s->keys));
	for (size_t i = 0; i < s->n_keys; i++) {
		s->keys[i].device = get_u64(r);
		get_bytes(r, s->keys[i].hash, sizeof(s->keys[i].hash));
	}
	s->came.missing = get_flag(r);
	get_for_system(s, r);
}

static void get_shipment(struct shipment *s, struct reader *all)
{
	struct reader r = get_block(all);
	struct ship_ask *a = &s->ask;
	struct ship_came *c = &s->came;

	a->carrier = get_text(&r, NULL);
	a->service = get_text(&r, NULL);
	a->tracking = get_text(&r, NULL);
	a->by = get_text(&r, NULL);
	a->packages = get_i64(&r);
	a->at = get_i64(&r);
	a->device = get_u64(&r);
	a->all = get_flag(&r);
	a->n_lines = get_count(&r, SHIP_LINE_LEAST, SHIP_LINES_MAX);
	if (a->n_lines)
		a->lines = xcalloc(a->n_lines, sizeof(*a->lines));
	for (size_t i = 0; i < a->n_lines; i++) {
		a->lines[i].line = get_i64(&r);
		a->lines[i].quantity = get_i64(&r);
	}
	c->stage = get_below(&r, SHIP_STAGES);
	c->capture = get_below(&r, SHIP_CAPTURES);
	c->fault = get_below(&r, SHIP_FAULTS);
	c->id = get_i64(&r);
	get_word(&r, c->number, sizeof(c->number));
	c->capture_at = get_i64(&r);
	c->shipped_at = get_i64(&r);
	c->rest = get_flag(&r);
	c->error = get_text(&r, NULL);
	s->step = get_below(&r, SHIP_STEPS);
	s->try_at = get_i64(&r);
	s->trying = get_flag(&r);
	s->unknown = get_flag(&r);
	for (int i = 0; i < FIRST_STEPS; i++)
		s->tries[i] = get_u32(&r);
	get_shipment_more(s, &r);
	all->bad |= r.bad;
}

/* Writes the shipments as a block of their own. */
static void put_shipments(struct buf *b, const struct offer *f)
{
	size_t block = put_block(b);

	put_u32(b, (uint32_t)f->n_shipments);
	for (size_t i = 0; i < f->n_shipments; i++)
		put_shipment(b, &f->shipments[i]);
	put_block_end(b, block);
}

#define SHIPMENT_LEAST 4 /* bytes of an empty block, the least that a shipment
			  * takes */

static void get_shipments(struct offer *f, struct reader *all)
{
	struct reader r = get_block(all);

	f->n_shipments = get_count(&r, SHIPMENT_LEAST, SHIPMENTS_MAX);
	if (f->n_shipments)
		f->shipments = xcalloc(f->n_shipments, sizeof(*f->shipments));
	for (size_t i = 0; i < f->n_shipments; i++)
		get_shipment(&f->shipments[i], &r);
	all->bad |= r.bad;
}

/* Writes the sighting as a block of its own. */
static void put_sighting(struct buf *b, const struct sighting *r)
{
	size_t block = put_block(b);

	put_u8(b, (uint8_t)r->what);
	put_u8(b, (uint8_t)r->ended);
	put_u8(b, (uint8_t)r->sure);
	put_text(b, r->opened);
	put_u64(b, r->knew);
	put_i64(b, r->at);
	put_i64(b, r->steady);
	put_u64(b, r->boot);
	put_flag(b, r->blank);
	put_u64(b, r->blank_knew);
	put_block_end(b, block);
}

static void get_sighting(struct sighting *ret, struct reader *all)
{
	struct reader r = get_block(all);

	ret->what = get_below(&r, FOUNDS);
	ret->ended = get_below(&r, STATES);
	ret->sure = get_below(&r, SIGHTING_SURES);
	get_word(&r, ret->opened, sizeof(ret->opened));
	ret->knew = get_u64(&r);
	ret->at = get_i64(&r);
	ret->steady = get_i64(&r);
	ret->boot = get_u64(&r);
	ret->blank = get_flag(&r);
	ret->blank_knew = get_u64(&r);
	all->bad |= r.bad;
}

static void put_held(struct buf *b, const struct offer *f)
{
	put_u32(b, (uint32_t)f->n_held);
	for (size_t i = 0; i < f->n_held; i++) {
		put_i64(b, f->held[i].line);
		put_i64(b, f->held[i].ours);
		put_i64(b, f->held[i].quantity);
		put_i64(b, f->held[i].others);
	}
}

#define SHIP_HELD_LEAST 32

static void get_held(struct offer *f, struct reader *r)
{
	f->n_held = get_count(r, SHIP_HELD_LEAST, SHIP_LINES_MAX);
	if (f->n_held)
		f->held = xcalloc(f->n_held, sizeof(*f->held));
	for (size_t i = 0; i < f->n_held; i++) {
		f->held[i].line = get_i64(r);
		f->held[i].ours = get_i64(r);
		f->held[i].quantity = get_i64(r);
		f->held[i].others = get_i64(r);
	}
}

/* Writes the kind of each opening, and the requests: a block of its own. */
static void put_requests(struct buf *b, const struct offer *f)
{
	size_t block = put_block(b);

	for (size_t i = 0; i < f->n_openings; i++)
		put_u8(b, (uint8_t)f->openings[i].kind);
	put_u32(b, (uint32_t)f->n_requests);
	for (size_t i = 0; i < f->n_requests; i++) {
		const struct alloc_request *r = &f->requests[i];

		put_i64(b, r->id);
		put_u8(b, (uint8_t)r->status);
		put_i64(b, r->expires);
		put_i64(b, r->at);
		put_u64(b, r->nth);
		put_u32(b, (uint32_t)r->n_lines);
		for (size_t k = 0; k < r->n_lines; k++) {
			put_i64(b, r->lines[k].line);
			put_i64(b, r->lines[k].quantity);
		}
	}
	put_u64(b, f->requests_heard);
	put_u64(b, f->answer.requests_shown);
	for (size_t i = 0; i < f->n_requests; i++)
		put_flag(b, f->requests[i].sent);
	put_block_end(b, block);
}

#define REQUEST_LEAST	   37 /* bytes of a request without lines */
#define REQUEST_LINE_LEAST 16

static void get_request(struct alloc_request *ret, struct reader *r)
{
	ret->id = get_i64(r);
	ret->status = get_below(r, REQUEST_STATUSES);
	ret->expires = get_i64(r);
	ret->at = get_i64(r);
	ret->nth = get_u64(r);
	ret->n_lines = get_count(r, REQUEST_LINE_LEAST, REQUEST_LINES_MAX);
	if (ret->n_lines)
		ret->lines = xcalloc(ret->n_lines, sizeof(*ret->lines));
	for (size_t k = 0; k < ret->n_lines; k++) {
		ret->lines[k].line = get_i64(r);
		ret->lines[k].quantity = get_i64(r);
	}
}

static void get_requests(struct offer *f, struct reader *all)
{
	struct reader r = get_block(all);

	for (size_t i = 0; i < f->n_openings; i++)
		f->openings[i].kind = get_below(&r, OFFER_KINDS);
	f->n_requests = get_count(&r, REQUEST_LEAST, REQUESTS_MAX);
	if (f->n_requests)
		f->requests = xcalloc(f->n_requests, sizeof(*f->requests));
	for (size_t i = 0; i < f->n_requests; i++)
		get_request(&f->requests[i], &r);
	f->requests_heard = get_u64(&r);
	f->answer.requests_shown = get_u64(&r);
	for (size_t i = 0; i < f->n_requests; i++)
		f->requests[i].sent = get_flag(&r);
	all->bad |= r.bad;
}

static void put_offer(struct buf *b, const struct offer *f)
{
	size_t block = put_block(b);

	put_i64(b, f->warehouse);
	put_u8(b, (uint8_t)f->state);
	put_u8(b, (uint8_t)f->list);
	put_i64(b, f->expires);
	put_flag(b, f->shipped);
	for (int m = 0; m < MARKS; m++)
		put_text(b, f->marks[m]);
	put_u32(b, (uint32_t)f->n_openings);
	for (size_t i = 0; i < f->n_openings; i++) {
		put_i64(b, f->openings[i].expires);
		put_u32(b, (uint32_t)f->openings[i].offset_min);
		put_text(b, f->openings[i].date);
	}
	put_u8(b, (uint8_t)f->finding.what);
	put_u8(b, (uint8_t)f->finding.ended);
	put_u64(b, f->finding.knew);
	put_i64(b, f->finding.at);
	put_answer(b, &f->answer);
	put_problem(b, f);
	put_u64(b, f->accepted_version);
	put_u32(b, f->missed);
	put_shipments(b, f);
	put_sighting(b, &f->sighting);
	put_flag(b, f->doubt);
	put_flag(b, f->answer.denied);
	put_held(b, f);
	put_requests(b, f);
	put_block_end(b, block);
}

#define OPENING_LEAST 16 /* bytes of an opening without a date, the least that
			  * one takes */

static void get_offer(struct offer *f, struct reader *all)
{
	struct reader r = get_block(all);

	f->warehouse = get_i64(&r);
	f->state = get_below(&r, STATES);
	f->list = get_below(&r, LISTS);
	f->expires = get_i64(&r);
	f->shipped = get_flag(&r);
	for (int m = 0; m < MARKS; m++)
		get_word(&r, f->marks[m], sizeof(f->marks[m]));
	f->n_openings = get_count(&r, OPENING_LEAST, OPENINGS_MAX);
	if (f->n_openings)
		f->openings = xcalloc(f->n_openings, sizeof(*f->openings));
	for (size_t i = 0; i < f->n_openings; i++) {
		f->openings[i].expires = get_i64(&r);
		f->openings[i].offset_min = (int)(int32_t)get_u32(&r);
		get_word(&r, f->openings[i].date, sizeof(f->openings[i].date));
	}
	f->finding.what = get_below(&r, FOUND_OPEN + 1);
	f->finding.ended = get_below(&r, STATES);
	f->finding.knew = get_u64(&r);
	f->finding.at = get_i64(&r);
	get_answer(&f->answer, &r);
	get_problem(f, &r);
	f->accepted_version = get_u64(&r);
	f->missed = get_u32(&r);
	get_shipments(f, &r);
	get_sighting(&f->sighting, &r);
	f->doubt = get_flag(&r);
	f->answer.denied = get_flag(&r);
	get_held(f, &r);
	get_requests(f, &r);
	all->bad |= r.bad;
}

void encode_order(struct buf *b, const struct order *o)
{
	begin(b);
	put_flag(b, o->cancelled);
	put_i64(b, o->fetched_at);
	put_text(b, o->status);
	put_text(b, o->hold_reason);
	put_flag(b, o->on_hold);
	put_flag(b, o->has_details);
	put_flag(b, o->has_address);
	put_u64(b, o->version);
	put_i64(b, o->first_seen);
	put_i64(b, o->updated);
	put_flag(b, o->fetch_due);
	put_u32(b, (uint32_t)o->n_offers);
	for (size_t i = 0; i < o->n_offers; i++)
		put_offer(b, &o->offers[i]);
	put_u32(b, o->missed);
	put_i64(b, o->told_at);
}

#define OFFER_LEAST 4 /* bytes of an empty block, the least that an offer
		       * takes */

enum rc get_order(struct order *ret, const char *instance, int64_t number,
		  const void *p, size_t len, struct err *e)
{
	struct reader r;

	order_init(ret, instance, number);
	open_value(&r, p, len);
	ret->cancelled = get_flag(&r);
	ret->fetched_at = get_i64(&r);
	get_word(&r, ret->status, sizeof(ret->status));
	get_word(&r, ret->hold_reason, sizeof(ret->hold_reason));
	ret->on_hold = get_flag(&r);
	ret->has_details = get_flag(&r);
	ret->has_address = get_flag(&r);
	ret->version = get_u64(&r);
	ret->first_seen = get_i64(&r);
	ret->updated = get_i64(&r);
	ret->fetch_due = get_flag(&r);
	ret->n_offers = get_count(&r, OFFER_LEAST, OFFERS_MAX);
	if (ret->n_offers)
		ret->offers = xcalloc(ret->n_offers, sizeof(*ret->offers));
	for (size_t i = 0; i < ret->n_offers; i++) {
		get_offer(&ret->offers[i], &r);
		r.bad |= i && ret->offers[i].warehouse <=
				      ret->offers[i - 1].warehouse;
	}
	ret->missed = get_u32(&r);
	ret->told_at = get_i64(&r);
	if (!r.bad)
		return OK;
	order_release(ret);
	return damaged(e, "order");
}

bool order_same(const struct order *a, const struct order *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, VALUE_MAX);
	buf_init(&y, VALUE_MAX);
	encode_order(&x, a);
	encode_order(&y, b);
	same = x.len == y.len && !memcmp(x.data, y.data, x.len);
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* ---- events ---- */

void encode_event(struct buf *b, const struct event *ev, const char *instance,
	       int64_t received)
{
	begin(b);
	put_text(b, instance);
	put_i64(b, received);
	put_text(b, ev->type);
	put_text(b, ev->action);
	put_text(b, ev->date);
	put_i64(b, ev->id);
	put_text(b, ev->data);
	put_bytes(b, ev->digest, sizeof(ev->digest));
}

enum rc get_event(struct event *ret, uint64_t seq, const void *p, size_t len,
		  struct err *e)
{
	struct reader r;

	*ret = (struct event){.seq = seq};
	open_value(&r, p, len);
	get_word(&r, ret->instance, sizeof(ret->instance));
	ret->received = get_i64(&r);
	get_word(&r, ret->type, sizeof(ret->type));
	get_word(&r, ret->action, sizeof(ret->action));
	get_word(&r, ret->date, sizeof(ret->date));
	ret->id = get_i64(&r);
	ret->data = get_text(&r, NULL);
	get_bytes(&r, ret->digest, sizeof(ret->digest));
	if (!r.bad)
		return OK;
	event_release(ret);
	return damaged(e, "event");
}

void encode_quarantined(struct buf *b, const struct quarantined *q,
		     const char *instance, int64_t received)
{
	begin(b);
	put_text(b, instance);
	put_i64(b, received);
	put_text(b, q->reason);
	put_text(b, q->header);
	put_text_len(b, q->bytes, q->len);
	put_u8(b, (uint8_t)q->kind);
	put_bytes(b, q->digest, sizeof(q->digest));
}

enum rc get_quarantined(struct quarantined *ret, uint64_t seq, const void *p,
			size_t len, struct err *e)
{
	struct reader r;

	*ret = (struct quarantined){.seq = seq};
	open_value(&r, p, len);
	get_word(&r, ret->instance, sizeof(ret->instance));
	ret->received = get_i64(&r);
	get_word(&r, ret->reason, sizeof(ret->reason));
	ret->header = get_text(&r, NULL);
	ret->bytes = get_text(&r, &ret->len);
	ret->kind = get_below(&r, QUARANTINE_KINDS);
	get_bytes(&r, ret->digest, sizeof(ret->digest));
	if (!r.bad)
		return OK;
	quarantined_release(ret);
	return damaged(e, "quarantined body");
}

/* ---- tasks ---- */

void encode_task(struct buf *b, const struct task *t)
{
	begin(b);
	put_text(b, t->kind);
	put_text(b, t->instance);
	put_i64(b, t->number);
	put_i64(b, t->sub);
	put_i64(b, t->created);
	put_i64(b, t->due);
	put_u32(b, t->attempts);
	put_flag(b, t->dead);
	put_text(b, t->reason);
	put_u64(b, t->asked);
	put_i64(b, t->again);
	put_u8(b, t->lane);
	put_u8(b, t->group);
	put_u32(b, t->why);
}

enum rc get_task(struct task *ret, uint64_t id, const void *p, size_t len,
		 struct err *e)
{
	struct reader r;

	*ret = (struct task){.id = id};
	open_value(&r, p, len);
	get_word(&r, ret->kind, sizeof(ret->kind));
	get_word(&r, ret->instance, sizeof(ret->instance));
	ret->number = get_i64(&r);
	ret->sub = get_i64(&r);
	ret->created = get_i64(&r);
	ret->due = get_i64(&r);
	ret->attempts = get_u32(&r);
	ret->dead = get_flag(&r);
	ret->reason = get_text(&r, NULL);
	ret->asked = get_u64(&r);
	ret->again = get_i64(&r);
	ret->lane = (uint8_t)get_below(&r, LANES);
	ret->group = get_u8(&r);
	ret->why = get_u32(&r);
	if (!r.bad)
		return OK;
	task_release(ret);
	return damaged(e, "task");
}

/* ---- the journal ---- */

enum {
#define WORD(name) WORD_##name,
#include "store/model/journal.def"
	WORDS,
};

enum {
#define NUMBER(name) NUMBER_##name,
#include "store/model/journal.def"
	NUMBERS,
};

static void put_word(struct buf *b, uint8_t place, const char *word)
{
	if (!word)
		return;
	put_u8(b, place);
	put_text(b, word);
}

static void put_number(struct buf *b, uint8_t place, int64_t n)
{
	if (!n)
		return;
	put_u8(b, place);
	put_i64(b, n);
}

void encode_entry(struct buf *b, const struct entry *e)
{
	uint32_t words = 0, numbers = 0;

#define WORD(name)   words += e->name != NULL;
#define NUMBER(name) numbers += e->name != 0;
#include "store/model/journal.def"
	begin(b);
	put_i64(b, e->at);
	put_i64(b, e->warehouse);
	put_u64(b, e->device);
	put_text(b, entry_about(e));
	put_text(b, ""); /* of schema 1 */
	put_text(b, fact_name(e->fact));
	put_u32(b, words);
#define WORD(name) put_word(b, WORD_##name, e->name);
#include "store/model/journal.def"
	put_u32(b, numbers);
#define NUMBER(name) put_number(b, NUMBER_##name, e->name);
#include "store/model/journal.def"
}

#define WORD_LEAST   5 /* bytes of a word at least: its place, and the length of
		        * its text */
#define NUMBER_LEAST 9
#define FIELDS_MAX   100

/* Reads the fields that follow the fact's name.  Fields that a newer version
 * added are skipped. */
static void get_fields(struct reader *r, struct entry *e, char *words[WORDS])
{
	size_t n = get_count(r, WORD_LEAST, FIELDS_MAX);
	unsigned place;
	char *word;

	for (size_t i = 0; i < n && !r->bad; i++) {
		place = get_u8(r);
		word = get_text(r, NULL);
		if (place >= WORDS || words[place])
			free(word);
		else
			words[place] = word;
	}
	n = get_count(r, NUMBER_LEAST, FIELDS_MAX);
	for (size_t i = 0; i < n && !r->bad; i++) {
		int64_t v;

		place = get_u8(r);
		v = get_i64(r);
		switch (place) {
#define NUMBER(name)            \
	case NUMBER_##name:     \
		e->name = v;    \
		break;
#include "store/model/journal.def"
		default:
			break;
		}
	}
}

void encode_joined(struct buf *row, const struct buf *entry)
{
	size_t block = put_block(row);

	put_bytes(row, entry->data, entry->len);
	put_block_end(row, block);
	row->full |= buf_full(entry);
}

/* Reads an entry from a reader of its own bytes, or of all of its row. */
static enum rc read_entry(struct entry *ret, struct reader *r, uint64_t seq,
			  struct err *e)
{
	struct entry in = {.seq = seq};
	char *words[WORDS] = {0}, *about, *text, *fact;

	r->bad |= get_u8(r) != DRAWING;
	in.at = get_i64(r);
	in.warehouse = get_i64(r);
	in.device = get_u64(r);
	about = get_text(r, NULL);
	text = get_text(r, NULL);
	fact = get_text(r, NULL);
	if (about && text && !fact) /* of schema 1 */
		entry_of_old(&in, about, text);
	get_fields(r, &in, words);
	if (fact) {
		in.fact = fact_of(fact);
#define WORD(name) in.name = words[WORD_##name];
#include "store/model/journal.def"
	}
	if (in.fact == FACTS)
		entry_of_newer(&in, fact);
	*ret = !r->bad && about && text ? entry_copy(&in) : (struct entry){0};
	for (size_t i = 0; i < WORDS; i++)
		free(words[i]);
	free(about);
	free(text);
	free(fact);
	return ret->memory ? OK : damaged(e, "line of a journal");
}

void entries_init(struct entries *in, uint64_t seq, const void *p, size_t len)
{
	*in = (struct entries){.seq = seq};
	reader_init(&in->r, p, len);
}

enum rc get_entry(struct entry *ret, struct entries *in, struct err *e)
{
	struct reader block;

	*ret = (struct entry){0};
	if (!in->begun) {
		in->begun = true;
		return read_entry(ret, &in->r, in->seq++, e);
	}
	if (in->r.bad || !in->r.left)
		return RC_NOTFOUND;
	block = get_block(&in->r);
	return read_entry(ret, &block, in->seq++, e);
}

/* ---- devices ---- */

void encode_device(struct buf *b, const struct device *d)
{
	begin(b);
	put_text(b, d->shop);
	put_text(b, d->name);
	put_i64(b, d->created);
	put_flag(b, d->removed);
	put_flag(b, d->suspended);
	put_u8(b, (uint8_t)d->kind);
	put_i64(b, d->used);
}

enum rc get_device(struct device *ret, uint64_t id, const void *p, size_t len,
		   struct err *e)
{
	struct reader r;

	*ret = (struct device){.id = id};
	open_value(&r, p, len);
	get_word(&r, ret->shop, sizeof(ret->shop));
	get_word(&r, ret->name, sizeof(ret->name));
	ret->created = get_i64(&r);
	ret->removed = get_flag(&r);
	ret->suspended = get_flag(&r);
	ret->kind = get_below(&r, DEVICE_KINDS);
	ret->used = get_i64(&r);
	return r.bad ? damaged(e, "device") : OK;
}

/* ---- documents ---- */

void encode_doc(struct buf *b, const struct doc *d)
{
	begin(b);
	put_u64(b, d->rev);
	put_text(b, d->list);
	put_i64(b, d->at);
	put_i64(b, d->updated);
	put_text(b, d->text);
}

enum rc get_doc(struct doc *ret, const void *p, size_t len, struct err *e)
{
	struct reader r;

	open_value(&r, p, len);
	ret->rev = get_u64(&r);
	get_word(&r, ret->list, sizeof(ret->list));
	ret->at = get_i64(&r);
	ret->updated = get_i64(&r);
	ret->text = get_text(&r, NULL);
	if (!r.bad && ret->rev && ret->text)
		return OK;
	doc_release(ret);
	return damaged(e, "document");
}
