/* SPDX-License-Identifier: MIT */
#include "tests/harness/tills.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

/* ---- the server, and the shops' systems ---- */

struct receiver *till, *stockholm, *berlin;

static const char *lines_for(struct receiver *r, char ret[512])
{
	snprintf(ret, 512, "notify_url = %s\nnotify_secret = " TILL_KNOWS "\n",
		 receiver_url(r));
	return ret;
}

struct shipfrom *tills_start(void **state, struct shipfrom_options o)
{
	char a[512], b[512], c[512];

	if (!till)
		till = receiver_start(TILL_KNOWS);
	if (!o.amsterdam)
		o.amsterdam = lines_for(till, a);
	if (stockholm)
		o.stockholm = lines_for(stockholm, b);
	if (berlin)
		o.berlin = lines_for(berlin, c);
	if (!o.server)
		o.server = TILL_NEAR;
	if (!o.centra)
		o.centra = MANY;
	*state = shipfrom_start(&o);
	/* The texts are of this frame; the config is written. */
	((struct shipfrom *)*state)->options.amsterdam = NULL;
	((struct shipfrom *)*state)->options.stockholm = NULL;
	((struct shipfrom *)*state)->options.berlin = NULL;
	return *state;
}

int tills_setup(void **state)
{
	return !tills_start(state, (struct shipfrom_options){0});
}

int tills_end(void **state)
{
	int bad = shipfrom_end(state);

	receiver_stop(till);
	receiver_stop(stockholm);
	receiver_stop(berlin);
	till = stockholm = berlin = NULL;
	return bad;
}

char *verb_prints(struct shipfrom *s, const char *line)
{
	char copy[200], *rest, *out = NULL;
	const char *words[12] = {0};
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &rest); w && n < 11;
	     w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	if (shipfrom_run(s, &out, true, words))
		fail_msg("%s: %s", line, out);
	return out;
}

struct print {
	struct shipfrom *s;
	const char *line, *has, *too;
};

static bool is_printed(void *arg)
{
	const struct print *p = arg;
	char *out = verb_prints(p->s, p->line);
	bool is = strstr(out, p->has) && (!p->too || strstr(out, p->too));

	free(out);
	return is;
}

void wait_printed(struct shipfrom *s, const char *line, const char *has,
			 const char *too, int ms)
{
	struct print p = {s, line, has, too};
	char *out;

	if (wait_until(is_printed, &p, ms))
		return;
	out = verb_prints(s, line);
	fail_msg("%s has no %s %s: %.600s", line, has, too ? too : "", out);
	free(out);
}

/* ---- what arrived ---- */

static bool is_same(const cJSON *a, const cJSON *b)
{
	return !strcmp(text_of(a, "type"), text_of(b, "type")) &&
	       !strcmp(text_of(a, "action"), text_of(b, "action")) &&
	       !strcmp(text_of(a, "date"), text_of(b, "date")) &&
	       number_of(a, "id") == number_of(b, "id");
}

const char *check_first_story(struct receiver *r, int64_t number,
			 char ret[STORY_ROOM])
{
	cJSON *events = receiver_events(r);
	const cJSON *v, *before;
	size_t n = 0;

	*ret = '\0';
	cJSON_ArrayForEach(v, events)
	{
		if (strcmp(text_of(v, "type"), "check_first") ||
		    number_of(v, "id") != number)
			continue;
		for (before = events->child; before != v; before = before->next)
			if (is_same(before, v))
				break;
		if (before == v && n < STORY_ROOM)
			n += (size_t)snprintf(ret + n, STORY_ROOM - n, "%s%s",
					      n ? " " : "",
					      text_of(v, "action"));
	}
	cJSON_Delete(events);
	return ret;
}

struct told {
	struct receiver *r;
	int64_t number;
	const char *story;
};

static bool is_told(void *arg)
{
	const struct told *t = arg;
	char now[STORY_ROOM];

	return !strcmp(check_first_story(t->r, t->number, now), t->story);
}

void wait_told(struct receiver *r, int64_t number, const char *expect,
		      int ms)
{
	struct told t = {r, number, expect};
	struct received c;
	char now[STORY_ROOM];

	if (wait_until(is_told, &t, ms))
		return;
	c = receiver_counts(r);
	fail_msg("of order %lld came '%s', not '%s' (%d connections, %d "
		 "requests, %d taken, %d with a wrong signature) %s",
		 (long long)number, check_first_story(r, number, now), expect,
		 c.connections, c.tries, c.taken, c.unsigned_, c.wrong);
}

int event_place(struct receiver *r, const char *type, const char *action,
		 int64_t id)
{
	cJSON *events = receiver_events(r);
	const cJSON *v;
	int n = 0, ret = -1;

	cJSON_ArrayForEach(v, events)
	{
		if (ret < 0 && !strcmp(text_of(v, "type"), type) &&
		    !strcmp(text_of(v, "action"), action) &&
		    number_of(v, "id") == id)
			ret = n;
		n++;
	}
	cJSON_Delete(events);
	return ret;
}

struct awaited {
	struct receiver *r;
	const char *type, *action;
	int64_t id;
};

static bool has_come(void *arg)
{
	const struct awaited *a = arg;

	return event_place(a->r, a->type, a->action, a->id) >= 0;
}

int wait_event(struct receiver *r, const char *type, const char *action,
		      int64_t id)
{
	struct awaited a = {r, type, action, id};

	if (!wait_until(has_come, &a, 10000))
		fail_msg("no %s %s of %lld came", type, action, (long long)id);
	return event_place(r, type, action, id);
}

void assert_sound(struct receiver *r)
{
	struct received c = receiver_counts(r);

	if (*c.wrong)
		fail_msg("one is not in Centra's form: %s", c.wrong);
	assert_int_equal(c.unsigned_, 0);
}

struct tried {
	struct receiver *r;
	int connections, tries;
};

static bool is_tried(void *arg)
{
	const struct tried *t = arg;
	struct received c = receiver_counts(t->r);

	return c.connections >= t->connections && c.tries >= t->tries;
}

void wait_calls(struct receiver *r, int connections, int tries, int ms)
{
	struct received c = receiver_counts(r);
	struct tried t = {r, c.connections + connections, c.tries + tries};

	if (!wait_until(is_tried, &t, ms))
		fail_msg("the receiver was not called %d times more",
			 connections + tries);
}

/* ---- orders ---- */

void accept_order(struct shipfrom *s, enum shop shop, int64_t number)
{
	struct answer a = shop_does(s, shop, number, "accept", "{}");

	answer_release(&a);
	wait_state(s, shop, number, "accepted", 10000);
}

void order_control(struct shipfrom *s, int64_t number, const char *verb,
		    const char *json)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 verb);
	sim_tell(&s->sim, path, "%s", json);
}
