/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean …?": the known word nearest to a mistyped one, by edit distance (insert, delete, replace, swap two
 * neighbours; case counts less). Offer every candidate, then take the best; nothing is suggested that is not near.
 */
#ifndef LR_RULES_BASE_SUGGEST_H
#define LR_RULES_BASE_SUGGEST_H

#include "rules/base/slice.h"

enum { SUGGEST_WORD_BYTES = 64 }; /* longer words get no suggestion */

struct suggest {
	struct slice word;
	struct slice best; /* len 0: none yet */
	unsigned best_distance;
};

struct suggest suggest_for(struct slice word);
/* Candidates are borrowed. On a tie the one offered first stays. */
void suggest_offer(struct suggest *suggest, struct slice candidate);

#endif
