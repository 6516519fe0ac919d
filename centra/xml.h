/* SPDX-License-Identifier: MIT
 *
 * xml.h - reads an XML document of a stranger's, element by element.
 *
 * It is the only home of libexpat.  Refused, and then nothing of the document
 * counts: a DOCTYPE, and with it every declaration of an entity, inside or
 * outside of the document; what is not well-formed or not complete; an
 * undeclared prefix; more than XML_DEPTH_MAX levels or XML_ELEMENTS_MAX
 * elements.  No file and no address is ever opened.
 *
 * Memory:   the size of the document, which the caller bounds, and a fixed
 *           amount for each level.
 * Threads:  keeps nothing: any thread.
 * Private to centra/.
 */
#ifndef CENTRA_XML_H
#define CENTRA_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define XML_DEPTH_MAX	 64
#define XML_ELEMENTS_MAX 500000
#define XML_TEXT_MAX	 255 /* bytes of an element's text that are kept */

/* Called at the beginning and at the end of each element.  `name` is the
 * namespace, a blank and the local name; the local name alone if it is in no
 * namespace.  depth: 1 is the root.  `text` is what stands in the element
 * itself, without that of its children and without white space around it; NULL:
 * it is longer than XML_TEXT_MAX.  All are borrowed. */
struct xml_reader {
	void (*open)(void *arg, unsigned depth, const char *name);
	void (*close)(void *arg, unsigned depth, const char *text);
	void *arg;
};

/* Reads a whole document.  RC_INVALID: it was refused; *e says why, without
 * words of the document, and what the reader was given so far must be thrown
 * away. */
enum rc xml_read(const char *data, size_t len, const struct xml_reader *r,
		 struct err *e);

#endif
