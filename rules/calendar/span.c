/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calendar/span.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/base/err.h"

enum { MS_PER_SECOND = 1000, NUMBER_DIGITS = 9 };

enum field { DAYS, BUSINESS_DAYS, ELAPSED, BUSINESS };

/* In the order in which they must be written; `rank` equal means that they may swap places. */
static const struct unit {
	const char *name;
	enum field field;
	int rank;
	int64_t size; /* days, or ms */
} UNITS[] = {
	{"w", DAYS, 0, 7},
	{"d", DAYS, 0, 1},
	{"bd", BUSINESS_DAYS, 1, 1},
	{"h", ELAPSED, 2, 3600 * MS_PER_SECOND},
	{"m", ELAPSED, 2, 60 * MS_PER_SECOND},
	{"s", ELAPSED, 2, MS_PER_SECOND},
	{"bh", BUSINESS, 2, 3600 * MS_PER_SECOND},
	{"bm", BUSINESS, 2, 60 * MS_PER_SECOND},
};

enum { UNIT_COUNT = sizeof UNITS / sizeof *UNITS };

static const int64_t MS_MAX = (int64_t)SPAN_DAYS_MAX * 86400 * MS_PER_SECOND;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_unit_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); /* no unit has a capital; the message names it */
}

static void skip_spaces(struct slice *text)
{
	while (text->len > 0 && text->p[0] == ' ')
		*text = (struct slice){text->p + 1, text->len - 1};
}

/* The leading run of bytes for which `is_member` holds; the text moves behind it. */
static struct slice take_run(struct slice *text, bool (*is_member)(char))
{
	size_t len = 0;
	while (len < text->len && is_member(text->p[len]))
		len++;
	struct slice run = {text->p, len};
	*text = (struct slice){text->p + len, text->len - len};
	return run;
}

static const struct unit *find_unit(struct slice name)
{
	for (size_t at = 0; at < UNIT_COUNT; at++)
		if (slice_is(name, UNITS[at].name))
			return &UNITS[at];
	return NULL;
}

static int64_t *amount_of(struct span *span, enum field field)
{
	return field == ELAPSED ? &span->elapsed_ms : &span->business_ms;
}

static int add_amount(struct span *span, const struct unit *unit, int64_t number, struct err *err)
{
	int64_t amount = number * unit->size; /* nine digits times 3.6 million fits */
	if (unit->field == DAYS || unit->field == BUSINESS_DAYS) {
		int32_t *days = unit->field == DAYS ? &span->days : &span->business_days;
		if (amount > SPAN_DAYS_MAX - *days)
			return err_set(err, ERR_BAD_SPAN, "more than %d days", (int)SPAN_DAYS_MAX);
		*days += (int32_t)amount;
		return 0;
	}
	int64_t *total = amount_of(span, unit->field);
	if (amount > MS_MAX - *total)
		return err_set(err, ERR_BAD_SPAN, "more than %d days", (int)SPAN_DAYS_MAX);
	*total += amount;
	return 0;
}

/* part := number unit */
static int parse_part(struct slice *text, struct span *span, unsigned *seen_units, int *rank, struct err *err)
{
	struct slice digits = take_run(text, is_digit), name = take_run(text, is_unit_letter);
	const struct unit *unit = find_unit(name);
	if (digits.len == 0 || digits.len > NUMBER_DIGITS)
		return err_set(err, ERR_BAD_SPAN, "a whole number of at most nine digits is expected, such as in \"4bh\"");
	if (name.len == 0 && text->len != 0 && text->p[0] == ' ')
		return err_set(err, ERR_BAD_SPAN, "a number and its unit are written without a blank, such as \"2bd\"");
	if (name.len == 0)
		return err_set(err, ERR_BAD_SPAN, "a unit is missing behind the number: w, d, bd, h, m, s, bh or bm");
	if (unit == NULL)
		return err_set(err, ERR_BAD_SPAN, "unknown unit \"%.*s\": use w, d, bd, h, m, s, bh or bm", SLICE_ARG(name));
	unsigned bit = 1u << (unit - UNITS);
	if ((*seen_units & bit) != 0)
		return err_set(err, ERR_BAD_SPAN, "unit \"%s\" is given twice", unit->name);
	if (unit->rank < *rank)
		return err_set(err, ERR_BAD_SPAN, "\"%s\" comes too late: days are applied first, so write them first (d, bd, h, bh)",
		               unit->name);
	*seen_units |= bit;
	*rank = unit->rank;
	int64_t number = 0;
	for (size_t at = 0; at < digits.len; at++)
		number = number * 10 + (digits.p[at] - '0');
	return add_amount(span, unit, number, err);
}

int span_parse(struct slice text, struct span *ret_span, struct err *err)
{
	struct span span = {0, 0, 0, 0};
	unsigned seen_units = 0;
	int rank = 0;
	if (text.len > SPAN_INPUT_BYTES)
		return err_set(err, ERR_BAD_SPAN, "longer than %d bytes", (int)SPAN_INPUT_BYTES);
	skip_spaces(&text);
	if (text.len == 0)
		return err_set(err, ERR_BAD_SPAN, "empty: write a number and a unit, such as \"4bh\"");
	while (text.len > 0) {
		if (parse_part(&text, &span, &seen_units, &rank, err) != 0)
			return -1;
		skip_spaces(&text);
	}
	*ret_span = span;
	return 0;
}

bool span_is_zero(const struct span *span)
{
	return span->days == 0 && span->business_days == 0 && span->business_ms == 0 && span->elapsed_ms == 0;
}

static void put_part(char *ret_text, int64_t number, const char *unit)
{
	size_t len = strlen(ret_text);
	snprintf(ret_text + len, SPAN_TEXT_BYTES - len, "%s%" PRId64 "%s", len > 0 ? " " : "", number, unit);
}

void span_format(const struct span *span, char ret_text[SPAN_TEXT_BYTES])
{
	int64_t left[] = {span->days, span->business_days, span->elapsed_ms, span->business_ms};
	ret_text[0] = '\0';
	for (size_t at = 0; at < UNIT_COUNT; at++) {
		const struct unit *unit = &UNITS[at];
		bool is_week = unit->field == DAYS && unit->size == 7; /* people say 14d as readily as 2w: keep one form */
		int64_t number = is_week ? 0 : left[unit->field] / unit->size;
		left[unit->field] -= number * unit->size;
		if (number != 0)
			put_part(ret_text, number, unit->name);
	}
	if (ret_text[0] == '\0')
		put_part(ret_text, 0, "s");
}
