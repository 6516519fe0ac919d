/* SPDX-License-Identifier: MIT
 *
 * shape.h - the shape of JSON: its fields and their types, without their
 * values; and the shapes that the answers of a story had.
 */
#ifndef TESTS_WMS_SHAPE_H
#define TESTS_WMS_SHAPE_H

#include <cjson/cJSON.h>
#include <stddef.h>

/* Lines of "path type", sorted, none twice: "shipments[].paid number".  A
 * path of an array's members is the same for all of them.  Owned; free(). */
char *shape_of(const cJSON *v);

#define SHAPES_MAX 64
struct shapes {
	struct {
		char step[48];
		char *shape; /* owned */
	} rows[SHAPES_MAX];
	size_t n;
};

/* Keeps the shape of the answer to a step; of a step that comes again, the
 * fields of all its answers. */
void shapes_note(struct shapes *s, const char *step, const cJSON *answer);
/* Fails the test unless both have the same steps, and each the same shape.  What
 * an array holds is compared where neither is empty. */
void shapes_compare(const struct shapes *a, const struct shapes *b);
void shapes_release(struct shapes *s);

#endif
