/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/territory: the most specific row wins, wrong rows are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/territory.h"

static struct territory_row row(const char *country, const char *region, const char *postal, const char *area)
{
	return (struct territory_row){slice_of(country), slice_of(region), slice_of(postal), slice_of(area)};
}

static void expect(const struct territory *table, const char *place[3], const char *area)
{
	struct slice found = territory_find(table, slice_of(place[0]), slice_of(place[1]), slice_of(place[2]));
	if (!slice_is(found, area))
		fail_msg("%s/%s/%s gives %.*s, not %s", place[0], place[1], place[2], SLICE_ARG(found), area);
}

#define EXPECT(table, country, region, postal, area) expect(table, (const char *[]){country, region, postal}, area)

static void the_most_specific_row_wins(void **state)
{
	(void)state;
	const struct territory_row rows[] = {
		row("*", "*", "*", "world"), row("de", "", "", "germany"),      row("DE", "DE-BY", "", "bavaria"),
		row("DE", "", "8", "south"), row("DE", "", "803", "munich"),    row("DE", "BY", "80", "bavaria-80"),
		row("GB", "", "SW1", "westminster"), row("US", "CA", "", "california"),
	};
	struct arena arena = ARENA_INIT;
	struct territory_problem problem;
	struct territory *table = territory_build(rows, sizeof rows / sizeof *rows, &arena, &problem);
	assert_non_null(table);
	EXPECT(table, "DE", "", "80331", "munich");
	EXPECT(table, "DE", "DE-BY", "80331", "munich");
	EXPECT(table, "DE", "DE-BY", "80999", "bavaria-80");
	EXPECT(table, "DE", "", "80999", "south");
	EXPECT(table, "DE", "by", "10115", "bavaria");
	EXPECT(table, "DE", "DE-BE", "10115", "germany");
	EXPECT(table, "de", "", "", "germany");
	EXPECT(table, "GB", "", "sw1a 2aa", "westminster");
	EXPECT(table, "GB", "", "E1 6AN", "world");
	EXPECT(table, "US", "US-CA", "94105", "california");
	EXPECT(table, "", "", "", "world");
	EXPECT(table, "??", "x", "803", "world");
	EXPECT(table, "DE", "", "99999999999999999999999999", "germany");
	assert_int_equal(territory_area_count(table), 8);
	assert_true(slice_is(territory_area(table, 1), "germany"));
	arena_done(&arena);
}

static void no_row_no_area(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct territory_problem problem;
	struct territory *table = territory_build(NULL, 0, &arena, &problem);
	assert_non_null(table);
	EXPECT(table, "DE", "", "1", "");
	arena_done(&arena);
}

static void wrong_rows_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *columns[4];
		enum err_code code;
	} wrong[] = {
		{{"DEU", "", "", "a"}, ERR_BAD_VALUE},  {{"", "BY", "", "a"}, ERR_BAD_VALUE},
		{{"", "", "8", "a"}, ERR_BAD_VALUE},    {{"DE", "", "12345678901234567", "a"}, ERR_BAD_VALUE},
		{{"DE", "", "", ""}, ERR_BAD_VALUE},    {{"fr", "*", "*", "b"}, ERR_DUPLICATE},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *const *c = wrong[i].columns;
		const struct territory_row rows[] = {row("FR", "", "", "x"), row(c[0], c[1], c[2], c[3])};
		struct arena arena = ARENA_INIT;
		struct territory_problem problem = {.err = ERR_INIT};
		assert_null(territory_build(rows, 2, &arena, &problem));
		assert_int_equal(problem.err.code, wrong[i].code);
		assert_int_equal(problem.row, 1);
		assert_true(problem.other_row == (wrong[i].code == ERR_DUPLICATE ? 0 : SIZE_MAX));
		arena_done(&arena);
	}
}

/* Every prefix of up to five digits in two countries, against the plain definition. */
static void many_rows_agree_with_the_definition(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	struct territory_row *rows = calloc(COUNT, sizeof *rows);
	char(*texts)[8] = calloc(COUNT, sizeof *texts);
	for (int i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof texts[i], "%05d", i);
		rows[i] = (struct territory_row){SLICE("US"), SLICE_NONE, slice_of(texts[i]), {texts[i], 2}};
	}
	struct arena arena = ARENA_INIT;
	struct territory_problem problem;
	struct territory *table = territory_build(rows, COUNT, &arena, &problem);
	assert_non_null(table);
	assert_int_equal(territory_area_count(table), 100);
	for (int i = 0; i < COUNT; i += 7)
		EXPECT(table, "US", "", texts[i], ((char[]){texts[i][0], texts[i][1], 0}));
	EXPECT(table, "US", "", "1234", "");
	arena_done(&arena);
	free(texts);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_specific_row_wins),
		cmocka_unit_test(no_row_no_area),
		cmocka_unit_test(wrong_rows_are_named),
		cmocka_unit_test(many_rows_agree_with_the_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
