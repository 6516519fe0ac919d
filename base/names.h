/* SPDX-License-Identifier: MIT
 *
 * names.h - how long the names are that the config gives to instances and shops,
 * and that the store keeps.  The sizes include the NUL.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#define INSTANCE_SIZE 33 /* an instance's name: [a-z0-9_-]{1,32} */
#define SHOP_SIZE     65 /* a shop's name in the config, not as staff know it */

#endif
