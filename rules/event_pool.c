/* SPDX-License-Identifier: Apache-2.0
 *
 * What pools add to events: the turns that were booked, and how the one was found or why nobody was.
 */
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/pool_choose.h"

static void put_entry(struct json_writer *writer, const struct model *model, const struct ledger_entry *entry)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "entry", slice_of(entry->entry));
	json_put_text(writer, "rep", model->reps[entry->rep].id);
	json_put_text(writer, "pool", model->teams[entry->team].id);
	event_put_if(writer, "lane", entry->lane);
	json_put_int(writer, "turns", 1);
	json_put_text(writer, "reason", slice_of(entry->reason));
	event_put_if(writer, "approver", entry->approver);
	json_close_object(writer);
}

void pool_put_ledger(struct json_writer *writer, const struct work *work)
{
	if (work->ledger_count == 0)
		return;
	json_open_array(writer, "ledger");
	for (size_t i = 0; i < work->ledger_count; i++)
		put_entry(writer, work->model, &work->ledger[i]);
	json_close_array(writer);
}

static const char *result_name(enum criterion_result result)
{
	switch (result) {
	case CRITERION_NARROWED:
		return "narrowed";
	case CRITERION_SAME:
		return "same";
	case CRITERION_SKIPPED:
		return "skipped";
	}
	return "?";
}

static void put_steps(struct json_writer *writer, const struct pool_trace *trace)
{
	if (trace->step_count == 0)
		return;
	json_open_array(writer, "criteria");
	for (size_t i = 0; i < trace->step_count; i++) {
		const struct criterion_step *step = &trace->steps[i];
		json_open_object(writer, NULL);
		json_put_text(writer, "name", step->criterion->name);
		if (step->criterion->place.file != NULL) {
			json_put_text(writer, "file", slice_of(step->criterion->place.file));
			json_put_int(writer, "line", step->criterion->place.line);
		}
		json_put_text(writer, "result", slice_of(result_name(step->result)));
		json_put_int(writer, "left", (int64_t)step->left);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_try(struct json_writer *writer, const struct model *model, const struct pool_try *try)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "pool", model->teams[try->team].id);
	json_open_object(writer, "counts");
	for (int block = 0; block < BLOCKS; block++)
		if (try->counts[block] != 0)
			json_put_int(writer, block_name((enum block)block), (int64_t)try->counts[block]);
	json_close_object(writer);
	json_open_array(writer, "rejected");
	for (size_t i = 0; i < try->rejected_count; i++) {
		json_open_object(writer, NULL);
		json_put_text(writer, "rep", model->reps[try->rejected[i].rep].id);
		json_put_text(writer, "reason", slice_of(block_name(try->rejected[i].block)));
		json_close_object(writer);
	}
	json_close_array(writer);
	if (try->members > try->rejected_count)
		json_put_int(writer, "rejected_not_shown", (int64_t)(try->members - try->rejected_count));
	json_close_object(writer);
}

static void put_nobody(struct json_writer *writer, const struct work *work)
{
	const struct pool_trace *trace = work->pool;
	const struct pool_outcome *outcome = trace->outcome;
	if (trace->try_count != 0) {
		json_open_array(writer, "nobody");
		for (size_t i = 0; i < trace->try_count; i++)
			put_try(writer, work->model, &trace->tries[i]);
		json_close_array(writer);
	}
	if (trace->tries_total > trace->try_count)
		json_put_int(writer, "nobody_not_shown", (int64_t)(trace->tries_total - trace->try_count));
	if (outcome == NULL)
		return;
	json_put_text(writer, "outcome", slice_of(pool_outcome_name(outcome->kind)));
	event_put_if(writer, "queue", outcome->queue);
	if (outcome->kind == POOL_WAIT)
		event_put_time_if(writer, "wait_until", work->state.wait_ms);
}

void pool_put_trace(struct json_writer *writer, const struct work *work)
{
	const struct pool_trace *trace = work->pool;
	bool is_plain = trace == NULL || (trace->step_count == 0 && trace->lane.len == 0 && !trace->is_by_load &&
	                                  !trace->is_reopened && trace->try_count == 0 && trace->outcome == NULL);
	if (work->named != 0 && work->named_block != BLOCK_NONE) {
		json_open_object(writer, "named_rep");
		json_put_text(writer, "rep", work->model->reps[work->named - 1].id);
		json_put_text(writer, "reason", slice_of(block_name(work->named_block)));
		json_close_object(writer);
	}
	if (is_plain)
		return;
	json_open_object(writer, "pool");
	event_put_if(writer, "lane", trace->lane);
	put_steps(writer, trace);
	if (trace->is_reopened)
		json_put_bool(writer, "reopened_for_balance", true);
	if (work->candidate_count != 0)
		json_put_text(writer, "decided_by", trace->is_by_load ? SLICE("load") : SLICE("rotation"));
	put_nobody(writer, work);
	json_close_object(writer);
}
