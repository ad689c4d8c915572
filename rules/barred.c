/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/barred.h"

#include "rules/base/strbuf.h"
#include "rules/consent.h"
#include "rules/decide.h"
#include "rules/event_own.h"
#include "rules/idents.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/rest.h"

enum { VALUE_BYTES_MAX = 4000 };

void barred_cede(struct lead_state *state, struct slice name)
{
	struct state_list *ceded = &state->ceded;
	if (!ident_is_listed(ceded, ceded->count, name) && ceded->count < STATE_CEDED_MAX)
		ceded->items[ceded->count++] = name;
}

static struct slice mark_key(struct work *work, struct slice name)
{
	return ARENA_JOIN(work->arena, SLICE("mem/barred/"), name);
}

bool barred_is(struct work *work, struct slice name)
{
	return overlay_peek(&work->decider->overlay, mark_key(work, name)).len != 0;
}

static struct slice walk_value(struct work *work)
{
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	json_open_array(&writer, "idents");
	for (size_t i = 0; i < work->state.ceded.count; i++)
		json_put_text(&writer, NULL, work->state.ceded.items[i]);
	json_close_array(&writer);
	json_close_object(&writer);
	return strbuf_keep(&value, work->arena);
}

size_t barred_follow(struct work *work)
{
	struct state_list *ceded = &work->state.ceded;
	size_t count = ceded->count;
	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		work_bar_ident(work, ceded->items[i]);
		overlay_put(&work->decider->overlay, mark_key(work, ceded->items[i]), SLICE("{}"), 0);
	}
	overlay_put(&work->decider->overlay, ARENA_JOIN(work->arena, SLICE(BARRED_WALK), work->lead_id), walk_value(work), 0);
	ceded->count = 0;
	return count;
}

/* ---- the walk */

static const struct json *names_of(struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct json_limits limits = {VALUE_BYTES_MAX, 3, STATE_CEDED_MAX + 4};
	const struct json *names = value.len != 0 ? json_get(json_read(value, limits, work->arena, NULL), "idents") : NULL;
	return names != NULL && names->type == JSON_IS_ARRAY ? names : NULL;
}

static bool is_named(const struct json *names, struct slice name)
{
	for (size_t i = 0; names != NULL && i < names->count; i++)
		if (slice_equal(names->items[i].text, name))
			return true;
	return false;
}

/* false: the lead lists none of them. */
static bool drop_idents(struct lead_state *state, const struct json *names)
{
	struct state_list *idents = &state->idents;
	size_t kept = 0, count = idents->count;
	for (size_t i = 0; i < count; i++)
		if (!is_named(names, idents->items[i]))
			idents->items[kept++] = idents->items[i];
	idents->count = kept;
	return kept != count;
}

/* Nobody has it, and it waited for somebody to. */
static void wait_no_more(struct work *work)
{
	struct lead_state *state = &work->state;
	bool waits = state->status == LEAD_WAITING || state->status == LEAD_PENDING || state->status == LEAD_HELD;
	if (state->owner.len != 0 || !waits)
		return;
	consent_withdraw(work, "do_not_contact");
	state->wait_ms = state->step = state->wake_ms = 0;
	state->asked = SLICE_NONE;
	if (rest_resume(state))
		return;
	state->status = LEAD_UNASSIGNED;
	state->why = bar_word(BAR_CONTACT);
}

void barred_visit(struct work *work, struct slice key)
{
	struct lead_state *state = &work->state;
	if (!drop_idents(state, names_of(work, key)))
		return;
	bool is_news = state->bar != BAR_CONTACT && lifecycle_is_open(state->status);
	state->bar = BAR_CONTACT;
	wait_no_more(work);
	work_write_lead(work, work->lead_id);
	if (!is_news)
		return;
	work->ret->outcome = OUTCOME_TIMER;
	event_arranged(work);
}

void barred_walked(struct work *work, struct slice key)
{
	const struct json *names = names_of(work, key);
	for (size_t i = 0; names != NULL && i < names->count; i++)
		overlay_remove(&work->decider->overlay, mark_key(work, names->items[i].text));
}
