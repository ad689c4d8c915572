/* SPDX-License-Identifier: Apache-2.0
 *
 * The same records and times give the same events and the same state, byte for byte: with any size of batches, with what
 * the writer keeps in its head or without, and for one who loses everything on the way but the log of what was written.
 * Every type of record is in the mix, and people, phones and companies meet again and again.
 */
#include "tests/unit/core_rig.h"

#include <string.h>

#include "rules/activity.h"
#include "rules/world.h"

static const char CONFIG[] =
	"reps: [ana, ben, {id: cleo, capacity: {open: 1}}, {id: dan, active: false}, eve]\n"
	"teams:\n"
	"  - {id: north, reps: [{rep: ana, weight: 3}, ben, cleo], capacity: {open: 1}, nobody: [{wait: 9h}, {next_pool: south}, wait]}\n"
	"  - {id: south, reps: [ben, eve], capacity: {open: 2}, nobody: [fallback_queue]}\n"
	"territories: {areas: {rows: [{country: DE, area: north}, {country: FR, area: south}]}}\n"
	"score:\n"
	"  criteria: [{name: high, points: 40, when: lead.intent == \"high\"}]\n"
	"  grades:\n"
	"    - {grade: A, from: 40, first_response: 4h, remind_before: 1h}\n"
	"    - {grade: B, from: lowest, first_response: 1d}\n"
	"routes:\n"
	"  - {name: abroad, when: lead.location.country == \"FR\", team: south, roles: [{rep: ana, role: minutes}]}\n"
	"  - {name: rest, team: north}\n"
	"followup:\n"
	"  clocks:\n"
	"    - {clock: first_response, when: grade == \"A\", after: 4h, on_breach: reassign, max_hops: 2}\n"
	"    - {clock: release, after: 20d, on_breach: pool}\n"
	"    - {clock: cadence, every: 3d}\n"
	"lifecycle: {blank: [industry, region], retention: {invalid: 3d, converted: 40h}}\n"
	"ownership:\n"
	"  cool_down: 12h\n"
	"  holding: 4\n"
	"  claims_per_day: 2\n"
	"  dispute: {evidence: 30h, territory: areas}\n"
	"  consent: [{team: south, by: boss, within: 1d, otherwise: grant}]\n"
	"  match: [{by: requested}, {by: account}, {by: company}]\n"
	"report: {}\n";

static const char *const formats[] = {
	"{\"lead_id\":\"L%u\",\"intent\":\"high\",\"contact\":{\"email\":\"p%u@example.com\"}}",
	"{\"lead_id\":\"L%u\",\"contact\":{\"phone\":\"030 12345%u\"},\"location\":{\"country\":\"FR\"}}",
	"{\"lead_id\":\"L%u\",\"contact\":{\"wechat\":\"w\"},\"company\":{\"name\":\"Firm %u\",\"industry\":\"retail\"}}",
	"{\"lead_id\":\"L%u\",\"contact\":{\"wechat\":\"v\"},\"requested_owner\":\"eve\",\"campaign\":\"c%u\"}",
	"{\"lead_id\":\"L%u\",\"contact\":{\"email\":\"p%u@example.com\",\"phone\":\"030 123451\"}}", /* brings two together */
	"{\"lead_id\":\"L%u\",\"contact\":{\"email\":", /* breaks off */
	"{\"type\":\"activity.touch\",\"lead_id\":\"L%u\",\"method\":\"phone\"}",
	"{\"type\":\"activity.touch\",\"lead_id\":\"L%u\",\"actor\":\"ana\",\"method\":\"mail\",\"x\":%u}",
	"{\"type\":\"activity.status\",\"lead_id\":\"L%u\",\"stage\":\"offer\"}",
	"{\"type\":\"activity.status\",\"lead_id\":\"L%u\",\"status\":\"in_progress\"}",
	"{\"type\":\"activity.verdict\",\"lead_id\":\"L%u\",\"verdict\":\"latent\"}",
	"{\"type\":\"activity.nurture\",\"lead_id\":\"L%u\",\"every\":\"30d\"}",
	"{\"type\":\"activity.convert\",\"lead_id\":\"L%u\",\"amount\":100}",
	"{\"type\":\"activity.disqualify\",\"lead_id\":\"L%u\",\"reason\":\"no_need\"}",
	"{\"type\":\"activity.reassign\",\"lead_id\":\"L%u\",\"to\":\"ben\",\"actor\":\"boss\"}",
	"{\"type\":\"activity.reassign\",\"lead_id\":\"L%u\",\"to\":\"eve\",\"actor\":\"boss\"}",
	"{\"type\":\"activity.reassign\",\"lead_id\":\"L%u\",\"team\":\"north\",\"expected_version\":2}",
	"{\"type\":\"activity.approve\",\"lead_id\":\"L%u\",\"actor\":\"boss\",\"decision\":\"yes\"}",
	"{\"type\":\"activity.approve\",\"lead_id\":\"L%u\",\"actor\":\"boss\",\"decision\":\"no\"}",
	"{\"type\":\"activity.decline\",\"lead_id\":\"L%u\"}",
	"{\"type\":\"activity.release\",\"lead_id\":\"L%u\"}",
	"{\"type\":\"activity.claim\",\"lead_id\":\"L%u\",\"actor\":\"cleo\"}",
	"{\"type\":\"activity.claim\",\"lead_id\":\"L%u\",\"actor\":\"eve\",\"evidence\":{\"key_person\":true}}",
	"{\"type\":\"activity.collaborators\",\"lead_id\":\"L%u\",\"collaborators\":[{\"rep\":\"cleo\",\"role\":\"minutes\"}]}",
	"{\"type\":\"activity.protect\",\"lead_id\":\"L%u\",\"until\":\"2026-12-24T00:00:00Z\"}",
	"{\"type\":\"activity.merge\",\"lead_id\":\"L%u\",\"other\":\"L%u\"}",
	"{\"type\":\"activity.merge\",\"lead_id\":\"L%u\",\"other\":\"L1\"}",
	"{\"type\":\"activity.split\",\"lead_id\":\"L%u\",\"other\":\"L%u\"}",
	"{\"type\":\"activity.split\",\"lead_id\":\"L1\",\"other\":\"L%u\"}",
	"{\"type\":\"activity.erase\",\"lead_id\":\"L%u\",\"do_not_contact\":true}",
	"{\"type\":\"activity.issue\",\"lead_id\":\"L%u\",\"department\":\"help\"}",
	"{\"type\":\"activity.complaint\",\"lead_id\":\"L%u\"}",
	"{\"type\":\"activity.help_requested\",\"lead_id\":\"L%u\",\"to\":\"ana\"}",
	"{\"type\":\"activity.feedback\",\"lead_id\":\"L%u\",\"rating\":4}",
	"{\"type\":\"activity.report\",\"lead_id\":\"L%u\",\"actor\":\"ben\"}",
	"{\"type\":\"rep.availability\",\"rep\":\"ben\",\"status\":\"away\",\"x\":\"%u\"}",
	"{\"type\":\"rep.availability\",\"rep\":\"ben\",\"status\":\"available\",\"x\":\"%u\"}",
	"{\"type\":\"rep.availability\",\"rep\":\"cleo\",\"status\":\"away\",\"x\":\"%u\"}",
	"{\"type\":\"rep.handover\",\"rep\":\"eve\",\"x\":\"%u\"}",
};
enum { FORMATS = sizeof formats / sizeof *formats, CAPTURED = 6, LEADS = 14, VALUES = 6, INSTANTS = 45 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static void feed(struct world *world, uint64_t *seed)
{
	char json[300];
	unsigned row = draw(seed, 3) == 0 ? draw(seed, CAPTURED) : draw(seed, FORMATS);
	unsigned lead = draw(seed, LEADS), value = draw(seed, row < CAPTURED ? VALUES : LEADS);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(json, sizeof json, formats[row], lead, value);
#pragma GCC diagnostic pop
	world_feed(world, &(struct world_record){.kind = row < CAPTURED ? RECORD_CAPTURED : RECORD_ACTIVITY, .value = slice_of(json)});
}

static void tell(const struct world *world, struct strbuf *out)
{
	for (size_t i = 0; i < world_decision_count(world); i++) {
		const struct decision *decision = &world_decision(world, i)->decision;
		for (size_t e = 0; e < decision->event_count; e++)
			strbuf_printf(out, "%s %.*s %.*s\n", decision->events[e].type, SLICE_ARG(decision->events[e].id),
			              SLICE_ARG(decision->events[e].value));
	}
}

struct way {
	size_t batch;
	bool keeps_desk, loses_all;
};

/* All that is said, then all that is stored. */
static char *run(const struct model *model, uint64_t seed, const struct way *way)
{
	const struct world_settings settings = {.batch = way->batch, .now_ms = 1795424400000, .keeps_desk = way->keeps_desk};
	struct world *world = world_new(model, &settings);
	struct strbuf out = STRBUF_INIT;
	for (int i = 0; i < INSTANTS; i++) {
		world_advance(world, world_now_ms(world) + (int64_t)draw(&seed, 40) * 3600000);
		for (uint32_t left = 1 + draw(&seed, 12); left > 0; left--)
			feed(world, &seed);
		world_settle(world);
		if (way->loses_all)
			world_restore(world);
	}
	world_advance(world, world_now_ms(world) + 40ll * 86400000);
	world_settle(world);
	tell(world, &out);
	world_dump(world, &out);
	world_free(world);
	return strbuf_detach(&out, NULL);
}

static size_t count(const char *text, const char *mark)
{
	size_t found = 0;
	for (const char *at = text; (at = strstr(at, mark)) != NULL; at += strlen(mark))
		found++;
	return found;
}

static void expect_same(const char *one, const char *other, uint64_t seed, const struct way *way)
{
	if (strcmp(one, other) == 0)
		return;
	size_t at = 0;
	while (one[at] == other[at])
		at++;
	at = at > 300 ? at - 300 : 0;
	fail_msg("seed %d, batches of %zu%s%s:\n%.600s\ninstead of\n%.600s", (int)seed, way->batch, way->keeps_desk ? ", desk" : "",
	         way->loses_all ? ", everything lost" : "", other + at, one + at);
}

static void the_same_bytes_in_every_way(void **state)
{
	static const struct way ways[] = {{7, true, false}, {64, true, false}, {64, false, false}, {3, true, true}, {1, false, true}};
	static const char *const kinds[] = {"\nlead.assigned ", "\nlead.merged ", "\nlead.split ", "\nlead.dispute ", "\nlead.erased ",
	                                    "\nrep.handed_over ", "\"reason\":\"approved\"", "\"match\":\"dispute\"", "\"reason\":\"claimed\"",
	                                    "\"reason\":\"breach\"", "\"reason\":\"waiting\"", "\"reason\":\"expired\""};
	size_t seen[sizeof kinds / sizeof *kinds] = {0};
	struct arena arena = ARENA_INIT;
	struct model *model = rig_model(&arena, CONFIG);
	(void)state;
	assert_non_null(model);
	for (uint64_t seed = 1; seed <= 12; seed++) {
		char *one = run(model, seed, &(struct way){1, false, false});
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			seen[i] += count(one, kinds[i]);
		for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
			char *other = run(model, seed, &ways[i]);
			expect_same(one, other, seed, &ways[i]);
			free(other);
		}
		free(one);
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (seen[i] == 0)
			fail_msg("nothing of this has happened: %s", kinds[i] + (kinds[i][0] == '\n'));
	model_done(model);
	arena_done(&arena);
}

/* A type of activity that is added belongs into the mix. */
static void every_type_is_in_the_mix(void **state)
{
	(void)state;
	for (int type = 0; type < ACTIVITY_TYPES; type++) {
		char mark[80];
		size_t found = 0;
		snprintf(mark, sizeof mark, "\"%s\"", activity_type_name((enum activity_type)type));
		for (size_t i = CAPTURED; i < FORMATS; i++)
			found += count(formats[i], mark);
		if (found == 0)
			fail_msg("%s is not", mark);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_bytes_in_every_way),
		cmocka_unit_test(every_type_is_in_the_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
