/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks of a running shard over all its leads (rules.h): which one is under way and how far it has come. Each batch takes one
 * bounded step along.
 */
#include <stdlib.h>

#include "daemon/shard_private.h"
#include "rules/base/mem.h"

void shard_drop_walk(struct shard *shard)
{
	free(shard->walk.key);
	shard->walk = (struct walk){0};
}

void shard_restart_walk(struct shard *shard)
{
	shard->walk.cursor = 0;
	shard->walk.has_ended = false;
	shard->walk.is_anew = true;
}

/* The first walk that is asked for. Its key is in memory only when the batch that wrote it, and every one before, is applied:
 * the view holds each lead that has to be visited. */
static void choose_walk(struct shard *shard)
{
	struct walk *walk = &shard->walk;
	if (walk->is_settled)
		return;
	struct slice first = SLICE_NONE;
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&shard->memory, &at)) != NULL;)
		if (slice_has_prefix(entry->key, SLICE(RULES_WALK_PREFIX)) &&
		    (first.len == 0 || slice_compare(entry->key, first) < 0))
			first = entry->key;
	if (walk->key != NULL && !slice_is(first, walk->key))
		shard_drop_walk(shard);
	if (walk->key == NULL && first.len != 0)
		walk->key = xmemdupz(first.p, first.len);
	walk->is_settled = true;
}

bool shard_is_walking(struct shard *shard)
{
	choose_walk(shard);
	return shard->walk.key != NULL && !shard->walk.has_ended;
}

void shard_join_walk(struct shard *shard, struct batch *batch)
{
	if (!shard_is_walking(shard))
		return;
	struct slice key = slice_of(shard->walk.key);
	batch->walk_key = (struct slice){arena_memdupz(&batch->kept, key.p, key.len), key.len};
}

/* A step that was read behind a cursor which is good no more is none: the walk was asked for again meanwhile, or the cursor
 * is that of another server. */
void shard_check_step(struct shard *shard, struct batch *batch)
{
	struct walk *walk = &shard->walk;
	if (batch->walk_key.len == 0)
		return;
	if (walk->series != view_series(shard->parts.view))
		shard_restart_walk(shard);
	if (walk->is_anew)
		batch->walk_key = SLICE_NONE;
}

/* The step is decided: the next one begins behind it. */
void shard_note_walk(struct shard *shard, const struct batch *batch)
{
	struct walk *walk = &shard->walk;
	if (batch->walk_key.len == 0 || walk->key == NULL || !slice_is(batch->walk_key, walk->key))
		return;
	walk->cursor = batch->walk_next;
	walk->has_ended = batch->walk_next == 0;
}
