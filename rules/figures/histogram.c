/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/figures/histogram.h"

#include <string.h>

#include "rules/base/arena.h"

enum { STEP_BITS = 5, FIRST_ROOM = 4 };

static int64_t index_of(int64_t value_ms)
{
	if (value_ms < HISTOGRAM_STEPS)
		return value_ms > 0 ? value_ms : 0;
	int doubling = 63 - __builtin_clzll((unsigned long long)value_ms) - STEP_BITS; /* 0: [32,64) */
	if (doubling >= HISTOGRAM_DOUBLINGS)
		return HISTOGRAM_BUCKETS - 1;
	return (int64_t)(doubling + 1) * HISTOGRAM_STEPS + ((value_ms >> doubling) - HISTOGRAM_STEPS);
}

static int64_t middle_of(int64_t index)
{
	if (index < HISTOGRAM_STEPS)
		return index;
	int64_t doubling = index / HISTOGRAM_STEPS - 1, step = index % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
	int64_t width = INT64_C(1) << doubling;
	return step * width + (width - 1) / 2;
}

/* Where the bucket is, or has to be put in. */
static size_t place_of(const struct histogram *histogram, int64_t index)
{
	size_t low = 0, high = histogram->used;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (histogram->buckets[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void grow(struct histogram *histogram, struct arena *arena)
{
	size_t room = histogram->room == 0 ? FIRST_ROOM : histogram->room * 2;
	struct histogram_bucket *buckets = arena_array(arena, room, sizeof *buckets);
	if (histogram->used != 0)
		memcpy(buckets, histogram->buckets, histogram->used * sizeof *buckets);
	histogram->buckets = buckets;
	histogram->room = room;
}

int histogram_add_bucket(struct histogram *histogram, int64_t index, int64_t count, struct arena *arena)
{
	if (index < 0 || index >= HISTOGRAM_BUCKETS || count <= 0 || count > INT64_MAX - histogram->total)
		return -1;
	size_t at = place_of(histogram, index);
	histogram->total += count;
	if (at < histogram->used && histogram->buckets[at].index == index) {
		histogram->buckets[at].count += count;
		return 0;
	}
	if (histogram->used == histogram->room)
		grow(histogram, arena);
	memmove(&histogram->buckets[at + 1], &histogram->buckets[at], (histogram->used - at) * sizeof *histogram->buckets);
	histogram->buckets[at] = (struct histogram_bucket){index, count};
	histogram->used++;
	return 0;
}

void histogram_add(struct histogram *histogram, int64_t value_ms, struct arena *arena)
{
	(void)histogram_add_bucket(histogram, index_of(value_ms), 1, arena); /* fails only behind 2^63 values */
}

void histogram_merge(struct histogram *into, const struct histogram *from, struct arena *arena)
{
	for (size_t i = 0; i < from->used; i++)
		(void)histogram_add_bucket(into, from->buckets[i].index, from->buckets[i].count, arena); /* as above */
}

int64_t histogram_quantile(const struct histogram *histogram, int per_mille)
{
	if (histogram->total == 0)
		return -1;
	/* ceil(total * per_mille / 1000), without overflow */
	int64_t rank = histogram->total / 1000 * per_mille + (histogram->total % 1000 * per_mille + 999) / 1000;
	int64_t seen = 0;
	for (size_t i = 0; i < histogram->used; i++) {
		seen += histogram->buckets[i].count;
		if (seen >= rank)
			return middle_of(histogram->buckets[i].index);
	}
	return middle_of(histogram->buckets[histogram->used - 1].index);
}
