/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV as RFC 4180 and spreadsheets have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/csv.h"

/* Fields in <>, rows end in a slash, an error as !problem@offset. */
static void assert_reads(struct slice text, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct csv csv;
	struct csv_row row;
	enum csv_result result;
	csv_init(&csv, text, &arena);
	while ((result = csv_next(&csv, &row)) == CSV_ROW) {
		for (size_t i = 0; i < row.count; i++)
			strbuf_printf(&out, "<%.*s>", SLICE_ARG(row.fields[i].value));
		strbuf_putc(&out, '/');
	}
	if (result == CSV_BAD)
		strbuf_printf(&out, "!%s@%zu", csv.problem, csv.problem_at);
	assert_string_equal(strbuf_text(&out), expected);
	strbuf_done(&out);
	arena_done(&arena);
}

static void rows_and_fields(void **state)
{
	(void)state;
	assert_reads(SLICE(""), "");
	assert_reads(SLICE("\n\r\n"), "");
	assert_reads(SLICE("a,b\n1,2"), "<a><b>/<1><2>/");
	assert_reads(SLICE("a,b\r\n,\r\n"), "<a><b>/<><>/");
	assert_reads(SLICE(" a , b c \n"), "<a><b c>/");
	assert_reads(SLICE("\xEF\xBB\xBF" "a,b\n"), "<a><b>/");
}

static void quotes(void **state)
{
	(void)state;
	assert_reads(SLICE("\"a,b\",\"c \"\"d\"\"\",\"\"\n"), "<a,b><c \"d\"><>/");
	assert_reads(SLICE("\"two\nlines\",x\n"), "<two\nlines><x>/");
	assert_reads(SLICE("a,\"b\n"), "!a quote is opened and never closed@2");
	assert_reads(SLICE("a\"b\n"), "!a quote inside a field that does not begin with one@1");
	assert_reads(SLICE("\"a\"b\n"), "!text behind a closing quote; a quote inside quotes is written twice@3");
}

static void the_delimiter_is_that_of_the_first_line(void **state)
{
	(void)state;
	assert_reads(SLICE("a;b\n1,5;2\n"), "<a><b>/<1,5><2>/");
	assert_reads(SLICE("a\tb\n1\t2\n"), "<a><b>/<1><2>/");
	assert_reads(SLICE("\"a;;;b\",c\n"), "<a;;;b><c>/");
}

static void a_row_has_a_bounded_number_of_fields(void **state)
{
	(void)state;
	assert_reads(SLICE(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"), "!more than 32 fields in a row@32");
}

static void places_point_at_the_field(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct csv csv;
	struct csv_row row;
	csv_init(&csv, SLICE("a,b\n  x , \"q\"\"r\"\n\"q\"\"r\",  y \n"), &arena);
	assert_int_equal(csv_next(&csv, &row), CSV_ROW);
	assert_int_equal(csv_next(&csv, &row), CSV_BAD);
	csv_init(&csv, SLICE("a,b\n\"q\"\"r\",  y \n"), &arena);
	assert_int_equal(csv_next(&csv, &row), CSV_ROW);
	assert_int_equal(csv_next(&csv, &row), CSV_ROW);
	assert_int_equal(row.offset, 4);
	assert_int_equal(row.fields[0].offset, 4);
	assert_int_equal(row.fields[0].len, 6);
	assert_int_equal(row.fields[1].offset, 13);
	assert_int_equal(row.fields[1].len, 1);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_fields),
		cmocka_unit_test(quotes),
		cmocka_unit_test(the_delimiter_is_that_of_the_first_line),
		cmocka_unit_test(a_row_has_a_bounded_number_of_fields),
		cmocka_unit_test(places_point_at_the_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
