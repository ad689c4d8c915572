/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of a team that make it more than a list of people: how a member is chosen, and what happens when nobody can
 * be. A team without any of them is the simplest pool: plain rotation.
 */
#include <string.h>

#include "rules/base/suggest.h"
#include "rules/cel/cel.h"
#include "rules/kept.h"
#include "rules/model/lint.h"
#include "rules/model/lint_condition.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"

/* One team on its way to a pool. */
struct draft {
	struct model_builder *builder;
	const struct node *node;
	const struct team *team;
	struct pool pool;
	const char *what; /* "team `x`" */
};

static struct diags *diags_of(const struct draft *draft)
{
	return draft->builder->diags;
}

/* Index of the text among `names` (NULL behind the last), or SIZE_MAX and an error. */
static size_t read_word(const struct draft *draft, const struct node *node, const char *what, const char *const *names)
{
	struct slice text;
	if (!node_read_text(node, what, diags_of(draft), &text))
		return SIZE_MAX;
	struct suggest suggest = suggest_for(text);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (slice_is(text, names[i]))
			return i;
		suggest_offer(&suggest, slice_of(names[i]));
	}
	struct diag *diag = diags_add(diags_of(draft), ERR_BAD_VALUE, node->span, "%s cannot be `%.*s`", what, SLICE_ARG(text));
	diag_did_you_mean(diags_of(draft), diag, suggest.best);
	diag_note(diags_of(draft), diag, "one of: %s%s%s%s%s%s%s", names[0], names[1] ? ", " : "", names[1] ? names[1] : "",
	          names[1] && names[2] ? ", " : "", names[1] && names[2] ? names[2] : "",
	          names[1] && names[2] && names[3] ? ", " : "", names[1] && names[2] && names[3] ? names[3] : "");
	return SIZE_MAX;
}

static bool read_span(const struct draft *draft, const struct node *node, const char *what, struct span *ret_span)
{
	struct slice text;
	struct err err = ERR_INIT;
	if (!node_read_text(node, what, diags_of(draft), &text))
		return false;
	if (span_parse(text, ret_span, &err) != 0) {
		diags_add(diags_of(draft), err.code, node->span, "%s", err.text);
		return false;
	}
	if ((ret_span->business_days != 0 || ret_span->business_ms != 0) && !draft->builder->has_calendar) {
		diags_add(diags_of(draft), ERR_MISSING_KEY, node->span, "business time needs a calendar, and there is none");
		return false;
	}
	return true;
}

/* Expressions of a pool may be asked again when the lead's record is gone. */
static bool read_expression(const struct draft *draft, const struct cel_env *env, const struct node *node,
                            const struct cel_type *type, const char *what, struct slice *ret_text,
                            const struct cel_program **ret_program)
{
	struct model_builder *builder = draft->builder;
	bool is_read = type->kind == CEL_BOOL
	                       ? model_read_condition(builder, env, node, what, ret_text, ret_program)
	                       : model_read_expression(builder, env, node, type, what, ret_text, ret_program);
	if (is_read)
		kept_need(builder, *ret_program, node, what);
	if (is_read && type->kind == CEL_BOOL)
		lint_stored_condition(builder, node, *ret_program, what);
	return is_read;
}

/* ---- rotation */

static void read_catch_up(struct draft *draft, const struct node *node)
{
	static const char *const words[] = {
		[CATCH_UP_CLAMP] = "clamp", [CATCH_UP_NONE] = "none", [CATCH_UP_CAPPED] = "capped", [CATCH_UP_FULL] = "full", NULL};
	static const char *const known[] = {"capped", NULL};
	if (node->kind == NODE_MAPPING) {
		const struct node *most = node_require(node, "capped", "catch_up", diags_of(draft));
		if (node_check_keys(node, known, "catch_up", diags_of(draft)) && most != NULL &&
		    node_read_int(most, "capped", 1, POOL_EXTRA_MAX, diags_of(draft), &draft->pool.extra))
			draft->pool.catch_up = CATCH_UP_CAPPED;
		return;
	}
	size_t word = read_word(draft, node, "catch_up", words);
	if (word == CATCH_UP_CAPPED) {
		struct diag *diag = diags_add(diags_of(draft), ERR_BAD_VALUE, node->span, "how many leads a day?");
		diag_help(diags_of(draft), diag, "catch_up: {capped: 3}");
	} else if (word != SIZE_MAX) {
		draft->pool.catch_up = (enum pool_catch_up)word;
	}
}

static void read_balance(struct draft *draft, const struct node *node)
{
	static const char *const words[] = {"last", NULL};
	static const char *const known[] = {"threshold", NULL};
	if (node->kind != NODE_MAPPING) {
		read_word(draft, node, "balance", words);
		return;
	}
	const struct node *gap = node_require(node, "threshold", "balance", diags_of(draft));
	if (node_check_keys(node, known, "balance", diags_of(draft)) && gap != NULL)
		draft->pool.has_gap =
			node_read_int(gap, "threshold", 0, POOL_GAP_MAX, diags_of(draft), &draft->pool.gap);
}

static void read_moves(struct draft *draft, const struct node *list)
{
	const char *names[CAUSES + 1] = {NULL};
	for (int cause = 0; cause < CAUSES; cause++)
		names[cause] = pool_cause_name((enum pool_cause)cause);
	if (!node_expect_sequence(list, "moves", diags_of(draft)))
		return;
	draft->pool.moves = 0;
	for (size_t i = 0; i < list->count; i++) {
		size_t cause = read_word(draft, list->items[i], "moves", names);
		if (cause != SIZE_MAX)
			draft->pool.moves |= 1u << cause;
	}
}

static void read_rotation(struct draft *draft)
{
	static const char *const forms[] = {[ROTATION_STRIDE] = "stride", [ROTATION_CREDIT] = "credit", NULL};
	static const char *const by[] = {"rotation", "load", NULL};
	const struct node *rotation = node_get(draft->node, "rotation"), *choose = node_get(draft->node, "choose_by");
	const struct node *catch_up = node_get(draft->node, "catch_up"), *balance = node_get(draft->node, "balance");
	const struct node *moves = node_get(draft->node, "moves");
	if (rotation != NULL)
		draft->pool.rotation = read_word(draft, rotation, "rotation", forms) == ROTATION_CREDIT;
	if (choose != NULL)
		draft->pool.by_load = read_word(draft, choose, "choose_by", by) == 1;
	if (catch_up != NULL)
		read_catch_up(draft, catch_up);
	if (balance != NULL)
		read_balance(draft, balance);
	if (moves != NULL)
		read_moves(draft, moves);
	if (rotation == NULL || draft->pool.rotation != ROTATION_CREDIT)
		return;
	if (draft->team->member_count > POOL_CREDIT_MEMBERS_MAX)
		diags_add(diags_of(draft), ERR_TOO_MANY, rotation->span, "rotation by credit is for teams of at most %d reps",
		          POOL_CREDIT_MEMBERS_MAX);
	if (catch_up != NULL)
		diags_add(diags_of(draft), ERR_BAD_VALUE, catch_up->span,
		          "rotation by credit has no arrears: who is away neither gains nor pays");
}

static void read_lanes(struct draft *draft, const struct node *list)
{
	static const char *const known[] = {"name", "when", NULL};
	if (!node_expect_sequence(list, "lanes", diags_of(draft)))
		return;
	if (list->count > POOL_LANES_MAX) {
		diags_add(diags_of(draft), ERR_TOO_MANY, list->span, "more than %d lanes", POOL_LANES_MAX);
		return;
	}
	struct pool_lane *lanes = arena_array(draft->builder->arena, list->count, sizeof *lanes);
	struct model_names names;
	model_names_init(&names, "lane");
	draft->pool.lanes = lanes;
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		if (!node_expect_mapping(item, "a lane", diags_of(draft)) || !node_check_keys(item, known, "a lane", diags_of(draft)))
			continue;
		const struct node *name = node_require(item, "name", "a lane", diags_of(draft));
		const struct node *when = node_require(item, "when", "a lane", diags_of(draft));
		struct pool_lane *lane = &lanes[draft->pool.lane_count];
		if (name == NULL || when == NULL || !model_read_name(draft->builder, name, "the name of a lane", &lane->name) ||
		    !model_names_add(draft->builder, &names, lane->name, name))
			continue;
		draft->pool.lane_count++;
		lane->place = model_place(item);
		read_expression(draft, draft->builder->model->env, when, &cel_type_bool,
		                arena_printf(&draft->builder->scratch, "lane `%.*s` of %s", SLICE_ARG(lane->name), draft->what),
		                &lane->text, &lane->when);
	}
	model_names_done(&names);
}

/* ---- criteria */

static void read_prefer(struct draft *draft, const struct node *node, const char *what, struct pool_criterion *criterion)
{
	static const char *const known[] = {"table", "by", NULL};
	if (!node_expect_mapping(node, "prefer", diags_of(draft)) || !node_check_keys(node, known, "prefer", diags_of(draft)))
		return;
	const struct node *table = node_require(node, "table", "prefer", diags_of(draft));
	const struct node *by = node_require(node, "by", "prefer", diags_of(draft));
	const struct preference_table *found = table != NULL ? model_read_preference(draft->builder, table) : NULL;
	if (found != NULL)
		criterion->table = *found;
	if (by != NULL)
		read_expression(draft, draft->builder->model->env, by, &cel_type_string, what, &criterion->text,
		                &criterion->program);
}

static bool has_one(const struct draft *draft, const struct node *node)
{
	static const char *const kinds[] = {"when", "prefer", "lowest", "familiar"};
	size_t count = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		count += node_get(node, kinds[i]) != NULL;
	if (count != 1)
		diags_add(diags_of(draft), ERR_BAD_VALUE, node->span, "a criterion has one of `when`, `prefer`, `lowest`, `familiar`");
	return count == 1;
}

static void read_criterion(struct draft *draft, const struct node *node, struct model_names *names)
{
	static const char *const known[] = {"name", "when", "prefer", "lowest", "familiar", NULL};
	struct model_builder *builder = draft->builder;
	struct pool_criterion *criterion = (struct pool_criterion *)(uintptr_t)&draft->pool.criteria[draft->pool.criterion_count];
	if (!node_expect_mapping(node, "a criterion", diags_of(draft)) ||
	    !node_check_keys(node, known, "a criterion", diags_of(draft)) || !has_one(draft, node))
		return;
	const struct node *name = node_require(node, "name", "a criterion", diags_of(draft));
	if (name == NULL || !model_read_name(builder, name, "the name of a criterion", &criterion->name) ||
	    !model_names_add(builder, names, criterion->name, name))
		return;
	const char *what = arena_printf(&builder->scratch, "criterion `%.*s` of %s", SLICE_ARG(criterion->name), draft->what);
	const struct node *when = node_get(node, "when"), *prefer = node_get(node, "prefer");
	const struct node *lowest = node_get(node, "lowest"), *familiar = node_get(node, "familiar");
	bool is_familiar = true;
	criterion->place = model_place(node);
	draft->pool.criterion_count++;
	if (when != NULL) {
		criterion->kind = CRITERION_WHEN;
		if (read_expression(draft, builder->model->pool_env, when, &cel_type_bool, what, &criterion->text,
		                    &criterion->program) &&
		    criterion->program != NULL && !builder->is_ground_faulty)
			lint_pool_criterion(builder, draft->team, when, criterion->program, what);
	} else if (prefer != NULL) {
		criterion->kind = CRITERION_PREFER;
		read_prefer(draft, prefer, what, criterion);
	} else if (lowest != NULL) {
		criterion->kind = CRITERION_LOWEST;
		read_expression(draft, builder->model->pool_env, lowest, &cel_type_int, what, &criterion->text,
		                &criterion->program);
	} else if (node_read_bool(familiar, "familiar", diags_of(draft), &is_familiar)) {
		criterion->kind = CRITERION_FAMILIAR;
		if (!is_familiar)
			draft->pool.criterion_count--;
	}
}

static void read_criteria(struct draft *draft, const struct node *list)
{
	if (!node_expect_sequence(list, "criteria", diags_of(draft)))
		return;
	if (list->count > POOL_CRITERIA_MAX) {
		diags_add(diags_of(draft), ERR_TOO_MANY, list->span, "more than %d criteria", POOL_CRITERIA_MAX);
		return;
	}
	struct model_names names;
	model_names_init(&names, "criterion");
	draft->pool.criteria = arena_array(draft->builder->arena, list->count, sizeof *draft->pool.criteria);
	for (size_t i = 0; i < list->count; i++)
		read_criterion(draft, list->items[i], &names);
	model_names_done(&names);
}

/* ---- capacity and hours */

static void read_sizes(struct draft *draft, const struct node *list)
{
	static const char *const known[] = {"size", "when", NULL};
	if (!node_expect_sequence(list, "sizes", diags_of(draft)))
		return;
	if (list->count > POOL_SIZES_MAX) {
		diags_add(diags_of(draft), ERR_TOO_MANY, list->span, "more than %d sizes", POOL_SIZES_MAX);
		return;
	}
	struct pool_size *sizes = arena_array(draft->builder->arena, list->count, sizeof *sizes);
	draft->pool.sizes = sizes;
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		if (!node_expect_mapping(item, "a size", diags_of(draft)) || !node_check_keys(item, known, "a size", diags_of(draft)))
			continue;
		const struct node *size = node_require(item, "size", "a size", diags_of(draft)), *when = node_get(item, "when");
		struct pool_size *row = &sizes[draft->pool.size_count];
		if (size == NULL || !node_read_int(size, "size", 1, POOL_SIZE_MAX, diags_of(draft), &row->units))
			continue;
		draft->pool.size_count++;
		row->place = model_place(item);
		if (when != NULL)
			read_expression(draft, draft->builder->model->env, when, &cel_type_bool,
			                arena_printf(&draft->builder->scratch, "a size of %s", draft->what), &row->text, &row->when);
	}
}

static void read_staleness(struct draft *draft, const struct node *node)
{
	struct span span;
	if (!read_span(draft, node, "stale_after", &span))
		return;
	if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span)) {
		diags_add(diags_of(draft), ERR_BAD_SPAN, node->span, "stale_after is plain time: 12h, 2d");
		return;
	}
	draft->pool.stale_after_ms = (int64_t)span.days * 86400000 + span.elapsed_ms;
}

static void read_availability(struct draft *draft)
{
	const struct node *capacity = node_get(draft->node, "capacity"), *sizes = node_get(draft->node, "sizes");
	const struct node *hours = node_get(draft->node, "keep_hours"), *stale = node_get(draft->node, "stale_after");
	if (capacity != NULL)
		model_read_capacity(draft->builder, capacity, &draft->pool.capacity);
	if (sizes != NULL)
		read_sizes(draft, sizes);
	if (hours != NULL)
		node_read_bool(hours, "keep_hours", diags_of(draft), &draft->pool.keeps_hours);
	if (stale != NULL)
		read_staleness(draft, stale);
}

/* ---- nobody there */

static bool read_outcome_value(struct draft *draft, const struct node *value, struct pool_outcome *outcome)
{
	struct model_builder *builder = draft->builder;
	switch (outcome->kind) {
	case POOL_WAIT:
		return read_span(draft, value, "wait", &outcome->wait);
	case POOL_NEXT:
		outcome->team = model_read_team(builder, value, "next_pool");
		return outcome->team != SIZE_MAX;
	case POOL_OVER_CAPACITY:
		outcome->rep = model_read_rep(builder, value);
		if (outcome->rep != SIZE_MAX && !builder->model->reps[outcome->rep].is_active)
			diags_add(diags_of(draft), ERR_ABSENT_REP, value->span, "the rep `%.*s` is not active", SLICE_ARG(value->text));
		return outcome->rep != SIZE_MAX;
	case POOL_FALLBACK:
		return model_read_name(builder, value, "the name of a queue", &outcome->queue);
	}
	return false;
}

/* `wait`, `{wait: 4h}`, `{next_pool: dach}`, … */
static bool read_outcome(struct draft *draft, const struct node *node, struct pool_outcome *outcome)
{
	const char *names[POOL_FALLBACK + 2] = {NULL};
	for (int kind = 0; kind <= POOL_FALLBACK; kind++)
		names[kind] = pool_outcome_name((enum pool_outcome_kind)kind);
	bool is_pair = node->kind == NODE_MAPPING && node->count == 1;
	const struct node *word = is_pair ? node->members[0].key : node;
	size_t kind = read_word(draft, word, "an outcome", names);
	if (kind == SIZE_MAX)
		return false;
	*outcome = (struct pool_outcome){
		.kind = (enum pool_outcome_kind)kind, .team = SIZE_MAX, .rep = SIZE_MAX, .place = model_place(node)};
	if (is_pair)
		return read_outcome_value(draft, node->members[0].value, outcome);
	if (kind == POOL_NEXT)
		diags_add(diags_of(draft), ERR_MISSING_KEY, node->span, "which one? {next_pool: TEAM}");
	return kind != POOL_NEXT;
}

static bool ends_all(const struct pool_outcome *outcome)
{
	return outcome->kind == POOL_FALLBACK || (outcome->kind == POOL_WAIT && span_is_zero(&outcome->wait));
}

static void read_outcomes(struct draft *draft, const struct node *list)
{
	if (!node_expect_sequence(list, "nobody", diags_of(draft)))
		return;
	if (list->count == 0 || list->count > POOL_OUTCOMES_MAX) {
		diags_add(diags_of(draft), ERR_OUT_OF_RANGE, list->span, "1 to %d outcomes", POOL_OUTCOMES_MAX);
		return;
	}
	struct pool_outcome *outcomes = arena_array(draft->builder->arena, list->count + 1, sizeof *outcomes);
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (count > 0 && ends_all(&outcomes[count - 1])) {
			struct diag *diag = diags_add(diags_of(draft), ERR_UNREACHABLE_OUTCOME, list->items[i]->span,
			                              "this outcome is never reached");
			diag_second(diags_of(draft), diag, list->items[i - 1]->span, "this one takes every lead");
			break;
		}
		if (read_outcome(draft, list->items[i], &outcomes[count]))
			count++;
	}
	if (count > 0 && !ends_all(&outcomes[count - 1]))
		outcomes[count++] = (struct pool_outcome){.kind = POOL_FALLBACK, .team = SIZE_MAX, .rep = SIZE_MAX,
		                                          .place = model_place(list)};
	draft->pool.outcomes = outcomes;
	draft->pool.outcome_count = count;
}

static bool can_be_empty(const struct draft *draft)
{
	const struct pool *pool = &draft->pool;
	bool can = pool->keeps_hours || pool->stale_after_ms != 0 || pool->capacity.open != 0 || pool->capacity.cap_count != 0;
	for (size_t i = 0; i < draft->team->member_count && !can; i++)
		can = draft->builder->model->reps[draft->team->members[i].rep].capacity != NULL;
	return can;
}

/* A team of people who are always there may leave it out: a lead that finds all of them away by their own word is kept and
 * belongs to nobody. */
static void require_outcomes(struct draft *draft)
{
	const struct pool_outcome *plain = pool_of(&(struct team){0})->outcomes;
	if (can_be_empty(draft)) {
		struct diag *diag = diags_add(diags_of(draft), ERR_NO_OUTCOME, draft->node->span,
		                              "%s does not say what happens when nobody can take a lead", draft->what);
		diag_help(diags_of(draft), diag, "nobody: [{wait: 4h}, {next_pool: …}, over_capacity_owner, fallback_queue], in your order");
	}
	draft->pool.outcomes = plain;
	draft->pool.outcome_count = 1;
}

/* ---- the whole */

static void build_pool(struct model_builder *builder, size_t index)
{
	struct team *team = (struct team *)(uintptr_t)&builder->model->teams[index];
	size_t errors = diags_error_count(builder->diags);
	struct draft draft = {.builder = builder, .node = builder->pool_nodes[index], .team = team, .pool = *pool_of(team)};
	draft.what = arena_printf(&builder->scratch, "team `%.*s`", SLICE_ARG(team->id));
	const struct node *lanes = node_get(draft.node, "lanes"), *criteria = node_get(draft.node, "criteria");
	const struct node *nobody = node_get(draft.node, "nobody");
	read_rotation(&draft);
	if (lanes != NULL)
		read_lanes(&draft, lanes);
	if (criteria != NULL)
		read_criteria(&draft, criteria);
	read_availability(&draft);
	if (nobody != NULL)
		read_outcomes(&draft, nobody);
	else
		require_outcomes(&draft);
	if (builder->is_ground_faulty || diags_error_count(builder->diags) != errors)
		return;
	model_build_classes(builder, team, &draft.pool);
	struct pool *pool = arena_alloc(builder->arena, sizeof *pool);
	*pool = draft.pool;
	team->pool = pool;
}

/* Is there anything but people? */
static bool has_options(const struct node *node)
{
	static const char *const people[] = {"id", "name", "reps", "calendar"};
	for (size_t i = 0; i < node->count; i++) {
		bool is_people = false;
		for (size_t j = 0; j < sizeof people / sizeof *people; j++)
			is_people |= slice_is(node->members[i].key->text, people[j]);
		if (!is_people)
			return true;
	}
	return false;
}

static bool has_limits(const struct model *model, const struct team *team)
{
	for (size_t i = 0; i < team->member_count; i++)
		if (model->reps[team->members[i].rep].capacity != NULL)
			return true;
	return false;
}

/* next_pool leads from team to team: 0 not seen, 1 on the way, 2 done. */
static bool has_cycle(const struct model *model, size_t team, unsigned char *seen, size_t depth, size_t *ret_on)
{
	const struct pool *pool = pool_of(&model->teams[team]);
	seen[team] = 1;
	for (size_t i = 0; i < pool->outcome_count; i++) {
		const struct pool_outcome *outcome = &pool->outcomes[i];
		if (outcome->kind != POOL_NEXT || seen[outcome->team] == 2)
			continue;
		if (seen[outcome->team] == 1 || depth == POOL_HOPS_MAX || has_cycle(model, outcome->team, seen, depth + 1, ret_on)) {
			*ret_on = team;
			return true;
		}
	}
	seen[team] = 2;
	return false;
}

static void check_cycles(struct model_builder *builder)
{
	const struct model *model = builder->model;
	unsigned char *seen = arena_array(&builder->scratch, model->team_count, 1);
	for (size_t i = 0; i < model->team_count; i++) {
		size_t on;
		if (seen[i] != 0 || !has_cycle(model, i, seen, 1, &on))
			continue;
		struct diag *diag = diags_add(builder->diags, ERR_POOL_CYCLE, builder->team_nodes[i]->span,
		                              "`next_pool` leads from `%.*s` in a circle, or over more than %d teams",
		                              SLICE_ARG(model->teams[i].id), POOL_HOPS_MAX);
		diag_label(builder->diags, diag, "a lead that nobody can take would run for ever");
		return;
	}
}

/* Windows in which something is counted for one rep, by the caps of all his teams. */
struct windows {
	struct slice names[POOL_WINDOWS_MAX];
	size_t count; /* one more than there is room for: too many */
};

static void note_window(struct windows *windows, struct slice name)
{
	for (size_t i = 0; i < windows->count && i < POOL_WINDOWS_MAX; i++)
		if (slice_equal(windows->names[i], name))
			return;
	if (windows->count < POOL_WINDOWS_MAX)
		windows->names[windows->count] = name;
	windows->count += windows->count <= POOL_WINDOWS_MAX;
}

static void check_windows(struct model_builder *builder)
{
	const struct model *model = builder->model;
	struct windows *windows = arena_array(&builder->scratch, model->rep_count, sizeof *windows);
	for (size_t t = 0; t < model->team_count; t++) {
		const struct capacity *capacity = &pool_of(&model->teams[t])->capacity;
		for (size_t m = 0; capacity->cap_count != 0 && m < model->teams[t].member_count; m++) {
			size_t rep = model->teams[t].members[m].rep;
			for (size_t c = 0; model->reps[rep].capacity == NULL && c < capacity->cap_count; c++)
				note_window(&windows[rep], capacity->caps[c].name);
		}
	}
	for (size_t i = 0; i < model->rep_count; i++)
		if (windows[i].count > POOL_WINDOWS_MAX)
			diags_add(builder->diags, ERR_TOO_MANY, builder->rep_nodes[i]->span,
			          "the teams of `%.*s` cap him in more than %d different windows", SLICE_ARG(model->reps[i].id),
			          POOL_WINDOWS_MAX);
}

void model_build_pools(struct model_builder *builder)
{
	struct model *model = builder->model;
	size_t errors = diags_error_count(builder->diags);
	model_build_preferences(builder);
	for (size_t i = 0; i < model->team_count; i++)
		if (has_options(builder->pool_nodes[i]) || has_limits(model, &model->teams[i]))
			build_pool(builder, i);
	if (builder->is_ground_faulty || diags_error_count(builder->diags) != errors)
		return;
	check_cycles(builder);
	check_windows(builder);
	for (size_t i = 0; i < builder->preference_count; i++)
		if (!builder->is_preference_used[i])
			diags_warn(builder->diags, ERR_UNUSED, builder->preference_keys[i]->span,
			           "the preference table `%.*s` is not used", SLICE_ARG(builder->preferences[i].name));
}

static void done(const struct cel_program *program)
{
	cel_program_done((struct cel_program *)(uintptr_t)program);
}

void model_done_pools(struct model *model)
{
	for (size_t i = 0; i < model->team_count; i++) {
		const struct pool *pool = pool_of(&model->teams[i]);
		for (size_t c = 0; c < pool->criterion_count; c++)
			done(pool->criteria[c].program);
		for (size_t l = 0; l < pool->lane_count; l++)
			done(pool->lanes[l].when);
		for (size_t s = 0; s < pool->size_count; s++)
			done(pool->sizes[s].when);
	}
}
