/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixed order of stages (semantics.md 2.4), echoed in every decision. The first two run in rules_prepare(), before
 * anything is read; plug-ins answer between the two halves and their answers enter at `enrich`.
 */
#ifndef LR_RULES_STAGES_H
#define LR_RULES_STAGES_H

#define PREPARE_STAGES(X) \
	X(validate)       \
	X(cleanse)

#define DECIDE_STAGES(X) \
	X(dedup)         \
	X(enrich)        \
	X(score)         \
	X(owner_match)   \
	X(rules)         \
	X(pool)          \
	X(choose)        \
	X(followup)

#define ALL_STAGES(X)     \
	PREPARE_STAGES(X) \
	DECIDE_STAGES(X)

enum stage {
#define X(name) STAGE_##name,
	ALL_STAGES(X)
#undef X
};

/* What a stage says: go on, or the outcome is known. */
enum step { STEP_NEXT, STEP_DONE };

#endif
