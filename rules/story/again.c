/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/again.h"

#include "rules/model.h"
#include "rules/prepared.h"
#include "rules/story/detail.h"
#include "rules/story/known.h"
#include "rules/story/rehearse.h"

static const struct json_limits LIMITS = {64 << 20, 64, 10000000};

/* ---- what differs */

static void put_difference(struct json_writer *writer, const char *what, struct slice then, struct slice now)
{
	if (slice_equal(then, now))
		return;
	json_open_object(writer, NULL);
	json_put_text(writer, "what", slice_of(what));
	json_put_text(writer, "then", then);
	json_put_text(writer, "now", now);
	json_close_object(writer);
}

static struct slice number_of(const struct json *data, const char *name, char bytes[DECIMAL_BYTES])
{
	const struct json *number = json_get(data, name);
	return number != NULL && number->type == JSON_IS_INT ? decimal_text(number->integer, bytes) : SLICE_NONE;
}

static void put_score(struct json_writer *writer, const struct json *then, const struct json *now)
{
	char bytes[2][DECIMAL_BYTES];
	put_difference(writer, "score", number_of(then, "score", bytes[0]), number_of(now, "score", bytes[1]));
}

/* Of two data of events of one type. `is_turn`: which member it was is left aside. */
static void put_members(struct json_writer *writer, const struct json *then, const struct json *now, bool is_turn)
{
	const char *const members[] = {"reason", "grade", "team", "first_lead_id"};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		put_difference(writer, members[i], json_get_text(then, members[i]), json_get_text(now, members[i]));
	put_score(writer, then, now);
	put_difference(writer, "route", json_get_text(json_get(then, "rule"), "name"), json_get_text(json_get(now, "rule"), "name"));
	if (!is_turn)
		put_difference(writer, "owner", json_get_text(then, "owner"), json_get_text(now, "owner"));
}

static void put_differences(struct json_writer *writer, const struct again_question *question, const struct json *story,
                            bool is_same_rules)
{
	const struct json *events = json_get(story, "events");
	const struct json *event = events != NULL && events->count != 0 ? &events->items[0] : NULL;
	const struct json *then = question->data, *now = json_get(event, "data");
	struct slice type = json_get_text(event, "type");
	bool is_same_team = slice_equal(json_get_text(then, "team"), json_get_text(now, "team"));
	bool is_turn = slice_is(json_get_text(now, "reason"), "first");
	json_open_array(writer, "differs");
	put_difference(writer, "outcome", question->type, type);
	put_difference(writer, "code", question->code, json_get_text(json_get(story, "reject"), "code"));
	if (slice_equal(question->type, type))
		put_members(writer, then, now, is_turn && (is_same_rules || !is_same_team));
	json_close_array(writer);
	if (is_turn && !is_same_team)
		json_put_bool(writer, "turn_unknown", true);
}

/* ---- deciding */

static const struct json *decide(const struct again_question *question, struct arena *arena)
{
	struct prepared *prepared = rules_prepare(question->model, question->record, question->at_ms, arena);
	struct slice lead_id = prepared->lead.lead_id;
	struct strbuf text = STRBUF_INIT;
	struct decision decision;
	struct detail detail;
	if (lead_id.len != 0 && !slice_equal(lead_id, question->lead_id))
		return NULL;
	struct rehearsal *rehearsal = rehearsal_new(question->model);
	known_tell(rehearsal, prepared, question->type, question->data, question->code);
	detail_begin(&detail, &text, question->is_unmasked);
	rehearsal_decide(rehearsal, prepared, question->at_ms, &detail.observer, arena, &decision);
	detail_end(&detail, &decision);
	const struct json *story = json_read_wide((struct slice){text.bytes, text.len}, LIMITS, arena, NULL);
	strbuf_done(&text);
	rehearsal_free(rehearsal);
	return story;
}

static bool is_same(const struct again_question *question)
{
	bool is_same_engine = question->engine.len == 0 || slice_is(question->engine, LEADROUTER_VERSION);
	return is_same_engine && slice_is(question->config, question->model->config_hash);
}

bool again_decide(const struct again_question *question, struct strbuf *out)
{
	struct arena arena = ARENA_INIT;
	struct json_writer writer = JSON_WRITER(out);
	const struct json *story = decide(question, &arena);
	if (story != NULL) {
		bool is_same_rules = is_same(question);
		json_open_object(&writer, NULL);
		json_put_text(&writer, "config", slice_of(question->model->config_hash));
		json_put_text(&writer, "engine", SLICE(LEADROUTER_VERSION));
		json_put_bool(&writer, "same_rules", is_same_rules);
		put_differences(&writer, question, story, is_same_rules);
		json_put_value(&writer, SLICE("story"), story);
		json_close_object(&writer);
	}
	arena_done(&arena);
	return story != NULL;
}
