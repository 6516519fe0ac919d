/* SPDX-License-Identifier: MIT
 *
 * stock_file.c - see stock_file.h.
 */
#include "server/shop/stock_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "server/shop/stocktake.h"

#define FIELDS_MAX 64 /* of a line */

enum column { EAN, SKU, QUANTITY, COUNTED_AT, COLUMNS };

struct reading {
	struct stock_file *file;
	stock_mistake_fn *tell;
	void *arg;
	int64_t now;
	char separator;
	int at[COLUMNS]; /* the place of each column; -1: there is none */
	size_t columns;
	unsigned line;
	size_t mistakes, cap;
};

static void mistake(struct reading *r, const char *what)
{
	r->mistakes++;
	r->tell(r->arg, r->line, what);
}

/* ---- lines and fields ---- */

static char *trim(char *s)
{
	size_t n;

	while (*s == ' ')
		s++;
	n = strlen(s);
	while (n && s[n - 1] == ' ')
		s[--n] = '\0';
	return s;
}

/* Ends the field in quotes that begins at `s` with a NUL; *ret: the field without
 * them, *at: the rest of the line, or NULL.  Returns what is wrong with it, or
 * NULL. */
static const char *quoted_field(char *s, char separator, char **ret, char **at)
{
	char *to = s, *from = s + 1;

	*ret = s;
	for (; *from && (*from != '"' || from[1] == '"'); from++) {
		from += *from == '"';
		*to++ = *from;
	}
	if (!*from)
		return "a quote is not closed on its line";
	from++;
	from += strspn(from, " ");
	if (*from && *from != separator)
		return "text follows the closing quote";
	*at = *from ? from + 1 : NULL;
	*to = '\0';
	*ret = trim(*ret);
	return NULL;
}

/* As quoted_field(), for any field. */
static const char *next_field(char *s, char separator, char **ret, char **at)
{
	s += strspn(s, " ");
	if (*s == '"')
		return quoted_field(s, separator, ret, at);
	*at = strchr(s, separator);
	if (*at)
		*(*at)++ = '\0';
	*ret = trim(s);
	return strchr(s, '"') ? "a quote stands inside a field that is not in "
				"quotes"
			      : NULL;
}

static const char *const names[COLUMNS] = {"ean", "sku", "quantity",
					   "counted_at"};

/* Tells of a mistake in the i-th field of the line, by the name of its column. */
static void field_mistake(struct reading *r, size_t i, const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), "column %zu: %s", i + 1, what);
	for (int c = 0; c < COLUMNS; c++)
		if (r->at[c] == (int)i)
			snprintf(text, sizeof(text), "column %zu, '%s': %s",
				 i + 1, names[c], what);
	mistake(r, text);
}

/* Splits the line into its *n fields.  False: a mistake was told. */
static bool split(struct reading *r, char *line, char *ret[FIELDS_MAX],
		  size_t *n)
{
	const char *wrong = NULL;

	*n = 0;
	for (char *at = line; at && *n < FIELDS_MAX && !wrong;) {
		wrong = next_field(at, r->separator, &ret[*n], &at);
		if (wrong)
			field_mistake(r, *n, wrong);
		++*n;
	}
	return !wrong;
}

/* Ends the line at *at with a NUL, moves *at to the next, and returns it; NULL:
 * there are no more.  A line ends with LF, CR or both. */
static char *next_line(char **at)
{
	char *line = *at, *end;

	if (!line || !*line)
		return NULL;
	end = line + strcspn(line, "\r\n");
	*at = *end ? end + 1 + (end[0] == '\r' && end[1] == '\n') : NULL;
	*end = '\0';
	return line;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t,;\r")] == '\0';
}

/* ---- what they mean ---- */

/* False: two columns have one name; a mistake was told. */
static bool name_columns(struct reading *r, char *const *fields, size_t n)
{
	r->columns = n;
	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < COLUMNS; c++) {
			if (strcasecmp(fields[i], names[c]) != 0)
				continue;
			if (r->at[c] >= 0) {
				field_mistake(r, (size_t)r->at[c],
					      "two columns have this name");
				return false;
			}
			r->at[c] = (int)i;
		}
	return true;
}

/* True if the line is a count and names no columns. */
static bool is_count(char *const *fields, size_t n)
{
	int64_t number;

	return n == 2 && number_read(fields[0], 0, INT64_MAX, &number) &&
	       number_read(fields[1], 0, INT64_MAX, &number);
}

static const char *field(const struct reading *r, char *const *fields,
			 size_t n, enum column c)
{
	return r->at[c] >= 0 && (size_t)r->at[c] < n ? fields[r->at[c]] : "";
}

static void keep(struct reading *r, const struct stock_count *c)
{
	struct stock_file *f = r->file;

	if (f->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 256;
		f->list = xrealloc(f->list, r->cap, sizeof(*f->list));
		f->lines = xrealloc(f->lines, r->cap, sizeof(*f->lines));
	}
	f->lines[f->n] = r->line;
	f->list[f->n++] = *c;
}

/* Reads when the items of a line were counted.  False: it is no time, or not
 * yet; a mistake was told. */
static bool read_time(struct reading *r, const char *text, int64_t *ret)
{
	int offset;

	*ret = r->now;
	if (!*text)
		return true;
	if (time_parse_iso(text, ret, &offset)) {
		mistake(r, "'counted_at' is a time such as "
			   "2026-11-30T17:45:00+01:00");
		return false;
	}
	if (*ret > r->now + STOCK_AHEAD) {
		mistake(r, "'counted_at' is in the future");
		return false;
	}
	if (*ret > r->now)
		*ret = r->now;
	return true;
}

/* True if a spreadsheet has saved a number as 5.90114E+12: the digits that it
 * left out are lost. */
static bool is_rounded(const char *code)
{
	size_t n = strspn(code, "0123456789.,");

	return n && (code[n] == 'E' || code[n] == 'e') && code[n + 1] == '+' &&
	       code[n + 2] && !code[n + 2 + strspn(code + n + 2, "0123456789")];
}

/* True if fields that are not empty follow the last column: one of the fields
 * before has a separator in it, and what is behind it stands in a wrong column. */
static bool has_more(const struct reading *r, char *const *fields, size_t n)
{
	while (n > r->columns && !*fields[n - 1])
		n--;
	return n > r->columns;
}

static void read_count(struct reading *r, char *const *fields, size_t n)
{
	const char *ean = field(r, fields, n, EAN);
	const char *sku = field(r, fields, n, SKU);
	struct stock_count c = {.code = *ean ? ean : sku, .by_sku = !*ean};

	if (has_more(r, fields, n)) {
		mistake(r, "it has more fields than the first line: a field "
			   "with a separator in it stands in quotes");
		return;
	}
	if (is_rounded(ean)) {
		mistake(r, "a spreadsheet has rounded 'ean': save that column "
			   "as text");
		return;
	}
	if (!stock_code_ok(c.code)) {
		mistake(r, "it names no item: an EAN or a SKU has 1 to 64 "
			   "characters");
		return;
	}
	if (!number_read(field(r, fields, n, QUANTITY), 0, STOCK_QUANTITY_MAX,
			 &c.quantity)) {
		mistake(r, "'quantity' is a whole number from 0 to 1000000: "
			   "how many lie there");
		return;
	}
	if (read_time(r, field(r, fields, n, COUNTED_AT), &c.counted_at))
		keep(r, &c);
}

/* Reads the first line: the columns, or a count.  False: neither. */
static bool read_first(struct reading *r, char *line)
{
	char *fields[FIELDS_MAX];
	size_t n;

	r->separator = strchr(line, '\t')  ? '\t'
		       : strchr(line, ';') ? ';'
					   : ',';
	if (!split(r, line, fields, &n))
		return false;
	if (is_count(fields, n)) {
		r->at[EAN] = 0;
		r->at[QUANTITY] = 1;
		r->columns = n;
		read_count(r, fields, n);
		return true;
	}
	if (!name_columns(r, fields, n))
		return false;
	if ((r->at[EAN] >= 0 || r->at[SKU] >= 0) && r->at[QUANTITY] >= 0)
		return true;
	mistake(r, "the first line names the columns: ean or sku, and "
		   "quantity");
	return false;
}

static int by_code(const void *a, const void *b)
{
	const struct stock_count *x = *(const struct stock_count *const *)a;
	const struct stock_count *y = *(const struct stock_count *const *)b;
	int ret = x->by_sku != y->by_sku ? x->by_sku - y->by_sku
					 : strcmp(x->code, y->code);

	return ret ? ret : (x > y) - (x < y);
}

/* Tells of each item that is counted twice. */
static void find_repeats(struct reading *r)
{
	const struct stock_file *f = r->file;
	const struct stock_count **sorted = xcalloc(f->n + 1,
						    sizeof(*sorted));
	char text[80];

	for (size_t i = 0; i < f->n; i++)
		sorted[i] = &f->list[i];
	if (f->n)
		qsort(sorted, f->n, sizeof(*sorted), by_code);
	for (size_t i = 1; i < f->n; i++) {
		if (sorted[i]->by_sku != sorted[i - 1]->by_sku ||
		    strcmp(sorted[i]->code, sorted[i - 1]->code) != 0)
			continue;
		r->line = f->lines[sorted[i] - f->list];
		snprintf(text, sizeof(text),
			 "line %u counts the same item already",
			 f->lines[sorted[i - 1] - f->list]);
		mistake(r, text);
	}
	free(sorted);
}

size_t stock_file_read(struct stock_file *ret, char *text, int64_t now,
		       stock_mistake_fn *tell, void *arg)
{
	struct reading r = {.file = ret,
			    .tell = tell,
			    .arg = arg,
			    .now = now,
			    .at = {-1, -1, -1, -1}};
	char *at = text, *line, *fields[FIELDS_MAX];
	bool first = true;
	size_t n;

	*ret = (struct stock_file){.text = text};
	if (!strncmp(text, "\xef\xbb\xbf", 3))
		at += 3;
	while ((line = next_line(&at))) {
		r.line++;
		if (is_blank(line))
			continue;
		if (first && !read_first(&r, line))
			return r.mistakes;
		if (!first && split(&r, line, fields, &n))
			read_count(&r, fields, n);
		first = false;
		if (ret->n > STOCK_FILE_LINES) {
			mistake(&r, "the file has more than 200000 counts");
			return r.mistakes;
		}
	}
	if (!ret->n && !r.mistakes)
		mistake(&r, "there is no count in the file");
	find_repeats(&r);
	return r.mistakes;
}

void stock_file_release(struct stock_file *f)
{
	free(f->list);
	free(f->lines);
	free(f->text);
	*f = (struct stock_file){0};
}
