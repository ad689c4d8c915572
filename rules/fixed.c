/* SPDX-License-Identifier: Apache-2.0
 *
 * pow2 multiplies one factor per bit of the fraction; log2 squares the mantissa and takes one bit of the result each time.
 */
#include "rules/fixed.h"

#include <assert.h>

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_BITS = 32, Q63_BITS = 63 };

/* 2^-(2^-k) as Q63, k = 1…32. */
static const uint64_t roots[FRACTION_BITS] = {
	0x5a827999fcef3242, 0x6ba27e656b4eb57a, 0x75606373ee921c97, 0x7a92be8a92436616,
	0x7d41d96db915019d, 0x7e9f06067a4360ba, 0x7f4f08ae3dc7c426, 0x7fa765aca88f6453,
	0x7fd3ab290e46d769, 0x7fe9d3a8e07bf086, 0x7ff4e9597bed93ab, 0x7ffa748dff8dc61f,
	0x7ffd3a3f50020332, 0x7ffe9d1dbc0a75aa, 0x7fff4e8e6306ed59, 0x7fffa74712c3cdfd,
	0x7fffd3a381b1fa29, 0x7fffe9d1beed018a, 0x7ffff4e8defb81d7, 0x7ffffa746f5f012f,
	0x7ffffd3a37a7d0a8, 0x7ffffe9d1bd1fc58, 0x7fffff4e8de8832d, 0x7fffffa746f422d7,
	0x7fffffd3a37a09bb, 0x7fffffe9d1bd02f2, 0x7ffffff4e8de80fe, 0x7ffffffa746f4060,
	0x7ffffffd3a37a028, 0x7ffffffe9d1bd012, 0x7fffffff4e8de809, 0x7fffffffa746f404,
};

static uint64_t multiply_q63(uint64_t a, uint64_t b)
{
	return (uint64_t)(((wide)a * b + (UINT64_C(1) << (Q63_BITS - 1))) >> Q63_BITS);
}

uint64_t fixed_pow2_neg(uint64_t x_q32)
{
	uint64_t whole = x_q32 >> FRACTION_BITS, result = FIXED_ONE_Q63;
	if (whole > Q63_BITS)
		return 0;
	for (int bit = 0; bit < FRACTION_BITS; bit++)
		if (x_q32 >> (FRACTION_BITS - 1 - bit) & 1)
			result = multiply_q63(result, roots[bit]);
	return result >> whole;
}

static int64_t log2_q32(uint64_t n)
{
	int whole = Q63_BITS - __builtin_clzll(n);
	wide mantissa = (wide)n << (Q63_BITS - whole); /* Q63, in [1, 2) */
	int64_t fraction = 0;
	for (int bit = 0; bit < FRACTION_BITS; bit++) {
		mantissa = mantissa * mantissa >> Q63_BITS;
		fraction <<= 1;
		if (mantissa >> (Q63_BITS + 1)) {
			mantissa >>= 1;
			fraction |= 1;
		}
	}
	return ((int64_t)whole << FRACTION_BITS) + fraction;
}

int64_t fixed_log2_ratio(uint64_t a, uint64_t b)
{
	assert(a > 0 && b > 0);
	return log2_q32(a) - log2_q32(b);
}

int64_t fixed_decay(int64_t value, int64_t elapsed, int64_t half_life)
{
	assert(half_life > 0);
	if (elapsed <= 0 || value == 0)
		return value;
	wide halvings = ((wide)(uint64_t)elapsed << FRACTION_BITS) / (uint64_t)half_life;
	if (halvings >> (FRACTION_BITS + 6) != 0)
		return 0; /* 64 halvings leave nothing of 63 bits */
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	int64_t left = (int64_t)((wide)size * fixed_pow2_neg((uint64_t)halvings) >> Q63_BITS);
	return value < 0 ? -left : left;
}
