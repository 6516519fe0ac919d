/* SPDX-License-Identifier: MIT
 *
 * version.h - which shipfrom this is; openapi.yaml says the same.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SHIPFROM_VERSION "0.1.0"

#endif
