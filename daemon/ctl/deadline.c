/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl deadline: business time by a calendar of the configuration, with its reasons; or questions one a line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/lines.h"
#include "daemon/generation.h"
#include "rules/base/arena.h"
#include "rules/base/suggest.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_question.h"
#include "rules/calendar/calendar_text.h"
#include "rules/calendar/span.h"
#include "rules/model.h"
#include "rules/text/zone.h"

enum { PIECES_SHOWN = 200, LENGTH_BYTES = 64 };

/* ---- questions, one a line */

static bool answer(enum lines_step step, struct slice line, struct arena *arena, struct strbuf *out)
{
	if (step == LINES_LINE)
		return calendar_question_answer(line, arena, out);
	strbuf_printf(out, "{\"id\":null,\"error\":\"%s[%s] a line has more than %d bytes\"}\n", err_number(ERR_RECORD_TOO_LARGE),
	              err_word(ERR_RECORD_TOO_LARGE), (int)CALENDAR_QUESTION_BYTES_MAX);
	return false;
}

static int answer_lines(FILE *file)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct lines lines;
	struct slice line;
	enum lines_step step;
	bool is_good = true;
	lines_init(&lines, file, CALENDAR_QUESTION_BYTES_MAX);
	while ((step = lines_next(&lines, &line)) == LINES_LINE || step == LINES_TOO_LONG) {
		if (step == LINES_LINE && line.len == 0)
			continue;
		is_good &= answer(step, line, &arena, &out);
		fputs(strbuf_text(&out), stdout);
		fflush(stdout); /* somebody may wait for this answer before asking on */
		strbuf_clear(&out);
		arena_reset(&arena);
	}
	if (step == LINES_FAILED) {
		ctl_usage("reading failed: %s", strerror(errno));
		is_good = false;
	}
	lines_done(&lines);
	strbuf_done(&out);
	arena_done(&arena);
	return is_good ? CTL_OK : CTL_FAILED;
}

/* ---- one deadline, with its reasons */

const struct calendar *ctl_find_calendar(const struct generation *generation, const char *name)
{
	const struct model *model = generation_model(generation);
	const struct calendar *calendar = model_find_calendar(model, slice_of(name));
	if (calendar != NULL)
		return calendar;
	struct suggest near = suggest_for(slice_of(name));
	for (size_t i = 0; i < model->calendar_count; i++)
		suggest_offer(&near, slice_of(calendar_name(model->calendars[i])));
	if (near.best.len > 0)
		ctl_usage("no calendar is called `%s`; did you mean `%.*s`?", name, SLICE_ARG(near.best));
	else
		ctl_usage("no calendar is called `%s`", name);
	return NULL;
}

/* "1d 2h 30m"; parts that are zero are left out. */
static const char *length_text(int64_t ms, char text[LENGTH_BYTES])
{
	int64_t seconds = ms / 1000;
	const int64_t amounts[] = {seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60};
	size_t len = 0;
	text[0] = '\0';
	for (size_t n = 0; n < 4; n++)
		if (amounts[n] != 0 || (n == 3 && len == 0))
			len += (size_t)snprintf(text + len, LENGTH_BYTES - len, "%s%lld%c", len ? " " : "", (long long)amounts[n], "dhms"[n]);
	return text;
}

static void print_piece(const struct calendar *calendar, const struct calendar_piece *piece, int64_t counted_ms)
{
	char from[CALENDAR_TIME_BYTES], to[CALENDAR_TIME_BYTES], length[LENGTH_BYTES], sum[LENGTH_BYTES];
	calendar_time_format(calendar, piece->from_ms, from);
	calendar_time_format(calendar, piece->to_ms, to);
	printf("  %s  %s to %s  %s", piece->is_open ? "open  " : "closed", from, to,
	       length_text(piece->to_ms - piece->from_ms, length));
	if (piece->is_open)
		printf(", %s in all", length_text(counted_ms, sum));
	else if (piece->holiday != NULL)
		printf(" (%s)", piece->holiday);
	putchar('\n');
}

static void print_timeline(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	struct calendar_piece pieces[PIECES_SHOWN];
	bool is_cut;
	int64_t counted_ms = 0;
	size_t count = calendar_explain(calendar, from_ms, to_ms, pieces, PIECES_SHOWN, &is_cut);
	for (size_t n = 0; n < count; n++) {
		counted_ms += pieces[n].is_open ? pieces[n].to_ms - pieces[n].from_ms : 0;
		print_piece(calendar, &pieces[n], counted_ms);
	}
	if (is_cut)
		printf("  and so on; open in all: %lld s\n", (long long)(calendar_elapsed(calendar, from_ms, to_ms) / 1000));
}

static int64_t move(const struct calendar *calendar, int64_t at_ms, const struct span *span, bool is_back)
{
	return is_back ? calendar_subtract_span(calendar, at_ms, span) : calendar_add_span(calendar, at_ms, span);
}

/* One part of a span: "2bd", and the stretches that it goes over. */
static int64_t explain_part(const struct calendar *calendar, int64_t at_ms, struct span part, bool is_back)
{
	char amount[SPAN_TEXT_BYTES], text[CALENDAR_TIME_BYTES];
	if (span_is_zero(&part) || at_ms == CALENDAR_NEVER)
		return at_ms;
	int64_t next_ms = move(calendar, at_ms, &part, is_back);
	span_format(&part, amount);
	calendar_time_format(calendar, next_ms, text);
	printf("%s %s: %s\n", is_back ? "minus" : "plus", amount, text);
	if (next_ms != CALENDAR_NEVER && (part.business_ms != 0 || part.business_days != 0))
		print_timeline(calendar, at_ms < next_ms ? at_ms : next_ms, at_ms < next_ms ? next_ms : at_ms);
	return next_ms;
}

static void explain(const struct model *model, const struct calendar *calendar, int64_t start_ms, const struct span *span,
                    bool is_back)
{
	const struct span parts[] = {{.days = span->days},
	                             {.business_days = span->business_days},
	                             {.elapsed_ms = span->elapsed_ms},
	                             {.business_ms = span->business_ms}};
	char text[CALENDAR_TIME_BYTES];
	calendar_time_format(calendar, start_ms, text);
	printf("calendar %s, zone %s, tz data %s\nfrom %s\n", calendar_name(calendar), zone_name(calendar_zone(calendar)),
	       model->tzdata_version, text);
	for (size_t n = 0; n < 4; n++)
		start_ms = explain_part(calendar, start_ms, parts[is_back ? 3 - n : n], is_back);
}

static int parse_start(const struct calendar *calendar, const char *text, int64_t *ret_ms, struct err *err)
{
	if (strcmp(text, "now") != 0)
		return calendar_time_parse(calendar, slice_of(text), ret_ms, err);
	*ret_ms = (int64_t)time(NULL) * 1000;
	return 0;
}

static int run_deadline(const struct ctl_args *args, const struct generation *generation)
{
	const struct calendar *calendar = ctl_find_calendar(generation, args->rest[0]);
	bool is_back = ctl_option(args, "before") != NULL;
	struct err err = ERR_INIT;
	struct span span;
	int64_t start_ms;
	if (calendar == NULL)
		return CTL_USAGE;
	if (parse_start(calendar, args->rest[1], &start_ms, &err) != 0 || span_parse(slice_of(args->rest[2]), &span, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	if (args->explain)
		explain(generation_model(generation), calendar, start_ms, &span, is_back);
	int64_t due_ms = move(calendar, start_ms, &span, is_back);
	char text[CALENDAR_TIME_BYTES];
	calendar_time_format(calendar, due_ms, text);
	printf("%s%s\n", args->explain ? "due " : "", text);
	return due_ms != CALENDAR_NEVER ? CTL_OK : CTL_FAILED;
}

int ctl_deadline(const struct ctl_args *args)
{
	if (ctl_option(args, "jsonl") != NULL)
		return lines_answer(args, answer_lines);
	if (args->rest_count != 3)
		return ctl_usage("say which calendar, from when and how long: leadctl deadline office 2026-11-20T16:00 \"2bd 1bh\"");
	struct generation *generation = ctl_load(args);
	int code = generation != NULL ? run_deadline(args, generation) : CTL_CONFIG;
	generation_unref(generation);
	return code;
}
