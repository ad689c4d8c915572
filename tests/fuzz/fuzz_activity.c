/* SPDX-License-Identifier: Apache-2.0
 *
 * Hostile activities on a lead that is there: each line of the input is the value of one, a line "+HOURS" lets time pass
 * and fires the lead. Whatever they say, each has an outcome with events that are JSON, a reject keeps its bytes, the lead's
 * stored value is one of ours, it has an owner when its state says so, and its version rises with each change of owner by one.
 */
#include <assert.h>

#include "tests/unit/model_fixture.c"

#include "daemon/yaml.h"
#include "rules/base/diag.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LINES_MAX = 40 };

static const int64_t START = 1795424400000, HOUR = 3600000;

static const char configuration[] =
	"dedup: {identity_key_file: identity.key, by: [email, phone]}\n"
	"reps: [ana, ben, cleo, {id: dan, active: false}, eve]\n"
	"teams: [{id: north, reps: [ana, ben, cleo]}, {id: lent, reps: [eve]}]\n"
	"routes: [{name: rest, team: north}]\n"
	"lifecycle: {nurture_every: 30d, require: {converted: [amount]}, stages: [meeting, {stage: offer, require: [next_step]}],\n"
	"            bands: [{band: small, from: 0}, {band: large, from: 5000}], blank: [industry], approve: [protect]}\n"
	"ownership: {cool_down: 5h, holding: 3, claims_per_day: 2, protect_at_most: 30d, dispute: {evidence: 2d},\n"
	"            consent: [{team: lent, by: boss, within: 1d}]}\n"
	"followup: {clocks: [{clock: release, after: 10d}, {clock: first_response, after: 5h, on_breach: reassign, max_hops: 2}]}\n";

static int read_key(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes, struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err; /* there is one file, and it is always there */
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

/* Of the process. */
static const struct model *model_for_all(void)
{
	static struct arena arena;
	static struct model *model;
	if (model != NULL)
		return model;
	const struct model_files files = {.read = read_key};
	struct diags *diags = diags_new();
	struct slice text = {configuration, sizeof configuration - 1};
	model = model_build(yaml_read(source_new(&arena, "fuzz.yaml", text), &arena, diags), &files, &arena, diags);
	assert(model != NULL);
	diags_free(diags);
	return model;
}

struct run {
	struct store store;
	struct arena arena;
	int64_t now_ms, offset, version;
};

/* A reject is all that is said of its record. A hand-over that reached the lead before it has a cause of its own. */
static void check_reject(const struct decision *decision, const struct event *reject, struct slice original)
{
	assert(slice_equal(reject->value, original));
	for (const struct event *other = decision->events; other < decision->events + decision->event_count; other++)
		assert(other == reject || !slice_equal(other->cause, reject->cause));
}

static void check_events(struct run *run, const struct decision *decision, struct slice original)
{
	for (size_t i = 0; i < decision->event_count; i++) {
		const struct event *event = &decision->events[i];
		assert(event->id.len != 0 && event->cause.len != 0);
		if (event->topic == OUT_REJECTED) {
			check_reject(decision, event, original);
			continue;
		}
		const struct json *json = json_read(event->value, (struct json_limits){1 << 20, 32, 10000}, &run->arena, NULL);
		assert(json != NULL);
		const struct json *version = json_get(json, "ownership_version");
		if (event->topic == OUT_ASSIGNMENTS) {
			assert(version != NULL && version->integer == run->version + 1);
			run->version++;
		}
	}
}

static void check_lead(struct run *run)
{
	struct lead_state lead;
	const char *value = store_text(&run->store, "lead/L1");
	if (*value == '\0')
		return; /* erased */
	assert(state_get_lead(slice_of(value), &run->arena, &lead, NULL) == 0 && lead.version == run->version);
	bool needs_owner = lead.status == LEAD_ASSIGNED || lead.status == LEAD_IN_PROGRESS || lead.status == LEAD_OPPORTUNITY;
	assert(!needs_owner || lead.owner.len != 0);
	assert(!lifecycle_is_free(lead.status) || lead.owner.len == 0);
}

static void finish(struct run *run, struct decider *decider)
{
	const struct write *writes;
	size_t count;
	decider_finish(decider, &writes, &count);
	for (size_t i = 0; i < count; i++)
		assert(writes[i].is_tombstone || writes[i].due_ms == rules_due_of(writes[i].key, writes[i].value));
	store_apply(&run->store, writes, count);
	check_lead(run);
}

static void feed(struct run *run, enum record_kind kind, struct slice value)
{
	struct record *record = arena_alloc(&run->arena, sizeof *record);
	struct decision decision;
	*record = fixture_record(kind, run->offset++, "");
	record->value = value;
	struct decider *decider = decider_new(model_for_all(), store_view(&run->store), &run->arena);
	decider_decide(decider, rules_prepare(model_for_all(), record, run->now_ms, &run->arena), run->now_ms, &decision);
	assert(decision.event_count != 0 && decision.outcome != OUTCOME_NOTHING);
	check_events(run, &decision, value);
	finish(run, decider);
}

static void pass_time(struct run *run, struct slice line)
{
	struct decision decision;
	int64_t hours = 0;
	for (size_t i = 1; i < line.len && line.p[i] >= '0' && line.p[i] <= '9' && hours < 10000; i++)
		hours = hours * 10 + (line.p[i] - '0');
	run->now_ms += hours * HOUR;
	struct decider *decider = decider_new(model_for_all(), store_view(&run->store), &run->arena);
	decider_fire(decider, SLICE("L1"), run->now_ms, &decision);
	check_events(run, &decision, SLICE_NONE);
	finish(run, decider);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct run run = {.now_ms = START};
	const char *at = (const char *)bytes, *end = at + size;
	feed(&run, RECORD_CAPTURED, SLICE("{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"},\"company\":{\"industry\":\"x\"}}"));
	for (int lines = 0; at < end && lines < LINES_MAX; lines++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct slice line = {at, (size_t)((stop != NULL ? stop : end) - at)};
		at = stop != NULL ? stop + 1 : end;
		if (line.len != 0 && line.p[0] == '+')
			pass_time(&run, line);
		else
			feed(&run, RECORD_ACTIVITY, line);
	}
	store_done(&run.store);
	arena_done(&run.arena);
	return 0;
}
