/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's model of Redis against the real scripts in a real redis-server: random commands, the same answers.
 * What the fault schedules of tests/sim prove is as good as this model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/sim/redis_model.c"
#include "tests/unit/view_rig.h"

enum { COMMANDS = 3000, REAL_SHARD = 7, LEADS = 6, IDENTS = 4, RINGS = 2, KEYS = LEADS + IDENTS + RINGS };

struct pair {
	struct view_test real;
	struct sim sim;          /* for its arena and chance */
	struct redis_model *model;
	const struct view_reply *is;  /* of the real one */
	struct view_reply should;
	unsigned done, refused;
};

static int start(void **state)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));

	*state = pair;
	pair->sim.rng.state = 20261121;
	if (!rig_has_server())
		return 0;
	pair->real.rig = rig_start(NULL);
	struct view_options options = t_options(pair->real.rig);
	t_open(&pair->real, &options);
	rig_wait(pair->real.rig, &pair->real.is_up);
	pair->model = redis_model_new(&pair->sim);
	return 0;
}

static int stop(void **state)
{
	struct pair *pair = *state;

	if (pair->real.rig) {
		t_close(&pair->real);
		rig_stop(pair->real.rig);
	}
	arena_done(&pair->sim.arena);
	free(pair);
	return 0;
}

/* ---- random arguments */

static struct slice random_key(struct pair *pair)
{
	uint64_t at = rng_below(&pair->sim.rng, KEYS);
	const char *prefix = at < LEADS ? "lead/l" : at < LEADS + IDENTS ? "ident/k1.1.e." : at % 2 ? "ring/team" : "mem/rep/r";

	return slice_of(arena_printf(&pair->sim.arena, "%s%d", prefix, (int)at));
}

static struct write random_write(struct pair *pair)
{
	struct rng *rng = &pair->sim.rng;
	struct write write = {.key = random_key(pair), .is_tombstone = rng_hits(rng, 3000)};

	if (write.is_tombstone)
		return write;
	bool is_ident = slice_has_prefix(write.key, SLICE("ident/"));
	int drawn = (int)rng_below(rng, is_ident ? LEADS : 1000);
	const char *value = is_ident         ? arena_printf(&pair->sim.arena, "1790000000000 l%d", drawn)
	                    : drawn % 3 != 0 ? arena_printf(&pair->sim.arena, "{\"n\":%d}", drawn)
	                                     : arena_printf(&pair->sim.arena, "{\"contest\":\"l%d\",\"n\":1}", drawn % LEADS);
	write.value = slice_of(value);
	if (!rng_hits(rng, 6000))
		return write;
	if (slice_has_prefix(write.key, SLICE("lead/")) || slice_has_prefix(write.key, SLICE("mem/")))
		write.due_ms = 1790000000000 + (int64_t)rng_below(rng, 20);
	if (slice_has_prefix(write.key, SLICE("mem/"))) /* its value says it itself */
		write.value = slice_of(arena_printf(&pair->sim.arena, "{\"due\":%lld,\"n\":%d}", (long long)write.due_ms, drawn));
	return write;
}

/* A write-set names each key once. */
static const struct write *random_writes(struct pair *pair, size_t *ret_count)
{
	struct write *writes = arena_array(&pair->sim.arena, KEYS, sizeof(*writes));
	size_t count = 0;

	for (uint64_t left = rng_below(&pair->sim.rng, 6); left > 0; left--) {
		struct write write = random_write(pair);
		bool is_known = false;
		for (size_t i = 0; i < count; i++)
			is_known |= slice_equal(writes[i].key, write.key);
		if (!is_known)
			writes[count++] = write;
	}
	*ret_count = count;
	return writes;
}

static struct head random_head(struct pair *pair)
{
	struct head head = {.epoch = 1 + rng_below(&pair->sim.rng, 3), .seq = rng_below(&pair->sim.rng, 4)};

	snprintf(head.hash, sizeof(head.hash), "%016x", (unsigned)rng_below(&pair->sim.rng, 2));
	return head;
}

/* Mostly the head that is there. */
static struct view_head random_seen(struct pair *pair)
{
	static const enum view_head_state states[] = {VIEW_HEAD_MISSING, VIEW_HEAD_NORMAL, VIEW_HEAD_LOADING};
	const struct view_head *now = &pair->model->shards[0].now->head;

	if (rng_hits(&pair->sim.rng, 7500))
		return *now;
	return (struct view_head){.state = states[rng_below(&pair->sim.rng, 3)], .head = random_head(pair),
	                          .chunk = rng_below(&pair->sim.rng, 3)};
}

/* ---- the same command on both sides */

static void run_real(struct pair *pair, const struct command *c)
{
	struct view *view = pair->real.view;
	struct view_test *t = &pair->real;
	const struct view_read_args args = {.keys = c->keys, .key_count = c->key_count, .due_until_ms = c->due_until_ms,
	                                   .due_limit = c->due_limit};

	switch (c->kind) {
	case COMMAND_READ: view_read(view, REAL_SHARD, &args, t_on_reply, t); break;
	case COMMAND_READ_MEMORY: view_read_memory(view, REAL_SHARD, t_on_reply, t); break;
	case COMMAND_APPLY:
		view_apply(view, REAL_SHARD, &c->before.head, &c->after, c->pos, c->writes, c->write_count, t_on_reply, t);
		break;
	case COMMAND_INSTALL_EPOCH: view_install_epoch(view, REAL_SHARD, &c->before, c->after.epoch, t_on_reply, t); break;
	case COMMAND_REBUILD_BEGIN: view_rebuild_begin(view, REAL_SHARD, &c->before, c->after.epoch, t_on_reply, t); break;
	case COMMAND_REBUILD_CHUNK:
		view_rebuild_chunk(view, REAL_SHARD, c->before.head.epoch, c->before.chunk, c->writes, c->write_count, t_on_reply, t);
		break;
	case COMMAND_REBUILD_FINISH:
		view_rebuild_finish(view, REAL_SHARD, c->before.chunk, &c->after, c->pos, t_on_reply, t);
		break;
	}
	pair->is = t_wait(t);
}

static struct command random_command(struct pair *pair)
{
	struct rng *rng = &pair->sim.rng;
	struct command c = {.kind = (enum command_kind)rng_below(rng, COMMAND_REBUILD_FINISH + 1), .before = random_seen(pair),
	                    .after = random_head(pair), .pos = (int64_t)rng_below(rng, 1000)};

	if (c.kind == COMMAND_APPLY || c.kind == COMMAND_REBUILD_CHUNK)
		c.writes = random_writes(pair, &c.write_count);
	if (c.kind == COMMAND_APPLY && c.before.state != VIEW_HEAD_NORMAL) /* nobody who saw another one applies */
		c.before = (struct view_head){.state = VIEW_HEAD_NORMAL, .head = random_head(pair)};
	if (c.kind == COMMAND_REBUILD_CHUNK || c.kind == COMMAND_REBUILD_FINISH)
		c.before.state = VIEW_HEAD_LOADING;
	if (c.kind == COMMAND_REBUILD_FINISH)
		c.after.epoch = c.before.head.epoch; /* one argument of view.h says both */
	if (c.kind != COMMAND_READ)
		return c;
	struct slice *keys = arena_array(&pair->sim.arena, KEYS, sizeof(*keys));
	for (int i = 0; i < LEADS + IDENTS; i++)
		if (rng_hits(rng, 4000))
			keys[c.key_count++] =
				slice_of(arena_printf(&pair->sim.arena, "%s%d", i < LEADS ? "lead/l" : "ident/k1.1.e.", i));
	c.keys = keys;
	c.due_until_ms = rng_hits(rng, 5000) ? 1790000000000 + (int64_t)rng_below(rng, 20) : 0;
	c.due_limit = rng_below(rng, 5);
	return c;
}

/* ---- the same answers */

static const struct view_value *value_of(const struct view_reply *reply, struct slice key)
{
	for (size_t i = 0; i < reply->value_count; i++)
		if (slice_equal(reply->values[i].key, key))
			return &reply->values[i];
	return NULL;
}

/* What one side answers about a key, the other answers too. Their order behind the keys asked is not promised. */
static void compare_values(const struct view_reply *a, const struct view_reply *b)
{
	for (size_t i = 0; i < a->value_count; i++) {
		const struct view_value *other = value_of(b, a->values[i].key);
		if (!other)
			print_error("%.*s is answered by one side only\n", SLICE_ARG(a->values[i].key));
		assert_non_null(other);
		assert_int_equal(a->values[i].is_found, other->is_found);
		if (other->is_found)
			assert_true(slice_equal(a->values[i].value, other->value));
	}
}

static void compare_heads(const struct view_head *a, const struct view_head *b)
{
	assert_int_equal(a->state, b->state);
	if (a->state == VIEW_HEAD_NORMAL) {
		assert_true(head_equal(&a->head, &b->head));
		assert_int_equal(a->pos, b->pos);
	}
	if (a->state == VIEW_HEAD_LOADING) {
		assert_int_equal(a->head.epoch, b->head.epoch);
		assert_int_equal(a->chunk, b->chunk);
	}
}

static void compare_replies(struct pair *pair)
{
	const struct view_reply *is = pair->is, *should = &pair->should;

	assert_int_equal(is->status, should->status);
	compare_heads(&is->head, &should->head);
	if (is->status != VIEW_DONE || is->head.state != VIEW_HEAD_NORMAL)
		return;
	compare_values(is, should);
	compare_values(should, is);
	assert_int_equal(is->due_count, should->due_count);
	for (size_t i = 0; i < is->due_count; i++)
		assert_true(slice_equal(is->due[i], should->due[i]));
	assert_int_equal(is->next_due_ms, should->next_due_ms);
}

static void test_model_answers_as_redis_does(void **state)
{
	struct pair *pair = *state;

	if (!pair->real.rig)
		skip();
	for (int i = 0; i < COMMANDS; i++) {
		struct command command = random_command(pair);
		run_real(pair, &command);
		redis_model_run(pair->model, &command, false, &pair->should);
		compare_replies(pair);
		pair->done += pair->is->status == VIEW_DONE;
		pair->refused += pair->is->status == VIEW_STALE;
	}
	/* both kinds of answers were compared often */
	assert_true(pair->done > COMMANDS / 4);
	assert_true(pair->refused > COMMANDS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model_answers_as_redis_does)};

	return cmocka_run_group_tests(tests, start, stop);
}
