/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl calendar import: an iCalendar file as lines of the configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ics.h"
#include "rules/base/arena.h"
#include "rules/calendar/calendar.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { YEARS = 3, TITLE_NAME_BYTES = 200 };

/* At most one byte more than ics_read takes, so that it says what is too long. */
static int read_file(const char *name, struct strbuf *bytes, struct err *err)
{
	char buffer[65536];
	bool is_file = strcmp(name, "-") != 0;
	FILE *file = is_file ? fopen(name, "re") : stdin;
	if (file == NULL)
		return err_set(err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
	for (size_t len; bytes->len <= ICS_BYTES_MAX && (len = fread(buffer, 1, sizeof buffer, file)) > 0;)
		strbuf_append(bytes, buffer, len);
	int problem = ferror(file) ? errno : 0;
	if (is_file)
		fclose(file);
	return problem == 0 ? 0 : err_set(err, ERR_TOOL_FILE, "%s: %s", name, strerror(problem));
}

static int check_interval(struct slice text, struct err *err)
{
	struct hours hours;
	const char *dash = memchr(text.p, '-', text.len);
	if (dash == NULL)
		return err_set(err, ERR_BAD_HOURS, "--hours are written 09:00-12:00,13:00-18:00");
	size_t len = (size_t)(dash - text.p);
	return hours_parse((struct slice){text.p, len}, (struct slice){dash + 1, text.len - len - 1}, &hours, err);
}

static int read_work(const struct ctl_args *args, struct ics_work *ret_work, struct err *err)
{
	*ret_work = (struct ics_work){ctl_option(args, "work"), ctl_option(args, "hours")};
	if ((ret_work->text == NULL) != (ret_work->hours == NULL))
		return err_set(err, ERR_BAD_HOURS, "--work and --hours go together");
	if (ret_work->text != NULL && *ret_work->text == '\0')
		return err_set(err, ERR_BAD_VALUE, "--work is empty");
	for (const char *at = ret_work->hours; at != NULL;) {
		const char *comma = strchr(at, ',');
		size_t len = comma != NULL ? (size_t)(comma - at) : strlen(at);
		if (check_interval((struct slice){at, len}, err) != 0)
			return -1;
		at = comma != NULL ? comma + 1 : NULL;
	}
	return 0;
}

static int64_t new_year(void)
{
	struct tm tm;
	time_t now = time(NULL);
	gmtime_r(&now, &tm);
	return date_to_day(tm.tm_year + 1900, 1, 1);
}

/* CTL_OK, or an exit code. */
static int read_options(const struct ctl_args *args, struct ics_options *ret_options)
{
	const char *zone = ctl_option(args, "zone");
	int64_t first = new_year(), year;
	int month, day;
	date_from_day(first, &year, &month, &day);
	int64_t length = date_to_day(year + YEARS, 1, 1) - first;
	ret_options->zone = zone_load(zone != NULL ? zone : "UTC");
	if (ret_options->zone == NULL)
		return ctl_usage("no time zone is called `%s`; names look like Europe/Berlin", zone);
	int code = ctl_read_days(args, first, length, &ret_options->from_day, &ret_options->until_day);
	if (code == CTL_OK && (ret_options->from_day < date_to_day(CALENDAR_FIRST_YEAR, 1, 1) ||
	                       ret_options->until_day >= date_to_day(CALENDAR_END_YEAR, 1, 1)))
		return ctl_usage("calendars reach from %d to %d", CALENDAR_FIRST_YEAR, CALENDAR_END_YEAR - 1);
	return code;
}

/* The file's own name, on one line. */
static const char *title_of(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');
	char *title = arena_printf(arena, "%.*s", (int)TITLE_NAME_BYTES, slash != NULL ? slash + 1 : path);
	for (char *at = title; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F)
			*at = '?';
	return title;
}

int ctl_calendar_import(const struct ctl_args *args)
{
	struct arena arena = ARENA_INIT;
	struct strbuf bytes = STRBUF_INIT, out = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct ics_options options;
	struct ics_work work;
	struct ics_days days;
	int code = read_options(args, &options);
	if (code != CTL_OK)
		return code;
	if (read_work(args, &work, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	if (read_file(args->rest[1], &bytes, &err) != 0 ||
	    ics_read((struct slice){strbuf_text(&bytes), bytes.len}, &options, &arena, &days, &err) != 0) {
		code = ctl_fail(CTL_FAILED, &err);
	} else {
		ics_write_yaml(&days, &work, title_of(args->rest[1], &arena), &out);
		fputs(strbuf_text(&out), stdout);
	}
	strbuf_done(&bytes);
	strbuf_done(&out);
	arena_done(&arena);
	return code;
}
