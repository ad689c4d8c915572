/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures in memory keys: counted per batch, merged into what is stored once per batch.
 */
#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/report.h"
#include "rules/text/date.h"

enum { CELL_BYTES_MAX = 256 * 1024, FAILED_BYTES_MAX = 64 * 1024, FIRST_FAILED = 8 };

static const struct slice roll_key = {"mem/report/roll", 15};

struct failure {
	struct slice lead_id, status, reason, owner;
	int64_t day;
};

struct tally {
	struct figures *figures;
	struct failure *failures;
	size_t failure_count, failure_room;
	int64_t shard; /* of the records of this batch; -1: it had none */
	int64_t first_ms, now_ms; /* the first and the last decision that were counted */
};

struct roll {
	int64_t due_ms, day, by, shard;
};

/* ---- keys */

static const char *grouping_name(size_t grouping)
{
	return grouping == 0 ? "all" : figure_dimension_name((enum figure_dimension)(grouping - 1));
}

static struct slice index_key(struct arena *arena, int64_t day, size_t grouping)
{
	return slice_of(arena_printf(arena, "mem/fig/%lld/%s", (long long)day, grouping_name(grouping)));
}

static struct slice cell_key(struct arena *arena, int64_t day, size_t grouping, struct slice value)
{
	if (grouping == 0)
		return index_key(arena, day, 0);
	return ARENA_JOIN(arena, index_key(arena, day, grouping), SLICE("/"), value);
}

static struct slice failed_key(struct arena *arena, int64_t day)
{
	return slice_of(arena_printf(arena, "mem/fig/%lld/failed", (long long)day));
}

/* ---- the roll */

static int64_t int_of(const struct json *object, const char *name, int64_t standard)
{
	const struct json *item = json_get(object, name);
	return item != NULL && item->type == JSON_IS_INT ? item->integer : standard;
}

static struct roll read_roll(const struct decider *decider)
{
	struct slice value = overlay_get(&decider->overlay, roll_key);
	struct json_limits limits = {200, 2, 10};
	const struct json *json = value.len != 0 ? json_read(value, limits, decider->arena, NULL) : NULL;
	return (struct roll){int_of(json, "due", 0), int_of(json, "day", INT64_MIN), int_of(json, "by", 0), int_of(json, "shard", -1)};
}

static void write_roll(struct decider *decider, const struct roll *roll)
{
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "due", roll->due_ms);
	json_put_int(&writer, "day", roll->day);
	json_put_int(&writer, "by", roll->by);
	json_put_int(&writer, "shard", roll->shard);
	json_close_object(&writer);
	overlay_put(&decider->overlay, roll_key, strbuf_keep(&value, decider->arena), roll->due_ms);
}

int64_t tally_shard(struct work *work)
{
	tally_flush(work->decider);
	return read_roll(work->decider).shard;
}

/* One dimension of one day at a time, so that no batch becomes large. */
static void forget_grouping(struct decider *decider, int64_t day, size_t grouping)
{
	struct overlay *overlay = &decider->overlay;
	struct slice key = index_key(decider->arena, day, grouping), value = overlay_get(overlay, key);
	struct json_limits limits = {CELL_BYTES_MAX, 2, REPORT_PEOPLE_MAX + 10};
	const struct json *values = value.len != 0 && grouping != 0 ? json_read(value, limits, decider->arena, NULL) : NULL;
	for (size_t i = 0; values != NULL && i < values->count; i++)
		overlay_remove(overlay, cell_key(decider->arena, day, grouping, values->items[i].text));
	if (value.len != 0)
		overlay_remove(overlay, key);
}

void tally_roll(struct work *work, struct slice key, struct slice value)
{
	(void)key, (void)value;
	struct decider *decider = work->decider;
	const struct report_rules *rules = work->model->report;
	tally_flush(decider);
	struct roll roll = read_roll(decider);
	int64_t today = figures_day_of(rules != NULL ? rules->zone : NULL, work->now_ms);
	roll.due_ms = 0;
	if (roll.day < today - REPORT_DAYS_KEPT) {
		forget_grouping(decider, roll.day, (size_t)roll.by);
		if (++roll.by == FIGURE_DIMENSIONS_ALL + 1) {
			if (overlay_get(&decider->overlay, failed_key(work->arena, roll.day)).len != 0)
				overlay_remove(&decider->overlay, failed_key(work->arena, roll.day));
			roll.by = 0;
			roll.day++;
		}
		roll.due_ms = roll.day < today - REPORT_DAYS_KEPT ? work->now_ms : 0;
	}
	write_roll(decider, &roll);
}

/* ---- counting */

struct figures_settings tally_settings(void)
{
	struct figures_settings settings = {.grouping_count = FIGURE_DIMENSIONS_ALL + 1};
	for (size_t i = 0; i < FIGURE_DIMENSIONS_ALL; i++)
		settings.groupings[i + 1] = (struct figures_grouping){1, {(enum figure_dimension)i}};
	return settings;
}

static struct tally *tally_of(struct decider *decider, int64_t now_ms)
{
	if (decider->tally != NULL)
		return decider->tally;
	struct figures_settings settings = tally_settings();
	settings.zone = decider->model->report->zone;
	memcpy(settings.seed, decider->overlay.seed, sizeof settings.seed);
	struct tally *tally = decider->tally = arena_alloc(decider->arena, sizeof *tally);
	tally->figures = figures_new(&settings, decider->arena);
	tally->first_ms = now_ms;
	tally->shard = -1;
	return tally;
}

static struct slice header_of(const struct event *event, const char *name)
{
	for (size_t i = event->header_count; i > 0; i--)
		if (slice_is(event->headers[i - 1].name, name))
			return event->headers[i - 1].value;
	return SLICE_NONE;
}

/* Leads that failed are named in the daily digest (S1-DAILY). */
static void note_failure(struct tally *tally, struct work *work, const struct event *event)
{
	enum lead_status status = work->state.status;
	bool has_failed = (status == LEAD_LOST || status == LEAD_INVALID) && strcmp(event->type, "lead.status") == 0;
	if (!has_failed || work->is_repeated)
		return;
	if (tally->failure_count == tally->failure_room) {
		size_t room = tally->failure_room == 0 ? FIRST_FAILED : tally->failure_room * 2;
		struct failure *failures = arena_array(work->arena, room, sizeof *failures);
		if (tally->failure_count != 0)
			memcpy(failures, tally->failures, tally->failure_count * sizeof *failures);
		tally->failures = failures;
		tally->failure_room = room;
	}
	struct slice owner = work->state.owner;
	tally->failures[tally->failure_count++] = (struct failure){
		.lead_id = event->subject,
		.status = slice_of(lead_status_name(status)),
		.reason = (struct slice){arena_memdupz(work->arena, work->state.why.p != NULL ? work->state.why.p : "", work->state.why.len),
	                             work->state.why.len},
		.owner = (struct slice){arena_memdupz(work->arena, owner.p != NULL ? owner.p : "", owner.len), owner.len},
		.day = figures_day_of(work->model->report->zone, work->now_ms),
	};
}

void tally_take(struct work *work)
{
	if (work->model->report == NULL || work->ret->event_count == 0)
		return;
	struct tally *tally = tally_of(work->decider, work->now_ms);
	for (size_t i = 0; i < work->ret->event_count; i++) {
		const struct event *event = &work->events[i];
		bool is_rejected = event->topic == OUT_REJECTED;
		struct figures_event counted = {.type = slice_of(event->type), .data = event->value, .at_ms = event->at_ms};
		if (is_rejected)
			counted.code = header_of(event, "leadrouter.error.code");
		counted.is_lead_record = is_rejected && slice_is(header_of(event, "leadrouter.error.record"), "lead");
		figures_take(tally->figures, &counted);
		note_failure(tally, work, event);
	}
	tally->now_ms = work->now_ms;
	if (work->prepared != NULL)
		tally->shard = work->prepared->record->partition;
}

/* ---- merging */

static size_t values_max(size_t grouping)
{
	bool is_people = grouping == FIGURE_BY_TEAM + 1 || grouping == FIGURE_BY_REP + 1;
	return is_people ? REPORT_PEOPLE_MAX : REPORT_VALUES_MAX;
}

static const struct json *read_index(const struct decider *decider, int64_t day, size_t grouping)
{
	struct slice value = overlay_get(&decider->overlay, index_key(decider->arena, day, grouping));
	struct json_limits limits = {CELL_BYTES_MAX, 2, REPORT_PEOPLE_MAX + 10};
	const struct json *index = value.len != 0 ? json_read(value, limits, decider->arena, NULL) : NULL;
	return index != NULL && index->type == JSON_IS_ARRAY ? index : NULL;
}

static void append_index(struct decider *decider, int64_t day, size_t grouping, const struct json *index, struct slice value)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_array(&writer, NULL);
	for (size_t i = 0; index != NULL && i < index->count; i++)
		json_put_text(&writer, NULL, index->items[i].text);
	json_put_text(&writer, NULL, value);
	json_close_array(&writer);
	overlay_put(&decider->overlay, index_key(decider->arena, day, grouping), strbuf_keep(&text, decider->arena), 0);
}

/* Under which value a row is kept: the first values of a day have their own cells. */
static struct slice place_of(struct decider *decider, const struct figures_row *row)
{
	if (row->grouping == 0 || overlay_get(&decider->overlay, cell_key(decider->arena, row->day, row->grouping, row->value)).len != 0)
		return row->value;
	const struct json *index = read_index(decider, row->day, row->grouping);
	size_t count = index != NULL ? index->count : 0;
	if (count < values_max(row->grouping)) {
		append_index(decider, row->day, row->grouping, index, row->value);
		return row->value;
	}
	struct slice other = SLICE(FIGURES_OTHER);
	if (overlay_get(&decider->overlay, cell_key(decider->arena, row->day, row->grouping, other)).len == 0)
		append_index(decider, row->day, row->grouping, index, other);
	return other;
}

static bool read_cell(const struct decider *decider, struct slice key, struct figures_cell *ret_cell)
{
	struct slice value = overlay_get(&decider->overlay, key);
	struct json_limits limits = {CELL_BYTES_MAX, 3, 2 * FIGURE_TIMES_ALL * HISTOGRAM_BUCKETS + 1000};
	const struct json *json = value.len != 0 ? json_read(value, limits, decider->arena, NULL) : NULL;
	return json != NULL && figures_cell_read(json, ret_cell, decider->arena) == 0;
}

static void merge_row(struct decider *decider, const struct figures_row *row)
{
	struct slice key = cell_key(decider->arena, row->day, row->grouping, place_of(decider, row));
	struct figures_cell cell = {0};
	(void)read_cell(decider, key, &cell); /* absent, or of a form that nobody can add to: it begins anew */
	figures_cell_merge(&cell, &row->cell, decider->arena);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	figures_cell_write(&writer, NULL, &cell);
	overlay_put(&decider->overlay, key, strbuf_keep(&text, decider->arena), 0);
}

static void put_failure(struct json_writer *writer, const struct failure *failure)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "lead_id", failure->lead_id);
	json_put_text(writer, "status", failure->status);
	json_put_text(writer, "reason", failure->reason);
	if (failure->owner.len != 0)
		json_put_text(writer, "owner", failure->owner);
	json_close_object(writer);
}

/* The list as it is, without its bracket, and one more. */
static void merge_failure(struct decider *decider, const struct failure *failure)
{
	struct slice key = failed_key(decider->arena, failure->day), value = overlay_get(&decider->overlay, key);
	struct json_limits limits = {FAILED_BYTES_MAX, 3, 6 * REPORT_FAILED_MAX};
	const struct json *list = value.len != 0 ? json_read(value, limits, decider->arena, NULL) : NULL;
	if (list != NULL && list->count >= REPORT_FAILED_MAX)
		return;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	if (list != NULL)
		strbuf_append(&text, value.p, value.len - 1);
	else
		json_open_array(&writer, NULL);
	writer.needs_comma = list != NULL && list->count != 0;
	put_failure(&writer, failure);
	json_close_array(&writer);
	overlay_put(&decider->overlay, key, strbuf_keep(&text, decider->arena), 0);
}

/* Counting begins; the shard becomes known; or the oldest day is too old now: then it goes, step by step. */
static struct roll update_roll(struct decider *decider, const struct tally *tally)
{
	const struct zone *zone = decider->model->report->zone;
	struct roll roll = read_roll(decider);
	const struct roll before = roll;
	if (roll.day == INT64_MIN)
		roll.day = figures_day_of(zone, tally->first_ms);
	if (roll.shard < 0)
		roll.shard = tally->shard;
	if (roll.day < figures_day_of(zone, tally->now_ms) - REPORT_DAYS_KEPT && roll.due_ms == 0)
		roll.due_ms = tally->now_ms;
	if (roll.day != before.day || roll.shard != before.shard || roll.due_ms != before.due_ms)
		write_roll(decider, &roll);
	return roll;
}

void tally_flush(struct decider *decider)
{
	struct tally *tally = decider->tally;
	if (tally == NULL)
		return;
	decider->tally = NULL;
	struct roll roll = update_roll(decider, tally);
	size_t count;
	struct figures_row *const *rows = figures_rows_as_met(tally->figures, &count);
	for (size_t i = 0; i < count; i++)
		if (rows[i]->day >= roll.day)
			merge_row(decider, rows[i]);
	for (size_t i = 0; i < tally->failure_count; i++)
		if (tally->failures[i].day >= roll.day)
			merge_failure(decider, &tally->failures[i]);
}

/* ---- reading */

void tally_collect(struct work *work, int64_t from, int64_t until, struct figures *into)
{
	struct decider *decider = work->decider;
	tally_flush(decider);
	for (int64_t day = from; day < until; day++)
		for (size_t grouping = 0; grouping <= FIGURE_DIMENSIONS_ALL; grouping++) {
			const struct json *index = grouping != 0 ? read_index(decider, day, grouping) : NULL;
			size_t count = grouping == 0 ? 1 : index != NULL ? index->count : 0;
			for (size_t i = 0; i < count; i++) {
				struct slice value = grouping == 0 ? SLICE("") : index->items[i].text;
				struct figures_cell cell;
				if (read_cell(decider, cell_key(work->arena, day, grouping, value), &cell))
					figures_cell_merge(figures_cell(into, grouping, 0, value), &cell, work->arena);
			}
		}
}

struct slice tally_failed(struct work *work, int64_t day)
{
	tally_flush(work->decider);
	return overlay_get(&work->decider->overlay, failed_key(work->arena, day));
}
