/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/state_clocks.h"

#include <string.h>

#include "rules/base/arena.h"
#include "rules/calendar/calendar.h"

enum { PAUSE_NUMBERS = 2 * CLOCK_PAUSES_MAX + 4, FIRST_NUMBERS = 6 + PAUSE_NUMBERS, CLOCK_NUMBERS = 11 + PAUSE_NUMBERS };

#define PAUSE_OFFSETS(n) offsetof(struct clock, pauses[n].from_ms), offsetof(struct clock, pauses[n].to_ms)
#define ALL_PAUSE_OFFSETS                                                                                         \
	PAUSE_OFFSETS(0), PAUSE_OFFSETS(1), PAUSE_OFFSETS(2), offsetof(struct clock, settled.days),                \
		offsetof(struct clock, settled.rest_ms), offsetof(struct clock, settled.count),                            \
		offsetof(struct clock, settled.due_ms)
_Static_assert(CLOCK_PAUSES_MAX == 3, "one PAUSE_OFFSETS for each");

/* Offsets of the numbers in their order. */
static const size_t first_numbers[FIRST_NUMBERS] = {
	offsetof(struct clock, start_ms), offsetof(struct clock, next_ms),          offsetof(struct clock, stop_ms),
	offsetof(struct clock, pause_ms), offsetof(struct clock, settled.until_ms), offsetof(struct clock, moves),
	ALL_PAUSE_OFFSETS,
};
static const size_t clock_numbers[CLOCK_NUMBERS] = {
	offsetof(struct clock, cycle),    offsetof(struct clock, level),            offsetof(struct clock, start_ms),
	offsetof(struct clock, due_ms),   offsetof(struct clock, next_ms),          offsetof(struct clock, stop_ms),
	offsetof(struct clock, pause_ms), offsetof(struct clock, settled.until_ms), offsetof(struct clock, wanted_ms),
	offsetof(struct clock, count),    offsetof(struct clock, moves),            ALL_PAUSE_OFFSETS,
};

static int64_t *number_in(struct clock *clock, size_t offset)
{
	return (int64_t *)((char *)clock + offset);
}

struct clock *state_clock(struct lead_state *lead, struct slice name, struct arena *arena)
{
	if (slice_is(name, "first_response"))
		return &lead->first_response;
	for (size_t i = 0; i < lead->clock_count; i++)
		if (slice_equal(lead->clocks[i].name, name))
			return &lead->clocks[i];
	if (arena == NULL || lead->clock_count == CLOCK_NAMES_MAX)
		return NULL;
	if (lead->clocks == NULL)
		lead->clocks = arena_raw(arena, CLOCK_NAMES_MAX * sizeof *lead->clocks);
	struct clock *clock = &lead->clocks[lead->clock_count++];
	*clock = (struct clock){.name = name, .cycle = 1};
	return clock;
}

/* ---- the stored form of `next` */

static bool is_off(const struct clock *clock)
{
	return clock->due_ms == 0 || clock->stop_ms != 0 || clock->pause_ms != 0;
}

static int64_t stored_next(const struct clock *clock)
{
	if (is_off(clock) || clock->next_ms == clock->due_ms)
		return 0;
	return clock->next_ms == 0 ? -1 : clock->next_ms;
}

static int64_t real_next(const struct clock *clock)
{
	if (is_off(clock) || clock->next_ms < 0)
		return 0;
	return clock->next_ms == 0 ? clock->due_ms : clock->next_ms;
}

/* What the plain members say of the first response. */
static int64_t plain_next(const struct lead_state *lead, int64_t remind_ms)
{
	const struct clock *clock = &lead->first_response;
	if (clock->due_ms == 0 || lead->touched_ms != 0)
		return 0;
	if (clock->level == CLOCK_RANK_NONE && remind_ms != 0)
		return remind_ms;
	return clock->level < CLOCK_RANK_BREACH ? clock->due_ms : 0;
}

/* ---- writing */

int64_t state_remind_ms(const struct lead_state *lead)
{
	const struct clock *clock = &lead->first_response;
	bool is_reminder = clock->level == CLOCK_RANK_NONE && clock->next_ms != 0 && clock->next_ms < clock->due_ms;
	return is_reminder ? clock->next_ms : 0;
}

static bool is_plain(const struct lead_state *lead)
{
	const struct clock *clock = &lead->first_response;
	if (clock->start_ms == 0)
		return true;
	return clock->start_ms == lead->at_ms && clock->stop_ms == lead->touched_ms && clock->pause_ms == 0 &&
	       clock->moves == 0 && clock->pauses[0].to_ms == 0 &&
	       clock->next_ms == plain_next(lead, state_remind_ms(lead));
}

static void put_numbers(struct json_writer *writer, struct slice name, const struct clock *clock, const size_t *offsets,
                        size_t count)
{
	int64_t numbers[CLOCK_NUMBERS];
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_next = offsets[i] == offsetof(struct clock, next_ms);
		numbers[i] = is_next ? stored_next(clock) : *(const int64_t *)((const char *)clock + offsets[i]);
		kept = numbers[i] != 0 ? i + 1 : kept;
	}
	json_put_ints(writer, name, numbers, kept);
}

void state_put_first(struct json_writer *writer, struct slice name, const struct lead_state *lead)
{
	if (!is_plain(lead))
		put_numbers(writer, name, &lead->first_response, first_numbers, FIRST_NUMBERS);
}

/* One that never ran says nothing. */
static bool is_blank(const struct clock *clock)
{
	return clock->start_ms == 0 && clock->cycle <= 1;
}

void state_put_clocks(struct json_writer *writer, struct slice name, const struct lead_state *lead)
{
	size_t kept = 0;
	for (size_t i = 0; i < lead->clock_count; i++)
		kept += !is_blank(&lead->clocks[i]);
	if (kept == 0)
		return;
	json_open_object_as(writer, name);
	for (size_t i = 0; i < lead->clock_count; i++)
		if (!is_blank(&lead->clocks[i]))
			put_numbers(writer, lead->clocks[i].name, &lead->clocks[i], clock_numbers, CLOCK_NUMBERS);
	json_close_object(writer);
}

/* ---- reading */

static bool scan_numbers(struct scan *scan, struct clock *clock, const size_t *offsets, size_t count)
{
	if (!scan_byte(scan, '['))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!scan_int(scan, number_in(clock, offsets[i])))
			return false;
		if (scan_byte(scan, ']'))
			return true;
		if (!scan_byte(scan, ','))
			return false;
	}
	return false;
}

bool state_scan_first(struct scan *scan, struct lead_state *lead)
{
	return scan_numbers(scan, &lead->first_response, first_numbers, FIRST_NUMBERS);
}

bool state_scan_clocks(struct scan *scan, struct lead_state *lead, struct arena *arena)
{
	struct slice name;
	if (!scan_byte(scan, '{'))
		return false;
	do {
		if (!scan_text(scan, &name) || !scan_byte(scan, ':') || name.len == 0)
			return false;
		size_t before = lead->clock_count;
		struct clock *clock = state_clock(lead, name, arena);
		if (clock == NULL || lead->clock_count == before || !scan_numbers(scan, clock, clock_numbers, CLOCK_NUMBERS))
			return false;
	} while (scan_byte(scan, ','));
	return scan_byte(scan, '}');
}

static bool read_numbers(const struct json *from, struct clock *clock, const size_t *offsets, size_t count)
{
	if (from->type != JSON_IS_ARRAY || from->count == 0 || from->count > count)
		return false;
	for (size_t i = 0; i < from->count; i++) {
		if (from->items[i].type != JSON_IS_INT)
			return false;
		*number_in(clock, offsets[i]) = from->items[i].integer;
	}
	return true;
}

bool state_read_first(const struct json *from, struct lead_state *lead)
{
	return read_numbers(from, &lead->first_response, first_numbers, FIRST_NUMBERS);
}

bool state_read_clocks(const struct json *from, struct lead_state *lead, struct arena *arena)
{
	if (from->type != JSON_IS_OBJECT || from->count == 0)
		return false;
	for (size_t i = 0; i < from->count; i++) {
		size_t before = lead->clock_count;
		struct clock *clock = from->names[i].len != 0 ? state_clock(lead, from->names[i], arena) : NULL;
		if (clock == NULL || lead->clock_count == before ||
		    !read_numbers(&from->items[i], clock, clock_numbers, CLOCK_NUMBERS))
			return false;
	}
	return true;
}

static bool are_sound(const struct clock_pause *pauses)
{
	for (size_t i = 0; i < CLOCK_PAUSES_MAX; i++)
		if (pauses[i].from_ms < 0 || pauses[i].to_ms < pauses[i].from_ms)
			return false;
	return true;
}

static bool is_within(int64_t number, int64_t most)
{
	return number >= -most && number <= most;
}

static bool is_settled_sound(const struct clock_settled *settled)
{
	int64_t days_most = (CALENDAR_END_YEAR - CALENDAR_FIRST_YEAR) * (int64_t)366, most_ms = days_most * 86400000;
	return settled->until_ms >= 0 && settled->until_ms <= most_ms && settled->count >= 0 &&
	       is_within(settled->days, days_most) && is_within(settled->rest_ms, most_ms) && settled->due_ms >= 0;
}

static bool is_sound(const struct clock *clock)
{
	return clock->cycle >= 1 && clock->level >= -CLOCK_LEVELS_MAX && clock->level <= CLOCK_LEVELS_MAX + CLOCK_RANK_BREACH &&
	       clock->start_ms >= 0 && clock->due_ms >= 0 && clock->next_ms >= -1 && clock->stop_ms >= 0 &&
	       clock->pause_ms >= 0 && clock->wanted_ms >= 0 && clock->count >= 0 && are_sound(clock->pauses) &&
	       is_settled_sound(&clock->settled);
}

bool state_clocks_settle(struct lead_state *lead)
{
	struct clock *first = &lead->first_response;
	if (!is_sound(first) || lead->remind_ms < 0)
		return false;
	if (first->start_ms != 0) {
		first->next_ms = real_next(first);
	} else if (first->due_ms != 0) {
		first->start_ms = lead->at_ms;
		first->stop_ms = lead->touched_ms;
		first->next_ms = plain_next(lead, lead->remind_ms);
	}
	lead->remind_ms = 0;
	for (size_t i = 0; i < lead->clock_count; i++) {
		if (!is_sound(&lead->clocks[i]))
			return false;
		lead->clocks[i].next_ms = real_next(&lead->clocks[i]);
	}
	return true;
}
