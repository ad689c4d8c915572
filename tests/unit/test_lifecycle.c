/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a lead: moves that are made, moves that are refused, and what a state waits for.
 */
#include "tests/unit/core_rig.h"

#include "rules/lifecycle.h"

static const int64_t DAY = 86400000;

static const char PEOPLE[] =
	"reps: [ana, ben]\n"
	"teams: [{id: all, reps: [ana, ben]}]\n"
	"routes: [{name: rest, team: all}]\n";

static const char RULES[] =
	"lifecycle:\n"
	"  require: {converted: [amount, date, customer_number], opportunity: [stage, until]}\n"
	"  reasons: [bought_elsewhere, no_budget]\n"
	"  approve: [erase]\n"
	"  stages: [meeting, {stage: proposal, require: [next_step]}]\n"
	"  bands: [{band: small, from: 0}, {band: large, from: 50000}]\n"
	"  departments: {technical: engineers, complaints: overseer, help: best}\n"
	"  notify: {converted: [finance, customer_service]}\n"
	"  nurture_every: 90d\n";

static const char LEAD[] = "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\",\"phone\":\"+49301234567\"}}";

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	char text[2000];
	snprintf(text, sizeof text, "%s%s", PEOPLE, RULES);
	rig_open(rig, text);
	rig_lead(rig, LEAD);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	free(*state);
	return 0;
}

static void expect_status(struct rig *rig, enum lead_status status)
{
	assert_string_equal(lead_status_name(rig_state(rig, "L1").status), lead_status_name(status));
}

static void a_move_is_told_with_what_it_brings(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"stage\":\"proposal\","
	                                 "\"next_step\":\"send the offer\"}");
	const struct json *event = rig_event(rig, &d, "lead.status");
	rig_expect(event, "status", "in_progress");
	rig_expect(event, "previous_status", "assigned");
	rig_expect(event, "stage", "proposal");
	rig_expect(event, "next_step", "send the offer");
	rig_expect(event, "owner", "ana");
	assert_true(slice_is(rig_state(rig, "L1").stage, "proposal"));
	assert_int_equal(rig_state(rig, "L1").version, 1);
}

static void an_illegal_move_changes_nothing(void **state)
{
	struct rig *rig = *state;
	static const char back[] = "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"unassigned\"}";
	char before[500];
	snprintf(before, sizeof before, "%s", store_text(&rig->store, "lead/L1"));
	struct decision d = rig_act(rig, back);
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION);
	assert_true(slice_equal(d.events[0].value, slice_of(back)));
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"sold\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD);
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"converted\"}");
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION); /* needs activity.convert */
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"stage\":\"proposal\"}");
	rig_expect_reject(&d, ERR_TRANSITION_FIELD); /* the stage asks for a next step */
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"stage\":\"dinner\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD);
	assert_string_equal(store_text(&rig->store, "lead/L1"), before);
}

/* Every state against every state, against the table as a reader of the file sees it. */
static void the_table_and_the_machine_agree(void **state)
{
	(void)state;
	assert_true(lifecycle_can(LEAD_ASSIGNED, LEAD_IN_PROGRESS));
	assert_true(lifecycle_can(LEAD_LOST, LEAD_IN_PROGRESS));
	assert_false(lifecycle_can(LEAD_LOST, LEAD_CONVERTED));
	assert_false(lifecycle_can(LEAD_CONVERTED, LEAD_INVALID));
	for (int from = 0; from < LEAD_STATUSES; from++) {
		assert_int_equal(lifecycle_find(slice_of(lead_status_name((enum lead_status)from))), from);
		assert_false(lifecycle_can((enum lead_status)from, LEAD_ASSIGNED)); /* that is what own_give() is for */
		assert_false(lifecycle_can((enum lead_status)from, LEAD_RELEASED));
		if (from == LEAD_MERGED)
			continue; /* activity.split leads out of it */
		bool has_way = false;
		for (int to = 0; to < LEAD_STATUSES; to++)
			has_way |= lifecycle_can((enum lead_status)from, (enum lead_status)to);
		assert_true(has_way);
	}
}

static void a_conversion_names_owner_and_band(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"amount\":50000}");
	rig_expect_reject(&d, ERR_TRANSITION_FIELD);
	d = rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"amount\":49999.5,\"currency\":\"EUR\","
	                 "\"date\":\"2026-11-23T09:00:00Z\",\"customer_number\":\"C-17\"}");
	const struct json *event = rig_event(rig, &d, "lead.converted");
	rig_expect(event, "kind", "paid");
	rig_expect(event, "owner", "ana");
	rig_expect(event, "band", "small");
	rig_expect(event, "customer_number", "C-17");
	assert_int_equal(json_get(event, "notify")->count, 2);
	rig_expect_int(event, "ownership_version", 1);
	expect_status(rig, LEAD_CONVERTED);
	d = rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"amount\":1,\"date\":\"2026-11-23T09:00:00Z\","
	                 "\"customer_number\":\"C-17\"}");
	rig_expect_reject(&d, ERR_ILLEGAL_TRANSITION);
}

static void a_deferred_purchase_has_its_day(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"kind\":\"deferred\"}");
	rig_expect_reject(&d, ERR_MISSING_FIELD);
	d = rig_act(rig, "{\"type\":\"activity.convert\",\"lead_id\":\"L1\",\"kind\":\"deferred\",\"date\":\"2026-12-23T09:00:00Z\"}");
	rig_expect(rig_event(rig, &d, "lead.converted"), "kind", "deferred");
	expect_status(rig, LEAD_DEFERRED);
	const int64_t day = rig->now_ms + 30 * DAY;
	assert_int_equal(rules_due_of(SLICE("lead/L1"), slice_of(store_text(&rig->store, "lead/L1"))), day);
	d = rig_fire(rig, "L1");
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
	rig->now_ms = day;
	d = rig_fire(rig, "L1");
	rig_expect(rig_event(rig, &d, "followup.reminder"), "timer", "deferred");
	assert_true(slice_is(d.events[0].cause, "timer:L1:deferred:wake:1"));
	expect_status(rig, LEAD_DEFERRED);
	d = rig_fire(rig, "L1");
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
}

static void a_lead_is_written_off_for_a_reason(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\"}");
	rig_expect_reject(&d, ERR_TRANSITION_FIELD);
	d = rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"Mr Max has moved\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD); /* no sentences in the state */
	d = rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"too_far\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD);
	d = rig_act(rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"bought_elsewhere\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "reason", "bought_elsewhere");
	expect_status(rig, LEAD_INVALID);
	assert_true(slice_is(rig_state(rig, "L1").why, "bought_elsewhere"));
	assert_int_equal(rig_state(rig, "L1").first_response.next_ms, 0);
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"in_progress\",\"reason\":\"came_back\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "previous_status", "invalid");
}

static void nurture_comes_round(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.nurture\",\"lead_id\":\"L1\",\"reason\":\"no_budget\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "status", "nurture");
	for (int quarter = 1; quarter <= 3; quarter++) {
		rig->now_ms = 1795424400000 + quarter * 90 * DAY;
		d = rig_fire(rig, "L1");
		rig_expect(rig_event(rig, &d, "followup.reminder"), "timer", "nurture");
		expect_status(rig, LEAD_NURTURE);
	}
	d = rig_act(rig, "{\"type\":\"activity.nurture\",\"lead_id\":\"L1\",\"every\":\"soon\"}");
	rig_expect_reject(&d, ERR_FIELD_RANGE);
	d = rig_act(rig, "{\"type\":\"activity.nurture\",\"lead_id\":\"L1\",\"until\":\"2027-12-01T00:00:00Z\"}");
	assert_true(slice_is(rig_state(rig, "L1").every, "90d")); /* after that day, too */
}

static void the_shelf_and_the_pipeline_have_their_times(void **state)
{
	struct rig *rig = *state;
	rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"shelved\",\"until\":\"2026-11-24T09:00:00Z\"}");
	rig->now_ms += DAY;
	struct decision d = rig_fire(rig, "L1");
	const struct json *event = rig_event(rig, &d, "followup.reminder");
	rig_expect(event, "previous_status", "shelved");
	rig_expect(event, "status", "in_progress");
	d = rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"opportunity\",\"stage\":\"meeting\"}");
	rig_expect_reject(&d, ERR_TRANSITION_FIELD);
	rig_act(rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"status\":\"opportunity\",\"stage\":\"meeting\","
	             "\"until\":\"2026-11-25T09:00:00Z\"}");
	rig->now_ms += DAY;
	d = rig_fire(rig, "L1");
	rig_expect(rig_event(rig, &d, "lead.expiring"), "timer", "opportunity_expiry");
	expect_status(rig, LEAD_OPPORTUNITY);
}

static void a_persons_verdict_has_the_machines_words(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.verdict\",\"lead_id\":\"L1\",\"verdict\":\"odd\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD);
	d = rig_act(rig, "{\"type\":\"activity.verdict\",\"lead_id\":\"L1\",\"verdict\":\"clear\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "status", "assigned");
	d = rig_act(rig, "{\"type\":\"activity.verdict\",\"lead_id\":\"L1\",\"verdict\":\"wrong_number\",\"actor\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "lead.status"), "reason", err_word(ERR_BAD_PHONE));
	rig_expect(rig_event(rig, &d, "lead.status"), "verdict", "wrong_number");
	expect_status(rig, LEAD_INVALID);
}

static void erased_is_forgotten(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_expect_reject(&d, ERR_APPROVAL_MISSING);
	d = rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"approver\":\"ana\"}");
	rig_expect_reject(&d, ERR_APPROVAL_MISSING);
	d = rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"approver\":\"zoe\"}");
	const struct json *event = rig_event(rig, &d, "lead.erased");
	rig_expect_int(event, "identities", 2);
	rig_expect_int(event, "barred", 0);
	for (size_t i = 0; i < rig->store.count; i++) /* but rotations and loads, and the mark of its id */
		assert_true(rig->store.rows[i].value_len == 0 || rules_is_memory(slice_of(rig->store.rows[i].key)) ||
		            strstr(rig->store.rows[i].value, " !") != NULL);
	d = rig_lead(rig, LEAD);
	rig_expect_reject(&d, ERR_LEAD_ERASED);
	d = rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}"); /* the person may come again */
	assert_int_equal(d.outcome, OUTCOME_ASSIGNED);
}

static void who_must_not_be_contacted_stays_known(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"approver\":\"zoe\",\"do_not_contact\":true}");
	rig_expect_int(rig_event(rig, &d, "lead.erased"), "barred", 2);
	assert_string_equal(store_text(&rig->store, "lead/L1"), "");
	d = rig_lead(rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"MAX@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_UNASSIGNED);
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "do_not_contact");
	assert_int_equal(rig_state(rig, "L2").idents.count, 0); /* the mark was not overwritten */
	d = rig_lead(rig, "{\"lead_id\":\"L3\",\"contact\":{\"phone\":\"+49 30 1234567\"}}");
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "do_not_contact");
	rig->now_ms += 4000 * DAY;
	d = rig_lead(rig, "{\"lead_id\":\"L4\",\"contact\":{\"phone\":\"+49 30 1234567\"}}");
	rig_expect(rig_event(rig, &d, "lead.unassigned"), "reason", "do_not_contact");
}

static void the_event_of_an_erased_lead_stays_out(void **state)
{
	struct rig *rig = *state;
	struct header headers[] = {{SLICE("ce_specversion"), SLICE("1.0")}, {SLICE("ce_id"), SLICE("e1")},
	                           {SLICE("ce_source"), SLICE("shop")}, {SLICE("ce_type"), SLICE("lead.captured")}};
	struct record record = fixture_record(RECORD_CAPTURED, 90, "{\"lead_id\":\"L9\",\"contact\":{\"wechat\":\"nobody\"}}");
	record.headers = headers;
	record.header_count = 4;
	struct decision d = rig_feed_record(rig, &record);
	assert_int_equal(d.outcome, OUTCOME_ASSIGNED);
	d = rig_act(rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L9\",\"actor\":\"ana\",\"approver\":\"zoe\"}");
	rig_expect_int(rig_event(rig, &d, "lead.erased"), "barred", 1);
	record.offset = 91;
	d = rig_feed_record(rig, &record);
	rig_expect_reject(&d, ERR_LEAD_ERASED);
}

static void notes_go_to_who_answers(void **state)
{
	struct rig *rig = *state;
	struct decision d = rig_act(rig, "{\"type\":\"activity.issue\",\"lead_id\":\"L1\",\"department\":\"technical\",\"text\":\"CAD?\"}");
	rig_expect(rig_event(rig, &d, "lead.issue"), "to", "engineers");
	d = rig_act(rig, "{\"type\":\"activity.issue\",\"lead_id\":\"L1\",\"department\":\"tehnical\"}");
	rig_expect_reject(&d, ERR_UNKNOWN_WORD);
	d = rig_act(rig, "{\"type\":\"activity.complaint\",\"lead_id\":\"L1\",\"actor\":\"customer\"}");
	rig_expect(rig_event(rig, &d, "lead.complaint"), "to", "overseer");
	d = rig_act(rig, "{\"type\":\"activity.help_requested\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_expect(rig_event(rig, &d, "lead.help_requested"), "to", "best");
	d = rig_act(rig, "{\"type\":\"activity.help_requested\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"to\":\"ben\"}");
	rig_expect(rig_event(rig, &d, "lead.help_requested"), "to", "ben");
	assert_int_equal(rig_state(rig, "L1").version, 1);
	assert_true(slice_is(rig_state(rig, "L1").owner, "ana"));
}

static void a_repeat_changes_nothing(void **state)
{
	struct rig *rig = *state;
	static const char json[] = "{\"lead_id\":\"L1\",\"reason\":\"no_budget\"}";
	struct decision d = rig_act_as(rig, "a1", "activity.nurture", json);
	assert_int_equal(json_get(rig_event(rig, &d, "lead.status"), "repeated")->boolean, false);
	char before[500];
	snprintf(before, sizeof before, "%s", store_text(&rig->store, "lead/L1"));
	rig->now_ms += DAY;
	d = rig_act_as(rig, "a1", "activity.nurture", json);
	assert_int_equal(json_get(rig_event(rig, &d, "lead.status"), "repeated")->boolean, true);
	assert_string_equal(store_text(&rig->store, "lead/L1"), before);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_move_is_told_with_what_it_brings),
		CASE(an_illegal_move_changes_nothing),
		CASE(the_table_and_the_machine_agree),
		CASE(a_conversion_names_owner_and_band),
		CASE(a_deferred_purchase_has_its_day),
		CASE(a_lead_is_written_off_for_a_reason),
		CASE(nurture_comes_round),
		CASE(the_shelf_and_the_pipeline_have_their_times),
		CASE(a_persons_verdict_has_the_machines_words),
		CASE(erased_is_forgotten),
		CASE(who_must_not_be_contacted_stays_known),
		CASE(the_event_of_an_erased_lead_stays_out),
		CASE(notes_go_to_who_answers),
		CASE(a_repeat_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
