/* SPDX-License-Identifier: MIT
 *
 * value.c - the texts of the sections become the values of a config.
 *
 * There is one function for each type: it reads a text into a field, and
 * returns NULL or, for the message, what the text should have been.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "server/config/read.h"

#define SECRET_MAX_BYTES 4096
/* O_NONBLOCK, so that a reload does not wait for a path that is no regular
 * file, such as a pipe. */
#define SECRET_FLAGS	 (O_RDONLY | O_CLOEXEC | O_NONBLOCK)
#define LONGEST_MS	 (3650LL * 24 * 3600 * 1000)
#define NUMBER_MAX	 1000000000000000LL

static const char *read_STR(void *field, const char *text)
{
	if (!text_is_utf8(text))
		return "text in UTF-8 (the file seems to be saved otherwise)";
	*(config_STR *)field = xstrdup(text);
	return NULL;
}

static const char *read_FLAG(void *field, const char *text)
{
	bool yes = !strcmp(text, "yes");

	if (!yes && strcmp(text, "no") != 0)
		return "yes or no";
	*(config_FLAG *)field = yes;
	return NULL;
}

static const char *read_INT(void *field, const char *text)
{
	int64_t n;

	if (!number_read(text, 0, NUMBER_MAX, &n))
		return "a whole number";
	*(config_INT *)field = n;
	return NULL;
}

static const char *read_MS(void *field, const char *text)
{
	int64_t ms = 0;

	switch (duration_read(text, 1, LONGEST_MS, &ms)) {
	case OK:
		break;
	case RC_FULL:
		return "no more than 3650d";
	default:
		if (!number_read(text, 0, 0, &ms)) /* 0 needs no unit */
			return "a number with ms, s, m, h or d, such as 30s "
			       "or 5m";
	}
	*(config_MS *)field = ms;
	return NULL;
}

static const char *read_SIZE(void *field, const char *text)
{
	static const char units[] = "KMGT";
	int64_t n = 0;
	bool is_number = number_begin(&text, NUMBER_MAX, &n);
	const char *unit = *text ? strchr(units, *text) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;

	if (!is_number || (*text && (!unit || text[1])))
		return "a number of bytes with K, M or G, such as 16G";
	if (n > NUMBER_MAX >> shift)
		return "no more than 900T";
	*(config_SIZE *)field = (size_t)n << shift;
	return NULL;
}

static const char *read_LIST(void *field, const char *text)
{
	static const char want[] = "whole numbers from 1 on, such as 3 or 3, 4";
	config_LIST *list = field;
	int64_t n;

	for (text += strspn(text, ", \t"); *text;
	     text += strspn(text, ", \t")) {
		if (!number_begin(&text, NUMBER_MAX, &n) || !n ||
		    (*text && !strchr(", \t", *text)))
			return want;
		list->ids = xrealloc(list->ids, list->n + 1, sizeof(n));
		list->ids[list->n++] = n;
	}
	return list->n ? NULL : want;
}

static const char *(*const readers[])(void *field, const char *text) = {
	[SETTING_STR] = read_STR, [SETTING_FLAG] = read_FLAG,
	[SETTING_INT] = read_INT, [SETTING_MS] = read_MS,
	[SETTING_SIZE] = read_SIZE, [SETTING_LIST] = read_LIST,
};

/* ---- secrets in files ---- */

/* Opens a secret's file.  A relative name is looked for in the folder of
 * systemd's credentials, then beside the config.  *ret_path: the file that was
 * tried last. */
static int open_secret(struct reading *r, const char *name, char **ret_path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *slash = strrchr(r->path, '/');
	int fd;

	if (*name == '/') {
		*ret_path = xstrdup(name);
		return open(name, SECRET_FLAGS);
	}
	if (folder && *folder) {
		*ret_path = xasprintf("%s/%s", folder, name);
		fd = open(*ret_path, SECRET_FLAGS);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		free(*ret_path);
	}
	*ret_path = xasprintf("%.*s%s",
			      slash ? (int)(slash - r->path + 1) : 0, r->path,
			      name);
	return open(*ret_path, SECRET_FLAGS);
}

/* Reads the first line of a file and returns its length.  All of it except the
 * line end belongs to the secret. -1: errno says why. */
static ssize_t read_first_line(int fd, char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;
	char *end;

	while (n > 0 && len < size) {
		n = read(fd, bytes + len, size - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		return -1;
	end = memchr(bytes, '\n', len);
	if (!end)
		return (ssize_t)len;
	if (end > bytes && end[-1] == '\r')
		end--;
	return end - bytes;
}

/* Reads a secret's file.  *ret_path: the file that was read (owned by the
 * caller).  NULL: it cannot be read, and a mistake was added. */
static char *secret_file(struct reading *r, const struct given *given,
			 const char *name, char **ret_path)
{
	char bytes[SECRET_MAX_BYTES + 1], *secret = NULL;
	int fd = open_secret(r, given->text, ret_path);
	ssize_t len = fd < 0 ? -1
			     : read_first_line(fd, bytes, sizeof(bytes));

	if (len < 0)
		mistake(r, given->line, "%s_file: cannot read '%s': %s; %s",
			name, *ret_path, strerror(errno),
			errno == EACCES ? "the user who runs shipfrom must be "
					  "able to read it: chgrp shipfrom "
					  "FILE; chmod 0640 FILE"
					: "put the secret there, name the file's "
					  "whole path, or set "
					  "CREDENTIALS_DIRECTORY to its folder");
	else if (!len)
		mistake(r, given->line,
			"%s_file: the first line of '%s' is empty; put the "
			"secret there",
			name, given->text);
	else if (len > SECRET_MAX_BYTES)
		mistake(r, given->line,
			"%s_file: the first line of '%s' is longer than %d "
			"bytes; is it the right file?",
			name, given->text, SECRET_MAX_BYTES);
	else if (memchr(bytes, '\0', (size_t)len))
		mistake(r, given->line,
			"%s_file: '%s' holds a NUL byte; is it the right file?",
			name, given->text);
	else
		secret = xmemdup(bytes, (size_t)len);
	if (fd >= 0)
		close(fd);
	explicit_bzero(bytes, sizeof(bytes));
	return secret;
}

/* ---- sections ---- */

static void missing(struct reading *r, const struct section *s,
		    const struct setting *row)
{
	const char *gap = *s->id ? " " : "";

	if (row->flags & SECRET)
		mistake(r, s->line,
			"[%s%s%s] has no '%s'; add %s = VALUE or %s_file = "
			"FILE (%s)",
			section_names[s->kind], gap, s->id, row->name,
			row->name, row->name, row->help);
	else
		mistake(r, s->line, "[%s%s%s] has no '%s'; add %s = VALUE (%s)",
			section_names[s->kind], gap, s->id, row->name,
			row->name, row->help);
}

static void read_given(struct reading *r, const struct given *given,
		       const struct setting *row, void *field)
{
	const char *want;

	if (!*given->text) {
		mistake(r, given->line,
			"'%s' is empty; give it a value or delete the line",
			row->name);
		return;
	}
	want = readers[row->type](field, given->text);
	if (want && row->flags & SECRET)
		mistake(r, given->line, "'%s' cannot be used; write %s",
			row->name, want);
	else if (want)
		mistake(r, given->line, "'%s' cannot be '%s'; write %s",
			row->name,
			text_is_utf8(given->text) ? given->text : "...", want);
}

/* Takes `file` over. */
static void note_secret(struct reading *r, const struct section *s, size_t at,
			char *file, const char *secret)
{
	struct config *c = r->config;

	if (s->spoilt || !secret) {
		free(file);
		return;
	}
	c->secrets = xrealloc(c->secrets, c->n_secrets + 1,
			      sizeof(*c->secrets));
	c->secrets[c->n_secrets++] = (struct config_secret){
		xasprintf("%s %s", s->kind == SECTION_shop ? "shop" : "centra",
			  s->id),
		settings[at].name, file, strlen(secret)};
}

static void read_secret_file(struct reading *r, const struct section *s,
			     size_t at, config_STR *field)
{
	char *path = NULL;

	*field = secret_file(r, &s->file[at], settings[at].name, &path);
	note_secret(r, s, at, path, *field);
}

static void read_setting(struct reading *r, const struct section *s, size_t at,
			 void *place)
{
	const struct setting *row = &settings[at];
	void *field = (char *)place + row->offset;

	if (s->file[at].line && !*s->file[at].text)
		mistake(r, s->file[at].line,
			"'%s_file' is empty; name the file that holds it",
			row->name);
	else if (r->no_secrets && row->flags & SECRET &&
		 (s->file[at].line || (s->value[at].line &&
				       *s->value[at].text)))
		return;
	else if (s->value[at].line)
		read_given(r, &s->value[at], row, field);
	else if (s->file[at].line)
		read_secret_file(r, s, at, field);
	else if (row->standard)
		(void)readers[row->type](field, row->standard);
	else if (row->flags & REQUIRED && !s->spoilt)
		missing(r, s, row);
	if (row->flags & SECRET && s->value[at].line)
		note_secret(r, s, at, NULL, *(config_STR *)field);
}

static void read_section_values(struct reading *r, const struct section *s,
				void *place)
{
	size_t at;

	for (at = 0; at < SETTINGS; at++)
		if (settings[at].section == s->kind)
			read_setting(r, s, at, place);
}

/* Returns the struct of a section: the config's server, or its next one. */
static void *place_of(struct config *c, const struct section *s)
{
	if (s->kind == SECTION_server)
		return &c->server;
	if (s->kind == SECTION_centra) {
		c->instances[c->n_instances].id = xstrdup(s->id);
		return &c->instances[c->n_instances++];
	}
	c->shops[c->n_shops].id = xstrdup(s->id);
	return &c->shops[c->n_shops++];
}

void config_read_values(struct reading *r)
{
	union {
		struct config_server server;
		struct config_instance instance;
		struct config_shop shop;
	} unused;
	struct section absent = {.kind = SECTION_server, .spoilt = true};
	struct config *c = r->config;
	bool server = false;
	size_t i;

	c->instances = xcalloc(r->n_sections, sizeof(*c->instances));
	c->shops = xcalloc(r->n_sections, sizeof(*c->shops));
	for (i = 0; i < r->n_sections; i++) {
		const struct section *s = r->sections[i];

		server |= s->kind == SECTION_server;
		if (!s->spoilt) {
			read_section_values(r, s, place_of(c, s));
			continue;
		}
		memset(&unused, 0, sizeof(unused));
		read_section_values(r, s, &unused);
		config_release_section(s->kind, &unused);
	}
	if (!server) /* for its defaults */
		read_section_values(r, &absent, &c->server);
}
