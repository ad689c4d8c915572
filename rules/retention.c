/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retention.h"

#include "rules/base/strbuf.h"
#include "rules/dispute.h"
#include "rules/erase.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/model.h"

static const struct slice mark_key = {"mem/retention", sizeof "mem/retention" - 1};
static const struct slice walk_key = {RETENTION_WALK, sizeof RETENTION_WALK - 1};

void retention_on_write(struct work *work)
{
	struct lead_state *state = &work->state;
	int64_t keep_ms = lifecycle_rules(work->model)->retention_ms[state->status];
	if (keep_ms == 0) {
		state->ended_ms = state->purge_ms = 0;
		return;
	}
	if (state->ended_ms == 0)
		state->ended_ms = work->now_ms;
	state->purge_ms = state->ended_ms + keep_ms;
}

bool retention_fire(struct work *work)
{
	const struct lead_state *state = &work->state;
	if (state->purge_ms == 0 || state->purge_ms > work->now_ms)
		return false;
	dispute_close(work, "retention");
	erase_lead(work, state->bar == BAR_CONTACT ? IDENTS_BARRED : IDENTS_GONE, SLICE("retention"));
	return true;
}

/* ---- other times than before */

/* {"invalid":7776000000,…}; empty: there are none. */
static struct slice times_text(struct work *work)
{
	const struct lifecycle_rules *rules = lifecycle_rules(work->model);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	bool has_any = false;
	json_open_object(&writer, NULL);
	for (int status = 0; status < LEAD_STATUSES; status++) {
		if (rules->retention_ms[status] == 0)
			continue;
		has_any = true;
		json_put_int(&writer, lead_status_name((enum lead_status)status), rules->retention_ms[status]);
	}
	json_close_object(&writer);
	struct slice copy = strbuf_keep(&text, work->arena);
	return has_any ? copy : SLICE_NONE;
}

void retention_begin(struct work *work)
{
	struct overlay *overlay = &work->decider->overlay;
	struct slice times = times_text(work), before = overlay_get(overlay, mark_key);
	if (slice_equal(times, before))
		return;
	if (times.len != 0)
		overlay_put(overlay, mark_key, times, 0);
	else
		overlay_remove(overlay, mark_key);
	overlay_put(overlay, walk_key, SLICE("{}"), 0);
}

void retention_visit(struct work *work, struct slice key)
{
	const struct lead_state *state = &work->state;
	(void)key;
	if (state->ended_ms != 0 || lifecycle_rules(work->model)->retention_ms[state->status] != 0)
		work_write_lead(work, work->lead_id);
}
