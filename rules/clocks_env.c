/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clocks_env.h"

#include "rules/cel/cel.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/kept.h"
#include "rules/model.h"

enum { STATE_TEXTS = 3, OUR_SLOTS = CLOCK_TEXTS_ALL + CLOCK_FACT_BITS };

static const char *const text_names[] = {
#define X(name) #name,
	CLOCK_TEXTS(X)
#undef X
};
static const char *const fact_names[] = {
#define X(id, name) #name,
	CLOCK_FACTS(X)
#undef X
};

/* ---- declared names */

static const struct cel_env *extend(const struct cel_env *env, size_t count, struct arena *arena)
{
	struct cel_variable *variables = arena_array(arena, env->variable_count + OUR_SLOTS, sizeof *variables);
	struct cel_env *clocks = arena_alloc(arena, sizeof *clocks);
	for (size_t i = 0; i < env->variable_count; i++)
		variables[i] = env->variables[i];
	for (size_t i = 0; i < CLOCK_TEXTS_ALL; i++)
		variables[env->variable_count + i] = (struct cel_variable){text_names[i], &cel_type_string};
	for (size_t i = 0; i < CLOCK_FACT_BITS; i++)
		variables[env->variable_count + CLOCK_TEXTS_ALL + i] = (struct cel_variable){fact_names[i], &cel_type_bool};
	*clocks = *env;
	clocks->variables = variables;
	clocks->variable_count = env->variable_count + count;
	return clocks;
}

const struct cel_env *clocks_when_env(const struct cel_env *env, struct arena *arena)
{
	return extend(env, STATE_TEXTS, arena);
}

const struct cel_env *clocks_event_env(const struct cel_env *env, struct arena *arena)
{
	return extend(env, OUR_SLOTS, arena);
}

/* ---- their values */

static bool is_being_decided(const struct work *work)
{
	return work->prepared != NULL && work->prepared->kind == PREPARED_LEAD;
}

const struct lead *clocks_lead(struct work *work)
{
	if (is_being_decided(work))
		return &work->prepared->lead;
	if (work->kept_lead == NULL) {
		work->kept_lead = arena_alloc(work->arena, sizeof *work->kept_lead);
		kept_restore(work->model, &work->state, work->lead_id, work->arena, work->kept_lead);
	}
	return work->kept_lead;
}

static struct cel_value instant_value(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	return cel_timestamp(seconds, (uint32_t)(ms - seconds * 1000) * 1000000);
}

static void fill_lead(struct work *work, struct cel_value *slots)
{
	const struct lead *lead = clocks_lead(work);
	if (!is_being_decided(work))
		schema_territories_init(&work->territories, work->model->env, work->model->territories, lead);
	slots[SLOT_LEAD] = cel_object(&lead->objects[SCHEMA_LEAD]);
	slots[SLOT_ACCOUNT] = cel_object(&lead->objects[SCHEMA_ACCOUNT]);
	slots[SLOT_NOW] = instant_value(work->now_ms);
	slots[SLOT_TERRITORY] = cel_object(&work->territories.object);
	slots[SLOT_FACTS] = is_being_decided(work) ? work->slots[SLOT_FACTS] : cel_zero(&cel_type_map);
	slots[SLOT_GRADE] = cel_string(work->state.grade);
	slots[SLOT_SCORE] = cel_int(work->state.score);
}

static void fill_happened(const struct happened *happened, struct cel_value *ours)
{
	ours[CLOCK_TEXT_method] = cel_string(happened->method);
	ours[CLOCK_TEXT_reaction] = cel_string(happened->reaction);
	ours[CLOCK_TEXT_attitude] = cel_string(happened->attitude);
	ours[CLOCK_TEXT_reason] = cel_string(happened->reason);
	for (unsigned bit = 0; bit < CLOCK_FACT_BITS; bit++)
		ours[CLOCK_TEXTS_ALL + bit] = cel_bool((happened->facts >> bit & 1) != 0);
}

bool clocks_holds(struct work *work, const struct cel_program *program, const struct happened *happened)
{
	struct cel_value slots[SCHEMA_SLOTS + OUR_SLOTS]; /* those of the program's environment are filled */
	struct cel_value *ours = slots + work->model->env->variable_count;
	fill_lead(work, slots);
	ours[CLOCK_TEXT_status] = cel_string(slice_of(lead_status_name(work->state.status)));
	ours[CLOCK_TEXT_owner] = cel_string(work->state.owner);
	ours[CLOCK_TEXT_team] = cel_string(work->state.team);
	if (happened != NULL)
		fill_happened(happened, ours);
	bool does_hold = cel_is_true(cel_eval(program, slots, &work->scratch, work->model->cel_step_limit));
	if (does_hold)
		work_reached(work, program);
	return does_hold;
}
