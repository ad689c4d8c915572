/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar: any hours, dates and holidays either are refused or make a calendar whose answers fit each other.
 * Bytes: zone, then groups of five: kind, day, open, close.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar/calendar.h"
#include "rules/text/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { GROUP_BYTES = 5, ITEMS_MAX = 32, SECONDS_STEP = 340 };

static const char *const ZONES[] = {"UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
                                    "Africa/Casablanca", "Asia/Tehran", "America/Havana"};

struct input {
	struct calendar_spec spec;
	struct hours hours[ITEMS_MAX];
	struct dated_hours dates[ITEMS_MAX], breaks[ITEMS_MAX];
	struct holiday holidays[ITEMS_MAX];
};

static void add_group(struct input *input, const uint8_t *group, size_t number)
{
	struct calendar_spec *spec = &input->spec;
	struct hours *hours = &input->hours[number];
	int64_t day = group[1] * 256 + group[2];
	*hours = (struct hours){group[3] * SECONDS_STEP, group[4] * SECONDS_STEP};
	struct hours_list list = {hours, 1};
	switch (group[0] % 5) {
	case 0:
		spec->week[day % 7] = list;
		break;
	case 1:
		spec->breaks[day % 7] = list;
		break;
	case 2:
		input->dates[spec->date_count++] = (struct dated_hours){day, list};
		break;
	case 3:
		input->breaks[spec->date_break_count++] = (struct dated_hours){day, list};
		break;
	default:
		input->holidays[spec->holiday_count++] = (struct holiday){day, NULL};
	}
}

static void ask(const struct calendar *calendar, int64_t at_ms, int64_t amount_ms)
{
	int64_t due = calendar_deadline(calendar, at_ms, amount_ms);
	if (due != CALENDAR_NEVER) {
		assert(calendar_elapsed(calendar, at_ms, due) == amount_ms);
		assert(amount_ms == 0 || calendar_is_open(calendar, due - 1));
		int64_t back = calendar_deadline_before(calendar, due, amount_ms);
		assert(amount_ms == 0 || back >= at_ms);
	}
	int64_t next = calendar_next_open(calendar, at_ms);
	assert(next == CALENDAR_NEVER || (next >= at_ms && calendar_is_open(calendar, next)));
	int64_t later = calendar_add_days(calendar, at_ms, 3, CALENDAR_CLAMP);
	assert(later == CALENDAR_NEVER || later >= next);
	struct calendar_piece pieces[16];
	bool is_cut;
	calendar_explain(calendar, at_ms, at_ms + 40 * 86400000LL, pieces, 16, &is_cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.spec = {.name = "fuzz"}};
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	if (size == 0)
		return 0;
	input.spec.zone = zone_load(ZONES[bytes[0] % 8]);
	input.spec.dates = input.dates;
	input.spec.date_breaks = input.breaks;
	input.spec.holidays = input.holidays;
	for (size_t n = 0; n < ITEMS_MAX && 1 + (n + 1) * GROUP_BYTES <= size; n++)
		add_group(&input, bytes + 1 + n * GROUP_BYTES, n);
	const struct calendar *calendar = calendar_compile(&input.spec, &arena, &err);
	assert(calendar != NULL || err.code != ERR_NONE);
	for (size_t at = 0; calendar != NULL && at < size; at++)
		ask(calendar, bytes[at] * 18000000000LL - 9999, bytes[size - 1 - at] * 7654321LL);
	arena_done(&arena);
	return 0;
}
