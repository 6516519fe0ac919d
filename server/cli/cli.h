/* SPDX-License-Identifier: MIT
 *
 * cli.h - the command line: one table of verbs (verbs.c), what finds and reads
 * them (command.c), and the helpers that they share (cli.c).
 *
 * Verbs that read or change data open the store themselves, beside a running
 * server or without one.  They gather their output inside the store's read
 * transactions and write it after them, so that a slow reader (`| less`) does
 * not make the store grow.
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

/* Exit codes: 0, those of <sysexits.h>, and this one. */
#define EXIT_NOTHING 1 /* there is no such order, event, task or device */

enum cli_option {
	OPT_CONFIG,
	OPT_JSON,
	OPT_HELP,
	OPT_ALL,
	OPT_CONFIRM,
	OPT_DEAD,
	OPT_KIND,
	OPT_LAST,
	OPT_LIMIT,
	OPT_NAME,
	OPT_SHOP,
	OPT_SINCE,
	OPT_STATE,
	OPT_ORDER_API,
	OPT_QR,
	OPT_READY,
	OPT_REFUSED,
	OPTS,
};

struct cli_args;

struct cli_verb {
	const char *name;
	const char *usage;   /* what follows the verb's name in the help */
	const char *summary; /* one line */
	const char *help;    /* the text of --help, with examples; the options
			      * follow it */
	unsigned takes;      /* the options that it takes, as bits 1 << OPT_...;
			      * all verbs take config and help */
	int (*fn)(struct cli_args *a);
};

/* The table; ends with a row whose name is NULL. */
extern const struct cli_verb cli_verbs[];

/* The words and options of a command line. */
struct cli_args {
	const struct cli_verb *verb;
	const struct cli_server *server;
	const char *value[OPTS]; /* by option: NULL if it was not given; "" if
				  * it takes no value */
	char **words;
	int n_words;
};

/* The parts of the server that commands do not know, for the two verbs that
 * need them. main() passes them in. */
struct cli_server {
	/* Runs the server; returns the exit code. */
	int (*serve)(const char *config_path);
	void (*routes)(struct buf *out, bool json);
};

/* Runs the whole program: finds the verb's row, runs it, and returns the exit
 * code. */
int cli_main(int argc, char **argv, const struct cli_server *server);

/* Reads a command line, of which argv[0] is the verb.  Options may stand
 * anywhere among the words; `--` ends them.  False: there is a mistake, which
 * was printed on stderr. */
bool cli_parse(struct cli_args *a, const struct cli_verb *verb, int argc,
	       char **argv);

/* Prints on stderr a mistake in the command line and where help is; returns
 * EX_USAGE. */
int cli_usage(const struct cli_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads "19" or "se/19".  False: it is neither. */
bool cli_order_name(const char *word, char instance[INSTANCE_SIZE],
		    int64_t *ret_number);

/* ---- what most verbs need ---- */

struct cli_session {
	struct cli_args *args;
	struct config *config;
	struct store *store;
	struct buf out; /* output, until cli_flush() or cli_close() prints it */
	bool json;
	bool cut; /* some output did not fit into `out` */
	struct buf left_out; /* lines that say which rows of the store were left
			      * out; cli_close() prints them */
	int64_t now;
	char **devices; /* owned: names of devices, by id */
	size_t n_devices;
};

/* Whether a verb uses secrets.  A verb that does not also works where it cannot
 * read their files: systemd shows credentials to the server alone. */
enum cli_secrets { CLI_NO_SECRETS, CLI_SECRETS };

/* cli_open_config() reads the config; cli_open() also opens the store, which
 * must exist (if another user made it, the server could not start).  Return 0,
 * or the exit code after they printed the reason on stderr. */
#define CLI_REPORT_MAX (1 << 20)
/* cli_load_config() leaves the mistakes in `report`, one a line, and prints
 * nothing. */
int cli_load_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets, struct buf *report);
int cli_open_config(struct cli_session *s, struct cli_args *a,
		    enum cli_secrets secrets);
int cli_open(struct cli_session *s, struct cli_args *a,
	     enum cli_secrets secrets);
void cli_flush(struct cli_session *s);
/* Prints the rest of the output, closes all, and returns the exit code. */
int cli_close(struct cli_session *s, int code);

/* Runs a verb that takes no words in a session that `open` (cli_open_config or
 * cli_open) begins, and closes the session; returns the exit code. */
int cli_run(struct cli_args *a,
	    int (*open)(struct cli_session *s, struct cli_args *a,
			enum cli_secrets secrets),
	    enum cli_secrets secrets, int (*run)(struct cli_session *s));

/* Prints a failure of the store and returns its exit code. */
int cli_failed(const struct cli_session *s, enum rc rc, const struct err *e);

/* Takes the result of a list of the store that goes on behind rows which it
 * cannot read (RC_INVALID): keeps the sentence, which cli_close() prints behind
 * all output before it ends with EX_DATAERR, and returns OK.  Any other rc is
 * returned as it is. */
enum rc cli_left_out(struct cli_session *s, enum rc rc, const struct err *e);

/* Logs a change that a verb made, at info: to the system's log (as "shipfrom",
 * beside the server's own lines), and on stderr unless that is a terminal,
 * where the verb has told the person already.  Used like log_line(). */
#define cli_log(msg, ...)                                                     \
	cli_log_write((msg), (const struct log_field[]){                      \
				     LOG_N("uid", (int64_t)getuid()),         \
				     __VA_ARGS__ __VA_OPT__(, ){0}})
void cli_log_write(const char *msg, const struct log_field *fields);

/* ---- reading ---- */

/* Finds the greatest seq of an event; 0: there is no event. */
enum rc cli_newest_event(struct store *s, uint64_t *ret, struct err *e);

/* ---- words ---- */

/* Adds a text that came from Centra, a shop or a stranger.  Every verb prints
 * such texts with this function, so that they cannot control the terminal
 * (buf_visible). */
void cli_text(struct buf *out, const char *text);
/* Prints a line on stderr, with a line end.  It may contain such texts. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As cli_say(), for a text of several lines; the text is changed.  NULL prints
 * nothing. */
void cli_say_lines(char *text);
/* Adds a time in the instance's zone: "2026-01-11 16:21:00"; with `millis`
 * ".552" too. */
void cli_time(struct buf *out, const struct config *c, const char *instance,
	      int64_t t, bool millis);
/* Adds the end of a JSON object, and a line end. */
void cli_json_end(struct buf *out);
/* Adds {"NAME":N} and a line end. */
void cli_json_count(struct buf *out, const char *name, uint64_t n);
/* Returns the name of the shop that the warehouse belongs to, or NULL. */
const char *cli_shop_name(const struct config *c, const char *instance,
			  int64_t warehouse);
/* Reads the names of the devices from the store.  Do not call it inside another
 * read of the store. */
void cli_know_devices(struct cli_session *s);
/* Adds the device's name, or "device 7" if the name is unknown. */
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
int cli_stock(struct cli_args *a);
int cli_sweep(struct cli_args *a);
int cli_quarantine(struct cli_args *a);
int cli_records(struct cli_args *a);
int cli_verify(struct cli_args *a);
int cli_backup(struct cli_args *a);
int cli_compact(struct cli_args *a);
int cli_routes(struct cli_args *a);
int cli_settings(struct cli_args *a);
int cli_report(struct cli_args *a);
int cli_version(struct cli_args *a);

#endif
