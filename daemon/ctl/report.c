/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl report: figures out of the events in the output topics, or in a file of them.
 *
 * Each event carries what it is counted by and is counted on the day of its own time, so a report from some time on needs no
 * event before that time: the topics are read from the first record that is at most REPORT_SKEW_MS older. Only conversions
 * belong to an earlier day, that of the lead's intake, and their events come later than it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/lines.h"
#include "daemon/ctl/report.h"
#include "daemon/generation.h"
#include "daemon/kafka_tool.h"
#include "daemon/settings.h"
#include "rules/base/suggest.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_text.h"
#include "rules/calendar/instant.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/text/zone.h"

enum { LOOK_MS = 200, LINE_BYTES_MAX = FIGURES_EVENT_BYTES_MAX + 65536 };

static const struct json_limits event_limits = {LINE_BYTES_MAX, 64, 200000};

/* ---- what is asked for */

static int read_dimension(struct report *report, struct slice name)
{
	struct figures_grouping *by = &report->settings.groupings[REPORT_BY];
	enum figure_dimension dimension = figure_dimension_find(name);
	if (dimension == FIGURE_DIMENSIONS_ALL) {
		struct suggest near = suggest_for(name);
		for (int i = 0; i < FIGURE_DIMENSIONS_ALL; i++)
			suggest_offer(&near, slice_of(figure_dimension_name((enum figure_dimension)i)));
		return ctl_usage("there is no dimension `%.*s`%s%.*s", SLICE_ARG(name), near.best.len ? "; did you mean " : "",
		                 SLICE_ARG(near.best));
	}
	for (size_t i = 0; i < by->count; i++)
		if (by->dimensions[i] == dimension)
			return ctl_usage("`%.*s` is named twice", SLICE_ARG(name));
	by->dimensions[by->count++] = dimension;
	return CTL_OK;
}

/* "source,grade" */
static int read_by(struct report *report, const char *text)
{
	for (const char *at = text; text != NULL && at != NULL;) {
		const char *comma = strchr(at, ',');
		struct slice name = {at, comma != NULL ? (size_t)(comma - at) : strlen(at)};
		int code = read_dimension(report, name);
		if (code != CTL_OK)
			return code;
		at = comma != NULL ? comma + 1 : NULL;
	}
	return CTL_OK;
}

static int read_period(struct report *report, const char *text)
{
	if (text == NULL)
		return CTL_OK;
	for (int period = FIGURES_TOTAL; period <= FIGURES_MONTH; period++)
		if (strcmp(text, figures_period_name((enum figures_period)period)) == 0) {
			report->period = (enum figures_period)period;
			return CTL_OK;
		}
	return ctl_usage("--period is day, week, month or total");
}

/* Times without an offset are read in the zone of the report. */
static const struct calendar *zone_calendar(struct report *report)
{
	static const struct hours whole_day = {0, 86400};
	struct calendar_spec spec = {.name = "report", .zone = report->zone};
	for (size_t i = 0; i < 7; i++)
		spec.week[i] = (struct hours_list){&whole_day, 1};
	return calendar_compile(&spec, &report->arena, NULL);
}

static int read_time(struct report *report, const char *text, int64_t *ret_ms)
{
	struct err err = ERR_INIT;
	if (text == NULL)
		return CTL_OK;
	if (strcmp(text, "now") == 0)
		*ret_ms = (int64_t)time(NULL) * 1000;
	else if (calendar_time_parse(zone_calendar(report), slice_of(text), ret_ms, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	return CTL_OK;
}

static int read_sample(struct report *report, const struct ctl_args *args)
{
	const char *sample = ctl_option(args, "sample"), *seed = ctl_option(args, "seed");
	if (sample == NULL)
		return seed == NULL ? CTL_OK : ctl_usage("--seed belongs to --sample");
	if (ctl_option(args, "by") != NULL || ctl_option(args, "period") != NULL)
		return ctl_usage("a sample is of all leads of the period: without --by and --period, with --since and --until");
	char *end;
	long count = strtol(sample, &end, 10);
	if (*sample == '\0' || *end != '\0' || count < 1 || count > REPORT_SAMPLE_MAX)
		return ctl_usage("--sample is a number from 1 to %d", REPORT_SAMPLE_MAX);
	if (seed == NULL || *seed == '\0')
		return ctl_usage("a sample needs --seed, so that it can be drawn again");
	report->seed = slice_of(seed);
	report->sample_max = (size_t)count;
	report->sample = arena_array(&report->arena, report->sample_max + 1, sizeof *report->sample);
	return CTL_OK;
}

static int read_options(struct report *report, const struct ctl_args *args, const struct zone *standard)
{
	const char *zone = ctl_option(args, "zone");
	report->zone = zone != NULL ? zone_load(zone) : standard;
	if (zone != NULL && report->zone == NULL)
		return ctl_usage("there is no zone `%s`", zone);
	report->settings = (struct figures_settings){.zone = report->zone, .grouping_count = 2, .values_max = REPORT_VALUES_MAX};
	report->form = args->json ? REPORT_JSON : ctl_option(args, "csv") != NULL ? REPORT_CSV : REPORT_TABLE;
	int code = read_by(report, ctl_option(args, "by"));
	code = code == CTL_OK ? read_period(report, ctl_option(args, "period")) : code;
	code = code == CTL_OK ? read_time(report, ctl_option(args, "since"), &report->settings.from_ms) : code;
	code = code == CTL_OK ? read_time(report, ctl_option(args, "until"), &report->settings.until_ms) : code;
	code = code == CTL_OK ? read_sample(report, args) : code;
	if (code == CTL_OK && report->settings.until_ms != 0 && report->settings.until_ms <= report->settings.from_ms)
		return ctl_usage("--until does not lie behind --since");
	report->figures = figures_new(&report->settings, &report->arena);
	return code;
}

/* ---- the topics */

static void take_seen(struct report *report, const struct kafka_follower *follower, const struct kafka_seen *seen,
                      struct arena *scratch)
{
	struct slice record = kafka_follower_header(follower, "leadrouter.error.record");
	struct figures_event event = {.type = kafka_follower_header(follower, "ce_type"), .data = seen->value,
	                              .at_ms = seen->timestamp_ms, .code = kafka_follower_header(follower, "leadrouter.error.code")};
	event.is_lead_record = !slice_is(record, "activity");
	if (event.code.len != 0) {
		event.type = SLICE("lead.rejected");
		event.data = SLICE_NONE;
	} else if (json_read(seen->value, event_limits, scratch, NULL) == NULL) {
		report->bad_lines++;
		return;
	}
	report_take(report, &event);
}

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int read_topics(struct report *report, struct kafka_follower *follower, int64_t idle_ms, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	int64_t last_ms = monotonic_ms();
	int found = 0;
	while (!kafka_follower_has_read_all(follower) && monotonic_ms() - last_ms < idle_ms) {
		struct kafka_seen seen;
		found = kafka_follower_next(follower, LOOK_MS, &seen, err);
		if (found < 0)
			break;
		if (found == 0)
			continue;
		take_seen(report, follower, &seen, &scratch);
		arena_reset(&scratch);
		last_ms = monotonic_ms();
	}
	arena_done(&scratch);
	if (found >= 0 && !kafka_follower_has_read_all(follower))
		return err_set(err, ERR_REPORT_INCOMPLETE, "the end of some topic did not come for %lld ms", (long long)idle_ms);
	return found < 0 ? -1 : 0;
}

static int run_topics(struct report *report, const struct ctl_args *args, const struct generation *generation)
{
	struct err err = ERR_INIT;
	const struct kafka_options options = settings_kafka(generation_config(generation), &report->arena);
	int64_t from_ms = report->settings.from_ms > REPORT_SKEW_MS ? report->settings.from_ms - REPORT_SKEW_MS : 0;
	struct kafka_follower *follower = kafka_follower_new_at(&options, options.outputs, OUT_TOPICS, from_ms, &err);
	int64_t idle_ms = args->idle_ms > 0 ? args->idle_ms : REPORT_IDLE_MS;
	int result = follower != NULL ? read_topics(report, follower, idle_ms, &err) : -1;
	kafka_follower_free(follower);
	return result == 0 ? CTL_OK : ctl_fail(CTL_UNAVAILABLE, &err);
}

/* ---- a file: what `leadctl watch --json` printed, or CloudEvents in structured mode, one a line */

static struct slice text_of(const struct json *line, const char *name)
{
	return json_get_text(line, name);
}

static bool take_line(struct report *report, struct slice bytes, struct arena *scratch)
{
	const struct json *line = json_read_wide(bytes, event_limits, scratch, NULL);
	if (line == NULL || line->type != JSON_IS_OBJECT)
		return false;
	struct figures_event event = {.type = text_of(line, "type"), .code = text_of(line, "code")};
	int64_t time_ms = instant_parse(text_of(line, "time"));
	event.at_ms = time_ms > 0 ? time_ms : 0;
	event.is_lead_record = !slice_is(text_of(line, "record"), "activity");
	if (event.code.len != 0)
		event.type = SLICE("lead.rejected");
	else
		event.data = figures_raw_member(bytes, SLICE("data"));
	if (event.type.len == 0)
		return false;
	report_take(report, &event);
	return true;
}

static int read_lines(struct report *report, FILE *file)
{
	struct arena scratch = ARENA_INIT;
	struct lines lines;
	struct slice line;
	enum lines_step step;
	lines_init(&lines, file, LINE_BYTES_MAX);
	while ((step = lines_next(&lines, &line)) == LINES_LINE || step == LINES_TOO_LONG) {
		bool is_good = step == LINES_LINE && (line.len == 0 || take_line(report, line, &scratch));
		if (!is_good && report->bad_lines++ == 0) {
			struct err err = ERR_INIT;
			err_set(&err, ERR_REPORT_LINE, "line %zu is no event", lines.number);
			ctl_fail(CTL_FAILED, &err);
		}
		arena_reset(&scratch);
	}
	lines_done(&lines);
	arena_done(&scratch);
	return step == LINES_FAILED ? -1 : 0;
}

static int run_file(struct report *report, const char *name)
{
	struct err err = ERR_INIT;
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(name, "re");
	int result = file != NULL ? read_lines(report, file) : -1;
	if (result != 0)
		err_set(&err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
	if (file != NULL && !is_stdin)
		fclose(file);
	return result == 0 ? CTL_OK : ctl_fail(CTL_FAILED, &err);
}

/* ---- the verb */

static int finish(struct report *report)
{
	if (report->sample_max != 0)
		report_print_sample(report);
	else
		report_print(report);
	if (report->bad_lines == 0)
		return CTL_OK;
	fprintf(stderr, "leadctl: %zu events could not be read and are not counted\n", report->bad_lines);
	return CTL_FAILED;
}

static const struct zone *zone_of(const struct generation *generation)
{
	return calendar_zone(generation_model(generation)->calendar);
}

int ctl_report(const struct ctl_args *args)
{
	if (ctl_option(args, "definitions") != NULL) {
		report_print_definitions();
		return CTL_OK;
	}
	if (args->rest_count != 0)
		return ctl_usage("`%s` is no option; a file of events is given with --file", args->rest[0]);
	const char *file = ctl_option(args, "file");
	struct generation *generation = file == NULL ? ctl_load(args) : NULL;
	if (file == NULL && generation == NULL)
		return CTL_CONFIG;
	struct report report = {.arena = ARENA_INIT};
	int code = read_options(&report, args, generation != NULL ? zone_of(generation) : zone_load("UTC"));
	if (code == CTL_OK)
		code = file != NULL ? run_file(&report, file) : run_topics(&report, args, generation);
	if (code == CTL_OK)
		code = finish(&report);
	arena_done(&report.arena);
	generation_unref(generation);
	return code;
}
