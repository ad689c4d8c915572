/* SPDX-License-Identifier: Apache-2.0
 *
 * How leads are decided while something that decisions rest on is not as it should be (semantics.md 2.13): section
 * `degraded`. Each mode is stated there, and a decision that was taken in one says so: "degraded": true, with its causes.
 *
 *     Redis is down           stop: nothing is taken until it is back. There is no other mode: law 4 of design.md, every read
 *                             proves that it is current, and a decision that could not read would be a guess
 *     the roster is silent    nobody of a team was heard of within its stale_after: they count as not there, and the
 *                             team's `nobody` says what happens (a wait is a stop); or the last word of each stands
 *     intake lags             the record is older than `after` when it is decided: all goes on; or leads of some grades are
 *                             left to people instead of taking the reps' time now
 *
 * Lag is the time of decision less the record's timestamp in Kafka: both are input, so a replay decides the same.
 */
#ifndef LR_RULES_DEGRADED_H
#define LR_RULES_DEGRADED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct json_writer;
struct model;
struct model_builder;
struct work;

enum { DEGRADED_GRADES_MAX = 26 };

/* Why a lead that was shed belongs to nobody. */
#define DEGRADED_REASON "intake_lag"

struct degraded_rules {
	bool is_last_word;     /* of a silent roster: the last word of each stands */
	int64_t lag_ms;        /* more is lag; 0: never */
	const struct slice *grades; /* those that are shed then; none: all goes on */
	size_t grade_count;
	struct slice queue;    /* where people find those that were shed; may be empty */
};

/* Those of the model, or what holds without the section. */
const struct degraded_rules *degraded_rules(const struct model *model);
void model_build_degraded(struct model_builder *builder);

/* Is the lead late, and of a grade that is shed then? To be asked before a pool is. */
bool degraded_is_shed(const struct work *work);
/* "degraded", its causes and what belongs to them, of the decision so far; nothing when all was as it should be. */
void degraded_put(struct json_writer *writer, const struct work *work);

#endif
