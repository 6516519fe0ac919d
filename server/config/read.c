/* SPDX-License-Identifier: MIT
 *
 * read.c - the lines of the file.
 *
 * A line is a section, [kind name], a setting, name = value (or name: value), a
 * comment, which begins with ; or #, or empty.  White space around each part is
 * dropped.  After a section or a value, a ; behind white space begins a
 * comment.  A line may be as long as the file.
 *
 * A line that cannot be understood is never quoted: it may hold a secret.
 */
#include "server/config/read.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "base/names.h"
#include "base/text.h"

#define FILE_MAX_BYTES (1 << 20)

void mistake(struct reading *r, unsigned line, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	r->mistakes = xrealloc(r->mistakes, r->n_mistakes + 1,
			       sizeof(*r->mistakes));
	r->mistakes[r->n_mistakes++] = (struct mistake){line, text};
}

unsigned line_of(const struct section *s, size_t at)
{
	if (s->value[at].line)
		return s->value[at].line;
	return s->file[at].line ? s->file[at].line : s->line;
}

/* ---- section lines ---- */

static char *trim(char *s)
{
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	for (len = strlen(s); len && isspace((unsigned char)s[len - 1]);)
		s[--len] = '\0';
	return s;
}

/* True if a name may be quoted in a message: it cannot be the second half of a
 * secret that was broken over two lines. */
static bool may_be_quoted(const char *name)
{
	size_t len = strlen(name);

	return len <= 32 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz_-") == len;
}

/* Returns the kind of section that a word names; SECTIONS: it names none, and
 * the mistake was reported. */
static enum section_kind kind_of(struct reading *r, unsigned line,
				 const char *word)
{
	struct nearest near;
	int k;

	nearest_begin(&near, word);
	for (k = 0; k < SECTIONS; k++) {
		if (!strcmp(word, section_names[k]))
			return (enum section_kind)k;
		nearest_offer(&near, section_names[k]);
	}
	if (near.best)
		mistake(r, line, "unknown section [%s]; did you mean [%s%s]?",
			word, near.best,
			strcmp(near.best, "server") ? " NAME" : "");
	else
		mistake(r, line,
			"unknown section [%s]; there are [server], "
			"[centra NAME] and [shop NAME]",
			may_be_quoted(word) ? word : "...");
	return SECTIONS;
}

static bool instance_named_well(const char *id)
{
	size_t len = strlen(id);

	return len && len < INSTANCE_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static bool shop_named_well(const char *id)
{
	const char *p;

	for (p = id; *p; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	return *id && strlen(id) < SHOP_SIZE && text_is_utf8(id);
}

/* Checks that the name of the section is valid and was not used before; if not,
 * reports it. */
static bool named_well(struct reading *r, const struct section *s)
{
	size_t i;

	if (s->kind == SECTION_server && *s->id) {
		mistake(r, s->line, "[server] has no name; write [server]");
		return false;
	}
	if (s->kind == SECTION_centra && !instance_named_well(s->id)) {
		mistake(r, s->line,
			"'%s' cannot name an instance; write [centra NAME] "
			"with 1 to 32 of a-z, 0-9, _ and -",
			s->id);
		return false;
	}
	if (s->kind == SECTION_shop && !shop_named_well(s->id)) {
		mistake(r, s->line,
			"'%.80s' cannot name a shop; write [shop NAME] with "
			"1 to 64 characters",
			s->id);
		return false;
	}
	for (i = 0; i + 1 < r->n_sections; i++) {
		const struct section *old = r->sections[i];

		if (old->kind != s->kind || strcmp(old->id, s->id) != 0)
			continue;
		mistake(r, s->line,
			"section [%s%s%s] stands in line %u already; put all "
			"its settings there",
			section_names[s->kind], *s->id ? " " : "", s->id,
			old->line);
		return false;
	}
	return true;
}

static void add_section(struct reading *r, unsigned line,
			enum section_kind kind, const char *id)
{
	struct section *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->id = xstrdup(id);
	s->line = line;
	r->sections = xrealloc(r->sections, r->n_sections + 1,
			       sizeof(struct section *));
	r->sections[r->n_sections++] = s;
	s->spoilt = !named_well(r, s);
}

/* Reads [kind id]; only a comment may follow.  False: the lines up to the next
 * section are ignored. */
static bool read_section(struct reading *r, unsigned line, char *text)
{
	char *end = strchr(text, ']'), *rest, *id;
	enum section_kind kind;

	if (!end) {
		mistake(r, line, "a section without its ']'; write [centra "
				 "NAME] or [shop NAME]");
		return false;
	}
	*end = '\0';
	rest = trim(end + 1);
	if (*rest && *rest != ';' && *rest != '#')
		mistake(r, line, "something follows the section's ']'; put it "
				 "on a line of its own");
	text = trim(text + 1);
	id = text + strcspn(text, " \t");
	if (*id)
		*id++ = '\0';
	kind = kind_of(r, line, text);
	if (kind == SECTIONS)
		return false;
	add_section(r, line, kind, trim(id));
	return true;
}

/* ---- setting lines ---- */

struct line {
	struct reading *reading;
	struct section *section; /* the section that the line is in; NULL: an
				  * unknown one */
	unsigned number;
	bool lost; /* lines outside of any section were reported already */
};

static void unknown_setting(struct line *l, const char *name)
{
	const char *kind = section_names[l->section->kind];
	struct nearest near;
	size_t i;

	if (!may_be_quoted(name)) {
		mistake(l->reading, l->number,
			"unknown setting in [%s]; `shipfrom settings` lists "
			"them all",
			kind);
		return;
	}
	nearest_begin(&near, name);
	for (i = 0; i < SETTINGS; i++)
		if (settings[i].section == l->section->kind)
			nearest_offer(&near, settings[i].name);
	if (near.best) {
		mistake(l->reading, l->number,
			"unknown setting '%s' in [%s]; did you mean '%s'?",
			name, kind, near.best);
		return;
	}
	for (i = 0; i < SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			break;
	if (i < SETTINGS)
		mistake(l->reading, l->number,
			"'%s' is no setting of [%s]; it belongs in [%s]", name,
			kind, section_names[settings[i].section]);
	else
		mistake(l->reading, l->number,
			"unknown setting '%s' in [%s]; `shipfrom settings` "
			"lists them all",
			name, kind);
}

/* Returns the row of a setting's name; *file: it was given as NAME_file.  NULL:
 * there is no such setting. */
static const struct setting *find_setting(enum section_kind kind,
					  const char *name, bool *ret_file)
{
	size_t i, len = strlen(name), own;

	for (i = 0; i < SETTINGS; i++) {
		own = strlen(settings[i].name);
		if (settings[i].section != kind ||
		    strncmp(settings[i].name, name, own) != 0)
			continue;
		*ret_file = len > own;
		if (len == own ||
		    (settings[i].flags & SECRET &&
		     !strcmp(name + own, "_file")))
			return &settings[i];
	}
	return NULL;
}

/* Keeps the value of a setting, unless the setting is unknown or was given
 * before. */
static void take_setting(struct line *l, const char *name, const char *value)
{
	struct given *given, *other;
	bool file = false;
	const struct setting *row =
		find_setting(l->section->kind, name, &file);
	size_t at;

	if (!row) {
		unknown_setting(l, name);
		return;
	}
	at = (size_t)(row - settings);
	given = file ? &l->section->file[at] : &l->section->value[at];
	other = file ? &l->section->value[at] : &l->section->file[at];
	if (given->line)
		mistake(l->reading, l->number,
			"'%s' stands in line %u already; keep one of them",
			name, given->line);
	else if (other->line)
		mistake(l->reading, l->number,
			"'%s' is given in line %u already, as '%s%s'; keep "
			"one of them",
			row->name, other->line, row->name,
			file ? "" : "_file");
	else
		*given = (struct given){xstrdup(value), l->number};
}

/* Cuts the text where a comment begins: at a ; behind white space. */
static void drop_comment(char *text)
{
	for (char *p = text; *p; p++)
		if (*p == ';' && p > text && isspace((unsigned char)p[-1])) {
			*p = '\0';
			return;
		}
}

/* Reads name = value; text is trimmed and changed. */
static void read_setting(struct line *l, char *text)
{
	char *end;

	if (!*text || *text == ';' || *text == '#')
		return;
	drop_comment(text);
	end = text + strcspn(text, "=:");
	if (!*end) {
		mistake(l->reading, l->number,
			"neither a setting nor a section; write NAME = VALUE, "
			"on one line, or begin a comment with ;");
		return;
	}
	*end = '\0';
	take_setting(l, trim(text), trim(end + 1));
}

/* ---- the file ---- */

/* Reads one line, which ends with a NUL.  The text is changed. */
static void read_line(struct line *l, char *text)
{
	text = trim(text);
	if (*text == '[') {
		l->section = NULL;
		if (read_section(l->reading, l->number, text))
			l->section = l->reading->sections
					     [l->reading->n_sections - 1];
		else
			l->reading->lost_sections++;
		l->lost = true; /* what is wrong with the section was
				 * reported */
	} else if (l->section) {
		read_setting(l, text);
	} else if (*text && *text != ';' && *text != '#' && !l->lost) {
		mistake(l->reading, l->number,
			"this is in no section; begin with [server]");
		l->lost = true;
	}
}

static bool begins_with_mark(struct reading *r, const char *p, size_t len)
{
	if (len >= 2 &&
	    (!memcmp(p, "\xff\xfe", 2) || !memcmp(p, "\xfe\xff", 2)))
		mistake(r, 1, "the file is UTF-16; save it as UTF-8");
	else if (len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		mistake(r, 1, "the file begins with a byte order mark; save "
			      "it as UTF-8 without one");
	else
		return false;
	return true;
}

/* Reads the lines in the len bytes at p, which are changed.  There must be room
 * for a NUL behind them. */
static void read_lines(struct reading *r, char *p, size_t len)
{
	struct line l = {.reading = r};
	char *end = p + len, *stop;

	if (begins_with_mark(r, p, len)) {
		if (*p != '\xef')
			return; /* the file is UTF-16: every line would be a
				 * mistake */
		p += 3;
	}
	for (; p < end; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			stop = end;
		l.number++;
		if (memchr(p, '\0', (size_t)(stop - p))) {
			mistake(r, l.number,
				"a NUL byte; save the file as UTF-8 text");
			return; /* this is not a text file: the rest is not
				 * read */
		}
		*stop = '\0';
		read_line(&l, p);
	}
}

void config_read_file(struct reading *r)
{
	size_t room = FILE_MAX_BYTES + 1, len = 0;
	char *bytes = xcalloc(room, 1);
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && len < room) {
		n = read(fd, bytes + len, room - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		mistake(r, 0, "cannot be read: %s; %s", strerror(errno),
			errno == EACCES
				? "run this as the server's user: sudo -u "
				  "shipfrom shipfrom ..."
				: "name the right file with --config FILE");
	else if (len == room)
		mistake(r, 0, "larger than 1 MiB; is it the right file?");
	else
		read_lines(r, bytes, len);
	if (fd >= 0)
		close(fd);
	explicit_bzero(bytes, room);
	free(bytes);
}
