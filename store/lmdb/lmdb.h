/* SPDX-License-Identifier: MIT
 *
 * lmdb.h - a store in a folder: its URL is lmdb:FOLDER.
 */
#ifndef STORE_LMDB_LMDB_H
#define STORE_LMDB_LMDB_H

#include "store/rules/engine.h"

extern const struct engine engine_lmdb;

#endif
