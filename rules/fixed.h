/* SPDX-License-Identifier: Apache-2.0
 *
 * Powers and logarithms of two in integers, for scores that must come out alike on every machine: the last digit of a C
 * library's exp() and log() differs from one to the next.
 *
 * Q32: 32 bits behind the point, 2^32 is one. Q63: the same with 63.
 */
#ifndef LR_RULES_FIXED_H
#define LR_RULES_FIXED_H

#include <stdint.h>

#define FIXED_ONE_Q32 (INT64_C(1) << 32)
#define FIXED_ONE_Q63 (UINT64_C(1) << 63)

/* 2^-x as Q63, x as Q32; 0 when it is below 2^-63. Wrong by less than 2^-57. */
uint64_t fixed_pow2_neg(uint64_t x_q32);
/* log2(a / b) as Q32; a, b > 0. Wrong by less than 2^-30. */
int64_t fixed_log2_ratio(uint64_t a, uint64_t b);
/* floor(value * 2^(-elapsed / half_life)): what is left of a value that halves with every half-life. Both times in the same
 * unit; elapsed below 0 counts as 0; half_life > 0. Keeps the sign. */
int64_t fixed_decay(int64_t value, int64_t elapsed, int64_t half_life);

#endif
