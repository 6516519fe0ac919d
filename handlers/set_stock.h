/* SPDX-License-Identifier: MIT
 *
 * set_stock.h - the task `set_stock` of a warehouse W (its number is -W): sends
 * the counts that wait to Centra, by setStock.
 *
 * A run makes one call with up to STOCK_SET_MAX counts, the oldest first, and the
 * task runs again until none waits.  The counts of a call are made durable before
 * it, in a document "stock_run": when the outcome of a call is unknown, also
 * after a crash, nothing more is sent for the warehouse until Centra can no
 * longer act on that call; so no older count is ever set after a newer one.
 *
 * One bad count does not keep the others: those whose places a refusal names go
 * apart from then on, and are told as refused once a refusal names all counts of a
 * call; one that names none, and an unknown outcome, halve the batch, down to one
 * count, which is then told as refused or waits for longer.  Counts that go apart
 * and the others take turns.
 *
 * Units that moved since a count was taken (stock_moved()) make it too old: it is
 * not sent.  If they moved while it was sent, it is told as too old as well.
 */
#ifndef HANDLERS_SET_STOCK_H
#define HANDLERS_SET_STOCK_H

#include "handlers/handlers.h"

#define TASK_SET_STOCK "set_stock"

handler_fn handle_set_stock;

#endif
