/* SPDX-License-Identifier: MIT
 *
 * journal.c - see journal.h.
 */
#include "store/model/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/model/apply.h"

static const struct {
	const char *name, *about;
	enum audience text_for;
	const char *words;
} facts[FACTS] = {
#define FACT(NAME, name, about, reader, words) \
	[FACT_##NAME] = {name, about, reader, words},
#include "store/model/journal.def"
};

static const struct {
	enum fact fact;
	const char *result, *words;
} results[] = {
#define RESULT(NAME, result, words) {FACT_##NAME, result, words},
#include "store/model/journal.def"
};

const char *fact_name(enum fact f)
{
	return (unsigned)f < FACTS ? facts[f].name : "unknown";
}

enum fact fact_of(const char *name)
{
	int i = 0;

	while (i < FACTS && strcmp(facts[i].name, name) != 0)
		i++;
	return (enum fact)i;
}

const char *entry_about(const struct entry *e)
{
	return e->fact == FACT_TEXT && e->result ? e->result
						 : facts[e->fact].about;
}

/* ---- memory ---- */

/* Returns how many bytes a word takes in a copy's memory. */
static size_t room_of(const char *word)
{
	return word ? strnlen(word, ORDER_TEXT_MAX) + 1 : 0;
}

/* Copies a word to *at, cut between two characters if it is too long; NULL
 * stays NULL. */
static const char *keep(const char *word, char **at)
{
	char *ret = *at, *cut = NULL;
	size_t len;

	if (!word)
		return NULL;
	len = strnlen(word, ORDER_TEXT_MAX + 1);
	if (len > ORDER_TEXT_MAX) {
		cut = text_bounded(word, ORDER_TEXT_MAX);
		len = strlen(cut);
	}
	memcpy(ret, cut ? cut : word, len);
	ret[len] = '\0';
	*at += len + 1;
	free(cut);
	return ret;
}

struct entry entry_copy(const struct entry *e)
{
	struct entry ret = *e;
	size_t room = 1;
	char *at;

#define WORD(name) room += room_of(e->name);
#include "store/model/journal.def"
	ret.memory = at = xcalloc(room, 1);
#define WORD(name) ret.name = keep(e->name, &at);
#include "store/model/journal.def"
	return ret;
}

void entry_release(struct entry *e)
{
	free(e->memory);
	e->memory = NULL;
}

void entry_of_newer(struct entry *e, const char *fact)
{
	e->fact = FACT_TEXT;
	e->result = "text";
	e->text = fact;
}

/* ---- who may see it ---- */

bool entry_visible(const struct entry *e, const int64_t *warehouses, size_t n)
{
	bool ours = !e->warehouse;

	for (size_t i = 0; i < n && !ours; i++)
		ours = warehouses[i] == e->warehouse;
	return ours && !(e->fact == FACT_TEXT &&
			 words_name_another(e->text, warehouses, n));
}

/* Returns how many bytes of an old entry's words, about a call or a look,
 * precede those about HTTP that say how it failed. */
static size_t plain_length(const char *about, const char *text)
{
	const char *end = NULL;

	if (!strcmp(about, "call"))
		end = strstr(text, " (HTTP ");
	else if (!strncmp(text, "could not look", 14))
		end = strchr(text, ':');
	return end ? (size_t)(end - text) : strlen(text);
}

static void shorten_old(struct entry *e)
{
	size_t len = plain_length(entry_about(e), e->text);
	struct entry copy;

	if (!e->text[len])
		return;
	copy = entry_copy(e);
	copy.memory[(size_t)(copy.text - copy.memory) + len] = '\0';
	entry_release(e);
	*e = copy;
}

void entry_for_shop(struct entry *e, const int64_t *warehouses, size_t n)
{
	e->status = 0;
	e->latency_ms = 0;
	if (facts[e->fact].text_for == OFFICE ||
	    words_name_another(e->text, warehouses, n))
		e->text = NULL;
	if (e->fact == FACT_TEXT && e->text)
		shorten_old(e);
}

/* ---- words ---- */

/* Returns the sentence that tells a shop about a state of its own offer. */
static const char *state_sentence(const char *state)
{
	static const char *const sentences[STATES] = {
		[STATE_PENDING] = "offered to this shop",
		[STATE_ACCEPTING] = "accepted here, waiting for Centra",
		[STATE_REJECTING] = "rejected here, telling Centra",
		[STATE_REFUSED] = "Centra refused the answer",
		[STATE_ACCEPTED] = "Centra confirmed: this shop ships it",
		[STATE_REJECTED] = "rejected",
		[STATE_TAKEN] = "another shop took it",
		[STATE_TIMED_OUT] = "the offer ran out",
		[STATE_CANCELLED] = "the order was cancelled",
	};

	for (int i = 0; i < STATES; i++)
		if (!strcmp(state, offer_state_name((enum offer_state)i)))
			return sentences[i];
	return state;
}

static const char *template_of(const struct entry *e)
{
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i].fact == e->fact && e->result &&
		    !strcmp(results[i].result, e->result))
			return results[i].words;
	return facts[e->fact].words;
}

struct telling {
	const struct entry *e;
	const char *shop; /* the name of the warehouse's shop, or NULL */
};

static bool is_name(const char *name, size_t len, const char *of)
{
	return strlen(of) == len && !strncmp(name, of, len);
}

static bool add_warehouse(struct buf *out, const struct telling *t)
{
	buf_fmt(out, "warehouse %" PRId64, t->e->warehouse);
	if (t->shop)
		buf_fmt(out, " (%s)", t->shop);
	return true;
}

static bool add_time(struct buf *out, int64_t at, int offset_min, bool ms)
{
	char iso[TIME_ISO_SIZE];

	if (at)
		buf_str(out, time_iso(iso, at, offset_min, ms));
	return at != 0;
}

/* Adds a field's value.  False: the field is empty. */
static bool add_field(struct buf *out, const struct telling *t,
		      const char *name, size_t len)
{
	const struct entry *e = t->e;

	if (is_name(name, len, "warehouse"))
		return add_warehouse(out, t);
	if (is_name(name, len, "until"))
		return add_time(out, e->until, (int)e->offset_min, false);
	if (is_name(name, len, "received"))
		return add_time(out, e->received, 0, true);
	if (is_name(name, len, "step")) {
		buf_str(out, ship_step_words(e->result ? e->result : ""));
		return true;
	}
#define WORD(field)                                       \
	if (is_name(name, len, #field)) {                 \
		buf_str(out, e->field ? e->field : "");   \
		return e->field && *e->field;             \
	}
#define NUMBER(field)                                     \
	if (is_name(name, len, #field)) {                 \
		buf_fmt(out, "%" PRId64, e->field);       \
		return e->field != 0;                     \
	}
#include "store/model/journal.def"
	return false;
}

/* Adds the words of a template up to its end or a ']'; returns where it
 * stopped.  *ret_whole: no field was empty. */
static const char *add_part(struct buf *out, const struct telling *t,
			    const char *at, bool *ret_whole)
{
	struct buf part;
	const char *end;
	bool whole;

	*ret_whole = true;
	while (*at && *at != ']') {
		if (*at == '{') {
			end = strchr(at, '}');
			*ret_whole &= add_field(out, t, at + 1,
						(size_t)(end - at) - 1);
			at = end + 1;
		} else if (*at == '[') {
			buf_init(&part, ORDER_TEXT_MAX + 1000);
			at = add_part(&part, t, at + 1, &whole) + 1;
			if (whole)
				(void)!buf_add(out, part.data, part.len);
			buf_release(&part);
		} else {
			buf_char(out, *at++);
		}
	}
	return at;
}

bool entry_names_warehouse(const struct entry *e)
{
	return strstr(template_of(e), "{warehouse}") ||
	       (e->fact == FACT_TEXT && e->text &&
		strstr(e->text, "warehouse "));
}

void entry_words(struct buf *out, const struct entry *e, enum audience audience,
		 const char *shop)
{
	const struct telling t = {e, shop};
	bool whole;

	if (audience == SHOP && e->fact == FACT_STATE) {
		buf_str(out, state_sentence(e->to ? e->to : ""));
		return;
	}
	add_part(out, &t, template_of(e), &whole);
}
