/* SPDX-License-Identifier: Apache-2.0
 *
 * What all schedules of a run share: the compiled rules, and how records look that they understand.
 */
#ifndef LR_TESTS_SIM_REFERENCE_H
#define LR_TESTS_SIM_REFERENCE_H

#include "rules/rules.h"
#include "tests/sim/sim.h"

struct reference {
	const struct model *model; /* NULL for the toy core */
};

/* Compiles the rules of the core that is linked. False after a message. */
bool reference_open(struct reference *ret);
/* A random record for one input topic of a shard; lies in the schedule's arena. */
struct record reference_record(struct sim *sim, int32_t shard, size_t topic);
/* The e-mail of a captured record; empty when it has none. */
struct slice reference_email(const struct record *record);

#endif
