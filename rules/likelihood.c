/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/likelihood.h"

#include <stdio.h>
#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/clocks_env.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/scan.h"
#include "rules/schema.h"

enum { LESSON_BYTES_MAX = 1000 }; /* of what a lead remembers that it taught; what does not fit is not taught */

/* ---- tables */

static struct slice all_groups(void)
{
	return SLICE("*");
}

/* A group's name is a part of keys: what divides those becomes something else. */
static struct slice as_name(struct arena *arena, struct slice text)
{
	char *name = arena_memdupz(arena, text.p, text.len);
	for (size_t i = 0; i < text.len; i++)
		if (name[i] == '/' || name[i] == '*')
			name[i] = '_';
	return (struct slice){name, text.len};
}

static struct slice key_of(struct arena *arena, struct slice group, struct slice field, const struct slice *value)
{
	struct strbuf key = STRBUF_INIT;
	strbuf_printf(&key, "mem/odds/%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(field));
	if (value != NULL)
		strbuf_printf(&key, "/=%.*s", SLICE_ARG(*value));
	return strbuf_keep(&key, arena);
}

/* [won,lost,rows]; what is not there or not ours is all 0. */
static struct bayes_count read_count(const struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct scan scan = {value.p, value.p + value.len};
	struct bayes_count count;
	if (value.len != 0 && scan_byte(&scan, '[') && scan_int(&scan, &count.won) && scan_byte(&scan, ',') &&
	    scan_int(&scan, &count.lost) && scan_byte(&scan, ',') && scan_int(&scan, &count.rows) && scan_byte(&scan, ']') &&
	    count.won >= 0 && count.lost >= 0 && count.rows >= 0)
		return count;
	return (struct bayes_count){0};
}

static void write_count(struct work *work, struct slice key, struct bayes_count count)
{
	if (count.won == 0 && count.lost == 0 && count.rows == 0) {
		overlay_remove(&work->decider->overlay, key);
		return;
	}
	struct strbuf value = STRBUF_INIT;
	strbuf_printf(&value, "[%lld,%lld,%lld]", (long long)count.won, (long long)count.lost, (long long)count.rows);
	overlay_put(&work->decider->overlay, key, strbuf_keep(&value, work->arena), 0);
}

static bool is_empty(struct bayes_count count)
{
	return count.won == 0 && count.lost == 0;
}

/* ---- learning */

struct lesson {
	bool is_won;
	int sign; /* 1 learn, -1 take back */
	struct slice group;
};

static void count_outcome(struct bayes_count *count, const struct lesson *lesson)
{
	int64_t *side = lesson->is_won ? &count->won : &count->lost;
	if (*side + lesson->sign >= 0)
		*side += lesson->sign;
}

/* One row of a group and the sums of its field. `grown`: the group has one row more (1), one less (-1) or as many: the table
 * of all groups counts in how many a row is. */
static void teach_row(struct work *work, const struct lesson *lesson, struct slice group, struct slice field,
                      const struct slice *value, int grown_below, int *ret_grown)
{
	struct slice row_key = key_of(work->arena, group, field, value), sums_key = key_of(work->arena, group, field, NULL);
	struct bayes_count row = read_count(work, row_key), sums = read_count(work, sums_key);
	bool was_empty = is_empty(row), is_all = slice_equal(group, all_groups());
	*ret_grown = 0;
	if (was_empty && sums.rows >= BAYES_VALUES_MAX)
		return;
	count_outcome(&row, lesson);
	int64_t rows_before = row.rows;
	row.rows = is_all ? row.rows + grown_below : !is_empty(row);
	*ret_grown = (int)(row.rows - rows_before);
	write_count(work, row_key, row);
	count_outcome(&sums, lesson);
	sums.rows += row.rows - rows_before;
	write_count(work, sums_key, sums);
}

static void teach_value(struct work *work, const struct lesson *lesson, struct slice field, struct slice value)
{
	int grown = 0, ignored;
	if (value.len == 0)
		return;
	teach_row(work, lesson, lesson->group, field, &value, 0, &grown);
	teach_row(work, lesson, all_groups(), field, &value, grown, &ignored);
}

static void teach_outcome(struct work *work, const struct lesson *lesson)
{
	const struct slice none = SLICE_NONE;
	struct slice own_key = key_of(work->arena, lesson->group, none, NULL), all_key = key_of(work->arena, all_groups(), none, NULL);
	struct bayes_count own = read_count(work, own_key), all = read_count(work, all_key);
	bool was_empty = is_empty(own);
	count_outcome(&own, lesson);
	own.rows = !is_empty(own);
	count_outcome(&all, lesson);
	all.rows += was_empty ? own.rows : own.rows - 1;
	write_count(work, own_key, own);
	write_count(work, all_key, all);
}

static struct slice field_value(struct work *work, const struct schema_row *row)
{
	return row->kind == SCHEMA_TEXT ? schema_text_of(clocks_lead(work), row) : SLICE_NONE;
}

static bool is_of_stages(struct slice field)
{
	return slice_is(field, "stage");
}

/* The stages are one member of what was taught: their names, with commas between them. */
static void teach_stages(struct work *work, const struct lesson *lesson, struct slice names)
{
	while (names.len != 0) {
		const char *comma = memchr(names.p, ',', names.len);
		size_t len = comma != NULL ? (size_t)(comma - names.p) : names.len, step = comma != NULL ? len + 1 : len;
		teach_value(work, lesson, SLICE("stage"), (struct slice){names.p, len});
		names = (struct slice){names.p + step, names.len - step};
	}
}

/* Learns what `rows` says, or takes that back: {"source":"list","stage":"assigned,in_progress"}. */
static void teach(struct work *work, const struct lesson *lesson, struct slice rows)
{
	struct json_limits limits = {LESSON_BYTES_MAX, 2, 2 * BAYES_FIELDS_MAX};
	const struct json *root = rows.len != 0 ? json_read(rows, limits, work->arena, NULL) : NULL;
	teach_outcome(work, lesson);
	for (size_t i = 0; root != NULL && root->type == JSON_IS_OBJECT && i < root->count; i++) {
		if (is_of_stages(root->names[i]))
			teach_stages(work, lesson, root->items[i].text);
		else
			teach_value(work, lesson, root->names[i], root->items[i].text);
	}
}

static struct slice stages_text(struct work *work, bool is_won)
{
	const struct likelihood_plan *plan = work->model->likelihood;
	size_t count = is_won ? plan->stage_count : (size_t)work->state.reached + 1;
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < count && i < plan->stage_count; i++)
		strbuf_printf(&text, "%s%.*s", i != 0 ? "," : "", SLICE_ARG(plan->stages[i]));
	return strbuf_keep(&text, work->arena);
}

/* Twice its bytes: quotes and the like are written as two. */
static void put_row(struct json_writer *writer, const struct strbuf *text, const char *field, struct slice value)
{
	if (value.len != 0 && text->len + strlen(field) + 2 * value.len + sizeof "{,:}" < LESSON_BYTES_MAX)
		json_put_text(writer, field, value);
}

/* What the lead has to teach as it is now. */
static struct slice rows_of(struct work *work, bool is_won)
{
	const struct likelihood_plan *plan = work->model->likelihood;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	put_row(&writer, &text, "stage", stages_text(work, is_won));
	for (size_t i = 0; i < plan->field_count; i++)
		put_row(&writer, &text, plan->fields[i]->path, field_value(work, plan->fields[i]));
	json_close_object(&writer);
	struct slice rows = strbuf_keep(&text, work->arena);
	return rows.len > sizeof "{}" - 1 ? rows : SLICE_NONE;
}

static struct slice group_of(struct work *work)
{
	const struct likelihood_plan *plan = work->model->likelihood;
	struct slice text = plan->is_by_team ? work->state.team : SLICE_NONE;
	if (plan->group != NULL)
		text = field_value(work, plan->group);
	return text.len != 0 ? as_name(work->arena, text) : SLICE("-");
}

/* 'w' won, 'l' lost, 0 open. */
static char outcome_of(enum lead_status status)
{
	struct slice name = slice_of(lead_status_name(status));
	if (slice_is(name, "converted"))
		return 'w';
	return slice_is(name, "lost") || slice_is(name, "invalid") ? 'l' : 0;
}

static void note_stage(struct work *work)
{
	const struct likelihood_plan *plan = work->model->likelihood;
	struct slice name = slice_of(lead_status_name(work->state.status));
	for (size_t i = 0; i < plan->stage_count; i++)
		if (slice_equal(plan->stages[i], name) || slice_equal(plan->stages[i], work->state.stage))
			work->state.reached = (int64_t)i;
}

/* Exactly what was taught, though the lead, its stage and the configuration may be others by now. */
static void take_back(struct work *work)
{
	struct lead_state *state = &work->state;
	struct slice group = {state->taught.p + 1, state->taught.len - 1};
	teach(work, &(struct lesson){state->taught.p[0] == 'w', -1, group}, state->lesson);
	state->taught = state->lesson = SLICE_NONE;
}

void likelihood_happened(struct work *work)
{
	struct lead_state *state = &work->state;
	char outcome = outcome_of(state->status), taught = state->taught.len != 0 ? state->taught.p[0] : 0;
	if (taught != 0 && outcome != taught)
		take_back(work);
	if (work->model->likelihood == NULL)
		return;
	if (outcome == 0)
		note_stage(work);
	if (outcome == 0 || outcome == taught)
		return;
	struct slice group = group_of(work);
	state->taught = slice_of(arena_printf(work->arena, "%c%.*s", outcome, SLICE_ARG(group)));
	state->lesson = rows_of(work, outcome == 'w');
	teach(work, &(struct lesson){outcome == 'w', 1, group}, state->lesson);
}

/* ---- asking */

struct asked {
	struct work *work;
	struct slice group;
};

static struct bayes_count look(void *ctx, bool in_all_groups, struct slice field, const struct slice *value)
{
	const struct asked *asked = ctx;
	struct slice group = in_all_groups ? all_groups() : asked->group;
	return read_count(asked->work, key_of(asked->work->arena, group, field, value));
}

static size_t collect_factors(struct work *work, struct bayes_factor *factors)
{
	const struct likelihood_plan *plan = work->model->likelihood;
	size_t count = 0;
	for (size_t i = 0; i < plan->field_count; i++)
		factors[count++] = (struct bayes_factor){slice_of(plan->fields[i]->path), field_value(work, plan->fields[i])};
	size_t reached = work->state.reached < (int64_t)plan->stage_count ? (size_t)work->state.reached : 0;
	if (plan->stage_count != 0)
		factors[count++] = (struct bayes_factor){SLICE("stage"), plan->stages[reached]};
	return count;
}

/* Thousandths or hundredths as a decimal: -450 -> -0.450 */
static void put_decimal(struct json_writer *writer, const char *name, int64_t value, int64_t unit)
{
	char text[40];
	int64_t size = value < 0 ? -value : value;
	int digits = unit == 100 ? 2 : 3;
	snprintf(text, sizeof text, "%s%lld.%0*lld", value < 0 ? "-" : "", (long long)(size / unit), digits, (long long)(size % unit));
	json_put_raw(writer, name, slice_of(text));
}

static void put_term(struct json_writer *writer, const struct bayes_factor *factor, const struct bayes_term *term)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "field", factor->field);
	json_put_text(writer, "value", factor->value);
	json_put_int(writer, "won", term->row.won);
	json_put_int(writer, "lost", term->row.lost);
	put_decimal(writer, "log_odds", term->log_odds_milli, 1000);
	json_close_object(writer);
}

static void put_result(struct json_writer *writer, const struct asked *asked, const struct bayes_factor *factors,
                       const struct bayes_result *result)
{
	json_open_object(writer, "likelihood");
	put_decimal(writer, "percent", result->hundredths, 100);
	json_put_text(writer, "of", result->of_all_groups ? SLICE("all") : asked->group);
	put_decimal(writer, "log_odds", result->prior_milli, 1000);
	json_open_array(writer, "because");
	for (size_t i = 0; i < result->term_count; i++)
		put_term(writer, &factors[result->terms[i].factor], &result->terms[i]);
	json_close_array(writer);
	if (result->unseen_count != 0) {
		json_open_array(writer, "never_seen");
		for (size_t i = 0; i < result->unseen_count; i++)
			json_put_text(writer, NULL, factors[result->unseen[i]].field);
		json_close_array(writer);
	}
	json_close_object(writer);
}

void likelihood_put(struct json_writer *writer, struct work *work)
{
	if (work->model->likelihood == NULL)
		return;
	struct asked asked = {work, group_of(work)};
	struct bayes_factor factors[BAYES_FIELDS_MAX];
	struct bayes_result result;
	size_t count = collect_factors(work, factors);
	bayes_evaluate(&work->model->likelihood->bayes, factors, count, look, &asked, &result);
	if (result.is_known)
		put_result(writer, &asked, factors, &result);
}
