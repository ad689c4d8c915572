/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures: distributions, rates, what each event counts for, and that neither order nor split of the events matters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/figures/figures.h"
#include "rules/json/json.h"
#include "rules/text/zone.h"

enum { DAY_MS = 86400000 };

/* ---- distributions */

static void a_small_value_is_exact_and_a_large_one_within_the_error(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	uint64_t random = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		int64_t value = (int64_t)(random >> (19 + random % 44));
		struct histogram histogram = {0};
		histogram_add(&histogram, value, &arena);
		int64_t got = histogram_quantile(&histogram, 500), off = got > value ? got - value : value - got;
		if (value < 2 * HISTOGRAM_STEPS)
			assert_int_equal(got, value);
		assert_true((double)off <= (double)value * HISTOGRAM_ERROR);
		arena_reset(&arena);
	}
	arena_done(&arena);
}

static void what_lies_outside_counts_at_the_edge(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct histogram histogram = {0};
	histogram_add(&histogram, -5, &arena);
	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	histogram_add(&histogram, INT64_MAX, &arena);
	assert_int_equal(histogram.buckets[1].index, HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_add_bucket(&histogram, HISTOGRAM_BUCKETS, 1, &arena), -1);
	assert_int_equal(histogram_add_bucket(&histogram, -1, 1, &arena), -1);
	assert_int_equal(histogram_add_bucket(&histogram, 0, 0, &arena), -1);
	assert_int_equal(histogram.total, 2);
	arena_done(&arena);
}

static void quantiles_are_nearest_ranks(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct histogram histogram = {0};
	assert_int_equal(histogram_quantile(&histogram, 500), -1);
	for (int value = 1; value <= 20; value++)
		histogram_add(&histogram, value, &arena);
	assert_int_equal(histogram_quantile(&histogram, 500), 10);
	assert_int_equal(histogram_quantile(&histogram, 900), 18);
	assert_int_equal(histogram_quantile(&histogram, 950), 19);
	assert_int_equal(histogram_quantile(&histogram, 1000), 20);
	assert_int_equal(histogram_quantile(&histogram, 1), 1);
	arena_done(&arena);
}

/* ---- rates */

/* Known values: Newcombe 1998, table I, method 3 (Wilson score without continuity correction). */
static void wilson_intervals_are_those_of_the_literature(void **state)
{
	(void)state;
	static const struct {
		int64_t hits, all;
		double low, high;
	} cases[] = {
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718},
		{29, 29, 0.8830, 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct figures_rate rate = figures_rate(cases[i].hits, cases[i].all);
		assert_true(rate.is_known);
		assert_true(rate.low - cases[i].low < 0.00006 && cases[i].low - rate.low < 0.00006);
		assert_true(rate.high - cases[i].high < 0.00006 && cases[i].high - rate.high < 0.00006);
	}
	assert_false(figures_rate(0, 0).is_known);
	assert_true(figures_rate(3, 2).rate == 1);
}

/* ---- events */

static const struct figures_settings ALL = {
	.groupings = {{0}, {1, {FIGURE_BY_SOURCE}}, {1, {FIGURE_BY_REP}}, {2, {FIGURE_BY_TEAM, FIGURE_BY_GRADE}}},
	.grouping_count = 4,
	.values_max = 200,
};

struct line {
	const char *type, *data;
};

#define ORIGIN ",\"origin\":{\"obtained_at\":\"2026-11-20T10:00:00.000Z\",\"source\":\"web\",\"region\":\"DE\",\"grade\":\"A\""

static const struct line LINES[] = {
	{"lead.assigned", "{\"lead_id\":\"a\",\"owner\":\"ana\",\"team\":\"emea\",\"grade\":\"A\",\"assigned_at\":\"2026-11-23T09:00:00.000Z\","
	 "\"lead\":{\"source\":\"web\",\"campaign\":\"spring\",\"captured_at\":\"2026-11-23T08:00:00.000Z\",\"location\":{\"country\":\"DE\"}},"
	 "\"trace\":{\"stages\":[\"owner\",\"}\"],\"owner\":\"nobody\"}}"},
	{"lead.unassigned", "{\"lead_id\":\"b\",\"reason\":\"grade_stops\",\"grade\":\"D\",\"at\":\"2026-11-23T09:00:00.000Z\",\"origin\":"
	 "{\"obtained_at\":\"2026-11-23T09:00:00.000Z\",\"source\":\"list\",\"gate\":\"stopped\"}}"},
	{"lead.unassigned", "{\"lead_id\":\"c\",\"reason\":\"no_candidate\",\"grade\":\"B\",\"at\":\"2026-11-24T09:00:00.000Z\",\"origin\":"
	 "{\"obtained_at\":\"2026-11-24T09:00:00.000Z\",\"source\":\"web\",\"gate\":\"passed\"}}"},
	{"lead.duplicate", "{\"lead_id\":\"d\",\"source\":\"chat\",\"at\":\"2026-11-23T09:00:00.000Z\"" ORIGIN "}}"},
	{"followup.overdue", "{\"lead_id\":\"a\",\"timer\":\"first_response\",\"level\":\"breach\",\"owner\":\"ana\",\"team\":\"emea\",\"grade\":\"A\","
	 "\"at\":\"2026-11-23T11:00:00.000Z\"" ORIGIN "}}"},
	{"followup.overdue", "{\"lead_id\":\"a\",\"timer\":\"first_response\",\"level\":\"manager\",\"owner\":\"ana\",\"at\":\"2026-11-23T12:00:00.000Z\"}"},
	{"followup.overdue", "{\"lead_id\":\"a\",\"timer\":\"weekly\",\"kind\":\"cadence\",\"level\":\"breach\",\"owner\":\"ana\",\"at\":\"2026-11-23T12:00:00.000Z\"}"},
	{"lead.status", "{\"lead_id\":\"a\",\"status\":\"in_progress\",\"previous_status\":\"assigned\",\"owner\":\"ana\",\"team\":\"emea\","
	 "\"touched_at\":\"2026-11-23T13:00:00.000Z\",\"repeated\":false,\"at\":\"2026-11-23T13:00:00.000Z\",\"first_response\":"
	 "{\"in_time\":false,\"was_overdue\":true,\"elapsed_ms\":14400000,\"open_ms\":10800000},\"cadence\":{\"answered\":2,\"in_time\":1,"
	 "\"were_overdue\":0}" ORIGIN "}}"},
	{"lead.status", "{\"lead_id\":\"a\",\"status\":\"in_progress\",\"previous_status\":\"in_progress\",\"touched_at\":\"2026-11-23T13:00:00.000Z\","
	 "\"repeated\":true,\"at\":\"2026-11-23T13:00:00.000Z\"}"},
	{"lead.status", "{\"lead_id\":\"a\",\"status\":\"opportunity\",\"previous_status\":\"in_progress\",\"owner\":\"ana\",\"repeated\":false,"
	 "\"at\":\"2026-11-23T14:00:00.000Z\"" ORIGIN ",\"became_opportunity\":true}}"},
	{"lead.converted", "{\"lead_id\":\"a\",\"status\":\"deferred\",\"previous_status\":\"opportunity\",\"owner\":\"ana\",\"repeated\":false,"
	 "\"at\":\"2026-11-24T14:00:00.000Z\"" ORIGIN ",\"became_order\":true}}"},
	{"lead.converted", "{\"lead_id\":\"a\",\"status\":\"converted\",\"previous_status\":\"deferred\",\"owner\":\"ana\",\"repeated\":false,"
	 "\"at\":\"2026-11-25T14:00:00.000Z\"" ORIGIN "}}"},
	{"lead.assigned", "{\"lead_id\":\"a\",\"owner\":\"bao\",\"team\":\"emea\",\"previous_owner\":\"ana\",\"assigned_at\":\"2026-11-25T09:00:00.000Z\"" ORIGIN "}}"},
	{"lead.unassigned", "{\"lead_id\":\"a\",\"previous_owner\":\"bao\",\"reason\":\"released\",\"at\":\"2026-11-25T10:00:00.000Z\"" ORIGIN "}}"},
	{"lead.status", "{\"lead_id\":\"a\",\"status\":\"lost\",\"previous_status\":\"assigned\",\"reason\":\"bought \\u0022elsewhere\\u0022\","
	 "\"repeated\":false,\"at\":\"2026-11-25T14:00:00.000Z\"}"},
	{"lead.complaint", "{\"lead_id\":\"a\",\"repeated\":false,\"at\":\"2026-11-25T14:00:00.000Z\"}"},
	{"lead.feedback", "{\"lead_id\":\"a\",\"rating\":4,\"repeated\":false,\"at\":\"2026-11-25T14:00:00.000Z\"" ORIGIN "}}"},
	{"lead.erased", "{\"lead_id\":\"a\",\"at\":\"2026-11-25T14:00:00.000Z\"}"},
	{"lead.rejected", ""},
};
enum { LINE_COUNT = sizeof LINES / sizeof *LINES };

static void take(struct figures *figures, const struct line *line)
{
	figures_take(figures, &(struct figures_event){.type = slice_of(line->type), .data = slice_of(line->data),
	                                              .at_ms = 1795424400000, .code = SLICE("bad_email"), .is_lead_record = true});
}

/* Quotes and backslashes in what is stepped over, and at the ends of texts. */
static void escapes_do_not_lead_astray(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct figures *figures = figures_new(&ALL, &arena);
	take(figures, &(struct line){"lead.complaint", "{\"text\":\"a \\\\\",\"why\":\"\\\"at\\\": \\\\\\\"\",\"trace\":[{\"x\":\"]\\\"}\"}],"
	                               "\"owner\":\"a\\\\b\\\"c\",\"repeated\":false,\"at\":\"2026-11-23T09:00:00Z\"}"});
	assert_int_equal(figures_cell(figures, 2, 20780, SLICE("a\\b\"c"))->counts[FIGURE_COMPLAINTS], 1);
	assert_true(slice_is(figures_raw_member(SLICE("{ \"a\" : \"\\\"b\" , \"data\" : {\"b\":[1]} }"), SLICE("data")), "{\"b\":[1]}"));
	assert_int_equal(figures_raw_member(SLICE("{\"a\":1}"), SLICE("data")).len, 0);
	arena_done(&arena);
}

/* All counts, as text. */
static char *dump(struct figures *figures)
{
	struct strbuf out = STRBUF_INIT;
	size_t count;
	struct figures_row *const *rows = figures_rows(figures, &count);
	for (size_t i = 0; i < count; i++) {
		struct json_writer writer = JSON_WRITER(&out);
		strbuf_printf(&out, "%zu %lld %.*s ", rows[i]->grouping, (long long)rows[i]->day, SLICE_ARG(rows[i]->value));
		figures_cell_write(&writer, NULL, &rows[i]->cell);
		strbuf_putc(&out, '\n');
	}
	return strbuf_detach(&out, NULL);
}

static struct figures *figures_of_all(struct arena *arena)
{
	struct figures *figures = figures_new(&ALL, arena);
	for (size_t i = 0; i < LINE_COUNT; i++)
		take(figures, &LINES[i]);
	return figures;
}

static int64_t day(const char *date)
{
	int64_t dom = atoi(date);
	return 20779 + dom - 22; /* 2026-11-22 is day 20779 */
}

static void expect(struct figures *figures, size_t grouping, const char *dom, const char *value, enum figure figure,
                   int64_t wanted)
{
	int64_t got = figures_cell(figures, grouping, day(dom), slice_of(value))->counts[figure];
	if (got != wanted)
		fail_msg("%s of %s on %s: %lld, not %lld", figure_name(figure), value, dom, (long long)got, (long long)wanted);
}

static void each_event_counts_for_what_it_means(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct figures *figures = figures_of_all(&arena);
	expect(figures, 0, "23", "", FIGURE_OBTAINED, 2);
	expect(figures, 0, "24", "", FIGURE_OBTAINED, 1);
	expect(figures, 0, "23", "", FIGURE_PASSED, 1);
	expect(figures, 0, "23", "", FIGURE_STOPPED, 1);
	expect(figures, 0, "24", "", FIGURE_UNASSIGNED, 1);
	expect(figures, 1, "23", "web", FIGURE_OBTAINED, 1);
	expect(figures, 1, "23", "list", FIGURE_STOPPED, 1);
	expect(figures, 1, "23", "chat", FIGURE_DUPLICATES, 1);
	expect(figures, 1, "23", FIGURES_NONE, FIGURE_REJECTED, 1);
	expect(figures, 2, "23", "ana", FIGURE_FIRST_DUE, 1);
	expect(figures, 2, "23", "ana", FIGURE_FIRST_MET, 0);
	expect(figures, 2, "23", "ana", FIGURE_CADENCE_DUE, 3);
	expect(figures, 2, "23", "ana", FIGURE_CADENCE_MET, 1);
	expect(figures, 2, "23", "ana", FIGURE_TOUCHES, 1);
	expect(figures, 2, "23", "ana", FIGURE_OPPORTUNITIES, 1);
	expect(figures, 2, "24", "ana", FIGURE_ORDERS, 1);
	expect(figures, 2, "25", "ana", FIGURE_ORDERS, 0);
	expect(figures, 2, "25", "ana", FIGURE_REASSIGNED, 1);
	expect(figures, 2, "25", "bao", FIGURE_ASSIGNED, 1);
	expect(figures, 2, "25", "bao", FIGURE_RELEASED, 1);
	expect(figures, 0, "20", "", FIGURE_REACHED_OPPORTUNITY, 1);
	expect(figures, 0, "20", "", FIGURE_REACHED_ORDER, 1);
	expect(figures, 0, "25", "", FIGURE_LOST, 1);
	expect(figures, 0, "25", "", FIGURE_COMPLAINTS, 1);
	expect(figures, 1, "25", "web", FIGURE_CSAT_SUM, 4);
	expect(figures, 3, "23", "emea\x1f" "A", FIGURE_FIRST_DUE, 1);
	const struct figures_cell *cell = figures_cell(figures, 0, day("23"), SLICE(""));
	assert_int_equal(cell->times[FIGURE_TIME_GAP].total, 1);
	assert_int_equal(cell->times[FIGURE_TIME_RESPONSE].total, 1);
	int64_t open_ms = histogram_quantile(&cell->times[FIGURE_TIME_RESPONSE_OPEN], 500);
	assert_true(open_ms > 10800000 * 0.98 && open_ms < 10800000 * 1.02);
	cell = figures_cell(figures, 0, day("25"), SLICE(""));
	bool has_reason = false;
	for (size_t i = 0; i < cell->reason_count; i++)
		has_reason |= cell->reasons[i].figure == FIGURE_LOST && slice_is(cell->reasons[i].text, "bought \"elsewhere\"");
	assert_true(has_reason);
	arena_done(&arena);
}

static void shuffle(size_t *order, size_t count, uint64_t *random)
{
	for (size_t i = count; i > 1; i--) {
		*random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
		size_t at = (size_t)(*random % i), swapped = order[i - 1];
		order[i - 1] = order[at];
		order[at] = swapped;
	}
}

static void any_split_and_order_gives_the_same_figures(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	uint64_t random = 2463534242u;
	char *wanted = dump(figures_of_all(&arena));
	for (int round = 0; round < 200; round++) {
		struct figures *parts[3] = {figures_new(&ALL, &arena), figures_new(&ALL, &arena), figures_new(&ALL, &arena)};
		size_t order[LINE_COUNT];
		for (size_t i = 0; i < LINE_COUNT; i++)
			order[i] = i;
		shuffle(order, LINE_COUNT, &random);
		for (size_t i = 0; i < LINE_COUNT; i++)
			take(parts[(random >> (i % 60)) % 3], &LINES[order[i]]);
		/* (0 + 1) + 2 and 0 + (1 + 2) in turn */
		figures_merge(parts[round % 2], parts[round % 2 + 1]);
		figures_merge(parts[0], parts[round % 2 ? 1 : 2]);
		char *got = dump(parts[0]);
		assert_string_equal(got, wanted);
		free(got);
	}
	free(wanted);
	arena_done(&arena);
}

static void a_cell_reads_back(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct figures *figures = figures_of_all(&arena);
	size_t count;
	struct figures_row *const *rows = figures_rows(figures, &count);
	for (size_t i = 0; i < count; i++) {
		struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
		struct json_writer one = JSON_WRITER(&first), two = JSON_WRITER(&second);
		struct figures_cell back;
		figures_cell_write(&one, NULL, &rows[i]->cell);
		const struct json *json = json_read((struct slice){first.bytes, first.len}, (struct json_limits){100000, 4, 1000}, &arena, NULL);
		assert_int_equal(figures_cell_read(json, &back, &arena), 0);
		figures_cell_write(&two, NULL, &back);
		assert_string_equal(strbuf_text(&first), strbuf_text(&second));
		strbuf_done(&first);
		strbuf_done(&second);
	}
	static const char *const bad[] = {"[]", "{\"obtained\":\"1\"}", "{\"unheard\":1}", "{\"reasons\":{\"lost\":1}}",
	                                  "{\"reasons\":{\"what:x\":1}}", "{\"gap\":[1]}", "{\"gap\":[1,0]}", "{\"gap\":[99999,1]}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct figures_cell cell;
		const struct json *json = json_read(slice_of(bad[i]), (struct json_limits){1000, 4, 100}, &arena, NULL);
		assert_int_equal(figures_cell_read(json, &cell, &arena), -1);
	}
	arena_done(&arena);
}

static void values_and_reasons_beyond_the_limit_are_counted_together(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct figures_settings settings = {.groupings = {{0}, {1, {FIGURE_BY_CAMPAIGN}}}, .grouping_count = 2, .values_max = 3};
	struct figures *figures = figures_new(&settings, &arena);
	for (int i = 0; i < 200; i++) {
		char data[300];
		snprintf(data, sizeof data, "{\"status\":\"lost\",\"previous_status\":\"assigned\",\"reason\":\"r%d\",\"campaign\":\"c%d\","
		         "\"at\":\"2026-11-23T09:00:00Z\"}", i, i);
		take(figures, &(struct line){"lead.status", data});
	}
	assert_int_equal(figures_cell(figures, 1, day("23"), SLICE("c2"))->counts[FIGURE_LOST], 1);
	assert_int_equal(figures_cell(figures, 1, day("23"), SLICE(FIGURES_OTHER))->counts[FIGURE_LOST], 197);
	const struct figures_cell *all = figures_cell(figures, 0, day("23"), SLICE(""));
	assert_int_equal(all->counts[FIGURE_LOST], 200);
	assert_true(all->reason_count <= FIGURES_REASONS_MAX + 1);
	int64_t sum = 0;
	for (size_t i = 0; i < all->reason_count; i++)
		sum += all->reasons[i].count;
	assert_int_equal(sum, 200);
	arena_done(&arena);
}

static void days_are_those_of_the_zone_and_the_period_is_half_open(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	const struct line late = {"lead.complaint", "{\"repeated\":false,\"at\":\"2026-11-23T23:30:00Z\"}"};
	struct figures_settings settings = {.zone = zone_load("Asia/Shanghai"), .grouping_count = 1};
	assert_non_null(settings.zone);
	struct figures *figures = figures_new(&settings, &arena);
	take(figures, &late);
	expect(figures, 0, "24", "", FIGURE_COMPLAINTS, 1);
	settings.until_ms = 1795476600000; /* that very instant */
	figures = figures_new(&settings, &arena);
	take(figures, &late);
	expect(figures, 0, "24", "", FIGURE_COMPLAINTS, 0);
	settings.from_ms = settings.until_ms;
	settings.until_ms = 0;
	figures = figures_new(&settings, &arena);
	take(figures, &late);
	expect(figures, 0, "24", "", FIGURE_COMPLAINTS, 1);
	assert_int_equal(figures_day_of(NULL, -1), -1);
	assert_int_equal(figures_day_of(NULL, DAY_MS), 1);
	arena_done(&arena);
}

/* What is not of our form is read without harm: the tool takes files from anywhere. */
static void odd_events_count_for_nothing(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	static const struct line odd[] = {
		{"lead.status", "[]"}, {"lead.status", "\"text\""}, {"lead.status", "{}"}, {"lead.feedback", "{\"rating\":\"5\"}"},
		{"lead.feedback", "{\"rating\":[5]}"}, {"lead.feedback", "{\"rating\":-3}"}, {"lead.duplicate.x", "{}"},
		{"lead.unassigned", "{\"origin\":7}"}, {"lead.status", "{\"origin\":{\"became_order\":true}}"}, {"", ""},
		{"lead.status", "{ \"repeated\" : true , \"touched_at\" : \"2026-11-23T23:30:00Z\" }"},
	};
	struct figures *figures = figures_new(&ALL, &arena);
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		take(figures, &odd[i]);
	size_t count;
	(void)figures_rows(figures, &count);
	assert_int_equal(count, 0);
	arena_done(&arena);
}

static void a_sample_depends_on_seed_and_lead_alone(void **state)
{
	(void)state;
	char one[FIGURES_RANK_BYTES], again[FIGURES_RANK_BYTES], other[FIGURES_RANK_BYTES];
	figures_sample_rank(SLICE("7"), SLICE("L-1"), one);
	figures_sample_rank(SLICE("7"), SLICE("L-1"), again);
	figures_sample_rank(SLICE("8"), SLICE("L-1"), other);
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), FIGURES_RANK_BYTES - 1);
}

enum { DRAWN_FROM = 200, DRAWN = 20, DRAWS = 500 };

/* Draws by so many seeds; how often each lead was among the first. */
static void draw_often(int ret_hits[DRAWN_FROM])
{
	static char ranks[DRAWN_FROM][FIGURES_RANK_BYTES];
	for (int draw = 0; draw < DRAWS; draw++) {
		char seed[20], id[20];
		snprintf(seed, sizeof seed, "seed-%d", draw);
		for (int i = 0; i < DRAWN_FROM; i++) {
			snprintf(id, sizeof id, "L-%d", i);
			figures_sample_rank(slice_of(seed), slice_of(id), ranks[i]);
		}
		for (int i = 0; i < DRAWN_FROM; i++) {
			int before = 0;
			for (int other = 0; other < DRAWN_FROM; other++)
				before += strcmp(ranks[other], ranks[i]) < 0;
			ret_hits[i] += before < DRAWN;
		}
	}
}

/* Chi square with 199 degrees of freedom: above 268 once in a thousand sets of fair draws; these are always the same. */
static void a_sample_is_fair(void **state)
{
	(void)state;
	int hits[DRAWN_FROM] = {0}, all = 0;
	double expected = (double)DRAWS * DRAWN / DRAWN_FROM, sum = 0;
	draw_often(hits);
	for (int i = 0; i < DRAWN_FROM; i++) {
		all += hits[i];
		sum += (hits[i] - expected) * (hits[i] - expected) / expected;
	}
	assert_int_equal(all, DRAWS * DRAWN);
	assert_true(sum / (1 - (double)DRAWN / DRAWN_FROM) < 268);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_value_is_exact_and_a_large_one_within_the_error),
		cmocka_unit_test(what_lies_outside_counts_at_the_edge),
		cmocka_unit_test(quantiles_are_nearest_ranks),
		cmocka_unit_test(wilson_intervals_are_those_of_the_literature),
		cmocka_unit_test(each_event_counts_for_what_it_means),
		cmocka_unit_test(escapes_do_not_lead_astray),
		cmocka_unit_test(any_split_and_order_gives_the_same_figures),
		cmocka_unit_test(a_cell_reads_back),
		cmocka_unit_test(values_and_reasons_beyond_the_limit_are_counted_together),
		cmocka_unit_test(days_are_those_of_the_zone_and_the_period_is_half_open),
		cmocka_unit_test(odd_events_count_for_nothing),
		cmocka_unit_test(a_sample_depends_on_seed_and_lead_alone),
		cmocka_unit_test(a_sample_is_fair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
