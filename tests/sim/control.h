/* SPDX-License-Identifier: MIT
 *
 * control.h - /control: how tests and people steer the stand-in (README.md).
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "tests/sim/exchange.h"

/* x->path is what follows /control. */
void control_answer(struct exchange *x);

#endif
