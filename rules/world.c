/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/world.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/world_state.h"

enum {
	TOPICS = 2,
	FIRES_PER_INSTANT_MAX = 1000, /* of one key: a timer that fires and stays due would fire for ever */
};

struct world {
	struct desk *desk; /* NULL: each decider reads anew */
	const struct model *model;
	const struct observer *observer;
	bool has_begun; /* with this model */
	size_t batch;
	int64_t now_ms;
	struct slice topics[TOPICS]; /* heap */
	int64_t offsets[TOPICS];
	size_t record_count;

	struct arena told; /* records, and what was decided */
	struct prepared **pending;
	size_t *pending_record;
	size_t pending_count;
	struct world_decision *decisions; /* heap */
	size_t decision_count, decision_capacity;

	struct world_state state;
	struct map readable; /* lead/ and ident/ keys that the running decider may ask for */
};

static const uint64_t SEED[2] = {0x776f726c64, 0x73746174}; /* no producer aims at a world */

static struct slice topic_name(const char *prefix, const char *name)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_puts(&text, prefix != NULL ? prefix : "");
	strbuf_puts(&text, name);
	size_t len = text.len;
	return (struct slice){strbuf_detach(&text, NULL), len};
}

struct world *world_new(const struct model *model, const struct world_settings *settings)
{
	struct world *world = xcalloc(1, sizeof *world);
	world->model = model;
	world->batch = settings->batch != 0 ? settings->batch : 1;
	world->now_ms = settings->now_ms;
	world->observer = settings->observer;
	world->topics[RECORD_CAPTURED] = topic_name(settings->topic_prefix, "leads.captured");
	world->topics[RECORD_ACTIVITY] = topic_name(settings->topic_prefix, "leads.activity");
	world->desk = settings->keeps_desk ? desk_new() : NULL;
	world->pending = xcalloc(world->batch, sizeof *world->pending);
	world->pending_record = xcalloc(world->batch, sizeof *world->pending_record);
	world_state_init(&world->state, SEED);
	map_init(&world->readable, SEED);
	return world;
}

void world_free(struct world *world)
{
	if (world == NULL)
		return;
	world_state_done(&world->state);
	map_done(&world->readable);
	for (size_t i = 0; i < TOPICS; i++)
		free((void *)(uintptr_t)world->topics[i].p);
	desk_free(world->desk);
	arena_done(&world->told);
	free(world->pending);
	free(world->pending_record);
	free(world->decisions);
	free(world);
}

int64_t world_now_ms(const struct world *world)
{
	return world->now_ms;
}

void world_put(struct world *world, struct slice key, struct slice value)
{
	world_state_put(&world->state, key, value, rules_due_of(key, value));
}

/* ---- what a decider may see */

enum view_answer world_get(const struct world *world, struct slice key, struct slice *ret_value)
{
	return world_state_get(&world->state, key, ret_value);
}

/* What is not in the shard's memory has to be asked for. A core that looks at a key which rules_wants() did not name would
 * end the daemon, so it ends here too. */
static enum view_answer look_up(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct world *world = ctx;
	if (!rules_is_memory(key) && map_get(&world->readable, key) == NULL)
		return VIEW_NOT_READ;
	return world_get(world, key, ret_value);
}

/* A value must stay as it is while the decider's events may point into it, so it is copied. */
static enum view_answer look_up_copy(void *ctx, struct slice key, struct slice *ret_value)
{
	struct world *world = ctx;
	enum view_answer answer = look_up(ctx, key, ret_value);
	if (answer == VIEW_FOUND)
		*ret_value = (struct slice){arena_memdupz(&world->told, ret_value->p, ret_value->len), ret_value->len};
	return answer;
}

static void look_through(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct world *world = ctx;
	world_state_keys(&world->state, prefix, see, arg);
}

static void make_lead_readable(struct world *world, struct slice key)
{
	struct slice value;
	map_put(&world->readable, key, world);
	struct slice beside = world_get(world, key, &value) == VIEW_FOUND ? rules_lead_beside(value) : SLICE_NONE;
	if (beside.len != 0)
		map_put(&world->readable, ARENA_JOIN(&world->told, SLICE("lead/"), beside), world);
}

static void make_readable(struct world *world, struct slice key)
{
	struct slice copy = {arena_memdupz(&world->told, key.p, key.len), key.len}, value;
	if (slice_has_prefix(key, SLICE("lead/"))) {
		make_lead_readable(world, copy);
		return;
	}
	map_put(&world->readable, copy, world);
	if (!slice_has_prefix(key, SLICE("ident/")) || world_get(world, key, &value) != VIEW_FOUND)
		return;
	struct slice lead_id = rules_ident_lead(value);
	if (lead_id.len != 0)
		make_lead_readable(world, ARENA_JOIN(&world->told, SLICE("lead/"), lead_id));
}

/* ---- deciding */

static struct decider *begin(struct world *world)
{
	map_done(&world->readable);
	map_init(&world->readable, SEED);
	struct decider *decider =
		decider_new(world->model, (struct rules_view){look_up_copy, world, look_through}, &world->told);
	decider->observer = world->observer;
	if (world->desk != NULL)
		decider_use_desk(decider, world->desk);
	return decider;
}

static void end(struct world *world, struct decider *decider)
{
	const struct write *writes;
	size_t count;
	decider_finish(decider, &writes, &count);
	world_state_apply(&world->state, writes, count);
}

static struct world_decision *add_decision(struct world *world)
{
	if (world->decision_count == world->decision_capacity) {
		world->decision_capacity = world->decision_capacity * 2 + 64;
		world->decisions = xreallocarray(world->decisions, world->decision_capacity, sizeof *world->decisions);
	}
	struct world_decision *decision = &world->decisions[world->decision_count++];
	*decision = (struct world_decision){.at_ms = world->now_ms, .record = SIZE_MAX};
	return decision;
}

/* Whatever is told has a cause, from which its id is made. */
static void check_told(const struct decision *decision)
{
	for (size_t i = 0; i < decision->event_count; i++)
		assert(decision->events[i].cause.len != 0);
}

static void begin_model(struct world *world);

static void decide_pending(struct world *world)
{
	begin_model(world);
	size_t count = world->pending_count;
	if (count == 0)
		return;
	world->pending_count = 0;
	struct decider *decider = begin(world);
	for (size_t i = 0; i < count; i++) {
		struct slice wants[RULES_WANTS_MAX];
		size_t want_count = rules_wants(world->pending[i], wants);
		for (size_t w = 0; w < want_count; w++)
			make_readable(world, wants[w]);
	}
	for (size_t i = 0; i < count; i++) {
		struct world_decision *decision = add_decision(world);
		decision->record = world->pending_record[i];
		decider_decide(decider, world->pending[i], world->now_ms, &decision->decision);
		check_told(&decision->decision);
	}
	end(world, decider);
}

/* In the due index a lead goes by its id, a memory key by the whole of it. */
static struct slice timer_name(struct slice key)
{
	struct slice prefix = SLICE("lead/");
	return slice_has_prefix(key, prefix) ? (struct slice){key.p + prefix.len, key.len - prefix.len} : key;
}

static void count_fire(struct world *world, struct world_cell *cell)
{
	cell->fires = cell->fired_ms == world->now_ms ? cell->fires + 1 : 1;
	cell->fired_ms = world->now_ms;
	assert(cell->fires <= FIRES_PER_INSTANT_MAX);
}

/* Up to a batch of keys that are due at `until_ms` or before, in order of due time and key. */
static void fire_batch(struct world *world, int64_t until_ms)
{
	struct world_cell **fired = arena_array(&world->told, world->batch, sizeof(struct world_cell *));
	struct decider *decider = begin(world);
	size_t count = 0;
	while (count < world->batch) {
		struct world_cell *cell = world_state_first_due(&world->state);
		if (cell == NULL || cell->due_ms > until_ms)
			break;
		world_state_pop_due(&world->state);
		while (world_state_first_due(&world->state) == cell)
			world_state_pop_due(&world->state); /* the same due time was written twice */
		fired[count++] = cell;
		count_fire(world, cell);
		make_readable(world, cell->key);
		struct world_decision *decision = add_decision(world);
		decision->key = (struct slice){arena_memdupz(&world->told, cell->key.p, cell->key.len), cell->key.len};
		decider_fire(decider, timer_name(decision->key), world->now_ms, &decision->decision);
		check_told(&decision->decision);
	}
	end(world, decider);
	for (size_t i = 0; i < count; i++)
		if (fired[i]->due_ms != 0 && fired[i]->due_ms <= until_ms)
			world_state_due_again(&world->state, fired[i]); /* nothing was written: it is polled again, as the daemon does */
}

static bool is_due(struct world *world, int64_t until_ms)
{
	const struct world_cell *cell = world_state_first_due(&world->state);
	return cell != NULL && cell->due_ms <= until_ms;
}

/* ---- a new model, and walks over all leads (rules.h) */

struct names {
	struct world *world;
	struct slice prefix;
	struct slice *items;
	size_t count, room;
};

static void take_name(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	(void)value, (void)due_ms;
	struct names *names = ctx;
	if (!slice_has_prefix(key, names->prefix))
		return;
	if (names->count == names->room) {
		names->room = names->room * 2 + 64;
		names->items = xreallocarray(names->items, names->room, sizeof *names->items);
	}
	names->items[names->count++] = (struct slice){arena_memdupz(&names->world->told, key.p, key.len), key.len};
}

/* One that came to nothing is not shown. */
static void drop_if_nothing(struct world *world)
{
	const struct decision *last = &world->decisions[world->decision_count - 1].decision;
	if (last->outcome == OUTCOME_NOTHING && last->event_count == 0)
		world->decision_count--;
}

static void walk(struct world *world, struct slice key)
{
	struct names leads = {.world = world, .prefix = SLICE("lead/")};
	world_each(world, take_name, &leads);
	for (size_t i = 0; i < leads.count; i++) {
		struct decider *decider = begin(world);
		make_readable(world, leads.items[i]);
		struct world_decision *decision = add_decision(world);
		decision->key = leads.items[i];
		decider_visit(decider, key, timer_name(leads.items[i]), world->now_ms, &decision->decision);
		end(world, decider);
		drop_if_nothing(world);
	}
	free(leads.items);
	struct decider *decider = begin(world);
	struct world_decision *decision = add_decision(world);
	decision->key = key;
	decider_walked(decider, key, world->now_ms, &decision->decision);
	end(world, decider);
	drop_if_nothing(world);
}

/* Those that anybody has asked for. */
static void walk_all(struct world *world)
{
	struct names walks = {.world = world, .prefix = SLICE(RULES_WALK_PREFIX)};
	world_each(world, take_name, &walks);
	for (size_t i = 0; i < walks.count; i++)
		walk(world, walks.items[i]);
	free(walks.items);
}

static void begin_model(struct world *world)
{
	if (world->has_begun)
		return;
	world->has_begun = true;
	struct decider *decider = begin(world);
	struct world_decision *decision = add_decision(world);
	decision->key = SLICE("begin");
	decider_begin(decider, world->now_ms, &decision->decision);
	end(world, decider);
	drop_if_nothing(world);
	walk_all(world);
}

void world_settle(struct world *world)
{
	decide_pending(world);
	walk_all(world);
	while (is_due(world, world->now_ms)) {
		fire_batch(world, world->now_ms);
		walk_all(world);
	}
}

void world_advance(struct world *world, int64_t to_ms)
{
	assert(to_ms >= world->now_ms);
	if (to_ms == world->now_ms)
		return;
	world_settle(world);
	while (is_due(world, to_ms - 1)) {
		int64_t due_ms = world_next_due(world);
		world->now_ms = due_ms > world->now_ms ? due_ms : world->now_ms;
		fire_batch(world, world->now_ms);
		walk_all(world);
	}
	world->now_ms = to_ms;
}

void world_sleep(struct world *world, int64_t to_ms)
{
	assert(to_ms >= world->now_ms);
	world_settle(world);
	world->now_ms = to_ms;
}

void world_set_model(struct world *world, const struct model *model)
{
	world_settle(world);
	world->has_begun = world->has_begun && world->model == model;
	world->model = model;
	if (world->desk != NULL)
		desk_forget(world->desk);
}

/* ---- records */

static struct slice keep(struct world *world, struct slice text)
{
	return (struct slice){arena_memdupz(&world->told, text.p, text.len), text.len};
}

static const struct header *keep_headers(struct world *world, const struct world_record *from)
{
	struct header *headers = arena_array(&world->told, from->header_count, sizeof *headers);
	for (size_t i = 0; i < from->header_count; i++) {
		headers[i].name = keep(world, from->headers[i].name);
		headers[i].value = from->headers[i].value.p != NULL ? keep(world, from->headers[i].value) : SLICE_NONE;
	}
	return headers;
}

static void add_fact(struct prepared *prepared, const struct world_fact *fact)
{
	switch (fact->kind) {
	case WORLD_FACT_BOOL:
		rules_add_fact_bool(prepared, fact->name, fact->boolean);
		return;
	case WORLD_FACT_INT:
		rules_add_fact_int(prepared, fact->name, fact->integer);
		return;
	case WORLD_FACT_TEXT:
		rules_add_fact_text(prepared, fact->name, fact->text);
		return;
	}
}

size_t world_feed(struct world *world, const struct world_record *from)
{
	struct record *record = arena_alloc(&world->told, sizeof *record);
	*record = (struct record){
		.kind = from->kind,
		.topic = world->topics[from->kind],
		.offset = world->offsets[from->kind]++,
		.timestamp_ms = world->now_ms - from->late_ms,
		.key = keep(world, from->key),
		.value = keep(world, from->value),
		.has_key = from->key.len != 0,
		.has_value = !from->has_no_value,
		.headers = keep_headers(world, from),
		.header_count = from->header_count,
		.partition_count = 1,
	};
	struct prepared *prepared = rules_prepare(world->model, record, world->now_ms, &world->told);
	for (size_t i = 0; i < from->fact_count && rules_is_lead(prepared); i++)
		add_fact(prepared, &from->facts[i]);
	world->pending[world->pending_count] = prepared;
	world->pending_record[world->pending_count++] = world->record_count;
	if (world->pending_count == world->batch)
		decide_pending(world);
	return world->record_count++;
}

size_t world_decision_count(const struct world *world)
{
	return world->decision_count;
}

const struct world_decision *world_decision(const struct world *world, size_t index)
{
	assert(index < world->decision_count);
	return &world->decisions[index];
}

void world_forget(struct world *world)
{
	world_settle(world);
	map_done(&world->readable);
	map_init(&world->readable, SEED);
	arena_reset(&world->told);
	world->decision_count = 0;
}

/* ---- the whole state */

int64_t world_due_of(const struct world *world, struct slice key)
{
	const struct world_cell *cell = map_get(&world->state.cells, key);
	return cell != NULL ? cell->due_ms : 0;
}

int64_t world_next_due(const struct world *world)
{
	/* drops stale entries: nobody can tell */
	const struct world_cell *cell = world_state_first_due((struct world_state *)(uintptr_t)&world->state);
	return cell != NULL ? cell->due_ms : 0;
}

void world_each(const struct world *world, void (*see)(void *ctx, struct slice key, struct slice value, int64_t due_ms),
                void *ctx)
{
	world_state_each(&world->state, see, ctx);
}

static void dump_line(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	struct strbuf *out = ctx;
	strbuf_append(out, key.p, key.len);
	strbuf_putc(out, '\t');
	strbuf_put_int(out, due_ms);
	strbuf_putc(out, '\t');
	strbuf_append(out, value.p, value.len);
	strbuf_putc(out, '\n');
}

void world_dump(const struct world *world, struct strbuf *out)
{
	world_each(world, dump_line, out);
}

struct slice world_log(const struct world *world)
{
	return (struct slice){strbuf_text(&world->state.log), world->state.log.len};
}

int world_replay(struct world *world, struct slice log)
{
	return world_state_replay(&world->state, log);
}

void world_restore(struct world *world)
{
	world_settle(world);
	world_state_restore(&world->state);
	world->has_begun = false;
	if (world->desk != NULL)
		desk_forget(world->desk);
}
