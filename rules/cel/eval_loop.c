/* SPDX-License-Identifier: Apache-2.0
 *
 * The list macros. Every turn costs steps, so a loop over a loop over a loop is bounded by the step limit alone.
 */
#include "rules/cel/code.h"

/* What is looped over, seen as items: a list's items, or a map's keys with their values. */
struct range {
	const struct cel_list *list;
	const struct cel_map *map;
	uint32_t count;
};

static bool open_range(struct cel_value value, struct range *ret_range)
{
	if (value.kind == CEL_LIST)
		*ret_range = (struct range){.list = value.as.list, .count = value.as.list->count};
	else if (value.kind == CEL_MAP)
		*ret_range = (struct range){.map = value.as.map, .count = value.as.map->count};
	return value.kind == CEL_LIST || value.kind == CEL_MAP;
}

static struct cel_value range_key(const struct range *range, uint32_t turn)
{
	return range->map != NULL ? range->map->entries[turn].key : cel_int(turn);
}

/* With one name a list gives its items and a map its keys. */
static struct cel_value range_single(const struct range *range, uint32_t turn)
{
	return range->map != NULL ? range->map->entries[turn].key : range->list->items[turn];
}

static struct cel_value range_item(const struct range *range, uint32_t turn)
{
	return range->map != NULL ? range->map->entries[turn].value : range->list->items[turn];
}

/* Sets the macro variables for a turn. False when no steps are left. */
static bool begin_turn(const struct code_loop *loop, struct cel_run *run, const struct range *range, uint32_t turn)
{
	if (loop->name_count == 1) {
		run->locals[loop->local] = range_single(range, turn);
	} else {
		run->locals[loop->local] = range_key(range, turn);
		run->locals[loop->local + 1] = range_item(range, turn);
	}
	return run_spend(run, loop->turn_cost);
}

static struct cel_value guard_value(const struct code_loop *loop, struct cel_run *run)
{
	if (loop->guard == NULL)
		return cel_bool(true);
	struct cel_value value = code_run(loop->guard, run);
	run->at = loop->guard->span;
	return code_as_bool(run, value);
}

/* all and exists: one decisive answer ends the loop and hides errors of other turns. */
static struct cel_value loop_quantify(const struct code_loop *loop, struct cel_run *run, const struct range *range,
				      bool decisive)
{
	struct cel_value first_error = {.kind = CEL_NULL};
	for (uint32_t turn = 0; turn < range->count; turn++) {
		if (!begin_turn(loop, run, range, turn))
			return run_exhausted(run);
		struct cel_value value = guard_value(loop, run);
		if (value.kind == CEL_BOOL && value.as.boolean == decisive)
			return value;
		if (value.kind == CEL_ERROR && first_error.kind != CEL_ERROR)
			first_error = value;
	}
	return first_error.kind == CEL_ERROR ? first_error : cel_bool(!decisive);
}

static struct cel_value loop_exists_one(const struct code_loop *loop, struct cel_run *run, const struct range *range)
{
	uint32_t found = 0;
	for (uint32_t turn = 0; turn < range->count; turn++) {
		if (!begin_turn(loop, run, range, turn))
			return run_exhausted(run);
		struct cel_value value = guard_value(loop, run);
		if (value.kind == CEL_ERROR)
			return value;
		found += value.as.boolean;
	}
	return cel_bool(found == 1);
}

static struct cel_value loop_list(const struct code_loop *loop, struct cel_run *run, const struct range *range)
{
	struct cel_value *items = arena_array(run->arena, range->count, sizeof *items);
	uint32_t count = 0;
	for (uint32_t turn = 0; turn < range->count; turn++) {
		if (!begin_turn(loop, run, range, turn))
			return run_exhausted(run);
		struct cel_value guard = guard_value(loop, run);
		if (guard.kind == CEL_ERROR)
			return guard;
		if (!guard.as.boolean)
			continue;
		struct cel_value item = loop->body != NULL ? code_run(loop->body, run) : range_single(range, turn);
		if (item.kind == CEL_ERROR)
			return item;
		items[count++] = item;
	}
	return run_list(run, items, count);
}

static struct cel_value loop_map(const struct code_loop *loop, struct cel_run *run, const struct range *range)
{
	struct cel_entry *entries = arena_array(run->arena, range->count, sizeof *entries);
	uint32_t count = 0;
	for (uint32_t turn = 0; turn < range->count; turn++) {
		if (!begin_turn(loop, run, range, turn))
			return run_exhausted(run);
		struct cel_value guard = guard_value(loop, run);
		if (guard.kind == CEL_ERROR)
			return guard;
		if (!guard.as.boolean)
			continue;
		struct cel_value value = code_run(loop->body, run);
		if (value.kind == CEL_ERROR)
			return value;
		entries[count++] = (struct cel_entry){range_key(range, turn), value};
	}
	return run_map(run, entries, count);
}

/* Appends the entries of one turn's map; grows by doubling. */
struct entries {
	struct cel_entry *items;
	uint32_t count, capacity;
};

static bool add_entries(struct cel_run *run, struct entries *all, const struct cel_map *more)
{
	if (!run_spend(run, 1 + more->count) || all->count > CEL_MAX_WEIGHT || more->count > CEL_MAX_WEIGHT)
		return false;
	if (all->count + more->count > all->capacity) {
		all->capacity = 2 * (all->count + more->count);
		struct cel_entry *items = arena_array(run->arena, all->capacity, sizeof *items);
		if (all->count != 0)
			memcpy(items, all->items, all->count * sizeof *items);
		all->items = items;
	}
	if (more->count != 0)
		memcpy(all->items + all->count, more->entries, more->count * sizeof *all->items);
	all->count += more->count;
	return true;
}

static struct cel_value loop_entries(const struct code_loop *loop, struct cel_run *run, const struct range *range)
{
	struct entries all = {NULL, 0, 0};
	for (uint32_t turn = 0; turn < range->count; turn++) {
		if (!begin_turn(loop, run, range, turn))
			return run_exhausted(run);
		struct cel_value guard = guard_value(loop, run);
		if (guard.kind == CEL_ERROR)
			return guard;
		if (!guard.as.boolean)
			continue;
		struct cel_value value = code_run(loop->body, run);
		if (value.kind != CEL_MAP)
			return value.kind == CEL_ERROR ? value
						       : run_no_overload(run, SLICE("transformMapEntry"), &value, 1);
		if (!add_entries(run, &all, value.as.map))
			return run_exhausted(run);
	}
	return run_map(run, all.items, all.count);
}

/* optMap and optFlatMap: a loop of at most one turn. */
static struct cel_value loop_optional(const struct code_loop *loop, struct cel_run *run, struct cel_value value)
{
	if (value.kind != CEL_OPTIONAL)
		return value.kind == CEL_ERROR ? value : run_no_overload(run, SLICE("optMap"), &value, 1);
	if (value.as.inner == NULL)
		return value;
	run->locals[loop->local] = *value.as.inner;
	struct cel_value body = code_run(loop->body, run);
	if (loop->kind == LOOP_OPT_FLAT_MAP || body.kind == CEL_ERROR)
		return body;
	return run_some(run, body);
}

struct cel_value code_loop(const struct code *code, struct cel_run *run)
{
	const struct code_loop *loop = code->u.loop;
	struct cel_value value = code_run(loop->range, run);
	struct range range;
	run->at = code->span;
	if (loop->kind == LOOP_OPT_MAP || loop->kind == LOOP_OPT_FLAT_MAP)
		return loop_optional(loop, run, value);
	if (!open_range(value, &range))
		return value.kind == CEL_ERROR ? value : run_no_overload(run, SLICE("loop"), &value, 1);
	switch (loop->kind) {
	case LOOP_ALL:
		return loop_quantify(loop, run, &range, false);
	case LOOP_EXISTS:
		return loop_quantify(loop, run, &range, true);
	case LOOP_EXISTS_ONE:
		return loop_exists_one(loop, run, &range);
	case LOOP_MAP:
	case LOOP_FILTER:
		return loop_list(loop, run, &range);
	case LOOP_TRANSFORM_MAP:
		return loop_map(loop, run, &range);
	case LOOP_TRANSFORM_ENTRY:
		return loop_entries(loop, run, &range);
	case LOOP_OPT_MAP:
	case LOOP_OPT_FLAT_MAP:
		break;
	}
	return run_no_overload(run, SLICE("loop"), &value, 1);
}
