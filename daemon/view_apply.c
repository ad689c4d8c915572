/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes: view_apply.lua, view_epoch.lua and the three scripts of a rebuild.
 *
 * A write-set is sorted into groups, one per command and container, in the order of GROUPS in view_common.lua. Each state key
 * occurs once in a write-set (decider_finish), so the order between groups does not matter.
 */
#include "daemon/view_request.h"

#include <stdlib.h>

#include "rules/base/mem.h"

enum { ALL_CONTAINERS = 1u << VIEW_HEAD | 1u << VIEW_LEAD | 1u << VIEW_IDENT | 1u << VIEW_RING | 1u << VIEW_MEM |
                      1u << VIEW_TIMERS };

/* ---- write-sets */

enum group {
	PUT_LEAD, DELETE_LEAD, PUT_IDENT, DELETE_IDENT, PUT_RING, DELETE_RING, PUT_MEM, DELETE_MEM, PUT_TIMER, DELETE_TIMER,
	GROUPS,
};

struct entry {
	struct slice field, value;
	struct slice timed;      /* member of the timers: a lead's id, a memory key as a whole */
	int64_t due_ms;
	enum group group;        /* of the container */
	enum group timer;        /* PUT_TIMER or DELETE_TIMER for leads and memory keys, else GROUPS */
};

static bool sort_write(const struct write *write, struct entry *ret)
{
	enum view_container container;
	struct entry entry = {.value = write->value, .due_ms = write->due_ms, .timer = GROUPS};
	if (!view_split_key(write->key, &container, &entry.field))
		return false;
	entry.group = (container == VIEW_LEAD    ? PUT_LEAD
	               : container == VIEW_IDENT ? PUT_IDENT
	               : container == VIEW_RING  ? PUT_RING
	                                         : PUT_MEM);
	if (write->is_tombstone)
		entry.group++; /* DELETE_x follows PUT_x */
	entry.timed = container == VIEW_LEAD ? entry.field : write->key;
	if (container == VIEW_LEAD || container == VIEW_MEM)
		entry.timer = !write->is_tombstone && write->due_ms > 0 ? PUT_TIMER : DELETE_TIMER;
	*ret = entry;
	return true;
}

static void add_entry(struct view_request *request, const struct entry *entry, enum group group)
{
	if (entry->group == group) {
		view_request_arg(request, entry->field);
		if (!(group & 1))
			view_request_arg(request, entry->value);
	} else if (entry->timer == group) {
		if (group == PUT_TIMER)
			view_request_number(request, (uint64_t)entry->due_ms);
		view_request_arg(request, entry->timed);
	}
}

static void add_groups(struct view_request *request, const struct entry *entries, size_t count)
{
	size_t sizes[GROUPS + 1] = {0};
	for (size_t i = 0; i < count; i++) {
		sizes[entries[i].group]++;
		sizes[entries[i].timer]++;
	}
	for (int group = 0; group < GROUPS; group++)
		view_request_number(request, sizes[group]);
	for (int group = 0; group < GROUPS; group++)
		for (size_t i = 0; sizes[group] > 0 && i < count; i++)
			add_entry(request, &entries[i], (enum group)group);
}

/* Room for the arguments of a write-set: at most field, value, score and member per write. */
static size_t room_for(size_t count)
{
	return GROUPS + 4 * (count <= VIEW_WRITES_PER_CALL ? count : 0);
}

static void add_writes(struct view_request *request, const struct write *writes, size_t count)
{
	if (count > VIEW_WRITES_PER_CALL) {
		view_request_refuse(request, ERR_VIEW_LIMIT, "a write-set has more than VIEW_WRITES_PER_CALL entries");
		return;
	}
	struct entry *entries = xcalloc(count, sizeof *entries);
	bool is_known = true;
	for (size_t i = 0; i < count && is_known; i++)
		is_known = sort_write(&writes[i], &entries[i]);
	if (is_known)
		add_groups(request, entries, count);
	else
		view_request_refuse(request, ERR_VIEW_KEY, "a write-set has a key that is none of lead/, ident/, ring/ and mem/");
	free(entries);
}

/* Refuses heads that the scripts would not know again. */
static bool check_heads(struct view_request *request, const struct head *a, const struct head *b, int64_t pos)
{
	if (view_can_hold(a) && view_can_hold(b) && pos >= 0)
		return true;
	view_request_refuse(request, ERR_VIEW_LIMIT, "a head is not one that the view can hold");
	return false;
}

/* ---- apply */

struct view_request *view_apply(struct view *view, int32_t shard, const struct head *before, const struct head *after,
                                int64_t pos, const struct write *writes, size_t count, view_fn fn, void *ctx)
{
	struct view_request *request =
		view_request_new(view, VIEW_SCRIPT_APPLY, shard, ALL_CONTAINERS, 7 + room_for(count));
	if (check_heads(request, before, after, pos)) {
		view_request_head(request, before);
		view_request_head(request, after);
		view_request_number(request, (uint64_t)pos);
		add_writes(request, writes, count);
	}
	return view_request_send(request, view_translate_head, fn, ctx);
}

struct view_request *view_install_epoch(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx)
{
	struct view_request *request = view_request_new(view, VIEW_SCRIPT_EPOCH, shard, 1u << VIEW_HEAD, 6);
	view_request_seen(request, seen);
	view_request_number(request, epoch);
	return view_request_send(request, view_translate_head, fn, ctx);
}

/* ---- rebuild */

struct view_request *view_rebuild_begin(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx)
{
	struct view_request *request = view_request_new(view, VIEW_SCRIPT_BEGIN, shard, ALL_CONTAINERS, 6);
	view_request_seen(request, seen);
	view_request_number(request, epoch);
	return view_request_send(request, view_translate_head, fn, ctx);
}

struct view_request *view_rebuild_chunk(struct view *view, int32_t shard, uint64_t epoch, uint64_t chunk,
                                        const struct write *writes, size_t count, view_fn fn, void *ctx)
{
	struct view_request *request =
		view_request_new(view, VIEW_SCRIPT_CHUNK, shard, ALL_CONTAINERS, 3 + room_for(count));
	view_request_number(request, epoch);
	view_request_number(request, chunk);
	view_request_number(request, chunk + 1);
	add_writes(request, writes, count);
	return view_request_send(request, view_translate_head, fn, ctx);
}

struct view_request *view_rebuild_finish(struct view *view, int32_t shard, uint64_t chunk, const struct head *head,
                                         int64_t pos, view_fn fn, void *ctx)
{
	struct view_request *request = view_request_new(view, VIEW_SCRIPT_FINISH, shard, 1u << VIEW_HEAD, 5);
	if (check_heads(request, head, head, pos)) {
		view_request_number(request, chunk);
		view_request_head(request, head);
		view_request_number(request, (uint64_t)pos);
	}
	return view_request_send(request, view_translate_head, fn, ctx);
}
