/* SPDX-License-Identifier: Apache-2.0
 *
 * What was won and lost teaches how likely a new lead is to be won: the tables of bayes.h in the memory of the shard.
 *
 *     mem/odds/<group>/                 outcomes of the group: [won, lost, groups]      group "*": all of them
 *     mem/odds/<group>/<field>          sums of a field, rows: [won, lost, rows]
 *     mem/odds/<group>/<field>/=<value> one row: [won, lost, groups]
 *
 * A lead teaches once, when it is won (converted) or lost (lost, invalid), and its lesson is taken back when it is opened
 * again: its state says to which group ("taught") and what it taught ("lesson"), so a repeat or a restart counts nothing
 * twice, and what is taken back is what was taught, whatever has become of the lead or the configuration since. What it
 * teaches are its kept fields (rules/kept.h), so nothing of a person gets into a table.
 */
#ifndef LR_RULES_LIKELIHOOD_H
#define LR_RULES_LIKELIHOOD_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/bayes.h"
#include "rules/base/slice.h"

struct json_writer;
struct schema_row;
struct work;

struct likelihood_plan {
	struct bayes_plan bayes;
	const struct schema_row *const *fields;
	size_t field_count;
	const struct slice *stages;             /* names of states, or of stages of the site, from the first on; count 0: the stage says nothing */
	size_t stage_count;
	bool is_by_team;
	const struct schema_row *group;         /* one table per value of this field; NULL: by team, or one table */
};

/* After anything that changed work->state: learns, or takes a lesson back. */
void likelihood_happened(struct work *work);
/* "likelihood": how likely, out of which table, and what speaks for and against. Nothing without a plan or before both
 * outcomes were seen. */
void likelihood_put(struct json_writer *writer, struct work *work);

#endif
