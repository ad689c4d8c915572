/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes as stored values. What is taken must read back the same after it was written again.
 */
#include <assert.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/rules.h"
#include "rules/model.h"
#include "rules/overlay.h"
#include "rules/presence.h"
#include "rules/ring.h"
#include "rules/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct slice bytes_of(const struct strbuf *buf)
{
	return (struct slice){strbuf_text(buf), buf->len};
}

static void check_lead(struct slice value, struct arena *arena)
{
	struct lead_state lead, back;
	if (state_get_lead(value, arena, &lead, NULL) != 0)
		return;
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	state_put_lead(&once, &lead);
	if (once.len <= STATE_VALUE_BYTES_MAX) {
		assert(state_get_lead(bytes_of(&once), arena, &back, NULL) == 0);
		state_put_lead(&twice, &back);
		assert(slice_equal(bytes_of(&once), bytes_of(&twice)));
		assert(rules_due_of(SLICE("lead/x"), bytes_of(&once)) == state_next_due(&lead));
	}
	strbuf_done(&once);
	strbuf_done(&twice);
}

/* Every key of a rotation has this value. */
static enum view_answer all_the_same(void *ctx, struct slice key, struct slice *ret_value)
{
	(void)key;
	*ret_value = *(const struct slice *)ctx;
	return VIEW_FOUND;
}

static void check_ring(struct slice value, struct arena *arena)
{
	static const struct rep reps[] = {{.id = {"a", 1}, .is_active = true}, {.id = {"b", 1}, .is_active = true}};
	static const struct member members[] = {{0, 1}, {1, 2}};
	static const struct team team = {.id = {"t", 1}, .members = members, .member_count = 2};
	const struct model model = {.reps = reps, .rep_count = 2, .teams = &team, .team_count = 1};
	const int64_t loads[2] = {0, 0};
	struct overlay overlay;
	struct ring ring;
	overlay_init(&overlay, (struct rules_view){all_the_same, &value, NULL}, SLICE("seed"), arena);
	ring_open(&ring, &model, &team, SLICE(""), loads, &overlay, arena);
	ring_enter(&ring, 0);
	ring_enter(&ring, 1);
	ring_take(&ring, ring_first(&ring, 0));
	ring_advance(&ring, ring_first(&ring, 0));
	ring_flush(&ring, &overlay, arena);
}

static void check_presence(struct slice value, struct arena *arena)
{
	static const struct cap rolling = {.most = 3, .window = CAP_ROLLING, .length_ms = 1000, .name = {"1000", 4}};
	const struct cap *caps[] = {&rolling};
	struct presence once, twice;
	if (presence_read(&once, caps, 1, value, arena) != 0)
		return;
	struct slice stored = presence_value(&once, arena);
	assert(presence_read(&twice, caps, 1, stored, arena) == 0);
	assert(slice_equal(presence_value(&twice, arena), stored));
}

static void check_ident(struct slice value)
{
	struct ident_state ident;
	if (state_get_ident(value, &ident) != 0)
		return;
	struct strbuf once = STRBUF_INIT;
	state_put_ident(&once, &ident);
	assert(slice_equal(bytes_of(&once), value));
	strbuf_done(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice value = {(const char *)bytes, size};
	struct arena arena = ARENA_INIT;
	check_lead(value, &arena);
	check_ring(value, &arena);
	check_presence(value, &arena);
	check_ident(value);
	arena_done(&arena);
	return 0;
}
