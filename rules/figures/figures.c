/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of cells. Open addressing in an arena, so that there is nothing to free when a batch is thrown away.
 */
#include "rules/figures/figures.h"

#include <assert.h>

#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/figures/figures_read.h"
#include "rules/text/date.h"
#include "rules/text/normalise.h"
#include "rules/text/zone.h"

enum { FIRST_SLOTS = 64, VALUE_BYTES = FIGURE_DIMENSIONS_ALL * (FIGURES_VALUE_BYTES_MAX + 1) };

struct figures {
	struct figures_settings settings;
	struct arena *arena;
	struct figures_row **rows; /* in order of first use */
	size_t count, room;
	uint32_t *slots;           /* index into rows + 1; 0: empty */
	size_t slot_count;
};

/* ---- names */

static const struct name_row {
	const char *name, *definition;
} figure_rows[] = {
#define FIGURE(id, name, definition) {name, definition},
#include "rules/figures/figures.def"
}, time_rows[] = {
#define X(id, name, definition) {#name, definition},
	FIGURE_TIMES(X)
#undef X
};

static const char *const dimension_names[] = {
#define X(id, name) #name,
	FIGURE_DIMENSIONS(X)
#undef X
};

const char *figure_name(enum figure figure)
{
	return figure_rows[figure].name;
}

const char *figure_definition(enum figure figure)
{
	return figure_rows[figure].definition;
}

enum figure figure_find(struct slice name)
{
	int figure = 0;
	while (figure < FIGURES && !slice_is(name, figure_rows[figure].name))
		figure++;
	return (enum figure)figure;
}

const char *figure_time_name(enum figure_time time)
{
	return time_rows[time].name;
}

const char *figure_time_definition(enum figure_time time)
{
	return time_rows[time].definition;
}

const char *figure_dimension_name(enum figure_dimension dimension)
{
	return dimension_names[dimension];
}

enum figure_dimension figure_dimension_find(struct slice name)
{
	int dimension = 0;
	while (dimension < FIGURE_DIMENSIONS_ALL && !slice_is(name, dimension_names[dimension]))
		dimension++;
	return (enum figure_dimension)dimension;
}

/* ---- the table */

struct figures *figures_new(const struct figures_settings *settings, struct arena *arena)
{
	struct figures *figures = arena_alloc(arena, sizeof *figures);
	figures->settings = *settings;
	figures->arena = arena;
	figures->slot_count = FIRST_SLOTS;
	figures->slots = arena_array(arena, FIRST_SLOTS, sizeof *figures->slots);
	return figures;
}

static uint64_t hash_of(const struct figures *figures, size_t grouping, int64_t day, struct slice value)
{
	char bytes[sizeof day + 1 + VALUE_BYTES];
	size_t len = value.len < VALUE_BYTES ? value.len : VALUE_BYTES;
	memcpy(bytes, &day, sizeof day);
	bytes[sizeof day] = (char)grouping;
	if (len != 0)
		memcpy(bytes + sizeof day + 1, value.p, len);
	return hash_sip(figures->settings.seed, (struct slice){bytes, sizeof day + 1 + len});
}

static size_t slot_of(const struct figures *figures, uint64_t hash, size_t grouping, int64_t day, struct slice value)
{
	size_t slot = hash & (figures->slot_count - 1);
	while (figures->slots[slot] != 0) {
		const struct figures_row *row = figures->rows[figures->slots[slot] - 1];
		if (row->hash == hash && row->grouping == grouping && row->day == day && slice_equal(row->value, value))
			break;
		slot = (slot + 1) & (figures->slot_count - 1);
	}
	return slot;
}

static void grow(struct figures *figures)
{
	size_t room = figures->slot_count; /* at most half full behind this */
	struct figures_row **rows = arena_array(figures->arena, room, sizeof *rows);
	if (figures->count != 0)
		memcpy(rows, figures->rows, figures->count * sizeof(struct figures_row *));
	figures->rows = rows;
	figures->room = room;
	figures->slot_count *= 2;
	figures->slots = arena_array(figures->arena, figures->slot_count, sizeof *figures->slots);
	for (size_t i = 0; i < figures->count; i++) {
		const struct figures_row *row = rows[i];
		figures->slots[slot_of(figures, row->hash, row->grouping, row->day, row->value)] = (uint32_t)i + 1;
	}
}

static struct figures_row *add(struct figures *figures, uint64_t hash, size_t grouping, int64_t day, struct slice value)
{
	if (figures->count == figures->room)
		grow(figures);
	struct figures_row *row = arena_alloc(figures->arena, sizeof *row);
	*row = (struct figures_row){.day = day, .grouping = grouping, .hash = hash};
	row->value = (struct slice){arena_memdupz(figures->arena, value.p != NULL ? value.p : "", value.len), value.len};
	figures->rows[figures->count++] = row;
	figures->slots[slot_of(figures, hash, grouping, day, value)] = (uint32_t)figures->count;
	return row;
}

/* How many values a grouping has on a day is counted in a row of its own, under a value that no lead can have. */
static const struct slice quota_value = {"\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f", 8};

static bool is_quota(const struct figures_row *row)
{
	return slice_equal(row->value, quota_value);
}

static struct figures_row *find(const struct figures *figures, uint64_t hash, size_t grouping, int64_t day, struct slice value)
{
	size_t slot = slot_of(figures, hash, grouping, day, value);
	return figures->slots[slot] != 0 ? figures->rows[figures->slots[slot] - 1] : NULL;
}

static bool has_room(struct figures *figures, size_t grouping, int64_t day)
{
	if (figures->settings.values_max == 0 || figures->settings.groupings[grouping].count == 0)
		return true;
	uint64_t hash = hash_of(figures, grouping, day, quota_value);
	struct figures_row *quota = find(figures, hash, grouping, day, quota_value);
	if (quota == NULL)
		quota = add(figures, hash, grouping, day, quota_value);
	if ((size_t)quota->cell.counts[0] >= figures->settings.values_max)
		return false;
	quota->cell.counts[0]++;
	return true;
}

struct figures_cell *figures_cell(struct figures *figures, size_t grouping, int64_t day, struct slice value)
{
	uint64_t hash = hash_of(figures, grouping, day, value);
	struct figures_row *row = find(figures, hash, grouping, day, value);
	if (row != NULL)
		return &row->cell;
	if (slice_is(value, FIGURES_OTHER) || has_room(figures, grouping, day))
		return &add(figures, hash, grouping, day, value)->cell;
	return figures_cell(figures, grouping, day, SLICE(FIGURES_OTHER));
}

static int by_place(const void *left, const void *right)
{
	const struct figures_row *a = *(struct figures_row *const *)left, *b = *(struct figures_row *const *)right;
	if (a->grouping != b->grouping)
		return a->grouping < b->grouping ? -1 : 1;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return slice_compare(a->value, b->value);
}

static struct figures_row **rows_as_met(struct figures *figures, size_t *ret_count)
{
	struct figures_row **rows = arena_array(figures->arena, figures->count, sizeof *rows);
	*ret_count = 0;
	for (size_t i = 0; i < figures->count; i++)
		if (!is_quota(figures->rows[i]))
			rows[(*ret_count)++] = figures->rows[i];
	return rows;
}

struct figures_row *const *figures_rows_as_met(struct figures *figures, size_t *ret_count)
{
	return rows_as_met(figures, ret_count);
}

struct figures_row *const *figures_rows(struct figures *figures, size_t *ret_count)
{
	struct figures_row **rows = rows_as_met(figures, ret_count);
	if (*ret_count != 0)
		qsort(rows, *ret_count, sizeof *rows, by_place);
	return rows;
}

void figures_merge(struct figures *into, struct figures *from)
{
	for (size_t i = 0; i < from->count; i++)
		if (!is_quota(from->rows[i]))
			figures_cell_merge(figures_cell(into, from->rows[i]->grouping, from->rows[i]->day, from->rows[i]->value),
			                   &from->rows[i]->cell, into->arena);
}

int64_t figures_day_of(const struct zone *zone, int64_t at_ms)
{
	int64_t seconds = at_ms / 1000 - (at_ms % 1000 < 0);
	if (zone != NULL)
		seconds += zone_offset_at(zone, seconds);
	return seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
}

/* ---- counting facts */

/* A value as it stands in a row: cut, and without control characters. */
static size_t put_value(struct slice value, char *into)
{
	if (value.len == 0)
		value = SLICE(FIGURES_NONE);
	value = text_truncate(value, FIGURES_VALUE_BYTES_MAX);
	for (size_t i = 0; i < value.len; i++)
		into[i] = (unsigned char)value.p[i] < 0x20 ? ' ' : value.p[i];
	return value.len;
}

static struct slice value_of(const struct figures_grouping *grouping, const struct slice *dimensions,
                             char bytes[VALUE_BYTES])
{
	size_t len = 0;
	assert(dimensions != NULL);
	for (size_t i = 0; i < grouping->count; i++) {
		if (i != 0)
			bytes[len++] = FIGURES_SEPARATOR;
		len += put_value(dimensions[grouping->dimensions[i]], bytes + len);
	}
	return (struct slice){bytes, len};
}

static void count_in(struct figures_cell *cell, const struct figures_fact *fact, struct arena *arena)
{
	assert(cell != NULL); /* the first fact of a run makes them all */
	if (fact->is_time) {
		histogram_add(&cell->times[fact->time], fact->amount, arena);
		return;
	}
	cell->counts[fact->figure] += fact->amount;
	if (fact->reason.len != 0)
		figures_cell_reason(cell, fact->figure, fact->reason, fact->amount, arena);
}

static bool is_wanted(const struct figures *figures, int64_t at_ms)
{
	const struct figures_settings *settings = &figures->settings;
	return at_ms >= settings->from_ms && (settings->until_ms == 0 || at_ms < settings->until_ms);
}

/* The cells of an event's facts are mostly the same ones, so they are looked up once per day and owner. */
static void take_facts(struct figures *figures, const struct figures_facts *facts)
{
	struct figures_cell *cells[FIGURES_GROUPINGS_MAX];
	const struct slice *looked_up = NULL;
	int64_t last_day = 0;
	for (size_t i = 0; i < figures->settings.grouping_count; i++)
		cells[i] = NULL;
	for (size_t n = 0; n < facts->count; n++) {
		const struct figures_fact *fact = &facts->items[n];
		if (!is_wanted(figures, fact->at_ms))
			continue;
		int64_t day = figures_day_of(figures->settings.zone, fact->at_ms);
		for (size_t i = 0; i < figures->settings.grouping_count; i++) {
			char bytes[VALUE_BYTES];
			if (looked_up != fact->dimensions || day != last_day)
				cells[i] = figures_cell(figures, i, day, value_of(&figures->settings.groupings[i], fact->dimensions, bytes));
			count_in(cells[i], fact, figures->arena);
		}
		looked_up = fact->dimensions;
		last_day = day;
	}
}

size_t figures_take(struct figures *figures, const struct figures_event *event)
{
	struct figures_seen seen;
	struct figures_facts facts;
	figures_read(event, figures->arena, &seen);
	figures_facts_of(event, &seen, &facts);
	take_facts(figures, &facts);
	return facts.count;
}
