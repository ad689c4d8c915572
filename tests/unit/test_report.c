/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures of the daemon: what is stored is the fold over the events that were sent, in batches of any size, and the same
 * after a rebuild from the log.
 */
#include "tests/unit/core_rig.h"

#include "rules/calendar/instant.h"
#include "rules/figures/figures.h"
#include "rules/report.h"
#include "rules/text/zone.h"
#include "rules/world.h"

static const char CONFIG[] =
	"reps: [ana, bob]\n"
	"teams: [{id: north, reps: [ana]}, {id: south, reps: [bob]}]\n"
	"cleanse: {sources: [web, fair]}\n"
	"score: {criteria: [{name: fair, when: lead.source == \"fair\", points: -5}],"
	" grades: [{grade: A, from: 0, first_response: 2h}, {grade: B, from: lowest, first_response: 4h}]}\n"
	"routes: [{name: south, when: lead.location.country == \"IT\", team: south}, {name: rest, team: north}]\n"
	"calendars: {office: {zone: Asia/Shanghai, week: {mon-sun: [\"00:00-24:00\"]}}}\n"
	"followup: {calendar: office, clocks: [{clock: cadence, every: 9h}]}\n"
	"report: {daily: {at: \"18:00\"}, due_today: {at: \"08:00\"}}\n";

static const int64_t START = 1795424400000; /* Monday, 2026-11-23, 09:00 UTC */
enum { HOUR = 3600000, LEADS = 600 };

static uint64_t next(uint64_t *random)
{
	*random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
	return *random;
}

static void feed(struct world *world, enum record_kind kind, const char *json)
{
	world_feed(world, &(struct world_record){.kind = kind, .value = slice_of(json)});
}

static void feed_lead(struct world *world, int number, uint64_t *random)
{
	static const char *const sources[] = {"web", "fair", "chat"};
	static const char *const countries[] = {"DE", "IT", "FR", "CN"};
	char json[400];
	uint64_t dice = next(random);
	snprintf(json, sizeof json, "{\"lead_id\":\"L-%d\",\"source\":\"%s\",\"campaign\":\"c%d\",\"location\":{\"country\":\"%s\"},"
	         "\"captured_at\":\"2026-11-20T09:00:00Z\",\"contact\":{\"email\":\"p%d@example.com\"}}", number, sources[dice % 3],
	         (int)(dice / 7 % 2000), countries[dice / 3 % 4], (int)(dice / 11 % (LEADS * 2)));
	feed(world, RECORD_CAPTURED, dice % 23 == 0 ? "{\"contact\":{}}" : json);
}

static void feed_act(struct world *world, uint64_t *random)
{
	static const char *const acts[] = {
		"\"type\":\"activity.touch\"", "\"type\":\"activity.touch\"", "\"type\":\"activity.touch\"",
		"\"type\":\"activity.status\",\"status\":\"opportunity\"", "\"type\":\"activity.convert\"",
		"\"type\":\"activity.disqualify\",\"reason\":\"no_need\"", "\"type\":\"activity.complaint\"",
		"\"type\":\"activity.feedback\",\"rating\":3", "\"type\":\"activity.help_requested\"",
	};
	char json[200];
	uint64_t dice = next(random);
	snprintf(json, sizeof json, "{%s,\"lead_id\":\"L-%d\"}", acts[dice % 9], (int)(dice / 13 % LEADS));
	feed(world, RECORD_ACTIVITY, json);
}

/* Four days of leads and acts; calls `see` before the world forgets. */
static void live(struct world *world, void (*see)(struct world *world, void *arg), void *arg)
{
	uint64_t random = 88172645463325252u;
	for (int number = 0; number < LEADS; number++) {
		feed_lead(world, number, &random);
		feed_act(world, &random);
		if (number % 3 == 0)
			world_advance(world, world_now_ms(world) + (int64_t)(next(&random) % HOUR));
	}
	world_settle(world);
	see(world, arg);
}

static struct slice header_of(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->header_count; i++)
		if (slice_is(event->headers[i].name, name))
			return event->headers[i].value;
	return SLICE_NONE;
}

/* ---- stored figures and those of the events */

static void add_stored(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	(void)due_ms;
	struct strbuf *out = ctx;
	if (slice_has_prefix(key, SLICE("mem/fig/")) && value.p[0] == '{')
		strbuf_printf(out, "%.*s %.*s\n", SLICE_ARG(key), SLICE_ARG(value));
}

static int by_line(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Lines of "mem/fig/<day>/<dimension>[/<value>] <cell>" in order. */
static char *lines_of(struct strbuf *text, struct arena *arena)
{
	char **lines = arena_array(arena, text->len + 1, sizeof *lines);
	size_t count = 0;
	char *state = NULL;
	for (char *line = strtok_r(text->bytes, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state))
		lines[count++] = line;
	qsort(lines, count, sizeof *lines, by_line);
	struct strbuf sorted = STRBUF_INIT;
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&sorted, "%s\n", lines[i]);
	return strbuf_detach(&sorted, NULL);
}

static char *stored(struct world *world, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT;
	world_each(world, add_stored, &out);
	char *lines = lines_of(&out, arena);
	strbuf_done(&out);
	return lines;
}

/* Rows of the fold in the form in which they are stored. Values beyond the limit are told apart here only by their order. */
static char *folded(struct world *world, struct arena *arena)
{
	struct figures_settings settings = tally_settings();
	settings.zone = zone_load("Asia/Shanghai");
	settings.values_max = REPORT_VALUES_MAX;
	struct figures *figures = figures_new(&settings, arena);
	for (size_t i = 0; i < world_decision_count(world); i++) {
		const struct decision *decision = &world_decision(world, i)->decision;
		for (size_t n = 0; n < decision->event_count; n++) {
			const struct event *event = &decision->events[n];
			figures_take(figures, &(struct figures_event){
				.type = slice_of(event->type), .data = event->value, .at_ms = event->at_ms,
				.code = header_of(event, "leadrouter.error.code"),
				.is_lead_record = slice_is(header_of(event, "leadrouter.error.record"), "lead")});
		}
	}
	struct strbuf out = STRBUF_INIT;
	size_t count;
	struct figures_row *const *rows = figures_rows(figures, &count);
	for (size_t i = 0; i < count; i++) {
		struct json_writer writer = JSON_WRITER(&out);
		bool is_all = rows[i]->grouping == 0;
		strbuf_printf(&out, "mem/fig/%lld/%s%s%.*s ", (long long)rows[i]->day,
		              is_all ? "all" : figure_dimension_name((enum figure_dimension)(rows[i]->grouping - 1)), is_all ? "" : "/",
		              SLICE_ARG(rows[i]->value));
		figures_cell_write(&writer, NULL, &rows[i]->cell);
		strbuf_putc(&out, '\n');
	}
	char *lines = lines_of(&out, arena);
	strbuf_done(&out);
	return lines;
}

struct found {
	const struct model *model;
	char *wanted; /* of the first world */
};

static void compare(struct world *world, void *arg)
{
	struct found *found = arg;
	struct arena arena = ARENA_INIT;
	char *kept = stored(world, &arena), *counted = folded(world, &arena);
	assert_true(strlen(kept) > 10000);
	assert_string_equal(kept, counted);
	if (found->wanted != NULL)
		assert_string_equal(kept, found->wanted);
	struct world *rebuilt = world_new(found->model, &(struct world_settings){.now_ms = world_now_ms(world)});
	assert_int_equal(world_replay(rebuilt, world_log(world)), 0);
	char *again = stored(rebuilt, &arena);
	assert_string_equal(again, kept);
	world_free(rebuilt);
	free(again);
	free(counted);
	free(found->wanted);
	found->wanted = kept;
	arena_done(&arena);
}

static void stored_figures_are_those_of_the_events_whatever_the_batch(void **state)
{
	(void)state;
	static const size_t batches[] = {1, 7, 64};
	struct rig rig;
	rig_open(&rig, CONFIG);
	struct found found = {rig.model, NULL};
	for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
		struct world *world = world_new(rig.model, &(struct world_settings){.batch = batches[i], .now_ms = START});
		live(world, compare, &found);
		world_free(world);
	}
	free(found.wanted);
	rig_close(&rig);
}

/* ---- what is old goes */

struct days {
	size_t all, old;
};

static void count_days(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	(void)value, (void)due_ms;
	struct days *days = ctx;
	if (!slice_has_prefix(key, SLICE("mem/fig/")))
		return;
	days->all++;
	days->old += atoll(key.p + strlen("mem/fig/")) < START / (24 * (int64_t)HOUR) + 10;
}

static void days_beyond_the_limit_are_taken_away(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t random = 4711;
	struct days before = {0, 0}, after = {0, 0};
	rig_open(&rig, CONFIG);
	struct world *world = world_new(rig.model, &(struct world_settings){.batch = 1, .now_ms = START});
	for (int number = 0; number < 20; number++)
		feed_lead(world, number, &random);
	feed(world, RECORD_ACTIVITY, "{\"type\":\"activity.disqualify\",\"reason\":\"no_need\",\"lead_id\":\"L-3\"}");
	world_settle(world);
	world_each(world, count_days, &before);
	assert_true(before.old > 20);
	world_sleep(world, START + (int64_t)(REPORT_DAYS_KEPT + 12) * 24 * HOUR);
	feed_lead(world, 21, &random);
	world_settle(world);
	world_each(world, count_days, &after);
	assert_int_equal(after.old, 0);
	assert_true(after.all >= 8);
	world_free(world);
	rig_close(&rig);
}

/* ---- when digests come */

static const struct {
	enum figures_period every;
	int on;
	const char *now, *next;
} times[] = {
	{FIGURES_WEEK, 4, "2026-03-23T00:00:00Z", "2026-03-27T01:30:00Z"},
	{FIGURES_MONTH, 28, "2026-02-28T02:00:00Z", "2026-03-28T01:30:00Z"},
};

static void digests_come_at_their_local_time(void **state)
{
	(void)state;
	struct report_rules rules = {.zone = zone_load("Europe/Berlin")};
	/* 02:30 is skipped on the 29th: the first instant behind the gap */
	const int64_t gap = instant_parse(SLICE("2026-03-29T01:00:00Z")), day_before = instant_parse(SLICE("2026-03-28T12:00:00Z"));
	struct report_line daily = {true, FIGURES_DAY, 0, 2 * 3600 + 1800};
	assert_int_equal(report_next(&rules, &daily, day_before), gap);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct report_line line = {true, times[i].every, times[i].on, 2 * 3600 + 1800};
		assert_int_equal(report_next(&rules, &line, instant_parse(slice_of(times[i].now))), instant_parse(slice_of(times[i].next)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_figures_are_those_of_the_events_whatever_the_batch),
		cmocka_unit_test(days_beyond_the_limit_are_taken_away),
		cmocka_unit_test(digests_come_at_their_local_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
