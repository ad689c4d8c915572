/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of a schedule. Few people and few lead ids per shard, so that most records meet something earlier.
 */
#include <string.h>

#include "tests/sim/reference.h"

enum { PEOPLE = 5, LEADS = 14 };

static struct slice captured_value(struct sim *sim, int32_t shard)
{
	if (rng_hits(&sim->rng, 800))
		return SLICE("{\"lead_id\": not json");
	/* some have a phone beside the e-mail, not always the same person's */
	const char *phone = "";
	if (rng_hits(&sim->rng, 4000))
		phone = arena_printf(&sim->arena, ",\"phone\":\"+49301234567%d\"", (int)rng_below(&sim->rng, PEOPLE));
	/* drawn one by one: the order in which arguments are computed is the compiler's affair */
	int lead = (int)rng_below(&sim->rng, LEADS);
	int person = (int)rng_below(&sim->rng, PEOPLE);
	const char *intent = rng_hits(&sim->rng, 5000) ? "high" : "clear";
	return slice_of(arena_printf(
		&sim->arena,
		"{\"lead_id\":\"L%d-%d\",\"captured_at\":\"2026-09-21T13:46:40Z\",\"source\":\"web\",\"intent\":\"%s\","
		"\"contact\":{\"name\":\"Person\",\"email\":\"p%d@s%d.example.com\"%s}}",
		shard, lead, intent, person, shard, phone));
}

/* A touch, most of the time; %s is the lead. Some of the others are refused, by the state that the lead is in. */
static const struct {
	const char *format;
	int share;
} activities[] = {
	{"{\"type\":\"activity.touch\",\"lead_id\":\"%s\",\"method\":\"call\",\"at\":\"2026-09-21T13:46:40Z\"}", 10},
	{"{\"type\":\"activity.release\",\"lead_id\":\"%s\",\"reason\":\"no_time\"}", 8},
	{"{\"type\":\"activity.reassign\",\"lead_id\":\"%s\",\"to\":\"bob\",\"actor\":\"boss\"}", 1},
	{"{\"type\":\"activity.reassign\",\"lead_id\":\"%s\",\"to\":\"cy\",\"expected_version\":1}", 1},
	{"{\"type\":\"activity.decline\",\"lead_id\":\"%s\"}", 1},
	{"{\"type\":\"activity.claim\",\"lead_id\":\"%s\",\"actor\":\"ana\"}", 3},
	{"{\"type\":\"activity.claim\",\"lead_id\":\"%s\",\"actor\":\"cy\",\"evidence\":{\"key_person\":true}}", 1},
	{"{\"type\":\"activity.status\",\"lead_id\":\"%s\",\"stage\":\"offer\"}", 2},
	{"{\"type\":\"activity.nurture\",\"lead_id\":\"%s\",\"until\":\"2026-09-21T13:46:55Z\"}", 2},
	{"{\"type\":\"activity.convert\",\"lead_id\":\"%s\",\"amount\":100}", 1},
	{"{\"type\":\"activity.disqualify\",\"lead_id\":\"%s\",\"reason\":\"no_need\"}", 1},
	{"{\"type\":\"activity.verdict\",\"lead_id\":\"%s\",\"verdict\":\"unreachable\"}", 1},
	{"{\"type\":\"activity.erase\",\"lead_id\":\"%s\"}", 2},
	{"{\"type\":\"activity.merge\",\"lead_id\":\"%s\",\"other\":\"L0-3\"}", 2},
	{"{\"type\":\"activity.split\",\"lead_id\":\"L0-3\",\"other\":\"%s\"}", 2},
	{"{\"type\":\"activity.approve\",\"lead_id\":\"%s\",\"actor\":\"boss\",\"decision\":\"yes\"}", 2},
	{"{\"type\":\"activity.approve\",\"lead_id\":\"%s\",\"actor\":\"boss\",\"decision\":\"no\"}", 1},
	{"{\"type\":\"activity.issue\",\"lead_id\":\"%s\",\"department\":\"help\"}", 1},
	{"{\"type\":\"activity.verdict\",\"lead_id\":\"%s\",\"verdict\":\"graded\",\"likelihood\":40,\"actor\":\"mia\",\"reason\":\"x\"}", 1},
	{"{\"type\":\"activity.feedback\",\"lead_id\":\"%s\",\"rating\":4}", 1},
	{"{\"type\":\"activity.complaint\",\"lead_id\":\"%s\"}", 1},
	{"{\"type\":\"activity.help_requested\",\"lead_id\":\"%s\",\"to\":\"ana\"}", 1},
	{"{\"type\":\"activity.report\",\"lead_id\":\"%s\",\"actor\":\"bob\"}", 1},
	{"{\"type\":\"activity.collaborators\",\"lead_id\":\"%s\",\"collaborators\":[{\"rep\":\"cy\",\"role\":\"answers\"}]}", 1},
	{"{\"type\":\"activity.protect\",\"lead_id\":\"%s\",\"until\":\"2026-09-21T13:47:00Z\"}", 1},
	/* the simulated cores of others want a lead in everything */
	{"{\"type\":\"rep.availability\",\"rep\":\"bob\",\"status\":\"away\",\"lead_id\":\"%s\"}", 1},
	{"{\"type\":\"rep.availability\",\"rep\":\"cy\",\"status\":\"away\",\"until\":\"2026-09-21T13:46:50Z\",\"lead_id\":\"%s\"}", 1},
	{"{\"type\":\"rep.availability\",\"rep\":\"bob\",\"status\":\"available\",\"lead_id\":\"%s\"}", 2},
};
enum { ACTIVITY_ROWS = sizeof activities / sizeof *activities };

static struct slice activity_value(struct sim *sim, int32_t shard)
{
	int total = 0, row = 0;
	for (int i = 0; i < ACTIVITY_ROWS; i++)
		total += activities[i].share;
	int drawn = (int)rng_below(&sim->rng, (uint32_t)total);
	while (drawn >= activities[row].share)
		drawn -= activities[row++].share;
	const char *lead = arena_printf(&sim->arena, "L%d-%d", shard, (int)rng_below(&sim->rng, LEADS));
	const char *format = activities[row].format, *at = strstr(format, "%s");
	return slice_of(arena_printf(&sim->arena, "%.*s%s%s", (int)(at - format), format, lead, at + 2));
}

struct record reference_record(struct sim *sim, int32_t shard, size_t topic)
{
	return (struct record){
		.kind = topic == 0 ? RECORD_CAPTURED : RECORD_ACTIVITY,
		.topic = topic == 0 ? SLICE("leads.captured") : SLICE("leads.activity"),
		.partition = shard,
		.timestamp_ms = SIM_WALL_START,
		.has_value = true,
		.value = topic == 0 ? captured_value(sim, shard) : activity_value(sim, shard),
		.partition_count = SIM_SHARDS,
	};
}

struct slice reference_email(const struct record *record)
{
	static const char mark[] = "\"email\":\"";
	const char *at = memmem(record->value.p, record->value.len, mark, sizeof(mark) - 1);

	if (!at)
		return SLICE_NONE;
	at += sizeof(mark) - 1;
	const char *end = memchr(at, '"', (size_t)(record->value.p + record->value.len - at));
	return end ? (struct slice){at, (size_t)(end - at)} : SLICE_NONE;
}
