/* SPDX-License-Identifier: MIT
 *
 * read.h - how a file becomes a config, in steps; for the files of this room.
 *
 *   read.c    lines       -> sections with texts
 *   value.c   texts       -> the values of a struct config
 *   check.c   the values  -> are they right, alone and together?
 *
 * Every step goes on after a mistake, so that one run names all of them.
 */
#ifndef SERVER_CONFIG_READ_H
#define SERVER_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config/config.h"

enum section_kind {
	SECTION_server,
	SECTION_centra,
	SECTION_shop,
	SECTIONS,
};

enum setting_type {
	SETTING_STR,
	SETTING_FLAG,
	SETTING_INT,
	SETTING_MS,
	SETTING_SIZE,
	SETTING_LIST,
};

#define SECRET	 1u
#define REQUIRED 2u
#define RELOAD	 4u

/* A row of config.def.  AT_server_listen, for example, is the index of its row
 * in `settings`. */
struct setting {
	enum section_kind section;
	enum setting_type type;
	const char *name;
	const char *standard; /* the default; NULL: there is none */
	unsigned flags;
	const char *help;
	size_t offset; /* of the value in the section's struct */
};

enum {
#define SETTING(section, type, name, def, flags, help) AT_##section##_##name,
#include "server/config/config.def"
#undef SETTING
	SETTINGS,
};

extern const struct setting settings[SETTINGS];
extern const char *const section_names[SECTIONS];

/* A setting's text in the file; text NULL: the file does not have it. */
struct given {
	char *text; /* owned */
	unsigned line;
};

struct section {
	enum section_kind kind;
	char *id; /* owned; "" for [server] */
	unsigned line;
	bool spoilt; /* the section is repeated or has a wrong name: its values
		      * are checked, but not used */
	struct given value[SETTINGS]; /* of NAME */
	struct given file[SETTINGS];  /* of NAME_file */
};

struct mistake {
	unsigned line; /* 0: the mistake is not about one line */
	char *text;    /* owned */
};

struct reading {
	const char *path;
	bool no_secrets; /* secrets are not read:
			  * config_load_without_secrets() */
	struct section **sections; /* owned, each */
	size_t n_sections;
	unsigned lost_sections; /* lines that begin a section and could not be
				 * read */
	struct mistake *mistakes; /* owned */
	size_t n_mistakes;
	struct config *config;
};

/* Adds a mistake; the text says "what is wrong; how to mend it", and never the
 * value of a secret. */
void mistake(struct reading *r, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the line of a section's setting, or else the line where the section
 * begins. */
unsigned line_of(const struct section *s, size_t at);

/* The three steps above.  Mistakes are added to r->mistakes. */
void config_read_file(struct reading *r);
void config_read_values(struct reading *r);
void config_check(struct reading *r);

/* Wipes and frees what the settings of a section own. */
void config_release_section(enum section_kind kind, void *place);

#endif
