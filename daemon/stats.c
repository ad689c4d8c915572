/* SPDX-License-Identifier: Apache-2.0
 *
 * A family is a named metric; a series is a family with one set of label values, kept in a map under its rendered labels
 * (`{team="dach"}`), so that counting is one look-up and printing is in order of first use.
 */
#include "daemon/stats.h"

#include <math.h>
#include <stdlib.h>

#include "rules/base/map.h"
#include "rules/base/mem.h"

struct series {
	char *labels; /* rendered, "" without labels */
	uint64_t count;
	double value;
};

struct family {
	const char *name, *labels, *help;
	struct map series;
};

struct histogram {
	const char *name, *help;
	double bounds[STATS_BUCKETS_MAX];
	size_t bound_count;
	uint64_t counts[STATS_BUCKETS_MAX + 1]; /* the last one is +Inf */
	uint64_t total;
	double sum;
};

struct stats {
	struct family counters[STATS_COUNTER_COUNT];
	struct family gauges[STATS_GAUGE_COUNT];
	struct histogram histograms[STATS_HISTOGRAM_COUNT];
	size_t series_count;
};

static const struct family COUNTERS[] = {
#define X(id, metric, label_names, help_text) {.name = metric, .labels = label_names, .help = help_text},
	STATS_COUNTERS(X)
};

static const struct family GAUGES[] = {
	STATS_GAUGES(X)
#undef X
};

/* Bounds end with the first 0. */
static const struct histogram HISTOGRAMS[] = {
#define X(id, metric, help_text, ...) {.name = metric, .help = help_text, .bounds = {__VA_ARGS__}},
	STATS_HISTOGRAMS(X)
#undef X
};

static void family_init(struct family *family, const struct family *from, uint64_t salt)
{
	*family = *from;
	const uint64_t seed[2] = {salt, (uint64_t)(uintptr_t)family};
	map_init(&family->series, seed);
}

struct stats *stats_new(void)
{
	struct stats *stats = xcalloc(1, sizeof *stats);
	for (size_t i = 0; i < STATS_COUNTER_COUNT; i++)
		family_init(&stats->counters[i], &COUNTERS[i], i);
	for (size_t i = 0; i < STATS_GAUGE_COUNT; i++)
		family_init(&stats->gauges[i], &GAUGES[i], i);
	for (size_t i = 0; i < STATS_HISTOGRAM_COUNT; i++) {
		stats->histograms[i] = HISTOGRAMS[i];
		while (stats->histograms[i].bounds[stats->histograms[i].bound_count] > 0)
			stats->histograms[i].bound_count++;
	}
	return stats;
}

static size_t family_clear(struct family *family)
{
	size_t count = 0;
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&family->series, &at)) != NULL; count++) {
		struct series *series = entry->value;
		free(series->labels);
		free(series);
	}
	map_done(&family->series);
	return count;
}

void stats_free(struct stats *stats)
{
	if (stats == NULL)
		return;
	for (size_t i = 0; i < STATS_COUNTER_COUNT; i++)
		family_clear(&stats->counters[i]);
	for (size_t i = 0; i < STATS_GAUGE_COUNT; i++)
		family_clear(&stats->gauges[i]);
	free(stats);
}

/* Label values: backslash, quote and newline are escaped; other control characters become '?'. */
static void put_label_value(struct strbuf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char byte = value.p[i];
		if (byte == '\\' || byte == '"')
			strbuf_putc(out, '\\');
		if (byte == '\n')
			strbuf_puts(out, "\\n");
		else
			strbuf_putc(out, (unsigned char)byte < ' ' ? '?' : byte);
	}
}

static void render_labels(const char *names, const struct slice *values, struct strbuf *out)
{
	if (*names == '\0')
		return;
	strbuf_putc(out, '{');
	for (size_t i = 0; *names != '\0'; i++) {
		size_t len = strcspn(names, ",");
		if (i > 0)
			strbuf_putc(out, ',');
		strbuf_append(out, names, len);
		strbuf_puts(out, "=\"");
		put_label_value(out, values[i]);
		strbuf_putc(out, '"');
		names += len + (names[len] == ',');
	}
	strbuf_putc(out, '}');
}

/* The series, made when it is new; NULL when there are too many. Those without labels have their place in any case, the
 * count of what was dropped among them. */
static struct series *series_of(struct stats *stats, struct family *family, const struct slice *labels)
{
	struct strbuf text = STRBUF_INIT;
	render_labels(family->labels, labels, &text);
	struct slice key = {strbuf_text(&text), text.len};
	struct series *series = map_get(&family->series, key);
	if (series == NULL && (*family->labels == '\0' || stats->series_count < STATS_SERIES_MAX)) {
		series = xcalloc(1, sizeof *series);
		series->labels = xmemdupz(key.p, key.len);
		map_put(&family->series, (struct slice){series->labels, key.len}, series);
		stats->series_count++;
	}
	strbuf_done(&text);
	return series;
}

void stats_count(struct stats *stats, enum stats_counter counter, const struct slice *labels, uint64_t add)
{
	struct series *series = series_of(stats, &stats->counters[counter], labels);
	if (series != NULL)
		series->count += add;
	else if (counter != STATS_STATS_DROPPED)
		stats_count(stats, STATS_STATS_DROPPED, NULL, add);
}

void stats_set(struct stats *stats, enum stats_gauge gauge, const struct slice *labels, double value)
{
	struct series *series = series_of(stats, &stats->gauges[gauge], labels);
	if (series != NULL)
		series->value = value;
}

void stats_clear(struct stats *stats, enum stats_gauge gauge)
{
	stats->series_count -= family_clear(&stats->gauges[gauge]);
}

void stats_observe(struct stats *stats, enum stats_histogram which, double value)
{
	struct histogram *histogram = &stats->histograms[which];
	size_t bucket = 0;
	while (bucket < histogram->bound_count && value > histogram->bounds[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->total++;
	histogram->sum += value;
}

uint64_t stats_counter_value(const struct stats *stats, enum stats_counter counter, const struct slice *labels)
{
	const struct family *family = &stats->counters[counter];
	struct strbuf text = STRBUF_INIT;
	render_labels(family->labels, labels, &text);
	const struct series *series = map_get(&family->series, (struct slice){strbuf_text(&text), text.len});
	strbuf_done(&text);
	return series ? series->count : 0;
}

static void put_head(struct strbuf *out, const char *name, const char *help, const char *type)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(struct strbuf *out, double value)
{
	if (fabs(value) < 1e15 && value == floor(value))
		strbuf_printf(out, "%.0f", value);
	else
		strbuf_printf(out, "%.15g", value);
}

static void print_family(const struct family *family, const char *type, struct strbuf *out)
{
	put_head(out, family->name, family->help, type);
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&family->series, &at)) != NULL;) {
		const struct series *series = entry->value;
		strbuf_printf(out, "%s%s ", family->name, series->labels);
		if (*type == 'c')
			strbuf_put_int(out, (int64_t)series->count);
		else
			put_number(out, series->value);
		strbuf_putc(out, '\n');
	}
	/* a counter without labels exists from the start */
	if (*family->labels == '\0' && family->series.live == 0)
		strbuf_printf(out, "%s 0\n", family->name);
}

static void print_histogram(const struct histogram *histogram, struct strbuf *out)
{
	put_head(out, histogram->name, histogram->help, "histogram");
	uint64_t below = 0;
	for (size_t i = 0; i < histogram->bound_count; i++) {
		below += histogram->counts[i];
		strbuf_printf(out, "%s_bucket{le=\"%g\"} ", histogram->name, histogram->bounds[i]);
		strbuf_put_int(out, (int64_t)below);
		strbuf_putc(out, '\n');
	}
	strbuf_printf(out, "%s_bucket{le=\"+Inf\"} ", histogram->name);
	strbuf_put_int(out, (int64_t)histogram->total);
	strbuf_printf(out, "\n%s_sum %.15g\n%s_count ", histogram->name, histogram->sum, histogram->name);
	strbuf_put_int(out, (int64_t)histogram->total);
	strbuf_putc(out, '\n');
}

void stats_print(const struct stats *stats, struct strbuf *out)
{
	for (size_t i = 0; i < STATS_COUNTER_COUNT; i++)
		print_family(&stats->counters[i], "counter", out);
	for (size_t i = 0; i < STATS_GAUGE_COUNT; i++)
		print_family(&stats->gauges[i], "gauge", out);
	for (size_t i = 0; i < STATS_HISTOGRAM_COUNT; i++)
		print_histogram(&stats->histograms[i], out);
}
