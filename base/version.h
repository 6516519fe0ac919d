/* SPDX-License-Identifier: MIT
 *
 * version.h - the version of shipfrom, which is in openapi.yaml too.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SHIPFROM_VERSION "0.1.0"

#endif
