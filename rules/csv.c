/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/csv.h"

#include "rules/base/arena.h"

static bool is_line_end(char byte)
{
	return byte == '\n' || byte == '\r';
}

/* Counted outside of quotes. */
static char guess_delimiter(struct slice text)
{
	static const char candidates[] = {',', ';', '\t'};
	size_t counts[sizeof candidates] = {0}, best = 0;
	bool is_quoted = false;
	for (size_t i = 0; i < text.len && (is_quoted || !is_line_end(text.p[i])); i++) {
		if (text.p[i] == '"')
			is_quoted = !is_quoted;
		for (size_t c = 0; c < sizeof candidates && !is_quoted; c++)
			counts[c] += text.p[i] == candidates[c];
	}
	for (size_t c = 1; c < sizeof candidates; c++)
		if (counts[c] > counts[best])
			best = c;
	return candidates[best];
}

void csv_init(struct csv *csv, struct slice text, struct arena *arena)
{
	struct slice mark = SLICE("\xEF\xBB\xBF");
	*csv = (struct csv){.text = text, .at = slice_has_prefix(text, mark) ? mark.len : 0, .arena = arena};
	csv->delimiter = guess_delimiter((struct slice){text.p + csv->at, text.len - csv->at});
}

static enum csv_result bad(struct csv *csv, size_t at, const char *problem)
{
	csv->problem = problem;
	csv->problem_at = at;
	csv->at = csv->text.len;
	return CSV_BAD;
}

static bool at_field_end(const struct csv *csv)
{
	return csv->at >= csv->text.len || csv->text.p[csv->at] == csv->delimiter || is_line_end(csv->text.p[csv->at]);
}

static struct slice without_doubled_quotes(struct slice raw, struct arena *arena)
{
	char *copy = arena_memdupz(arena, raw.p, raw.len);
	size_t len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		copy[len++] = raw.p[i];
		i += raw.p[i] == '"'; /* its twin */
	}
	return (struct slice){copy, len};
}

/* At the opening quote. */
static enum csv_result read_quoted(struct csv *csv, struct csv_field *field)
{
	size_t from = csv->at + 1;
	bool has_doubled = false;
	for (csv->at = from; csv->at < csv->text.len; csv->at++) {
		if (csv->text.p[csv->at] != '"')
			continue;
		if (csv->at + 1 >= csv->text.len || csv->text.p[csv->at + 1] != '"')
			break;
		has_doubled = true;
		csv->at++;
	}
	if (csv->at >= csv->text.len)
		return bad(csv, from - 1, "a quote is opened and never closed");
	field->value = (struct slice){csv->text.p + from, csv->at - from};
	if (has_doubled)
		field->value = without_doubled_quotes(field->value, csv->arena);
	csv->at++;
	field->len = csv->at - field->offset;
	if (!at_field_end(csv))
		return bad(csv, csv->at, "text behind a closing quote; a quote inside quotes is written twice");
	return CSV_ROW;
}

static enum csv_result read_plain(struct csv *csv, struct csv_field *field)
{
	while (!at_field_end(csv)) {
		if (csv->text.p[csv->at] == '"')
			return bad(csv, csv->at, "a quote inside a field that does not begin with one");
		csv->at++;
	}
	size_t from = field->offset, to = csv->at;
	while (from < to && csv->text.p[from] == ' ')
		from++;
	while (to > from && csv->text.p[to - 1] == ' ')
		to--;
	field->offset = from;
	field->len = to - from;
	field->value = (struct slice){csv->text.p + from, to - from};
	return CSV_ROW;
}

static enum csv_result read_field(struct csv *csv, struct csv_row *row)
{
	if (row->count == CSV_FIELDS_MAX)
		return bad(csv, csv->at, "more than 32 fields in a row");
	struct csv_field *field = &row->fields[row->count++];
	field->offset = csv->at;
	if (csv->at < csv->text.len && csv->text.p[csv->at] == '"')
		return read_quoted(csv, field);
	return read_plain(csv, field);
}

enum csv_result csv_next(struct csv *csv, struct csv_row *ret_row)
{
	while (csv->at < csv->text.len && is_line_end(csv->text.p[csv->at]))
		csv->at++;
	if (csv->at >= csv->text.len)
		return CSV_END;
	ret_row->count = 0;
	ret_row->offset = csv->at;
	for (;;) {
		enum csv_result result = read_field(csv, ret_row);
		if (result != CSV_ROW)
			return result;
		if (csv->at >= csv->text.len || csv->text.p[csv->at] != csv->delimiter)
			return CSV_ROW;
		csv->at++;
	}
}
