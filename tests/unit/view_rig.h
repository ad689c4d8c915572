/* SPDX-License-Identifier: Apache-2.0
 *
 * The view over a private redis-server, called as if it blocked: each t_…() runs the loop until the answer is there and
 * leaves a copy of it in t->reply.
 */
#ifndef LR_TESTS_UNIT_VIEW_RIG_H
#define LR_TESTS_UNIT_VIEW_RIG_H

#include "daemon/view.h"
#include "daemon/view_redis.h"
#include "rules/base/arena.h"
#include "tests/unit/redis_rig.h"

struct view_test {
	struct rig *rig;
	struct view *view;
	struct arena arena;      /* of the copied reply */
	struct view_reply reply;
	int answers;
	bool is_answered, is_up, is_down, has_time;
	struct err why;          /* of the last on_state */
	int64_t server_ms;
	struct slice dump;
	const char *user, *password_file; /* of the view's connection; NULL: the default user */
	char password_path[96];
};

static inline struct slice t_copy(struct view_test *t, struct slice text)
{
	return (struct slice){arena_memdupz(&t->arena, text.len ? text.p : "", text.len), text.len};
}

static inline void t_on_reply(void *ctx, const struct view_reply *reply)
{
	struct view_test *t = ctx;
	arena_done(&t->arena);
	t->reply = *reply;
	struct view_value *values = arena_array(&t->arena, reply->value_count, sizeof *values);
	for (size_t i = 0; i < reply->value_count; i++)
		values[i] = (struct view_value){t_copy(t, reply->values[i].key), reply->values[i].is_found,
		                                t_copy(t, reply->values[i].value)};
	struct slice *walked = arena_array(&t->arena, reply->walked_count, sizeof *walked);
	for (size_t i = 0; i < reply->walked_count; i++)
		walked[i] = t_copy(t, reply->walked[i]);
	struct slice *due = arena_array(&t->arena, reply->due_count, sizeof *due);
	for (size_t i = 0; i < reply->due_count; i++)
		due[i] = t_copy(t, reply->due[i]);
	t->reply.values = values;
	t->reply.due = due;
	t->reply.walked = walked;
	t->answers++;
	t->is_answered = true;
	loop_stop(t->rig->loop);
}

static inline void t_on_state(void *ctx, bool is_up, const struct err *why)
{
	struct view_test *t = ctx;
	t->is_up = is_up;
	t->is_down = !is_up;
	t->why = is_up ? (struct err)ERR_INIT : *why;
	loop_stop(t->rig->loop);
}

static inline void t_on_time(void *ctx, int64_t server_ms, int64_t round_trip_ms)
{
	struct view_test *t = ctx;
	t->has_time = round_trip_ms >= 0;
	t->server_ms = server_ms;
}

static inline struct view_options t_options(const struct rig *rig)
{
	struct view_options options = view_options_default();
	options.redis = rig_options(rig);
	options.timeout_ms = 5000;
	return options;
}

static inline void t_open(struct view_test *t, const struct view_options *options)
{
	struct view_events events = {t_on_state, t_on_time, t};
	t->view = view_new(t->rig->loop, options, &events);
}

static inline void t_close(struct view_test *t)
{
	view_free(t->view);
	t->view = NULL;
	t->is_up = t->is_down = false;
	arena_done(&t->arena);
}

static inline const struct view_reply *t_wait(struct view_test *t)
{
	rig_wait(t->rig, &t->is_answered);
	t->is_answered = false;
	return &t->reply;
}

static inline struct head t_head(uint64_t epoch, uint64_t seq, const char *hash)
{
	struct head head = {.epoch = epoch, .seq = seq};
	memcpy(head.hash, hash, HEAD_HASH_BYTES);
	return head;
}

static inline struct write t_put(const char *key, const char *value, int64_t due_ms)
{
	return (struct write){.key = slice_of(key), .value = slice_of(value), .due_ms = due_ms};
}

static inline struct write t_delete(const char *key)
{
	return (struct write){.key = slice_of(key), .is_tombstone = true};
}

static inline const struct view_reply *t_read(struct view_test *t, const char *const *keys, size_t count, int64_t until,
                                              size_t limit)
{
	struct slice slices[64];
	for (size_t i = 0; i < count; i++)
		slices[i] = slice_of(keys[i]);
	struct view_read_args args = {.keys = slices, .key_count = count, .due_until_ms = until, .due_limit = limit};
	view_read(t->view, 7, &args, t_on_reply, t);
	return t_wait(t);
}

static inline const struct view_reply *t_apply(struct view_test *t, struct head before, struct head after, int64_t pos,
                                               const struct write *writes, size_t count)
{
	view_apply(t->view, 7, &before, &after, pos, writes, count, t_on_reply, t);
	return t_wait(t);
}

static inline const struct view_reply *t_begin(struct view_test *t, struct view_head seen, uint64_t epoch)
{
	view_rebuild_begin(t->view, 7, &seen, epoch, t_on_reply, t);
	return t_wait(t);
}

static inline const struct view_reply *t_chunk(struct view_test *t, uint64_t epoch, uint64_t chunk,
                                               const struct write *writes, size_t count)
{
	view_rebuild_chunk(t->view, 7, epoch, chunk, writes, count, t_on_reply, t);
	return t_wait(t);
}

static inline void t_on_dump(void *ctx, struct slice text, const struct err *err)
{
	struct view_test *t = ctx;
	arena_done(&t->arena);
	t->dump = t_copy(t, text);
	t->why = err != NULL ? *err : (struct err)ERR_INIT;
	t->is_answered = true;
	loop_stop(t->rig->loop);
}

/* Valid until the next call; empty on failure, then t->why says why. */
static inline const char *t_dump(struct view_test *t)
{
	view_dump(t->view, 7, t_on_dump, t);
	t_wait(t);
	return t->dump.p;
}

static inline const struct view_reply *t_finish(struct view_test *t, uint64_t chunk, struct head head, int64_t pos)
{
	view_rebuild_finish(t->view, 7, chunk, &head, pos, t_on_reply, t);
	return t_wait(t);
}

#endif
