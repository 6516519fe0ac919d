/* SPDX-License-Identifier: MIT
 *
 * journal_old.c - entries that stores of schema 1 kept as English.
 *
 * They stay on disk as they are and are read here, at each reading.  A shop
 * must not see more of them than it did when they were written, so the rule of
 * that time, which reads the words, is kept for them and for them alone; a
 * translation that misjudged one sentence would show it to another shop for
 * good.  Reports need two kinds: changes of state and answers.  Both are
 * recognised by the word that was stored beside the sentence and by all of the
 * sentence.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "store/model/journal.h"
#include "store/model/offer.h"

static bool is_among(const int64_t *list, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

bool words_name_another(const char *words, const int64_t *warehouses, size_t n)
{
	const char *at = words;

	while (at && (at = strstr(at, "warehouse"))) {
		at += strlen("warehouse");
		at += *at == 's';
		while (*at && strchr(" ,:=#'", *at)) {
			int64_t id;

			at++;
			if (!strncmp(at, "and ", 4))
				at += 3;
			if (!isdigit((unsigned char)*at))
				continue;
			if (!number_begin(&at, INT64_MAX, &id) ||
			    !is_among(warehouses, n, id))
				return true;
		}
	}
	return false;
}

/* Returns the constant name of the state with this name; NULL: there is no such
 * state. */
static const char *state_named(const char *name, size_t len)
{
	for (int i = 0; i < STATES; i++) {
		const char *known = offer_state_name((enum offer_state)i);

		if (strlen(known) == len && !strncmp(known, name, len))
			return known;
	}
	return NULL;
}

/* Reads "pending", or "pending -> accepted". */
static void read_state(struct entry *e, const char *text)
{
	static const char arrow[] = " -> ";
	const char *at = strstr(text, arrow);
	const char *to = at ? at + strlen(arrow) : text;
	const char *from = at ? state_named(text, (size_t)(at - text)) : NULL;

	if (!state_named(to, strlen(to)) || (at && !from))
		return;
	e->fact = FACT_STATE;
	e->from = from;
	e->to = state_named(to, strlen(to));
	e->result = e->text = NULL;
}

/* Reads "accepted by NAME", or "rejected by NAME: reason".  A name may contain
 * a colon. */
static void read_answer(struct entry *e, const char *text)
{
	static const char *const begins[] = {"accepted by ", "rejected by "};

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(text, begins[i], strlen(begins[i])) != 0)
			continue;
		e->fact = FACT_ANSWERED;
		e->result = i ? "reject" : "accept";
		e->by = text + strlen(begins[i]);
		e->text = NULL;
	}
}

void entry_of_old(struct entry *ret, const char *what, const char *text)
{
	ret->fact = FACT_TEXT;
	ret->result = what;
	ret->text = *text ? text : what;
	if (!strcmp(what, "state"))
		read_state(ret, text);
	else if (!strcmp(what, "answer") && ret->device)
		read_answer(ret, text);
}
