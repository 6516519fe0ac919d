/* SPDX-License-Identifier: MIT
 *
 * bench_report.c - the rows of all benchmarks, as tables, pictures and verdicts.
 *
 *	build/tests/bench/bench_report FOLDER
 *
 * Reads the rows (rows.h) and the list that says what the machine is from the
 * folder; writes a report, to the standard output too, and two pictures into it.
 * Exit 1 if a promise (promises.def) is not kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/figures.h"
#include "tests/bench/plot.h"
#include "tests/bench/rows.h"

#define PROMISE(...) {__VA_ARGS__},
static const struct promise promises[] = {
#include "tests/bench/promises.def"
};
#define PROMISES (sizeof(promises) / sizeof(promises[0]))

static FILE *open_in(const char *folder, const char *name, const char *mode)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, mode);
	if (!f)
		perror(path);
	return f;
}

static void copy(FILE *out, FILE *in)
{
	char text[4096];
	size_t n;

	while (in && (n = fread(text, 1, sizeof(text), in)))
		fwrite(text, 1, n, out);
}

/* ---- tables ---- */

static void put_value(FILE *out, double x)
{
	fprintf(out,
		x >= 1000 ? "%.0f" :
		x >= 10	  ? "%.1f" :
		x >= 1	  ? "%.2f" :
			    "%.3f",
		x);
}

static void put_spread(FILE *out, const struct spread *s)
{
	fputs(" | ", out);
	put_value(out, s->median);
	fputs(" | ", out);
	put_value(out, s->least);
	fputs(" - ", out);
	put_value(out, s->most);
}

static void put_series(FILE *out, const struct figures *f,
		       const struct series *s, bool first)
{
	const struct series *ours = figures_find(f, SHIPFROM, s->measure);
	struct spread v = spread_of(s->values, s->n), ratio;

	fprintf(out, "| %s | %s", first ? s->measure : "", s->contender);
	put_spread(out, &v);
	fprintf(out, " | %s | ", s->unit);
	if (ours && ours != s && ratio_of(ours, s, &ratio))
		fprintf(out, "%.2f (%.2f - %.2f)", ratio.median, ratio.least,
			ratio.most);
	fprintf(out, " | %zu |\n", s->n);
}

static void put_figures(FILE *out, const struct figures *f)
{
	fputs("\n## Figures\n\n"
	      "| measure | contender | median | least - most | unit | "
	      "ratio of shipfrom to it, in the same round | rounds |\n"
	      "| --- | --- | ---: | --- | --- | --- | ---: |\n",
	      out);
	for (size_t i = 0; i < f->n; i++) {
		const char *measure = f->all[i].measure;
		bool first = true;

		for (size_t k = 0; first && k < i; k++)
			first = strcmp(f->all[k].measure, measure);
		if (!first)
			continue;
		for (size_t k = i; k < f->n; k++) {
			if (strcmp(f->all[k].measure, measure))
				continue;
			put_series(out, f, &f->all[k], first);
			first = false;
		}
	}
}

/* Returns how many are not kept. */
static int put_promises(FILE *out, const struct figures *f)
{
	static const char *const words[] = {
		[KEPT] = "kept",
		[NOT_KEPT] = "**NOT kept**",
		[NOT_MEASURED] = "not measured",
	};
	int broken = 0;

	fputs("\n## Promises\n\n"
	      "| promise | median | least - most | promised | |\n"
	      "| --- | ---: | --- | --- | --- |\n",
	      out);
	for (size_t i = 0; i < PROMISES; i++) {
		const struct promise *p = &promises[i];
		struct spread s;
		enum verdict v = promise_judge(p, f, &s);

		fprintf(out, "| %s", p->sentence);
		if (v == NOT_MEASURED)
			fputs(" | | ", out);
		else
			put_spread(out, &s);
		fprintf(out, " | %s %g | %s |\n",
			p->is == AT_LEAST ? "at least" : "at most", p->bound,
			words[v]);
		broken += v == NOT_KEPT;
	}
	return broken;
}

/* ---- pictures ---- */

static int put_plot(const char *folder, const struct figures *f,
		    const char *name, const char *unit, const char *title)
{
	FILE *out = open_in(folder, name, "w");

	if (!out)
		return -1;
	plot(out, f, unit, title);
	return fclose(out);
}

/* ---- all of it ---- */

static int report(const char *folder, const struct figures *f)
{
	FILE *machine = open_in(folder, "machine.md", "r");
	FILE *out = open_in(folder, "report.md", "w+");
	int broken = 0;

	if (!machine || !out)
		exit(1);
	fputs("# Benchmark\n\n", out);
	copy(out, machine);
	broken = put_promises(out, f);
	put_figures(out, f);
	rewind(out);
	copy(stdout, out);
	if (ferror(out) || fclose(out) ||
	    put_plot(folder, f, "throughput.svg", "/s",
		     "Webhooks a second: medians; lines from least to most") ||
	    put_plot(folder, f, "cpu.svg", "us",
		     "Server CPU for each, in us: medians; lines from least to most"))
		exit(1);
	fclose(machine);
	return broken;
}

int main(int argc, char **argv)
{
	struct figures f = {0};
	size_t line;
	FILE *rows;
	int broken;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_report FOLDER\n");
		return 64;
	}
	rows = open_in(argv[1], "rows.tsv", "r");
	if (!rows)
		return 1;
	line = figures_read(&f, rows);
	if (line) {
		fprintf(stderr, "rows.tsv: line %zu is none\n", line);
		return 1;
	}
	fclose(rows);
	broken = report(argv[1], &f);
	figures_free(&f);
	printf("\n%d of %zu promises are not kept\n", broken, PROMISES);
	return broken != 0;
}
