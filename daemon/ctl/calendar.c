/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl calendar: what a calendar of the configuration means, day by day.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "rules/base/slice.h"
#include "rules/calendar/calendar.h"
#include "rules/model.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { DAYS_SHOWN = 14, DAYS_MAX = 3660, PIECES_MAX = CALENDAR_HOURS_MAX + 2 };

/* Times of one day: "00:00:00" is left to "00:00"; the end of a day is 24:00. */
static void put_time(const struct calendar *calendar, int64_t at_ms, int64_t end_of_day_ms)
{
	struct civil civil;
	if (at_ms == end_of_day_ms) {
		fputs("24:00", stdout);
		return;
	}
	zone_to_civil(calendar_zone(calendar), at_ms / 1000, &civil);
	printf("%02d:%02d", civil.hour, civil.minute);
	if (civil.second != 0)
		printf(":%02d", civil.second);
}

static int64_t first_instant(const struct calendar *calendar, int64_t day)
{
	struct civil civil = {0};
	date_from_day(day, &civil.year, &civil.month, &civil.day);
	return zone_from_civil(calendar_zone(calendar), &civil, ZONE_FIRST) * 1000;
}

static void print_pieces(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	struct calendar_piece pieces[PIECES_MAX];
	bool is_cut, has_open = false;
	const char *holiday = NULL;
	size_t count = calendar_explain(calendar, from_ms, to_ms, pieces, PIECES_MAX, &is_cut);
	for (size_t n = 0; n < count; n++) {
		holiday = holiday == NULL ? pieces[n].holiday : holiday;
		if (!pieces[n].is_open)
			continue;
		fputs(has_open ? ", " : "  ", stdout);
		put_time(calendar, pieces[n].from_ms, to_ms);
		putchar('-');
		put_time(calendar, pieces[n].to_ms, to_ms);
		has_open = true;
	}
	if (!has_open)
		fputs("  closed", stdout);
	if (holiday != NULL)
		printf("  (%s)", holiday);
}

static void print_day(const struct calendar *calendar, int64_t day)
{
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	int64_t year, from_ms = first_instant(calendar, day), to_ms = first_instant(calendar, day + 1);
	int month, date;
	date_from_day(day, &year, &month, &date);
	printf("%s %04d-%02d-%02d", names[date_weekday(day)], (int)year, month, date);
	if (from_ms == to_ms) {
		puts("  there is no such day in this zone");
		return;
	}
	print_pieces(calendar, from_ms, to_ms);
	int change_minutes = (int)((86400000 - (to_ms - from_ms)) / 60000);
	if (change_minutes != 0)
		printf("  (clocks go %d minutes %s)", change_minutes < 0 ? -change_minutes : change_minutes,
		       change_minutes < 0 ? "back" : "forward");
	putchar('\n');
}

int ctl_read_days(const struct ctl_args *args, int64_t first_day, int64_t length, int64_t *ret_from, int64_t *ret_until)
{
	const char *from = ctl_option(args, "from"), *until = ctl_option(args, "until");
	struct err err = ERR_INIT;
	*ret_from = first_day;
	if (from != NULL && calendar_date_parse(slice_of(from), ret_from, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	*ret_until = *ret_from + length - 1;
	if (until != NULL && calendar_date_parse(slice_of(until), ret_until, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	if (*ret_until < *ret_from)
		return ctl_usage("--until lies before --from");
	return CTL_OK;
}

static int run_show(const struct ctl_args *args, const struct generation *generation)
{
	const struct calendar *calendar = ctl_find_calendar(generation, args->rest[0]);
	int64_t from = 0, until = 0;
	if (calendar == NULL)
		return CTL_USAGE;
	int code = ctl_read_days(args, calendar_day_at(calendar, (int64_t)time(NULL) * 1000), DAYS_SHOWN, &from, &until);
	if (code != CTL_OK)
		return code;
	if (until - from >= DAYS_MAX)
		return ctl_usage("more than %d days", DAYS_MAX);
	printf("%s, zone %s, tz data %s, version %016llx\n", calendar_name(calendar), zone_name(calendar_zone(calendar)),
	       generation_model(generation)->tzdata_version, (unsigned long long)calendar_version(calendar));
	for (int64_t day = from; day <= until; day++)
		print_day(calendar, day);
	return CTL_OK;
}

int ctl_calendar(const struct ctl_args *args)
{
	if (args->rest_count == 2 && strcmp(args->rest[0], "import") == 0)
		return ctl_calendar_import(args);
	if (args->rest_count != 1)
		return ctl_usage("say which calendar to show, or import FILE.ics");
	struct generation *generation = ctl_load(args);
	int code = generation != NULL ? run_show(args, generation) : CTL_CONFIG;
	generation_unref(generation);
	return code;
}
