/* SPDX-License-Identifier: Apache-2.0
 *
 * One cell: adding, and its form as JSON:
 *
 *     {"obtained":3,"passed":2,"reasons":{"stopped:grade_stops":1},"response":[412,1,455,2]}
 *
 * Distributions are pairs of bucket and count (rules/figures/histogram.h).
 */
#include "rules/figures/figures.h"

#include <math.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/text/normalise.h"

/* ---- reasons, sorted by figure and text */

static int compare(const struct figures_reason *reason, enum figure figure, struct slice text)
{
	if (reason->figure != figure)
		return reason->figure < figure ? -1 : 1;
	return slice_compare(reason->text, text);
}

static size_t place_of(const struct figures_cell *cell, enum figure figure, struct slice text, bool *ret_is_there)
{
	size_t at = 0;
	while (at < cell->reason_count && compare(&cell->reasons[at], figure, text) < 0)
		at++;
	*ret_is_there = at < cell->reason_count && compare(&cell->reasons[at], figure, text) == 0;
	return at;
}

/* Room for one more than the limit per figure: that of "(other)". */
static void insert(struct figures_cell *cell, size_t at, enum figure figure, struct slice text, struct arena *arena)
{
	if (cell->reason_count == cell->reason_room) {
		size_t room = cell->reason_room == 0 ? 4 : cell->reason_room * 2;
		struct figures_reason *reasons = arena_array(arena, room, sizeof *reasons);
		if (cell->reason_count != 0)
			memcpy(reasons, cell->reasons, cell->reason_count * sizeof *reasons);
		cell->reasons = reasons;
		cell->reason_room = room;
	}
	memmove(&cell->reasons[at + 1], &cell->reasons[at], (cell->reason_count - at) * sizeof *cell->reasons);
	cell->reasons[at] = (struct figures_reason){figure, {arena_memdupz(arena, text.p, text.len), text.len}, 0};
	cell->reason_count++;
}

void figures_cell_reason(struct figures_cell *cell, enum figure figure, struct slice text, int64_t count, struct arena *arena)
{
	bool is_there;
	struct slice cut = text_truncate(text, FIGURES_REASON_BYTES_MAX);
	size_t at = place_of(cell, figure, cut, &is_there);
	if (!is_there && cell->reason_count >= FIGURES_REASONS_MAX) {
		cut = SLICE(FIGURES_OTHER);
		at = place_of(cell, figure, cut, &is_there);
	}
	if (!is_there)
		insert(cell, at, figure, cut, arena);
	cell->reasons[at].count += count;
}

void figures_cell_merge(struct figures_cell *into, const struct figures_cell *from, struct arena *arena)
{
	for (size_t i = 0; i < FIGURES; i++)
		into->counts[i] += from->counts[i];
	for (size_t i = 0; i < FIGURE_TIMES_ALL; i++)
		histogram_merge(&into->times[i], &from->times[i], arena);
	for (size_t i = 0; i < from->reason_count; i++)
		figures_cell_reason(into, from->reasons[i].figure, from->reasons[i].text, from->reasons[i].count, arena);
}

/* ---- JSON */

static void write_reasons(struct json_writer *writer, const struct figures_cell *cell)
{
	struct strbuf name = STRBUF_INIT;
	json_open_object(writer, "reasons");
	for (size_t i = 0; i < cell->reason_count; i++) {
		const struct figures_reason *reason = &cell->reasons[i];
		strbuf_clear(&name);
		strbuf_printf(&name, "%s:%.*s", figure_name(reason->figure), SLICE_ARG(reason->text));
		json_put_int_as(writer, (struct slice){name.bytes, name.len}, reason->count);
	}
	json_close_object(writer);
	strbuf_done(&name);
}

void figures_cell_write(struct json_writer *writer, const char *name, const struct figures_cell *cell)
{
	json_open_object(writer, name);
	for (int i = 0; i < FIGURES; i++)
		if (cell->counts[i] != 0)
			json_put_int(writer, figure_name((enum figure)i), cell->counts[i]);
	if (cell->reason_count != 0)
		write_reasons(writer, cell);
	for (int i = 0; i < FIGURE_TIMES_ALL; i++) {
		const struct histogram *times = &cell->times[i];
		if (times->used == 0)
			continue;
		json_open_array(writer, figure_time_name((enum figure_time)i));
		for (size_t n = 0; n < times->used; n++) {
			json_put_int(writer, NULL, times->buckets[n].index);
			json_put_int(writer, NULL, times->buckets[n].count);
		}
		json_close_array(writer);
	}
	json_close_object(writer);
}

static int read_reasons(const struct json *from, struct figures_cell *cell, struct arena *arena)
{
	if (from->type != JSON_IS_OBJECT)
		return -1;
	for (size_t i = 0; i < from->count; i++) {
		const char *colon = memchr(from->names[i].p, ':', from->names[i].len);
		if (colon == NULL || from->items[i].type != JSON_IS_INT)
			return -1;
		size_t len = (size_t)(colon - from->names[i].p);
		enum figure figure = figure_find((struct slice){from->names[i].p, len});
		if (figure == FIGURES)
			return -1;
		figures_cell_reason(cell, figure, (struct slice){colon + 1, from->names[i].len - len - 1}, from->items[i].integer,
		                    arena);
	}
	return 0;
}

static int read_times(const struct json *from, struct histogram *times, struct arena *arena)
{
	if (from->type != JSON_IS_ARRAY || from->count % 2 != 0)
		return -1;
	for (size_t i = 0; i < from->count; i += 2)
		if (from->items[i].type != JSON_IS_INT || from->items[i + 1].type != JSON_IS_INT ||
		    histogram_add_bucket(times, from->items[i].integer, from->items[i + 1].integer, arena) != 0)
			return -1;
	return 0;
}

static int read_member(struct slice name, const struct json *from, struct figures_cell *cell, struct arena *arena)
{
	enum figure figure = figure_find(name);
	if (figure != FIGURES) {
		cell->counts[figure] = from->integer;
		return from->type == JSON_IS_INT ? 0 : -1;
	}
	if (slice_is(name, "reasons"))
		return read_reasons(from, cell, arena);
	for (int i = 0; i < FIGURE_TIMES_ALL; i++)
		if (slice_is(name, figure_time_name((enum figure_time)i)))
			return read_times(from, &cell->times[i], arena);
	return -1;
}

int figures_cell_read(const struct json *from, struct figures_cell *ret_cell, struct arena *arena)
{
	struct figures_cell cell = {0};
	if (from == NULL || from->type != JSON_IS_OBJECT)
		return -1;
	for (size_t i = 0; i < from->count; i++)
		if (read_member(from->names[i], &from->items[i], &cell, arena) != 0)
			return -1;
	*ret_cell = cell;
	return 0;
}

/* ---- rates */

/* Edwin B. Wilson 1927; z is the 97.5 % quantile of the normal distribution. */
struct figures_rate figures_rate(int64_t hits, int64_t all)
{
	static const double z = 1.959963984540054;
	if (all <= 0)
		return (struct figures_rate){0};
	double n = (double)all, p = (double)(hits < 0 ? 0 : hits > all ? all : hits) / n;
	double middle = p + z * z / (2 * n), spread = z * sqrt((p * (1 - p) + z * z / (4 * n)) / n), whole = 1 + z * z / n;
	double low = (middle - spread) / whole, high = (middle + spread) / whole;
	return (struct figures_rate){true, p, low < 0 || hits <= 0 ? 0 : low, high > 1 || hits >= all ? 1 : high};
}

void figures_sample_rank(struct slice seed, struct slice lead_id, char ret_rank[FIGURES_RANK_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	const struct slice parts[] = {SLICE("leadrouter audit sample"), seed, lead_id};
	hash_sha256_parts(parts, 3, digest);
	hash_hex(digest, (FIGURES_RANK_BYTES - 1) / 2, ret_rank);
}
