/* SPDX-License-Identifier: MIT
 *
 * names.h - for `shipfrom doctor`: checks whether the schema of the live Centra
 * has every name that we use (the list is names.def), and whether the token has
 * the permissions.
 *
 * Errors:   in struct call, as for every call.
 * Threads:  one at a time for each connection.
 */
#ifndef CENTRA_NAMES_H
#define CENTRA_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "centra/centra.h"

/* ---- names ---- */

/* What a name or a permission is needed for; bits. */
enum name_use {
	USE_ALWAYS = 0,
	USE_SHIP = 1 << 0, /* ship_with = graphql */
	USE_FEED = 1 << 1, /* source = graphql_events */
	USE_LOCK = 1 << 2, /* lock_orders = yes */
	USE_STOCK = 1 << 3, /* on_hand = yes, or stock_on_reject = yes of one of its
			     * shops */
	USE_RETURNS = 1 << 5, /* returns = yes of one of its shops */
};

enum name_kind { NAME_FIELD, NAME_ARG, NAME_VALUE, NAME_TYPE };

/* A row of names.def. */
struct name_row {
	enum name_kind kind;
	const char *path; /* "" of types */
	const char *names; /* one or more names, with a blank between them */
	unsigned use; /* enum name_use */
};
extern const struct name_row name_rows[];
extern const size_t n_name_rows;

struct names_report {
	struct call call; /* CALL_OK: the schema was read, and the rest is
			   * valid */
	size_t looked_up;
	size_t missing;
	struct buf faults; /* owned: a line for each name that is missing */
};

/* Looks up by introspection all names that are needed always, or for `uses`
 * (bits of enum name_use).  The caller releases ret->faults with
 * buf_release(). */
void names_compare(struct centra_conn *n, unsigned uses,
		   struct names_report *ret);

/* ---- permissions ---- */

struct permission {
	const char *name; /* as Centra names it: "Order:read" */
	const char *what; /* what it is for */
	unsigned use;	  /* enum name_use */
	const char *query; /* a query that needs the permission and changes
			    * nothing; NULL: it cannot be tried */
	const char *list; /* a list in the reply that must not be empty, or
			   * nothing is proven; or NULL */
	const char *needs; /* a second permission that the query needs; or
			    * NULL */
};
extern const struct permission permissions[];
extern const size_t n_permissions;

enum permission_end {
	PERMISSION_GIVEN,
	PERMISSION_MISSING, /* Centra's words are in call->why */
	PERMISSION_EMPTY,   /* Centra shows no row on which it could be tried */
	PERMISSION_UNTRIED, /* there is no query for it: nothing was sent */
	PERMISSION_UNKNOWN, /* the call failed in another way, see call->why */
};
enum permission_end permission_try(struct centra_conn *n,
				   const struct permission *p,
				   struct call *call);

#endif
