/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/overlay.h"

#include <assert.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"

enum { FIRST_ROOM = 16 };

void overlay_init(struct overlay *overlay, struct rules_view view, struct slice secret, struct arena *arena)
{
	*overlay = (struct overlay){.view = view, .arena = arena};
	size_t len = secret.len < sizeof overlay->seed ? secret.len : sizeof overlay->seed;
	if (len != 0)
		memcpy(overlay->seed, secret.p, len);
}

static uint32_t *probe(const struct overlay *overlay, struct slice key, uint64_t hash)
{
	size_t at = hash & (overlay->slot_count - 1);
	for (uint32_t slot; (slot = overlay->slots[at]) != 0; at = (at + 1) & (overlay->slot_count - 1))
		if (overlay->hashes[slot - 1] == hash && slice_equal(overlay->writes[slot - 1].key, key))
			break;
	return &overlay->slots[at];
}

static uint64_t hash_of(const struct overlay *overlay, struct slice key)
{
	return hash_sip(overlay->seed, key);
}

/* Twice as many slots as writes, at least: probes stay short. */
static void grow(struct overlay *overlay)
{
	size_t room = overlay->room ? overlay->room * 4 : FIRST_ROOM;
	struct write *writes = arena_raw(overlay->arena, room * sizeof *writes);
	uint64_t *hashes = arena_raw(overlay->arena, room * sizeof *hashes);
	if (overlay->count != 0) {
		memcpy(writes, overlay->writes, overlay->count * sizeof *writes);
		memcpy(hashes, overlay->hashes, overlay->count * sizeof *hashes);
	}
	overlay->writes = writes;
	overlay->hashes = hashes;
	overlay->room = room;
	overlay->slot_count = room * 2;
	overlay->slots = arena_array(overlay->arena, overlay->slot_count, sizeof *overlay->slots);
	for (size_t i = 0; i < overlay->count; i++)
		*probe(overlay, writes[i].key, hashes[i]) = (uint32_t)i + 1;
}

struct slice overlay_peek(const struct overlay *overlay, struct slice key)
{
	if (overlay->count != 0) {
		uint32_t slot = *probe(overlay, key, hash_of(overlay, key));
		if (slot != 0)
			return overlay->writes[slot - 1].is_tombstone ? SLICE_NONE : overlay->writes[slot - 1].value;
	}
	struct slice value = SLICE_NONE;
	enum view_answer answer = overlay->view.get(overlay->view.ctx, key, &value);
	assert(answer != VIEW_NOT_READ);
	return answer == VIEW_FOUND ? value : SLICE_NONE;
}

/* Events and decisions name owners and leads out of these values, and they outlive the view: the value may lie in an earlier
 * batch that is applied and freed before this one is committed. */
struct slice overlay_get(const struct overlay *overlay, struct slice key)
{
	struct slice value = overlay_peek(overlay, key);
	return value.len == 0 ? SLICE_NONE : (struct slice){arena_memdupz(overlay->arena, value.p, value.len), value.len};
}

static struct write *write_of(struct overlay *overlay, struct slice key)
{
	if (overlay->count == overlay->room)
		grow(overlay);
	uint64_t hash = hash_of(overlay, key);
	uint32_t *slot = probe(overlay, key, hash);
	if (*slot == 0) {
		overlay->hashes[overlay->count] = hash;
		overlay->writes[overlay->count++] = (struct write){.key = key};
		*slot = (uint32_t)overlay->count;
	}
	return &overlay->writes[*slot - 1];
}

void overlay_put(struct overlay *overlay, struct slice key, struct slice value, int64_t due_ms)
{
	struct write *write = write_of(overlay, key);
	write->value = value;
	write->due_ms = due_ms;
	write->is_tombstone = false;
}

void overlay_remove(struct overlay *overlay, struct slice key)
{
	struct write *write = write_of(overlay, key);
	write->value = SLICE_NONE;
	write->due_ms = 0;
	write->is_tombstone = true;
}
