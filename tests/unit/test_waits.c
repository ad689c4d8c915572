/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that wait (rules/pool_wait.h, rules/backlog.h): what they cost, what names a drain, and values that nobody can read.
 * What waiting means is in tests/scenario/waits.yaml.
 */
#include "tests/unit/core_rig.h"

#include "daemon/batch.h"
#include "rules/desk.h"
#include "rules/overlay.h"

#define ROUTES "routes: [{name: r, team: n}]\n"
static const char one_rep[] = "reps: [ana]\nteams: [{id: n, reps: [ana], nobody: [wait]}]\n" ROUTES;

/* ---- what waiting costs, counted in looks at members and in bytes */

enum { WAITING = 400, RECORDS = 100 };

struct cost {
	size_t looks, bytes;
};

enum kind { SMALL, LARGE };

static const char *lead_json(struct arena *arena, enum kind kind, int number)
{
	const char *campaign = kind == LARGE ? "big" : "";
	return arena_printf(arena, "{\"lead_id\":\"L%d\",\"campaign\":\"%s\",\"contact\":{\"email\":\"l%d@example.com\"}}", number,
	                    campaign, number);
}

/* One batch. */
static struct cost feed(struct rig *rig, struct desk *desk, enum kind kind, size_t count)
{
	struct arena arena = ARENA_INIT;
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &arena);
	size_t looks = desk->looks, write_count;
	struct decision decision;
	const struct write *writes;
	decider_use_desk(decider, desk);
	for (size_t i = 0; i < count; i++) {
		struct record *record = arena_alloc(&arena, sizeof *record);
		*record = fixture_record(RECORD_CAPTURED, rig->offset, lead_json(&arena, kind, (int)rig->offset));
		rig->offset++;
		decider_decide(decider, rules_prepare(rig->model, record, rig->now_ms, &arena), rig->now_ms, &decision);
	}
	decider_finish(decider, &writes, &write_count);
	store_apply(&rig->store, writes, write_count);
	struct cost cost = {desk->looks - looks, arena.total_bytes};
	arena_done(&arena);
	return cost;
}

/* N leads that are too large for anybody, and M records that are given to somebody all the time: nothing has become freer
 * for those who wait, so nobody is looked at for them again. */
static void leads_that_nobody_can_take_cost_nothing(void **state)
{
	(void)state;
	struct rig rig;
	struct desk *desk = desk_new();
	rig_open(&rig, "reps: [ana, bob]\nteams: [{id: n, reps: [ana, bob], capacity: {open: 1000}, nobody: [wait],\n"
	               "  sizes: [{when: 'lead.campaign == \"big\"', size: 1000}]}]\n" ROUTES);
	feed(&rig, desk, SMALL, 2);
	struct cost plain = feed(&rig, desk, SMALL, RECORDS);
	feed(&rig, desk, LARGE, WAITING);
	assert_int_equal(desk->backlog.count, WAITING);
	struct cost waiting = feed(&rig, desk, SMALL, RECORDS);
	assert_int_equal(waiting.looks, 0);
	assert_true(waiting.bytes < 2 * plain.bytes);
	desk_free(desk);
	rig_close(&rig);
}

/* The same where those who wait were all declined by the only one who is there. */
static void leads_that_were_declined_cost_nothing(void **state)
{
	(void)state;
	struct rig rig;
	struct desk *desk = desk_new();
	rig_open(&rig, one_rep);
	for (int i = 0; i < WAITING; i++) {
		rig_lead(&rig, arena_printf(&rig.arena, "{\"lead_id\":\"D%d\",\"contact\":{\"email\":\"d%d@example.com\"}}", i, i));
		rig_act(&rig, arena_printf(&rig.arena, "{\"type\":\"activity.decline\",\"lead_id\":\"D%d\",\"actor\":\"ana\"}", i));
	}
	struct cost first = feed(&rig, desk, SMALL, 1), rest = feed(&rig, desk, SMALL, RECORDS);
	assert_int_equal(desk->backlog.count, WAITING);
	assert_true(first.looks <= 2);
	assert_int_equal(rest.looks, 0);
	desk_free(desk);
	rig_close(&rig);
}

/* Each change is one look per queue, not one per lead. */
static void a_change_costs_a_look_per_queue(void **state)
{
	(void)state;
	struct rig rig;
	struct desk *desk = desk_new();
	rig_open(&rig, "reps: [ana, bob]\nteams: [{id: n, reps: [ana, bob], capacity: {open: 9}, nobody: [wait],\n"
	               "  sizes: [{when: 'lead.campaign == \"big\"', size: 10}]}]\n" ROUTES);
	feed(&rig, desk, SMALL, 2);
	feed(&rig, desk, LARGE, WAITING);
	size_t looks = desk->looks;
	for (int i = 0; i < RECORDS; i++) {
		struct decider *decider = decider_new(rig.model, store_view(&rig.store), &rig.arena);
		struct decision decision;
		struct record *record = arena_alloc(&rig.arena, sizeof *record);
		const char *word = i % 2 ? "available" : "away";
		*record = fixture_record(RECORD_ACTIVITY, rig.offset++,
		                         arena_printf(&rig.arena, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"%s\"}", word));
		decider_use_desk(decider, desk);
		decider_decide(decider, rules_prepare(rig.model, record, rig.now_ms, &rig.arena), rig.now_ms, &decision);
		rig_finish(&rig, decider, &decision);
	}
	assert_int_equal(desk->looks - looks, RECORDS / 2);
	desk_free(desk);
	rig_close(&rig);
}

/* ---- what names a drain */

/* A walk visits a lead when a wait could end by time alone: the event says that it was the walk. */
static void a_drain_inside_a_walk_is_named_after_it(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, one_rep);
	rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"away\",\"until\":\"2026-11-23T10:00:00Z\"}");
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	rig.now_ms += 3600000;
	struct decider *decider = decider_new(rig.model, store_view(&rig.store), &rig.arena);
	struct decision d;
	decider_visit(decider, SLICE("mem/walk/clocks.1"), SLICE("L1"), rig.now_ms, &d);
	rig_finish(&rig, decider, &d);
	assert_int_equal(d.event_count, 1);
	assert_string_equal(d.events[0].type, "lead.assigned");
	assert_true(slice_is(d.events[0].cause, "walk:mem/walk/clocks.1:L1"));
	rig_close(&rig);
}

/* ---- values that nobody can read */

static void spoil(struct rig *rig, const char *key, const char *value)
{
	store_apply(&rig->store, &(struct write){.key = slice_of(key), .value = slice_of(value)}, 1);
}

static struct decision begin(struct rig *rig)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision d;
	decider_begin(decider, rig->now_ms, &d);
	return rig_finish(rig, decider, &d);
}

static struct decision visit(struct rig *rig, const char *walk, const char *lead)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision d;
	decider_visit(decider, slice_of(walk), slice_of(lead), rig->now_ms, &d);
	return rig_finish(rig, decider, &d);
}

static const char *find_walk(struct rig *rig)
{
	for (size_t i = 0; i < rig->store.count; i++)
		if (memcmp(rig->store.rows[i].key, "mem/walk/waits.", 15) == 0)
			return rig->store.rows[i].key;
	fail_msg("no walk was asked for");
	return NULL;
}

static void expect_dropped(struct rig *rig, const struct decision *d, const char *key, const char *bytes)
{
	rig_expect_reject(d, ERR_STATE_MALFORMED);
	assert_true(slice_is(d->events[0].key, key) && slice_is(d->events[0].value, bytes));
	assert_string_equal(store_text(&rig->store, key), "");
}

/* Two leads wait; of one the value is foreign. It is taken away with a code, and the lead is put back into its line. */
static void an_unreadable_value_is_taken_away_and_its_lead_found_again(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, one_rep);
	rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"away\"}");
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	rig_lead(&rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"b@example.com\"}}");
	spoil(&rig, "mem/wait/L1", "{\"due\":0,\"lead\":[7]}");
	spoil(&rig, "mem/wait/!!", "{}");
	begin(&rig);
	assert_string_not_equal(store_text(&rig.store, "mem/tick/pools"), "");
	struct decision d = rig_fire(&rig, "mem/tick/pools");
	expect_dropped(&rig, &d, "mem/wait/!!", "{}");
	d = rig_fire(&rig, "mem/tick/pools");
	expect_dropped(&rig, &d, "mem/wait/L1", "{\"due\":0,\"lead\":[7]}");
	assert_true(slice_is(d.lead_id, "L1"));
	assert_string_equal(store_text(&rig.store, "mem/tick/pools"), "");
	d = visit(&rig, find_walk(&rig), "L2");
	assert_int_equal(d.event_count, 0);
	d = visit(&rig, find_walk(&rig), "L1");
	rig_expect(rig_event(&rig, &d, "lead.unassigned"), "reason", "waiting");
	d = rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"available\"}");
	assert_int_equal(d.event_count, 3);
	assert_true(slice_is(d.events[1].subject, "L1") && slice_is(d.events[2].subject, "L2"));
	rig_close(&rig);
}

/* Its wait runs out before anybody has looked: the same. */
static void an_unreadable_value_that_is_due_is_not_due_for_ever(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, "reps: [ana]\nteams: [{id: n, reps: [ana], nobody: [{wait: 1h}, fallback_queue]}]\n" ROUTES);
	rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"away\"}");
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	rig.now_ms += 3600000;
	spoil(&rig, "mem/wait/L1", "{\"due\":1795428000000,\"lead\":7}");
	struct decision d = rig_fire(&rig, "mem/wait/L1");
	expect_dropped(&rig, &d, "mem/wait/L1", "{\"due\":1795428000000,\"lead\":7}");
	d = visit(&rig, find_walk(&rig), "L1");
	rig_expect(rig_event(&rig, &d, "lead.unassigned"), "reason", "waiting");
	d = rig_fire(&rig, "mem/wait/L1");
	rig_expect(rig_event(&rig, &d, "lead.unassigned"), "reason", "fallback_queue");
	rig_close(&rig);
}

/* ---- events that the broker does not take */

static const struct header *header_of(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->header_count; i++)
		if (slice_is(event->headers[i].name, name))
			return &event->headers[i];
	fail_msg("no header %s", name);
	return NULL;
}

/* The record that frees a slot is not to blame for the event of the lead that gets it: that lead is set aside, under its own
 * name and with a code, and the record is decided as it would have been. */
static void a_waiting_lead_whose_event_is_too_large_is_set_aside_alone(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, "reps: [ana]\nteams: [{id: n, reps: [ana], capacity: {open: 1}, nobody: [wait]}]\n" ROUTES);
	for (int i = 1; i <= 3; i++)
		rig_lead(&rig, arena_printf(&rig.arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"a%d@example.com\"}}", i, i));
	const char *stored = arena_strdup(&rig.arena, store_text(&rig.store, "mem/wait/L2"));
	struct decider *decider = decider_new(rig.model, store_view(&rig.store), &rig.arena);
	struct decision d;
	decider_set_aside(decider, SLICE("L2"), false, rig.now_ms, &d);
	rig_finish(&rig, decider, &d);
	rig_expect_reject(&d, ERR_EVENT_TOO_LARGE);
	assert_true(slice_is(d.events[0].subject, "L2") && slice_is(d.events[0].value, stored) && d.events[0].is_waiters);
	assert_true(slice_is(header_of(&d.events[0], "leadrouter.error.code")->value, "event_too_large"));
	assert_string_equal(store_text(&rig.store, "mem/wait/L2"), "");
	assert_int_equal(rig_state(&rig, "L2").status, LEAD_UNASSIGNED);
	d = rig_act(&rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L1\",\"reason\":\"no_need\"}");
	assert_int_equal(d.event_count, 2);
	assert_true(!d.events[0].is_waiters && d.events[1].is_waiters);
	assert_true(slice_is(d.events[0].subject, "L1") && slice_is(d.events[1].subject, "L3"));
	decider = decider_new(rig.model, store_view(&rig.store), &rig.arena);
	decider_set_aside(decider, SLICE("L2"), false, rig.now_ms, &d); /* it waits no longer */
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
	assert_int_equal(d.event_count, 0);
	rig_close(&rig);
}

static void a_refused_event_is_blamed_on_whom_it_is_about(void **state)
{
	(void)state;
	struct event events[3] = {{.subject = SLICE("L1")}, {.subject = SLICE("L2"), .is_waiters = true}, {.subject = SLICE("L3")}};
	size_t event_item[3] = {0, 0, SIZE_MAX};
	struct batch_item item = {0};
	struct batch batch = {.items = &item, .item_count = 1, .event_item = event_item};
	struct commit_job job = {.events = events, .event_count = 3, .failed_event = 1};
	assert_true(batch_note_refusal(&batch, &job));
	assert_int_equal(item.refusals, 0);
	assert_int_equal(batch.refused_count, 1);
	assert_true(slice_is(batch.refused[0].lead_id, "L2"));
	assert_true(batch_note_refusal(&batch, &job)); /* cut, then */
	assert_int_equal(batch.refused_count, 1);
	assert_false(batch_note_refusal(&batch, &job));
	job.failed_event = 0;
	assert_true(batch_note_refusal(&batch, &job));
	assert_int_equal(item.refusals, 1);
	job.failed_event = 2; /* a timer's */
	assert_false(batch_note_refusal(&batch, &job));
	arena_done(&batch.kept);
}

/* ---- asked once in a round */

static void nobody_is_asked_twice_however_long_the_round_is(void **state)
{
	(void)state;
	struct rig rig;
	char was_asked[30] = {0};
	struct strbuf text = STRBUF_INIT;
	strbuf_puts(&text, "reps: [r10");
	for (int i = 11; i < 30; i++)
		strbuf_printf(&text, ", r%d", i);
	strbuf_puts(&text, "]\nteams:\n  - id: n\n    nobody: [fallback_queue]\n    reps: [r10");
	for (int i = 11; i < 30; i++)
		strbuf_printf(&text, ", r%d", i);
	strbuf_puts(&text, "]\n" ROUTES);
	rig_open(&rig, strbuf_text(&text));
	strbuf_done(&text);
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	for (int i = 0; i < 30; i++) {
		struct lead_state lead = rig_state(&rig, "L1");
		if (lead.owner.len == 0)
			break;
		int rep = atoi(lead.owner.p + 1);
		assert_int_equal(was_asked[rep], 0);
		was_asked[rep] = 1;
		rig_act(&rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\"}");
	}
	assert_int_equal(rig_state(&rig, "L1").owner.len, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leads_that_nobody_can_take_cost_nothing),
		cmocka_unit_test(leads_that_were_declined_cost_nothing),
		cmocka_unit_test(a_change_costs_a_look_per_queue),
		cmocka_unit_test(a_drain_inside_a_walk_is_named_after_it),
		cmocka_unit_test(an_unreadable_value_is_taken_away_and_its_lead_found_again),
		cmocka_unit_test(an_unreadable_value_that_is_due_is_not_due_for_ever),
		cmocka_unit_test(a_waiting_lead_whose_event_is_too_large_is_set_aside_alone),
		cmocka_unit_test(a_refused_event_is_blamed_on_whom_it_is_about),
		cmocka_unit_test(nobody_is_asked_twice_however_long_the_round_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
