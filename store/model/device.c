/* SPDX-License-Identifier: MIT
 *
 * device.c - see device.h.
 */
#include "store/model/device.h"

const char *device_kind_name(enum device_kind k)
{
	return k == DEVICE_ORDER_API ? "order_api" : "staff";
}
