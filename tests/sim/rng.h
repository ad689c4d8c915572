/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's only source of chance (splitmix64, Steele and others 2014): one seed, one schedule.
 */
#ifndef LR_TESTS_SIM_RNG_H
#define LR_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 … count-1; count > 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t count)
{
	return rng_next(rng) % count;
}

/* from … to, both included. */
static inline int64_t rng_between(struct rng *rng, int64_t from, int64_t to)
{
	return from + (int64_t)rng_below(rng, (uint64_t)(to - from) + 1);
}

/* True `per_10000` times in 10,000. */
static inline bool rng_hits(struct rng *rng, unsigned per_10000)
{
	return per_10000 > 0 && rng_below(rng, 10000) < per_10000;
}

#endif
