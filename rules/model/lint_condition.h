/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a condition ever true? What its clauses say of each field is put together (rules/model/lint_clause.h); where one of them is a
 * choice, `a || b`, so is what they say together with each alternative:
 *
 *     lead.intent == "high" && (score > 60 || lead.intent == "clear" && score > 10)
 *                               └ {high}, score ┘└──── {high} and {clear}: never ───┘
 *
 * Answers are on the safe side: nothing is called never true that some lead could make true.
 */
#ifndef LR_RULES_MODEL_LINT_CONDITION_H
#define LR_RULES_MODEL_LINT_CONDITION_H

#include "rules/base/map.h"
#include "rules/model/lint_clause.h"
#include "rules/score.h"

struct arena;
struct cel_env;
struct cel_program;
struct diags;
struct model_builder;
struct node;

struct lint_condition {
	const struct node *node; /* of `when`; NULL: always true */
	const struct cel_program *program;
	struct lint_clause *clauses; /* without those that always hold */
	size_t clause_count;
	struct lint_group *groups;
	size_t group_count;
	bool is_never; /* set by lint_condition_check */
};

/* What conditions of one kind have in common. */
struct lint_scope {
	struct diags *diags;
	struct arena *arena;
	const struct cel_env *env; /* its closed vocabularies are all that there is; NULL: anything may be */
	struct map fields;         /* slot and path -> number + 1 */
	bool is_scored;            /* by the rules of today: `score` lies within the bounds */
	struct cel_conjunct score_bounds[2];
	struct cel_value score_limits[2];
	struct lint_clause score_clauses[2];
	size_t alternatives_left;
};

void lint_scope_init(struct lint_scope *scope, struct diags *diags, struct arena *arena, const struct cel_env *env);
void lint_scope_done(struct lint_scope *scope);
/* `score` is between what the criteria can add up to, whatever a condition says. */
void lint_scope_bound_score(struct lint_scope *scope, struct score_range range);

/* `program` NULL: always true. `team_by`: the table that has to have an area for the lead, or SIZE_MAX. */
void lint_condition_read(struct lint_scope *scope, const struct node *node, const struct cel_program *program, size_t team_by,
                         struct lint_condition *ret);
/* Warns of what is never true (ERR_NEVER_MATCHES). `what` is named in a note. */
void lint_condition_check(struct lint_scope *scope, struct lint_condition *condition, const char *what);
/* The group on that field, or NULL. */
const struct lint_group *lint_find_group(const struct lint_condition *condition, size_t field);

/* The same for one condition that is asked of stored leads, which may hold what was allowed yesterday. */
void lint_stored_condition(struct model_builder *builder, const struct node *node, const struct cel_program *program,
                           const char *what);

#endif
