/* SPDX-License-Identifier: MIT
 *
 * rows.h - what a benchmark measured, handed to the report.
 *
 * Each program appends lines to the file that BENCH_ROWS names:
 *
 *	contender TAB measure TAB unit TAB value
 *
 * one for each round; the n-th line of a contender and a measure belongs to
 * round n.  A program in another language writes such lines itself.
 * bench_report makes medians, spreads and ratios of them, and judges what
 * promises.def promises.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#define SHIPFROM "shipfrom"

/* Appends a line, and ends the process if it cannot.  Without BENCH_ROWS:
 * nothing is written. */
void row(const char *contender, const char *measure, const char *unit,
	 double value);

#endif
