/* SPDX-License-Identifier: MIT */
#include "tests/bench/cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 4096

struct process {
	pid_t pid, parent;
	double seconds;
	bool counted;
};

/* False: it has ended. */
static bool read_stat(const char *pid, struct process *ret)
{
	unsigned long user, kernel;
	char path[300], text[1024];
	const char *after;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	after = strrchr(text, ')'); /* its name may hold anything */
	*ret = (struct process){.pid = (pid_t)strtol(pid, NULL, 10)};
	if (!after || sscanf(after + 1,
			     " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu "
			     "%lu",
			     &ret->parent, &user, &kernel) != 3)
		return false;
	ret->seconds = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
	return true;
}

static size_t read_all(struct process *all, size_t max)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t n = 0;

	while (proc && n < max && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			n += read_stat(entry->d_name, &all[n]);
	if (proc)
		closedir(proc);
	return n;
}

static double sum(struct process *all, size_t n, pid_t pid)
{
	double seconds = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i].pid == pid && !all[i].counted) {
			all[i].counted = true;
			seconds += all[i].seconds;
		} else if (all[i].parent == pid) {
			seconds += sum(all, n, all[i].pid);
		}
	}
	return seconds;
}

double cpu_of(pid_t pid)
{
	static struct process all[PROCESSES_MAX];

	return sum(all, read_all(all, PROCESSES_MAX), pid);
}
