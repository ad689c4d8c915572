/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests of leads, out of a walk over all of them:
 *
 *     due_today   per rep: what is due until the end of the day, and what is overdue, in order of its time (S1-PLAN)
 *     weekly      per team or region: the leads obtained in this week, for those who do not own them (S4-DIGEST)
 *     audit       a random sample of the leads obtained in the period, drawn by a seed (S0-AUDIT)
 *
 * A lead may be visited again: it is in a list once, by its rank. Lists of another day are begun anew.
 */
#include <stdio.h>
#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/clocks_env.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/lead.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/report.h"

enum { LIST_BYTES_MAX = 64 * 1024, RANK_BYTES = 64, WALK_BYTES = 64 };

/* ---- walks */

static struct slice walk_key(const struct work *work, enum report_kind kind, int64_t day)
{
	return slice_of(arena_printf(work->arena, RULES_WALK_PREFIX "report.%s.%lld", report_kind_name(kind), (long long)day));
}

void report_list_begin(struct work *work, enum report_kind kind, int64_t day)
{
	overlay_put(&work->decider->overlay, walk_key(work, kind, day), SLICE("{}"), 0);
}

/* "mem/walk/report.<kind>.<day>" */
static bool read_walk(struct slice key, enum report_kind *ret_kind, int64_t *ret_day)
{
	char text[WALK_BYTES], kind[WALK_BYTES];
	long long day;
	if (key.len >= sizeof text)
		return false;
	memcpy(text, key.p, key.len);
	text[key.len] = '\0';
	if (sscanf(text, RULES_WALK_PREFIX "report.%63[a-z_].%lld", kind, &day) != 2)
		return false;
	for (int i = 0; i < REPORT_KINDS_ALL; i++)
		if (strcmp(kind, report_kind_name((enum report_kind)i)) == 0) {
			*ret_kind = (enum report_kind)i;
			*ret_day = day;
			return true;
		}
	return false;
}

/* ---- lists */

static struct slice list_key(const struct work *work, enum report_kind kind, struct slice scope)
{
	return ARENA_JOIN(work->arena, SLICE("mem/list/"), slice_of(report_kind_name(kind)), scope.len != 0 ? SLICE("/") : SLICE(""),
	                  scope);
}

/* NULL: there is none for that day. */
static const struct json *read_list(const struct work *work, struct slice key, int64_t day)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct json_limits limits = {LIST_BYTES_MAX, 5, 12 * REPORT_LIST_MAX + 20};
	const struct json *list = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	const struct json *of_day = json_get(list, "day");
	return of_day != NULL && of_day->type == JSON_IS_INT && of_day->integer == day ? list : NULL;
}

/* Texts and nothing else. */
static void put_again(struct json_writer *writer, const struct json *item)
{
	json_open_object(writer, NULL);
	for (size_t i = 0; i < item->count; i++)
		json_put_text_as(writer, item->names[i], item->items[i].text);
	json_close_object(writer);
}

struct entry {
	struct slice rank;
	struct slice json; /* an object whose first member is the rank */
};

static bool put_items(struct json_writer *writer, const struct json *items, const struct entry *entry, size_t most)
{
	size_t count = 0, old = items != NULL ? items->count : 0;
	bool is_put = entry->json.len == 0;
	for (size_t i = 0; i < old || !is_put; i++) {
		bool is_before = i < old && slice_compare(json_get_text(&items->items[i], "rank"), entry->rank) < 0;
		if (!is_put && !is_before) {
			is_put = true;
			if (count++ < most)
				json_put_raw(writer, NULL, entry->json);
		}
		if (i < old && count++ < most)
			put_again(writer, &items->items[i]);
	}
	return count > most;
}

static bool has_rank(const struct json *items, struct slice rank)
{
	for (size_t i = 0; items != NULL && i < items->count; i++)
		if (slice_equal(json_get_text(&items->items[i], "rank"), rank))
			return true;
	return false;
}

static void list_add(struct work *work, struct slice key, int64_t day, const struct entry *entry, size_t most)
{
	const struct json *list = read_list(work, key, day), *items = json_get(list, "items"), *more = json_get(list, "more");
	if (has_rank(items, entry->rank))
		return;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "day", day);
	json_open_array(&writer, "items");
	bool is_more = put_items(&writer, items, entry, most);
	json_close_array(&writer);
	json_put_bool(&writer, "more", is_more || (more != NULL && more->boolean));
	json_close_object(&writer);
	overlay_put(&work->decider->overlay, key, strbuf_keep(&text, work->arena), 0);
}

/* ---- entries; every member is a text */

static void put_time_text(struct json_writer *writer, const char *name, int64_t at_ms)
{
	json_put_time(writer, name, at_ms);
}

static struct slice region_of(struct work *work)
{
	const struct lead *lead = clocks_lead(work);
	return lead->location.region.len != 0 ? lead->location.region : lead->location.country;
}

static struct entry entry_of(struct work *work, struct slice rank, int64_t due_ms, bool with_owner)
{
	const struct lead_state *state = &work->state;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "rank", rank);
	json_put_text(&writer, "lead_id", work->lead_id);
	json_put_text(&writer, "status", slice_of(lead_status_name(state->status)));
	event_put_if(&writer, "grade", state->grade);
	event_put_if(&writer, "source", state->source);
	event_put_if(&writer, "region", region_of(work));
	event_put_if(&writer, "team", state->team);
	if (with_owner)
		event_put_if(&writer, "owner", state->owner);
	put_time_text(&writer, "obtained_at", state->at_ms);
	if (due_ms != 0)
		put_time_text(&writer, "due", due_ms);
	json_close_object(&writer);
	return (struct entry){rank, strbuf_keep(&text, work->arena)};
}

static struct slice time_rank(const struct work *work, int64_t at_ms)
{
	return slice_of(arena_printf(work->arena, "%015lld %.*s", (long long)at_ms, SLICE_ARG(work->lead_id)));
}

/* ---- what is due */

static void earlier(int64_t *due_ms, int64_t other_ms)
{
	if (other_ms != 0 && (*due_ms == 0 || other_ms < *due_ms))
		*due_ms = other_ms;
}

/* Of the clocks that wait for the owner: those that run, overdue or not. */
static int64_t due_of(const struct lead_state *state)
{
	int64_t due_ms = 0;
	if (state->first_response.start_ms != 0 && state->first_response.stop_ms == 0)
		earlier(&due_ms, state->first_response.due_ms);
	for (size_t i = 0; i < state->clock_count; i++)
		if (clock_is_running(&state->clocks[i]))
			earlier(&due_ms, state->clocks[i].due_ms);
	earlier(&due_ms, state->wake_ms);
	earlier(&due_ms, state->later_ms);
	return due_ms;
}

static void visit_due(struct work *work, int64_t day)
{
	int64_t due_ms = due_of(&work->state);
	bool is_someones = model_find_rep(work->model, work->state.owner) != SIZE_MAX;
	if (!is_someones || !lifecycle_is_open(work->state.status) || due_ms == 0 ||
	    figures_day_of(work->model->report->zone, due_ms) > day)
		return;
	struct entry entry = entry_of(work, time_rank(work, due_ms), due_ms, false);
	list_add(work, list_key(work, REPORT_DUE_TODAY, work->state.owner), day, &entry, REPORT_LIST_MAX);
}

/* ---- the week */

static bool is_weekly_grade(const struct report_rules *rules, struct slice grade)
{
	for (size_t i = 0; i < rules->weekly_grade_count; i++)
		if (slice_equal(rules->weekly_grades[i], grade))
			return true;
	return rules->weekly_grade_count == 0;
}

/* Which weekly lists there are. */
static bool note_scope(struct work *work, int64_t day, struct slice scope)
{
	struct slice key = list_key(work, REPORT_WEEKLY, SLICE_NONE);
	const struct json *list = read_list(work, key, day), *items = json_get(list, "items");
	if (has_rank(items, scope))
		return true;
	if (items != NULL && items->count >= REPORT_SCOPES_MAX)
		return false;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "rank", scope);
	json_close_object(&writer);
	struct entry entry = {scope, strbuf_keep(&text, work->arena)};
	list_add(work, key, day, &entry, REPORT_SCOPES_MAX);
	return true;
}

static void visit_weekly(struct work *work, int64_t day)
{
	const struct report_rules *rules = work->model->report;
	int64_t obtained = figures_day_of(rules->zone, work->state.at_ms);
	if (obtained < figures_period_start(FIGURES_WEEK, day) || obtained > day || !is_weekly_grade(rules, work->state.grade))
		return;
	struct slice scope = rules->is_weekly_by_region ? region_of(work) : work->state.team;
	if (scope.len == 0)
		scope = SLICE(FIGURES_NONE);
	if (!note_scope(work, day, scope))
		scope = SLICE(FIGURES_OTHER);
	struct entry entry = entry_of(work, time_rank(work, work->state.at_ms), 0, false);
	list_add(work, list_key(work, REPORT_WEEKLY, scope), day, &entry, REPORT_LIST_MAX);
}

/* ---- the audit */

static int64_t audit_start(const struct report_rules *rules, int64_t day)
{
	return figures_period_start(rules->lines[REPORT_AUDIT].every, day);
}

/* Of the period before the one that the day lies in: that one is over. */
static void visit_audit(struct work *work, int64_t day)
{
	const struct report_rules *rules = work->model->report;
	int64_t obtained = figures_day_of(rules->zone, work->state.at_ms), end = audit_start(rules, day);
	char *rank = arena_alloc(work->arena, FIGURES_RANK_BYTES);
	if (obtained < audit_start(rules, end - 1) || obtained >= end)
		return;
	figures_sample_rank(rules->audit_seed, work->lead_id, rank);
	struct entry entry = entry_of(work, slice_of(rank), 0, true);
	list_add(work, list_key(work, REPORT_AUDIT, SLICE_NONE), day, &entry, (size_t)rules->audit_leads);
}

void report_visit(struct work *work, struct slice key)
{
	enum report_kind kind;
	int64_t day;
	if (work->model->report == NULL || !read_walk(key, &kind, &day))
		return;
	if (kind == REPORT_DUE_TODAY)
		visit_due(work, day);
	else if (kind == REPORT_WEEKLY)
		visit_weekly(work, day);
	else if (kind == REPORT_AUDIT)
		visit_audit(work, day);
}

/* ---- telling */

/* Ranks are how lists are kept, and of an audit how to draw it again. */
static void put_leads(struct json_writer *writer, const struct json *items, bool with_rank)
{
	json_open_array(writer, "leads");
	for (size_t i = 0; items != NULL && i < items->count; i++) {
		const struct json *item = &items->items[i];
		json_open_object(writer, NULL);
		for (size_t n = 0; n < item->count; n++)
			if (with_rank || !slice_is(item->names[n], "rank"))
				json_put_text_as(writer, item->names[n], item->items[n].text);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void tell(struct work *work, enum report_kind kind, const struct report_period *period, const char *scope_name,
                 struct slice scope, int64_t day)
{
	struct slice key = list_key(work, kind, scope);
	const struct json *list = read_list(work, key, day), *more = json_get(list, "more");
	if (overlay_get(&work->decider->overlay, key).len != 0)
		overlay_remove(&work->decider->overlay, key);
	if (list == NULL)
		return;
	struct page page;
	struct json_writer *writer = report_page_open(&page, work, kind, period);
	if (scope_name != NULL) {
		json_open_object(writer, "scope");
		json_put_text(writer, scope_name, scope);
		json_close_object(writer);
	}
	if (kind == REPORT_AUDIT)
		json_put_text(writer, "seed", work->model->report->audit_seed);
	put_leads(writer, json_get(list, "items"), kind == REPORT_AUDIT);
	if (kind != REPORT_AUDIT)
		json_put_bool(writer, "more", more != NULL && more->boolean);
	report_page_close(&page, work, kind, period, scope);
}

static void walked_due(struct work *work, int64_t day)
{
	char name[FIGURES_PERIOD_BYTES];
	figures_period_format(FIGURES_DAY, day, name);
	struct report_period period = {name, day, day + 1};
	for (size_t i = 0; i < work->model->rep_count; i++)
		tell(work, REPORT_DUE_TODAY, &period, "rep", work->model->reps[i].id, day);
}

static void walked_weekly(struct work *work, int64_t day)
{
	char name[FIGURES_PERIOD_BYTES];
	int64_t monday = figures_period_start(FIGURES_WEEK, day);
	figures_period_format(FIGURES_WEEK, monday, name);
	struct report_period period = {name, monday, day + 1};
	const char *by = work->model->report->is_weekly_by_region ? "region" : "team";
	struct slice key = list_key(work, REPORT_WEEKLY, SLICE_NONE);
	const struct json *scopes = json_get(read_list(work, key, day), "items");
	for (size_t i = 0; scopes != NULL && i < scopes->count; i++)
		tell(work, REPORT_WEEKLY, &period, by, json_get_text(&scopes->items[i], "rank"), day);
	tell(work, REPORT_WEEKLY, &period, by, SLICE(FIGURES_OTHER), day);
	if (overlay_get(&work->decider->overlay, key).len != 0)
		overlay_remove(&work->decider->overlay, key);
}

static void walked_audit(struct work *work, int64_t day)
{
	const struct report_rules *rules = work->model->report;
	enum figures_period every = rules->lines[REPORT_AUDIT].every;
	int64_t end = audit_start(rules, day), start = audit_start(rules, end - 1);
	char name[FIGURES_PERIOD_BYTES];
	figures_period_format(every, start, name);
	struct report_period period = {name, start, end};
	tell(work, REPORT_AUDIT, &period, NULL, SLICE_NONE, day);
}

void report_walked(struct work *work, struct slice key)
{
	enum report_kind kind;
	int64_t day;
	if (work->model->report == NULL || !read_walk(key, &kind, &day) || tally_shard(work) < 0)
		return;
	if (kind == REPORT_DUE_TODAY)
		walked_due(work, day);
	else if (kind == REPORT_WEEKLY)
		walked_weekly(work, day);
	else if (kind == REPORT_AUDIT)
		walked_audit(work, day);
	if (work->ret->event_count != 0)
		work->ret->outcome = OUTCOME_TIMER;
}
