/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of plug-ins about one lead, for rules and scores: facts["geo.country"].
 */
#ifndef LR_RULES_FACTS_H
#define LR_RULES_FACTS_H

#include <stddef.h>

#include "rules/cel/value.h"

enum { FACTS_MAX = 32, FACT_NAME_BYTES_MAX = 64, FACT_TEXT_BYTES_MAX = 1024 };

struct facts {
	struct cel_entry entries[FACTS_MAX];
	size_t count;
};

#endif
