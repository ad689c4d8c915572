/* SPDX-License-Identifier: Apache-2.0
 *
 * What an expression reads: the paths from its variables, `lead.location.country`, `rep.attributes.skill`. Whoever keeps
 * values for later, or groups what is alike, learns here which ones count.
 */
#ifndef LR_RULES_CEL_PATHS_H
#define LR_RULES_CEL_PATHS_H

#include "rules/cel/conjunct.h"

/* What is asked of a member of a map: whether it is there; whether it is a text, or has it as a list. */
enum cel_asked { CEL_ASKED_PRESENCE, CEL_ASKED_TEXT, CEL_ASKED_LIST };

struct cel_path {
	uint32_t slot;               /* variable */
	uint32_t count;              /* fields behind it; 0: the variable itself */
	uint32_t path[CEL_MAX_PATH]; /* declared field indexes, from the variable outwards */
	uint32_t offset, length;     /* where it stands for the first time */
	struct slice member;         /* of the map at the end, where no more is asked than this; else empty */
	enum cel_asked asked;        /* … of the member */
	struct slice word;           /* … compared with this text; one path for each text */
};

/* Every path once, in the order in which they stand in the text, has(…) included. A path ends where the declared fields
 * end: of a map or a list it is the whole, unless a
 * member of a declared field that is a map is only compared: == or != a text, in a list of texts, a text in it, has(). Deeper than CEL_MAX_PATH fields, it is cut: all below is read. Parts that
 * folding takes away count too. Live with the program. */
const struct cel_path *cel_program_paths(const struct cel_program *program, size_t *ret_count);

#endif
