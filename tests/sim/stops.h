/* SPDX-License-Identifier: Apache-2.0
 *
 * Directed schedules: what must stop a shard.
 */
#ifndef LR_TESTS_SIM_STOPS_H
#define LR_TESTS_SIM_STOPS_H

#include "tests/sim/reference.h"

/* Each case under so many seeds. Prints a line per failure and the verdict; the exit code. */
int stops_run(const struct reference *reference, uint64_t seeds);

#endif
