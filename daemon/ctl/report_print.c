/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures as tables for people, CSV for spreadsheets, one JSON object a line for programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/report.h"
#include "rules/base/mem.h"
#include "rules/calendar/calendar.h"
#include "rules/json/json.h"
#include "rules/text/date.h"
#include "rules/text/normalise.h"
#include "rules/text/zone.h"

enum { LABELS_MAX = FIGURE_DIMENSIONS_ALL + 1, LINE_WIDTH = 90 };

/* ---- rows by period */

/* Days added up to periods. */
static struct figures *by_period(struct report *report)
{
	struct figures_settings settings = report->settings;
	settings.values_max = 0;
	struct figures *periods = figures_new(&settings, &report->arena);
	size_t count;
	struct figures_row *const *rows = figures_rows(report->figures, &count);
	for (size_t i = 0; i < count; i++) {
		int64_t start = figures_period_start(report->period, rows[i]->day);
		figures_cell_merge(figures_cell(periods, rows[i]->grouping, start, rows[i]->value), &rows[i]->cell, &report->arena);
	}
	return periods;
}

/* The groups, or only the rows of all leads when no dimension was asked for; behind groups, all of them together. */
static size_t rows_of(struct report *report, struct figures_row *const **ret_rows)
{
	size_t count, first = 0;
	struct figures_row *const *rows = figures_rows(by_period(report), &count);
	if (report->settings.groupings[REPORT_BY].count == 0)
		while (first < count && rows[first]->grouping == REPORT_BY)
			first++;
	*ret_rows = rows + first;
	return count - first;
}

/* Period and dimensions of a row; "all" in place of the dimensions of all leads. */
static size_t labels_of(const struct report *report, const struct figures_row *row, char *period,
                        struct slice labels[LABELS_MAX])
{
	size_t count = 0, dimensions = report->settings.groupings[REPORT_BY].count;
	if (report->period != FIGURES_TOTAL) {
		figures_period_format(report->period, row->day, period);
		labels[count++] = slice_of(period);
	}
	const char *at = row->value.p, *end = at + row->value.len;
	for (size_t i = 0; i < dimensions; i++) {
		const char *stop = row->grouping == REPORT_ALL ? NULL : memchr(at, FIGURES_SEPARATOR, (size_t)(end - at));
		if (row->grouping == REPORT_ALL)
			labels[count++] = i == 0 ? SLICE("all") : SLICE("");
		else
			labels[count++] = (struct slice){at, (size_t)((stop != NULL ? stop : end) - at)};
		at = stop != NULL ? stop + 1 : end;
	}
	return count;
}

static size_t label_names(const struct report *report, struct slice names[LABELS_MAX])
{
	size_t count = 0;
	if (report->period != FIGURES_TOTAL)
		names[count++] = slice_of(figures_period_name(report->period));
	for (size_t i = 0; i < report->settings.groupings[REPORT_BY].count; i++)
		names[count++] = slice_of(figure_dimension_name(report->settings.groupings[REPORT_BY].dimensions[i]));
	return count;
}

/* ---- the table */

enum column_kind { COUNT, RATE, INTERVAL, OUT_OF, TIMES, CSAT };

struct column {
	const char *heading;
	enum column_kind kind;
	int which;
};

static const struct column intake_columns[] = {
	{"obtained", COUNT, FIGURE_OBTAINED}, {"passed", RATE, FIGURE_RATE_PASS}, {"stopped", COUNT, FIGURE_STOPPED},
	{"unassigned", COUNT, FIGURE_UNASSIGNED}, {"rejected", COUNT, FIGURE_REJECTED}, {"repeats", COUNT, FIGURE_DUPLICATES},
	{"intake gap 50/90/95 %", TIMES, FIGURE_TIME_GAP}, {NULL, COUNT, 0},
}, follow_columns[] = {
	{"assigned", COUNT, FIGURE_ASSIGNED}, {"1st on time", OUT_OF, FIGURE_RATE_FIRST},
	{"response 50/90/95 %", TIMES, FIGURE_TIME_RESPONSE}, {"in open time", TIMES, FIGURE_TIME_RESPONSE_OPEN},
	{"later on time", OUT_OF, FIGURE_RATE_CADENCE}, {"touches", COUNT, FIGURE_TOUCHES}, {NULL, COUNT, 0},
}, result_columns[] = {
	{"opport.", COUNT, FIGURE_OPPORTUNITIES}, {"orders", COUNT, FIGURE_ORDERS},
	{"to opportunity (95 %)", INTERVAL, FIGURE_RATE_OPPORTUNITY}, {"to order (95 %)", INTERVAL, FIGURE_RATE_ORDER},
	{"reass.", COUNT, FIGURE_REASSIGNED}, {"released", COUNT, FIGURE_RELEASED}, {"lost", COUNT, FIGURE_LOST},
	{"invalid", COUNT, FIGURE_INVALID}, {"compl.", COUNT, FIGURE_COMPLAINTS}, {"csat", CSAT, 0}, {NULL, COUNT, 0},
};

static const struct {
	const char *title;
	const struct column *columns;
} blocks[] = {{"Intake", intake_columns}, {"Follow-up", follow_columns}, {"Results", result_columns}};

/* "3.2s", "4m", "2.5h", "3.1d" */
static void put_duration(struct strbuf *out, int64_t ms)
{
	static const struct {
		int64_t unit;
		char name;
	} units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
	size_t i = 0;
	while (i < 3 && ms < units[i].unit)
		i++;
	int64_t tenths = (ms * 10 + units[i].unit / 2) / units[i].unit;
	if (tenths >= 100 || tenths % 10 == 0)
		strbuf_printf(out, "%lld%c", (long long)(tenths + 5) / 10, units[i].name);
	else
		strbuf_printf(out, "%lld.%lld%c", (long long)tenths / 10, (long long)tenths % 10, units[i].name);
}

static void put_times(struct strbuf *out, const struct histogram *times)
{
	static const int quantiles[] = {500, 900, 950};
	for (size_t i = 0; i < 3 && times->total != 0; i++) {
		strbuf_puts(out, i == 0 ? "" : "/");
		put_duration(out, histogram_quantile(times, quantiles[i]));
	}
}

static void put_rate(struct strbuf *out, const struct column *column, const struct figures_cell *cell)
{
	struct figures_rate rate = figure_rate_of(cell, (enum figure_rate)column->which);
	if (!rate.is_known)
		return;
	strbuf_printf(out, "%.0f %%", rate.rate * 100);
	if (column->kind == INTERVAL)
		strbuf_printf(out, " (%.0f-%.0f)", rate.low * 100, rate.high * 100);
	else if (column->kind == OUT_OF && column->which == FIGURE_RATE_FIRST)
		strbuf_printf(out, " of %lld", (long long)cell->counts[FIGURE_FIRST_DUE]);
	else if (column->kind == OUT_OF)
		strbuf_printf(out, " of %lld", (long long)cell->counts[FIGURE_CADENCE_DUE]);
}

static void put_cell(struct strbuf *out, const struct column *column, const struct figures_cell *cell)
{
	int64_t answers = cell->counts[FIGURE_CSAT_ANSWERS];
	switch (column->kind) {
	case COUNT:
		strbuf_put_int(out, cell->counts[column->which]);
		return;
	case RATE:
	case INTERVAL:
	case OUT_OF:
		put_rate(out, column, cell);
		return;
	case TIMES:
		put_times(out, &cell->times[column->which]);
		return;
	case CSAT:
		if (answers > 0)
			strbuf_printf(out, "%.1f", (double)cell->counts[FIGURE_CSAT_SUM] / (double)answers);
		return;
	}
}

static void pad(struct strbuf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_putc(out, ' ');
}

/* Texts to the left, figures to the right. */
static void put_grid(struct strbuf *out, const struct slice *cells, size_t rows, size_t columns, size_t label_count)
{
	size_t *widths = xcalloc(columns, sizeof *widths);
	for (size_t i = 0; i < rows * columns; i++)
		if (text_length(cells[i]) > widths[i % columns])
			widths[i % columns] = text_length(cells[i]);
	for (size_t i = 0; i < rows * columns; i++) {
		size_t column = i % columns, gap = widths[column] - text_length(cells[i]);
		strbuf_puts(out, "  ");
		if (column >= label_count)
			pad(out, gap);
		strbuf_append(out, cells[i].p, cells[i].len);
		if (column < label_count && column + 1 < columns)
			pad(out, gap);
		if (column + 1 < columns)
			continue;
		while (out->len != 0 && out->bytes[out->len - 1] == ' ')
			out->len--;
		strbuf_putc(out, '\n');
	}
	free(widths);
}

static struct slice kept(struct report *report, struct strbuf *text)
{
	struct slice copy = {arena_memdupz(&report->arena, strbuf_text(text), text->len), text->len};
	strbuf_clear(text);
	return copy;
}

static void put_block(struct report *report, struct strbuf *out, const struct column *columns,
                      struct figures_row *const *rows, size_t row_count)
{
	struct slice names[LABELS_MAX];
	struct strbuf text = STRBUF_INIT;
	size_t label_count = label_names(report, names), column_count = label_count, at = 0;
	for (const struct column *column = columns; column->heading != NULL; column++)
		column_count++;
	struct slice *cells = arena_array(&report->arena, (row_count + 1) * column_count, sizeof *cells);
	for (size_t i = 0; i < label_count; i++)
		cells[at++] = names[i];
	for (const struct column *column = columns; column->heading != NULL; column++)
		cells[at++] = slice_of(column->heading);
	for (size_t n = 0; n < row_count; n++) {
		char *period = arena_alloc(&report->arena, FIGURES_PERIOD_BYTES);
		labels_of(report, rows[n], period, &cells[at]);
		at += label_count;
		for (const struct column *column = columns; column->heading != NULL; column++) {
			put_cell(&text, column, &rows[n]->cell);
			cells[at++] = kept(report, &text);
		}
	}
	put_grid(out, cells, row_count + 1, column_count, label_count);
	strbuf_done(&text);
}

static void put_reasons(struct strbuf *out, struct figures_row *const *rows, size_t count, struct arena *arena)
{
	struct figures_cell all = {0};
	for (size_t i = 0; i < count; i++)
		if (rows[i]->grouping == REPORT_ALL)
			figures_cell_merge(&all, &rows[i]->cell, arena);
	size_t line = 0;
	for (size_t i = 0; i < all.reason_count; i++) {
		bool is_new = i == 0 || all.reasons[i - 1].figure != all.reasons[i].figure;
		if (is_new) {
			strbuf_puts(out, i == 0 ? "\nReasons\n" : "\n");
			line = out->len;
			strbuf_printf(out, "  %s:", figure_name(all.reasons[i].figure));
		} else if (out->len - line > LINE_WIDTH) {
			strbuf_puts(out, ",\n   ");
			line = out->len;
		} else {
			strbuf_putc(out, ',');
		}
		strbuf_printf(out, " %.*s %lld", SLICE_ARG(all.reasons[i].text), (long long)all.reasons[i].count);
	}
	if (all.reason_count != 0)
		strbuf_putc(out, '\n');
}

static void put_instant(struct strbuf *out, const struct zone *zone, int64_t at_ms)
{
	struct civil civil;
	zone_to_civil(zone, at_ms / 1000, &civil);
	strbuf_printf(out, "%04lld-%02d-%02d %02d:%02d", (long long)civil.year, civil.month, civil.day, civil.hour, civil.minute);
}

static void put_heading(const struct report *report, struct strbuf *out)
{
	strbuf_printf(out, "%s, ", zone_name(report->zone));
	if (report->settings.from_ms != 0)
		put_instant(out, report->zone, report->settings.from_ms);
	else
		strbuf_puts(out, "from the beginning");
	strbuf_puts(out, " to ");
	if (report->settings.until_ms != 0)
		put_instant(out, report->zone, report->settings.until_ms);
	else
		strbuf_puts(out, "now");
	strbuf_printf(out, "; %zu events\n", report->events);
}

static void print_table(struct report *report)
{
	struct strbuf out = STRBUF_INIT;
	struct figures_row *const *rows;
	size_t count = rows_of(report, &rows);
	put_heading(report, &out);
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		strbuf_printf(&out, "\n%s\n", blocks[i].title);
		put_block(report, &out, blocks[i].columns, rows, count);
	}
	put_reasons(&out, rows, count, &report->arena);
	ctl_print_text(&out);
	strbuf_done(&out);
}

/* ---- CSV */

/* Quoted where needed. A text that a spreadsheet would take for a formula gets a ' in front. */
static void put_field(struct strbuf *out, struct slice text, bool is_first)
{
	if (!is_first)
		strbuf_putc(out, ',');
	bool is_formula = text.len != 0 && strchr("=+-@", text.p[0]) != NULL;
	bool is_quoted = is_formula;
	for (size_t i = 0; i < text.len; i++)
		is_quoted |= strchr(",\"\n\r", text.p[i]) != NULL;
	strbuf_puts(out, is_quoted ? "\"" : "");
	strbuf_puts(out, is_formula ? "'" : "");
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"')
			strbuf_putc(out, '"');
		strbuf_putc(out, text.p[i]);
	}
	strbuf_puts(out, is_quoted ? "\"" : "");
}

static void put_csv_head(const struct report *report, struct strbuf *out)
{
	struct slice names[LABELS_MAX];
	size_t count = label_names(report, names);
	for (size_t i = 0; i < count; i++)
		put_field(out, names[i], i == 0);
	for (int i = 0; i < FIGURES; i++)
		put_field(out, slice_of(figure_name((enum figure)i)), count == 0 && i == 0);
	for (int i = 0; i < FIGURE_RATES_ALL; i++) {
		const char *name = figure_rate_name((enum figure_rate)i);
		strbuf_printf(out, ",%s,%s_low,%s_high", name, name, name);
	}
	for (int i = 0; i < FIGURE_TIMES_ALL; i++) {
		const char *name = figure_time_name((enum figure_time)i);
		strbuf_printf(out, ",%s_count,%s_median_s,%s_p90_s,%s_p95_s", name, name, name, name);
	}
	strbuf_putc(out, '\n');
}

static void put_csv_seconds(struct strbuf *out, const struct histogram *times)
{
	static const int quantiles[] = {500, 900, 950};
	strbuf_printf(out, ",%lld", (long long)times->total);
	for (size_t i = 0; i < 3; i++)
		if (times->total != 0)
			strbuf_printf(out, ",%.3f", (double)histogram_quantile(times, quantiles[i]) / 1000);
		else
			strbuf_putc(out, ',');
}

static void put_csv_row(const struct report *report, const struct figures_row *row, struct strbuf *out)
{
	struct slice labels[LABELS_MAX];
	char period[FIGURES_PERIOD_BYTES];
	size_t count = labels_of(report, row, period, labels);
	for (size_t i = 0; i < count; i++)
		put_field(out, labels[i], i == 0);
	for (int i = 0; i < FIGURES; i++)
		strbuf_printf(out, "%s%lld", count == 0 && i == 0 ? "" : ",", (long long)row->cell.counts[i]);
	for (int i = 0; i < FIGURE_RATES_ALL; i++) {
		struct figures_rate rate = figure_rate_of(&row->cell, (enum figure_rate)i);
		if (rate.is_known)
			strbuf_printf(out, ",%.4f,%.4f,%.4f", rate.rate, rate.low, rate.high);
		else
			strbuf_puts(out, ",,,");
	}
	for (int i = 0; i < FIGURE_TIMES_ALL; i++)
		put_csv_seconds(out, &row->cell.times[i]);
	strbuf_putc(out, '\n');
}

/* Groups only: whoever sums a column up must not find a sum in it. */
static void print_csv(struct report *report)
{
	struct strbuf out = STRBUF_INIT;
	struct figures_row *const *rows;
	size_t count = rows_of(report, &rows);
	bool has_groups = report->settings.groupings[REPORT_BY].count != 0;
	put_csv_head(report, &out);
	for (size_t i = 0; i < count; i++)
		if (!has_groups || rows[i]->grouping == REPORT_BY)
			put_csv_row(report, rows[i], &out);
	fputs(strbuf_text(&out), stdout);
	strbuf_done(&out);
}

/* ---- JSON */

static void print_json(struct report *report)
{
	struct strbuf out = STRBUF_INIT;
	struct figures_row *const *rows;
	size_t count = rows_of(report, &rows);
	bool has_groups = report->settings.groupings[REPORT_BY].count != 0;
	for (size_t i = 0; i < count; i++) {
		struct json_writer writer = JSON_WRITER(&out);
		struct slice names[LABELS_MAX], labels[LABELS_MAX];
		char period[FIGURES_PERIOD_BYTES];
		size_t label_count = label_names(report, names);
		labels_of(report, rows[i], period, labels);
		if (has_groups && rows[i]->grouping == REPORT_ALL)
			continue;
		json_open_object(&writer, NULL);
		for (size_t n = 0; n < label_count; n++)
			json_put_text_as(&writer, names[n], labels[n]);
		figures_show_members(&writer, &rows[i]->cell);
		json_close_object(&writer);
		strbuf_putc(&out, '\n');
	}
	fputs(strbuf_text(&out), stdout);
	strbuf_done(&out);
}

void report_print(struct report *report)
{
	if (report->form == REPORT_JSON)
		print_json(report);
	else if (report->form == REPORT_CSV)
		print_csv(report);
	else
		print_table(report);
}

/* ---- the sample */

static void put_sample_json(const struct report_lead *lead, struct strbuf *out)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "lead_id", lead->lead_id);
	json_put_time(&writer, "obtained_at", lead->obtained_ms);
	json_put_text(&writer, "source", lead->source);
	json_put_text(&writer, "grade", lead->grade);
	json_put_text(&writer, "outcome", lead->outcome);
	json_put_text(&writer, "owner", lead->owner);
	json_put_text(&writer, "team", lead->team);
	json_put_text(&writer, "rank", slice_of(lead->rank));
	json_close_object(&writer);
	strbuf_putc(out, '\n');
}

static void put_sample_row(const struct report *report, const struct report_lead *lead, bool is_csv, struct strbuf *out)
{
	struct strbuf at = STRBUF_INIT;
	put_instant(&at, report->zone, lead->obtained_ms);
	const struct slice fields[] = {lead->lead_id, {at.bytes, at.len}, lead->source, lead->grade, lead->outcome, lead->owner,
	                               lead->team};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (is_csv) {
			put_field(out, fields[i], i == 0);
			continue;
		}
		strbuf_puts(out, "  ");
		strbuf_append(out, fields[i].p, fields[i].len);
		if (i < 2)
			pad(out, 18 > fields[i].len ? 18 - fields[i].len : 0);
		else
			pad(out, 12 > fields[i].len ? 12 - fields[i].len : 0);
	}
	strbuf_putc(out, '\n');
	strbuf_done(&at);
}

void report_print_sample(const struct report *report)
{
	struct strbuf out = STRBUF_INIT;
	bool is_csv = report->form == REPORT_CSV;
	if (is_csv)
		strbuf_puts(&out, "lead_id,obtained_at,source,grade,outcome,owner,team\n");
	else if (report->form == REPORT_TABLE)
		strbuf_printf(&out, "%zu of %zu leads, seed %.*s\n", report->sample_count, report->obtained, SLICE_ARG(report->seed));
	for (size_t i = 0; i < report->sample_count; i++)
		if (report->form == REPORT_JSON)
			put_sample_json(&report->sample[i], &out);
		else
			put_sample_row(report, &report->sample[i], is_csv, &out);
	if (report->form == REPORT_TABLE)
		ctl_print_text(&out);
	else
		fputs(strbuf_text(&out), stdout);
	strbuf_done(&out);
}

/* ---- definitions */

void report_print_definitions(void)
{
	puts("Figures are counted out of the output events and nothing else. An event belongs to the day of its own time, in the\n"
	     "zone of the report, unless the definition says otherwise.\n\nFigures");
	for (int i = 0; i < FIGURES; i++)
		printf("  %-20s %s\n", figure_name((enum figure)i), figure_definition((enum figure)i));
	puts("\nRates, with the 95 % interval of Wilson's score: where the true rate lies as far as these numbers tell");
	for (int i = 0; i < FIGURE_RATES_ALL; i++)
		printf("  %-20s %s\n", figure_rate_name((enum figure_rate)i), figure_rate_definition((enum figure_rate)i));
	puts("\nTimes, as median, 90 % and 95 %: what so many of them do not exceed; wrong by at most 1/64 of the value");
	for (int i = 0; i < FIGURE_TIMES_ALL; i++)
		printf("  %-20s %s\n", figure_time_name((enum figure_time)i), figure_time_definition((enum figure_time)i));
}
