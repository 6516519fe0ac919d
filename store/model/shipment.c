/* SPDX-License-Identifier: MIT
 *
 * shipment.c - see shipment.h.
 */
#include "store/model/shipment.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *ship_stage_name(enum ship_stage s)
{
	static const char *const names[SHIP_STAGES] = {
		[SHIP_ASKED] = "asked",
		[SHIP_CREATED] = "created",
		[SHIP_CAPTURED] = "captured",
		[SHIP_CAPTURE_FAILED] = "capture_failed",
		[SHIP_FAILED] = "failed",
		[SHIP_SHIPPED] = "shipped",
	};

	return (unsigned)s < SHIP_STAGES ? names[s] : "unknown";
}

const char *ship_capture_name(enum ship_capture c)
{
	static const char *const names[SHIP_CAPTURES] = {
		[CAPTURE_NONE] = "none",
		[CAPTURE_PENDING] = "pending",
		[CAPTURE_DONE] = "done",
		[CAPTURE_FAILED] = "failed",
	};

	return (unsigned)c < SHIP_CAPTURES ? names[c] : "unknown";
}

static const struct {
	const char *name, *words;
} steps[SHIP_STEPS] = {
	[STEP_CONFIRM] = {"confirm", "confirm the order"},
	[STEP_CREATE] = {"create", "make the shipment"},
	[STEP_CAPTURE] = {"capture", "capture the payment"},
	[STEP_COMPLETE] = {"complete", "complete the shipment"},
	[STEP_GOOD_TO_GO] = {"good_to_go", "set the shipment good-to-go"},
	[STEP_EDIT] = {"edit", "set fewer units"},
	[STEP_DELETE] = {"delete", "remove the shipment"},
};

const char *ship_step_name(enum ship_step s)
{
	return (unsigned)s < SHIP_STEPS ? steps[s].name : "unknown";
}

const char *ship_step_words(const char *name)
{
	for (int i = 0; i < SHIP_STEPS; i++)
		if (!strcmp(steps[i].name, name))
			return steps[i].words;
	return name;
}

bool shipment_under_way(const struct shipment *s)
{
	return s->came.stage <= SHIP_CAPTURED;
}

bool shipment_goes_on(const struct shipment *s)
{
	return shipment_under_way(s) ||
	       (s->came.stage == SHIP_FAILED &&
		s->came.fault == FAULT_REFUSED && s->came.id &&
		(s->step == STEP_GOOD_TO_GO || s->step == STEP_COMPLETE));
}

static bool same_key(const struct ship_key *a, const struct ship_key *b)
{
	return a->device == b->device &&
	       !memcmp(a->hash, b->hash, sizeof(a->hash));
}

bool shipment_has_key(const struct shipment *s, const struct ship_key *k)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (same_key(&s->keys[i], k))
			return true;
	return false;
}

bool shipment_stands(const struct shipment *s)
{
	return s->came.id ||
	       (s->step == STEP_CREATE && (s->unknown || s->trying));
}

static void *copy_of(const void *list, size_t n, size_t size)
{
	return n ? xmemdup(list, n * size) : NULL;
}

struct ship_ask ship_ask_copy(const struct ship_ask *a)
{
	struct ship_ask ret = *a;

	ret.carrier = xstrdup(a->carrier);
	ret.service = xstrdup(a->service);
	ret.tracking = xstrdup(a->tracking);
	ret.by = xstrdup(a->by);
	ret.lines = copy_of(a->lines, a->n_lines, sizeof(*a->lines));
	return ret;
}

void ship_ask_release(struct ship_ask *a)
{
	free(a->carrier);
	free(a->service);
	free(a->tracking);
	free(a->by);
	free(a->lines);
	*a = (struct ship_ask){0};
}

struct ship_came ship_came_copy(const struct ship_came *c)
{
	struct ship_came ret = *c;

	ret.error = xstrdup(c->error);
	return ret;
}

void ship_came_release(struct ship_came *c)
{
	free(c->error);
	*c = (struct ship_came){0};
}

struct shipment shipment_copy(const struct shipment *s)
{
	struct shipment ret = *s;

	ret.ask = ship_ask_copy(&s->ask);
	ret.came = ship_came_copy(&s->came);
	ret.before = copy_of(s->before, s->n_before, sizeof(*s->before));
	ret.keys = copy_of(s->keys, s->n_keys, sizeof(*s->keys));
	ret.edit = copy_of(s->edit, s->n_edit, sizeof(*s->edit));
	ret.shown = xstrdup(s->shown);
	ret.person = xstrdup(s->person);
	return ret;
}

void shipment_release(struct shipment *s)
{
	ship_ask_release(&s->ask);
	ship_came_release(&s->came);
	free(s->before);
	free(s->keys);
	free(s->edit);
	free(s->shown);
	free(s->person);
	*s = (struct shipment){0};
}
