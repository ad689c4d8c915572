/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads: arguments for view_read.lua and view_memory.lua, and their answers.
 */
#include "daemon/view_request.h"

/* ---- leads, identities, timers */

static bool copy_keys(struct view_request *request, const struct view_read_args *args)
{
	struct slice *keys = arena_array(&request->arena, args->key_count, sizeof *keys);
	enum view_container container;
	struct slice rest;
	for (size_t i = 0; i < args->key_count; i++) {
		if (!view_split_key(args->keys[i], &container, &rest) || container == VIEW_RING || container == VIEW_MEM)
			return false;
		keys[i] = (struct slice){arena_memdupz(&request->arena, args->keys[i].p, args->keys[i].len), args->keys[i].len};
	}
	request->keys = keys;
	request->key_count = args->key_count;
	return true;
}

static size_t count_of(const struct view_request *request, enum view_container wanted)
{
	size_t count = 0;
	enum view_container container;
	struct slice rest;
	for (size_t i = 0; i < request->key_count; i++)
		count += view_split_key(request->keys[i], &container, &rest) && container == wanted;
	return count;
}

static void add_keys(struct view_request *request, enum view_container wanted)
{
	enum view_container container;
	struct slice rest;
	for (size_t i = 0; i < request->key_count; i++)
		if (view_split_key(request->keys[i], &container, &rest) && container == wanted)
			view_request_arg(request, rest);
}

static void add_read_args(struct view_request *request, const struct view_read_args *args)
{
	if (args->key_count > VIEW_READ_KEYS_MAX || args->due_limit > VIEW_DUE_MAX) {
		view_request_refuse(request, ERR_VIEW_LIMIT, "a read asks for more than VIEW_READ_KEYS_MAX or VIEW_DUE_MAX");
		return;
	}
	if (!copy_keys(request, args)) {
		view_request_refuse(request, ERR_VIEW_KEY, "a read asks for a key that is neither lead/ nor ident/");
		return;
	}
	view_request_number(request, args->due_until_ms > 0 ? (uint64_t)args->due_until_ms : 0);
	view_request_number(request, args->due_limit);
	if (args->is_walk)
		view_request_number(request, args->walk_cursor);
	else
		view_request_arg(request, SLICE(""));
	view_request_number(request, args->walk_count);
	view_request_number(request, count_of(request, VIEW_LEAD));
	view_request_number(request, count_of(request, VIEW_IDENT));
	add_keys(request, VIEW_LEAD);
	add_keys(request, VIEW_IDENT);
}

/* An array of `count` texts or nils. */
static bool is_list(const struct redis_reply *reply, size_t count)
{
	if (reply->kind != REDIS_IS_ARRAY || reply->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (reply->items[i]->kind != REDIS_IS_TEXT && reply->items[i]->kind != REDIS_IS_NIL)
			return false;
	return true;
}

static bool is_text_list(const struct redis_reply *reply)
{
	if (reply->kind != REDIS_IS_ARRAY)
		return false;
	for (size_t i = 0; i < reply->count; i++)
		if (reply->items[i]->kind != REDIS_IS_TEXT)
			return false;
	return true;
}

static void set_value(struct view_value *value, struct slice key, const struct redis_reply *item)
{
	*value = (struct view_value){.key = key, .is_found = item->kind == REDIS_IS_TEXT, .value = item->text};
}

/* {"due":N,"a":1} -> {"a":1}; whatever does not begin so as it is. */
static struct slice without_due(struct arena *arena, struct slice stored)
{
	static const struct slice start = {"{\"due\":", 7};
	size_t at = start.len;
	if (!slice_has_prefix(stored, start))
		return stored;
	while (at < stored.len && stored.p[at] >= '0' && stored.p[at] <= '9')
		at++;
	if (at < stored.len && stored.p[at] == ',')
		at++;
	char *bytes = arena_memdupz(arena, stored.p + at - 1, stored.len - at + 1);
	bytes[0] = '{';
	return (struct slice){bytes, stored.len - at + 1};
}

static void set_lead(struct arena *arena, struct view_value *value, struct slice key, const struct redis_reply *item)
{
	set_value(value, key, item);
	if (value->is_found)
		value->value = without_due(arena, item->text);
}

static struct slice join(struct arena *arena, const char *prefix, struct slice rest)
{
	size_t prefix_len = strlen(prefix);
	char *bytes = arena_alloc(arena, prefix_len + rest.len);
	memcpy(bytes, prefix, prefix_len);
	memcpy(bytes + prefix_len, rest.p, rest.len);
	return (struct slice){bytes, prefix_len + rest.len};
}

enum { READ_LEADS = 2, READ_IDENTS, READ_FURTHER, READ_FURTHER_VALUES, READ_DUE, READ_NEXT,
       READ_WALKED, READ_CURSOR, READ_ITEMS };

static bool has_read_shape(const struct view_request *request, const struct redis_reply *reply)
{
	if (reply->count != READ_ITEMS)
		return false;
	struct redis_reply *const *items = (struct redis_reply *const *)reply->items;
	return is_list(items[READ_LEADS], count_of(request, VIEW_LEAD)) &&
	       is_list(items[READ_IDENTS], count_of(request, VIEW_IDENT)) && is_text_list(items[READ_FURTHER]) &&
	       is_list(items[READ_FURTHER_VALUES], items[READ_FURTHER]->count) && is_text_list(items[READ_DUE]) &&
	       items[READ_NEXT]->kind == REDIS_IS_TEXT && is_text_list(items[READ_WALKED]) &&
	       items[READ_CURSOR]->kind == REDIS_IS_TEXT;
}

static void fill_values(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	const struct redis_reply *further = reply->items[READ_FURTHER];
	size_t lead = 0, ident = 0, count = request->key_count + further->count;
	struct view_value *values = arena_array(&request->arena, count, sizeof *values);
	enum view_container container;
	struct slice rest;
	for (size_t i = 0; i < request->key_count; i++) {
		view_split_key(request->keys[i], &container, &rest);
		if (container == VIEW_LEAD)
			set_lead(&request->arena, &values[i], request->keys[i], reply->items[READ_LEADS]->items[lead++]);
		else
			set_value(&values[i], request->keys[i], reply->items[READ_IDENTS]->items[ident++]);
	}
	for (size_t i = 0; i < further->count; i++)
		set_lead(&request->arena, &values[request->key_count + i], join(&request->arena, "lead/", further->items[i]->text),
		         reply->items[READ_FURTHER_VALUES]->items[i]);
	ret->values = values;
	ret->value_count = count;
}

static int fill_timers(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	const struct redis_reply *list = reply->items[READ_DUE];
	struct slice *due = arena_array(&request->arena, list->count, sizeof *due);
	struct slice next = reply->items[READ_NEXT]->text;
	uint64_t next_due_ms = 0;
	if (next.len != 0 && !view_parse_number(next, &next_due_ms))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		due[i] = list->items[i]->text;
	ret->due = due;
	ret->due_count = list->count;
	ret->next_due_ms = (int64_t)next_due_ms;
	return 0;
}

static int fill_walk(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	const struct redis_reply *list = reply->items[READ_WALKED];
	struct slice *walked = arena_array(&request->arena, list->count, sizeof *walked);
	struct slice cursor = reply->items[READ_CURSOR]->text;
	if (cursor.len != 0 && !view_parse_number(cursor, &ret->walk_next))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		walked[i] = list->items[i]->text;
	ret->walked = walked;
	ret->walked_count = list->count;
	return 0;
}

static int translate_read(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	if (view_translate_head(request, reply, ret) != 0)
		return -1;
	if (ret->status != VIEW_DONE || ret->head.state != VIEW_HEAD_NORMAL)
		return 0;
	if (!has_read_shape(request, reply))
		return -1;
	fill_values(request, reply, ret);
	return fill_timers(request, reply, ret) == 0 ? fill_walk(request, reply, ret) : -1;
}

struct view_request *view_read(struct view *view, int32_t shard, const struct view_read_args *args, view_fn fn, void *ctx)
{
	unsigned containers = 1u << VIEW_HEAD | 1u << VIEW_LEAD | 1u << VIEW_IDENT | 1u << VIEW_TIMERS | 1u << VIEW_PAGES;
	struct view_request *request = view_request_new(view, VIEW_SCRIPT_READ, shard, containers, 6 + args->key_count);
	add_read_args(request, args);
	return view_request_send(request, translate_read, fn, ctx);
}

/* ---- memory */

static bool is_pair_list(const struct redis_reply *reply)
{
	return is_text_list(reply) && reply->count % 2 == 0;
}

static size_t fill_pairs(struct arena *arena, const char *prefix, const struct redis_reply *pairs, struct view_value *values)
{
	for (size_t i = 0; i < pairs->count; i += 2)
		set_value(&values[i / 2], join(arena, prefix, pairs->items[i]->text), pairs->items[i + 1]);
	return pairs->count / 2;
}

enum { MEMORY_RINGS = 2, MEMORY_REST, MEMORY_ITEMS };

static int translate_memory(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	if (view_translate_head(request, reply, ret) != 0)
		return -1;
	if (ret->status != VIEW_DONE)
		return 0;
	if (reply->count != MEMORY_ITEMS || !is_pair_list(reply->items[MEMORY_RINGS]) || !is_pair_list(reply->items[MEMORY_REST]))
		return -1;
	const struct redis_reply *rings = reply->items[MEMORY_RINGS], *rest = reply->items[MEMORY_REST];
	struct view_value *values = arena_array(&request->arena, (rings->count + rest->count) / 2, sizeof *values);
	ret->values = values;
	ret->value_count = fill_pairs(&request->arena, "ring/", rings, values);
	ret->value_count += fill_pairs(&request->arena, "mem/", rest, values + ret->value_count);
	return 0;
}

struct view_request *view_read_memory(struct view *view, int32_t shard, view_fn fn, void *ctx)
{
	struct view_request *request =
		view_request_new(view, VIEW_SCRIPT_MEMORY, shard, 1u << VIEW_HEAD | 1u << VIEW_RING | 1u << VIEW_MEM, 0);
	return view_request_send(request, translate_memory, fn, ctx);
}
