/* SPDX-License-Identifier: Apache-2.0
 *
 * One evaluation while it goes on: what functions and code nodes may ask of it.
 */
#ifndef LR_RULES_CEL_RUN_H
#define LR_RULES_CEL_RUN_H

#include "rules/cel/issue.h"
#include "rules/cel/value.h"

struct cel_run {
	const struct cel_value *slots;
	struct arena *arena;
	uint64_t steps_left;
	bool is_exhausted; /* steps ran out: whatever absorbs errors, the result is ERR_CEL_STEPS */
	struct extent at;    /* of the call that runs, for errors */
	struct cel_value locals[CEL_MAX_LOCALS];
};

/* Takes steps; false when there are not as many left. Then run_exhausted() is the value to give. */
bool run_spend(struct cel_run *run, uint64_t steps);
struct cel_value run_exhausted(struct cel_run *run);
/* A buffer for a string or bytes that is being built, or NULL with *ret_error set (too long, or no steps left). */
char *run_bytes(struct cel_run *run, size_t size, struct cel_value *ret_error);
/* cel_list_of and cel_map_of, with the limit on weight; steps for the items are spent. */
struct cel_value run_list(struct cel_run *run, const struct cel_value *items, size_t count);
struct cel_value run_map(struct cel_run *run, const struct cel_entry *entries, size_t count);
/* optional.of(value) */
struct cel_value run_some(struct cel_run *run, struct cel_value value);
/* a == b, spending steps for large values. */
struct cel_value run_equal(struct cel_run *run, struct cel_value a, struct cel_value b);
/* "no such overload": `what` is the operator or function. */
struct cel_value run_no_overload(struct cel_run *run, struct slice what, const struct cel_value *args, size_t count);

#endif
