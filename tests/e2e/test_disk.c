/* SPDX-License-Identifier: MIT
 *
 * The disk says no, in every way it can.  Each test is one cause; together
 * they print a table: what Centra sees, what the log says, how the server
 * ends, and what was lost of all that was answered 200, which is nothing.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/browser.h"
#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define SENT_MAX 4000
#define FIRST_ID 100000
#define ROWS	 24

/* One line of the table, and what its test has sent. */
struct row {
	const char *cause;
	char sees[24], ready[40], log[200], exit[24];
	bool told[SENT_MAX]; /* answered 200 */
	int sent, acked, lost;
};

static struct row *rows[ROWS];
static int n_rows;
static bool may_mount;

static struct row *row_of(const char *cause)
{
	struct row *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_true(n_rows < ROWS);
	r->cause = cause;
	snprintf(r->sees, sizeof(r->sees), "-");
	snprintf(r->ready, sizeof(r->ready), "-");
	snprintf(r->exit, sizeof(r->exit), "goes on");
	return rows[n_rows++] = r;
}

static int print_table(void **state)
{
	(void)state;
	printf("%-34s %-8s %-22s %-11s %-11s %s\n", "cause", "Centra",
	       "/readyz", "exit", "lost", "log");
	for (int i = 0; i < n_rows; i++) {
		const struct row *r = rows[i];
		char lost[32];

		snprintf(lost, sizeof(lost), "%d of %d", r->lost, r->acked);
		printf("%-34s %-8s %-22s %-11s %-11s %s\n", r->cause, r->sees,
		       r->ready, r->exit, lost, r->log);
		free(rows[i]);
	}
	return 0;
}

/* ---- deliveries ---- */

/* One event that nothing is done about, with `pad` bytes of data. */
static long send_one(struct shipfrom *s, struct row *r, int pad)
{
	size_t size = (size_t)pad + 300;
	char *json = malloc(size), *data = malloc((size_t)pad + 1);
	struct answer a;
	long status;

	assert_non_null(json);
	assert_non_null(data);
	assert_true(r->sent < SENT_MAX);
	memset(data, 'x', (size_t)pad);
	data[pad] = '\0';
	snprintf(json, size,
		 "{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		 "\"date\":\"2021-01-29 14:40:58.628033\",\"id\":%d,"
		 "\"data\":{\"x\":\"%s\"}}]}",
		 FIRST_ID + r->sent, data);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	status = a.status;
	if (status != 200)
		snprintf(r->sees, sizeof(r->sees), "%ld", status);
	r->told[r->sent++] = status == 200;
	r->acked += status == 200;
	answer_release(&a);
	free(json);
	free(data);
	return status;
}

static void send_well(struct shipfrom *s, struct row *r, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(send_one(s, r, 10), 200);
}

/* Until one is not taken; fails when all are. */
static void send_until_refused(struct shipfrom *s, struct row *r, int pad)
{
	for (int i = 0; i < SENT_MAX / 2; i++)
		if (send_one(s, r, pad) != 200)
			return;
	fail_msg("%s: everything was taken", r->cause);
}

/* All that was answered 200 is there, once, and the store is whole. */
static void expect_nothing_lost(struct shipfrom *s, struct row *r)
{
	const char *events[] = {"events", "--json", "--since", "1", NULL};
	const char *verify[] = {"verify", NULL};
	int *times = calloc(SENT_MAX, sizeof(*times));
	char *out = NULL, *line, *rest;
	int code;

	assert_non_null(times);
	assert_int_equal(shipfrom_run(s, &out, false, events), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);
		int64_t id = number_of(v, "id");

		if (id >= FIRST_ID && id < FIRST_ID + r->sent)
			times[id - FIRST_ID]++;
		cJSON_Delete(v);
	}
	free(out);
	for (int i = 0; i < r->sent; i++) {
		r->lost += r->told[i] && !times[i];
		assert_true(times[i] <= 1);
	}
	free(times);
	assert_int_equal(r->lost, 0);
	code = shipfrom_run(s, &out, true, verify);
	if (code)
		fail_msg("%s: verify ended with %d: %s", r->cause, code, out);
	free(out);
}

/* ---- what the server says ---- */

static void ask_ready(struct shipfrom *s, struct row *r)
{
	char url[160];
	struct answer a;

	snprintf(url, sizeof(url), "%s/readyz", s->url);
	a = http_get(url, NULL);
	snprintf(r->ready, sizeof(r->ready), "%ld %s", a.status,
		 a.status == 503 ? text_of(a.json, "why") : "");
	answer_release(&a);
}

static void expect_not_ready(struct shipfrom *s, struct row *r,
			     const char *why)
{
	ask_ready(s, r);
	if (strncmp(r->ready, "503 ", 4) || strcmp(r->ready + 4, why))
		fail_msg("%s: readyz says %s", r->cause, r->ready);
}

static bool is_ready(void *arg)
{
	struct row r;

	ask_ready(arg, &r);
	return !strncmp(r.ready, "200", 3);
}

static bool is_logged(const char *line, const char *msg, const char *rc)
{
	cJSON *json = cJSON_Parse(line);
	bool is = !strncmp(text_of(json, "msg"), msg, strlen(msg)) &&
		  (!rc || !strcmp(text_of(json, "rc"), rc));

	cJSON_Delete(json);
	return is;
}

/* Keeps what the log must say: a message, and the code of its error (NULL: it
 * has none). */
static void expect_log(struct row *r, const char *path, const char *msg,
		       const char *rc)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	bool found = false;

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = is_logged(line, msg, rc);
	fclose(f);
	if (!found) {
		process_tail(path, 20);
		fail_msg("%s: the log does not say '%s', rc %s", r->cause, msg,
			 rc ? rc : "none");
	}
	snprintf(r->log, sizeof(r->log), "%s%s%s", msg, rc ? ": " : "",
		 rc ? rc : "");
}

static void expect_exit(struct shipfrom *s, struct row *r, int code)
{
	int status = -1;

	assert_true(process_ended(&s->process, 10000, &status));
	assert_int_equal(status, code);
	snprintf(r->exit, sizeof(r->exit), "%d", status);
}

/* Starts it where it cannot: how it ends, and what it says. */
static void expect_no_start(struct shipfrom *s, struct row *r, int code,
			    const char *says)
{
	char program[256], *out = NULL;
	const char *argv[] = {program, "serve", "--config", s->config, NULL};
	int status;

	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	status = run_program(argv, &out, true);
	snprintf(r->exit, sizeof(r->exit), "%d", status);
	snprintf(r->log, sizeof(r->log), "cannot start: %s", says);
	if (status != code || !strstr(out, "cannot start") ||
	    !strstr(out, says))
		fail_msg("%s: ended with %d and said %s", r->cause, status,
			 out);
	free(out);
}

/* ---- the config ---- */

/* Gives a setting another value. */
static void set(struct shipfrom *s, const char *name, const char *value)
{
	char *was = NULL, *line, *rest;
	size_t room = 0, n = strlen(name);
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&was, &room, 0, f) > 0);
	fclose(f);
	f = fopen(s->config, "w");
	assert_non_null(f);
	for (line = strtok_r(was, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, name, n) && line[n] == ' ')
			fprintf(f, "%s = %s\n", name, value);
		else
			fprintf(f, "%s\n", line);
	assert_int_equal(fclose(f), 0);
	free(was);
}

static void set_folder(struct shipfrom *s, const char *dir)
{
	char value[256];

	snprintf(value, sizeof(value), "lmdb:%s", dir);
	set(s, "store", value);
}

static void own_folder(struct shipfrom *s)
{
	char dir[160];

	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	set_folder(s, dir);
}

/* ---- faults put between the server and its disk ---- */

static char fault_file[64];

static struct shipfrom *start_with_faults(void **state, const char *server)
{
	static struct under_fault fault;
	static char file[100];
	static const char *const under[] = {"env", fault.preload, file,
					    fault.asan, NULL};
	const struct shipfrom_options o = {.server = server, .under = under};

	snprintf(fault_file, sizeof(fault_file), "/tmp/shipfrom-faults.%d",
		 (int)getpid());
	unlink(fault_file);
	snprintf(file, sizeof(file), "FAULTS=%s", fault_file);
	under_fault(&fault, "faults", ":detect_leaks=0");
	return *state = shipfrom_start(&o);
}

/* Or goes over to another, with no moment between the two. */
static void begin_fault(const char *line)
{
	char fresh[80];
	FILE *f;

	snprintf(fresh, sizeof(fresh), "%s.new", fault_file);
	f = fopen(fresh, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", line);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(fresh, fault_file), 0);
}

static void end_fault(void)
{
	assert_int_equal(unlink(fault_file), 0);
}

/* A fault after which nothing in memory can be believed: 503, the log, exit
 * 74; restarted without it, all that was told 200 is there. */
static void expect_restart(void **state, const char *cause, const char *fault)
{
	struct shipfrom *s = start_with_faults(state, NULL);
	struct row *r = row_of(cause);

	send_well(s, r, 25);
	begin_fault(fault);
	assert_int_equal(send_one(s, r, 10), 503);
	expect_exit(s, r, 74);
	snprintf(r->ready, sizeof(r->ready), "(gone)");
	expect_log(r, s->log, "webhook not stored", "io");
	expect_log(r, s->log, "the disk failed: restart after looking at it",
		   NULL);
	end_fault();
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	send_well(s, r, 5);
	shipfrom_passed(s);
}

static void eio_when_the_data_is_synced(void **state)
{
	expect_restart(state, "EIO, sync of the data", "sync EIO");
}

static void eio_when_the_page_that_names_the_tree_is_written(void **state)
{
	expect_restart(state, "EIO, write of the meta page", "meta EIO");
}

static void eio_when_data_is_written(void **state)
{
	expect_restart(state, "EIO, write of the data", "data EIO");
}

static void the_disk_became_read_only(void **state)
{
	expect_restart(state, "read-only, while it runs", "all EROFS");
}

/* A full disk is no broken one: 503 until there is room, and no restart. */
static void expect_pause(void **state, const char *cause, const char *fault)
{
	struct shipfrom *s = start_with_faults(state, NULL);
	struct row *r = row_of(cause);

	send_well(s, r, 25);
	begin_fault(fault);
	send_until_refused(s, r, 20000);
	assert_string_equal(r->sees, "503");
	assert_int_equal(send_one(s, r, 20000), 503);
	ask_ready(s, r);
	if (!strncmp(fault, "grow", 4))
		expect_not_ready(s, r, "disk nearly full");
	expect_log(r, s->log, "webhook not stored", "full");
	end_fault();
	send_well(s, r, 25);
	assert_true(process_alive(&s->process));
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void no_space_when_the_file_is_to_grow(void **state)
{
	expect_pause(state, "ENOSPC, growing the file", "grow ENOSPC");
}

static void no_space_in_the_middle_of_a_write(void **state)
{
	expect_pause(state, "ENOSPC, write of the data", "data ENOSPC");
}

static void the_quota_is_used_up(void **state)
{
	expect_pause(state, "EDQUOT, write of the data", "data EDQUOT");
}

static void a_disk_that_hangs_costs_503_and_nothing_else(void **state)
{
	struct shipfrom *s = start_with_faults(state, "write_wait = 1500ms\n");
	struct row *r = row_of("the disk hangs");

	send_well(s, r, 25);
	begin_fault("sync HANG");
	assert_int_equal(send_one(s, r, 10), 503);
	assert_int_equal(send_one(s, r, 10), 503);
	expect_not_ready(s, r, "store failing");
	snprintf(r->log, sizeof(r->log), "(nothing failed)");
	end_fault();
	send_well(s, r, 25);
	assert_true(wait_until(is_ready, s, 5000));
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

/* The disk's word comes after the client was told 503: it counts all the same,
 * also when nothing else is written. */
static void a_sign_in_is_the_write_that_finds_the_disk_failed(void **state)
{
	struct shipfrom *s = start_with_faults(
		state, "write_wait = 1s\nsweep_every = 0\n");
	struct row *r = row_of("EIO, a sign-in nobody waits for");
	struct browser b;

	browser_link(&b, s, "amsterdam");
	begin_fault("sync HANG");
	assert_int_equal(browser_signs_in(&b), 503);
	begin_fault("sync EIO");
	expect_exit(s, r, 74);
	snprintf(r->sees, sizeof(r->sees), "-");
	end_fault();
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* ---- a disk that is full ---- */

/* Puts an empty disk of its own where the store is. */
static struct shipfrom *start_on_disk(void **state, const char *size)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	char dir[160], option[64];

	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	snprintf(option, sizeof(option), "size=%s,mode=0700", size);
	assert_int_equal(mount("tmpfs", dir, "tmpfs", 0, option), 0);
	shipfrom_again(s);
	return s;
}

static void leave_disk(struct shipfrom *s)
{
	char dir[160];

	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* Takes all the room that is left. */
static void fill_disk(const char *path)
{
	static char block[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	memset(block, 'x', sizeof(block));
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void a_full_disk_is_told_before_it_is_met(void **state)
{
	struct shipfrom *s;
	struct row *r;
	char other[192];
	int before;

	if (!may_mount) {
		r = row_of("full disk");
		snprintf(r->log, sizeof(r->log),
			 "skipped: we may not mount a disk");
		skip();
	}
	s = start_on_disk(state, "24M");
	r = row_of("full disk");
	send_well(s, r, 25);
	snprintf(other, sizeof(other), "%s/store/other", s->dir);
	fill_disk(other);
	expect_not_ready(s, r, "disk nearly full");
	/* What the file was given before is still there to be used. */
	before = r->acked;
	send_until_refused(s, r, 20000);
	assert_true(r->acked > before);
	assert_string_equal(r->sees, "503");
	expect_not_ready(s, r, "disk nearly full");
	expect_log(r, s->log, "webhook not stored", "full");
	assert_int_equal(unlink(other), 0);
	send_well(s, r, 25);
	expect_nothing_lost(s, r);
	leave_disk(s);
}

static void a_limit_on_the_files_size_is_a_full_disk(void **state)
{
	static const char *const under[] = {"prlimit", "--fsize=10485760",
					    NULL};
	const struct shipfrom_options o = {.under = under};
	struct shipfrom *s = *state = shipfrom_start(&o);
	struct row *r = row_of("limit on the file's size");

	send_well(s, r, 25);
	send_until_refused(s, r, 20000);
	assert_string_equal(r->sees, "503");
	expect_not_ready(s, r, "disk nearly full");
	expect_log(r, s->log, "webhook not stored", "full");
	expect_nothing_lost(s, r);
	assert_int_equal(shipfrom_stop(s), 0);
	s->options.under = NULL;
	shipfrom_again(s);
	send_well(s, r, 25);
	shipfrom_passed(s);
}

/* ---- the map ---- */

static void at_95_percent_of_the_map_all_but_webhooks_goes_on(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("map full (store_max)");
	const char *add[] = {"device", "add",	 "--shop", "berlin",
			     "--name", "spare", NULL};
	int64_t number;
	struct answer a;

	assert_int_equal(shipfrom_stop(s), 0);
	set(s, "store_max", "12M");
	shipfrom_again(s);
	number = sim_place(&s->sim, 600);
	wait_state(s, STOCKHOLM, number, "pending", 10000);
	send_until_refused(s, r, 20000);
	assert_string_equal(r->sees, "503");
	expect_not_ready(s, r, "disk nearly full");
	expect_log(r, s->log, "webhook not stored", "full");
	/* A shop's answer, the task that tells Centra, and the command line. */
	a = shop_does(s, STOCKHOLM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	assert_int_equal(shipfrom_run(s, NULL, false, add), 0);
	expect_nothing_lost(s, r);
	assert_int_equal(shipfrom_stop(s), 0);
	set(s, "store_max", "256M");
	shipfrom_again(s);
	send_well(s, r, 25);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_map_made_smaller_than_what_is_in_it_loses_nothing(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("store_max below what there is");
	const char *add[] = {"device", "add",	 "--shop", "berlin",
			     "--name", "spare", NULL};
	char path[192], copy[192];
	const char *backup[] = {"backup", copy, NULL};

	for (int i = 0; i < 100; i++)
		assert_int_equal(send_one(s, r, 20000), 200);
	assert_int_equal(shipfrom_stop(s), 0);
	/* A copy has no page to spare. */
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	snprintf(copy, sizeof(copy), "%s/copy", s->dir);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	assert_int_equal(rename(copy, path), 0);
	set(s, "store_max", "1M");
	shipfrom_again(s);
	assert_int_equal(send_one(s, r, 10), 503);
	/* Others write beyond what the server would have taken. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(shipfrom_run(s, NULL, false, add), 0);
	assert_int_equal(send_one(s, r, 10), 503);
	expect_not_ready(s, r, "disk nearly full");
	expect_log(r, s->log, "webhook not stored", "full");
	assert_int_equal(shipfrom_stop(s), 0);
	set(s, "store_max", "256M");
	shipfrom_again(s);
	send_well(s, r, 25);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

/* ---- the folder ---- */

static void without_the_folder_and_its_parent_it_does_not_start(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("no such folder");
	char dir[160];

	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(dir, sizeof(dir), "%s/not/there", s->dir);
	set_folder(s, dir);
	expect_no_start(s, r, 73, "No such file or directory");
	own_folder(s);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

/* How often the log has the line. */
static int logged(const char *path, const char *msg)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, msg) != NULL;
	fclose(f);
	return n;
}

/* As when the disk that has the store is not mounted. */
static void an_empty_folder_is_no_store(void **state)
{
	static const char *const verbs[][6] = {
		{"verify"}, {"orders"}, {"tasks"}, {"why", "19"},
		{"device", "add", "--shop=berlin", "--name=spare"}};
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("the folder is empty");
	char dir[160], away[160], *out = NULL;

	assert_int_equal(logged(s->log, "a new store was made"), 1);
	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	snprintf(away, sizeof(away), "%s/away", s->dir);
	assert_int_equal(rename(dir, away), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		int code = shipfrom_run(s, &out, true, verbs[i]);

		if (code != 73)
			fail_msg("%s ended with %d: %s", verbs[i][0], code,
				 out);
		free(out);
	}
	/* They made none either. */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	shipfrom_again(s);
	expect_log(r, s->log, "a new store was made", NULL);
	assert_int_equal(logged(s->log, "a new store was made"), 2);
	assert_int_equal(shipfrom_stop(s), 0);
	set_folder(s, away);
	shipfrom_again(s);
	assert_int_equal(logged(s->log, "a new store was made"), 2);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_file_taken_away_while_it_runs_ends_it(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("file removed, while it runs");
	char path[192], copy[192];
	const char *backup[] = {"backup", copy, NULL};

	send_well(s, r, 25);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	snprintf(copy, sizeof(copy), "%s/copy", s->dir);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(send_one(s, r, 10), 503);
	expect_exit(s, r, 74);
	snprintf(r->ready, sizeof(r->ready), "(gone)");
	expect_log(r, s->log, "webhook not stored", "io");
	assert_int_equal(rename(copy, path), 0);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

/* Puts zeros over all of the file from `from` on. */
static void overwrite(const char *path, long from)
{
	static const char zeros[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (; from < st.st_size; from += (long)sizeof(zeros))
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), from),
				 sizeof(zeros));
	close(fd);
}

/* As when the disk had no room for all of a backup that was put back. */
static void a_file_that_is_cut_short_is_not_started_on(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("file cut short, at the start");
	char path[192], copy[192], *out = NULL;
	const char *backup[] = {"backup", copy, NULL};
	const char *verify[] = {"verify", NULL};
	struct stat st;
	int code;

	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	snprintf(copy, sizeof(copy), "%s/copy", s->dir);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	assert_int_equal(rename(copy, path), 0);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	code = shipfrom_run(s, &out, true, verify);
	if (code != 65)
		fail_msg("verify ended with %d: %s", code, out);
	free(out);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	expect_no_start(s, r, 65, "damaged or cut short");
	assert_int_equal(rename(copy, path), 0);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_file_that_is_no_store_is_not_started_on(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("file overwritten, at the start");
	char path[192], copy[192], *out = NULL;
	const char *backup[] = {"backup", copy, NULL};
	const char *why[] = {"why", "19", NULL};
	int code;

	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	snprintf(copy, sizeof(copy), "%s/copy", s->dir);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	overwrite(path, 0);
	code = shipfrom_run(s, &out, true, why);
	if (code != 65)
		fail_msg("why ended with %d: %s", code, out);
	free(out);
	expect_no_start(s, r, 65, "is damaged");
	assert_int_equal(rename(copy, path), 0);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_file_damaged_while_it_runs_ends_it(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("file damaged, while it runs");
	char path[192], copy[192];
	const char *backup[] = {"backup", copy, NULL};

	send_well(s, r, 25);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	snprintf(copy, sizeof(copy), "%s/copy", s->dir);
	assert_int_equal(shipfrom_run(s, NULL, false, backup), 0);
	overwrite(path, 2 * sysconf(_SC_PAGESIZE));
	assert_int_equal(send_one(s, r, 10), 503);
	expect_exit(s, r, 65);
	snprintf(r->ready, sizeof(r->ready), "(gone)");
	expect_log(r, s->log, "the store is damaged", NULL);
	assert_int_equal(rename(copy, path), 0);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_second_server_on_the_folder_is_refused(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("two servers on one folder");

	send_well(s, r, 25);
	set(s, "listen", "127.0.0.1:0");
	set(s, "admin_listen", "127.0.0.1:0");
	expect_no_start(s, r, 75, "another server uses the folder");
	send_well(s, r, 5);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

/* Gives every copy of the number of the schema in the file another value. */
static void write_version(struct shipfrom *s, char was, char is)
{
	static const char key[] = "schema";
	char path[192], *all = NULL;
	size_t room = 0, n = 0, k = sizeof(key) - 1;
	int changed = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = (size_t)ftell(f);
	room = n + 1;
	all = malloc(room);
	assert_non_null(all);
	rewind(f);
	assert_int_equal(fread(all, 1, n, f), n);
	for (size_t i = 0; i + k + 4 <= n; i++)
		if (!memcmp(all + i, key, k) &&
		    !memcmp(all + i + k, (char[]){0, 0, 0, was}, 4)) {
			all[i + k + 3] = is;
			changed++;
		}
	assert_true(changed > 0);
	rewind(f);
	assert_int_equal(fwrite(all, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	free(all);
}

static void a_folder_from_a_newer_version_is_left_alone(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("folder of a newer version");

	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	write_version(s, 2, 9);
	expect_no_start(s, r, 73, "written by a newer shipfrom");
	write_version(s, 9, 2);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void somebody_elses_folder_is_left_alone(void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct row *r = row_of("folder of somebody else");
	char dir[160];

	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	if (geteuid() == 0)
		assert_int_equal(chown(dir, 65534, 65534), 0);
	else
		set_folder(s, "/");
	expect_no_start(s, r, 73, "belongs to user");
	if (geteuid() == 0)
		assert_int_equal(chown(dir, 0, 0), 0);
	own_folder(s);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	shipfrom_passed(s);
}

static void a_disk_mounted_read_only_is_not_started_on(void **state)
{
	struct shipfrom *s;
	struct row *r;
	char dir[160];

	if (!may_mount) {
		r = row_of("read-only, at the start");
		snprintf(r->log, sizeof(r->log),
			 "skipped: we may not mount a disk");
		skip();
	}
	s = start_on_disk(state, "64M");
	r = row_of("read-only, at the start");
	snprintf(dir, sizeof(dir), "%s/store", s->dir);
	send_well(s, r, 25);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL),
			 0);
	expect_no_start(s, r, 73, "Read-only file system");
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
	shipfrom_again(s);
	expect_nothing_lost(s, r);
	leave_disk(s);
}

/* Disks that we mount are seen by us and our children alone, and go with us. */
static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define T(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const char *was = getenv("TSAN_OPTIONS");
	char tsan[600];
	const struct CMUnitTest tests[] = {
		T(a_full_disk_is_told_before_it_is_met),
		T(a_limit_on_the_files_size_is_a_full_disk),
		T(no_space_when_the_file_is_to_grow),
		T(no_space_in_the_middle_of_a_write),
		T(the_quota_is_used_up),
		T(at_95_percent_of_the_map_all_but_webhooks_goes_on),
		T(a_map_made_smaller_than_what_is_in_it_loses_nothing),
		T(eio_when_the_data_is_synced),
		T(eio_when_the_page_that_names_the_tree_is_written),
		T(eio_when_data_is_written),
		T(a_disk_that_hangs_costs_503_and_nothing_else),
		T(a_sign_in_is_the_write_that_finds_the_disk_failed),
		T(the_disk_became_read_only),
		T(a_disk_mounted_read_only_is_not_started_on),
		T(without_the_folder_and_its_parent_it_does_not_start),
		T(an_empty_folder_is_no_store),
		T(a_file_taken_away_while_it_runs_ends_it),
		T(a_file_that_is_cut_short_is_not_started_on),
		T(a_file_that_is_no_store_is_not_started_on),
		T(a_file_damaged_while_it_runs_ends_it),
		T(a_second_server_on_the_folder_is_refused),
		T(a_folder_from_a_newer_version_is_left_alone),
		T(somebody_elses_folder_is_left_alone),
	};

	/* A disk that failed ends it at once, its threads still there. */
	snprintf(tsan, sizeof(tsan), "%s:report_thread_leaks=0", was ? was : "");
	setenv("TSAN_OPTIONS", tsan, 1);
	may_mount = own_mounts();
	return cmocka_run_group_tests(tests, NULL, print_table) != 0;
}
