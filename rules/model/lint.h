/* SPDX-License-Identifier: Apache-2.0
 *
 * What is well-formed but cannot be meant: said as warnings when the model is complete, and never about a rule that
 * could work. A warning stops nothing, so a rule set that was fine yesterday still starts when a source was taken out.
 *
 *     lint_values.c  what fields can hold (sources, grades, areas …), told to CEL before conditions are compiled
 *     lint_clause.c  what a conjunction says of one field: can it be true, does it imply another clause?
 *     lint_condition.c  conditions that are never true, also in one of their alternatives
 *     lint_route.c   routes and criteria that never match, routes that stand behind a broader one
 *     lint_pool.c    criteria of a pool that nobody in the team meets
 *     lint_outcome.c what a team that is only asked for another would do when nobody is there
 *     lint_score.c   grades that no sum of points reaches
 *
 * For rules/model/.
 */
#ifndef LR_RULES_MODEL_LINT_H
#define LR_RULES_MODEL_LINT_H

struct cel_program;
struct model_builder;
struct node;
struct team;

/* After tenants, cleanse, people and territories: for the conditions of criteria. */
void lint_declare_values(struct model_builder *builder);
/* After score: for the conditions that know the grade. Only routes are asked for the grades that do not stop alone. */
void lint_declare_grades(struct model_builder *builder);
/* With the reps and their attributes known; `node` is where the criterion's condition is written. */
void lint_pool_criterion(struct model_builder *builder, const struct team *team, const struct node *node,
                         const struct cel_program *program, const char *what);
/* After a build without errors. */
void lint_routes(struct model_builder *builder);
void lint_score(struct model_builder *builder);
void lint_outcomes(struct model_builder *builder);

#endif
