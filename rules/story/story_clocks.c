/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of a story: each with its start, what of its calendar counts and what is skipped, its levels and its due time, in the
 * local time of the calendar.
 */
#include "rules/story/story.h"

#include <stdio.h>

#include "rules/calendar/instant.h"
#include "rules/story/explain_parts.h"
#include "rules/text/zone.h"

/* "Mon 2026-11-23 08:30", with seconds where there are any. */
static void put_local(struct strbuf *out, const struct zone *zone, struct slice instant)
{
	static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	int64_t ms = instant_parse(instant);
	struct civil civil;
	if (zone == NULL || ms < 0) {
		put(out, instant);
		return;
	}
	zone_to_civil(zone, ms / 1000, &civil);
	strbuf_printf(out, "%s %04lld-%02d-%02d %02d:%02d", days[civil.weekday], (long long)civil.year, civil.month, civil.day,
	              civil.hour, civil.minute);
	if (civil.second != 0)
		strbuf_printf(out, ":%02d", civil.second);
}

/* "2 h 5 min" */
static void put_length(struct strbuf *out, int64_t ms)
{
	int64_t seconds = ms / 1000, hours = seconds / 3600, minutes = seconds / 60 % 60;
	seconds %= 60;
	const char *gap = "";
	if (hours != 0) {
		strbuf_printf(out, "%lld h", (long long)hours);
		gap = " ";
	}
	if (minutes != 0 || (hours == 0 && seconds == 0)) {
		strbuf_printf(out, "%s%lld min", gap, (long long)minutes);
		gap = " ";
	}
	if (seconds != 0)
		strbuf_printf(out, "%s%lld s", gap, (long long)seconds);
}

static void put_moment(struct strbuf *out, const struct zone *zone, const char *what, struct slice instant, const char *more)
{
	if (instant.len == 0)
		return;
	begin_line(out, "");
	strbuf_printf(out, "%-9s ", what);
	put_local(out, zone, instant);
	strbuf_puts(out, more);
	strbuf_putc(out, '\n');
}

static void put_piece(struct strbuf *out, const struct zone *zone, const struct json *piece)
{
	struct slice from = json_get_text(piece, "from"), to = json_get_text(piece, "to");
	begin_line(out, "");
	strbuf_puts(out, is_true(piece, "counts") ? "counts    " : "skipped   ");
	put_local(out, zone, from);
	strbuf_puts(out, " to ");
	put_local(out, zone, to);
	if (is_true(piece, "counts")) {
		strbuf_puts(out, ", ");
		put_length(out, instant_parse(to) - instant_parse(from));
	}
	if (json_get_text(piece, "holiday").len != 0) {
		strbuf_puts(out, ", ");
		put_text(out, piece, "holiday");
	}
	strbuf_putc(out, '\n');
}

/* Levels beside the breach, before or after the due time. */
static void put_levels(struct strbuf *out, const struct zone *zone, const struct json *clock, bool before)
{
	const struct json *levels = json_get(clock, "levels");
	int64_t due_ms = instant_parse(json_get_text(clock, "due"));
	for (size_t i = 0; i < count_of(levels); i++) {
		struct slice at = json_get_text(&levels->items[i], "at"), name = json_get_text(&levels->items[i], "name");
		if ((instant_parse(at) < due_ms) != before)
			continue;
		struct strbuf what = STRBUF_INIT;
		if (slice_is(name, "pre_breach"))
			strbuf_puts(&what, "reminder");
		else
			put_words(&what, name);
		put_moment(out, zone, strbuf_text(&what), at, is_true(&levels->items[i], "told") ? ", told" : "");
		strbuf_done(&what);
	}
}

/* Of a lead that people have worked on. */
static void put_interruptions(struct strbuf *out, const struct zone *zone, const struct json *clock)
{
	const struct json *pauses = json_get(clock, "pauses");
	if (json_get(clock, "paused_before") != NULL) {
		begin_line(out, "");
		strbuf_puts(out, "paused    before ");
		put_local(out, zone, json_get_text(clock, "paused_before"));
		strbuf_puts(out, ", ");
		put_text(out, clock, "left_then");
		strbuf_puts(out, " were left then\n");
	}
	for (size_t i = 0; i < count_of(pauses); i++) {
		begin_line(out, "");
		strbuf_puts(out, "paused    ");
		put_local(out, zone, json_get_text(&pauses->items[i], "from"));
		strbuf_puts(out, " to ");
		put_local(out, zone, json_get_text(&pauses->items[i], "to"));
		strbuf_putc(out, '\n');
	}
	put_moment(out, zone, "paused", json_get_text(clock, "paused"), ", and stands still since");
	put_moment(out, zone, "stopped", json_get_text(clock, "stopped"), is_true(clock, "overdue") ? ", too late" : "");
}

/* "cadence, 2 times in 7d (conf.d/50-followup.yaml:41)" */
static void put_plan(struct strbuf *out, const struct json *clock)
{
	put_words(out, json_get_text(clock, "clock"));
	if (int_of(clock, "times") != 0)
		strbuf_printf(out, ", %lld times in", (long long)int_of(clock, "times"));
	put_between(out, int_of(clock, "times") != 0 ? " " : ", ", clock, "allows", "");
	put_place(out, clock);
}

static void put_clock(struct strbuf *out, const struct json *clock)
{
	char name[ZONE_NAME_BYTES + 1];
	struct slice zone_text = json_get_text(clock, "zone");
	snprintf(name, sizeof name, "%.*s", SLICE_ARG(zone_text));
	const struct zone *zone = zone_load(name);
	const struct json *pieces = json_get(clock, "pieces");
	begin_line(out, "Clock");
	put_plan(out, clock);
	strbuf_puts(out, is_true(clock, "all_time_counts") ? ", all time counts" : ", by calendar ");
	if (!is_true(clock, "all_time_counts"))
		put_text(out, clock, "calendar");
	strbuf_puts(out, ", times of ");
	put(out, zone_text);
	strbuf_putc(out, '\n');
	put_moment(out, zone, "start", json_get_text(clock, "start"), "");
	put_moment(out, zone, "date", json_get_text(clock, "wanted"), ", that was set");
	if (int_of(clock, "extensions") != 0) {
		begin_line(out, "");
		strbuf_printf(out, "extended  by %lld act%s\n", (long long)int_of(clock, "extensions"),
		              int_of(clock, "extensions") == 1 ? "" : "s");
	}
	for (size_t i = 0; i < count_of(pieces); i++)
		put_piece(out, zone, &pieces->items[i]);
	if (is_true(clock, "more_pieces")) {
		begin_line(out, "");
		strbuf_puts(out, "… and so on\n");
	}
	put_interruptions(out, zone, clock);
	put_levels(out, zone, clock, true);
	put_moment(out, zone, "due", json_get_text(clock, "due"), is_true(clock, "overdue") ? ", overdue" : "");
	put_levels(out, zone, clock, false);
}

void story_clocks(struct strbuf *out, const struct json *story)
{
	const struct json *clocks = json_get(story, "clocks");
	for (size_t i = 0; i < count_of(clocks); i++)
		put_clock(out, &clocks->items[i]);
}

void story_timeline(struct strbuf *out, const struct json *story)
{
	bool has_clocks = count_of(json_get(story, "clocks")) > 0;
	if (!has_clocks && json_get(story, "reject") != NULL) {
		story_short(out, story);
		strbuf_putc(out, '\n');
		return;
	}
	strbuf_puts(out, "Lead ");
	put_text(out, story, "lead_id");
	strbuf_puts(out, has_clocks ? ":\n" : ": no clock was started.\n");
	story_clocks(out, story);
}
