/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/suggest.h"

#include <string.h>

/* A changed letter costs 2, a letter in the other case 1, so that `Team` is nearer to `team` than `tear` is. */
enum { STEP = 2, BEGINNING_BYTES_MIN = 4 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
}

static unsigned replace_cost(char a, char b)
{
	if (a == b)
		return 0;
	return lower(a) == lower(b) ? 1 : STEP;
}

/* Optimal string alignment over three rows of the usual table. Both words are at most SUGGEST_WORD_BYTES long. */
static unsigned distance(struct slice a, struct slice b)
{
	unsigned rows[3][SUGGEST_WORD_BYTES + 1];
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = STEP * (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = STEP * (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			row[j] = above[j - 1] + replace_cost(a.p[i - 1], b.p[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + STEP);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = least(row[j], two_above[j - 2] + STEP);
		}
	}
	return rows[a.len % 3][b.len];
}

/* A third of the letters may be wrong, and one letter even in short words. */
static unsigned limit_of(struct slice word)
{
	return STEP * (unsigned)(word.len < 6 ? 1 : word.len / 3);
}

struct suggest suggest_for(struct slice word)
{
	return (struct suggest){.word = word, .best_distance = limit_of(word) + 1};
}

/* `remind` for `remind_before`, `waiting` for `wait`: as near as the farthest that is still offered. */
static bool is_beginning(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	return shorter >= BEGINNING_BYTES_MIN && memcmp(a.p, b.p, shorter) == 0;
}

void suggest_offer(struct suggest *suggest, struct slice candidate)
{
	if (suggest->word.len < 2 || suggest->word.len > SUGGEST_WORD_BYTES || candidate.len > SUGGEST_WORD_BYTES)
		return;
	unsigned found = distance(suggest->word, candidate);
	if (is_beginning(suggest->word, candidate))
		found = least(found, limit_of(suggest->word));
	if (found >= suggest->best_distance || found >= STEP * candidate.len)
		return;
	suggest->best = candidate;
	suggest->best_distance = found;
}
