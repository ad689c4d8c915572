/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/figures/figures_show.h"

#include <stdio.h>
#include <string.h>

#include "rules/json/json.h"
#include "rules/text/date.h"

static const struct rate_row {
	const char *name, *definition;
	enum figure hits, all;
} rate_rows[] = {
#define X(id, name, hits, all, definition) {#name, definition, FIGURE_##hits, FIGURE_##all},
	FIGURE_RATES(X)
#undef X
};

const char *figure_rate_name(enum figure_rate rate)
{
	return rate_rows[rate].name;
}

const char *figure_rate_definition(enum figure_rate rate)
{
	return rate_rows[rate].definition;
}

struct figures_rate figure_rate_of(const struct figures_cell *cell, enum figure_rate rate)
{
	return figures_rate(cell->counts[rate_rows[rate].hits], cell->counts[rate_rows[rate].all]);
}

/* ---- periods */

const char *figures_period_name(enum figures_period period)
{
	switch (period) {
	case FIGURES_TOTAL:
		return "total";
	case FIGURES_DAY:
		return "day";
	case FIGURES_WEEK:
		return "week";
	case FIGURES_MONTH:
		return "month";
	}
	return "?";
}

int64_t figures_period_start(enum figures_period period, int64_t day)
{
	int64_t year;
	int month, day_of_month;
	date_from_day(day, &year, &month, &day_of_month);
	switch (period) {
	case FIGURES_TOTAL:
		return 0;
	case FIGURES_DAY:
		return day;
	case FIGURES_WEEK:
		return day - date_weekday(day);
	case FIGURES_MONTH:
		return day - day_of_month + 1;
	}
	return day;
}

int64_t figures_period_end(enum figures_period period, int64_t start)
{
	if (period == FIGURES_MONTH)
		return figures_period_start(FIGURES_MONTH, start + 31);
	return start + (period == FIGURES_WEEK ? 7 : 1);
}

/* ISO 8601: a week belongs to the year of its Thursday. */
static void format_week(int64_t monday, char ret_text[FIGURES_PERIOD_BYTES])
{
	int64_t year;
	int month, day;
	date_from_day(monday + 3, &year, &month, &day);
	int64_t week = (monday + 3 - date_to_day(year, 1, 1)) / 7 + 1;
	snprintf(ret_text, FIGURES_PERIOD_BYTES, "%lld-W%02lld", (long long)year, (long long)week);
}

void figures_period_format(enum figures_period period, int64_t start, char ret_text[FIGURES_PERIOD_BYTES])
{
	int64_t year;
	int month, day;
	date_from_day(start, &year, &month, &day);
	ret_text[0] = '\0';
	if (period == FIGURES_WEEK)
		format_week(start, ret_text);
	else if (period == FIGURES_MONTH)
		snprintf(ret_text, FIGURES_PERIOD_BYTES, "%04lld-%02d", (long long)year, month);
	else if (period == FIGURES_DAY)
		snprintf(ret_text, FIGURES_PERIOD_BYTES, "%04lld-%02d-%02d", (long long)year, month, day);
}

/* ---- cells */

static void put_counts(struct json_writer *writer, const struct figures_cell *cell)
{
	json_open_object(writer, "figures");
	for (int i = 0; i < FIGURES; i++)
		if (cell->counts[i] != 0)
			json_put_int(writer, figure_name((enum figure)i), cell->counts[i]);
	json_close_object(writer);
}

/* They are sorted by figure. */
static void put_reasons(struct json_writer *writer, const struct figures_cell *cell)
{
	if (cell->reason_count == 0)
		return;
	json_open_object(writer, "reasons");
	for (size_t i = 0; i < cell->reason_count; i++) {
		const struct figures_reason *reason = &cell->reasons[i];
		if (i == 0 || cell->reasons[i - 1].figure != reason->figure)
			json_open_object(writer, figure_name(reason->figure));
		json_put_int_as(writer, reason->text, reason->count);
		if (i + 1 == cell->reason_count || cell->reasons[i + 1].figure != reason->figure)
			json_close_object(writer);
	}
	json_close_object(writer);
}

static int64_t per_mille(double rate)
{
	return (int64_t)(rate * 1000 + 0.5);
}

static void put_rates(struct json_writer *writer, const struct figures_cell *cell)
{
	json_open_object(writer, "rates");
	for (int i = 0; i < FIGURE_RATES_ALL; i++) {
		struct figures_rate rate = figure_rate_of(cell, (enum figure_rate)i);
		if (!rate.is_known)
			continue;
		json_open_object(writer, rate_rows[i].name);
		json_put_int(writer, "rate", per_mille(rate.rate));
		json_put_int(writer, "low", per_mille(rate.low));
		json_put_int(writer, "high", per_mille(rate.high));
		json_close_object(writer);
	}
	json_close_object(writer);
}

static void put_times(struct json_writer *writer, const struct figures_cell *cell)
{
	json_open_object(writer, "times");
	for (int i = 0; i < FIGURE_TIMES_ALL; i++) {
		const struct histogram *times = &cell->times[i];
		if (times->total == 0)
			continue;
		json_open_object(writer, figure_time_name((enum figure_time)i));
		json_put_int(writer, "count", times->total);
		json_put_int(writer, "median_ms", histogram_quantile(times, 500));
		json_put_int(writer, "p90_ms", histogram_quantile(times, 900));
		json_put_int(writer, "p95_ms", histogram_quantile(times, 950));
		json_close_object(writer);
	}
	json_close_object(writer);
}

void figures_show_members(struct json_writer *writer, const struct figures_cell *cell)
{
	put_counts(writer, cell);
	put_reasons(writer, cell);
	put_rates(writer, cell);
	put_times(writer, cell);
	if (cell->counts[FIGURE_CSAT_ANSWERS] > 0) /* hundredths, rounded */
		json_put_int(writer, "csat_centi", (cell->counts[FIGURE_CSAT_SUM] * 100 + cell->counts[FIGURE_CSAT_ANSWERS] / 2) /
		                                       cell->counts[FIGURE_CSAT_ANSWERS]);
}
