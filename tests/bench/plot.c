/* SPDX-License-Identifier: MIT */
#include "tests/bench/plot.h"

#include <string.h>

#include "tests/bench/rows.h"

#define WIDTH  860
#define LEFT   290 /* of the bars */
#define LONG   450 /* px, the longest bar */
#define LINE   22  /* px a bar */
#define HEAD   30  /* px above the bars of a measure */
#define MARGIN 14

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else
			fputc(*text, out);
	}
}

/* True if the i-th series is the first of its measure. */
static bool begins(const struct figures *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(f->all[k].measure, f->all[i].measure))
			return false;
	return true;
}

/* True if the i-th series is in the picture: its measure has the unit, and
 * another contender to be compared with. */
static bool is_drawn(const struct figures *f, size_t i, const char *unit)
{
	size_t contenders = 0;

	for (size_t k = 0; k < f->n; k++)
		contenders += !strcmp(f->all[k].measure, f->all[i].measure);
	return contenders > 1 && !strcmp(f->all[i].unit, unit);
}

static double greatest(const struct figures *f, const char *measure)
{
	double most = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct spread s;

		if (strcmp(f->all[i].measure, measure))
			continue;
		s = spread_of(f->all[i].values, f->all[i].n);
		most = s.most > most ? s.most : most;
	}
	return most > 0 ? most : 1;
}

static void put_number(FILE *out, double x)
{
	long whole = (long)(x + 0.5);

	if (whole >= 1000)
		fprintf(out, "%ld,%03ld", whole / 1000, whole % 1000);
	else
		fprintf(out, x < 100 ? "%.2f" : "%.0f", x);
}

static void bar(FILE *out, const struct series *s, double scale, int y)
{
	struct spread v = spread_of(s->values, s->n);
	bool ours = !strcmp(s->contender, SHIPFROM);
	const int middle = y + LINE / 2;

	fprintf(out, "<text x='%d' y='%d' text-anchor='end'>", LEFT - 8,
		middle + 4);
	put_text(out, s->contender);
	fprintf(out,
		"</text><rect x='%d' y='%d' width='%.1f' height='%d' "
		"fill='%s'/>",
		LEFT, y + 3, v.median * scale, LINE - 6,
		ours ? "#0b6e4f" : "#9fb3c8");
	fprintf(out,
		"<path d='M%.1f %d H%.1f M%.1f %d v8 M%.1f %d v8' "
		"stroke='#222' fill='none'/>",
		LEFT + v.least * scale, middle, LEFT + v.most * scale,
		LEFT + v.least * scale, middle - 4, LEFT + v.most * scale,
		middle - 4);
	fprintf(out, "<text x='%.1f' y='%d'>", LEFT + v.most * scale + 6,
		middle + 4);
	put_number(out, v.median);
	fputs("</text>\n", out);
}

/* Draws a measure with a bar for each contender, from y on; returns the y below
 * it. */
static int panel(FILE *out, const struct figures *f, const char *measure,
		 int y)
{
	const double scale = LONG / greatest(f, measure);

	fprintf(out, "<text x='%d' y='%d' font-weight='bold'>", MARGIN,
		y + HEAD - 8);
	put_text(out, measure);
	fputs("</text>\n", out);
	y += HEAD;
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->all[i].measure, measure))
			continue;
		bar(out, &f->all[i], scale, y);
		y += LINE;
	}
	return y;
}

void plot(FILE *out, const struct figures *f, const char *unit,
	  const char *title)
{
	int height = HEAD + 2 * MARGIN, y = HEAD;

	for (size_t i = 0; i < f->n; i++)
		if (is_drawn(f, i, unit))
			height += LINE + begins(f, i) * HEAD;
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' "
		"height='%d' font-family='sans-serif' font-size='13'>\n"
		"<rect width='100%%' height='100%%' fill='#fff'/>\n"
		"<text x='%d' y='%d' font-size='16'>",
		WIDTH, height, MARGIN, HEAD - 6);
	put_text(out, title);
	fputs("</text>\n", out);
	for (size_t i = 0; i < f->n; i++)
		if (is_drawn(f, i, unit) && begins(f, i))
			y = panel(out, f, f->all[i].measure, y);
	fputs("</svg>\n", out);
}
