/* SPDX-License-Identifier: Apache-2.0
 *
 * The stored form of a rotation, see ring.h. A value that is not in our form counts as absent, and the trace says so.
 */
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/overlay.h"
#include "rules/pool.h"
#include "rules/ring.h"
#include "rules/scan.h"
#include "rules/state.h"

enum { SEAT_NUMBERS = 8, HEADER_BYTES_MAX = 1 << 18 };

static struct slice seat_key(const struct ring *ring, uint32_t member, struct arena *arena)
{
	return ARENA_JOIN(arena, SLICE("mem/seat/"), ring->team->id, SLICE("/"), ring->lane, SLICE("/"),
	                  ring->model->reps[ring->team->members[member].rep].id);
}

static struct slice header_key(const struct ring *ring, struct arena *arena)
{
	if (ring->lane.len == 0)
		return state_ring_key(arena, ring->team->id);
	return ARENA_JOIN(arena, SLICE("ring/"), ring->team->id, SLICE("/"), ring->lane);
}

static bool is_position(int64_t n, int64_t weight)
{
	return n >= 0 && n < (int64_t)1 << RING_POSITION_BITS && weight >= 1 && weight <= MODEL_WEIGHT_MAX;
}

/* ---- seats */

/* [n,weight,given] or all eight. */
static bool scan_numbers(struct slice value, int64_t numbers[SEAT_NUMBERS])
{
	struct scan scan = {value.p, value.p + value.len};
	size_t count = 0;
	if (!scan_byte(&scan, '['))
		return false;
	do
		if (count == SEAT_NUMBERS || !scan_int(&scan, &numbers[count++]))
			return false;
	while (scan_byte(&scan, ','));
	return scan_byte(&scan, ']') && scan.at == scan.end && (count == 3 || count == SEAT_NUMBERS);
}

static void read_seat(struct ring *ring, uint32_t member, struct slice value)
{
	int64_t x[SEAT_NUMBERS] = {0};
	struct seat *seat = &ring->seats[member];
	bool is_sound = scan_numbers(value, x) && is_position(x[0], x[1]) && x[3] >= 0 && x[4] >= 0 && x[5] >= 0 && x[7] >= 0 &&
	                x[7] <= 1;
	if (!is_sound) {
		ring->was_malformed = true;
		return;
	}
	*seat = (struct seat){.n = x[0], .weight = x[1], .given = x[2], .back = x[3], .owed = x[4], .used = x[5], .day = x[6],
	                      .is_out = x[7] == 1, .is_known = true};
}

static struct slice seat_value(const struct seat *seat, struct arena *arena)
{
	const int64_t x[SEAT_NUMBERS] = {seat->n,    seat->weight, seat->given, seat->back,
	                                 seat->owed, seat->used,   seat->day,   seat->is_out};
	size_t count = seat->back != 0 || seat->owed != 0 || seat->used != 0 || seat->is_out ? SEAT_NUMBERS : 3;
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < count; i++) {
		strbuf_putc(&text, i == 0 ? '[' : ',');
		strbuf_put_int(&text, x[i]);
	}
	strbuf_putc(&text, ']');
	struct slice value = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return value;
}

/* ---- the header */

static bool read_pair(const struct json *pair, int64_t *ret_n, int64_t *ret_weight)
{
	if (pair == NULL || pair->type != JSON_IS_ARRAY || pair->count < 2 || pair->items[0].type != JSON_IS_INT ||
	    pair->items[1].type != JSON_IS_INT || !is_position(pair->items[0].integer, pair->items[1].integer))
		return false;
	*ret_n = pair->items[0].integer;
	*ret_weight = pair->items[1].integer;
	return true;
}

/* Members stand in the order of their ids, so of one who has left the place between the others is what counts. */
static uint32_t place_of_id(const struct ring *ring, struct slice id)
{
	size_t low = 0, high = ring->team->member_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_compare(ring->model->reps[ring->team->members[middle].rep].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static bool read_mark(struct ring *ring, const struct json *root)
{
	const struct json *mark = json_get(root, "mark");
	int64_t n, weight, high_n, high_weight;
	if (!read_pair(mark, &n, &weight) || !read_pair(json_get(root, "high"), &high_n, &high_weight) || mark->count != 3 ||
	    mark->items[2].type != JSON_IS_STRING)
		return false;
	struct slice id = mark->items[2].text;
	ring->mark = (struct turn){n, weight, id.len != 0 ? place_of_id(ring, id) : RING_NOBODY};
	ring->high_n = high_n;
	ring->high_weight = high_weight;
	return true;
}

static bool read_credit(struct ring *ring, const struct json *row)
{
	if (row->type != JSON_IS_ARRAY || row->count != 3 || row->items[0].type != JSON_IS_STRING ||
	    row->items[1].type != JSON_IS_INT || row->items[2].type != JSON_IS_INT)
		return false;
	uint32_t member = place_of_id(ring, row->items[0].text);
	const struct team *team = ring->team;
	if (member < team->member_count &&
	    slice_equal(ring->model->reps[team->members[member].rep].id, row->items[0].text))
		ring->seats[member] = (struct seat){
			.n = row->items[1].integer, .weight = team->members[member].weight, .given = row->items[2].integer};
	return true;
}

static bool read_credits(struct ring *ring, const struct json *root)
{
	const struct json *list = json_get(root, "credits");
	bool is_sound = list != NULL && list->type == JSON_IS_ARRAY;
	for (size_t i = 0; is_sound && i < list->count; i++)
		is_sound = read_credit(ring, &list->items[i]);
	return is_sound;
}

/* After a change of the pool's form the other one's value is simply no help. */
static void read_header(struct ring *ring, struct slice value)
{
	struct arena scratch = ARENA_INIT;
	struct json_limits limits = {HEADER_BYTES_MAX, 4, 5 * POOL_CREDIT_MEMBERS_MAX + 10};
	const struct json *root = json_read(value, limits, &scratch, NULL);
	bool is_credit = json_get(root, "credits") != NULL;
	if (root == NULL || (!is_credit && json_get(root, "mark") == NULL))
		ring->was_malformed = true;
	else if (is_credit == (ring->pool->rotation == ROTATION_CREDIT))
		ring->was_malformed = is_credit ? !read_credits(ring, root) : !read_mark(ring, root);
	arena_done(&scratch);
}

static struct slice mark_value(const struct ring *ring, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	const struct turn *mark = &ring->mark;
	struct slice id = SLICE("");
	if (mark->member < ring->team->member_count)
		id = ring->model->reps[ring->team->members[mark->member].rep].id;
	json_open_object(&writer, NULL);
	json_open_array(&writer, "mark");
	json_put_int(&writer, NULL, mark->n);
	json_put_int(&writer, NULL, mark->weight);
	json_put_text(&writer, NULL, id);
	json_close_array(&writer);
	json_open_array(&writer, "high");
	json_put_int(&writer, NULL, ring->high_n);
	json_put_int(&writer, NULL, ring->high_weight);
	json_close_array(&writer);
	json_close_object(&writer);
	struct slice value = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return value;
}

static struct slice credits_value(const struct ring *ring, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_open_array(&writer, "credits");
	for (size_t i = 0; i < ring->team->member_count; i++) {
		const struct seat *seat = &ring->seats[i];
		if (seat->n == 0 && seat->given == 0)
			continue;
		json_open_array(&writer, NULL);
		json_put_text(&writer, NULL, ring->model->reps[ring->team->members[i].rep].id);
		json_put_int(&writer, NULL, seat->n);
		json_put_int(&writer, NULL, seat->given);
		json_close_array(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	struct slice value = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return value;
}

/* ---- heaps */

static struct ring_heap *heaps_of(const struct ring *ring, struct arena *arena)
{
	struct ring_heap *heaps = arena_array(arena, ring->pool->class_count, sizeof *heaps);
	size_t *sizes = arena_array(arena, ring->pool->class_count, sizeof *sizes);
	for (size_t i = 0; i < ring->team->member_count; i++)
		sizes[pool_class(ring->pool, i)]++;
	for (size_t class = 0; class < ring->pool->class_count; class++)
		heaps[class].items = arena_array(arena, sizes[class], sizeof *heaps[class].items);
	return heaps;
}

/* ---- who took part in a turn of credit, as a lead remembers it */

enum { MARK_DIGITS = 8 };

static uint64_t members_mark(const struct model *model, const struct team *team)
{
	uint64_t mark = 0;
	for (size_t i = 0; i < team->member_count; i++)
		mark = hash_sip((const uint64_t[]){mark, i}, model->reps[team->members[i].rep].id);
	return mark;
}

static void put_digits(struct strbuf *text, uint64_t value, size_t count)
{
	while (count-- > 0)
		strbuf_putc(text, "0123456789abcdef"[value >> 4 * count & 15]);
}

struct slice ring_turn_text(const struct ring *ring, const uint32_t *candidates, size_t count, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	size_t at = 0;
	put_digits(&text, ring->members_mark, MARK_DIGITS);
	strbuf_putc(&text, ':');
	for (uint32_t first = 0; first < ring->team->member_count; first += 4) {
		unsigned bits = 0;
		for (; at < count && candidates[at] < first + 4; at++)
			bits |= 1u << (candidates[at] - first);
		put_digits(&text, bits, 1);
	}
	struct slice turn = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return turn;
}

static unsigned digit_of(char c)
{
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : c >= '0' && c <= '9' ? (unsigned)(c - '0') : 0;
}

static bool is_of_these(const struct ring *ring, struct slice text)
{
	uint64_t mark = 0;
	if (text.len != MARK_DIGITS + 1 + (ring->team->member_count + 3) / 4)
		return false;
	for (size_t i = 0; i < MARK_DIGITS; i++)
		mark = mark << 4 | digit_of(text.p[i]);
	return mark == (ring->members_mark & UINT32_MAX);
}

size_t ring_turn_read(const struct ring *ring, struct slice text, uint32_t *ret_candidates)
{
	size_t count = 0;
	if (!is_of_these(ring, text))
		return 0;
	for (uint32_t i = 0; i < ring->team->member_count; i++)
		if ((digit_of(text.p[MARK_DIGITS + 1 + i / 4]) >> i % 4 & 1) != 0)
			ret_candidates[count++] = i;
	return count;
}

/* ---- the whole */

void ring_open(struct ring *ring, const struct model *model, const struct team *team, struct slice lane,
               const int64_t *loads, const struct overlay *overlay, struct arena *arena)
{
	*ring = (struct ring){.model = model, .team = team, .pool = pool_of(team), .lane = lane, .loads = loads,
	                      .mark = {0, 1, RING_NOBODY}, .high_weight = 1, .day = INT64_MIN};
	ring->seats = arena_array(arena, team->member_count, sizeof *ring->seats);
	ring->dirty = arena_array(arena, team->member_count, sizeof *ring->dirty);
	ring->by_turn = heaps_of(ring, arena);
	ring->members_mark = ring->pool->rotation == ROTATION_CREDIT ? members_mark(model, team) : 0;
	ring->by_load = ring->pool->by_load || ring->pool->has_gap ? heaps_of(ring, arena) : NULL;
	struct arena keys = ARENA_INIT;
	struct slice header = overlay_peek(overlay, header_key(ring, &keys));
	if (header.len != 0)
		read_header(ring, header);
	for (uint32_t i = 0; ring->pool->rotation == ROTATION_STRIDE && i < team->member_count; i++) {
		struct slice value = overlay_peek(overlay, seat_key(ring, i, &keys));
		if (value.len != 0)
			read_seat(ring, i, value);
		if (i % 256 == 255)
			arena_reset(&keys);
	}
	arena_done(&keys);
}

void ring_flush(struct ring *ring, struct overlay *overlay, struct arena *arena)
{
	bool is_credit = ring->pool->rotation == ROTATION_CREDIT;
	if (is_credit && ring->dirty_count != 0)
		overlay_put(overlay, header_key(ring, arena), credits_value(ring, arena), 0);
	else if (!is_credit && ring->is_dirty)
		overlay_put(overlay, header_key(ring, arena), mark_value(ring, arena), 0);
	for (size_t i = 0; i < ring->dirty_count; i++) {
		struct seat *seat = &ring->seats[ring->dirty[i]];
		seat->is_dirty = false;
		if (!is_credit)
			overlay_put(overlay, seat_key(ring, ring->dirty[i], arena), seat_value(seat, arena), 0);
	}
	ring->dirty_count = 0;
	ring->is_dirty = false;
}
