/* SPDX-License-Identifier: MIT
 *
 * request.c - decodes allocation requests, as webhooks and the Order API's list
 * write them; see event.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "centra/event.h"

/* ---- the expiry ---- */

/* Abbreviations that mean one offset, in minutes east of UTC (PHP's
 * timezone_type 2). */
static bool abbreviation(const char *name, int *ret)
{
	static const struct {
		const char *name;
		int offset_min;
	} rows[] = {
		{"UTC", 0},   {"GMT", 0},    {"Z", 0},	   {"WET", 0},
		{"WEST", 60}, {"BST", 60},   {"CET", 60},  {"CEST", 120},
		{"EET", 120}, {"EEST", 180}, {"EST", -300}, {"EDT", -240},
		{"PST", -480}, {"PDT", -420},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name)) {
			*ret = rows[i].offset_min;
			return true;
		}
	return false;
}

/* Reads a stamp in a zone that is written as an offset ("+01:00"), as an
 * abbreviation or by its name.  False: it is no moment, or one of two, in the
 * hour that the zone repeats. */
static bool in_zone(const char stamp[STAMP_SIZE], const char *zone,
		    int64_t *ret, int *ret_offset)
{
	const struct zone *z = zone_named(zone);
	char iso[64];
	int64_t t;

	if (z) {
		t = zone_time(z, stamp);
		if (t == TIME_NONE || zone_repeats(z, stamp))
			return false;
		*ret = t;
		*ret_offset = zone_offset(z, t);
		return true;
	}
	if (abbreviation(zone, ret_offset)) {
		snprintf(iso, sizeof(iso), "%.10sT%.8sZ", stamp, stamp + 11);
		if (time_parse_iso(iso, &t, NULL))
			return false;
		*ret = t - *ret_offset * INT64_C(60000);
		return true;
	}
	snprintf(iso, sizeof(iso), "%.10sT%.8s%.10s", stamp, stamp + 11, zone);
	return !time_parse_iso(iso, ret, ret_offset);
}

/* Reads a date as PHP serialises a DateTime ({"date","timezone_type",
 * "timezone"}), or as ISO 8601. */
static void read_expiry(const struct json *v, struct centra_request *ret)
{
	const char *date = json_text(json_get(v, "date"));
	const char *zone = json_text(json_get(v, "timezone"));
	char stamp[STAMP_SIZE];
	int64_t t;

	ret->expires = TIME_NONE;
	if (json_is_object(v)) {
		if (!date || !zone || stamp_parse(stamp, date) ||
		    !in_zone(stamp, zone, &t, &ret->offset_min))
			return;
	} else if (!json_time(v, &t, &ret->offset_min)) {
		return;
	}
	/* The two sources write fractions differently, and one expiry must be
	 * one number. */
	ret->expires = t - (t % 1000 + 1000) % 1000;
}

/* ---- a request ---- */

static void read_lines(const struct json *list, struct centra_request *ret)
{
	const struct json *v;
	int64_t line, quantity;

	json_each(v, list)
	{
		if (ret->n_lines == CENTRA_REQUEST_LINES_MAX)
			break;
		if (!json_int(json_get(v, "lineId"), &line) || line < 1)
			continue;
		if (!json_int(json_get(v, "quantity"), &quantity) ||
		    quantity < 0)
			quantity = 0;
		ret->lines[ret->n_lines].line = line;
		ret->lines[ret->n_lines++].quantity = quantity;
	}
}

struct centra_request *centra_request_of(const struct json *v)
{
	const struct json *lines = json_get(v, "lines");
	const char *status = json_text(json_get(v, "status"));
	struct centra_request *ret;
	size_t room = json_length(lines);
	int64_t number, warehouse;
	int ignored;

	if (!json_int(json_get(json_get(v, "order"), "number"), &number) ||
	    number < 1 || !json_int(json_get(v, "warehouseId"), &warehouse) ||
	    warehouse < 1 || !status)
		return NULL;
	if (room > CENTRA_REQUEST_LINES_MAX)
		room = CENTRA_REQUEST_LINES_MAX;
	ret = xcalloc(1, sizeof(*ret) + room * sizeof(ret->lines[0]));
	ret->number = number;
	ret->warehouse = warehouse;
	if (!copy_text(ret->status, sizeof(ret->status), status))
		ret->status[0] = '\0';
	if (!json_int(json_get(v, "id"), &ret->id) || ret->id < 1)
		ret->id = 0;
	read_expiry(json_get(v, "expirationDate"), ret);
	ret->created = TIME_NONE;
	(void)json_time(json_get(v, "createdAt"), &ret->created, &ignored);
	read_lines(lines, ret);
	return ret;
}

bool centra_request_known(const char *action)
{
	return !strcmp(action, "create") || !strcmp(action, "update");
}

enum rc centra_request_read(const char *data, struct centra_request **ret,
			    struct err *e)
{
	struct json *v = NULL;
	enum rc rc;

	*ret = NULL;
	if (!data)
		return fail(e, RC_INVALID, "no 'data'");
	rc = json_parse(data, strlen(data), JSON_LENIENT, &v, e);
	if (rc)
		return rc;
	*ret = centra_request_of(v);
	json_free(v);
	if (!*ret)
		return fail(e, RC_INVALID,
			    "no usable order number, warehouse or status");
	(*ret)->id = 0;
	return OK;
}
