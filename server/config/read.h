/* SPDX-License-Identifier: MIT
 *
 * read.h - how a file becomes a config, in steps: config.c's own.
 *
 *   read.c    lines       -> sections with texts
 *   value.c   texts       -> the values of a struct config
 *   check.c   the values  -> do they make sense, alone and together?
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

/* A row of config.def.  AT_shop_name is the number of a row. */
struct setting {
	enum section_kind section;
	enum setting_type type;
	const char *name;
	const char *standard; /* the default, or NULL */
	unsigned flags;
	const char *help;
	size_t offset; /* into the section's struct */
};

enum {
#define SETTING(section, type, name, def, flags, help) AT_##section##_##name,
#include "server/config/config.def"
#undef SETTING
	SETTINGS,
};

extern const struct setting settings[SETTINGS];
extern const char *const section_names[SECTIONS];

/* The text of a setting in the file; NULL: it was not there. */
struct given {
	char *text; /* owned */
	unsigned line;
};

struct section {
	enum section_kind kind;
	char *id; /* owned; "" of [server] */
	unsigned line;
	bool spoilt; /* the section is repeated or misnamed: its values are
		      * checked and not used */
	struct given value[SETTINGS]; /* of NAME */
	struct given file[SETTINGS];  /* of NAME_file */
};

struct mistake {
	unsigned line; /* 0: the mistake is about the whole file */
	char *text;    /* owned */
};

struct reading {
	const char *path;
	bool no_secrets; /* leave them out: config_load_without_secrets() */
	struct section **sections; /* owned, each */
	size_t n_sections;
	unsigned lost_sections; /* a line that could not be understood */
	struct mistake *mistakes; /* owned */
	size_t n_mistakes;
	struct config *config;
};

/* "what is wrong; how to mend it".  Never the value of a secret. */
void mistake(struct reading *r, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The line where a setting of a section stands, else the section's own. */
unsigned line_of(const struct section *s, size_t at);

void config_read_file(struct reading *r);
void config_read_values(struct reading *r);
void config_check(struct reading *r);

/* Reads a secret's file.  *ret_path: the file that was read (owned by the
 * caller).  NULL: it cannot be read, and a mistake was added. */
char *config_secret_file(struct reading *r, const struct given *given,
			 const char *name, char **ret_path);

/* Returns the struct of a section: the config's server, or its next one. */
void *config_place(struct config *c, const struct section *s);

/* Wipes and frees what the settings of a section own. */
void config_release_section(enum section_kind kind, void *place);

#endif
