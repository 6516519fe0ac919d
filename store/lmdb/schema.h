/* SPDX-License-Identifier: MIT
 *
 * schema.h - the key and the value of each table.
 *
 * Keys sort by what they mean: integers are big-endian with the sign bit
 * flipped (i64), names are followed by a NUL (str), so that a prefix selects a
 * range.  Values are explicit bytes, never structs: a version byte, then the
 * fields of codec.h in the order shown.  A field is only ever added at the end
 * of a value; a reader takes what is there and leaves the rest at zero.
 *
 *   inst  = str instance        num = i64 order number
 *   wh    = i64 warehouse       seq = u64
 *
 * table        key                                    value
 * ------------ -------------------------------------- -------------------------
 * meta         "schema"                               u32 SCHEMA_VERSION
 *              "next:NAME"                            u64 last number given out
 *              "next:missed_KIND"                     how many such webhooks
 *                                                     were missed
 *              "next:revoked"                         how often a token, session
 *                                                     or device was ended
 *              "secret:INSTANCE"                      secret use (rows.c)
 *              "epoch"                                u64 (epoch.c)
 *              "file"                                 u64 inode i64 made: the
 *                                                     file last served
 *              "backup"                               empty (a backup that was
 *                                                     not opened yet)
 *              "steps"                                u32 steps of migrate.c
 *                                                     that were taken; absent:
 *                                                     none
 *              "restored"                             empty (a backup that a
 *                                                     command has opened, and
 *                                                     that was not served yet)
 *              "renewed"                              i64 ms: when it was last
 *                                                     found to be a copy or a
 *                                                     backup; absent: never
 * events       seq                                    event
 * seen         inst str type str action str date      seq of the event
 *              i64 id 16B digest                      (near in time, near in the table)
 * orders       inst num                               order with its offers
 * details      inst num                               JSON text
 * addresses    inst num                               JSON text; personal data
 * lists        inst wh u8 list i64 expires num        empty (the screens' lists)
 * done         inst wh i64 updated num                empty (list "done" again,
 *                                                     by its last change)
 * journal      inst num seq                           entries, the first of them
 *                                                     with the number seq
 * changes      seq                                    inst num (what changed)
 *                                                     i64 updated (since it is
 *                                                     kept by age)
 * tasks        u64 id                                 task
 * task_names   inst num str kind i64 sub              u64 id
 * due          u8 lane inst u8 group str kind         num (waiting tasks)
 *              i64 due u64 id
 * waiting      inst u8 group                          u64 how many tasks that
 *                                                     call this API wait
 * dead         u64 id                                 empty (dead tasks)
 * quarantine   seq                                    quarantined
 * devices      u64 id                                 device
 * tokens       32B sha256                             u64 device id
 * codes        32B sha256                             u64 device id i64 expires
 * sessions     32B sha256                             u64 device id i64 begun
 * once         u64 device id 32B sha256 of a key      once
 * once_age     i64 at u64 device id 32B sha256        empty (the oldest go)
 * bounded      inst u8 kind seq                       u64 bytes (what is in
 *                                                     quarantine for a while)
 * bounded_seen inst u8 kind 16B digest                seq (of all in quarantine
 *                                                     that has a digest)
 * docs         str kind inst str key                  document
 * doc_lists    str kind inst str list i64 at str key  empty (the lists of
 *                                                     documents)
 * doc_counts   str kind inst str list                 u64 how many documents are
 *                                                     in the list ("": in none)
 *
 * TIME_NONE as `expires` in `lists` is written as the greatest i64, so that
 * offers without a deadline come last; an accepted one with an open problem has
 * the least but one (LISTED_FIRST), so that it comes first.
 */
#ifndef STORE_LMDB_SCHEMA_H
#define STORE_LMDB_SCHEMA_H

/* Raised when older versions could misread what this version writes.  A store
 * with a greater number than this is refused; one with a lesser number is
 * migrated (migrate.c). */
#define SCHEMA_VERSION 2

#define TABLES_MAX 32

#endif
