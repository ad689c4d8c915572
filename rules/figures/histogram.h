/* SPDX-License-Identifier: Apache-2.0
 *
 * A distribution of durations in bounded space: counts per bucket, buckets that grow with the value (log-linear).
 *
 *     0 … 31 ms one bucket each, then 32 buckets for each doubling: [32,64) by 1, [64,128) by 2, [128,256) by 4 …
 *
 * A bucket is at most 1/32 of its values wide and stands for its middle, so a quantile read from it is wrong by at most
 * HISTOGRAM_ERROR of the value. Merging adds counts: it is exact, and any split and order of the values gives the same.
 */
#ifndef LR_RULES_FIGURES_HISTOGRAM_H
#define LR_RULES_FIGURES_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct arena;

enum {
	HISTOGRAM_STEPS = 32,
	HISTOGRAM_DOUBLINGS = 40,                                 /* up to 2^45 ms, a thousand years; longer counts as that */
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (HISTOGRAM_DOUBLINGS + 1),
};
#define HISTOGRAM_ERROR (1.0 / 64)

struct histogram_bucket {
	int64_t index, count;
};

/* Zeroed: empty. Buckets that are used, by index; they lie in the arena of the calls. */
struct histogram {
	int64_t total;
	struct histogram_bucket *buckets;
	size_t used, room;
};

/* `value_ms` below 0 counts as 0. */
void histogram_add(struct histogram *histogram, int64_t value_ms, struct arena *arena);
/* Adds `count` > 0 to the bucket `index`; an index or count out of range adds nothing and gives -1. */
int histogram_add_bucket(struct histogram *histogram, int64_t index, int64_t count, struct arena *arena);
void histogram_merge(struct histogram *into, const struct histogram *from, struct arena *arena);
/* The value that `per_mille` of all values do not exceed (500: the median; the nearest rank), as the middle of its bucket;
 * -1 when there is no value. */
int64_t histogram_quantile(const struct histogram *histogram, int per_mille);

#endif
