/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/world_state.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/base/mem.h"
#include "rules/scan.h"

/* An entry is good as long as its cell is still due then. */
struct world_due {
	int64_t at_ms;
	struct world_cell *cell;
};

void world_state_init(struct world_state *state, const uint64_t seed[2])
{
	*state = (struct world_state){.log = STRBUF_INIT};
	map_init(&state->cells, seed);
}

static void cell_free(struct world_cell *cell)
{
	free((void *)(uintptr_t)cell->key.p);
	free((void *)(uintptr_t)cell->value.p);
	free(cell);
}

void world_state_done(struct world_state *state)
{
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&state->cells, &at)) != NULL;)
		cell_free(entry->value);
	map_done(&state->cells);
	free(state->heap);
	strbuf_done(&state->log);
}

/* ---- the due index: a binary heap, earliest first, then by key */

static bool is_before(const struct world_due *a, const struct world_due *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return slice_compare(a->cell->key, b->cell->key) < 0;
}

static void swap(struct world_due *a, struct world_due *b)
{
	struct world_due kept = *a;
	*a = *b;
	*b = kept;
}

static void push(struct world_state *state, struct world_cell *cell)
{
	if (state->heap_count == state->heap_capacity) {
		state->heap_capacity = state->heap_capacity * 2 + 64;
		state->heap = xreallocarray(state->heap, state->heap_capacity, sizeof *state->heap);
	}
	size_t at = state->heap_count++;
	state->heap[at] = (struct world_due){cell->due_ms, cell};
	for (; at > 0 && is_before(&state->heap[at], &state->heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&state->heap[at], &state->heap[(at - 1) / 2]);
}

void world_state_pop_due(struct world_state *state)
{
	struct world_due *heap = state->heap;
	size_t count = --state->heap_count, at = 0;
	heap[0] = heap[count];
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (is_before(&heap[child], &heap[least]))
				least = child;
		if (least == at)
			return;
		swap(&heap[at], &heap[least]);
		at = least;
	}
}

/* Entries that a later write overtook go away here. */
struct world_cell *world_state_first_due(struct world_state *state)
{
	while (state->heap_count > 0) {
		const struct world_due *first = &state->heap[0];
		if (first->cell->due_ms == first->at_ms)
			return first->cell;
		world_state_pop_due(state);
	}
	return NULL;
}

void world_state_due_again(struct world_state *state, struct world_cell *cell)
{
	push(state, cell);
}

/* ---- writes */

static void log_write(struct world_state *state, struct slice key, struct slice value, bool is_tombstone)
{
	struct strbuf *log = &state->log;
	strbuf_printf(log, "%c%zu,%zu,", is_tombstone ? '-' : '+', key.len, value.len);
	strbuf_append(log, key.p, key.len);
	strbuf_append(log, value.p, value.len);
	strbuf_putc(log, '\n');
}

static struct world_cell *cell_of(struct world_state *state, struct slice key)
{
	struct world_cell *cell = map_get(&state->cells, key);
	if (cell != NULL)
		return cell;
	cell = xcalloc(1, sizeof *cell);
	cell->key = (struct slice){xmemdupz(key.p, key.len), key.len};
	map_put(&state->cells, cell->key, cell);
	return cell;
}

void world_state_put(struct world_state *state, struct slice key, struct slice value, int64_t due_ms)
{
	struct world_cell *cell = cell_of(state, key);
	char *old = (char *)(uintptr_t)cell->value.p;
	cell->value = (struct slice){xmemdupz(value.p, value.len), value.len};
	free(old);
	cell->is_there = true;
	cell->due_ms = due_ms;
	if (due_ms != 0)
		push(state, cell);
	log_write(state, key, value, false);
}

static void take_away(struct world_state *state, struct slice key)
{
	struct world_cell *cell = cell_of(state, key);
	cell->is_there = false;
	cell->due_ms = 0;
	log_write(state, key, SLICE_NONE, true);
}

void world_state_apply(struct world_state *state, const struct write *writes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (writes[i].is_tombstone)
			take_away(state, writes[i].key);
		else
			world_state_put(state, writes[i].key, writes[i].value, writes[i].due_ms);
}

/* ---- reading */

enum view_answer world_state_get(const struct world_state *state, struct slice key, struct slice *ret_value)
{
	const struct world_cell *cell = map_get(&state->cells, key);
	if (cell == NULL || !cell->is_there)
		return VIEW_ABSENT;
	*ret_value = cell->value;
	return VIEW_FOUND;
}

void world_state_keys(const struct world_state *state, struct slice prefix, void (*see)(void *ctx, struct slice key), void *ctx)
{
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&state->cells, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix) && ((const struct world_cell *)entry->value)->is_there)
			see(ctx, entry->key);
}

static int by_key(const void *left, const void *right)
{
	return slice_compare((*(struct world_cell *const *)left)->key, (*(struct world_cell *const *)right)->key);
}

void world_state_each(const struct world_state *state,
                      void (*see)(void *ctx, struct slice key, struct slice value, int64_t due_ms), void *ctx)
{
	struct world_cell **cells = xcalloc(state->cells.live + 1, sizeof(struct world_cell *));
	struct map_entry *entry;
	size_t count = 0;
	for (size_t at = 0; (entry = map_next(&state->cells, &at)) != NULL;)
		if (((struct world_cell *)entry->value)->is_there)
			cells[count++] = entry->value;
	qsort(cells, count, sizeof(struct world_cell *), by_key);
	for (size_t i = 0; i < count; i++)
		see(ctx, cells[i]->key, cells[i]->value, cells[i]->due_ms);
	free(cells);
}

/* ---- the log */

static bool scan_bytes(struct scan *scan, int64_t len, struct slice *ret)
{
	if (len < 0 || len > scan->end - scan->at)
		return false;
	*ret = (struct slice){scan->at, (size_t)len};
	scan->at += len;
	return true;
}

/* "+3,5,keyvalue\n" or "-3,0,key\n" */
static bool replay_write(struct world_state *state, struct scan *scan)
{
	int64_t key_len, value_len;
	struct slice key, value;
	bool is_tombstone = scan_byte(scan, '-');
	if (!is_tombstone && !scan_byte(scan, '+'))
		return false;
	if (!scan_int(scan, &key_len) || !scan_byte(scan, ',') || !scan_int(scan, &value_len) || !scan_byte(scan, ',') ||
	    !scan_bytes(scan, key_len, &key) || !scan_bytes(scan, value_len, &value) || !scan_byte(scan, '\n'))
		return false;
	if (is_tombstone)
		take_away(state, key);
	else
		world_state_put(state, key, value, rules_due_of(key, value));
	return true;
}

int world_state_replay(struct world_state *state, struct slice log)
{
	struct scan scan = {log.p, log.p + log.len};
	while (scan.at < scan.end)
		if (!replay_write(state, &scan))
			return -1;
	return 0;
}

void world_state_restore(struct world_state *state)
{
	struct strbuf log = state->log;
	struct map_entry *entry;
	state->log = (struct strbuf)STRBUF_INIT;
	for (size_t at = 0; (entry = map_next(&state->cells, &at)) != NULL;) {
		struct world_cell *cell = entry->value;
		cell->is_there = false;
		cell->due_ms = 0;
	}
	int result = world_state_replay(state, (struct slice){strbuf_text(&log), log.len});
	assert(result == 0);
	(void)result;
	strbuf_done(&log);
}
