/* SPDX-License-Identifier: MIT
 *
 * names.h - sizes of the names that the config gives to instances and shops,
 * and that the store keeps.  The sizes include the NUL.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#define INSTANCE_SIZE 33 /* an instance's name: [a-z0-9_-]{1,32} */
#define SHOP_SIZE     65 /* a shop's name in its section [shop NAME]; staff know
			  * it by another */

#endif
