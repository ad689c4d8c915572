/* SPDX-License-Identifier: Apache-2.0
 *
 * Criteria of a pool that nobody in the team ever meets: of what a clause asks of the rep alone, the answers are known when the
 * rules are read. Each such clause is compiled by itself and asked of every member; one that fails for somebody says nothing.
 */
#include <string.h>

#include "rules/cel/conjunct.h"
#include "rules/cel/paths.h"
#include "rules/cel/value.h"
#include "rules/model/lint.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"

enum { VALUES_SHOWN = 12 };

struct question {
	struct model_builder *builder;
	const struct team *team;
	struct cel_program *program;
};

/* A name that there is nowhere was pointed at when the whole condition was compiled. */
static bool is_said_already(const struct cel_issues *issues)
{
	for (size_t i = 0; i < issues->count; i++)
		if (issues->items[i].code == ERR_UNKNOWN_VALUE)
			return true;
	return false;
}

/* NULL: it also asks of something else. */
static struct cel_program *about_rep(struct model_builder *builder, struct slice clause)
{
	struct cel_program *program = NULL;
	struct cel_issues issues;
	size_t count;
	if (cel_compile(builder->model->pool_env, clause, &cel_type_bool, &builder->scratch, &issues, &program) != 0)
		return NULL;
	const struct cel_path *paths = cel_program_paths(program, &count);
	bool is_about_rep = count != 0 && !is_said_already(&issues);
	for (size_t i = 0; i < count; i++)
		is_about_rep &= paths[i].slot == SLOT_REP;
	if (is_about_rep)
		return program;
	cel_program_done(program);
	return NULL;
}

/* An error is no answer. */
static bool is_met_by(const struct question *question, const struct rep *rep, struct arena *scratch)
{
	const struct model *model = question->builder->model;
	struct cel_value slots[SCHEMA_SLOTS];
	struct schema_rep schema;
	memset(slots, 0, sizeof slots);
	schema_rep_init(&schema, model->pool_env, rep);
	slots[SLOT_REP] = cel_object(&schema.object);
	struct cel_value answer = cel_eval(question->program, slots, scratch, model->cel_step_limit);
	return answer.kind != CEL_BOOL || answer.as.boolean;
}

static bool is_met_by_anybody(const struct question *question)
{
	const struct model *model = question->builder->model;
	for (size_t i = 0; i < question->team->member_count; i++) {
		struct arena scratch = ARENA_INIT;
		bool is_met = is_met_by(question, &model->reps[question->team->members[i].rep], &scratch);
		arena_done(&scratch);
		if (is_met)
			return true;
	}
	return question->team->member_count == 0;
}

/* ---- what there is instead */

struct values {
	struct cel_value items[VALUES_SHOWN];
	size_t count;
};

static void add_value(struct values *values, struct cel_value value)
{
	for (uint32_t i = 0; value.kind == CEL_LIST && i < value.as.list->count; i++)
		add_value(values, value.as.list->items[i]);
	if (value.kind == CEL_LIST || value.kind == CEL_NULL || values->count == VALUES_SHOWN)
		return;
	for (size_t i = 0; i < values->count; i++)
		if (cel_compare(values->items[i], value) == CEL_SAME)
			return;
	values->items[values->count++] = value;
}

static void note_values(const struct question *question, uint32_t attribute, struct diag *diag)
{
	const struct model *model = question->builder->model;
	struct values values = {.count = 0};
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < question->team->member_count && values.count < VALUES_SHOWN; i++)
		add_value(&values, model->reps[question->team->members[i].rep].attributes[attribute]);
	for (size_t i = 0; i < values.count; i++) {
		strbuf_puts(&text, i > 0 ? ", " : "");
		cel_print(&text, values.items[i]);
	}
	diag_note(question->builder->diags, diag, "`%s` in the team: %s%s", model->attributes[attribute].name,
	          values.count != 0 ? strbuf_text(&text) : "nobody has it", values.count == VALUES_SHOWN ? ", …" : "");
	strbuf_done(&text);
}

static void report(const struct question *question, const struct node *node, const struct cel_conjunct *clause, const char *what)
{
	size_t count, noted = 0;
	const struct cel_path *paths = cel_program_paths(question->program, &count);
	struct diag *diag = diags_warn(question->builder->diags, ERR_NEVER_MATCHES,
	                               node_span_in(node, clause->offset, clause->length), "nobody in the team `%.*s` ever meets this",
	                               SLICE_ARG(question->team->id));
	for (size_t i = 0; i < count && noted < DIAG_NOTES_MAX - 2; i++)
		if (paths[i].count == 2 && paths[i].path[0] == REP_ATTRIBUTES) {
			note_values(question, paths[i].path[1], diag);
			noted++;
		}
	diag_note(question->builder->diags, diag, "in %s", what);
	diag_note(question->builder->diags, diag, "a criterion that would leave nobody is skipped");
}

void lint_pool_criterion(struct model_builder *builder, const struct team *team, const struct node *node,
                         const struct cel_program *program, const char *what)
{
	size_t count;
	const struct cel_conjunct *clauses = cel_program_conjuncts(program, &count);
	struct slice text = cel_program_text(program);
	for (size_t i = 0; i < count && i < CEL_MAX_CONJUNCTS; i++) {
		struct slice clause = {text.p + clauses[i].offset, clauses[i].length};
		struct question question = {builder, team, about_rep(builder, clause)};
		if (question.program != NULL && !is_met_by_anybody(&question))
			report(&question, node, &clauses[i], what);
		cel_program_done(question.program);
	}
}
