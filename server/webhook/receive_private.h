/* SPDX-License-Identifier: MIT
 *
 * receive_private.h - the receiver's parts, for the files of this room.
 */
#ifndef SERVER_WEBHOOK_RECEIVE_PRIVATE_H
#define SERVER_WEBHOOK_RECEIVE_PRIVATE_H

#include "server/webhook/receive.h"
#include "server/webhook/unverified.h"
#include "server/webhook/verifiers.h"

#define LINES_A_MINUTE 20 /* lines of the log for one kind of trouble; metrics
			   * count all */

struct receiver {
	struct receiver_parts its;
	struct verifiers *verifiers;   /* owned */
	struct unverified *unverified; /* owned */
};

#endif
