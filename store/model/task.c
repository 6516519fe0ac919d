/* SPDX-License-Identifier: MIT
 *
 * task.c - releases tasks and the results of their handlers.
 */
#include "store/model/task.h"

#include <stdlib.h>

void task_release(struct task *t)
{
	free(t->reason);
	t->reason = NULL;
}

bool task_keeps_order(const struct task *t)
{
	return (t->number && t->lane != LANE_LAST) || !t->group;
}

void result_release(struct result *r)
{
	changes_release(&r->changes);
}
