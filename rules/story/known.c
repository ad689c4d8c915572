/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/known.h"

#include "rules/calendar/instant.h"
#include "rules/desk.h"
#include "rules/idents.h"
#include "rules/model.h"
#include "rules/pool.h"
#include "rules/prepared.h"
#include "rules/schema.h"
#include "rules/state.h"
#include "rules/story/explain_parts.h"
#include "rules/story/rehearse.h"

struct known {
	struct rehearsal *rehearsal;
	struct prepared *prepared;
	const struct json *data, *trace;
};

/* A value that this version does not take is one thing less that is known. */
static void know(const struct known *known, struct slice key, struct strbuf *value)
{
	(void)rehearsal_know(known->rehearsal, key, (struct slice){strbuf_text(value), value->len}, NULL);
	strbuf_done(value);
}

static const char *text_of(const struct known *known, struct slice text)
{
	return arena_memdupz(known->prepared->arena, text.p, text.len);
}

/* ---- what plug-ins said */

static bool has_fact(const struct prepared *prepared, struct slice name)
{
	for (size_t i = 0; i < prepared->facts.count; i++)
		if (slice_equal(cel_slice(prepared->facts.entries[i].key), name))
			return true;
	return false;
}

/* What was counted then is said now (rules/stage_score.c). */
static void tell_facts(const struct known *known)
{
	const struct json *facts = json_get(known->trace, "facts");
	for (size_t i = 0; facts != NULL && facts->type == JSON_IS_OBJECT && i < facts->count; i++) {
		const struct json *fact = &facts->items[i];
		const char *name = text_of(known, facts->names[i]);
		if (has_fact(known->prepared, facts->names[i]))
			continue; /* cleansing says it anew */
		if (fact->type == JSON_IS_BOOL)
			rules_add_fact_bool(known->prepared, name, fact->boolean);
		else if (fact->type == JSON_IS_INT)
			rules_add_fact_int(known->prepared, name, fact->integer);
		else if (fact->type == JSON_IS_STRING)
			rules_add_fact_text(known->prepared, name, fact->text);
	}
}

/* Contact data that was filled in stands masked in the event, and stays unknown. */
static void tell_filled(const struct known *known)
{
	const struct json *changes = json_get(known->trace, "changes");
	for (size_t i = 0; i < count_of(changes); i++) {
		const struct json *change = &changes->items[i];
		const struct schema_row *row = schema_find(json_get_text(change, "field"));
		if (row == NULL || row->is_person || !slice_is(json_get_text(change, "what"), "filled"))
			continue;
		rules_fill_field(known->prepared, row->path, json_get_text(change, "to"), text_of(known, json_get_text(change, "by")));
	}
}

/* ---- leads of before, and the keys that led to them */

static struct slice key_of(const struct known *known, enum identity_kind kind)
{
	return known->prepared->identity.keys[kind];
}

static struct slice key_of_person(const struct known *known)
{
	return key_of(known, IDENTITY_EMAIL).len != 0 ? key_of(known, IDENTITY_EMAIL) : key_of(known, IDENTITY_PHONE);
}

static struct slice key_of_company(const struct known *known)
{
	return key_of(known, IDENTITY_DOMAIN).len != 0 ? key_of(known, IDENTITY_DOMAIN) : key_of(known, IDENTITY_COMPANY);
}

static void point(const struct known *known, struct slice key, const struct ident_state *ident)
{
	struct strbuf value = STRBUF_INIT;
	if (key.len == 0)
		return;
	state_put_ident(&value, ident);
	know(known, key, &value);
}

static void know_lead(const struct known *known, struct slice key, struct slice lead_id, const struct lead_state *lead)
{
	struct strbuf value = STRBUF_INIT;
	struct lead_state state = *lead;
	state.first_response = (struct clock){.name = SLICE("first_response"), .cycle = 1};
	state_put_lead(&value, &state);
	know(known, state_lead_key(known->prepared->arena, lead_id), &value);
	point(known, key, &(struct ident_state){.at_ms = lead->at_ms, .lead_id = lead_id});
}

static enum lead_status status_of(const struct json *object)
{
	for (int status = 0; status < LEAD_STATUSES; status++)
		if (slice_is(json_get_text(object, "status"), lead_status_name((enum lead_status)status)))
			return (enum lead_status)status;
	return LEAD_ASSIGNED;
}

static void tell_first(const struct known *known)
{
	struct slice match = json_get_text(known->data, "match"), first = json_get_text(known->data, "first_lead_id");
	int64_t seen_ms = instant_parse(json_get_text(known->data, "first_seen_at"));
	struct slice key = slice_is(match, "same_event")     ? key_of(known, IDENTITY_EVENT)
	                   : slice_is(match, "same_lead_id") ? key_of(known, IDENTITY_LEAD)
	                   : slice_is(match, "same_email")   ? key_of(known, IDENTITY_EMAIL)
	                   : slice_is(match, "same_phone")   ? key_of(known, IDENTITY_PHONE)
	                                                     : key_of_company(known);
	const struct lead_state state = {.version = 1,
	                                 .status = status_of(known->data),
	                                 .owner = json_get_text(known->data, "owner"),
	                                 .team = json_get_text(known->data, "team"),
	                                 .into = json_get_text(known->data, "into"),
	                                 .at_ms = seen_ms > 0 ? seen_ms : 1,
	                                 .duplicates = int_of(known->data, "duplicates") - 1};
	know_lead(known, key, first, &state);
}

/* Long ago enough for no window of dedup, and acted on as late as its owner's right to the next lead asks for. */
static struct lead_state past_of(const struct known *known, const struct json *past)
{
	bool is_late = slice_is(json_get_text(past, "result"), "too_long_ago");
	return (struct lead_state){.version = 1,
	                           .owner = json_get_text(past, "owner"),
	                           .team = json_get_text(known->data, "team"),
	                           .at_ms = 1,
	                           .touched_ms = is_late ? 0 : known->prepared->now_ms - 1};
}

/* The event does not say which it was. */
static struct slice grade_that_stops(const struct model *model)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (model->grades[i].stops)
			return model->grades[i].letter;
	return SLICE_NONE;
}

static void tell_returning(const struct known *known)
{
	const struct json *past = json_get(known->trace, "returning");
	if (past == NULL)
		return;
	struct lead_state state = past_of(known, past);
	state.status = status_of(past);
	if (slice_is(json_get_text(known->data, "reason"), "stopped_before"))
		state.grade = grade_that_stops(known->prepared->model);
	know_lead(known, key_of_person(known), json_get_text(past, "lead_id"), &state);
}

/* A closed lead repeats nothing, and its owner is asked all the same. */
static void tell_owner_match(const struct known *known)
{
	const struct json *match = json_get(known->trace, "owner_match");
	if (match == NULL)
		return;
	struct lead_state state = past_of(known, match);
	bool is_account = slice_is(json_get_text(match, "by"), "account");
	state.status = LEAD_CONVERTED;
	know_lead(known, key_of(known, is_account ? IDENTITY_DOMAIN : IDENTITY_COMPANY), json_get_text(match, "lead_id"), &state);
}

static void tell_account(const struct known *known)
{
	const struct json *account = json_get(known->trace, "account");
	int64_t last_ms = instant_parse(json_get_text(account, "last_at"));
	if (account == NULL)
		return;
	const struct lead_state state = {.version = 1,
	                                 .status = status_of(account),
	                                 .owner = json_get_text(account, "owner"),
	                                 .team = json_get_text(account, "team"),
	                                 .grade = json_get_text(account, "grade"),
	                                 .at_ms = 1,
	                                 .touched_ms = last_ms > 0 ? last_ms : 0};
	know_lead(known, key_of_company(known), json_get_text(account, "lead_id"), &state);
}

static void bar(const struct known *known, struct slice key)
{
	point(known, key, &(struct ident_state){.at_ms = 1, .is_barred = true});
}

/* ---- who was there, and whose turn it was */

static void know_rep(const struct known *known, struct slice rep, bool is_there)
{
	struct strbuf value = STRBUF_INIT;
	strbuf_puts(&value, is_there ? "{\"seen\":" : "{\"away\":1,\"seen\":");
	strbuf_put_int(&value, known->prepared->now_ms);
	strbuf_putc(&value, '}');
	know(known, ARENA_JOIN(known->prepared->arena, SLICE("mem/rep/"), rep), &value);
}

/* "3/2" is position and weight: [3,2,…] of a rotation by strides. */
static void know_seat(const struct known *known, struct slice team, struct slice lane, const struct json *candidate)
{
	struct slice position = json_get_text(candidate, "position");
	struct strbuf value = STRBUF_INIT;
	if (position.len == 0)
		return;
	strbuf_putc(&value, '[');
	for (size_t i = 0; i < position.len; i++)
		strbuf_putc(&value, position.p[i] == '/' ? ',' : position.p[i]);
	strbuf_puts(&value, ",0]");
	know(known, ARENA_JOIN(known->prepared->arena, SLICE("mem/seat/"), team, SLICE("/"), lane, SLICE("/"), json_get_text(candidate, "rep")),
	     &value);
}

/* The rotation by credits keeps all in one value. */
static void know_credits(const struct known *known, struct slice team, struct slice lane, const struct json *candidates)
{
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	json_open_array(&writer, "credits");
	for (size_t i = 0; i < count_of(candidates); i++) {
		struct slice position = json_get_text(&candidates->items[i], "position");
		size_t len = 0;
		while (len < position.len && position.p[len] != '/')
			len++;
		if (len == 0)
			continue;
		json_open_array(&writer, NULL);
		json_put_text(&writer, NULL, json_get_text(&candidates->items[i], "rep"));
		json_put_raw(&writer, NULL, (struct slice){position.p, len});
		json_put_int(&writer, NULL, 1);
		json_close_array(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	struct slice slash = lane.len != 0 ? SLICE("/") : SLICE_NONE;
	know(known, ARENA_JOIN(known->prepared->arena, SLICE("ring/"), team, slash, lane), &value);
}

/* What the configuration and the time do not say by themselves. */
static bool is_absent(struct slice result)
{
	const enum block blocks[] = {BLOCK_AWAY, BLOCK_STALE, BLOCK_OPEN, BLOCK_CAP, BLOCK_SIZE};
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		if (slice_is(result, block_name(blocks[i])))
			return true;
	return false;
}

static void tell_candidates(const struct known *known)
{
	const struct json *candidates = json_get(known->trace, "candidates");
	struct slice team_id = json_get_text(known->data, "team"), lane = json_get_text(json_get(known->trace, "pool"), "lane");
	size_t team = model_find_team(known->prepared->model, team_id);
	bool is_credit = team != SIZE_MAX && pool_of(&known->prepared->model->teams[team])->rotation == ROTATION_CREDIT;
	for (size_t i = 0; i < count_of(candidates); i++) {
		const struct json *candidate = &candidates->items[i];
		know_rep(known, json_get_text(candidate, "rep"), !is_absent(json_get_text(candidate, "result")));
		if (!is_credit)
			know_seat(known, team_id, lane, candidate);
	}
	if (is_credit)
		know_credits(known, team_id, lane, candidates);
}

/* Nobody of the team could take it, whoever is named. */
static void know_team_absent(const struct known *known, struct slice id)
{
	const struct model *model = known->prepared->model;
	size_t team = model_find_team(model, id);
	for (size_t i = 0; team != SIZE_MAX && i < model->teams[team].member_count; i++)
		know_rep(known, model->reps[model->teams[team].members[i].rep].id, false);
}

static void tell_nobody(const struct known *known, struct slice type)
{
	const struct json *tries = json_get(json_get(known->trace, "pool"), "nobody");
	struct slice reason = json_get_text(known->data, "reason");
	bool is_nobody = slice_is(reason, "waiting") || slice_is(reason, "no_candidate") || slice_is(reason, "fallback_queue");
	for (size_t i = 0; i < count_of(tries); i++)
		know_team_absent(known, json_get_text(&tries->items[i], "pool"));
	if (slice_is(type, "lead.unassigned") && is_nobody)
		know_team_absent(known, json_get_text(known->data, "team"));
}

/* Of somebody who came before any rotation. */
static void tell_absent(const struct known *known)
{
	static const struct {
		const char *part, *rep, *result;
	} rows[] = {{"requested_owner", "rep", "result"},
	            {"returning", "owner", "result"},
	            {"owner_match", "owner", "result"},
	            {"named_rep", "rep", "reason"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *part = json_get(known->trace, rows[i].part);
		if (is_absent(json_get_text(part, rows[i].result)))
			know_rep(known, json_get_text(part, rows[i].rep), false);
	}
}

void known_tell(struct rehearsal *rehearsal, struct prepared *prepared, struct slice type, const struct json *data,
                struct slice code)
{
	const struct known known = {rehearsal, prepared, data, json_get(data, "trace")};
	if (prepared->kind != PREPARED_LEAD)
		return;
	tell_facts(&known);
	tell_filled(&known);
	if (slice_is(type, "lead.duplicate"))
		tell_first(&known);
	tell_returning(&known);
	tell_owner_match(&known);
	tell_account(&known);
	if (slice_is(json_get_text(data, "reason"), "do_not_contact"))
		bar(&known, key_of_person(&known));
	if (slice_is(code, err_word(ERR_LEAD_ERASED)))
		bar(&known, key_of(&known, IDENTITY_LEAD));
	tell_nobody(&known, type);
	tell_absent(&known);
	tell_candidates(&known);
}
