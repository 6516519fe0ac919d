/* SPDX-License-Identifier: MIT
 *
 * config.h - the settings: one INI file, which is read and checked as a whole.
 *
 * A config never changes once it is loaded.  SIGHUP loads another one and puts
 * it in its place (holder.h).  Code that works with a config holds it for as
 * long.
 */
#ifndef SERVER_CONFIG_CONFIG_H
#define SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "base/networks.h"

typedef char *config_STR; /* owned; NULL: the setting is not given and has no
			   * default */
typedef bool config_FLAG;
typedef int64_t config_INT;
typedef int64_t config_MS;
typedef size_t config_SIZE;
typedef struct {
	int64_t *ids; /* owned */
	size_t n;
} config_LIST;

struct config_server {
#define SETTING_server(type, name) config_##type name;
#define SETTING_centra(type, name)
#define SETTING_shop(type, name)
#define SETTING(section, type, name, def, flags, help)                        \
	SETTING_##section(type, name)
#include "server/config/config.def"
#undef SETTING_server
#undef SETTING_centra
	char *store_dir; /* owned: the folder, the part of `store` behind
			  * "lmdb:" */
	struct networks proxies; /* the addresses in trusted_proxies */
};

enum config_source {
	SOURCE_WEBHOOKS = 1 << 0,
	SOURCE_GRAPHQL = 1 << 1,
	SOURCE_SOAP = 1 << 2,
};

struct config_instance {
	char *id; /* owned: the NAME in [centra NAME] */
#define SETTING_server(type, name)
#define SETTING_centra(type, name) config_##type name;
#include "server/config/config.def"
#undef SETTING_centra
#undef SETTING_shop
	struct zone *zone; /* borrowed: zones live as long as the process */
	unsigned sources; /* `source`, as bits of enum config_source */
};

struct config_shop {
	char *id; /* owned: the NAME in [shop NAME] */
#define SETTING_centra(type, name)
#define SETTING_shop(type, name) config_##type name;
#include "server/config/config.def"
#undef SETTING
#undef SETTING_server
#undef SETTING_centra
#undef SETTING_shop
};

/* Where a secret was read from, for the advice of `check`. */
struct config_secret {
	char *section; /* owned: "centra se", "shop amsterdam" */
	const char *setting;
	char *file; /* owned: the path of the secret's file; NULL: the secret is
		     * in the config itself */
	size_t len; /* bytes of the secret */
};

struct config {
	struct config_server server;
	struct config_instance *instances; /* owned */
	size_t n_instances;
	struct config_shop *shops; /* owned */
	size_t n_shops;
	struct config_secret *secrets; /* owned; empty if the secrets were not
				        * read */
	size_t n_secrets;
	_Atomic unsigned holders;
};

/* Reads and checks the file and the *_file secrets it names.  Every mistake is
 * added to `report`, one line each, "FILE:LINE: what is wrong; how to mend
 * it"; RC_INVALID if there was any.  *ret has one holder, the caller. */
enum rc config_load(struct config **ret, const char *path, struct buf *report,
		    struct err *e);
/* As config_load(), but no *_file is opened and every secret of *ret is
 * NULL. */
enum rc config_load_without_secrets(struct config **ret, const char *path,
				    struct buf *report, struct err *e);
/* Logs the report of config_load(), a line for each mistake.  The report is cut
 * into its lines. */
void config_log_report(struct buf *report);
struct config *config_hold(struct config *c);
void config_drop(struct config *c); /* the last holder's config_drop() frees
				     * it */

/* Each finds a section by its name; NULL: there is none.  Borrowed from c. */
const struct config_instance *config_instance(const struct config *c,
					      const char *id);
const struct config_shop *config_shop(const struct config *c, const char *id);
/* Returns the shop that the instance's warehouse belongs to, or NULL. */
const struct config_shop *config_shop_of(const struct config *c,
					 const char *instance,
					 int64_t warehouse);

/* Returns what ships the shop's orders: "graphql", "none" or "order_api". */
const char *config_ships_with(const struct config *c,
			      const struct config_shop *shop);

/* Adds every setting with its default and help, for `shipfrom settings`. */
void config_describe(struct buf *out, bool json);

#endif
