/* SPDX-License-Identifier: MIT
 *
 * soap.h - the SOAP API's queue of events (CONTRACT 9): Events_Get and
 * Events_Done.  No fault of Centra's is published: this one answers HTTP 500
 * with a SOAP 1.1 Fault.
 */
#ifndef SIM_SOAP_H
#define SIM_SOAP_H

#include "tests/sim/exchange.h"

void soap_answer(struct exchange *x);
/* soap_next (the whole body of the next reply), soap_status (its HTTP status;
 * 200), soap_password. */
void soap_settings(const cJSON *spec);
void soap_reset(void);

#endif
