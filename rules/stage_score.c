/* SPDX-License-Identifier: Apache-2.0
 *
 * Stages enrich and score: what expressions see, and what the lead is worth.
 */
#include "rules/decide.h"

#include <string.h>

#include "rules/clients.h"
#include "rules/idents.h"
#include "rules/interest.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/returning.h"

static struct cel_value instant_value(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	return cel_timestamp(seconds, (uint32_t)(ms - seconds * 1000) * 1000000);
}

static bool is_said(const struct facts *said, struct slice name)
{
	for (size_t i = 0; i < said->count; i++)
		if (slice_equal(cel_slice(said->entries[i].key), name))
			return true;
	return false;
}

/* A fact that was said is not counted: a name stands for one. */
static size_t count_facts(struct work *work, const struct facts *said, struct cel_entry ret_counted[CLIENT_KINDS])
{
	size_t kept = 0, count = clients_facts(work, ret_counted);
	for (size_t i = 0; i < count; i++)
		if (!is_said(said, cel_slice(ret_counted[i].key)))
			ret_counted[kept++] = ret_counted[i];
	return kept;
}

/* What plug-ins said, and what is counted here. The prepared record stays as it was: it may be decided again. */
static const struct cel_map *all_facts(struct work *work)
{
	const struct facts *said = &work->prepared->facts;
	struct cel_entry counted[CLIENT_KINDS];
	size_t more = count_facts(work, said, counted);
	if (more == 0)
		return cel_map_of(work->arena, said->entries, said->count);
	struct cel_entry *entries = arena_array(work->arena, said->count + more, sizeof *entries);
	memcpy(entries, said->entries, said->count * sizeof *entries);
	memcpy(entries + said->count, counted, more * sizeof *entries);
	work->counted = entries + said->count;
	work->counted_count = more;
	return cel_map_of(work->arena, entries, said->count + more);
}

/* A lead is nobody's news about its own account: it is the company's latest one that was here before. */
static void know_account(struct work *work)
{
	struct hit hit;
	struct lead_account *account = &work->prepared->lead.account;
	if (!work->model->dedup.asks_account || !ident_company(work, &hit))
		return;
	account->lead_id = hit.lead_id;
	account->owner = hit.state.owner;
	account->team = hit.state.team;
	account->grade = hit.state.grade;
	account->status = slice_of(lead_status_name(hit.state.status));
	account->last_at = (struct lead_int){true, state_last_ms(&hit.state)};
}

/* What plug-ins said is in the prepared record by now: expressions see it from here on. */
enum step stage_enrich(struct work *work)
{
	struct prepared *prepared = work->prepared;
	know_account(work);
	const struct cel_map *facts = all_facts(work);
	schema_territories_init(&work->territories, work->model->env, work->model->territories, &prepared->lead);
	work->slots[SLOT_LEAD] = cel_object(&prepared->lead.objects[SCHEMA_LEAD]);
	work->slots[SLOT_ACCOUNT] = cel_object(&prepared->lead.objects[SCHEMA_ACCOUNT]);
	work->slots[SLOT_NOW] = instant_value(work->now_ms);
	work->slots[SLOT_TERRITORY] = cel_object(&work->territories.object);
	work->slots[SLOT_FACTS] = facts != NULL ? cel_map(facts) : cel_zero(&cel_type_map);
	return STEP_NEXT;
}

enum step stage_score(struct work *work)
{
	score_lead(work->model, work->slots, work->arena, &work->scratch, &work->score);
	work->state.score = work->score.total;
	interest_begin(work);
	work->state.grade = work->score.grade->letter;
	work->slots[SLOT_GRADE] = cel_string(work->score.grade->letter);
	work->slots[SLOT_SCORE] = cel_int(work->score.total);
	const char *block = returning_block(work);
	if (block == NULL && work->score.grade->stops)
		block = "grade_stops";
	if (block == NULL)
		return STEP_NEXT;
	work->state.bar = slice_equal(slice_of(block), bar_word(BAR_CONTACT)) ? BAR_CONTACT : BAR_GRADE;
	return settle_unassigned(work, block);
}
