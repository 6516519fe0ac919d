/* SPDX-License-Identifier: MIT
 *
 * analysis.h - what analysers are told of the product that they cannot see.
 *
 * fail() returns the rc that it is given, never OK.  Without this they believe
 * that a call may fail and yet return OK, with its result unset.
 */
#ifndef CHECKS_ANALYSIS_H
#define CHECKS_ANALYSIS_H

#include "base/err.h"

#define fail(e, rc, ...) ((void)fail((e), (rc), __VA_ARGS__), (rc))

#endif
