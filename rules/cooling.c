/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cooling.h"

#include "rules/decide.h"
#include "rules/lifecycle.h"
#include "rules/ownership.h"
#include "rules/scan.h"

/* Who left before the last one is kept as "rep/since". */
static bool read_former(struct slice text, struct slice *ret_rep, int64_t *ret_left_ms)
{
	const char *slash = memchr(text.p, '/', text.len);
	if (slash == NULL)
		return false;
	struct scan scan = {slash + 1, text.p + text.len};
	*ret_rep = (struct slice){text.p, (size_t)(slash - text.p)};
	return scan_int(&scan, ret_left_ms);
}

/* When the time of who left then is over; 0: it is. */
static int64_t end_of(const struct work *work, int64_t left_ms)
{
	int64_t until_ms = lifecycle_from(work, left_ms, ownership_rules(work->model)->cool_down);
	return until_ms > work->now_ms ? until_ms : 0;
}

int64_t cooling_until(const struct work *work, struct slice rep)
{
	const struct lead_state *state = &work->state;
	struct slice former;
	int64_t left_ms;
	if (slice_equal(state->previous, rep))
		return end_of(work, state->left_ms);
	for (size_t i = 0; i < state->cooling.count; i++)
		if (read_former(state->cooling.items[i], &former, &left_ms) && slice_equal(former, rep))
			return end_of(work, left_ms);
	return 0;
}

/* `rep` waits no more, and those whose time is over do not. */
static void forget(struct work *work, struct slice rep)
{
	struct state_list *list = &work->state.cooling;
	struct slice former;
	int64_t left_ms;
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (read_former(list->items[i], &former, &left_ms) && !slice_equal(former, rep) && end_of(work, left_ms) != 0)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static void keep_former(struct work *work)
{
	struct lead_state *state = &work->state;
	struct state_list *list = &state->cooling;
	if (list->count == STATE_COOLING_MAX)
		memmove(list->items, list->items + 1, --list->count * sizeof *list->items);
	list->items[list->count++] = slice_of(arena_printf(work->arena, "%.*s/%lld", SLICE_ARG(state->previous),
	                                                   (long long)state->left_ms));
}

void cooling_begin(struct work *work)
{
	struct lead_state *state = &work->state;
	if (state->owner.len == 0)
		return; /* an order that finds nobody takes nothing from anybody */
	forget(work, state->owner);
	if (state->previous.len != 0 && !slice_equal(state->previous, state->owner) && end_of(work, state->left_ms) != 0)
		keep_former(work);
	state->previous = state->owner;
	state->left_ms = work->now_ms;
}

void cooling_on_owner(struct work *work)
{
	struct lead_state *state = &work->state;
	forget(work, state->owner);
	if (!slice_equal(state->previous, state->owner) && end_of(work, state->left_ms) != 0)
		return;
	state->previous = SLICE_NONE;
	state->left_ms = 0;
}
