/* SPDX-License-Identifier: MIT
 *
 * event.c - see event.h.
 */
#include "centra/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/json.h"

#define WORD_MAX 64 /* bytes of a type or an action */

/* ---- the texts of a batch ---- */

struct texts {
	char **list; /* owned, and each of them */
	size_t n, cap;
};

static const char *keep(struct texts *t, char *text)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->list = xrealloc(t->list, t->cap, sizeof(*t->list));
	}
	return t->list[t->n++] = text;
}

/* A buf needs a maximum.  The input is bounded, and so is its canonical
 * form. */
#define CANONICAL_MAX (SIZE_MAX / 4)

static const char *keep_canonical(struct texts *t, const cJSON *v)
{
	struct buf b;

	buf_init(&b, CANONICAL_MAX);
	json_canonical(v, &b);
	return keep(t, buf_detach(&b, NULL));
}

/* ---- check_first ---- */

static bool read_offer(const cJSON *v, struct check_first_offer *ret)
{
	const char *expires = json_text(json_get(v, "expirationAt"));

	*ret = (struct check_first_offer){.expires = TIME_NONE};
	if (!json_int(json_get(v, "warehouseId"), &ret->warehouse) ||
	    ret->warehouse <= 0)
		return false;
	if (expires &&
	    time_parse_iso(expires, &ret->expires, &ret->offset_min)) {
		ret->expires = TIME_NONE;
		ret->offset_min = 0;
	}
	return true;
}

/* Reads the warehouses of a create.  One that cannot be read does not affect
 * the others. */
static size_t read_offers(const cJSON *data, struct check_first_offer **ret)
{
	const cJSON *list = json_get(data, "warehouses"), *v;
	struct check_first_offer *offers;
	size_t n = 0;

	if (!cJSON_IsArray(list) && !cJSON_IsObject(list))
		return 0;
	offers = xcalloc(json_length(list), sizeof(*offers));
	cJSON_ArrayForEach(v, list)
		n += read_offer(v, &offers[n]);
	if (n && ret)
		*ret = offers;
	else
		free(offers);
	return n;
}

static bool read_warehouse(const cJSON *data, int64_t *ret)
{
	int64_t id;

	if (!json_int(json_get(data, "warehouseId"), &id) || id <= 0)
		return false;
	*ret = id;
	return true;
}

static enum rc parse_data(const char *data, cJSON **ret, struct err *e)
{
	if (!data)
		return fail(e, RC_INVALID, "no 'data'");
	return json_parse(data, strlen(data), JSON_LENIENT, ret, e);
}

enum rc check_first_offers(const char *data, struct check_first_offer **ret,
			   size_t *ret_n, struct err *e)
{
	cJSON *v = NULL;
	enum rc rc = parse_data(data, &v, e);
	size_t n;

	if (rc)
		return rc;
	n = read_offers(v, ret);
	if (n)
		*ret_n = n;
	else
		rc = fail(e, RC_INVALID, "no usable 'data.warehouses'");
	cJSON_Delete(v);
	return rc;
}

enum rc check_first_warehouse(const char *data, int64_t *ret, struct err *e)
{
	cJSON *v = NULL;
	enum rc rc = parse_data(data, &v, e);

	if (!rc && !read_warehouse(v, ret))
		rc = fail(e, RC_INVALID, "no usable 'data.warehouseId'");
	cJSON_Delete(v);
	return rc;
}

static const char *check_first_fault(const char *action, const cJSON *data)
{
	int64_t ignored;

	if (!strcmp(action, "create"))
		return read_offers(data, NULL) ? NULL
					       : "no usable 'data.warehouses'";
	if (!strcmp(action, "accepted") || !strcmp(action, "rejected") ||
	    !strcmp(action, "timeout"))
		return read_warehouse(data, &ignored)
			       ? NULL
			       : "no usable 'data.warehouseId'";
	return NULL; /* an action we do not know: kept */
}

/* ---- one event ---- */

/* Returns a text of 1 to 64 bytes without control characters and without a lost
 * character; else NULL. */
static const char *word(const cJSON *v)
{
	const char *s = json_text(v), *p;

	if (!s || !*s || strlen(s) > WORD_MAX || strstr(s, JSON_LOST))
		return NULL;
	for (p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	return s;
}

static bool is_order_number(const char *type)
{
	return !strcmp(type, "order") || !strcmp(type, "check_first");
}

/* Fills in ev.  Returns what is wrong with it, or NULL. */
static const char *read_event(const cJSON *v, struct texts *t,
			      struct centra_event *ev)
{
	const char *type = word(json_get(v, "type"));
	const char *action = word(json_get(v, "action"));
	const char *date = json_text(json_get(v, "date"));
	const cJSON *data = json_get(v, "data");

	if (!cJSON_IsObject(v))
		return "the event is not an object";
	if (!type)
		return "'type' is missing or no word of 1 to 64 bytes";
	ev->type = keep(t, xstrdup(type));
	if (!action)
		return "'action' is missing or no word of 1 to 64 bytes";
	ev->action = keep(t, xstrdup(action));
	if (!date || stamp_parse(ev->date, date))
		return "'date' is missing or no date";
	if (!json_int(json_get(v, "id"), &ev->id))
		return "'id' is missing or no integer of 64 bits";
	if (ev->id < (is_order_number(type) ? 1 : 0))
		return "'id' is out of range";
	if (!json_empty(data))
		ev->data = keep_canonical(t, data);
	return strcmp(type, "check_first") ? NULL
					   : check_first_fault(action, data);
}

/* ---- a create of which a part cannot be read ---- */

static bool is_create(const struct centra_event *ev)
{
	return ev->type && ev->action && !strcmp(ev->type, "check_first") &&
	       !strcmp(ev->action, "create");
}

/* Makes an event with only those warehouses of a create that could not be read.
 * It is quarantined, and can be applied on its own once they can be read. */
static const char *keep_unread(struct texts *t, const cJSON *v)
{
	cJSON *rest = cJSON_Duplicate(v, true), *list, *c, *next;
	struct check_first_offer ignored;
	const char *ret;

	if (!rest)
		abort(); /* as xmalloc */
	list = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(rest, "data"), "warehouses");
	for (c = list->child; c; c = next) {
		next = c->next;
		if (read_offer(c, &ignored))
			cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
	}
	ret = keep_canonical(t, rest);
	cJSON_Delete(rest);
	return ret;
}

static void add_unread(const cJSON *v, struct centra_batch *b)
{
	const struct centra_event *ev = &b->events[b->n - 1];
	const cJSON *data = json_get(v, "data");

	if (ev->bad || !is_create(ev) ||
	    read_offers(data, NULL) == json_length(json_get(data, "warehouses")))
		return;
	b->events[b->n++] = (struct centra_event){
		.bad = "an entry of 'data.warehouses' cannot be used",
		.raw = keep_unread(b->owned, v),
	};
}

/* ---- the batch ---- */

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static enum rc other_version(const cJSON *v, enum webhook_version *ret,
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
	const cJSON *c;

	if (cJSON_IsObject(v)) {
		cJSON_ArrayForEach(c, v)
		{
			if (is_one_of(c->string, checkout)) {
				*ret = WEBHOOK_CHECKOUT;
				return OK;
			}
			if (is_one_of(c->string, storefront)) {
				*ret = WEBHOOK_STOREFRONT;
				return OK;
			}
		}
	}
	return fail(e, RC_INVALID, "a payload of no known webhook version");
}

/* True for a list, or for an object with numbers as keys, which PHP writes for
 * a list with gaps. */
static bool is_list(const cJSON *v)
{
	const cJSON *c;

	if (!cJSON_IsObject(v))
		return cJSON_IsArray(v);
	cJSON_ArrayForEach(c, v)
		if (!*c->string ||
		    c->string[strspn(c->string, "0123456789")])
			return false;
	return true;
}

static enum rc read_events(const cJSON *list, struct centra_batch *ret,
			   struct err *e)
{
	const cJSON *v;
	size_t n = json_length(list);

	if (!is_list(list))
		return fail(e, RC_INVALID, "'events' is not a list");
	if (n > BATCH_EVENTS_MAX)
		return fail(e, RC_INVALID, "%zu events, more than %d", n,
			    BATCH_EVENTS_MAX);
	ret->events = xcalloc(2 * n, sizeof(*ret->events));
	ret->owned = xcalloc(1, sizeof(struct texts));
	cJSON_ArrayForEach(v, list)
	{
		struct centra_event *ev = &ret->events[ret->n++];

		ev->raw = keep_canonical(ret->owned, v);
		ev->bad = read_event(v, ret->owned, ev);
		add_unread(v, ret);
	}
	return OK;
}

enum rc centra_batch_parse(const char *json, size_t len,
			   struct centra_batch *ret, struct err *e)
{
	const cJSON *events;
	cJSON *v = NULL;
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
	cJSON_Delete(v);
	return rc;
}

void centra_batch_release(struct centra_batch *b)
{
	struct texts *t = b->owned;

	if (t) {
		for (size_t i = 0; i < t->n; i++)
			free(t->list[i]);
		free(t->list);
		free(t);
	}
	free(b->events);
	*b = (struct centra_batch){0};
}
