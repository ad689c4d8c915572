/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/presence.h"

#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/text/zone.h"

enum { VALUE_BYTES_MAX = 1 << 17 };

/* ---- windows */

static int64_t midnight(const struct zone *zone, struct civil day)
{
	day.hour = day.minute = day.second = 0;
	return zone_from_civil(zone, &day, ZONE_FIRST) * 1000;
}

/* The window that `now_ms` lies in: [start, end). Weeks begin on Monday. */
static void window_at(const struct cap *cap, int64_t now_ms, int64_t *ret_start_ms, int64_t *ret_end_ms)
{
	struct civil day, next;
	zone_to_civil(cap->zone, now_ms / 1000 - (now_ms % 1000 < 0), &day);
	if (cap->window == CAP_WEEK)
		day.day -= day.weekday;
	if (cap->window == CAP_MONTH)
		day.day = 1;
	next = day;
	next.day += cap->window == CAP_WEEK ? 7 : cap->window == CAP_DAY ? 1 : 0;
	next.month += cap->window == CAP_MONTH;
	*ret_start_ms = midnight(cap->zone, day);
	*ret_end_ms = midnight(cap->zone, next);
}

static struct usage *usage_of(const struct presence *presence, const struct cap *cap)
{
	for (size_t i = 0; i < presence->usage_count; i++)
		if (slice_equal(presence->usages[i].cap->name, cap->name))
			return &presence->usages[i];
	return NULL;
}

static bool fits_rolling(const struct usage *usage, const struct cap *cap, int64_t units, int64_t now_ms,
                         int64_t *ret_frees_ms)
{
	int64_t room = cap->most - units;
	*ret_frees_ms = NEVER_MS;
	if (room < 0)
		return false; /* never, however long he waits */
	for (size_t i = usage->count; i-- > 0 && usage->at_ms[i] + cap->length_ms > now_ms;) {
		room -= usage->sizes[i];
		if (room < 0) {
			*ret_frees_ms = usage->at_ms[i] + cap->length_ms;
			return false;
		}
	}
	return true;
}

bool presence_fits(const struct presence *presence, const struct cap *cap, int64_t units, int64_t now_ms,
                   int64_t *ret_frees_ms)
{
	const struct usage *usage = usage_of(presence, cap);
	int64_t start_ms, end_ms;
	if (usage == NULL)
		return units <= cap->most;
	if (cap->window == CAP_ROLLING)
		return fits_rolling(usage, cap, units, now_ms, ret_frees_ms);
	window_at(cap, now_ms, &start_ms, &end_ms);
	int64_t used = usage->start_ms == start_ms ? usage->units : 0;
	*ret_frees_ms = units <= cap->most ? end_ms : NEVER_MS;
	return used + units <= cap->most;
}

int64_t presence_eases(const struct presence *presence, const struct cap *cap, int64_t now_ms)
{
	const struct usage *usage = usage_of(presence, cap);
	int64_t start_ms, end_ms;
	if (usage == NULL)
		return NEVER_MS;
	if (cap->window != CAP_ROLLING) {
		window_at(cap, now_ms, &start_ms, &end_ms);
		return usage->start_ms == start_ms && usage->units != 0 ? end_ms : NEVER_MS;
	}
	for (size_t i = 0; i < usage->count; i++)
		if (usage->at_ms[i] + cap->length_ms > now_ms)
			return usage->at_ms[i] + cap->length_ms;
	return NEVER_MS;
}

static int64_t sum_of(const struct usage *usage)
{
	int64_t sum = 0;
	for (size_t i = 0; i < usage->count; i++)
		sum += usage->sizes[i];
	return sum;
}

static void forget_oldest(struct usage *usage)
{
	usage->count--;
	memmove(&usage->at_ms[0], &usage->at_ms[1], usage->count * sizeof *usage->at_ms);
	memmove(&usage->sizes[0], &usage->sizes[1], usage->count * sizeof *usage->sizes);
}

/* The newest that fill the cap are enough: he stays full until the oldest of those has left the window. */
static void add_rolling(struct usage *usage, int64_t units, int64_t now_ms)
{
	while (usage->count > 0 && usage->at_ms[0] + usage->cap->length_ms <= now_ms)
		forget_oldest(usage);
	while (usage->count > 0 && (usage->count == usage->room || sum_of(usage) - usage->sizes[0] + units >= usage->cap->most))
		forget_oldest(usage);
	usage->at_ms[usage->count] = now_ms;
	usage->sizes[usage->count++] = units;
}

void presence_count(struct presence *presence, int64_t units, int64_t now_ms)
{
	for (size_t i = 0; i < presence->usage_count; i++) {
		struct usage *usage = &presence->usages[i];
		int64_t start_ms, end_ms;
		if (usage->cap->window == CAP_ROLLING) {
			add_rolling(usage, units, now_ms);
			continue;
		}
		window_at(usage->cap, now_ms, &start_ms, &end_ms);
		usage->units = (usage->start_ms == start_ms ? usage->units : 0) + units;
		usage->start_ms = start_ms;
	}
}

/* ---- the stored form */

/* Every size is at least 1, so a rolling cap of N is filled by N entries at most. */
static void make_usages(struct presence *presence, const struct cap *const *caps, size_t cap_count, struct arena *arena)
{
	presence->usages = arena_array(arena, cap_count, sizeof *presence->usages);
	presence->usage_count = 0;
	for (size_t i = 0; i < cap_count; i++) {
		struct usage *usage = usage_of(presence, caps[i]);
		if (usage != NULL) {
			usage->cap = caps[i]->most > usage->cap->most ? caps[i] : usage->cap;
			continue;
		}
		if (presence->usage_count == POOL_WINDOWS_MAX)
			break;
		presence->usages[presence->usage_count++] = (struct usage){.cap = caps[i]};
	}
	for (size_t i = 0; i < presence->usage_count; i++) {
		struct usage *usage = &presence->usages[i];
		usage->room = usage->cap->window == CAP_ROLLING ? (size_t)usage->cap->most : 0;
		usage->at_ms = arena_array(arena, usage->room, sizeof *usage->at_ms);
		usage->sizes = arena_array(arena, usage->room, sizeof *usage->sizes);
	}
}

static bool read_usage(struct presence *presence, const struct json *row)
{
	if (row->type != JSON_IS_ARRAY || row->count < 3 || row->count % 2 != 1 || row->items[0].type != JSON_IS_STRING)
		return false;
	for (size_t i = 1; i < row->count; i++)
		if (row->items[i].type != JSON_IS_INT)
			return false;
	struct usage *usage = usage_of(presence, &(struct cap){.name = row->items[0].text});
	if (usage == NULL)
		return true; /* that window counts no more */
	if (usage->cap->window != CAP_ROLLING) {
		usage->start_ms = row->items[1].integer;
		usage->units = row->items[2].integer;
		return row->count == 3;
	}
	size_t pairs = row->count / 2, skipped = pairs > usage->room ? pairs - usage->room : 0;
	for (size_t i = 1 + 2 * skipped; i < row->count; i += 2) {
		usage->at_ms[usage->count] = row->items[i].integer;
		usage->sizes[usage->count++] = row->items[i + 1].integer;
	}
	return true;
}

static int64_t number(const struct json *root, const char *name)
{
	const struct json *value = json_get(root, name);
	return value != NULL && value->type == JSON_IS_INT ? value->integer : 0;
}

int presence_read(struct presence *presence, const struct cap *const *caps, size_t cap_count, struct slice value,
                  struct arena *arena)
{
	*presence = (struct presence){0};
	make_usages(presence, caps, cap_count, arena);
	if (value.len == 0)
		return 0;
	struct arena scratch = ARENA_INIT;
	struct json_limits limits = {VALUE_BYTES_MAX, 4, 2 * POOL_ROLLING_MAX * POOL_WINDOWS_MAX + 100};
	const struct json *root = json_read(value, limits, &scratch, NULL);
	const struct json *windows = json_get(root, "windows");
	bool is_sound = root != NULL && root->type == JSON_IS_OBJECT;
	presence->open = number(root, "open");
	presence->seen_ms = number(root, "seen");
	presence->is_away = number(root, "away") != 0;
	presence->until_ms = number(root, "until");
	presence->late = number(root, "late");
	for (size_t i = 0; windows != NULL && i < windows->count; i++)
		is_sound &= read_usage(presence, &windows->items[i]);
	arena_done(&scratch);
	return is_sound && presence->open >= 0 ? 0 : -1;
}

static void put_usage(struct json_writer *writer, const struct usage *usage)
{
	bool is_rolling = usage->cap->window == CAP_ROLLING;
	if (is_rolling ? usage->count == 0 : usage->units == 0)
		return;
	json_open_array(writer, NULL);
	json_put_text(writer, NULL, usage->cap->name);
	if (!is_rolling) {
		json_put_int(writer, NULL, usage->start_ms);
		json_put_int(writer, NULL, usage->units);
	}
	for (size_t i = 0; is_rolling && i < usage->count; i++) {
		json_put_int(writer, NULL, usage->at_ms[i]);
		json_put_int(writer, NULL, usage->sizes[i]);
	}
	json_close_array(writer);
}

struct slice presence_value(const struct presence *presence, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "open", presence->open);
	if (presence->seen_ms != 0)
		json_put_int(&writer, "seen", presence->seen_ms);
	if (presence->is_away)
		json_put_int(&writer, "away", 1);
	if (presence->until_ms != 0)
		json_put_int(&writer, "until", presence->until_ms);
	if (presence->late != 0)
		json_put_int(&writer, "late", presence->late);
	if (presence->usage_count != 0) {
		json_open_array(&writer, "windows");
		for (size_t i = 0; i < presence->usage_count; i++)
			put_usage(&writer, &presence->usages[i]);
		json_close_array(&writer);
	}
	json_close_object(&writer);
	struct slice value = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return value;
}
