/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of owner after intake: people's orders, claims, disputes, consents, hand-overs, and what refuses them.
 */
#include "tests/unit/core_rig.h"

#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/own.h"
#include "rules/pool_wait.h"
#include "rules/story/explain.h"

static const int64_t HOUR = 3600000, DAY = 86400000;

static const char CONFIG[] =
	"reps: [ana, ben, cleo, {id: dan, active: false}, eve, fay]\n"
	"teams:\n"
	"  - {id: north, reps: [ana, ben, cleo]}\n"
	"  - {id: south, reps: [eve]}\n"
	"  - {id: patient, reps: [fay], nobody: [wait]}\n"
	"territories: {areas: {rows: [{country: DE, area: north}, {country: FR, area: south}]}}\n"
	"routes: [{name: rest, team: north}]\n"
	"ownership:\n"
	"  cool_down: 12h\n"
	"  holding: 3\n"
	"  claims_per_day: 2\n"
	"  protect_at_most: 30d\n"
	"  dispute: {evidence: 3d, territory: areas}\n"
	"  consent: [{team: south, by: boss, within: 1d, otherwise: refuse}]\n";

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	rig_open(rig, CONFIG);
	rig_lead(rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"},\"location\":{\"country\":\"FR\"}}");
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	free(*state);
	return 0;
}

/* A lead goes to a person who is written like a rep, by an order that has to work. */
static void order(struct rig *rig, const char *lead, const char *rep)
{
	char json[200];
	snprintf(json, sizeof json, "{\"type\":\"activity.reassign\",\"lead_id\":\"%s\",\"to\":\"%s\",\"actor\":\"boss\"}", lead, rep);
	struct decision d = rig_act(rig, json);
	assert_int_equal(d.outcome, OUTCOME_ACTIVITY);
}

static void expect_owner(struct rig *rig, const char *lead, const char *owner, int64_t version)
{
	struct lead_state state = rig_state(rig, lead);
	if (!slice_is(state.owner, owner))
		fail_msg("%s belongs to \"%.*s\", not \"%s\"", lead, SLICE_ARG(state.owner), owner);
	assert_int_equal(state.version, version);
}

static void an_order_wins_and_says_so(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\",\"actor\":\"boss\","
	                                 "\"reason\":\"knows them\",\"next_step\":\"visit\",\"expected_version\":1,"
	                                 "\"collaborators\":[{\"rep\":\"cleo\",\"role\":\"minutes\"}]}");
	const struct json *event = rig_event(rig, &d, "lead.assigned");
	rig_expect(event, "owner", "ben");
	rig_expect(event, "reason", "manual");
	rig_expect(event, "previous_owner", "ana");
	rig_expect(event, "actor", "boss");
	rig_expect(event, "comment", "knows them");
	rig_expect(event, "why", "Grade - (score 0); it was given to ben, by order of boss.");
	rig_expect(json_get(event, "next_step"), "action", "visit");
	rig_expect(&json_get(event, "collaborators")->items[0], "role", "minutes");
	rig_expect_int(event, "ownership_version", 2);
	expect_owner(rig, "L1", "ben", 2);
	/* a collaborator's act is an act on the lead */
	rig_act(rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"cleo\"}");
	assert_int_equal(rig_state(rig, "L1").status, LEAD_IN_PROGRESS);
}

static void a_stale_order_changes_nothing(void **state)
{
	struct rig *rig = *state;
	char before[1000];
	snprintf(before, sizeof before, "%s", store_text(&rig->store, "lead/L1"));
	struct decision d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\",\"expected_version\":0}");
	const struct json *event = rig_event(rig, &d, "ownership.conflict");
	rig_expect(event, "code", "stale_version");
	rig_expect_int(event, "expected_version", 0);
	rig_expect_int(event, "ownership_version", 1);
	assert_string_equal(store_text(&rig->store, "lead/L1"), before);
}

static void orders_that_cannot_be_are_refused(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *json;
		enum err_code code;
	} rows[] = {
		{"{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"zoe\"}", ERR_UNKNOWN_REP},
		{"{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"dan\"}", ERR_REP_NOT_ACTIVE},
		{"{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"team\":\"west\"}", ERR_UNKNOWN_WORD},
		{"{\"type\":\"activity.reassign\",\"lead_id\":\"L1\"}", ERR_MISSING_FIELD},
		{"{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\",\"collaborators\":[{}]}", ERR_MISSING_FIELD},
		{"{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"ben\"}", ERR_NOT_THE_OWNER},
		{"{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"decision\":\"yes\"}", ERR_NOTHING_PENDING},
		{"{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"decision\":\"maybe\"}", ERR_UNKNOWN_WORD},
		{"{\"type\":\"activity.claim\",\"lead_id\":\"L1\"}", ERR_MISSING_FIELD},
		{"{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"zoe\"}", ERR_UNKNOWN_REP},
		{"{\"type\":\"activity.collaborators\",\"lead_id\":\"L1\",\"collaborators\":[{\"rep\":\"zoe\"}]}", ERR_UNKNOWN_REP},
		{"{\"type\":\"activity.protect\",\"lead_id\":\"L1\",\"until\":\"2027-11-23T00:00:00Z\"}", ERR_PROTECTION_RANGE},
		{"{\"type\":\"rep.handover\",\"rep\":\"zoe\"}", ERR_UNKNOWN_REP},
		{"{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"ana\"}", ERR_UNKNOWN_REP},
	};
	char before[1000];
	snprintf(before, sizeof before, "%s", store_text(&rig->store, "lead/L1"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct decision d = rig_act(rig, rows[i].json);
		rig_expect_reject(&d, rows[i].code);
	}
	assert_string_equal(store_text(&rig->store, "lead/L1"), before);
	rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"no_need\"}");
	struct decision d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\"}");
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION);
}

/* A cap that a reload has switched on: what was there before is being counted. */
static void nobody_claims_while_leads_are_counted(void **state)
{
	struct rig *rig = *state;
	static const char claim[] = "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}";
	rig_act(rig, "{\"type\":\"activity.release\",\"lead_id\":\"L1\"}");
	store_apply(&rig->store, &(struct write){.key = SLICE("mem/walk/holding"), .value = SLICE("{}")}, 1);
	struct decision d = rig_act(rig, claim);
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "holding_not_counted");
	expect_owner(rig, "L1", "", 2);
	store_apply(&rig->store, &(struct write){.key = SLICE("mem/walk/holding"), .is_tombstone = true}, 1);
	d = rig_act(rig, claim);
	rig_event(rig, &d, "lead.assigned");
}

static void who_declined_is_not_asked_again_in_the_round(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	const struct json *event = rig_event(rig, &d, "lead.assigned");
	rig_expect(event, "reason", "declined");
	rig_expect(event, "owner", "ben");
	rig_act(rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	expect_owner(rig, "L1", "cleo", 3);
	d = rig_act(rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"cleo\"}");
	event = rig_event(rig, &d, "lead.unassigned");
	rig_expect(event, "reason", "declined");
	rig_expect_int(event, "ownership_version", 4);
	expect_owner(rig, "L1", "", 4);
	/* an order begins a new round */
	order(rig, "L1", "ana");
	d = rig_act(rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	assert_false(slice_is(d.owner, "ana"));
}

static void a_claim_is_compare_and_set_on_no_owner(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.release\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"reason\":\"no_time\"}");
	const struct json *event = rig_event(rig, &d, "lead.unassigned");
	rig_expect(event, "reason", "released");
	rig_expect(event, "previous_owner", "ana");
	assert_int_equal(rig_state(rig, "L1").status, LEAD_RELEASED);
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	event = rig_event(rig, &d, "claim.rejected");
	rig_expect(event, "code", "cool_down");
	rig_expect(event, "until", "2026-11-23T21:00:00.000Z");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "reason", "claimed");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "lead_owned");
	expect_owner(rig, "L1", "ben", 3);
	rig_act(rig, "{\"type\":\"activity.release\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	rig->now_ms += 12 * HOUR;
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "owner", "ben");
}

static void caps_hold_in_the_same_step(void **state)
{
	struct rig *rig = *state;
	for (int i = 2; i <= 9; i++) {
		char json[200];
		snprintf(json, sizeof json, "{\"lead_id\":\"L%d\",\"contact\":{\"wechat\":\"w%d\"},\"requested_owner\":\"cleo\"}", i, i);
		rig_lead(rig, json);
		snprintf(json, sizeof json, "{\"type\":\"activity.release\",\"lead_id\":\"L%d\",\"actor\":\"cleo\"}", i);
		rig_act(rig, json);
	}
	struct decision d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L2\",\"actor\":\"ben\"}");
	rig_event(rig, &d, "lead.assigned");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L3\",\"actor\":\"ben\"}");
	rig_event(rig, &d, "lead.assigned");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L4\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "claim_cap");
	rig->now_ms += DAY;
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L4\",\"actor\":\"ben\"}");
	rig_event(rig, &d, "lead.assigned");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L5\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "holding_cap");
	/* one that is closed does not count any more */
	rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L2\",\"reason\":\"no_need\"}");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L5\",\"actor\":\"ben\"}");
	rig_event(rig, &d, "lead.assigned");
	assert_string_equal(store_text(&rig->store, "mem/held/ben"), "{\"n\":3}");
	rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L5\"}");
	assert_string_equal(store_text(&rig->store, "mem/held/ben"), "{\"n\":2}");
}

static void what_nobody_may_have_is_not_claimed(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"no_need\",\"do_not_contact\":true}");
	struct decision d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "not_claimable");
	d = rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}");
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "do_not_contact");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L2\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "not_claimable");
	d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L2\",\"to\":\"ben\"}");
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION);
}

/* ---- disputes */

static void the_first_criterion_that_separates_decides(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"eve\"}");
	const struct json *event = rig_event(rig, &d, "lead.dispute");
	rig_expect(event, "step", "opened");
	rig_expect(event, "owner", "ana");
	rig_expect(event, "until", "2026-11-26T09:00:00.000Z");
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\",\"evidence\":{\"key_person\":true}}");
	rig_expect(rig_event(rig, &d, "lead.dispute"), "step", "evidence");
	expect_owner(rig, "L1", "ana", 1);
	rig->now_ms += 3 * DAY - 1;
	d = rig_fire(rig, "L1");
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
	rig->now_ms += 1;
	d = rig_fire(rig, "L1"); /* nobody has followed up; eve's team is called like the area of France */
	event = rig_event(rig, &d, "lead.dispute");
	rig_expect(event, "step", "decided");
	rig_expect(event, "criterion", "territory");
	rig_expect(event, "winner", "eve");
	assert_int_equal(json_get(event, "claims")->count, 2);
	rig_expect(rig_event(rig, &d, "lead.status"), "candidate", "eve"); /* who is lent */
	expect_owner(rig, "L1", "ana", 1);
	d = rig_act(rig, "{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"decision\":\"yes\"}");
	event = rig_event(rig, &d, "lead.assigned");
	rig_expect(event, "reason", "approved");
	rig_expect(event, "previous_owner", "ana");
	expect_owner(rig, "L1", "eve", 2);
	assert_int_equal(rig_state(rig, "L1").claims.count, 0);
	assert_int_equal(rules_due_of(SLICE("lead/L1"), slice_of(store_text(&rig->store, "lead/L1"))), 0);
}

static void who_followed_up_first_beats_the_rest(void **state)
{
	struct rig *rig = *state;
	rig->now_ms += HOUR;
	rig_act(rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"eve\",\"evidence\":{\"key_person\":true}}");
	rig->now_ms += 3 * DAY;
	struct decision d = rig_fire(rig, "L1");
	const struct json *event = rig_event(rig, &d, "lead.dispute");
	rig_expect(event, "criterion", "first_follow_up");
	rig_expect(event, "winner", "ana");
	expect_owner(rig, "L1", "ana", 1);
	assert_int_equal(rig_state(rig, "L1").status, LEAD_IN_PROGRESS);
	rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\","
	             "\"evidence\":{\"followed_up_at\":\"2026-11-23T09:30:00Z\"}}"); /* half an hour before ana, he says */
	rig->now_ms += 3 * DAY;
	d = rig_fire(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.dispute"), "winner", "ana");
}

/* What was sold counts for whoever wins; nobody has to answer the customer for the first time again. */
static void a_dispute_that_ends_after_the_sale_starts_no_clock(void **state)
{
	struct rig *rig = *state;
	char text[sizeof CONFIG + 100];
	snprintf(text, sizeof text, "%sscore: {grades: [{grade: A, from: lowest, first_response: 2h}]}\n", CONFIG);
	rig_close(rig);
	rig_open(rig, text);
	rig_lead(rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"}}");
	rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"cleo\",\"evidence\":{\"key_person\":true}}");
	rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"no_need\"}");
	rig->now_ms += 3 * DAY;
	struct decision d = rig_fire(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "reason", "dispute");
	expect_owner(rig, "L1", "cleo", 2);
	struct lead_state lead = rig_state(rig, "L1");
	assert_int_equal(lead.status, LEAD_INVALID);
	assert_true(slice_is(lead.why, "no_need"));
	assert_true(state_next_due(&lead) == 0);
}

static void nothing_separates(void **state)
{
	struct rig *rig = *state;
	order(rig, "L1", "ben");
	rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"cleo\"}");
	rig->now_ms += 3 * DAY;
	struct decision d = rig_fire(rig, "L1");
	const struct json *event = rig_event(rig, &d, "lead.dispute");
	rig_expect(event, "step", "decided");
	rig_expect(event, "criterion", "none");
	rig_expect(event, "winner", "ben");
	expect_owner(rig, "L1", "ben", 2);
}

static void an_order_ends_a_dispute(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"cleo\"}");
	struct decision d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\",\"actor\":\"boss\"}");
	const struct json *event = rig_event(rig, &d, "lead.dispute");
	rig_expect(event, "step", "closed");
	rig_expect(event, "criterion", "manual");
	rig_event(rig, &d, "lead.assigned");
	rig->now_ms += 3 * DAY;
	d = rig_fire(rig, "L1");
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
}

/* ---- consent */

static void some_assignments_wait_for_consent(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"eve\",\"actor\":\"boss\"}");
	const struct json *event = rig_event(rig, &d, "lead.status");
	rig_expect(event, "status", "pending");
	rig_expect(event, "candidate", "eve");
	rig_expect(event, "asked", "boss");
	expect_owner(rig, "L1", "ana", 1); /* keeps it meanwhile */
	d = rig_act(rig, "{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"decision\":\"yes\"}");
	rig_expect_reject(&d, ERR_NOT_THE_OWNER);
	d = rig_act(rig, "{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"decision\":\"yes\"}");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "reason", "approved");
	expect_owner(rig, "L1", "eve", 2);
}

static void no_answer_is_an_answer_after_a_time(void **state)
{
	struct rig *rig = *state;
	order(rig, "L1", "eve");
	rig->now_ms += DAY;
	struct decision d = rig_fire(rig, "L1");
	const struct json *event = rig_event(rig, &d, "lead.status");
	rig_expect(event, "verdict", "no_answer");
	rig_expect(event, "status", "assigned");
	expect_owner(rig, "L1", "ana", 1);
	order(rig, "L1", "eve");
	d = rig_act(rig, "{\"type\":\"activity.approve\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"decision\":\"no\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "verdict", "no");
}

static void a_first_assignment_may_need_consent_too(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"wechat\":\"x\"},\"requested_owner\":\"eve\"}");
	const struct json *event = rig_event(rig, &d, "lead.unassigned");
	rig_expect(event, "reason", "pending");
	rig_expect(event, "candidate", "eve");
	rig_expect(event, "why", "Grade - (score 0); boss has to consent before eve gets it.");
	expect_owner(rig, "L2", "", 0);
	d = rig_act(rig, "{\"type\":\"activity.approve\",\"lead_id\":\"L2\",\"actor\":\"boss\",\"decision\":\"yes\"}");
	expect_owner(rig, "L2", "eve", 1);
}

/* ---- hand-over */

static struct decision visit(struct rig *rig, const char *rep, const char *lead)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	const char *key = arena_printf(&rig->arena, "mem/walk/handover/%s", rep);
	if (lead != NULL)
		decider_visit(decider, slice_of(key), slice_of(lead), rig->now_ms, &decision);
	else
		decider_walked(decider, slice_of(key), rig->now_ms, &decision);
	return rig_finish(rig, decider, &decision);
}

static void what_a_rep_owned_goes_to_others(void **state)
{
	struct rig *rig = *state;
	rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"wechat\":\"b\"},\"requested_owner\":\"ben\"}");
	rig_lead(rig, "{\"lead_id\":\"L3\",\"contact\":{\"wechat\":\"c\"},\"requested_owner\":\"ana\"}");
	rig_act(rig, "{\"type\":\"activity.nurture\",\"lead_id\":\"L3\",\"until\":\"2027-03-01T00:00:00Z\"}");
	rig_lead(rig, "{\"lead_id\":\"L4\",\"contact\":{\"wechat\":\"d\"},\"requested_owner\":\"ana\"}");
	struct decision d = rig_act(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"cleo\",\"actor\":\"boss\"}");
	rig_expect(rig_event(rig, &d, "rep.handed_over"), "step", "begun");
	/* one that is acted on, one that comes again before the walk comes to it */
	rig_lead(rig, "{\"lead_id\":\"L5\",\"contact\":{\"email\":\"mo@example.com\"},\"requested_owner\":\"ana\"}");
	d = rig_lead(rig, "{\"lead_id\":\"L6\",\"contact\":{\"email\":\"mo@example.com\"}}");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "lead_id", "L5");
	rig_expect(rig_event(rig, &d, "lead.duplicate"), "owner", "cleo");
	d = rig_act(rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L4\",\"actor\":\"cleo\"}");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "reason", "handed_over");
	rig_expect(rig_event(rig, &d, "lead.status"), "status", "in_progress");
	d = visit(rig, "ana", "L1");
	const struct json *event = rig_event(rig, &d, "lead.assigned");
	rig_expect(event, "reason", "handed_over");
	rig_expect(event, "owner", "cleo");
	rig_expect(event, "actor", "boss");
	assert_true(slice_is(d.events[0].id, "lead.assigned:L1:2"));
	assert_true(slice_is(d.events[0].cause, "walk:mem/walk/handover/ana:L1"));
	d = visit(rig, "ana", "L1");
	assert_int_equal(d.outcome, OUTCOME_NOTHING); /* a walk may come again */
	d = visit(rig, "ana", "L2");
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
	visit(rig, "ana", "L3");
	assert_int_equal(rig_state(rig, "L3").status, LEAD_NURTURE); /* nurture outlives the owner */
	assert_true(rig_state(rig, "L3").wake_ms != 0);
	d = visit(rig, "ana", NULL);
	rig_expect(rig_event(rig, &d, "rep.handed_over"), "step", "done");
	assert_string_equal(store_text(&rig->store, "mem/walk/handover/ana"), "");
	expect_owner(rig, "L1", "cleo", 2);
	expect_owner(rig, "L2", "ben", 1);
	expect_owner(rig, "L3", "cleo", 2);
	expect_owner(rig, "L4", "cleo", 2);
}

static void an_order_while_the_walk_is_under_way_is_refused(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"cleo\"}");
	struct decision d = rig_act(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"ben\"}");
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION);
	visit(rig, "ana", NULL);
	d = visit(rig, "ana", "L1"); /* its key is gone: a step that comes again does nothing */
	assert_int_equal(d.event_count, 0);
	d = visit(rig, "ana", NULL);
	assert_int_equal(d.event_count, 0);
	d = rig_act(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "rep.handed_over"), "step", "begun");
}

/* A place that has become free by time is given away by whatever is decided next, here by the step of a walk. */
static void who_waited_gets_his_lead_in_a_walk(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"rep.availability\",\"rep\":\"fay\",\"status\":\"away\",\"until\":\"2026-11-23T10:00:00Z\"}");
	rig_act(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"team\":\"patient\"}");
	assert_int_equal(rig_state(rig, "L1").status, LEAD_WAITING);
	rig_act(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"cleo\"}");
	rig->now_ms += DAY;
	struct decision d = visit(rig, "ana", "L1");
	rig_expect(rig_event(rig, &d, "lead.assigned"), "reason", "waited");
	assert_true(slice_is(d.events[0].cause, "walk:mem/walk/handover/ana:L1"));
}

/* The key of the person points to the younger lead by then. */
static void erasing_an_old_lead_leaves_the_younger_one_its_keys(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"amount\":100}");
	struct decision d = rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_ASSIGNED);
	rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\"}");
	d = rig_lead(rig, "{\"lead_id\":\"L3\",\"contact\":{\"email\":\"max@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_DUPLICATE);
}

static void a_repeat_of_an_erased_lead_is_not_taken_into_a_younger_one(void **state)
{
	struct rig *rig = *state;
	static const char text[] = "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"},\"location\":{\"country\":\"FR\"}}";
	rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\"}");
	rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}");
	struct decision d = rig_lead(rig, text);
	rig_expect_reject(&d, ERR_LEAD_ERASED);
	assert_string_equal(store_text(&rig->store, "lead/L1"), "");
}

/* ---- taking back */

/* As the release clock calls it. */
static struct decision release_due(struct rig *rig, const char *lead)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	struct work work;
	work_begin(&work, decider, NULL, rig->now_ms, &decision);
	pool_begin(&work);
	work.lead_id = slice_of(lead);
	assert_int_equal(work_read_lead(&work, work.lead_id, &work.state), 1);
	work.cause = SLICE("timer:L1:release:1");
	own_release_due(&work, "expired");
	pool_end(&work);
	work_end(&work);
	return rig_finish(rig, decider, &decision);
}

static void a_release_that_falls_due_takes_the_lead_back(void **state)
{
	struct rig *rig = *state;
	struct decision d = release_due(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "expired");
	assert_int_equal(rig_state(rig, "L1").status, LEAD_RELEASED);
	d = rig_act(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_expect(rig_event(rig, &d, "claim.rejected"), "code", "cool_down");
}

static void protection_puts_it_off(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.protect\",\"lead_id\":\"L1\",\"until\":\"2026-11-30T09:00:00Z\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "protected_until", "2026-11-30T09:00:00.000Z");
	d = release_due(rig, "L1");
	assert_int_equal(d.event_count, 0);
	expect_owner(rig, "L1", "ana", 1);
	rig->now_ms += 7 * DAY;
	d = rig_fire(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "expired");
	expect_owner(rig, "L1", "", 2);
}

static void a_release_may_be_proposed_only(void **state)
{
	struct rig *rig = *state;
	char text[2000];
	snprintf(text, sizeof text, "%s  release: propose\n", CONFIG);
	rig_reload(rig, text);
	struct decision d = release_due(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.expiring"), "proposal", "release");
	expect_owner(rig, "L1", "ana", 1);
}

/* ---- as people read it */

static void expect_sentence(struct rig *rig, const char *json, const char *type, const char *wanted)
{
	struct decision d = rig_act(rig, json);
	struct strbuf said = STRBUF_INIT;
	explain_sentence(&said, slice_of(type), rig_event(rig, &d, type));
	assert_string_equal(strbuf_text(&said), wanted);
	strbuf_done(&said);
}

static void events_read_as_sentences(void **state)
{
	struct rig *rig = *state;
	expect_sentence(rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"to\":\"ben\",\"actor\":\"boss\",\"expected_version\":7}",
	                "ownership.conflict", "Lead L1 was changed by somebody else before boss's activity.reassign came: nothing was done.");
	expect_sentence(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ben\"}", "lead.dispute",
	                "Lead L1 is claimed by others; it stays with ana until 2026-11-26T09:00:00.000Z.");
	expect_sentence(rig, "{\"type\":\"activity.release\",\"lead_id\":\"L1\",\"actor\":\"ana\"}", "lead.dispute",
	                "Lead L1 is not argued about any more: released.");
	expect_sentence(rig, "{\"type\":\"activity.claim\",\"lead_id\":\"L1\",\"actor\":\"ana\"}", "claim.rejected",
	                "Lead L1 was claimed by ana in vain: cool down; again from 2026-11-23T21:00:00.000Z.");
	expect_sentence(rig, "{\"type\":\"rep.handover\",\"rep\":\"ana\",\"to\":\"ben\"}", "rep.handed_over",
	                "All that ana owned is being handed over to ben.");
	expect_sentence(rig, "{\"type\":\"activity.complaint\",\"lead_id\":\"L1\",\"text\":\"\\u001b[2Jnobody\\u009b called\"}", "lead.complaint",
	                "Lead L1 is complained about: \xef\xbf\xbd[2Jnobody\xef\xbf\xbd called.");
}

/* ---- any order of events */

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static const char *random_activity(struct rig *rig, uint64_t *seed)
{
	static const char *const reps[] = {"ana", "ben", "cleo", "dan", "eve", "boss"};
	static const char *const formats[] = {
		"{\"type\":\"activity.reassign\",\"lead_id\":\"L%u\",\"to\":\"%s\",\"actor\":\"boss\"}",
		"{\"type\":\"activity.decline\",\"lead_id\":\"L%u\",\"x\":\"%s\"}",
		"{\"type\":\"activity.release\",\"lead_id\":\"L%u\",\"actor\":\"%s\"}",
		"{\"type\":\"activity.claim\",\"lead_id\":\"L%u\",\"actor\":\"%s\"}",
		"{\"type\":\"activity.claim\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"evidence\":{\"key_person\":true}}",
		"{\"type\":\"activity.touch\",\"lead_id\":\"L%u\",\"actor\":\"%s\"}",
		"{\"type\":\"activity.approve\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"decision\":\"yes\"}",
		"{\"type\":\"activity.approve\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"decision\":\"no\"}",
		"{\"type\":\"activity.nurture\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"every\":\"30d\"}",
		"{\"type\":\"activity.status\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"status\":\"in_progress\"}",
		"{\"type\":\"activity.disqualify\",\"lead_id\":\"L%u\",\"actor\":\"%s\",\"reason\":\"no_need\"}",
		"{\"type\":\"activity.convert\",\"lead_id\":\"L%u\",\"actor\":\"%s\"}",
		"{\"type\":\"activity.reassign\",\"lead_id\":\"L%u\",\"team\":\"north\",\"actor\":\"%s\",\"expected_version\":2}",
	};
	const char *format = formats[draw(seed, sizeof formats / sizeof *formats)];
	unsigned lead = draw(seed, 4);
	const char *rep = reps[draw(seed, 6)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return arena_printf(&rig->arena, format, lead, rep);
#pragma GCC diagnostic pop
}

/* What holds for a lead whatever happened to it. */
static void expect_sound(struct rig *rig, const char *lead, int64_t *version)
{
	struct lead_state state = rig_state(rig, lead);
	bool needs_owner = state.status == LEAD_ASSIGNED || state.status == LEAD_IN_PROGRESS || state.status == LEAD_OPPORTUNITY ||
	                   state.status == LEAD_DEFERRED;
	bool has_none = state.status == LEAD_UNASSIGNED || state.status == LEAD_RELEASED;
	if ((needs_owner && state.owner.len == 0) || (has_none && state.owner.len != 0))
		fail_msg("%s is %s and belongs to \"%.*s\"", lead, lead_status_name(state.status), SLICE_ARG(state.owner));
	assert_true(state.version == *version || state.version == *version + 1);
	*version = state.version;
}

/* Versions of all events of a decision about ownership rise by one, and the last one is the lead's. */
static void expect_versions(struct rig *rig, const struct decision *decision, int64_t versions[4])
{
	for (size_t i = 0; i < decision->event_count; i++) {
		const struct event *event = &decision->events[i];
		if (event->topic != OUT_ASSIGNMENTS)
			continue;
		unsigned lead = (unsigned)(event->subject.p[1] - '0');
		rig_expect_int(rig_value(rig, event), "ownership_version", versions[lead] + 1);
		versions[lead]++;
	}
}

static int64_t held_by(struct rig *rig, const char *rep)
{
	int64_t count = 0;
	for (int i = 0; i < 4; i++) {
		struct lead_state state = rig_state(rig, arena_printf(&rig->arena, "L%d", i));
		bool is_closed = state.status == LEAD_CONVERTED || state.status == LEAD_INVALID || state.status == LEAD_LOST;
		count += (slice_is(state.owner, rep) && !is_closed) + slice_is(state.seat, rep);
	}
	return count;
}

/* Units that the rep has in his hands, or a place for: each lead counts one. */
static int64_t load_of(struct rig *rig, const char *rep)
{
	int64_t load = 0;
	for (int i = 0; i < 4; i++) {
		struct lead_state state = rig_state(rig, arena_printf(&rig->arena, "L%d", i));
		bool is_asked_for = state.status == LEAD_PENDING && state.was.len == 0;
		bool is_in_hand = state.status == LEAD_ASSIGNED || state.status == LEAD_IN_PROGRESS || is_asked_for;
		assert_true(slice_equal(state.seat, state.status == LEAD_PENDING ? state.candidate : SLICE_NONE));
		load += (slice_is(state.owner, rep) && is_in_hand) + slice_is(state.seat, rep);
	}
	return load;
}

static void expect_load(struct rig *rig, const char *rep)
{
	struct slice value = slice_of(store_text(&rig->store, arena_printf(&rig->arena, "mem/rep/%s", rep)));
	struct json_limits limits = {value.len + 1, 4, 1000};
	const struct json *open = value.len != 0 ? json_get(json_read(value, limits, &rig->arena, NULL), "open") : NULL;
	assert_int_equal(open != NULL ? open->integer : 0, load_of(rig, rep));
}

static void one_owner_at_most_in_any_order_of_events(void **state)
{
	struct rig *rig = *state;
	static const char *const reps[] = {"ana", "ben", "cleo", "eve"};
	for (uint64_t round = 1; round <= 60; round++) {
		uint64_t seed = round;
		int64_t versions[4], told[4];
		rig_close(rig);
		rig_open(rig, CONFIG);
		for (int i = 0; i < 4; i++) {
			rig_lead(rig, arena_printf(&rig->arena, "{\"lead_id\":\"L%d\",\"contact\":{\"wechat\":\"w%d\"}}", i, i));
			told[i] = versions[i] = 1;
		}
		for (int step = 0; step < 60; step++) {
			rig->now_ms += (int64_t)draw(&seed, 30) * HOUR;
			bool fires = draw(&seed, 4) == 0;
			struct decision d = fires ? rig_fire(rig, arena_printf(&rig->arena, "L%u", draw(&seed, 4)))
			                          : rig_act(rig, random_activity(rig, &seed));
			expect_versions(rig, &d, told);
			for (int i = 0; i < 4; i++) {
				expect_sound(rig, arena_printf(&rig->arena, "L%d", i), &versions[i]);
				assert_int_equal(versions[i], told[i]);
			}
			for (int i = 0; i < 4; i++) {
				const char *value = store_text(&rig->store, arena_printf(&rig->arena, "mem/held/%s", reps[i]));
				int64_t wanted = held_by(rig, reps[i]);
				assert_string_equal(value, wanted ? arena_printf(&rig->arena, "{\"n\":%d}", (int)wanted) : "");
				expect_load(rig, reps[i]);
			}
		}
	}
}

/* ---- the size of batches */

struct script {
	struct record records[80];
	int64_t times[80];
	size_t count;
};

static void write_script(struct rig *rig, uint64_t seed, struct script *script)
{
	int64_t now_ms = rig->now_ms;
	for (script->count = 0; script->count < 80; script->count++) {
		size_t i = script->count;
		const char *json = i < 4 ? arena_printf(&rig->arena, "{\"lead_id\":\"L%zu\",\"contact\":{\"wechat\":\"w%zu\"}}", i, i)
		                         : random_activity(rig, &seed);
		now_ms += (int64_t)draw(&seed, 20) * HOUR;
		script->times[i] = now_ms;
		script->records[i] = fixture_record(i < 4 ? RECORD_CAPTURED : RECORD_ACTIVITY, (int64_t)i, json);
	}
}

/* All records, `size` to a batch; returns everything that was said. */
static char *run_script(struct rig *rig, const struct script *script, size_t size)
{
	struct strbuf said = STRBUF_INIT;
	for (size_t from = 0; from < script->count; from += size) {
		struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
		struct decision decision;
		for (size_t i = from; i < from + size && i < script->count; i++) {
			struct prepared *prepared = rules_prepare(rig->model, &script->records[i], script->times[i], &rig->arena);
			decider_decide(decider, prepared, script->times[i], &decision);
			for (size_t event = 0; event < decision.event_count; event++)
				strbuf_printf(&said, "%.*s %.*s\n", SLICE_ARG(decision.events[event].id), SLICE_ARG(decision.events[event].value));
		}
		rig_finish(rig, decider, &decision);
	}
	return strbuf_detach(&said, NULL);
}

static void the_size_of_batches_changes_nothing(void **state)
{
	struct rig *rig = *state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct script script;
		struct rig other;
		rig_close(rig);
		rig_open(rig, CONFIG);
		rig_open(&other, CONFIG);
		write_script(rig, seed, &script);
		char *one = run_script(rig, &script, 1), *many = run_script(&other, &script, 3 + seed % 17);
		assert_string_equal(one, many);
		for (size_t i = 0; i < rig->store.count; i++)
			assert_string_equal(rig->store.rows[i].value, store_text(&other.store, rig->store.rows[i].key));
		free(one);
		free(many);
		rig_close(&other);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_order_wins_and_says_so),
		CASE(a_stale_order_changes_nothing),
		CASE(orders_that_cannot_be_are_refused),
		CASE(nobody_claims_while_leads_are_counted),
		CASE(who_declined_is_not_asked_again_in_the_round),
		CASE(a_claim_is_compare_and_set_on_no_owner),
		CASE(caps_hold_in_the_same_step),
		CASE(what_nobody_may_have_is_not_claimed),
		CASE(the_first_criterion_that_separates_decides),
		CASE(who_followed_up_first_beats_the_rest),
		CASE(a_dispute_that_ends_after_the_sale_starts_no_clock),
		CASE(nothing_separates),
		CASE(an_order_ends_a_dispute),
		CASE(some_assignments_wait_for_consent),
		CASE(no_answer_is_an_answer_after_a_time),
		CASE(a_first_assignment_may_need_consent_too),
		CASE(what_a_rep_owned_goes_to_others),
		CASE(an_order_while_the_walk_is_under_way_is_refused),
		CASE(who_waited_gets_his_lead_in_a_walk),
		CASE(erasing_an_old_lead_leaves_the_younger_one_its_keys),
		CASE(a_repeat_of_an_erased_lead_is_not_taken_into_a_younger_one),
		CASE(a_release_that_falls_due_takes_the_lead_back),
		CASE(protection_puts_it_off),
		CASE(a_release_may_be_proposed_only),
		CASE(events_read_as_sentences),
		CASE(one_owner_at_most_in_any_order_of_events),
		CASE(the_size_of_batches_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
