/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/bayes.h"

#include "rules/fixed.h"

/* log2(x) in Q32 -> ln(x) in thousandths: ln 2 = 0.693147… */
static int64_t milli_of(int64_t log2_q32)
{
	return log2_q32 / 4096 * 693147 / 1000 / (FIXED_ONE_Q32 / 4096);
}

/* A count with the smoothing of its rows, in thousandths. */
static uint64_t smooth(const struct bayes_plan *plan, int64_t count, int64_t rows)
{
	return (uint64_t)(count * BAYES_SMOOTHING_UNIT + plan->smoothing * rows);
}

static bool is_stage(const struct bayes_factor *factor)
{
	return slice_is(factor->field, "stage");
}

/* The outcomes: of the first stage if stages are counted (the caller answers for it), else of the group. */
static bool has_both(struct bayes_count outcomes)
{
	return outcomes.won > 0 && outcomes.lost > 0;
}

struct asking {
	const struct bayes_plan *plan;
	bayes_look_fn look;
	void *ctx;
	bool in_all;
	struct bayes_count outcomes;
};

/* log2 of the odds that one value gives; false when it says nothing. */
static bool weigh(const struct asking *asking, const struct bayes_factor *factor, struct bayes_count *row, int64_t *ret)
{
	*row = asking->look(asking->ctx, asking->in_all, factor->field, &factor->value);
	if (row->won + row->lost == 0)
		return false;
	struct bayes_count sums = asking->outcomes;
	if (!is_stage(factor))
		sums = asking->look(asking->ctx, asking->in_all, factor->field, NULL);
	uint64_t won = smooth(asking->plan, row->won, row->rows), lost = smooth(asking->plan, row->lost, row->rows);
	uint64_t all_won = smooth(asking->plan, sums.won, sums.rows), all_lost = smooth(asking->plan, sums.lost, sums.rows);
	if (won == 0 || lost == 0 || all_won == 0 || all_lost == 0)
		return false;
	*ret = fixed_log2_ratio(won, all_won) - fixed_log2_ratio(lost, all_lost);
	return true;
}

/* P out of log2 of the odds, rounded to hundredths of a per cent. */
static int32_t hundredths_of(int64_t log2_q32)
{
	uint64_t size = log2_q32 < 0 ? -(uint64_t)log2_q32 : (uint64_t)log2_q32;
	uint64_t smaller = fixed_pow2_neg(size) >> 16, one = FIXED_ONE_Q63 >> 16; /* of the two odds, against 1 */
	uint64_t wanted = log2_q32 < 0 ? smaller : one, sum = one + smaller;
	int32_t hundredths = (int32_t)((wanted * 10000 + sum / 2) / sum);
	return hundredths < BAYES_LEAST ? BAYES_LEAST : hundredths > BAYES_MOST ? BAYES_MOST : hundredths;
}

static bool choose_table(struct asking *asking, struct bayes_result *ret)
{
	const struct slice none = SLICE_NONE;
	asking->outcomes = asking->look(asking->ctx, false, none, NULL);
	if (!has_both(asking->outcomes)) {
		ret->of_all_groups = asking->in_all = true;
		asking->outcomes = asking->look(asking->ctx, true, none, NULL);
	}
	return has_both(asking->outcomes);
}

void bayes_evaluate(const struct bayes_plan *plan, const struct bayes_factor *factors, size_t factor_count,
                    bayes_look_fn look, void *ctx, struct bayes_result *ret)
{
	struct asking asking = {.plan = plan, .look = look, .ctx = ctx};
	*ret = (struct bayes_result){0};
	if (!choose_table(&asking, ret))
		return;
	uint64_t won = smooth(plan, asking.outcomes.won, asking.outcomes.rows);
	uint64_t lost = smooth(plan, asking.outcomes.lost, asking.outcomes.rows);
	int64_t sum = fixed_log2_ratio(won, lost), part;
	ret->prior_milli = milli_of(sum);
	for (size_t i = 0; i < factor_count && i < BAYES_FIELDS_MAX; i++) {
		struct bayes_count row;
		if (factors[i].value.len == 0)
			continue;
		if (!weigh(&asking, &factors[i], &row, &part)) {
			ret->unseen[ret->unseen_count++] = i;
			continue;
		}
		if (row.won + row.lost < plan->least_closed)
			continue;
		sum += part;
		ret->terms[ret->term_count++] = (struct bayes_term){i, row, milli_of(part)};
	}
	ret->is_known = true;
	ret->hundredths = hundredths_of(sum);
}
