/* SPDX-License-Identifier: Apache-2.0
 *
 * What an expression reads: the paths from its variables, `lead.location.country`, `rep.attributes.skill`. Whoever keeps
 * values for later, or groups what is alike, learns here which ones count.
 */
#ifndef LR_RULES_CEL_PATHS_H
#define LR_RULES_CEL_PATHS_H

#include "rules/cel/conjunct.h"

struct cel_path {
	uint32_t slot;               /* variable */
	uint32_t count;              /* fields behind it; 0: the variable itself */
	uint32_t path[CEL_MAX_PATH]; /* declared field indexes, from the variable outwards */
	uint32_t offset, length;     /* where it stands for the first time */
};

/* Every path once, in the order in which they stand in the text, has(…) included. A path ends where the declared fields
 * end: of a map or a list it is the whole. Deeper than CEL_MAX_PATH fields, it is cut: all below is read. Parts that
 * folding takes away count too. Live with the program. */
const struct cel_path *cel_program_paths(const struct cel_program *program, size_t *ret_count);

#endif
