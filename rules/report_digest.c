/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests of figures: the day (S1-DAILY, S0-REPORT), the month (S2-OVERSIGHT, S2-ANALYSIS, S4-REPORTS). One for all leads
 * of the shard and one for each team.
 */
#include <stdlib.h>

#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/report.h"

enum { TEAMS = FIGURE_BY_TEAM + 1, REPS = FIGURE_BY_REP + 1, TEAM_DIGESTS_MAX = 200 };

static int64_t weight_of(const struct figures_row *row)
{
	const int64_t *counts = row->cell.counts;
	return counts[FIGURE_OBTAINED] + counts[FIGURE_ASSIGNED] + counts[FIGURE_TOUCHES] + counts[FIGURE_FIRST_DUE];
}

static int by_weight(const void *left, const void *right)
{
	const struct figures_row *a = *(struct figures_row *const *)left, *b = *(struct figures_row *const *)right;
	if (weight_of(a) != weight_of(b))
		return weight_of(a) > weight_of(b) ? -1 : 1;
	return slice_compare(a->value, b->value);
}

static void put_row(struct json_writer *writer, size_t grouping, struct slice value, const struct figures_cell *cell)
{
	json_open_object(writer, NULL);
	json_put_text(writer, figure_dimension_name((enum figure_dimension)(grouping - 1)), value);
	figures_show_members(writer, cell);
	json_close_object(writer);
}

/* Is the rep of that row a member of the team? SIZE_MAX: any rep will do. */
static bool is_member(const struct model *model, size_t team, struct slice rep)
{
	if (team == SIZE_MAX)
		return true;
	for (size_t i = 0; i < model->teams[team].member_count; i++)
		if (slice_equal(model->reps[model->teams[team].members[i].rep].id, rep))
			return true;
	return false;
}

/* The rows of one dimension, those that most happened to first; what is behind the limit is one row. */
static void put_dimension(struct json_writer *writer, struct work *work, struct figures *figures, size_t grouping, size_t team)
{
	size_t all, count = 0;
	struct figures_row *const *every = figures_rows(figures, &all);
	struct figures_row **rows = arena_array(work->arena, all, sizeof *rows);
	struct figures_cell rest = {0};
	for (size_t i = 0; i < all; i++)
		if (every[i]->grouping == grouping && is_member(work->model, team, every[i]->value))
			rows[count++] = every[i];
	if (count != 0)
		qsort(rows, count, sizeof *rows, by_weight);
	json_open_array(writer, figure_dimension_name((enum figure_dimension)(grouping - 1)));
	for (size_t i = 0; i < count; i++)
		if (i < REPORT_ROWS_MAX)
			put_row(writer, grouping, rows[i]->value, &rows[i]->cell);
		else
			figures_cell_merge(&rest, &rows[i]->cell, work->arena);
	if (count > REPORT_ROWS_MAX)
		put_row(writer, grouping, SLICE(FIGURES_OTHER), &rest);
	json_close_array(writer);
}

static void put_total(struct json_writer *writer, const char *name, const struct figures_cell *cell)
{
	json_open_object(writer, name);
	figures_show_members(writer, cell);
	json_close_object(writer);
}

struct digest {
	enum report_kind kind;
	struct report_period period;
	struct figures *figures, *before; /* of the period, of the one before it */
	int64_t failed_day;               /* whose failed leads are named; -1: none */
};

static void put_all(struct work *work, const struct digest *digest)
{
	struct page page;
	struct json_writer *writer = report_page_open(&page, work, digest->kind, &digest->period);
	put_total(writer, "total", figures_cell(digest->figures, 0, 0, SLICE("")));
	put_total(writer, "before", figures_cell(digest->before, 0, 0, SLICE("")));
	json_open_object(writer, "by");
	for (size_t grouping = 1; grouping <= FIGURE_DIMENSIONS_ALL; grouping++)
		put_dimension(writer, work, digest->figures, grouping, SIZE_MAX);
	json_close_object(writer);
	struct slice failed = digest->failed_day >= 0 ? tally_failed(work, digest->failed_day) : SLICE_NONE;
	if (failed.len != 0)
		json_put_raw(writer, "failed", failed);
	report_page_close(&page, work, digest->kind, &digest->period, SLICE_NONE);
}

static void put_team(struct work *work, const struct digest *digest, size_t team)
{
	struct slice id = work->model->teams[team].id;
	struct page page;
	struct json_writer *writer = report_page_open(&page, work, digest->kind, &digest->period);
	json_open_object(writer, "scope");
	json_put_text(writer, "team", id);
	json_close_object(writer);
	put_total(writer, "total", figures_cell(digest->figures, TEAMS, 0, id));
	put_total(writer, "before", figures_cell(digest->before, TEAMS, 0, id));
	json_open_object(writer, "by");
	put_dimension(writer, work, digest->figures, REPS, team);
	json_close_object(writer);
	report_page_close(&page, work, digest->kind, &digest->period, id);
}

/* For whoever sees all, and for the manager of each team that anything happened to. */
static void put_digests(struct work *work, const struct digest *digest)
{
	size_t count, told = 0;
	struct figures_row *const *rows = figures_rows(digest->figures, &count);
	put_all(work, digest);
	for (size_t i = 0; i < count && told < TEAM_DIGESTS_MAX; i++) {
		size_t team = rows[i]->grouping == TEAMS ? model_find_team(work->model, rows[i]->value) : SIZE_MAX;
		if (team == SIZE_MAX)
			continue;
		put_team(work, digest, team);
		told++;
	}
}

static void tell(struct work *work, enum report_kind kind, enum figures_period every, int64_t start, int64_t failed_day)
{
	char *name = arena_alloc(work->arena, FIGURES_PERIOD_BYTES);
	struct figures_settings settings = tally_settings();
	int64_t before = figures_period_start(every, start - 1), end = figures_period_end(every, start);
	figures_period_format(every, start, name);
	struct digest digest = {kind, {name, start, end}, figures_new(&settings, work->arena), figures_new(&settings, work->arena), failed_day};
	if (tally_shard(work) < 0)
		return; /* no record ever came */
	tally_collect(work, start, end, digest.figures);
	tally_collect(work, before, start, digest.before);
	put_digests(work, &digest);
}

/* The day as far as it has come. */
void report_daily(struct work *work, int64_t day)
{
	tell(work, REPORT_DAILY, FIGURES_DAY, day, day);
}

/* The month that is over. */
void report_monthly(struct work *work, int64_t day)
{
	tell(work, REPORT_MONTHLY, FIGURES_MONTH, figures_period_start(FIGURES_MONTH, figures_period_start(FIGURES_MONTH, day) - 1), -1);
}
