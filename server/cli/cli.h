/* SPDX-License-Identifier: MIT
 *
 * cli.h - the command line: one table of verbs, and what they share.
 *
 * Verbs that read or change data open the store themselves, beside a running
 * server or without one.  What they print is gathered inside the store's read
 * transactions and written after them, so that a reader who is slow (`| less`)
 * does not make the store grow.
 */
#ifndef SERVER_CLI_CLI_H
#define SERVER_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "server/config/config.h"
#include "store/store.h"

#define CLI_CONFIG "/etc/shipfrom/shipfrom.ini" /* without --config */

/* Exit codes, besides 0: sysexits.h, and this. */
#define EXIT_NOTHING 1 /* there is no such order, event, task or device */

enum cli_option {
	OPT_CONFIG,
	OPT_JSON,
	OPT_HELP,
	OPT_ALL,
	OPT_DEAD,
	OPT_KIND,
	OPT_LAST,
	OPT_LIMIT,
	OPT_NAME,
	OPT_SHOP,
	OPT_SINCE,
	OPT_STATE,
	OPT_QR,
	OPT_READY,
	OPT_REFUSED,
	OPTS,
};

/* What an option is called and whether a value follows. */
struct cli_option_row {
	const char *name;
	const char *value; /* as the help names it; NULL: takes none */
};
extern const struct cli_option_row cli_options[OPTS];

struct cli_args;

struct cli_verb {
	const char *name;
	const char *usage;   /* what follows the name */
	const char *summary; /* one line */
	const char *help;    /* teaches, with examples; the options follow */
	unsigned takes;      /* options: bits 1 << OPT_...; config and help are
			      * taken by all */
	int (*fn)(struct cli_args *a);
};

/* The table; ends with a row whose name is NULL. */
extern const struct cli_verb cli_verbs[];

/* A verb's words and options, as they were given. */
struct cli_args {
	const struct cli_verb *verb;
	const struct cli_server *server;
	const char *value[OPTS]; /* NULL: not given; "" when it takes none */
	char **words;
	int n_words;
};

/* The two verbs that need the running server's parts, which commands do not
 * know: main() hands them in. */
struct cli_server {
	int (*serve)(const char *config_path); /* returns the exit code */
	void (*routes)(struct buf *out, bool json);
};

/* The whole program: finds the verb's row and runs it; returns the exit code. */
int cli_main(int argc, char **argv, const struct cli_server *server);

/* Reads argv (argv[0] is the verb): options stand anywhere among the words,
 * `--` ends them.  False: a mistake, which was told on stderr. */
bool cli_parse(struct cli_args *a, const struct cli_verb *verb, int argc,
	       char **argv);

/* Tells a mistake in the command line and where help is; returns EX_USAGE. */
int cli_usage(const struct cli_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads all of a word as a number of at least `least`; false: it is none. */
bool cli_number(const char *word, int64_t least, int64_t *ret);

/* "19" or "se/19".  False: neither. */
bool cli_order_name(const char *word, char instance[INSTANCE_SIZE],
		    int64_t *ret_number);

/* ---- what most verbs need ---- */

struct cli_session {
	struct cli_args *args;
	struct config *config;
	struct store *store;
	struct buf out; /* printed by cli_flush() and cli_close() */
	bool json;
	bool cut; /* something did not fit into `out` */
	int64_t now;
	char **devices; /* owned: names by id, read once */
	size_t n_devices;
};

/* Whether a verb uses secrets.  Without them it works where their files cannot
 * be read: systemd shows credentials to the server alone. */
enum cli_secrets { CLI_NO_SECRETS, CLI_SECRETS };

/* Reads the config; cli_open() opens the store too, which must exist: a folder
 * that another user makes would keep the server from starting.  Returns 0 or
 * the exit code, and then has said why on stderr. */
#define CLI_REPORT_MAX (1 << 20)
/* cli_load_config() leaves the mistakes in `report`, one a line, and says
 * nothing. */
int cli_load_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets, struct buf *report);
int cli_open_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets);
int cli_open(struct cli_session *s, struct cli_args *a,
	     enum cli_secrets secrets);
void cli_flush(struct cli_session *s);
/* Prints what is left and ends everything; returns the exit code to give. */
int cli_close(struct cli_session *s, int code);

/* Tells a failure of the store and returns the exit code that it deserves. */
int cli_failed(const struct cli_session *s, enum rc rc, const struct err *e);

/* Logs what a verb has changed, at info: to the system's log (as "shipfrom", where
 * the server's own lines are), and on stderr unless that is a terminal, where a
 * person has read it in words.  As log_line(). */
#define cli_log(msg, ...)                                                     \
	cli_log_write((msg), (const struct log_field[]){                      \
				     LOG_N("uid", (int64_t)getuid()),         \
				     __VA_ARGS__ __VA_OPT__(, ){0}})
void cli_log_write(const char *msg, const struct log_field *fields);

/* ---- words ---- */

/* Adds a text that Centra, a shop or a stranger wrote: every verb shows such
 * texts through this, so that they cannot act on the terminal (buf_visible). */
void cli_text(struct buf *out, const char *text);
/* Prints a line on stderr, which may hold such texts: the newline is added. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, of a text of several lines, which is cut up; NULL: nothing. */
void cli_say_lines(char *text);
/* "2026-01-11 16:21:00" where the instance is; with `millis` ".552". */
void cli_time(struct buf *out, const struct config *c, const char *instance,
	      int64_t t, bool millis);
/* Adds ,"name":"ISO time" or ,"name":null. */
void cli_json_time(struct buf *out, const char *name, int64_t t,
		   int offset_min);
/* The name of the shop that a warehouse belongs to, or NULL. */
const char *cli_shop_name(const struct config *c, const char *instance,
			  int64_t warehouse);
/* Reads the names of the devices: not inside another read of the store. */
void cli_know_devices(struct cli_session *s);
/* The device's name, or "device 7" when it is not known. */
void cli_device_name(struct cli_session *s, struct buf *out, uint64_t id);

/* ---- verbs ---- */

int cli_serve(struct cli_args *a);
int cli_check(struct cli_args *a);
int cli_doctor(struct cli_args *a);
int cli_health(struct cli_args *a);
int cli_device(struct cli_args *a);
int cli_events(struct cli_args *a);
int cli_orders(struct cli_args *a);
int cli_tasks(struct cli_args *a);
int cli_why(struct cli_args *a);
int cli_redrive(struct cli_args *a);
int cli_replay(struct cli_args *a);
int cli_sweep(struct cli_args *a);
int cli_quarantine(struct cli_args *a);
int cli_verify(struct cli_args *a);
int cli_backup(struct cli_args *a);
int cli_compact(struct cli_args *a);
int cli_routes(struct cli_args *a);
int cli_settings(struct cli_args *a);
int cli_report(struct cli_args *a);
int cli_version(struct cli_args *a);

#endif
