/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/model/lint_condition.h"

#include <inttypes.h>

#include "rules/cel/value.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"

enum {
	ALTERNATIVES_MAX = 100000,   /* looked at in one scope; beyond it something may go unnoticed */
	SHOWN_BYTES_MAX = 60,        /* of a clause in a note */
};

static const uint64_t SEED[2] = {0x6c696e74, 0x636f6e64};

void lint_scope_init(struct lint_scope *scope, struct diags *diags, struct arena *arena, const struct cel_env *env)
{
	*scope = (struct lint_scope){.diags = diags, .arena = arena, .env = env, .alternatives_left = ALTERNATIVES_MAX};
	map_init(&scope->fields, SEED);
}

void lint_scope_done(struct lint_scope *scope)
{
	map_done(&scope->fields);
}

void lint_scope_bound_score(struct lint_scope *scope, struct score_range range)
{
	scope->is_scored = true;
	scope->score_limits[0] = cel_int(range.least);
	scope->score_limits[1] = cel_int(range.most);
	for (size_t i = 0; i < 2; i++) {
		scope->score_bounds[i] = (struct cel_conjunct){.test = i == 0 ? CEL_TEST_GE : CEL_TEST_LE,
		                                               .slot = SLOT_SCORE,
		                                               .type = &cel_type_int,
		                                               .constants = &scope->score_limits[i],
		                                               .constant_count = 1};
		scope->score_clauses[i] = (struct lint_clause){&scope->score_bounds[i], SLICE_NONE, SIZE_MAX};
	}
}

/* ---- reading a condition */

static size_t field_number(struct lint_scope *scope, const struct cel_conjunct *form)
{
	uint32_t key[CEL_MAX_PATH + 1] = {form->slot};
	memcpy(key + 1, form->path, form->path_count * sizeof *key);
	struct slice bytes = {(const char *)key, (form->path_count + 1) * sizeof *key};
	void *known = map_get(&scope->fields, bytes);
	if (known != NULL)
		return (uintptr_t)known - 1;
	bytes.p = arena_memdupz(scope->arena, bytes.p, bytes.len);
	map_put(&scope->fields, bytes, (void *)(uintptr_t)(scope->fields.live + 1));
	return scope->fields.live - 1;
}

static const struct cel_vocabulary *find_vocabulary(const struct lint_scope *scope, const struct cel_conjunct *form)
{
	for (size_t i = 0; scope->env != NULL && i < scope->env->vocabulary_count; i++) {
		const struct cel_vocabulary *vocabulary = &scope->env->vocabularies[i];
		if (vocabulary->is_closed && vocabulary->slot == form->slot && vocabulary->path_count == form->path_count &&
		    memcmp(vocabulary->path, form->path, form->path_count * sizeof *form->path) == 0)
			return vocabulary;
	}
	return NULL;
}

static struct lint_clause read_clause(struct lint_scope *scope, const struct cel_program *program,
                                      const struct cel_conjunct *form, bool is_rest)
{
	struct slice whole = cel_program_text(program), text = SLICE_NONE;
	bool is_needed = form->test == CEL_TEST_OTHER || !lint_is_simple(form);
	if (is_needed && !is_rest && (size_t)form->offset + form->length <= whole.len)
		text = lint_even_text((struct slice){whole.p + form->offset, form->length}, scope->arena);
	return (struct lint_clause){form, text, form->test == CEL_TEST_OTHER ? SIZE_MAX : field_number(scope, form)};
}

static bool is_score(const struct cel_conjunct *form)
{
	return form->slot == SLOT_SCORE && form->path_count == 0;
}

/* The clauses on the field of the first of them that has no group yet. */
static void add_group(struct lint_scope *scope, struct lint_condition *condition, const struct lint_clause *first)
{
	const struct lint_clause **list = arena_array(scope->arena, condition->clause_count + 2, sizeof *list);
	struct lint_group *group = &condition->groups[condition->group_count++];
	*group = (struct lint_group){.field = first->field, .clauses = list};
	if (scope->is_scored && is_score(first->form)) {
		list[group->clause_count++] = &scope->score_clauses[0];
		list[group->clause_count++] = &scope->score_clauses[1];
	}
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].field == first->field)
			list[group->clause_count++] = &condition->clauses[i];
	group->vocabulary = find_vocabulary(scope, first->form);
	lint_group_close(group, scope->arena);
}

const struct lint_group *lint_find_group(const struct lint_condition *condition, size_t field)
{
	for (size_t i = 0; i < condition->group_count; i++)
		if (condition->groups[i].field == field)
			return &condition->groups[i];
	return NULL;
}

/* `score >= 0` where no point is taken away, `lead.intent in ["", "high", "clear", "potential"]`. */
static bool always_holds(const struct lint_scope *scope, const struct cel_conjunct *form)
{
	struct lint_group bounds = {.low = &scope->score_bounds[0], .high = &scope->score_bounds[1]};
	if (form->test == CEL_TEST_OTHER)
		return false;
	return lint_always_holds(form, find_vocabulary(scope, form)) ||
	       (scope->is_scored && is_score(form) && lint_group_implies(&bounds, form));
}

/* A route by territory takes a lead only if there is an area for it: has(territory.NAME) is one more clause, unwritten. */
static void add_team_by(struct lint_scope *scope, size_t table, struct lint_condition *condition)
{
	struct cel_conjunct *form = arena_alloc(scope->arena, sizeof *form);
	*form = (struct cel_conjunct){.test = CEL_TEST_HAS,
	                              .slot = SLOT_TERRITORY,
	                              .path_count = 1,
	                              .path = {(uint32_t)table},
	                              .type = &cel_type_string};
	if (!always_holds(scope, form))
		condition->clauses[condition->clause_count++] =
			(struct lint_clause){form, SLICE_NONE, field_number(scope, form)};
}

static void make_groups(struct lint_scope *scope, struct lint_condition *condition)
{
	condition->groups = arena_array(scope->arena, condition->clause_count, sizeof *condition->groups);
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].field != SIZE_MAX && lint_find_group(condition, condition->clauses[i].field) == NULL)
			add_group(scope, condition, &condition->clauses[i]);
}

void lint_condition_read(struct lint_scope *scope, const struct node *node, const struct cel_program *program, size_t team_by,
                         struct lint_condition *ret)
{
	size_t count = 0;
	const struct cel_conjunct *forms = program != NULL ? cel_program_conjuncts(program, &count) : NULL;
	*ret = (struct lint_condition){.node = node, .program = program};
	ret->clauses = arena_array(scope->arena, count + 1, sizeof *ret->clauses);
	for (size_t i = 0; i < count; i++)
		if (!always_holds(scope, &forms[i]))
			ret->clauses[ret->clause_count++] = read_clause(scope, program, &forms[i], i == CEL_MAX_CONJUNCTS);
	if (team_by != SIZE_MAX)
		add_team_by(scope, team_by, ret);
	make_groups(scope, ret);
}

/* ---- never true */

static struct source_span clause_span(const struct lint_condition *condition, const struct lint_clause *clause)
{
	return node_span_in(condition->node, clause->form->offset, clause->form->length);
}

/* Do these clauses of the group contradict each other already? */
static bool is_empty_with(const struct lint_scope *scope, const struct lint_group *group, const struct lint_clause *const *clauses,
                          size_t count)
{
	struct lint_group part = {.field = group->field, .clauses = clauses, .clause_count = count, .vocabulary = group->vocabulary};
	lint_group_close(&part, scope->arena);
	return lint_group_is_empty(&part);
}

/* The first clause that makes the group empty, and the one before it that it cannot be united with (or NULL). */
static const struct lint_clause *find_culprit(const struct lint_scope *scope, const struct lint_group *group,
                                              const struct lint_clause **ret_other)
{
	size_t count = 1;
	while (count < group->clause_count && !is_empty_with(scope, group, group->clauses, count))
		count++;
	const struct lint_clause *culprit = group->clauses[count - 1];
	*ret_other = NULL;
	for (size_t i = 0; i + 1 < count; i++) {
		const struct lint_clause *const pair[] = {group->clauses[i], culprit};
		if (is_empty_with(scope, group, pair, 2)) {
			*ret_other = group->clauses[i];
			break;
		}
	}
	return culprit;
}

static bool is_unwritten(const struct lint_clause *clause)
{
	return clause->form->length == 0;
}

/* Why a condition, or one of its alternatives, is never true. */
struct finding {
	const struct lint_group *group;      /* NULL: `culprit` is a choice of which nothing is ever true */
	const struct lint_clause *culprit;
	const struct lint_clause *other;     /* that it cannot be united with, or NULL */
	const struct finding *reasons;       /* of a choice, one for each alternative */
};

static struct finding find_empty_group(const struct lint_scope *scope, const struct lint_condition *condition)
{
	struct finding finding = {.group = NULL};
	for (size_t i = 0; i < condition->group_count && finding.culprit == NULL; i++) {
		if (!lint_group_is_empty(&condition->groups[i]))
			continue;
		finding.group = &condition->groups[i];
		finding.culprit = find_culprit(scope, finding.group, &finding.other);
		if (is_unwritten(finding.culprit) && finding.other != NULL)
			finding = (struct finding){finding.group, finding.other, finding.culprit, NULL};
	}
	return finding;
}

/* A text that the field never holds: that was said, with a suggestion, when the condition was compiled. */
static bool is_said_already(const struct lint_scope *scope, const struct finding *finding)
{
	const struct cel_conjunct *form = finding->culprit->form;
	bool is_list = form->test == CEL_TEST_EQ || form->test == CEL_TEST_IN;
	return finding->group != NULL && is_list && finding->group->vocabulary != NULL &&
	       is_empty_with(scope, finding->group, &finding->culprit, 1);
}

static struct slice shown(const struct lint_condition *condition, const struct lint_clause *clause)
{
	struct slice text = cel_program_text(condition->program);
	size_t len = clause->form->length < SHOWN_BYTES_MAX ? clause->form->length : SHOWN_BYTES_MAX;
	while (len > 0 && len < clause->form->length && ((unsigned char)text.p[clause->form->offset + len] & 0xC0) == 0x80)
		len--; /* never in the middle of a character */
	return (struct slice){text.p + clause->form->offset, len};
}

static const char *no(const struct lint_clause *clause)
{
	return clause->form->is_denied ? "not " : "";
}

static void note_alternative(const struct lint_scope *scope, const struct lint_condition *condition,
                             const struct finding *finding, struct diag *diag)
{
	struct slice culprit = shown(condition, finding->culprit);
	if (finding->other == NULL || is_unwritten(finding->other)) {
		diag_note(scope->diags, diag, "never: %s`%.*s`", no(finding->culprit), SLICE_ARG(culprit));
		return;
	}
	struct slice other = shown(condition, finding->other);
	diag_note(scope->diags, diag, "never both: %s`%.*s`, %s`%.*s`", no(finding->other), SLICE_ARG(other), no(finding->culprit),
	          SLICE_ARG(culprit));
}

static void explain(const struct lint_scope *scope, const struct lint_condition *condition, const struct finding *finding,
                    struct diag *diag)
{
	const struct lint_clause *other = finding->other;
	uint32_t count = finding->reasons != NULL ? finding->culprit->form->alternative_count : 0;
	for (uint32_t i = 0; i < count && i < DIAG_NOTES_MAX - 1; i++)
		note_alternative(scope, condition, &finding->reasons[i], diag);
	if (other == NULL)
		return;
	if (other == &scope->score_clauses[0] || other == &scope->score_clauses[1])
		diag_note(scope->diags, diag, "score.base and the criteria together give from %" PRId64 " to %" PRId64,
		          scope->score_limits[0].as.integer, scope->score_limits[1].as.integer);
	else if (is_unwritten(other))
		diag_note(scope->diags, diag, "a route with `team_by` takes only leads that have an area");
	else
		diag_second(scope->diags, diag, clause_span(condition, other), scope->env != NULL ? "no lead has both" : "never both");
}

static void report(const struct lint_scope *scope, const struct lint_condition *condition, const struct finding *finding,
                   const char *message, const char *what)
{
	if (is_said_already(scope, finding))
		return;
	struct diag *diag =
		diags_warn(scope->diags, ERR_NEVER_MATCHES, clause_span(condition, finding->culprit), "%s", message);
	explain(scope, condition, finding, diag);
	diag_note(scope->diags, diag, "in %s", what);
}

static const char *message_for(const struct finding *finding)
{
	if (finding->reasons != NULL && finding->culprit->form->alternative_count > 1)
		return "none of these alternatives is ever true";
	bool is_pair = finding->other != NULL && !is_unwritten(finding->other);
	return is_pair ? "this is never true together with what stands before it" : "this is never true";
}

/* ---- alternatives */

static void report_alternative(const struct lint_scope *scope, const struct lint_condition *condition,
                               const struct finding *finding, const char *what)
{
	report(scope, condition, finding,
	       finding->culprit->form->is_denied ? "this alternative is never false, as it would have to be"
	                                         : "this alternative is never true",
	       what);
}

/* The clauses outside of the choice with those of one alternative. */
static struct lint_condition unite(struct lint_scope *scope, const struct lint_condition *outer, const struct lint_clause *choice,
                                   const struct cel_alternative *alternative)
{
	struct lint_condition united = {.node = outer->node, .program = outer->program};
	united.clauses = arena_array(scope->arena, outer->clause_count + alternative->clause_count, sizeof *united.clauses);
	for (size_t i = 0; i < outer->clause_count; i++)
		if (&outer->clauses[i] != choice)
			united.clauses[united.clause_count++] = outer->clauses[i];
	for (uint32_t i = 0; i < alternative->clause_count; i++)
		if (!always_holds(scope, &alternative->clauses[i]))
			united.clauses[united.clause_count++] = read_clause(scope, outer->program, &alternative->clauses[i], true);
	make_groups(scope, &united);
	return united;
}

static bool look_at_choice(struct lint_scope *scope, const struct lint_condition *condition, const struct lint_clause *choice,
                           const char *what, struct finding *findings);

/* The first choice of the condition that leaves nothing; what is wrong inside of the others is said. */
static struct finding find_empty_choice(struct lint_scope *scope, const struct lint_condition *condition, size_t from,
                                        const char *what)
{
	for (size_t i = from; i < condition->clause_count; i++) {
		const struct lint_clause *clause = &condition->clauses[i];
		uint32_t count = clause->form->alternative_count;
		if (count == 0 || count > scope->alternatives_left)
			continue;
		struct finding *reasons = arena_array(scope->arena, count, sizeof *reasons);
		if (look_at_choice(scope, condition, clause, what, reasons))
			return (struct finding){.culprit = clause, .reasons = reasons};
	}
	return (struct finding){.culprit = NULL};
}

/* true: no alternative is ever true, and `findings` say why; else those that never are have been reported. */
static bool look_at_choice(struct lint_scope *scope, const struct lint_condition *condition, const struct lint_clause *choice,
                           const char *what, struct finding *findings)
{
	uint32_t count = choice->form->alternative_count, empty = 0;
	scope->alternatives_left -= count;
	for (uint32_t i = 0; i < count; i++) {
		struct lint_condition united = unite(scope, condition, choice, &choice->form->alternatives[i]);
		findings[i] = find_empty_group(scope, &united);
		if (findings[i].culprit == NULL)
			findings[i] = find_empty_choice(scope, &united, condition->clause_count - 1, what);
		empty += findings[i].culprit != NULL;
	}
	for (uint32_t i = 0; empty < count && i < count; i++)
		if (findings[i].culprit != NULL)
			report_alternative(scope, condition, &findings[i], what);
	return empty == count;
}

void lint_condition_check(struct lint_scope *scope, struct lint_condition *condition, const char *what)
{
	struct finding finding = find_empty_group(scope, condition);
	if (finding.culprit == NULL)
		finding = find_empty_choice(scope, condition, 0, what);
	condition->is_never = finding.culprit != NULL;
	if (condition->is_never)
		report(scope, condition, &finding, message_for(&finding), what);
}

void lint_stored_condition(struct model_builder *builder, const struct node *node, const struct cel_program *program,
                           const char *what)
{
	struct lint_scope scope;
	struct lint_condition condition;
	if (program == NULL)
		return;
	lint_scope_init(&scope, builder->diags, &builder->scratch, NULL);
	lint_condition_read(&scope, node, program, SIZE_MAX, &condition);
	lint_condition_check(&scope, &condition, what);
	lint_scope_done(&scope);
}
