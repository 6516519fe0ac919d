/* SPDX-License-Identifier: MIT
 *
 * stage.h - where the story of a warehouse system takes place: Centra's own
 * Order API (the stand-in), or a shop's own at shipfrom's /order-api/{shop}/,
 * with the same Centra behind it.
 *
 * A failure in here ends the test, so only the test's own thread may call.
 */
#ifndef TESTS_WMS_STAGE_H
#define TESTS_WMS_STAGE_H

#include "tests/harness/shipfrom.h"
#include "tests/wms/client.h"
#include "tests/wms/shape.h"

#define WAREHOUSE	5 /* of the shop whose system it is, Rotterdam */
#define OTHER_WAREHOUSE 6 /* of another shop with such a system, Utrecht */

struct stage {
	struct shipfrom *s;
	struct sim *centra;
	struct wms wms;
	bool shipfrom;	       /* shipfrom answers */
	char token[128];       /* of a device of the shop; "": Centra answers */
	struct shapes *shapes; /* of what it answers */
};

/* The stand-in answers as Centra; it makes a shipment of each accepted order by
 * itself. */
struct stage stage_centra(struct shapes *shapes);

/* The shop's own Order API answers.  `makes_shipments`: Centra makes them by
 * itself, so that shipfrom takes what is there. */
struct stage stage_shipfrom(struct shapes *shapes, bool makes_shipments);

/* `device add` with these options for a shop, as "--order-api" (NULL: none): the
 * token. */
void stage_device(struct shipfrom *s, const char *shop, const char *option,
		  char ret[128]);

/* Places an order for the warehouse: two units of one size, whose EAN is in
 * `ean` unless that is NULL, and one of another.  Its number, once whoever
 * answers knows the offer. */
int64_t stage_offered(struct stage *t, const char *ean);
/* The same, accepted by the client, and good to go. */
struct wms_shipment stage_accepted(struct stage *t, const char *ean,
				   int64_t *ret_number);

/* Until the shop of this device sees the order pending; fails the test after
 * `ms`. */
void stage_sees(struct shipfrom *s, const char *token, int64_t number, int ms);

/* What Centra has of the order's shipments. */
struct ends {
	char status[16]; /* of the order */
	int shipments, captures, completions, units;
	char tracking[32]; /* of the last */
};
struct ends stage_ends(struct stage *t, int64_t number);
/* Until Centra has completed so many of its shipments; fails the test after
 * `ms`. */
struct ends stage_completed(struct stage *t, int64_t number, int completions,
			    int ms);

/* Keeps the answer's shape as that of the step. */
void stage_note(struct stage *t, const char *step, const struct answer *a);

#endif
