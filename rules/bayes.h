/* SPDX-License-Identifier: Apache-2.0
 *
 * How likely is it that this lead is won? Naive Bayes over what was won and lost before (semantics.md 2.8, S1-CHANNEL).
 *
 * Learning counts, nothing else: per group (a team, a source, …) and field, how many leads with a value were won and how
 * many lost. One outcome is counted once and taken back when the lead is opened again. The stage is a field of its own: a
 * won lead counts in all stages, a lost one in those up to where it ended.
 *
 * Evaluating adds the smoothing constant to each row that exists and sums logarithms of the odds, in integers (fixed.h):
 *
 *     odds = W / L * product over fields of (won(value) / won(field)) / (lost(value) / lost(field))
 *     P = odds / (1 + odds), held between 0.01 % and 99.99 %
 *
 * where won(field) is the sum over its values; for the stage it is W. W and L are the counts of the first stage, else of
 * the group. A value that was never seen contributes nothing and is listed. A group without both outcomes is not asked: the
 * table of all groups is, chosen for each lead anew.
 *
 * With smoothing 0.1 this is Odoo's predictive lead scoring (addons/crm, _pls_get_naive_bayes_probabilities): its own test's
 * figures are in tests/unit/test_bayes.c. In Odoo the table of all groups sums rows that were smoothed group by group;
 * so does ours, which is why its rows count their groups.
 */
#ifndef LR_RULES_BAYES_H
#define LR_RULES_BAYES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

enum {
	BAYES_FIELDS_MAX = 16,
	BAYES_VALUES_MAX = 2000,     /* of one field in one group; further ones are not learned */
	BAYES_LEAST = 1,             /* 0.01 %, in hundredths of a per cent */
	BAYES_MOST = 9999,
	BAYES_SMOOTHING_UNIT = 1000, /* smoothing is given in thousandths */
};

/* One row of a table, or the sums of one field. `rows`: how many rows the sums are over; of a row in the table of all groups:
 * in how many groups it is, else 1. */
struct bayes_count {
	int64_t won, lost, rows;
};

/* What a lead shows: one value per field; an empty one is not counted and not asked. */
struct bayes_factor {
	struct slice field; /* "company.industry"; "stage" */
	struct slice value;
};

/* Answers from a table: the row of a value (`value` NULL: the sums of the field); all 0 when there is none. The field ""
 * stands for the outcomes of the group as a whole. */
typedef struct bayes_count (*bayes_look_fn)(void *ctx, bool in_all_groups, struct slice field, const struct slice *value);

struct bayes_plan {
	int64_t smoothing;          /* in thousandths */
	int64_t least_closed;       /* a row with fewer won and lost leads says nothing; 0: any */
};

struct bayes_term {
	size_t factor;         /* index into the factors */
	struct bayes_count row;
	int64_t log_odds_milli; /* natural logarithm, in thousandths: above 0 speaks for winning */
};

struct bayes_result {
	bool is_known;         /* false: nothing was won or nothing was lost so far, nowhere */
	bool of_all_groups;    /* the lead's own group had not enough */
	int32_t hundredths;    /* of a per cent: BAYES_LEAST … BAYES_MOST */
	int64_t prior_milli;   /* log of W / L */
	struct bayes_term terms[BAYES_FIELDS_MAX];
	size_t term_count;
	size_t unseen[BAYES_FIELDS_MAX]; /* factors whose value was never seen */
	size_t unseen_count;
};

void bayes_evaluate(const struct bayes_plan *plan, const struct bayes_factor *factors, size_t factor_count,
                    bayes_look_fn look, void *ctx, struct bayes_result *ret);

#endif
