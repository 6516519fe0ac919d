/* SPDX-License-Identifier: MIT
 *
 * shipfrom.h - the server under test: a folder, a config with three shops, a
 * device for each, and a stand-in for Centra.
 *
 *	struct shipfrom *s = shipfrom_start(NULL);
 *	...
 *	shipfrom_passed(s);	the last line of every test
 *	shipfrom_end(s);	from the teardown: checks exit and stderr
 *
 * A failure in here ends the test, so only the test's own thread may call,
 * except for what says otherwise.
 */
#ifndef HARNESS_SHIPFROM_H
#define HARNESS_SHIPFROM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/harness/address.h"
#include "tests/harness/http.h"
#include "tests/harness/process.h"
#include "tests/harness/sim.h"
#include "tests/harness/webhook.h"

enum shop { STOCKHOLM, AMSTERDAM, BERLIN, SHOPS }; /* warehouses 2, 3, 4 */

struct shipfrom_options {
	const char *server; /* more lines for [server], or NULL */
	const char *binary; /* default: $BUILD/shipfrom */
	const char *const *under; /* words before the program: a tracer; NULL */
	const char *centra; /* more lines for [centra se], or NULL */
	const char *amsterdam; /* more lines for [shop amsterdam], or NULL */
	const char *stockholm; /* the same for [shop stockholm] */
	const char *berlin;    /* and for [shop berlin] */
	const char *listen; /* default: a free_address() */
	bool no_graphql;    /* the Order API alone is configured */
	bool counter; /* each shop takes returns, and has an Order API plugin
		       * of its own: "amsterdam", with the key
		       * "key-of-amsterdam" */
};

struct shipfrom {
	char dir[128];    /* all of it; removed at the end if the test passed */
	char config[160]; /* the file */
	char url[128], admin[128];
	char hook[192]; /* where Centra posts to */
	char log[160];
	char listen[ADDRESS_ROOM], admin_listen[ADDRESS_ROOM];
	char *tokens[SHOPS]; /* owned */
	struct shipfrom_options options;
	struct sim sim;
	struct process process;
	bool passed;
};

/* NULL: the usual. */
struct shipfrom *shipfrom_start(const struct shipfrom_options *o);
/* With more lines for [server] and [centra se]; either may be NULL. */
struct shipfrom *shipfrom_with(const char *server, const char *centra);
void shipfrom_kill_9(struct shipfrom *s);
/* Starts it again in the same folder, at the same address. */
void shipfrom_again(struct shipfrom *s);
/* SIGTERM; its exit status. */
int shipfrom_stop(struct shipfrom *s);
/* Puts a backup into the place of the store of a server that was stopped, as
 * docs/backup-and-restore.md says; the file goes. */
void shipfrom_restore(struct shipfrom *s, const char *file);
#define BACKUP_ROOM 160
/* Makes a backup beside the store while the server runs. */
void shipfrom_back_up(struct shipfrom *s, char ret_file[BACKUP_ROOM]);
/* Restores the backup of a server that has ended, lets its devices in again, and
 * starts it. */
void shipfrom_go_back(struct shipfrom *s, const char *file);
/* Replaces the text `from` in the config by `to`. */
void config_edit(struct shipfrom *s, const char *from, const char *to);
/* How many lines of a log have `msg`. */
int times_said(const char *log, const char *msg);
/* Waits until the log says `msg` so many times. */
void wait_said(struct shipfrom *s, const char *msg, int times);
void shipfrom_passed(struct shipfrom *s);
/* cmocka's teardown: 0 when the server ended well and no sanitizer spoke. */
int shipfrom_end(void **state);

/* `shipfrom VERB... --config FILE`, at most six words; exit status, and what
 * it printed (owned), with stderr when `both`. */
int shipfrom_run(struct shipfrom *s, char **ret_out, bool both,
		 const char *const *words);

/* Fails the test unless the order's journal has an entry of that kind, with that
 * result (NULL: any). */
void journal_has(struct shipfrom *s, int64_t number, const char *kind,
		 const char *result);

/* ---- as a shop ---- any thread */

struct answer shop_get(struct shipfrom *s, enum shop shop, const char *path);
struct answer shop_post(struct shipfrom *s, enum shop shop, const char *path,
			const char *json);
/* POST /api/v1/orders/NUMBER/VERB */
struct answer shop_does(struct shipfrom *s, enum shop shop, int64_t number,
			const char *verb, const char *json);
/* The order's state as the shop sees it ("404" and the like when it does not)
 * in ret. */
#define STATE_ROOM 32
const char *shop_sees(struct shipfrom *s, enum shop shop, int64_t number,
		      char ret[STATE_ROOM]);

/* ---- waiting ---- the test's own thread */

/* Until the shop sees that state; fails the test after `ms`. */
void wait_state(struct shipfrom *s, enum shop shop, int64_t number,
		const char *state, int ms);
/* The same, and fails at once if one of the others is ever told accepted. */
void wait_alone(struct shipfrom *s, enum shop shop, int64_t number,
		const char *state, int ms);

#endif
