/* SPDX-License-Identifier: MIT
 *
 * log.c - see log.h.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/number.h"
#include "base/time.h"

#define LINE_MAX_BYTES 8192

static _Atomic enum log_level least_level = LOG_INFO;
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool to_journal;

static const struct {
	const char *name;
	int priority; /* the syslog priority, which the journal reads from
		       * <N> */
} levels[] = {
	[LOG_DEBUG] = {"debug", 7},
	[LOG_INFO] = {"info", 6},
	[LOG_WARN] = {"warn", 4},
	[LOG_ERROR] = {"error", 3},
};

enum log_level log_level_of(const char *word)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (word && strcmp(word, levels[i].name) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

void log_set_level(enum log_level least)
{
	least_level = least;
}

/* Finds out whether stderr is the journal. systemd puts the device and inode of
 * its stream into JOURNAL_STREAM; they are compared with stderr's, since a
 * service whose stderr goes elsewhere inherits the variable too. */
static void find_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	int64_t device, inode;
	struct stat st;

	to_journal = stream && number_begin(&stream, INT64_MAX, &device) &&
		     *stream == ':' &&
		     number_read(stream + 1, 0, INT64_MAX, &inode) &&
		     !fstat(STDERR_FILENO, &st) && st.st_dev == (dev_t)device &&
		     st.st_ino == (ino_t)inode;
}

static void begin_line(struct buf *b, enum log_level level, const char *msg)
{
	json_begin(b, NULL);
	json_put_time(b, "ts", time_now(), 0, true);
	json_put(b, "level", levels[level].name);
	json_put(b, "msg", msg);
}

static void add_field(struct buf *b, const struct log_field *f)
{
	if (!f->text)
		return;
	if (f->is_number)
		json_put_int(b, f->name, f->number);
	else
		json_put(b, f->name, f->text);
}

static void write_all(const char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(STDERR_FILENO, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* stderr itself has failed, so this cannot be
				 * reported */
		p += n;
		len -= (size_t)n;
	}
}

void log_json(struct buf *b, enum log_level level, const char *msg,
	      const struct log_field *fields)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	begin_line(&line, level, msg);
	for (const struct log_field *f = fields; f->name; f++)
		add_field(&line, f);
	json_end(&line);
	if (buf_full(&line)) { /* a line that does not fit is dropped: half a
			        * line would not be JSON */
		buf_clear(&line);
		begin_line(&line, level, msg);
		json_put(&line, "fields", "too long");
		json_end(&line);
	}
	buf_str(b, line.data);
	buf_release(&line);
}

bool log_is_journal(void)
{
	pthread_once(&journal_once, find_journal);
	return to_journal;
}

bool log_wanted(enum log_level level)
{
	return level >= least_level;
}

void log_write(enum log_level level, const char *msg,
	       const struct log_field *fields)
{
	int saved = errno; /* the caller's errno survives the logging */
	struct buf b;

	if (level < least_level)
		return;
	buf_init(&b, LINE_MAX_BYTES + 16);
	if (log_is_journal())
		buf_fmt(&b, "<%d>", levels[level].priority);
	log_json(&b, level, msg, fields);
	buf_char(&b, '\n');
	write_all(b.data, b.len);
	buf_release(&b);
	errno = saved;
}

int log_allows(struct log_limit *l, unsigned per_minute)
{
	/* Minutes are counted from 1, since 0 is the window of a fresh
	 * log_limit. */
	int64_t minute = time_mono() / 60000 + 1;
	int64_t seen = atomic_load_explicit(&l->window, memory_order_relaxed);

	/* The thread that moves the window to the next minute also resets the
	 * count. */
	if (seen != minute &&
	    atomic_compare_exchange_strong(&l->window, &seen, minute))
		atomic_store(&l->used, 0);
	if (atomic_fetch_add(&l->used, 1) < per_minute)
		return 1;
	atomic_fetch_add(&l->held, 1);
	return 0;
}

int64_t log_held(struct log_limit *l)
{
	return atomic_exchange(&l->held, 0);
}
