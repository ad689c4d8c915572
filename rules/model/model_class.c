/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes of members. What criteria read of a rep is listed in their programs; members for whom all of that is equal get
 * the same answer from every criterion, so they are asked as one. A pool of 50,000 reps with three regions and four
 * skills has at most twelve classes.
 *
 * A member's signature is a text of all that counts: the values that expressions read, its ranks in preference tables,
 * its calendar where hours are kept. Equal signatures, equal class; classes are numbered by their first member.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/map.h"
#include "rules/base/strbuf.h"
#include "rules/cel/paths.h"
#include "rules/cel/value.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"
#include "rules/schema.h"

/* Who writes the configuration may slow only his own check. */
static const uint64_t CLASSES_SEED[2] = {0x706f6f6c, 0x636c6173};

/* What the criteria of one pool read of a rep. */
struct reads {
	bool id, name, all;
	bool attributes[MODEL_ATTRIBUTES_MAX];
};

static void note_path(struct reads *reads, const struct cel_path *path)
{
	if (path->slot != SLOT_REP)
		return;
	if (path->count == 0) {
		reads->all = true;
	} else if (path->path[0] != REP_ATTRIBUTES) {
		reads->id |= path->path[0] == REP_ID;
		reads->name |= path->path[0] == REP_NAME;
	} else if (path->count == 1) {
		memset(reads->attributes, true, sizeof reads->attributes);
	} else {
		reads->attributes[path->path[1]] = true;
	}
}

static struct reads reads_of(const struct pool *pool)
{
	struct reads reads = {0};
	for (size_t i = 0; i < pool->criterion_count; i++) {
		size_t count = 0;
		const struct cel_program *program = pool->criteria[i].program;
		const struct cel_path *paths = program != NULL ? cel_program_paths(program, &count) : NULL;
		for (size_t p = 0; p < count; p++)
			note_path(&reads, &paths[p]);
	}
	if (reads.all) {
		reads.id = reads.name = true;
		memset(reads.attributes, true, sizeof reads.attributes);
	}
	return reads;
}

static void put_rep(struct strbuf *out, const struct model *model, const struct rep *rep, const struct reads *reads)
{
	if (reads->id || reads->name)
		strbuf_printf(out, "%.*s/%.*s/", SLICE_ARG(rep->id), SLICE_ARG(rep->name));
	for (size_t i = 0; i < model->attribute_count; i++)
		if (reads->attributes[i]) {
			cel_print(out, rep->attributes[i]);
			strbuf_putc(out, '/');
		}
}

static const struct calendar *hours_of(const struct model *model, const struct team *team, size_t rep)
{
	return model_calendar_of(model, rep, (size_t)(team - model->teams), SLICE_NONE, SLICE_NONE, SLICE_NONE);
}

/* Ranks of every member in every table, appended to the signatures: one pass over each table. */
static void put_ranks(struct strbuf *signatures, const struct team *team, const struct pool_criterion *criterion)
{
	for (size_t l = 0; l < criterion->table.count; l++)
		for (size_t i = 0; i < criterion->table.lists[l].count; i++) {
			const struct preference *item = &criterion->table.lists[l].items[i];
			size_t member = team_find_member(team, item->rep);
			if (member != SIZE_MAX)
				strbuf_printf(&signatures[member], "%zu:%u,", l, item->rank);
		}
}

static int by_rank(const void *left, const void *right)
{
	const struct preference *a = left, *b = right;
	int order = (a->rank > b->rank) - (a->rank < b->rank);
	return order != 0 ? order : (a->rep > b->rep) - (a->rep < b->rep);
}

/* Reps become classes, each once: all members of a class have the same rank. */
static void turn_table(struct model_builder *builder, const struct team *team, const struct pool *pool,
                       struct preference_table *table)
{
	struct preference_list *lists = arena_array(builder->arena, table->count, sizeof *lists);
	for (size_t l = 0; l < table->count; l++) {
		const struct preference_list *from = &table->lists[l];
		struct preference *items = arena_array(builder->arena, from->count, sizeof *items);
		size_t count = 0, kept = 0;
		for (size_t i = 0; i < from->count; i++) {
			size_t member = team_find_member(team, from->items[i].rep);
			if (member != SIZE_MAX)
				items[count++] = (struct preference){pool_class(pool, member), from->items[i].rank};
		}
		qsort(items, count, sizeof *items, by_rank);
		for (size_t i = 0; i < count; i++)
			if (i == 0 || items[i].rep != items[i - 1].rep)
				items[kept++] = items[i];
		lists[l] = (struct preference_list){from->key, items, kept};
	}
	table->lists = lists;
}

static void number_classes(struct model_builder *builder, const struct strbuf *signatures, size_t count, struct pool *pool)
{
	struct map seen;
	uint32_t *class_of = arena_array(builder->arena, count, sizeof *class_of);
	uint32_t *sample = arena_array(builder->arena, count, sizeof *sample);
	map_init(&seen, CLASSES_SEED);
	pool->class_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct slice key = {strbuf_text(&signatures[i]), signatures[i].len};
		uint32_t *first = map_get(&seen, key);
		if (first == NULL) {
			sample[pool->class_count] = (uint32_t)i;
			class_of[i] = (uint32_t)pool->class_count++;
			map_put(&seen, key, &class_of[i]);
		} else {
			class_of[i] = *first;
		}
	}
	map_done(&seen);
	if (pool->class_count == 0) /* a team without members was reported */
		pool->class_count = 1;
	if (pool->class_count == 1)
		return;
	pool->class_of = class_of;
	pool->sample = sample;
}

void model_build_classes(struct model_builder *builder, const struct team *team, struct pool *pool)
{
	const struct model *model = builder->model;
	struct strbuf *signatures = arena_array(&builder->scratch, team->member_count, sizeof *signatures);
	struct reads reads = reads_of(pool);
	for (size_t i = 0; i < team->member_count; i++) {
		signatures[i] = (struct strbuf)STRBUF_INIT;
		put_rep(&signatures[i], model, &model->reps[team->members[i].rep], &reads);
		if (pool->keeps_hours)
			strbuf_printf(&signatures[i], "@%" PRIxPTR "/", (uintptr_t)hours_of(model, team, team->members[i].rep));
	}
	for (size_t c = 0; c < pool->criterion_count; c++)
		if (pool->criteria[c].kind == CRITERION_PREFER) {
			for (size_t i = 0; i < team->member_count; i++)
				strbuf_printf(&signatures[i], "#%zu:", c);
			put_ranks(signatures, team, &pool->criteria[c]);
		}
	number_classes(builder, signatures, team->member_count, pool);
	for (size_t i = 0; i < team->member_count; i++)
		strbuf_done(&signatures[i]);
	for (size_t c = 0; c < pool->criterion_count; c++)
		turn_table(builder, team, pool, (struct preference_table *)(uintptr_t)&pool->criteria[c].table);
}
