/* SPDX-License-Identifier: MIT
 *
 * config.c - see config.h; read.h says how a file is read.
 */
#include "server/config/config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config/read.h"

#define STRUCT_server struct config_server
#define STRUCT_centra struct config_instance
#define STRUCT_shop   struct config_shop

const struct setting settings[SETTINGS] = {
#define SETTING(section, type, name, def, flags, help)                        \
	{SECTION_##section,                                                   \
	 SETTING_##type,                                                      \
	 #name,                                                               \
	 def,                                                                 \
	 flags,                                                               \
	 help,                                                                \
	 offsetof(STRUCT_##section, name)},
#include "server/config/config.def"
#undef SETTING
};

const char *const section_names[SECTIONS] = {"server", "centra", "shop"};

/* ---- birth ---- */

static int by_line(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Adds the mistakes to the report, one line each, in the order of the file. */
static void tell(struct reading *r, struct buf *report)
{
	size_t i;

	qsort(r->mistakes, r->n_mistakes, sizeof(*r->mistakes), by_line);
	for (i = 0; i < r->n_mistakes; i++) {
		const struct mistake *m = &r->mistakes[i];

		if (m->line)
			buf_fmt(report, "%s:%u: %s\n", r->path, m->line,
				m->text);
		else
			buf_fmt(report, "%s: %s\n", r->path, m->text);
	}
}

static void release_given(struct given *g)
{
	if (g->text)
		explicit_bzero(g->text, strlen(g->text));
	free(g->text);
}

static void release_reading(struct reading *r)
{
	size_t i, at;

	for (i = 0; i < r->n_sections; i++) {
		struct section *s = r->sections[i];

		for (at = 0; at < SETTINGS; at++) {
			release_given(&s->value[at]);
			release_given(&s->file[at]);
		}
		free(s->id);
		free(s);
	}
	for (i = 0; i < r->n_mistakes; i++)
		free(r->mistakes[i].text);
	free(r->sections);
	free(r->mistakes);
}

static enum rc load(struct config **ret, const char *path, bool secrets,
		    struct buf *report, struct err *e)
{
	struct reading r = {.path = path, .no_secrets = !secrets};
	enum rc rc = OK;

	*ret = NULL;
	r.config = xcalloc(1, sizeof(*r.config));
	r.config->holders = 1;
	config_read_file(&r);
	/* A file that cannot be read is one mistake, not one for each setting
	 * that is missing. */
	if (!r.n_mistakes || r.mistakes[0].line) {
		config_read_values(&r);
		config_check(&r);
	}
	if (r.n_mistakes) {
		tell(&r, report);
		rc = fail(e, RC_INVALID, "'%s' has %zu mistake%s", path,
			  r.n_mistakes, r.n_mistakes == 1 ? "" : "s");
		config_drop(r.config);
	} else {
		*ret = r.config;
	}
	release_reading(&r);
	return rc;
}

enum rc config_load(struct config **ret, const char *path, struct buf *report,
		    struct err *e)
{
	return load(ret, path, true, report, e);
}

enum rc config_load_without_secrets(struct config **ret, const char *path,
				    struct buf *report, struct err *e)
{
	return load(ret, path, false, report, e);
}

/* ---- life and death ---- */

struct config *config_hold(struct config *c)
{
	atomic_fetch_add(&c->holders, 1);
	return c;
}

void config_release_section(enum section_kind kind, void *place)
{
	size_t at;

	for (at = 0; at < SETTINGS; at++) {
		void *field = (char *)place + settings[at].offset;

		if (settings[at].section != kind)
			continue;
		if (settings[at].type == SETTING_STR) {
			char *text = *(config_STR *)field;

			if (text && settings[at].flags & SECRET)
				explicit_bzero(text, strlen(text));
			free(text);
		} else if (settings[at].type == SETTING_LIST) {
			free(((config_LIST *)field)->ids);
		}
	}
}

void config_drop(struct config *c)
{
	size_t i;

	if (!c || atomic_fetch_sub(&c->holders, 1) > 1)
		return;
	config_release_section(SECTION_server, &c->server);
	free(c->server.store_dir);
	networks_release(&c->server.proxies);
	for (i = 0; i < c->n_instances; i++) {
		config_release_section(SECTION_centra, &c->instances[i]);
		free(c->instances[i].id);
	}
	for (i = 0; i < c->n_shops; i++) {
		config_release_section(SECTION_shop, &c->shops[i]);
		free(c->shops[i].id);
	}
	for (i = 0; i < c->n_secrets; i++) {
		free(c->secrets[i].section);
		free(c->secrets[i].file);
	}
	free(c->secrets);
	free(c->instances);
	free(c->shops);
	free(c);
}

/* ---- asking ---- */

const struct config_instance *config_instance(const struct config *c,
					      const char *id)
{
	size_t i;

	for (i = 0; i < c->n_instances; i++)
		if (!strcmp(c->instances[i].id, id))
			return &c->instances[i];
	return NULL;
}

const struct config_shop *config_shop(const struct config *c, const char *id)
{
	size_t i;

	for (i = 0; i < c->n_shops; i++)
		if (!strcmp(c->shops[i].id, id))
			return &c->shops[i];
	return NULL;
}

const char *config_ships_with(const struct config *c,
			      const struct config_shop *shop)
{
	const struct config_instance *in = config_instance(c, shop->centra);

	if (shop->ship_with)
		return shop->ship_with;
	return in ? in->ship_with : "graphql";
}

const struct config_shop *config_shop_of(const struct config *c,
					 const char *instance,
					 int64_t warehouse)
{
	size_t i, w;

	for (i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (strcmp(shop->centra, instance) != 0)
			continue;
		for (w = 0; w < shop->warehouses.n; w++)
			if (shop->warehouses.ids[w] == warehouse)
				return shop;
	}
	return NULL;
}

/* ---- explaining ---- */

static const char *const type_names[] = {
	[SETTING_STR] = "text",		[SETTING_FLAG] = "yes|no",
	[SETTING_INT] = "number",	[SETTING_MS] = "duration",
	[SETTING_SIZE] = "size",	[SETTING_LIST] = "numbers",
};

static void describe_json(struct buf *out, const struct setting *s)
{
	json_begin(out, NULL);
	json_put(out, "section", section_names[s->section]);
	json_put(out, "name", s->name);
	json_put(out, "type", type_names[s->type]);
	json_put(out, "default", s->standard);
	json_put_bool(out, "required", s->flags & REQUIRED);
	json_put_bool(out, "secret", s->flags & SECRET);
	json_put_bool(out, "reload", s->flags & RELOAD);
	json_put(out, "help", s->help);
	json_end(out);
	buf_char(out, '\n');
}

static void describe_text(struct buf *out, const struct setting *s)
{
	const char *standard = s->standard	   ? s->standard
			       : s->flags & REQUIRED ? "(required)"
						     : "-";

	buf_fmt(out, "  %-24s %-9s %-22s %s%s%s\n", s->name,
		type_names[s->type], standard, s->help,
		s->flags & SECRET ? " [or NAME_file]" : "",
		s->flags & RELOAD ? " [SIGHUP]" : "");
}

void config_describe(struct buf *out, bool json)
{
	int section = -1;
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		if (json) {
			describe_json(out, &settings[i]);
			continue;
		}
		if ((int)settings[i].section != section) {
			section = (int)settings[i].section;
			buf_fmt(out, "%s[%s%s]\n", i ? "\n" : "",
				section_names[section],
				section == SECTION_server ? "" : " NAME");
		}
		describe_text(out, &settings[i]);
	}
	if (!json)
		buf_str(out,
			"\nDurations are a number with ms, s, m, h or d; "
			"sizes with K, M or G.\n"
			"[or NAME_file]  may be kept in a file of its own: "
			"NAME_file = FILE.\n"
			"[SIGHUP]        is taken over by a reload; the "
			"others need a restart.\n");
}

void config_log_report(struct buf *report)
{
	char *line = report->data, *end;

	for (; line && *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		if (*line)
			log_line(LOG_ERROR, "config error",
				 LOG_S("error", line));
	}
}
