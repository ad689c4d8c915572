/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes: view_apply.lua, view_epoch.lua and the three scripts of a rebuild.
 *
 * A write-set is sorted into groups, one per command and container, in the order of GROUPS in view_common.lua. Each state key
 * occurs once in a write-set (decider_finish), so the order between groups does not matter. A lead's due time goes into its
 * value (view.h). The timers of all values are sent beside them, as sorted entries of pages (view_pages.lua): packing and
 * sorting them is cheap here and dear there.
 */
#include "daemon/view_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/base/mem.h"

enum { ALL_CONTAINERS = 1u << VIEW_HEAD | 1u << VIEW_LEAD | 1u << VIEW_IDENT | 1u << VIEW_RING | 1u << VIEW_MEM |
                      1u << VIEW_TIMERS | 1u << VIEW_PAGES };

/* ---- write-sets */

enum { DUE_DIGITS_MAX = 21 }; /* and the comma */
static const int64_t DUE_MAX = (INT64_C(1) << 8 * VIEW_DUE_BYTES) - 1;

enum group {
	PUT_LEAD, DELETE_LEAD, PUT_IDENT, DELETE_IDENT, PUT_RING, DELETE_RING, PUT_MEM, DELETE_MEM, PUT_TIMER,
	GROUPS,
};

struct entry {
	struct slice field, value;
	struct slice timer; /* entry of a page; empty: none */
	enum group group;
};

static enum group group_of(enum view_container container, bool is_tombstone)
{
	enum group put = (container == VIEW_LEAD    ? PUT_LEAD
	                  : container == VIEW_IDENT ? PUT_IDENT
	                  : container == VIEW_RING  ? PUT_RING
	                                            : PUT_MEM);
	return is_tombstone ? put + 1 : put; /* DELETE_x follows PUT_x */
}

/* {"a":1} -> {"due":N,"a":1} */
static struct slice with_due(struct arena *arena, struct slice value, int64_t due_ms)
{
	static const struct slice start = {"{\"due\":", 7};
	char *bytes = arena_alloc(arena, start.len + DUE_DIGITS_MAX + value.len);
	bool is_empty = value.len > 1 && value.p[1] == '}';
	int len = sprintf(bytes, "%s%" PRId64 "%s", start.p, due_ms, is_empty ? "" : ",");
	memcpy(bytes + len, value.p + 1, value.len - 1);
	return (struct slice){bytes, (size_t)len + value.len - 1};
}

/* Length, due time, id. */
static struct slice timer_entry(struct arena *arena, struct slice id, int64_t due_ms)
{
	char *bytes = arena_alloc(arena, VIEW_DUE_AT + VIEW_DUE_BYTES + id.len);
	bytes[0] = (char)(VIEW_DUE_BYTES + id.len);
	for (int i = VIEW_DUE_BYTES; i > 0; i--, due_ms >>= 8)
		bytes[i] = (char)(due_ms & 0xff);
	memcpy(bytes + VIEW_DUE_AT + VIEW_DUE_BYTES, id.p, id.len);
	return (struct slice){bytes, VIEW_DUE_AT + VIEW_DUE_BYTES + id.len};
}

static int64_t due_of(const struct write *write, enum view_container container)
{
	int64_t due_ms = write->due_ms;
	if (write->is_tombstone || (container != VIEW_LEAD && container != VIEW_MEM))
		return 0;
	if (container == VIEW_MEM)
		due_ms = rules_due_of(write->key, write->value); /* as the script that takes it away will read it */
	return due_ms < DUE_MAX ? due_ms : DUE_MAX;
}

/* 0, or -1 and the request is refused. */
static int sort_write(struct view_request *request, const struct write *write, struct entry *ret)
{
	enum view_container container;
	struct entry entry = {.value = write->value};
	if (!view_split_key(write->key, &container, &entry.field)) {
		view_request_refuse(request, ERR_VIEW_KEY, "a write-set has a key that is none of lead/, ident/, ring/ and mem/");
		return -1;
	}
	int64_t due_ms = due_of(write, container);
	if (due_ms > 0 && (write->key.len > VIEW_TIMED_KEY_MAX || !slice_has_prefix(write->value, SLICE("{")))) {
		view_request_refuse(request, ERR_VIEW_LIMIT, "a key with a timer is longer than VIEW_TIMED_KEY_MAX or its value no object");
		return -1;
	}
	if (due_ms > 0)
		entry.timer = timer_entry(&request->arena, container == VIEW_LEAD ? entry.field : write->key, due_ms);
	if (due_ms > 0 && container == VIEW_LEAD)
		entry.value = with_due(&request->arena, write->value, due_ms);
	entry.group = group_of(container, write->is_tombstone);
	*ret = entry;
	return 0;
}

static void add_entry(struct view_request *request, const struct entry *entry)
{
	view_request_arg(request, entry->field);
	if (!(entry->group & 1))
		view_request_arg(request, entry->value);
}

/* By what follows the length: timers that differ in length only differ behind it, too. */
static int by_place(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	return slice_compare((struct slice){x->p + 1, x->len - 1}, (struct slice){y->p + 1, y->len - 1});
}

static void add_timers(struct view_request *request, const struct entry *entries, size_t count)
{
	size_t first = request->arg_count;
	for (size_t i = 0; i < count; i++)
		if (entries[i].timer.len != 0)
			view_request_arg(request, entries[i].timer);
	if (request->arg_count > first)
		qsort(&request->args[first], request->arg_count - first, sizeof *request->args, by_place);
}

static void add_groups(struct view_request *request, const struct entry *entries, size_t count)
{
	size_t sizes[GROUPS] = {0};
	for (size_t i = 0; i < count; i++) {
		sizes[entries[i].group]++;
		sizes[PUT_TIMER] += entries[i].timer.len != 0;
	}
	for (int group = 0; group < GROUPS; group++)
		view_request_number(request, sizes[group]);
	for (int group = 0; group < PUT_TIMER; group++)
		for (size_t i = 0; sizes[group] > 0 && i < count; i++)
			if (entries[i].group == (enum group)group)
				add_entry(request, &entries[i]);
	add_timers(request, entries, count);
}

/* Room for the arguments of a write-set: at most field, value and timer per write. */
static size_t room_for(size_t count)
{
	return GROUPS + 3 * (count <= VIEW_WRITES_PER_CALL ? count : 0);
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
		is_known = sort_write(request, &writes[i], &entries[i]) == 0;
	if (is_known)
		add_groups(request, entries, count);
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
