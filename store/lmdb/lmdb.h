/* SPDX-License-Identifier: MIT
 *
 * lmdb.h - the engine for LMDB: a store in a folder, with the URL lmdb:FOLDER.
 */
#ifndef STORE_LMDB_LMDB_H
#define STORE_LMDB_LMDB_H

#include "store/rules/engine.h"

extern const struct engine engine_lmdb;

#endif
