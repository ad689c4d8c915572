/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/desk.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"
#include "rules/calendar/calendar.h"
#include "rules/degraded.h"
#include "rules/model.h"
#include "rules/overlay.h"
#include "rules/pool_wait.h"

const char *block_name(enum block block)
{
	static const char *const names[] = {
#define X(name, text) text,
		POOL_BLOCKS(X)
#undef X
	};
	return block < BLOCKS ? names[block] : "?";
}

/* ---- life */

struct desk *desk_new(void)
{
	struct desk *desk = xcalloc(1, sizeof *desk);
	desk->arena = &desk->own;
	return desk;
}

void desk_free(struct desk *desk)
{
	if (desk == NULL)
		return;
	arena_done(&desk->own);
	free(desk);
}

void desk_reset(struct desk *desk, const struct model *model)
{
	struct arena own = desk->own, *arena = desk->arena;
	if (arena == &desk->own)
		arena_done(&own);
	*desk = (struct desk){.model = model, .own = own, .arena = arena};
}

void desk_forget(struct desk *desk)
{
	desk_reset(desk, NULL);
}

/* ---- who sits where */

static void index_seats(struct desk *desk)
{
	const struct model *model = desk->model;
	size_t *first = desk->first_seat = arena_array(desk->arena, model->rep_count + 1, sizeof *first);
	for (size_t t = 0; t < model->team_count; t++)
		for (size_t m = 0; m < model->teams[t].member_count; m++)
			first[model->teams[t].members[m].rep + 1]++;
	for (size_t i = 0; i < model->rep_count; i++)
		first[i + 1] += first[i];
	desk->seats = arena_array(desk->arena, first[model->rep_count], sizeof *desk->seats);
	size_t *next = arena_array(desk->arena, model->rep_count, sizeof *next);
	for (size_t t = 0; t < model->team_count; t++)
		for (size_t m = 0; m < model->teams[t].member_count; m++) {
			size_t rep = model->teams[t].members[m].rep;
			desk->seats[first[rep] + next[rep]++] = (struct membership){(uint32_t)t, (uint32_t)m};
		}
}

/* ---- people */

/* Of each window the cap that needs to remember most. */
static void add_cap(const struct cap *cap, const struct cap *caps[POOL_WINDOWS_MAX], size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (slice_equal(caps[i]->name, cap->name)) {
			caps[i] = cap->most > caps[i]->most ? cap : caps[i];
			return;
		}
	if (*count < POOL_WINDOWS_MAX) /* more are an error of the configuration */
		caps[(*count)++] = cap;
}

/* His own capacity, or those of all his teams. */
static size_t caps_of(const struct desk *desk, size_t rep, const struct cap *ret_caps[POOL_WINDOWS_MAX])
{
	size_t count = 0;
	const struct rep *self = &desk->model->reps[rep];
	for (size_t s = desk->first_seat[rep]; s < desk->first_seat[rep + 1]; s++) {
		const struct capacity *capacity = pool_capacity(pool_of(&desk->model->teams[desk->seats[s].team]), self);
		for (size_t i = 0; i < capacity->cap_count; i++)
			add_cap(&capacity->caps[i], ret_caps, &count);
		if (self->capacity != NULL)
			break;
	}
	return count;
}

struct presence *desk_person(struct desk *desk, const struct overlay *overlay, size_t rep)
{
	struct presence *person = &desk->people[rep];
	if (desk->is_read[rep])
		return person;
	const struct cap *caps[POOL_WINDOWS_MAX];
	size_t count = caps_of(desk, rep, caps);
	struct arena keys = ARENA_INIT;
	struct slice key = ARENA_JOIN(&keys, SLICE("mem/rep/"), desk->model->reps[rep].id);
	presence_read(person, caps, count, overlay_peek(overlay, key), desk->arena);
	arena_done(&keys);
	desk->is_read[rep] = true;
	return person;
}

/* ---- availability of a member, hours left out */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum block judge_capacity(const struct presence *person, const struct capacity *capacity, int64_t units,
                                 int64_t now_ms, int64_t *change_ms)
{
	enum block block = BLOCK_NONE;
	for (size_t i = 0; i < capacity->cap_count; i++) {
		int64_t frees_ms;
		if (presence_fits(person, &capacity->caps[i], units, now_ms, &frees_ms))
			continue;
		*change_ms = sooner(*change_ms, frees_ms);
		block = BLOCK_CAP;
	}
	return capacity->open != 0 && person->open + units > capacity->open ? BLOCK_OPEN : block;
}

/* When less of what he was given counts than does now: he may then take a larger lead, whether or not he could take a small
 * one all the time. */
static int64_t next_relief(const struct presence *person, const struct capacity *capacity, int64_t now_ms)
{
	int64_t next_ms = NEVER_MS;
	for (size_t i = 0; i < capacity->cap_count; i++)
		next_ms = sooner(next_ms, presence_eases(person, &capacity->caps[i], now_ms));
	return next_ms;
}

static bool is_away(const struct presence *person, int64_t now_ms)
{
	return person->is_away && (person->until_ms == 0 || person->until_ms > now_ms);
}

static enum block judge(const struct desk *desk, const struct post *post, uint32_t member, int64_t units,
                        int64_t *ret_change_ms)
{
	size_t rep = post->team->members[member].rep;
	const struct rep *self = &desk->model->reps[rep];
	const struct presence *person = &desk->people[rep];
	int64_t now_ms = desk->now_ms, change_ms = NEVER_MS;
	enum block block = BLOCK_NONE;
	if (!self->is_active) {
		block = BLOCK_INACTIVE;
	} else if (is_away(person, now_ms)) {
		block = BLOCK_AWAY;
		change_ms = person->until_ms != 0 ? person->until_ms : NEVER_MS;
	} else {
		int64_t stale_ms = post->is_on_last_word ? 0 : post->pool->stale_after_ms;
		if (stale_ms != 0 && (person->seen_ms == 0 || now_ms >= person->seen_ms + stale_ms)) {
			block = BLOCK_STALE;
		} else {
			change_ms = stale_ms != 0 ? person->seen_ms + stale_ms : NEVER_MS;
			block = judge_capacity(person, pool_capacity(post->pool, self), units, now_ms, &change_ms);
			if (post->pool->size_count != 0)
				change_ms = sooner(change_ms, next_relief(person, pool_capacity(post->pool, self), now_ms));
		}
	}
	*ret_change_ms = change_ms;
	return block;
}

/* ---- the heap of changes */

static void timer_put(struct post *post, size_t at, uint32_t member)
{
	post->timers[at] = member;
	post->timer_at[member] = (uint32_t)at + 1;
}

static void timer_rise(struct post *post, size_t at)
{
	uint32_t member = post->timers[at];
	while (at > 0 && post->changes_ms[member] < post->changes_ms[post->timers[(at - 1) / 2]]) {
		timer_put(post, at, post->timers[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	timer_put(post, at, member);
}

static void timer_sink(struct post *post, size_t at)
{
	uint32_t member = post->timers[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < post->timer_count &&
		    post->changes_ms[post->timers[child + 1]] < post->changes_ms[post->timers[child]])
			child++;
		if (child >= post->timer_count || post->changes_ms[post->timers[child]] >= post->changes_ms[member])
			break;
		timer_put(post, at, post->timers[child]);
		at = child;
	}
	timer_put(post, at, member);
}

static void set_change(struct post *post, uint32_t member, int64_t change_ms)
{
	bool was_in = post->timer_at[member] != 0;
	post->changes_ms[member] = change_ms;
	if (change_ms == NEVER_MS && !was_in)
		return;
	if (!was_in) {
		timer_put(post, post->timer_count++, member);
		timer_rise(post, post->timer_count - 1);
		return;
	}
	size_t at = post->timer_at[member] - 1;
	if (change_ms != NEVER_MS) {
		timer_rise(post, at);
		timer_sink(post, post->timer_at[member] - 1);
		return;
	}
	uint32_t last = post->timers[--post->timer_count];
	post->timer_at[member] = 0;
	if (last == member)
		return;
	timer_put(post, at, last);
	timer_rise(post, at);
	timer_sink(post, post->timer_at[last] - 1);
}

/* ---- posts */

static void each_ring(struct post *post, uint32_t member, void (*act)(struct ring *ring, uint32_t member))
{
	for (size_t lane = 0; lane <= post->pool->lane_count; lane++)
		if (post->rings[lane] != NULL)
			act(post->rings[lane], member);
}

/* `is_less`: he has less to do than before, or less of what he was given counts. */
static void look_again(struct desk *desk, struct post *post, uint32_t member, bool is_less)
{
	int64_t change_ms;
	enum block before = (enum block)post->blocks[member], now = judge(desk, post, member, 1, &change_ms);
	size_t class = pool_class(post->pool, member);
	set_change(post, member, change_ms);
	post->eased += now == BLOCK_NONE && (is_less || before != BLOCK_NONE);
	if (now == before)
		return;
	post->blocks[member] = (uint8_t)now;
	post->counts[before]--;
	post->counts[now]++;
	if (now == BLOCK_NONE) {
		post->class_free[class]++;
		each_ring(post, member, ring_enter);
	} else if (before == BLOCK_NONE) {
		post->class_free[class]--;
		each_ring(post, member, ring_leave);
	}
	post->has_toggled = true;
}

static const struct calendar *hours_of(const struct desk *desk, const struct post *post, size_t class)
{
	size_t member = post->pool->sample != NULL ? post->pool->sample[class] : 0;
	return model_calendar_of(desk->model, post->team->members[member].rep, post->index, SLICE_NONE, SLICE_NONE, SLICE_NONE);
}

static void look_at_hours(struct desk *desk, struct post *post, size_t class)
{
	const struct calendar *calendar = hours_of(desk, post, class);
	bool was_open = post->class_open[class], is_open = calendar_is_open(calendar, desk->now_ms);
	post->class_open[class] = is_open;
	post->class_opens_ms[class] = is_open ? NEVER_MS : calendar_next_open(calendar, desk->now_ms);
	if (was_open == is_open)
		return;
	post->has_toggled = true;
	if (!is_open)
		return;
	post->eased++;
	for (size_t lane = 0; lane <= post->pool->lane_count; lane++)
		if (post->rings[lane] != NULL)
			ring_reopen(post->rings[lane], class);
}

bool post_is_silent(const struct desk *desk, const struct post *post)
{
	int64_t stale_ms = post->pool->stale_after_ms;
	return stale_ms != 0 && (post->heard_ms == 0 || desk->now_ms >= post->heard_ms + stale_ms);
}

/* Before anybody is looked at because of his own silence: who goes stale with all the others does not leave and come back. */
static void mind_silence(struct desk *desk, struct post *post)
{
	bool was_on = post->is_on_last_word;
	post->is_on_last_word = degraded_rules(desk->model)->is_last_word && post_is_silent(desk, post);
	for (uint32_t i = 0; post->is_on_last_word != was_on && i < post->team->member_count; i++)
		look_again(desk, post, i, false);
}

static void bring_up(struct desk *desk, struct post *post)
{
	mind_silence(desk, post);
	while (post->timer_count > 0 && post->changes_ms[post->timers[0]] <= desk->now_ms)
		look_again(desk, post, post->timers[0], true);
	if (!post->pool->keeps_hours || post->hours_ms == desk->now_ms)
		return;
	for (size_t class = 0; class < post->pool->class_count; class++)
		if (post->class_open[class] || post->class_opens_ms[class] <= desk->now_ms)
			look_at_hours(desk, post, class);
	post->hours_ms = desk->now_ms;
}

static void note_heard(struct post *post, const struct presence *person)
{
	if (person->seen_ms > post->heard_ms)
		post->heard_ms = person->seen_ms;
}

static struct post *make_post(struct desk *desk, const struct overlay *overlay, size_t index)
{
	struct arena *arena = desk->arena;
	const struct team *team = &desk->model->teams[index];
	size_t members = team->member_count;
	struct post *post = arena_alloc(arena, sizeof *post);
	*post = (struct post){.team = team, .pool = pool_of(team), .index = index, .eased = 1, .hours_ms = INT64_MIN};
	post->blocks = arena_array(arena, members, sizeof *post->blocks);
	post->changes_ms = arena_array(arena, members, sizeof *post->changes_ms);
	post->loads = arena_array(arena, members, sizeof *post->loads);
	post->timer_at = arena_array(arena, members, sizeof *post->timer_at);
	post->timers = arena_array(arena, members, sizeof *post->timers);
	post->class_free = arena_array(arena, post->pool->class_count, sizeof *post->class_free);
	post->class_size = arena_array(arena, post->pool->class_count, sizeof *post->class_size);
	post->class_open = arena_array(arena, post->pool->class_count, sizeof *post->class_open);
	post->class_opens_ms = arena_array(arena, post->pool->class_count, sizeof *post->class_opens_ms);
	post->rings = arena_array(arena, post->pool->lane_count + 1, sizeof(struct ring *));
	post->has_toggled = true;
	for (uint32_t i = 0; i < members; i++) {
		const struct presence *person = desk_person(desk, overlay, team->members[i].rep);
		post->loads[i] = person->open;
		note_heard(post, person);
	}
	post->is_on_last_word = degraded_rules(desk->model)->is_last_word && post_is_silent(desk, post);
	for (uint32_t i = 0; i < members; i++) {
		int64_t change_ms;
		size_t class = pool_class(post->pool, i);
		post->blocks[i] = (uint8_t)judge(desk, post, i, 1, &change_ms);
		post->counts[post->blocks[i]]++;
		post->class_size[class]++;
		post->class_free[class] += post->blocks[i] == BLOCK_NONE;
		set_change(post, i, change_ms);
	}
	for (size_t class = 0; class < post->pool->class_count; class++) {
		post->class_open[class] = true;
		post->class_opens_ms[class] = NEVER_MS;
	}
	return post;
}

struct post *desk_post(struct desk *desk, const struct overlay *overlay, size_t team)
{
	struct post *post = desk->posts[team];
	if (post == NULL)
		post = desk->posts[team] = make_post(desk, overlay, team);
	bring_up(desk, post);
	return post;
}

static struct ring *open_ring(struct desk *desk, const struct overlay *overlay, struct post *post, size_t lane)
{
	struct ring *ring = post->rings[lane] = arena_alloc(desk->arena, sizeof *ring);
	struct slice name = lane == 0 ? SLICE("") : post->pool->lanes[lane - 1].name;
	ring_open(ring, desk->model, post->team, name, post->loads, overlay, desk->arena);
	for (uint32_t i = 0; i < post->team->member_count; i++)
		if (post->blocks[i] == BLOCK_NONE)
			ring_enter(ring, i);
	return ring;
}

/* Flushed in the order of use, which is the same for a desk that was there before. */
static void note_use(struct desk *desk, struct ring *ring)
{
	if (ring->is_used)
		return;
	ring->is_used = true;
	if (desk->ring_count == desk->ring_room) {
		desk->ring_room = desk->ring_room ? desk->ring_room * 2 : 16;
		struct ring **more = arena_array(desk->arena, desk->ring_room, sizeof *more);
		if (desk->ring_count != 0)
			memcpy(more, desk->used, desk->ring_count * sizeof *more);
		desk->used = more;
	}
	desk->used[desk->ring_count++] = ring;
}

struct ring *desk_ring(struct desk *desk, const struct overlay *overlay, struct post *post, size_t lane)
{
	struct ring *ring = post->rings[lane] != NULL ? post->rings[lane] : open_ring(desk, overlay, post, lane);
	note_use(desk, ring);
	return ring;
}

void desk_person_changed(struct desk *desk, const struct overlay *overlay, size_t rep)
{
	struct presence *person = desk_person(desk, overlay, rep);
	if (!person->is_dirty)
		desk->dirty_people[desk->dirty_people_count++] = rep;
	person->is_dirty = true;
	for (size_t s = desk->first_seat[rep]; s < desk->first_seat[rep + 1]; s++) {
		struct post *post = desk->posts[desk->seats[s].team];
		uint32_t member = desk->seats[s].member;
		if (post == NULL)
			continue;
		bool is_less = person->open < post->loads[member];
		if (post->loads[member] != person->open) {
			post->loads[member] = person->open;
			each_ring(post, member, ring_reload);
		}
		note_heard(post, person);
		mind_silence(desk, post);
		look_again(desk, post, member, is_less);
	}
}

size_t post_free(const struct post *post)
{
	size_t count = 0;
	if (!post->pool->keeps_hours)
		return post->counts[BLOCK_NONE];
	for (size_t class = 0; class < post->pool->class_count; class++)
		count += post->class_open[class] ? post->class_free[class] : 0;
	return count;
}

enum block post_block(const struct desk *desk, const struct post *post, uint32_t member, int64_t units)
{
	int64_t change_ms;
	enum block block = (enum block)post->blocks[member];
	if (block == BLOCK_INACTIVE || block == BLOCK_AWAY || block == BLOCK_STALE)
		return block;
	if (!post->class_open[pool_class(post->pool, member)])
		return BLOCK_HOURS;
	if (units == 0)
		return judge(desk, post, member, 0, &change_ms);
	if (block != BLOCK_NONE || units == 1)
		return block;
	return judge(desk, post, member, units, &change_ms) == BLOCK_NONE ? BLOCK_NONE : BLOCK_SIZE;
}

static bool was_tried(const struct need *need, size_t rep)
{
	for (size_t i = 0; i < need->tried_count; i++)
		if (need->tried[i] == rep)
			return true;
	return false;
}

static size_t count_tried(const struct desk *desk, const struct post *post, const struct need *need)
{
	size_t count = 0;
	for (size_t i = 0; i < need->tried_count; i++) {
		size_t member = team_find_member(post->team, need->tried[i]);
		count += member != SIZE_MAX && post_block(desk, post, (uint32_t)member, 1) == BLOCK_NONE;
	}
	return count;
}

bool post_can_serve(const struct desk *desk, const struct post *post, const struct need *need, int64_t units)
{
	size_t free_count = post_free(post);
	if (units <= 1)
		return free_count != count_tried(desk, post, need);
	for (uint32_t i = 0; free_count != 0 && i < post->team->member_count; i++)
		if (post->blocks[i] == BLOCK_NONE && !was_tried(need, post->team->members[i].rep) &&
		    post_block(desk, post, i, units) == BLOCK_NONE)
			return true;
	return false;
}

enum block desk_judge_rep(struct desk *desk, const struct overlay *overlay, size_t rep, int64_t units)
{
	const struct rep *self = &desk->model->reps[rep];
	const struct presence *person = desk_person(desk, overlay, rep);
	int64_t change_ms = NEVER_MS;
	if (!self->is_active)
		return BLOCK_INACTIVE;
	if (is_away(person, desk->now_ms))
		return BLOCK_AWAY;
	return self->capacity != NULL ? judge_capacity(person, self->capacity, units, desk->now_ms, &change_ms) : BLOCK_NONE;
}

int64_t post_next_change(const struct desk *desk, const struct post *post)
{
	int64_t next_ms = post->timer_count != 0 ? post->changes_ms[post->timers[0]] : NEVER_MS;
	for (size_t class = 0; post->pool->keeps_hours && class < post->pool->class_count; class++)
		if (!post->class_open[class])
			next_ms = sooner(next_ms, post->class_opens_ms[class]);
	if (degraded_rules(desk->model)->is_last_word && !post->is_on_last_word && post->pool->stale_after_ms != 0)
		next_ms = sooner(next_ms, post->heard_ms + post->pool->stale_after_ms);
	return next_ms;
}

/* ---- getting ready */

static void make_ready(struct desk *desk, const struct overlay *overlay)
{
	const struct model *model = desk->model;
	struct arena *arena = desk->arena;
	desk->people = arena_array(arena, model->rep_count, sizeof *desk->people);
	desk->is_read = arena_array(arena, model->rep_count, sizeof *desk->is_read);
	desk->dirty_people = arena_array(arena, model->rep_count, sizeof *desk->dirty_people);
	desk->posts = arena_array(arena, model->team_count, sizeof(struct post *));
	backlog_init(&desk->backlog, model->team_count + 1, overlay->seed, arena);
	index_seats(desk);
	desk->is_ready = true;
	pool_load_waiters(desk, overlay);
}

int64_t desk_at(struct desk *desk, const struct model *model, const struct overlay *overlay, int64_t now_ms)
{
	bool is_set_back = desk->is_written && now_ms < desk->now_ms; /* the clock; as if the desk were new */
	if (desk->model != model || is_set_back)
		desk_reset(desk, model);
	desk->is_written = false;
	if (now_ms > desk->now_ms)
		desk->now_ms = now_ms;
	if (!desk->is_ready)
		make_ready(desk, overlay);
	return desk->now_ms;
}
