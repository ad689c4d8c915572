/* SPDX-License-Identifier: Apache-2.0
 *
 * How a team's rotation stands, for people: renders what rules/pool_report.h says of each shard.
 */
#ifndef LR_RULES_STORY_STORY_RING_H
#define LR_RULES_STORY_STORY_RING_H

struct json;
struct strbuf;

/* `shards` is the list that an instance answers to "which ring"; one part for each, a table for each lane, line by line. */
void story_ring(struct strbuf *out, const struct json *shards);

#endif
