/* SPDX-License-Identifier: MIT
 *
 * plot.h - the figures as a picture.
 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "tests/bench/figures.h"

/* Writes an SVG: for each measure with this unit that two contenders or more
 * have, a bar for each contender, as long as its median, with a line from the
 * least to the most.  Each measure has a scale of its own. */
void plot(FILE *out, const struct figures *f, const char *unit,
	  const char *title);

#endif
