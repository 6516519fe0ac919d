/* SPDX-License-Identifier: MIT
 *
 * log.h - JSON lines on stderr, one write(2) a line.
 *
 * {"ts":"...","level":"info","msg":"order accepted","instance":"se","order":19}
 *
 * msg is a constant: what varies goes into fields, so that lines can be
 * counted by msg.  Never a body, a secret, a person's name or an address.
 * Threads: any.  Under systemd (stderr is the journal) a <N> level leads.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Returns the level that a word means: "debug", "info", "warn" or "error";
 * LOG_INFO for any other word, and for NULL. */
enum log_level log_level_of(const char *word);
/* Lines below this level are dropped.  Any thread, at any time. */
void log_set_level(enum log_level least);
/* Returns false if lines of this level are dropped. */
bool log_wanted(enum log_level level);

/* A field: its name, and a text or a number.  A NULL text leaves the field
 * out. */
struct log_field {
	const char *name;
	const char *text;
	int64_t number;
	int is_number;
};

#define LOG_S(name, value) ((struct log_field){(name), (value), 0, 0})
#define LOG_N(name, value) ((struct log_field){(name), "", (value), 1})

/* Marks a message that is not written in the call that logs it, as in a table:
 * tests/checks/logs.sh finds every message by its place in the source. */
#define LOG_MSG(text) text

/* Logs a line: log_line(LOG_INFO, "ready", LOG_S("address", a), LOG_N("port",
 * p)).  If lines of its level are dropped, the fields are not evaluated. */
#define log_line(level, msg, ...)                                             \
	do {                                                                  \
		if (log_wanted(level))                                        \
			log_write((level), (msg),                             \
				  (const struct log_field[]){                 \
					  __VA_ARGS__ __VA_OPT__(, ){0}});    \
	} while (0)

/* As log_line(), but logs at most `per_minute` lines a minute from this place
 * in the source; the next line that is logged says how many were held back. */
#define log_limited(per_minute, level, msg, ...)                              \
	do {                                                                  \
		static struct log_limit log_limit_here;                       \
		if (log_allows(&log_limit_here, (per_minute)))                \
			log_write((level), (msg),                             \
				  (const struct log_field[]){                 \
					  __VA_ARGS__ __VA_OPT__(, )          \
						  LOG_N("held_back",          \
							log_held(&log_limit_here)), \
					  {0}});                              \
	} while (0)

struct log_limit {
	_Atomic int64_t window; /* minute it counts in */
	_Atomic unsigned used;
	_Atomic unsigned held;
};

/* For log_limited(): true if one more line may be logged in this minute. */
int log_allows(struct log_limit *l, unsigned per_minute);
/* Returns how many lines were held back since the last one that was logged, and
 * resets that number. */
int64_t log_held(struct log_limit *l);

struct buf;

/* Adds the line's JSON object, without a newline. */
void log_json(struct buf *b, enum log_level level, const char *msg,
	      const struct log_field *fields);

/* True when stderr is the journal of systemd. */
bool log_is_journal(void);

/* Writes a line.  `fields` ends with a field whose name is NULL. */
void log_write(enum log_level level, const char *msg,
	       const struct log_field *fields);

#endif
