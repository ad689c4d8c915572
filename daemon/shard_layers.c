/* SPDX-License-Identifier: Apache-2.0
 *
 * What a decision sees: the layers of batches that are decided and not yet in every read, then the memory, then what its own
 * batch has read (the picture is in shard_run.c).
 */
#include "daemon/mutation.h"
#include "daemon/shard_private.h"

static bool is_layer(const struct batch *batch)
{
	return batch->state == BATCH_DECIDED || batch->state == BATCH_COMMITTED || batch->state == BATCH_APPLIED ||
	       mutation_is("keep-overlay-after-abort");
}

/* What a decision saw may stand in its events and writes, which outlive other batches' layers: so it gets a copy. */
static void borrow(struct batch *batch, struct slice value, struct slice *ret_value)
{
	*ret_value = (struct slice){arena_memdupz(&batch->decided, value.p, value.len), value.len};
}

/* Newest layer first, then memory, then what the batch has read. The list runs oldest first, so the last layer
 * that knows the key wins. */
static enum view_answer look_up(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct shard_lookup *lookup = ctx;
	enum view_answer answer = VIEW_NOT_READ;
	struct slice found = SLICE_NONE;
	for (const struct batch *layer = lookup->shard->batches; layer != NULL; layer = layer->next) {
		if (layer == lookup->batch && !mutation_is("keep-overlay-after-abort"))
			break;
		if (!is_layer(layer) || mutation_is("no-overlay"))
			continue;
		struct slice value = SLICE_NONE;
		enum view_answer here = batch_layer_get(layer, key, &value);
		if (here == VIEW_NOT_READ)
			continue;
		answer = here;
		found = value;
	}
	if (answer == VIEW_FOUND)
		borrow(lookup->batch, found, ret_value);
	if (answer != VIEW_NOT_READ)
		return answer;
	if (!rules_is_memory(key))
		return batch_value_get(lookup->batch, key, ret_value);
	const struct memory *memory = map_get(&lookup->shard->memory, key);
	if (memory == NULL)
		return VIEW_ABSENT;
	borrow(lookup->batch, (struct slice){memory->value, memory->value_len}, ret_value);
	return VIEW_FOUND;
}

static void walk(const struct map *map, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(map, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix))
			see(arg, entry->key);
}

/* Memory keys, those of layers too; one may come twice, or be gone: who sees it looks it up. */
static void look_through(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct shard_lookup *lookup = ctx;
	walk(&lookup->shard->memory, prefix, see, arg);
	for (const struct batch *layer = lookup->shard->batches; layer != NULL && layer != lookup->batch; layer = layer->next)
		if (is_layer(layer))
			walk(&layer->layer, prefix, see, arg);
}

struct rules_view shard_layers_view(struct shard_lookup *lookup)
{
	return (struct rules_view){look_up, lookup, look_through};
}

void shard_keep_memory(struct shard *shard, const struct batch *batch)
{
	for (size_t i = 0; i < batch->job.write_count; i++) {
		const struct write *write = &batch->job.writes[i];
		if (rules_is_memory(write->key))
			shard_put_memory(shard, write->key, write->value, write->is_tombstone);
	}
}

void shard_remove_batch(struct shard *shard, struct batch *batch)
{
	struct batch **link = &shard->batches;
	while (*link != batch)
		link = &(*link)->next;
	*link = batch->next;
	batch_free(batch);
}

/* A layer goes only when its apply is acknowledged and every read that was sent before that has been decided: such a
 * read may have been answered before the apply, and without the layer its decision would see neither. */
void shard_drop_layers(struct shard *shard)
{
	while (shard->batches != NULL && shard->batches->state == BATCH_APPLIED &&
	       shard->batches->drop_after_read <= shard->reads_decided) {
		shard_keep_memory(shard, shard->batches);
		shard_remove_batch(shard, shard->batches);
	}
}
