/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of model_build() share. For rules/model/ only.
 *
 * Each part reads one section of the tree into the model and goes on after an error, so that all of them are listed.
 * Later parts refer to earlier ones by name: calendars ◄ reps ◄ teams ◄ routes ► territories ◄ followup ► calendars ◄ score.
 */
#ifndef LR_RULES_MODEL_MODEL_BUILD_H
#define LR_RULES_MODEL_MODEL_BUILD_H

#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/map.h"
#include "rules/json/tree.h"
#include "rules/model.h"

struct calendar_entry;
struct intake_rules;
struct model_names;

struct model_builder {
	const struct node *root;
	const struct model_files *files;
	struct arena *arena;  /* of the model */
	struct arena scratch; /* of the build */
	struct diags *diags;
	struct model *model;
	const struct node **rep_nodes, **team_nodes; /* where each of model.reps and model.teams was defined */
	bool *is_team_used;
	/* territories */
	struct slice *table_names;
	const struct node **table_keys;
	bool *is_table_used;
	const struct cel_env *score_env, *route_env; /* model.env as those sections see it */
	const struct schema_row **kept; /* collected so far, see rules/kept.h */
	size_t kept_count;
	struct kept_member *kept_members;
	size_t kept_member_count;
	const struct node **pool_nodes; /* the whole entry of each of model.teams */
	struct preference_table *preferences;
	const struct node **preference_keys;
	bool *is_preference_used;
	size_t preference_count;
	struct intake_rules *intake;
	size_t errors_before; /* the build adds warnings about what is unused only while it has found no error */
	bool is_ground_faulty; /* an error in calendars, reps, teams or tables: what pools stand on */
	const struct cel_env *when_env, *event_env; /* of clocks */
	bool has_calendar; /* one was configured */
	struct calendar_entry *calendars; /* sorted by name; those that are wrong too */
	size_t calendar_count;
};

/* The parts, in the order in which they run. */
void model_build_tenants(struct model_builder *builder);
void model_build_cleanse(struct model_builder *builder);
/* Part of cleanse: `section` may be NULL. */
void model_build_intake(struct model_builder *builder, const struct node *section);
void model_build_dedup(struct model_builder *builder);
void model_build_calendars(struct model_builder *builder);
void model_build_people(struct model_builder *builder);
/* Part of people: `nodes` has the `attributes` of each of model.reps, NULL where there are none. */
void model_build_attributes(struct model_builder *builder, const struct node *const *nodes);
void model_build_territories(struct model_builder *builder);
void model_build_followup(struct model_builder *builder);
void model_build_score(struct model_builder *builder);
void model_build_pools(struct model_builder *builder);
void model_build_routes(struct model_builder *builder);
/* Behind all sections: any of them may name a team or a table. */
void model_warn_unused(struct model_builder *builder);
void model_build_lifecycle(struct model_builder *builder);
void model_build_report(struct model_builder *builder);
void model_build_clocks(struct model_builder *builder);
void model_build_activity(struct model_builder *builder);
void model_clocks_done(const struct model *model);
/* Gives back what the expressions of pools hold outside of the arena. */
void model_done_pools(struct model *model);
void model_build_ownership(struct model_builder *builder);

/* A section of the root, or NULL when it is absent, empty (all in comments), or of another kind (an error). */
const struct node *model_section(struct model_builder *builder, const char *name, enum node_kind kind);
/* Has the build found an error? */
bool model_has_failed(const struct model_builder *builder);
/* A name as people give them: 1…MODEL_NAME_BYTES of UTF-8, no control characters, no '/', no blanks at its ends. */
bool model_read_name(struct model_builder *builder, const struct node *node, const char *what, struct slice *ret_name);
struct place model_place(const struct node *node);
/* Parts of score: `section` may be NULL. */
void model_build_interest(struct model_builder *builder, const struct node *section);
void model_build_likelihood(struct model_builder *builder, const struct node *section);
/* A row of score.criteria or score.acts. */
bool model_read_criterion(struct model_builder *builder, const struct node *node, const struct cel_env *env,
                          struct model_names *names, struct criterion *criterion);
/* The beginning of a band: a number, or `lowest`, which is INT32_MIN. */
bool model_read_from(struct model_builder *builder, const struct node *node, int32_t *ret_from);
/* The calendar that `node` names, or NULL and an error; it counts as used from now on. */
const struct calendar *model_read_calendar(struct model_builder *builder, const struct node *node);
/* Warns of calendars that nothing refers to. */
void model_warn_calendars(struct model_builder *builder);
/* An amount of time, not in business units unless there is a calendar. */
bool model_read_span(struct model_builder *builder, const struct node *node, const char *what, struct span *ret_span);
/* Index of the territory table that `node` names, or SIZE_MAX and an error; it counts as used from now on. */
size_t model_read_table(struct model_builder *builder, const struct node *node, const char *what);

/* A list of names, or a mapping of names to lists of other spellings; NULL: an empty one. `noun` is what one is called.
 * `fallback` is always the first word; NULL: none is. */
void model_read_vocabulary(struct model_builder *builder, const struct node *list, const char *noun, const char *fallback,
                           struct vocabulary *ret_vocabulary);
/* A span, kept as it is written; false: there is none, or an error was added. */
bool model_read_span_text(struct model_builder *builder, const struct node *node, const char *what, struct slice *ret_text);
/* Index of the word that `node` is, or `count` and an error. `what` ends the sentence "`x` cannot stand for …". */
size_t model_read_word(struct model_builder *builder, const struct node *node, const char *what, const char *const *words,
                       size_t count);

/* Names of one kind, to find a second definition. */
struct model_names {
	struct map map; /* name -> its node */
	const char *what;
};
void model_names_init(struct model_names *names, const char *what);
void model_names_done(struct model_names *names);
/* false: it was there, and an error with both places was added. */
bool model_names_add(struct model_builder *builder, struct model_names *names, struct slice name, const struct node *node);

/* Compiles a condition. *ret_program is NULL for a condition that is just `true`. `what` is named in a note. */
bool model_read_condition(struct model_builder *builder, const struct cel_env *env, const struct node *node,
                          const char *what, struct slice *ret_text, const struct cel_program **ret_program);

/* The same for an expression of another type. */
struct cel_env;
struct cel_type;
bool model_read_expression(struct model_builder *builder, const struct cel_env *env, const struct node *node,
                           const struct cel_type *type, const char *what, struct slice *ret_text,
                           const struct cel_program **ret_program);

/* ---- pools: model_pool.c and its helpers */

struct capacity;
struct preference_table;
struct team;

/* `capacity: {open: 30, caps: […]}` of a rep or a team. */
bool model_read_capacity(struct model_builder *builder, const struct node *node, struct capacity *ret_capacity);
/* Section preferences: tables of reps, in `builder->preferences`. */
void model_build_preferences(struct model_builder *builder);
/* The table that `node` names, or NULL and an error. */
const struct preference_table *model_read_preference(struct model_builder *builder, const struct node *node);
/* Index of the rep that `node` names, or SIZE_MAX and an error. */
/* After all reps are read. */
void model_build_persons(struct model_builder *builder);
size_t model_read_rep(struct model_builder *builder, const struct node *node);
/* Index of the team that `node` names, or SIZE_MAX and an error; it counts as used from now on. */
size_t model_read_team(struct model_builder *builder, const struct node *node, const char *what);
/* Groups the members of a team into classes and turns the tables of its criteria from reps to classes. */
struct pool;
void model_build_classes(struct model_builder *builder, const struct team *team, struct pool *pool);

#endif
