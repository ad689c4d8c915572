/* SPDX-License-Identifier: Apache-2.0
 *
 * Naive Bayes. The first test is Odoo's own (addons/crm/tests/test_crm_pls.py, test_predictive_lead_scoring): fourteen leads
 * of three teams, three won and six lost, and the probabilities of three open ones as that test expects them. Its leads
 * have neither mail address nor phone, so those two fields are unset there and are left out here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/bayes.h"

enum { FIELDS = 4, VALUES = 4, GROUPS = 4, STAGE = 3 };
static const char *const names[FIELDS] = {"country", "state", "source", "stage"};
static const char *const values[VALUES] = {"0", "1", "2", "3"};

struct example {
	int group;
	int at[FIELDS]; /* country, state, source, stage */
	int outcome;    /* 1 won, -1 lost, 0 open */
};

static const struct example odoo[] = {
	{0, {0, 0, 0, 0}, -1}, {0, {1, 1, 1, 1}, -1}, {0, {2, 2, 2, 2}, 1},  {0, {0, 1, 2, 1}, 0},  {0, {1, 1, 1, 0}, 0},
	{1, {0, 1, 1, 2}, -1}, {1, {0, 1, 2, 1}, -1}, {1, {0, 2, 2, 0}, 1},  {1, {0, 1, 2, 1}, 0},  {1, {1, 0, 1, 1}, 0},
	{2, {1, 1, 1, 2}, 1},  {2, {0, 1, 0, 0}, -1}, {2, {1, 2, 2, 0}, -1}, {2, {0, 1, 2, 1}, 0},
};

/* Tables as the core keeps them, in the simplest form. */
struct tables {
	struct bayes_count row[GROUPS][FIELDS][VALUES];
	int group; /* of the lead in question */
};

static void count(struct tables *tables, const struct example *example)
{
	for (int field = 0; field < FIELDS; field++) {
		int last = field != STAGE ? example->at[field] : example->outcome > 0 ? VALUES - 1 : example->at[field];
		for (int value = field == STAGE ? 0 : last; value <= last; value++) {
			struct bayes_count *row = &tables->row[example->group][field][value];
			row->won += example->outcome > 0;
			row->lost += example->outcome < 0;
			row->rows = 1;
		}
	}
}

static void learn(struct tables *tables, const struct example *examples, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (examples[i].outcome != 0)
			count(tables, &examples[i]);
}

static void add(struct bayes_count *sum, const struct bayes_count *part)
{
	sum->won += part->won;
	sum->lost += part->lost;
	sum->rows += part->rows;
}

static struct bayes_count look(void *ctx, bool in_all, struct slice field, const struct slice *value)
{
	const struct tables *tables = ctx;
	struct bayes_count sum = {0};
	for (int group = 0; group < GROUPS; group++) {
		if (!in_all && group != tables->group)
			continue;
		for (int f = 0; f < FIELDS; f++)
			for (int v = 0; v < VALUES; v++) {
				bool is_asked = field.len == 0 ? f == STAGE && v == 0 /* outcomes: of the first stage */
				                               : slice_is(field, names[f]) && (value == NULL || slice_is(*value, values[v]));
				if (is_asked)
					add(&sum, &tables->row[group][f][v]);
			}
	}
	return sum;
}

static struct bayes_result ask(struct tables *tables, int group, const struct example *lead, int64_t least_closed)
{
	struct bayes_factor factors[FIELDS];
	struct bayes_result result;
	for (int f = 0; f < FIELDS; f++) {
		factors[f] = (struct bayes_factor){slice_of(names[f]), lead->at[f] < 0 ? SLICE_NONE : slice_of(values[lead->at[f]])};
	}
	const struct bayes_plan plan = {100, least_closed};
	tables->group = group;
	bayes_evaluate(&plan, factors, FIELDS, look, tables, &result);
	return result;
}

static void odoos_figures(void **state)
{
	(void)state;
	struct tables tables = {0};
	learn(&tables, odoo, sizeof odoo / sizeof *odoo);
	assert_int_equal(ask(&tables, 0, &odoo[3], 0).hundredths, 3349);
	assert_int_equal(ask(&tables, 1, &odoo[8], 0).hundredths, 774);
	struct bayes_result result = ask(&tables, 2, &odoo[13], 0);
	assert_int_equal(result.hundredths, 3509);
	assert_false(result.of_all_groups);
	result = ask(&tables, 3, &odoo[13], 0); /* a group without any outcome: that of all */
	assert_int_equal(result.hundredths, 3519);
	assert_true(result.of_all_groups);
}

static void reasons_add_up(void **state)
{
	(void)state;
	struct tables tables = {0};
	learn(&tables, odoo, sizeof odoo / sizeof *odoo);
	struct bayes_result result = ask(&tables, 0, &odoo[3], 0);
	int64_t sum = result.prior_milli;
	assert_int_equal(result.term_count, FIELDS);
	for (size_t i = 0; i < result.term_count; i++)
		sum += result.terms[i].log_odds_milli;
	/* ln(0.3349 / 0.6651) = -0.686; each part is cut to a thousandth */
	assert_true(sum >= -691 && sum <= -681);
	assert_true(result.terms[2].log_odds_milli > 0); /* source 2 won */
}

static void what_was_never_seen_says_nothing(void **state)
{
	(void)state;
	struct tables tables = {0};
	learn(&tables, odoo, sizeof odoo / sizeof *odoo);
	struct example lead = odoo[3];
	lead.at[0] = 3;  /* a country that no lead had */
	lead.at[1] = -1; /* no state */
	struct bayes_result result = ask(&tables, 0, &lead, 0);
	assert_int_equal(result.unseen_count, 1);
	assert_int_equal(result.unseen[0], 0);
	assert_int_equal(result.term_count, FIELDS - 2);
	result = ask(&tables, 0, &odoo[3], 50); /* rows with fewer than 50 closed leads are not asked */
	assert_int_equal(result.term_count, 0);
	assert_true(result.is_known);
}

static void without_both_outcomes_nothing_is_known(void **state)
{
	(void)state;
	struct tables tables = {0};
	assert_false(ask(&tables, 0, &odoo[3], 0).is_known);
	learn(&tables, odoo, 2); /* two lost ones */
	assert_false(ask(&tables, 0, &odoo[3], 0).is_known);
}

static void certainty_is_for_closed_leads(void **state)
{
	(void)state;
	struct tables tables = {0};
	struct example won = {0, {0, 0, 0, 0}, 1}, lost = {0, {1, 1, 1, 0}, -1};
	for (int i = 0; i < 100000; i++) {
		count(&tables, &won);
		count(&tables, &lost);
	}
	won.at[STAGE] = lost.at[STAGE] = -1;
	assert_int_equal(ask(&tables, 0, &won, 0).hundredths, BAYES_MOST);
	assert_int_equal(ask(&tables, 0, &lost, 0).hundredths, BAYES_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odoos_figures),
		cmocka_unit_test(reasons_add_up),
		cmocka_unit_test(what_was_never_seen_says_nothing),
		cmocka_unit_test(without_both_outcomes_nothing_is_known),
		cmocka_unit_test(certainty_is_for_closed_leads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
