/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration as a tree of text, every node with its place in the file. Scalars stay text: what a value means is
 * decided by the key that asks for it, so `country: NO` is Norway and `version: 1.10` keeps its zero.
 *
 * A scalar remembers how its decoded text came out of the source (quotes, escapes, folded lines, block indentation), so
 * that an error in the middle of an expression points at its character in the YAML file:
 *
 *     source   when: "lead.name == \"Zo\u00eb\""      pieces  decoded 0..14 <- source 1..15   letters for letters
 *     decoded        lead.name == "Zoë"                       decoded 13    <- source \"      one for two …
 *
 * Readers put what is wrong into `diags` and say whether they succeeded, so that a caller can go on and find more.
 */
#ifndef LR_RULES_JSON_TREE_H
#define LR_RULES_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/base/source.h"

struct diag;
struct diags;

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };
enum node_style { NODE_PLAIN, NODE_QUOTED, NODE_BLOCK };

/* decoded[decoded, decoded + decoded_len) came from source[source, source + source_len). Of equal lengths: byte by byte. */
struct node_piece {
	size_t decoded, decoded_len, source, source_len;
};

struct node_member {
	const struct node *key; /* a scalar */
	const struct node *value;
};

struct node {
	enum node_kind kind;
	enum node_style style;        /* of a scalar */
	struct source_span span;      /* a scalar: its text without quotes; a collection: where it begins */
	struct slice text;            /* of a scalar, decoded */
	const struct node_piece *pieces;
	size_t piece_count;
	const struct node *const *items;   /* of a sequence */
	const struct node_member *members; /* of a mapping, in file order; no name twice */
	size_t count;                      /* of items or members */
};

/* ---- looking */

/* "a mapping", "a list", "text", "nothing". */
const char *node_kind_name(const struct node *node);
/* A key with nothing behind it (YAML's null, also written ~ or null). */
bool node_is_empty(const struct node *node);
/* The value of a key, or NULL (also when `mapping` is NULL or no mapping). */
const struct node *node_get(const struct node *mapping, const char *name);
const struct node_member *node_find(const struct node *mapping, struct slice name);
/* Where bytes [offset, offset+len) of the decoded text lie in the file. At least the place of the next character. */
struct source_span node_span_in(const struct node *scalar, size_t offset, size_t len);
/* Path and line for `struct place`. */
const char *node_path(const struct node *node);
unsigned node_line(const struct node *node);

/* ---- reading; false: an error was added */

bool node_expect_mapping(const struct node *node, const char *what, struct diags *diags);
bool node_expect_sequence(const struct node *node, const char *what, struct diags *diags);
/* Every key of the mapping must be one of `known` (NULL behind the last). */
bool node_check_keys(const struct node *mapping, const char *const *known, const char *what, struct diags *diags);
/* The value of a key that must be there. */
const struct node *node_require(const struct node *mapping, const char *name, const char *what, struct diags *diags);
/* Any scalar but an empty one. */
bool node_read_text(const struct node *node, const char *what, struct diags *diags, struct slice *ret_text);
/* Whole number, unquoted, decimal, no leading zero. */
bool node_read_int(const struct node *node, const char *what, int64_t least, int64_t most, struct diags *diags,
                   int64_t *ret_number);
/* true or false, unquoted. */
bool node_read_bool(const struct node *node, const char *what, struct diags *diags, bool *ret_bool);

#endif
