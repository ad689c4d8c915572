/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/backlog.h"

#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/model.h"

enum { FIRST_SLOTS = 64, FIRST_ITEMS = 4 };

/* ---- names */

static size_t probe(const struct backlog *backlog, const struct named_table *table, struct slice name)
{
	size_t at = (size_t)hash_sip(backlog->seed, name) & (table->room - 1);
	while (table->slots[at] != NULL && !slice_equal(*table->slots[at], name))
		at = (at + 1) & (table->room - 1);
	return at;
}

static void *table_find(const struct backlog *backlog, const struct named_table *table, struct slice name)
{
	return table->room != 0 ? table->slots[probe(backlog, table, name)] : NULL;
}

/* At most half full: probes stay short. */
static void table_grow(struct backlog *backlog, struct named_table *table)
{
	struct slice **old = table->slots;
	size_t old_room = table->room;
	table->room = old_room ? old_room * 2 : FIRST_SLOTS;
	table->slots = arena_array(backlog->arena, table->room, sizeof *table->slots);
	for (size_t i = 0; i < old_room; i++)
		if (old[i] != NULL)
			table->slots[probe(backlog, table, *old[i])] = old[i];
}

static void table_add(struct backlog *backlog, struct named_table *table, struct slice *item)
{
	if (2 * (table->count + 1) > table->room)
		table_grow(backlog, table);
	table->slots[probe(backlog, table, *item)] = item;
	table->count++;
}

/* Entries behind the hole move into it, so that probing never stops short. */
static void table_remove(struct backlog *backlog, struct named_table *table, struct slice name)
{
	size_t hole = probe(backlog, table, name), last = table->room - 1;
	table->slots[hole] = NULL;
	table->count--;
	for (size_t at = (hole + 1) & last; table->slots[at] != NULL; at = (at + 1) & last) {
		struct slice *item = table->slots[at];
		table->slots[at] = NULL;
		table->slots[probe(backlog, table, *item)] = item;
	}
}

/* ---- the order of those who wait */

size_t backlog_rank(const struct model *model, struct slice grade)
{
	size_t rank = 0;
	while (rank < model->grade_count && !slice_equal(model->grades[rank].letter, grade))
		rank++;
	return rank;
}

bool waiter_is_before(const struct waiter *a, const struct waiter *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return slice_compare(a->name, b->name) < 0;
}

static void queue_put(struct queue *queue, size_t at, struct waiter *waiter)
{
	queue->items[at] = waiter;
	waiter->place = at;
}

static void queue_rise(struct queue *queue, size_t at)
{
	struct waiter *waiter = queue->items[at];
	while (at > 0 && waiter_is_before(waiter, queue->items[(at - 1) / 2])) {
		queue_put(queue, at, queue->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	queue_put(queue, at, waiter);
}

static void queue_sink(struct queue *queue, size_t at)
{
	struct waiter *waiter = queue->items[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < queue->count && waiter_is_before(queue->items[child + 1], queue->items[child]))
			child++;
		if (child >= queue->count || !waiter_is_before(queue->items[child], waiter))
			break;
		queue_put(queue, at, queue->items[child]);
		at = child;
	}
	queue_put(queue, at, waiter);
}

static void queue_push(struct backlog *backlog, struct queue *queue, struct waiter *waiter)
{
	if (queue->count == queue->room) {
		queue->room = queue->room ? queue->room * 2 : FIRST_ITEMS;
		struct waiter **more = arena_array(backlog->arena, queue->room, sizeof *more);
		if (queue->count != 0)
			memcpy(more, queue->items, queue->count * sizeof *more);
		queue->items = more;
	}
	queue->items[queue->count++] = waiter;
	queue_rise(queue, queue->count - 1);
}

static void queue_take(struct queue *queue, const struct waiter *waiter)
{
	size_t at = waiter->place;
	struct waiter *last = queue->items[--queue->count];
	if (last == waiter)
		return;
	queue_put(queue, at, last);
	queue_rise(queue, at);
	queue_sink(queue, last->place);
}

/* ---- queues */

/* One that is free keeps its room for items. */
static struct queue *queue_open(struct backlog *backlog, const struct need *need)
{
	struct queue *queue = backlog->free_queues;
	if (queue != NULL)
		backlog->free_queues = queue->next;
	else
		queue = arena_alloc(backlog->arena, sizeof *queue);
	struct line *line = &backlog->lines[need->stops[0].team];
	queue->need = *need;
	queue->name = (struct slice){(const char *)&queue->need, sizeof queue->need};
	queue->barren = 0;
	queue->next = line->queues;
	queue->link = &line->queues;
	if (queue->next != NULL)
		queue->next->link = &queue->next;
	line->queues = queue;
	table_add(backlog, &backlog->by_need, &queue->name);
	return queue;
}

static void queue_close(struct backlog *backlog, struct queue *queue)
{
	table_remove(backlog, &backlog->by_need, queue->name);
	*queue->link = queue->next;
	if (queue->next != NULL)
		queue->next->link = queue->link;
	queue->next = backlog->free_queues;
	backlog->free_queues = queue;
}

static void add_tried(struct need *need, uint32_t rep)
{
	size_t at = need->tried_count;
	for (size_t i = 0; i < need->tried_count; i++)
		if (need->tried[i] == rep)
			return;
	for (; at > 0 && need->tried[at - 1] > rep; at--)
		need->tried[at] = need->tried[at - 1];
	need->tried[at] = rep;
	need->tried_count++;
}

static bool is_at_a_stop(const struct model *model, const struct need *need, size_t rep)
{
	for (size_t i = 0; i < need->stop_count; i++)
		if (need->stops[i].team < model->team_count &&
		    team_find_member(&model->teams[need->stops[i].team], rep) != SIZE_MAX)
			return true;
	return false;
}

struct need need_of(const struct model *model, const struct lead_state *state, const struct stop *stops, size_t stop_count)
{
	struct need need = {.stop_count = (uint32_t)stop_count};
	memcpy(need.stops, stops, stop_count * sizeof *stops);
	for (size_t i = 0; i < state->tried.count && i < STATE_TRIED_MAX; i++) {
		size_t rep = model_find_rep(model, state->tried.items[i]);
		if (rep != SIZE_MAX && is_at_a_stop(model, &need, rep))
			add_tried(&need, (uint32_t)rep);
	}
	return need;
}

/* ---- leads */

void backlog_init(struct backlog *backlog, size_t lines, const uint64_t seed[2], struct arena *arena)
{
	*backlog = (struct backlog){.arena = arena, .seed = {seed[0], seed[1]}};
	backlog->lines = arena_array(arena, lines, sizeof *backlog->lines);
}

struct waiter *backlog_find(const struct backlog *backlog, struct slice lead_id)
{
	return table_find(backlog, &backlog->by_id, lead_id);
}

void backlog_add(struct backlog *backlog, struct slice lead_id, const struct need *need, size_t rank, int64_t at_ms)
{
	struct waiter *waiter = backlog->free_waiters;
	if (waiter != NULL)
		backlog->free_waiters = waiter->next;
	else
		waiter = arena_alloc(backlog->arena, sizeof *waiter);
	*waiter = (struct waiter){.rank = (uint32_t)rank, .at_ms = at_ms};
	memcpy(waiter->id, lead_id.p, lead_id.len);
	waiter->name = (struct slice){waiter->id, lead_id.len};
	waiter->queue = table_find(backlog, &backlog->by_need, (struct slice){(const char *)need, sizeof *need});
	if (waiter->queue == NULL)
		waiter->queue = queue_open(backlog, need);
	table_add(backlog, &backlog->by_id, &waiter->name);
	queue_push(backlog, waiter->queue, waiter);
	backlog->lines[need->stops[0].team].count++;
	backlog->count++;
}

void backlog_remove(struct backlog *backlog, struct waiter *waiter)
{
	struct queue *queue = waiter->queue;
	queue_take(queue, waiter);
	table_remove(backlog, &backlog->by_id, waiter->name);
	backlog->lines[queue_team(queue)].count--;
	backlog->count--;
	if (queue->count == 0)
		queue_close(backlog, queue);
	waiter->next = backlog->free_waiters;
	backlog->free_waiters = waiter;
}
