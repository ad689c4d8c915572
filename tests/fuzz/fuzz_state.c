/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes as stored values. What is taken must read back the same after it was written again.
 */
#include <assert.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/rules.h"
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

static void check_ring(struct slice value, struct arena *arena)
{
	struct ring_member *members, *back;
	size_t count, back_count;
	if (state_get_ring(value, arena, &members, &count, NULL) != 0)
		return;
	struct strbuf once = STRBUF_INIT;
	state_put_ring(&once, members, count);
	int result = state_get_ring(bytes_of(&once), arena, &back, &back_count, NULL);
	assert(result != 0 || back_count == count);
	for (size_t i = 0; result == 0 && i < count; i++)
		assert(back[i].n == members[i].n && slice_equal(back[i].id, members[i].id));
	strbuf_done(&once);
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
	check_ident(value);
	arena_done(&arena);
	return 0;
}
