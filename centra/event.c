/* SPDX-License-Identifier: MIT
 *
 * event.c - see event.h.
 */
#include "centra/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

/* A buf needs a maximum; the input is bounded already, and so is its canonical
 * form. */
#define CANONICAL_MAX (SIZE_MAX / 4)

static char *canonical(const struct json *v)
{
	struct buf b;

	buf_init(&b, CANONICAL_MAX);
	json_canonical(v, &b);
	return buf_detach(&b, NULL);
}

/* ---- check_first ---- */

static bool read_offer(const struct json *v, struct check_first_offer *ret)
{
	*ret = (struct check_first_offer){.expires = TIME_NONE};
	(void)json_time(json_get(v, "expirationAt"), &ret->expires,
			&ret->offset_min);
	return json_int(json_get(v, "warehouseId"), &ret->warehouse) &&
	       ret->warehouse > 0;
}

static struct check_first *check_first_new(size_t room)
{
	return xcalloc(1, sizeof(struct check_first) +
				  room * sizeof(struct check_first_offer));
}

/* Reads the warehouses of a create.  One that cannot be read does not affect
 * the others.  NULL: none can be read. */
static struct check_first *read_offers(const struct json *data)
{
	const struct json *list = json_get(data, "warehouses"), *v;
	struct check_first *ret;

	if (!json_is_list(list) && !json_is_object(list))
		return NULL;
	ret = check_first_new(json_length(list));
	json_each(v, list)
		ret->n_offers += read_offer(v, &ret->offers[ret->n_offers]);
	if (ret->n_offers)
		return ret;
	free(ret);
	return NULL;
}

static struct check_first *read_warehouse(const struct json *data)
{
	struct check_first *ret;
	int64_t id;

	if (!json_int(json_get(data, "warehouseId"), &id) || id <= 0)
		return NULL;
	ret = check_first_new(0);
	ret->warehouse = id;
	return ret;
}

static bool is_create(const char *action)
{
	return !strcmp(action, "create");
}

bool check_first_known(const char *action)
{
	return is_create(action) || !strcmp(action, "accepted") ||
	       !strcmp(action, "rejected") || !strcmp(action, "timeout");
}

/* Decodes the data of a known action; returns what is wrong with it, or
 * NULL. */
static const char *read_data(const char *action, const struct json *data,
			     struct check_first **ret)
{
	if (is_create(action)) {
		*ret = read_offers(data);
		return *ret ? NULL : "no usable 'data.warehouses'";
	}
	*ret = read_warehouse(data);
	return *ret ? NULL : "no usable 'data.warehouseId'";
}

enum rc check_first_read(const char *action, const char *data,
			 struct check_first **ret, struct err *e)
{
	const char *bad;
	struct json *v = NULL;
	enum rc rc;

	*ret = NULL;
	if (!data)
		return fail(e, RC_INVALID, "no 'data'");
	rc = json_parse(data, strlen(data), JSON_LENIENT, &v, e);
	if (rc)
		return rc;
	bad = read_data(action, v, ret);
	json_free(v);
	return bad ? fail(e, RC_INVALID, "%s", bad) : OK;
}

/* ---- one event ---- */

/* Copies a text of 1 to 64 bytes without control characters and without a lost
 * character.  False: it is no such text. */
static bool read_word(const struct json *v, char ret[EVENT_WORD_MAX + 1])
{
	const char *s = json_text(v);

	if (!s || !*s || strstr(s, JSON_LOST) ||
	    !copy_text(ret, EVENT_WORD_MAX + 1, s))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* ---- allocation_request: see also request.c ---- */

/* Adds Centra's own id of an event to its data, as the member "$id". */
static void add_id(struct centra_event *ev)
{
	struct json *v = NULL;
	struct buf b;
	struct err e;

	buf_init(&b, CANONICAL_MAX);
	buf_fmt(&b, "{\"$id\":%lld,", (long long)ev->id);
	buf_str(&b, ev->data + 1);
	if (!json_parse(b.data, b.len, JSON_LENIENT, &v, &e)) {
		free(ev->data);
		ev->data = canonical(v);
	}
	json_free(v);
	buf_release(&b);
}

/* Puts the order's number in the place of the id of an allocation_request event,
 * which may be the request's or anything else (CONTRACT 4.2). */
static const char *read_request(const struct json *data,
				struct centra_event *ev)
{
	int64_t number;
	struct err e;

	if (!json_is_object(data) ||
	    !json_int(json_get(json_get(data, "order"), "number"), &number) ||
	    number < 1)
		return "no usable 'data.order.number'";
	if (centra_request_known(ev->action) &&
	    centra_request_read(ev->data, &ev->request, &e))
		return "no usable 'data.warehouseId' or 'data.status'";
	if (!json_get(data, "$id"))
		add_id(ev);
	ev->id = number;
	return NULL;
}

static bool is_order_number(const char *type)
{
	return !strcmp(type, "order") || !strcmp(type, "check_first");
}

/* Fills in ev.  Returns what is wrong with it, or NULL. */
static const char *read_event(const struct json *v, struct centra_event *ev)
{
	const char *date = json_text(json_get(v, "date"));
	const struct json *data = json_get(v, "data");

	if (!json_is_object(v))
		return "the event is not an object";
	if (!read_word(json_get(v, "type"), ev->type))
		return "'type' is missing or no word of 1 to 64 bytes";
	if (!read_word(json_get(v, "action"), ev->action))
		return "'action' is missing or no word of 1 to 64 bytes";
	if (!date || stamp_parse(ev->date, date))
		return "'date' is missing or no date";
	if (!json_int(json_get(v, "id"), &ev->id))
		return "'id' is missing or no integer of 64 bits";
	if (ev->id < (is_order_number(ev->type) ? 1 : 0))
		return "'id' is out of range";
	if (!json_empty(data))
		ev->data = canonical(data);
	if (!strcmp(ev->type, "allocation_request"))
		return read_request(data, ev);
	if (strcmp(ev->type, "check_first") || !check_first_known(ev->action))
		return NULL; /* an action that we do not know: the event is
			      * kept */
	return read_data(ev->action, data, &ev->check_first);
}

/* ---- a create of which a part cannot be read ---- */

static bool is_offer(const struct json *v)
{
	struct check_first_offer ignored;

	return read_offer(v, &ignored);
}

/* Makes an event with only those warehouses of a create that could not be read.
 * It is quarantined, and can be applied on its own once they can be read. */
static char *unread_part(const struct json *v)
{
	struct json *rest = json_copy(v);
	char *ret;

	json_remove(json_part(json_part(rest, "data"), "warehouses"),
		    is_offer);
	ret = canonical(rest);
	json_free(rest);
	return ret;
}

static void add_unread(const struct json *v, struct centra_batch *b)
{
	const struct centra_event *ev = &b->events[b->n - 1];
	const struct json *list = json_get(json_get(v, "data"), "warehouses");

	if (ev->bad || !ev->check_first || !is_create(ev->action) ||
	    ev->check_first->n_offers == json_length(list))
		return;
	b->events[b->n++] = (struct centra_event){
		.bad = "an entry of 'data.warehouses' cannot be used",
		.raw = unread_part(v),
	};
}

/* ---- the batch ---- */

static enum rc other_version(const struct json *v, enum webhook_version *ret,
			     struct err *e)
{
	static const char *const checkout[] = {
		"products",	 "categories", "pricelists",
		"warehouses",	 "brands",     "warehouseGroups",
		"markets",	 "campaigns",  "campaignSites",
		"affiliates",	 "statics",    "giftCertificates",
		"cmsArticles",	 "mapsRegion", "mapsLocations",
		"mapsRegions",	 NULL};
	static const char *const storefront[] = {
		"DisplayItems",	 "Categories", "Pricelists",
		"Markets",	 "Brands",     "Collections",
		"Languages",	 "Affiliates", "CampaignSites",
		"BrickAndMortars", NULL};
	const struct json *c;

	if (json_is_object(v)) {
		json_each(c, v)
		{
			if (text_is_one_of(json_name(c), checkout)) {
				*ret = WEBHOOK_CHECKOUT;
				return OK;
			}
			if (text_is_one_of(json_name(c), storefront)) {
				*ret = WEBHOOK_STOREFRONT;
				return OK;
			}
		}
	}
	return fail(e, RC_INVALID, "a payload of no known webhook version");
}

/* True for a list, or for an object with numbers as keys, which PHP writes for
 * a list with gaps. */
static bool is_list(const struct json *v)
{
	const struct json *c;

	if (!json_is_object(v))
		return json_is_list(v);
	json_each(c, v)
	{
		const char *key = json_name(c);

		if (!*key || key[strspn(key, "0123456789")])
			return false;
	}
	return true;
}

static enum rc read_events(const struct json *list, struct centra_batch *ret,
			   struct err *e)
{
	const struct json *v;
	size_t n = json_length(list);

	if (!is_list(list))
		return fail(e, RC_INVALID, "'events' is not a list");
	if (n > BATCH_EVENTS_MAX)
		return fail(e, RC_INVALID, "%zu events, more than %d", n,
			    BATCH_EVENTS_MAX);
	ret->events = xcalloc(2 * n, sizeof(*ret->events));
	json_each(v, list)
	{
		struct centra_event *ev = &ret->events[ret->n++];

		ev->bad = read_event(v, ev);
		if (ev->bad)
			ev->raw = canonical(v);
		add_unread(v, ret);
	}
	return OK;
}

enum rc centra_batch_parse(const char *json, size_t len,
			   struct centra_batch *ret, struct err *e)
{
	const struct json *events;
	struct json *v = NULL;
	enum rc rc;

	*ret = (struct centra_batch){.version = WEBHOOK_INTEGRATION};
	rc = json_parse(json, len, JSON_LENIENT, &v, e);
	if (rc)
		return rc;
	events = json_get(v, "events");
	if (events)
		rc = read_events(events, ret, e);
	else
		rc = other_version(v, &ret->version, e);
	json_free(v);
	return rc;
}

void centra_batch_release(struct centra_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->events[i].raw);
		free(b->events[i].data);
		free(b->events[i].check_first);
		free(b->events[i].request);
	}
	free(b->events);
	*b = (struct centra_batch){0};
}
