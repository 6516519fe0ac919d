/* SPDX-License-Identifier: MIT
 *
 * json_private.h - what json_scan.c and json_read.c share: the marks.
 *
 * One pass over the bytes, json_scan(), comes before libcjson.  It holds the
 * limits, and puts a mark in place of what libcjson would change.  Only
 * these two files know the marks.  U+0001 is always followed by a letter that
 * says what stood there:
 *
 *   U+0001 n LITERAL   the whole value is this number literal
 *   U+0001 0           U+0000
 *   U+0001 1           U+0001 itself, so no stranger can write a mark
 *   U+0001 s XXXX      half a surrogate pair, as four hexadecimal digits
 */
#ifndef BASE_JSON_PRIVATE_H
#define BASE_JSON_PRIVATE_H

#include "base/json_read.h"

#define MARK	    '\x01'
#define MARK_NUMBER 'n'
#define MARK_NUL    '0'
#define MARK_ITSELF '1'
#define MARK_HALF   's'

/* Fills *ret with what libcjson is to parse.  RC_INVALID: a limit is passed, or
 * it cannot be JSON.  In both cases the caller releases *ret. */
enum rc json_scan(const char *text, size_t len, enum json_rules rules,
		  struct buf *ret, struct err *e);

/* True if it is a number by JSON's grammar.  *ret_plain: it is an integer that
 * a double holds exactly, and not -0. */
bool json_number(const char *s, size_t len, bool *ret_plain);

static inline bool json_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool json_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
